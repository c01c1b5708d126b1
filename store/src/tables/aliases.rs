//! `aliases`: other addresses of an account.

use presence::Bare;
use rusqlite::{Connection, params};

use super::{Outcome, bare, execute, row, rows, text};

/// Leads `alias` to an account.
pub(crate) fn put(db: &Connection, alias: &str, account: i64) -> Outcome<()> {
    let sql = "INSERT INTO aliases (alias, account) VALUES (?1, ?2) \
               ON CONFLICT (alias) DO UPDATE SET account = excluded.account";
    execute(db, sql, params![alias, account]).map(drop)
}

/// Forgets it.
pub(crate) fn remove(db: &Connection, alias: &str) -> Outcome<()> {
    execute(db, "DELETE FROM aliases WHERE alias = ?1", [alias]).map(drop)
}

/// Where it leads.
pub(crate) fn resolve(db: &Connection, alias: &str) -> Outcome<Option<Bare>> {
    let sql =
        "SELECT a.address FROM aliases x JOIN accounts a ON a.id = x.account WHERE x.alias = ?1";
    row(db, sql, [alias], |r| bare(r, 0))
}

/// All, in order.
pub(crate) fn list(db: &Connection) -> Outcome<Vec<(String, Bare)>> {
    let sql = "SELECT x.alias, a.address FROM aliases x JOIN accounts a ON a.id = x.account ORDER BY x.alias";
    rows(db, sql, [], |r| Ok((text(r, 0)?.to_owned(), bare(r, 1)?)))
}
