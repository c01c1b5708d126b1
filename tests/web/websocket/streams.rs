//! Framed streams (RFC 7395 §3) on the wire.

use super::browser::{Browser, CLOSE, FRAMING, Heard, OPEN, STREAMS, request};
use crate::support::{Server, wait_for};

#[test]
fn what_ends_a_stream() {
    let server = Server::start(&[]);
    let ping = "<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>";
    for (text, condition) in [
        (format!(" {OPEN}"), "bad-format"),
        ("\n".to_owned(), "bad-format"),
        (format!("{OPEN}{OPEN}"), "not-well-formed"),
        ("<open xmlns='jabber:client' to='office.example' version='1.0'/>".to_owned(), "invalid-namespace"),
        ("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='office.example' version='1.0'>".to_owned(), "invalid-namespace"),
        ("<!-- x -->".to_owned(), "restricted-xml"),
        (OPEN.replace("office", "other"), "host-unknown"),
        (OPEN.replace("1.0", "0.9"), "unsupported-version"),
        (ping.to_owned(), "invalid-namespace"),
    ] {
        let mut browser = Browser::connect(&server);
        browser.say(&text);
        // The stream is opened before its error is told (§3.5).
        assert!(browser.element().is("open", FRAMING), "{text}");
        browser.ends_with(condition, 1000);
    }
    for (text, condition) in [
        (OPEN, "unsupported-stanza-type"),
        (ping, "not-authorized"),
        ("</stream:stream>", "invalid-namespace"),
        (" ", "bad-format"),
    ] {
        let mut browser = Browser::opened(&server);
        browser.say(text);
        browser.ends_with(condition, 1000);
    }
    // TLS is below (§3.9).
    let mut browser = Browser::opened(&server);
    browser.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    assert_eq!(browser.element().name(), "failure");
    assert!(browser.element().is("close", FRAMING));
    browser.closes(1000);
}

/// §3.6.
#[test]
fn the_end_of_a_stream() {
    let server = Server::start(&["ann"]);
    let mut before = Browser::connect(&server);
    let mut opened = Browser::opened(&server);
    let mut online = Browser::online(&server, "ann", "web");
    for browser in [&mut before, &mut opened, &mut online] {
        browser.say(CLOSE);
        assert!(browser.element().is("close", FRAMING));
        browser.closes(1000);
    }
    server.wait_for_status("nobody is there", |status| {
        status["connections"]["xmpp"] == 0
    });
}

#[test]
fn the_end_of_the_server() {
    let mut server = Server::start(&["ann"]);
    let mut online = Browser::online(&server, "ann", "web");
    let mut silent = Browser::connect(&server);
    server.signal("TERM");
    online.ends_with("system-shutdown", 1001);
    // Who has said nothing is told nothing (§3.4).
    silent.closes(1001);
    assert!(server.ended().success());
}

/// §3.6.1: what came through a proxy without TLS is sent where TLS is.
#[test]
fn a_way_without_tls() {
    let proxies = "[http]\ntrusted_proxies = [\"127.0.0.0/8\"]";
    let server = Server::with(proxies, &["ann"]);
    let by = |proto| {
        [
            ("Host", "office.example"),
            ("X-Forwarded-For", "203.0.113.9"),
            ("X-Forwarded-Proto", proto),
        ]
    };
    let mut browser = Browser::plain(&server).upgraded(&by("http"));
    browser.say(OPEN);
    let close = browser.element();
    assert!(close.is("close", FRAMING), "{close:?}");
    let port = server.address("http.listen_tls").port();
    let expected = format!("wss://office.example:{port}/xmpp-websocket");
    assert_eq!(
        close.attribute("see-other-uri").as_deref(),
        Some(&*expected)
    );
    browser.closes(1000);
    let mut browser = Browser::plain(&server).upgraded(&by("https"));
    browser.open();
    browser.log_in("ann");
    // Where there is no TLS there is nowhere to go.
    let server = Server::with(&format!("{proxies}\nlisten_tls = []"), &["ann"]);
    let mut browser = Browser::plain(&server).upgraded(&by("http"));
    browser.say(OPEN);
    assert!(browser.element().is("open", FRAMING));
    browser.ends_with("policy-violation", 1008);
    // What is configured is told.
    let public = format!("{proxies}\npublic_url = \"https://im.office.example\"");
    let server = Server::with(&public, &["ann"]);
    let mut browser = Browser::plain(&server).upgraded(&by("http"));
    browser.say(OPEN);
    let uri = browser
        .element()
        .attribute("see-other-uri")
        .map(std::borrow::Cow::into_owned);
    assert_eq!(
        uri.as_deref(),
        Some("wss://im.office.example/xmpp-websocket")
    );
}

/// A proxy on this machine that says nothing of itself does not make private what it passes on.
#[test]
fn a_way_that_seems_to_be_of_this_machine() {
    let server = Server::start(&["ann"]);
    for changes in [
        ("Host", "chat.office.example"),
        ("Origin", "http://chat.office.example"),
    ] {
        let mut browser = Browser::plain(&server).upgraded(&[changes]);
        browser.say(OPEN);
        let close = browser.element();
        assert!(close.is("close", FRAMING), "{changes:?}: {close:?}");
        assert!(close.attribute("see-other-uri").is_some());
        browser.closes(1000);
    }
    for host in ["localhost:5280", "127.0.0.1", "[::1]:5280"] {
        let mut browser = Browser::plain(&server).upgraded(&[("Host", host)]);
        browser.open();
        browser.log_in("ann");
    }
}

/// Whose password is guessed is told by the proxy.
#[test]
fn guesses_count_by_client() {
    let server = Server::with(
        "[http]\ntrusted_proxies = [\"127.0.0.0/8\"]\n[limits]\nauth_failures = { per_account_and_address = 2, per_address = 200, within = \"1m\" }",
        &["ann"],
    );
    let guess = |from: &str| {
        let by = [("X-Forwarded-For", from), ("X-Forwarded-Proto", "https")];
        let mut browser = Browser::plain(&server).upgraded(&by);
        browser.open();
        browser.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFubgB3cm9uZw==</auth>");
        let failure = browser.element();
        failure.children().next().unwrap().name().to_owned()
    };
    assert_eq!(guess("203.0.113.9"), "not-authorized");
    assert_eq!(guess("203.0.113.9"), "not-authorized");
    assert_eq!(guess("203.0.113.9"), "temporary-auth-failure");
    assert_eq!(guess("203.0.113.10"), "not-authorized");
}

#[test]
fn who_does_not_log_in_is_sent_away() {
    let server = Server::with("[limits]\nunauthenticated_time = \"1s\"", &["ann"]);
    let mut silent = Browser::connect(&server);
    let mut slow = Browser::opened(&server);
    // Who was told nothing is told by the reason alone.
    silent.closes(1008);
    slow.ends_with("policy-violation", 1008);
    let mut stranger = Browser::opened(&server);
    for _ in 0..40 {
        stranger.try_octets(&super::browser::frame(
            super::browser::TEXT,
            b"<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
        ));
    }
    let ended = wait_for("the end", || match stranger.hear() {
        Heard::Element(error) if error.is("error", STREAMS) => Some(error),
        Heard::Element(_) => None,
        other => panic!("{other:?}"),
    });
    assert_eq!(ended.children().next().unwrap().name(), "policy-violation");
    assert!(stranger.element().is("close", FRAMING));
    stranger.closes(1008);
}

/// RFC 6455 §7.4.1: why a connection closes is told where it has a word for that; else the error of the stream says it.
#[test]
fn why_a_session_ends() {
    let server = Server::start(&["ann"]);
    let mut first = Browser::online(&server, "ann", "web");
    let mut second = Browser::online(&server, "ann", "web");
    first.ends_with("conflict", 1000);
    server.ok(&["user", "disable", "ann@office.example"]);
    second.ends_with("policy-violation", 1008);
}

/// What is asked for on a connection to HTTP is not mixed up with it.
#[test]
fn a_connection_that_asked_for_pages_before() {
    let server = Server::start(&["ann"]);
    let mut browser = Browser::plain(&server);
    let answer = browser.ask("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(answer.status, 200);
    assert_eq!(browser.ask(&request(&[])).status, 101);
    browser.open();
    browser.log_in("ann");
}
