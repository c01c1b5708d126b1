//! What the store must do, said again with plain maps, and random operations given to both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, mpsc};

use presence::{
    Address, ArchiveId, ArchivePage, ArchivePreferences, ArchiveQuery, Archived, ArchivedForm,
    Bare, Publication, Resource, WatchRecord,
};
use proptest::prelude::*;

use crate::record::{ItemHead, LastItem, NodeItem, NodeOwner, NodeRecord, NodeSubscriber};
use crate::{
    AccountRecord, KEPT_EXPIRED, LoginToken, Op, Options, OutboxEntry, REVOKED, Store, StoreError,
    samples, stored_size,
};

mod apply;
mod archive;

type Published = BTreeMap<Resource, (i64, Publication)>;

#[derive(Clone, Default)]
struct Oracle {
    accounts: BTreeMap<Bare, Account>,
    aliases: BTreeMap<String, Bare>,
    outbox: BTreeMap<u64, OutboxEntry>,
    watches: BTreeMap<u64, WatchRecord>,
    meta: BTreeMap<String, Vec<u8>>,
    reports: Vec<crate::ReportRecord>,
    groups: BTreeMap<String, (bool, std::collections::BTreeSet<Bare>)>,
}

#[derive(Clone, Default)]
struct Account {
    scram: Vec<u8>,
    sealed_ha1: Vec<u8>,
    admin: bool,
    disabled: bool,
    roster: presence::Roster,
    grants: BTreeMap<Bare, presence::Grant>,
    blocked: presence::BlockList,
    publications: Published,
    last_known: Published,
    bindings: BTreeMap<Arc<str>, presence::Binding>,
    offline: BTreeMap<u64, presence::Message>,
    inbox: BTreeMap<Bare, u64>,
    archive: BTreeMap<ArchiveId, (Address, ArchivedForm)>,
    wants: Option<Box<ArchivePreferences>>,
    archive_read: Option<presence::Utc>,
    nodes: BTreeMap<Arc<str>, Node>,
    last_seen: Option<(presence::Utc, Option<String>)>,
    motd: u64,
    /// By client, and whether it was used.
    tokens: BTreeMap<([u8; 16], bool), LoginToken>,
    vcard: Option<presence::Card>,
    private: BTreeMap<presence::card::Label, bytes::Bytes>,
}

#[derive(Clone, Default)]
struct Node {
    config: Vec<u8>,
    lifetime: Option<u32>,
    items: BTreeMap<u64, NodeItem>,
    affiliations: BTreeMap<Bare, u8>,
    subscriptions: BTreeMap<String, NodeSubscriber>,
}

impl Node {
    fn record(&self, name: &Arc<str>) -> NodeRecord {
        let head = |item: &NodeItem| ItemHead {
            seq: item.seq,
            id: Arc::clone(&item.id),
            at: item.at,
            size: item.payload.len() as u64,
        };
        NodeRecord {
            name: Arc::clone(name),
            config: self.config.clone(),
            affiliations: self.affiliations.clone().into_iter().collect(),
            subscriptions: self
                .subscriptions
                .iter()
                .map(|(who, state)| (presence::Address::parse(who).expect("an address"), *state))
                .collect(),
            items: self.items.values().map(head).collect(),
        }
    }
}

fn owner(account: &Bare, nodes: &BTreeMap<Arc<str>, Node>) -> NodeOwner {
    let items = nodes.values().filter_map(|node| {
        let lifetime = i64::from(node.lifetime?);
        node.items
            .values()
            .map(|i| (i.at.0 / 1000 + lifetime) * 1000)
            .min()
    });
    let subscriptions = || nodes.values().flat_map(|node| node.subscriptions.values());
    let ends = subscriptions().filter_map(|s| Some(s.until?.0));
    NodeOwner {
        account: account.clone(),
        asked: subscriptions().any(|s| s.state == 1),
        due: items.chain(ends).min().map(presence::Utc),
    }
}

fn put_or_remove<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.remove(&key)),
    }
}

fn publish(at: &mut Published, publication: &Publication) {
    let first = at
        .get(&publication.resource)
        .map_or(publication.changed.0, |(first, _)| *first);
    at.insert(publication.resource.clone(), (first, publication.clone()));
}

fn in_order(published: &Published) -> Vec<Publication> {
    let mut all: Vec<_> = published.values().collect();
    all.sort_by_key(|(first, publication)| (*first, publication.resource.clone()));
    all.into_iter()
        .map(|(_, publication)| publication.clone())
        .collect()
}

impl Account {
    fn revoke(&mut self, whose: impl Fn(&[u8; 16]) -> bool) {
        for token in self.tokens.values_mut().filter(|t| whose(&t.client)) {
            token.password = REVOKED;
        }
    }

    fn page(&self, query: &ArchiveQuery, most: usize) -> Option<ArchivePage> {
        let before = query.before.flatten();
        let named = [query.after_id, query.before_id, query.after, before];
        let mut named: Vec<_> = named.into_iter().flatten().collect();
        named.extend(query.ids.iter().flatten().copied());
        if named.iter().any(|id| !self.archive.contains_key(id)) {
            return None;
        }
        let with = |peer: &Address| match &query.with {
            Some(with) if with.is_bare() => with.bare == peer.bare,
            Some(with) => with == peer,
            None => true,
        };
        let asked = self.archive.iter().filter(|(id, (peer, _))| {
            with(peer)
                && query.start.is_none_or(|start| id.moment() >= start)
                && query.end.is_none_or(|end| id.moment() <= end)
                && query.after_id.is_none_or(|after| **id > after)
                && query.before_id.is_none_or(|before| **id < before)
                && query.ids.as_ref().is_none_or(|ids| ids.contains(id))
        });
        let paged = asked.filter(|(id, _)| {
            query.after.is_none_or(|after| **id > after) && before.is_none_or(|b| **id < b)
        });
        let mut messages: Vec<_> = paged
            .map(|(id, (_, form))| Archived {
                id: *id,
                form: form.clone(),
            })
            .collect();
        let count = messages.len();
        let most = query.max.unwrap_or(most).min(most);
        if query.before.is_some() && query.after.is_none() {
            messages.drain(..count.saturating_sub(most));
        } else {
            messages.truncate(most);
        }
        let complete = messages.len() == count;
        let known = complete && query.after.is_none() && before.is_none();
        Some(ArchivePage {
            messages,
            complete,
            count: (known || query.max == Some(0)).then_some(count as u64),
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn the_store_does_what_plain_maps_do(
        mut units in proptest::collection::vec(
            (proptest::collection::vec(samples::op(), 1..4), proptest::bool::weighted(0.2)), 1..60
        ),
        queries in proptest::collection::vec((samples::archive_query(), 1..4_usize), 12),
        unindexed in 0..9_usize
    ) {
        let mut oracle = Oracle::default();
        let mut used = BTreeSet::new();
        for (ops, _) in &mut units {
            ops.retain(|op| !matches!(op, Op::ArchivePut { id, .. } if !used.insert(*id)));
        }
        let options = Options { unindexed, ..Options::default() };
        let (store, _) = Store::open_in_memory(options).expect("a database");
        let (sender, receiver) = mpsc::channel();
        let expected: Vec<_> = units.iter().map(|(ops, _)| oracle.unit(ops)).collect();
        for (ops, pause) in units {
            let sender = sender.clone();
            store.submit(ops, Box::new(move |r| sender.send(r).expect("heard"))).expect("room");
            if pause {
                store.barrier();
            }
        }
        store.barrier();
        prop_assert_eq!(receiver.try_iter().collect::<Vec<_>>(), expected);

        let names: Vec<_> = ["ann", "bob", "eve"]
            .map(|l| Bare::from_prepared(&format!("{l}@example.org"))).into();
        let mut residents = Vec::new();
        let mut owners = Vec::new();
        for name in &names {
            let record = oracle.record(name);
            prop_assert_eq!(&store.load(name).expect("load"), &record);
            let account = oracle.accounts.get(name);
            let credentials = store.credentials(name).expect("credentials");
            prop_assert_eq!(
                credentials.map(|c| (c.scram, c.sealed_ha1, c.disabled, c.admin)),
                account.map(|a| (a.scram.clone(), a.sealed_ha1.clone(), a.disabled, a.admin))
            );
            prop_assert_eq!(
                store.offline_messages(name).expect("messages"),
                account.map(|a| a.offline.clone().into_iter().collect::<Vec<_>>()).unwrap_or_default()
            );
            let card = account.and_then(|a| a.vcard.clone());
            prop_assert_eq!(
                store.photo(name).expect("photo"),
                card.as_ref().and_then(|card| card.photo.clone())
            );
            prop_assert_eq!(store.card(name).expect("card"), card);
            prop_assert_eq!(
                store.vcard(name).expect("vcard"),
                account.and_then(|a| a.vcard.clone()).map(|card| card.xml)
            );
            for label in samples::labels() {
                prop_assert_eq!(
                    store.private(name, &label).expect("private"),
                    account.and_then(|a| a.private.get(&label).cloned())
                );
            }
            let nobody = Account::default();
            let archive = account.unwrap_or(&nobody);
            let ids: Vec<_> = archive.archive.keys().copied().collect();
            let ends = ids.first().copied().zip(ids.last().copied());
            prop_assert_eq!(store.archive_ends(name).expect("ends"), ends);
            for (query, most) in &queries {
                let page = store.archive_page(name, query, *most, 1 << 20).expect("a page");
                let expected = account.and_then(|a| a.page(query, *most));
                prop_assert_eq!(page, expected, "{:?} of {:?}", query, ids);
            }
            for client in samples::clients() {
                let found = store.login_tokens(name, &client).expect("tokens").map(|(_, t)| t);
                let of_client = |a: &Account| {
                    let of_client = a.tokens.values().filter(|t| t.client == client);
                    of_client.cloned().collect::<Vec<_>>()
                };
                prop_assert_eq!(found, account.map(of_client));
            }
            let nodes = account.map(|a| a.nodes.clone()).unwrap_or_default();
            let records: Vec<_> = nodes.iter().map(|(name, node)| node.record(name)).collect();
            prop_assert_eq!(store.nodes(name).expect("nodes"), records);
            for (node, expected) in &nodes {
                let seqs: Vec<_> = (0..6).collect();
                prop_assert_eq!(
                    store.node_items(name, node, &seqs).expect("items"),
                    expected.items.values().cloned().collect::<Vec<_>>()
                );
            }
            let watcher = Bare::from_prepared("a@example.org");
            let wants = |node: &str| node == "m";
            let last = store.last_items(&presence::Address::from(watcher.clone()), [name], &wants, usize::MAX).expect("last items");
            let expected = account.and_then(|a| {
                if a.blocked.blocks(name, &watcher.clone().into()) {
                    return None;
                }
                let node = a.nodes.get("m")?;
                let (_, item) = node.items.last_key_value()?;
                let standing = a.roster.items.get(&watcher);
                let mine = node.subscriptions.iter();
                let mine = mine.filter(|(who, _)| presence::Address::parse(who).is_ok_and(|w| w.bare == watcher));
                Some(LastItem {
                    owner: name.clone(),
                    node: "m".into(),
                    config: node.config.clone(),
                    affiliation: node.affiliations.get(&watcher).copied(),
                    subscription: mine.map(|(_, s)| s.state).max(),
                    sees: standing.is_some_and(|i| i.subscription.from()),
                    denied: a.grants.get(&watcher).is_some_and(|g| !g.allow),
                    groups: standing.map(|i| i.label.groups().map(str::to_owned).collect()).unwrap_or_default(),
                    item: item.clone(),
                })
            });
            prop_assert_eq!(last, expected.into_iter().collect::<Vec<_>>());
            if !nodes.is_empty() {
                owners.push(owner(name, &nodes));
            }
            residents.extend(record.filter(|r| {
                !(r.publications.is_empty() && r.last_known.is_empty() && r.bindings.is_empty() && r.watches.is_empty())
            }).map(|r| r.account));
        }
        prop_assert_eq!(store.node_owners(1).expect("owners"), owners);
        prop_assert_eq!(store.residents().expect("residents"), residents);
        prop_assert_eq!(store.outbox().expect("outbox"), oracle.outbox.into_values().collect::<Vec<_>>());
        let wanted = presence::directory::Wanted::new("", &presence::Facts { first: "a".into(), ..presence::Facts::default() });
        let found = store.directory("example.org", &wanted, 2).expect("directory");
        let fitting = oracle.accounts.iter().filter(|(_, a)| !a.disabled).map(|(name, a)| {
            let facts = a.vcard.clone().unwrap_or_default().facts;
            presence::directory::Entry::new(name.clone(), facts)
        });
        prop_assert_eq!(found, fitting.filter(|e| wanted.fits(e)).take(2).collect::<Vec<_>>());
        let accounts: Vec<_> = store.accounts().expect("accounts").into_iter().map(|a| a.account).collect();
        prop_assert_eq!(accounts, oracle.accounts.into_keys().collect::<Vec<_>>());
        for (alias, account) in &oracle.aliases {
            prop_assert_eq!(store.resolve_alias(alias).expect("alias"), Some(account.clone()));
        }
        prop_assert_eq!(store.aliases().expect("aliases"), oracle.aliases.into_iter().collect::<Vec<_>>());
        let groups = oracle.groups.into_iter();
        let groups: Vec<_> = groups.map(|(name, (everybody, members))| crate::GroupRecord {
            name,
            everybody,
            members: members.into_iter().collect(),
        }).collect();
        prop_assert_eq!(store.groups().expect("groups"), groups);
        prop_assert_eq!(store.reports().expect("reports"), oracle.reports);
        for key in ["k", "l"] {
            prop_assert_eq!(store.meta(key).expect("meta"), oracle.meta.get(key).cloned());
        }
    }
}
