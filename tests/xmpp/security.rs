//! TLS: versions, tickets, names, and channels that logins are bound to.

use std::io::{Read as _, Write as _};

use ::xmpp::sasl::Hash;
use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};

use crate::support::tls::Tls;
use crate::support::{Client, DOMAIN, Server};

/// Names of the mechanisms that the features offer.
fn mechanisms(features: &xml::Element) -> Vec<String> {
    let list = features.child("mechanisms", "urn:ietf:params:xml:ns:xmpp-sasl");
    let list = list.expect("mechanisms");
    list.children().map(|m| m.text().into_owned()).collect()
}

#[test]
fn starttls_and_direct_tls_of_both_versions() {
    let server = Server::start(&["ann"]);
    for version in [&TLS12, &TLS13] {
        let tls = Tls::new(&server, &[version], &[]);
        let mut ann = Client::connect(&server);
        let features = ann.open();
        let start_tls = features.child("starttls", "urn:ietf:params:xml:ns:xmpp-tls");
        assert!(
            start_tls.is_some_and(|s| s
                .child("required", "urn:ietf:params:xml:ns:xmpp-tls")
                .is_some()),
            "{features:?}"
        );
        assert_eq!(
            features.children().count(),
            1,
            "nothing but STARTTLS: {features:?}"
        );
        let features = ann.start_tls(&tls);
        assert_eq!(ann.tls().protocol_version(), Some(version.version));
        assert!(
            features
                .child("starttls", "urn:ietf:params:xml:ns:xmpp-tls")
                .is_none()
        );
        ann.scram(Hash::Sha256, "ann", "ann-secret", None).unwrap();
        ann.bind("desk");
        assert_eq!(ann.jid, format!("ann@{DOMAIN}/desk"));
        ann.close();

        let tls = Tls::new(&server, &[version], &["xmpp-client"]);
        let mut ann = Client::direct(&server, &tls);
        assert_eq!(ann.tls().alpn_protocol(), Some(&b"xmpp-client"[..]));
        ann.open();
        ann.plain("ann", "ann-secret").unwrap();
        ann.bind("desk");
        ann.close();
    }
}

#[test]
fn direct_tls_for_another_protocol_is_refused() {
    let server = Server::start(&[]);
    let mut client = Client::to(server.address("xmpp.client_tls"));
    let tls = Tls::new(&server, rustls::ALL_VERSIONS, &["http/1.1"]);
    let error = client.try_handshake(&tls, DOMAIN).unwrap_err();
    let alert = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<rustls::Error>());
    assert_eq!(
        alert,
        Some(&rustls::Error::AlertReceived(
            rustls::AlertDescription::NoApplicationProtocol
        ))
    );
}

#[test]
fn tickets_resume_a_session() {
    let server = Server::start(&["ann"]);
    for version in [&TLS12, &TLS13] {
        let tls = Tls::new(&server, &[version], &[]);
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let mut ann = Client::connect(&server);
            ann.open();
            ann.start_tls(&tls);
            let kind = ann.tls().handshake_kind();
            // The features have come: with them the tickets of TLS 1.3.
            assert_eq!(kind, Some(expected), "{version:?}");
            let exporter = exporter(&ann);
            ann.scram(
                Hash::Sha256,
                "ann",
                "ann-secret",
                Some(("tls-exporter", exporter)),
            )
            .unwrap();
            ann.bind("");
            ann.close();
        }
    }
}

#[test]
fn each_domain_shows_its_certificate_by_sni() {
    let server = Server::with(
        "domains = [\"office.example\", \"branch.example\"]",
        &["ann", "ann@branch.example"],
    );
    let mut seen = Vec::new();
    for domain in ["office.example", "branch.example"] {
        for direct in [false, true] {
            // The client compares the certificate with the name.
            let tls = Tls::trusting(&server);
            let mut ann = if direct {
                let mut ann = Client::to(server.address("xmpp.client_tls"));
                ann.handshake(&tls, domain);
                ann.set_domain(domain);
                ann.open();
                ann
            } else {
                let mut ann = Client::connect(&server);
                ann.set_domain(domain);
                ann.open();
                ann.start_tls(&tls);
                ann
            };
            seen.push(ann.tls().peer_certificates().unwrap()[0].clone());
            ann.scram(Hash::Sha256, "ann", "ann-secret", None).unwrap();
            ann.bind("desk");
            assert_eq!(ann.bare(), format!("ann@{domain}"));
            ann.close();
        }
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[1], seen[2]);
}

fn exporter(client: &Client) -> Vec<u8> {
    let data = client
        .tls()
        .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""))
        .unwrap();
    data.to_vec()
}

fn end_point(client: &Client) -> Vec<u8> {
    use sha2::Digest as _;
    // The certificates of the local authority are signed with SHA-256.
    let certificate = &client.tls().peer_certificates().unwrap()[0];
    sha2::Sha256::digest(certificate).to_vec()
}

#[test]
fn logins_bound_to_the_channel() {
    let server = Server::start(&["ann"]);
    for version in [&TLS12, &TLS13] {
        for hash in Hash::ALL {
            for kind in ["tls-exporter", "tls-server-end-point"] {
                let tls = Tls::new(&server, &[version], &[]);
                let mut ann = Client::connect(&server);
                ann.open();
                let features = ann.start_tls(&tls);
                let offered = mechanisms(&features);
                assert_eq!(
                    offered,
                    [
                        "SCRAM-SHA-512-PLUS",
                        "SCRAM-SHA-256-PLUS",
                        "SCRAM-SHA-1-PLUS",
                        "SCRAM-SHA-512",
                        "SCRAM-SHA-256",
                        "SCRAM-SHA-1",
                        "PLAIN"
                    ]
                );
                let bindings = features
                    .child("sasl-channel-binding", "urn:xmpp:sasl-cb:0")
                    .expect("XEP-0440");
                let types: Vec<String> = bindings
                    .children()
                    .map(|b| b.attribute("type").unwrap().into_owned())
                    .collect();
                assert_eq!(types, ["tls-exporter", "tls-server-end-point"]);
                let data = if kind == "tls-exporter" {
                    exporter(&ann)
                } else {
                    end_point(&ann)
                };
                let mut wrong = data.clone();
                wrong[0] ^= 1;
                let refused = ann.scram(hash, "ann", "ann-secret", Some((kind, wrong)));
                assert_eq!(refused.err().as_deref(), Some("not-authorized"));
                ann.scram(hash, "ann", "ann-secret", Some((kind, data)))
                    .unwrap();
                ann.bind("desk");
                ann.close();
            }
        }
    }
}

#[test]
fn a_client_that_was_shown_no_binding_finds_out() {
    // `y`: the client could bind but saw no -PLUS. Somebody has cut it out of the list (RFC 5802 §6).
    let server = Server::start(&["ann"]);
    let mut ann = Client::connect(&server);
    ann.open();
    ann.start_tls(&Tls::trusting(&server));
    ann.auth("SCRAM-SHA-256", b"y,,n=ann,r=nonce");
    assert_eq!(
        ann.payload("success").err().as_deref(),
        Some("not-authorized")
    );
}

#[test]
fn what_comes_in_the_clear_behind_starttls_is_thrown_away() {
    let server = Server::start(&["ann"]);
    let mut ann = Client::connect(&server);
    ann.open();
    // An attacker in the middle adds a command in the clear, hoping that it counts as said inside TLS.
    let socket = ann.socket().try_clone().unwrap();
    (&socket)
        .write_all(
            b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\
              <stream:stream to='office.example' version='1.0' xmlns='jabber:client' \
              xmlns:stream='http://etherx.jabber.org/streams'><auth mechanism='PLAIN'>AGFubgBhbm4tc2VjcmV0</auth>",
        )
        .unwrap();
    assert!(
        ann.next("proceed")
            .is("proceed", "urn:ietf:params:xml:ns:xmpp-tls")
    );
    ann.handshake(&Tls::trusting(&server), DOMAIN);
    // Were it kept, its features or an error would be here before ours, and a second header would be wrong.
    let features = ann.open();
    assert!(!mechanisms(&features).is_empty());
    ann.scram(Hash::Sha256, "ann", "ann-secret", None).unwrap();
    ann.bind("desk");
    ann.close();
}

#[test]
fn what_follows_the_handshake_in_one_flight_is_read() {
    let server = Server::start(&["ann"]);
    for version in [&TLS12, &TLS13] {
        let mut client = Client::to(server.address("xmpp.client_tls"));
        let tls = Tls::new(&server, &[version], &[]);
        client.handshake_with(
            &tls,
            DOMAIN,
            "<stream:stream to='office.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
        );
        client.opened();
        let features = client.next("features");
        assert!(!mechanisms(&features).is_empty());
        client
            .scram(Hash::Sha256, "ann", "ann-secret", None)
            .unwrap();
        client.bind("desk");
        client.close();
    }
}

#[test]
fn a_burst_is_read_to_its_end() {
    let server = Server::start(&["ann"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let body = "x".repeat(3000);
    for round in 0..5 {
        let mut burst = String::new();
        for number in 0..100 {
            burst.push_str(&format!(
                "<message to='ann@office.example/desk' type='chat' id='{round}-{number}'><body>{body}</body></message>"
            ));
        }
        ann.send(&burst);
        for number in 0..100 {
            let got = ann.next("a message");
            assert_eq!(got.attribute("id").unwrap(), format!("{round}-{number}"));
        }
    }
    ann.close();
}

#[test]
fn plain_passwords_do_not_travel_in_the_clear() {
    let server = Server::start(&["ann"]);
    let mut ann = Client::connect(&server);
    ann.open();
    ann.auth("PLAIN", b"\0ann\0ann-secret");
    let answer = ann.payload("success");
    assert_eq!(answer.err().as_deref(), Some("encryption-required"));

    // Without TLS required it is offered, for benchmarks on loopback.
    let server = Server::with("[xmpp]\nrequire_tls = false", &["ann"]);
    let mut ann = Client::connect(&server);
    let features = ann.open();
    assert!(mechanisms(&features).contains(&"PLAIN".to_owned()));
    assert!(
        !mechanisms(&features)
            .iter()
            .any(|name| name.ends_with("-PLUS"))
    );
    ann.plain("ann", "ann-secret").unwrap();
    ann.bind("desk");
    ann.close();
}

#[test]
fn rubbish_instead_of_a_handshake() {
    let server = Server::start(&["ann"]);
    let client = Client::to(server.address("xmpp.client_tls"));
    let mut socket = client.socket();
    socket.write_all(b"<stream:stream>\r\n\r\n").unwrap();
    socket
        .set_read_timeout(Some(crate::support::DEADLINE))
        .unwrap();
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest);
    assert!(rest.len() < 16, "an alert at most: {rest:?}");
    Client::online(&server, "ann", "desk").close();
}
