//! XMPP over real sockets.
#![expect(clippy::unwrap_used, reason = "tests")]

mod administration;
mod archive;
mod blocking;
mod client_state;
mod components;
mod eventing;
mod group_commands;
mod limits;
mod login;
mod management;
mod messages;
mod person;
mod presence;
mod profanity;
mod real_clients;
mod restart;
mod resumption;
mod rosters;
mod security;
mod streams;
mod tokens;
mod waiting;
