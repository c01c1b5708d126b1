//! Streams whose elements come each by itself (RFC 7395 §3.3): in WebSocket messages, or in the bodies of BOSH.
//!
//! The machines print elements as they stand in a stream. Whoever puts one on a framed way adds what it inherits there: [`missing`].

use super::namespaces::FRAMING;
use super::print::Opening;
use xml::Writer;

const DEFAULT: &[u8] = b" xmlns='jabber:client'";
const STREAMS: &[u8] = b" xmlns:stream='http://etherx.jabber.org/streams'";

/// What an element that was printed for a stream needs to stand alone: a declaration, and at which octet it belongs. Nothing where it
/// declares that itself, so that it may be asked for twice.
pub fn missing(element: &[u8]) -> Option<(usize, &'static [u8])> {
    let is_end = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b'/' | b'>');
    let end = element.iter().position(is_end)?;
    let (attribute, declaration) = if element.starts_with(b"<stream:") {
        (&b"xmlns:stream"[..], STREAMS)
    } else {
        (&b"xmlns"[..], DEFAULT)
    };
    (!has(element, end, attribute)).then_some((end, declaration))
}

/// Whether the start tag, whose name ends at `at`, has this attribute.
fn has(element: &[u8], mut at: usize, attribute: &[u8]) -> bool {
    while let Some(skip) = element[at..]
        .iter()
        .position(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r'))
    {
        let begin = at + skip;
        let Some(equals) = element[begin..]
            .iter()
            .position(|b| matches!(b, b'=' | b'>'))
            .filter(|equals| element[begin + equals] == b'=')
        else {
            return false;
        };
        let name = element[begin..begin + equals].trim_ascii_end();
        if name == attribute {
            return true;
        }
        let value = element[begin + equals..].iter();
        let mut value = value
            .enumerate()
            .skip_while(|(_, b)| !matches!(b, b'\'' | b'"'));
        let Some((_, quote)) = value.next() else {
            return false;
        };
        let Some((end, _)) = value.find(|(_, b)| *b == quote) else {
            return false;
        };
        at = begin + equals + end + 1;
    }
    false
}

/// Writes the server's `<open/>` (§3.4).
pub(crate) fn open(out: &mut Vec<u8>, opening: &Opening<'_>) {
    let mut to = Writer::new(out);
    to.start("open");
    to.attribute("xmlns", FRAMING);
    opening.write(&mut to);
    to.end();
}

/// Writes `<close/>` (§3.6); with a URI, where the client may go on (§3.6.1).
pub fn close(out: &mut Vec<u8>, see_other_uri: Option<&str>) {
    let mut to = Writer::new(out);
    to.start("close");
    to.attribute("xmlns", FRAMING);
    if let Some(uri) = see_other_uri {
        to.attribute("see-other-uri", uri);
    }
    to.end();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::namespaces::{CLIENT, STREAM};

    fn completed(element: &str) -> String {
        let mut octets = element.as_bytes().to_vec();
        if let Some((at, declaration)) = missing(&octets) {
            octets.splice(at..at, declaration.iter().copied());
        }
        String::from_utf8_lossy(&octets).into_owned()
    }

    #[test]
    fn elements_stand_alone() {
        for (printed, framed) in [
            ("<presence/>", "<presence xmlns='jabber:client'/>"),
            (
                "<message to='a>b' id=\"x\"><body/></message>",
                "<message xmlns='jabber:client' to='a>b' id=\"x\"><body/></message>",
            ),
            (
                "<iq\nto='a' ><query xmlns='b'/></iq>",
                "<iq xmlns='jabber:client'\nto='a' ><query xmlns='b'/></iq>",
            ),
            (
                "<iq a=' xmlns='/>",
                "<iq xmlns='jabber:client' a=' xmlns='/>",
            ),
            (
                "<iq xmlns:a='b'/>",
                "<iq xmlns='jabber:client' xmlns:a='b'/>",
            ),
            (
                "<stream:features><a xmlns='b'/></stream:features>",
                "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><a xmlns='b'/></stream:features>",
            ),
        ] {
            assert_eq!(completed(printed), framed);
            assert_eq!(completed(framed), framed);
        }
        for whole in [
            "<r xmlns='urn:xmpp:sm:3'/>",
            "<a b='c' xmlns = \"d\"/>",
            "<a b=\"'\" xmlns='d'>x='y'</a>",
        ] {
            assert_eq!(completed(whole), whole);
        }
        assert_eq!(missing(b""), None);
    }

    #[test]
    fn constants() {
        assert_eq!(DEFAULT, format!(" xmlns='{CLIENT}'").as_bytes());
        assert_eq!(STREAMS, format!(" xmlns:stream='{STREAM}'").as_bytes());
    }

    #[test]
    fn closing() {
        let mut out = Vec::new();
        close(&mut out, None);
        close(&mut out, Some("wss://a.example/x?b&c"));
        assert_eq!(
            String::from_utf8_lossy(&out),
            "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>\
             <close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://a.example/x?b&amp;c'/>"
        );
    }
}
