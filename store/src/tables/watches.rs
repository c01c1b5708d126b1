//! `watches`: SIP subscriptions with their dialogs (RFC 6665).

use bytes::Bytes;
use presence::{Bare, Utc, WatchId, WatchRecord};
use rusqlite::{Connection, params};

use super::{Outcome, bare, blob, execute, number, rows};

/// Makes or replaces one. A refresh is one `UPDATE` that leaves the index alone; of a `new` one the number was never used, so that
/// nothing is looked for.
pub(crate) fn put(db: &Connection, presentity: i64, watch: &WatchRecord, new: bool) -> Outcome<()> {
    let update = "UPDATE watches SET watcher = ?3, package = ?4, expires = ?5, dialog = ?6 \
                  WHERE id = ?1 AND presentity = ?2";
    let replace = "INSERT OR REPLACE INTO watches (id, presentity, watcher, package, expires, dialog) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let insert = "INSERT INTO watches (id, presentity, watcher, package, expires, dialog) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let run = |sql| {
        let id = watch.id.0.cast_signed();
        let watcher = watch.watcher.as_str();
        execute(
            db,
            sql,
            params![
                id,
                presentity,
                watcher,
                watch.package,
                watch.expires.0,
                &watch.dialog[..]
            ],
        )
    };
    if new {
        run(insert)?;
    } else if run(update)? == 0 {
        run(replace)?;
    }
    Ok(())
}

/// Writes over the first octets of the dialog. The row keeps its length, so SQLite changes it where it lies.
pub(crate) fn put_head(db: &Connection, id: WatchId, head: &[u8]) -> Outcome<()> {
    execute(
        db,
        "UPDATE watches SET dialog = CAST(?2 || substr(dialog, length(?2) + 1) AS BLOB) \
         WHERE id = ?1 AND length(dialog) >= length(?2)",
        params![id.0.cast_signed(), head],
    )
    .map(drop)
}

/// It ended.
pub(crate) fn remove(db: &Connection, id: WatchId) -> Outcome<()> {
    execute(
        db,
        "DELETE FROM watches WHERE id = ?1",
        [id.0.cast_signed()],
    )
    .map(drop)
}

/// Those on one presentity, by number.
pub(crate) fn load(db: &Connection, account: i64, presentity: &Bare) -> Outcome<Vec<WatchRecord>> {
    let sql = "SELECT id, watcher, package, expires, dialog FROM watches WHERE presentity = ?1 ORDER BY id";
    rows(db, sql, [account], |r| {
        Ok(WatchRecord {
            id: WatchId(number(r, 0)?),
            watcher: bare(r, 1)?,
            presentity: presentity.clone(),
            package: r.get(2)?,
            expires: Utc(r.get(3)?),
            dialog: Bytes::copy_from_slice(blob(r, 4)?),
        })
    })
}
