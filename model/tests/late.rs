//! What nobody waits for and is yet not lost, when the writer's queue has no room for it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{World, bare, presented};
use model::SessionId;
use presence::{Refusal, WatchId};
use store::Options;

/// Bob watches ann, who is there.
fn watched() -> (World, WatchId, SessionId) {
    let world = World::of(&["ann", "bob"]);
    let (_, session) = world.come("ann@localhost/desk", "old");
    let (id, _) = world.watch("bob", "ann");
    world
        .ask(|reply| again(&world, id, "0 and more", reply))
        .unwrap();
    (world, id, session)
}

fn again(
    world: &World,
    id: WatchId,
    dialog: &'static str,
    reply: &model::commit::Reply<model::watches::Seen>,
) {
    let (hour, dialog) = (
        Duration::from_secs(3600),
        Bytes::from_static(dialog.as_bytes()),
    );
    world.model.rewatch(&bare("ann"), id, hour, dialog, reply);
}

fn says(world: &World, session: SessionId, text: &str) {
    let said = presented(text, 0);
    world.model.available(&bare("ann"), session, said).unwrap();
}

fn told(world: &World, id: WatchId, head: &'static str) {
    let head = Bytes::from_static(head.as_bytes());
    world.model.remember(&bare("ann"), id, head, None);
}

/// What is on the disk: the text of ann's last known presence, and the dialog.
fn written(world: &World) -> (Option<String>, String) {
    let record = world.stored("ann");
    let known = record.last_known.first();
    let text = known.map(|p| p.document.notes[0].text.clone());
    let dialog = record.watches[0].dialog.to_vec();
    (text, String::from_utf8(dialog).unwrap())
}

#[track_caller]
fn is(world: &World, text: &str, dialog: &str) {
    assert_eq!(written(world), (Some(text.to_owned()), dialog.to_owned()));
}

#[test]
fn half_a_queue_is_room_enough() {
    let (world, id, session) = watched();
    is(&world, "old", "0 and more");
    while world.model.store().queue_depth() <= Options::default().queue / 2 {
        let store = world.model.store();
        store.submit(Vec::new(), Box::new(|_| {})).unwrap();
    }
    says(&world, session, "new");
    told(&world, id, "1");
    world.settle();
    is(&world, "new", "1 and more");
}

#[test]
fn a_full_queue_delays_it() {
    let (world, id, session) = watched();
    world.fill();
    for (text, head) in [("newer", "1"), ("newest", "2")] {
        says(&world, session, text);
        told(&world, id, head);
    }
    assert!(world.model.poll_timeout() <= world.now().at.plus(Duration::from_millis(200)));
    world.settle();
    is(&world, "old", "0 and more");
    world.pass(Duration::from_millis(200));
    world.settle();
    is(&world, "newest", "2 and more");
    assert!(world.model.poll_timeout() > world.now().at.plus(Duration::from_millis(200)));
}

#[test]
fn what_was_told_does_not_pass_the_presence_that_was_told() {
    let (world, id, session) = watched();
    world.fill();
    says(&world, session, "new");
    world.settle();
    // There is room again before it was tried again.
    told(&world, id, "1");
    world.settle();
    is(&world, "new", "1 and more");
    // The same with a whole dialog, which also does not give way to what was told before it.
    world.fill();
    says(&world, session, "newer");
    told(&world, id, "2");
    world.settle();
    world
        .ask(|reply| again(&world, id, "3 anew", reply))
        .unwrap();
    is(&world, "newer", "3 anew");
    world.pass(Duration::from_secs(1));
    world.settle();
    is(&world, "newer", "3 anew");
    world.fill();
    let refused = world.ask(|reply| again(&world, id, "4", reply));
    assert_eq!(refused.map(|_| ()), Err(Refusal::Overloaded));
    is(&world, "newer", "3 anew");
}

#[test]
fn who_went_is_not_there_after_it() {
    let (world, _, session) = watched();
    world.fill();
    world.model.disconnect(&bare("ann"), session, None);
    world.settle();
    assert_eq!(written(&world).0.as_deref(), Some("old"));
    world.pass(Duration::from_millis(200));
    world.settle();
    assert_eq!(written(&world).0, None);
}
