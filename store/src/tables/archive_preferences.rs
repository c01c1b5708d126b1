//! `archive_preferences`: what accounts want archived (XEP-0441).

use presence::ArchivePreferences;
use rusqlite::{Connection, params};

use super::{Outcome, blob, execute, row};
use crate::codec::archive;

/// Replaces them.
pub(crate) fn put(db: &Connection, account: i64, wants: &ArchivePreferences) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO archive_preferences (account, body) VALUES (?1, ?2)";
    let body = archive::encode_preferences(wants);
    execute(db, sql, params![account, body]).map(drop)
}

/// Of one account; `None` where it never said anything.
pub(crate) fn load(db: &Connection, account: i64) -> Outcome<Option<Box<ArchivePreferences>>> {
    let sql = "SELECT body FROM archive_preferences WHERE account = ?1";
    row(db, sql, [account], |r| {
        Ok(Box::new(archive::decode_preferences(blob(r, 0)?)?))
    })
}
