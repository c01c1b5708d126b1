//! `accounts`: who there is, and their credentials.

use presence::{Bare, Utc};
use rusqlite::{Connection, params};

use super::{Outcome, bare, blob, execute, number, row, rows};
use crate::{AccountSummary, StoredCredentials};

/// What an account's own row says when it is loaded.
pub(crate) struct Head {
    pub(crate) id: i64,
    pub(crate) disabled: bool,
    pub(crate) admin: bool,
    pub(crate) roster_version: u64,
    pub(crate) motd: u64,
}

/// The number of an account.
pub(crate) fn id(db: &Connection, account: &Bare) -> Outcome<Option<i64>> {
    row(
        db,
        "SELECT id FROM accounts WHERE address = ?1",
        [account.as_str()],
        |r| Ok(r.get(0)?),
    )
}

/// Makes one; false when there is one of this address.
pub(crate) fn create(
    db: &Connection,
    account: &Bare,
    scram: &[u8],
    sealed_ha1: &[u8],
    admin: bool,
    created: Utc,
) -> Outcome<bool> {
    let sql = "INSERT INTO accounts (address, scram, sealed_ha1, admin, disabled, created, roster_version) \
               VALUES (?1, ?2, ?3, ?4, 0, ?5, 0) ON CONFLICT (address) DO NOTHING";
    let made = execute(
        db,
        sql,
        params![account.as_str(), scram, sealed_ha1, admin, created.0],
    )?;
    Ok(made == 1)
}

/// Replaces the credentials.
pub(crate) fn set_credentials(
    db: &Connection,
    id: i64,
    scram: &[u8],
    sealed_ha1: &[u8],
) -> Outcome<()> {
    let sql = "UPDATE accounts SET scram = ?2, sealed_ha1 = ?3 WHERE id = ?1";
    execute(db, sql, params![id, scram, sealed_ha1]).map(drop)
}

/// Replaces SCRAM keys by fuller ones of the same password.
pub(crate) fn complete_scram(db: &Connection, id: i64, was: &[u8], scram: &[u8]) -> Outcome<()> {
    let sql = "UPDATE accounts SET scram = ?3 WHERE id = ?1 AND scram = ?2";
    execute(db, sql, params![id, was, scram]).map(drop)
}

/// How many have SCRAM keys whose first octet is this one.
pub(crate) fn count_scram(db: &Connection, format: u8) -> Outcome<u64> {
    let sql = "SELECT COUNT(*) FROM accounts WHERE substr(scram, 1, 1) = ?1";
    let found = row(db, sql, [[format].as_slice()], |r| number(r, 0))?;
    Ok(found.unwrap_or_default())
}

/// Closes or opens.
pub(crate) fn set_disabled(db: &Connection, id: i64, disabled: bool) -> Outcome<()> {
    execute(
        db,
        "UPDATE accounts SET disabled = ?2 WHERE id = ?1",
        params![id, disabled],
    )
    .map(drop)
}

/// Gives or takes rights.
pub(crate) fn set_admin(db: &Connection, id: i64, admin: bool) -> Outcome<()> {
    execute(
        db,
        "UPDATE accounts SET admin = ?2 WHERE id = ?1",
        params![id, admin],
    )
    .map(drop)
}

/// Sets the roster's version.
pub(crate) fn set_roster_version(db: &Connection, id: i64, version: u64) -> Outcome<()> {
    let sql = "UPDATE accounts SET roster_version = ?2 WHERE id = ?1";
    execute(db, sql, params![id, version.cast_signed()]).map(drop)
}

/// It has got this message of the day.
pub(crate) fn set_motd(db: &Connection, id: i64, motd: u64) -> Outcome<()> {
    let sql = "UPDATE accounts SET motd = ?2 WHERE id = ?1";
    execute(db, sql, params![id, motd.cast_signed()]).map(drop)
}

/// Deletes it; the other tables follow by their foreign keys.
pub(crate) fn delete(db: &Connection, id: i64) -> Outcome<()> {
    execute(db, "DELETE FROM accounts WHERE id = ?1", [id]).map(drop)
}

/// The row itself.
pub(crate) fn head(db: &Connection, account: &Bare) -> Outcome<Option<Head>> {
    let sql = "SELECT id, disabled, admin, roster_version, motd FROM accounts WHERE address = ?1";
    row(db, sql, [account.as_str()], |r| {
        Ok(Head {
            id: r.get(0)?,
            disabled: r.get(1)?,
            admin: r.get(2)?,
            roster_version: number(r, 3)?,
            motd: number(r, 4)?,
        })
    })
}

/// What logging in needs.
pub(crate) fn credentials(db: &Connection, account: &Bare) -> Outcome<Option<StoredCredentials>> {
    let sql = "SELECT scram, sealed_ha1, disabled, admin FROM accounts WHERE address = ?1";
    row(db, sql, [account.as_str()], |r| {
        Ok(StoredCredentials {
            scram: blob(r, 0)?.to_vec(),
            sealed_ha1: blob(r, 1)?.to_vec(),
            disabled: r.get(2)?,
            admin: r.get(3)?,
        })
    })
}

/// All of them, by address.
pub(crate) fn list(db: &Connection) -> Outcome<Vec<AccountSummary>> {
    let sql = "SELECT a.address, a.admin, a.disabled, a.created, s.at \
               FROM accounts a LEFT JOIN last_seen s ON s.account = a.id ORDER BY a.address";
    rows(db, sql, [], |r| {
        Ok(AccountSummary {
            account: bare(r, 0)?,
            admin: r.get(1)?,
            disabled: r.get(2)?,
            created: Utc(r.get(3)?),
            last_seen: r.get::<_, Option<i64>>(4)?.map(Utc),
        })
    })
}

/// Those with something that lives on without them. A probe of each table per account reads no publication, where
/// `SELECT DISTINCT` would read them all.
pub(crate) fn residents(db: &Connection) -> Outcome<Vec<Bare>> {
    let sql = "SELECT address FROM accounts a \
               WHERE EXISTS (SELECT 1 FROM publications WHERE account = a.id) \
                  OR EXISTS (SELECT 1 FROM bindings WHERE account = a.id) \
                  OR EXISTS (SELECT 1 FROM watches WHERE presentity = a.id) \
                  OR EXISTS (SELECT 1 FROM last_known WHERE account = a.id) \
               ORDER BY address";
    rows(db, sql, [], |r| bare(r, 0))
}
