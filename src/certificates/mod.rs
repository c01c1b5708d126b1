//! Certificates: those of the admin, or a local authority's; the TLS settings of every listener made of them.
//!
//! Channel binding: `tls-server-end-point` (RFC 5929) is the hash that [`Snapshot::end_point`] gives. `tls-exporter`
//! (RFC 9266) needs TLS 1.3, or TLS 1.2 with the extended master secret (RFC 7627). rustls does not tell whether a
//! connection negotiated that, so the XMPP listeners require it of TLS 1.2 clients (`ServerConfig::require_ems`), and
//! `export_keying_material` is safe on each of their connections. SIP and HTTP use no exporter and do not ask for it:
//! old phones lack it.

mod check;
mod error;
mod facts;
mod identity;
mod listener;
mod local;
mod store;

pub use check::{problems, usable};
pub use error::CertificateError;
pub use facts::{Facts, end_point};
pub use identity::Identity;
pub use listener::Listener;
pub use local::{AUTHORITY, Names};
pub use store::{Certificates, Snapshot};
