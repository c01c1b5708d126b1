//! BOSH without sockets (XEP-0124): HTTP requests to and from a stream of elements.
//!
//! A driver reads a request's body into a [`Body`], makes a [`Session`] of one that asks for it, and hands every later one to the session
//! it names. The session says which request is answered with what, and which elements come in. It knows no XMPP: attributes of
//! XEP-0206 are handed through, and the elements are octets that stand by themselves.
//!
//! Time is an argument, session ids and all other randomness come from the driver. What the driver takes care of besides: that a
//! session is bound to the side (TLS or not) on which it was made, and how many there are.
//!
//! Not built, on purpose: several streams in one session (XEP-0124 §16, optional: no answer has a `stream` attribute, and one in a
//! request is ignored) and the script syntax (XEP-0252): a request that is no XML is a bad one.
//!
//! | module | is |
//! |---|---|
//! | [`body`] | [`Body`]: a request's `<body/>`, its attributes and what it carries |
//! | [`claim`] | [`Claim`]: what a request that cannot be read says of itself |
//! | [`terms`] | [`Bounds`] of the server and the [`Terms`] that a session is granted |
//! | [`session`] | [`Session`]: requests in order, answers, timers |
//! | [`condition`] | why a session ends |
//! | [`answer`] | [`Answer`]: what goes out, and how it is printed |
//! | `order` | requests in the order of their ids |
//! | `pace` | whether a client asks too often |
//! | `memory` | answers that may have to be given again |
//! | `poll` | the request that comes most often, read faster |
//! | `keys` | key sequences (XEP-0124 §15) |

pub mod answer;
pub mod body;
pub mod claim;
pub mod condition;
mod keys;
mod memory;
mod order;
mod pace;
mod poll;
pub mod session;
pub mod terms;
#[cfg(test)]
mod tests;
mod time;

pub use answer::{Answer, Ticket, refusal};
pub use body::{Body, BodyError, Limits};
pub use claim::Claim;
pub use condition::Condition;
pub use session::{Event, Session};
pub use terms::{Bounds, Terms};
pub use time::Time;

/// The namespace of `<body/>`.
pub const NAMESPACE: &str = "http://jabber.org/protocol/httpbind";
/// The namespace of the attributes that XEP-0206 adds.
pub const XMPP_NAMESPACE: &str = "urn:xmpp:xbosh";
