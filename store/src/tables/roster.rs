//! `roster`: the items of contact lists (RFC 6121 §2).

use presence::{Bare, Item, Items, Label, SubscriptionState};
use rusqlite::{Connection, params};

use super::{Outcome, bare, blob, execute, rows};
use crate::{StoreError, codec};

/// Makes or replaces an item.
pub(crate) fn put(db: &Connection, account: i64, item: &Item) -> Outcome<()> {
    let sql = "INSERT INTO roster (account, contact, name, groups, subscription, ask, approved) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
               ON CONFLICT (account, contact) DO UPDATE SET name = excluded.name, groups = excluded.groups, \
               subscription = excluded.subscription, ask = excluded.ask, approved = excluded.approved";
    // An empty list is an empty column: most items have no group.
    let groups: Vec<String> = item.label.groups().map(str::to_owned).collect();
    let groups = if groups.is_empty() {
        Vec::new()
    } else {
        codec::encode_texts(&groups)
    };
    let params = params![
        account,
        item.contact.as_str(),
        item.label.name(),
        groups,
        subscription_number(item.subscription),
        item.ask,
        item.approved
    ];
    execute(db, sql, params).map(drop)
}

/// Removes an item.
pub(crate) fn remove(db: &Connection, account: i64, contact: &Bare) -> Outcome<()> {
    let sql = "DELETE FROM roster WHERE account = ?1 AND contact = ?2";
    execute(db, sql, params![account, contact.as_str()]).map(drop)
}

/// All items of an account.
pub(crate) fn load(db: &Connection, account: i64) -> Outcome<Items> {
    let sql = "SELECT contact, name, groups, subscription, ask, approved FROM roster WHERE account = ?1 \
               ORDER BY contact";
    let items = rows(db, sql, [account], |r| {
        let groups = blob(r, 2)?;
        let groups = if groups.is_empty() {
            Vec::new()
        } else {
            codec::decode_texts(groups)?
        };
        let name = r
            .get_ref(1)?
            .as_str_or_null()
            .map_err(rusqlite::Error::from)?;
        Ok(Item {
            contact: bare(r, 0)?,
            label: Label::new(name, groups),
            subscription: subscription(r.get(3)?)?,
            ask: r.get(4)?,
            approved: r.get(5)?,
        })
    })?;
    Ok(items.into_iter().collect())
}

fn subscription_number(state: SubscriptionState) -> u8 {
    match state {
        SubscriptionState::None => 0,
        SubscriptionState::To => 1,
        SubscriptionState::From => 2,
        SubscriptionState::Both => 3,
    }
}

fn subscription(number: i64) -> Outcome<SubscriptionState> {
    Ok(match number {
        0 => SubscriptionState::None,
        1 => SubscriptionState::To,
        2 => SubscriptionState::From,
        3 => SubscriptionState::Both,
        other => {
            return Err(StoreError::Corrupt(
                format!("subscription state {other}").into(),
            ));
        }
    })
}
