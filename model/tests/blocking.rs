//! Blocks: what goes with the command, what waits for the disk, and what comes back.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::commit::Reply;
use model::messages::Sent;
use model::{Rules, SessionId};
use parking_lot::Mutex;
use presence::subscription::Kind;
use presence::{Address, Decision, Handling, Reason, Refusal, Report, ReportReason, Utc};

use common::{Client, Heard, World, bare, message, presented};

const HANDLING: Handling = Handling::TEXT;

fn addresses(texts: &[&str]) -> Vec<Address> {
    texts.iter().map(|t| Address::parse(t).unwrap()).collect()
}

fn block(world: &World, who: &str, whom: &[&str]) -> Result<(), Refusal> {
    world.ask(|reply| {
        let reports = Vec::new();
        world
            .model
            .block(&bare(who), addresses(whom), reports, reply);
    })
}

fn unblock(world: &World, who: &str, whom: &[&str]) -> Result<(), Refusal> {
    world.ask(|reply| world.model.unblock(&bare(who), addresses(whom), reply))
}

fn say(world: &World, id: &str, from: &str, to: &str) -> Result<Sent, Refusal> {
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    let done = move |_: &_, result| *slot.lock() = Some(result);
    world.model.message(message(id, from, to), HANDLING, done);
    world.settle();
    let answer = answer.lock().take();
    answer.unwrap()
}

/// Ann and bob see each other and are there.
fn friends() -> (World, Arc<Client>, Arc<Client>) {
    let world = World::of(&["ann", "bob", "eve"]);
    world.befriend("ann", "bob");
    let (ann, _) = world.come("ann@localhost/desk", "here");
    let (bob, _) = world.come("bob@localhost/desk", "b");
    ann.take();
    bob.take();
    (world, ann, bob)
}

fn again(world: &World, full: &str, said: &str) {
    let at = Address::parse(full).unwrap();
    // The numbers of sessions are given in order.
    for id in 1..=9 {
        let _ = world
            .model
            .available(&at.bare, SessionId(id), presented(said, 0));
    }
    world.settle();
}

#[test]
fn both_lose_sight_of_each_other_and_find_it_again() {
    let (world, ann, bob) = friends();
    block(&world, "ann", &["bob@localhost"]).unwrap();
    assert_eq!(bob.presences(), ["ann@localhost/desk -"]);
    assert_eq!(ann.presences(), ["bob@localhost/desk -"]);
    again(&world, "ann@localhost/desk", "hidden");
    again(&world, "bob@localhost/desk", "hidden");
    assert_eq!(
        bob.presences(),
        ["bob@localhost/desk hidden"],
        "himself alone"
    );
    assert_eq!(ann.presences(), ["ann@localhost/desk hidden"]);
    // Neither a new session of his nor one of hers changes anything.
    let (hand, _) = world.come("bob@localhost/hand", "h");
    assert_eq!(
        hand.presences(),
        ["bob@localhost/desk hidden", "bob@localhost/hand h"]
    );
    let (tablet, _) = world.come("ann@localhost/tablet", "t");
    assert_eq!(
        tablet.presences(),
        ["ann@localhost/desk hidden", "ann@localhost/tablet t"]
    );
    bob.take();
    ann.take();
    unblock(&world, "ann", &["bob@localhost"]).unwrap();
    for bobs in [&bob, &hand] {
        let mut saw = bobs.presences();
        saw.retain(|s| s.starts_with("ann"));
        assert_eq!(saw, ["ann@localhost/desk hidden", "ann@localhost/tablet t"]);
    }
    for anns in [&ann, &tablet] {
        assert_eq!(
            anns.presences(),
            ["bob@localhost/desk hidden", "bob@localhost/hand h"]
        );
    }
}

#[test]
fn what_is_said_after_the_command_never_arrives_though_the_disk_is_slow() {
    let (world, _, bob) = friends();
    let (ann, whom) = (bare("ann"), addresses(&["bob@localhost"]));
    let acknowledged = Arc::new(Mutex::new(false));
    let flag = Arc::clone(&acknowledged);
    let reply = Reply::new(move |result: Result<(), _>| *flag.lock() = result.is_ok());
    world.model.block(&ann, whom, Vec::new(), &reply);
    // Nothing is committed yet.
    assert_eq!(bob.presences(), ["ann@localhost/desk -"]);
    let refused = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&refused);
    let late = message("m", "bob@localhost/desk", "ann@localhost");
    let done = move |_: &_, result| *slot.lock() = Some(result);
    world.model.message(late, HANDLING, done);
    assert_eq!(*refused.lock(), Some(Err(Refusal::Unavailable)));
    assert!(!*acknowledged.lock(), "the answer waits for the disk");
    world.settle();
    assert!(*acknowledged.lock());
    assert_eq!(world.model.store().load(&ann).unwrap().unwrap().offline, 0);
}

/// Who goes between the command and its commit is gone for the one who blocks him, too.
#[test]
fn who_goes_before_it_is_told_that_he_is_gone_does_not_stay() {
    let (world, ann, _) = friends();
    let (hand, id) = world.come("bob@localhost/hand", "h");
    ann.take();
    let whom = addresses(&["bob@localhost"]);
    let reply = Reply::ignored();
    world.model.block(&bare("ann"), whom, Vec::new(), &reply);
    hand.ended.store(true, Ordering::Relaxed);
    world.model.disconnect(&bare("bob"), id, None);
    assert_eq!(ann.presences(), ["bob@localhost/hand -"]);
    world.settle();
    assert_eq!(ann.presences(), ["bob@localhost/desk -"]);
    // From then on nothing comes, nor does it matter to others.
    again(&world, "bob@localhost/desk", "here");
    world.model.disconnect(&bare("bob"), SessionId(2), None);
    assert!(ann.presences().is_empty());
}

#[test]
fn messages_neither_way() {
    let (world, ann, bob) = friends();
    block(&world, "ann", &["bob@localhost"]).unwrap();
    ann.take();
    for to in ["ann@localhost", "ann@localhost/desk", "ann@localhost/away"] {
        assert_eq!(
            say(&world, "m", "bob@localhost/desk", to),
            Err(Refusal::Unavailable)
        );
    }
    let own = say(&world, "m", "ann@localhost/desk", "bob@localhost/desk");
    assert_eq!(own, Err(Refusal::Blocked));
    assert!(
        !bob.take()
            .iter()
            .any(|h| matches!(h, Heard::Message { .. }))
    );
    assert!(ann.take().is_empty());
    // The others, and her other devices, are heard.
    assert_eq!(
        say(&world, "e", "eve@localhost/x", "ann@localhost"),
        Ok(Sent::Delivered)
    );
    assert_eq!(
        say(&world, "a", "ann@localhost/x", "ann@localhost"),
        Ok(Sent::Delivered)
    );
    assert_eq!(ann.take().len(), 2);
}

#[test]
fn what_waited_from_before_is_not_delivered() {
    let world = World::of(&["ann", "bob", "eve"]);
    assert_eq!(
        say(&world, "old", "bob@localhost/x", "ann@localhost"),
        Ok(Sent::Stored)
    );
    assert_eq!(
        say(&world, "good", "eve@localhost/x", "ann@localhost"),
        Ok(Sent::Stored)
    );
    block(&world, "ann", &["bob@localhost"]).unwrap();
    let (ann, _) = world.come("ann@localhost/desk", "here");
    let heard = ann.take();
    let got: Vec<&str> = heard
        .iter()
        .filter_map(|h| match h {
            Heard::Message { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(got, ["good"]);
    assert_eq!(world.stored("ann").offline, 0);
}

#[test]
fn one_resource_alone() {
    let (world, ann, bob) = friends();
    let (hand, _) = world.come("bob@localhost/hand", "h");
    ann.take();
    bob.take();
    hand.take();
    block(&world, "ann", &["bob@localhost/hand"]).unwrap();
    assert_eq!(hand.presences(), ["ann@localhost/desk -"]);
    assert!(bob.presences().is_empty());
    assert_eq!(ann.presences(), ["bob@localhost/hand -"]);
    again(&world, "bob@localhost/desk", "seen");
    let heard = ann.presences();
    assert_eq!(heard, ["bob@localhost/desk seen"]);
    let refused = say(&world, "m", "bob@localhost/hand", "ann@localhost");
    assert_eq!(refused, Err(Refusal::Unavailable));
    let heard = say(&world, "m", "bob@localhost/desk", "ann@localhost");
    assert_eq!(heard, Ok(Sent::Delivered));
    ann.take();
    unblock(&world, "ann", &[]).unwrap();
    assert_eq!(ann.presences(), ["bob@localhost/hand seen"]);
    assert_eq!(hand.presences().last().unwrap(), "ann@localhost/desk here");
}

#[test]
fn a_domain_is_everybody_there_but_oneself() {
    let (world, ann, bob) = friends();
    let (tablet, _) = world.come("ann@localhost/tablet", "t");
    ann.take();
    bob.take();
    block(&world, "ann", &["localhost", "ann@localhost"]).unwrap();
    assert_eq!(
        bob.presences(),
        ["ann@localhost/desk -", "ann@localhost/tablet -"]
    );
    ann.take();
    again(&world, "ann@localhost/desk", "still here");
    assert!(
        tablet
            .presences()
            .contains(&"ann@localhost/desk still here".to_owned())
    );
    assert_eq!(
        say(&world, "a", "ann@localhost/x", "ann@localhost"),
        Ok(Sent::Delivered)
    );
    assert_eq!(
        say(&world, "e", "eve@localhost/x", "ann@localhost"),
        Err(Refusal::Unavailable)
    );
}

#[test]
fn watches_end_and_the_reason_is_named() {
    let (world, ..) = friends();
    let (his, _) = world.watch("bob", "ann");
    let (hers, seen) = world.watch("ann", "bob");
    assert_eq!(seen.0, Decision::Allow);
    block(&world, "ann", &["bob@localhost"]).unwrap();
    assert_eq!(world.told(his), (Decision::Deny, Vec::new()));
    assert_eq!(
        world.told(hers),
        (Decision::Deny, Vec::new()),
        "her phone is not told of him"
    );
    again(&world, "ann@localhost/desk", "hidden");
    assert_eq!(world.told(his), (Decision::Deny, Vec::new()));
    let (looked, reason) = world.model.look(&bare("bob"), &bare("ann")).unwrap();
    assert_eq!((looked.decision, reason), (Decision::Deny, Reason::Blocked));
    let (_, seen) = world.watch("bob", "ann");
    assert_eq!(seen, (Decision::Deny, Vec::new()));
    let own = world.model.look(&bare("ann"), &bare("bob")).map(|_| ());
    assert_eq!(own, Err(Refusal::Blocked));
    unblock(&world, "ann", &["bob@localhost"]).unwrap();
    let (looked, reason) = world.model.look(&bare("bob"), &bare("ann")).unwrap();
    assert_eq!((looked.decision, reason), (Decision::Allow, Reason::Roster));
}

#[test]
fn requests_probes_and_directed_presence() {
    let (world, ann, bob) = friends();
    let (eve, _) = world.come("eve@localhost/desk", "e");
    let at = Address::parse("eve@localhost").unwrap();
    let here = || presented("for you", 0);
    let directed = world
        .model
        .directed(&bare("ann"), SessionId(1), &at, here(), true);
    directed.unwrap();
    assert_eq!(
        eve.presences(),
        ["eve@localhost/desk e", "ann@localhost/desk for you"]
    );
    block(&world, "ann", &["bob@localhost", "eve@localhost"]).unwrap();
    assert_eq!(eve.presences(), ["ann@localhost/desk -"]);
    let again = world
        .model
        .directed(&bare("ann"), SessionId(1), &at, here(), true);
    assert_eq!(again, Err(Refusal::Blocked));
    let gone = world
        .model
        .directed(&bare("ann"), SessionId(1), &at, here(), false);
    assert_eq!(gone, Ok(()), "that may go");
    eve.take();
    // A request is not shown, nor kept; it looks as if nobody answered.
    ann.take();
    world.subscribe("eve", Kind::Subscribe, "ann");
    assert!(ann.take().is_empty());
    assert!(world.stored("ann").roster.pending_in.is_empty());
    let (late, _) = world.come("ann@localhost/late", "l");
    assert!(
        !late
            .take()
            .iter()
            .any(|h| matches!(h, Heard::Subscription(..)))
    );
    // A probe is not answered, nor does it end the subscription.
    bob.take();
    let ann_at = Address::parse("ann@localhost").unwrap();
    world
        .model
        .probe(&bare("bob"), SessionId(2), &ann_at)
        .unwrap();
    world.settle();
    assert!(bob.take().is_empty());
    let idle = world
        .model
        .last_activity(&Address::parse("bob@localhost/desk").unwrap(), &bare("ann"));
    assert_eq!(idle, Err(Refusal::Forbidden));
    let asked = world.ask(|reply| {
        let (ann, eve) = (bare("ann"), bare("eve"));
        world
            .model
            .subscription(&ann, Kind::Subscribe, &eve, bytes::Bytes::new(), reply);
    });
    assert_eq!(asked, Err(Refusal::Blocked));
}

/// Who leaves while he is blocked has left: the two rosters say the same when the block is over.
#[test]
fn an_end_is_taken_note_of() {
    let (world, ann, _) = friends();
    block(&world, "ann", &["bob@localhost"]).unwrap();
    ann.take();
    world.subscribe("bob", Kind::Unsubscribe, "ann");
    world.subscribe("bob", Kind::Unsubscribed, "ann");
    assert!(
        !ann.take()
            .iter()
            .any(|h| matches!(h, Heard::Subscription(..)))
    );
    let roster = world.stored("ann").roster;
    assert_eq!(
        roster.get(&bare("bob")).unwrap().subscription.as_str(),
        "none"
    );
}

#[test]
fn pushes_go_to_those_who_asked_for_the_list() {
    let (world, ann, _) = friends();
    let (quiet, _) = world.come("ann@localhost/quiet", "q");
    let list = || world.ask(|reply| world.model.blocklist(&bare("ann"), SessionId(1), reply));
    assert!(list().unwrap().is_empty());
    block(&world, "ann", &["bob@localhost", "x"]).unwrap();
    assert_eq!(
        list()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["bob@localhost", "x"]
    );
    unblock(&world, "ann", &["x"]).unwrap();
    unblock(&world, "ann", &[]).unwrap();
    assert!(list().unwrap().is_empty());
    let told = |client: &Client| {
        let mut heard = client.take();
        heard.retain(|h| matches!(h, Heard::Blocks(_)));
        heard
    };
    let wanted = ["block [bob@localhost, x]", "unblock [x]", "unblock all"];
    assert_eq!(told(&ann), wanted.map(|w| Heard::Blocks(w.to_owned())));
    assert!(told(&quiet).is_empty());
}

#[test]
fn the_limit_changes_nothing() {
    let rules = Rules {
        blocked_addresses: 2,
        ..Rules::default()
    };
    let world = World::new(1, rules);
    world.add("ann");
    block(&world, "ann", &["a@b", "c@d"]).unwrap();
    block(&world, "ann", &["a@b"]).unwrap();
    assert_eq!(
        block(&world, "ann", &["e@f"]),
        Err(Refusal::Limit("blocked_addresses"))
    );
    let record = world.stored("ann");
    assert_eq!(record.blocked.len(), 2);
}

#[test]
fn a_crash_keeps_what_was_acknowledged() {
    let world = World::on_disk(1, Rules::default());
    for name in ["ann", "bob"] {
        world.add(name);
    }
    world.befriend("ann", "bob");
    world.come("ann@localhost/desk", "here");
    let report = Report {
        about: Address::parse("bob@localhost").unwrap(),
        reason: ReportReason::Spam,
        text: Some("no".to_owned()),
        stanzas: Vec::new(),
        at: Utc(7),
    };
    let kept = report.clone();
    let done = world.ask(|reply| {
        let whom = addresses(&["bob@localhost"]);
        world.model.block(&bare("ann"), whom, vec![report], reply);
    });
    done.unwrap();
    let (world, _) = world.crash();
    let (bob, _) = world.come("bob@localhost/desk", "b");
    assert_eq!(bob.presences(), ["bob@localhost/desk b"]);
    let refused = say(&world, "m", "bob@localhost/desk", "ann@localhost");
    assert_eq!(refused, Err(Refusal::Unavailable));
    let reports = world.model.store().reports().unwrap();
    assert_eq!(reports.len(), 1);
    assert_eq!((&reports[0].by, &reports[0].report), (&bare("ann"), &kept));
}
