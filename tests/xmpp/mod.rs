//! XMPP over real sockets.
#![expect(clippy::unwrap_used, reason = "tests")]

mod security;
