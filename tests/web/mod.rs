//! What the program answers over HTTP, to programs and browsers.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod http;
mod proxies;
mod wire;
