//! How messages come and go (RFC 3261 §7, §17, §18; RFC 3581; RFC 5626 §4.4.1).

use ::sip::{HeaderName, Message, Method};

use super::Phone;
use super::pidf::simple;
use crate::support::{DOMAIN, Server};

fn options(phone: &mut Phone) -> ::sip::Request {
    phone.make("OPTIONS", &format!("sip:{DOMAIN}"))
}

#[test]
fn ipv6() {
    let server = Server::with("[sip]\nudp = [\"[::1]:0\"]", &["ann", "bob"]);
    let mut ann = Phone::udp(&server, "ann");
    assert!(ann.local.is_ipv6());
    ann.account = "ann@[::1]".to_owned();
    assert_eq!(ann.register(600).status, 200);
    let mut bob = Phone::tcp(&server, "bob");
    assert!(bob.message("ann", "over IPv6").is_success());
    ann.receive("over IPv6");
    let mut request = ann.subscription("bob", 600);
    request.uri = ::sip::Uri::parse("sip:bob@[::1]").unwrap();
    let mut watch = ann.watch(request);
    watch.active(&mut ann);
    assert_eq!(watch.refresh(&mut ann, 600).status, 200);
}

#[test]
fn answers_go_where_the_request_came_from() {
    let server = Server::start(&[]);
    let mut phone = Phone::udp(&server, "ann");
    let port = phone.local.port();
    let mut request = options(&mut phone);
    // Behind a NAT the phone thinks it is somebody else.
    let below = "SIP/2.0/TCP 198.51.100.7;branch=z9hG4bKbelow;received=198.51.100.8";
    request.headers.push_front(HeaderName::Via, below);
    request.headers.push_front(
        HeaderName::Via,
        "SIP/2.0/UDP 192.0.2.1:5999;rport;branch=z9hG4bKtop",
    );
    let answer = phone.exchange(&request);
    assert_eq!(answer.status, 200);
    let via = answer.headers.via().unwrap();
    assert_eq!(
        via.received().map(|ip| ip.to_string()).as_deref(),
        Some("127.0.0.1")
    );
    assert_eq!(via.rport(), Some(Some(port)));
    let vias: Vec<_> = answer.headers.list(&HeaderName::Via).collect();
    assert_eq!(vias.len(), 2);
    assert_eq!(vias[1], below);
}

#[test]
fn compact_names_folding_and_lists() {
    let server = Server::start(&["ann"]);
    let mut phone = Phone::udp(&server, "ann");
    let (call_id, local) = (phone.fresh(), phone.local);
    let text = format!(
        "OPTIONS sip:{DOMAIN} SIP/2.0\r\n\
         v: SIP/2.0/UDP {local};branch=z9hG4bK{call_id};rport,\r\n \
         SIP/2.0/UDP 192.0.2.3:5062;branch=z9hG4bKtwo\r\n\
         mAX-forwards:   68\r\n\
         f: \"Ann, \\\"the\\\" one\" <sip:ann@{DOMAIN}>\r\n ;tag=a1\r\n\
         t:\r\n\t<sip:{DOMAIN}>\r\n\
         i: {call_id}\r\n\
         CSEQ  :  4711   OPTIONS\r\n\
         X-Anything: at all\r\n\
         l: 0\r\n\r\n"
    );
    phone.send(text.as_bytes());
    let Message::Response(answer) = phone.next("the answer to compact names") else {
        panic!("an answer");
    };
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers.list(&HeaderName::Via).count(), 2);
    assert_eq!(answer.headers.cseq().unwrap().number, 4711);
    assert_eq!(answer.headers.from().unwrap().tag(), Some("a1"));
    assert!(answer.to_tag().is_some());
}

#[test]
fn messages_in_a_stream_however_it_is_cut() {
    let server = Server::start(&[]);
    for mut phone in [Phone::tcp(&server, "ann"), Phone::tls(&server, "ann")] {
        let mut octets = Vec::new();
        for number in 1..=3 {
            let mut request = options(&mut phone).with_body("text/plain", "two\r\n\r\nparts");
            request
                .headers
                .set(HeaderName::CSeq, format!("{number} OPTIONS"));
            octets.extend_from_slice(&phone.stamped(request).to_bytes());
            octets.extend_from_slice(b"\r\n");
        }
        for part in octets.chunks(97) {
            phone.send(part);
        }
        for number in 1..=3 {
            let Message::Response(answer) = phone.next("an answer") else {
                panic!("an answer");
            };
            assert_eq!(answer.headers.cseq().unwrap().number, number);
        }
        phone.send(b"\r\n\r\n");
        phone.expect_pongs(1);
        phone.send(b"\r\n\r\n");
        phone.expect_pongs(2);
        assert_eq!(phone.settle(), []);
    }
}

#[test]
fn a_stream_that_cannot_be_cut_is_closed() {
    let server = Server::start(&[]);
    let mut phone = Phone::tcp(&server, "ann");
    let request = options(&mut phone);
    let request = phone.stamped(request);
    let text = String::from_utf8(request.to_bytes().to_vec()).unwrap();
    phone.send(
        text.replace("Content-Length: 0", "Content-Length: many")
            .as_bytes(),
    );
    let Message::Response(answer) = phone.next("a refusal") else {
        panic!("an answer");
    };
    assert_eq!(answer.status, 400);
    phone.closed();
    // The server goes on.
    let mut phone = Phone::tcp(&server, "ann");
    assert_eq!(phone.settle(), []);
}

#[test]
fn rubbish_is_not_answered_and_does_no_harm() {
    let server = Server::start(&[]);
    let mut phone = Phone::udp(&server, "ann");
    for rubbish in [
        &b"\r\n\r\n"[..],
        b"\0\0\0\0",
        b"GET / HTTP/1.1\r\n\r\n",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"OPTIONS",
        &[0xff; 1400],
    ] {
        phone.send(rubbish);
    }
    assert_eq!(phone.settle(), []);
    // What can be answered is: a CSeq of another method, and another version.
    let mut request = options(&mut phone);
    request.headers.set(HeaderName::CSeq, "1 MESSAGE");
    let request = phone.stamped(request);
    phone.send(&request.to_bytes());
    let Message::Response(answer) = phone.next("a refusal") else {
        panic!("an answer");
    };
    assert_eq!(answer.status, 400);
    let request = options(&mut phone);
    let request = phone.stamped(request);
    let text = String::from_utf8(request.to_bytes().to_vec()).unwrap();
    phone.send(text.replacen("SIP/2.0\r\n", "SIP/3.0\r\n", 1).as_bytes());
    let Message::Response(answer) = phone.next("a refusal") else {
        panic!("an answer");
    };
    assert_eq!(answer.status, 505);
}

#[test]
fn a_request_that_comes_twice_is_done_once() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Phone::udp(&server, "bob");
    bob.register(600);
    let mut ann = Phone::udp(&server, "ann");
    let request = ann.registration(600);
    let challenge = ann.transact(&request);
    ann.take_challenge(&challenge);
    let mut request = ann
        .make("MESSAGE", "sip:bob@office.example")
        .with_body("text/plain", "once");
    ann.authorise(&mut request);
    let request = ann.stamped(request);
    let first = ann.exchange(&request);
    assert!(first.is_success(), "{first:?}");
    // The answer was lost on its way: the same again, and the same answer.
    assert_eq!(ann.exchange(&request).to_bytes(), first.to_bytes());
    bob.receive("once");
    bob.nothing("the message a second time", |r| r.method == Method::Message);
    // The same for a publication: one tag for one request.
    let body = simple("ann@office.example", "desk", "open", "");
    let mut request = ann.publication(None, Some(&body), 600);
    ann.authorise(&mut request);
    let request = ann.stamped(request);
    let tag = |r: &::sip::Response| r.headers.sip_etag().map(str::to_owned);
    let first = ann.exchange(&request);
    assert!(tag(&first).is_some(), "{first:?}");
    assert_eq!(tag(&ann.exchange(&request)), tag(&first));
}

#[test]
fn the_server_sends_again_what_is_not_answered() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Phone::udp(&server, "bob");
    bob.register(600);
    bob.answer = None;
    let mut ann = Phone::udp(&server, "ann");
    let request = ann.registration(0);
    let challenge = ann.transact(&request);
    ann.take_challenge(&challenge);
    let mut request = ann
        .make("MESSAGE", "sip:bob@office.example")
        .with_body("text/plain", "are you there");
    ann.authorise(&mut request);
    let request = ann.stamped(request);
    ann.send(&request.to_bytes());
    let first = bob.receive("are you there");
    // Timer E of RFC 3261: the same octets come again and again until they are answered.
    bob.repeated(&first, 2);
    bob.send(&::sip::Response::for_request(&first, 200).to_bytes());
    assert!(ann.exchange(&request).is_success());
}

#[test]
fn the_registered_connection_is_used_again() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Phone::udp(&server, "ann");
    let mut bob = Phone::tls(&server, "bob");
    // Nobody could connect to this.
    let mut request = bob.registration(600);
    request.headers.set(
        HeaderName::Contact,
        "<sip:bob@df7jal23ls0d.invalid;transport=tls>",
    );
    assert_eq!(bob.ask(request).status, 200);
    assert!(ann.message("bob", "by the same way").is_success());
    bob.receive("by the same way");
    let mut request = bob.subscription("ann", 600);
    request.headers.set(
        HeaderName::Contact,
        "<sip:bob@df7jal23ls0d.invalid;transport=tls>",
    );
    let mut watch = bob.watch(request);
    watch.active(&mut bob);
    assert_eq!(watch.remote.transport(), Some("tls"));
}
