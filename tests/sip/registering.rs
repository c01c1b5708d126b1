//! REGISTER (RFC 3261 §10, RFC 3327).

use ::sip::header::Contacts;
use ::sip::{HeaderName, Response};

use super::Phone;
use crate::support::{Server, wait_for};

/// URIs and seconds left of the bindings that a 200 lists.
fn bindings(response: &Response) -> Vec<(String, u32)> {
    assert_eq!(response.status, 200, "{response:?}");
    let contacts = match response.headers.contacts().unwrap() {
        Contacts::Listed(contacts) => contacts,
        Contacts::All => panic!("{response:?}"),
    };
    let mut all: Vec<_> = contacts
        .iter()
        .map(|c| (c.uri().as_str().to_owned(), c.expires().unwrap()))
        .collect();
    all.sort();
    all
}

fn query(phone: &mut Phone) -> Vec<(String, u32)> {
    let mut request = phone.registration(0);
    request.headers.remove(&HeaderName::Contact);
    request.headers.remove(&HeaderName::Expires);
    bindings(&phone.ask(request))
}

fn uri(phone: &Phone) -> String {
    phone.contact().trim_matches(['<', '>']).to_owned()
}

#[test]
fn a_phone_comes_asks_and_goes() {
    let server = Server::start(&["ann"]);
    for mut phone in [
        Phone::udp(&server, "ann"),
        Phone::tcp(&server, "ann"),
        Phone::tls(&server, "ann"),
    ] {
        let request = phone.registration(600);
        let challenge = phone.transact(&request);
        assert_eq!(challenge.status, 401);
        assert!(challenge.to_tag().is_some());
        assert_eq!(query(&mut phone), []);
        let response = phone.register(600);
        let listed = bindings(&response);
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].0, uri(&phone));
        assert!((590..=600).contains(&listed[0].1), "{listed:?}");
        assert!(response.headers.date().unwrap().is_some());
        assert_eq!(query(&mut phone).len(), 1);
        // The same again is one binding.
        assert_eq!(bindings(&phone.register(300)).len(), 1);
        assert!(query(&mut phone)[0].1 <= 300);
        assert_eq!(bindings(&phone.register(0)), []);
        assert_eq!(query(&mut phone), []);
    }
}

#[test]
fn several_bindings_and_all_of_them_removed() {
    let server = Server::start(&["ann"]);
    let mut one = Phone::udp(&server, "ann");
    let mut two = Phone::udp(&server, "ann");
    one.register(600);
    assert_eq!(bindings(&two.register(600)).len(), 2);
    // Two at once; an own lifetime wins over Expires, and a lifetime of 0 removes.
    let gone = one.contact();
    let mut request = one.registration(600);
    request.headers.set(
        HeaderName::Contact,
        format!("{gone};expires=0, <sip:ann@192.0.2.9:5060>;expires=120;q=0.5"),
    );
    let listed = bindings(&one.ask(request));
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert!(
        listed
            .iter()
            .any(|(uri, left)| uri == "sip:ann@192.0.2.9:5060" && *left <= 120)
    );
    assert!(listed.iter().any(|(other, _)| *other == uri(&two)));
    let mut star = one.registration(600);
    star.headers.set(HeaderName::Contact, "*");
    assert_eq!(one.ask(star).status, 400);
    assert_eq!(query(&mut one).len(), 2);
    let mut star = one.registration(0);
    star.headers.set(HeaderName::Contact, "*");
    assert_eq!(bindings(&one.ask(star)), []);
}

#[test]
fn a_binding_that_is_not_renewed_expires() {
    let server = Server::with(
        "[limits]\nregister_expires = { min = \"1s\", default = \"1h\", max = \"2h\" }",
        &["ann"],
    );
    let mut phone = Phone::udp(&server, "ann");
    assert_eq!(bindings(&phone.register(2)).len(), 1);
    wait_for("the binding is gone", || {
        query(&mut phone).is_empty().then_some(())
    });
    // Without Expires it is the default, and too much is shortened.
    let mut request = phone.registration(0);
    request.headers.remove(&HeaderName::Expires);
    assert!(bindings(&phone.ask(request))[0].1 > 3500);
    assert!(bindings(&phone.register(1_000_000))[0].1 <= 7200);
}

#[test]
fn too_brief_too_old_and_not_his() {
    let server = Server::start(&["ann", "bob"]);
    let mut phone = Phone::udp(&server, "ann");
    let response = phone.register(10);
    assert_eq!(response.status, 423);
    assert_eq!(response.headers.min_expires().unwrap(), Some(60));
    // The order of one Call-ID (RFC 3261 §10.3 step 7).
    let mut request = phone.registration(600);
    request.headers.set(HeaderName::CSeq, "7 REGISTER");
    assert_eq!(phone.ask(request.clone()).status, 200);
    request.headers.set(HeaderName::CSeq, "6 REGISTER");
    assert_eq!(phone.ask(request.clone()).status, 500);
    request.headers.set(HeaderName::CSeq, "8 REGISTER");
    assert_eq!(phone.ask(request).status, 200);
    let mut request = phone.registration(600);
    request
        .headers
        .set(HeaderName::To, "<sip:bob@office.example>");
    assert_eq!(phone.ask(request).status, 403);
    let mut request = phone.registration(600);
    request
        .headers
        .set(HeaderName::From, "<sip:bob@office.example>;tag=x");
    assert_eq!(phone.ask(request).status, 403);
    assert_eq!(query(&mut phone).len(), 1);
}

#[test]
fn path() {
    let server = Server::start(&["ann"]);
    let mut phone = Phone::udp(&server, "ann");
    let hop = "<sip:edge.office.example;lr>";
    let request = phone.registration(600).with(HeaderName::Path, hop);
    let refused = phone.ask(request);
    assert_eq!(refused.status, 421);
    assert!(refused.headers.list_has(&HeaderName::Require, "path"));
    let request = phone
        .registration(600)
        .with(HeaderName::Path, hop)
        .with(HeaderName::Supported, "path");
    let taken = phone.ask(request);
    assert_eq!(bindings(&taken).len(), 1);
    assert_eq!(taken.headers.get(&HeaderName::Path), Some(hop));
    assert!(taken.headers.list_has(&HeaderName::Supported, "path"));
}

#[test]
fn by_the_address_of_the_machine_and_by_an_extension() {
    let server = Server::with(
        "[[aliases]]\naccount = \"ann@office.example\"\naddresses = [\"101\"]",
        &["ann"],
    );
    let ip = server.ip();
    // A phone that knows nothing but the address of the machine.
    let mut phone = Phone::udp(&server, "ann");
    phone.account = format!("ann@{ip}");
    assert_eq!(bindings(&phone.register(600)).len(), 1);
    let mut phone = Phone::udp(&server, "ann");
    phone.account = format!("101@{ip}");
    for user in ["101", "ann", "ann@office.example"] {
        user.clone_into(&mut phone.user);
        phone.forget_challenge();
        let response = phone.register(600);
        assert_eq!(response.status, 200, "{user}: {response:?}");
    }
    assert_eq!(query(&mut phone).len(), 2);
}
