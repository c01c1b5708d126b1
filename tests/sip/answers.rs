//! The answers that need no account: methods, extensions, schemes (`docs/sip-answers.md`).

use ::sip::{HeaderName, Method, Response};

use super::Phone;
use crate::support::{DOMAIN, Server};

/// The rows of the table: method, condition, status.
fn rows() -> Vec<(String, String, u16)> {
    let text = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sip-answers.md"),
    )
    .unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("| "))
        .filter_map(|line| {
            let cells: Vec<_> = line.split(" | ").collect();
            let status = cells.get(2)?.get(..3)?.parse().ok()?;
            Some((cells[0].to_owned(), cells[1].to_owned(), status))
        })
        .collect()
}

/// Checks an answer against the table: there is a row with that method and condition, and it has that status.
#[track_caller]
fn by_the_table(method: &str, condition: &str, answer: &Response) {
    let row = rows()
        .into_iter()
        .find(|(m, c, _)| m == method && c == condition)
        .unwrap_or_else(|| panic!("no row {method} | {condition}"));
    assert_eq!(row.2, answer.status, "{method} | {condition}: {answer:?}");
}

#[test]
fn options_tell_what_is_served() {
    let server = Server::start(&[]);
    let mut phone = Phone::udp(&server, "ann");
    let ip = server.ip();
    for uri in [
        format!("sip:{DOMAIN}"),
        format!("sip:anybody@{DOMAIN}"),
        format!("sip:{ip}"),
    ] {
        let request = phone.make("OPTIONS", &uri);
        let answer = phone.transact(&request);
        by_the_table("OPTIONS", "the domain is served here", &answer);
        for method in [
            "REGISTER",
            "PUBLISH",
            "SUBSCRIBE",
            "NOTIFY",
            "MESSAGE",
            "OPTIONS",
        ] {
            assert!(answer.headers.list_has(&HeaderName::Allow, method));
        }
        assert!(
            answer
                .headers
                .list_has(&HeaderName::AllowEvents, "presence")
        );
        assert!(answer.headers.contains(&HeaderName::Accept));
    }
    let request = phone.make("OPTIONS", "sip:elsewhere.example");
    let answer = phone.transact(&request);
    by_the_table("OPTIONS", "the domain is not served here", &answer);
    let mut request = phone.make("OPTIONS", "sip:elsewhere.example");
    request.headers.set(HeaderName::MaxForwards, "0");
    let answer = phone.transact(&request);
    by_the_table(
        "OPTIONS",
        "the domain is not served here and Max-Forwards is 0",
        &answer,
    );
}

#[test]
fn methods_that_are_not_served() {
    let server = Server::start(&["ann"]);
    for mut phone in [Phone::udp(&server, "ann"), Phone::tcp(&server, "ann")] {
        for method in ["BYE", "INFO", "UPDATE", "REFER", "PRACK"] {
            let request = phone.make(method, "sip:ann@office.example");
            let answer = phone.transact(&request);
            by_the_table("any", "INVITE, BYE, INFO, UPDATE, REFER, PRACK", &answer);
            assert!(answer.headers.list_has(&HeaderName::Allow, "PUBLISH"));
        }
        let request = phone.make("DANCE", "sip:ann@office.example");
        let answer = phone.transact(&request);
        by_the_table("any", "unknown method", &answer);
        let request = phone.make("CANCEL", "sip:ann@office.example");
        let answer = phone.transact(&request);
        by_the_table("CANCEL", "no transaction matches", &answer);
        let request = phone
            .make("NOTIFY", "sip:ann@office.example")
            .with(HeaderName::Event, "presence")
            .with(HeaderName::SubscriptionState, "active");
        let answer = phone.transact(&request);
        by_the_table("NOTIFY", "always: we subscribe to nothing", &answer);
    }
}

#[test]
fn a_call_is_refused_and_the_refusal_ends_with_ack() {
    let server = Server::start(&["ann"]);
    let mut phone = Phone::udp(&server, "ann");
    let request = phone.make("INVITE", "sip:ann@office.example");
    let invite = phone.stamped(request);
    let answer = phone.exchange(&invite);
    by_the_table("any", "INVITE, BYE, INFO, UPDATE, REFER, PRACK", &answer);
    assert!(answer.to_tag().is_some());
    // Nothing is kept for it: an INVITE that comes again is refused again.
    assert_eq!(phone.exchange(&invite).status, 405);
    let mut ack = invite.clone();
    ack.method = Method::Ack;
    ack.headers.set(HeaderName::CSeq, "1 ACK");
    let to = answer.headers.get(&HeaderName::To).unwrap().to_owned();
    ack.headers.set(HeaderName::To, to);
    phone.send(&ack.to_bytes());
    phone.nothing("an answer to ACK", |_| true);
}

#[test]
fn extensions_schemes_and_loops() {
    let server = Server::start(&["ann"]);
    let mut phone = Phone::udp(&server, "ann");
    let request = phone
        .make("SUBSCRIBE", "sip:ann@office.example")
        .with(HeaderName::Require, "path, recipient-list-subscribe");
    let answer = phone.transact(&request);
    by_the_table("any", "an extension in Require is not known", &answer);
    assert_eq!(
        answer.headers.get(&HeaderName::Unsupported),
        Some("recipient-list-subscribe")
    );
    let request = phone
        .make("MESSAGE", "tel:+49301234")
        .with_body("text/plain", "x");
    let answer = phone.transact(&request);
    by_the_table("any", "Request-URI is neither sip nor sips", &answer);
    let request = phone.make("SUBSCRIBE", "sips:ann@office.example");
    let answer = phone.transact(&request);
    by_the_table(
        "any",
        "Request-URI is sips and the request did not come over TLS",
        &answer,
    );
    // The same request by two ways (RFC 3261 §8.2.2.2).
    let request = phone.make("OPTIONS", &format!("sip:{DOMAIN}"));
    let first = phone.stamped(request.clone());
    let second = phone.stamped(request);
    phone.send(&first.to_bytes());
    let merged = phone.exchange(&second);
    assert!([200, 482].contains(&merged.status), "{merged:?}");
}

#[test]
fn over_tls_sips_is_served() {
    let server = Server::start(&["ann", "bob"]);
    let mut phone = Phone::tls(&server, "ann");
    let mut request = phone.subscription("bob", 0);
    request.uri = ::sip::Uri::parse("sips:bob@office.example").unwrap();
    assert_eq!(phone.ask(request).status, 200);
}
