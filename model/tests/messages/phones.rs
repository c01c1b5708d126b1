//! Phones are offered what waits in portions, each when the one before was answered.

use super::*;

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
