//! Subscription stanzas, and what they change on both sides (RFC 6121 §3, appendix A).

use std::sync::Arc;

use bytes::Bytes;
use presence::decision::{Grant, GrantOrigin};
use presence::subscription::{self, Audience, Kind, State};
use presence::{Bare, Item, Label, Refusal, Roster};
use store::{Op, OutboxEntry};

use crate::commit::Reply;
use crate::entity::Entity;
use crate::outbox::Owed;
use crate::route::Event;
use crate::shards::Model;

impl Model {
    /// A client of `account` sends a subscription stanza to `contact` (RFC 6121 appendix A.2). `content` is what stood in it.
    pub fn subscription(
        self: &Arc<Self>,
        account: &Bare,
        kind: Kind,
        contact: &Bare,
        content: Bytes,
        reply: &Reply<()>,
    ) {
        self.outbound(account, kind, contact, content, None, reply);
    }

    /// An administrator answers for the account (`adsum user approve|deny`): like the owner's own answer, and remembered also
    /// for a watcher that has not asked yet.
    pub fn answer(
        self: &Arc<Self>,
        account: &Bare,
        watcher: &Bare,
        allow: bool,
        reply: &Reply<()>,
    ) {
        let kind = if allow {
            Kind::Subscribed
        } else {
            Kind::Unsubscribed
        };
        let grant = Grant {
            allow,
            origin: GrantOrigin::Admin,
        };
        self.outbound(account, kind, watcher, Bytes::new(), Some(grant), reply);
    }

    fn outbound(
        self: &Arc<Self>,
        account: &Bare,
        kind: Kind,
        contact: &Bare,
        content: Bytes,
        standing: Option<Grant>,
        reply: &Reply<()>,
    ) {
        let outcome = self.outbound_planned(account, kind, contact, content, standing, reply);
        if let Err(refusal) = outcome {
            reply.send(Err(refusal));
        }
    }

    fn outbound_planned(
        self: &Arc<Self>,
        account: &Bare,
        kind: Kind,
        contact: &Bare,
        content: Bytes,
        standing: Option<Grant>,
        reply: &Reply<()>,
    ) -> Result<(), Refusal> {
        let reached = self.is_local(contact) && contact.local().is_some();
        if !reached && !self.is_outside(contact) {
            return Err(Refusal::ForeignDomain);
        }
        if contact == account {
            return Err(Refusal::BadRequest("nobody subscribes to himself"));
        }
        self.with(account, |slot| {
            let entity = slot.entity.as_mut().ok_or(Refusal::NotFound)?;
            if standing.is_none() && entity.blocks_all_of(contact) {
                return Err(Refusal::Blocked);
            }
            let outcome = subscription::outbound(kind, State::of(&entity.roster, contact));
            let most = self.rules.roster_items;
            let listed = outcome.state.listed;
            if listed && !entity.roster.items.contains(contact) && entity.roster.items.len() >= most
            {
                return Err(Refusal::Limit("roster_items"));
            }
            let mut ops = Vec::new();
            let mut roster = change(
                account,
                &entity.roster,
                contact,
                outcome.state,
                outcome.push,
                None,
                &mut ops,
            );
            let grant = standing.or_else(|| entity.answered(kind, contact));
            grant_ops(entity, contact, kind, grant, &mut ops);
            let admits = entity.denies(contact)
                && match grant {
                    Some(grant) => grant.allow,
                    None => entity.lifts(kind, contact),
                };
            let mut owed = Vec::new();
            if outcome.route {
                owed.push(self.owe(account, contact, &Owed { kind, content }));
                ops.extend(owed.iter().map(Owed::op));
            }
            let (owner, of, reply) = (account.clone(), contact.clone(), reply.clone());
            let (push, version, item) = (outcome.push, roster.version, roster.item.clone());
            self.submit(entity, ops, move |model, stored| {
                if stored.is_ok() {
                    if push {
                        model.push(&owner, &of, item.as_ref(), version);
                    }
                    model.reconcile(&owner, &of);
                    if admits {
                        model.show_to_fellows(&owner, &of);
                    }
                    model.deliver_owed(owed);
                }
                reply.send(stored);
            })?;
            entity.adopt(&mut roster, contact);
            entity.adopt_grant(contact, kind, grant);
            if !outcome.state.from() {
                slot.shut_out(contact);
            }
            Ok(())
        })
    }

    /// What `entry.origin` owes arrives at `entry.target` (RFC 6121 appendix A.3). Applied once, whatever happens in between; `false`:
    /// it was applied before.
    pub(crate) fn inbound(
        self: &Arc<Self>,
        entry: &OutboxEntry,
        owed: &Owed,
    ) -> Result<bool, Refusal> {
        let (account, contact) = (&entry.target, &entry.origin);
        self.with(account, |slot| {
            let entity = slot.entity.as_mut().ok_or(Refusal::NotFound)?;
            let applied = entity.inbox.get(contact).copied();
            if applied.is_some_and(|seq| seq >= entry.seq) {
                self.store
                    .submit_soft(vec![Op::OutboxRemove { seq: entry.seq }]);
                return Ok(false);
            }
            let state = State::of(&entity.roster, contact);
            let mut outcome = subscription::inbound(owed.kind, state);
            if entity.blocks_all_of(contact) {
                // The owner is shown nothing and asked nothing. What ends or grants is taken note of, or the two rosters would say
                // different things when the block is over.
                outcome.route = false;
                if owed.kind == Kind::Subscribe {
                    (outcome.state, outcome.push, outcome.auto_reply) = (state, false, None);
                }
            }
            let mut ops = vec![
                Op::InboxMark {
                    target: account.clone(),
                    origin: contact.clone(),
                    seq: entry.seq,
                },
                Op::OutboxRemove { seq: entry.seq },
            ];
            let most = self.rules.pending_requests;
            let crowded = outcome.state.pending_in
                && !state.pending_in
                && entity.roster.pending_in.len() >= most;
            let state = if crowded { state } else { outcome.state };
            let push = outcome.push && !crowded;
            let mut roster = change(
                account,
                &entity.roster,
                contact,
                state,
                push,
                Some(&owed.content),
                &mut ops,
            );
            let mut replies = Vec::new();
            if let Some(kind) = outcome.auto_reply {
                replies.push(self.owe(account, contact, &Owed::stanza(kind)));
                ops.extend(replies.iter().map(Owed::op));
            }
            let (owner, of) = (account.clone(), contact.clone());
            let route = outcome.route && !crowded;
            let (version, entry, owed) = (roster.version, entry.clone(), owed.clone());
            let item = roster.item.clone();
            let seq = entry.seq;
            self.submit(entity, ops, move |model, stored| {
                if stored.is_err() {
                    model.unmark(&entry, applied);
                    model.delivered(&entry, false);
                    return;
                }
                model.clear_mark(&entry);
                if route {
                    model.show(&owner, &of, &owed);
                }
                if push {
                    model.push(&owner, &of, item.as_ref(), version);
                }
                model.reconcile(&owner, &of);
                model.deliver_owed(replies);
                model.delivered(&entry, true);
            })?;
            entity.inbox.insert(contact.clone(), seq);
            entity.adopt(&mut roster, contact);
            if !state.from() {
                slot.shut_out(contact);
            }
            Ok(true)
        })
    }

    /// It was not applied after all.
    fn unmark(&self, entry: &OutboxEntry, before: Option<u64>) {
        self.with_slot(&entry.target, |slot| {
            let Some(entity) = &mut slot.entity else {
                return;
            };
            match before {
                Some(seq) => entity.inbox.insert(entry.origin.clone(), seq),
                None => entity.inbox.remove(&entry.origin),
            };
        });
    }

    /// It was applied and is not owed any more, by one commit: it does not come again.
    fn clear_mark(&self, entry: &OutboxEntry) {
        self.with_slot(&entry.target, |slot| {
            let Some(entity) = &mut slot.entity else {
                return;
            };
            if entity.inbox.get(&entry.origin) == Some(&entry.seq) {
                entity.inbox.remove(&entry.origin);
            }
        });
    }

    /// Delivers a subscription stanza to the resources that take it (RFC 6121 §3.1.3, §3.1.6, §3.2.3, §3.3.3).
    fn show(&self, account: &Bare, from: &Bare, owed: &Owed) {
        self.with_slot(account, |slot| {
            let Some(entity) = &slot.entity else { return };
            for session in &entity.sessions {
                let takes = match owed.kind.audience() {
                    Audience::Available => session.available.is_some(),
                    Audience::Interested => session.interested,
                };
                if takes {
                    session.route.deliver(&Event::Subscription {
                        kind: owed.kind,
                        from,
                        to: account,
                        content: &owed.content,
                    });
                }
            }
        });
    }
}

/// The roster after a change towards one contact, with the ops that store it.
fn change(
    account: &Bare,
    old: &Roster,
    contact: &Bare,
    state: State,
    push: bool,
    stanza: Option<&Bytes>,
    ops: &mut Vec<Op>,
) -> Change {
    let before = old.items.get(contact);
    let mut change = Change {
        version: old.version,
        item: None,
        pending: None,
    };
    let after = state.listed.then(|| Item {
        contact: contact.clone(),
        label: before.map_or_else(Label::default, |i| i.label.clone()),
        subscription: state.subscription,
        ask: state.ask,
        approved: state.approved,
    });
    if let Some(item) = after
        && before != Some(&item)
    {
        if push {
            change.version += 1;
        }
        ops.push(Op::RosterPut {
            account: account.clone(),
            item: item.clone(),
            version: change.version,
        });
        change.item = Some(item);
    }
    let was_pending = old.pending_in.contains_key(contact);
    if state.pending_in && !was_pending {
        let stanza = stanza.cloned().unwrap_or_default();
        ops.push(Op::PendingInPut {
            account: account.clone(),
            contact: contact.clone(),
            stanza: stanza.clone(),
        });
        change.pending = Some(Some(stanza));
    } else if !state.pending_in && was_pending {
        ops.push(Op::PendingInRemove {
            account: account.clone(),
            contact: contact.clone(),
        });
        change.pending = Some(None);
    }
    change
}

/// What a contact is told when his item is removed. A request that crossed a refusal may stand with him though nothing here says so:
/// it is withdrawn too, or an answer to it would find nobody.
pub(crate) fn farewell(state: State) -> impl Iterator<Item = Kind> {
    let kinds = subscription::remove(state).route;
    let withdraw = !kinds.contains(&Kind::Unsubscribe) && state.listed;
    withdraw
        .then_some(Kind::Unsubscribe)
        .into_iter()
        .chain(kinds)
}

/// What changes in a roster.
pub(crate) struct Change {
    version: u64,
    item: Option<Item>,
    pending: Option<Option<Bytes>>,
}

fn grant_ops(entity: &Entity, contact: &Bare, kind: Kind, grant: Option<Grant>, ops: &mut Vec<Op>) {
    let account = entity.account.clone();
    match grant {
        Some(grant) => ops.push(Op::GrantPut {
            account,
            watcher: contact.clone(),
            grant,
        }),
        None if entity.lifts(kind, contact) => {
            ops.push(Op::GrantRemove {
                account,
                watcher: contact.clone(),
            });
        }
        None => {}
    }
}

impl Entity {
    /// The owner's answer to somebody who watches through a stored watch is kept beside the roster: a phone asks again and again
    /// by itself, and its owner's roster knows nothing of it.
    fn answered(&self, kind: Kind, contact: &Bare) -> Option<Grant> {
        let allow = match kind {
            Kind::Subscribed => true,
            Kind::Unsubscribed => false,
            Kind::Subscribe | Kind::Unsubscribe => return None,
        };
        let watches = self.watches.iter().any(|w| w.record.watcher == *contact);
        watches.then_some(Grant {
            allow,
            origin: GrantOrigin::Owner,
        })
    }

    /// Its owner has refused somebody, whatever else lets him see it.
    fn denies(&self, contact: &Bare) -> bool {
        self.grants.get(contact).is_some_and(|grant| !grant.allow)
    }

    /// An answer that takes back an earlier standing one of the other sense. A refusal leaves a denial as it is.
    fn lifts(&self, kind: Kind, contact: &Bare) -> bool {
        self.grants.get(contact).is_some_and(|grant| match kind {
            Kind::Subscribed => true,
            Kind::Unsubscribed => grant.allow,
            Kind::Subscribe | Kind::Unsubscribe => false,
        })
    }

    fn adopt(&mut self, change: &mut Change, contact: &Bare) {
        self.roster.version = change.version;
        if let Some(item) = change.item.take() {
            if item.subscription.to() != self.sees(contact) {
                self.unsettle(contact);
            }
            self.roster.items.insert(item);
        }
        match change.pending.take() {
            Some(Some(stanza)) => {
                self.roster.pending_in.insert(contact.clone(), stanza);
            }
            Some(None) => {
                self.roster.pending_in.remove(contact);
            }
            None => {}
        }
    }

    fn adopt_grant(&mut self, contact: &Bare, kind: Kind, grant: Option<Grant>) {
        match grant {
            Some(grant) => {
                self.grants.insert(contact.clone(), grant);
            }
            None if self.lifts(kind, contact) => {
                self.grants.remove(contact);
            }
            None => {}
        }
    }
}
