//! One first-level element, verbatim, with its parts.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::chars;
use crate::child::{Child, Children, own_text};
use crate::error::{ReadError, Which};
use crate::scope::{Scope, XML};
use crate::stream::Limits;
use crate::token::{Attrs, Token, Tokens, decode_attribute};
use crate::writer::escape;

/// One complete element as the peer wrote it, checked. It is self-contained but for the default namespace it inherits, so that it can be
/// copied as it is into any stream with that default namespace.
#[derive(Clone)]
pub struct Element {
    raw: Bytes,
    default: Arc<str>,
    local: Range<u32>,
    namespace: Arc<str>,
    attrs: SmallVec<[Placed; 6]>,
    /// End of the start tag's name.
    named: u32,
    /// Between the tags; empty for an empty element.
    inner: Range<u32>,
    empty: bool,
}

/// Where an attribute stands.
#[derive(Debug, Clone)]
struct Placed {
    prefixed: bool,
    xml: bool,
    local: Range<u32>,
    value: Range<u32>,
}

impl std::fmt::Debug for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.raw))
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw && self.default == other.default
    }
}

impl Eq for Element {}

/// What checking found besides.
pub(crate) struct Checked {
    pub(crate) element: Element,
    /// Prefixes used that were declared outside.
    pub(crate) outer: SmallVec<[(Arc<str>, Arc<str>); 1]>,
    /// The root has a prefix.
    pub(crate) prefixed: bool,
}

impl Checked {
    /// The element as recipients are given it: self-contained, and with the default namespace of the content undeclared, since it is that of
    /// their streams.
    pub(crate) fn settle(self, default: &Arc<str>, scope: &Scope) -> Result<Element, ReadError> {
        let Self {
            element,
            outer,
            prefixed,
        } = self;
        let is_content = element.namespace() == &**default;
        if prefixed && is_content {
            // A stanza written with a prefix: printed anew, since recipients know the content namespace as the default one.
            let tree = crate::tree::build_in(element.raw(), scope);
            return Element::from_tree(&tree)?.without_default(default, scope);
        }
        let element = if !prefixed && is_content && element.declares_default() {
            element.without_default(default, scope)?
        } else {
            element
        };
        if outer.is_empty() {
            return Ok(element);
        }
        element.with_declarations(default, &outer)
    }
}

/// Declarations in force at one place, beside one default namespace for each level.
const PREFIXES: usize = 64;

fn span(whole: &str, part: &str) -> Range<u32> {
    let begin = part.as_ptr() as usize - whole.as_ptr() as usize;
    u32::try_from(begin).unwrap_or(u32::MAX)..u32::try_from(begin + part.len()).unwrap_or(u32::MAX)
}

impl Element {
    /// Reads one element by itself, that inherits `default` as its default namespace.
    pub fn parse(octets: &[u8], default: &str, limits: Limits) -> Result<Self, ReadError> {
        if octets.len() > limits.max_bytes {
            return Err(ReadError::Limit(Which::Bytes));
        }
        let scope = Scope::inherited(&Arc::from(default));
        Self::check(
            Bytes::copy_from_slice(octets),
            &Arc::from(default),
            scope,
            limits,
        )
        .map(|c| c.element)
    }

    /// Reads an element of our own making or storing, within generous limits.
    pub fn stored(octets: Bytes, default: &str) -> Result<Self, ReadError> {
        let default = Arc::from(default);
        let scope = Scope::inherited(&default);
        Self::check(octets, &default, scope, Limits::generous()).map(|c| c.element)
    }

    pub(crate) fn check(
        raw: Bytes,
        default: &Arc<str>,
        mut scope: Scope,
        limits: Limits,
    ) -> Result<Checked, ReadError> {
        let text = chars::text(&raw)?;
        let mut tokens = Tokens::new(text, limits.max_attributes);
        let outside = scope.len();
        let mut outer: SmallVec<[(Arc<str>, Arc<str>); 1]> = SmallVec::new();
        let mut open: SmallVec<[(&str, usize); 16]> = SmallVec::new();
        let mut root: Option<(Element, bool)> = None;
        let mut elements = 0;
        loop {
            let begin = tokens.at;
            let Some(token) = tokens.next()? else {
                return Err(ReadError::NotWellFormed("it ends too early"));
            };
            match token {
                Token::Start {
                    prefix,
                    local,
                    attrs,
                    empty,
                } => {
                    let before = scope.len();
                    declare(&mut scope, &attrs)?;
                    // Names are looked up one declaration after the other: many in force would make a small stanza dear.
                    if scope.len() - outside > limits.max_depth.saturating_add(PREFIXES) {
                        return Err(ReadError::Limit(Which::Attributes));
                    }
                    let namespace = resolve(&scope, prefix, outside, &mut outer)?;
                    check_attributes(&scope, &attrs, outside, &mut outer)?;
                    if root.is_none() {
                        let named = begin
                            + 1
                            + prefix.len()
                            + usize::from(!prefix.is_empty())
                            + local.len();
                        root = Some((
                            Element {
                                raw: Bytes::new(),
                                default: Arc::clone(default),
                                local: span(text, local),
                                namespace,
                                attrs: attrs
                                    .iter()
                                    .map(|a| Placed {
                                        prefixed: !a.prefix.is_empty(),
                                        xml: a.prefix == "xml",
                                        local: span(text, a.local),
                                        value: span(text, a.value),
                                    })
                                    .collect(),
                                named: u32::try_from(named).unwrap_or(u32::MAX),
                                inner: 0..0,
                                empty,
                            },
                            !prefix.is_empty(),
                        ));
                        if let Some((root, _)) = &mut root {
                            root.inner = end_of(tokens.at);
                        }
                    }
                    elements += 1;
                    if limits.max_elements.is_some_and(|most| elements > most) {
                        return Err(ReadError::Limit(Which::Elements));
                    }
                    if empty {
                        scope.truncate(before);
                    } else {
                        if open.len() >= limits.max_depth {
                            return Err(ReadError::Limit(Which::Depth));
                        }
                        let name = &text[begin + 1..begin + 1 + qualified(prefix, local)];
                        open.push((name, before));
                    }
                }
                Token::End(name) => {
                    let Some((opened, before)) = open.pop() else {
                        return Err(ReadError::NotWellFormed("an end tag without its start"));
                    };
                    if opened != name {
                        return Err(ReadError::NotWellFormed("an end tag of another element"));
                    }
                    scope.truncate(before);
                    if open.is_empty()
                        && let Some((root, _)) = &mut root
                    {
                        root.inner.end = u32::try_from(begin).unwrap_or(u32::MAX);
                    }
                }
                Token::Text(_) | Token::Cdata(_) => {
                    if open.is_empty() {
                        return Err(ReadError::Format);
                    }
                }
            }
            if open.is_empty() {
                break;
            }
        }
        if tokens.at != raw.len() {
            return Err(ReadError::NotWellFormed("something follows the element"));
        }
        let Some((mut element, prefixed)) = root else {
            return Err(ReadError::NotWellFormed("no element"));
        };
        element.raw = raw.clone();
        Ok(Checked {
            element,
            outer,
            prefixed,
        })
    }

    /// The element with the declarations of the header that it uses.
    fn with_declarations(
        &self,
        default: &Arc<str>,
        outer: &[(Arc<str>, Arc<str>)],
    ) -> Result<Self, ReadError> {
        let mut octets = Vec::with_capacity(self.raw.len() + 64);
        let patches: Vec<(String, &str)> = outer
            .iter()
            .map(|(p, uri)| (format!("xmlns:{p}"), &**uri))
            .collect();
        let patches: Vec<(&str, Option<&str>)> =
            patches.iter().map(|(n, uri)| (&**n, Some(*uri))).collect();
        self.write_patched(&mut octets, &patches);
        let scope = Scope::inherited(default);
        Self::check(octets.into(), default, scope, Limits::generous()).map(|c| c.element)
    }

    /// The element without the default namespace it declares, which is that of the stream: a stanza that says `jabber:client` itself would keep
    /// it when it is copied into a stream of another domain, whose content namespace is `jabber:server`.
    fn without_default(&self, default: &Arc<str>, scope: &Scope) -> Result<Self, ReadError> {
        let mut octets = Vec::with_capacity(self.raw.len());
        self.write_patched(&mut octets, &[("xmlns", None)]);
        // Prefixes of the header may be used and are declared later.
        Self::check(octets.into(), default, scope.clone(), Limits::generous()).map(|c| c.element)
    }

    fn text_of(&self, range: &Range<u32>) -> &str {
        let octets = &self.raw[range.start as usize..range.end as usize];
        std::str::from_utf8(octets).unwrap_or_default()
    }

    /// The name without its prefix.
    pub fn name(&self) -> &str {
        self.text_of(&self.local)
    }

    /// The namespace; empty for none.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// It has this name and namespace.
    pub fn is(&self, name: &str, namespace: &str) -> bool {
        self.name() == name && &*self.namespace == namespace
    }

    /// The value of an attribute without prefix, references resolved.
    pub fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        let found = self
            .attrs
            .iter()
            .find(|a| !a.prefixed && self.text_of(&a.local) == name)?;
        Some(decode_attribute(self.text_of(&found.value)))
    }

    /// Attributes without prefix, other than `xmlns`.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.attrs
            .iter()
            .filter(|a| !a.prefixed)
            .map(|a| {
                (
                    self.text_of(&a.local),
                    decode_attribute(self.text_of(&a.value)),
                )
            })
            .filter(|(name, _)| *name != "xmlns")
    }

    /// `xml:lang` of the element itself.
    pub fn lang(&self) -> Option<Cow<'_, str>> {
        let found = self
            .attrs
            .iter()
            .find(|a| a.xml && self.text_of(&a.local) == "lang")?;
        Some(decode_attribute(self.text_of(&found.value)))
    }

    /// The start tag declares a default namespace.
    pub(crate) fn declares_default(&self) -> bool {
        self.attrs
            .iter()
            .any(|a| !a.prefixed && self.text_of(&a.local) == "xmlns")
    }

    /// The octets of the whole element.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The octets between the tags.
    pub fn inner(&self) -> Bytes {
        self.raw
            .slice(self.inner.start as usize..self.inner.end as usize)
    }

    /// The default namespace it inherits.
    pub fn inherited(&self) -> &str {
        &self.default
    }

    /// The element as its own child, for what works on children.
    pub fn as_child(&self) -> Child<'_> {
        let scope = Scope::inherited(&self.default);
        let text = std::str::from_utf8(&self.raw).unwrap_or_default();
        let mut children = Children { text, at: 0, scope };
        children.next().unwrap_or_else(|| Child::nothing(text))
    }

    /// The child elements, in order.
    pub fn children(&self) -> Children<'_> {
        self.as_child().children()
    }

    /// The first child of this name and namespace.
    pub fn child(&self, name: &str, namespace: &str) -> Option<Child<'_>> {
        self.children().find(|c| c.is(name, namespace))
    }

    /// The character data directly in the element.
    pub fn text(&self) -> Cow<'_, str> {
        own_text(self.text_of(&self.inner))
    }

    /// A tree of it. Its depth was checked before.
    pub fn to_tree(&self) -> minidom::Element {
        crate::tree::build(&self.raw, &self.default)
    }

    /// From a tree; it declares its namespace itself.
    pub fn from_tree(tree: &minidom::Element) -> Result<Self, ReadError> {
        let mut octets = Vec::new();
        tree.write_to(&mut octets)
            .map_err(|_| ReadError::NotWellFormed("a tree that is not XML"))?;
        Self::stored(octets.into(), "")
    }

    /// Writes the element with attributes of its start tag set (`Some`) or left out (`None`); all else as it is. `xml:lang` may be among them.
    pub fn write_patched(&self, out: &mut Vec<u8>, patches: &[(&str, Option<&str>)]) {
        out.reserve(self.raw.len() + 128);
        out.extend_from_slice(&self.raw[..self.named as usize]);
        for (name, value) in patches {
            if let Some(value) = value {
                attribute(out, name, value);
            }
        }
        for attr in &self.attrs {
            let local = self.text_of(&attr.local);
            let replaced = patches
                .iter()
                .any(|(name, _)| match name.strip_prefix("xml:") {
                    Some(name) => attr.xml && name == local,
                    None => !attr.prefixed && *name == local,
                });
            if !replaced {
                // From after the space before the name to the closing quote.
                let mut begin = attr.local.start as usize;
                while begin > 0 && !chars::is_space(self.raw[begin - 1]) {
                    begin -= 1;
                }
                out.push(b' ');
                out.extend_from_slice(&self.raw[begin..=attr.value.end as usize]);
            }
        }
        let tail = if self.empty {
            self.raw.len() - 2
        } else {
            self.inner.start as usize - 1
        };
        out.extend_from_slice(&self.raw[tail..]);
    }

    /// The element with these attributes, ready for many recipients that differ in `to` alone.
    pub fn template(&self, patches: &[(&str, Option<&str>)]) -> Template {
        let mut all: SmallVec<[(&str, Option<&str>); 6]> = patches
            .iter()
            .copied()
            .filter(|(n, _)| *n != "to")
            .collect();
        all.push(("to", None));
        let mut octets = Vec::new();
        self.write_patched(&mut octets, &all);
        let head = Bytes::copy_from_slice(&octets[..self.named as usize]);
        let tail = Bytes::copy_from_slice(&octets[self.named as usize..]);
        Template { head, tail }
    }
}

/// An element that lacks only its `to`.
#[derive(Debug, Clone)]
pub struct Template {
    head: Bytes,
    tail: Bytes,
}

impl Template {
    /// Writes it for one recipient.
    pub fn write(&self, out: &mut Vec<u8>, to: &str) {
        out.reserve(self.head.len() + self.tail.len() + to.len() + 8);
        out.extend_from_slice(&self.head);
        attribute(out, "to", to);
        out.extend_from_slice(&self.tail);
    }
}

fn attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"='");
    escape(out, value);
    out.push(b'\'');
}

fn end_of(at: usize) -> Range<u32> {
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    at..at
}

fn qualified(prefix: &str, local: &str) -> usize {
    if prefix.is_empty() {
        local.len()
    } else {
        prefix.len() + 1 + local.len()
    }
}

/// Takes the declarations among the attributes.
pub(crate) fn declare(scope: &mut Scope, attrs: &Attrs<'_>) -> Result<(), ReadError> {
    for attr in attrs {
        if attr.prefix == "xmlns" {
            scope.declare(attr.local, &decode_attribute(attr.value))?;
        } else if attr.prefix.is_empty() && attr.local == "xmlns" {
            scope.declare("", &decode_attribute(attr.value))?;
        }
    }
    Ok(())
}

pub(crate) fn resolve(
    scope: &Scope,
    prefix: &str,
    outside: usize,
    outer: &mut SmallVec<[(Arc<str>, Arc<str>); 1]>,
) -> Result<Arc<str>, ReadError> {
    if prefix == "xml" {
        return Ok(Arc::from(XML));
    }
    match scope.find(prefix) {
        Some(uri) => {
            let inherited = !prefix.is_empty() && scope.is_outer(prefix, outside);
            if inherited && !outer.iter().any(|(p, _)| **p == *prefix) {
                outer.push((Arc::from(prefix), Arc::clone(uri)));
            }
            Ok(Arc::clone(uri))
        }
        None if prefix.is_empty() => Ok(Arc::from("")),
        None => Err(ReadError::Prefix),
    }
}

pub(crate) fn check_attributes(
    scope: &Scope,
    attrs: &Attrs<'_>,
    outside: usize,
    outer: &mut SmallVec<[(Arc<str>, Arc<str>); 1]>,
) -> Result<(), ReadError> {
    let mut expanded: SmallVec<[(Arc<str>, &str); 2]> = SmallVec::new();
    for attr in attrs {
        if attr.prefix.is_empty() || attr.prefix == "xmlns" || attr.prefix == "xml" {
            continue;
        }
        let name = (resolve(scope, attr.prefix, outside, outer)?, attr.local);
        if expanded.contains(&name) {
            return Err(ReadError::NotWellFormed("an attribute given twice"));
        }
        expanded.push(name);
    }
    Ok(())
}
