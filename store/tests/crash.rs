//! A process that writes is killed at any moment: everything it acknowledged is there, and no unit is there by half.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use presence::{
    ArchiveId, ArchiveQuery, Bare, Grant, GrantOrigin, Item, Message, MessageKind, MessageNative,
    Utc,
};
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

fn message(n: u64) -> Message {
    Message {
        from: account(n).into(),
        to: account(n + 1).into(),
        kind: MessageKind::Chat,
        id: None,
        thread: None,
        subjects: Vec::new(),
        bodies: Vec::new(),
        native: MessageNative::Xmpp(Bytes::from(format!("<message>{n}</message>"))),
        received: Utc(0),
        archived: None,
    }
}

/// One unit over four tables and two accounts.
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
        Op::ArchivePut {
            id: ArchiveId(n),
            sender: true,
            recipient: true,
            message: std::sync::Arc::new(message(n)),
        },
    ]
}

fn write_until_killed(path: &Path) {
    // The index of archives is brought up to date all the time, in many portions.
    let options = Options {
        unindexed: 24,
        ..Options::default()
    };
    let (store, _) = Store::open(path, options).unwrap();
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
    for n in 0..ACCOUNTS {
        check_archive(store, n, &outbox);
    }
    assert!(
        outbox
            .last()
            .is_none_or(|last| *last < store.next_ids().outbox_seq),
        "a number would be used again"
    );
}

/// Every message is there once, in the archives of both sides, by number, by partner, and counted.
fn check_archive(store: &Store, n: u64, units: &BTreeSet<u64>) {
    let of = |partner: Option<u64>| {
        let exchanged = |m: u64| match m % ACCOUNTS {
            from if from == n => Some((m + 1) % ACCOUNTS),
            from if (from + 1) % ACCOUNTS == n => Some(from),
            _ => None,
        };
        let units = units.iter().copied().map(|m| (m, exchanged(m)));
        let mine =
            units.filter(|(_, peer)| peer.is_some() && partner.is_none_or(|p| *peer == Some(p)));
        mine.map(|(m, _)| m).collect::<Vec<_>>()
    };
    for partner in [
        None,
        Some((n + 1) % ACCOUNTS),
        Some((n + ACCOUNTS - 1) % ACCOUNTS),
    ] {
        let mut query = ArchiveQuery {
            with: partner.map(|p| account(p).into()),
            ..ArchiveQuery::default()
        };
        let page = |query: &ArchiveQuery| {
            let page = store.archive_page(&account(n), query, usize::MAX, usize::MAX);
            page.unwrap().unwrap()
        };
        let found = page(&query);
        let ids: Vec<_> = found.messages.iter().map(|m| m.id.0).collect();
        assert_eq!(ids, of(partner), "of {n} with {partner:?}");
        query.max = Some(0);
        assert_eq!(page(&query).count, Some(ids.len() as u64));
    }
}
