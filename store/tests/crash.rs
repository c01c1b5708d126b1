//! A process that writes is killed at any moment: everything it acknowledged is there, and no unit is there by half.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use presence::{Bare, Grant, GrantOrigin, Item, Utc};
use store::{Op, Options, Store, verify};

const CHILD: &str = "--write-until-killed";
const ACCOUNTS: u64 = 4;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [first, path] if first == CHILD => write_until_killed(Path::new(path)),
        _ if arguments.iter().any(|a| a == "--list") => {}
        _ => {
            kill_again_and_again();
            println!("test crash ... ok");
        }
    }
}

fn account(n: u64) -> Bare {
    Bare::from_prepared(&format!("user{}@example.org", n % ACCOUNTS))
}

fn contact(n: u64) -> Bare {
    Bare::from_prepared(&format!("c{n}@example.org"))
}

fn number(contact: &Bare) -> u64 {
    contact.local().unwrap()[1..].parse().unwrap()
}

/// One unit over three tables and two accounts.
fn unit(n: u64) -> Vec<Op> {
    let grant = Grant {
        allow: true,
        origin: GrantOrigin::Owner,
    };
    vec![
        Op::RosterPut {
            account: account(n),
            item: Item::new(contact(n)),
            version: n,
        },
        Op::OutboxPut {
            seq: n,
            origin: account(n),
            target: account(n + 1),
            payload: Bytes::from(vec![7; 300]),
        },
        Op::GrantPut {
            account: account(n + 1),
            watcher: contact(n),
            grant,
        },
    ]
}

fn write_until_killed(path: &Path) {
    let (store, _) = Store::open(path, Options::default()).unwrap();
    for n in 0..ACCOUNTS {
        let create = Op::AccountCreate {
            account: account(n),
            scram: vec![],
            sealed_ha1: vec![],
            admin: false,
            created: Utc(0),
        };
        // From the second round on they are there.
        store.submit(vec![create], Box::new(drop)).unwrap();
    }
    for n in store.next_ids().outbox_seq.. {
        let done = move |result: Result<(), _>| {
            result.unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "{n}").and_then(|()| out.flush()).unwrap();
        };
        store.submit(unit(n), Box::new(done)).unwrap();
        // Groups of many sizes.
        if n % 64 == 0 || n % 7 == 0 {
            store.barrier();
        }
    }
}

fn kill_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adsum.db");
    let mut acknowledged = BTreeSet::new();
    // Numbers of acknowledgements after which it is killed; the writer is in the middle of something by then.
    for after in [0, 1, 2, 3, 17, 40, 101, 256, 700, 1500] {
        acknowledged.extend(run_and_kill(&path, after));
        let (store, start) = Store::open(&path, Options::default()).unwrap();
        assert!(start.unclean, "killed after {after}");
        check(&store, &acknowledged);
        // Sometimes the next run follows on an unclean end, sometimes on a clean one.
        if after % 2 == 0 {
            store.close_clean();
            assert!(verify(&path).is_ok());
        }
    }
    assert!(acknowledged.len() > 2000);
}

fn run_and_kill(path: &Path, after: usize) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg(CHILD)
        .arg(path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut seen: Vec<_> = lines.by_ref().take(after.max(1)).collect();
    child.kill().unwrap();
    // What was printed before the kill counts, a line cut short does not exist: each is one write.
    seen.extend(lines);
    child.wait().unwrap();
    assert!(seen.len() >= after);
    seen.iter().map(|line| line.parse().unwrap()).collect()
}

fn check(store: &Store, acknowledged: &BTreeSet<u64>) {
    let records = (0..ACCOUNTS).map(|n| store.load(&account(n)).unwrap().unwrap());
    let (mut rosters, mut grants) = (BTreeSet::new(), BTreeSet::new());
    for record in records {
        rosters.extend(record.roster.items.iter().map(|i| number(&i.contact)));
        grants.extend(record.grants.iter().map(|(watcher, _)| number(watcher)));
    }
    let outbox: BTreeSet<_> = store
        .outbox()
        .unwrap()
        .into_iter()
        .map(|entry| entry.seq)
        .collect();
    assert_eq!(rosters, outbox);
    assert_eq!(grants, outbox);
    assert!(
        acknowledged.is_subset(&outbox),
        "an acknowledged change is lost"
    );
    assert!(
        outbox
            .last()
            .is_none_or(|last| *last < store.next_ids().outbox_seq),
        "a number would be used again"
    );
}
