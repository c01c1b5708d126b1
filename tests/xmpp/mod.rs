//! XMPP over real sockets.
#![expect(clippy::unwrap_used, reason = "tests")]

mod administration;
mod archive;
mod blocking;
mod client_state;
<<<<<<< HEAD
mod components;
=======
mod eventing;
>>>>>>> 7f14e45 (PEP with clients that people use: slixmpp tells moods and avatars, two of Profanity speak OMEMO; kill -9 keeps what was acknowledged)
mod limits;
mod login;
mod management;
mod messages;
mod person;
mod presence;
mod real_clients;
mod restart;
mod resumption;
mod rosters;
mod security;
mod streams;
mod tokens;
mod waiting;
