//! Bodies of requests: how large, how slow, how coded. BOSH takes them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::wire::{Heard, Wire};
use crate::support::Server;

/// What no session has: the answer to what was read and understood.
const BODY: &str = "<body xmlns='http://jabber.org/protocol/httpbind' sid='nobodys' rid='1'/>";

fn head(headers: &str) -> String {
    format!(
        "POST /http-bind HTTP/1.1\r\nHost: office.example\r\nContent-Type: text/xml\r\n{headers}\r\n"
    )
}

fn whole(wire: &mut Wire, coding: &str, body: &[u8]) -> Heard {
    let length = body.len();
    let head = head(&format!(
        "Content-Length: {length}\r\nContent-Encoding: {coding}\r\n"
    ));
    wire.octets(&[head.as_bytes(), body].concat());
    wire.hear()
}

#[track_caller]
fn is_understood(heard: &Heard) {
    let said = String::from_utf8_lossy(&heard.body);
    assert!(said.contains("item-not-found"), "{} {said}", heard.head);
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_way_to_send_a_body() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    for coding in ["identity", ""] {
        is_understood(&whole(&mut wire, coding, BODY.as_bytes()));
    }
    is_understood(&whole(&mut wire, "gzip", &gzip(BODY.as_bytes())));
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(BODY.as_bytes()).unwrap();
    is_understood(&whole(&mut wire, "deflate", &zlib.finish().unwrap()));
    // Chunked, in pieces.
    wire.send(&head("Transfer-Encoding: chunked\r\n"));
    for part in BODY.as_bytes().chunks(10) {
        let size = part.len();
        wire.octets(&[format!("{size:x};x=y\r\n").as_bytes(), part, b"\r\n"].concat());
    }
    wire.send("0\r\nTrailer: x\r\n\r\n");
    is_understood(&wire.hear());
    // Who asks first is told to go on, and who sends the next one ahead is answered in order.
    let length = BODY.len();
    wire.send(&head(&format!(
        "Content-Length: {length}\r\nExpect: 100-continue\r\n"
    )));
    assert_eq!(wire.hear().status, 100);
    let next = head(&format!("Content-Length: {length}\r\n"));
    wire.send(&format!("{BODY}{next}{BODY}"));
    is_understood(&wire.hear());
    is_understood(&wire.hear());
}

#[test]
fn what_is_too_large_is_refused() {
    let server = Server::with(
        "[limits]\nstanza_size = \"1KiB\"\nhttp_request_size = \"1KiB\"",
        &[],
    );
    let large = vec![b' '; 300_000];
    // It says so itself: refused before it is sent.
    let mut wire = Wire::plain(&server);
    wire.send(&head("Content-Length: 300000\r\nExpect: 100-continue\r\n"));
    let heard = wire.hear();
    assert_eq!(heard.status, 413, "{}", heard.head);
    wire.ends();
    let mut wire = Wire::plain(&server);
    let chunk = [
        format!("{:x}\r\n", large.len()).as_bytes(),
        &large,
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    wire.octets(&[head("Transfer-Encoding: chunked\r\n").as_bytes(), &chunk].concat());
    assert_eq!(wire.hear().status, 413);
    // Bombs: 1,000 times as large as they come.
    let bomb = gzip(&large);
    assert!(bomb.len() < 1000);
    let mut wire = Wire::plain(&server);
    assert_eq!(whole(&mut wire, "gzip", &bomb).status, 413);
    let mut wire = Wire::plain(&server);
    let many = gzip(b"    ").repeat(40);
    assert_ne!(whole(&mut wire, "gzip", &many).status, 413);
}

#[test]
fn who_is_slow_is_told_so() {
    let server = Server::with("[limits]\nhttp_request_time = \"500ms\"", &[]);
    let length = BODY.len();
    for (headers, begun) in [
        (format!("Content-Length: {length}\r\n"), &BODY[..10]),
        (
            "Transfer-Encoding: chunked\r\n".to_owned(),
            "5\r\n<body\r\n",
        ),
        (format!("Content-Length: {length}\r\n"), ""),
    ] {
        let mut wire = Wire::plain(&server);
        wire.send(&(head(&headers) + begun));
        let heard = wire.hear();
        assert_eq!(heard.status, 408, "{}", heard.head);
        assert_eq!(heard.header("connection"), Some("close"));
        wire.ends();
    }
}

#[test]
fn what_cannot_be_read_is_refused() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    let heard = whole(&mut wire, "gzip", b"no gzip");
    assert_eq!(heard.status, 400);
    is_understood(&whole(&mut wire, "identity", BODY.as_bytes()));
    let mut wire = Wire::plain(&server);
    let heard = whole(&mut wire, "br", BODY.as_bytes());
    assert_eq!(heard.status, 415);
    assert_eq!(heard.header("accept-encoding"), Some("gzip, deflate"));
    for broken in [
        "zz\r\nx\r\n0\r\n\r\n",
        "5\r\n<bodyXX",
        "-1\r\n",
        "FFFFFFFFFFFFFFFFFF\r\n",
    ] {
        let mut wire = Wire::plain(&server);
        wire.send(&(head("Transfer-Encoding: chunked\r\n") + broken));
        assert_eq!(wire.hear().status, 400, "{broken:?}");
        wire.ends();
    }
    // A cut body is answered by nobody, and changes nothing.
    let mut wire = Wire::plain(&server);
    wire.send(&(head("Content-Length: 100\r\n") + "<body"));
    drop(wire);
    assert_eq!(server.get("/healthz").0, 200);
}
