//! All SQL of traffic, one file a table. Every statement is prepared once per connection.

pub(crate) mod accounts;
pub(crate) mod aliases;
pub(crate) mod archive;
pub(crate) mod archive_log;
pub(crate) mod archive_preferences;
pub(crate) mod archive_readers;
pub(crate) mod bindings;
pub(crate) mod blocks;
pub(crate) mod grants;
pub(crate) mod groups;
pub(crate) mod inbox;
pub(crate) mod last_known;
pub(crate) mod last_seen;
pub(crate) mod login_tokens;
pub(crate) mod meta;
pub(crate) mod nodes;
pub(crate) mod offline;
pub(crate) mod outbox;
pub(crate) mod pending_in;
pub(crate) mod private;
pub(crate) mod publications;
pub(crate) mod reports;
pub(crate) mod roster;
pub(crate) mod state;
pub(crate) mod vcards;
pub(crate) mod watches;

use presence::Bare;
use rusqlite::{Connection, Params, Row};

use crate::StoreError;

/// What the functions of this module give.
pub(crate) type Outcome<T> = Result<T, StoreError>;

/// More than there are statements, so that none is ever prepared twice.
pub(crate) const STATEMENTS: usize = 192;

/// Runs one statement; how many rows it changed.
pub(crate) fn execute(db: &Connection, sql: &str, params: impl Params) -> Outcome<usize> {
    Ok(db.prepare_cached(sql)?.execute(params)?)
}

/// All rows, each made by `read`.
fn rows<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Outcome<T>,
) -> Outcome<Vec<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The only row, when there is one.
fn row<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Outcome<T>,
) -> Outcome<Option<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// A column with text of ours, without a copy in between.
fn text<'a>(row: &'a Row<'_>, column: usize) -> Outcome<&'a str> {
    Ok(row
        .get_ref(column)?
        .as_str()
        .map_err(rusqlite::Error::from)?)
}

/// A column with octets, without a copy in between.
fn blob<'a>(row: &'a Row<'_>, column: usize) -> Outcome<&'a [u8]> {
    Ok(row
        .get_ref(column)?
        .as_blob()
        .map_err(rusqlite::Error::from)?)
}

/// A column with an address.
fn bare(row: &Row<'_>, column: usize) -> Outcome<Bare> {
    text(row, column).map(Bare::from_prepared)
}

/// SQLite counts with a sign; the octets stay the same.
fn number(row: &Row<'_>, column: usize) -> Outcome<u64> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}
