//! Who sees whom come, work and go.

use std::time::Duration;

use super::{Chat, Phone, World, address};
use crate::sip::pidf::{Pidf, doing, simple};

/// The states without names, which must all be the same and those of a phone.
fn states(saw: &[(String, String)], name: &mut String) -> Vec<String> {
    for (resource, _) in saw {
        if name.is_empty() {
            name.clone_from(resource);
        }
        assert_eq!(resource, name);
        let digits = resource.strip_prefix("sip-").expect("the name of a phone");
        assert!(digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    }
    saw.iter().map(|(_, state)| state.clone()).collect()
}

fn open_tuples(pidf: &Pidf) -> usize {
    pidf.tuples.iter().filter(|t| t.basic == "open").count()
}

#[test]
fn a_phone_comes_gets_busy_and_goes() {
    let mut world = World::open(&["ann", "bob"]);
    world.befriend("ann", "bob");
    let ann = Chat::online(&mut world, "ann", "desk");
    assert_eq!(ann.saw("bob"), []);
    let (mut bob, mut name) = (Phone::new("bob", 2), String::new());
    bob.register(&mut world, 3600);
    assert_eq!(states(&ann.saw("bob"), &mut name), ["available"]);
    let document = simple(&address("bob"), "t1", "open", "at work");
    assert_eq!(bob.publish(&mut world, &document, 600), 200);
    assert_eq!(states(&ann.saw("bob"), &mut name), ["available"]);
    let document = doing(&address("bob"), "t1", "on-the-phone");
    assert_eq!(bob.publish(&mut world, &document, 600), 200);
    assert_eq!(states(&ann.saw("bob"), &mut name), ["dnd"]);
    // A phone that took back what it said is gone, registered or not.
    assert_eq!(bob.publish(&mut world, "", 0), 200);
    assert_eq!(states(&ann.saw("bob"), &mut name), ["unavailable"]);
    bob.register(&mut world, 0);
    assert_eq!(ann.saw("bob"), []);
    // Another day: the same name.
    bob.register(&mut world, 3600);
    assert_eq!(states(&ann.saw("bob"), &mut name), ["available"]);
    world.pass(Duration::from_secs(3700));
    assert_eq!(states(&ann.saw("bob"), &mut name), ["unavailable"]);
}

#[test]
fn a_chat_user_goes_for_lunch_leaves_and_comes_back() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Phone::new("bob", 2);
    bob.register(&mut world, 3600);
    bob.subscribe(&mut world, "ann");
    assert!(bob.sees(&mut world).is_open());
    world.pass(Duration::from_secs(5));
    let lunch = "<presence><show>away</show><status>At lunch</status></presence>";
    ann.send(&mut world, lunch);
    let pidf = bob.sees(&mut world);
    assert!(pidf.has_note("At lunch") && pidf.tuples[0].show == "away");
    assert_eq!(pidf.entity, "sip:ann@office.example");
    world.pass(Duration::from_secs(5));
    ann.send(&mut world, "<presence type='unavailable'/>");
    assert!(!bob.sees(&mut world).is_open());
    world.pass(Duration::from_secs(5));
    ann.send(&mut world, "<presence/>");
    let pidf = bob.sees(&mut world);
    assert!(pidf.is_open() && !pidf.has_note("At lunch"));
    // Nothing more comes by itself.
    world.pass(Duration::from_secs(60));
    assert!(bob.told(&mut world).is_empty());
}

#[test]
fn a_publication_that_nobody_refreshes_ends() {
    let mut world = World::open(&["ann", "bob"]);
    world.befriend("ann", "bob");
    let ann = Chat::online(&mut world, "ann", "desk");
    let (mut bob, mut name) = (Phone::new("bob", 2), String::new());
    let document = simple(&address("bob"), "t1", "open", "at work");
    assert_eq!(bob.publish(&mut world, &document, 120), 200);
    assert_eq!(states(&ann.saw("bob"), &mut name), ["available"]);
    world.pass(Duration::from_secs(115));
    assert_eq!(bob.publish(&mut world, "", 120), 200);
    world.pass(Duration::from_secs(115));
    assert_eq!(ann.saw("bob"), [], "a refresh says nothing new");
    world.pass(Duration::from_secs(30));
    assert_eq!(states(&ann.saw("bob"), &mut name), ["unavailable"]);
}

#[test]
fn a_phone_that_forgot_its_tag_publishes_anew_without_flapping() {
    let mut world = World::open(&["ann", "bob"]);
    world.befriend("ann", "bob");
    let ann = Chat::online(&mut world, "ann", "desk");
    let (mut bob, mut name) = (Phone::new("bob", 2), String::new());
    bob.register(&mut world, 3600);
    let document = doing(&address("bob"), "t1", "on-the-phone");
    assert_eq!(bob.publish(&mut world, &document, 600), 200);
    assert_eq!(states(&ann.saw("bob"), &mut name), ["available", "dnd"]);
    bob.etag = Some("forgotten".to_owned());
    assert_eq!(bob.publish(&mut world, "", 600), 412);
    assert_eq!(ann.saw("bob"), []);
    assert_eq!(bob.publish(&mut world, &document, 600), 200);
    let again = states(&ann.saw("bob"), &mut name);
    assert!(again.iter().all(|state| state == "dnd"), "{again:?}");
    // Neither the first publication's end nor the rest of its time shows.
    world.pass(Duration::from_secs(500));
    assert_eq!(bob.publish(&mut world, "", 600), 200);
    world.pass(Duration::from_secs(500));
    assert_eq!(ann.saw("bob"), []);
}

#[test]
fn a_person_with_two_clients_and_two_phones() {
    let mut world = World::open(&["ann", "bob"]);
    let mut desk = Chat::online(&mut world, "ann", "desk");
    let _home = Chat::online(&mut world, "ann", "home");
    let (mut one, mut two) = (Phone::new("ann", 3), Phone::new("ann", 4));
    for (phone, id) in [(&mut one, "t1"), (&mut two, "t2")] {
        phone.register(&mut world, 3600);
        let document = simple(&address("ann"), id, "open", id);
        assert_eq!(phone.publish(&mut world, &document, 600), 200);
    }
    let mut bob = Phone::new("bob", 2);
    bob.subscribe(&mut world, "ann");
    let pidf = bob.sees(&mut world);
    assert_eq!((pidf.tuples.len(), open_tuples(&pidf)), (4, 4), "{pidf:?}");
    assert!(pidf.has_note("t1") && pidf.has_note("t2"));
    world.pass(Duration::from_secs(5));
    desk.send(&mut world, "<presence type='unavailable'/>");
    assert_eq!(open_tuples(&bob.sees(&mut world)), 3);
    world.pass(Duration::from_secs(5));
    two.register(&mut world, 0);
    two.publish(&mut world, "", 0);
    world.pass(Duration::from_secs(5));
    let pidf = bob.told(&mut world).pop().unwrap().1.unwrap();
    assert_eq!(open_tuples(&pidf), 2, "{pidf:?}");
    assert!(pidf.has_note("t1") && !pidf.has_note("t2"));
}

#[test]
fn a_refresh_of_the_registration_does_not_flap() {
    let mut world = World::open(&["ann", "bob"]);
    world.befriend("ann", "bob");
    let ann = Chat::online(&mut world, "ann", "desk");
    let (mut bob, mut name) = (Phone::new("bob", 2), String::new());
    bob.register(&mut world, 120);
    assert_eq!(states(&ann.saw("bob"), &mut name), ["available"]);
    for _ in 0..5 {
        world.pass(Duration::from_secs(100));
        bob.register(&mut world, 120);
    }
    assert_eq!(ann.saw("bob"), []);
    world.pass(Duration::from_secs(121));
    assert_eq!(states(&ann.saw("bob"), &mut name), ["unavailable"]);
}
