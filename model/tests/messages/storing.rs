//! What is stored, until when, and for whom.

use super::*;

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
    let pending = || world.stored("bob").roster.pending_in.len();
    assert_eq!(pending(), 0);
    assert!(world.model.poll_timeout() <= world.now().at.plus(Duration::from_millis(200)));
    world.pass(Duration::from_millis(200));
    world.settle();
    assert_eq!(texts(&ann), [("m".to_owned(), true)]);
    assert_eq!(pending(), 1);
    assert!(world.stored("eve").roster.items.is_empty());
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
