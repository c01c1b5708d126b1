//! The store through its handle: order, refusals, restarts, backups.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use presence::card::Label;
use presence::{
    Address, Bare, Card, Facts, Item, Kept, Message, MessageKind, MessageNative, Report,
    ReportReason, Utc, WatchId, WatchRecord,
};
use store::{Completion, Most, Op, Options, Store, StoreError, verify};

fn bare(text: &str) -> Bare {
    Bare::from_prepared(text)
}

fn ann() -> Bare {
    bare("ann@example.org")
}

fn create(account: Bare) -> Op {
    Op::AccountCreate {
        account,
        scram: b"keys".to_vec(),
        sealed_ha1: b"sealed".to_vec(),
        admin: false,
        created: Utc(1),
    }
}

fn meta(key: &str, value: &str) -> Op {
    Op::MetaPut {
        key: key.into(),
        value: value.into(),
    }
}

fn debt(seq: u64) -> Op {
    Op::OutboxPut {
        seq,
        origin: ann(),
        target: bare("bob@example.org"),
        payload: Bytes::from_static(b"owed"),
    }
}

/// Submits and waits.
fn run(store: &Store, ops: Vec<Op>) -> Result<(), StoreError> {
    let (sender, receiver) = mpsc::channel();
    store
        .submit(ops, Box::new(move |r| sender.send(r).unwrap()))
        .unwrap();
    receiver.recv().unwrap()
}

/// What an account blocks and reports goes with it, and is there after a restart.
#[test]
fn blocks_and_reports_belong_to_their_account() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adsum.db");
    let (store, _) = Store::open(&path, Options::default()).unwrap();
    let bob = bare("bob@example.org");
    run(&store, vec![create(ann()), create(bob.clone())]).unwrap();
    let texts = [
        "x.example",
        "eve@example.org",
        "eve@example.org/R/s",
        "x.example/r",
    ];
    let patterns: Vec<Address> = texts.iter().map(|t| Address::parse(t).unwrap()).collect();
    for account in [ann(), bob.clone()] {
        let put = patterns.iter().map(|address| Op::BlockPut {
            account: account.clone(),
            address: address.clone(),
        });
        let mut ops: Vec<Op> = put.collect();
        ops.push(Op::ReportPut {
            account: account.clone(),
            report: Box::new(Report {
                about: patterns[2].clone(),
                reason: ReportReason::Abuse,
                text: None,
                stanzas: Vec::new(),
                at: Utc(5),
            }),
            most: 10,
        });
        run(&store, ops).unwrap();
    }
    let address = patterns[0].clone();
    let account = ann();
    run(&store, vec![Op::BlockRemove { account, address }]).unwrap();
    store.close_clean();
    let (store, _) = Store::open(&path, Options::default()).unwrap();
    let blocked = |account: &Bare| store.load(account).unwrap().unwrap().blocked;
    assert_eq!(blocked(&ann()), patterns[1..].iter().cloned().collect());
    assert_eq!(blocked(&bob), patterns.iter().cloned().collect());
    run(&store, vec![Op::AccountDelete { account: ann() }]).unwrap();
    run(&store, vec![create(ann())]).unwrap();
    assert!(blocked(&ann()).is_empty());
    let left: Vec<Bare> = store.reports().unwrap().into_iter().map(|r| r.by).collect();
    assert_eq!(left, [bob]);
}

/// Holds the writer in a completion until the sender is dropped; returns when it is held.
fn hold(store: &Store) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let (here, is_here) = mpsc::channel();
    let done = move |_| {
        here.send(()).unwrap();
        assert!(held.recv().is_err());
    };
    store
        .submit(vec![meta("hold", "")], Box::new(done))
        .unwrap();
    is_here.recv().unwrap();
    release
}

#[test]
fn a_unit_that_fails_is_undone_alone_and_order_is_kept() {
    let (store, _) = Store::open_in_memory(Options::default()).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let release = hold(&store);
    // All of these go into one transaction.
    let units = [
        vec![create(ann())],
        vec![meta("a", "1"), create(ann())],
        vec![meta("b", "1")],
        vec![Op::AccountAdmin {
            account: bare("eve@example.org"),
            admin: true,
        }],
        vec![
            create(bare("bob@example.org")),
            Op::AccountAdmin {
                account: bare("bob@example.org"),
                admin: true,
            },
        ],
        vec![
            create(bare("zoe@example.org")),
            Op::AccountDisable {
                account: bare("eve@example.org"),
                disabled: true,
            },
        ],
        // What was learnt of zoe in a unit that was undone must not be believed.
        vec![Op::AccountAdmin {
            account: bare("zoe@example.org"),
            admin: true,
        }],
    ];
    for (n, ops) in units.into_iter().enumerate() {
        let heard = Arc::clone(&heard);
        store
            .submit(ops, Box::new(move |r| heard.lock().unwrap().push((n, r))))
            .unwrap();
    }
    assert_eq!(store.queue_depth(), 7);
    drop(release);
    store.barrier();
    let unknown = |who: &str| Err(StoreError::AccountUnknown(bare(who)));
    let expected = vec![
        (0, Ok(())),
        (1, Err(StoreError::Conflict(ann()))),
        (2, Ok(())),
        (3, unknown("eve@example.org")),
        (4, Ok(())),
        (5, unknown("eve@example.org")),
        (6, unknown("zoe@example.org")),
    ];
    assert_eq!(*heard.lock().unwrap(), expected);
    assert_eq!(store.meta("a").unwrap(), None);
    assert_eq!(store.meta("b").unwrap().as_deref(), Some(&b"1"[..]));
    assert!(store.load(&bare("bob@example.org")).unwrap().unwrap().admin);
    assert_eq!(store.accounts().unwrap().len(), 2);
}

#[test]
fn a_full_queue_refuses_and_gives_back() {
    let (store, _) = Store::open_in_memory(Options {
        queue: 4,
        ..Options::default()
    })
    .unwrap();
    let release = hold(&store);
    for _ in 0..2 {
        store.submit_soft(vec![meta("soft", "kept")]);
    }
    store.submit_soft(vec![meta("soft", "dropped")]);
    assert_eq!(store.soft_dropped(), 1);
    store.submit_kept(vec![meta("quiet", "kept")]).unwrap();
    store
        .submit(vec![meta("hard", "kept")], Box::new(|r| r.unwrap()))
        .unwrap();
    let late = store.submit_kept(vec![meta("quiet", "late")]);
    assert_eq!(late, Err(vec![meta("quiet", "late")]));
    assert_eq!(store.soft_dropped(), 1);
    let (sender, receiver) = mpsc::channel();
    let refused = store
        .submit(
            vec![meta("hard", "late")],
            Box::new(move |r| sender.send(r).unwrap()),
        )
        .unwrap_err();
    assert_eq!(refused.0, [meta("hard", "late")]);
    assert!(receiver.try_recv().is_err());
    drop(release);
    store.barrier();
    assert_eq!(store.queue_depth(), 0);
    assert_eq!(store.meta("soft").unwrap().as_deref(), Some(&b"kept"[..]));
    assert_eq!(store.meta("hard").unwrap().as_deref(), Some(&b"kept"[..]));
    assert_eq!(store.meta("quiet").unwrap().as_deref(), Some(&b"kept"[..]));
    // The refused unit can be tried again.
    store.submit(refused.0, refused.1).unwrap();
    assert_eq!(receiver.recv().unwrap(), Ok(()));
}

#[test]
fn a_sink_gets_the_completions_of_a_commit_together() {
    let (store, _) = Store::open_in_memory(Options::default()).unwrap();
    let (sender, receiver) = mpsc::channel();
    let release = hold(&store);
    let sizes = Mutex::new(sender);
    store.set_completion_sink(Box::new(move |completions| {
        sizes.lock().unwrap().send(completions.len()).unwrap();
        completions.into_iter().for_each(Completion::run);
    }));
    for _ in 0..5 {
        store
            .submit(vec![meta("k", "v")], Box::new(|r| r.unwrap()))
            .unwrap();
    }
    // One that panics harms nobody.
    store
        .submit(vec![meta("k", "v")], Box::new(|_| panic!("on purpose")))
        .unwrap();
    drop(release);
    assert_eq!(receiver.recv().unwrap(), 6);
    assert_eq!(run(&store, vec![meta("k", "v")]), Ok(()));
}

#[test]
fn numbers_are_never_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adsum.db");
    let (store, start) = Store::open(&path, Options::default()).unwrap();
    assert!(!start.unclean);
    assert_eq!(store.next_ids().outbox_seq, 1);
    let watch = WatchRecord {
        id: WatchId(7),
        watcher: bare("bob@example.org"),
        presentity: ann(),
        package: "presence".into(),
        expires: Utc(9),
        dialog: Bytes::new(),
    };
    run(&store, vec![create(ann()), debt(1), Op::WatchPut(watch)]).unwrap();
    run(
        &store,
        vec![
            Op::OutboxRemove { seq: 1 },
            Op::WatchRemove { id: WatchId(7) },
        ],
    )
    .unwrap();
    drop(store);
    let (store, start) = Store::open(&path, Options::default()).unwrap();
    assert!(start.unclean);
    let after_crash = store.next_ids();
    assert!(after_crash.outbox_seq > 1 && after_crash.watch_id > 7);
    store.close_clean();
    // A clean end wastes none, and a tool in between leaves no mark.
    let (tool, start) = Store::open_tool(&path, Options::default()).unwrap();
    assert!(!start.unclean);
    assert_eq!(tool.next_ids(), after_crash);
    tool.close_clean();
    let (store, start) = Store::open(&path, Options::default()).unwrap();
    assert!(!start.unclean);
    drop(store);
    Store::open_tool(&path, Options::default())
        .unwrap()
        .0
        .close_clean();
    assert!(Store::open(&path, Options::default()).unwrap().1.unclean);
}

#[test]
fn a_closed_store_refuses_and_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adsum.db");
    let (store, _) = Store::open(&path, Options::default()).unwrap();
    let other = store.clone();
    store
        .submit(vec![create(ann())], Box::new(|r| r.unwrap()))
        .unwrap();
    store.submit_soft(vec![meta("soft", "kept")]);
    store.close_clean();
    assert!(
        other
            .submit(vec![meta("k", "v")], Box::new(|_| ()))
            .is_err()
    );
    other.barrier();
    assert!(other.load(&ann()).unwrap().is_some());
    assert!(other.meta("soft").unwrap().is_some());
}

#[test]
#[cfg(unix)]
fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adsum.db");
    let (store, _) = Store::open(&path, Options::default()).unwrap();
    run(&store, vec![create(ann())]).unwrap();
    store.backup(&folder.path().join("copy")).unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(files.len() >= 3);
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
    }
}

#[test]
fn a_backup_made_while_writing_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&folder.path().join("adsum.db"), Options::default()).unwrap();
    run(&store, vec![create(ann())]).unwrap();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writing = thread::spawn({
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        move || {
            let mut n = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                n += 1;
                // Both or neither.
                let contact = bare(&format!("c{n}@example.org"));
                let put = Op::RosterPut {
                    account: ann(),
                    item: Item::new(contact),
                    version: n,
                };
                run(&store, vec![put, debt(n)]).unwrap();
            }
        }
    });
    // The name would break a URI that is not escaped.
    let copy = folder.path().join("copy 100%?#.db");
    for _ in 0..5 {
        store.backup(&copy).unwrap();
        assert!(verify(&copy).is_ok());
        let second = folder.path().join("second.db");
        std::fs::copy(&copy, &second).unwrap();
        let (opened, start) = Store::open(&second, Options::default()).unwrap();
        assert!(start.unclean, "the copy is of a server that runs");
        let record = opened.load(&ann()).unwrap().unwrap();
        assert_eq!(record.roster.items.len(), opened.outbox().unwrap().len());
        assert_eq!(record.roster.items.len() as u64, record.roster.version);
        opened.close_clean();
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writing.join().unwrap();
    assert!(!folder.path().join("copy 100%?#.db.part").exists());
}

#[test]
fn a_damaged_copy_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&folder.path().join("adsum.db"), Options::default()).unwrap();
    for n in 0..200 {
        store
            .submit(
                vec![create(bare(&format!("user{n}@example.org")))],
                Box::new(|r| r.unwrap()),
            )
            .unwrap();
    }
    store.barrier();
    let copy = folder.path().join("copy.db");
    store.backup(&copy).unwrap();
    let mut octets = std::fs::read(&copy).unwrap();
    let page = octets.len() / 4096 / 2 * 4096;
    octets[page..page + 4096].fill(0xa5);
    std::fs::write(&copy, octets).unwrap();
    assert!(matches!(verify(&copy), Err(StoreError::Corrupt(_))));
    std::fs::write(&copy, "not a database, but long enough to be read as one").unwrap();
    assert!(matches!(verify(&copy), Err(StoreError::Foreign(_))));
    assert!(matches!(
        verify(Path::new("/nowhere/at/all")),
        Err(StoreError::Io(_))
    ));
    let nowhere = Store::open(Path::new("/nowhere/at/all"), Options::default());
    assert!(matches!(nowhere, Err(StoreError::Io(_))));
}

/// Another program with a transaction on the database.
fn other(path: &std::path::Path) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn the_end_does_not_wait_for_another_program_and_says_what_it_did_not_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adsum.db");
    let (store, _) = Store::open(&path, Options::default()).unwrap();
    let held = other(&path);
    let (sender, receiver) = mpsc::channel();
    let done = Box::new(move |r| sender.send(r).unwrap());
    store.submit(vec![meta("late", "")], done).unwrap();
    let begun = Instant::now();
    store.hurry(Duration::from_millis(300));
    assert_eq!(receiver.recv().unwrap(), Err(StoreError::Busy));
    assert!(!store.close_clean());
    assert!(begun.elapsed() < Duration::from_secs(2));
    held.execute_batch("ROLLBACK").unwrap();
    let (store, start) = Store::open(&path, Options::default()).unwrap();
    assert!(start.unclean);
    // Nothing to write, but the mark itself cannot be.
    let held = other(&path);
    store.hurry(Duration::ZERO);
    assert!(!store.close_clean());
    held.execute_batch("ROLLBACK").unwrap();
    // What is held for a moment only is waited for.
    let (store, start) = Store::open(&path, Options::default()).unwrap();
    assert!(start.unclean);
    let held = other(&path);
    store.hurry(Duration::from_secs(5));
    store.submit_soft(vec![meta("late", "written")]);
    let closing = std::thread::spawn(move || store.close_clean());
    held.execute_batch("ROLLBACK").unwrap();
    assert!(closing.join().unwrap());
    let (store, start) = Store::open(&path, Options::default()).unwrap();
    assert!(!start.unclean);
    let late = store.meta("late").unwrap();
    assert_eq!(late.as_deref(), Some(&b"written"[..]));
}

#[test]
fn what_the_writer_has_in_its_hands_is_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adsum.db");
    let options = Options {
        queue: 2,
        ..Options::default()
    };
    let (store, _) = Store::open(&path, options).unwrap();
    let held = other(&path);
    let (sender, receiver) = mpsc::channel();
    for number in 0..2 {
        let sender = sender.clone();
        let done = Box::new(move |r| sender.send(r).unwrap());
        let put = meta(&number.to_string(), "");
        store.submit(vec![put], done).unwrap();
    }
    // Whichever of them it holds.
    for _ in 0..100 {
        assert_eq!(store.queue_depth(), 2);
        std::thread::yield_now();
    }
    assert!(store.submit(vec![meta("2", "")], Box::new(|_| {})).is_err());
    held.execute_batch("ROLLBACK").unwrap();
    for _ in 0..2 {
        assert_eq!(receiver.recv().unwrap(), Ok(()));
    }
    store.barrier();
    assert_eq!(store.queue_depth(), 0);
}

fn message() -> Message {
    Message {
        from: Address::from(bare("bob@example.org")),
        to: Address::from(ann()),
        kind: MessageKind::Chat,
        id: None,
        thread: None,
        subjects: Vec::new(),
        bodies: Vec::new(),
        native: MessageNative::Xmpp(Bytes::from_static(b"<body>hello</body>")),
        received: Utc(1),
        archived: None,
    }
}

#[test]
fn messages_are_read_in_portions() {
    let (store, _) = Store::open_in_memory(Options::default()).unwrap();
    let put = |id| Op::OfflinePut {
        account: ann(),
        id,
        message: Box::new(message()),
    };
    let ops = vec![create(ann()), put(3), put(5), put(9)];
    let done = Box::new(|r: Result<(), StoreError>| r.unwrap());
    store.submit(ops, done).unwrap();
    store.barrier();
    let size = store::stored_size(&message());
    let read = |above, size| {
        let read = store.offline_after(&ann(), above, size).unwrap();
        read.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(read(0, u64::MAX), [3, 5, 9]);
    assert_eq!(read(0, 2 * size), [3, 5]);
    assert_eq!(read(3, 2 * size - 1), [5]);
    assert_eq!(read(5, 0), [9], "one at least");
    assert!(read(9, size).is_empty());
    let nobody = bare("nobody@example.org");
    assert!(store.offline_after(&nobody, 0, size).unwrap().is_empty());
}

#[test]
fn what_an_account_says_and_keeps_survives_a_restart_and_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adsum.db");
    let label = Label {
        namespace: "storage:bookmarks".into(),
        name: "storage".into(),
    };
    let (store, _) = Store::open(&path, Options::default()).unwrap();
    let keep = |xml: &'static str, bytes| Op::PrivatePut {
        account: ann(),
        kept: vec![Kept {
            label: label.clone(),
            xml: Bytes::from_static(xml.as_bytes()),
        }],
        most: Most { elements: 1, bytes },
    };
    let card = Card {
        xml: Bytes::from_static(b"<vCard xmlns='vcard-temp'/>"),
        facts: Facts::default(),
        photo: None,
    };
    let say = Op::VcardPut {
        account: ann(),
        card: Some(Box::new(card.clone())),
    };
    let ops = vec![create(ann()), say, keep("<storage/>", 100)];
    run(&store, ops).unwrap();
    // Too much is refused, and what was kept stays.
    let refused = run(
        &store,
        vec![meta("k", "v"), keep("<storage><a/></storage>", 40)],
    );
    assert_eq!(refused, Err(StoreError::Full(ann())));
    drop(store);
    let (store, _) = Store::open(&path, Options::default()).unwrap();
    assert_eq!(store.meta("k").unwrap(), None);
    assert_eq!(store.vcard(&ann()).unwrap(), Some(card.xml));
    let kept = |store: &Store| store.private(&ann(), &label).unwrap();
    assert_eq!(kept(&store).as_deref(), Some(&b"<storage/>"[..]));
    let delete = Op::AccountDelete { account: ann() };
    run(&store, vec![delete, create(ann())]).unwrap();
    assert_eq!(store.vcard(&ann()).unwrap(), None);
    assert_eq!(kept(&store), None);
}
