//! PUBLISH (RFC 3903).

use ::sip::HeaderName;

use super::Phone;
use super::pidf::{doing, simple};
use crate::support::Server;

const ANN: &str = "ann@office.example";

#[test]
fn a_publication_from_its_beginning_to_its_end() {
    let server = Server::start(&["ann", "bob"]);
    for mut ann in [Phone::udp(&server, "ann"), Phone::tls(&server, "ann")] {
        let mut bob = Phone::tcp(&server, "bob");
        let mut watch = bob.subscribe("ann", 600);
        assert!(!watch.active(&mut bob).is_open());
        let created = ann.publish(None, Some(&simple(ANN, "desk", "open", "here")), 600);
        let pidf = watch.sees(&mut bob, super::pidf::Pidf::is_open);
        assert!(pidf.has_note("here"), "{pidf:?}");
        assert_eq!(pidf.entity, "sip:ann@office.example");
        // A refresh has no body, and every 2xx a new tag (RFC 3903 §6).
        let refreshed = ann.publish(Some(&created), None, 600);
        assert_ne!(created, refreshed);
        let changed = ann.publish(
            Some(&refreshed),
            Some(&simple(ANN, "desk", "open", "lunch")),
            600,
        );
        assert_ne!(refreshed, changed);
        let pidf = watch.sees(&mut bob, |pidf| pidf.has_note("lunch"));
        assert_eq!(pidf.tuples.len(), 1, "{pidf:?}");
        let request = ann.publication(Some(&created), None, 600);
        assert_eq!(ann.ask(request).status, 412);
        let request = ann.publication(Some(&changed), None, 0);
        let removed = ann.ask(request);
        assert_eq!(removed.status, 200);
        assert_eq!(removed.headers.expires().unwrap(), Some(0));
        watch.sees(&mut bob, |pidf| !pidf.is_open());
        let request = ann.publication(Some(&changed), Some(&simple(ANN, "desk", "open", "")), 600);
        assert_eq!(ann.ask(request).status, 412);
    }
}

#[test]
fn a_publication_that_is_not_refreshed_expires() {
    let server = Server::with(
        "[limits]\npublish_expires = { min = \"1s\", default = \"1h\", max = \"2h\" }",
        &["ann", "bob"],
    );
    let mut ann = Phone::udp(&server, "ann");
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    let tag = ann.publish(None, Some(&simple(ANN, "desk", "open", "here")), 2);
    watch.sees(&mut bob, super::pidf::Pidf::is_open);
    watch.sees(&mut bob, |pidf| !pidf.is_open());
    let request = ann.publication(Some(&tag), None, 600);
    assert_eq!(ann.ask(request).status, 412);
    let request = ann.publication(None, Some(&simple(ANN, "desk", "open", "")), 1_000_000);
    let response = ann.ask(request);
    assert_eq!(response.headers.expires().unwrap(), Some(7200));
    let mut request = ann.publication(None, Some(&simple(ANN, "desk", "open", "")), 0);
    request.headers.remove(&HeaderName::Expires);
    let response = ann.ask(request);
    assert_eq!(response.headers.expires().unwrap(), Some(3600));
}

#[test]
fn what_is_refused() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Phone::udp(&server, "ann");
    let good = simple(ANN, "desk", "open", "here");
    let mut status = |change: &dyn Fn(&mut ::sip::Request)| {
        let mut request = ann.publication(None, Some(&good), 600);
        change(&mut request);
        ann.ask(request)
    };
    let body = |text: &str| bytes::Bytes::from(text.to_owned());

    let refused = status(&|r| r.headers.set(HeaderName::ContentType, "text/plain"));
    assert_eq!(refused.status, 415);
    assert_eq!(
        refused.headers.get(&HeaderName::Accept),
        Some("application/pidf+xml")
    );
    let refused = status(&|r| r.headers.push(HeaderName::ContentEncoding, "gzip"));
    assert_eq!(refused.status, 415);
    assert!(refused.headers.contains(&HeaderName::AcceptEncoding));
    let refused = status(&|r| r.headers.set(HeaderName::Expires, "30"));
    assert_eq!(refused.status, 423);
    assert_eq!(refused.headers.min_expires().unwrap(), Some(60));
    for event in ["dialog", "presence.winfo"] {
        let refused = status(&|r| r.headers.set(HeaderName::Event, event));
        assert_eq!(refused.status, 489);
        assert!(
            refused
                .headers
                .list_has(&HeaderName::AllowEvents, "presence")
        );
    }
    assert_eq!(
        status(&|r| r.headers.remove(&HeaderName::Event)).status,
        489
    );
    assert_eq!(
        status(&|r| r.headers.set(HeaderName::Expires, "soon")).status,
        400
    );
    assert_eq!(
        status(&|r| r.headers.remove(&HeaderName::ContentType)).status,
        400
    );
    assert_eq!(
        status(&|r| r.headers.push(HeaderName::SipIfMatch, "none")).status,
        412
    );
    assert_eq!(
        status(&|r| r.headers.push(HeaderName::SipIfMatch, "a b")).status,
        400
    );
    let twice = status(&|r| {
        r.headers.push(HeaderName::SipIfMatch, "a");
        r.headers.push(HeaderName::SipIfMatch, "b");
    });
    assert_eq!(twice.status, 400);
    assert_eq!(status(&|r| r.body = bytes::Bytes::new()).status, 400);
    assert_eq!(status(&|r| r.body = body("<presence>")).status, 400);
    assert_eq!(
        status(&|r| r.body = body("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")).status,
        400
    );
    let other = simple("bob@office.example", "desk", "open", "");
    assert_eq!(status(&|r| r.body = body(&other)).status, 403);
    let uri = ::sip::Uri::parse("sip:bob@office.example").unwrap();
    assert_eq!(status(&|r| r.uri = uri.clone()).status, 403);
    assert_eq!(status(&|_| {}).status, 200);
}

#[test]
fn phones_that_call_all_their_tuples_the_same() {
    let server = Server::start(&["ann", "bob"]);
    let mut desk = Phone::udp(&server, "ann");
    let mut mobile = Phone::udp(&server, "ann");
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    desk.publish(None, Some(&doing(ANN, "t4109", "busy")), 600);
    let tag = mobile.publish(None, Some(&simple(ANN, "t4109", "open", "on my way")), 600);
    let both = watch.sees(&mut bob, |pidf| pidf.tuples.len() == 2);
    assert_ne!(both.tuples[0].id, both.tuples[1].id);
    assert_eq!(both.activities, ["busy"]);
    // The clients of the reference look for it as text.
    assert!(
        both.text.contains("<rpid:busy/>") && both.text.contains("<basic>open</basic>"),
        "{}",
        both.text
    );
    mobile.publish(Some(&tag), None, 0);
    let one = watch.sees(&mut bob, |pidf| !pidf.has_note("on my way"));
    assert!(one.is_open());
    assert!(both.tuple(&one.tuples[0].id).is_some());
}
