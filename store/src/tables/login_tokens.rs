//! `login_tokens`: what clients log in with instead of a password.

use presence::Utc;
use rusqlite::{Connection, Row, params};

use super::{Outcome, blob, execute, number, rows};
use crate::{KEPT_EXPIRED, LoginToken, REVOKED, StoreError};

/// Keeps a token that was just issued, in place of one that was never used; false where the account may not log in. What has expired
/// long ago goes, and so do the clients above `most`: those without a token that is good first, then those that got theirs longest ago.
pub(crate) fn put(db: &Connection, account: i64, token: &LoginToken, most: u32) -> Outcome<bool> {
    let sql = "INSERT OR REPLACE INTO login_tokens \
                   (account, client, used, mechanism, nonce, password, issued, expires, count) \
               SELECT id, ?2, 0, ?3, ?4, ?5, ?6, ?7, 0 FROM accounts WHERE id = ?1 AND disabled = 0";
    let made = execute(
        db,
        sql,
        params![
            account,
            token.client,
            token.mechanism,
            token.nonce,
            token.password,
            token.issued.0,
            token.expires.0
        ],
    )?;
    if made == 0 {
        return Ok(false);
    }
    let sql = "DELETE FROM login_tokens WHERE account = ?1 AND expires <= ?2";
    let long_ago = token.issued.0.saturating_sub(KEPT_EXPIRED);
    execute(db, sql, params![account, long_ago])?;
    let sql = "DELETE FROM login_tokens WHERE account = ?1 AND client <> ?2 AND client NOT IN \
                   (SELECT client FROM login_tokens WHERE account = ?1 AND client <> ?2 GROUP BY client \
                    ORDER BY MAX(expires > ?3 AND password = ?4) DESC, MAX(issued) DESC, client DESC LIMIT ?5)";
    let others = most.saturating_sub(1);
    let (now, password) = (token.issued.0, token.password);
    execute(
        db,
        sql,
        params![account, token.client, now, password, others],
    )?;
    Ok(true)
}

/// Marks a token as used, with the count that came with it: what was issued before it is gone, and what expires before it. False when it
/// is not there any more, was revoked, or has had that count.
pub(crate) fn mark(
    db: &Connection,
    account: i64,
    client: &[u8; 16],
    nonce: &[u8; 16],
    count: Option<u64>,
) -> Outcome<bool> {
    let sql = "DELETE FROM login_tokens WHERE account = ?1 AND client = ?2 AND EXISTS \
                   (SELECT 1 FROM login_tokens AS it WHERE it.account = ?1 AND it.client = ?2 AND it.nonce = ?3 \
                    AND it.used <> login_tokens.used AND (it.used = 0 OR it.expires > login_tokens.expires))";
    execute(db, sql, params![account, client, nonce])?;
    let sql = "UPDATE login_tokens SET used = 1, count = COALESCE(?4, count) \
               WHERE account = ?1 AND client = ?2 AND nonce = ?3 AND password <> ?5 AND (?4 IS NULL OR count < ?4)";
    let count = count.map(u64::cast_signed);
    let marked = execute(db, sql, params![account, client, nonce, count, REVOKED])?;
    Ok(marked == 1)
}

/// Makes all tokens of a client good for nothing, by one of them with the count that came with it. False as for [`mark`].
pub(crate) fn revoke(
    db: &Connection,
    account: i64,
    client: &[u8; 16],
    nonce: &[u8; 16],
    count: Option<u64>,
) -> Outcome<bool> {
    let sql = "UPDATE login_tokens SET password = ?5 WHERE account = ?1 AND client = ?2 AND EXISTS \
                   (SELECT 1 FROM login_tokens WHERE account = ?1 AND client = ?2 AND nonce = ?3 \
                    AND password <> ?5 AND (?4 IS NULL OR count < ?4))";
    let count = count.map(u64::cast_signed);
    let revoked = execute(db, sql, params![account, client, nonce, count, REVOKED])?;
    Ok(revoked > 0)
}

/// Makes all tokens of an account good for nothing.
pub(crate) fn revoke_all(db: &Connection, account: i64) -> Outcome<()> {
    let sql = "UPDATE login_tokens SET password = ?2 WHERE account = ?1";
    execute(db, sql, params![account, REVOKED]).map(drop)
}

/// The tokens of a client, one that was never used first.
pub(crate) fn of_client(
    db: &Connection,
    account: i64,
    client: &[u8; 16],
) -> Outcome<Vec<LoginToken>> {
    let sql = "SELECT client, used, mechanism, nonce, password, issued, expires, count \
               FROM login_tokens WHERE account = ?1 AND client = ?2 ORDER BY used";
    rows(db, sql, params![account, client], read)
}

fn read(r: &Row<'_>) -> Outcome<LoginToken> {
    Ok(LoginToken {
        client: octets(r, 0)?,
        used: r.get(1)?,
        mechanism: r.get(2)?,
        nonce: octets(r, 3)?,
        password: octets(r, 4)?,
        issued: Utc(r.get(5)?),
        expires: Utc(r.get(6)?),
        count: number(r, 7)?,
    })
}

fn octets(r: &Row<'_>, column: usize) -> Outcome<[u8; 16]> {
    blob(r, column)?
        .try_into()
        .map_err(|_| StoreError::Corrupt("a login token has a part of the wrong length".into()))
}
