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
    /// What the capabilities of clients mean (XEP-0115, XEP-0390).
    pub capabilities: Arc<Cache>,
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
            capabilities: super::capabilities::cache(),
            caps: caps::of_server(),
        }
    }

    /// This domain is served here.
    pub(super) fn serves(&self, domain: &str) -> bool {
        self.domains.iter().any(|d| d == domain)
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
