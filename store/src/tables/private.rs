//! `private`: what accounts keep for their own programs (XEP-0049).

use bytes::Bytes;
use presence::Kept;
use presence::card::Label;
use rusqlite::{Connection, params};

use super::{Outcome, blob, execute, number, row};

/// Makes, replaces or, when there is nothing in it, takes away.
pub(crate) fn put(db: &Connection, account: i64, kept: &Kept) -> Outcome<()> {
    let Label { namespace, name } = &kept.label;
    if kept.xml.is_empty() {
        let sql = "DELETE FROM private WHERE account = ?1 AND namespace = ?2 AND name = ?3";
        return execute(db, sql, params![account, namespace, name]).map(drop);
    }
    let sql = "INSERT OR REPLACE INTO private (account, namespace, name, size, body) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let size = namespace.len() + name.len() + kept.xml.len();
    let body = &kept.xml[..];
    execute(
        db,
        sql,
        params![account, namespace, name, size as i64, body],
    )
    .map(drop)
}

/// How many there are and their size in octets, with their names.
pub(crate) fn total(db: &Connection, account: i64) -> Outcome<(usize, u64)> {
    let sql = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM private WHERE account = ?1";
    let found = row(db, sql, [account], |r| {
        Ok((number(r, 0)? as usize, number(r, 1)?))
    })?;
    Ok(found.unwrap_or_default())
}

/// What is kept under one name.
pub(crate) fn load(db: &Connection, account: i64, label: &Label) -> Outcome<Option<Bytes>> {
    let sql = "SELECT body FROM private WHERE account = ?1 AND namespace = ?2 AND name = ?3";
    row(
        db,
        sql,
        params![account, label.namespace, label.name],
        |r| Ok(Bytes::copy_from_slice(blob(r, 0)?)),
    )
}
