//! A client gets what waits in portions, which are removed when they are written to it.

use super::*;

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
    let passing = Handling::default();
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
