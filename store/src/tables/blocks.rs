//! `blocks`: whom an account does not want to hear from (XEP-0191).

use presence::{Address, Bare, BlockList, Resource};
use rusqlite::{Connection, params};

use super::{Outcome, execute, rows, text};

/// Blocks an address.
pub(crate) fn put(db: &Connection, account: i64, address: &Address) -> Outcome<()> {
    let sql = "INSERT OR IGNORE INTO blocks (account, address) VALUES (?1, ?2)";
    execute(db, sql, params![account, address.to_string()]).map(drop)
}

/// Blocks it no longer.
pub(crate) fn remove(db: &Connection, account: i64, address: &Address) -> Outcome<()> {
    let sql = "DELETE FROM blocks WHERE account = ?1 AND address = ?2";
    execute(db, sql, params![account, address.to_string()]).map(drop)
}

/// All of an account.
pub(crate) fn load(db: &Connection, account: i64) -> Outcome<BlockList> {
    let sql = "SELECT address FROM blocks WHERE account = ?1";
    let found = rows(db, sql, [account], |r| Ok(address(text(r, 0)?)))?;
    Ok(found.into_iter().collect())
}

fn address(text: &str) -> Address {
    match text.split_once('/') {
        Some((bare, resource)) => Bare::from_prepared(bare).with(Resource::from_prepared(resource)),
        None => Bare::from_prepared(text).into(),
    }
}
