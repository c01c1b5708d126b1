//! What a client can learn about the server, and the limits on what it sends.

use std::sync::Arc;

use presence::Timestamp;
use services::caps::Cache;

use super::extensions::caps;

/// What the program calls itself (XEP-0092).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Software {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The operating system; `None`: not told.
    pub os: Option<String>,
}

/// A service beside this one (XEP-0215).
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalService {
    /// `stun`, `stuns`, `turn` or `turns`.
    pub kind: &'static str,
    /// Where it is: a name or an address.
    pub host: String,
    /// And its port.
    pub port: u16,
    /// `udp` or `tcp`.
    pub transport: &'static str,
    /// What it shares with us, where it wants credentials.
    pub secret: Option<SharedSecret>,
}

/// A secret from which credentials are made that end by themselves.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedSecret {
    /// The secret.
    pub text: String,
    /// How long credentials are good.
    pub lifetime: std::time::Duration,
}

/// Without the secret.
impl std::fmt::Debug for ExternalService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.kind, self.host, self.port)
    }
}

/// What all client sessions have in common.
#[derive(Debug, Clone)]
pub struct Service {
    /// The domains served here, prepared.
    pub domains: Vec<String>,
    /// The program.
    pub software: Software,
    /// When the server started (XEP-0012 §5).
    pub started: Timestamp,
    /// Most bytes of a contact's name or of a group's (RFC 6121 §2.3.3).
    pub name_bytes: usize,
    /// Most groups of a contact.
    pub groups: usize,
    /// Messages are archived (XEP-0313).
    pub archive: bool,
    /// What the capabilities of clients mean (XEP-0115, XEP-0390).
    pub capabilities: Arc<Cache>,
    /// Domains of components, whether or not they are connected (XEP-0114).
    pub components: Vec<String>,
    /// Services beside this one, for calls.
    pub external: Vec<ExternalService>,
    /// Addresses of those who run this, by the field that tells them (XEP-0157).
    contacts: Vec<(&'static str, Vec<String>)>,
    /// The server's own capabilities (XEP-0115): what its features hash to.
    caps: String,
}

impl Service {
    /// With the usual limits.
    pub fn new(domains: Vec<String>, software: Software, started: Timestamp) -> Self {
        Self {
            domains,
            software,
            started,
            name_bytes: 1023,
            groups: 100,
            archive: false,
            capabilities: super::capabilities::cache(),
            components: Vec::new(),
            external: Vec::new(),
            contacts: Vec::new(),
            caps: caps::of_server(&[]),
        }
    }

    /// With addresses of those who run it: fields of XEP-0157 §3 and what stands in them.
    #[must_use]
    pub fn with_contacts(mut self, mut contacts: Vec<(&'static str, Vec<String>)>) -> Self {
        contacts.retain(|(_, addresses)| !addresses.is_empty());
        self.caps = caps::of_server(&contacts);
        self.contacts = contacts;
        self
    }

    /// Addresses of those who run it.
    pub(super) fn contacts(&self) -> &[(&'static str, Vec<String>)] {
        &self.contacts
    }

    /// This domain is served here.
    pub(super) fn serves(&self, domain: &str) -> bool {
        self.domains.iter().any(|d| d == domain)
    }

    /// This domain is a component's.
    pub(super) fn reaches(&self, domain: &str) -> bool {
        self.components.iter().any(|d| d == domain)
    }

    /// The verification string of the server's own capabilities, for its stream features (XEP-0115 §6.3).
    pub fn caps(&self) -> &str {
        &self.caps
    }

    /// Writes the server's own capabilities, as a stream feature (XEP-0115 §6.3).
    pub fn write_caps(&self, to: &mut xml::Writer<'_>) {
        caps::write(to, &self.caps);
    }
}
