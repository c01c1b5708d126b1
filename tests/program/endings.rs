//! Signals, and how connections see them.

use std::time::{Duration, Instant};

use crate::support::tls::Tls;
use crate::support::{Client, Server, wait_for};

#[test]
fn sigterm_closes_streams_and_ends_with_0() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&["ann", "bob"]);
        let mut ann = Client::online(&server, "ann", "desk");
        let mut bob = Client::connect(&server);
        bob.open();
        let start = Instant::now();
        server.signal(signal);
        ann.ends_with("system-shutdown");
        bob.ends_with("system-shutdown");
        assert_eq!(server.ended().code(), Some(0));
        assert!(start.elapsed() < Duration::from_secs(5));
        assert!(!server.data().join("listening.json").exists());
        assert!(!server.data().join("admin.sock").exists());
        server.launch();
        Client::online(&server, "ann", "desk").close();
    }
}

#[test]
fn clients_that_do_not_answer_do_not_hold_it_up() {
    let mut server = Server::start(&["ann"]);
    let mute = Client::online(&server, "ann", "mute");
    let start = Instant::now();
    assert_eq!(server.terminate().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(5));
    drop(mute);
}

#[test]
fn sighup_keeps_connections_and_takes_new_certificates() {
    let mut server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let old = ann.tls().peer_certificates().unwrap()[0].clone();

    let made = rcgen::generate_simple_self_signed(["office.example".to_owned()]).unwrap();
    let folder = server.folder().to_owned();
    std::fs::write(folder.join("c.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("k.pem"), made.signing_key.serialize_pem()).unwrap();
    let trusting = Tls::trusting_only(&made.cert.pem());
    server.reconfigure(&format!(
        "[tls]\ncertificate = \"{0}/c.pem\"\nkey = \"{0}/k.pem\"",
        folder.display()
    ));
    server.signal("HUP");
    wait_for("the new certificate is in use", || {
        let mut fresh = Client::connect(&server);
        fresh.open();
        fresh.try_start_tls(&trusting)
    });
    ann.settle();
    assert_eq!(ann.tls().peer_certificates().unwrap()[0], old);

    // A configuration with mistakes changes nothing and ends nothing.
    std::fs::write(server.config_file(), "[xmpp]\nnonsense = 1\n").unwrap();
    server.signal("HUP");
    server.wait_for_log("nothing was changed");
    ann.settle();
    assert!(server.runs());
    ann.close();
}
