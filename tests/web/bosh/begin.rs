//! Session creation: what is granted, and what is refused (XEP-0124 §7, XEP-0206 §3, §4).

use super::tab::{BOSH, Tab, USUAL, attribute, elements, ended, opening, post, post_with};
use crate::support::Server;
use crate::web::wire::Wire;

#[test]
fn a_session_begins_with_the_features_of_its_stream() {
    let server = Server::start(&[]);
    let tab = Tab::open(
        &server,
        &format!(
            "{USUAL} ack='1' secure='true' content='text/html' route='xmpp:x:1' from='ann@office.example'"
        ),
    );
    let first = &tab.first;
    for (name, value) in [
        ("wait", "60"),
        ("hold", "1"),
        ("requests", "2"),
        ("inactivity", "60"),
        ("polling", "2"),
        ("maxpause", "120"),
        ("ver", "1.11"),
        ("accept", "deflate,gzip"),
        ("charsets", "UTF-8"),
        ("ack", "4000000000"),
        ("from", "office.example"),
        ("secure", "true"),
        ("xmpp:version", "1.0"),
        ("xmpp:restartlogic", "true"),
    ] {
        assert_eq!(attribute(first, name).as_deref(), Some(value), "{first}");
    }
    assert!(tab.sid.len() >= 32);
    assert_eq!(attribute(first, "stream"), None);
    let features = &elements(first)[0];
    assert!(features.is("features", "http://etherx.jabber.org/streams"));
    assert!(first.contains("<mechanism>PLAIN</mechanism>") && !first.contains("starttls"));
    assert_ne!(tab.sid, Tab::open(&server, USUAL).sid);
    // Who has two connections needs one of them to speak.
    let greedy = Tab::open(&server, "ver='1.11' wait='60' hold='5'");
    assert_eq!(attribute(&greedy.first, "hold").as_deref(), Some("1"));
    assert_eq!(attribute(&greedy.first, "requests").as_deref(), Some("2"));
}

#[test]
fn what_is_granted_is_within_the_configuration() {
    let limits = "[limits]\nbosh_wait = \"30s\"\nbosh_hold = 4\nbosh_requests = 5\nbosh_polling = \"3s\"\nbosh_inactivity = \"45s\"\nbosh_pause = \"0s\"";
    let server = Server::with(limits, &[]);
    let tab = Tab::open(&server, "ver='1.6' wait='3600' hold='9'");
    for (name, value) in [
        ("wait", Some("30")),
        ("hold", Some("4")),
        ("requests", Some("5")),
        ("polling", Some("3")),
        ("inactivity", Some("45")),
        ("maxpause", None),
        ("ver", Some("1.6")),
    ] {
        assert_eq!(attribute(&tab.first, name).as_deref(), value, "{name}");
    }
    let polls = Tab::open(&server, "ver='1.6' wait='0' hold='0'");
    for (name, value) in [("wait", "0"), ("hold", "0"), ("requests", "1")] {
        assert_eq!(attribute(&polls.first, name).as_deref(), Some(value));
    }
    // Its features have not got lost.
    assert!(polls.first.contains("<mechanism>"));
}

#[test]
fn what_cannot_begin_is_told_why() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    let body = |inside: &str| {
        post(&format!(
            "<body xmlns='{BOSH}' rid='5' ver='1.11' {inside}/>"
        ))
    };
    ended(&wire.ask(&body("")), "improper-addressing");
    ended(&wire.ask(&body("to=''")), "improper-addressing");
    ended(&wire.ask(&body("to='elsewhere.example'")), "host-unknown");
    ended(
        &wire.ask(&body("to='office.example' wait='soon'")),
        "bad-request",
    );
    ended(
        &wire.ask(&body("to='office.example' hold='-1'")),
        "bad-request",
    );
    ended(
        &wire.ask(&body("to='office.example' newkey='x'")),
        "bad-request",
    );
    let session = |sid: &str| post(&format!("<body xmlns='{BOSH}' rid='5' sid='{sid}'/>"));
    let heard = wire.ask(&session("unknown"));
    assert_eq!(heard.status, 200);
    ended(&heard, "item-not-found");
}

#[test]
fn legacy_clients_hear_http_codes() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    let heard = wire.ask(&post(&opening(1, "wait='soon'")));
    assert_eq!(heard.status, 400);
    let mut tab = Tab::open(&server, "wait='60' hold='1'");
    assert_eq!(attribute(&tab.first, "ver"), None);
    tab.rid += 9;
    let heard = tab.ask("", "");
    assert_eq!(heard.status, 404);
    ended(&heard, "item-not-found");
    // Also when there is nothing left of the session.
    tab.rid -= 10;
    assert_eq!(tab.ask("", "").status, 404);
    let mut tab = Tab::open(&server, "wait='60' hold='1'");
    assert_eq!(tab.ask("pause='9999'", "").status, 403);
}

#[test]
fn the_client_says_of_what_type_answers_are() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    let heard = wire.ask(&post(&opening(
        1,
        "ver='1.6' content='text/html; charset=utf-8'",
    )));
    assert_eq!(
        heard.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = heard.header("content-security-policy").unwrap();
    assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"));
    let sid = attribute(heard.text(), "sid").unwrap();
    let end = format!("<body xmlns='{BOSH}' sid='{sid}' rid='2' type='terminate'/>");
    let heard = wire.ask(&post(&end));
    assert_eq!(
        heard.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let heard = wire.ask(&post(&opening(1, "ver='1.6'")));
    assert_eq!(
        heard.header("content-type"),
        Some("text/xml; charset=utf-8")
    );
    let injected = opening(1, "ver='1.6' content='text/html&#13;&#10;Set-Cookie: a=b'");
    ended(&wire.ask(&post(&injected)), "bad-request");
}

#[test]
fn a_session_stays_on_the_side_that_it_began_on() {
    let server = Server::start(&["ann"]);
    let tls = || Wire::tls(&server, &["http/1.1"]).0;
    let mut tab = Tab::over(tls, USUAL);
    let rid = tab.rid + 1;
    let stolen = tab.body_of(rid, "", "");
    let heard = Wire::plain(&server).ask(&post(&stolen));
    ended(&heard, "item-not-found");
    // And it has not taken any harm.
    tab.authenticate("ann");
    tab.bind("tab");
    assert_eq!(tab.jid, "ann@office.example/tab");
}

#[test]
fn sessions_of_one_address_are_counted() {
    let server = Server::with(
        "[limits]\nconnections_per_address = 3\n[http]\ntrusted_proxies = [\"127.0.0.0/8\"]",
        &[],
    );
    let mut wire = Wire::plain(&server);
    let mut from = |address: &str| {
        let header = format!("X-Forwarded-For: {address}\r\nX-Forwarded-Proto: https\r\n");
        wire.ask(&post_with(&header, &opening(1, USUAL)))
    };
    let begun: Vec<_> = (0..3).map(|_| from("192.0.2.1")).collect();
    assert!(
        begun
            .iter()
            .all(|heard| attribute(heard.text(), "sid").is_some())
    );
    ended(&from("192.0.2.1"), "policy-violation");
    assert!(attribute(from("192.0.2.2").text(), "sid").is_some());
}

#[test]
fn where_tls_is_required_others_are_told_where_to_go() {
    let server = Server::with("[http]\ntrusted_proxies = [\"127.0.0.0/8\"]", &[]);
    let mut wire = Wire::plain(&server);
    let header = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n";
    let heard = wire.ask(&post_with(header, &opening(1, USUAL)));
    ended(&heard, "see-other-uri");
    let uri = heard.text().split("<uri>").nth(1).unwrap();
    let uri = uri.split("</uri>").next().unwrap();
    assert!(
        uri.starts_with("https://") && uri.ends_with("/http-bind"),
        "{uri}"
    );
    // So are those whom a proxy on this machine passes on without a word.
    let request = post(&opening(1, USUAL));
    let request = request.replacen("Host: localhost", "Host: chat.office.example", 1);
    let silent = Server::start(&[]);
    ended(&Wire::plain(&silent).ask(&request), "see-other-uri");
}
