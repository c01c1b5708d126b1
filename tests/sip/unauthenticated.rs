//! What goes to sources that have proven nothing: nothing over UDP, and without authentication one NOTIFY.

use ::sip::{HeaderName, Message, Method};

use super::Phone;
use super::pidf::simple;
use crate::support::Server;

const ANN: &str = "ann@office.example";

#[test]
fn no_notify_goes_to_an_unauthenticated_source() {
    let server = Server::start(&["ann", "bob", "eve"]);
    let mut ann = Phone::udp(&server, "ann");
    let mut bob = Phone::udp(&server, "bob");
    let mut eve = Phone::udp(&server, "eve");
    let mut victim = Phone::udp(&server, "eve");
    // Nothing, nonsense, and a wrong password; Contact and Via lead to somebody else.
    let contact = victim.contact();
    for password in [None, Some("wrong")] {
        let mut request = eve.subscription("ann", 600);
        request.headers.set(HeaderName::Contact, contact.clone());
        let challenge = eve.transact(&request);
        assert_eq!(challenge.status, 401);
        // It amplifies nothing.
        assert!(challenge.to_bytes().len() < 2 * request.to_bytes().len());
        if let Some(password) = password {
            password.clone_into(&mut eve.password);
            eve.take_challenge(&challenge);
            eve.authorise(&mut request);
            assert_eq!(eve.transact(&request).status, 401);
        }
    }
    let mut request = eve.make("PUBLISH", "sip:ann@office.example");
    request
        .headers
        .set(HeaderName::From, "<sip:ann@office.example>;tag=1");
    assert_eq!(
        eve.transact(&request.with(HeaderName::Event, "presence"))
            .status,
        401
    );
    // Somebody who may see it is told; when that has happened, the others have heard nothing.
    let mut watch = bob.subscribe("ann", 600);
    watch.active(&mut bob);
    ann.publish(None, Some(&simple(ANN, "desk", "open", "here")), 600);
    watch.sees(&mut bob, |pidf| pidf.has_note("here"));
    for silent in [&mut eve, &mut victim] {
        silent.nothing("a NOTIFY to nobody known", |_| true);
    }
}

#[test]
fn without_authentication_one_notify_until_it_answers() {
    let server = Server::with("[sip]\nrequire_auth = false", &["ann", "bob"]);
    let mut ann = Phone::udp(&server, "ann");
    let mut bob = Phone::udp(&server, "bob");
    bob.answer = None;
    for target in ["ann", "bob", "ann"] {
        let mut request = bob.subscription(target, 600);
        let contact = format!("{};x={}", bob.contact(), bob.fresh());
        request.headers.set(HeaderName::Contact, contact);
        assert_eq!(bob.ask(request).status, 200);
    }
    ann.publish(None, Some(&simple(ANN, "desk", "open", "here")), 600);
    let outstanding = bob.request("a NOTIFY", |r| r.method == Method::Notify);
    let mut other = Phone::udp(&server, "ann");
    let mut watch = other.subscribe("ann", 600);
    watch.sees(&mut other, |pidf| pidf.has_note("here"));
    bob.nothing("a second NOTIFY before the first was answered", |r| {
        r.method == Method::Notify
    });
    // It is there: now the others.
    bob.answer = Some(200);
    bob.send(&::sip::Response::for_request(&outstanding, 200).to_bytes());
    let mut dialogs = std::collections::BTreeSet::new();
    while dialogs.len() < 2 {
        let notify = bob.request("the other NOTIFY", |r| r.method == Method::Notify);
        let call_id = notify.headers.call_id().unwrap().to_owned();
        if Ok(call_id.as_str()) != outstanding.headers.call_id() {
            dialogs.insert(call_id);
        }
    }
    let left = bob.settle();
    assert!(left.iter().all(|m| matches!(m, Message::Request(_))));
}
