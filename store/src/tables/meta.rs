//! `meta`: what the program keeps besides accounts.

use rusqlite::{Connection, params};

use super::{Outcome, blob, execute, row};

/// Replaces a value.
pub(crate) fn put(db: &Connection, key: &str, value: &[u8]) -> Outcome<()> {
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) \
               ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    execute(db, sql, params![key, value]).map(drop)
}

/// Reads one.
pub(crate) fn get(db: &Connection, key: &str) -> Outcome<Option<Vec<u8>>> {
    row(db, "SELECT value FROM meta WHERE key = ?1", [key], |r| {
        Ok(blob(r, 0)?.to_vec())
    })
}
