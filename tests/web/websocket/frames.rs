//! Frames (RFC 6455 §5, §7): what may come, and how the connection fails of what may not.

use super::browser::{Browser, CLOSING, FRAMING, Heard, OPEN, PING, PONG, TEXT, frame};
use crate::support::Server;

/// Fragments of a text, with what comes between them.
fn fragments(text: &str, between: &[u8]) -> Vec<u8> {
    let pieces: Vec<_> = text.as_bytes().chunks(7).collect();
    let last = pieces.len() - 1;
    let mut octets = Vec::new();
    for (at, piece) in pieces.into_iter().enumerate() {
        let opcode = u8::from(at == 0);
        let end = if at == last { 0x80 } else { 0 };
        octets.extend(frame(end | opcode, piece));
        octets.extend(between);
    }
    octets
}

#[test]
fn messages_in_fragments() {
    let server = Server::start(&[]);
    let mut browser = Browser::connect(&server);
    browser.octets(&fragments(OPEN, &[]));
    let open = browser.element();
    assert!(open.is("open", FRAMING));
    // Control frames come between, and are answered at once; empty fragments are fragments.
    let mut browser = Browser::connect(&server);
    let between = [frame(PING, b"x"), frame(0x00, b""), frame(PONG, b"y")].concat();
    let octets = fragments(OPEN, &between);
    browser.octets(&octets[..octets.len() - between.len()]);
    let pings = OPEN.len().div_ceil(7) - 1;
    for _ in 0..pings {
        assert_eq!(browser.hear(), Heard::Pong(b"x".to_vec()));
    }
    assert!(browser.element().is("open", FRAMING));
    // Octet by octet.
    let mut browser = Browser::connect(&server);
    for octet in frame(TEXT, OPEN.as_bytes()) {
        browser.octets(&[octet]);
    }
    assert!(browser.element().is("open", FRAMING));
    // All in one piece.
    let mut browser = Browser::connect(&server);
    let all = [
        frame(PING, b""),
        frame(TEXT, OPEN.as_bytes()),
        frame(PING, &[7; 125]),
    ];
    browser.octets(&all.concat());
    assert_eq!(browser.hear(), Heard::Pong(Vec::new()));
    let next = [browser.hear(), browser.hear(), browser.hear()];
    assert!(matches!(&next[0], Heard::Element(open) if open.is("open", FRAMING)));
    assert!(next.contains(&Heard::Pong(vec![7; 125])));
}

#[test]
fn violations_fail_the_connection() {
    let server = Server::start(&["ann"]);
    let cases: &[(&str, Vec<u8>, u16)] = &[
        ("no mask", vec![0x81, 0x02, b'h', b'i'], 1002),
        ("RSV1", vec![0xC1, 0x80, 1, 2, 3, 4], 1002),
        ("RSV2", vec![0xA1, 0x80, 1, 2, 3, 4], 1002),
        ("RSV3", vec![0x91, 0x80, 1, 2, 3, 4], 1002),
        ("a data opcode that means nothing", frame(0x83, b"x"), 1002),
        (
            "a control opcode that means nothing",
            frame(0x8B, b"x"),
            1002,
        ),
        ("a ping in fragments", frame(0x09, b"x"), 1002),
        ("a long ping", frame(PING, &[0; 126]), 1002),
        ("a fragment of nothing", frame(0x80, b"x"), 1002),
        (
            "a text within a text",
            [frame(0x01, b"<"), frame(TEXT, b"x")].concat(),
            1002,
        ),
        (
            "a length in too many octets",
            vec![0x81, 0xFE, 0, 5, 1, 2, 3, 4],
            1002,
        ),
        (
            "a negative length",
            vec![0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4],
            1002,
        ),
        ("half a reason", frame(CLOSING, b"\x03"), 1002),
        (
            "a reason that cannot be sent",
            frame(CLOSING, &1005_u16.to_be_bytes()),
            1002,
        ),
        (
            "a reason that means nothing",
            frame(CLOSING, &999_u16.to_be_bytes()),
            1002,
        ),
        ("binary", frame(0x82, b"x"), 1003),
        ("binary in fragments", frame(0x02, b"x"), 1003),
        ("no UTF-8", frame(TEXT, b"<a>\xFF</a>"), 1007),
        (
            "half a character",
            [frame(0x01, b"<a>\xC3"), frame(0x80, b"</a>")].concat(),
            1007,
        ),
        (
            "a reason in no UTF-8",
            frame(CLOSING, b"\x03\xE8\xFF"),
            1007,
        ),
    ];
    for (what, octets, reason) in cases {
        for open in [false, true] {
            let mut browser = Browser::connect(&server);
            if open {
                browser.open();
            }
            browser.octets(octets);
            let heard = std::iter::from_fn(|| Some(browser.hear()))
                .find(|heard| !matches!(heard, Heard::Element(_)));
            assert_eq!(
                heard,
                Some(Heard::Close(Some(*reason))),
                "{what}, open: {open}"
            );
            assert_eq!(browser.hear(), Heard::End, "{what}");
        }
    }
    // Nobody else is harmed.
    Browser::online(&server, "ann", "web");
}

#[test]
fn messages_that_are_too_big() {
    let server = Server::with("[limits]\nstanza_size = \"70KiB\"", &["ann"]);
    // Before authentication 8 KiB, told by the length alone.
    let mut browser = Browser::opened(&server);
    browser.octets(&frame(TEXT, &[b'<'; 9000])[..8]);
    browser.ends_with("policy-violation", 1009);
    let mut browser = Browser::online(&server, "ann", "web");
    let body = "x".repeat(69 * 1024);
    browser.send("ann@office.example", &body);
    browser.message(&body);
    let large = format!(
        "<message xmlns='jabber:client'>{}</message>",
        "x".repeat(71 * 1024)
    );
    browser.octets(&fragments_of(&large, 30_000));
    browser.ends_with("policy-violation", 1009);
}

fn fragments_of(text: &str, size: usize) -> Vec<u8> {
    let mut octets = frame(0x01, b"");
    for piece in text.as_bytes().chunks(size) {
        octets.extend(frame(0x00, piece));
    }
    octets.extend(frame(0x80, b""));
    octets
}

/// RFC 6455 §5.5.1, §7.1.
#[test]
fn closing() {
    let server = Server::start(&["ann"]);
    // A reason is told back; none is answered with that all is well.
    for (sent, reason) in [
        (&b"\x03\xE8"[..], 1000),
        (b"\x03\xE9bye", 1001),
        (b"\x0F\xA0", 4000),
        (b"", 1000),
    ] {
        let mut browser = Browser::online(&server, "ann", "web");
        browser.octets(&frame(CLOSING, sent));
        assert_eq!(browser.hear(), Heard::Close(Some(reason)));
        assert_eq!(browser.hear(), Heard::End);
    }
    // What comes behind it is nothing.
    let mut browser = Browser::opened(&server);
    let rest = [
        frame(CLOSING, b"\x03\xE8"),
        frame(TEXT, OPEN.as_bytes()),
        frame(PING, b"x"),
    ];
    browser.octets(&rest.concat());
    assert_eq!(browser.hear(), Heard::Close(Some(1000)));
    assert_eq!(browser.hear(), Heard::End);
}
