//! What all sessions of a listener have in common, and what one connection adds to it.

use super::offer::Offers;
use crate::client::Service;
use crate::sasl::{ChannelBindings, Decoy, TokenKey};
use crate::stream::StreamCondition;
use presence::Address;
use std::sync::Arc;
use std::time::Duration;
use xml::Limits;

/// Most attributes of one element.
const MOST_ATTRIBUTES: usize = 64;

/// What all sessions of a listener have in common.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What clients can learn about the server, and the domains served here; the first is the one that the server calls itself
    /// by default.
    pub service: Arc<Service>,
    /// Nothing but STARTTLS is offered on a stream without TLS.
    pub require_tls: bool,
    /// Most bytes of one stanza.
    pub stanza_size: usize,
    /// Deepest nesting of one stanza, before authentication too.
    pub stanza_depth: usize,
    /// Most bytes that a stream may take before authentication, from its header on.
    pub unauthenticated_bytes: usize,
    /// Most elements that a stream may take before authentication.
    pub unauthenticated_elements: usize,
    /// How long a connection has to authenticate, whatever it sends, and after that to bind a resource.
    pub unauthenticated_time: Duration,
    /// Silence after which the peer is asked whether it is there (XEP-0199); zero: never.
    pub ping_after: Duration,
    /// How long it has to show a sign of life then.
    pub ping_timeout: Duration,
    /// How long a broken stream can be resumed (XEP-0198).
    pub resume_timeout: Duration,
    /// Makes the keys of accounts that do not exist.
    pub decoy: Decoy,
    /// Makes tokens, and the names of resources of clients that come again (XEP-0386, XEP-0484).
    pub tokens: TokenKey,
    /// Every account has keys for SCRAM-SHA-512, which therefore is offered.
    pub sha512: bool,
    /// What follows from all this for the features of a stream.
    pub offers: Offers,
}

impl Settings {
    /// A stream whose connection is lost can go on on another one (XEP-0198 §5).
    pub(super) fn resumes(&self) -> bool {
        self.resume_timeout.as_secs() > 0
    }

    /// The defaults of the configuration. `service` names at least one domain.
    pub fn new(service: Arc<Service>, decoy: Decoy) -> Self {
        Self {
            service,
            require_tls: true,
            stanza_size: 256 * 1024,
            stanza_depth: 64,
            unauthenticated_bytes: 8 * 1024,
            unauthenticated_elements: 32,
            unauthenticated_time: Duration::from_secs(30),
            ping_after: Duration::from_secs(60),
            ping_timeout: Duration::from_secs(30),
            resume_timeout: Duration::from_secs(600),
            tokens: decoy.token_key(),
            decoy,
            sha512: true,
            offers: Offers::default(),
        }
    }

    /// The served domain that `name` means.
    ///
    /// # Errors
    /// `improper-addressing` for what is no address, `host-unknown` for what is not served here.
    pub(super) fn domain(&self, name: &str) -> Result<&str, StreamCondition> {
        let address = Address::parse(name).map_err(|_| StreamCondition::ImproperAddressing)?;
        self.served(&address).ok_or(StreamCondition::HostUnknown)
    }

    fn served(&self, address: &Address) -> Option<&str> {
        if address.is_full() {
            return None;
        }
        let domains = self.service.domains.iter().map(String::as_str);
        domains
            .into_iter()
            .find(|&domain| domain == address.bare.as_str())
    }

    /// The domain meant by a peer that names none: the only one there is.
    pub(super) fn only_domain(&self) -> Option<&str> {
        match self.service.domains.as_slice() {
            [domain] => Some(domain),
            _ => None,
        }
    }

    /// What the server calls itself towards a peer that named no domain of its (RFC 6120 §4.9.1.3).
    pub(super) fn default_domain(&self) -> &str {
        self.service.domains.first().map_or("", String::as_str)
    }

    /// The limits of the reader before authentication.
    pub(super) fn strangers(&self) -> Limits {
        Limits {
            max_bytes: self.unauthenticated_bytes,
            max_depth: self.stanza_depth,
            max_elements: Some(self.unauthenticated_elements),
            max_attributes: MOST_ATTRIBUTES,
        }
    }

    /// The limits of the reader after it.
    pub(super) fn members(&self) -> Limits {
        Limits {
            max_bytes: self.stanza_size,
            max_depth: self.stanza_depth,
            max_elements: None,
            max_attributes: MOST_ATTRIBUTES,
        }
    }
}

/// The way that a framed stream takes (RFC 7395, XEP-0206).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    /// Nobody else can read it: TLS is below, or it does not leave the machine. Where TLS is required, that is asked of every other way.
    pub confidential: bool,
    /// Where a client that came on a way that is not confidential may go instead (RFC 7395 §3.6.1).
    pub elsewhere: Option<String>,
}

/// What the TLS handshake of one connection gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secured {
    /// `tls-exporter` (RFC 9266); on TLS 1.2 only with the extended master secret.
    pub exporter: Option<[u8; 32]>,
    /// `tls-server-end-point` (RFC 5929 §4.1).
    pub server_end_point: Option<Vec<u8>>,
    /// The name that the client asked for.
    pub sni: Option<String>,
}

impl Secured {
    pub(super) fn bindings(&self) -> ChannelBindings {
        ChannelBindings {
            exporter: self.exporter.map(Vec::from),
            server_end_point: self.server_end_point.clone(),
        }
    }
}
