//! What goes out: an HTTP status and a `<body/>` (XEP-0124 §6, §17).

use std::io::Write as _;
use std::ops::Range;
use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::Finder;
use xml::escape;

use crate::condition::Condition;

/// The driver's name for an HTTP request that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Which request is answered.
    pub ticket: Ticket,
    /// The HTTP status: 200, but for errors of clients that gave no `ver`.
    pub status: u16,
    /// The content.
    pub body: Bytes,
}

const EMPTY: &[u8] = b"<body xmlns='http://jabber.org/protocol/httpbind'/>";
const RECOVERABLE: &[u8] = b"<body xmlns='http://jabber.org/protocol/httpbind' type='error'/>";
const START: &[u8] = b"<body xmlns='http://jabber.org/protocol/httpbind'";
const STREAM: &[u8] = b" xmlns:stream='http://etherx.jabber.org/streams'";
const XMPP: &[u8] = b" xmlns:xmpp='urn:xmpp:xbosh'";
const END: &[u8] = b"</body>";

/// Finds elements of the stream itself.
static OF_STREAM: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("<stream:"));

/// The answer to a request that no session takes: its status and content. `legacy`: the client gave no `ver` when it asked for a
/// session.
pub fn refusal(condition: Condition, legacy: bool) -> (u16, Bytes) {
    let status = if legacy {
        condition.legacy_status()
    } else {
        200
    };
    let content = Content {
        ending: Some(Some(condition)),
        ..Content::default()
    };
    (status, content.print().0)
}

/// A recoverable condition (§17.3): what was asked is to be asked again. With acknowledgements it says what has come (§9.1).
pub(crate) fn recoverable(ack: Option<u64>) -> Bytes {
    if ack.is_none() {
        return Bytes::from_static(RECOVERABLE);
    }
    let mut out = RECOVERABLE.to_vec();
    out.truncate(out.len() - 2);
    print_number(&mut out, "ack", ack);
    out.extend_from_slice(b"/>");
    out.into()
}

/// What a body says.
#[derive(Debug, Default)]
pub(crate) struct Content<'a> {
    /// Attributes, printed by [`print_attribute`].
    pub(crate) attributes: &'a [u8],
    pub(crate) ack: Option<u64>,
    /// An id whose answer should have come, and how many milliseconds ago it was given.
    pub(crate) report: Option<(u64, u64)>,
    /// The session ends, because of something or in peace.
    pub(crate) ending: Option<Option<Condition>>,
    /// Whole elements that stand by themselves.
    pub(crate) elements: &'a [u8],
}

impl Content<'_> {
    /// The body, and where the elements stand in it.
    pub(crate) fn print(&self) -> (Bytes, Range<usize>) {
        let bare = self.attributes.is_empty()
            && self.ack.is_none()
            && self.report.is_none()
            && self.ending.is_none();
        if bare && self.elements.is_empty() {
            return (Bytes::from_static(EMPTY), 0..0);
        }
        // XEP-0206 §2 demands it where features or an error of the stream are inside, though these declare it themselves.
        let of_stream = OF_STREAM.find(self.elements).is_some();
        // Answers are kept for a while, so there is no more room than they need, but for numbers.
        let mut room = START.len() + self.attributes.len() + self.elements.len() + END.len();
        room += if of_stream { STREAM.len() } else { 0 };
        room += if bare { 0 } else { XMPP.len() + 96 };
        let mut out = Vec::with_capacity(room);
        out.extend_from_slice(START);
        if of_stream {
            out.extend_from_slice(STREAM);
        }
        if !self.attributes.is_empty() && memchr::memmem::find(self.attributes, b" xmpp:").is_some()
        {
            out.extend_from_slice(XMPP);
        }
        if let Some(condition) = self.ending {
            out.extend_from_slice(b" type='terminate'");
            if let Some(condition) = condition {
                print_attribute(&mut out, "condition", condition.as_str());
            }
        }
        out.extend_from_slice(self.attributes);
        print_number(&mut out, "ack", self.ack);
        print_number(&mut out, "report", self.report.map(|(rid, _)| rid));
        // The schema has 16 bits for it.
        let time = self.report.map(|(_, time)| time.min(u64::from(u16::MAX)));
        print_number(&mut out, "time", time);
        if self.elements.is_empty() {
            out.extend_from_slice(b"/>");
            return (out.into(), 0..0);
        }
        out.push(b'>');
        let begin = out.len();
        out.extend_from_slice(self.elements);
        let end = out.len();
        out.extend_from_slice(END);
        (out.into(), begin..end)
    }
}

/// Prints an attribute, with the space before it.
pub(crate) fn print_attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"='");
    escape(out, value);
    out.push(b'\'');
}

/// Prints an attribute that is a number, if there is one.
pub(crate) fn print_number(out: &mut Vec<u8>, name: &str, value: Option<u64>) {
    if let Some(value) = value {
        // Writing to a vector does not fail.
        let _ = write!(out, " {name}='{value}'");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(content: &Content<'_>) -> String {
        let (octets, elements) = content.print();
        assert_eq!(&octets[elements], content.elements);
        String::from_utf8_lossy(&octets).into_owned()
    }

    #[test]
    fn bodies_say_what_they_must() {
        assert_eq!(
            printed(&Content::default()),
            "<body xmlns='http://jabber.org/protocol/httpbind'/>"
        );
        let mut attributes = Vec::new();
        print_attribute(&mut attributes, "from", "o'ffice");
        print_attribute(&mut attributes, "xmpp:version", "1.0");
        let full = Content {
            attributes: &attributes,
            ack: Some(7),
            report: Some((5, 70_000)),
            ending: Some(Some(Condition::RemoteStreamError)),
            elements: b"<stream:error xmlns:stream='http://etherx.jabber.org/streams'/>",
        };
        assert_eq!(
            printed(&full),
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams' \
             xmlns:xmpp='urn:xmpp:xbosh' type='terminate' condition='remote-stream-error' from='o&apos;ffice' xmpp:version='1.0' ack='7' \
             report='5' time='65535'><stream:error xmlns:stream='http://etherx.jabber.org/streams'/></body>"
        );
    }

    #[test]
    fn legacy_clients_get_their_codes() {
        let codes = |legacy| {
            [
                Condition::BadRequest,
                Condition::PolicyViolation,
                Condition::ItemNotFound,
                Condition::SystemShutdown,
            ]
            .map(|condition| refusal(condition, legacy).0)
        };
        assert_eq!(codes(true), [400, 403, 404, 200]);
        assert_eq!(codes(false), [200; 4]);
        let (_, body) = refusal(Condition::HostUnknown, false);
        assert_eq!(
            body,
            "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='host-unknown'/>"
        );
    }
}
