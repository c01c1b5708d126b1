//! Stream management (XEP-0198): what each side has of what the other sent, and streams that go on on another connection.
//!
//! | module | is |
//! |---|---|
//! | [`request`] | what a client asks for beside stanzas |
//! | [`received`] | how many of the client's stanzas are handled |
//! | [`sent`] | what the client was sent and has not acknowledged |
//! | [`print`] | the server's words |

pub mod print;
pub mod received;
pub mod request;
pub mod sent;

pub use received::Received;
pub use request::{Previous, Request};
pub use sent::{Sent, TooHigh, Unacknowledged};

/// The namespace of stream management.
pub const MANAGEMENT: &str = "urn:xmpp:sm:3";
