//! XMPP over WebSocket (RFC 7395, RFC 6455), by a client that writes its frames itself and so can break every rule.

mod browser;
mod frames;
mod handshake;
mod resumption;
mod sessions;
mod streams;
