//! Copies of messages for other devices (XEP-0280).

use super::*;
use common::Client;

/// A session that wants copies.
fn copied(world: &World, full: &str) -> Arc<Client> {
    let (client, id) = world.come(full, "a");
    let account = presence::Address::parse(full).unwrap().bare;
    world.model.carbons(&account, id, true).unwrap();
    client.take();
    client
}

fn copy(id: &str, sent: bool) -> Heard {
    let id = id.to_owned();
    Heard::Copy { id, sent }
}

fn whole(id: &str) -> Heard {
    let (id, delayed) = (id.to_owned(), false);
    Heard::Message { id, delayed }
}

#[test]
fn of_what_is_sent_and_of_what_is_received() {
    let world = World::of(&["ann", "bob", "eve"]);
    let desk = copied(&world, "ann@localhost/desk");
    let lap = copied(&world, "ann@localhost/lap");
    let (plain, _) = world.come("ann@localhost/plain", "a");
    let bob = copied(&world, "bob@localhost/desk");
    let phone = copied(&world, "bob@localhost/phone");
    for client in [&desk, &lap, &plain, &bob, &phone] {
        client.take();
    }
    let to_desk = message("m", "ann@localhost/desk", "bob@localhost/desk");
    assert_eq!(send(&world, to_desk), Ok(Sent::Delivered));
    assert_eq!(desk.take(), []);
    assert_eq!(lap.take(), [copy("m", true)]);
    assert_eq!(plain.take(), [], "it never asked for copies");
    assert_eq!(bob.take(), [whole("m")]);
    assert_eq!(phone.take(), [copy("m", false)]);
    // To the account: both take it.
    let to_all = message("n", "ann@localhost/plain", "bob@localhost");
    assert_eq!(send(&world, to_all), Ok(Sent::Delivered));
    assert_eq!(
        (bob.take(), phone.take()),
        (vec![whole("n")], vec![whole("n")])
    );
    assert_eq!(
        (desk.take(), lap.take()),
        (vec![copy("n", true)], vec![copy("n", true)])
    );
    assert_eq!(plain.take(), []);
}

#[test]
fn of_what_the_phone_sent() {
    let world = World::of(&["ann", "bob", "eve"]);
    let ann = copied(&world, "ann@localhost/desk");
    let said = message("m", "ann@localhost/sip-01234567", "bob@localhost");
    assert_eq!(send(&world, said), Ok(Sent::Stored));
    assert_eq!(ann.take(), [copy("m", true)]);
}

#[test]
fn not_of_what_was_refused_and_not_of_what_is_private() {
    let world = World::of(&["ann", "bob", "eve"]);
    let lap = copied(&world, "ann@localhost/lap");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    let phone = copied(&world, "bob@localhost/phone");
    bob.take();
    let nobody = message("m", "ann@localhost/desk", "nobody@localhost");
    assert_eq!(send(&world, nobody), Err(Refusal::NotFound));
    let private = Handling {
        copyable: false,
        ..HANDLING
    };
    let message = message("n", "ann@localhost/desk", "bob@localhost/desk");
    world.model.message(message, private, |_, _| {});
    world.settle();
    assert_eq!(bob.take(), [whole("n")]);
    assert_eq!((lap.take(), phone.take()), (vec![], vec![]));
}

#[test]
fn nobody_gets_it_twice() {
    let world = World::of(&["ann", "bob", "eve"]);
    let desk = copied(&world, "ann@localhost/desk");
    let lap = copied(&world, "ann@localhost/lap");
    desk.take();
    for (to, at_desk) in [
        ("ann@localhost/lap", vec![]),
        ("ann@localhost", vec![whole("m")]),
    ] {
        let to_myself = message("m", "ann@localhost/desk", to);
        assert_eq!(send(&world, to_myself), Ok(Sent::Delivered));
        assert_eq!(
            (desk.take(), lap.take()),
            (at_desk, vec![whole("m")]),
            "{to}"
        );
    }
    let to_sender = message("m", "ann@localhost/desk", "ann@localhost/desk");
    assert_eq!(send(&world, to_sender), Ok(Sent::Delivered));
    assert_eq!(
        (desk.take(), lap.take()),
        (vec![whole("m")], vec![copy("m", true)])
    );
}

#[test]
fn of_what_waits_for_those_who_do_not_get_it_later() {
    let world = World::of(&["ann", "bob", "eve"]);
    let (bot, bot_id) = world.connect("ann@localhost/bot");
    let shy = presented("a", -1);
    world.model.available(&bare("ann"), bot_id, shy).unwrap();
    // It is about to send presence and gets all that waits.
    let (early, early_id) = world.connect("ann@localhost/early");
    for id in [bot_id, early_id] {
        world.model.carbons(&bare("ann"), id, true).unwrap();
    }
    bot.take();
    let waits = message("m", "bob@localhost/x", "ann@localhost");
    assert_eq!(send(&world, waits), Ok(Sent::Stored));
    assert_eq!(bot.take(), [copy("m", false)]);
    assert_eq!(early.take(), []);
    world.model.carbons(&bare("ann"), bot_id, false).unwrap();
    let waits = message("n", "bob@localhost/x", "ann@localhost");
    assert_eq!(send(&world, waits), Ok(Sent::Stored));
    assert_eq!(bot.take(), []);
}

#[test]
fn what_may_not_be_stored_is_given_at_once_or_refused() {
    let world = World::of(&["ann", "bob", "eve"]);
    let fleeting = Handling {
        storable: false,
        ..HANDLING
    };
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    let secret = message("m", "bob@localhost/x", "ann@localhost");
    let write_down = move |_: &Message, sent| *slot.lock() = Some(sent);
    world.model.message(secret, fleeting, write_down);
    world.settle();
    assert_eq!(*answer.lock(), Some(Err(Refusal::Unavailable)));
    assert!(
        world
            .model
            .store()
            .offline_messages(&bare("ann"))
            .unwrap()
            .is_empty()
    );
}
