//! XMPP without sockets: streams, SASL, sessions, stanza routing.

pub mod sasl;
