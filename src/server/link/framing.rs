//! How elements stand on a link, and what they get for that when they are put into its queue.

use xmpp::stream::framing::missing;

use crate::server::websocket::{Opcode, header};

/// How elements stand on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// One after the other, in a stream.
    Stream,
    /// Each by itself, one after the other.
    Elements,
    /// Each by itself, in a WebSocket message.
    Messages,
}

impl Framing {
    /// Frames the element that stands at the end of `queue`, from `begin` on.
    pub(super) fn apply(self, queue: &mut Vec<u8>, begin: usize) {
        if self != Self::Stream && begin < queue.len() {
            self.splice(queue, begin);
        }
    }

    fn splice(self, queue: &mut Vec<u8>, begin: usize) {
        let element = &queue[begin..];
        let (at, declaration) = missing(element).unwrap_or_default();
        let (head, size) = match self {
            Self::Messages => header(Opcode::Text, element.len() + declaration.len()),
            Self::Stream | Self::Elements => ([0; 10], 0),
        };
        let (end, named) = (queue.len(), begin + at);
        queue.resize(end + size + declaration.len(), 0);
        queue.copy_within(named..end, named + size + declaration.len());
        queue.copy_within(begin..named, begin + size);
        queue[begin..begin + size].copy_from_slice(&head[..size]);
        queue[named + size..][..declaration.len()].copy_from_slice(declaration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(framing: Framing, elements: &[&str]) -> Vec<u8> {
        let mut queue = Vec::new();
        for element in elements {
            let begin = queue.len();
            queue.extend_from_slice(element.as_bytes());
            framing.apply(&mut queue, begin);
        }
        queue
    }

    #[test]
    fn one_after_the_other() {
        let elements = ["<presence/>", "", "<r xmlns='urn:xmpp:sm:3'/>"];
        assert_eq!(
            framed(Framing::Stream, &elements),
            elements.concat().as_bytes()
        );
        let own = "<presence xmlns='jabber:client'/>";
        assert_eq!(
            framed(Framing::Elements, &elements),
            [own, elements[2]].concat().as_bytes()
        );
        let expected = [
            b"\x81\x21",
            own.as_bytes(),
            b"\x81\x1A",
            elements[2].as_bytes(),
        ]
        .concat();
        assert_eq!(framed(Framing::Messages, &elements), expected);
        let long = format!("<message><body>{}</body></message>", "x".repeat(200));
        let octets = framed(Framing::Messages, &["<presence/>", &long]);
        let (first, second) = octets.split_at(2 + own.len());
        assert_eq!(&first[2..], own.as_bytes());
        assert_eq!(second[..4], [0x81, 126, 0, 254]);
        assert_eq!(second.len(), 4 + 254);
        assert!(second[4..].starts_with(b"<message xmlns='jabber:client'><body>"));
    }
}
