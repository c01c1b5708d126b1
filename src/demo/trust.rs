//! A connection for tokio-xmpp that trusts one authority, the one that a server hands out as `/ca.pem`.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use sasl::common::ChannelBinding;
use tokio::io::BufStream;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_xmpp::Error;
use tokio_xmpp::connect::ServerConnector;
use tokio_xmpp::jid::Jid;
use tokio_xmpp::xmlstream::{PendingFeaturesRecv, StreamHeader, Timeouts, initiate_stream};

/// A server at a known address (direct TLS, XEP-0368), whose certificate must be for the domain of the account and signed by this
/// authority. The connector that tokio-xmpp has trusts the authorities of the machine or of Mozilla only.
#[derive(Debug, Clone)]
pub struct Trust {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
}

impl Trust {
    /// Trusts the certificates in `authority` (PEM).
    ///
    /// # Errors
    /// A sentence, when there is none in it.
    pub fn new(address: SocketAddr, authority: &str) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
            let certificate = certificate.map_err(|e| format!("that is no certificate: {e}"))?;
            roots
                .add(certificate)
                .map_err(|e| format!("that is no authority: {e}"))?;
        }
        if roots.is_empty() {
            return Err("the authority's file has no certificate in it".to_owned());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"xmpp-client".to_vec()];
        Ok(Self {
            address,
            tls: Arc::new(tls),
        })
    }

    async fn encrypted(&self, domain: &str) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(domain.to_owned()).map_err(io::Error::other)?;
        let socket = TcpStream::connect(self.address).await?;
        socket.set_nodelay(true)?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        connector.connect(name, socket).await
    }
}

impl ServerConnector for Trust {
    type Stream = BufStream<TlsStream<TcpStream>>;

    async fn connect(
        &self,
        jid: &Jid,
        namespace: &'static str,
        timeouts: Timeouts,
    ) -> Result<(PendingFeaturesRecv<Self::Stream>, ChannelBinding), Error> {
        let stream = self.encrypted(jid.domain().as_str()).await?;
        // RFC 9266: the login is bound to this TLS connection.
        let exported = stream.get_ref().1.export_keying_material(
            vec![0; 32],
            b"EXPORTER-Channel-Binding",
            None,
        );
        let binding = exported.map_err(io::Error::other)?;
        let header = StreamHeader {
            to: Some(Cow::Borrowed(jid.domain().as_str())),
            from: None,
            id: None,
        };
        let stream = initiate_stream(BufStream::new(stream), namespace, header, timeouts).await?;
        Ok((stream, ChannelBinding::TlsExporter(binding)))
    }
}
