//! `state`: the one row about the store itself.

use rusqlite::{Connection, params};

use super::{Outcome, execute, number, row};
use crate::{NextIds, StoreError};

/// Was the last run closed cleanly, and which numbers are free.
pub(crate) fn get(db: &Connection) -> Outcome<(bool, NextIds)> {
    let sql = "SELECT clean, outbox_seq, offline_id, watch_id, archive_id FROM state WHERE one = 1";
    row(db, sql, [], |r| {
        let ids = NextIds {
            outbox_seq: number(r, 1)?,
            offline_id: number(r, 2)?,
            watch_id: number(r, 3)?,
            archive_id: number(r, 4)?,
        };
        Ok((r.get(0)?, ids))
    })?
    .ok_or_else(|| StoreError::Corrupt("the table state is empty".into()))
}

/// Says whether a start after this one finds a clean end.
pub(crate) fn set_clean(db: &Connection, clean: bool) -> Outcome<()> {
    execute(
        db,
        "UPDATE state SET clean = ?1 WHERE one = 1 AND clean <> ?1",
        [clean],
    )
    .map(drop)
}

/// Numbers from which on none was used.
pub(crate) fn set_ids(db: &Connection, ids: NextIds) -> Outcome<()> {
    let sql = "UPDATE state SET outbox_seq = ?1, offline_id = ?2, watch_id = ?3, archive_id = ?4 WHERE one = 1";
    let (outbox, offline, watch) = (ids.outbox_seq, ids.offline_id, ids.watch_id);
    execute(
        db,
        sql,
        params![
            outbox.cast_signed(),
            offline.cast_signed(),
            watch.cast_signed(),
            ids.archive_id.cast_signed()
        ],
    )
    .map(drop)
}

/// Up to this number every message of the log stands in the index of archives.
pub(crate) fn archive_indexed(db: &Connection) -> Outcome<i64> {
    let sql = "SELECT archive_indexed FROM state WHERE one = 1";
    let found = row(db, sql, [], |r| Ok(r.get(0)?))?;
    Ok(found.unwrap_or_default())
}

/// Sets it.
pub(crate) fn set_archive_indexed(db: &Connection, last: i64) -> Outcome<()> {
    let sql = "UPDATE state SET archive_indexed = ?1 WHERE one = 1";
    execute(db, sql, [last]).map(drop)
}
