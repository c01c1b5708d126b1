//! Presence over the wire (RFC 6121 §4).

use crate::support::xmpp::{befriend, is_presence, text};
use crate::support::{Client, Server};

/// A way to end a session.
type End = fn(Client);

#[test]
fn initial_presence_probes_and_broadcasts() {
    let server = Server::start(&["ann", "bob", "carol"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    let mut carol = Client::online(&server, "carol", "desk");
    befriend(&mut ann, &mut bob);
    ann.send("<presence xml:lang='de'><show>dnd</show><status>im Termin</status><status xml:lang='en'>in a meeting</status><priority>5</priority><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='x' ver='y'/></presence>");
    let seen = bob.presence("ann@office.example/desk", "");
    assert_eq!(text(&seen, "show"), "dnd");
    assert_eq!(text(&seen, "priority"), "5");
    assert_eq!(seen.children().filter(|c| c.name() == "status").count(), 2);
    assert!(seen.child("c", "http://jabber.org/protocol/caps").is_some());
    assert_eq!(seen.lang().as_deref(), Some("de"));
    carol.nothing("presence for a stranger", |s| {
        s.name() == "presence" && s.attribute("from").is_some_and(|f| f.starts_with("ann@"))
    });

    // Who comes later is told what is there, and its own other resources too.
    let mut phone = Client::login(&server, "bob", "phone");
    phone.send("<presence/>");
    let seen = phone.presence("ann@office.example/desk", "");
    assert_eq!(text(&seen, "show"), "dnd");
    phone.presence("bob@office.example/desk", "");
    bob.presence("bob@office.example/phone", "");
    ann.presence("bob@office.example/phone", "");

    phone.send("<presence type='unavailable'><status>gone home</status></presence>");
    let seen = ann.presence("bob@office.example/phone", "unavailable");
    assert_eq!(text(&seen, "status"), "gone home");
    bob.presence("bob@office.example/phone", "unavailable");
    // Unavailable, but still connected: it hears nothing and may come again.
    ann.send("<presence><show>away</show></presence>");
    bob.presence("ann@office.example/desk", "");
    phone.nothing("presence while unavailable", |s| {
        is_presence(s, "ann@office.example/desk", "")
    });
    phone.send("<presence/>");
    ann.presence("bob@office.example/phone", "");
    let seen = phone.presence("ann@office.example/desk", "");
    assert_eq!(text(&seen, "show"), "away");
}

#[test]
fn unavailable_on_every_way_a_session_ends() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut first = Client::online(&server, "ann", "first");
    befriend(&mut first, &mut bob);
    let ends: [(&str, End); 5] = [
        ("closed", Client::close),
        ("cut", Client::cut),
        ("dropped", drop),
        ("error", |mut client| {
            client.send("<!-- no -->");
            client.ends_with("restricted-xml");
        }),
        ("half-closed", |client| {
            client.socket().shutdown(std::net::Shutdown::Write).unwrap();
            let mut client = client;
            client.end();
        }),
    ];
    for (resource, end) in ends {
        let ann = Client::online(&server, "ann", resource);
        let own = format!("ann@office.example/{resource}");
        bob.presence(&own, "");
        end(ann);
        bob.presence(&own, "unavailable");
        bob.nothing("a second end", |s| is_presence(s, &own, "unavailable"));
    }
    let ann = Client::online(&server, "ann", "taken");
    bob.presence("ann@office.example/taken", "");
    let _replacing = Client::online(&server, "ann", "taken");
    bob.presence("ann@office.example/taken", "unavailable");
    bob.presence("ann@office.example/taken", "");
    drop(ann);
}

#[test]
fn directed_presence_is_withdrawn() {
    let server = Server::start(&["ann", "bob", "carol"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut carol = Client::online(&server, "carol", "desk");
    for cut in [false, true] {
        let mut ann = Client::login(&server, "ann", "desk");
        // Also from a session that is not available to anybody else.
        ann.send("<presence to='bob@office.example/desk'><show>chat</show></presence>");
        let seen = bob.presence("ann@office.example/desk", "");
        assert_eq!(text(&seen, "show"), "chat");
        assert_eq!(
            seen.attribute("to").as_deref(),
            Some("bob@office.example/desk")
        );
        ann.send("<presence to='carol@office.example'/>");
        carol.presence("ann@office.example/desk", "");
        ann.send("<presence to='carol@office.example' type='unavailable'/>");
        carol.presence("ann@office.example/desk", "unavailable");
        if cut {
            ann.cut();
        } else {
            ann.available("");
            ann.send("<presence type='unavailable'/>");
        }
        bob.presence("ann@office.example/desk", "unavailable");
        carol.nothing("a second withdrawal", |s| {
            is_presence(s, "ann@office.example/desk", "unavailable")
        });
    }
}

#[test]
fn what_is_no_presence_is_refused() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    for (content, condition) in [
        ("<show>busy</show>", "bad-request"),
        ("<priority>128</priority>", "bad-request"),
        ("<priority>high</priority>", "bad-request"),
    ] {
        ann.send(&format!("<presence id='x'>{content}</presence>"));
        let error = ann.expect("an error", |s| {
            s.name() == "presence" && s.attribute("type").as_deref() == Some("error")
        });
        assert_eq!(
            crate::support::xmpp::condition(&error).as_deref(),
            Some(condition)
        );
    }
    ann.settle();
}
