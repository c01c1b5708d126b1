//! What came from the peer and was not looked at: a stream of octets, or elements that came each by itself (RFC 7395 §3.3).

use super::ending::Ending;
use crate::stream::StreamCondition;
use crate::stream::namespaces::CLIENT;
use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};
use xml::{Element, Limits, ReadError, StreamReader, Token, Which};

/// The content namespace, shared by all stanzas.
static CONTENT: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(CLIENT));

/// What is read from.
pub(super) enum Input {
    Stream(StreamReader),
    Framed(Framed),
}

/// Elements that wait.
pub(super) struct Framed {
    limits: Limits,
    waiting: VecDeque<Vec<u8>>,
}

impl Input {
    pub(super) fn stream(limits: Limits) -> Self {
        Self::Stream(StreamReader::new(limits))
    }

    pub(super) fn framed(limits: Limits) -> Self {
        Self::Framed(Framed {
            limits,
            waiting: VecDeque::new(),
        })
    }

    /// Elements come and go each by itself.
    pub(super) fn is_framed(&self) -> bool {
        matches!(self, Self::Framed(_))
    }

    /// Most octets of one element.
    pub(super) fn most_octets(&self, settings: &super::Settings) -> usize {
        match self {
            Self::Stream(_) => settings.stanza_size,
            Self::Framed(framed) => framed.limits.max_bytes,
        }
    }

    /// How much waits to be looked at.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        match self {
            Self::Stream(reader) => reader.buffered(),
            Self::Framed(framed) => framed.waiting.capacity(),
        }
    }

    /// Takes octets of a stream.
    pub(super) fn feed(&mut self, octets: &[u8]) {
        if let Self::Stream(reader) = self {
            reader.feed(octets);
        }
    }

    /// Takes an element that came by itself.
    pub(super) fn push(&mut self, element: Vec<u8>) {
        if let Self::Framed(framed) = self {
            framed.waiting.push_back(element);
        }
    }

    /// Other limits from the next element on.
    pub(super) fn set_limits(&mut self, new: Limits) {
        match self {
            Self::Stream(reader) => reader.set_limits(new),
            Self::Framed(framed) => framed.limits = new,
        }
    }

    /// The peer begins a new stream (RFC 6120 §4.3.3).
    pub(super) fn reset(&mut self) {
        if let Self::Stream(reader) = self {
            reader.reset();
        }
    }

    /// Throws away what has come.
    pub(super) fn clear_buffered(&mut self) {
        match self {
            Self::Stream(reader) => {
                reader.clear_buffered();
            }
            Self::Framed(framed) => framed.waiting = VecDeque::new(),
        }
    }

    /// Nothing is looked at any more.
    pub(super) fn end(&mut self, limits: Limits) {
        *self = match self {
            Self::Stream(_) => Self::stream(limits),
            Self::Framed(_) => Self::framed(limits),
        };
    }

    /// What comes next; `None` when that has not arrived.
    pub(super) fn next(&mut self) -> Result<Option<Token>, Ending> {
        match self {
            Self::Stream(reader) => reader.next().map_err(|error| broken(&error)),
            Self::Framed(framed) => framed.next(),
        }
    }
}

impl Framed {
    fn next(&mut self) -> Result<Option<Token>, Ending> {
        let Some(octets) = self.waiting.pop_front() else {
            return Ok(None);
        };
        if self.waiting.is_empty() {
            // Nothing is kept for the next time: most sessions are idle.
            self.waiting = VecDeque::new();
        }
        let is_header = is_stream_header(&octets);
        match Element::framed(octets, &CONTENT, self.limits) {
            Ok(element) => Ok(Some(Token::Element(element))),
            Err(_) if is_header => Err(StreamCondition::InvalidNamespace.into()),
            Err(error) => Err(broken(&error)),
        }
    }
}

/// Whether this is the header or the end of a stream as TCP has it (RFC 7395 §3.3.2).
fn is_stream_header(octets: &[u8]) -> bool {
    let declared = octets.starts_with(b"<?xml");
    let end = octets.iter().position(|b| *b == b'>').filter(|_| declared);
    let begin = end.map_or(0, |at| at + 1);
    let rest = octets[begin..].trim_ascii_start();
    rest.starts_with(b"<stream:stream") || rest.starts_with(b"</stream:")
}

/// How octets that cannot be read end the stream.
fn broken(error: &ReadError) -> Ending {
    let condition = match error {
        ReadError::Limit(which) => {
            return Ending::because(StreamCondition::PolicyViolation, excess(*which));
        }
        // Octets that break the rules of UTF-8 are another encoding (RFC 6120 §4.9.3.22).
        ReadError::Encoding | ReadError::NotWellFormed("not UTF-8") => {
            StreamCondition::UnsupportedEncoding
        }
        // What lacks namespace-well-formedness is not well-formed (RFC 6120 §11.3).
        ReadError::NotWellFormed(_) | ReadError::Prefix => StreamCondition::NotWellFormed,
        ReadError::Restricted(_) => StreamCondition::RestrictedXml,
        ReadError::Format => StreamCondition::BadFormat,
    };
    condition.into()
}

fn excess(which: Which) -> &'static str {
    match which {
        Which::Bytes => "The stanza is too large",
        Which::Depth => "The stanza is nested too deeply",
        Which::Elements => "The stanza has too many elements",
        Which::Attributes => "An element has too many attributes",
    }
}
