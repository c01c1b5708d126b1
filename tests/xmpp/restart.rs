//! `kill -9` in the middle: what was told to be done is there afterwards, and presence does not flap.

use crate::support::xmpp::{befriend, is_presence, text};
use crate::support::{Client, Server};

fn raw(stanza: &xml::Element) -> String {
    String::from_utf8(stanza.raw().to_vec()).unwrap()
}

#[test]
fn durable_changes_survive() {
    let mut server = Server::start(&["ann", "bob", "carol"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    befriend(&mut ann, &mut bob);
    let done = ann.ask("set", "", "<query xmlns='jabber:iq:roster'><item jid='dave@office.example' name='Dave'><group>Far</group></item></query>");
    assert_eq!(done.attribute("type").as_deref(), Some("result"));
    ann.send(
        "<presence type='subscribe' to='carol@office.example'><status>please</status></presence>",
    );
    ann.expect("the push of the request", |s| {
        s.name() == "iq" && raw(s).contains("carol@office.example")
    });
    ann.send("<message to='carol@office.example' type='chat'><body>kept</body></message>");
    // The acknowledgement of a later change waits for the same disk.
    ann.ask(
        "set",
        "",
        "<query xmlns='jabber:iq:roster'><item jid='eve@office.example'/></query>",
    );
    server.ok(&["user", "alias", "add", "ann@office.example", "101"]);
    server.ok(&["user", "add", "late@office.example"]);
    server.kill();
    server.launch();

    let mut ann = Client::login(&server, "ann", "desk");
    let roster = raw(&ann.roster());
    for part in [
        "dave@office.example",
        "Far",
        "eve@office.example",
        "carol@office.example",
        "ask='subscribe'",
    ] {
        assert!(roster.contains(part), "{part}: {roster}");
    }
    assert!(roster.contains("subscription='both'"), "{roster}");
    let list = server.ok(&["user", "list"]);
    assert!(list.contains("late@office.example"), "{list}");
    assert!(list.contains("101"), "{list}");
    ann.available("");
    let mut carol = Client::online(&server, "carol", "desk");
    let request = carol.presence("ann@office.example", "subscribe");
    assert_eq!(text(&request, "status"), "please");
    let kept = carol.message("kept");
    assert!(kept.child("delay", "urn:xmpp:delay").is_some());
    carol.send("<presence type='subscribed' to='ann@office.example'/>");
    ann.presence("carol@office.example", "subscribed");
    ann.presence("carol@office.example/desk", "");
}

#[test]
fn who_comes_back_never_went_and_who_does_not_goes_after_the_grace() {
    let mut server = Server::with("[limits]\nrestart_grace = \"3s\"", &["ann", "bob", "carol"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    let mut carol = Client::online(&server, "carol", "desk");
    befriend(&mut ann, &mut bob);
    befriend(&mut ann, &mut carol);
    bob.available("<show>dnd</show><status>busy</status>");
    ann.expect("bob is busy", |s| {
        is_presence(s, "bob@office.example/desk", "") && text(s, "show") == "dnd"
    });
    carol.available("<show>away</show>");
    ann.expect("carol is away", |s| {
        is_presence(s, "carol@office.example/desk", "") && text(s, "show") == "away"
    });
    // What lives in connections is written within a second, or with this.
    server.ok(&["backup", server.folder().join("copy.db").to_str().unwrap()]);
    server.kill();
    server.launch();

    let mut ann = Client::online(&server, "ann", "desk");
    // As last known, though neither is connected.
    for (contact, show) in [
        ("bob@office.example/desk", "dnd"),
        ("carol@office.example/desk", "away"),
    ] {
        let seen = ann.presence(contact, "");
        assert_eq!(text(&seen, "show"), show);
    }
    let mut bob = Client::online(&server, "bob", "desk");
    bob.presence("ann@office.example/desk", "");
    bob.available("<show>dnd</show><status>busy</status>");
    // Carol stays away: it is told once the grace is over, and bob was never gone.
    ann.presence("carol@office.example/desk", "unavailable");
    ann.nothing("bob gone", |s| {
        is_presence(s, "bob@office.example/desk", "unavailable")
    });
    bob.nothing("ann gone", |s| {
        is_presence(s, "ann@office.example/desk", "unavailable")
    });
}

#[test]
fn after_a_clean_end_nobody_is_there() {
    let mut server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    befriend(&mut ann, &mut bob);
    assert_eq!(server.terminate().code(), Some(0));
    server.launch();
    let mut ann = Client::online(&server, "ann", "desk");
    ann.nothing("presence of who has not come back", |s| {
        s.name() == "presence" && s.attribute("from").is_some_and(|f| f.starts_with("bob@"))
    });
    let mut bob = Client::online(&server, "bob", "desk");
    bob.presence("ann@office.example/desk", "");
    ann.presence("bob@office.example/desk", "");
}

#[test]
fn what_was_acknowledged_is_there_whenever_it_is_killed() {
    let mut server = Server::start(&["ann"]);
    for round in 0..5 {
        let mut ann = Client::login(&server, "ann", "desk");
        // Several changes in flight; each is acknowledged after its commit.
        let mut sent = String::new();
        for number in 0..40 {
            sent.push_str(&format!("<iq type='set' id='{number}'><query xmlns='jabber:iq:roster'><item jid='c{round}-{number}@office.example'/></query></iq>"));
        }
        ann.send(&sent);
        let acknowledged = 7 * (round + 1);
        for number in 0..acknowledged {
            ann.expect("an acknowledgement", |s| {
                s.attribute("id").as_deref() == Some(&number.to_string())
                    && s.attribute("type").as_deref() == Some("result")
            });
        }
        server.kill();
        server.launch();
        let mut ann = Client::login(&server, "ann", "desk");
        let roster = raw(&ann.roster());
        for number in 0..acknowledged {
            assert!(
                roster.contains(&format!("'c{round}-{number}@office.example'")),
                "{round} {number}"
            );
        }
    }
}
