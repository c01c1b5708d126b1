//! The XML namespaces of stream negotiation.

/// `<stream:stream>`, `<stream:features>` and `<stream:error>` (RFC 6120 §4.8.1).
pub const STREAM: &str = "http://etherx.jabber.org/streams";
/// `<open/>` and `<close/>` (RFC 7395 §3.3.2).
pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
/// Stanzas between clients and servers (RFC 6120 §4.8.2).
pub const CLIENT: &str = "jabber:client";
/// Stanzas between components and servers (XEP-0114 §3).
pub const COMPONENT: &str = "jabber:component:accept";
/// Stanzas between servers (RFC 6120 §4.8.2).
pub const SERVER: &str = "jabber:server";
/// Conditions of stream errors (RFC 6120 §4.9.2).
pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// Conditions of stanza errors (RFC 6120 §8.3.2).
pub const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// STARTTLS (RFC 6120 §5).
pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// SASL (RFC 6120 §6).
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// The extensible profile of SASL (XEP-0388).
pub const SASL2: &str = "urn:xmpp:sasl:2";
/// Resource binding within it (XEP-0386).
pub const BIND2: &str = "urn:xmpp:bind:0";
/// Tokens for the next login (XEP-0484).
pub const FAST: &str = "urn:xmpp:fast:0";
/// Types of channel binding (XEP-0440).
pub const CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";
/// Limits of a stream (XEP-0478).
pub const LIMITS: &str = "urn:xmpp:stream-limits:0";
/// Resource binding (RFC 6120 §7).
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// Session establishment (RFC 3921 §3), which does nothing any more.
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// Roster versioning (RFC 6121 §2.6.1).
pub const ROSTER_VERSIONING: &str = "urn:xmpp:features:rosterver";
/// Pre-approval of subscriptions (RFC 6121 §3.4.1).
pub const PRE_APPROVAL: &str = "urn:xmpp:features:pre-approval";
/// Result sets in pages (XEP-0059).
pub const PAGES: &str = "http://jabber.org/protocol/rsm";
/// Message archives (XEP-0313).
pub const ARCHIVE: &str = "urn:xmpp:mam:2";
/// Unique and stable stanza ids (XEP-0359).
pub const STANZA_IDS: &str = "urn:xmpp:sid:0";
/// Hints about how to treat a message (XEP-0334).
pub const HINTS: &str = "urn:xmpp:hints";
/// Copies of messages (XEP-0280).
pub const CARBONS: &str = "urn:xmpp:carbons:2";
/// Client state indication (XEP-0352).
pub const CLIENT_STATE: &str = "urn:xmpp:csi:0";
/// Pings (XEP-0199).
pub const PING: &str = "urn:xmpp:ping";
/// Entity capabilities (XEP-0115).
pub const CAPS: &str = "http://jabber.org/protocol/caps";
