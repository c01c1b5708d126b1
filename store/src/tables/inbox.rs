//! `inbox`: how far each origin was applied.

use presence::Bare;
use rusqlite::{Connection, params};

use super::{Outcome, bare, execute, number, rows};

/// Everything up to `seq` is applied. A lower number than before changes nothing.
pub(crate) fn mark(db: &Connection, account: i64, origin: &Bare, seq: u64) -> Outcome<()> {
    let sql = "INSERT INTO inbox (account, origin, seq) VALUES (?1, ?2, ?3) \
               ON CONFLICT (account, origin) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq";
    execute(
        db,
        sql,
        params![account, origin.as_str(), seq.cast_signed()],
    )
    .map(drop)
}

/// All of an account, by origin.
pub(crate) fn load(db: &Connection, account: i64) -> Outcome<Vec<(Bare, u64)>> {
    let sql = "SELECT origin, seq FROM inbox WHERE account = ?1 ORDER BY origin";
    rows(db, sql, [account], |r| Ok((bare(r, 0)?, number(r, 1)?)))
}
