//! Messages between chat clients and phones.

use std::time::Duration;

use super::{Chat, Phone, World};

fn message(text: &str) -> String {
    format!("<message type='chat' id='m' to='bob@office.example'><body>{text}</body></message>")
}

#[test]
fn they_talk() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Phone::new("bob", 2);
    bob.register(&mut world, 3600);
    ann.send(&mut world, &message("Coffee?"));
    assert_eq!(bob.messages(&mut world), ["Coffee?"]);
    assert_eq!(bob.say(&mut world, "ann", "In five minutes"), 200);
    assert_eq!(ann.messages(), [("In five minutes".to_owned(), false)]);
}

#[test]
fn what_was_said_to_an_absent_phone_waits_for_its_registration() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Phone::new("bob", 2);
    ann.send(&mut world, &message("one"));
    ann.send(&mut world, &message("two"));
    assert!(bob.messages(&mut world).is_empty() && ann.messages().is_empty());
    world.pass(Duration::from_secs(3600));
    bob.register(&mut world, 3600);
    world.pass(Duration::from_secs(5));
    assert_eq!(bob.messages(&mut world), ["one", "two"]);
    // What was taken does not come again.
    bob.register(&mut world, 3600);
    world.pass(Duration::from_secs(5));
    assert!(bob.messages(&mut world).is_empty());
}

#[test]
fn what_a_phone_said_to_nobody_waits_for_the_first_presence() {
    let mut world = World::open(&["ann", "bob"]);
    let mut bob = Phone::new("bob", 2);
    bob.register(&mut world, 3600);
    assert_eq!(bob.say(&mut world, "ann", "Call me"), 202);
    let mut ann = Chat::connect(&world, "ann", "desk");
    assert_eq!(ann.messages(), []);
    ann.send(&mut world, "<presence/>");
    assert_eq!(ann.messages(), [("Call me".to_owned(), true)]);
    ann.send(&mut world, "<presence type='unavailable'/>");
    ann.send(&mut world, "<presence/>");
    assert_eq!(ann.messages(), []);
}
