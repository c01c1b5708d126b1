//! What can be wrong with what a peer sent.

use thiserror::Error;

use crate::message::{Request, Response};

/// A header field or URI that does not follow its grammar. The fault is the peer's; the answer is 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[error("malformed {what}")]
pub struct Malformed {
    /// What was being read, e.g. `From`.
    pub what: &'static str,
}

/// Why a message was refused by [`parse`](crate::message::parse).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum Fault {
    /// The bytes are no SIP message at all: nothing can be answered.
    #[error("not a SIP message")]
    NotSip,
    /// The version is not `SIP/2.0` (RFC 3261 §21.5.6).
    #[error("SIP version not supported")]
    Version,
    /// The request line or status line breaks the grammar (RFC 3261 §7.1, §7.2).
    #[error("malformed start line")]
    StartLine,
    /// The Request-URI breaks the grammar (RFC 3261 §19.1.1).
    #[error("malformed Request-URI")]
    RequestUri,
    /// A line in the head is no header field (RFC 3261 §7.3.1).
    #[error("malformed header line")]
    HeaderLine,
    /// A header field that must be there is not (RFC 3261 §8.1.1).
    #[error("missing {0}")]
    Missing(&'static str),
    /// A header field that may be there once is there more often (RFC 3261 §7.3.1).
    #[error("more than one {0}")]
    Duplicate(&'static str),
    /// A header field breaks its grammar.
    #[error("malformed {0}")]
    Header(&'static str),
    /// The method in `CSeq` is not the one in the request line (RFC 3261 §8.1.1.5).
    #[error("CSeq method differs from request method")]
    CSeqMethod,
    /// The method is unknown and the one in `CSeq` is another (RFC 4475 §3.1.2.18).
    #[error("unknown method")]
    UnknownMethod,
    /// The body is shorter than `Content-Length` says (RFC 3261 §18.3).
    #[error("body shorter than Content-Length")]
    Truncated,
    /// The message is longer than the limit (RFC 3261 §21.5.7).
    #[error("message too large")]
    TooLarge,
    /// There are more header fields than the limit.
    #[error("too many header fields")]
    TooManyHeaders,
}

impl Fault {
    /// The status that answers a request with this fault.
    pub fn status(self) -> u16 {
        match self {
            Self::UnknownMethod => 501,
            Self::Version => 505,
            Self::TooLarge => 513,
            _ => 400,
        }
    }

    /// A reason phrase that tells the sender what is wrong, e.g. `Missing Call-ID`.
    pub fn reason(self) -> String {
        let text = self.to_string();
        match self {
            Self::UnknownMethod | Self::Version | Self::TooLarge => {
                crate::message::reason_phrase(self.status()).to_owned()
            }
            _ => {
                let mut chars = text.chars();
                chars
                    .next()
                    .map(|first| first.to_ascii_uppercase().to_string() + chars.as_str())
                    .unwrap_or_default()
            }
        }
    }
}

impl From<Malformed> for Fault {
    fn from(error: Malformed) -> Self {
        Self::Header(error.what)
    }
}

/// A message that was refused. The fault is the sender's.
#[derive(Debug, Clone, Error)]
#[error("{fault}")]
pub struct ParseError {
    /// What is wrong.
    pub fault: Fault,
    /// What was understood of a request, if it has what an answer needs: a Via that can be read.
    ///
    /// Fields may be missing or malformed; it is there to be answered, not to be acted on.
    pub request: Option<Box<Request>>,
}

impl ParseError {
    /// The answer to send, if the message was a request (not ACK) that can be answered.
    pub fn answer(&self) -> Option<Response> {
        let request = self.request.as_deref()?;
        if request.method == crate::Method::Ack {
            return None;
        }
        let reason = self.fault.reason();
        Some(Response::for_request(request, self.fault.status()).with_reason(reason))
    }
}
