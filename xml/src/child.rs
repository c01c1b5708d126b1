//! The children of an element, read when they are asked for.

use std::borrow::Cow;
use std::sync::Arc;

use crate::element::declare;
use crate::scope::Scope;
use crate::token::{Attrs, Token, Tokens, decode_attribute, decode_text};

/// A child element within an [`Element`](crate::Element), read when it is asked for.
#[derive(Debug, Clone)]
pub struct Child<'a> {
    raw: &'a str,
    local: &'a str,
    namespace: Arc<str>,
    attrs: Attrs<'a>,
    inner: &'a str,
    /// Declarations in force inside.
    scope: Scope,
}

impl<'a> Child<'a> {
    pub(crate) fn nothing(text: &'a str) -> Self {
        let none = &text[..0];
        Self {
            raw: none,
            local: none,
            namespace: Arc::from(""),
            attrs: Attrs::new(),
            inner: none,
            scope: Scope::default(),
        }
    }

    /// The name without its prefix.
    pub fn name(&self) -> &'a str {
        self.local
    }

    /// The namespace; empty for none.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// It has this name and namespace.
    pub fn is(&self, name: &str, namespace: &str) -> bool {
        self.local == name && &*self.namespace == namespace
    }

    /// The value of an attribute without prefix, references resolved.
    pub fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attrs
            .iter()
            .find(|a| a.prefix.is_empty() && a.local == name)
            .map(|a| decode_attribute(a.value))
    }

    /// Attributes without prefix, other than `xmlns`.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> + '_ {
        self.attrs
            .iter()
            .filter(|a| a.prefix.is_empty() && a.local != "xmlns")
            .map(|a| (a.local, decode_attribute(a.value)))
    }

    /// `xml:lang` of the element itself.
    pub fn lang(&self) -> Option<Cow<'a, str>> {
        self.attrs
            .iter()
            .find(|a| a.prefix == "xml" && a.local == "lang")
            .map(|a| decode_attribute(a.value))
    }

    /// The octets of the whole child. They may lean on declarations further out.
    pub fn raw(&self) -> &'a [u8] {
        self.raw.as_bytes()
    }

    /// The octets between its tags.
    pub fn inner(&self) -> &'a [u8] {
        self.inner.as_bytes()
    }

    /// The character data directly in it.
    pub fn text(&self) -> Cow<'a, str> {
        own_text(self.inner)
    }

    /// Its child elements, in order.
    pub fn children(&self) -> Children<'a> {
        Children {
            text: self.inner,
            at: 0,
            scope: self.scope.clone(),
        }
    }

    /// Its first child of this name and namespace.
    pub fn child(&self, name: &str, namespace: &str) -> Option<Child<'a>> {
        self.children().find(|c| c.is(name, namespace))
    }

    /// A tree of it.
    pub fn to_tree(&self) -> minidom::Element {
        crate::tree::build_in(self.raw.as_bytes(), &self.scope)
    }
}

/// The child elements of an element, in order.
#[derive(Debug, Clone)]
pub struct Children<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
    pub(crate) scope: Scope,
}

impl<'a> Iterator for Children<'a> {
    type Item = Child<'a>;

    fn next(&mut self) -> Option<Child<'a>> {
        let mut tokens = Tokens::new(self.text, usize::MAX);
        tokens.at = self.at;
        let (begin, start) = loop {
            let begin = tokens.at;
            match tokens.next().ok()?? {
                start @ Token::Start { .. } => break (begin, start),
                Token::End(_) => return None,
                Token::Text(_) | Token::Cdata(_) => {}
            }
        };
        let Token::Start {
            prefix,
            local,
            attrs,
            empty,
        } = start
        else {
            return None;
        };
        let mut scope = self.scope.clone();
        declare(&mut scope, &attrs).ok()?;
        let namespace = scope.find(prefix).cloned().unwrap_or_else(|| Arc::from(""));
        let inner_begin = tokens.at;
        let mut inner_end = tokens.at;
        let mut depth = usize::from(!empty);
        while depth > 0 {
            inner_end = tokens.at;
            match tokens.next().ok()?? {
                Token::Start { empty, .. } => depth += usize::from(!empty),
                Token::End(_) => depth -= 1,
                Token::Text(_) | Token::Cdata(_) => {}
            }
        }
        self.at = tokens.at;
        Some(Child {
            raw: &self.text[begin..tokens.at],
            local,
            namespace,
            attrs,
            inner: &self.text[inner_begin..inner_end],
            scope,
        })
    }
}

/// The character data directly in content, that of children left out.
pub(crate) fn own_text(inner: &str) -> Cow<'_, str> {
    if memchr::memchr(b'<', inner.as_bytes()).is_none() {
        return decode_text(inner);
    }
    let mut tokens = Tokens::new(inner, usize::MAX);
    let mut depth = 0usize;
    let mut out = String::new();
    while let Ok(Some(token)) = tokens.next() {
        match token {
            Token::Start { empty, .. } => depth += usize::from(!empty),
            Token::End(_) => depth = depth.saturating_sub(1),
            Token::Text(text) if depth == 0 => out.push_str(&decode_text(text)),
            Token::Cdata(text) if depth == 0 => out.push_str(text),
            Token::Text(_) | Token::Cdata(_) => {}
        }
    }
    Cow::Owned(out)
}
