//! What the writer does when nobody waits for it: messages of the log into the index of archives, and messages of deleted accounts out of
//! the log.
//!
//! A message that is put into the index alone touches four pages anywhere; many that are sorted by account share them. So they are collected,
//! and sorted, and go in by portions, each a short transaction; with the last one the index counts as complete up to the last of them. What
//! a crash leaves of a part of them above that is not read, and not inserted twice.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::StoreError;
use crate::tables::archive_log::{self, Entry};
use crate::tables::{execute, state};
use crate::tail::Tail;

/// So many rows go into the index at a time: some milliseconds.
const PORTION: usize = 1024;
/// Or, when that is more, this part of those that were collected: however much comes, the index follows.
const PART: usize = 8;
/// So many messages are collected at most.
const MESSAGES: usize = 65_536;
/// Of a deleted account so many messages are removed at a time; each may touch a page of its own.
const GONE: usize = 256;
/// What waits is indexed when there was nothing to write for so long.
const QUIET: Duration = Duration::from_secs(5);
/// After a failure nothing is tried for so long.
const RECOVERY: Duration = Duration::from_secs(1);

/// What operations have left to be done. It may say too much, never too little.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// Messages of the log that are not in the index.
    pub(crate) waiting: usize,
    /// A message with a number up to this one is put into the index at once: the index is complete there, or what is missing was collected.
    pub(crate) collected: i64,
    /// The index is complete up to there.
    pub(crate) indexed: i64,
    /// Messages were removed that may have been collected.
    pub(crate) disturbed: bool,
    /// There are messages of deleted accounts.
    pub(crate) gone: bool,
}

impl Backlog {
    /// What a run before has left.
    pub(crate) fn load(db: &Connection) -> Result<Self, StoreError> {
        let indexed = state::archive_indexed(db)?;
        Ok(Self {
            waiting: archive_log::count_above(db, indexed)?,
            collected: indexed,
            indexed,
            disturbed: false,
            gone: archive_log::any_gone(db)?,
        })
    }

    /// The end of the log as a run before has left it.
    pub(crate) fn tail(&self, db: &Connection) -> Result<Tail, StoreError> {
        let found = archive_log::unindexed(db, self.indexed, usize::MAX >> 1)?;
        let entries = found.map(|found| found.entries).unwrap_or_default();
        Ok(Tail::new(self.indexed, entries))
    }
}

/// How far it has got.
#[derive(Debug)]
pub(crate) struct Indexing {
    /// So many messages may wait.
    after: usize,
    /// So many rows at least are a portion.
    least: usize,
    /// How many those are that were collected.
    portion: usize,
    /// Rows that are still to be inserted, the first one last.
    rows: Vec<Entry>,
    /// How many messages were collected.
    messages: usize,
    failed: Option<Instant>,
}

impl Indexing {
    /// `after`: so many messages may wait.
    pub(crate) fn new(after: usize) -> Self {
        Self {
            after,
            least: (after / 4).clamp(1, PORTION),
            portion: 1,
            rows: Vec::new(),
            messages: 0,
            failed: None,
        }
    }

    /// How long the writer may wait for others before it calls [`Self::step`]; `None`: for ever.
    pub(crate) fn patience(&self, backlog: &Backlog) -> Option<Duration> {
        let due = self.is_due(backlog);
        if let Some(failed) = self.failed.filter(|_| due) {
            Some(RECOVERY.saturating_sub(failed.elapsed()))
        } else if due {
            Some(Duration::ZERO)
        } else {
            (backlog.waiting > 0).then_some(QUIET)
        }
    }

    fn is_due(&self, backlog: &Backlog) -> bool {
        backlog.waiting > self.after || backlog.gone || !self.rows.is_empty()
    }

    /// Does a portion of what is due, or when it is `quiet` of what waits; how many rows that were, none when there is nothing to do. A
    /// failure undoes the portion, and it is tried again later.
    pub(crate) fn step(
        &mut self,
        db: &Connection,
        backlog: &mut Backlog,
        quiet: bool,
    ) -> Result<usize, StoreError> {
        let recovering = self.failed.is_some_and(|at| at.elapsed() < RECOVERY);
        if recovering || !(self.is_due(backlog) || (quiet && backlog.waiting > 0)) {
            return Ok(0);
        }
        let done = self.portion(db, backlog, quiet);
        if done.is_err() {
            self.failed = Some(Instant::now());
            if !db.is_autocommit() {
                execute(db, "ROLLBACK", [])?;
            }
        } else {
            self.failed = None;
        }
        done
    }

    /// For tests: as if it had failed long ago.
    #[cfg(test)]
    pub(crate) fn recovered(&mut self) {
        self.failed = None;
    }

    fn portion(
        &mut self,
        db: &Connection,
        backlog: &mut Backlog,
        quiet: bool,
    ) -> Result<usize, StoreError> {
        if std::mem::take(&mut backlog.disturbed) {
            self.rows.clear();
            backlog.collected = backlog.indexed;
        }
        if self.rows.is_empty() && (quiet || backlog.waiting > self.after) {
            self.collect(db, backlog)?;
        }
        if !self.rows.is_empty() {
            return self.insert(db, backlog);
        }
        if !backlog.gone {
            return Ok(0);
        }
        execute(db, "BEGIN IMMEDIATE", [])?;
        let found = archive_log::clear_gone(db, backlog.indexed, GONE)?;
        let gone = archive_log::any_gone(db)?;
        execute(db, "COMMIT", [])?;
        backlog.gone = gone;
        if !found {
            self.collect(db, backlog)?;
        }
        Ok(GONE)
    }

    fn collect(&mut self, db: &Connection, backlog: &mut Backlog) -> Result<(), StoreError> {
        let Some(found) = archive_log::unindexed(db, backlog.indexed, MESSAGES)? else {
            backlog.waiting = 0;
            return Ok(());
        };
        self.messages = found.messages;
        self.portion = self.least.max(found.entries.len() / PART);
        self.rows = found.entries;
        self.rows.sort_unstable_by(|a, b| b.cmp(a));
        backlog.collected = found.last;
        Ok(())
    }

    fn insert(&mut self, db: &Connection, backlog: &mut Backlog) -> Result<usize, StoreError> {
        let left = self.rows.len().saturating_sub(self.portion);
        execute(db, "BEGIN IMMEDIATE", [])?;
        let portion = self.rows.get(left..).unwrap_or_default();
        archive_log::index(db, portion.iter().rev())?;
        if left == 0 {
            state::set_archive_indexed(db, backlog.collected)?;
        }
        execute(db, "COMMIT", [])?;
        let done = self.rows.len() - left;
        self.rows.truncate(left);
        if left == 0 {
            backlog.indexed = backlog.collected;
            backlog.waiting = backlog.waiting.saturating_sub(self.messages);
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::sync::Arc;

    use bytes::Bytes;
    use presence::{ArchiveId, ArchiveQuery, Bare, Message, MessageKind, MessageNative, Utc};

    use super::*;
    use crate::Op;
    use crate::migrate;
    use crate::place::Place;
    use crate::queue::Unit;
    use crate::tables::{accounts, archive};
    use crate::writer::Writer;

    fn bare(name: &str) -> Bare {
        Bare::from_prepared(&format!("{name}@example.org"))
    }

    fn create(name: &str) -> Op {
        Op::AccountCreate {
            account: bare(name),
            scram: Vec::new(),
            sealed_ha1: Vec::new(),
            admin: false,
            created: Utc(0),
        }
    }

    fn put(id: u64, from: &str, to: &str) -> Op {
        let message = Message {
            from: bare(from).into(),
            to: bare(to).into(),
            kind: MessageKind::Chat,
            id: None,
            thread: None,
            subjects: Vec::new(),
            bodies: Vec::new(),
            native: MessageNative::Xmpp(Bytes::from_static(b"<message/>")),
            received: Utc(0),
            archived: None,
        };
        Op::ArchivePut {
            id: ArchiveId(id),
            sender: true,
            recipient: true,
            message: Arc::new(message),
        }
    }

    fn writer(unindexed: usize) -> Writer {
        let mut db = Place::memory().writer().unwrap();
        migrate::migrate(&mut db, "memory").unwrap();
        let (_, free) = state::get(&db).unwrap();
        Writer::new(db, free, unindexed).unwrap()
    }

    fn commit(writer: &mut Writer, ops: Vec<Op>) {
        let results = writer.commit(&[Unit { ops, done: None }]);
        assert_eq!(results, [Ok(())]);
    }

    fn count(writer: &Writer, sql: &str) -> i64 {
        writer.db().query_row(sql, [], |r| r.get(0)).unwrap()
    }

    fn ids(writer: &Writer, name: &str) -> Vec<u64> {
        let number = accounts::id(writer.db(), &bare(name)).unwrap().unwrap();
        let query = ArchiveQuery::default();
        let page = archive::page(
            (writer.db(), &writer.tail()),
            number,
            &query,
            usize::MAX,
            usize::MAX,
        )
        .unwrap();
        page.unwrap().messages.iter().map(|m| m.id.0).collect()
    }

    const INDEXED: &str = "SELECT COUNT(*) FROM archive";

    #[test]
    fn what_waits_is_indexed_in_portions_when_it_is_too_much_or_when_all_is_quiet() {
        let mut writer = writer(8);
        commit(&mut writer, vec![create("ann"), create("bob")]);
        commit(&mut writer, (1..=8).map(|n| put(n, "ann", "bob")).collect());
        assert_eq!(writer.index(false), 0, "that many may wait");
        commit(&mut writer, vec![put(9, "bob", "ann")]);
        for portion in 1..=9 {
            assert_eq!(writer.index(false), 2);
            assert_eq!(count(&writer, INDEXED), 2 * portion);
            let indexed = state::archive_indexed(writer.db()).unwrap();
            assert_eq!(indexed, if portion == 9 { 9 } else { 0 });
            assert_eq!(ids(&writer, "bob"), (1..=9).collect::<Vec<_>>());
        }
        commit(&mut writer, vec![put(10, "ann", "bob")]);
        assert_eq!(writer.index(false), 0);
        assert_eq!(writer.index(true), 2);
        assert_eq!(writer.index(true), 0);
        assert_eq!(state::archive_indexed(writer.db()).unwrap(), 10);
    }

    #[test]
    fn however_much_comes_the_index_follows() {
        let mut writer = writer(8);
        commit(&mut writer, vec![create("ann"), create("bob")]);
        for group in 0..100 {
            let group = group * 100..(group + 1) * 100;
            commit(&mut writer, group.map(|n| put(n, "ann", "bob")).collect());
            writer.index(false);
        }
        let waiting =
            "SELECT COUNT(*) FROM archive_log WHERE id > (SELECT archive_indexed FROM state)";
        let waiting = count(&writer, waiting);
        assert!(waiting <= 1800, "{waiting}");
    }

    #[test]
    fn the_oldest_are_removed_in_portions_whether_they_are_indexed_or_not() {
        let mut writer = writer(8);
        commit(&mut writer, vec![create("ann"), create("bob")]);
        commit(&mut writer, (1..=9).map(|n| put(n, "ann", "bob")).collect());
        while writer.index(false) > 0 {}
        commit(
            &mut writer,
            (10..=18).map(|n| put(n, "ann", "bob")).collect(),
        );
        assert_eq!(writer.index(false), 2, "a portion of those is indexed, too");
        for (most, left) in [
            (0, 1..=18),
            (4, 5..=18),
            (8, 13..=18),
            (8, 16..=18),
            (8, 16..=18),
        ] {
            let below = ArchiveId(16);
            commit(&mut writer, vec![Op::ArchivePrune { below, most }]);
            let left: Vec<_> = left.collect();
            assert_eq!(ids(&writer, "ann"), left);
            assert_eq!(ids(&writer, "bob"), left);
        }
        while writer.index(true) > 0 {}
        assert_eq!(ids(&writer, "ann"), [16, 17, 18]);
        assert_eq!(
            count(&writer, INDEXED),
            6,
            "nothing is indexed that is gone"
        );
    }

    #[test]
    fn a_deleted_account_takes_its_messages_along_little_by_little_and_leaves_others_theirs() {
        let mut writer = writer(8);
        let created = ["ann", "bob"].map(create).to_vec();
        commit(&mut writer, created);
        let exchanged = |ids: std::ops::Range<u64>| {
            ids.map(|n| put(n, "ann", if n % 2 == 0 { "bob" } else { "eve@elsewhere" }))
                .collect()
        };
        commit(&mut writer, exchanged(0..600));
        while writer.index(false) > 0 {}
        commit(&mut writer, exchanged(600..604));
        commit(
            &mut writer,
            vec![Op::AccountDelete {
                account: bare("ann"),
            }],
        );
        commit(&mut writer, vec![create("ann")]);
        commit(&mut writer, vec![put(604, "bob", "ann")]);
        let of_bob: Vec<_> = (0..=604).step_by(2).collect();
        let mut steps = 0;
        while writer.index(false) > 0 {
            steps += 1;
            assert_eq!(ids(&writer, "ann"), [604]);
            assert_eq!(ids(&writer, "bob"), of_bob);
        }
        assert!(steps > 3, "{steps}");
        assert_eq!(count(&writer, "SELECT COUNT(*) FROM archive_log"), 303);
        assert_eq!(count(&writer, "SELECT COUNT(*) FROM archive_gone"), 0);
        assert_eq!(count(&writer, INDEXED), 304);
    }

    #[test]
    fn a_failure_is_not_tried_again_at_once_and_loses_nothing() {
        let place = Place::memory();
        let mut db = place.writer().unwrap();
        migrate::migrate(&mut db, "memory").unwrap();
        let (_, free) = state::get(&db).unwrap();
        db.busy_timeout(Duration::ZERO).unwrap();
        let mut writer = Writer::new(db, free, 0).unwrap();
        commit(&mut writer, vec![create("ann"), put(1, "ann", "ann")]);
        let other = place.writer().unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(writer.index(false), 0);
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(writer.index(false), 0, "not yet");
        writer.recovered();
        assert_eq!(writer.index(false), 1);
        assert_eq!(ids(&writer, "ann"), [1]);
    }
}
