//! What the streams themselves speak: specifications that answer no requests and tell nothing in service discovery.

use super::Extension;

pub(super) const CORE: Extension = Extension::new("Core", "RFC 6120", "", &[]).partly(
    "Client streams. The stream features, STARTTLS, SASL, resource binding, stanzas and their errors; no streams between servers yet.",
);

pub(super) const IM: Extension =
    Extension::new("Instant messaging and presence", "RFC 6121", "", &[])
        .partly("Everything within the domains that are served here; not with other domains yet.");

pub(super) const SCRAM: Extension = Extension::new("SCRAM login", "RFC 5802, RFC 7677", "", &[]);

pub(super) const WEBSOCKET: Extension = Extension::new("WebSocket", "RFC 7395", "", &[]);

pub(super) const TLS: Extension = Extension::new("TLS", "RFC 7590", "", &[]);

pub(super) const ADDRESSES: Extension = Extension::new("Address format", "RFC 7622", "", &[]);

pub(super) const COMPONENTS: Extension =
    Extension::new("External components", "XEP-0114", "1.6", &[]);

pub(super) const BOSH: Extension = Extension::new("BOSH", "XEP-0124", "1.11.2", &[]);

pub(super) const XMPP_OVER_BOSH: Extension =
    Extension::new("XMPP over BOSH", "XEP-0206", "1.4", &[]);

pub(super) const WEB_DISCOVERY: Extension = Extension::new(
    "Where browsers find BOSH and WebSocket",
    "XEP-0156",
    "1.4.0",
    &[],
);

pub(super) const DIRECT_TLS: Extension = Extension::new("Direct TLS", "XEP-0368", "1.1.0", &[]);

pub(super) const MANAGEMENT: Extension = Extension::new(
    "Stream management, with resumption",
    "XEP-0198",
    "1.6.3",
    &[],
);

pub(super) const CLIENT_STATE: Extension =
    Extension::new("Client state indication", "XEP-0352", "1.0.0", &[]);
