//! `archive`: the messages of accounts, in the order of time (XEP-0313).

//!
//! What is indexed is found by the index and read from the log. What is not yet lies above it, at the end of the log: which of that is whose
//! stands in memory ([`Tail`]). Who began to read too long ago for that looks through it; it is few messages.

use presence::{Address, ArchiveId, ArchivePage, ArchiveQuery, Archived, Utc};
use rusqlite::{Connection, Rows, params};

use super::archive_log::hash;
use super::{Outcome, blob, number, row, state};
use crate::codec::archive;
use crate::tail::Tail;

/// What archives are read from: the database, and the end of its log as it stands in memory.
pub(crate) type From<'a> = (&'a Connection, &'a Tail);

/// The numbers of the first and of the last message.
pub(crate) fn ends((db, tail): From<'_>, account: i64) -> Outcome<Option<(ArchiveId, ArchiveId)>> {
    let indexed = state::archive_indexed(db)?;
    let own = tail.of(account, indexed, indexed.saturating_add(1)..i64::MAX, None);
    let end = |sql: &str| {
        row(db, sql, [account, indexed], |r| {
            Ok(ArchiveId(number(r, 0)?))
        })
    };
    let of_index = |order: &str| {
        format!(
            "SELECT id FROM archive WHERE account = ?1 AND id <= ?2 ORDER BY id {order} LIMIT 1"
        )
    };
    let of_tail = |order: &str| {
        format!(
            "SELECT id FROM archive_log WHERE id > ?2 AND (sender = ?1 OR recipient = ?1) \
             ORDER BY id {order} LIMIT 1"
        )
    };
    let at_end = |backwards: bool| match &own {
        Some(own) if backwards => there(db, account, own.iter().rev()),
        Some(own) => there(db, account, own.iter()),
        None => end(&of_tail(if backwards { "DESC" } else { "" })),
    };
    let first = match end(&of_index(""))? {
        Some(first) => Some(first),
        None => at_end(false)?,
    };
    let last = match at_end(true)? {
        Some(last) => Some(last),
        None => end(&of_index("DESC"))?,
    };
    Ok(first.zip(last))
}

/// The first of these that is in the archive.
fn there<'a>(
    db: &Connection,
    account: i64,
    ids: impl Iterator<Item = &'a i64>,
) -> Outcome<Option<ArchiveId>> {
    for id in ids {
        let id = ArchiveId(id.cast_unsigned());
        if exists(db, account, id)? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// One page: `most` messages and about so many octets, but one message at least where there is one. `None` when a message that the
/// question names is not there.
pub(crate) fn page(
    from: From<'_>,
    account: i64,
    query: &ArchiveQuery,
    most: usize,
    octets: usize,
) -> Outcome<Option<ArchivePage>> {
    let db = from.0;
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
            return count_each(db, account, query, ids).map(|n| Some(counted(n)));
        }
        if page.backwards {
            ids.reverse();
        }
        page.read_each(db, account, ids.iter().map(|id| id.0.cast_signed()))?;
    } else if query.max == Some(0) {
        return count(from, account, query, &range).map(|n| Some(counted(n)));
    } else if !range.is_empty() {
        page.read_range(from, account, &range)?;
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
    let sql = "SELECT 1 FROM archive_log WHERE id = ?2 AND (sender = ?1 OR recipient = ?1)";
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

/// More than these are counted faster by looking through all.
const FEW: usize = 512;

fn count(from: From<'_>, account: i64, query: &ArchiveQuery, range: &Range) -> Outcome<u64> {
    let db = from.0;
    let peer = query.with.as_ref().map(|with| hash(&with.bare));
    let full = query.with.as_ref().filter(|with| !with.is_bare());
    let mut found = 0;
    for part in parts(from, (account, peer), range, false)? {
        found += match (&part.own, full) {
            (Some(own), _) if own.len() <= FEW => {
                let own = own.iter().map(|id| ArchiveId(id.cast_unsigned()));
                count_each(db, account, query, own)?
            }
            (_, Some(with)) => count_with(db, account, with, &part)?,
            _ => count_part(db, account, peer, &part)?,
        };
    }
    Ok(found)
}

/// What was exchanged with one full address, which stands in the messages alone.
fn count_with(db: &Connection, account: i64, with: &Address, part: &Part) -> Outcome<u64> {
    let (first, end) = (part.range.first.cast_signed(), part.range.end.cast_signed());
    let mut statement = db.prepare_cached(part.conversation)?;
    let mut rows = statement.query([account, first, end, hash(&with.bare)])?;
    let mut found = 0;
    while let Some(row) = rows.next()? {
        let fits = |peer: &Address| fits(Some(with), peer);
        let form = archive::decode(blob(row, 1)?, row.get(2)?, fits)?;
        found += u64::from(form.is_some());
    }
    Ok(found)
}

fn count_part(db: &Connection, account: i64, peer: Option<i64>, part: &Part) -> Outcome<u64> {
    let (first, end) = (part.range.first.cast_signed(), part.range.end.cast_signed());
    let found = match peer {
        None => row(db, part.count, [account, first, end], |r| number(r, 0)),
        Some(peer) => {
            let given = [account, first, end, peer];
            row(db, part.count_conversation, given, |r| number(r, 0))
        }
    };
    Ok(found?.unwrap_or_default())
}

fn count_each(
    db: &Connection,
    account: i64,
    query: &ArchiveQuery,
    ids: impl IntoIterator<Item = ArchiveId>,
) -> Outcome<u64> {
    let mut found = 0;
    for id in ids {
        let params = params![account, id.0.cast_signed()];
        let there = row(db, ONE, params, |r| {
            let fits = |peer: &Address| fits(query.with.as_ref(), peer);
            Ok(archive::decode(blob(r, 1)?, r.get(2)?, fits)?.is_some())
        })?;
        found += u64::from(there == Some(true));
    }
    Ok(found)
}

/// A part of an archive, and how it is read. All give number, message, and whether it was received (where somebody wrote to himself it was).
struct Part {
    range: Range,
    /// The numbers of its messages in the order of reading, where they are known; some may not be there (any more).
    own: Option<Vec<i64>>,
    all: &'static str,
    conversation: &'static str,
    count: &'static str,
    count_conversation: &'static str,
}

/// The parts in the order of reading.
fn parts(
    (db, tail): From<'_>,
    (account, peer): (i64, Option<i64>),
    range: &Range,
    backwards: bool,
) -> Outcome<Vec<Part>> {
    let complete = state::archive_indexed(db)?;
    let above = complete.cast_unsigned().saturating_add(1);
    let behind = Range {
        first: range.first.max(above),
        end: range.end,
    };
    let own = tail.of(
        account,
        complete,
        behind.first.cast_signed()..behind.end.cast_signed(),
        peer,
    );
    let indexed = Part {
        range: Range {
            first: range.first,
            end: range.end.min(above),
        },
        own: None,
        all: if backwards { ALL_BACK } else { ALL },
        conversation: if backwards {
            CONVERSATION_BACK
        } else {
            CONVERSATION
        },
        count: "SELECT COUNT(*) FROM archive WHERE account = ?1 AND id >= ?2 AND id < ?3",
        count_conversation: "SELECT COUNT(*) FROM archive INDEXED BY archive_peer \
                             WHERE account = ?1 AND peer = ?4 AND id >= ?2 AND id < ?3",
    };
    let tail = Part {
        range: behind,
        own: own.map(|mut own| {
            if backwards {
                own.reverse();
            }
            own
        }),
        all: if backwards { TAIL_BACK } else { TAIL },
        conversation: if backwards {
            TAIL_CONVERSATION_BACK
        } else {
            TAIL_CONVERSATION
        },
        count: "SELECT COUNT(*) FROM archive_log \
                WHERE id >= ?2 AND id < ?3 AND (sender = ?1 OR recipient = ?1)",
        count_conversation: "SELECT COUNT(*) FROM archive_log WHERE id >= ?2 AND id < ?3 AND \
                             ((recipient = ?1 AND from_hash = ?4) OR (sender = ?1 AND to_hash = ?4))",
    };
    let mut parts = vec![indexed, tail];
    if backwards {
        parts.reverse();
    }
    parts.retain(|part| !part.range.is_empty());
    Ok(parts)
}

/// The text of a statement on the index or on the tail of the log.
macro_rules! sql {
    (index $by:literal, $which:literal, $order:literal) => {
        concat!(
            "SELECT l.id, l.message, l.recipient = ?1 FROM archive a ",
            $by,
            " CROSS JOIN archive_log l ON l.id = a.id WHERE a.account = ?1 AND ",
            $which,
            "a.id >= ?2 AND a.id < ?3 ORDER BY a.id",
            $order
        )
    };
    (tail $which:literal, $order:literal) => {
        concat!(
            "SELECT id, message, recipient = ?1 FROM archive_log WHERE id >= ?2 AND id < ?3 AND (",
            $which,
            ") ORDER BY id",
            $order
        )
    };
}

const ONE: &str = "SELECT id, message, recipient = ?1 FROM archive_log \
                   WHERE id = ?2 AND (sender = ?1 OR recipient = ?1)";
const ALL: &str = sql!(index "", "", "");
const ALL_BACK: &str = sql!(index "", "", " DESC");
const CONVERSATION: &str = sql!(index "INDEXED BY archive_peer", "a.peer = ?4 AND ", "");
const CONVERSATION_BACK: &str = sql!(index "INDEXED BY archive_peer", "a.peer = ?4 AND ", " DESC");
const TAIL: &str = sql!(tail "sender = ?1 OR recipient = ?1", "");
const TAIL_BACK: &str = sql!(tail "sender = ?1 OR recipient = ?1", " DESC");
const TAIL_CONVERSATION: &str =
    sql!(tail "(recipient = ?1 AND from_hash = ?4) OR (sender = ?1 AND to_hash = ?4)", "");
const TAIL_CONVERSATION_BACK: &str =
    sql!(tail "(recipient = ?1 AND from_hash = ?4) OR (sender = ?1 AND to_hash = ?4)", " DESC");

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
    fn read_range(&mut self, from: From<'_>, account: i64, range: &Range) -> Outcome<()> {
        let db = from.0;
        let peer = self.with.map(|with| hash(&with.bare));
        for part in parts(from, (account, peer), range, self.backwards)? {
            let (first, end) = (part.range.first.cast_signed(), part.range.end.cast_signed());
            match self.with {
                _ if part.own.is_some() => {
                    let own = part.own.iter().flatten();
                    self.read_each(db, account, own.copied())?;
                }
                None => {
                    let mut statement = db.prepare_cached(part.all)?;
                    self.read(statement.query([account, first, end])?)?;
                }
                Some(with) => {
                    let mut statement = db.prepare_cached(part.conversation)?;
                    self.read(statement.query([account, first, end, hash(&with.bare)])?)?;
                }
            }
            if self.over {
                break;
            }
        }
        Ok(())
    }

    /// `ids`: in the order of reading.
    fn read_each(
        &mut self,
        db: &Connection,
        account: i64,
        ids: impl IntoIterator<Item = i64>,
    ) -> Outcome<()> {
        let mut statement = db.prepare_cached(ONE)?;
        for id in ids {
            self.read(statement.query([account, id])?)?;
            if self.over {
                break;
            }
        }
        Ok(())
    }

    fn read(&mut self, mut rows: Rows<'_>) -> Outcome<()> {
        while let Some(row) = rows.next()? {
            let (id, stored) = (ArchiveId(number(row, 0)?), blob(row, 1)?);
            let fits = |peer: &Address| fits(self.with, peer);
            let Some(form) = archive::decode(stored, row.get(2)?, fits)? else {
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
        let log = "SEARCH l USING INTEGER PRIMARY KEY (rowid=?)";
        let by = "SEARCH a USING PRIMARY KEY (account=? AND id>? AND id<?)";
        for sql in [ALL, ALL_BACK] {
            assert_eq!(plan(&db, sql), format!("{by}; {log}"));
        }
        let by =
            "SEARCH a USING COVERING INDEX archive_peer (account=? AND peer=? AND id>? AND id<?)";
        for sql in [CONVERSATION, CONVERSATION_BACK] {
            assert_eq!(plan(&db, sql), format!("{by}; {log}"));
        }
        let tail = "SEARCH archive_log USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)";
        for sql in [TAIL, TAIL_BACK, TAIL_CONVERSATION, TAIL_CONVERSATION_BACK] {
            assert_eq!(plan(&db, sql), tail);
        }
        assert_eq!(
            plan(&db, ONE),
            "SEARCH archive_log USING INTEGER PRIMARY KEY (rowid=?)"
        );
    }
}
