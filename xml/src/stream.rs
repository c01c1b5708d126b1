//! A stream in pieces of any size to its header and first-level elements.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};

use crate::chars;
use crate::element::{Element, check_attributes, declare};
use crate::error::{ReadError, Which};
use crate::frame::{Found, Frame};
use crate::scope::Scope;
use crate::token::{Token as Markup, Tokens, decode_attribute};

/// What a peer may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one first-level element, or of the header.
    pub max_bytes: usize,
    /// Nesting of elements, the first-level one counted.
    pub max_depth: usize,
    /// Elements in one first-level element; `None` for any number.
    pub max_elements: Option<usize>,
    /// Attributes of one element.
    pub max_attributes: usize,
}

impl Limits {
    /// For what we stored ourselves after it passed stricter ones.
    pub const fn generous() -> Self {
        Self {
            max_bytes: usize::MAX,
            max_depth: 256,
            max_elements: None,
            max_attributes: 1024,
        }
    }
}

/// What a stream consists of. White space between elements (keep-alive) is swallowed.
#[derive(Debug)]
pub enum Token {
    /// The header.
    Open(StreamOpen),
    /// A first-level element.
    Element(Element),
    /// The closing tag.
    Close,
}

/// A stream header (RFC 6120 §4.7).
#[derive(Debug, Clone)]
pub struct StreamOpen {
    prefix: Option<String>,
    name: String,
    namespace: String,
    default: Option<String>,
    attributes: Vec<(String, String)>,
    lang: Option<String>,
}

impl StreamOpen {
    /// The name without its prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The prefix of the root element; `None` for none.
    pub fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    /// The namespace of the root element.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The default namespace it declares: that of the content.
    pub fn default_namespace(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// An attribute without prefix.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| &**v)
    }

    /// `xml:lang`.
    pub fn lang(&self) -> Option<&str> {
        self.lang.as_deref()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing but an XML declaration has been seen.
    Start,
    /// The header was read.
    Open,
    /// The header was an empty element: the close is still to be told.
    Empty,
    /// It is over, by its end or by an error.
    Over,
}

/// Reads one stream. Holds only what has arrived and is not complete.
pub struct StreamReader {
    limits: Limits,
    buffer: BytesMut,
    frame: Frame,
    stage: Stage,
    declared: bool,
    root: Arc<str>,
    default: Arc<str>,
    scope: Scope,
    spaces: bool,
}

impl StreamReader {
    /// A reader that waits for a stream header.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            buffer: BytesMut::new(),
            frame: Frame::default(),
            stage: Stage::Start,
            declared: false,
            root: Arc::from(""),
            default: Arc::from(""),
            scope: Scope::default(),
            spaces: false,
        }
    }

    /// Other limits from the next element on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// A new stream header is expected (RFC 6120 §4.3.3). What is buffered stays.
    pub fn reset(&mut self) {
        self.stage = Stage::Start;
        self.declared = false;
        self.frame.restart();
        self.default = Arc::from("");
        self.scope = Scope::default();
    }

    /// Throws away what has arrived and was not read (RFC 6120 §5.4.3.3); how much it was.
    pub fn clear_buffered(&mut self) -> usize {
        let len = self.buffer.len();
        self.buffer = BytesMut::new();
        self.frame.restart();
        len
    }

    /// Takes what has arrived.
    pub fn feed(&mut self, octets: &[u8]) {
        if self.stage != Stage::Over {
            self.buffer.extend_from_slice(octets);
        }
    }

    /// Octets that have arrived and were not read.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// White space has come between elements since this was last asked: the peer lives.
    pub fn saw_whitespace(&mut self) -> bool {
        std::mem::take(&mut self.spaces)
    }

    /// The next token; `None` when more has to arrive. After an error nothing more is read.
    #[expect(
        clippy::should_implement_trait,
        reason = "it is no iterator: more may come after None"
    )]
    pub fn next(&mut self) -> Result<Option<Token>, ReadError> {
        let token = self.read();
        match &token {
            Err(_) | Ok(Some(Token::Close)) => {
                self.stage = Stage::Over;
                self.buffer = BytesMut::new();
            }
            Ok(None) if self.buffer.is_empty() => self.buffer = BytesMut::new(),
            Ok(_) => {}
        }
        token
    }

    fn read(&mut self) -> Result<Option<Token>, ReadError> {
        if self.stage == Stage::Over {
            return Ok(None);
        }
        if self.stage == Stage::Empty {
            return Ok(Some(Token::Close));
        }
        if self.frame.between() && self.frame.seen == 0 {
            self.skip_space();
        }
        if self.buffer.is_empty() {
            return Ok(None);
        }
        if self.stage == Stage::Start && !self.declared && !self.declaration()? {
            return self.within();
        }
        if self.frame.between() {
            if self.frame.seen == 0 {
                self.skip_space();
            }
            if self.buffer.first().is_some_and(|b| *b != b'<') {
                return Err(self.no_place());
            }
        }
        let header = self.stage == Stage::Start;
        let found = self.frame.scan(
            &self.buffer,
            header,
            self.limits.max_depth,
            self.limits.max_elements,
        )?;
        match found {
            Found::More => self.within(),
            Found::Header(end) => {
                let raw = self.cut(end)?;
                self.open(&raw).map(|open| Some(Token::Open(open)))
            }
            Found::Element(end) => {
                let raw = self.cut(end)?;
                self.element(raw)
                    .map(|element| Some(Token::Element(element)))
            }
            Found::End(end) => {
                let raw = self.cut(end)?;
                if self.stage == Stage::Start || !self.closes(&raw)? {
                    return Err(ReadError::NotWellFormed("an end tag of another element"));
                }
                Ok(Some(Token::Close))
            }
        }
    }

    /// More is needed, within the limit.
    fn within(&self) -> Result<Option<Token>, ReadError> {
        if self.buffer.len() > self.limits.max_bytes {
            Err(ReadError::Limit(Which::Bytes))
        } else {
            Ok(None)
        }
    }

    fn skip_space(&mut self) {
        let spaces = self
            .buffer
            .iter()
            .take_while(|b| chars::is_space(**b))
            .count();
        if spaces > 0 {
            self.buffer.advance(spaces);
            self.spaces = true;
        }
    }

    /// Text where there is none: bytes that are no UTF-8 are told as such (RFC 6120 §11.6).
    fn no_place(&self) -> ReadError {
        match chars::text(&self.buffer) {
            Err(error) => error,
            Ok(_) if self.stage == Stage::Start => {
                ReadError::NotWellFormed("text before the stream")
            }
            Ok(_) => ReadError::Format,
        }
    }

    /// Reads the XML declaration, if there is one. False when more is needed to know.
    fn declaration(&mut self) -> Result<bool, ReadError> {
        const BEGIN: &[u8] = b"<?xml";
        if self.buffer.starts_with(b"\xFE\xFF") || self.buffer.starts_with(b"\xFF\xFE") {
            return Err(ReadError::Encoding);
        }
        let shared = self
            .buffer
            .iter()
            .zip(BEGIN)
            .take_while(|(a, b)| a == b)
            .count();
        if shared == self.buffer.len().min(BEGIN.len()) && self.buffer.len() <= BEGIN.len() {
            return Ok(false);
        }
        if shared < BEGIN.len() || !chars::is_space(self.buffer[BEGIN.len()]) {
            self.declared = true;
            return Ok(true);
        }
        let Some(end) = self
            .buffer
            .windows(2)
            .take(1024)
            .position(|two| two == b"?>")
        else {
            return if self.buffer.len() > 1024 {
                Err(ReadError::NotWellFormed("the XML declaration"))
            } else {
                Ok(false)
            };
        };
        let octets = self.buffer.split_to(end + 2);
        check_declaration(chars::text(&octets[BEGIN.len()..end])?)?;
        self.declared = true;
        self.skip_space();
        if self.buffer.is_empty() {
            return Ok(false);
        }
        Ok(true)
    }

    fn cut(&mut self, end: usize) -> Result<Bytes, ReadError> {
        self.frame.restart();
        if end > self.limits.max_bytes {
            return Err(ReadError::Limit(Which::Bytes));
        }
        if end == self.buffer.len() && self.buffer.capacity() <= end * 2 {
            return Ok(std::mem::take(&mut self.buffer).freeze());
        }
        // Copied, so that a small stanza that is kept does not keep all that arrived with it.
        let raw = Bytes::copy_from_slice(&self.buffer[..end]);
        self.buffer.advance(end);
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        Ok(raw)
    }

    fn open(&mut self, raw: &Bytes) -> Result<StreamOpen, ReadError> {
        let text = chars::text(raw)?;
        let mut tokens = Tokens::new(text, self.limits.max_attributes);
        let Some(Markup::Start {
            prefix,
            local,
            attrs,
            empty,
        }) = tokens.next()?
        else {
            return Err(ReadError::NotWellFormed("no stream header"));
        };
        let mut scope = Scope::default();
        declare(&mut scope, &attrs)?;
        let namespace = match scope.find(prefix) {
            Some(uri) => uri.to_string(),
            None if prefix.is_empty() => String::new(),
            None => return Err(ReadError::Prefix),
        };
        check_attributes(&scope, &attrs, 0, &mut smallvec::SmallVec::new())?;
        let plain = attrs
            .iter()
            .filter(|a| a.prefix.is_empty() && a.local != "xmlns");
        let open = StreamOpen {
            prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
            name: local.to_owned(),
            namespace,
            default: scope.find("").map(ToString::to_string),
            attributes: plain
                .map(|a| (a.local.to_owned(), decode_attribute(a.value).into_owned()))
                .collect(),
            lang: attrs
                .iter()
                .find(|a| a.prefix == "xml" && a.local == "lang")
                .map(|a| decode_attribute(a.value).into_owned()),
        };
        self.root = Arc::from(
            &text[1..=(if prefix.is_empty() {
                local.len()
            } else {
                prefix.len() + 1 + local.len()
            })],
        );
        self.default = open
            .default
            .as_deref()
            .map_or_else(|| Arc::from(""), Arc::from);
        self.scope = scope;
        self.stage = Stage::Open;
        if empty {
            // A stream that is over before it began.
            self.stage = Stage::Empty;
        }
        Ok(open)
    }

    fn element(&self, raw: Bytes) -> Result<Element, ReadError> {
        let checked = Element::check(raw, &self.default, self.scope.clone(), self.limits)?;
        checked.settle(&self.default, &self.scope)
    }

    fn closes(&self, raw: &Bytes) -> Result<bool, ReadError> {
        let text = chars::text(raw)?;
        let name: Cow<'_, str> = text
            .trim_start_matches("</")
            .trim_end_matches('>')
            .trim_end()
            .into();
        Ok(*name == *self.root)
    }
}

/// `version`, `encoding`, `standalone` (XML 1.0 §2.8).
pub(crate) fn check_declaration(text: &str) -> Result<(), ReadError> {
    let fake = format!("<x{text}/>");
    let mut tokens = Tokens::new(&fake, 3);
    let wrong = ReadError::NotWellFormed("the XML declaration");
    let Some(Markup::Start { attrs, .. }) = tokens.next().map_err(|_| wrong)? else {
        return Err(wrong);
    };
    let order = ["version", "encoding", "standalone"];
    let mut last = None;
    for attr in &attrs {
        let at = order
            .iter()
            .position(|name| *name == attr.local && attr.prefix.is_empty())
            .ok_or(wrong)?;
        if last.is_some_and(|last| at <= last) {
            return Err(wrong);
        }
        last = Some(at);
        match (at, attr.value) {
            (0, "1.0") => {}
            (1, encoding) if encoding.eq_ignore_ascii_case("utf-8") => {}
            (1, _) => return Err(ReadError::Encoding),
            (2, "yes" | "no") => {}
            _ => return Err(wrong),
        }
    }
    if tokens.next().map_err(|_| wrong)?.is_some() {
        return Err(wrong);
    }
    if attrs.first().is_some_and(|a| a.local == "version") {
        Ok(())
    } else {
        Err(wrong)
    }
}
