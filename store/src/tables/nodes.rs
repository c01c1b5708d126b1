//! `nodes`, `items`, `affiliations` and `subscriptions`: publish-subscribe at accounts (XEP-0060, XEP-0163).

use std::sync::Arc;

use bytes::Bytes;
use presence::{Address, Bare, Resource, Utc};
use rusqlite::{Connection, Row, params};

use super::{Outcome, bare, blob, execute, number, row, rows, text};
use crate::record::{ItemHead, LastItem, NodeItem, NodeOwner, NodeRecord, NodeSubscriber};
use crate::tables::{accounts, blocks};
use crate::{StoreError, codec};

/// Makes a node or changes its configuration.
pub(crate) fn put(
    db: &Connection,
    account: i64,
    node: &str,
    config: &[u8],
    lifetime: Option<u32>,
) -> Outcome<()> {
    let sql = "INSERT INTO nodes (account, name, config, lifetime) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (account, name) \
               DO UPDATE SET config = excluded.config, lifetime = excluded.lifetime";
    execute(db, sql, params![account, node, config, lifetime]).map(drop)
}

/// Takes a node away, with all that belongs to it.
pub(crate) fn remove(db: &Connection, account: i64, node: &str) -> Outcome<()> {
    let sql = "DELETE FROM nodes WHERE account = ?1 AND name = ?2";
    execute(db, sql, params![account, node]).map(drop)
}

/// Keeps an item.
pub(crate) fn put_item(db: &Connection, account: i64, node: &str, item: &NodeItem) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO items (account, node, seq, id, publisher, at, size, payload) \
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 \
               WHERE EXISTS (SELECT 1 FROM nodes WHERE account = ?1 AND name = ?2)";
    let params = params![
        account,
        node,
        item.seq.cast_signed(),
        &*item.id,
        item.publisher.as_ref().map(Bare::as_str),
        item.at.0,
        item.payload.len() as i64,
        &item.payload[..]
    ];
    execute(db, sql, params).map(drop)
}

/// Takes an item away.
pub(crate) fn remove_item(db: &Connection, account: i64, node: &str, seq: u64) -> Outcome<()> {
    let sql = "DELETE FROM items WHERE account = ?1 AND node = ?2 AND seq = ?3";
    execute(db, sql, params![account, node, seq.cast_signed()]).map(drop)
}

/// Takes all items away.
pub(crate) fn purge(db: &Connection, account: i64, node: &str) -> Outcome<()> {
    let sql = "DELETE FROM items WHERE account = ?1 AND node = ?2";
    execute(db, sql, params![account, node]).map(drop)
}

/// Sets or takes away what somebody is to a node.
pub(crate) fn affiliate(
    db: &Connection,
    account: i64,
    node: &str,
    who: &Bare,
    affiliation: Option<u8>,
) -> Outcome<()> {
    let (put, remove) = (
        "INSERT OR REPLACE INTO affiliations (account, node, who, affiliation) SELECT ?1, ?2, ?3, ?4 \
         WHERE EXISTS (SELECT 1 FROM nodes WHERE account = ?1 AND name = ?2)",
        "DELETE FROM affiliations WHERE account = ?1 AND node = ?2 AND who = ?3",
    );
    match affiliation {
        Some(number) => execute(db, put, params![account, node, who.as_str(), number]),
        None => execute(db, remove, params![account, node, who.as_str()]),
    }
    .map(drop)
}

/// Sets or takes away a subscription.
pub(crate) fn subscribe(
    db: &Connection,
    account: i64,
    node: &str,
    who: &Address,
    state: Option<NodeSubscriber>,
) -> Outcome<()> {
    let (put, remove) = (
        "INSERT OR REPLACE INTO subscriptions (account, node, who, state, options, until) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM nodes WHERE account = ?1 AND name = ?2)",
        "DELETE FROM subscriptions WHERE account = ?1 AND node = ?2 AND who = ?3",
    );
    let who = who.to_string();
    match state {
        Some(now) => {
            let until = now.until.map(|until| until.0);
            let params = params![account, node, who, now.state, now.options, until];
            execute(db, put, params)
        }
        None => execute(db, remove, params![account, node, who]),
    }
    .map(drop)
}

/// All nodes of an account, by name, without payloads.
pub(crate) fn load(db: &Connection, account: i64) -> Outcome<Vec<NodeRecord>> {
    let mut nodes = names(db, account)?;
    for node in &mut nodes {
        let key = params![account, &*node.name];
        let sql =
            "SELECT seq, id, at, size FROM items WHERE account = ?1 AND node = ?2 ORDER BY seq";
        node.items = rows(db, sql, key, |r| {
            Ok(ItemHead {
                seq: number(r, 0)?,
                id: text(r, 1)?.into(),
                at: Utc(r.get(2)?),
                size: number(r, 3)?,
            })
        })?;
        let sql = "SELECT who, affiliation FROM affiliations WHERE account = ?1 AND node = ?2 ORDER BY who";
        node.affiliations = rows(db, sql, key, |r| Ok((bare(r, 0)?, r.get(1)?)))?;
        let sql = "SELECT who, state, options, until FROM subscriptions \
                   WHERE account = ?1 AND node = ?2 ORDER BY who";
        node.subscriptions = rows(db, sql, key, |r| {
            let subscriber = NodeSubscriber {
                state: r.get(1)?,
                options: r.get(2)?,
                until: r.get::<_, Option<i64>>(3)?.map(Utc),
            };
            Ok((address(text(r, 0)?), subscriber))
        })?;
    }
    Ok(nodes)
}

fn names(db: &Connection, account: i64) -> Outcome<Vec<NodeRecord>> {
    let sql = "SELECT name, config FROM nodes WHERE account = ?1 ORDER BY name";
    rows(db, sql, [account], |r| {
        Ok(NodeRecord {
            name: text(r, 0)?.into(),
            config: blob(r, 1)?.to_vec(),
            affiliations: Vec::new(),
            subscriptions: Vec::new(),
            items: Vec::new(),
        })
    })
}

/// An address of our own storage.
fn address(text: &str) -> Address {
    match text.split_once('/') {
        Some((bare, resource)) => Bare::from_prepared(bare).with(Resource::from_prepared(resource)),
        None => Bare::from_prepared(text).into(),
    }
}

/// Items of a node by their numbers.
pub(crate) fn items(
    db: &Connection,
    account: i64,
    node: &str,
    seqs: &[u64],
) -> Outcome<Vec<NodeItem>> {
    let sql = "SELECT seq, id, publisher, at, payload FROM items \
               WHERE account = ?1 AND node = ?2 AND seq = ?3";
    let mut found = Vec::with_capacity(seqs.len());
    for seq in seqs {
        let key = params![account, node, seq.cast_signed()];
        found.extend(row(db, sql, key, |r| item(r, 0))?);
    }
    Ok(found)
}

fn item(r: &Row<'_>, first: usize) -> Outcome<NodeItem> {
    let publisher = r.get_ref(first + 2)?.as_str_or_null();
    let publisher = publisher.map_err(rusqlite::Error::from)?;
    Ok(NodeItem {
        seq: number(r, first)?,
        id: Arc::from(text(r, first + 1)?),
        publisher: publisher.map(Bare::from_prepared),
        at: Utc(r.get(first + 3)?),
        payload: Bytes::copy_from_slice(blob(r, first + 4)?),
    })
}

/// The accounts that have nodes.
pub(crate) fn owners(db: &Connection, pending: u8) -> Outcome<Vec<NodeOwner>> {
    let sql = "SELECT address, \
               EXISTS (SELECT 1 FROM subscriptions WHERE account = a.id AND state = ?1), \
               (SELECT MIN(at / 1000 + lifetime) FROM nodes \
                JOIN items ON items.account = nodes.account AND items.node = nodes.name \
                WHERE nodes.account = a.id AND lifetime IS NOT NULL), \
               (SELECT MIN(until) FROM subscriptions WHERE account = a.id AND until IS NOT NULL) \
               FROM accounts AS a WHERE EXISTS (SELECT 1 FROM nodes WHERE account = a.id) \
               ORDER BY address";
    rows(db, sql, [pending], |r| {
        let items = r.get::<_, Option<i64>>(2)?.map(|seconds| seconds * 1000);
        let subscriptions: Option<i64> = r.get(3)?;
        Ok(NodeOwner {
            account: bare(r, 0)?,
            asked: r.get(1)?,
            due: items.into_iter().chain(subscriptions).min().map(Utc),
        })
    })
}

/// The last items of those nodes of an account that somebody wants, with what decides whether he may have them.
pub(crate) fn last(
    db: &Connection,
    owner: &Bare,
    watcher: &Address,
    wants: &dyn Fn(&str) -> bool,
    found: &mut Vec<LastItem>,
) -> Outcome<()> {
    let Some(account) = accounts::id(db, owner)? else {
        return Ok(());
    };
    let nodes = names(db, account)?;
    if !nodes.iter().any(|n| wants(&n.name)) {
        return Ok(());
    }
    if blocks::load(db, account)?.blocks(owner, watcher) {
        return Ok(());
    }
    let watcher = &watcher.bare;
    let sql = "SELECT subscription, groups FROM roster WHERE account = ?1 AND contact = ?2";
    let standing = row(db, sql, params![account, watcher.as_str()], |r| {
        let subscription: i64 = r.get(0)?;
        let groups = blob(r, 1)?;
        let groups = if groups.is_empty() {
            Vec::new()
        } else {
            codec::decode_texts(groups).map_err(StoreError::from)?
        };
        Ok((subscription & 2 != 0, groups))
    })?;
    let (sees, groups) = standing.unwrap_or_default();
    let sql = "SELECT allow FROM grants WHERE account = ?1 AND watcher = ?2";
    let key = params![account, watcher.as_str()];
    let denied = row(db, sql, key, |r| Ok(!r.get::<_, bool>(0)?))?.unwrap_or_default();
    for node in nodes.into_iter().filter(|n| wants(&n.name)) {
        let sql = "SELECT seq, id, publisher, at, payload, \
                   (SELECT affiliation FROM affiliations WHERE account = ?1 AND node = ?2 AND who = ?3), \
                   (SELECT MAX(state) FROM subscriptions WHERE account = ?1 AND node = ?2 \
                    AND (who = ?3 OR (who > ?3 || '/' AND who < ?3 || '0'))) \
                   FROM items WHERE account = ?1 AND node = ?2 ORDER BY seq DESC LIMIT 1";
        let key = params![account, &*node.name, watcher.as_str()];
        let last = row(db, sql, key, |r| {
            Ok((
                item(r, 0)?,
                r.get::<_, Option<u8>>(5)?,
                r.get::<_, Option<u8>>(6)?,
            ))
        })?;
        if let Some((item, affiliation, subscription)) = last {
            found.push(LastItem {
                owner: owner.clone(),
                node: node.name,
                config: node.config,
                affiliation,
                subscription,
                sees,
                denied,
                groups: groups.clone(),
                item,
            });
        }
    }
    Ok(())
}
