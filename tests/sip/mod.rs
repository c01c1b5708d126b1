//! SIP clients against the real program.
#![expect(clippy::unwrap_used, reason = "tests")]

pub(crate) mod phone;
pub(crate) mod pidf;
pub(crate) mod watch;

mod answers;
mod digest;
mod messaging;
mod publishing;
mod registering;
mod subscribing;
mod transport;
mod unauthenticated;

pub(crate) use phone::Phone;
