//! The strict tokenizer of complete elements: every rule of XML 1.0 that one element can break is checked here.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::chars::{is_char, is_space, split_name};
use crate::error::{ReadError, Which};

/// One attribute as written: its qualified name, the raw value between the quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attr<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) local: &'a str,
    pub(crate) value: &'a str,
}

pub(crate) type Attrs<'a> = SmallVec<[Attr<'a>; 8]>;

/// A piece of markup. It lives on the stack for as long as it is looked at.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "never stored")]
pub(crate) enum Token<'a> {
    Start {
        prefix: &'a str,
        local: &'a str,
        attrs: Attrs<'a>,
        empty: bool,
    },
    End(&'a str),
    /// With references as written.
    Text(&'a str),
    /// A CDATA section's content.
    Cdata(&'a str),
}

/// Reads tokens from text that is known to be complete and to hold only XML characters.
pub(crate) struct Tokens<'a> {
    text: &'a str,
    pub(crate) at: usize,
    max_attributes: usize,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(text: &'a str, max_attributes: usize) -> Self {
        Self {
            text,
            at: 0,
            max_attributes,
        }
    }

    fn octets(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The next token; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Token<'a>>, ReadError> {
        let octets = self.octets();
        if self.at >= octets.len() {
            return Ok(None);
        }
        if octets[self.at] != b'<' {
            let end = memchr::memchr(b'<', &octets[self.at..])
                .map_or(octets.len(), |skip| self.at + skip);
            let text = &self.text[self.at..end];
            self.at = end;
            check_text(text)?;
            return Ok(Some(Token::Text(text)));
        }
        match octets.get(self.at + 1) {
            Some(b'/') => self.end_tag().map(Some),
            Some(b'!') => self.cdata().map(Some),
            Some(b'?') => Err(ReadError::Restricted("a processing instruction")),
            _ => self.start_tag().map(Some),
        }
    }

    fn name(&mut self) -> &'a str {
        let octets = self.octets();
        let begin = self.at;
        while self.at < octets.len()
            && !is_space(octets[self.at])
            && !matches!(octets[self.at], b'>' | b'/' | b'=' | b'<' | b'"' | b'\'')
        {
            self.at += 1;
        }
        &self.text[begin..self.at]
    }

    fn skip_space(&mut self) -> bool {
        let begin = self.at;
        while self.octets().get(self.at).is_some_and(|b| is_space(*b)) {
            self.at += 1;
        }
        self.at > begin
    }

    fn end_tag(&mut self) -> Result<Token<'a>, ReadError> {
        self.at += 2;
        let name = self.name();
        self.skip_space();
        if self.octets().get(self.at) != Some(&b'>') {
            return Err(ReadError::NotWellFormed("an end tag"));
        }
        self.at += 1;
        Ok(Token::End(name))
    }

    fn cdata(&mut self) -> Result<Token<'a>, ReadError> {
        let body = self.text[self.at..]
            .strip_prefix("<![CDATA[")
            .ok_or(ReadError::Restricted("a comment or declaration"))?;
        let end = body
            .find("]]>")
            .ok_or(ReadError::NotWellFormed("a CDATA section"))?;
        self.at += "<![CDATA[".len() + end + "]]>".len();
        Ok(Token::Cdata(&body[..end]))
    }

    fn start_tag(&mut self) -> Result<Token<'a>, ReadError> {
        self.at += 1;
        let (prefix, local) = split_name(self.name())?;
        let mut attrs = Attrs::new();
        loop {
            let spaced = self.skip_space();
            match self.octets().get(self.at) {
                Some(b'>') => {
                    self.at += 1;
                    return Ok(Token::Start {
                        prefix,
                        local,
                        attrs,
                        empty: false,
                    });
                }
                Some(b'/') => {
                    if self.octets().get(self.at + 1) != Some(&b'>') {
                        return Err(ReadError::NotWellFormed("a start tag"));
                    }
                    self.at += 2;
                    return Ok(Token::Start {
                        prefix,
                        local,
                        attrs,
                        empty: true,
                    });
                }
                Some(_) if spaced => {
                    if attrs.len() >= self.max_attributes {
                        return Err(ReadError::Limit(Which::Attributes));
                    }
                    let attr = self.attribute()?;
                    if attrs
                        .iter()
                        .any(|a| a.local == attr.local && a.prefix == attr.prefix)
                    {
                        return Err(ReadError::NotWellFormed("an attribute given twice"));
                    }
                    attrs.push(attr);
                }
                _ => return Err(ReadError::NotWellFormed("a start tag")),
            }
        }
    }

    fn attribute(&mut self) -> Result<Attr<'a>, ReadError> {
        let (prefix, local) = split_name(self.name())?;
        self.skip_space();
        if self.octets().get(self.at) != Some(&b'=') {
            return Err(ReadError::NotWellFormed("an attribute"));
        }
        self.at += 1;
        self.skip_space();
        let quote = match self.octets().get(self.at) {
            Some(q @ (b'"' | b'\'')) => *q,
            _ => return Err(ReadError::NotWellFormed("an attribute without quotes")),
        };
        self.at += 1;
        let rest = &self.octets()[self.at..];
        let end = memchr::memchr(quote, rest).ok_or(ReadError::NotWellFormed("an attribute"))?;
        let value = &self.text[self.at..self.at + end];
        self.at += end + 1;
        if memchr::memchr(b'<', value.as_bytes()).is_some() {
            return Err(ReadError::NotWellFormed("< in an attribute"));
        }
        check_references(value)?;
        Ok(Attr {
            prefix,
            local,
            value,
        })
    }
}

fn check_text(text: &str) -> Result<(), ReadError> {
    if text.contains("]]>") {
        return Err(ReadError::NotWellFormed("]]> in text"));
    }
    check_references(text)
}

fn check_references(text: &str) -> Result<(), ReadError> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let (_, len) = reference(&rest[at..])?;
        rest = &rest[at + len..];
    }
    Ok(())
}

/// The character of a reference and its length (XML 1.0 §4.1, §4.6). Other entities than the five cannot be declared here.
fn reference(text: &str) -> Result<(char, usize), ReadError> {
    let end = memchr::memchr(
        b';',
        text.as_bytes()
            .get(..text.len().min(16))
            .unwrap_or_default(),
    );
    let end = end.ok_or(ReadError::NotWellFormed("a reference"))?;
    let name = &text[1..end];
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let Some(number) = name.strip_prefix('#') else {
                return match split_name(name) {
                    Ok(("", _)) => Err(ReadError::Restricted("an entity")),
                    _ => Err(ReadError::NotWellFormed("a reference")),
                };
            };
            let (digits, radix) = number
                .strip_prefix('x')
                .map_or((number, 10), |hex| (hex, 16));
            if digits.is_empty() || !digits.chars().all(|d| d.is_digit(radix)) {
                return Err(ReadError::NotWellFormed("a character reference"));
            }
            let code = u32::from_str_radix(digits, radix)
                .map_err(|_| ReadError::NotWellFormed("a character reference"))?;
            char::from_u32(code)
                .filter(|c| is_char(*c))
                .ok_or(ReadError::NotWellFormed(
                    "a reference to a character that is none",
                ))?
        }
    };
    Ok((c, end + 1))
}

/// Character data with references resolved and line ends as XML 1.0 §2.11 says.
pub(crate) fn decode_text(text: &str) -> Cow<'_, str> {
    decode(text, false)
}

/// An attribute value, normalised as XML 1.0 §3.3.3 says.
pub(crate) fn decode_attribute(text: &str) -> Cow<'_, str> {
    decode(text, true)
}

fn decode(text: &str, attribute: bool) -> Cow<'_, str> {
    let special = |b: &u8| *b == b'&' || *b == b'\r' || (attribute && matches!(b, b'\n' | b'\t'));
    if !text.as_bytes().iter().any(special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '&' => {
                if let Ok((resolved, len)) = reference(&text[at..]) {
                    out.push(resolved);
                    while chars.peek().is_some_and(|(next, _)| *next < at + len) {
                        chars.next();
                    }
                }
            }
            '\r' => {
                if chars.peek().is_some_and(|(_, next)| *next == '\n') {
                    chars.next();
                }
                out.push(if attribute { ' ' } else { '\n' });
            }
            '\n' | '\t' if attribute => out.push(' '),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}
