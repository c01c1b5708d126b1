//! `bindings`: registered contacts (RFC 3261 §10).

use presence::Binding;
use rusqlite::{Connection, params};

use super::{Outcome, blob, execute, rows};
use crate::codec;

/// Makes or replaces one.
pub(crate) fn put(db: &Connection, account: i64, binding: &Binding) -> Outcome<()> {
    let sql = "INSERT INTO bindings (account, contact, body) VALUES (?1, ?2, ?3) \
               ON CONFLICT (account, contact) DO UPDATE SET body = excluded.body";
    execute(
        db,
        sql,
        params![account, &*binding.contact, codec::binding::encode(binding)],
    )
    .map(drop)
}

/// It ended.
pub(crate) fn remove(db: &Connection, account: i64, contact: &str) -> Outcome<()> {
    let sql = "DELETE FROM bindings WHERE account = ?1 AND contact = ?2";
    execute(db, sql, params![account, contact]).map(drop)
}

/// All of an account, by contact.
pub(crate) fn load(db: &Connection, account: i64) -> Outcome<Vec<Binding>> {
    let sql = "SELECT body FROM bindings WHERE account = ?1 ORDER BY contact";
    rows(db, sql, [account], |r| {
        Ok(codec::binding::decode(blob(r, 0)?)?)
    })
}
