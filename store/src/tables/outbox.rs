//! `outbox`: what one account owes another.

use bytes::Bytes;
use presence::Bare;
use rusqlite::{Connection, params};

use super::{Outcome, bare, blob, execute, number, rows};
use crate::OutboxEntry;

/// Writes a debt down.
pub(crate) fn put(
    db: &Connection,
    seq: u64,
    origin: &Bare,
    target: &Bare,
    payload: &[u8],
) -> Outcome<()> {
    let sql =
        "INSERT OR REPLACE INTO outbox (seq, origin, target, payload) VALUES (?1, ?2, ?3, ?4)";
    execute(
        db,
        sql,
        params![seq.cast_signed(), origin.as_str(), target.as_str(), payload],
    )
    .map(drop)
}

/// It was delivered.
pub(crate) fn remove(db: &Connection, seq: u64) -> Outcome<()> {
    execute(db, "DELETE FROM outbox WHERE seq = ?1", [seq.cast_signed()]).map(drop)
}

/// All, in order.
pub(crate) fn list(db: &Connection) -> Outcome<Vec<OutboxEntry>> {
    rows(
        db,
        "SELECT seq, origin, target, payload FROM outbox ORDER BY seq",
        [],
        |r| {
            Ok(OutboxEntry {
                seq: number(r, 0)?,
                origin: bare(r, 1)?,
                target: bare(r, 2)?,
                payload: Bytes::copy_from_slice(blob(r, 3)?),
            })
        },
    )
}
