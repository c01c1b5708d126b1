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

/// Wants to be notified of these nodes.
fn wants(bob: &mut Client, nodes: &[&str]) {
    bob.send(
        "<presence><c xmlns='http://jabber.org/protocol/caps' node='urn:bob' ver='1'/></presence>",
    );
    let asked = bob.expect("the question", |s| {
        s.name() == "iq" && s.attribute("type").as_deref() == Some("get")
    });
    let features = nodes.iter().map(|n| format!("<feature var='{n}+notify'/>"));
    bob.send(&format!(
        "<iq type='result' id='{}' to='office.example'><query xmlns='http://jabber.org/protocol/disco#info'>{}</query></iq>",
        asked.attribute("id").unwrap(),
        features.collect::<String>()
    ));
    bob.settle();
}

fn publish(ann: &mut Client, node: &str, id: &str, max: &str) {
    let done = ann.ask("set", "", &format!(
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='{node}'><item id='{id}'><t xmlns='urn:t'/></item></publish>\
         <publish-options><x xmlns='jabber:x:data' type='submit'><field var='pubsub#max_items'><value>{max}</value></field></x>\
         </publish-options></pubsub>"
    ));
    assert_eq!(
        done.attribute("type").as_deref(),
        Some("result"),
        "{done:?}"
    );
}

/// The items that notifications name.
fn notified(bob: &mut Client) -> Vec<String> {
    let item = |s: &Element| {
        let event = s.child("event", "http://jabber.org/protocol/pubsub#event")?;
        let item = event.children().next()?.children().next()?;
        item.attribute("id").map(std::borrow::Cow::into_owned)
    };
    bob.settle().iter().filter_map(item).collect()
}

#[test]
fn the_last_notification_of_a_node_waits() {
    let server = Server::start(&["ann", "bob"]);
    let (mut ann, mut bob) = pair(&server);
    wants(&mut bob, &["urn:mood", "urn:list"]);
    publish(&mut ann, "urn:mood", "0", "1");
    assert_eq!(notified(&mut bob), ["0"]);
    bob.send("<inactive xmlns='urn:xmpp:csi:0'/>");
    bob.settle();
    for id in ["1", "2", "3"] {
        publish(&mut ann, "urn:mood", id, "1");
        publish(&mut ann, "urn:list", &format!("list {id}"), "max");
    }
    publish(&mut ann, "urn:list", "list 1", "max");
    assert_eq!(notified(&mut bob), Vec::<String>::new());
    bob.send("<active xmlns='urn:xmpp:csi:0'/>");
    // Of a list every item, of the other the last.
    assert_eq!(notified(&mut bob), ["list 2", "3", "list 3", "list 1"]);
}

#[test]
fn no_more_waits_than_is_allowed() {
    let server = Server::with("[limits]\ninactive_stanzas = 2", &["ann", "bob"]);
    let (mut ann, mut bob) = pair(&server);
    wants(&mut bob, &["urn:list"]);
    bob.send("<inactive xmlns='urn:xmpp:csi:0'/>");
    bob.settle();
    for id in ["1", "2"] {
        publish(&mut ann, "urn:list", id, "max");
    }
    assert!(notified(&mut bob).is_empty());
    publish(&mut ann, "urn:list", "3", "max");
    assert_eq!(notified(&mut bob), ["1", "2", "3"]);
    publish(&mut ann, "urn:list", "4", "max");
    assert!(notified(&mut bob).is_empty());
    // So much has no room beside anything else.
    drop((ann, bob));
    let server = Server::with("[limits]\ninactive_bytes = \"1KiB\"", &["ann", "bob"]);
    let (mut ann, mut bob) = pair(&server);
    bob.send("<inactive xmlns='urn:xmpp:csi:0'/>");
    bob.settle();
    ann.available("<status>short</status>");
    assert!(came(&mut bob).is_empty());
    let long = "x".repeat(1200);
    ann.available(&format!("<status>{long}</status>"));
    assert_eq!(came(&mut bob), [long]);
    drop((ann, bob));
    let server = Server::with("[limits]\ninactive_stanzas = 0", &["ann", "bob"]);
    let (mut ann, mut bob) = pair(&server);
    bob.send("<inactive xmlns='urn:xmpp:csi:0'/>");
    bob.settle();
    for status in ["1", "2"] {
        ann.available(&format!("<status>{status}</status>"));
    }
    assert_eq!(came(&mut bob), ["1", "2"]);
}
