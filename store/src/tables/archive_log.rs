//! `archive_log` with what follows it: messages go in once for both sides, stand in `archive` some time later, and go out when they are too
//! old or their account is gone.

use presence::{ArchiveId, Bare, Message};
use rusqlite::{Connection, Row, params};

use super::{Outcome, execute, number, row, rows};
use crate::codec::archive;
use crate::tail::Tail;

/// An address as a number. Two may have the same: what is read is compared with the address itself.
pub(super) fn hash(address: &Bare) -> i64 {
    // FNV-1a: stored, so it must be the same for ever.
    let step = |hash: u64, octet: &u8| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
    let octets = address.as_str().as_bytes();
    octets
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, step)
        .cast_signed()
}

/// A row of the index; rows are sorted by account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) account: i64,
    pub(crate) id: i64,
    pub(crate) peer: i64,
}

/// A row of the log but for the message.
struct Sides {
    id: i64,
    sender: i64,
    recipient: i64,
    from: i64,
    to: i64,
}

impl Sides {
    fn read(row: &Row<'_>) -> Outcome<Self> {
        Ok(Self {
            id: row.get(0)?,
            sender: row.get(1)?,
            recipient: row.get(2)?,
            from: row.get(3)?,
            to: row.get(4)?,
        })
    }

    /// Its rows in the index: one where somebody wrote to himself.
    fn entries(&self) -> impl Iterator<Item = Entry> {
        let id = self.id;
        let entry = move |account, peer| Entry { account, id, peer };
        let sent = (self.sender != 0 && self.sender != self.recipient)
            .then(|| entry(self.sender, self.to));
        let received = (self.recipient != 0).then(|| entry(self.recipient, self.from));
        sent.into_iter().chain(received)
    }
}

/// Puts a message into the archives of these accounts (0: not there). `buffer` is used for what is written. `indexed`: it is put into the index at
/// once, since that is complete beyond its number already. Readers find it by `tail` from the moment on when it is committed.
pub(crate) fn put(
    db: &Connection,
    id: ArchiveId,
    (sender, recipient): (i64, i64),
    message: &Message,
    buffer: &mut Vec<u8>,
    indexed: bool,
    tail: &Tail,
) -> Outcome<()> {
    let sides = Sides {
        id: id.0.cast_signed(),
        sender,
        recipient,
        from: hash(&message.from.bare),
        to: hash(&message.to.bare),
    };
    archive::encode(buffer, message);
    tail.put(sides.entries());
    let sql = "INSERT INTO archive_log (id, sender, recipient, from_hash, to_hash, message) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let Sides { id, from, to, .. } = sides;
    execute(db, sql, params![id, sender, recipient, from, to, &*buffer])?;
    if indexed {
        sides.entries().try_for_each(|entry| index(db, &[entry]))?;
    }
    Ok(())
}

/// Rows into the index. Some may be there: of what was begun before a crash.
pub(crate) fn index<'a>(
    db: &Connection,
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Outcome<()> {
    let sql = "INSERT OR IGNORE INTO archive (account, id, peer) VALUES (?1, ?2, ?3)";
    let mut statement = db.prepare_cached(sql)?;
    for entry in entries {
        statement.execute([entry.account, entry.id, entry.peer])?;
    }
    Ok(())
}

/// What is to be put into the index.
pub(crate) struct Unindexed {
    pub(crate) entries: Vec<Entry>,
    /// Of so many messages,
    pub(crate) messages: usize,
    /// the last of which is this one.
    pub(crate) last: i64,
}

/// What the first `most` messages above a number put into the index; `None` where there are none.
pub(crate) fn unindexed(db: &Connection, above: i64, most: usize) -> Outcome<Option<Unindexed>> {
    let sql = "SELECT id, sender, recipient, from_hash, to_hash FROM archive_log \
               WHERE id > ?1 ORDER BY id LIMIT ?2";
    let sides = rows(db, sql, params![above, most as i64], Sides::read)?;
    Ok(sides.last().map(|last| Unindexed {
        entries: sides.iter().flat_map(Sides::entries).collect(),
        messages: sides.len(),
        last: last.id,
    }))
}

/// How many messages stand above a number.
pub(crate) fn count_above(db: &Connection, above: i64) -> Outcome<usize> {
    let sql = "SELECT COUNT(*) FROM archive_log WHERE id > ?1";
    let found = row(db, sql, [above], |r| number(r, 0))?;
    Ok(found.unwrap_or_default() as usize)
}

/// The number of the oldest message of all archives.
pub(crate) fn first(db: &Connection) -> Outcome<Option<ArchiveId>> {
    let sql = "SELECT id FROM archive_log ORDER BY id LIMIT 1";
    row(db, sql, [], |r| Ok(ArchiveId(number(r, 0)?)))
}

/// Removes the first messages below a number from all archives, `most` of them; the number of the last one that is removed.
pub(crate) fn prune(db: &Connection, below: ArchiveId, most: u64) -> Outcome<Option<i64>> {
    let sql = "SELECT id, sender, recipient, from_hash, to_hash FROM archive_log \
               WHERE id < ?1 ORDER BY id LIMIT ?2";
    let below = below.0.cast_signed();
    let sides = rows(db, sql, params![below, most.cast_signed()], Sides::read)?;
    let Some(last) = sides.last().map(|sides| sides.id) else {
        return Ok(None);
    };
    let mut entries: Vec<_> = sides.iter().flat_map(Sides::entries).collect();
    entries.sort_unstable();
    let mut statement = db.prepare_cached("DELETE FROM archive WHERE account = ?1 AND id = ?2")?;
    for entry in entries {
        statement.execute([entry.account, entry.id])?;
    }
    execute(db, "DELETE FROM archive_log WHERE id <= ?1", [last])?;
    Ok(Some(last))
}

/// An account is deleted: its messages, all below that number, are removed later.
pub(crate) fn leave(db: &Connection, account: i64, below: ArchiveId) -> Outcome<()> {
    let sql = "INSERT INTO archive_gone (account, last) VALUES (?1, ?2)";
    execute(db, sql, [account, below.0.cast_signed()]).map(drop)
}

/// Are there messages of accounts that were deleted?
pub(crate) fn any_gone(db: &Connection) -> Outcome<bool> {
    let gone = row(db, "SELECT 1 FROM archive_gone LIMIT 1", [], |_| Ok(()))?;
    Ok(gone.is_some())
}

/// Removes `most` messages of an account that was deleted, as far as they stand in the index, which is complete up to `indexed`. The other
/// side keeps what it has. False: what is left is not indexed.
pub(crate) fn clear_gone(db: &Connection, indexed: i64, most: usize) -> Outcome<bool> {
    let sql = "SELECT account, last FROM archive_gone LIMIT 1";
    let Some((account, last)) = row(db, sql, [], |r| Ok((r.get(0)?, r.get(1)?)))? else {
        return Ok(true);
    };
    let sql = "SELECT id FROM archive WHERE account = ?1 ORDER BY id LIMIT ?2";
    let ids: Vec<i64> = rows(db, sql, [account, most as i64], |r| Ok(r.get(0)?))?;
    for id in &ids {
        let alone =
            "DELETE FROM archive_log WHERE id = ?2 AND sender IN (0, ?1) AND recipient IN (0, ?1)";
        if execute(db, alone, [account, *id])? == 0 {
            let sql = "UPDATE archive_log SET sender = iif(sender = ?1, 0, sender), \
                       recipient = iif(recipient = ?1, 0, recipient) WHERE id = ?2";
            execute(db, sql, [account, *id])?;
        }
    }
    if let Some(id) = ids.last() {
        let sql = "DELETE FROM archive WHERE account = ?1 AND id <= ?2";
        execute(db, sql, [account, *id])?;
    }
    if ids.len() >= most {
        return Ok(true);
    }
    let sql = "SELECT 1 FROM archive_log WHERE id > ?1 AND id < ?2 LIMIT 1";
    let complete = row(db, sql, [indexed, last], |_| Ok(()))?.is_none();
    if complete {
        execute(db, "DELETE FROM archive_gone WHERE account = ?1", [account])?;
    }
    Ok(complete)
}
