//! An element that only carries others, such as the `<body/>` of BOSH: its attributes, and what it holds, each made to stand by itself.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::chars;
use crate::document::after_declaration;
use crate::element::{Element, check_attributes, declare, resolve};
use crate::error::{ReadError, Which};
use crate::frame::{Found, Frame};
use crate::scope::{Scope, XML};
use crate::stream::Limits;
use crate::token::{Attr, Token, Tokens, decode_attribute};

/// A carrying element that was read and checked whole.
#[derive(Debug)]
pub struct Wrapper {
    name: String,
    namespace: Arc<str>,
    attributes: Vec<Attribute>,
    children: Vec<Wrapped>,
}

/// An attribute of the carrying element, its references resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    namespace: Option<Arc<str>>,
    name: String,
    value: String,
}

impl Attribute {
    /// The namespace of its prefix; empty without one.
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    /// The name without prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value, normalised as XML 1.0 §3.3.3 says.
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// An element that is carried.
#[derive(Debug)]
pub struct Wrapped {
    element: Element,
    /// Prefixes it uses that the carrying element declares.
    outer: SmallVec<[(Arc<str>, Arc<str>); 1]>,
}

/// Without the white space around it that XML knows: a form feed is none.
fn trim(octets: &[u8]) -> &[u8] {
    let white = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    let begin = octets
        .iter()
        .position(|o| !white(o))
        .unwrap_or(octets.len());
    let end = octets
        .iter()
        .rposition(|o| !white(o))
        .map_or(begin, |at| at + 1);
    octets.get(begin..end).unwrap_or_default()
}

impl Wrapper {
    /// Reads a document whose root carries at most `most` elements, each within `limits`; `limits.max_bytes` counts for the whole. An XML
    /// declaration may stand before it. Character data between the elements is an error ([`ReadError::Format`]), as is all that streams
    /// may not hold.
    pub fn parse(octets: &Bytes, limits: Limits, most: usize) -> Result<Self, ReadError> {
        if octets.len() > limits.max_bytes {
            return Err(ReadError::Limit(Which::Bytes));
        }
        let begin = octets.len() - after_declaration(octets)?.len();
        let document = octets.slice_ref(trim(&octets[begin..]));
        let text = chars::text(&document)?;
        let mut frame = Frame::default();
        let Found::Header(end) = frame.scan(&document, true, limits.max_depth, None)? else {
            return Err(ReadError::NotWellFormed("no element"));
        };
        let mut tokens = Tokens::new(&text[..end], limits.max_attributes);
        let Some(Token::Start {
            prefix,
            local,
            attrs,
            empty,
        }) = tokens.next()?
        else {
            return Err(ReadError::NotWellFormed("no element"));
        };
        let mut scope = Scope::default();
        declare(&mut scope, &attrs)?;
        let namespace = resolve(&scope, prefix, 0, &mut SmallVec::new())?;
        check_attributes(&scope, &attrs, 0, &mut SmallVec::new())?;
        let mut wrapper = Self {
            name: local.to_owned(),
            namespace,
            attributes: attrs.iter().filter_map(|a| attribute(&scope, a)).collect(),
            children: Vec::new(),
        };
        if empty {
            if end != document.len() {
                return Err(ReadError::NotWellFormed("something follows the element"));
            }
            return Ok(wrapper);
        }
        let qualified = if prefix.is_empty() {
            local.len()
        } else {
            prefix.len() + 1 + local.len()
        };
        wrapper.carry(
            &document.slice(end..),
            &text[1..=qualified],
            &scope,
            limits,
            most,
        )?;
        Ok(wrapper)
    }

    /// Reads what is carried, to the end tag of the root.
    fn carry(
        &mut self,
        content: &Bytes,
        root: &str,
        scope: &Scope,
        limits: Limits,
        most: usize,
    ) -> Result<(), ReadError> {
        let default = scope.find("").cloned().unwrap_or_else(|| Arc::from(""));
        let mut frame = Frame::default();
        let mut at = 0;
        loop {
            at += content[at..]
                .iter()
                .take_while(|b| chars::is_space(**b))
                .count();
            let rest = &content[at..];
            if rest.first().is_some_and(|b| *b != b'<') {
                return Err(ReadError::Format);
            }
            frame.restart();
            match frame.scan(rest, false, limits.max_depth, limits.max_elements)? {
                Found::Element(len) => {
                    if self.children.len() >= most {
                        return Err(ReadError::Limit(Which::Elements));
                    }
                    let raw = content.slice(at..at + len);
                    let checked = Element::check(raw, &default, scope.clone(), limits)?;
                    self.children.push(Wrapped {
                        element: checked.element,
                        outer: checked.outer,
                    });
                    at += len;
                }
                Found::End(len) => {
                    let name = rest[2..len - 1].trim_ascii_end();
                    if name != root.as_bytes() {
                        return Err(ReadError::NotWellFormed("an end tag of another element"));
                    }
                    if at + len != content.len() {
                        return Err(ReadError::NotWellFormed("something follows the element"));
                    }
                    return Ok(());
                }
                Found::Header(_) | Found::More => {
                    return Err(ReadError::NotWellFormed("it ends too early"));
                }
            }
        }
    }

    /// The carrying element has this name and namespace.
    pub fn is(&self, name: &str, namespace: &str) -> bool {
        self.name == name && &*self.namespace == namespace
    }

    /// Its attributes but for declarations of namespaces, in the order in which they were written.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// What it carries, in order.
    pub fn children(&self) -> &[Wrapped] {
        &self.children
    }
}

fn attribute(scope: &Scope, attr: &Attr<'_>) -> Option<Attribute> {
    let namespace = match attr.prefix {
        "" if attr.local == "xmlns" => return None,
        "xmlns" => return None,
        "" => None,
        "xml" => Some(Arc::from(XML)),
        prefix => Some(Arc::clone(scope.find(prefix)?)),
    };
    Some(Attribute {
        namespace,
        name: attr.local.to_owned(),
        value: decode_attribute(attr.value).into_owned(),
    })
}

impl Wrapped {
    /// The element; it may lean on declarations of the carrying one.
    pub fn element(&self) -> &Element {
        &self.element
    }

    /// The octets with every declaration they need, where the default namespace `from` is written as `to`: for those who leave it to the
    /// carrying element to say what the content is. Not copied when nothing has to be added.
    pub fn standing_alone(&self, from: &str, to: &str) -> Bytes {
        let own = self.element.declares_default();
        let default = if own {
            self.element.attribute("xmlns")
        } else {
            Some(Cow::Borrowed(self.element.inherited()))
        };
        let default = match default.as_deref() {
            Some(namespace) if namespace == from => Some(to),
            Some(namespace) if !own && !namespace.is_empty() => Some(namespace),
            _ => None,
        };
        if default.is_none() && self.outer.is_empty() {
            return self.element.raw().clone();
        }
        let declared: SmallVec<[(String, &str); 2]> = self
            .outer
            .iter()
            .map(|(prefix, uri)| (format!("xmlns:{prefix}"), &**uri))
            .collect();
        let mut patches: SmallVec<[(&str, Option<&str>); 4]> = declared
            .iter()
            .map(|(name, uri)| (&**name, Some(*uri)))
            .collect();
        if default.is_some() {
            patches.push(("xmlns", default));
        }
        let mut octets = Vec::with_capacity(self.element.raw().len() + 64);
        self.element.write_patched(&mut octets, &patches);
        octets.into()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const LIMITS: Limits = Limits {
        max_bytes: 1000,
        max_depth: 4,
        max_elements: Some(5),
        max_attributes: 6,
    };

    fn parse(text: &str) -> Result<Wrapper, ReadError> {
        Wrapper::parse(&Bytes::copy_from_slice(text.as_bytes()), LIMITS, 3)
    }

    fn alone(text: &str) -> Vec<String> {
        let wrapper = parse(text).unwrap();
        wrapper
            .children()
            .iter()
            .map(|c| String::from_utf8(c.standing_alone("w", "client").to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn attributes_have_their_namespaces() {
        let text = "<?xml version='1.0'?>\n<body xmlns='w' rid='1&#50;' xmlns:x='urn:x' x:restart='true' xml:lang='en'/> ";
        let wrapper = parse(text).unwrap();
        assert!(wrapper.is("body", "w") && wrapper.children().is_empty());
        let all: Vec<_> = wrapper
            .attributes()
            .iter()
            .map(|a| (a.namespace(), a.name(), a.value()))
            .collect();
        assert_eq!(
            all,
            [
                ("", "rid", "12"),
                ("urn:x", "restart", "true"),
                (XML, "lang", "en")
            ]
        );
    }

    #[test]
    fn what_stands_alone_is_handed_out_as_it_is() {
        let inner = "<message xmlns='client'><body>a &lt; b</body></message>";
        assert_eq!(
            alone(&format!("<b:body xmlns:b='w'> {inner}\n</b:body >")),
            [inner]
        );
        let text = Bytes::from(format!("<body xmlns='w'>{inner}</body>"));
        let wrapper = Wrapper::parse(&text, LIMITS, 3).unwrap();
        let octets = wrapper.children()[0].standing_alone("w", "client");
        let within = text.as_ptr_range();
        assert!(within.contains(&octets.as_ptr()), "not copied");
    }

    #[test]
    fn declarations_of_the_wrapper_are_taken_along_where_they_are_used() {
        let text = "<body xmlns='w' xmlns:s='urn:s' xmlns:t='urn:t'><s:a/><b xmlns='urn:b'><t:c/></b><d xmlns='w' e='1'/></body>";
        assert_eq!(
            alone(text),
            [
                "<s:a xmlns:s='urn:s' xmlns='client'/>",
                "<b xmlns:t='urn:t' xmlns='urn:b'><t:c/></b>",
                "<d xmlns='client' e='1'/>"
            ]
        );
        assert_eq!(
            alone("<b:body xmlns:b='w' xmlns='urn:d'><a><c/></a></b:body>"),
            ["<a xmlns='urn:d'><c/></a>"]
        );
    }

    #[test]
    fn a_default_that_is_taken_back_stays_so() {
        assert_eq!(
            alone("<body xmlns='w'><a xmlns=''/></body>"),
            ["<a xmlns=''/>"]
        );
        assert_eq!(alone("<b:body xmlns:b='w'><a/></b:body>"), ["<a/>"]);
    }

    #[test]
    fn what_is_no_wrapper_is_refused() {
        let format = || Some(ReadError::Format);
        for (text, wrong) in [
            ("<body>text</body>", format()),
            ("<body><![CDATA[x]]></body>", format()),
            (
                "<body/><body/>",
                Some(ReadError::NotWellFormed("something follows the element")),
            ),
            (
                "<body></body>x",
                Some(ReadError::NotWellFormed("something follows the element")),
            ),
            (
                "<body></bodi>",
                Some(ReadError::NotWellFormed("an end tag of another element")),
            ),
            (
                "<body><a></b></body>",
                Some(ReadError::NotWellFormed("an end tag of another element")),
            ),
            (
                "<body><a>",
                Some(ReadError::NotWellFormed("it ends too early")),
            ),
            (
                "<body>",
                Some(ReadError::NotWellFormed("it ends too early")),
            ),
            ("<body", Some(ReadError::NotWellFormed("no element"))),
            ("", Some(ReadError::NotWellFormed("no element"))),
            ("</body>", Some(ReadError::NotWellFormed("no element"))),
            ("hello", Some(ReadError::NotWellFormed("no element"))),
            (
                "<body a='1' a='2'/>",
                Some(ReadError::NotWellFormed("an attribute given twice")),
            ),
            ("<x:body/>", Some(ReadError::Prefix)),
            ("<body><x:a/></body>", Some(ReadError::Prefix)),
            (
                "<body><?pi?></body>",
                Some(ReadError::Restricted("a processing instruction")),
            ),
            (
                "<body><!-- c --></body>",
                Some(ReadError::Restricted("a comment or declaration")),
            ),
            (
                "<!DOCTYPE a><body/>",
                Some(ReadError::Restricted("a declaration")),
            ),
            (
                "<body><a>&e;</a></body>",
                Some(ReadError::Restricted("an entity")),
            ),
            (
                "<body><a/><a/><a/><a/></body>",
                Some(ReadError::Limit(Which::Elements)),
            ),
            (
                "<body><a><a><a><a><a/></a></a></a></a></body>",
                Some(ReadError::Limit(Which::Depth)),
            ),
            (
                "<body a='' b='' c='' d='' e='' f='' g=''/>",
                Some(ReadError::Limit(Which::Attributes)),
            ),
        ] {
            assert_eq!(parse(text).err(), wrong, "{text}");
        }
        let long = format!("<body>{}</body>", " ".repeat(1000));
        assert_eq!(
            parse(&long).map(|_| ()),
            Err(ReadError::Limit(Which::Bytes))
        );
        let octets = Bytes::from_static(b"<body>\xFF</body>");
        assert!(Wrapper::parse(&octets, LIMITS, 3).is_err());
    }
}
