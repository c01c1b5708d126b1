//! SIP clients against the real program.
#![expect(clippy::unwrap_used, reason = "tests")]

pub mod phone;
pub mod pidf;
pub mod watch;

mod answers;
mod digest;
mod messaging;
mod publishing;
mod registering;
mod subscribing;
mod transport;
mod unauthenticated;

pub use phone::Phone;
