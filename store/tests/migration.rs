//! Databases of every earlier schema, of a later one, and files that are none.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use presence::{
    Activity, Address, Bare, Basic, Binding, BlockList, Document, EntityTag, Grant, GrantOrigin,
    Item, Label, Message, MessageKind, MessageNative, Native, Note, Priority, Publication,
    Resource, Roster, Show, Source, SubscriptionState, Utc, WatchId, WatchRecord,
};
use rusqlite::Connection;
use store::{AccountRecord, Op, Options, OutboxEntry, Store, StoreError, stored_size, verify};

/// A database as version 1 of the schema wrote it, with something in every table.
const VERSION_1: &str = include_str!("../testdata/version1.sql");

fn bare(text: &str) -> Bare {
    Bare::from_prepared(text)
}

fn ann() -> Bare {
    bare("ann@example.org")
}

fn bob() -> Bare {
    bare("bob@example.org")
}

fn note(lang: Option<&str>, text: &str) -> Note {
    Note {
        lang: lang.map(str::to_owned),
        text: text.into(),
    }
}

fn publication(resource: &str, source: Source, native: Native) -> Publication {
    Publication {
        resource: Resource::from_prepared(resource),
        source,
        etag: Some(EntityTag("tag-1".into())),
        expires: Some(Utc(1_700_000_600_000)),
        document: Document {
            basic: Basic::Open,
            show: Some(Show::Dnd),
            notes: vec![note(None, "busy"), note(Some("de"), "beschäftigt")],
            priority: Some(Priority(-5)),
            activities: vec![Activity::OnThePhone, Activity::Other("juggling".into())],
            idle_since: Some(Utc(1_700_000_000_000)),
            timestamp: Some(Utc(-1)),
        },
        native,
        lang: Some("en".into()),
        changed: Utc(1_700_000_000_001),
    }
}

fn message() -> Message {
    Message {
        from: Address {
            bare: bob(),
            resource: Some(Resource::from_prepared("sip-0a1b2c3d")),
        },
        to: ann().into(),
        kind: MessageKind::Chat,
        id: Some("z9hG4bK1".into()),
        thread: Some("call@192.0.2.1".into()),
        subjects: vec![note(None, "Lunch")],
        bodies: vec![note(Some("en"), "Shall we?")],
        native: MessageNative::Sip {
            content_type: "text/plain;charset=UTF-8".into(),
            body: Bytes::from_static(b"Shall we?"),
        },
        received: Utc(1_700_000_000_002),
        archived: None,
    }
}

fn expected() -> AccountRecord {
    let item = Item {
        contact: bob(),
        label: Label::new(Some("Bob"), ["Friends", "Büro"]),
        subscription: SubscriptionState::Both,
        ask: true,
        approved: true,
    };
    let waiting = (
        bare("carol@example.net"),
        Bytes::from_static(b"<status>Please</status>"),
    );
    AccountRecord {
        account: ann(),
        disabled: true,
        admin: true,
        roster: Roster {
            version: 17,
            items: [item].into_iter().collect(),
            pending_in: [waiting].into(),
        },
        grants: vec![
            (
                bare("dan@example.org"),
                Grant {
                    allow: false,
                    origin: GrantOrigin::Owner,
                },
            ),
            (
                bare("eve@example.org"),
                Grant {
                    allow: true,
                    origin: GrantOrigin::Admin,
                },
            ),
        ],
        blocked: BlockList::default(),
        publications: vec![
            publication(
                "sip-12345678",
                Source::Sip {
                    device: "urn:uuid:1".into(),
                },
                Native::Pidf("<p/>".into()),
            ),
            publication(
                "sip-87654321",
                Source::Registration { device: "d".into() },
                Native::None,
            ),
        ],
        last_known: vec![publication(
            "laptop",
            Source::Session,
            Native::Xmpp("<show>dnd</show>".into()),
        )],
        bindings: vec![Binding {
            contact: "sip:ann@192.0.2.4:5060".into(),
            instance: Some("<urn:uuid:1>".into()),
            call_id: "c1".into(),
            cseq: 4_000_000_000,
            expires: Utc(1_700_000_600_000),
            q: 700,
            path: vec!["<sip:p1;lr>".into(), "<sip:p2;lr>".into()],
            takes_message: true,
            flow: "udp:192.0.2.4:5060".into(),
            user_agent: Some("Phone/1".into()),
        }],
        watches: vec![WatchRecord {
            id: WatchId(3),
            watcher: bob(),
            presentity: ann(),
            package: "presence".into(),
            expires: Utc(1_700_000_600_000),
            dialog: Bytes::from_static(&[0, 255, 7]),
        }],
        offline: 1,
        offline_bytes: stored_size(&message()),
        inbox: vec![(bob(), 41)],
        archive_read: None,
        archive: None,
        last_seen: Some((Utc(1_700_000_000_003), Some("gone home".into()))),
        motd: 0,
    }
}

/// The operations that make [`expected`] and the rest of the fixture.
fn operations() -> Vec<Op> {
    let record = expected();
    let account = ann();
    let create = |account: Bare, admin| Op::AccountCreate {
        account,
        scram: b"scram keys".to_vec(),
        sealed_ha1: b"sealed".to_vec(),
        admin,
        created: Utc(1_600_000_000_000),
    };
    let mut ops = vec![
        create(ann(), true),
        create(bob(), false),
        Op::AccountDisable {
            account: ann(),
            disabled: true,
        },
        Op::AliasPut {
            alias: "101".into(),
            account: ann(),
        },
        Op::MetaPut {
            key: "site".into(),
            value: b"here".to_vec(),
        },
        Op::OutboxPut {
            seq: 42,
            origin: ann(),
            target: bob(),
            payload: Bytes::from_static(b"owed"),
        },
        Op::InboxMark {
            target: ann(),
            origin: bob(),
            seq: 41,
        },
        Op::OfflinePut {
            account: ann(),
            id: 5,
            message: Box::new(message()),
        },
        Op::LastSeen {
            account: ann(),
            at: Utc(1_700_000_000_003),
            status: Some("gone home".into()),
        },
    ];
    let version = record.roster.version;
    for item in record.roster.items.iter().cloned() {
        ops.push(Op::RosterPut {
            account: account.clone(),
            item,
            version,
        });
    }
    for (contact, stanza) in record.roster.pending_in {
        ops.push(Op::PendingInPut {
            account: account.clone(),
            contact,
            stanza,
        });
    }
    for (watcher, grant) in record.grants {
        ops.push(Op::GrantPut {
            account: account.clone(),
            watcher,
            grant,
        });
    }
    for publication in record.publications.into_iter().map(Arc::new) {
        ops.push(Op::PublicationPut {
            account: account.clone(),
            publication,
        });
    }
    for publication in record.last_known.into_iter().map(Arc::new) {
        ops.push(Op::LastKnownPut {
            account: account.clone(),
            publication,
        });
    }
    for binding in record.bindings {
        ops.push(Op::BindingPut {
            account: account.clone(),
            binding,
        });
    }
    ops.extend(record.watches.into_iter().map(Op::WatchPut));
    ops
}

fn check(store: &Store) {
    assert_eq!(store.load(&ann()).unwrap(), Some(expected()));
    assert_eq!(store.resolve_alias("101").unwrap(), Some(ann()));
    assert_eq!(store.meta("site").unwrap().as_deref(), Some(&b"here"[..]));
    let owed = OutboxEntry {
        seq: 42,
        origin: ann(),
        target: bob(),
        payload: Bytes::from_static(b"owed"),
    };
    assert_eq!(store.outbox().unwrap(), [owed]);
    assert_eq!(store.offline_messages(&ann()).unwrap(), [(5, message())]);
    assert_eq!(store.residents().unwrap(), [ann()]);
    let credentials = store.credentials(&ann()).unwrap().unwrap();
    assert_eq!(
        (credentials.scram, credentials.sealed_ha1),
        (b"scram keys".to_vec(), b"sealed".to_vec())
    );
    let summaries = store.accounts().unwrap();
    assert_eq!(summaries.len(), 2);
    assert_eq!(summaries[0].created, Utc(1_600_000_000_000));
    assert_eq!(summaries[0].last_seen, Some(Utc(1_700_000_000_003)));
}

fn schema(path: &Path) -> Vec<(String, String)> {
    let db = Connection::open(path).unwrap();
    let mut statement = db
        .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .unwrap();
    let rows = statement
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_database_of_version_1_opens_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
    Connection::open(&old)
        .unwrap()
        .execute_batch(VERSION_1)
        .unwrap();
    let (store, start) = Store::open(&old, Options::default()).unwrap();
    check(&store);
    assert!(!start.unclean);
    assert_eq!(start.migrated_from, Some(1));
    let ids = store.next_ids();
    assert_eq!((ids.outbox_seq, ids.offline_id, ids.watch_id), (43, 6, 4));
    store.close_clean();
    let (store, _) = Store::open(&new, Options::default()).unwrap();
    store.close_clean();
    assert!(verify(&old).is_ok_and(|version| version > 1));
    assert_eq!(verify(&old), verify(&new));
    assert_eq!(
        schema(&old),
        schema(&new),
        "an upgraded database differs from a new one"
    );
}

#[test]
fn everything_survives_a_restart_and_opening_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adsum.db");
    let (store, start) = Store::open(&path, Options::default()).unwrap();
    assert_eq!(start.migrated_from, None);
    store
        .submit(operations(), Box::new(|r| r.unwrap()))
        .unwrap();
    store.barrier();
    check(&store);
    store.close_clean();
    let before = std::fs::read(&path).unwrap();
    let (store, start) = Store::open_tool(&path, Options::default()).unwrap();
    assert_eq!((start.migrated_from, start.unclean), (None, false));
    check(&store);
    store.close_clean();
    assert!(
        std::fs::read(&path).unwrap() == before,
        "opening changed the database"
    );
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adsum.db");
    let (store, _) = Store::open(&path, Options::default()).unwrap();
    store.close_clean();
    let newer = Connection::open(&path).unwrap();
    let known: u32 = newer
        .pragma_query_value(None, "user_version", |r| r.get(0))
        .unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    // The version stands in the log alone, and the log stays: somebody has it open.
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|f| f.unwrap().path())
            .filter(|f| !f.to_string_lossy().ends_with("-shm"))
            .map(|f| (f.clone(), std::fs::read(f).unwrap()))
            .collect();
        files.sort();
        files
    };
    let refused = StoreError::Newer { found: 99, known };
    for close_first in [false, true] {
        let before = files();
        assert_eq!(before.len(), if close_first { 1 } else { 2 });
        assert_eq!(
            Store::open(&path, Options::default()).err(),
            Some(refused.clone())
        );
        assert!(files() == before);
        if !close_first {
            newer
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .unwrap();
            newer.pragma_update(None, "journal_mode", "DELETE").unwrap();
        }
    }
    assert_eq!(
        refused.to_string(),
        format!(
            "the database was made by a newer version of adsum (schema 99, this one knows {known}): \
             start that version, or restore a backup made before the upgrade"
        )
    );
}

#[test]
fn files_of_others_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "these are my notes").unwrap();
    let other = folder.path().join("other.db");
    Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE mine (a); PRAGMA user_version = 1")
        .unwrap();
    let unmarked = folder.path().join("unmarked.db");
    Connection::open(&unmarked)
        .unwrap()
        .execute_batch("CREATE TABLE mine (a)")
        .unwrap();
    for path in [text, other, unmarked] {
        let before = std::fs::read(&path).unwrap();
        let refused = Store::open(&path, Options::default()).err();
        assert!(
            matches!(refused, Some(StoreError::Foreign(_))),
            "{refused:?}"
        );
        assert!(std::fs::read(&path).unwrap() == before);
    }
}
