//! `groups`, `group_members`: shared groups made by command.

use rusqlite::{Connection, params};

use super::{Outcome, bare, execute, rows, text};
use crate::record::GroupRecord;

/// Makes a group, or says anew whether everybody is in it.
pub(crate) fn put(db: &Connection, name: &str, everybody: bool) -> Outcome<()> {
    let sql = "INSERT INTO groups (name, everybody) VALUES (?1, ?2) \
               ON CONFLICT (name) DO UPDATE SET everybody = excluded.everybody";
    execute(db, sql, params![name, everybody]).map(drop)
}

/// Removes it with all its members.
pub(crate) fn remove(db: &Connection, name: &str) -> Outcome<()> {
    execute(db, "DELETE FROM groups WHERE name = ?1", [name]).map(drop)
}

/// Puts an account into a group; nothing happens where there is no such group.
pub(crate) fn join(db: &Connection, name: &str, account: i64) -> Outcome<()> {
    let sql = "INSERT OR IGNORE INTO group_members (in_group, account) SELECT id, ?2 FROM groups WHERE name = ?1";
    execute(db, sql, params![name, account]).map(drop)
}

/// Takes it out.
pub(crate) fn leave(db: &Connection, name: &str, account: i64) -> Outcome<()> {
    let sql = "DELETE FROM group_members WHERE account = ?2 \
               AND in_group = (SELECT id FROM groups WHERE name = ?1)";
    execute(db, sql, params![name, account]).map(drop)
}

/// All, by name, with their members by address.
pub(crate) fn list(db: &Connection) -> Outcome<Vec<GroupRecord>> {
    let mut groups = rows(
        db,
        "SELECT name, everybody FROM groups ORDER BY name",
        [],
        |r| {
            Ok(GroupRecord {
                name: text(r, 0)?.to_owned(),
                everybody: r.get(1)?,
                members: Vec::new(),
            })
        },
    )?;
    let sql = "SELECT g.name, a.address FROM group_members m JOIN groups g ON g.id = m.in_group \
               JOIN accounts a ON a.id = m.account ORDER BY g.name, a.address";
    let mut at = 0;
    rows(db, sql, [], |r| {
        let name = text(r, 0)?;
        while groups.get(at).is_some_and(|g| g.name != name) {
            at += 1;
        }
        let member = bare(r, 1)?;
        if let Some(group) = groups.get_mut(at) {
            group.members.push(member);
        }
        Ok(())
    })?;
    Ok(groups)
}
