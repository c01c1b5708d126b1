//! What a client is spared while nobody looks at it (XEP-0352).

use ::xml::Element;

use crate::support::{Client, Server};

fn pair(server: &Server) -> (Client, Client) {
    let mut ann = Client::online(server, "ann", "desk");
    let mut bob = Client::online(server, "bob", "hand");
    bob.send("<presence to='ann@office.example' type='subscribe'/>");
    ann.presence("bob@office.example", "subscribe");
    ann.send("<presence to='bob@office.example' type='subscribed'/>");
    bob.presence("ann@office.example/desk", "");
    ann.settle();
    bob.settle();
    (ann, bob)
}

fn state(ann: &mut Client, name: &str) {
    ann.send(&format!(
        "<message to='bob@office.example' type='chat' id='{name}'><{name} xmlns='http://jabber.org/protocol/chatstates'/></message>"
    ));
}

/// What came, shortly: the status of a presence, the id of a message.
fn came(bob: &mut Client) -> Vec<String> {
    let all = bob.settle();
    let told = |s: &Element| match s.name() {
        "presence" => s
            .child("status", "jabber:client")
            .map(|s| s.text().into_owned()),
        "message" => s.attribute("id").map(std::borrow::Cow::into_owned),
        _ => None,
    };
    all.iter().filter_map(told).collect()
}

#[test]
fn the_last_of_each_comes_when_somebody_looks_again() {
    let server = Server::start(&["ann", "bob"]);
    let (mut ann, mut bob) = pair(&server);
    bob.send("<inactive xmlns='urn:xmpp:csi:0'/>");
    bob.settle();
    for number in 0..5 {
        ann.available(&format!("<status>{number}</status>"));
    }
    state(&mut ann, "composing");
    state(&mut ann, "paused");
    ann.settle();
    assert!(came(&mut bob).is_empty());
    bob.send("<active xmlns='urn:xmpp:csi:0'/>");
    assert_eq!(came(&mut bob), ["4", "paused"]);
    ann.available("<status>5</status>");
    assert_eq!(came(&mut bob), ["5"]);
}

#[test]
fn a_message_comes_at_once_with_what_was_before_it() {
    let server = Server::start(&["ann", "bob"]);
    let (mut ann, mut bob) = pair(&server);
    bob.send("<inactive xmlns='urn:xmpp:csi:0'/>");
    bob.settle();
    ann.available("<status>1</status>");
    ann.send("<message to='bob@office.example' type='chat' id='m'><body>Hi</body></message>");
    ann.available("<status>2</status>");
    assert_eq!(came(&mut bob), ["1", "m"]);
    ann.send("<presence type='unavailable'><status>gone</status></presence>");
    ann.settle();
    bob.send("<active xmlns='urn:xmpp:csi:0'/>");
    assert_eq!(came(&mut bob), ["gone"]);
}

#[test]
fn what_has_a_text_waits_for_nobody() {
    let server = Server::start(&["ann", "bob"]);
    let (mut ann, mut bob) = pair(&server);
    bob.send("<inactive xmlns='urn:xmpp:csi:0'/>");
    bob.settle();
    for id in ["1", "2"] {
        ann.send(&format!("<message to='bob@office.example' type='chat' id='{id}'><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>"));
    }
    ann.settle();
    assert_eq!(came(&mut bob), ["1", "2"]);
}
