//! `reports`: what accounts tell the administrator of those they block (XEP-0377).

use presence::Report;
use rusqlite::{Connection, params};

use super::{Outcome, bare, blob, execute, rows};
use crate::codec::report;
use crate::record::ReportRecord;

/// Keeps a report. When that makes more than `most`, who has made the most of them loses his oldest.
pub(crate) fn put(db: &Connection, account: i64, what: &Report, most: usize) -> Outcome<()> {
    let sql = "INSERT INTO reports (account, body) VALUES (?1, ?2)";
    execute(db, sql, params![account, report::encode(what)])?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let crowded = "DELETE FROM reports WHERE (SELECT COUNT(*) FROM reports) > ?1 AND id = \
                   (SELECT MIN(id) FROM reports GROUP BY account ORDER BY COUNT(*) DESC, MIN(id) LIMIT 1)";
    while execute(db, crowded, [most])? > 0 {}
    Ok(())
}

/// All, the oldest first.
pub(crate) fn list(db: &Connection) -> Outcome<Vec<ReportRecord>> {
    let sql =
        "SELECT a.address, r.body FROM reports r JOIN accounts a ON a.id = r.account ORDER BY r.id";
    rows(db, sql, [], |r| {
        Ok(ReportRecord {
            by: bare(r, 0)?,
            report: report::decode(blob(r, 1)?)?,
        })
    })
}
