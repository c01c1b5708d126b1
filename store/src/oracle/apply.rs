//! What each operation does to the plain maps.

use super::*;

impl Oracle {
    pub(super) fn unit(&mut self, ops: &[Op]) -> Result<(), StoreError> {
        let mut next = self.clone();
        for op in ops {
            next.apply(op)?;
        }
        *self = next;
        Ok(())
    }

    pub(super) fn at(&mut self, account: &Bare) -> Result<&mut Account, StoreError> {
        self.accounts
            .get_mut(account)
            .ok_or_else(|| StoreError::AccountUnknown(account.clone()))
    }

    pub(super) fn apply(&mut self, op: &Op) -> Result<(), StoreError> {
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
            Op::OfflineArchived {
                account,
                from,
                below,
            } => {
                let read = |message: &presence::Message| {
                    message
                        .archived
                        .is_some_and(|id| (from..below).contains(&id))
                };
                self.at(&account)?
                    .offline
                    .retain(|_, message| !read(message));
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
            Op::ArchiveRead { account, at } => self.at(&account)?.archive_read = Some(at),
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
                lifetime,
            } => {
                let nodes = &mut self.at(&account)?.nodes;
                let node = nodes.entry(node).or_default();
                (node.config, node.lifetime) = (config, lifetime);
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
    pub(super) fn drop_report(&mut self) {
        let count = |by: &Bare| self.reports.iter().filter(|r| r.by == *by).count();
        let most = self.reports.iter().map(|r| count(&r.by)).max();
        let place = self.reports.iter().position(|r| Some(count(&r.by)) == most);
        self.reports.remove(place.expect("there is one"));
    }

    pub(super) fn record(&self, name: &Bare) -> Option<AccountRecord> {
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
            archive_read: account.archive_read,
            last_seen: account.last_seen.clone(),
            motd: account.motd,
        })
    }
}

/// A login token can be used with that count.
fn fits(token: &LoginToken, count: Option<u64>) -> bool {
    token.password != REVOKED && count.is_none_or(|count| token.count < count)
}
