//! The certificates in use: chosen by server name, exchanged while the server runs.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SupportedCipherSuite};
use time::OffsetDateTime;

use super::local::{self, AUTHORITY, Names};
use super::{CertificateError, Identity, Listener};
use crate::config::Config;
use crate::data_folder::DataFolder;

/// The certificates in use. Connections take a [`Snapshot`] when they are accepted and keep it.
#[derive(Debug)]
pub struct Certificates(RwLock<Arc<Snapshot>>);

impl Certificates {
    /// Loads the configured certificates, or makes what is missing of the local authority's.
    pub fn load(
        config: &Config,
        folder: &DataFolder,
        now: OffsetDateTime,
    ) -> Result<Self, CertificateError> {
        Ok(Self(RwLock::new(Arc::new(Snapshot::load(
            config, folder, now,
        )?))))
    }

    /// Loads again, as at the start. On an error the old ones stay in use. Unchanged certificates keep their session
    /// tickets valid; it is then cheap to call this every day, which renews what the local authority made.
    pub fn reload(
        &self,
        config: &Config,
        folder: &DataFolder,
        now: OffsetDateTime,
    ) -> Result<(), CertificateError> {
        let new = Snapshot::load(config, folder, now)?;
        if !new.same_as(&self.current()) {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        }
        Ok(())
    }

    /// Those in use now.
    pub fn current(&self) -> Arc<Snapshot> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Certificates that do not change, with the TLS settings made of them.
#[derive(Debug)]
pub struct Snapshot {
    chooser: Arc<Chooser>,
    settings: [Arc<ServerConfig>; 4],
    authority: Option<String>,
}

impl Snapshot {
    fn load(
        config: &Config,
        folder: &DataFolder,
        now: OffsetDateTime,
    ) -> Result<Self, CertificateError> {
        let provider = Arc::new(provider());
        let own = config.tls.files.is_empty();
        let files = if own {
            local::ensure(folder, &Names::of(config), now)?
        } else {
            config.tls.files.clone()
        };
        let identities = files
            .iter()
            .map(|files| Identity::read(files, &provider))
            .collect::<Result<Vec<_>, _>>()?;
        let chooser = Arc::new(Chooser(identities));
        let make = |listener| settings(listener, &provider, &chooser);
        let [starttls, direct, http, sip] = Listener::ALL.map(make);
        let settings = [starttls?, direct?, http?, sip?];
        let authority = if own {
            Some(read(&folder.file(AUTHORITY))?)
        } else {
            None
        };
        Ok(Self {
            chooser,
            settings,
            authority,
        })
    }

    /// TLS settings for a kind of listener: TLS 1.2 and 1.3, session tickets, certificates by SNI.
    pub fn server_config(&self, listener: Listener) -> Arc<ServerConfig> {
        let [starttls, direct, http, sip] = &self.settings;
        Arc::clone(match listener {
            Listener::XmppStartTls => starttls,
            Listener::XmppDirect => direct,
            Listener::Http => http,
            Listener::Sip => sip,
        })
    }

    /// The `tls-server-end-point` binding (RFC 5929 §4) of the certificate that a client got which named that server.
    pub fn end_point(&self, server_name: Option<&str>) -> Option<&[u8]> {
        self.chooser.choose(server_name)?.end_point.as_deref()
    }

    /// The local authority's certificate in PEM, where it made the certificates in use.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Every certificate in use, that for clients which name no server first.
    pub fn identities(&self) -> &[Identity] {
        &self.chooser.0
    }

    fn same_as(&self, other: &Self) -> bool {
        let chains = |snapshot: &Self| {
            snapshot
                .identities()
                .iter()
                .map(|identity| identity.chain().to_vec())
                .collect::<Vec<_>>()
        };
        chains(self) == chains(other) && self.authority == other.authority
    }
}

fn read(path: &Path) -> Result<String, CertificateError> {
    std::fs::read_to_string(path).map_err(|error| CertificateError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

/// Suites with SHA-256 come first, AES with 128 bits of them (which RFC 8446 §9.1 has everybody speak): processors have instructions for that
/// hash, and none for the one of AES with 256 bits, which costs a handshake more than its signature does.
fn provider() -> CryptoProvider {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.sort_by_key(|suite| match suite {
        SupportedCipherSuite::Tls13(suite) => suite.common.hash_provider.output_len(),
        SupportedCipherSuite::Tls12(suite) => suite.common.hash_provider.output_len(),
    });
    provider
}

fn settings(
    listener: Listener,
    provider: &Arc<CryptoProvider>,
    chooser: &Arc<Chooser>,
) -> Result<Arc<ServerConfig>, CertificateError> {
    let versions = &[&rustls::version::TLS13, &rustls::version::TLS12];
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(versions)?;
    let mut settings = builder
        .with_no_client_auth()
        .with_cert_resolver(Arc::<Chooser>::clone(chooser));
    settings.alpn_protocols = listener
        .protocols()
        .iter()
        .map(|name| name.to_vec())
        .collect();
    // Who has one connection at a time needs one ticket; with each resumption comes the next.
    settings.send_tls13_tickets = if listener == Listener::Http { 2 } else { 1 };
    settings.ignore_client_order = true;
    settings.require_ems = listener.requires_extended_master_secret();
    // Each snapshot has its own: a session resumed with a ticket would else be bound to an older certificate.
    settings.ticketer = rustls::crypto::ring::Ticketer::new()?;
    Ok(Arc::new(settings))
}

/// Chooses the certificate by the server name that the client asks for (RFC 6066 §3).
#[derive(Debug)]
struct Chooser(Vec<Identity>);

impl Chooser {
    fn choose(&self, name: Option<&str>) -> Option<&Identity> {
        let named =
            name.and_then(|name| self.0.iter().find(|identity| identity.facts.covers(name)));
        named.or_else(|| self.0.first())
    }
}

impl ResolvesServerCert for Chooser {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name())
            .map(|identity| Arc::clone(&identity.certified))
    }
}

#[cfg(test)]
mod tests;
