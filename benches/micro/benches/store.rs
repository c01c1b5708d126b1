//! The store on a disk: commits that many share, and an account read in.
#![expect(missing_docs, reason = "criterion makes functions without")]

use std::sync::{Arc, Barrier, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use presence::{
    Bare, Document, EntityTag, Item, Label, Native, Note, Publication, Resource, Show, Source,
    SubscriptionState, Utc,
};
use store::{Op, Options, Store};
use tempfile::TempDir;

const BEGIN: i64 = 1_700_000_000_000;
const ACCOUNTS: usize = 256;
const CONTACTS: usize = 200;

fn person(n: usize) -> Bare {
    Bare::parse(&format!("person{n}@office.example")).expect("an address")
}

/// A database in the folder for temporary files, with accounts.
fn begin() -> (Store, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = Store::open(&folder.path().join("micro.db"), Options::default()).expect("new");
    let accounts = (0..ACCOUNTS).map(|n| Op::AccountCreate {
        account: person(n),
        scram: vec![1; 200],
        sealed_ha1: vec![2; 200],
        admin: false,
        created: Utc(BEGIN),
    });
    submit(&store, accounts.collect());
    store.barrier();
    (store, folder)
}

fn submit(store: &Store, ops: Vec<Op>) {
    let queued = store.submit(ops, Box::new(|result| result.expect("written")));
    queued.expect("a place in the queue");
}

/// What a PUBLISH leaves on the disk.
fn publication(account: Bare, round: i64) -> Vec<Op> {
    let document =
        "<presence xmlns='urn:ietf:params:xml:ns:pidf'><tuple id='t'><status/></tuple></presence>";
    let publication = Publication {
        resource: Resource::from_prepared("sip-01234567"),
        source: Source::Sip {
            device: "urn:uuid:00000000-0000-1000-8000-000a95a0e128".into(),
        },
        etag: Some(EntityTag(format!("{round:032x}").into())),
        expires: Some(Utc(BEGIN + 3_600_000 + round)),
        document: Document {
            show: Some(Show::Dnd),
            notes: vec![Note {
                lang: None,
                text: "On the phone".into(),
            }],
            ..Document::default()
        },
        native: Native::Pidf(Bytes::from_static(document.as_bytes())),
        lang: None,
        changed: Utc(BEGIN + round),
    };
    vec![Op::PublicationPut {
        account,
        publication: Arc::new(publication),
    }]
}

/// Lets the writer stand still while so many units are queued; then the time until the last of them is told that it is on the
/// disk. What the writer does outside of commits, copying the log back, is not in it.
fn together(store: &Store, units: usize, round: i64) -> Duration {
    let gate = Arc::new(Barrier::new(2));
    let held = Arc::clone(&gate);
    let stand = store.submit(
        Vec::new(),
        Box::new(move |_| {
            held.wait();
            held.wait();
        }),
    );
    stand.expect("a place in the queue");
    gate.wait();
    let (told, hear) = mpsc::channel();
    for n in 0..units {
        let told = told.clone();
        let done = Box::new(move |result: Result<(), _>| {
            result.expect("written");
            told.send(()).expect("somebody listens");
        });
        let queued = store.submit(publication(person(n), round), done);
        queued.expect("a place in the queue");
    }
    let since = Instant::now();
    gate.wait();
    for _ in 0..units {
        hear.recv().expect("an answer");
    }
    since.elapsed()
}

fn commit(c: &mut Criterion) {
    let (store, _folder) = begin();
    let mut group = c.benchmark_group("store: commit");
    let mut round = 0;
    for units in [1, 16, ACCOUNTS] {
        group.throughput(Throughput::Elements(units as u64));
        group.bench_function(format!("of {units}"), |b| {
            b.iter_custom(|times| {
                let mut spent = Duration::ZERO;
                for _ in 0..times {
                    round += 1;
                    spent += together(&store, units, round);
                }
                spent
            });
        });
    }
    group.finish();
    assert!(store.close_clean());
}

fn load(c: &mut Criterion) {
    let (store, _folder) = begin();
    let ann = person(0);
    let contacts = (1..=CONTACTS).map(|n| Op::RosterPut {
        account: ann.clone(),
        item: Item {
            label: Label::new(Some("Somebody"), &["Colleagues".to_owned()]),
            subscription: SubscriptionState::Both,
            ..Item::new(person(n))
        },
        version: 1,
    });
    submit(&store, contacts.collect());
    store.barrier();
    c.bench_function("store: account with 200 contacts", |b| {
        b.iter(|| {
            let record = store.load(&ann).expect("readable").expect("an account");
            assert_eq!(record.roster.items.len(), CONTACTS);
        });
    });
    assert!(store.close_clean());
}

criterion_group!(benches, commit, load);
criterion_main!(benches);
