//! `archive_readers`: when clients of an account last read its archive.

use presence::Utc;
use rusqlite::{Connection, params};

use super::{Outcome, execute, row};

/// One did.
pub(crate) fn put(db: &Connection, account: i64, at: Utc) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO archive_readers (account, at) VALUES (?1, ?2)";
    execute(db, sql, params![account, at.0]).map(drop)
}

/// When that was, if ever.
pub(crate) fn load(db: &Connection, account: i64) -> Outcome<Option<Utc>> {
    let sql = "SELECT at FROM archive_readers WHERE account = ?1";
    row(db, sql, [account], |r| Ok(Utc(r.get(0)?)))
}
