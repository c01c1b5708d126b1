//! What the store must do, said again with plain maps, and random operations given to both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, mpsc};

use presence::{
    Address, ArchiveId, ArchivePage, ArchivePreferences, ArchiveQuery, Archived, ArchivedForm,
    Bare, Publication, Resource, WatchRecord,
};
use proptest::prelude::*;

use crate::record::{ItemHead, LastItem, NodeItem, NodeRecord};
use crate::{
    AccountRecord, KEPT_EXPIRED, LoginToken, Op, Options, OutboxEntry, REVOKED, Store, StoreError,
    samples, stored_size,
};

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
    items: BTreeMap<u64, NodeItem>,
    affiliations: BTreeMap<Bare, u8>,
    subscriptions: BTreeMap<String, u8>,
}

impl Node {
    fn record(&self, name: &Arc<str>) -> NodeRecord {
        let head = |item: &NodeItem| ItemHead {
            seq: item.seq,
            id: Arc::clone(&item.id),
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

fn put_or_remove<K: Ord>(map: &mut BTreeMap<K, u8>, key: K, value: Option<u8>) {
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

impl Oracle {
    fn unit(&mut self, ops: &[Op]) -> Result<(), StoreError> {
        let mut next = self.clone();
        for op in ops {
            next.apply(op)?;
        }
        *self = next;
        Ok(())
    }

    fn at(&mut self, account: &Bare) -> Result<&mut Account, StoreError> {
        self.accounts
            .get_mut(account)
            .ok_or_else(|| StoreError::AccountUnknown(account.clone()))
    }

    fn apply(&mut self, op: &Op) -> Result<(), StoreError> {
        match op.clone() {
            Op::AccountCreate {
                account,
                scram,
                sealed_ha1,
                admin,
                ..
            } => {
                if self.accounts.contains_key(&account) {
                    return Err(StoreError::Conflict(account));
                }
                self.accounts.insert(
                    account,
                    Account {
                        scram,
                        sealed_ha1,
                        admin,
                        ..Account::default()
                    },
                );
            }
            Op::AccountPassword {
                account,
                scram,
                sealed_ha1,
            } => {
                let account = self.at(&account)?;
                (account.scram, account.sealed_ha1) = (scram, sealed_ha1);
            }
            Op::AccountScram {
                account,
                was,
                scram,
            } => {
                let account = self.at(&account)?;
                if account.scram == was {
                    account.scram = scram;
                }
            }
            Op::AccountDisable { account, disabled } => {
                let account = self.at(&account)?;
                account.disabled = disabled;
                if disabled {
                    account.revoke(|_| true);
                }
            }
            Op::AccountAdmin { account, admin } => self.at(&account)?.admin = admin,
            Op::AccountDelete { account } => {
                self.at(&account)?;
                self.accounts.remove(&account);
                self.aliases.retain(|_, a| *a != account);
                self.watches.retain(|_, w| w.presentity != account);
                self.reports.retain(|r| r.by != account);
                for (_, members) in self.groups.values_mut() {
                    members.remove(&account);
                }
            }
            Op::AliasPut { alias, account } => {
                self.at(&account)?;
                self.aliases.insert(alias, account);
            }
            Op::AliasRemove { alias } => drop(self.aliases.remove(&alias)),
            Op::RosterPut {
                account,
                item,
                version,
            } => {
                let roster = &mut self.at(&account)?.roster;
                roster.version = version;
                roster.items.insert(item);
            }
            Op::RosterRemove {
                account,
                contact,
                version,
            } => {
                let roster = &mut self.at(&account)?.roster;
                roster.version = version;
                roster.items.remove(&contact);
            }
            Op::PendingInPut {
                account,
                contact,
                stanza,
            } => {
                self.at(&account)?.roster.pending_in.insert(contact, stanza);
            }
            Op::PendingInRemove { account, contact } => {
                self.at(&account)?.roster.pending_in.remove(&contact);
            }
            Op::GrantPut {
                account,
                watcher,
                grant,
            } => {
                self.at(&account)?.grants.insert(watcher, grant);
            }
            Op::GrantRemove { account, watcher } => {
                self.at(&account)?.grants.remove(&watcher);
            }
            Op::GroupPut { name, everybody } => {
                self.groups.entry(name).or_default().0 = everybody;
            }
            Op::GroupRemove { name } => drop(self.groups.remove(&name)),
            Op::GroupJoin { name, account } => {
                self.at(&account)?;
                if let Some((_, members)) = self.groups.get_mut(&name) {
                    members.insert(account);
                }
            }
            Op::GroupLeave { name, account } => {
                self.at(&account)?;
                if let Some((_, members)) = self.groups.get_mut(&name) {
                    members.remove(&account);
                }
            }
            Op::BlockPut { account, address } => {
                self.at(&account)?.blocked.insert(address);
            }
            Op::BlockRemove { account, address } => {
                self.at(&account)?.blocked.remove(&address);
            }
            Op::ReportPut {
                account: by,
                report,
                most,
            } => {
                self.at(&by)?;
                let report = *report;
                self.reports.push(crate::ReportRecord { by, report });
                while self.reports.len() > most {
                    self.drop_report();
                }
            }
            Op::OutboxPut {
                seq,
                origin,
                target,
                payload,
            } => {
                self.outbox.insert(
                    seq,
                    OutboxEntry {
                        seq,
                        origin,
                        target,
                        payload,
                    },
                );
            }
            Op::OutboxRemove { seq } => drop(self.outbox.remove(&seq)),
            Op::InboxMark {
                target,
                origin,
                seq,
            } => {
                let mark = self.at(&target)?.inbox.entry(origin).or_default();
                *mark = seq.max(*mark);
            }
            Op::OfflinePut {
                account,
                id,
                message,
            } => drop(self.at(&account)?.offline.insert(id, *message)),
            Op::OfflineRemove { account, ids } => {
                self.at(&account)?.offline.retain(|id, _| !ids.contains(id));
            }
            Op::PublicationPut {
                account,
                publication,
            } => {
                publish(&mut self.at(&account)?.publications, &publication);
            }
            Op::PublicationRemove { account, resource } => {
                self.at(&account)?.publications.remove(&resource);
            }
            Op::BindingPut { account, binding } => {
                self.at(&account)?
                    .bindings
                    .insert(binding.contact.clone(), binding);
            }
            Op::BindingRemove { account, contact } => {
                drop(self.at(&account)?.bindings.remove(&contact));
            }
            Op::WatchPut(watch) => {
                self.at(&watch.presentity)?;
                self.watches.insert(watch.id.0, watch);
            }
            Op::WatchHead { id, head } => {
                if let Some(watch) = self.watches.get_mut(&id.0)
                    && let Some(rest) = watch.dialog.get(head.len()..)
                {
                    watch.dialog = [&head[..], rest].concat().into();
                }
            }
            Op::WatchRemove { id } => drop(self.watches.remove(&id.0)),
            Op::LastKnownPut {
                account,
                publication,
            } => {
                publish(&mut self.at(&account)?.last_known, &publication);
            }
            Op::LastKnownRemove { account, resource } => {
                self.at(&account)?.last_known.remove(&resource);
            }
            Op::LastSeen {
                account,
                at,
                status,
            } => self.at(&account)?.last_seen = Some((at, status)),
            Op::MotdTold { account, number } => self.at(&account)?.motd = number,
            Op::VcardPut { account, card } => self.at(&account)?.vcard = card.map(|card| *card),
            Op::PrivatePut {
                account: name,
                kept,
                most,
            } => {
                let account = self.at(&name)?;
                for kept in kept {
                    account.private.insert(kept.label, kept.xml);
                }
                account.private.retain(|_, xml| !xml.is_empty());
                let size = |(l, x): (&presence::card::Label, &bytes::Bytes)| {
                    (l.namespace.len() + l.name.len() + x.len()) as u64
                };
                let bytes: u64 = account.private.iter().map(size).sum();
                if account.private.len() > most.elements || bytes > most.bytes {
                    return Err(StoreError::Full(name));
                }
            }
            Op::ArchivePut {
                id,
                sender,
                recipient,
                message,
            } => {
                let sides = [
                    (sender, &message.from, &message.to),
                    (recipient, &message.to, &message.from),
                ];
                for (_, own, peer) in sides.into_iter().filter(|(wanted, ..)| *wanted) {
                    if let Some(account) = self.accounts.get_mut(&own.bare) {
                        let kept = (peer.clone(), samples::form(&message));
                        account.archive.insert(id, kept);
                    }
                }
            }
            Op::ArchivePrune { below, most } => {
                let all = self
                    .accounts
                    .values()
                    .flat_map(|a| a.archive.range(..below));
                let all: BTreeSet<_> = all.map(|(id, _)| *id).collect();
                let old: Vec<_> = all.into_iter().take(most as usize).collect();
                for account in self.accounts.values_mut() {
                    account.archive.retain(|id, _| !old.contains(id));
                }
            }
            Op::ArchivePreferencesPut {
                account,
                preferences,
            } => self.at(&account)?.wants = Some(preferences),
            Op::LoginTokenPut {
                account: name,
                token,
                most,
            } => {
                let account = self.at(&name)?;
                if account.disabled {
                    return Err(StoreError::Conflict(name));
                }
                let (client, now, password) = (token.client, token.issued, token.password);
                account.tokens.insert((client, false), *token);
                let long_ago = now.0 - KEPT_EXPIRED;
                account.tokens.retain(|_, token| token.expires.0 > long_ago);
                let mut others: BTreeMap<[u8; 16], (bool, presence::Utc)> = BTreeMap::new();
                for token in account.tokens.values().filter(|t| t.client != client) {
                    let is_good = token.expires > now && token.password == password;
                    let of = others.entry(token.client).or_insert((false, token.issued));
                    *of = (of.0 || is_good, of.1.max(token.issued));
                }
                let mut others: Vec<_> = others.into_iter().map(|(c, of)| (of, c)).collect();
                others.sort_unstable_by(|a, b| b.cmp(a));
                let room = (most as usize).saturating_sub(1);
                for (_, client) in others.into_iter().skip(room) {
                    account.tokens.retain(|(of, _), _| *of != client);
                }
            }
            Op::LoginTokenUsed {
                account: name,
                client,
                nonce,
                count,
            } => {
                let account = self.at(&name)?;
                let of_nonce = |t: &&LoginToken| t.client == client && t.nonce == nonce;
                let found = account.tokens.values().find(of_nonce);
                let Some(mut token) = found.filter(|t| fits(t, count)).cloned() else {
                    return Err(StoreError::Conflict(name));
                };
                account.tokens.remove(&(client, token.used));
                let ends = |other: &LoginToken| {
                    other.client == client && (!token.used || other.expires < token.expires)
                };
                account.tokens.retain(|_, other| !ends(other));
                token.used = true;
                token.count = count.unwrap_or(token.count);
                account.tokens.insert((client, true), token);
            }
            Op::LoginTokensRevoke {
                account: name,
                client,
                nonce,
                count,
            } => {
                let account = self.at(&name)?;
                let proves = |t: &LoginToken| t.client == client && t.nonce == nonce;
                if !account.tokens.values().any(|t| proves(t) && fits(t, count)) {
                    return Err(StoreError::Conflict(name));
                }
                account.revoke(|of| *of == client);
            }
            Op::NodePut {
                account,
                node,
                config,
            } => {
                let nodes = &mut self.at(&account)?.nodes;
                nodes.entry(node).or_default().config = config;
            }
            Op::NodeRemove { account, node } => drop(self.at(&account)?.nodes.remove(&node)),
            Op::ItemPut {
                account,
                node,
                item,
            } => {
                if let Some(node) = self.at(&account)?.nodes.get_mut(&node) {
                    node.items.insert(item.seq, *item);
                }
            }
            Op::ItemRemove { account, node, seq } => {
                if let Some(node) = self.at(&account)?.nodes.get_mut(&node) {
                    node.items.remove(&seq);
                }
            }
            Op::NodePurge { account, node } => {
                if let Some(node) = self.at(&account)?.nodes.get_mut(&node) {
                    node.items.clear();
                }
            }
            Op::Affiliation {
                account,
                node,
                who,
                affiliation,
            } => {
                if let Some(node) = self.at(&account)?.nodes.get_mut(&node) {
                    put_or_remove(&mut node.affiliations, who, affiliation);
                }
            }
            Op::NodeSubscription {
                account,
                node,
                who,
                state,
            } => {
                if let Some(node) = self.at(&account)?.nodes.get_mut(&node) {
                    put_or_remove(&mut node.subscriptions, who.to_string(), state);
                }
            }
            Op::MetaPut { key, value } => drop(self.meta.insert(key, value)),
        }
        Ok(())
    }

    /// The oldest of those who made the most; of several, of whose oldest is the oldest.
    fn drop_report(&mut self) {
        let count = |by: &Bare| self.reports.iter().filter(|r| r.by == *by).count();
        let most = self.reports.iter().map(|r| count(&r.by)).max();
        let place = self.reports.iter().position(|r| Some(count(&r.by)) == most);
        self.reports.remove(place.expect("there is one"));
    }

    fn record(&self, name: &Bare) -> Option<AccountRecord> {
        let account = self.accounts.get(name)?;
        Some(AccountRecord {
            account: name.clone(),
            disabled: account.disabled,
            admin: account.admin,
            roster: account.roster.clone(),
            grants: account.grants.clone().into_iter().collect(),
            blocked: account.blocked.clone(),
            publications: in_order(&account.publications),
            last_known: in_order(&account.last_known),
            bindings: account.bindings.values().cloned().collect(),
            watches: self
                .watches
                .values()
                .filter(|w| w.presentity == *name)
                .cloned()
                .collect(),
            offline: account.offline.len(),
            offline_bytes: account.offline.values().map(stored_size).sum(),
            inbox: account.inbox.clone().into_iter().collect(),
            archive: account.wants.clone(),
            last_seen: account.last_seen.clone(),
            motd: account.motd,
        })
    }
}

/// A login token can be used with that count.
fn fits(token: &LoginToken, count: Option<u64>) -> bool {
    token.password != REVOKED && count.is_none_or(|count| token.count < count)
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
                    subscription: mine.map(|(_, state)| *state).max(),
                    sees: standing.is_some_and(|i| i.subscription.from()),
                    denied: a.grants.get(&watcher).is_some_and(|g| !g.allow),
                    groups: standing.map(|i| i.label.groups().map(str::to_owned).collect()).unwrap_or_default(),
                    item: item.clone(),
                })
            });
            prop_assert_eq!(last, expected.into_iter().collect::<Vec<_>>());
            if !nodes.is_empty() {
                owners.push(name.clone());
            }
            residents.extend(record.filter(|r| {
                !(r.publications.is_empty() && r.last_known.is_empty() && r.bindings.is_empty() && r.watches.is_empty())
            }).map(|r| r.account));
        }
        prop_assert_eq!(store.node_owners().expect("owners"), owners);
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
