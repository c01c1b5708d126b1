//! Shared groups: rosters, presence both ways, and what changes of a group bring.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::accounts::Secrets;
use model::groups::GroupPlan;
use model::{Rules, SessionId};
use presence::subscription::Kind;
use presence::{Address, Decision, Reason, Refusal, Roster};

use common::{Client, Heard, World, bare, presented};

fn add(world: &World, name: &str, members: &[&str]) {
    let members = members.iter().map(|m| bare(m)).collect();
    let done = world.ask(|reply| world.model.group_add(name, members, false, reply));
    done.unwrap();
}

fn remove(world: &World, name: &str, members: &[&str]) -> Result<(), Refusal> {
    let members = members.iter().map(|m| bare(m)).collect();
    world.ask(|reply| world.model.group_remove(name, members, false, reply))
}

fn roster(world: &World, who: &str, session: SessionId) -> Roster {
    world
        .ask(|reply| world.model.roster(&bare(who), session, reply))
        .unwrap()
}

/// `contact subscription name [groups]`, a line each.
fn lines(roster: &Roster) -> Vec<String> {
    let line = |i: &presence::Item| {
        let name = i.label.name().unwrap_or("-");
        let groups: Vec<_> = i.label.groups().collect();
        let subscription = i.subscription.as_str();
        format!("{} {subscription} {name} {groups:?}", i.contact)
    };
    roster.items.iter().map(line).collect()
}

fn pushes(client: &Client) -> Vec<String> {
    let heard = client.take().into_iter();
    heard
        .filter_map(|h| match h {
            Heard::Push(_, what) => Some(what),
            _ => None,
        })
        .collect()
}

/// Who is there, as the client believes.
fn believes(client: &Client) -> Vec<String> {
    client.roster.lock().keys().cloned().collect()
}

#[test]
fn who_comes_into_a_group_sees_and_is_seen_at_once() {
    let world = World::of(&["ann", "bob", "eve"]);
    let (ann, ann_id) = world.come("ann@localhost/desk", "a");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    let (eve, _) = world.come("eve@localhost/desk", "e");
    let before = roster(&world, "ann", ann_id);
    add(&world, "Sales", &["ann", "bob"]);
    assert_eq!(pushes(&ann), ["bob@localhost both"]);
    assert_eq!(pushes(&bob), ["ann@localhost both"]);
    assert!(pushes(&eve).is_empty());
    for client in [&ann, &bob] {
        assert_eq!(
            believes(client),
            ["ann@localhost/desk", "bob@localhost/desk"]
        );
    }
    let with_bob = roster(&world, "ann", ann_id);
    assert_eq!(lines(&with_bob), ["bob@localhost both - [\"Sales\"]"]);
    add(&world, "Sales", &["eve"]);
    assert_eq!(believes(&ann).len(), 3);
    let with_eve = roster(&world, "ann", ann_id);
    let versions = [before.version, with_bob.version, with_eve.version];
    assert!(versions[0] != versions[1] && versions[1] != versions[2]);
    // Changes go to all, once each; a new session is told of all.
    ann.take();
    eve.take();
    world
        .model
        .available(&bare("bob"), SessionId(2), presented("busy", 0))
        .unwrap();
    assert_eq!(ann.presences(), ["bob@localhost/desk busy"]);
    assert_eq!(eve.presences(), ["bob@localhost/desk busy"]);
    let (late, late_id) = world.come("eve@localhost/late", "l");
    assert_eq!(
        believes(&late),
        [
            "ann@localhost/desk",
            "bob@localhost/desk",
            "eve@localhost/desk",
            "eve@localhost/late"
        ]
    );
    world.model.disconnect(&bare("eve"), late_id, None);
    assert_eq!(
        believes(&ann),
        [
            "ann@localhost/desk",
            "bob@localhost/desk",
            "eve@localhost/desk"
        ]
    );
    // Out of it.
    remove(&world, "Sales", &["bob"]).unwrap();
    assert_eq!(believes(&ann), ["ann@localhost/desk", "eve@localhost/desk"]);
    assert_eq!(believes(&bob), ["bob@localhost/desk"]);
    assert!(pushes(&ann).contains(&"bob@localhost remove".to_owned()));
    let mut gone = pushes(&bob);
    gone.sort();
    assert!(
        gone.ends_with(&[
            "ann@localhost remove".to_owned(),
            "eve@localhost both".to_owned(),
            "eve@localhost remove".to_owned()
        ]),
        "{gone:?}"
    );
    remove(&world, "Sales", &[]).unwrap();
    assert_eq!(believes(&ann), ["ann@localhost/desk"]);
    assert!(roster(&world, "ann", ann_id).items.is_empty());
    assert_eq!(roster(&world, "ann", ann_id).version, before.version);
    assert_eq!(remove(&world, "Sales", &[]), Err(Refusal::NotFound));
}

#[test]
fn what_people_have_of_their_own_stays() {
    let world = World::of(&["ann", "bob"]);
    world.befriend("ann", "bob");
    let (ann, id) = world.come("ann@localhost/desk", "a");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    let set = |name: &str, groups: &[&str]| {
        let groups = groups.iter().map(|g| (*g).to_owned()).collect();
        let (ann, bob, name) = (bare("ann"), bare("bob"), Some(name.to_owned()));
        world
            .ask(|reply| world.model.roster_set(&ann, &bob, name, groups, reply))
            .unwrap();
    };
    set("Bobby", &["Friends"]);
    add(&world, "Sales", &["ann", "bob"]);
    add(&world, "All of us", &["ann", "bob"]);
    let listed = "bob@localhost both Bobby [\"All of us\", \"Sales\", \"Friends\"]";
    assert_eq!(lines(&roster(&world, "ann", id)), [listed]);
    // A client sends back what it was told: what is the office's does not become ann's own.
    set("Bobby", &["Sales", "Friends", "All of us"]);
    // Told once, though he is a subscription and in two groups.
    ann.take();
    world
        .model
        .available(&bare("bob"), SessionId(2), presented("busy", 0))
        .unwrap();
    assert_eq!(ann.presences(), ["bob@localhost/desk busy"]);
    // Removed he stays, by the groups.
    let gone = || world.ask(|reply| world.model.roster_remove(&bare("ann"), &bare("bob"), reply));
    gone().unwrap();
    assert_eq!(
        lines(&roster(&world, "ann", id)),
        ["bob@localhost both - [\"All of us\", \"Sales\"]"]
    );
    assert!(pushes(&ann).iter().all(|p| p == "bob@localhost both"));
    assert_eq!(gone(), Err(Refusal::NotAllowed));
    assert!(believes(&ann).contains(&"bob@localhost/desk".to_owned()));
    assert!(believes(&bob).contains(&"ann@localhost/desk".to_owned()));
    world
        .model
        .available(&bare("ann"), id, presented("still", 0))
        .unwrap();
    assert_eq!(bob.roster.lock()["ann@localhost/desk"], "still");
    remove(&world, "Sales", &[]).unwrap();
    assert!(believes(&bob).contains(&"ann@localhost/desk".to_owned()));
    remove(&world, "All of us", &[]).unwrap();
    assert_eq!(believes(&bob), ["bob@localhost/desk"]);
    assert_eq!(believes(&ann), ["ann@localhost/desk"]);
    assert!(roster(&world, "ann", id).items.is_empty());
}

#[test]
fn a_group_that_ends_leaves_subscriptions_as_they_are() {
    let world = World::of(&["ann", "bob"]);
    world.befriend("ann", "bob");
    let (ann, id) = world.come("ann@localhost/desk", "a");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    add(&world, "Sales", &["ann", "bob"]);
    remove(&world, "Sales", &[]).unwrap();
    assert!(believes(&bob).contains(&"ann@localhost/desk".to_owned()));
    world
        .model
        .available(&bare("ann"), id, presented("still", 0))
        .unwrap();
    assert_eq!(bob.roster.lock()["ann@localhost/desk"], "still");
    assert!(believes(&ann).contains(&"bob@localhost/desk".to_owned()));
}

#[test]
fn phones_watch_fellows_and_the_reason_is_named() {
    let rules = Rules {
        same_domain_allow: false,
        ..Rules::default()
    };
    let world = World::new(1, rules);
    for name in ["ann", "bob"] {
        world.add(name);
    }
    world.come("ann@localhost/desk", "a");
    let (id, seen) = world.watch("bob", "ann");
    assert_eq!(seen.0, Decision::Pending);
    add(&world, "Sales", &["ann", "bob"]);
    let (decision, shown) = world.told(id);
    assert_eq!((decision, shown.len()), (Decision::Allow, 1));
    let (_, reason) = world.model.look(&bare("bob"), &bare("ann")).unwrap();
    assert_eq!(reason, Reason::Group);
    remove(&world, "Sales", &["bob"]).unwrap();
    assert_eq!(world.told(id), (Decision::Pending, Vec::new()));
}

#[test]
fn blocks_and_refusals_win() {
    let world = World::of(&["ann", "bob"]);
    add(&world, "Sales", &["ann", "bob"]);
    let (ann, ann_id) = world.come("ann@localhost/desk", "a");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    assert_eq!(believes(&bob).len(), 2);
    let whom = vec![Address::parse("bob@localhost").unwrap()];
    let list = whom.clone();
    let block = world.ask(|r| world.model.block(&bare("ann"), list, Vec::new(), r));
    block.unwrap();
    assert_eq!(believes(&bob), ["bob@localhost/desk"]);
    assert_eq!(believes(&ann), ["ann@localhost/desk"]);
    world
        .model
        .available(&bare("ann"), ann_id, presented("hidden", 0))
        .unwrap();
    world
        .model
        .available(&bare("bob"), SessionId(2), presented("hidden", 0))
        .unwrap();
    let (hand, _) = world.come("bob@localhost/hand", "h");
    assert_eq!(
        believes(&hand),
        ["bob@localhost/desk", "bob@localhost/hand"]
    );
    assert_eq!(believes(&ann), ["ann@localhost/desk"]);
    world
        .ask(|r| world.model.unblock(&bare("ann"), whom, r))
        .unwrap();
    for client in [&ann, &bob, &hand] {
        assert_eq!(
            believes(client),
            [
                "ann@localhost/desk",
                "bob@localhost/desk",
                "bob@localhost/hand"
            ]
        );
    }
    let answer = |allow| world.ask(|r| world.model.answer(&bare("ann"), &bare("bob"), allow, r));
    answer(false).unwrap();
    assert_eq!(believes(&bob), ["bob@localhost/desk", "bob@localhost/hand"]);
    world
        .model
        .available(&bare("ann"), ann_id, presented("hidden", 0))
        .unwrap();
    assert_eq!(believes(&bob).len(), 2);
    answer(true).unwrap();
    assert_eq!(bob.roster.lock()["ann@localhost/desk"], "hidden");
    // The same by a client's own answer.
    answer(false).unwrap();
    assert_eq!(believes(&bob).len(), 2);
    world.subscribe("ann", Kind::Subscribed, "bob");
    assert_eq!(bob.roster.lock()["ann@localhost/desk"], "hidden");
}

#[test]
fn no_ghosts() {
    let world = World::of(&["ann", "bob"]);
    let plan = |everybody, members: &[&str]| GroupPlan {
        everybody,
        members: members.iter().map(|m| bare(m)).collect(),
    };
    let all = BTreeMap::from([("All".to_owned(), plan(true, &[]))]);
    world.model.set_groups(all).unwrap();
    let (ann, id) = world.come("ann@localhost/desk", "a");
    world.come("bob@localhost/desk", "b");
    let listed = |world: &World| lines(&roster(world, "ann", id));
    assert_eq!(listed(&world), ["bob@localhost both - [\"All\"]"]);
    // A new account is there at once.
    world.add("eve");
    assert_eq!(listed(&world).len(), 2);
    world
        .ask(|r| world.model.disable(&bare("bob"), true, r))
        .unwrap();
    assert_eq!(listed(&world), ["eve@localhost both - [\"All\"]"]);
    assert_eq!(believes(&ann), ["ann@localhost/desk"]);
    world
        .ask(|r| world.model.disable(&bare("bob"), false, r))
        .unwrap();
    assert_eq!(listed(&world).len(), 2);
    world
        .ask(|r| world.model.delete_account(&bare("eve"), r))
        .unwrap();
    assert_eq!(listed(&world), ["bob@localhost both - [\"All\"]"]);
    // Read again: another group, with somebody who does not exist.
    let other = BTreeMap::from([("Other".to_owned(), plan(false, &["ann", "nobody"]))]);
    world.model.set_groups(other).unwrap();
    world.settle();
    assert!(listed(&world).is_empty());
    let nobody = world.ask(|r| {
        let members = vec![bare("nobody")];
        world.model.group_add("Other", members, false, r);
    });
    assert_eq!(nobody, Err(Refusal::NotFound));
    world.add("nobody");
    assert_eq!(listed(&world), ["nobody@localhost both - [\"Other\"]"]);
    let groups = world.model.groups();
    assert_eq!(groups.len(), 1);
    assert!(groups[0].configured && groups[0].members.len() == 2);
}

#[test]
fn a_crash_keeps_the_group_and_its_version() {
    let world = World::on_disk(1, Rules::default());
    for name in ["ann", "bob"] {
        world.add(name);
    }
    add(&world, "Sales", &["ann", "bob"]);
    let (_, id) = world.come("ann@localhost/desk", "a");
    let before = roster(&world, "ann", id);
    let (world, _) = world.crash();
    world.model.set_groups(BTreeMap::new()).unwrap();
    let (_, id) = world.come("ann@localhost/desk", "a");
    assert_eq!(roster(&world, "ann", id), before);
    let members = vec![bare("bob")];
    world
        .ask(|r| world.model.group_add("Sales", members, false, r))
        .unwrap();
    assert_eq!(roster(&world, "ann", id), before, "nothing changed");
}

/// Many in one group: each is told of each, and no list grows with their product.
#[test]
fn a_large_group() {
    const MANY: usize = 200;
    let world = World::new(1, Rules::default());
    for n in 0..MANY {
        let secrets = Secrets {
            scram: vec![1],
            sealed_ha1: vec![2],
        };
        let account = bare(&format!("u{n}"));
        let reply = model::commit::Reply::ignored();
        world.model.add_account(&account, secrets, false, &reply);
    }
    world.settle();
    world
        .ask(|r| world.model.group_add("All", Vec::new(), true, r))
        .unwrap();
    let all: Vec<Arc<Client>> = (0..MANY)
        .map(|n| world.come(&format!("u{n}@localhost/x"), "here").0)
        .collect();
    world.pass(Duration::from_secs(1));
    for client in &all {
        assert_eq!(believes(client).len(), MANY);
    }
    world.model.shut_down();
    world.settle();
}
