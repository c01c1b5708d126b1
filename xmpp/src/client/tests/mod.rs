#![expect(clippy::unwrap_used, reason = "tests")]

mod blocking;
mod capabilities;
mod common;
mod discovery;
mod envelope;
mod iq;
mod messages;
mod presences;
mod properties;
mod rosters;
