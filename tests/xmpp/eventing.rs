//! PEP (XEP-0163) over real sockets: what was acknowledged survives, and clients that people use find it.

use serde_json::json;

use super::profanity;
use super::real_clients::{seen, slix};
use crate::support::terminal::Terminal;
use crate::support::wait::{DEADLINE, wait_within};
use crate::support::xmpp::befriend;
use crate::support::{Client, Script, Server, quick};

const PUBSUB: &str = "http://jabber.org/protocol/pubsub";

fn raw(stanza: &xml::Element) -> String {
    String::from_utf8(stanza.raw().to_vec()).unwrap()
}

fn publish(n: usize) -> String {
    format!(
        "<pubsub xmlns='{PUBSUB}'><publish node='urn:n'><item id='i{n}'><t xmlns='urn:t'>{n}</t></item></publish>\
         <publish-options><x xmlns='jabber:x:data' type='submit'><field var='pubsub#max_items'><value>max</value></field>\
         <field var='pubsub#access_model'><value>open</value></field></x></publish-options></pubsub>"
    )
}

#[test]
fn what_was_acknowledged_is_there_after_kill_9() {
    let mut server = Server::start(&["ann", "bob", "eve"]);
    let mut expected = Vec::new();
    for round in 0..3 {
        let mut ann = Client::online(&server, "ann", "desk");
        for n in 0..10 {
            let n = round * 10 + n;
            let done = ann.ask("set", "", &publish(n));
            assert_eq!(
                done.attribute("type").as_deref(),
                Some("result"),
                "{done:?}"
            );
            expected.push(format!("id='i{n}'"));
        }
        let gone = format!(
            "<pubsub xmlns='{PUBSUB}'><retract node='urn:n'><item id='i{}'/></retract></pubsub>",
            round * 10 + 4
        );
        let done = ann.ask("set", "", &gone);
        assert_eq!(done.attribute("type").as_deref(), Some("result"));
        expected.retain(|id| *id != format!("id='i{}'", round * 10 + 4));
        server.kill();
        server.launch();
        let mut eve = Client::online(&server, "eve", "desk");
        let items = format!("<pubsub xmlns='{PUBSUB}'><items node='urn:n'/></pubsub>");
        let read = raw(&eve.ask("get", "ann@office.example", &items));
        let found: Vec<_> = read
            .match_indices("<item id=")
            .map(|(at, _)| &read[at + 6..read[at + 10..].find('\'').unwrap() + at + 11])
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn after_kill_9_both_sides_of_what_was_converted_are_there_or_none() {
    let mut server = Server::start(&["ann"]);
    for round in 0..3 {
        let mut ann = Client::online(&server, "ann", "desk");
        let picture = ["YQ==", "Yg==", "Yw=="][round];
        let card =
            format!("<vCard xmlns='vcard-temp'><PHOTO><BINVAL>{picture}</BINVAL></PHOTO></vCard>");
        ann.ask("set", "", &card);
        let rooms = format!(
            "<storage xmlns='storage:bookmarks'><conference jid='r{round}@rooms.example'/></storage>"
        );
        ann.ask(
            "set",
            "",
            &format!("<query xmlns='jabber:iq:private'>{rooms}</query>"),
        );
        // Not answered yet when the server dies.
        ann.send(&format!(
            "<iq type='set' id='late'>{}</iq>",
            card.replace(picture, "eHl6")
        ));
        server.kill();
        server.launch();
        let mut ann = Client::online(&server, "ann", "desk");
        let card = raw(&ann.ask("get", "", "<vCard xmlns='vcard-temp'/>"));
        let mut items = |node: &str| {
            let items = format!("<pubsub xmlns='{PUBSUB}'><items node='{node}'/></pubsub>");
            raw(&ann.ask("get", "", &items))
        };
        let data = items("urn:xmpp:avatar:data");
        let there = if card.contains("eHl6") {
            "eHl6"
        } else {
            picture
        };
        assert!(
            card.contains(there) && data.contains(there),
            "{card} {data}"
        );
        assert!(items("urn:xmpp:bookmarks:1").contains(&format!("id='r{round}@rooms.example'")));
        assert!(items("storage:bookmarks").contains(&rooms));
    }
}

/// A server where ann and bob see each other. Neither is there.
fn friends() -> Server {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    befriend(&mut ann, &mut bob);
    server
}

/// A slixmpp that wants to be told of nodes.
fn eventful(server: &Server, user: &str) -> Script {
    slix(server, user, &json!({ "pep": true }))
}

/// Ann's and bob's, which see each other.
fn two_of_slixmpp(server: &Server) -> [Script; 2] {
    let [mut ann, mut bob] = ["ann", "bob"].map(|user| eventful(server, user));
    ann.event("online");
    bob.event("online");
    bob.expect("ann", |e| seen(e, "ann@office.example/slix", "available"));
    [ann, bob]
}

#[test]
fn two_of_slixmpp_tell_moods_and_avatars() {
    if quick() {
        return;
    }
    let mut server = friends();
    let [mut ann, mut bob] = two_of_slixmpp(&server);
    // The first one may come before the server knows what bob wants to hear of: then he gets it as the last one. Either way it knows now.
    ann.tell(&json!({"do": "mood", "mood": "sad", "text": "winter"}));
    ann.event("done");
    assert_eq!(bob.event("mood")["mood"], "sad");
    assert_eq!(ann.event("mood")["text"], "winter");
    ann.tell(&json!({"do": "mood", "mood": "happy", "text": "spring"}));
    ann.event("done");
    let mood = bob.event("mood");
    assert_eq!(
        (&mood["mood"], &mood["late"]),
        (&json!("happy"), &json!(false))
    );
    assert_eq!(mood["sender"], "ann@office.example");
    assert_eq!(ann.event("mood")["text"], "spring");
    ann.tell(&json!({"do": "avatar", "octets": "a picture"}));
    let id = ann.event("done")["id"].clone();
    assert_eq!(bob.event("avatar")["id"], id);
    bob.tell(&json!({"do": "picture", "of": "ann@office.example", "id": id}));
    assert_eq!(bob.event("picture")["octets"], "a picture");
    // Whoever comes later gets the last of both, also after a crash.
    ann.tell(&json!({"do": "end"}));
    server.kill();
    server.launch();
    let mut bob = eventful(&server, "bob");
    let mood = bob.event("mood");
    assert_eq!(
        (&mood["mood"], &mood["late"]),
        (&json!("happy"), &json!(true))
    );
    assert_eq!(bob.event("avatar")["id"], id);
}

#[test]
fn two_of_slixmpp_see_the_same_picture_in_cards_and_nodes() {
    if quick() {
        return;
    }
    let server = friends();
    let [mut ann, mut bob] = two_of_slixmpp(&server);
    ann.tell(&json!({"do": "card", "octets": "in a card"}));
    ann.event("done");
    let id = bob.event("avatar")["id"].clone();
    bob.tell(&json!({"do": "picture", "of": "ann@office.example", "id": id}));
    assert_eq!(bob.event("picture")["octets"], "in a card");
    ann.tell(&json!({"do": "avatar", "octets": "in a node"}));
    let id = ann.event("done")["id"].clone();
    assert_eq!(bob.event("avatar")["id"], id);
    bob.tell(&json!({"do": "read card", "of": "ann@office.example"}));
    assert_eq!(bob.event("card")["octets"], "in a node");
}

/// A Profanity that can encrypt.
fn profanity(server: &Server, user: &str) -> Terminal {
    let mut screen = profanity::logged_in(server, user, user, &[]);
    screen.line("/omemo gen");
    screen.wait_for("Your Device ID is");
    screen
}

/// Until it has the keys of the other, which it fetches by itself.
fn knows(screen: &mut Terminal, other: &str) {
    wait_within(DEADLINE, "the keys of the other", || {
        screen.line("/clear");
        screen.line(&format!("/omemo fingerprint {other}@office.example"));
        screen.wait_for("fingerprint");
        screen.screen().contains("(trusted)").then_some(())
    });
}

#[test]
fn two_of_profanity_speak_omemo() {
    if quick() {
        return;
    }
    let server = friends();
    let mut bob = profanity(&server, "bob");
    let mut ann = profanity(&server, "ann");
    for (screen, other) in [(&mut ann, "bob"), (&mut bob, "ann")] {
        screen.line("/omemo policy always");
        screen.line("/omemo trustmode blind");
        screen.line(&format!("/msg {other}@office.example"));
        screen.line("/omemo start");
        screen.wait_for("OMEMO");
    }
    knows(&mut ann, "bob");
    ann.line("secret words of ann");
    bob.wait_for("secret words of ann");
    knows(&mut bob, "ann");
    bob.line("secret words of bob");
    ann.wait_for("secret words of bob");
    // The server has seen no word of it.
    let file = std::fs::read(server.data().join("adsum.db")).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&file).contains("secret words"));
}
