//! Between the protocol machines and the model: what the one says in its words, said in the other's. Without sockets, tasks and clocks, so
//! that tests on simulated time go the same way as the server.

pub mod archive;
pub mod commands;
pub mod component;
pub mod login_tokens;
pub mod person;
pub mod pubsub;
pub mod sip;
pub mod xmpp;
