//! What sessions cost the model: memory that the process grew by, and time to come and to go. The store's files are in a
//! temporary folder.
//!
//! Reads lines of two numbers, people and how many each of them knows, and makes circles of them. Memory that one line has freed the
//! next one uses: where memory is what is asked, one line for each run.
//!
//! ```text
//! echo 2010 200 | cargo run --release -p adsum-model --example memory
//! ```

#![expect(clippy::unwrap_used, reason = "a measurement that fails has no result")]

use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use model::commit::Reply;
use model::sessions::Presented;
use model::{Event, Model, Now, Route, Rules};
use presence::{Bare, Document, Item, Resource, SubscriptionState, Timestamp, Utc};
use store::{Op, Options, Store};

/// Counts what it is told.
struct Ear(Arc<AtomicU64>);

impl Route for Ear {
    fn deliver(&self, event: &Event<'_>) {
        if matches!(event, Event::Presence { .. }) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn closed(&self) -> bool {
        false
    }
}

fn main() {
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let mut numbers = line.split_whitespace().map(|n| n.parse::<usize>().unwrap());
        let (people, known) = (numbers.next().unwrap(), numbers.next().unwrap());
        measure(people, known);
    }
}

fn measure(people: usize, known: usize) {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&folder.path().join("memory.db"), Options::default()).unwrap();
    prepare(&store, people, known);
    let start = Instant::now();
    let clock = move || {
        let passed = start.elapsed();
        Now {
            at: Timestamp(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)),
            utc: Utc(1_700_000_000_000),
        }
    };
    let dice = AtomicU64::new(1);
    let random = move |out: &mut [u8]| {
        for byte in out {
            *byte = dice.fetch_add(1, Ordering::Relaxed).to_le_bytes()[0];
        }
    };
    let rules = Rules {
        domains: vec!["office.example".to_owned()],
        ..Rules::default()
    };
    let model = Model::new(store, rules, Box::new(clock), Box::new(random));
    model.restore(false).unwrap();
    let heard = Arc::new(AtomicU64::new(0));
    // The first circle pays for what is there once.
    let warm = known + 1;
    let mut sessions = Vec::with_capacity(people);
    for n in 0..warm {
        sessions.push(come(&model, n, &heard));
    }
    let (resident, begun) = (resident(), Instant::now());
    for n in warm..people {
        sessions.push(come(&model, n, &heard));
    }
    let (grown, came) = (resident_since(resident), begun.elapsed());
    let begun = Instant::now();
    for (account, session) in sessions {
        model.disconnect(&account, session, None);
    }
    let went = begun.elapsed();
    let count = u128::try_from(people - warm).unwrap();
    println!(
        "{people} people, {known} contacts each: {} octets a session; {} us to come, {} us to go; {} told",
        grown / (people - warm),
        came.as_micros() / count,
        went.as_micros() / (count + u128::try_from(warm).unwrap()),
        heard.load(Ordering::Relaxed),
    );
}

fn come(model: &Arc<Model>, n: usize, heard: &Arc<AtomicU64>) -> (Bare, model::SessionId) {
    let account = person(n);
    let ear = Arc::new(Ear(Arc::clone(heard)));
    let wish = Some(Resource::from_prepared("desk"));
    let (session, _) = model.connect(&account, wish, ear).unwrap();
    let roster = Reply::new(|roster: Result<presence::Roster, _>| drop(roster.unwrap()));
    model.roster(&account, session, &roster);
    let presented = Presented {
        document: Document::default(),
        content: Bytes::new(),
        lang: None,
        id: None,
    };
    model.available(&account, session, presented).unwrap();
    (account, session)
}

/// Writes accounts and the rosters of circles, as subscription stanzas would have left them.
fn prepare(store: &Store, people: usize, known: usize) {
    let (done, waits) = mpsc::channel();
    let mut units = 0;
    for n in 0..people {
        let account = person(n);
        let mut ops = vec![Op::AccountCreate {
            account: account.clone(),
            scram: Vec::new(),
            sealed_ha1: Vec::new(),
            admin: false,
            created: Utc(0),
        }];
        let first = n - n % (known + 1);
        for other in (first..=first + known).filter(|o| *o != n && *o < people) {
            ops.push(Op::RosterPut {
                account: account.clone(),
                item: Item {
                    subscription: SubscriptionState::Both,
                    ..Item::new(person(other))
                },
                version: 1,
            });
            ops.push(Op::InboxMark {
                target: account.clone(),
                origin: person(other),
                seq: 1,
            });
        }
        let done = done.clone();
        let stored = move |stored: Result<(), store::StoreError>| {
            stored.unwrap();
            done.send(()).unwrap();
        };
        store.submit(ops, Box::new(stored)).unwrap();
        units += 1;
        if units > 16 {
            waits.recv_timeout(Duration::from_secs(60)).unwrap();
            units -= 1;
        }
    }
    for _ in 0..units {
        waits.recv_timeout(Duration::from_secs(60)).unwrap();
    }
}

fn person(n: usize) -> Bare {
    Bare::from_prepared(&format!("u{n:05}@office.example"))
}

/// The memory that is the process's alone, in octets.
fn resident() -> usize {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let anonymous = rollup.lines().find(|l| l.starts_with("Anonymous:"));
    let kilobytes = anonymous.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<usize>().unwrap() * 1024
}

fn resident_since(before: usize) -> usize {
    resident().saturating_sub(before)
}
