//! Sessions over WebSocket among others: presence and messages, and clients that vanish.

use super::browser::{Browser, CLOSING, Heard, PING, frame};
use crate::support::{Client, Server};

/// Both see each other.
fn befriend(browser: &mut Browser, client: &mut Client) {
    browser.say("<presence xmlns='jabber:client' to='bob@office.example' type='subscribe'/>");
    client.presence("ann@office.example", "subscribe");
    client.send("<presence to='ann@office.example' type='subscribed'/><presence to='ann@office.example' type='subscribe'/>");
    browser.presence("bob@office.example", "subscribe");
    browser.say("<presence xmlns='jabber:client' to='bob@office.example' type='subscribed'/>");
    let (browsers, clients) = (browser.jid.clone(), client.jid.clone());
    client.presence(&browsers, "");
    browser.presence(&clients, "");
}

#[test]
fn with_others() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut ann = Browser::secure(&server).upgraded(&[]);
    ann.open();
    ann.log_in("ann");
    ann.bind("web");
    ann.available();
    befriend(&mut ann, &mut bob);
    // Lengths of every kind, in both directions, and what is written otherwise.
    for size in [1, 60, 125, 126, 127, 3000, 65_400, 65_536, 150_000] {
        let body = "x".repeat(size);
        ann.send("bob@office.example", &body);
        bob.message(&body);
        bob.send(&format!(
            "<message to='{}' type='chat'><body>{body}</body></message>",
            ann.jid
        ));
        let message = ann.message(&body);
        assert_eq!(message.attribute("from").as_deref(), Some(&*bob.jid));
    }
    ann.say("<c:message xmlns:c='jabber:client' to='bob@office.example' type='chat'><c:body>gr\u{FC}\u{DF}e &lt; \u{1F600}</c:body></c:message>");
    bob.message("gr\u{FC}\u{DF}e < \u{1F600}");
    ann.say("<presence xmlns='jabber:client'><show>away</show></presence>");
    bob.expect("away", |s| s.child("show", "jabber:client").is_some());
    // Many at once, in order.
    let many: Vec<_> = (0..200)
        .map(|n| frame(0x81, format!("<message xmlns='jabber:client' to='bob@office.example' type='chat'><body>{n}</body></message>").as_bytes()))
        .collect();
    ann.octets(&many.concat());
    for n in 0..200 {
        let message = bob.expect("a message", |s| s.name() == "message");
        assert_eq!(
            message.child("body", "jabber:client").unwrap().text(),
            n.to_string()
        );
    }
}

#[test]
fn a_client_that_goes_is_gone() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut ann = Browser::online(&server, "ann", "web");
    befriend(&mut ann, &mut bob);
    let from = "ann@office.example/web";
    // A page that is closed, without a word in XMPP.
    ann.octets(&frame(CLOSING, &1001_u16.to_be_bytes()));
    bob.presence(from, "unavailable");
    // A machine that is switched off.
    let ann = Browser::online(&server, "ann", "web");
    bob.presence(from, "");
    ann.cut();
    bob.presence(from, "unavailable");
    // A client that breaks the rules.
    let mut ann = Browser::online(&server, "ann", "web");
    bob.presence(from, "");
    ann.octets(&frame(0x82, b"x"));
    bob.presence(from, "unavailable");
}

/// The server asks by XEP-0199, and every sign of life will do (RFC 7395 §3.8).
#[test]
fn silence_is_asked_about() {
    let server = Server::with("[xmpp]\nping_after = \"1s\"", &["ann"]);
    let mut ann = Browser::online(&server, "ann", "web");
    let ping = ann.expect("a ping", |s| s.child("ping", "urn:xmpp:ping").is_some());
    assert_eq!(ping.attribute("type").as_deref(), Some("get"));
    ann.octets(&frame(PING, b"here"));
    assert_eq!(ann.hear(), Heard::Pong(b"here".to_vec()));
    // It is asked again after a while, since it has answered.
    ann.expect("a ping", |s| s.child("ping", "urn:xmpp:ping").is_some());
}

/// Who does not read loses the session, and nobody waits for that.
#[test]
fn who_does_not_read() {
    let server = Server::with(
        "[limits]\nout_queue = \"64KiB\"\n[xmpp]\narchive = \"off\"",
        &["ann", "bob"],
    );
    let mut bob = Client::online(&server, "bob", "desk");
    let mut ann = Browser::online(&server, "ann", "web");
    befriend(&mut ann, &mut bob);
    let body = "x".repeat(20_000);
    let message =
        format!("<message to='ann@office.example/web' type='chat'><body>{body}</body></message>");
    // More than all buffers on the way hold.
    for _ in 0..1000 {
        bob.send(&message);
    }
    bob.presence("ann@office.example/web", "unavailable");
}
