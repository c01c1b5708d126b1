//! `adsum check`, `completions`, `config`.

use std::net::{TcpListener, UdpSocket};

use crate::support::Server;

#[test]
fn ports_are_checked() {
    let mut server = Server::prepared("");
    server.ok(&["check", "ports"]);
    let taken = TcpListener::bind((server.ip(), 0)).unwrap();
    let phone = UdpSocket::bind((server.ip(), 0)).unwrap();
    let (tcp, udp) = (taken.local_addr().unwrap(), phone.local_addr().unwrap());
    server.reconfigure(&format!(
        "[xmpp]\nclient = [\"{tcp}\"]\n[sip]\nudp = [\"{udp}\"]"
    ));
    let done = server.run(&["check", "ports"]);
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(said.contains(&tcp.to_string()), "{said}");
    assert!(said.contains(&udp.to_string()), "both at once: {said}");
    assert!(!server.data().exists(), "checking makes nothing");
}

#[test]
fn ports_of_the_running_server_are_its_own() {
    let mut server = Server::start(&[]);
    // The ports of a running server are taken, by itself: that is no mistake.
    let done = server.run(&["check", "ports"]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert!(server.runs());
}

#[test]
fn certificates_are_checked() {
    let mut server = Server::prepared("");
    let before = server.run(&["check", "certs"]);
    assert!(
        before.status.code().is_some_and(|code| code < 2),
        "{before:?}"
    );
    server.launch();
    let now = server.run(&["check", "certs"]);
    assert_eq!(now.status.code(), Some(0), "{now:?}");

    // For another name, and of yesterday.
    let mut facts = rcgen::CertificateParams::new(["other.example".to_owned()]).unwrap();
    facts.not_before = rcgen::date_time_ymd(2020, 1, 1);
    facts.not_after = rcgen::date_time_ymd(2020, 2, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let folder = server.folder().to_owned();
    std::fs::write(folder.join("c.pem"), facts.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(folder.join("k.pem"), key.serialize_pem()).unwrap();
    server.reconfigure("[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"");
    let done = server.run(&["check", "certs"]);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(said.contains("office.example"), "{said}");
    assert!(said.contains("2020"), "both at once: {said}");
}

#[test]
fn configuration_is_checked() {
    let mut server = Server::prepared("");
    server.ok(&["check", "config"]);
    server.reconfigure("[limits]\nstanza_size = \"1EiB\"\n[log]\nlevel = \"loud\"");
    let done = server.run(&["check", "config"]);
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(said.contains("limits.stanza_size"), "{said}");
    assert!(said.contains("log.level"), "both at once: {said}");
}
