//! Trees for who needs them.

use std::collections::BTreeMap;
use std::sync::Arc;

use minidom::Element;
use minidom::rxml::{AttrMap, Namespace, NcName};

use crate::scope::Scope;
use crate::token::{Attrs, Token, Tokens, decode_attribute, decode_text};

/// A tree of a checked element that inherits a default namespace.
pub(crate) fn build(octets: &[u8], default: &Arc<str>) -> Element {
    build_in(octets, &Scope::inherited(default))
}

/// A tree of a checked element within a scope. What was not checked before gives an empty tree.
pub(crate) fn build_in(octets: &[u8], scope: &Scope) -> Element {
    std::str::from_utf8(octets)
        .ok()
        .and_then(|text| grow(text, scope.clone()))
        .unwrap_or_else(|| Element::bare("none", ""))
}

fn grow(text: &str, mut scope: Scope) -> Option<Element> {
    let mut tokens = Tokens::new(text, usize::MAX);
    let mut open: Vec<(Element, usize)> = Vec::new();
    while let Ok(Some(token)) = tokens.next() {
        let done = match token {
            Token::Start {
                prefix,
                local,
                attrs,
                empty,
            } => {
                let before = scope.len();
                crate::element::declare(&mut scope, &attrs).ok()?;
                let element = make(&scope, prefix, local, &attrs)?;
                if empty {
                    scope.truncate(before);
                    Some(element)
                } else {
                    open.push((element, before));
                    None
                }
            }
            Token::End(_) => {
                let (element, before) = open.pop()?;
                scope.truncate(before);
                Some(element)
            }
            Token::Text(text) => {
                if let Some((parent, _)) = open.last_mut() {
                    parent.append_text(decode_text(text));
                }
                None
            }
            Token::Cdata(text) => {
                if let Some((parent, _)) = open.last_mut() {
                    parent.append_text(text);
                }
                None
            }
        };
        if let Some(element) = done {
            match open.last_mut() {
                Some((parent, _)) => {
                    parent.append_child(element);
                }
                None => return Some(element),
            }
        }
    }
    None
}

fn make(scope: &Scope, prefix: &str, local: &str, attrs: &Attrs<'_>) -> Option<Element> {
    let namespace = namespace_of(scope, prefix)?;
    let mut element = Element::bare(local, namespace);
    let map: &mut AttrMap = element.attrs_mut();
    let mut all: BTreeMap<(String, &str), String> = BTreeMap::new();
    for attr in attrs {
        if attr.prefix == "xmlns" || (attr.prefix.is_empty() && attr.local == "xmlns") {
            continue;
        }
        let namespace = if attr.prefix.is_empty() {
            String::new()
        } else {
            namespace_of(scope, attr.prefix)?
        };
        all.insert(
            (namespace, attr.local),
            decode_attribute(attr.value).into_owned(),
        );
    }
    for ((namespace, local), value) in all {
        let name = NcName::try_from(local.to_owned()).ok()?;
        let namespace = if namespace == crate::scope::XML {
            Namespace::xml().clone()
        } else {
            Namespace::from(namespace)
        };
        map.insert(namespace, name, value);
    }
    Some(element)
}

fn namespace_of(scope: &Scope, prefix: &str) -> Option<String> {
    match (scope.find(prefix), prefix) {
        (Some(uri), _) => Some(uri.to_string()),
        (None, "") => Some(String::new()),
        (None, "xml") => Some(crate::scope::XML.to_owned()),
        (None, _) => None,
    }
}
