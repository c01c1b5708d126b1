//! A status set by hand: seen by all who may, with and without sessions, over restarts, until its end.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use std::time::Duration;

use model::status::{MAX_TEXT, Status};
use model::{Rules, SessionId};
use presence::{Refusal, Show};

use common::{World, bare, presented};

fn set(world: &World, status: Option<Status>) -> Result<(), Refusal> {
    world.ask(|reply| world.model.set_status(&bare("ann"), status, reply))
}

fn leave(world: &World, seconds: Option<u64>) -> Status {
    let until = seconds.map(|s| world.now().utc.plus(Duration::from_secs(s)));
    Status {
        show: Some(Show::Xa),
        text: Some("On leave".to_owned()),
        until,
    }
}

const SHOWN: &str = "ann@localhost/adsum-status On leave";
const GONE: &str = "ann@localhost/adsum-status -";

#[test]
fn it_outlives_the_sessions() {
    let world = World::of(&["ann", "bob"]);
    world.befriend("ann", "bob");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    bob.take();
    let status = leave(&world, None);
    set(&world, Some(status.clone())).unwrap();
    assert_eq!(bob.presences(), [SHOWN]);
    let (id, (_, seen)) = world.watch("bob", "ann");
    assert_eq!(seen, [("adsum-status".to_owned(), "On leave".to_owned())]);
    // She comes and goes: it stays, and a session of hers is told of it.
    let (ann, ann_id) = world.come("ann@localhost/desk", "here");
    assert!(ann.presences().contains(&SHOWN.to_owned()));
    assert_eq!(bob.presences(), ["ann@localhost/desk here"]);
    world.model.disconnect(&bare("ann"), ann_id, None);
    assert_eq!(bob.presences(), ["ann@localhost/desk -"]);
    assert_eq!(world.told(id).1.len(), 1);
    assert_eq!(world.model.status(&bare("ann")), Ok(Some(status)));
    set(&world, None).unwrap();
    assert_eq!(bob.presences(), [GONE]);
    assert!(world.told(id).1.is_empty());
    set(&world, None).unwrap();
    assert!(bob.presences().is_empty());
    assert_eq!(world.model.status(&bare("ann")), Ok(None));
}

#[test]
fn it_ends_by_itself() {
    let world = World::of(&["ann", "bob"]);
    world.befriend("ann", "bob");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    bob.take();
    set(&world, Some(leave(&world, Some(100)))).unwrap();
    world.pass(Duration::from_secs(60));
    // Longer, after all.
    set(&world, Some(leave(&world, Some(100)))).unwrap();
    world.pass(Duration::from_secs(60));
    assert_eq!(bob.presences(), [SHOWN, SHOWN]);
    world.pass(Duration::from_secs(60));
    world.settle();
    assert_eq!(bob.presences(), [GONE]);
    assert!(world.stored("ann").publications.is_empty());
}

#[test]
fn it_is_there_after_a_crash_and_ends_on_time() {
    let world = World::on_disk(1, Rules::default());
    for name in ["ann", "bob"] {
        world.add(name);
    }
    world.befriend("ann", "bob");
    set(&world, Some(leave(&world, Some(100)))).unwrap();
    let (world, _) = world.crash();
    let (bob, _) = world.come("bob@localhost/desk", "b");
    assert_eq!(bob.presences(), ["bob@localhost/desk b", SHOWN]);
    world.pass(Duration::from_secs(101));
    world.settle();
    assert_eq!(bob.presences(), [GONE]);
}

#[test]
fn nobody_else_has_its_name_and_a_disabled_account_has_none() {
    let world = World::of(&["ann", "bob"]);
    world.befriend("ann", "bob");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    let (ann, _) = world.connect("ann@localhost/adsum-status");
    world
        .model
        .available(&bare("ann"), SessionId(2), presented("mine", 0))
        .unwrap();
    set(&world, Some(leave(&world, None))).unwrap();
    assert_eq!(bob.roster.lock().len(), 3, "{:?}", bob.roster.lock());
    drop(ann);
    world
        .ask(|r| world.model.disable(&bare("ann"), true, r))
        .unwrap();
    assert_eq!(bob.roster.lock().len(), 1, "{:?}", bob.roster.lock());
    assert_eq!(set(&world, None), Err(Refusal::Disabled));
    world
        .ask(|r| world.model.disable(&bare("ann"), false, r))
        .unwrap();
    assert_eq!(world.model.status(&bare("ann")), Ok(None));
    assert!(world.stored("ann").publications.is_empty());
}

#[test]
fn what_is_refused_changes_nothing() {
    let world = World::of(&["ann"]);
    let long = Status {
        text: Some("x".repeat(MAX_TEXT + 1)),
        ..Status::default()
    };
    assert!(matches!(
        set(&world, Some(long)),
        Err(Refusal::BadRequest(_))
    ));
    assert!(matches!(
        set(&world, Some(leave(&world, Some(0)))),
        Err(Refusal::BadRequest(_))
    ));
    assert_eq!(world.model.status(&bare("ann")), Ok(None));
    let nobody = world.ask(|r| world.model.set_status(&bare("nobody"), None, r));
    assert_eq!(nobody, Err(Refusal::NotFound));
}
