//! `grants`: standing decisions outside of the roster.

use presence::{Bare, Grant, GrantOrigin};
use rusqlite::{Connection, params};

use super::{Outcome, bare, execute, rows};
use crate::StoreError;

/// Makes or replaces a decision.
pub(crate) fn put(db: &Connection, account: i64, watcher: &Bare, grant: Grant) -> Outcome<()> {
    let sql = "INSERT INTO grants (account, watcher, allow, origin) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (account, watcher) DO UPDATE SET allow = excluded.allow, origin = excluded.origin";
    let origin = match grant.origin {
        GrantOrigin::Owner => 0,
        GrantOrigin::Admin => 1,
    };
    execute(
        db,
        sql,
        params![account, watcher.as_str(), grant.allow, origin],
    )
    .map(drop)
}

/// Takes it back.
pub(crate) fn remove(db: &Connection, account: i64, watcher: &Bare) -> Outcome<()> {
    let sql = "DELETE FROM grants WHERE account = ?1 AND watcher = ?2";
    execute(db, sql, params![account, watcher.as_str()]).map(drop)
}

/// All of an account, by watcher.
pub(crate) fn load(db: &Connection, account: i64) -> Outcome<Vec<(Bare, Grant)>> {
    let sql = "SELECT watcher, allow, origin FROM grants WHERE account = ?1 ORDER BY watcher";
    rows(db, sql, [account], |r| {
        let origin = match r.get::<_, i64>(2)? {
            0 => GrantOrigin::Owner,
            1 => GrantOrigin::Admin,
            other => {
                return Err(StoreError::Corrupt(
                    format!("origin {other} of a grant").into(),
                ));
            }
        };
        Ok((
            bare(r, 0)?,
            Grant {
                allow: r.get(1)?,
                origin,
            },
        ))
    })
}
