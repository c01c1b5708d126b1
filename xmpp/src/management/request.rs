//! Elements of stream management that a client sends (XEP-0198 §3 to §5).

use std::time::Duration;

use xml::{Child, Element};

use super::MANAGEMENT;

/// A stream that a client wants to go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// The identifier that the server gave it.
    pub id: String,
    /// How many stanzas the client has got on it.
    pub handled: u32,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Management from here on.
    Enable {
        /// The stream is to be resumed when its connection is lost.
        resume: bool,
        /// For how long that is wanted, when the client says so.
        most: Option<Duration>,
    },
    /// Go on with an earlier stream.
    Resume(Previous),
    /// How many of my stanzas are handled?
    Ask,
    /// So many of yours are.
    Acknowledge(u32),
}

/// It is one of these elements, and cannot be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl Request {
    /// Reads an element; `None` when it is of another namespace.
    ///
    /// # Errors
    /// [`Malformed`] for an element of this namespace that is none of those that a client sends, or lacks what it must have.
    pub fn read(element: &Element) -> Option<Result<Self, Malformed>> {
        Self::read_child(&element.as_child())
    }

    /// The same for one that stands inside of another, as XEP-0388 and XEP-0386 allow (XEP-0198 §9).
    ///
    /// # Errors
    /// [`Malformed`], likewise.
    pub fn read_child(element: &Child<'_>) -> Option<Result<Self, Malformed>> {
        (element.namespace() == MANAGEMENT).then(|| Self::of(element).ok_or(Malformed))
    }

    fn of(element: &Child<'_>) -> Option<Self> {
        let number = |name| element.attribute(name)?.trim().parse::<u32>().ok();
        Some(match element.name() {
            "enable" => Self::Enable {
                resume: matches!(element.attribute("resume").as_deref(), Some("true" | "1")),
                most: number("max").map(|seconds| Duration::from_secs(seconds.into())),
            },
            "resume" => Self::Resume(Previous {
                id: element.attribute("previd")?.into_owned(),
                handled: number("h")?,
            }),
            "r" => Self::Ask,
            "a" => Self::Acknowledge(number("h")?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xml::{Limits, StreamReader, Token};

    fn read(text: &str) -> Option<Result<Request, Malformed>> {
        let mut reader = StreamReader::new(Limits::generous());
        reader.feed(b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>");
        reader.feed(text.as_bytes());
        while let Ok(Some(token)) = reader.next() {
            if let Token::Element(element) = token {
                return Request::read(&element);
            }
        }
        panic!("{text} should be an element");
    }

    #[test]
    fn what_clients_send() {
        let enable = |resume, most: Option<u64>| {
            Some(Ok(Request::Enable {
                resume,
                most: most.map(Duration::from_secs),
            }))
        };
        assert_eq!(read("<enable xmlns='urn:xmpp:sm:3'/>"), enable(false, None));
        assert_eq!(
            read("<enable xmlns='urn:xmpp:sm:3' resume='1' max='90'/>"),
            enable(true, Some(90))
        );
        assert_eq!(
            read("<enable xmlns='urn:xmpp:sm:3' resume='false' max='soon'/>"),
            enable(false, None)
        );
        assert_eq!(
            read("<resume xmlns='urn:xmpp:sm:3' previd='x y' h='7'/>"),
            Some(Ok(Request::Resume(Previous {
                id: "x y".to_owned(),
                handled: 7
            })))
        );
        assert_eq!(read("<r xmlns='urn:xmpp:sm:3'/>"), Some(Ok(Request::Ask)));
        assert_eq!(
            read("<a xmlns='urn:xmpp:sm:3' h='4294967295'/>"),
            Some(Ok(Request::Acknowledge(u32::MAX)))
        );
    }

    #[test]
    fn what_cannot_be_meant() {
        for wrong in [
            "<a xmlns='urn:xmpp:sm:3'/>",
            "<a xmlns='urn:xmpp:sm:3' h='-1'/>",
            "<a xmlns='urn:xmpp:sm:3' h='4294967296'/>",
            "<resume xmlns='urn:xmpp:sm:3' h='1'/>",
            "<resume xmlns='urn:xmpp:sm:3' previd='1'/>",
            "<enabled xmlns='urn:xmpp:sm:3'/>",
        ] {
            assert_eq!(read(wrong), Some(Err(Malformed)), "{wrong}");
        }
        assert_eq!(read("<enable xmlns='urn:xmpp:sm:2'/>"), None);
        assert_eq!(read("<iq/>"), None);
    }
}
