//! After a crash: presence that lived in connections ends when the grace is over, not all of it at once.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::World;
use model::Rules;

const GRACE: Duration = Duration::from_secs(30);
/// Over this time after the grace the endings are spread.
const SPAN: Duration = Duration::from_millis(7500);
/// How closely it is looked.
const STEP: Duration = Duration::from_millis(100);
const PEOPLE: usize = 240;
/// So many of them, the first ones, are also in the roster of an XMPP contact.
const FRIENDS: usize = 24;
/// Every so many come back in time.
const RETURNS: usize = 6;

fn name(number: usize) -> String {
    format!("p{number}")
}

fn full(number: usize) -> String {
    format!("{}@localhost/desk", name(number))
}

/// All are there, and everybody is watched; then a crash. By watch: of whom.
fn crashed() -> (World, BTreeMap<u64, usize>) {
    let rules = Rules {
        restart_grace: GRACE,
        ..Rules::default()
    };
    let world = World::on_disk(7, rules);
    world.add("bob");
    let mut watches = BTreeMap::new();
    for number in 0..PEOPLE {
        world.add(&name(number));
        if number < FRIENDS {
            world.befriend("bob", &name(number));
        }
        world.come(&full(number), "here");
        watches.insert(world.watch("bob", &name(number)).0.0, number);
    }
    let (world, restored) = world.crash();
    assert_eq!(restored.len(), PEOPLE);
    world.phones.views.lock().clear();
    (world, watches)
}

#[test]
fn who_is_missing_goes_after_the_grace_spread_over_a_quarter_of_it() {
    let (world, watches) = crashed();
    let (bob, _) = world.come("bob@localhost/desk", "b");
    assert_eq!(bob.presences().len(), FRIENDS + 1, "as last known");
    let returned = |number: usize| number.is_multiple_of(RETURNS);
    for number in (0..PEOPLE).filter(|n| returned(*n)) {
        world.pass(GRACE / 100);
        world.come(&full(number), "here");
    }
    bob.take();
    world.phones.views.lock().clear();
    // By person, in steps after the grace: when a phone, and when the contact, was told.
    let (mut phone, mut chat) = (BTreeMap::new(), BTreeMap::new());
    let spent = GRACE / 100 * u32::try_from(PEOPLE.div_ceil(RETURNS)).unwrap();
    world.pass(GRACE.saturating_sub(spent + Duration::from_millis(1)));
    assert!(world.phones.views.lock().is_empty() && bob.presences().is_empty());
    world.pass(Duration::from_millis(1));
    let steps = usize::try_from(SPAN.as_millis() / STEP.as_millis()).unwrap();
    for step in 0..=steps {
        for (watch, (_, shown)) in world.phones.views.lock().drain(..) {
            assert!(shown.is_empty(), "{shown:?}");
            assert_eq!(phone.insert(watches[&watch], step), None, "told twice");
        }
        for said in bob.presences() {
            let who = said.strip_suffix(" -").expect("somebody goes").to_owned();
            assert_eq!(chat.insert(who, step), None, "told twice");
        }
        world.pass(STEP);
    }
    // All that are missing, nobody else, and nobody later.
    world.pass(4 * GRACE);
    assert!(world.phones.views.lock().is_empty() && bob.presences().is_empty());
    let missing: BTreeSet<_> = (0..PEOPLE).filter(|n| !returned(*n)).collect();
    assert!(phone.keys().eq(missing.iter()));
    let friends: BTreeSet<_> = missing.range(..FRIENDS).map(|n| full(*n)).collect();
    assert!(chat.keys().eq(friends.iter()));
    // The contact hears it when the phone does.
    assert!(chat.iter().all(|(who, step)| {
        let number = (0..FRIENDS).find(|n| full(*n) == *who).unwrap();
        phone[&number] == *step
    }));
    is_spread(phone.into_values(), missing.len(), steps);
}

/// No moment has much of it, and no quarter of the time has none of it.
fn is_spread(endings: impl Iterator<Item = usize>, all: usize, steps: usize) {
    let mut at = vec![0; steps + 1];
    endings.for_each(|step| at[step] += 1);
    assert!(at.iter().all(|many| *many <= all / 20), "{at:?}");
    for quarter in at[..steps].chunks(steps.div_ceil(4)) {
        assert!(quarter.iter().sum::<usize>() >= all / 8, "{at:?}");
    }
}
