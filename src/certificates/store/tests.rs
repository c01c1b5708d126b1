//! Handshakes in memory against the settings of a snapshot.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConnection};
use rustls_pki_types::pem::PemObject as _;

fn open(domains: &str) -> (tempfile::TempDir, DataFolder, Config, Certificates) {
    let place = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(place.path()).unwrap();
    let config = crate::config::parse(&format!("domains = {domains}"), None, [])
        .unwrap()
        .config;
    let certificates = Certificates::load(&config, &folder, OffsetDateTime::now_utc()).unwrap();
    (place, folder, config, certificates)
}

fn client(
    snapshot: &Snapshot,
    versions: &[&'static rustls::SupportedProtocolVersion],
    alpn: &[&[u8]],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(snapshot.authority().unwrap().as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

fn shake(
    snapshot: &Snapshot,
    listener: Listener,
    client: &Arc<ClientConfig>,
    name: &str,
) -> Result<(ClientConnection, ServerConnection), rustls::Error> {
    let mut client = ClientConnection::new(
        Arc::clone(client),
        ServerName::try_from(name.to_owned()).unwrap(),
    )?;
    let mut server = ServerConnection::new(snapshot.server_config(listener))?;
    for _ in 0..8 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut unread = &bytes[..];
        while !unread.is_empty() {
            server.read_tls(&mut unread).unwrap();
            server.process_new_packets()?;
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut unread = &bytes[..];
        while !unread.is_empty() {
            client.read_tls(&mut unread).unwrap();
            client.process_new_packets()?;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok((client, server))
}

const BOTH: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

#[test]
fn each_domain_has_its_certificate_and_binding() {
    let (_place, _folder, _config, certificates) = open("[\"a.example\", \"b.example\"]");
    let snapshot = certificates.current();
    let settings = client(&snapshot, BOTH, &[]);
    for name in ["a.example", "b.example", "localhost", "127.0.0.1"] {
        let (client, server) = shake(&snapshot, Listener::XmppStartTls, &settings, name).unwrap();
        let leaf = &client.peer_certificates().unwrap()[0];
        assert!(
            super::super::Facts::read(leaf).unwrap().covers(name),
            "{name}"
        );
        assert_eq!(
            snapshot.end_point(server.server_name()),
            super::super::end_point(leaf).as_deref(),
            "{name}"
        );
    }
    assert!(shake(&snapshot, Listener::XmppStartTls, &settings, "c.example").is_err());
}

#[test]
fn both_versions_resume_with_tickets() {
    let (_place, _folder, _config, certificates) = open("[\"a.example\"]");
    let snapshot = certificates.current();
    for version in BOTH {
        let settings = client(&snapshot, &[version], &[]);
        let (_, first) = shake(&snapshot, Listener::XmppDirect, &settings, "a.example").unwrap();
        assert_eq!(first.protocol_version(), Some(version.version));
        assert_ne!(first.handshake_kind(), Some(HandshakeKind::Resumed));
        let (_, second) = shake(&snapshot, Listener::XmppDirect, &settings, "a.example").unwrap();
        assert_eq!(second.handshake_kind(), Some(HandshakeKind::Resumed));
    }
}

#[test]
fn both_ends_export_the_same_on_both_versions() {
    let (_place, _folder, _config, certificates) = open("[\"a.example\"]");
    let snapshot = certificates.current();
    for version in BOTH {
        let (client, server) = shake(
            &snapshot,
            Listener::XmppStartTls,
            &client(&snapshot, &[version], &[]),
            "a.example",
        )
        .unwrap();
        let label = b"EXPORTER-Channel-Binding";
        let ours = server
            .export_keying_material([0_u8; 32], label, Some(&b""[..]))
            .unwrap();
        assert_eq!(
            client
                .export_keying_material([0_u8; 32], label, Some(&b""[..]))
                .unwrap(),
            ours
        );
    }
}

#[test]
fn the_protocol_is_settled_by_listener() {
    let (_place, _folder, _config, certificates) = open("[\"a.example\"]");
    let snapshot = certificates.current();
    let cases = [
        (Listener::XmppStartTls, &b"xmpp-client"[..], None),
        (
            Listener::XmppDirect,
            &b"xmpp-client"[..],
            Some(&b"xmpp-client"[..]),
        ),
        (Listener::Http, &b"http/1.1"[..], Some(&b"http/1.1"[..])),
        (Listener::Http, &b"h2"[..], Some(&b"h2"[..])),
        (Listener::Sip, &b"sip/2"[..], Some(&b"sip/2"[..])),
    ];
    for (listener, offered, settled) in cases {
        let (_, server) = shake(
            &snapshot,
            listener,
            &client(&snapshot, BOTH, &[offered]),
            "a.example",
        )
        .unwrap();
        assert_eq!(server.alpn_protocol(), settled, "{listener:?}");
        shake(
            &snapshot,
            listener,
            &client(&snapshot, BOTH, &[]),
            "a.example",
        )
        .unwrap();
    }
    assert!(
        shake(
            &snapshot,
            Listener::XmppDirect,
            &client(&snapshot, BOTH, &[b"h2"]),
            "a.example"
        )
        .is_err()
    );
}

#[test]
fn certificates_are_exchanged_while_running() {
    let (_place, folder, _config, certificates) = open("[\"a.example\"]");
    let old = certificates.current();
    let now = OffsetDateTime::now_utc();
    let config = crate::config::parse("domains = [\"a.example\", \"new.example\"]", None, [])
        .unwrap()
        .config;
    certificates.reload(&config, &folder, now).unwrap();
    let new = certificates.current();
    assert_eq!(new.identities().len(), 2);
    shake(&new, Listener::Sip, &client(&new, BOTH, &[]), "new.example").unwrap();
    shake(&old, Listener::Sip, &client(&old, BOTH, &[]), "a.example").unwrap();
    certificates.reload(&config, &folder, now).unwrap();
    assert!(
        Arc::ptr_eq(&new, &certificates.current()),
        "unchanged certificates stay in use"
    );
    let broken = crate::config::parse(
        "[tls]\ncertificate = \"/nowhere/c\"\nkey = \"/nowhere/k\"",
        None,
        [],
    )
    .unwrap()
    .config;
    assert!(certificates.reload(&broken, &folder, now).is_err());
    assert!(Arc::ptr_eq(&new, &certificates.current()));
}
