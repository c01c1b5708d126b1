//! `offline`: messages that wait for their reader (XEP-0160).

use presence::{ArchiveId, Message};
use rusqlite::{Connection, Row, params};

use super::{Outcome, blob, execute, number, row, rows};
use crate::codec;

/// Keeps a message.
pub(crate) fn put(db: &Connection, account: i64, id: u64, message: &Message) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO offline (account, id, size, message, archived) VALUES (?1, ?2, ?3, ?4, ?5)";
    let octets = codec::message::encode(message);
    execute(
        db,
        sql,
        params![
            account,
            id.cast_signed(),
            octets.len() as i64,
            octets,
            message.archived.map(|id| id.0.cast_signed())
        ],
    )
    .map(drop)
}

/// It was delivered.
pub(crate) fn remove(db: &Connection, account: i64, id: u64) -> Outcome<()> {
    let sql = "DELETE FROM offline WHERE account = ?1 AND id = ?2";
    execute(db, sql, params![account, id.cast_signed()]).map(drop)
}

/// Those that stand in an archive by these numbers are read there.
pub(crate) fn remove_archived(
    db: &Connection,
    account: i64,
    from: ArchiveId,
    below: ArchiveId,
) -> Outcome<()> {
    let sql = "DELETE FROM offline WHERE account = ?1 AND archived >= ?2 AND archived < ?3";
    let (from, below) = (from.0.cast_signed(), below.0.cast_signed());
    execute(db, sql, params![account, from, below]).map(drop)
}

/// How many there are and their size in octets.
pub(crate) fn total(db: &Connection, account: i64) -> Outcome<(usize, u64)> {
    let sql = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM offline WHERE account = ?1";
    let found = row(db, sql, [account], |r| {
        Ok((number(r, 0)? as usize, number(r, 1)?))
    })?;
    Ok(found.unwrap_or_default())
}

/// The first messages above a number, in order: as many as have this size together, but one at least.
pub(crate) fn after(
    db: &Connection,
    account: i64,
    above: u64,
    size: u64,
) -> Outcome<Vec<(u64, Message)>> {
    let sql = "SELECT id, size, message, archived FROM offline WHERE account = ?1 AND id > ?2 ORDER BY id";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![account, above.cast_signed()])?;
    let (mut found, mut total) = (Vec::new(), 0_u64);
    while let Some(row) = rows.next()? {
        total = total.saturating_add(number(row, 1)?);
        if total > size && !found.is_empty() {
            break;
        }
        found.push((number(row, 0)?, message(row, 2)?));
    }
    Ok(found)
}

/// The messages, in the order of their numbers.
pub(crate) fn list(db: &Connection, account: i64) -> Outcome<Vec<(u64, Message)>> {
    let sql = "SELECT id, message, archived FROM offline WHERE account = ?1 ORDER BY id";
    rows(db, sql, [account], |r| Ok((number(r, 0)?, message(r, 1)?)))
}

/// The message in this column, and in the next its number in the archive.
fn message(row: &Row<'_>, column: usize) -> Outcome<Message> {
    let archived: Option<i64> = row.get(column + 1)?;
    Ok(Message {
        archived: archived.map(|id| ArchiveId(id.cast_unsigned())),
        ..codec::message::decode(blob(row, column)?)?
    })
}
