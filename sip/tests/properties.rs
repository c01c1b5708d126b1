//! Properties of reading, printing and framing, over mutations of real messages.

#![expect(clippy::unwrap_used, reason = "tests")]

use bytes::Bytes;
use proptest::prelude::*;
use rsip::headers::{ToTypedHeader as _, UntypedHeader as _};
use sip::{
    HeaderName, Limits, Message, Method, Uri,
    framing::{Frame, Framer},
    header::{Authorization, Challenge, Contact, Date, Event, MediaType, RetryAfter, Via},
    parse,
};

const PUBLISH: &[u8] = b"PUBLISH sip:ann@example.com;transport=udp SIP/2.0\r\n\
Via: SIP/2.0/UDP 192.0.2.1:5071;branch=z9hG4bK7c4d;rport, SIP/2.0/TCP [2001:db8::1];branch=z9hG4bKx\r\n\
Route: <sip:proxy.example.com;lr>\r\n\
Contact: \"Ann, B.\" <sip:ann@192.0.2.1:5071;ob>;expires=600;+sip.instance=\"<urn:uuid:1>\"\r\n\
Max-Forwards: 70\r\nf: \"Ann\" <sip:ann@example.com>;tag=1928\r\nTo: <sip:ann@example.com>\r\n\
Call-ID: a84b4c76e66710@pc33\r\nCSeq: 17 PUBLISH\r\no: presence;id=4\r\nExpires: 600\r\nSupported:\r\n\
Accept: application/pidf+xml;q=0.5,\r\n */*\r\nRetry-After: 5 (busy);duration=3\r\n\
Authorization: Digest  username=\"ann\", realm=\"example.com\", nonce=\"x\", uri=\"sip:ann@example.com\", \
response=\"00\", qop=auth, nc=00000001, cnonce=\"c\"\r\nDate: Sat, 13 Nov 2010 23:29:00 GMT\r\n\
User-Agent: test\r\nContent-Type: application/pidf+xml\r\nContent-Length: 12\r\n\r\n<presence/>\n";

/// Without all that rsip does not read: lists, compact names, folding.
const PLAIN: &[u8] = b"SUBSCRIBE sip:ann@example.com SIP/2.0\r\n\
Via: SIP/2.0/UDP 192.0.2.1:5071;branch=z9hG4bK7c4d\r\nMax-Forwards: 70\r\n\
From: \"Ann\" <sip:ann@example.com>;tag=1928\r\nTo: <sip:bob@example.com>\r\n\
Call-ID: a84b4c76e66710\r\nCSeq: 17 SUBSCRIBE\r\nEvent: presence\r\nContent-Length: 0\r\n\r\n";

const ANSWER: &[u8] = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa;received=192.0.2.9\r\n\
From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>;tag=2\r\nCall-ID: c\r\nCSeq: 1 NOTIFY\r\nl: 3\r\n\r\n\0\xff\r";

/// Everything that can be read of a message is read.
fn read_all(message: &Message) {
    let headers = message.headers();
    let _ = (headers.via(), headers.from(), headers.to(), headers.cseq());
    let _ = (
        headers.call_id().is_ok(),
        headers.contacts(),
        headers.accept(),
    );
    let _ = (headers.expires(), headers.min_expires(), headers.event());
    let _ = (headers.subscription_state(), headers.content_type());
    let _ = (
        headers.retry_after(),
        headers.date(),
        headers.max_forwards(),
    );
    for via in headers.vias().flatten() {
        let _ = (
            via.received(),
            via.rport(),
            via.maddr(),
            via.port_or_default(),
        );
    }
    for auth in headers.authorizations().flatten() {
        let _ = (auth.params().count(), auth.username());
    }
    let _ = headers.addresses(&HeaderName::Route);
    for field in headers {
        if let Some(text) = field.value() {
            read_text(text);
        }
    }
}

fn read_text(text: &str) {
    if let Ok(via) = Via::parse(text) {
        assert!(Via::parse(&via.to_string()).is_ok());
    }
    if let Ok(contact) = Contact::parse(text) {
        let again = Contact::parse(&contact.to_string()).unwrap();
        assert_eq!(again, contact);
        let _ = (
            contact.expires(),
            contact.q(),
            contact.instance(),
            contact.reg_id(),
        );
    }
    if let Ok(uri) = Uri::parse(text) {
        assert!(uri.equivalent(&uri), "{uri}");
        let _ = (uri.user_bytes(), uri.maddr(), uri.address_of_record());
        assert_eq!(uri.with_param("lr", Some("")).is_lr(), uri.is_sip());
    }
    if let Ok(date) = Date::parse(text) {
        assert!(Date::parse(&date.to_string()).is_ok());
    }
    let _ = (
        Event::parse(text),
        MediaType::parse(text),
        RetryAfter::parse(text),
    );
    let _ = (
        Challenge::parse(text).map(|c| c.get("nonce").is_some()),
        Authorization::parse(text),
    );
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    mutations(prop_oneof![Just(PUBLISH.to_vec()), Just(ANSWER.to_vec())])
}

fn mutations(message: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![
        any::<u8>(),
        proptest::sample::select(b"\r\n \t;,:<>\"\\@?=%[]()\0*/".to_vec())
    ];
    let change = (any::<proptest::sample::Index>(), octet, 0..3_u8);
    (message, prop::collection::vec(change, 0..6)).prop_map(|(mut bytes, changes)| {
        for (at, octet, kind) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = octet,
                1 => bytes.insert(at, octet),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

/// Frames of `stream` when it comes in pieces of the given sizes, and whether it failed.
fn frames(stream: &[u8], sizes: &[usize]) -> (Vec<Frame>, bool) {
    let mut framer = Framer::new(Limits::default());
    let mut out = Vec::new();
    let mut sizes = sizes.iter().cycle();
    let mut rest = stream;
    while !rest.is_empty() {
        let size = sizes
            .next()
            .map_or(rest.len(), |size| (*size).min(rest.len()));
        let (piece, after) = rest.split_at(size);
        rest = after;
        framer.push(piece);
        while let Some(frame) = framer.next_frame() {
            match frame {
                Ok(frame) => out.push(frame),
                Err(_) => return (out, true),
            }
        }
    }
    (out, false)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_printing_is_stable(bytes in mutated()) {
        match parse(&Bytes::from(bytes)) {
            Ok(message) => {
                read_all(&message);
                let printed = message.to_bytes();
                let again = parse(&printed).unwrap();
                prop_assert_eq!(again.to_bytes(), printed);
                prop_assert_eq!(again.body(), message.body());
            }
            Err(error) => {
                if let Some(answer) = error.answer() {
                    prop_assert!(answer.status >= 400);
                    let printed = answer.to_bytes();
                    prop_assert!(printed.starts_with(b"SIP/2.0 "));
                }
            }
        }
    }

    #[test]
    fn arbitrary_octets_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&Bytes::from(bytes.clone()));
        if let Ok(text) = std::str::from_utf8(&bytes) {
            read_text(text);
        }
    }

    #[test]
    fn arbitrary_values_do_no_harm(text in "[ -~\u{e4}]{0,60}") {
        read_text(&text);
        for start in ["sip:", "\"a\" <sip:", "SIP/2.0/UDP ", "Digest "] {
            read_text(&format!("{start}{text}"));
        }
    }

    #[test]
    fn chunks_do_not_change_frames(
        order in prop::collection::vec(0..5_u8, 1..6),
        sizes in prop::collection::vec(1..200_usize, 1..8),
    ) {
        let mut stream = Vec::new();
        for kind in order {
            match kind {
                0 => stream.extend_from_slice(PUBLISH),
                1 => stream.extend_from_slice(ANSWER),
                2 => stream.extend_from_slice(b"\r\n\r\n"),
                3 => stream.extend_from_slice(b"\r\n"),
                _ => stream.extend_from_slice(b"OPTIONS sip:a SIP/2.0\r\n\r\n"),
            }
        }
        let whole = frames(&stream, &[stream.len()]);
        prop_assert_eq!(&frames(&stream, &sizes), &whole);
        prop_assert_eq!(&frames(&stream, &[1]), &whole);
        for frame in &whole.0 {
            if let Frame::Message(bytes) = frame {
                prop_assert!(parse(bytes).is_ok());
            }
        }
    }

    /// Another reader's opinion: what both accept has the same method, Request-URI and plain values.
    #[test]
    fn rsip_reads_the_same_where_it_reads(bytes in mutations(Just(PLAIN.to_vec()))) {
        compare_with_rsip(&bytes)?;
    }
}

/// Whether both accept the message; what they read must agree then.
fn compare_with_rsip(bytes: &[u8]) -> Result<bool, TestCaseError> {
    let Ok(Message::Request(ours)) = parse(&Bytes::copy_from_slice(bytes)) else {
        return Ok(false);
    };
    let Ok(theirs) = rsip::Request::try_from(bytes) else {
        return Ok(false);
    };
    // rsip knows no case of methods and no other schemes.
    if matches!(ours.method, Method::Other(_)) || !ours.uri.is_sip() {
        return Ok(false);
    }
    prop_assert_eq!(ours.method.as_str(), theirs.method.to_string());
    let host = theirs.uri.host_with_port.host.to_string();
    prop_assert_eq!(ours.uri.host().map(ToString::to_string), Some(host));
    for header in theirs.headers {
        if let rsip::Header::CallId(id) = &header {
            let theirs = id.value().trim_matches([' ', '\t']);
            prop_assert_eq!(ours.headers.call_id().unwrap(), theirs);
        }
        if let rsip::Header::CSeq(cseq) = header {
            let cseq = cseq.typed().map(|c| (c.seq, c.method.to_string()));
            let own = ours.headers.cseq().unwrap();
            if let Ok(cseq) = cseq {
                prop_assert_eq!(cseq, (own.number, own.method.to_string()));
            }
        }
    }
    Ok(true)
}

#[test]
fn rsip_and_this_crate_both_read_the_plain_message() {
    assert!(compare_with_rsip(PLAIN).unwrap());
}

#[test]
fn reason_phrases_are_those_that_rsip_names() {
    for status in [
        200, 400, 401, 404, 405, 412, 415, 416, 423, 480, 481, 489, 500, 503,
    ] {
        let theirs = rsip::StatusCode::from(status).to_string();
        let ours = sip::message::reason_phrase(status);
        let letters = |text: &str| -> String {
            text.chars()
                .filter(char::is_ascii_alphabetic)
                .map(|c| c.to_ascii_lowercase())
                .collect()
        };
        assert_eq!(letters(ours), letters(&theirs), "{status}");
    }
}
