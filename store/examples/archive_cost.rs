//! What an archived message costs the thread that writes: time and CPU per message, for groups of 16 and of 256 (decision 12).
//!
//! `cargo run --release -p adsum-store --example archive_cost`: on a disk, in the folder for temporary files.
#![expect(clippy::unwrap_used, reason = "a program for measurements")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use presence::{Address, ArchiveId, ArchiveQuery, Bare, Message, MessageKind, MessageNative, Utc};
use store::{Op, Options, Store};

const WARM: u64 = 50_000;
const MESSAGES: u64 = 200_000;

fn main() {
    println!(
        "accounts  group  unindexed  us/message  CPU of the writer us/message  a page of 50 us"
    );
    for (accounts, group, unindexed) in [
        (200, 16, 4096),
        (200, 256, 1024),
        (200, 256, 4096),
        (200, 256, 16384),
        (5000, 256, 1024),
        (5000, 256, 4096),
        (5000, 256, 16384),
    ] {
        measure(accounts, group, unindexed);
    }
}

fn account(n: u64) -> Bare {
    Bare::from_prepared(&format!("user{n}@example.org"))
}

fn message(accounts: u64, n: u64) -> Message {
    // Everybody writes to ten others.
    let from = n.wrapping_mul(7919) % accounts;
    let to = (from + 1 + n / accounts % 10) % accounts;
    let full = |n| Address::parse(&format!("{}/desk", account(n).as_str())).unwrap();
    let stanza = format!(
        "<message from='user{from}@example.org/desk' to='user{to}@example.org' type='chat' id='m{n}'><body>{}</body></message>",
        "what is said in an office ".repeat(4)
    );
    Message {
        from: full(from),
        to: account(to).into(),
        kind: MessageKind::Chat,
        id: Some(format!("m{n}").into()),
        thread: None,
        subjects: Vec::new(),
        bodies: Vec::new(),
        native: MessageNative::Xmpp(Bytes::from(stanza)),
        received: Utc(0),
        archived: None,
    }
}

fn put(n: u64, message: Message) -> Op {
    Op::ArchivePut {
        // 8,000 a second.
        id: ArchiveId(ArchiveId::first_at(Utc(1_700_000_000_000)).0 + (n << 17)),
        sender: true,
        recipient: true,
        message: Arc::new(message),
    }
}

fn measure(accounts: u64, group: u64, unindexed: usize) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        unindexed,
        ..Options::default()
    };
    let (store, _) = Store::open(&folder.path().join("adsum.db"), options).unwrap();
    for n in 0..accounts {
        let create = Op::AccountCreate {
            account: account(n),
            scram: vec![],
            sealed_ha1: vec![],
            admin: false,
            created: Utc(0),
        };
        store
            .submit(vec![create], Box::new(Result::unwrap))
            .unwrap();
    }
    store.barrier();
    let mut cost = (Duration::ZERO, Duration::ZERO);
    for first in (0..WARM + MESSAGES).step_by(group as usize) {
        let ops: Vec<_> = (first..first + group)
            .map(|n| put(n, message(accounts, n)))
            .collect();
        let (begun, cpu) = (Instant::now(), writer_cpu());
        store.submit(ops, Box::new(Result::unwrap)).unwrap();
        store.barrier();
        if first >= WARM {
            cost.0 += begun.elapsed();
            cost.1 += writer_cpu().checked_sub(cpu).unwrap();
        }
    }
    let each = |cost: Duration| cost.as_secs_f64() * 1e6 / MESSAGES as f64;
    println!(
        "{accounts:8} {group:6} {unindexed:10} {:11.1} {:29.1} {:8.0}",
        each(cost.0),
        each(cost.1),
        page(&store, accounts)
    );
    if group == 256 && accounts == 200 && unindexed == 4096 {
        delete(&store);
    }
}

/// How long a page of the last 50 messages takes, in microseconds.
fn page(store: &Store, accounts: u64) -> f64 {
    let query = ArchiveQuery {
        before: Some(None),
        max: Some(50),
        ..ArchiveQuery::default()
    };
    let begun = Instant::now();
    for n in 0..100 {
        let account = account(n % accounts);
        store.archive_page(&account, &query, 50, 1 << 20).unwrap();
    }
    begun.elapsed().as_secs_f64() * 1e6 / 100.0
}

/// An account with 100,000 messages goes, and another change is waited for.
fn delete(store: &Store) {
    let first = WARM + MESSAGES + 256;
    for n in first..first + 100_000 {
        let mut message = message(200, n);
        message.from = Address::from(account(0));
        let ops = vec![put(n, message)];
        store.submit(ops, Box::new(Result::unwrap)).unwrap();
        if n % 256 == 0 {
            store.barrier();
        }
    }
    store.barrier();
    let delete = Op::AccountDelete {
        account: account(0),
    };
    store
        .submit(vec![delete], Box::new(Result::unwrap))
        .unwrap();
    let (begun, mut longest) = (Instant::now(), Duration::ZERO);
    while begun.elapsed() < Duration::from_secs(5) {
        let asked = Instant::now();
        store.barrier();
        longest = longest.max(asked.elapsed());
    }
    println!("an account with 100,000 messages deleted: others waited {longest:?} at most");
}

/// What the thread that writes has used.
fn writer_cpu() -> Duration {
    let of = |task: std::io::Result<std::fs::DirEntry>| {
        let path = task.unwrap().path();
        let name = std::fs::read_to_string(path.join("comm")).ok()?;
        let used = std::fs::read_to_string(path.join("schedstat")).ok()?;
        let nanos = used.split(' ').next()?.parse().ok()?;
        (name.trim() == "store").then_some(Duration::from_nanos(nanos))
    };
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks.filter_map(of).sum()
}
