//! What the program answers over HTTP, to programs and browsers.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod bodies;
mod bosh;
mod browser;
mod cors;
mod files;
mod front;
mod host_meta;
mod http;
mod http2;
mod proxies;
mod websocket;
mod wire;
