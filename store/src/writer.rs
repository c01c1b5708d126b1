//! The one thread that writes: everything queued goes into one transaction, then all who waited are told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::Connection;

use crate::apply::{Memory, apply};
use crate::indexing::{Backlog, Indexing};
use crate::queue::{Done, Queue, Unit};
use crate::tables::{execute, state};
use crate::tail::Tail;
use crate::{NextIds, Op, StoreError};

/// Numbers are reserved in blocks of so many, so that the row is written once a block.
const BLOCK: u64 = 1024;
/// Those of archives and watches hold the moment: a second of them.
const CLOCK_BLOCK: u64 = 1000 << 20;
/// After about so many operations the log is copied back into the database, when those who waited have been told.
const CHECKPOINT_OPS: usize = 2000;
/// So long another program may hold the database before changes are refused.
const PATIENCE: Duration = Duration::from_secs(10);
/// The clean end takes so much longer at most for what nobody waits for.
const FINISH: Duration = Duration::from_secs(1);
/// So long SQLite waits for it at a time.
const PIECE: Duration = Duration::from_millis(100);

/// Somebody to be told, and what.
pub struct Completion {
    /// Whom.
    pub done: Done,
    /// What.
    pub result: Result<(), StoreError>,
}

impl Completion {
    /// Tells it. A panic in there is logged and ends here: the others still have to be told.
    pub fn run(self) {
        let Self { done, result } = self;
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || done(result))).is_err() {
            tracing::error!("what follows from a commit panicked");
        }
    }
}

/// Takes the completions of one commit, in order.
pub type Sink = Box<dyn Fn(Vec<Completion>) + Send + Sync>;

/// However the writer ends, nobody waits for it any longer.
struct End<'a>(&'a Queue);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// The writing connection with what it remembers.
pub(crate) struct Writer {
    db: Connection,
    memory: Memory,
    indexing: Indexing,
    /// What the database says is free.
    reserved: NextIds,
    since_checkpoint: usize,
    /// Changes that were not written since the disk fails.
    failing: u64,
    /// Changes that were not written since the end is near.
    lost: u64,
}

impl Writer {
    /// `after`: so many messages of archives may wait to be indexed.
    pub(crate) fn new(db: Connection, free: NextIds, after: usize) -> Result<Self, StoreError> {
        let backlog = Backlog::load(&db)?;
        let tail = backlog.tail(&db)?;
        let memory = Memory::new(free, backlog, tail);
        Ok(Self {
            db,
            memory,
            indexing: Indexing::new(after),
            reserved: free,
            since_checkpoint: 0,
            failing: 0,
            lost: 0,
        })
    }

    /// The end of the log, for readers.
    pub(crate) fn tail(&self) -> Arc<Tail> {
        Arc::clone(&self.memory.tail)
    }

    /// For tests: what it writes to.
    #[cfg(test)]
    pub(crate) fn db(&self) -> &Connection {
        &self.db
    }

    /// For tests: as if indexing had failed long ago.
    #[cfg(test)]
    pub(crate) fn recovered(&mut self) {
        self.indexing.recovered();
    }

    /// Serves the queue until it is closed. `mark`: a clean end is written down. True when the end is clean.
    pub(crate) fn run(
        mut self,
        queue: &Queue,
        sink: &Mutex<Option<Arc<Sink>>>,
        mark: bool,
    ) -> bool {
        let _end = End(queue);
        loop {
            let group = queue.take(self.indexing.patience(&self.memory.backlog));
            let quiet = group.units.is_empty() && group.barriers.is_empty();
            if !group.units.is_empty() {
                let results = self.commit_patiently(&group.units, queue);
                let fails = |r: &Result<(), StoreError>| matches!(r, Err(error) if error.is_io());
                queue.done(!results.iter().any(fails));
                self.report(&results, queue);
                tell(group.units, results, sink);
                self.checkpoint_when_due();
            }
            for barrier in group.barriers {
                // Whoever waited may have given up.
                let _ = barrier.send(());
            }
            if let Some(clean) = group.end {
                return clean && self.end(queue, mark);
            }
            self.index(quiet);
        }
    }

    /// The clean end, when it is one.
    fn end(&mut self, queue: &Queue, mark: bool) -> bool {
        if self.lost > 0 {
            tracing::error!(
                changes = self.lost,
                "not everything was written before the end: the next start takes this end for a crash"
            );
            return false;
        }
        let patience = match queue.hurried() {
            Some(until) => until.saturating_duration_since(Instant::now()),
            None => PATIENCE,
        };
        let begun = Instant::now();
        while mark && begun.elapsed() < patience.min(FINISH) && self.index(true) > 0 {}
        let finished = self
            .db
            .busy_timeout(patience)
            .map_err(StoreError::from)
            .and_then(|()| self.finish(mark));
        if let Err(error) = &finished {
            tracing::error!(%error, "the database could not be closed cleanly");
        }
        finished.is_ok()
    }

    /// Commits, and waits for another program that holds the database: not at once but in pieces, so that it is seen when the end
    /// comes near.
    fn commit_patiently(&mut self, units: &[Unit], queue: &Queue) -> Vec<Result<(), StoreError>> {
        let begun = Instant::now();
        loop {
            let now = Instant::now();
            let mut until = begun + PATIENCE;
            if let Some(end) = queue.hurried() {
                until = until.min(end);
            }
            let left = until.saturating_duration_since(now);
            // Zero: it is tried once.
            let results = match self.db.busy_timeout(left.min(PIECE)) {
                Ok(()) => self.commit(units),
                Err(error) => vec![Err(error.into()); units.len()],
            };
            let busy = results.contains(&Err(StoreError::Busy));
            if !busy || left <= PIECE {
                return results;
            }
        }
    }

    /// One line when changes begin to fail, and one when they are written again; near the end everything that is lost counts.
    fn report(&mut self, results: &[Result<(), StoreError>], queue: &Queue) {
        let failed = results.iter().filter_map(|r| r.as_ref().err());
        let failed: Vec<_> = failed.filter(|error| error.is_io()).collect();
        let number = failed.len() as u64;
        if queue.hurried().is_some() {
            self.lost += number;
        }
        match failed.first() {
            Some(error) => {
                if self.failing == 0 {
                    tracing::error!(%error, "changes cannot be stored and are refused");
                }
                self.failing += number;
            }
            None if self.failing > 0 => {
                let refused = std::mem::take(&mut self.failing);
                tracing::warn!(refused, "changes are stored again");
            }
            None => {}
        }
    }

    /// One transaction of all units; what became of each. A unit that fails is undone alone, one that meets a failing
    /// disk undoes all.
    pub(crate) fn commit(&mut self, units: &[Unit]) -> Vec<Result<(), StoreError>> {
        let outcome = self.attempt(units);
        outcome.unwrap_or_else(|(error, mut results)| {
            if !self.db.is_autocommit() && execute(&self.db, "ROLLBACK", []).is_err() {
                tracing::error!("a transaction could not be undone");
            }
            self.memory.forget();
            // What was refused for its own sake keeps its reason; everything else failed with the commit.
            results.resize(units.len(), Ok(()));
            results
                .into_iter()
                .map(|r| r.and_then(|()| Err(error.clone())))
                .collect()
        })
    }

    #[expect(
        clippy::type_complexity,
        reason = "the failure carries what is known of each unit so far"
    )]
    fn attempt(
        &mut self,
        units: &[Unit],
    ) -> Result<Vec<Result<(), StoreError>>, (StoreError, Vec<Result<(), StoreError>>)> {
        let mut results = Vec::with_capacity(units.len());
        if let Err(error) = execute(&self.db, "BEGIN IMMEDIATE", []) {
            return Err((error, results));
        }
        for unit in units {
            match self.unit(&unit.ops) {
                // Full disks and the like may have ended the transaction behind our back.
                Err(error) if error.is_io() || self.db.is_autocommit() => {
                    return Err((error, results));
                }
                result => results.push(result),
            }
        }
        match self
            .reserve()
            .and_then(|ids| execute(&self.db, "COMMIT", []).map(|_| ids))
        {
            Ok(reserved) => self.reserved = reserved,
            Err(error) => return Err((error, results)),
        }
        self.since_checkpoint += units.iter().map(|u| u.ops.len()).sum::<usize>();
        Ok(results)
    }

    fn unit(&mut self, ops: &[Op]) -> Result<(), StoreError> {
        // A single statement undoes itself.
        if let [op] = ops
            && !op.is_compound()
        {
            return apply(&self.db, &mut self.memory, op);
        }
        execute(&self.db, "SAVEPOINT unit", [])?;
        let result = ops
            .iter()
            .try_for_each(|op| apply(&self.db, &mut self.memory, op));
        if result.is_err() && !self.db.is_autocommit() {
            self.memory.forget();
            execute(&self.db, "ROLLBACK TO unit", [])?;
        }
        if !self.db.is_autocommit() {
            execute(&self.db, "RELEASE unit", [])?;
        }
        result
    }

    /// Reserves the next block of numbers when this group used the last one up.
    fn reserve(&self) -> Result<NextIds, StoreError> {
        let next_of = |block: u64, reserved: u64, free: u64| {
            if free > reserved {
                free.saturating_add(block)
            } else {
                reserved
            }
        };
        let next = |reserved, free| next_of(BLOCK, reserved, free);
        let (old, free) = (self.reserved, self.memory.free);
        let new = NextIds {
            outbox_seq: next(old.outbox_seq, free.outbox_seq),
            offline_id: next(old.offline_id, free.offline_id),
            watch_id: next_of(CLOCK_BLOCK, old.watch_id, free.watch_id),
            archive_id: next_of(CLOCK_BLOCK, old.archive_id, free.archive_id),
        };
        if new != old {
            state::set_ids(&self.db, new)?;
        }
        Ok(new)
    }

    /// Does a portion of what nobody waits for; how many rows that were.
    pub(crate) fn index(&mut self, quiet: bool) -> usize {
        let before = self.memory.backlog.indexed;
        let done = self
            .indexing
            .step(&self.db, &mut self.memory.backlog, quiet);
        let indexed = self.memory.backlog.indexed;
        if indexed != before {
            self.memory.tail.indexed(indexed);
        }
        let rows = done.unwrap_or_else(|error| {
            tracing::warn!(%error, "the index of archives could not be brought up to date; it is tried again");
            0
        });
        // Sorted as they are they touch fewer pages than operations do.
        self.since_checkpoint += rows / 4;
        self.checkpoint_when_due();
        rows
    }

    /// Copies the log back without waiting for readers. SQLite would do it inside of a commit, where others wait for it.
    fn checkpoint_when_due(&mut self) {
        if self.since_checkpoint >= CHECKPOINT_OPS {
            self.since_checkpoint = 0;
            self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)");
        }
    }

    fn checkpoint(&self, pragma: &str) {
        if let Err(error) = self.db.query_row(pragma, [], |_| Ok(())) {
            tracing::warn!(%error, "the write-ahead log could not be copied back; it is tried again");
        }
    }

    fn finish(&self, mark: bool) -> Result<(), StoreError> {
        execute(&self.db, "BEGIN IMMEDIATE", [])?;
        state::set_ids(&self.db, self.memory.free)?;
        if mark {
            state::set_clean(&self.db, true)?;
        }
        execute(&self.db, "COMMIT", [])?;
        self.checkpoint("PRAGMA wal_checkpoint(TRUNCATE)");
        Ok(())
    }
}

fn tell(units: Vec<Unit>, results: Vec<Result<(), StoreError>>, sink: &Mutex<Option<Arc<Sink>>>) {
    let mut completions = Vec::with_capacity(units.len());
    for (unit, result) in units.into_iter().zip(results) {
        match (unit.done, result) {
            (Some(done), result) => completions.push(Completion { done, result }),
            (None, Err(error)) => {
                tracing::debug!(%error, ops = ?unit.ops, "a soft change was not kept");
            }
            (None, Ok(())) => {}
        }
    }
    if completions.is_empty() {
        return;
    }
    let sink = sink.lock().clone();
    match sink {
        Some(sink) => sink(completions),
        None => completions.into_iter().for_each(Completion::run),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::place::Place;
    use crate::{migrate, tables};

    fn writer() -> Writer {
        let mut db = Place::memory().writer().unwrap();
        migrate::migrate(&mut db, "memory").unwrap();
        let (_, free) = state::get(&db).unwrap();
        Writer::new(db, free, 4096).unwrap()
    }

    fn unit(ops: Vec<Op>) -> Unit {
        Unit { ops, done: None }
    }

    fn meta(key: &str, octets: usize) -> Op {
        Op::MetaPut {
            key: key.into(),
            value: vec![7; octets],
        }
    }

    fn debt(seq: u64) -> Op {
        let who = presence::Bare::from_prepared("ann@example.org");
        Op::OutboxPut {
            seq,
            origin: who.clone(),
            target: who,
            payload: bytes::Bytes::new(),
        }
    }

    #[test]
    fn a_full_disk_fails_the_group_and_the_writer_goes_on() {
        let mut writer = writer();
        let pages: u32 = writer
            .db
            .pragma_query_value(None, "page_count", |r| r.get(0))
            .unwrap();
        let limit = |writer: &Writer, pages: u32| {
            writer
                .db
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
                .unwrap();
        };
        limit(&writer, pages + 2);
        let unknown = presence::Bare::from_prepared("nobody@example.org");
        let refused = Op::AccountDisable {
            account: unknown.clone(),
            disabled: true,
        };
        let units = [
            unit(vec![meta("small", 1)]),
            unit(vec![refused]),
            unit(vec![meta("large", 100_000), meta("more", 1)]),
            unit(vec![meta("after", 1)]),
        ];
        let results = writer.commit(&units);
        assert!(matches!(&results[0], Err(StoreError::Io(_))), "{results:?}");
        assert_eq!(results[1], Err(StoreError::AccountUnknown(unknown)));
        assert!(matches!(
            &results[2..],
            [Err(StoreError::Io(_)), Err(StoreError::Io(_))]
        ));
        assert_eq!(tables::meta::get(&writer.db, "small").unwrap(), None);
        limit(&writer, 1 << 20);
        assert!(writer.commit(&units[2..]).iter().all(Result::is_ok));
        assert!(tables::meta::get(&writer.db, "large").unwrap().is_some());
    }

    #[test]
    fn a_database_that_another_holds_fails_the_group_and_the_writer_goes_on() {
        let place = Place::memory();
        let mut db = place.writer().unwrap();
        migrate::migrate(&mut db, "memory").unwrap();
        let (_, free) = state::get(&db).unwrap();
        db.busy_timeout(std::time::Duration::ZERO).unwrap();
        let mut writer = Writer::new(db, free, 4096).unwrap();
        let units = [unit(vec![meta("one", 1)]), unit(vec![meta("two", 1)])];
        let other = place.writer().unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(writer.commit(&units), [const { Err(StoreError::Busy) }; 2]);
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(tables::meta::get(&writer.db, "one").unwrap(), None);
        assert_eq!(writer.commit(&units), [const { Ok(()) }; 2]);
        assert!(tables::meta::get(&writer.db, "two").unwrap().is_some());
    }

    #[test]
    fn numbers_are_reserved_in_blocks_also_for_units_that_fail() {
        let mut writer = writer();
        let stored = |writer: &Writer| state::get(&writer.db).unwrap().1;
        assert_eq!(stored(&writer).outbox_seq, 1);
        assert!(writer.commit(&[unit(vec![debt(1)])])[0].is_ok());
        assert_eq!(stored(&writer).outbox_seq, 2 + BLOCK);
        assert!(
            writer
                .commit(&[unit(vec![debt(2)]), unit(vec![debt(1 + BLOCK)])])
                .iter()
                .all(Result::is_ok)
        );
        assert_eq!(
            stored(&writer).outbox_seq,
            2 + BLOCK,
            "within the block nothing is written"
        );
        let account = presence::Bare::from_prepared("nobody@example.org");
        let failing = unit(vec![debt(5000), Op::AccountDelete { account }]);
        assert!(writer.commit(&[failing])[0].is_err());
        assert_eq!(stored(&writer).outbox_seq, 5001 + BLOCK);
        writer.finish(true).unwrap();
        assert_eq!(stored(&writer).outbox_seq, 5001);
    }
}
