//! The handshake (RFC 6455 §4.2, RFC 7395 §3.1), who may connect, and how many.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::browser::{Browser, FRAMING, Heard, OPEN, TEXT, frame, request};
use crate::support::tls::Tls;
use crate::support::{DEADLINE, DOMAIN, Server, wait_for};

#[test]
fn it_is_answered() {
    let server = Server::start(&[]);
    for mut browser in [Browser::plain(&server), Browser::secure(&server)] {
        let answer = browser.ask(&request(&[(
            "Sec-WebSocket-Extensions",
            "permessage-deflate",
        )]));
        assert_eq!(answer.status, 101);
        // RFC 6455 §1.3.
        let proof = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        assert_eq!(answer.header("sec-websocket-accept"), Some(proof));
        assert_eq!(answer.header("sec-websocket-protocol"), Some("xmpp"));
        assert_eq!(answer.header("upgrade"), Some("websocket"));
        assert_eq!(answer.header("connection"), Some("Upgrade"));
        assert_eq!(answer.header("sec-websocket-extensions"), None);
        let features = browser.open();
        assert!(features.children().all(|child| child.name() != "starttls"));
    }
}

#[test]
fn what_is_no_handshake() {
    let server = Server::start(&[]);
    let mut browser = Browser::plain(&server);
    for (changes, status) in [
        (("Upgrade", ""), 426),
        (("Upgrade", "h2c"), 426),
        (("Sec-WebSocket-Version", ""), 426),
        (("Sec-WebSocket-Version", "8"), 426),
        (("Connection", "keep-alive"), 400),
        (("Sec-WebSocket-Key", ""), 400),
        (("Sec-WebSocket-Key", "c2hvcnQ="), 400),
        (("Sec-WebSocket-Protocol", ""), 400),
        (("Sec-WebSocket-Protocol", "chat"), 400),
        (("Host", ""), 400),
    ] {
        let mut other = Browser::plain(&server);
        let answer = other.ask(&request(&[changes]));
        assert_eq!(answer.status, status, "{changes:?}");
        let is_426 = status == 426;
        assert_eq!(answer.header("sec-websocket-version").is_some(), is_426);
        assert_eq!(answer.header("upgrade").is_some(), is_426);
        assert_eq!(answer.header("sec-websocket-accept"), None);
    }
    let post = request(&[]).replacen("GET", "POST", 1);
    assert_eq!(Browser::plain(&server).ask(&post).status, 405);
    let old = request(&[]).replacen("HTTP/1.1", "HTTP/1.0", 1);
    assert_eq!(Browser::plain(&server).ask(&old).status, 426);
    // Lists, in any case, over several headers.
    let listed = request(&[
        ("Upgrade", "h2c, WebSocket"),
        ("Connection", "keep-alive, upgrade"),
        (
            "Sec-WebSocket-Protocol",
            "chat\r\nSec-WebSocket-Protocol: super, xmpp",
        ),
    ]);
    assert_eq!(browser.ask(&listed).status, 101);
    browser.open();
}

/// Octets behind the handshake are the first frame.
#[test]
fn a_client_need_not_wait_for_the_answer() {
    let server = Server::start(&[]);
    for mut browser in [Browser::plain(&server), Browser::secure(&server)] {
        let mut octets = request(&[]).into_bytes();
        octets.extend(frame(TEXT, OPEN.as_bytes()));
        browser.octets(&octets);
        assert_eq!(browser.answer().status, 101);
        let open = browser.element();
        assert!(open.is("open", FRAMING));
    }
}

/// TLS that ends right behind the handshake ends the connection, which waits for nothing more.
#[test]
fn a_client_that_is_gone_with_its_handshake() {
    let server = Server::with("[limits]\nunauthenticated_time = \"5m\"", &[]);
    let tls = Tls::new(&server, rustls::ALL_VERSIONS, &["http/1.1"]);
    let mut socket = TcpStream::connect(server.address("http.listen_tls")).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let name = ServerName::try_from(DOMAIN).unwrap();
    let mut connection = ClientConnection::new(Arc::clone(&tls.0), name).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).unwrap();
    }
    // In one piece, so that all is read at once: the stream is begun, and the connection is left.
    let all = [request(&[]).as_bytes(), &frame(TEXT, OPEN.as_bytes())].concat();
    connection.writer().write_all(&all).unwrap();
    connection.send_close_notify();
    let mut octets = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut octets).unwrap();
    }
    socket.write_all(&octets).unwrap();
    let mut heard = Vec::new();
    StreamOwned::new(connection, socket)
        .read_to_end(&mut heard)
        .unwrap();
    assert!(heard.starts_with(b"HTTP/1.1 101 "));
    assert!(heard.ends_with(&[0x88, 2, 0x03, 0xE8]), "{heard:02X?}");
}

#[test]
fn pages_of_others_connect_where_they_may() {
    let origin = |server: &Server, origin: &str| {
        Browser::secure(server)
            .ask(&request(&[("Host", "office.example"), ("Origin", origin)]))
            .status
    };
    let server = Server::start(&[]);
    assert_eq!(origin(&server, "https://anywhere.example"), 101);
    let listed = "[http]\ncors = [\"https://intra.example\"]";
    let server = Server::with(listed, &[]);
    for (page, status) in [
        ("https://intra.example", 101),
        ("https://INTRA.example", 101),
        // This server's own pages, but for those that came without TLS.
        ("https://office.example", 101),
        ("https://office.example:443", 101),
        ("http://office.example", 403),
        ("https://office.example:5281", 403),
        // A program.
        ("", 101),
        ("http://intra.example", 403),
        ("https://intra.example.evil.example", 403),
        ("https://anywhere.example", 403),
        ("null", 403),
    ] {
        assert_eq!(origin(&server, page), status, "{page}");
    }
}

/// By what way a page has come is what a trusted proxy says.
#[test]
fn own_pages_behind_a_proxy() {
    let config = "[http]\ncors = []\ntrusted_proxies = [\"127.0.0.0/8\"]";
    let server = Server::with(config, &[]);
    let asks = |scheme: &str, origin: &str| {
        let headers = [
            ("Host", "im.office.example"),
            ("Origin", origin),
            ("X-Forwarded-For", "203.0.113.9"),
            ("X-Forwarded-Proto", scheme),
        ];
        Browser::plain(&server).ask(&request(&headers)).status
    };
    assert_eq!(asks("https", "https://im.office.example"), 101);
    assert_eq!(asks("https", "http://im.office.example"), 403);
    assert_eq!(asks("http", "http://im.office.example"), 101);
    assert_eq!(asks("http", "https://im.office.example"), 403);
    // Without a proxy.
    let headers = [
        ("Host", "localhost:5280"),
        ("Origin", "http://localhost:5280"),
    ];
    let here = Browser::plain(&server).ask(&request(&headers));
    assert_eq!(here.status, 101);
}

/// A connection counts as long as it lives, also when it is no HTTP any more.
#[test]
fn connections_are_counted() {
    let server = Server::with("[limits]\nconnections_per_address = 2", &["ann"]);
    let one = Browser::opened(&server);
    let two = Browser::opened(&server);
    let mut three = Browser::plain(&server);
    three.try_octets(request(&[]).as_bytes());
    assert_eq!(three.hear(), Heard::End);
    drop((one, two));
    wait_for("room", || {
        let mut again = Browser::plain(&server);
        again.try_octets(request(&[]).as_bytes());
        again.try_answer().filter(|answer| answer.status == 101)
    });
}

/// Those of a proxy are its clients', by whom it says.
#[test]
fn connections_of_a_proxy_are_counted_by_client() {
    let server = Server::with(
        "[limits]\nconnections_per_address = 2\n[http]\ntrusted_proxies = [\"127.0.0.0/8\"]",
        &["ann"],
    );
    let shake = |browser: &mut Browser, client: &str| {
        browser.ask(&request(&[
            ("X-Forwarded-For", client),
            ("X-Forwarded-Proto", "https"),
        ]))
    };
    let from = |client: &str| {
        let mut browser = Browser::plain(&server);
        assert_eq!(shake(&mut browser, client).status, 101, "{client}");
        browser.open();
        browser
    };
    // What a proxy keeps open for later is nobody's.
    let _idle: Vec<_> = (0..5).map(|_| Browser::plain(&server)).collect();
    let (one, _two) = (from("192.0.2.1"), from("192.0.2.1"));
    let mut third = Browser::plain(&server);
    let refused = shake(&mut third, "192.0.2.1");
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    let length = refused.header("content-length").unwrap();
    third.skip(length.parse().unwrap());
    // The proxy's connection goes on, for another client.
    assert_eq!(shake(&mut third, "192.0.2.2").status, 101);
    third.open();
    let _others: Vec<_> = (3..8).map(|n| from(&format!("192.0.2.{n}"))).collect();
    drop(one);
    wait_for("room", || {
        let mut again = Browser::plain(&server);
        (shake(&mut again, "192.0.2.1").status == 101).then_some(())
    });
}
