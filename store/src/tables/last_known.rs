//! `last_known`: presence of connections, to be shown for a while after a crash.

use presence::{Publication, Resource};
use rusqlite::{Connection, params};

use super::{Outcome, blob, execute, rows, text};
use crate::codec;

/// Makes or replaces what a resource says. The time it appeared stays.
pub(crate) fn put(db: &Connection, account: i64, publication: &Publication) -> Outcome<()> {
    let sql = "INSERT INTO last_known (account, resource, first, body) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (account, resource) DO UPDATE SET body = excluded.body";
    let body = codec::publication::encode(publication);
    let resource = publication.resource.as_str();
    execute(
        db,
        sql,
        params![account, resource, publication.changed.0, body],
    )
    .map(drop)
}

/// It ended.
pub(crate) fn remove(db: &Connection, account: i64, resource: &Resource) -> Outcome<()> {
    let sql = "DELETE FROM last_known WHERE account = ?1 AND resource = ?2";
    execute(db, sql, params![account, resource.as_str()]).map(drop)
}

/// All of an account, in the order in which they appeared.
pub(crate) fn load(db: &Connection, account: i64) -> Outcome<Vec<Publication>> {
    let sql = "SELECT resource, body FROM last_known WHERE account = ?1 ORDER BY first, resource";
    rows(db, sql, [account], |r| {
        let resource = Resource::from_prepared(text(r, 0)?);
        Ok(codec::publication::decode(blob(r, 1)?)?(resource))
    })
}
