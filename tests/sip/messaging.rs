//! MESSAGE (RFC 3428).

use ::sip::{HeaderName, Method};

use super::Phone;
use crate::support::Server;

#[test]
fn from_phone_to_phone_over_every_transport() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Phone::udp(&server, "ann");
    for mut bob in [
        Phone::udp(&server, "bob"),
        Phone::tcp(&server, "bob"),
        Phone::tls(&server, "bob"),
    ] {
        assert_eq!(bob.register(600).status, 200);
        let text = "Grüße\r\nund mehr";
        let request = ann
            .make("MESSAGE", "sip:bob@office.example")
            .with(HeaderName::ContentLanguage, "de")
            .with(HeaderName::Subject, "Probe")
            .with_body("text/plain;charset=utf-8", text);
        assert!(ann.ask(request).is_success());
        let got = bob.receive(text);
        assert_eq!(got.headers.from().unwrap().uri.user(), Some("ann"));
        assert_eq!(
            got.headers.to().unwrap().uri.as_str(),
            "sip:bob@office.example"
        );
        assert_eq!(got.headers.get(&HeaderName::ContentLanguage), Some("de"));
        assert_eq!(got.headers.get(&HeaderName::Subject), Some("Probe"));
        assert!(
            got.headers
                .content_type()
                .unwrap()
                .unwrap()
                .is("text/plain")
        );
        assert!(ann.message("bob", "back?").is_success());
        bob.receive("back?");
        assert_eq!(bob.message("ann", "nobody there").status, 202);
        assert_eq!(bob.register(0).status, 200);
    }
}

#[test]
fn stored_and_given_to_the_phone_that_registers_next() {
    let mut server = Server::start(&["ann", "bob"]);
    let mut ann = Phone::udp(&server, "ann");
    for text in ["first", "second"] {
        let answer = ann.message("bob", text);
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    server.kill();
    server.launch();
    let mut bob = Phone::udp(&server, "bob");
    assert_eq!(bob.register(600).status, 200);
    let first = bob.receive("first");
    assert!(first.headers.date().unwrap().is_some());
    bob.receive("second");
    // They have been taken: nothing comes again.
    let mut again = Phone::udp(&server, "bob");
    assert_eq!(again.register(600).status, 200);
    assert!(ann.message("bob", "third").is_success());
    again.receive("third");
    again.nothing("a message that was taken before", |r| {
        r.method == Method::Message
    });
}

#[test]
fn what_a_phone_does_not_take_is_stored() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Phone::udp(&server, "ann");
    let mut bob = Phone::udp(&server, "bob");
    bob.answer = Some(486);
    assert_eq!(bob.register(600).status, 200);
    let answer = ann.message("bob", "not now");
    assert!([200, 202].contains(&answer.status), "{answer:?}");
    bob.receive("not now");
    // The answer has reached the account when the next registration is answered: now it is offered again.
    bob.answer = Some(200);
    assert_eq!(bob.register(600).status, 200);
    bob.receive("not now");
    // A phone that says that it takes no messages is not sent any.
    let mut deaf = Phone::udp(&server, "ann");
    let request = deaf
        .registration(600)
        .with(HeaderName::Allow, "INVITE, ACK, BYE, NOTIFY");
    assert_eq!(deaf.ask(request).status, 200);
    assert_eq!(bob.message("ann", "hello").status, 202);
    deaf.nothing("a message for a phone without MESSAGE", |r| {
        r.method == Method::Message
    });
}

#[test]
fn what_is_refused() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Phone::udp(&server, "ann");
    let mut refused = |change: &dyn Fn(&mut ::sip::Request)| {
        let mut request = ann
            .make("MESSAGE", "sip:bob@office.example")
            .with_body("text/plain", "hello");
        change(&mut request);
        ann.ask(request)
    };
    for nobody in ["sip:nobody@office.example", "sip:bob@elsewhere.example"] {
        let uri = ::sip::Uri::parse(nobody).unwrap();
        assert_eq!(refused(&|r| r.uri = uri.clone()).status, 404);
    }
    let answer = refused(&|r| r.headers.set(HeaderName::ContentType, "text/html"));
    assert_eq!(answer.status, 415);
    assert!(answer.headers.list_has(&HeaderName::Accept, "text/plain"));
    let answer = refused(&|r| {
        r.headers
            .set(HeaderName::ContentType, "text/plain;charset=koi8-r")
    });
    assert_eq!(answer.status, 415);
    assert_eq!(refused(&|r| r.body = bytes::Bytes::new()).status, 400);
    assert_eq!(
        refused(&|r| r.body = bytes::Bytes::from_static(b"\xff\xfe")).status,
        400
    );
    assert_eq!(
        refused(&|r| r.headers.remove(&HeaderName::ContentType)).status,
        400
    );
    let in_dialog = refused(&|r| {
        r.headers
            .set(HeaderName::To, "<sip:bob@office.example>;tag=x")
    });
    assert_eq!(in_dialog.status, 481);
    let answer = refused(&|r| {
        r.headers
            .set(HeaderName::ContentType, "application/im-iscomposing+xml")
    });
    assert_eq!(answer.status, 200);
}
