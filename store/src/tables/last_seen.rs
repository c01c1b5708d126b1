//! `last_seen`: when an account was last present (XEP-0012).

use presence::Utc;
use rusqlite::{Connection, params};

use super::{Outcome, execute, row};

/// Replaces it.
pub(crate) fn put(db: &Connection, account: i64, at: Utc, status: Option<&str>) -> Outcome<()> {
    let sql = "INSERT INTO last_seen (account, at, status) VALUES (?1, ?2, ?3) \
               ON CONFLICT (account) DO UPDATE SET at = excluded.at, status = excluded.status";
    execute(db, sql, params![account, at.0, status]).map(drop)
}

/// Of one account.
pub(crate) fn load(db: &Connection, account: i64) -> Outcome<Option<(Utc, Option<String>)>> {
    let sql = "SELECT at, status FROM last_seen WHERE account = ?1";
    row(db, sql, [account], |r| Ok((Utc(r.get(0)?), r.get(1)?)))
}
