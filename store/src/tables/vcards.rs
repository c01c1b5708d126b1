//! `vcards`: what accounts say about their person (XEP-0054).

use bytes::Bytes;
use presence::Card;
use rusqlite::{Connection, params};

use super::{Outcome, blob, execute, row};

/// Makes or replaces one.
pub(crate) fn put(db: &Connection, account: i64, card: &Card) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO vcards (account, name, first, last, nick, email, card) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let facts = &card.facts;
    execute(
        db,
        sql,
        params![
            account,
            facts.name,
            facts.first,
            facts.last,
            facts.nick,
            facts.email,
            &card.xml[..]
        ],
    )
    .map(drop)
}

/// Takes it away.
pub(crate) fn remove(db: &Connection, account: i64) -> Outcome<()> {
    execute(db, "DELETE FROM vcards WHERE account = ?1", [account]).map(drop)
}

/// The card of one account.
pub(crate) fn load(db: &Connection, account: i64) -> Outcome<Option<Bytes>> {
    let sql = "SELECT card FROM vcards WHERE account = ?1";
    row(db, sql, [account], |r| {
        Ok(Bytes::copy_from_slice(blob(r, 0)?))
    })
}
