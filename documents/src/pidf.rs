//! `application/pidf+xml`: RFC 3863 with the data model (RFC 4479), RPID (RFC 4480) and the XMPP show (RFC 8048 §6.1).
//!
//! A document is parsed once, when it is published ([`read`]), and kept in a normal form ([`normalise`]) whose parts stand
//! alone, so that the document for watchers is put together by copying ([`compose`]).

mod compose;
mod normalise;
mod read;
mod slices;

pub use compose::{compose, compose_closed};
pub use normalise::normalise;
pub use read::{MAX_DEPTH, MAX_SIZE, Published, read};

/// The media type, RFC 3863 §6.
pub const MEDIA_TYPE: &str = "application/pidf+xml";

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
