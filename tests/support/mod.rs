//! What black-box tests share: the real program on a data folder of its own, clients, and waiting for events with a deadline.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

pub(crate) mod script;
pub(crate) mod server;
pub(crate) mod terminal;
pub(crate) mod tls;
pub(crate) mod wait;
pub(crate) mod xmpp;

pub(crate) use self::xmpp::Client;
pub(crate) use script::Script;
pub(crate) use server::Server;
pub(crate) use wait::{DEADLINE, wait_for};

/// The domain that [`Server::start`] serves.
pub(crate) const DOMAIN: &str = "office.example";

/// Tests with real clients are left out (`tests/run quick`); says so.
pub(crate) fn quick() -> bool {
    let quick = std::env::var_os("ADSUM_QUICK").is_some();
    if quick {
        println!("skipped (quick)");
    }
    quick
}
