//! XMPP over real sockets.
#![expect(clippy::unwrap_used, reason = "tests")]

mod administration;
mod blocking;
mod limits;
mod login;
mod messages;
mod person;
mod presence;
mod real_clients;
mod restart;
mod rosters;
mod security;
mod streams;
mod tokens;
mod waiting;
