//! From bytes to a tree, in one pass. What may be in a document but not in a tree is passed over.

use crate::characters::{BAD, Place, Result, decode, is_plain, is_space, prefix_length};
use crate::error::DocumentError;
use crate::namespace;
use crate::tree::{Attribute, Content, Entry, Span, Tree, Within};

/// Longer names and attribute values are in no presence document.
const LONGEST: usize = 8192;
/// More attributes or namespace declarations of one element neither: they are searched one by one.
const MOST: usize = 64;
/// More declarations in force at one place neither.
const IN_FORCE: usize = 256;

/// Reads one document. A byte order mark, the XML declaration, comments and processing instructions are passed over, a
/// document type declaration is refused. Of two attributes of one name the last counts.
pub(crate) fn parse(body: &[u8], size: usize, depth: usize) -> Result<Tree> {
    if body.len() > size {
        return Err(DocumentError::TooLarge);
    }
    let text = std::str::from_utf8(body).map_err(|_| BAD)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut arena = String::with_capacity(text.len() + 64);
    arena.push_str(text);
    let mut parser = Parser {
        source: text,
        at: 0,
        depth,
        tree: Tree {
            text: arena,
            entries: Vec::with_capacity(32),
            attributes: Vec::with_capacity(16),
            namespaces: Vec::with_capacity(8),
        },
        open: Vec::with_capacity(16),
        scope: Vec::with_capacity(8),
        after_text: false,
    };
    parser.document()?;
    Ok(parser.tree)
}

/// An element whose end has not come.
struct Open {
    /// Its place among the entries.
    entry: usize,
    /// Its name with prefix.
    name: Span,
    /// How many declarations were in force around it.
    scope: usize,
}

struct Parser<'a> {
    source: &'a str,
    at: usize,
    depth: usize,
    tree: Tree,
    open: Vec<Open>,
    /// Declarations in force: prefix and place among the namespaces.
    scope: Vec<(&'a str, u32)>,
    /// The last entry is text of the element that is open.
    after_text: bool,
}

impl<'a> Parser<'a> {
    fn document(&mut self) -> Result<()> {
        loop {
            let rest = self.rest();
            let Some(length) = rest.bytes().position(|b| b == b'<') else {
                // There is one root and no text beside it.
                let over = self.open.is_empty() && !self.tree.entries.is_empty();
                return if over && rest.trim().is_empty() {
                    Ok(())
                } else {
                    Err(BAD)
                };
            };
            if length > 0 {
                self.text(self.at, self.at + length, Place::Text)?;
                self.at += length;
            }
            self.markup()?;
        }
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn byte(&self) -> Option<u8> {
        self.source.as_bytes().get(self.at).copied()
    }

    fn str(&self, span: Span) -> &'a str {
        let range = span.start as usize..span.end as usize;
        self.source.get(range).unwrap_or_default()
    }

    /// What begins with `<`.
    fn markup(&mut self) -> Result<()> {
        let rest = self.rest();
        let until = |end: &str, from: usize| {
            let inside = rest.get(from..).ok_or(BAD)?;
            Ok(inside.find(end).ok_or(BAD)? + from + end.len())
        };
        match rest.as_bytes().get(1) {
            Some(b'/') => return self.end_tag(),
            Some(b'?') => self.at += until("?>", 2)?,
            Some(b'!') if rest.starts_with("<!--") => self.at += until("-->", 4)?,
            Some(b'!') if rest.starts_with("<![CDATA[") && !self.open.is_empty() => {
                let length = until("]]>", 9)?;
                self.text(self.at + 9, self.at + length - 3, Place::Cdata)?;
                self.at += length;
            }
            Some(b'!') => return Err(BAD),
            _ => return self.start_tag(),
        }
        Ok(())
    }

    /// Character data from the source.
    fn text(&mut self, start: usize, end: usize, place: Place) -> Result<()> {
        let text = self.source.get(start..end).unwrap_or_default();
        if self.open.is_empty() {
            return if text.trim().is_empty() {
                Ok(())
            } else {
                Err(BAD)
            };
        }
        let span = self.value(text, start, place)?;
        if span.start == span.end {
            return Ok(());
        }
        if self.after_text
            && let Some(Entry {
                content: Content::Text(before),
                ..
            }) = self.tree.entries.last_mut()
        {
            // A comment or the like stood between: one text all the same. What was joined before is at the end and grows there: nothing
            // is copied twice.
            let tree = &mut self.tree.text;
            let (begin, end) = (before.start as usize, before.end as usize);
            let (from, to) = (span.start as usize, span.end as usize);
            if begin >= self.source.len() && end == from {
                // It was decoded right behind.
                *before = Span::new(begin, to);
            } else if begin >= self.source.len() && end == tree.len() {
                tree.extend_from_within(from..to);
                *before = Span::new(begin, tree.len());
            } else {
                let joined = tree.len();
                tree.extend_from_within(begin..end);
                tree.extend_from_within(from..to);
                *before = Span::new(joined, tree.len());
            }
            return Ok(());
        }
        self.after_text = true;
        self.push(Content::Text(span));
        Ok(())
    }

    /// Where the meaning of text at `start` of the source is found.
    fn value(&mut self, text: &str, start: usize, place: Place) -> Result<Span> {
        if is_plain(text, place) {
            return Ok(Span::new(start, start + text.len()));
        }
        let begin = self.tree.text.len();
        decode(&mut self.tree.text, text, place)?;
        Ok(Span::new(begin, self.tree.text.len()))
    }

    fn push(&mut self, content: Content) {
        let after = self.tree.entries.len() as u32 + 1;
        self.tree.entries.push(Entry { content, after });
    }

    fn end_tag(&mut self) -> Result<()> {
        self.at += 2;
        let name = self.name();
        self.skip_space();
        let open = self.open.pop().ok_or(BAD)?;
        if self.byte() != Some(b'>') || self.str(open.name) != self.str(name) {
            return Err(BAD);
        }
        self.at += 1;
        self.close(&open);
        Ok(())
    }

    fn close(&mut self, open: &Open) {
        self.scope.truncate(open.scope);
        self.after_text = false;
        let after = self.tree.entries.len() as u32;
        if let Some(entry) = self.tree.entries.get_mut(open.entry) {
            entry.after = after;
        }
    }

    fn skip_space(&mut self) -> bool {
        let begin = self.at;
        while self.byte().is_some_and(is_space) {
            self.at += 1;
        }
        self.at > begin
    }

    fn name(&mut self) -> Span {
        let begin = self.at;
        let ends = |b: u8| is_space(b) || matches!(b, b'>' | b'/' | b'=' | b'<');
        let rest = self.source.as_bytes().get(begin..).unwrap_or_default();
        let length = rest.iter().position(|&b| ends(b));
        self.at += length.unwrap_or(rest.len());
        Span::new(begin, self.at)
    }

    fn start_tag(&mut self) -> Result<()> {
        if self.open.is_empty() && !self.tree.entries.is_empty() {
            return Err(BAD);
        }
        self.at += 1;
        let name = self.name();
        let open = Open {
            entry: self.tree.entries.len(),
            name,
            scope: self.scope.len(),
        };
        let first = self.tree.attributes.len();
        self.push(Content::Element {
            name,
            within: Within::Nothing,
            attributes: (first as u32, first as u32),
        });
        let empty = loop {
            let spaced = self.skip_space();
            match self.byte() {
                Some(b'>') => break false,
                Some(b'/') if self.rest().starts_with("/>") => break true,
                Some(_) if spaced => self.attribute()?,
                _ => return Err(BAD),
            }
        };
        self.at += 1 + usize::from(empty);
        self.resolve(&open, first)?;
        self.after_text = false;
        if empty {
            self.close(&open);
            return Ok(());
        }
        self.open.push(open);
        if self.open.len() > self.depth {
            return Err(DocumentError::TooDeep);
        }
        Ok(())
    }

    /// An attribute or a declaration. The prefix stays in the name until all declarations of the tag are known.
    fn attribute(&mut self) -> Result<()> {
        let name = self.name();
        self.skip_space();
        if self.byte() != Some(b'=') {
            return Err(BAD);
        }
        self.at += 1;
        self.skip_space();
        let quote = self
            .byte()
            .filter(|b| matches!(b, b'"' | b'\''))
            .ok_or(BAD)?;
        self.at += 1;
        let start = self.at;
        let length = self.rest().bytes().position(|b| b == quote).ok_or(BAD)?;
        if length > LONGEST {
            return Err(BAD);
        }
        self.at += length + 1;
        let text = self.source.get(start..start + length).unwrap_or_default();
        let value = self.value(text, start, Place::Attribute)?;
        let written = self.str(name);
        let prefix = prefix_length(written)?;
        let declared = match written.strip_prefix("xmlns") {
            Some("") => Some(""),
            Some(rest) if prefix == 5 => rest.get(1..),
            _ => None,
        };
        if let Some(prefix) = declared {
            self.declarable(prefix, value)?;
            let kind = namespace::kind(self.tree.str(value));
            self.scope.push((prefix, self.tree.namespaces.len() as u32));
            self.tree.namespaces.push((value, kind));
        } else {
            self.tree.attributes.push(Attribute {
                within: Within::Nothing,
                name,
                value,
            });
        }
        Ok(())
    }

    /// Namespaces in XML 1.0 §3: what may not be declared, and no more declarations in force than can be searched one by one.
    fn declarable(&self, prefix: &str, value: Span) -> Result<()> {
        let namespace = self.tree.str(value);
        let reserved = matches!(namespace, namespace::XML | namespace::XMLNS);
        let fits = match prefix {
            "xml" => namespace == namespace::XML,
            "xmlns" => false,
            "" => !reserved,
            _ => !reserved && !namespace.is_empty(),
        };
        if self.scope.len() >= IN_FORCE {
            return Err(DocumentError::TooLarge);
        }
        if fits { Ok(()) } else { Err(BAD) }
    }

    fn lookup(&self, prefix: &str) -> Result<Within> {
        let found = self.scope.iter().rev().find(|(p, _)| *p == prefix);
        found.map(|(_, at)| Within::Declared(*at)).ok_or(BAD)
    }

    /// Prefix and name apart. A name that is a declared prefix of nothing is a fault, also the empty one.
    fn split(&self, name: Span) -> Result<(&'a str, Span)> {
        let written = self.str(name);
        if written.len() > LONGEST {
            return Err(BAD);
        }
        match prefix_length(written)? {
            0 => Ok(("", name)),
            length => {
                let local = Span::new(name.start as usize + length + 1, name.end as usize);
                Ok((written.get(..length).unwrap_or_default(), local))
            }
        }
    }

    /// Puts the element and its attributes into their namespaces.
    fn resolve(&mut self, open: &Open, first: usize) -> Result<()> {
        let declared = self.scope.len() - open.scope;
        if self.tree.attributes.len() - first > MOST || declared > 2 * MOST {
            return Err(DocumentError::TooLarge);
        }
        let (prefix, local) = self.split(open.name)?;
        let namespace = self.lookup(prefix)?;
        let mut at = first;
        while let Some(attribute) = self.tree.attributes.get(at) {
            let (prefix, local) = self.split(attribute.name)?;
            let within = match prefix {
                "" => Within::Nothing,
                "xml" => Within::Xml,
                prefix => self.lookup(prefix)?,
            };
            if let Some(attribute) = self.tree.attributes.get_mut(at) {
                (attribute.within, attribute.name) = (within, local);
            }
            match self.same(first, at) {
                Some(before) => {
                    let last = self.tree.attributes.remove(at);
                    if let Some(attribute) = self.tree.attributes.get_mut(before) {
                        *attribute = last;
                    }
                }
                None => at += 1,
            }
        }
        if let Some(entry) = self.tree.entries.get_mut(open.entry) {
            entry.content = Content::Element {
                name: local,
                within: namespace,
                attributes: (first as u32, self.tree.attributes.len() as u32),
            };
        }
        Ok(())
    }

    /// An attribute from `first` on, before `at`, of the same name.
    fn same(&self, first: usize, at: usize) -> Option<usize> {
        let tree = &self.tree;
        let last = tree.attributes.get(at)?;
        let name = |a: &Attribute| (self.str(a.name), tree.namespace(a.within));
        let before = tree.attributes.get(first..at)?;
        let found = before.iter().position(|a| name(a) == name(last))?;
        Some(first + found)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
