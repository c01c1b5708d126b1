//! The state after a start, clean or not, and the way to a clean end.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use presence::{Bare, Refusal, Timestamp, WatchRecord};
use services::pubsub::Subscription;
use store::Op;

use crate::clock::jitter;
use crate::entity::{Entity, Published};
use crate::route::Ended;
use crate::shards::Model;
use crate::timers::Ending;

impl Model {
    /// Brings back what was there before the start: publications, registrations, watches; after an unclean start also the presence
    /// that lived in connections, as last known, for `restart_grace`. Then delivers what accounts owe each other. Returns the watches
    /// for the face that holds their dialogs, which compares what they were told with what may be seen now ([`Model::look`]). To be
    /// called once, before anything listens.
    pub fn restore(self: &Arc<Self>, unclean: bool) -> Result<Vec<WatchRecord>, Refusal> {
        let fault = |error: store::StoreError| {
            tracing::error!(%error, "the database could not be read");
            Refusal::Fault
        };
        let now = self.now();
        self.load_motd().map_err(fault)?;
        let pending = Subscription::Pending.code();
        let owners = self.store.node_owners(pending).map_err(fault)?;
        for (owner, due) in owners.iter().filter_map(|o| Some((&o.account, o.due?))) {
            let mut timers = self.timers.lock();
            timers.push(now.deadline(due), owner, Ending::Nodes);
        }
        self.node_owners.begin(owners);
        self.look_for_photos().map_err(fault)?;
        let owed = self.store.outbox().map_err(fault)?;
        // Debt and mark are written by one commit, so below these numbers nothing comes a second time, and memory need not know how far
        // each contact has come.
        let first = owed.iter().map(|entry| entry.seq).min();
        let first = first.unwrap_or_else(|| self.store.next_ids().outbox_seq);
        self.first_owed.store(first, Ordering::Relaxed);
        let mut watches = Vec::new();
        for account in self.store.residents().map_err(fault)? {
            let last_known = self
                .store
                .load(&account)
                .map_err(fault)?
                .map(|r| r.last_known)
                .unwrap_or_default();
            self.with(&account, |slot| {
                let Some(entity) = &mut slot.entity else {
                    return Ok(());
                };
                for publication in last_known {
                    if unclean && !entity.disabled {
                        let until = now.at.plus(
                            self.rules.restart_grace
                                + jitter(&self.random, self.rules.restart_grace / 4),
                        );
                        self.linger(entity, publication, until);
                    } else {
                        let resource = publication.resource;
                        let op = Op::LastKnownRemove {
                            account: account.clone(),
                            resource: resource.clone(),
                        };
                        self.keep_presence(&account, &resource, op);
                    }
                }
                self.reopen(entity);
                watches.extend(entity.watches.iter().map(|w| w.record.clone()));
                Ok(())
            })?;
        }
        self.drop_orphans(&mut watches)?;
        self.deliver_owed(owed);
        Ok(watches)
    }

    fn linger(&self, entity: &mut Entity, publication: presence::Publication, until: Timestamp) {
        if entity.find(&publication.resource).is_some() {
            return;
        }
        let resource = publication.resource.clone();
        self.timers
            .lock()
            .push(until, &entity.account, Ending::Publication(resource));
        entity.published.push(Published {
            publication: Arc::new(publication),
            deadline: Some(until),
            lingering: true,
        });
    }

    /// Registered phones count as present again. Nobody is told: it is as it was.
    fn reopen(&self, entity: &mut Entity) {
        if !self.rules.registered_is_open {
            return;
        }
        for index in 0..entity.bindings.len() {
            let device = Arc::clone(&entity.bindings[index].device);
            let resource = crate::bindings::resource(&entity.account, &device);
            if entity.find(&resource).is_none() {
                entity.put(crate::bindings::open(resource, device), None);
            }
        }
    }

    /// Ends the watches of accounts that were deleted or disabled when the end of the run came between that and its effect elsewhere.
    fn drop_orphans(self: &Arc<Self>, watches: &mut Vec<WatchRecord>) -> Result<(), Refusal> {
        let mut usable: HashMap<Bare, bool> = HashMap::new();
        for watch in watches.iter() {
            let watcher = &watch.watcher;
            if self.is_local(watcher) && !usable.contains_key(watcher) {
                let credentials = self.store.credentials(watcher).map_err(|error| {
                    tracing::error!(%error, "the database could not be read");
                    Refusal::Fault
                })?;
                let good = credentials.is_some_and(|c| !c.disabled);
                usable.insert(watcher.clone(), good);
            }
        }
        watches.retain(|watch| usable.get(&watch.watcher) != Some(&false));
        for (watcher, good) in usable {
            if !good {
                self.end_watches_of(&watcher);
            }
        }
        Ok(())
    }

    pub(crate) fn schedule(&self, entity: &Entity) {
        let mut timers = self.timers.lock();
        for published in &entity.published {
            if let Some(deadline) = published.deadline {
                timers.push(
                    deadline,
                    &entity.account,
                    Ending::Publication(published.publication.resource.clone()),
                );
            }
        }
        for bound in &entity.bindings {
            timers.push(
                bound.deadline,
                &entity.account,
                Ending::Binding(Arc::clone(&bound.binding.contact)),
            );
        }
        for watch in &entity.watches {
            timers.push(
                watch.deadline,
                &entity.account,
                Ending::Watch(watch.record.id),
            );
        }
    }

    /// Ends every session, so that everybody is told before the end. The store is closed by who opened it.
    pub fn shut_down(self: &Arc<Self>) {
        let mut sessions = Vec::new();
        self.each(|slot| {
            if let Some(entity) = &slot.entity {
                sessions.extend(
                    entity
                        .sessions
                        .iter()
                        .map(|s| (entity.account.clone(), s.id)),
                );
            }
        });
        for (account, session) in sessions {
            self.disconnect(&account, session, None);
        }
    }

    /// Ends every session of an account for a reason.
    pub fn end_account_sessions(self: &Arc<Self>, account: &Bare, why: Ended) {
        self.end_sessions(account, why);
    }
}
