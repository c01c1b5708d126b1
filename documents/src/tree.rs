//! A document as a tree that lies flat: three lists and one text, whatever its shape.

use std::borrow::Cow;

use crate::namespace::{self, Kind};

/// A range of the text of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }
}

/// In which namespace a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    Nothing,
    Xml,
    Declared(u32),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Element {
        name: Span,
        within: Within,
        /// Where its attributes begin and end in the list of all.
        attributes: (u32, u32),
    },
    Text(Span),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) content: Content,
    /// The first entry behind it and all that is in it.
    pub(crate) after: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attribute {
    pub(crate) within: Within,
    pub(crate) name: Span,
    pub(crate) value: Span,
}

/// The tree: entries in the order of the document, each with the place where it ends. The first is the root.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    /// The document as it came, and behind it what stands in it with references.
    pub(crate) text: String,
    pub(crate) entries: Vec<Entry>,
    pub(crate) attributes: Vec<Attribute>,
    /// Namespaces as declared, and what they are to us.
    pub(crate) namespaces: Vec<(Span, Kind)>,
}

impl Tree {
    pub(crate) fn root(&self) -> Element<'_> {
        Element { tree: self, at: 0 }
    }

    pub(crate) fn str(&self, span: Span) -> &str {
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    pub(crate) fn namespace(&self, within: Within) -> &str {
        match within {
            Within::Nothing => "",
            Within::Xml => namespace::XML,
            Within::Declared(at) => self
                .namespaces
                .get(at as usize)
                .map_or("", |(uri, _)| self.str(*uri)),
        }
    }
}

/// An element of a tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    tree: &'a Tree,
    at: u32,
}

/// What stands in an element.
pub(crate) enum Node<'a> {
    Element(Element<'a>),
    Text(&'a str),
}

impl<'a> Element<'a> {
    fn entry(self) -> Option<&'a Entry> {
        self.tree.entries.get(self.at as usize)
    }

    fn parts(self) -> (Span, Within, (u32, u32)) {
        match self.entry().map(|entry| &entry.content) {
            Some(Content::Element {
                name,
                within,
                attributes,
            }) => (*name, *within, *attributes),
            _ => (Span::new(0, 0), Within::Nothing, (0, 0)),
        }
    }

    /// The name without prefix.
    pub(crate) fn name(self) -> &'a str {
        self.tree.str(self.parts().0)
    }

    /// The namespace; empty for none.
    pub(crate) fn ns(self) -> &'a str {
        self.tree.namespace(self.parts().1)
    }

    pub(crate) fn kind(self) -> Kind {
        match self.parts().1 {
            Within::Declared(at) => self
                .tree
                .namespaces
                .get(at as usize)
                .map_or(Kind::Foreign, |(_, kind)| *kind),
            Within::Nothing | Within::Xml => Kind::Foreign,
        }
    }

    /// Namespace, name and value of each attribute; declarations are none.
    pub(crate) fn attributes(self) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
        let (tree, (start, end)) = (self.tree, self.parts().2);
        let list = tree.attributes.get(start as usize..end as usize);
        list.unwrap_or_default().iter().map(move |a| {
            let namespace = tree.namespace(a.within);
            (namespace, tree.str(a.name), tree.str(a.value))
        })
    }

    /// An attribute without namespace.
    pub(crate) fn attr(self, name: &str) -> Option<&'a str> {
        self.attr_ns("", name)
    }

    pub(crate) fn attr_ns(self, namespace: &str, name: &str) -> Option<&'a str> {
        self.attributes()
            .find(|(ns, n, _)| *n == name && *ns == namespace)
            .map(|(_, _, value)| value)
    }

    pub(crate) fn nodes(self) -> Nodes<'a> {
        Nodes {
            tree: self.tree,
            at: self.at + 1,
            end: self.entry().map_or(0, |entry| entry.after),
        }
    }

    pub(crate) fn children(self) -> impl Iterator<Item = Element<'a>> {
        self.nodes().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    pub(crate) fn get_child(self, name: &str, namespace: &str) -> Option<Element<'a>> {
        self.children()
            .find(|c| c.name() == name && c.ns() == namespace)
    }

    /// The character data directly in it.
    pub(crate) fn text(self) -> Cow<'a, str> {
        let mut texts = self.nodes().filter_map(|node| match node {
            Node::Text(text) => Some(text),
            Node::Element(_) => None,
        });
        let first = texts.next().unwrap_or_default();
        texts.fold(Cow::Borrowed(first), |all, next| all + next)
    }
}

pub(crate) struct Nodes<'a> {
    tree: &'a Tree,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Nodes<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        if self.at >= self.end {
            return None;
        }
        let at = self.at;
        let entry = self.tree.entries.get(at as usize)?;
        self.at = entry.after.max(at + 1);
        Some(match &entry.content {
            Content::Element { .. } => Node::Element(Element {
                tree: self.tree,
                at,
            }),
            Content::Text(span) => Node::Text(self.tree.str(*span)),
        })
    }
}
