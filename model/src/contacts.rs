//! Roster get, set, remove (RFC 6121 §2).

use std::sync::Arc;

use presence::subscription::State;
use presence::{Bare, Item, Label, Refusal, Roster, SubscriptionState};
use store::Op;

use crate::commit::Reply;
use crate::outbox::Owed;
use crate::route::SessionId;
use crate::shards::Model;
use crate::subscriptions::farewell;

impl Model {
    /// The roster; the session is interested from now on. Answered when what it shows is on disk.
    pub fn roster(self: &Arc<Self>, account: &Bare, session: SessionId, reply: &Reply<Roster>) {
        let outcome = self.with_entity(account, |entity| {
            let own = entity.session(session).ok_or(Refusal::NotFound)?;
            own.interested = true;
            // Answered under the lock: a push for a later change must not come before.
            if entity.pending_commits == 0 {
                reply.send(Ok(entity.whole_roster()));
                return Ok(());
            }
            let (account, later) = (account.clone(), reply.clone());
            self.after_commits(entity, move |model| {
                let answered = model.with_entity(&account, |entity| {
                    later.send(Ok(entity.whole_roster()));
                    Ok(())
                });
                if let Err(refusal) = answered {
                    later.send(Err(refusal));
                }
            })
        });
        if let Err(refusal) = outcome {
            reply.send(Err(refusal));
        }
    }

    /// Adds an item or changes its name and groups (RFC 6121 §2.3, §2.4). Subscription state is never taken from the client.
    pub fn roster_set(
        self: &Arc<Self>,
        account: &Bare,
        contact: &Bare,
        name: Option<String>,
        groups: Vec<String>,
        reply: &Reply<()>,
    ) {
        let outcome = self.with_entity(account, |entity| {
            let old = entity.roster.items.get(contact);
            let most = self.rules.roster_items;
            if old.is_none() && entity.roster.items.len() >= most {
                return Err(Refusal::Limit("roster_items"));
            }
            let groups = entity.own_groups(contact, groups);
            let name = entity.own_name(contact, name);
            let item = Item {
                contact: contact.clone(),
                label: Label::new(name.as_deref(), groups),
                subscription: old.map_or(SubscriptionState::None, |i| i.subscription),
                ask: old.is_some_and(|i| i.ask),
                approved: old.is_some_and(|i| i.approved),
            };
            let version = entity.roster.version + 1;
            let ops = vec![Op::RosterPut {
                account: account.clone(),
                item: item.clone(),
                version,
            }];
            let (owner, of, reply) = (account.clone(), contact.clone(), reply.clone());
            let made = item.clone();
            self.submit(entity, ops, move |model, stored| {
                if stored.is_ok() {
                    model.push(&owner, &of, Some(&made), version);
                }
                reply.send(stored);
            })?;
            entity.roster.version = version;
            entity.roster.items.insert(item);
            Ok(())
        });
        if let Err(refusal) = outcome {
            reply.send(Err(refusal));
        }
    }

    /// Removes an item and with it the subscriptions both ways (RFC 6121 §2.5), and what was granted to the contact's phones. A contact
    /// who is in a shared group stays listed by that; `NotAllowed` when there is nothing else to remove.
    pub fn roster_remove(self: &Arc<Self>, account: &Bare, contact: &Bare, reply: &Reply<()>) {
        let outcome = self.with(account, |slot| {
            let entity = slot.entity.as_mut().ok_or(Refusal::NotFound)?;
            if !entity.roster.items.contains(contact) {
                if entity.is_fellow(contact) {
                    return Err(Refusal::NotAllowed);
                }
                return Err(Refusal::NotFound);
            }
            let state = State::of(&entity.roster, contact);
            let version = entity.roster.version + 1;
            let mut ops = vec![Op::RosterRemove {
                account: account.clone(),
                contact: contact.clone(),
                version,
            }];
            if state.pending_in {
                ops.push(Op::PendingInRemove {
                    account: account.clone(),
                    contact: contact.clone(),
                });
            }
            let granted = entity.grants.get(contact).is_some_and(|g| g.allow);
            if granted {
                ops.push(Op::GrantRemove {
                    account: account.clone(),
                    watcher: contact.clone(),
                });
            }
            let mut owed = Vec::new();
            for kind in farewell(state) {
                owed.push(self.owe(account, contact, &Owed::stanza(kind)));
            }
            ops.extend(owed.iter().map(Owed::op));
            let (owner, of, reply) = (account.clone(), contact.clone(), reply.clone());
            self.submit(entity, ops, move |model, stored| {
                if stored.is_ok() {
                    model.push(&owner, &of, None, version);
                    model.reconcile(&owner, &of);
                    model.deliver_owed(owed);
                }
                reply.send(stored);
            })?;
            entity.roster.version = version;
            if state.to() {
                entity.unsettle(contact);
            }
            entity.roster.items.remove(contact);
            entity.roster.pending_in.remove(contact);
            if granted {
                entity.grants.remove(contact);
            }
            slot.shut_out(contact);
            Ok(())
        });
        if let Err(refusal) = outcome {
            reply.send(Err(refusal));
        }
    }

    /// Tells the interested sessions of one change, as it was made: what was changed since has its own push.
    pub(crate) fn push(&self, account: &Bare, contact: &Bare, item: Option<&Item>, version: u64) {
        self.with_slot(account, |slot| {
            if let Some(entity) = &slot.entity {
                entity.push(contact, item, version);
            }
        });
    }
}
