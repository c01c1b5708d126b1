//! SIP event packages, PUBLISH, REGISTER and MESSAGE over the presence model, without sockets.
//!
//! [`Bridge`] is the machine. It is given requests that the transaction layer hands out, answers of the model and changes of what a
//! watcher may see; it hands out responses, requests and [`Action`]s. It never blocks and reads no clock.
//!
//! Where it goes another way than the RFCs, on purpose:
//! - RFC 3903 §6 wants Contact of a PUBLISH ignored. It is, except that it may name the device of a phone that has not registered.
//! - RFC 3856 §6.10 speaks of one NOTIFY in five seconds; `notify_pace` decides, and the first change goes at once.
//! - RFC 3856 §6.6.2 wants a note in the document of a pending subscription; RFC 8048 §5.3 wants no document, and there is none. Who is
//!   denied already gets 403 and no NOTIFY; who is denied later gets `terminated;reason=rejected`.
//! - RFC 8048 §5.3.3 ends a subscription with a closed document; the last NOTIFY says what is true, as RFC 6665 §4.4.3 has it.
//! - Subscriptions to message-summary live in memory. After a restart their refresh gets 481, and the phone subscribes anew.
//! - A NOTIFY that is too long for a datagram is sent all the same (RFC 3261 §18.1.1 would take TCP); a MESSAGE is not (RFC 3428 §8).
//! - RFC 7572 §4 maps the thread of a message to Call-ID. A phone takes two messages of one Call-ID for one, so each has its own.
//! - Requests go over the way a phone came (RFC 3581 in spirit), not to its Contact: that is the only way to one behind NAT.
//!
//! | module | is |
//! |---|---|
//! | [`action`] | what the bridge wants done outside |
//! | [`answers`] | every answer to a request, as a table |

pub mod action;
mod address;
pub mod answers;
mod auth;
mod bridge;
mod config;
mod deliver;
mod document;
mod message;
mod notify;
mod numbers;
mod options;
mod publish;
mod random;
mod record;
mod refresh;
mod register;
mod reply;
mod restore;
mod screening;
mod sources;
mod subscribe;
mod subscription;
mod subscriptions;
#[cfg(test)]
mod tests;
mod waiting;

pub use action::{Action, Answer, Body, Credentials, Register, Sent, Token};
pub use bridge::{Bridge, Now, Output};
pub use config::{Bounds, Config, Lifetimes};
