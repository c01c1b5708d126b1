//! What people see, on simulated time.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Client, Heard, World, bare, document, presented, resource};
use model::Rules;
use model::publish::{Body, Granted, Publish};
use model::route::Ended;
use presence::subscription::Kind;
use presence::{Decision, EntityTag, Refusal};

const PHONE: &str = "sip-00000001";

fn world() -> World {
    let world = World::new(1, Rules::default());
    for account in ["ann", "bob", "eve"] {
        world.add(account);
    }
    world
}

fn asking() -> World {
    let world = World::new(
        1,
        Rules {
            same_domain_allow: false,
            ..Rules::default()
        },
    );
    world.add("ann");
    world.add("bob");
    world
}

fn on_disk() -> World {
    let world = World::on_disk(1, Rules::default());
    world.add("ann");
    world.add("bob");
    world.befriend("ann", "bob");
    world
}

fn publish(
    world: &World,
    tag: Option<&EntityTag>,
    said: Option<&str>,
    seconds: u64,
) -> Result<Granted, Refusal> {
    let body = said.map(|said| Body {
        document: document(said, 0),
        native: Bytes::copy_from_slice(said.as_bytes()),
        lang: None,
    });
    let publish = Publish {
        tag: tag.cloned(),
        expires: Duration::from_secs(seconds),
        body,
        resource: resource(PHONE),
        device: "phone".into(),
    };
    world.ask(|reply| world.model.publish(&bare("ann"), publish, reply))
}

#[test]
fn several_devices_of_one_person() {
    let world = world();
    world.befriend("ann", "bob");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    let (desk, desk_id) = world.come("ann@localhost/desk", "at the desk");
    assert_eq!(
        desk.presences(),
        ["ann@localhost/desk at the desk", "bob@localhost/desk b"]
    );
    let (hand, _) = world.come("ann@localhost/hand", "walking");
    assert_eq!(
        hand.presences(),
        [
            "ann@localhost/desk at the desk",
            "ann@localhost/hand walking",
            "bob@localhost/desk b"
        ]
    );
    publish(&world, None, Some("ringing"), 600).unwrap();
    let phone = format!("ann@localhost/{PHONE} ringing");
    assert_eq!(desk.presences(), ["ann@localhost/hand walking", &phone]);
    bob.take();
    let (_, before) = world.watch("eve", "ann");
    assert_eq!(before.1.len(), 3);
    world.model.unavailable(&bare("ann"), desk_id, None);
    assert_eq!(bob.presences(), ["ann@localhost/desk -"]);
    assert_eq!(
        desk.presences(),
        ["ann@localhost/desk -"],
        "also to the one that sent it (RFC 6121 §4.5.2)"
    );
    world.model.disconnect(&bare("ann"), desk_id, None);
    assert!(bob.presences().is_empty(), "said once");
}

#[test]
fn a_publication_ends_and_comes_again_under_its_name() {
    let world = world();
    world.befriend("ann", "bob");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    bob.take();
    let first = publish(&world, None, Some("one"), 60).unwrap();
    world.pass(Duration::from_secs(50));
    let second = publish(&world, Some(&first.etag), None, 60).unwrap();
    assert_ne!(first.etag, second.etag);
    world.pass(Duration::from_secs(50));
    assert_eq!(
        publish(&world, Some(&first.etag), None, 60),
        Err(Refusal::TagUnknown)
    );
    // 412: the phone publishes anew, and nobody sees it go.
    let third = publish(&world, None, Some("two"), 60).unwrap();
    let phone = format!("ann@localhost/{PHONE}");
    assert_eq!(
        bob.presences(),
        [format!("{phone} one"), format!("{phone} two")]
    );
    assert_eq!(
        publish(&world, Some(&second.etag), None, 60),
        Err(Refusal::TagUnknown)
    );
    world.pass(Duration::from_secs(61));
    world.settle();
    assert_eq!(bob.presences(), [format!("{phone} -")]);
    assert_eq!(
        publish(&world, Some(&third.etag), None, 60),
        Err(Refusal::TagUnknown)
    );
    assert!(world.stored("ann").publications.is_empty());
    let gone = publish(&world, None, Some("three"), 60).unwrap();
    publish(&world, Some(&gone.etag), None, 0).unwrap();
    assert_eq!(
        bob.presences(),
        [format!("{phone} three"), format!("{phone} -")]
    );
}

#[test]
fn asked_denied_approved() {
    let world = asking();
    let (ann, ann_id) = world.come("ann@localhost/desk", "secret");
    ann.take();
    let (id, told) = world.watch("bob", "ann");
    assert_eq!(told, (Decision::Pending, vec![]));
    assert_eq!(
        ann.take(),
        [Heard::Subscription(Kind::Subscribe, "bob@localhost".into())]
    );
    // The same phone again: the owner is not asked twice.
    world.watch("bob", "ann");
    assert!(ann.take().is_empty());
    world
        .model
        .available(&bare("ann"), ann_id, presented("more secret", 0))
        .unwrap();
    assert!(world.phones.views.lock().is_empty());
    world.subscribe("ann", Kind::Unsubscribed, "bob");
    assert_eq!(world.told(id), (Decision::Deny, vec![]));
    let allow = |allow| {
        world
            .ask(|r| world.model.answer(&bare("ann"), &bare("bob"), allow, r))
            .unwrap()
    };
    allow(true);
    let seen = vec![("desk".to_owned(), "more secret".to_owned())];
    assert_eq!(world.told(id), (Decision::Allow, seen));
    allow(false);
    assert_eq!(world.told(id), (Decision::Deny, vec![]));
    world.subscribe("ann", Kind::Subscribed, "bob");
    assert_eq!(world.told(id).0, Decision::Allow);
    // What the owner granted goes with the contact.
    world
        .ask(|r| world.model.roster_remove(&bare("ann"), &bare("bob"), r))
        .unwrap();
    assert_eq!(world.told(id), (Decision::Pending, vec![]));
    assert!(world.phones.again.lock().is_empty());
}

#[test]
fn what_is_said_after_a_refusal_is_not_heard() {
    let world = world();
    world.befriend("ann", "bob");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    let (_, ann_id) = world.come("ann@localhost/desk", "open");
    bob.take();
    // The writer has committed nothing yet.
    let nobody = model::commit::Reply::ignored();
    world.model.subscription(
        &bare("ann"),
        Kind::Unsubscribed,
        &bare("bob"),
        Bytes::new(),
        &nobody,
    );
    world
        .model
        .available(&bare("ann"), ann_id, presented("secret", 0))
        .unwrap();
    assert_eq!(bob.presences(), ["ann@localhost/desk -"]);
    world.settle();
    assert!(bob.presences().is_empty());
}

#[test]
fn who_unsubscribes_or_removes_sees_the_other_go() {
    for remove in [false, true] {
        let world = world();
        world.befriend("ann", "bob");
        let (bob, _) = world.come("bob@localhost/desk", "b");
        let (ann, _) = world.come("ann@localhost/desk", "a");
        bob.take();
        ann.take();
        if remove {
            world
                .ask(|r| world.model.roster_remove(&bare("bob"), &bare("ann"), r))
                .unwrap();
            assert_eq!(ann.presences(), ["bob@localhost/desk -"]);
        } else {
            world.subscribe("bob", Kind::Unsubscribe, "ann");
            assert!(ann.presences().is_empty());
        }
        assert_eq!(bob.presences(), ["ann@localhost/desk -"]);
    }
}

#[test]
fn who_goes_before_his_change_is_committed_leaves_nothing_behind() {
    for remove in [false, true] {
        let world = world();
        world.befriend("ann", "bob");
        let (bob, bob_id) = world.come("bob@localhost/desk", "b");
        let (_, ann_id) = world.come("ann@localhost/desk", "a");
        // The writer commits none of it yet.
        let nobody = model::commit::Reply::ignored();
        if remove {
            world
                .model
                .roster_remove(&bare("bob"), &bare("ann"), &nobody);
        } else {
            let (bob, ann) = (bare("bob"), bare("ann"));
            let kind = Kind::Unsubscribe;
            world
                .model
                .subscription(&bob, kind, &ann, Bytes::new(), &nobody);
        }
        world.model.disconnect(&bare("bob"), bob_id, None);
        bob.take();
        world
            .model
            .available(&bare("ann"), ann_id, presented("later", 0))
            .unwrap();
        assert!(bob.presences().is_empty());
        world.settle();
        assert!(bob.presences().is_empty());
    }
}

#[test]
fn who_knows_each_other_shares_addresses() {
    let world = world();
    world.befriend("ann", "bob");
    world.befriend("eve", "bob");
    let contact = |owner: &str| {
        let (_, session) = world.come(&format!("{owner}@localhost/desk"), owner);
        let roster = world.ask(|r| world.model.roster(&bare(owner), session, r));
        roster.unwrap().get(&bare("bob")).unwrap().contact.clone()
    };
    assert!(contact("ann").is_same(&contact("eve")));
}

#[test]
fn a_registered_phone_counts_as_present() {
    let world = world();
    world.befriend("ann", "bob");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    bob.take();
    assert_eq!(world.register("sip:ann@192.0.2.1", Some("urn:1"), 1, 60), 1);
    let came = bob.presences();
    assert_eq!(came.len(), 1, "{came:?}");
    // The same phone with another port: one binding, and it does not flap.
    assert_eq!(
        world.register("sip:ann@192.0.2.1:5070", Some("urn:1"), 2, 60),
        1
    );
    world.pass(Duration::from_secs(50));
    assert_eq!(
        world.register("sip:ann@192.0.2.1:5070", Some("urn:1"), 3, 60),
        1
    );
    world.pass(Duration::from_secs(50));
    assert!(bob.presences().is_empty());
    world.pass(Duration::from_secs(11));
    world.settle();
    let went = bob.presences();
    assert!(went.len() == 1 && went[0].ends_with(" -"), "{went:?}");
}

#[test]
fn a_crash_keeps_what_was_known_for_a_while() {
    let world = on_disk();
    world.come("ann@localhost/desk", "a");
    world.come("ann@localhost/hand", "h");
    let (id, before) = world.watch("bob", "ann");
    let (world, watches) = world.crash();
    assert_eq!(watches.len(), 1);
    let look = |world: &World| {
        let (seen, _) = world.model.look(&bare("bob"), &bare("ann")).unwrap();
        common::shown(seen.decision, &seen.view)
    };
    assert_eq!(look(&world), before);
    let (bob, _) = world.come("bob@localhost/desk", "b");
    bob.take();
    // One comes back, one does not.
    world.come("ann@localhost/desk", "again");
    assert_eq!(
        bob.presences(),
        ["ann@localhost/desk again"],
        "it did not flap"
    );
    world.pass(Duration::from_secs(20));
    assert!(bob.presences().is_empty());
    world.pass(Duration::from_secs(20));
    world.settle();
    assert_eq!(bob.presences(), ["ann@localhost/hand -"]);
    assert_eq!(world.told(id).1, [("desk".to_owned(), "again".to_owned())]);
    let stored = world.stored("ann");
    assert_eq!(stored.last_known.len(), 1);
    assert!(world.phones.again.lock().is_empty());
}

#[test]
fn a_clean_end_tells_everybody() {
    let world = on_disk();
    let (bob, _) = world.come("bob@localhost/desk", "b");
    world.come("ann@localhost/desk", "a");
    let (id, _) = world.watch("bob", "ann");
    bob.take();
    let (world, _) = world.restart();
    assert_eq!(world.told(id), (Decision::Allow, vec![]));
    let stored = world.stored("ann");
    assert!(stored.last_known.is_empty());
    let (bob, _) = world.come("bob@localhost/desk", "b");
    assert_eq!(bob.presences(), ["bob@localhost/desk b"]);
}

#[test]
fn a_debt_is_paid_after_a_crash() {
    let world = on_disk();
    let nobody = model::commit::Reply::ignored();
    world
        .model
        .roster_remove(&bare("ann"), &bare("bob"), &nobody);
    world.commit();
    // On the disk at Ann's; Bob has not heard.
    let (world, _) = world.crash();
    world.settle();
    let bob = world.stored("bob");
    assert_eq!(
        bob.roster.get(&bare("ann")).unwrap().subscription.as_str(),
        "none"
    );
    assert!(world.model.store().outbox().unwrap().is_empty());
}

#[test]
fn the_newer_connection_of_a_device_lives() {
    let world = world();
    world.befriend("ann", "bob");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    let (old, old_id) = world.come("ann@localhost/desk", "old");
    bob.take();
    old.take();
    let (_, new_id) = world.come("ann@localhost/desk", "new");
    assert!(old.take().contains(&Heard::Ended(Ended::Replaced)));
    world.model.disconnect(&bare("ann"), old_id, None);
    assert_eq!(
        bob.presences(),
        ["ann@localhost/desk -", "ann@localhost/desk new"]
    );
    assert_ne!(old_id, new_id);
    // A name in the form of a phone's is not for clients.
    let client = Client::new("x", None);
    let (_, name) = world
        .model
        .connect(&bare("ann"), Some(resource(PHONE)), client)
        .unwrap();
    assert_ne!(name, resource(PHONE));
}

#[test]
fn directed_presence_is_taken_back_once() {
    let world = world();
    world.befriend("ann", "bob");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    let (eve, _) = world.come("eve@localhost/desk", "e");
    let (_, ann_id) = world.come("ann@localhost/desk", "a");
    bob.take();
    eve.take();
    for to in ["eve@localhost", "bob@localhost/desk"] {
        let to = presence::Address::parse(to).unwrap();
        world
            .model
            .directed(&bare("ann"), ann_id, &to, presented("psst", 0), true)
            .unwrap();
    }
    assert_eq!(eve.presences(), ["ann@localhost/desk psst"]);
    assert_eq!(bob.presences(), ["ann@localhost/desk psst"]);
    world
        .model
        .available(&bare("ann"), ann_id, presented("loud", 0))
        .unwrap();
    assert!(eve.presences().is_empty());
    world
        .model
        .end_account_sessions(&bare("ann"), Ended::PasswordChanged);
    assert_eq!(eve.presences(), ["ann@localhost/desk -"]);
    assert_eq!(
        bob.presences(),
        ["ann@localhost/desk loud", "ann@localhost/desk -"]
    );
}

#[test]
fn a_deleted_account_is_gone_everywhere() {
    let world = world();
    world.befriend("ann", "bob");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    let (ann, _) = world.come("ann@localhost/desk", "a");
    let (watch, _) = world.watch("bob", "ann");
    let (held, _) = world.watch("ann", "bob");
    world
        .ask(|r| world.model.add_alias("tel:1", &bare("ann"), r))
        .unwrap();
    assert_eq!(
        world.ask(|r| world.model.add_alias("tel:1", &bare("bob"), r)),
        Err(Refusal::Conflict)
    );
    bob.take();
    world
        .ask(|r| world.model.delete_account(&bare("ann"), r))
        .unwrap();
    world.pass(Duration::from_millis(1));
    world.settle();
    assert!(ann.take().contains(&Heard::Ended(Ended::Deleted)));
    let heard = bob.take();
    let gone = Heard::Presence {
        from: "ann@localhost/desk".into(),
        available: false,
        mark: "a".into(),
    };
    assert_eq!(heard.iter().filter(|h| **h == gone).count(), 1, "{heard:?}");
    assert_eq!(world.told(watch).0, Decision::Deny);
    assert_eq!(
        world.told(held).0,
        Decision::Deny,
        "its phones see nobody any more"
    );
    assert!(world.stored("bob").watches.is_empty());
    let roster = world.stored("bob").roster;
    assert_eq!(
        roster.get(&bare("ann")).unwrap().subscription.as_str(),
        "none"
    );
    assert_eq!(world.model.alias("tel:1"), None);
    // Somebody else of that name begins with nothing.
    world.add("ann");
    let (_, _) = world.come("ann@localhost/desk", "other");
    assert!(bob.presences().is_empty());
}
