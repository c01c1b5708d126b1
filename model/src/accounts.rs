//! Accounts and aliases.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;
use std::sync::{Arc, OnceLock};

use presence::subscription::State;
use presence::{Bare, Decision, Refusal, Resource, Source, View, WatchId};
use store::Op;

use crate::commit::Reply;
use crate::entity::{Entity, Published, Slot};
use crate::outbox::Owed;
use crate::route::{Ended, Event, Route};
use crate::shards::Model;
use crate::subscriptions::farewell;
use crate::timers::Ending;

/// The stored secrets of an account, opaque to the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// SCRAM keys.
    pub scram: Vec<u8>,
    /// HA1 values for SIP and HTTP digest, sealed.
    pub sealed_ha1: Vec<u8>,
}

impl Model {
    /// Who is told that the secrets that an account had are good for nothing any more: it has others, is closed, or gone. He is told
    /// after the commit and before any session is ended: a login by the old secrets that he does not stop when it binds has bound before,
    /// and is ended. There is one; a second is not heard.
    pub fn watch_secrets(&self, watcher: impl Fn(&Bare) + Send + Sync + 'static) {
        let _ = self.secrets_watcher.set(Box::new(watcher));
    }

    fn secrets_ended(&self, account: &Bare) {
        if let Some(watcher) = self.secrets_watcher.get() {
            watcher(account);
        }
    }

    /// Writes the ops as one unit that changes nothing in memory, answers, and goes on.
    pub(crate) fn unit(
        self: &Arc<Self>,
        ops: Vec<Op>,
        reply: &Reply<()>,
        then: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) {
        let (model, answer) = (Arc::clone(self), reply.clone());
        let done = move |stored: Result<(), store::StoreError>| match stored {
            Ok(()) => {
                then(&model);
                answer.send(Ok(()));
            }
            Err(error) => answer.send(Err(refusal(&error))),
        };
        if self.store.submit(ops, Box::new(done)).is_err() {
            reply.send(Err(Refusal::Overloaded));
        }
    }

    /// Makes an account. `Conflict` when it exists.
    pub fn add_account(
        self: &Arc<Self>,
        account: &Bare,
        secrets: Secrets,
        admin: bool,
        reply: &Reply<()>,
    ) {
        if account.local().is_none() || !self.is_local(account) {
            reply.send(Err(Refusal::ForeignDomain));
            return;
        }
        let Secrets { scram, sealed_ha1 } = secrets;
        let created = self.now().utc;
        // Versions of the contact list begin with the moment, so that those of an earlier account of this name never mean the list of
        // this one (RFC 6121 §2.6.3). Removing what is not there sets the version and nothing else.
        let version = u64::try_from(created.0 / 1000).unwrap_or_default();
        let ops = vec![
            Op::AccountCreate {
                account: account.clone(),
                scram,
                sealed_ha1,
                admin,
                created,
            },
            Op::RosterRemove {
                account: account.clone(),
                contact: account.clone(),
                version,
            },
        ];
        let of = account.clone();
        self.unit(ops, reply, move |model| {
            // There may have been another account of this name.
            model.secrets_ended(&of);
            model.enter_groups(&of);
        });
    }

    /// Changes the secrets. Sessions that logged in with the old ones are ended.
    pub fn set_secrets(self: &Arc<Self>, account: &Bare, secrets: Secrets, reply: &Reply<()>) {
        let Secrets { scram, sealed_ha1 } = secrets;
        let of = account.clone();
        self.unit(
            vec![Op::AccountPassword {
                account: account.clone(),
                scram,
                sealed_ha1,
            }],
            reply,
            move |model| {
                model.secrets_ended(&of);
                model.end_sessions(&of, Ended::PasswordChanged);
            },
        );
    }

    /// Adds keys of the present password that were missing among the SCRAM keys `was`; nothing else changes.
    pub fn complete_scram(
        self: &Arc<Self>,
        account: &Bare,
        was: Vec<u8>,
        scram: Vec<u8>,
        reply: &Reply<()>,
    ) {
        let op = Op::AccountScram {
            account: account.clone(),
            was,
            scram,
        };
        self.unit(vec![op], reply, |_| {});
    }

    /// Disables an account (its sessions are ended, its phones forgotten, its watches ended) or enables it again.
    pub fn disable(self: &Arc<Self>, account: &Bare, disabled: bool, reply: &Reply<()>) {
        let outcome = self.with(account, |slot| {
            let entity = slot.entity.as_mut().ok_or(Refusal::NotFound)?;
            let mut ops = vec![Op::AccountDisable {
                account: account.clone(),
                disabled,
            }];
            if disabled {
                ops.extend(silencing(entity));
            }
            let (answer, of) = (reply.clone(), account.clone());
            self.submit(entity, ops, move |model, stored| {
                match (&stored, disabled) {
                    (Ok(()), true) => {
                        model.secrets_ended(&of);
                        model.end_sessions(&of, Ended::Disabled);
                        model.quit_groups(&of, false);
                        model.end_watches_of(&of);
                    }
                    (Ok(()), false) => model.enter_groups(&of),
                    (Err(_), _) => {}
                }
                answer.send(stored);
            })?;
            entity.disabled = disabled;
            if disabled {
                self.silence(slot);
            }
            Ok(())
        });
        if let Err(refusal) = outcome {
            reply.send(Err(refusal));
        }
    }

    /// Takes back what the phones of an account said, and what is left of an earlier run.
    fn silence(&self, slot: &mut Slot) {
        let Some(entity) = &slot.entity else { return };
        let contacts = entity.bindings.iter().map(|b| &b.binding.contact);
        let contacts: Vec<_> = contacts.cloned().collect();
        for contact in contacts {
            self.unbind(slot, &contact);
        }
        let Some(entity) = &slot.entity else { return };
        let connected = |p: &&Published| p.publication.source == Source::Session && !p.lingering;
        let left = entity.published.iter().filter(|p| !connected(p));
        let left: Vec<Resource> = left.map(|p| p.publication.resource.clone()).collect();
        for resource in left {
            slot.close(&resource, self.rules.same_domain_allow, self.phones());
        }
    }

    /// Ends what this account watches by stored watches: its phones may no longer be told of anybody.
    pub(crate) fn end_watches_of(self: &Arc<Self>, watcher: &Bare) {
        self.end_watches(watcher, |_| true);
    }

    /// Ends those of them that are of certain accounts.
    pub(crate) fn end_watches(self: &Arc<Self>, watcher: &Bare, of_whom: impl Fn(&Bare) -> bool) {
        let now = self.now();
        let mut ended = Vec::new();
        self.each(|slot| {
            let Some(entity) = &mut slot.entity else {
                return;
            };
            let of = entity.account.clone();
            if !of_whom(&of) {
                return;
            }
            for watch in &mut entity.watches {
                if watch.record.watcher == *watcher {
                    watch.deadline = now.at;
                    ended.push((of.clone(), watch.record.id));
                    deny(&of, watch.record.id, self.phones());
                }
            }
        });
        let mut timers = self.timers.lock();
        for (of, id) in ended {
            timers.push(now.at, &of, Ending::Watch(id));
        }
    }

    /// Deletes an account and all that belongs to it. Its contacts are told that the subscriptions are over.
    pub fn delete_account(self: &Arc<Self>, account: &Bare, reply: &Reply<()>) {
        let outcome = self.with_entity(account, |entity| {
            let roster = &entity.roster;
            let contacts = roster.items.iter().map(|i| &i.contact);
            let contacts = contacts.chain(roster.pending_in.keys());
            let contacts: BTreeSet<&Bare> = contacts.collect();
            let mut owed = Vec::new();
            for contact in contacts {
                for kind in farewell(State::of(roster, contact)) {
                    owed.push(self.owe(account, contact, &Owed::stanza(kind)));
                }
            }
            let mut ops: Vec<Op> = owed.iter().map(Owed::op).collect();
            ops.push(Op::AccountDelete {
                account: account.clone(),
            });
            let (answer, of, born) = (reply.clone(), account.clone(), entity.born);
            self.submit(entity, ops, move |model, stored| {
                if stored.is_ok() {
                    model.secrets_ended(&of);
                    model.end_sessions(&of, Ended::Deleted);
                    model.quit_groups(&of, true);
                    model.forget(&of);
                    model.end_watches_of(&of);
                    model.deliver_owed(owed);
                } else {
                    model.spare(&of, born);
                }
                answer.send(stored);
            })?;
            entity.doomed = true;
            Ok(())
        });
        if let Err(refusal) = outcome {
            reply.send(Err(refusal));
        }
    }

    /// It was not deleted after all.
    fn spare(&self, account: &Bare, born: u64) {
        self.with_slot(account, |slot| {
            if let Some(entity) = slot.entity.as_mut().filter(|e| e.born == born) {
                entity.doomed = false;
            }
        });
    }

    fn forget(&self, account: &Bare) {
        self.with_slot(account, |slot| {
            self.silence(slot);
            slot.watchers.clear();
            let watches = slot.entity.take().map(|e| e.watches);
            for watch in watches.unwrap_or_default() {
                deny(account, watch.record.id, self.phones());
            }
        });
        self.node_owners.forget(account);
        self.aliases.lock().retain(|_, a| a != account);
    }

    /// Leads another address to an account. `Conflict` when it leads elsewhere.
    pub fn add_alias(self: &Arc<Self>, alias: &str, account: &Bare, reply: &Reply<()>) {
        // Taken at once, so that of two who want it one is refused.
        let fresh = match self.aliases.lock().entry(alias.to_owned()) {
            Entry::Occupied(taken) if taken.get() != account => {
                reply.send(Err(Refusal::Conflict));
                return;
            }
            Entry::Occupied(_) => false,
            Entry::Vacant(free) => {
                free.insert(account.clone());
                true
            }
        };
        let op = Op::AliasPut {
            alias: alias.to_owned(),
            account: account.clone(),
        };
        let (model, alias, answer) = (Arc::clone(self), alias.to_owned(), reply.clone());
        let checked = Reply::new(move |stored: Result<(), Refusal>| {
            if stored.is_err() && fresh {
                model.aliases.lock().remove(&alias);
            }
            answer.send(stored);
        });
        self.unit(vec![op], &checked, |_| {});
    }

    /// Takes an alias away. `NotFound` when it does not lead to this account.
    pub fn remove_alias(self: &Arc<Self>, alias: &str, account: &Bare, reply: &Reply<()>) {
        if self.aliases.lock().get(alias) != Some(account) {
            reply.send(Err(Refusal::NotFound));
            return;
        }
        let alias = alias.to_owned();
        self.unit(
            vec![Op::AliasRemove {
                alias: alias.clone(),
            }],
            reply,
            move |model| {
                model.aliases.lock().remove(&alias);
            },
        );
    }

    /// The account that an alias leads to.
    pub fn alias(&self, alias: &str) -> Option<Bare> {
        self.aliases.lock().get(alias).cloned()
    }

    /// All aliases of an account, in order.
    pub fn aliases_of(&self, account: &Bare) -> Vec<String> {
        let aliases = self.aliases.lock();
        let mut found: Vec<String> = aliases
            .iter()
            .filter(|(_, a)| *a == account)
            .map(|(alias, _)| alias.clone())
            .collect();
        found.sort();
        found
    }

    /// The aliases in force from now on: the stored ones and those of the configuration, which are not stored.
    pub fn set_aliases(
        &self,
        configured: impl IntoIterator<Item = (String, Bare)>,
    ) -> Result<(), store::StoreError> {
        let mut aliases: std::collections::HashMap<_, _> =
            self.store.aliases()?.into_iter().collect();
        aliases.extend(configured);
        *self.aliases.lock() = aliases;
        Ok(())
    }
}

/// What is written when an account falls silent.
fn silencing(entity: &Entity) -> Vec<Op> {
    let account = &entity.account;
    let bindings = entity.bindings.iter().map(|b| Op::BindingRemove {
        account: account.clone(),
        contact: Arc::clone(&b.binding.contact),
    });
    let publications = entity.published.iter().filter_map(|p| {
        let (account, resource) = (account.clone(), p.publication.resource.clone());
        match p.publication.source {
            Source::Sip { .. } | Source::Manual => {
                Some(Op::PublicationRemove { account, resource })
            }
            Source::Session if p.lingering => Some(Op::LastKnownRemove { account, resource }),
            Source::Session | Source::Registration { .. } => None,
        }
    });
    bindings.chain(publications).collect()
}

/// Tells the holder of a watch that there is nothing for him any more.
fn deny(of: &Bare, watch: WatchId, phones: &dyn Route) {
    let view = Arc::new(View {
        presentity: of.clone(),
        version: u64::MAX,
        publications: Vec::new(),
        pidf: OnceLock::new(),
    });
    phones.deliver(&Event::View {
        watch,
        decision: Decision::Deny,
        view: &view,
    });
}

fn refusal(error: &store::StoreError) -> Refusal {
    match error {
        store::StoreError::Conflict { .. } => Refusal::Conflict,
        store::StoreError::AccountUnknown { .. } => Refusal::NotFound,
        store::StoreError::Busy => Refusal::Overloaded,
        // The writer says so once for all.
        store::StoreError::Io(_) => Refusal::Fault,
        other => {
            tracing::error!(error = %other, "a change could not be stored");
            Refusal::Fault
        }
    }
}
