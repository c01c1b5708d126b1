//! Digest (RFC 3261 §22, RFC 7616, RFC 8760).

use ::sip::header::Challenge;
use ::sip::{HeaderName, Request, Response};

use super::Phone;
use crate::support::Server;

fn challenges(response: &Response) -> Vec<Challenge> {
    assert_eq!(response.status, 401, "{response:?}");
    response.headers.challenges().map(Result::unwrap).collect()
}

fn algorithms(response: &Response) -> Vec<String> {
    let all = challenges(response);
    all.iter()
        .map(|c| c.get("algorithm").unwrap().into_owned())
        .collect()
}

fn challenged(phone: &mut Phone) -> (Request, Response) {
    let request = phone.registration(600);
    let response = phone.transact(&request);
    (request, response)
}

#[test]
fn md5_alone_unless_told_otherwise() {
    let server = Server::start(&["ann"]);
    let mut phone = Phone::udp(&server, "ann");
    let (_, response) = challenged(&mut phone);
    assert_eq!(algorithms(&response), ["MD5"]);
    let challenge = &challenges(&response)[0];
    assert_eq!(challenge.get("realm").as_deref(), Some("office.example"));
    assert!(challenge.offers_qop("auth"));
    assert!(!challenge.is_stale());
    assert_eq!(phone.register(600).status, 200);
}

#[test]
fn both_algorithms_in_the_order_of_the_configuration() {
    for (digest, order) in [
        ("[\"sha-256\", \"md5\"]", &["SHA-256", "MD5"][..]),
        ("[\"md5\", \"sha-256\"]", &["SHA-256", "MD5"]),
        ("[\"sha-256\"]", &["SHA-256"]),
    ] {
        let server = Server::with(&format!("[sip]\ndigest = {digest}"), &["ann"]);
        let mut phone = Phone::udp(&server, "ann");
        let (_, response) = challenged(&mut phone);
        assert_eq!(algorithms(&response), order, "{digest}");
        // Each of them is answered by itself.
        for name in order {
            let (mut request, mut response) = challenged(&mut phone);
            let kept = response
                .headers
                .all(&HeaderName::WwwAuthenticate)
                .find(|text| text.ends_with(&format!("algorithm={name}")));
            let kept = kept.unwrap().to_owned();
            response.headers.set(HeaderName::WwwAuthenticate, kept);
            assert!(phone.take_challenge(&response));
            request.headers.set(HeaderName::CSeq, "2 REGISTER");
            phone.authorise(&mut request);
            assert_eq!(phone.transact(&request).status, 200, "{name} of {digest}");
        }
    }
}

#[test]
fn a_wrong_password_and_an_unknown_user_look_the_same() {
    let server = Server::start(&["ann"]);
    let mut seen = Vec::new();
    for (user, password) in [
        ("ann", "wrong"),
        ("nobody", "ann-secret"),
        ("nobody", "wrong"),
    ] {
        let mut phone = Phone::udp(&server, "ann");
        user.clone_into(&mut phone.user);
        password.clone_into(&mut phone.password);
        let (mut request, response) = challenged(&mut phone);
        assert!(phone.take_challenge(&response));
        phone.authorise(&mut request);
        let answer = phone.transact(&request);
        assert!(!challenges(&answer)[0].is_stale());
        let names: Vec<_> = answer.headers.iter().map(|h| h.name.to_string()).collect();
        seen.push((answer.status, answer.reason_text().into_owned(), names));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:#?}");
    // Many of them, and the door is shut for a while.
    let mut phone = Phone::udp(&server, "ann");
    "wrong".clone_into(&mut phone.password);
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let (mut request, response) = challenged(&mut phone);
        phone.take_challenge(&response);
        phone.authorise(&mut request);
        statuses.push(phone.transact(&request).status);
    }
    assert_eq!(statuses.first(), Some(&401));
    assert_eq!(statuses.last(), Some(&403), "{statuses:?}");
}

#[test]
fn a_nonce_counts_and_is_not_replayed() {
    let server = Server::start(&["ann"]);
    let mut phone = Phone::udp(&server, "ann");
    let (mut request, response) = challenged(&mut phone);
    phone.take_challenge(&response);
    phone.authorise(&mut request);
    assert_eq!(phone.transact(&request).status, 200);
    // The same credentials in another transaction: the count was there before.
    request.headers.set(HeaderName::CSeq, "2 REGISTER");
    let replayed = phone.transact(&request);
    assert!(challenges(&replayed)[0].is_stale());
    // Counting on is fine, without a new challenge.
    for number in 3..6 {
        request
            .headers
            .set(HeaderName::CSeq, format!("{number} REGISTER"));
        phone.authorise(&mut request);
        assert_eq!(phone.transact(&request).status, 200);
    }
    // Over another connection too.
    let mut elsewhere = Phone::tcp(&server, "ann");
    phone.authorise(&mut request);
    request.headers.set(HeaderName::CSeq, "6 REGISTER");
    assert_eq!(elsewhere.transact(&request).status, 200);
}

#[test]
fn a_nonce_of_an_earlier_run_is_stale() {
    let mut server = Server::start(&["ann"]);
    let mut phone = Phone::udp(&server, "ann");
    assert_eq!(phone.register(600).status, 200);
    server.kill();
    server.launch();
    let mut request = phone.registration(600);
    phone.authorise(&mut request);
    let response = phone.transact(&request);
    assert!(challenges(&response)[0].is_stale());
    assert_eq!(phone.register(600).status, 200);
}

/// A response without qop (RFC 2069), as some phones send it whatever is offered; with the stray `nc` of one of them.
fn legacy(phone: &mut Phone) -> (Request, Response) {
    let (mut request, mut response) = challenged(phone);
    let text = response.headers.get(&HeaderName::WwwAuthenticate).unwrap();
    let text = text.replace(", qop=\"auth\"", "");
    response.headers.set(HeaderName::WwwAuthenticate, text);
    phone.take_challenge(&response);
    phone.authorise(&mut request);
    let text = request.headers.get(&HeaderName::Authorization).unwrap();
    assert!(!text.contains("qop"));
    let text = format!("{text}, nc=\"00000001\"");
    request.headers.set(HeaderName::Authorization, text);
    let answer = phone.transact(&request);
    (request, answer)
}

#[test]
fn without_qop_each_nonce_is_good_once() {
    let server = Server::start(&["ann"]);
    let mut phone = Phone::udp(&server, "ann");
    let (mut request, answer) = legacy(&mut phone);
    assert_eq!(answer.status, 200);
    request.headers.set(HeaderName::CSeq, "2 REGISTER");
    assert!(challenges(&phone.transact(&request))[0].is_stale());
    let server = Server::with("[sip]\ndigest_legacy = false", &["ann"]);
    let mut phone = Phone::udp(&server, "ann");
    assert_eq!(legacy(&mut phone).1.status, 401);
}

#[test]
fn credentials_are_for_one_resource_and_readable() {
    let server = Server::start(&["ann", "bob"]);
    let mut phone = Phone::udp(&server, "ann");
    let (_, response) = challenged(&mut phone);
    phone.take_challenge(&response);
    // Made for another request.
    let mut one = phone.subscription("bob", 600);
    phone.authorise(&mut one);
    let mut other = phone.subscription("ann", 600);
    let stolen = one
        .headers
        .get(&HeaderName::Authorization)
        .unwrap()
        .to_owned();
    other.headers.set(HeaderName::Authorization, stolen);
    assert_eq!(phone.transact(&other).status, 401);
    for broken in [
        "username=\"ann\", realm=\"office.example\", nonce=\"x\"",
        "realm=\"office.example\", nonce=\"x\", uri=\"sip:office.example\", response=\"x\"",
    ] {
        let mut request = phone.registration(600);
        request
            .headers
            .set(HeaderName::Authorization, format!("Digest {broken}"));
        assert_eq!(phone.transact(&request).status, 400, "{broken}");
    }
    // Of another realm: as if there were none.
    let mut request = phone.registration(600);
    let elsewhere =
        "Digest username=\"ann\", realm=\"elsewhere\", nonce=\"x\", uri=\"sip:x\", response=\"x\"";
    request.headers.set(HeaderName::Authorization, elsewhere);
    assert_eq!(phone.transact(&request).status, 401);
}

#[test]
fn a_password_that_is_changed_counts_at_once() {
    let server = Server::start(&["ann"]);
    let mut phone = Phone::udp(&server, "ann");
    assert_eq!(phone.register(600).status, 200);
    let done = server.run_with_input(
        &["user", "password", "ann@office.example", "--password-stdin"],
        "other\n",
    );
    assert!(done.status.success(), "{done:?}");
    assert_eq!(phone.register(600).status, 401);
    "other".clone_into(&mut phone.password);
    assert_eq!(phone.register(600).status, 200);
    server.ok(&["user", "disable", "ann@office.example"]);
    assert!([401, 403].contains(&phone.register(600).status));
}
