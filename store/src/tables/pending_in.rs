//! `pending_in`: subscription requests that wait for an answer (RFC 6121 §3.1.3).

use std::collections::BTreeMap;

use bytes::Bytes;
use presence::Bare;
use rusqlite::{Connection, params};

use super::{Outcome, bare, blob, execute, rows};

/// Keeps a request; a later one of the same contact replaces it.
pub(crate) fn put(db: &Connection, account: i64, contact: &Bare, stanza: &[u8]) -> Outcome<()> {
    let sql = "INSERT INTO pending_in (account, contact, stanza) VALUES (?1, ?2, ?3) \
               ON CONFLICT (account, contact) DO UPDATE SET stanza = excluded.stanza";
    execute(db, sql, params![account, contact.as_str(), stanza]).map(drop)
}

/// Forgets it.
pub(crate) fn remove(db: &Connection, account: i64, contact: &Bare) -> Outcome<()> {
    let sql = "DELETE FROM pending_in WHERE account = ?1 AND contact = ?2";
    execute(db, sql, params![account, contact.as_str()]).map(drop)
}

/// All of an account.
pub(crate) fn load(db: &Connection, account: i64) -> Outcome<BTreeMap<Bare, Bytes>> {
    let sql = "SELECT contact, stanza FROM pending_in WHERE account = ?1 ORDER BY contact";
    let found = rows(db, sql, [account], |r| {
        Ok((bare(r, 0)?, Bytes::copy_from_slice(blob(r, 1)?)))
    })?;
    Ok(found.into_iter().collect())
}
