//! `archive`: the messages of accounts, in the order of time (XEP-0313).

use presence::{Address, ArchiveId, ArchivePage, ArchiveQuery, Archived, Bare, Message, Utc};
use rusqlite::{Connection, Rows, params};

use super::{Outcome, bare, blob, execute, number, row, rows};
use crate::codec::archive;

/// The other side as a number. Two may have the same: what is read is compared with the address itself.
fn hash(peer: &Bare) -> i64 {
    // FNV-1a: stored, so it must be the same for ever.
    let step = |hash: u64, octet: &u8| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
    let octets = peer.as_str().as_bytes();
    octets
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, step)
        .cast_signed()
}

/// Archives a message that was exchanged with `peer`.
pub(crate) fn put(
    db: &Connection,
    account: i64,
    id: ArchiveId,
    peer: &Address,
    message: &Message,
) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO archive (account, id, peer, message) VALUES (?1, ?2, ?3, ?4)";
    let octets = archive::encode(peer, message);
    let id = id.0.cast_signed();
    execute(db, sql, params![account, id, hash(&peer.bare), octets]).map(drop)
}

/// Removes the first messages below a number, `most` of them.
pub(crate) fn prune(db: &Connection, account: i64, below: ArchiveId, most: u64) -> Outcome<()> {
    let sql = "DELETE FROM archive WHERE account = ?1 AND id IN \
               (SELECT id FROM archive WHERE account = ?1 AND id < ?2 ORDER BY id LIMIT ?3)";
    let (below, most) = (below.0.cast_signed(), most.cast_signed());
    execute(db, sql, params![account, below, most]).map(drop)
}

/// Of `look` accounts from this number on, the first `most` that have messages below that one, and where to go on; `None` behind the last.
pub(crate) fn outdated(
    db: &Connection,
    from: i64,
    below: ArchiveId,
    look: usize,
    most: usize,
) -> Outcome<(Vec<Bare>, Option<i64>)> {
    let sql = "SELECT MAX(id) FROM (SELECT id FROM accounts WHERE id >= ?1 ORDER BY id LIMIT ?2)";
    let last: Option<Option<i64>> = row(db, sql, params![from, look as i64], |r| Ok(r.get(0)?))?;
    let Some(last) = last.flatten() else {
        return Ok((Vec::new(), None));
    };
    let sql = "SELECT id, address FROM accounts a WHERE id BETWEEN ?1 AND ?2 \
               AND EXISTS (SELECT 1 FROM archive WHERE account = a.id AND id < ?3) ORDER BY id LIMIT ?4";
    let params = params![from, last, below.0.cast_signed(), most as i64];
    let found: Vec<(i64, Bare)> = rows(db, sql, params, |r| Ok((r.get(0)?, bare(r, 1)?)))?;
    // Who has too much for one removal is looked at again.
    let next = found.first().map_or(last.saturating_add(1), |(id, _)| *id);
    Ok((
        found.into_iter().map(|(_, account)| account).collect(),
        Some(next),
    ))
}

/// The numbers of the first and of the last message.
pub(crate) fn ends(db: &Connection, account: i64) -> Outcome<Option<(ArchiveId, ArchiveId)>> {
    let end = |order: &str| row(db, order, [account], |r| Ok(ArchiveId(number(r, 0)?)));
    let first = end("SELECT id FROM archive WHERE account = ?1 ORDER BY id LIMIT 1")?;
    let last = end("SELECT id FROM archive WHERE account = ?1 ORDER BY id DESC LIMIT 1")?;
    Ok(first.zip(last))
}

/// One page: `most` messages and about so many octets, but one message at least where there is one. `None` when a message that the
/// question names is not there.
pub(crate) fn page(
    db: &Connection,
    account: i64,
    query: &ArchiveQuery,
    most: usize,
    octets: usize,
) -> Outcome<Option<ArchivePage>> {
    let before = query.before.flatten();
    let named = [query.after_id, query.before_id, query.after, before];
    for id in named.into_iter().flatten() {
        if !exists(db, account, id)? {
            return Ok(None);
        }
    }
    let range = Range::of(query);
    let mut page = Page {
        backwards: query.before.is_some() && query.after.is_none(),
        most: query.max.map_or(most, |max| max.min(most)),
        octets,
        with: query.with.as_ref(),
        found: Vec::new(),
        over: false,
    };
    if let Some(ids) = &query.ids {
        let mut ids = ids.clone();
        ids.sort_unstable();
        ids.dedup();
        for id in &ids {
            if !exists(db, account, *id)? {
                return Ok(None);
            }
        }
        ids.retain(|id| range.contains(*id));
        if query.max == Some(0) {
            return count_each(db, account, query, &ids).map(|n| Some(counted(n)));
        }
        page.read_each(db, account, &ids)?;
    } else if query.max == Some(0) {
        return count(db, account, query, &range).map(|n| Some(counted(n)));
    } else if !range.is_empty() {
        page.read_range(db, account, &range)?;
    }
    let whole = !page.over && query.after.is_none() && before.is_none();
    if page.backwards {
        page.found.reverse();
    }
    Ok(Some(ArchivePage {
        complete: !page.over,
        count: whole.then_some(page.found.len() as u64),
        messages: page.found,
    }))
}

fn counted(count: u64) -> ArchivePage {
    ArchivePage {
        messages: Vec::new(),
        complete: count == 0,
        count: Some(count),
    }
}

fn exists(db: &Connection, account: i64, id: ArchiveId) -> Outcome<bool> {
    let sql = "SELECT 1 FROM archive WHERE account = ?1 AND id = ?2";
    let params = params![account, id.0.cast_signed()];
    Ok(row(db, sql, params, |_| Ok(()))?.is_some())
}

/// The numbers that are asked for: from the first, and below the end.
struct Range {
    first: u64,
    end: u64,
}

impl Range {
    fn of(query: &ArchiveQuery) -> Self {
        let after = query.after_id.max(query.after);
        let before = [query.before_id, query.before.flatten()];
        let before = before.into_iter().flatten().min();
        let start = query.start.map_or(0, |start| ArchiveId::first_at(start).0);
        let end = query.end.map_or(u64::MAX >> 1, |end| {
            ArchiveId::first_at(Utc(end.0.saturating_add(1))).0
        });
        Self {
            first: after.map_or(start, |id| start.max(id.0.saturating_add(1))),
            end: before.map_or(end, |id| end.min(id.0)),
        }
    }

    fn is_empty(&self) -> bool {
        self.first >= self.end
    }

    fn contains(&self, id: ArchiveId) -> bool {
        (self.first..self.end).contains(&id.0)
    }
}

fn fits(with: Option<&Address>, peer: &Address) -> bool {
    with.is_none_or(|with| with == peer || (with.is_bare() && with.bare == peer.bare))
}

fn count(db: &Connection, account: i64, query: &ArchiveQuery, range: &Range) -> Outcome<u64> {
    let (first, end) = (range.first.cast_signed(), range.end.cast_signed());
    let one = |r: &rusqlite::Row<'_>| number(r, 0);
    let counted = match &query.with {
        None => {
            let sql = "SELECT COUNT(*) FROM archive INDEXED BY archive_peer \
                       WHERE account = ?1 AND id >= ?2 AND id < ?3";
            row(db, sql, params![account, first, end], one)?
        }
        Some(with) if with.is_bare() => {
            let sql = "SELECT COUNT(*) FROM archive INDEXED BY archive_peer \
                       WHERE account = ?1 AND peer = ?4 AND id >= ?2 AND id < ?3";
            row(db, sql, params![account, first, end, hash(&with.bare)], one)?
        }
        Some(with) => {
            let mut statement = db.prepare_cached(CONVERSATION)?;
            let params = params![account, first, end, hash(&with.bare)];
            let (mut rows, mut found) = (statement.query(params)?, 0);
            while let Some(row) = rows.next()? {
                let fits = |peer: &Address| fits(Some(with), peer);
                found += u64::from(archive::decode(blob(row, 1)?, fits)?.is_some());
            }
            Some(found)
        }
    };
    Ok(counted.unwrap_or_default())
}

fn count_each(
    db: &Connection,
    account: i64,
    query: &ArchiveQuery,
    ids: &[ArchiveId],
) -> Outcome<u64> {
    let mut found = 0;
    for id in ids {
        let params = params![account, id.0.cast_signed()];
        let there = row(db, ONE, params, |r| {
            Ok(archive::decode(blob(r, 1)?, |peer| fits(query.with.as_ref(), peer))?.is_some())
        })?;
        found += u64::from(there == Some(true));
    }
    Ok(found)
}

const ONE: &str = "SELECT id, message FROM archive WHERE account = ?1 AND id = ?2";
const ALL: &str = "SELECT id, message FROM archive \
                   WHERE account = ?1 AND id >= ?2 AND id < ?3 ORDER BY id";
const ALL_BACK: &str = "SELECT id, message FROM archive \
                        WHERE account = ?1 AND id >= ?2 AND id < ?3 ORDER BY id DESC";
const CONVERSATION: &str = "SELECT id, message FROM archive INDEXED BY archive_peer \
                            WHERE account = ?1 AND peer = ?4 AND id >= ?2 AND id < ?3 ORDER BY id";
const CONVERSATION_BACK: &str = "SELECT id, message FROM archive INDEXED BY archive_peer \
                                 WHERE account = ?1 AND peer = ?4 AND id >= ?2 AND id < ?3 ORDER BY id DESC";

/// A page on its way, in the order of reading.
struct Page<'a> {
    backwards: bool,
    most: usize,
    octets: usize,
    with: Option<&'a Address>,
    found: Vec<Archived>,
    /// There is more than fits.
    over: bool,
}

impl Page<'_> {
    fn read_range(&mut self, db: &Connection, account: i64, range: &Range) -> Outcome<()> {
        let (first, end) = (range.first.cast_signed(), range.end.cast_signed());
        let sql = match (self.with, self.backwards) {
            (None, false) => ALL,
            (None, true) => ALL_BACK,
            (Some(_), false) => CONVERSATION,
            (Some(_), true) => CONVERSATION_BACK,
        };
        let mut statement = db.prepare_cached(sql)?;
        match self.with {
            None => self.read(statement.query(params![account, first, end])?),
            Some(with) => {
                let peer = hash(&with.bare);
                self.read(statement.query(params![account, first, end, peer])?)
            }
        }
    }

    fn read_each(&mut self, db: &Connection, account: i64, ids: &[ArchiveId]) -> Outcome<()> {
        let mut statement = db.prepare_cached(ONE)?;
        let mut ids = ids.to_vec();
        if self.backwards {
            ids.reverse();
        }
        for id in ids {
            self.read(statement.query(params![account, id.0.cast_signed()])?)?;
            if self.over {
                break;
            }
        }
        Ok(())
    }

    fn read(&mut self, mut rows: Rows<'_>) -> Outcome<()> {
        while let Some(row) = rows.next()? {
            let (id, stored) = (ArchiveId(number(row, 0)?), blob(row, 1)?);
            let Some(form) = archive::decode(stored, |peer| fits(self.with, peer))? else {
                continue;
            };
            if self.found.len() >= self.most
                || (stored.len() > self.octets && !self.found.is_empty())
            {
                self.over = true;
                break;
            }
            self.octets = self.octets.saturating_sub(stored.len());
            self.found.push(Archived { id, form });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::migrate;
    use crate::place::Place;

    /// How SQLite goes about a statement.
    fn plan(db: &Connection, sql: &str) -> String {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let parameters = statement.parameter_count();
        let ones = rusqlite::params_from_iter(std::iter::repeat_n(1, parameters));
        let lines = statement
            .query_map(ones, |r| r.get::<_, String>(3))
            .unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    /// However large the archive is, a page is found by a key and read in its order: nothing is sorted and nothing is passed over.
    #[test]
    fn a_page_costs_the_same_in_an_archive_of_any_size() {
        let mut db = Place::memory().writer().unwrap();
        migrate::migrate(&mut db, "memory").unwrap();
        for sql in [ALL, ALL_BACK] {
            let plan = plan(&db, sql);
            assert_eq!(
                plan,
                "SEARCH archive USING PRIMARY KEY (account=? AND id>? AND id<?)"
            );
        }
        for sql in [CONVERSATION, CONVERSATION_BACK] {
            let plan = plan(&db, sql);
            let by = "USING INDEX archive_peer (account=? AND peer=? AND id>? AND id<?)";
            assert_eq!(plan, format!("SEARCH archive {by}"));
        }
        assert_eq!(
            plan(&db, ONE),
            "SEARCH archive USING PRIMARY KEY (account=? AND id=?)"
        );
    }
}
