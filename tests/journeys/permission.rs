//! Who may see whom, where colleagues must ask.

use std::time::Duration;

use model::commit::Reply;

use super::{Chat, Phone, World, bare};

const BOB: &str = "bob@office.example";

/// A phone asks for the presence of a chat user, who reads the request.
fn asked() -> (World, Chat, Phone) {
    let mut world = World::asking(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    ann.send(&mut world, "<presence><status>secret</status></presence>");
    let mut bob = Phone::new("bob", 2);
    bob.subscribe(&mut world, "ann");
    let told = bob.told(&mut world);
    assert_eq!(told, [("pending".to_owned(), None)]);
    assert_eq!(ann.asked("subscribe"), [BOB]);
    world.pass(Duration::from_secs(5));
    (world, ann, bob)
}

#[test]
fn a_phone_asks_and_may_see() {
    let (mut world, mut ann, bob) = asked();
    let yes = format!("<presence type='subscribed' to='{BOB}'/>");
    ann.send(&mut world, &yes);
    let pidf = bob.sees(&mut world);
    assert!(pidf.is_open() && pidf.has_note("secret"));
    assert_eq!(pidf.entity, "sip:ann@office.example");
}

#[test]
fn a_phone_asks_and_may_not() {
    let (mut world, mut ann, bob) = asked();
    let no = format!("<presence type='unsubscribed' to='{BOB}'/>");
    ann.send(&mut world, &no);
    let told = bob.told(&mut world);
    assert_eq!(told, [("terminated;rejected".to_owned(), None)]);
    ann.send(&mut world, "<presence><status>hidden</status></presence>");
    world.pass(Duration::from_secs(5));
    assert!(bob.told(&mut world).is_empty());
}

#[test]
fn an_administrator_answers_for_a_phone() {
    let mut world = World::asking(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Phone::new("bob", 2);
    bob.register(&mut world, 3600);
    let ask = format!("<presence type='subscribe' to='{BOB}'/>");
    ann.send(&mut world, &ask);
    assert_eq!(ann.saw("bob"), []);
    let (owner, watcher) = (bare("bob"), bare("ann"));
    let done = Reply::new(|result: Result<(), _>| result.unwrap());
    world.model.answer(&owner, &watcher, true, &done);
    world.settle();
    let saw = ann.saw("bob");
    assert_eq!(saw.len(), 1, "{saw:?}");
    assert!(saw[0].0.starts_with("sip-") && saw[0].1 == "available");
    bob.register(&mut world, 0);
    assert_eq!(ann.saw("bob")[0].1, "unavailable");
}
