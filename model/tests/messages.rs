//! Messages that wait, and what else waits when the writer's queue is full.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use common::{BASE, Client, Heard, World, bare, message, presented};
use model::Rules;
use model::messages::{Handling, Sent};
use parking_lot::Mutex;
use presence::subscription::Kind;
use presence::{Message, Refusal, Utc};

const HANDLING: Handling = Handling {
    storable: true,
    speakable: true,
};

fn send(world: &World, message: Message) -> Result<Sent, Refusal> {
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    world
        .model
        .message(message, HANDLING, move |_, sent| *slot.lock() = Some(sent));
    world.settle();
    let sent = answer.lock().take();
    sent.unwrap()
}

fn texts(client: &Client) -> Vec<(String, bool)> {
    let heard = client.take().into_iter();
    heard
        .filter_map(|h| match h {
            Heard::Message { id, delayed } => Some((id, delayed)),
            _ => None,
        })
        .collect()
}

#[test]
fn messages_wait_and_are_given_once() {
    let world = World::of(&["ann", "bob", "eve"]);
    for id in ["m1", "m2"] {
        assert_eq!(
            send(&world, message(id, "bob@localhost/x", "ann@localhost")),
            Ok(Sent::Stored)
        );
    }
    let (ann, id) = world.connect("ann@localhost/desk");
    let available = |priority| {
        world
            .model
            .available(&bare("ann"), id, presented("a", priority))
            .unwrap()
    };
    available(-1);
    world.settle();
    assert!(texts(&ann).is_empty(), "a negative priority takes none");
    // Twice before anything is committed, and another client at the same moment.
    available(0);
    available(5);
    let (hand, hand_id) = world.connect("ann@localhost/hand");
    world
        .model
        .available(&bare("ann"), hand_id, presented("h", 0))
        .unwrap();
    world.settle();
    assert_eq!(
        texts(&ann),
        [("m1".to_owned(), true), ("m2".to_owned(), true)]
    );
    assert!(texts(&hand).is_empty());
    assert!(
        world
            .model
            .store()
            .offline_messages(&bare("ann"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn messages_wait_for_a_phone() {
    let rules = Rules {
        offline_messages: 2,
        ..Rules::default()
    };
    let world = World::new(1, rules);
    world.add("ann");
    let from = "bob@localhost/x";
    let mut long = message("m1", from, "ann@localhost");
    long.bodies[0].text = "x".repeat(500);
    assert_eq!(send(&world, long), Ok(Sent::Stored));
    assert_eq!(
        send(&world, message("m2", from, "ann@localhost")),
        Ok(Sent::Stored)
    );
    assert_eq!(
        send(&world, message("m3", from, "ann@localhost")),
        Err(Refusal::Unavailable)
    );
    world.register("sip:ann@192.0.2.1", None, 1, 3600);
    let offers = std::mem::take(&mut *world.phones.offers.lock());
    let ids: Vec<&str> = offers.iter().map(|o| o.2.as_str()).collect();
    assert_eq!(ids, ["m1", "m2"]);
    // It refreshes while it may still answer: not asked again. Later it is.
    world.register("sip:ann@192.0.2.1", None, 2, 3600);
    assert!(world.phones.offers.lock().is_empty());
    world.pass(Duration::from_secs(65));
    world.register("sip:ann@192.0.2.1", None, 3, 3600);
    assert_eq!(std::mem::take(&mut *world.phones.offers.lock()).len(), 2);
    let number = offers[0].3.unwrap();
    world.model.taken(&bare("ann"), number);
    world.model.taken(&bare("ann"), number);
    world.settle();
    assert_eq!(
        send(&world, message("m4", from, "ann@localhost")),
        Ok(Sent::Stored)
    );
    assert_eq!(
        send(&world, message("m5", from, "ann@localhost")),
        Err(Refusal::Unavailable)
    );
    let left = world.model.store().offline_messages(&bare("ann")).unwrap();
    assert_eq!(left.len(), 2);
}

#[test]
fn messages_do_not_wait_for_ever() {
    let rules = Rules {
        offline_expires: Some(Duration::from_secs(100)),
        ..Rules::default()
    };
    let world = World::new(1, rules);
    world.add("ann");
    let at = |millis: i64| Message {
        received: Utc(BASE + millis),
        ..message("m", "bob@localhost/x", "ann@localhost")
    };
    assert_eq!(send(&world, at(1000)), Ok(Sent::Stored));
    world.register("sip:ann@192.0.2.1", None, 1, 3600);
    world.pass(Duration::from_secs(61));
    assert_eq!(send(&world, at(62_000)), Ok(Sent::Stored));
    world.pass(Duration::from_secs(61));
    world.settle();
    assert_eq!(
        world
            .model
            .store()
            .offline_messages(&bare("ann"))
            .unwrap()
            .len(),
        1
    );
    world.pass(Duration::from_secs(50));
    let (ann, _) = world.come("ann@localhost/desk", "a");
    assert!(texts(&ann).is_empty());
    assert!(
        world
            .model
            .store()
            .offline_messages(&bare("ann"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn copies_of_what_the_phone_sent() {
    let world = World::of(&["ann", "bob", "eve"]);
    let (ann, _) = world.come("ann@localhost/desk", "a");
    ann.take();
    world.model.sent_by_phone(
        &bare("ann"),
        &message("m", "ann@localhost", "bob@localhost"),
    );
    assert_eq!(ann.take(), [Heard::Sent("m".into())]);
}

#[test]
fn a_full_queue_delays_and_loses_nothing() {
    let world = World::of(&["ann", "bob", "eve"]);
    let nobody = model::commit::Reply::ignored();
    assert_eq!(
        send(&world, message("m", "bob@localhost/x", "ann@localhost")),
        Ok(Sent::Stored)
    );
    let (ann, id) = world.connect("ann@localhost/desk");
    world.model.subscription(
        &bare("ann"),
        Kind::Subscribe,
        &bare("bob"),
        Bytes::new(),
        &nobody,
    );
    world.commit();
    world.fill();
    // What follows from the commit finds no room, nor does what the client waits for.
    while world.complete() {}
    world
        .model
        .available(&bare("ann"), id, presented("a", 0))
        .unwrap();
    let refused = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&refused);
    let reply =
        model::commit::Reply::new(move |result: Result<(), Refusal>| *slot.lock() = Some(result));
    world
        .model
        .roster_set(&bare("eve"), &bare("bob"), None, Vec::new(), &reply);
    assert_eq!(*refused.lock(), Some(Err(Refusal::Overloaded)));
    world.settle();
    assert!(texts(&ann).is_empty());
    let pending = || {
        world
            .model
            .store()
            .load(&bare("bob"))
            .unwrap()
            .unwrap()
            .roster
            .pending_in
            .len()
    };
    assert_eq!(pending(), 0);
    assert!(world.model.poll_timeout() <= world.now().at.plus(Duration::from_millis(200)));
    world.pass(Duration::from_millis(200));
    world.settle();
    assert_eq!(texts(&ann), [("m".to_owned(), true)]);
    assert_eq!(pending(), 1);
    assert!(
        world
            .model
            .store()
            .load(&bare("eve"))
            .unwrap()
            .unwrap()
            .roster
            .items
            .is_empty()
    );
}

#[test]
fn what_was_stored_is_given_in_order_to_a_client_that_comes_while_the_queue_is_full() {
    let world = World::of(&["ann", "bob"]);
    let answers = Arc::new(Mutex::new(Vec::new()));
    let send = |id: &'static str| {
        let answers = Arc::clone(&answers);
        let sent = message(id, "bob@localhost/x", "ann@localhost");
        let write_down = move |_: &Message, sent| answers.lock().push((id, sent));
        world.model.message(sent, HANDLING, write_down);
    };
    send("first");
    world.fill();
    let (ann, id) = world.connect("ann@localhost/desk");
    world
        .model
        .available(&bare("ann"), id, presented("a", 0))
        .unwrap();
    for _ in 0..3 {
        // It must not overtake the first.
        send("second");
        assert_eq!(
            answers.lock().pop(),
            Some(("second", Err(Refusal::Overloaded)))
        );
        world.pass(Duration::from_millis(200));
    }
    assert!(answers.lock().is_empty() && texts(&ann).is_empty());
    world.settle();
    assert_eq!(answers.lock().pop(), Some(("first", Ok(Sent::Stored))));
    world.pass(Duration::from_millis(200));
    world.settle();
    assert_eq!(texts(&ann), [("first".to_owned(), true)]);
    send("third");
    assert_eq!(answers.lock().pop(), Some(("third", Ok(Sent::Delivered))));
    assert_eq!(texts(&ann), [("third".to_owned(), false)]);
}

/// A portion holds two messages of [`sized`].
fn in_portions() -> World {
    let rules = Rules {
        offline_portion: 1000,
        ..Rules::default()
    };
    let world = World::new(1, rules);
    world.add("ann");
    world
}

fn sized(id: &str) -> Message {
    let mut sized = message(id, "bob@localhost/x", "ann@localhost");
    sized.bodies[0].text = "x".repeat(350);
    sized
}

fn store_for_ann(world: &World, ids: &[&str]) {
    for id in ids {
        assert_eq!(send(world, sized(id)), Ok(Sent::Stored));
    }
}

fn wait_for_ann(world: &World) -> Vec<String> {
    let waiting = world.model.store().offline_messages(&bare("ann")).unwrap();
    let ids = waiting.into_iter().map(|(_, m)| m.id.unwrap().to_string());
    ids.collect()
}

/// A client that is available and does not read.
fn slow(world: &World, full: &str) -> (Arc<Client>, model::SessionId) {
    let (client, id) = world.connect(full);
    client.slow.store(true, Ordering::Relaxed);
    let said = presented("s", 0);
    world.model.available(&bare("ann"), id, said).unwrap();
    world.settle();
    (client, id)
}

fn ids(client: &Client) -> Vec<String> {
    texts(client).into_iter().map(|(id, _)| id).collect()
}

#[test]
fn a_portion_is_removed_when_it_is_written_and_the_next_comes_then() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3", "m4", "m5"]);
    let (ann, _) = slow(&world, "ann@localhost/desk");
    assert_eq!(ids(&ann), ["m1", "m2"]);
    world.pass(Duration::from_secs(120));
    world.settle();
    assert_eq!(wait_for_ann(&world), ["m1", "m2", "m3", "m4", "m5"]);
    ann.slow.store(false, Ordering::Relaxed);
    assert!(world.write());
    assert!(ids(&ann).is_empty(), "first the removal is on the disk");
    world.settle();
    assert_eq!(ids(&ann), ["m3", "m4", "m5"]);
    assert!(wait_for_ann(&world).is_empty());
    assert_eq!(send(&world, sized("m6")), Ok(Sent::Delivered));
    assert_eq!(texts(&ann), [("m6".to_owned(), false)]);
}

#[test]
fn a_connection_that_breaks_in_the_middle_gets_the_rest_at_the_next_login() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3", "m4", "m5"]);
    let (ann, id) = slow(&world, "ann@localhost/desk");
    ann.slow.store(false, Ordering::Relaxed);
    world.write();
    ann.slow.store(true, Ordering::Relaxed);
    world.settle();
    assert_eq!(ids(&ann), ["m1", "m2", "m3", "m4"]);
    ann.ended.store(true, Ordering::Relaxed);
    // Before its end is known, and after.
    assert_eq!(send(&world, sized("m6")), Ok(Sent::Stored));
    world.model.disconnect(&bare("ann"), id, None);
    assert_eq!(send(&world, sized("m7")), Ok(Sent::Stored));
    // What it says of itself afterwards counts for nothing.
    world.model.written(&bare("ann"), id);
    world.settle();
    assert_eq!(wait_for_ann(&world), ["m3", "m4", "m5", "m6", "m7"]);
    let (again, _) = world.come("ann@localhost/desk", "a");
    assert_eq!(ids(&again), ["m3", "m4", "m5", "m6", "m7"]);
    assert!(wait_for_ann(&world).is_empty());
}

#[test]
fn two_resources_get_no_doubles_and_the_other_gets_the_rest() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3", "m4"]);
    let (desk, desk_id) = slow(&world, "ann@localhost/desk");
    let (hand, _) = world.come("ann@localhost/hand", "h");
    assert_eq!((ids(&desk).len(), ids(&hand).len()), (2, 0));
    desk.slow.store(false, Ordering::Relaxed);
    world.write();
    desk.slow.store(true, Ordering::Relaxed);
    world.settle();
    assert_eq!(ids(&desk), ["m3", "m4"]);
    assert!(ids(&hand).is_empty());
    // Not written: the other has it, and what comes behind it.
    assert_eq!(send(&world, sized("m5")), Ok(Sent::Stored));
    desk.ended.store(true, Ordering::Relaxed);
    world.model.disconnect(&bare("ann"), desk_id, None);
    world.settle();
    assert_eq!(ids(&hand), ["m3", "m4", "m5"]);
    assert!(wait_for_ann(&world).is_empty());
    assert_eq!(send(&world, sized("m6")), Ok(Sent::Delivered));
    assert_eq!(ids(&hand), ["m6"]);
}

#[test]
fn who_takes_no_messages_any_more_gets_no_more_portions() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3", "m4"]);
    let (ann, id) = slow(&world, "ann@localhost/desk");
    world.model.unavailable(&bare("ann"), id, None);
    ann.slow.store(false, Ordering::Relaxed);
    world.settle();
    assert_eq!(ids(&ann), ["m1", "m2"]);
    assert_eq!(wait_for_ann(&world), ["m3", "m4"]);
    let said = presented("back", 0);
    world.model.available(&bare("ann"), id, said).unwrap();
    world.settle();
    assert_eq!(ids(&ann), ["m3", "m4"]);
    assert!(wait_for_ann(&world).is_empty());
}

#[test]
fn new_messages_do_not_overtake_those_that_are_being_given() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3"]);
    let (ann, _) = slow(&world, "ann@localhost/desk");
    let to_full = Message {
        to: presence::Address::parse("ann@localhost/desk").unwrap(),
        ..sized("m5")
    };
    assert_eq!(send(&world, sized("m4")), Ok(Sent::Stored));
    assert_eq!(send(&world, to_full), Ok(Sent::Stored));
    // Nothing to keep does not wait.
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    let passing = Handling {
        storable: false,
        speakable: false,
    };
    let typing = message("typing", "bob@localhost/x", "ann@localhost");
    let write_down = move |_: &Message, sent| *slot.lock() = Some(sent);
    world.model.message(typing, passing, write_down);
    assert_eq!(*answer.lock(), Some(Ok(Sent::Delivered)));
    assert_eq!(ids(&ann), ["m1", "m2", "typing"]);
    ann.slow.store(false, Ordering::Relaxed);
    world.settle();
    assert_eq!(ids(&ann), ["m3", "m4", "m5"]);
    assert_eq!(send(&world, sized("m6")), Ok(Sent::Delivered));
}

#[test]
fn what_is_full_while_it_is_given_is_full_for_a_moment_only() {
    let rules = Rules {
        offline_messages: 2,
        ..Rules::default()
    };
    let world = World::new(1, rules);
    world.add("ann");
    store_for_ann(&world, &["m1", "m2"]);
    let (ann, _) = slow(&world, "ann@localhost/desk");
    assert_eq!(send(&world, sized("m3")), Err(Refusal::Overloaded));
    ann.slow.store(false, Ordering::Relaxed);
    world.settle();
    assert_eq!(ids(&ann), ["m1", "m2"]);
    assert_eq!(send(&world, sized("m3")), Ok(Sent::Delivered));
}

#[test]
fn a_full_queue_delays_the_removal_and_gives_nothing_twice() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3"]);
    let (ann, id) = slow(&world, "ann@localhost/desk");
    ann.slow.store(false, Ordering::Relaxed);
    world.fill();
    world.write();
    for _ in 0..3 {
        world.pass(Duration::from_millis(200));
    }
    assert_eq!(wait_for_ann(&world), ["m1", "m2", "m3"]);
    // The client has it, whether or not it stays.
    ann.ended.store(true, Ordering::Relaxed);
    world.model.disconnect(&bare("ann"), id, None);
    let (hand, hand_id) = world.connect("ann@localhost/hand");
    let said = presented("h", 0);
    world.model.available(&bare("ann"), hand_id, said).unwrap();
    world.pass(Duration::from_millis(200));
    assert!(ids(&hand).is_empty());
    world.settle();
    world.pass(Duration::from_millis(200));
    world.settle();
    assert_eq!(ids(&ann), ["m1", "m2"]);
    assert_eq!(ids(&hand), ["m3"]);
    assert!(wait_for_ann(&world).is_empty());
}

#[test]
fn a_crash_in_the_middle_loses_nothing() {
    let rules = Rules {
        offline_portion: 1000,
        ..Rules::default()
    };
    let world = World::on_disk(1, rules);
    world.add("ann");
    store_for_ann(&world, &["m1", "m2", "m3", "m4", "m5"]);
    let (ann, _) = slow(&world, "ann@localhost/desk");
    ann.slow.store(false, Ordering::Relaxed);
    world.write();
    ann.slow.store(true, Ordering::Relaxed);
    world.settle();
    assert_eq!(ids(&ann), ["m1", "m2", "m3", "m4"]);
    let (world, _) = world.crash();
    let (again, _) = world.come("ann@localhost/desk", "a");
    assert_eq!(ids(&again), ["m3", "m4", "m5"]);
}

#[test]
fn messages_too_old_are_removed_and_hold_nothing_up() {
    let rules = Rules {
        offline_portion: 1000,
        offline_expires: Some(Duration::from_secs(100)),
        ..Rules::default()
    };
    let world = World::new(1, rules);
    world.add("ann");
    // In memory, so that nobody looks for what is too old before it is given.
    let (away, _) = world.connect("ann@localhost/away");
    let at = |id: &str, millis: i64| Message {
        received: Utc(BASE + millis),
        ..sized(id)
    };
    for id in ["old 1", "old 2", "old 3"] {
        assert_eq!(send(&world, at(id, 1000)), Ok(Sent::Stored));
    }
    for id in ["new 1", "new 2"] {
        assert_eq!(send(&world, at(id, 59_000)), Ok(Sent::Stored));
    }
    world.pass(Duration::from_secs(50));
    world.pass(Duration::from_secs(55));
    let (ann, _) = world.come("ann@localhost/desk", "a");
    assert_eq!(ids(&ann), ["new 1", "new 2"]);
    assert!(ids(&away).is_empty() && wait_for_ann(&world).is_empty());
}

#[test]
fn a_phone_is_offered_the_next_portion_when_it_has_answered_the_first() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3", "m4", "m5"]);
    world.register("sip:ann@192.0.2.1", None, 1, 3600);
    let offered = || {
        let offers = std::mem::take(&mut *world.phones.offers.lock());
        let offers = offers.into_iter();
        offers.map(|o| (o.2, o.3.unwrap())).collect::<Vec<_>>()
    };
    let names = |offers: &[(String, u64)]| offers.iter().map(|o| o.0.clone()).collect::<Vec<_>>();
    let first = offered();
    assert_eq!(names(&first), ["m1", "m2"]);
    world.model.taken(&bare("ann"), first[1].1);
    world.settle();
    assert!(offered().is_empty(), "one is not answered");
    world.model.not_taken(&bare("ann"), first[0].1);
    world.settle();
    let second = offered();
    assert_eq!(names(&second), ["m3", "m4"]);
    for (_, number) in second {
        world.model.taken(&bare("ann"), number);
    }
    world.settle();
    let third = offered();
    assert_eq!(names(&third), ["m5"]);
    world.model.taken(&bare("ann"), third[0].1);
    world.settle();
    assert!(offered().is_empty());
    // What was refused stays until it registers again, or a client comes.
    assert_eq!(wait_for_ann(&world), ["m1"]);
    world.register("sip:ann@192.0.2.1", None, 2, 3600);
    assert_eq!(names(&offered()), ["m1"]);
    let (ann, _) = world.come("ann@localhost/desk", "a");
    assert_eq!(ids(&ann), ["m1"]);
}

#[test]
fn who_reads_nothing_does_not_hold_up_the_other_for_ever() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3"]);
    let (desk, desk_id) = slow(&world, "ann@localhost/desk");
    world.pass(Duration::from_secs(5));
    let (hand, _) = world.come("ann@localhost/hand", "h");
    world.pass(Duration::from_millis(4999));
    world.settle();
    assert_eq!((ids(&desk).len(), ids(&hand).len()), (2, 0));
    world.pass(Duration::from_millis(1));
    world.settle();
    assert_eq!(ids(&hand), ["m1", "m2", "m3"]);
    // What it reads in the end was given to the other.
    world.model.written(&bare("ann"), desk_id);
    world.settle();
    assert!(wait_for_ann(&world).is_empty() && ids(&desk).is_empty());

    // The same for who comes when the first has been mute for long.
    desk.ended.store(true, Ordering::Relaxed);
    world.model.disconnect(&bare("ann"), desk_id, None);
    hand.ended.store(true, Ordering::Relaxed);
    store_for_ann(&world, &["m4", "m5"]);
    let (desk, _) = slow(&world, "ann@localhost/other");
    world.pass(Duration::from_secs(60));
    let (last, _) = world.come("ann@localhost/last", "l");
    world.pass(Duration::from_millis(1));
    world.settle();
    assert_eq!((ids(&desk).len(), ids(&last).len()), (2, 2));
    assert!(wait_for_ann(&world).is_empty());
}

fn offered(world: &World) -> Vec<(String, u64)> {
    let offers = std::mem::take(&mut *world.phones.offers.lock());
    let offers = offers.into_iter();
    offers.map(|o| (o.2, o.3.unwrap())).collect()
}

fn names(offers: &[(String, u64)]) -> Vec<&str> {
    offers.iter().map(|o| o.0.as_str()).collect()
}

#[test]
fn what_is_stored_while_phones_are_offered_the_rest_waits_its_turn() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3", "m4"]);
    world.register("sip:ann@192.0.2.1", None, 1, 3600);
    let first = offered(&world);
    assert_eq!(names(&first), ["m1", "m2"]);
    store_for_ann(&world, &["m5"]);
    assert!(offered(&world).is_empty());
    // Refused, the lowest last: they are not offered again at once.
    world.model.not_taken(&bare("ann"), first[1].1);
    world.model.not_taken(&bare("ann"), first[0].1);
    world.settle();
    let second = offered(&world);
    assert_eq!(names(&second), ["m3", "m4"]);
    for (_, number) in second.into_iter().rev() {
        world.model.taken(&bare("ann"), number);
    }
    world.settle();
    let third = offered(&world);
    assert_eq!(names(&third), ["m5"]);
    world.model.taken(&bare("ann"), third[0].1);
    world.settle();
    assert!(offered(&world).is_empty());
    // All is offered: what comes now is at once.
    store_for_ann(&world, &["m6"]);
    assert_eq!(names(&offered(&world)), ["m6"]);
    assert_eq!(wait_for_ann(&world), ["m1", "m2", "m6"]);
}

#[test]
fn what_was_offered_at_once_and_is_answered_last_skips_nothing() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3", "m4"]);
    world.register("sip:ann@192.0.2.1", None, 1, 3600);
    let first = offered(&world);
    // A message for the account comes on its way to the disk, before the portion is answered.
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    let write_down = move |_: &Message, sent| *slot.lock() = Some(sent);
    world.model.message(sized("m5"), HANDLING, write_down);
    for (_, number) in &first {
        world.model.taken(&bare("ann"), *number);
    }
    world.settle();
    assert_eq!(*answer.lock(), Some(Ok(Sent::Stored)));
    let mut seen = Vec::new();
    loop {
        let portion = offered(&world);
        if portion.is_empty() {
            break;
        }
        for (name, number) in portion {
            world.model.taken(&bare("ann"), number);
            seen.push(name);
        }
        world.settle();
    }
    assert_eq!(seen, ["m3", "m4", "m5"]);
    assert!(wait_for_ann(&world).is_empty());
}

#[test]
fn a_phone_that_never_answers_does_not_hold_up_what_is_stored_later() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3"]);
    world.register("sip:ann@192.0.2.1", None, 1, 3600);
    assert_eq!(names(&offered(&world)), ["m1", "m2"]);
    world.pass(Duration::from_secs(65));
    store_for_ann(&world, &["m4"]);
    assert_eq!(names(&offered(&world)), ["m3", "m4"]);
}

#[test]
fn another_phone_is_offered_all_from_the_beginning() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3"]);
    world.register("sip:ann@192.0.2.1", None, 1, 3600);
    assert_eq!(offered(&world).len(), 2);
    world.register("sip:ann@192.0.2.2", None, 1, 3600);
    let offers = std::mem::take(&mut *world.phones.offers.lock());
    for (offer, id) in offers.iter().zip(["m1", "m2"]) {
        assert_eq!(
            (offer.2.as_str(), &*offer.1),
            (id, &["sip:ann@192.0.2.2".to_owned()][..])
        );
        world.model.taken(&bare("ann"), offer.3.unwrap());
    }
    world.settle();
    let offers = std::mem::take(&mut *world.phones.offers.lock());
    assert_eq!((offers.len(), offers[0].1.len()), (1, 2));
}

/// Time in which a session reads nothing and another is tried.
fn stall(world: &World) {
    world.pass(Duration::from_secs(11));
    world.settle();
}

#[test]
fn two_who_read_slowly_get_each_portion_once_at_most_and_all_of_it() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3", "m4"]);
    let (desk, _) = slow(&world, "ann@localhost/desk");
    let (hand, _) = slow(&world, "ann@localhost/hand");
    for _ in 0..5 {
        stall(&world);
    }
    assert_eq!(
        (ids(&desk), ids(&hand)),
        (to_be(&["m1", "m2"]), to_be(&["m1", "m2"]))
    );
    // The one that has it no more in its turn counts as well.
    assert!(desk.write_slowly(&world.model));
    world.settle();
    assert_eq!(wait_for_ann(&world), ["m3", "m4"]);
    assert_eq!((ids(&desk), ids(&hand)), (to_be(&["m3", "m4"]), Vec::new()));
    // What the other writes now is the portion before.
    assert!(hand.write_slowly(&world.model));
    world.settle();
    assert_eq!(wait_for_ann(&world), ["m3", "m4"]);
    stall(&world);
    assert_eq!(ids(&hand), ["m3", "m4"]);
    assert!(hand.write_slowly(&world.model));
    world.settle();
    assert!(wait_for_ann(&world).is_empty());
    assert!(ids(&desk).is_empty() && ids(&hand).is_empty());
    assert_eq!(send(&world, sized("m5")), Ok(Sent::Delivered));
}

#[test]
fn an_old_mark_confirms_no_later_portion() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3", "m4", "m5"]);
    let (desk, _) = slow(&world, "ann@localhost/desk");
    let (hand, hand_id) = slow(&world, "ann@localhost/hand");
    stall(&world);
    assert!(hand.write_slowly(&world.model));
    world.settle();
    assert_eq!((ids(&desk).len(), ids(&hand).len()), (2, 4));
    // The first has yet to write what it was given before: it gets nothing new until then.
    stall(&world);
    hand.ended.store(true, Ordering::Relaxed);
    world.model.disconnect(&bare("ann"), hand_id, None);
    world.settle();
    assert!(ids(&desk).is_empty());
    assert_eq!(send(&world, sized("m6")), Ok(Sent::Stored));
    assert!(desk.write_slowly(&world.model));
    world.settle();
    assert_eq!(ids(&desk), ["m3", "m4"]);
    assert_eq!(wait_for_ann(&world), ["m3", "m4", "m5", "m6"]);
    desk.slow.store(false, Ordering::Relaxed);
    world.settle();
    assert_eq!(ids(&desk), ["m5", "m6"]);
    assert!(wait_for_ann(&world).is_empty());
}

#[test]
fn who_has_a_portion_already_is_not_given_it_again_when_the_other_ends() {
    let world = in_portions();
    store_for_ann(&world, &["m1", "m2", "m3"]);
    let (desk, desk_id) = slow(&world, "ann@localhost/desk");
    let (hand, hand_id) = slow(&world, "ann@localhost/hand");
    stall(&world);
    assert_eq!((ids(&desk).len(), ids(&hand).len()), (2, 2));
    hand.ended.store(true, Ordering::Relaxed);
    world.model.disconnect(&bare("ann"), hand_id, None);
    stall(&world);
    assert!(ids(&desk).is_empty());
    // Nobody is left who has it: the next that comes is given it.
    desk.ended.store(true, Ordering::Relaxed);
    world.model.disconnect(&bare("ann"), desk_id, None);
    assert_eq!(wait_for_ann(&world), ["m1", "m2", "m3"]);
    let (last, _) = world.come("ann@localhost/last", "l");
    assert_eq!(ids(&last), ["m1", "m2", "m3"]);
    assert!(wait_for_ann(&world).is_empty());
}

fn to_be(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn what_a_phone_takes_while_it_is_given_is_counted_once() {
    let world = in_portions();
    world.register("sip:ann@192.0.2.1", None, 1, 3600);
    store_for_ann(&world, &["m1", "m2", "m3", "m4"]);
    let offers = offered(&world);
    assert_eq!(names(&offers), ["m1", "m2", "m3", "m4"]);
    let (ann, id) = slow(&world, "ann@localhost/desk");
    assert!(ann.write_slowly(&world.model));
    world.commit();
    // Its removal is not on the disk when the next portion is read.
    world.model.taken(&bare("ann"), offers[2].1);
    world.settle();
    assert_eq!(ids(&ann), ["m1", "m2", "m3", "m4"]);
    store_for_ann(&world, &["m5"]);
    assert!(ann.write_slowly(&world.model));
    world.settle();
    assert_eq!(ids(&ann), ["m5"]);
    ann.ended.store(true, Ordering::Relaxed);
    world.model.disconnect(&bare("ann"), id, None);
    let (again, _) = world.come("ann@localhost/desk", "a");
    assert_eq!(ids(&again), ["m5"]);
}
