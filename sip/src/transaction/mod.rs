//! Transactions and the transport rules around them, without sockets (RFC 3261 §17 and §18, RFC 3581,
//! RFC 4320, RFC 6026).
//!
//! A [`Layer`] is given what the sockets received and hands out what they are to send. It absorbs
//! retransmissions, answers what can be answered without knowing the meaning of a request (malformed
//! ones, CANCEL, merged requests, overload) and tells its user of each request and of each outcome
//! exactly once. Client transactions are for requests other than INVITE.
//!
//! Where it goes another way than the RFCs, on purpose:
//! - `maddr` in a Via is never obeyed and there is no multicast: a response goes to where its request
//!   came from, so that nobody can direct responses at others.
//! - A request is sent over the flow it is given, however long it is (RFC 3261 §18.1.1 would have what
//!   exceeds 1300 octets moved to TCP, which does not reach a phone behind NAT).
//! - Its user is not told that a response could not be sent, or got no ACK: there is nothing it could do.
//! - A request over a WebSocket that is closed is forgotten: nobody can connect to its sender.
//! - A server transaction that its user never answers ends: after 64*T1, or for an INVITE after three
//!   minutes with a 408. Over UDP it absorbs retransmissions for T4 more.
//! - A client transaction ends with its final response, without Timer K: that only drops responses that come
//!   again, as is done with all that belong to no transaction.

mod cancel;
mod client;
mod config;
mod event;
mod flow;
mod key;
mod layer;
mod places;
mod random;
mod server;
mod table;
#[cfg(test)]
mod tests;
mod timers;

pub use {
    config::{Config, SentBy},
    event::{ClientId, Event, Failure, ServerId, Transmit},
    flow::{Flow, FlowError},
    layer::Layer,
};
