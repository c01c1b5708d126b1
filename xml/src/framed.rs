//! Elements that come each by itself, as a document of its own (RFC 7395 §3.3.3), not as part of a stream.

use std::ops::Range;
use std::sync::Arc;

use crate::chars::{self, is_space};
use crate::element::Element;
use crate::error::{ReadError, Which};
use crate::frame::{Found, Frame};
use crate::scope::Scope;
use crate::stream::{Limits, check_declaration};

/// The longest XML declaration.
const DECLARATION: usize = 1024;

impl Element {
    /// Reads a document of one element. One in the namespace `content` is given as a stream with that default namespace would give it: it
    /// does not declare it, and can be copied into such a stream. Every other inherits nothing.
    ///
    /// # Errors
    /// What is wrong with it; [`ReadError::Format`] for what does not begin with `<` (RFC 7395 §3.3.3).
    pub fn framed(
        mut octets: Vec<u8>,
        content: &Arc<str>,
        limits: Limits,
    ) -> Result<Self, ReadError> {
        if octets.len() > limits.max_bytes {
            return Err(ReadError::Limit(Which::Bytes));
        }
        if octets.first() != Some(&b'<') {
            chars::text(&octets)?;
            return Err(ReadError::Format);
        }
        let begin = declared(&octets)?;
        octets.drain(..begin);
        let spaces = octets.iter().rev().take_while(|b| is_space(**b)).count();
        octets.truncate(octets.len() - spaces);
        let Some(range) = declaration(&octets, content.as_bytes()) else {
            let nothing = Arc::from("");
            let checked = Self::check(octets.into(), &nothing, Scope::default(), limits)?;
            if checked.element.namespace() != &**content {
                return Ok(checked.element);
            }
            return checked.settle(content, &Scope::inherited(content));
        };
        octets.drain(range);
        let scope = Scope::inherited(content);
        let element = Self::check(octets.into(), content, scope, limits)?.element;
        if element.declares_default() {
            return Err(ReadError::NotWellFormed("an attribute given twice"));
        }
        Ok(element)
    }
}

/// Where the first element ends in what is well-formed, or the whole where it does not. For what the server itself has written.
pub fn first_element(octets: &[u8]) -> usize {
    match Frame::default().scan(octets, false, usize::MAX, None) {
        Ok(Found::Element(end) | Found::End(end) | Found::Header(end)) => end,
        Ok(Found::More) | Err(_) => octets.len(),
    }
}

/// The length of the XML declaration with the white space behind it, which a document may begin with.
fn declared(octets: &[u8]) -> Result<usize, ReadError> {
    const BEGIN: &[u8] = b"<?xml";
    let Some(rest) = octets.strip_prefix(BEGIN) else {
        return Ok(0);
    };
    if !rest.first().is_some_and(|b| is_space(*b)) {
        return Ok(0);
    }
    let end = rest
        .windows(2)
        .take(DECLARATION)
        .position(|two| two == b"?>")
        .ok_or(ReadError::NotWellFormed("the XML declaration"))?;
    check_declaration(chars::text(&rest[..end])?)?;
    let spaces = rest[end + 2..].iter().take_while(|b| is_space(**b)).count();
    Ok(BEGIN.len() + end + 2 + spaces)
}

/// Where the start tag declares `content` as the default namespace, plainly written, with the space before it. What is not as it is mostly
/// written is not found here, and nothing is lost by that but time.
fn declaration(octets: &[u8], content: &[u8]) -> Option<Range<usize>> {
    let is_end = |b: &u8| is_space(*b) || matches!(b, b'/' | b'>');
    let mut at = octets.iter().position(is_end)?;
    loop {
        let begin = at;
        at += octets[at..].iter().position(|b| !is_space(*b))?;
        if at == begin {
            return None;
        }
        let name = at..at + memchr::memchr(b'=', &octets[at..])?;
        let quote = *octets.get(name.end + 1)?;
        if !matches!(quote, b'\'' | b'"') {
            return None;
        }
        let value = name.end + 2;
        at = value + memchr::memchr(quote, &octets[value..])?;
        let is_it = &octets[name] == b"xmlns" && &octets[value..at] == content;
        at += 1;
        if is_it {
            return octets.get(at).is_some_and(is_end).then_some(begin..at);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::stream::{StreamReader, Token};
    use proptest::prelude::*;

    const LIMITS: Limits = Limits {
        max_bytes: 4096,
        max_depth: 16,
        max_elements: None,
        max_attributes: 16,
    };

    fn read(text: &str) -> Result<Element, ReadError> {
        let content = Arc::from("jabber:client");
        Element::framed(text.as_bytes().to_vec(), &content, LIMITS)
    }

    /// What a stream gives for the same stanza.
    fn streamed(text: &str) -> Element {
        let mut reader = StreamReader::new(LIMITS);
        reader.feed(b"<stream:stream xmlns='jabber:client' xmlns:stream='s'>");
        reader.feed(text.as_bytes());
        reader.next().unwrap();
        match reader.next().unwrap() {
            Some(Token::Element(element)) => element,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn stanzas_are_those_of_a_stream() {
        for (framed, raw) in [
            (
                "<message xmlns='jabber:client' to='a'><body>x</body></message>",
                "<message to='a'><body>x</body></message>",
            ),
            (
                "<message to=\"a>b\" xmlns=\"jabber:client\"/>",
                "<message to=\"a>b\"/>",
            ),
            ("<presence\n xmlns='jabber:client'/>", "<presence/>"),
            (
                "<?xml version='1.0' encoding='utf-8'?>\n<presence xmlns='jabber:client'/> \n",
                "<presence/>",
            ),
            ("<presence xmlns = 'jabber:client' />", "<presence/>"),
            ("<presence xmlns='jabber:&#99;lient'/>", "<presence/>"),
            (
                "<iq xmlns='jabber:client'><a xmlns='b'/></iq>",
                "<iq><a xmlns='b'/></iq>",
            ),
            (
                "<c:iq xmlns:c='jabber:client' id='1'><c:a/></c:iq>",
                "<iq id='1'><a/></iq>",
            ),
        ] {
            let element = read(framed).unwrap();
            assert_eq!(element.namespace(), "jabber:client", "{framed}");
            assert_eq!(element.inherited(), "jabber:client", "{framed}");
            let plain = raw.replace('"', "'");
            let said = String::from_utf8_lossy(element.raw()).replace('"', "'");
            assert_eq!(said.replace(" />", "/>"), plain, "{framed}");
            assert_eq!(streamed(raw).raw(), element.raw());
        }
    }

    #[test]
    fn others_inherit_nothing() {
        let open = read("<open xmlns='urn:f' to='x' xml:lang='de'/>").unwrap();
        assert!(open.is("open", "urn:f"));
        assert_eq!(open.lang().as_deref(), Some("de"));
        assert!(read("<open/>").unwrap().is("open", ""));
        let prefixed = read("<a:r xmlns:a='urn:x'><b/></a:r>").unwrap();
        assert!(prefixed.is("r", "urn:x"));
        assert_eq!(prefixed.children().next().unwrap().namespace(), "");
    }

    #[test]
    fn what_is_no_document_of_one_element_is_refused() {
        let wrong = |text: &str| read(text).unwrap_err();
        for text in ["", " ", " <a/>", "\n<a/>", "x", "\u{FEFF}<a/>"] {
            assert_eq!(wrong(text), ReadError::Format, "{text:?}");
        }
        for text in [
            "<a/><b/>",
            "<a xmlns='jabber:client'/><a xmlns='jabber:client'/>",
            "<a",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/>x",
            "<stream:stream xmlns='jabber:client' xmlns:stream='s'>",
            "<a xmlns='jabber:client' xmlns='jabber:client'/>",
            "<a xmlns='jabber:client'b='c'/>",
            "<?xml version='2.0'?><a/>",
            "<?xml version='1.0'?>",
        ] {
            assert!(
                matches!(wrong(text), ReadError::NotWellFormed(_)),
                "{text:?}"
            );
        }
        for text in [
            "<!-- x --><a/>",
            "<a><!-- x --></a>",
            "<!DOCTYPE a><a/>",
            "<?pi x?><a/>",
            "<a xmlns='jabber:client'><?pi x?></a>",
        ] {
            assert!(matches!(wrong(text), ReadError::Restricted(_)), "{text:?}");
        }
        assert_eq!(wrong("<a:b/>"), ReadError::Prefix);
        assert_eq!(
            wrong("<?xml version='1.0' encoding='latin1'?><a/>"),
            ReadError::Encoding
        );
        assert_eq!(wrong(&"<a>".repeat(17)), ReadError::Limit(Which::Depth));
        assert_eq!(
            wrong(&format!("<a>{}</a>", "x".repeat(4096))),
            ReadError::Limit(Which::Bytes)
        );
        let content = Arc::from("jabber:client");
        let octets = |octets: &[u8]| Element::framed(octets.to_vec(), &content, LIMITS);
        assert_eq!(octets(b"<a>\xFF</a>").unwrap_err(), ReadError::Encoding);
        assert_eq!(octets(b"\xFF\xFE<").unwrap_err(), ReadError::Encoding);
    }

    #[test]
    fn first_elements_of_our_own() {
        let said = b"<a x='>'><b/></a><c/></d>";
        assert_eq!(first_element(said), 17);
        assert_eq!(first_element(&said[17..]), 4);
        assert_eq!(first_element(&said[21..]), 4);
        assert_eq!(first_element(b"<a>"), 3);
        assert_eq!(first_element(b""), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Whatever a start tag looks like: it is taken as a stream takes it, or refused.
        #[test]
        fn as_in_a_stream(tag in r#"( |x|y|xmlns|=|'|"|'jabber:client'|"jabber:client"|'z'|/|>|<|&lt;){0,12}"#) {
            let text = format!("<m{tag}/>");
            let content: Arc<str> = Arc::from("jabber:client");
            let framed = Element::framed(text.clone().into_bytes(), &content, LIMITS);
            let mut reader = StreamReader::new(LIMITS);
            reader.feed(b"<stream:stream xmlns='jabber:client' xmlns:stream='s'>");
            reader.next().unwrap();
            reader.feed(text.as_bytes());
            let streamed = reader.next();
            match framed {
                Ok(element) if element.namespace() == "jabber:client" => match streamed {
                    Ok(Some(Token::Element(same))) => prop_assert_eq!(element.raw(), same.raw()),
                    other => prop_assert!(false, "{:?} {:?}", element, other),
                },
                Ok(_) => prop_assert!(matches!(streamed, Ok(Some(Token::Element(_)))), "{}", text),
                Err(_) => {}
            }
        }
    }
}
