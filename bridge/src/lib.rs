//! SIP event packages, PUBLISH, REGISTER and MESSAGE over the presence model, without sockets.
//!
//! [`Bridge`] is the machine. It is given requests that the transaction layer hands out, answers of the model and changes of what a
//! watcher may see; it hands out responses, requests and [`Action`]s. It never blocks and reads no clock.
//!
//! Where it goes another way than the RFCs, on purpose:
//! - RFC 3903 §6 wants Contact of a PUBLISH ignored. It is, except that it may name the device of a phone that has not registered.
//! - RFC 3856 §6.10 speaks of one NOTIFY in five seconds; `notify_pace` decides, and the first change goes at once.
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
mod options;
mod publish;
mod random;
mod record;
mod register;
mod reply;
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
