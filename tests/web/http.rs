//! HTTP/1.0, 1.1 and 2 on both listeners.

use super::wire::{Wire, get};
use crate::support::{Server, wait_for};

#[test]
fn connections_are_kept_and_requests_may_be_sent_ahead() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    assert_eq!(wire.ask(&get("/healthz", "")).text(), "alive\n");
    assert_eq!(wire.ask(&get("/readyz", "")).text(), "ready\n");
    let ahead = [get("/healthz", ""), get("/nothing", ""), get("/readyz", "")].concat();
    wire.send(&ahead);
    assert_eq!(wire.hear().text(), "alive\n");
    assert_eq!(wire.hear().status, 404);
    assert_eq!(wire.hear().text(), "ready\n");
    assert_eq!(
        wire.ask(&get("/healthz", "Connection: close\r\n")).status,
        200
    );
    wire.ends();
}

#[test]
fn old_clients_are_answered_and_their_connection_is_closed() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    assert_eq!(wire.ask("GET /healthz HTTP/1.0\r\n\r\n").text(), "alive\n");
    wire.ends();
    let mut wire = Wire::plain(&server);
    let request = "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    for _ in 0..2 {
        assert_eq!(wire.ask(request).text(), "alive\n");
    }
}

#[test]
fn what_every_path_has_in_common() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    let heard = wire.ask("HEAD /healthz HTTP/1.1\r\nHost: [::1]:5280\r\n\r\n");
    assert_eq!(heard.status, 200);
    assert_eq!(heard.header("content-length"), Some("6"));
    assert_eq!(heard.header("x-content-type-options"), Some("nosniff"));
    let heard = wire.ask("OPTIONS /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(heard.status, 204);
    assert_eq!(heard.header("allow"), Some("GET, HEAD, OPTIONS"));
    let heard = wire.ask("DELETE /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(heard.status, 405);
    assert_eq!(heard.header("allow"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(
        wire.ask("BREW /healthz HTTP/1.1\r\nHost: x\r\n\r\n").status,
        501
    );
    let everything = "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_eq!(wire.ask(everything).status, 204);
    let coded =
        "GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(Wire::plain(&server).ask(coded).status, 501);
    let absolute = "GET http://localhost/healthz HTTP/1.1\r\nHost: other\r\n\r\n";
    assert_eq!(wire.ask(absolute).text(), "alive\n");
    assert_eq!(wire.ask("GET /healthz HTTP/1.1\r\n\r\n").status, 400);
    let twice = "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
    assert_eq!(Wire::plain(&server).ask(twice).status, 400);
}

#[test]
fn protocols_are_settled_by_alpn() {
    let server = Server::start(&[]);
    let (mut wire, chosen) = Wire::tls(&server, &["h2", "http/1.1"]);
    assert_eq!(chosen.as_deref(), Some("h2"));
    wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    drop(wire);
    for offered in [&["http/1.1"][..], &[]] {
        let (mut wire, chosen) = Wire::tls(&server, offered);
        assert_eq!(chosen.as_deref(), offered.first().copied());
        assert_eq!(wire.ask(&get("/healthz", "")).text(), "alive\n");
    }
}

#[test]
fn in_the_clear_http_2_is_told_by_its_preface() {
    let server = Server::with("[limits]\nhttp_idle_time = \"500ms\"", &[]);
    let mut wire = Wire::plain(&server);
    wire.octets(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    // The first frame is SETTINGS (RFC 9113 §3.4).
    assert_eq!(wire.rest().get(3), Some(&4));
    let mut wire = Wire::plain(&server);
    wire.octets(b"P");
    wire.octets(b"OST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(wire.hear().status, 405);
}

#[test]
fn who_is_idle_is_closed() {
    let limits = "[limits]\nhttp_idle_time = \"500ms\"";
    let server = Server::with(limits, &[]);
    Wire::plain(&server).ends();
    Wire::tls(&server, &[]).0.ends();
    let mut wire = Wire::plain(&server);
    wire.try_octets(b"GET /healthz HTTP/1.1\r\nHo");
    wire.ends();
    // After an answer as before one. A test that sleeps itself for that long finds the connection closed already, and asks again.
    let kept = |connect: &dyn Fn() -> Wire| {
        wait_for("an answer in time", || {
            let mut wire = connect();
            wire.try_octets(get("/healthz", "").as_bytes());
            let rest = String::from_utf8(wire.rest()).unwrap();
            rest.contains("alive").then_some(rest)
        })
    };
    for rest in [
        kept(&|| Wire::plain(&server)),
        kept(&|| Wire::tls(&server, &[]).0),
    ] {
        assert!(rest.ends_with("alive\n"), "{rest}");
    }
}

#[test]
fn who_does_not_read_is_closed() {
    let app = tempfile::tempdir().unwrap();
    std::fs::write(app.path().join("index.html"), "x").unwrap();
    let large = std::fs::File::create(app.path().join("large.bin")).unwrap();
    large.set_len(30 << 20).unwrap();
    let config = format!(
        "[http]\napp = '{}'\n[limits]\nhttp_idle_time = \"500ms\"",
        app.path().display()
    );
    let server = Server::with(&config, &[]);
    let mut wire = Wire::plain(&server);
    wire.try_octets(get("/large.bin", "").as_bytes());
    wait_for("it is closed", || (!is_open(wire.port())).then_some(()));
    assert!(wire.rest().len() < 30 << 20);
    // Who reads gets all of it, however long that takes.
    let all = wait_for("all of it", || {
        let mut wire = Wire::plain(&server);
        wire.try_octets(get("/large.bin", "Connection: close\r\n").as_bytes());
        let all = wire.rest();
        (all.len() > 30 << 20).then_some(all)
    });
    assert!(all.ends_with(&[0; 1000]));
}

/// Whether the server's end of the connection from this port is open (state 01 of tcp(5) in proc).
fn is_open(port: u16) -> bool {
    let port = format!(":{port:04X}");
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().any(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        columns.get(2).is_some_and(|remote| remote.ends_with(&port))
            && columns.get(3) == Some(&"01")
    })
}
