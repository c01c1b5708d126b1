//! Thousands of commands at random; then everything must be as the rules say. A failing seed is named and fails again.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::office::Office;
use proptest::prelude::*;

fn office_hours(seed: u64, steps: usize) {
    eprintln!("seed {seed}");
    let mut office = Office::new(seed, false);
    for step in 1..=steps {
        office.act();
        if step % 60 == 0 {
            office.check();
        }
    }
    office.check();
    office.go_home();
}

fn bad_days(seed: u64, days: usize, steps: usize) {
    eprintln!("seed {seed}");
    let mut office = Office::new(seed, true);
    for _ in 0..days {
        let last = 1 + office.world().dice.below(steps);
        for _ in 0..last {
            office.act();
        }
        let busy = !office.world().dice.one_in(4);
        office.crash(busy);
        office.check();
    }
    office.check();
    office.go_home();
}

#[test]
fn views_are_what_the_rules_say() {
    for seed in 0..40 {
        office_hours(seed, 600);
    }
}

#[test]
fn a_crash_changes_nothing_that_was_promised() {
    for seed in 100..116 {
        bad_days(seed, 8, 120);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn views_are_what_the_rules_say_for_any_seed(seed: u64) {
        office_hours(seed, 300);
    }

    #[test]
    fn a_crash_changes_nothing_for_any_seed(seed: u64) {
        bad_days(seed, 3, 80);
    }
}
