//! SIP without sockets: messages, URIs, header fields, framing, digest.
//!
//! Nothing here knows of presence, reads a clock or owns a socket. Start at [`message::parse`], which
//! turns a datagram into a [`Message`]; [`header`] reads single fields as types.

pub mod dialog;
pub mod digest;
mod error;
pub mod framing;
pub mod header;
pub mod message;
pub mod params;
pub mod routing;
pub mod screen;
mod syntax;
mod time;
pub mod transaction;
pub mod uri;

pub use error::{Fault, Malformed, ParseError};
pub use message::{Header, HeaderName, Headers, Limits, Message, Method, Request, Response, parse};
pub use params::Params;
pub use syntax::List;
pub use time::Timestamp;
pub use uri::{Host, Scheme, Uri};
