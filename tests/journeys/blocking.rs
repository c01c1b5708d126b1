//! Who is blocked on one face is blocked on the other.

use std::time::Duration;

use super::{Chat, Phone, World, address};
use crate::sip::pidf::simple;

fn block(who: &str) -> String {
    format!(
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{who}@office.example'/></block></iq>"
    )
}

const UNBLOCK: &str = "<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>";

#[test]
fn a_phone_that_is_blocked_is_told_so_and_hears_nothing_more() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Phone::new("bob", 2);
    bob.register(&mut world, 3600);
    bob.subscribe(&mut world, "ann");
    assert!(bob.sees(&mut world).is_open());
    assert_eq!(bob.say(&mut world, "ann", "before"), 200);
    assert_eq!(ann.messages(), [("before".to_owned(), false)]);
    world.pass(Duration::from_secs(5));
    ann.send(&mut world, &block("bob"));
    let told = bob.told(&mut world);
    assert_eq!(told, [("terminated;rejected".to_owned(), None)]);
    ann.send(&mut world, "<presence><status>hidden</status></presence>");
    world.pass(Duration::from_secs(5));
    assert!(bob.told(&mut world).is_empty());
    // As for one who was denied: he may not subscribe, and nobody takes his messages.
    assert_eq!(bob.try_subscribe(&mut world, "ann"), 403);
    assert_eq!(bob.say(&mut world, "ann", "hello?"), 480);
    assert!(ann.messages().is_empty());
    // She cannot write to him either.
    let hello = "<message to='bob@office.example' type='chat' id='m'><body>hi</body></message>";
    ann.send(&mut world, hello);
    let refused = ann.read();
    let error = refused[0].child("error", "jabber:client").unwrap();
    assert_eq!(error.attribute("type").as_deref(), Some("cancel"));
    let condition = error.child("not-acceptable", "urn:ietf:params:xml:ns:xmpp-stanzas");
    assert!(condition.is_some());
    assert!(error.child("blocked", "urn:xmpp:blocking:errors").is_some());
    assert!(bob.messages(&mut world).is_empty());
    ann.send(&mut world, UNBLOCK);
    bob.subscribe(&mut world, "ann");
    assert!(bob.sees(&mut world).has_note("hidden"));
    assert_eq!(bob.say(&mut world, "ann", "again"), 200);
    assert_eq!(ann.messages(), [("again".to_owned(), false)]);
}

/// The presence of a phone whose owner is blocked is not shown, and comes back.
#[test]
fn the_phone_of_one_who_is_blocked_is_out_of_sight() {
    let mut world = World::open(&["ann", "bob"]);
    world.befriend("ann", "bob");
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Phone::new("bob", 2);
    bob.register(&mut world, 3600);
    assert_eq!(ann.saw("bob")[0].1, "available");
    ann.send(&mut world, &block("bob"));
    assert_eq!(ann.saw("bob")[0].1, "unavailable");
    let document = simple(&address("bob"), "t1", "open", "at work");
    assert_eq!(bob.publish(&mut world, &document, 600), 200);
    assert_eq!(ann.saw("bob"), []);
    ann.send(&mut world, UNBLOCK);
    assert_eq!(ann.saw("bob")[0].1, "available");
}

/// The owner's own phone does not watch whom she blocks.
#[test]
fn the_own_phone_watches_no_longer() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let _bob = Chat::online(&mut world, "bob", "desk");
    let mut phone = Phone::new("ann", 3);
    phone.subscribe(&mut world, "bob");
    assert!(phone.sees(&mut world).is_open());
    ann.send(&mut world, &block("bob"));
    let told = phone.told(&mut world);
    assert_eq!(told, [("terminated;rejected".to_owned(), None)]);
    assert_eq!(phone.try_subscribe(&mut world, "bob"), 403);
    assert_eq!(phone.say(&mut world, "bob", "no"), 403);
}
