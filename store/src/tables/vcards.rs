//! `vcards`: what accounts say about their person (XEP-0054).

use bytes::Bytes;
use presence::directory::{Entry, Wanted};
use presence::{Bare, Card, Facts};
use rusqlite::{Connection, params};

use super::{Outcome, bare, blob, execute, row, rows, text};

/// Makes or replaces one.
pub(crate) fn put(db: &Connection, account: i64, card: &Card) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO vcards (account, name, first, last, nick, email, card) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let facts = &card.facts;
    execute(
        db,
        sql,
        params![
            account,
            facts.name,
            facts.first,
            facts.last,
            facts.nick,
            facts.email,
            &card.xml[..]
        ],
    )
    .map(drop)?;
    match &card.photo {
        Some(hash) => execute(
            db,
            "INSERT OR REPLACE INTO photos (account, hash) VALUES (?1, ?2)",
            params![account, hash],
        ),
        None => execute(db, "DELETE FROM photos WHERE account = ?1", [account]),
    }
    .map(drop)
}

/// Takes it away.
pub(crate) fn remove(db: &Connection, account: i64) -> Outcome<()> {
    execute(db, "DELETE FROM vcards WHERE account = ?1", [account])?;
    execute(db, "DELETE FROM photos WHERE account = ?1", [account]).map(drop)
}

/// Which picture is in the card of an account.
pub(crate) fn photo(db: &Connection, account: i64) -> Outcome<Option<String>> {
    let sql = "SELECT hash FROM photos WHERE account = ?1";
    row(db, sql, [account], |r| text(r, 0).map(str::to_owned))
}

/// The accounts with cards of which no picture is known.
pub(crate) fn without_photo(db: &Connection) -> Outcome<Vec<Bare>> {
    let sql = "SELECT a.address FROM vcards v JOIN accounts a ON a.id = v.account \
               WHERE NOT EXISTS (SELECT 1 FROM photos p WHERE p.account = v.account)";
    rows(db, sql, [], |r| bare(r, 0))
}

/// What the directory knows of one account.
pub(crate) fn facts(db: &Connection, account: i64) -> Outcome<Option<Facts>> {
    let sql = "SELECT name, first, last, nick, email FROM vcards WHERE account = ?1";
    row(db, sql, [account], |r| {
        let fact = |column| text(r, column).map(str::to_owned);
        Ok(Facts {
            name: fact(0)?,
            first: fact(1)?,
            last: fact(2)?,
            nick: fact(3)?,
            email: fact(4)?,
        })
    })
}

/// What an account is to be called: the name in its card, or else what friends call it.
pub(crate) fn display_name(db: &Connection, account: i64) -> Outcome<Option<String>> {
    let sql = "SELECT iif(name <> '', name, nick) FROM vcards WHERE account = ?1";
    let name = row(db, sql, [account], |r| text(r, 0).map(str::to_owned))?;
    Ok(name.filter(|name| !name.is_empty()))
}

/// The same of all accounts whose cards say it.
pub(crate) fn display_names(db: &Connection) -> Outcome<Vec<(Bare, String)>> {
    let sql = "SELECT a.address, iif(v.name <> '', v.name, v.nick) FROM vcards v \
               JOIN accounts a ON a.id = v.account WHERE v.name <> '' OR v.nick <> ''";
    rows(db, sql, [], |r| Ok((bare(r, 0)?, text(r, 1)?.to_owned())))
}

/// The card of one account.
pub(crate) fn load(db: &Connection, account: i64) -> Outcome<Option<Bytes>> {
    let sql = "SELECT card FROM vcards WHERE account = ?1";
    row(db, sql, [account], |r| {
        Ok(Bytes::copy_from_slice(blob(r, 0)?))
    })
}

/// The first accounts of a domain that may be used and fit, by address.
pub(crate) fn search(
    db: &Connection,
    domain: &str,
    wanted: &Wanted,
    most: usize,
) -> Outcome<Vec<Entry>> {
    let sql = "SELECT a.address, v.account IS NULL, v.name, v.first, v.last, v.nick, v.email \
               FROM accounts a LEFT JOIN vcards v ON v.account = a.id WHERE a.disabled = 0 ORDER BY a.address";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while found.len() < most
        && let Some(row) = rows.next()?
    {
        let account: Bare = bare(row, 0)?;
        if account.domain() != domain {
            continue;
        }
        let facts = if row.get(1)? {
            Facts::default()
        } else {
            let fact = |column| text(row, column).map(str::to_owned);
            Facts {
                name: fact(2)?,
                first: fact(3)?,
                last: fact(4)?,
                nick: fact(5)?,
                email: fact(6)?,
            }
        };
        let entry = Entry::new(account, facts);
        if wanted.fits(&entry) {
            found.push(entry);
        }
    }
    Ok(found)
}
