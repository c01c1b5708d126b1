//! The request that comes most often, read without reading XML: one that carries nothing and says nothing but where it belongs.

use crate::NAMESPACE;
use crate::body::{Body, HIGHEST};

/// The most digits of an id.
const DIGITS: usize = 16;

/// Reads a body that is such a request and written plainly, as all libraries do. `None` for any other, good or bad.
pub(crate) fn read(octets: &[u8]) -> Option<Body> {
    let mut rest = octets.strip_prefix(b"<body ")?.strip_suffix(b"/>")?;
    let mut body = Body::default();
    let mut is_ours = false;
    loop {
        while let [b' ' | b'\t' | b'\r' | b'\n', behind @ ..] = rest {
            rest = behind;
        }
        if rest.is_empty() {
            break;
        }
        let (name, value);
        (name, value, rest) = attribute(rest)?;
        if !matches!(rest, [] | [b' ', ..]) {
            return None;
        }
        match name {
            b"rid" if body.rid == 0 => body.rid = number(value)?,
            b"sid" if body.sid.is_none() => body.sid = Some(text(value)?.to_owned()),
            b"ack" if body.ack.is_none() => body.ack = Some(number(value)?),
            b"xmlns" if !is_ours && value == NAMESPACE.as_bytes() => is_ours = true,
            _ => return None,
        }
    }
    (is_ours && body.rid > 0 && body.sid.is_some()).then_some(body)
}

/// An attribute at the beginning: its name and its value as written, neither looked at, and what follows it.
pub(crate) fn attribute(octets: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = split_at(octets, b'=')?;
    let (quote, rest) = rest.split_first()?;
    if !matches!(quote, b'\'' | b'"') {
        return None;
    }
    let (value, rest) = split_at(rest, *quote)?;
    Some((name, value, rest))
}

fn split_at(octets: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(at, octets)?;
    Some((octets.get(..at)?, octets.get(at + 1..)?))
}

/// From 1 to the highest id, in digits alone.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.len() > DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (1..=HIGHEST).contains(&number).then_some(number)
}

/// Letters, digits, and what stands in ids beside them: nothing that XML would read otherwise.
pub(crate) fn text(octets: &[u8]) -> Option<&str> {
    let plain = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.:/+=@".contains(octet);
    if !octets.iter().all(plain) {
        return None;
    }
    std::str::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::tests::LIMITS;
    use xml::Wrapper;

    #[test]
    fn what_libraries_write_is_read_so() {
        for request in [
            "<body rid='7' xmlns='http://jabber.org/protocol/httpbind' sid='0af-9'/>",
            "<body rid=\"7\" sid=\"0af-9\"  ack=\"6\" xmlns=\"http://jabber.org/protocol/httpbind\" />",
        ] {
            let body = read(request.as_bytes()).unwrap();
            assert_eq!((body.rid, body.sid.as_deref()), (7, Some("0af-9")));
            assert!(body.is_empty() && body.ack.is_none_or(|ack| ack == 6));
        }
    }

    fn piece() -> impl Strategy<Value = &'static str> {
        let good = vec!["rid='7'", "rid=\"8\"", "sid='s'", "sid=\"a-1\"", "ack='3'"];
        let other = vec![
            "<body",
            "<body ",
            "/>",
            ">",
            "</body>",
            "  ",
            "\t",
            "\u{c}",
            "=",
            "'",
            "\"",
            "rid='0'",
            "rid='9007199254740992'",
            "rid='+7'",
            "sid=''",
            "sid='a&amp;b'",
            "sid='a<b'",
            "sid='\u{e9}'",
            "ack='0'",
            "ack=''",
            "key='k'",
            "type='terminate'",
            "xmlns='http://jabber.org/protocol/httpbind'",
            "xmlns='jabber:client'",
            "xmlns:x='y'",
            "x:rid='7'",
        ];
        prop_oneof![3 => prop::sample::select(good), 1 => prop::sample::select(other)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        /// What is read here is read the same as XML.
        #[test]
        fn no_other_request_is_taken(pieces in prop::collection::vec(piece(), 1..9), whole in any::<bool>()) {
            let mut request = pieces.join(" ");
            if whole {
                request = format!("<body {request} xmlns='{NAMESPACE}'/>");
            }
            if let Some(quick) = read(request.as_bytes()) {
                let octets = Bytes::from(request.clone());
                let wrapper = Wrapper::parse(&octets, LIMITS.xml, LIMITS.elements).unwrap();
                prop_assert!(wrapper.is("body", NAMESPACE) && wrapper.children().is_empty(), "{}", request);
                let slow = Body::of(&wrapper).unwrap();
                prop_assert_eq!(format!("{quick:?}"), format!("{slow:?}"));
            }
        }
    }
}
