//! What one device of a user gets and says, on his others (XEP-0280).

use xml::Element;

use super::{Chat, Phone, World};

const ENABLE: &str = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>";
const DISABLE: &str = "<iq type='set' id='c'><disable xmlns='urn:xmpp:carbons:2'/></iq>";

fn copied(world: &mut World, name: &str, resource: &str) -> Chat {
    let mut chat = Chat::online(world, name, resource);
    // Asked twice, it is answered twice.
    for _ in 0..2 {
        chat.read();
        chat.send(world, ENABLE);
        assert_eq!(chat.read()[0].attribute("type").as_deref(), Some("result"));
    }
    chat
}

fn say(to: &str, text: &str) -> String {
    format!("<message type='chat' id='m' to='{to}'><body>{text}</body></message>")
}

/// The copies since the last reading: whether sent, from whom, what.
fn copies(chat: &Chat, full: &str) -> Vec<(bool, String, String)> {
    let bare = full.split('/').next().unwrap();
    let stanzas = chat.read().into_iter().filter(|s| s.name() == "message");
    stanzas.map(|s| copy(&s, full, bare)).collect()
}

fn copy(stanza: &Element, full: &str, bare: &str) -> (bool, String, String) {
    assert_eq!(
        stanza.attribute("from").as_deref(),
        Some(bare),
        "{stanza:?}"
    );
    assert_eq!(stanza.attribute("to").as_deref(), Some(full), "{stanza:?}");
    let outside = stanza.children().next().unwrap();
    assert_eq!(outside.namespace(), "urn:xmpp:carbons:2", "{stanza:?}");
    let forwarded = outside.child("forwarded", "urn:xmpp:forward:0").unwrap();
    let message = forwarded.child("message", "jabber:client").unwrap();
    let body = message.child("body", "jabber:client").unwrap();
    (
        outside.name() == "sent",
        message.attribute("from").unwrap().into_owned(),
        body.text().into_owned(),
    )
}

#[test]
fn a_conversation_goes_on_at_another_device() {
    let mut world = World::open(&["ann", "bob"]);
    let mut desk = copied(&mut world, "ann", "desk");
    let mut lap = copied(&mut world, "ann", "lap");
    let mut bob = copied(&mut world, "bob", "desk");
    let phone = copied(&mut world, "bob", "phone");
    for chat in [&desk, &lap, &bob, &phone] {
        chat.read();
    }
    desk.send(&mut world, &say("bob@office.example/desk", "Lunch?"));
    assert_eq!(bob.messages(), [("Lunch?".to_owned(), false)]);
    let from = |from: &str, sent: bool, text: &str| vec![(sent, from.to_owned(), text.to_owned())];
    let ann = "ann@office.example/desk";
    assert_eq!(
        copies(&phone, "bob@office.example/phone"),
        from(ann, false, "Lunch?")
    );
    assert_eq!(
        copies(&lap, "ann@office.example/lap"),
        from(ann, true, "Lunch?")
    );
    assert!(desk.read().is_empty(), "who sends it gets no copy");

    bob.send(&mut world, &say(ann, "At one"));
    let bob_desk = "bob@office.example/desk";
    assert_eq!(desk.messages(), [("At one".to_owned(), false)]);
    assert_eq!(
        copies(&lap, "ann@office.example/lap"),
        from(bob_desk, false, "At one")
    );
    assert_eq!(
        copies(&phone, "bob@office.example/phone"),
        from(bob_desk, true, "At one")
    );

    lap.send(&mut world, DISABLE);
    lap.read();
    bob.send(&mut world, &say(ann, "Or two"));
    assert_eq!(desk.messages().len(), 1);
    assert!(lap.read().is_empty());
}

#[test]
fn a_private_word_is_not_copied_and_arrives_without_the_mark() {
    let mut world = World::open(&["ann", "bob"]);
    let mut desk = copied(&mut world, "ann", "desk");
    let lap = copied(&mut world, "ann", "lap");
    let bob = Chat::online(&mut world, "bob", "desk");
    let phone = copied(&mut world, "bob", "phone");
    for chat in [&lap, &bob, &phone] {
        chat.read();
    }
    desk.send(
        &mut world,
        "<message type='chat' to='bob@office.example/desk'><private xmlns='urn:xmpp:carbons:2'/><no-copy xmlns='urn:xmpp:hints'/><body>psst</body></message>",
    );
    let got = bob.read();
    let names: Vec<_> = got[0].children().map(|c| c.name().to_owned()).collect();
    assert_eq!(names, ["no-copy", "body", "stanza-id"]);
    assert!(lap.read().is_empty() && phone.read().is_empty());
}

#[test]
fn what_a_phone_says_and_hears_is_on_the_desk_too() {
    let mut world = World::open(&["ann", "bob"]);
    let desk = copied(&mut world, "ann", "desk");
    let mut bob = Chat::online(&mut world, "bob", "desk");
    let mut phone = Phone::new("ann", 1);
    phone.register(&mut world, 3600);
    desk.read();
    assert_eq!(phone.say(&mut world, "bob", "From the phone"), 200);
    let copies = copies(&desk, "ann@office.example/desk");
    assert_eq!(copies.len(), 1);
    assert!(copies[0].0 && copies[0].1.starts_with("ann@office.example/sip-"));
    assert_eq!(copies[0].2, "From the phone");
    // What is said to her is on all of her devices, once each.
    bob.send(&mut world, &say("ann@office.example", "I see"));
    assert_eq!(desk.messages(), [("I see".to_owned(), false)]);
    assert_eq!(phone.messages(&mut world), ["I see"]);
}

#[test]
fn a_forged_copy_is_none() {
    let mut world = World::open(&["ann", "bob"]);
    let mut bob = Chat::online(&mut world, "bob", "desk");
    let mut ann = copied(&mut world, "ann", "desk");
    let lap = copied(&mut world, "ann", "lap");
    for (to, from) in [
        ("ann@office.example", ""),
        ("ann@office.example/desk", "from='bob@office.example'"),
        ("ann@office.example/lap", "from='bob@office.example/desk'"),
    ] {
        for chat in [&ann, &lap] {
            chat.read();
        }
        for name in ["received", "sent"] {
            let forged = format!(
                "<message type='chat' {from} to='{to}'><{name} xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
                 <message xmlns='jabber:client' from='eve@office.example/x' to='ann@office.example'><body>Send money</body></message>\
                 </forwarded></{name}></message>"
            );
            bob.send(&mut world, &forged);
        }
        for stanza in ann.read().into_iter().chain(lap.read()) {
            let raw = String::from_utf8(stanza.raw().to_vec()).unwrap();
            assert!(!raw.contains("money"), "{raw}");
        }
    }
    // Also not to oneself, where the account is the same.
    ann.send(
        &mut world,
        "<message type='chat' from='ann@office.example' to='ann@office.example/lap'><sent xmlns='urn:xmpp:carbons:2'/></message>",
    );
    for stanza in lap.read() {
        assert_eq!(
            stanza.attribute("from").as_deref(),
            Some("ann@office.example/desk")
        );
        assert_eq!(stanza.children().count(), 0, "{stanza:?}");
    }
}
