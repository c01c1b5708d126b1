//! Archives at every moment of their index: not begun, half way, complete.

use presence::Utc;
use proptest::collection::vec;

use super::*;
use crate::place::Place;
use crate::queue::Unit;
use crate::tables::{accounts, archive, state};
use crate::tail::Tail;
use crate::writer::Writer;
use crate::{NextIds, migrate};

#[derive(Debug, Clone)]
enum Step {
    Unit(Vec<Op>),
    Index { quiet: bool },
    Restart,
}

fn create(account: Bare) -> Op {
    Op::AccountCreate {
        account,
        scram: Vec::new(),
        sealed_ha1: Vec::new(),
        admin: false,
        created: Utc(0),
    }
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => samples::archive_op(),
        1 => samples::account().prop_map(create),
        1 => samples::account().prop_map(|account| Op::AccountDelete { account }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => vec(op(), 1..5).prop_map(Step::Unit),
        4 => any::<bool>().prop_map(|quiet| Step::Index { quiet }),
        1 => Just(Step::Restart),
    ]
}

fn names() -> [Bare; 3] {
    ["ann", "bob", "eve"].map(|l| Bare::from_prepared(&format!("{l}@example.org")))
}

fn free(db: &rusqlite::Connection) -> NextIds {
    state::get(db).expect("the state").1
}

/// A number is used once.
fn once(steps: &mut [Step]) {
    let mut used = BTreeSet::new();
    for step in steps {
        if let Step::Unit(ops) = step {
            ops.retain(|op| match op {
                Op::ArchivePut { id, .. } => used.insert(*id),
                _ => true,
            });
        }
    }
}

fn compare(writer: &Writer, oracle: &Oracle, queries: &[(ArchiveQuery, usize)]) {
    for name in names() {
        let number = accounts::id(writer.db(), &name).expect("a number");
        let Some((number, account)) = number.zip(oracle.accounts.get(&name)) else {
            assert!(number.is_none() && !oracle.accounts.contains_key(&name));
            continue;
        };
        let ids: Vec<_> = account.archive.keys().copied().collect();
        let ends = ids.first().copied().zip(ids.last().copied());
        // By what is known of the end of the log, and by looking through it.
        for tail in [&*writer.tail(), &Tail::new(i64::MAX, [])] {
            let from = (writer.db(), tail);
            assert_eq!(archive::ends(from, number).expect("ends"), ends);
            for (query, most) in queries {
                let page = archive::page(from, number, query, *most, 1 << 20).expect("a page");
                assert_eq!(
                    page,
                    account.page(query, *most),
                    "{query:?} of {ids:?} of {name}"
                );
            }
        }
    }
}

/// Nothing is left that stands in nobody's archive, and nothing is missing.
fn compare_tables(db: &rusqlite::Connection, oracle: &Oracle) {
    let pairs = |sql: &str| {
        let mut statement = db.prepare(sql).expect("a statement");
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)));
        let rows: Result<BTreeSet<(i64, i64)>, _> = rows.expect("rows").collect();
        rows.expect("pairs")
    };
    let mut expected = BTreeSet::new();
    for (name, account) in &oracle.accounts {
        let number = accounts::id(db, name).expect("read").expect("a number");
        expected.extend(
            account
                .archive
                .keys()
                .map(|id| (number, id.0.cast_signed())),
        );
    }
    assert_eq!(pairs("SELECT account, id FROM archive"), expected);
    let log = "SELECT sender, id FROM archive_log WHERE sender <> 0 \
               UNION SELECT recipient, id FROM archive_log WHERE recipient <> 0";
    assert_eq!(pairs(log), expected);
    let nobodys = "SELECT id, 0 FROM archive_log WHERE sender = 0 AND recipient = 0 \
                   UNION SELECT account, last FROM archive_gone";
    assert_eq!(pairs(nobodys), BTreeSet::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn archives_read_the_same_however_far_the_index_is(
        mut steps in vec(step(), 1..60),
        queries in vec((samples::archive_query(), 1..4_usize), 4),
        unindexed in 0..9_usize,
    ) {
        once(&mut steps);
        steps.insert(0, Step::Unit(names().map(create).to_vec()));
        let place = Place::memory();
        let mut db = place.writer().expect("a database");
        migrate::migrate(&mut db, "memory").expect("tables");
        let ids = free(&db);
        let mut writer = Writer::new(db, ids, unindexed).expect("a writer");
        let mut oracle = Oracle::default();
        for step in steps {
            match step {
                Step::Unit(ops) => {
                    let expected = oracle.unit(&ops);
                    prop_assert_eq!(writer.commit(&[Unit { ops, done: None }]), [expected]);
                }
                Step::Index { quiet } => drop(writer.index(quiet)),
                // What is remembered is gone; what was begun is there by half.
                Step::Restart => {
                    let db = place.writer().expect("a database");
                    let ids = free(&db);
                    writer = Writer::new(db, ids, unindexed).expect("a writer");
                }
            }
            compare(&writer, &oracle, &queries);
        }
        while writer.index(true) > 0 {}
        compare(&writer, &oracle, &queries);
        compare_tables(writer.db(), &oracle);
    }
}
