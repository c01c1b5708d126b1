//! TLS on the side of the client.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::Server;

/// What a client does in its handshakes. Clone it to resume: tickets are kept in it.
#[derive(Clone)]
pub(crate) struct Tls(pub(crate) Arc<ClientConfig>);

impl Tls {
    /// Trusts the authority of this server; any version.
    pub(crate) fn trusting(server: &Server) -> Self {
        Self::new(server, rustls::ALL_VERSIONS, &[])
    }

    /// Trusts the authority of this server.
    pub(crate) fn new(
        server: &Server,
        versions: &[&'static SupportedProtocolVersion],
        alpn: &[&str],
    ) -> Self {
        let (status, answer) = server.get("/ca.pem");
        assert_eq!(status, 200);
        Self::of(&answer, versions, alpn)
    }

    /// Trusts this certificate alone.
    pub(crate) fn trusting_only(pem: &str) -> Self {
        Self::of(pem, rustls::ALL_VERSIONS, &[])
    }

    fn of(pem: &str, versions: &[&'static SupportedProtocolVersion], alpn: &[&str]) -> Self {
        let authority = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self(Arc::new(config))
    }
}
