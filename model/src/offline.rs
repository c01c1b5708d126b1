//! Messages that wait: for a client (XEP-0160), or for a phone that takes them.

use std::sync::Arc;
use std::time::Duration;

use presence::{Bare, Binding, Message, MessageNative, Refusal};
use store::Op;

use crate::clock::Now;
use crate::commit::Reply;
use crate::entity::Entity;
use crate::messages::{Handling, Sent};
use crate::route::{Event, SessionId};
use crate::shards::Model;
use crate::timers::{Ending, RETRY};

/// So long a phone may still answer to what it was offered: above the life of a SIP transaction (RFC 3261 §17.1.2.2, timer F).
const ANSWERED_WITHIN: Duration = Duration::from_secs(64);

impl Model {
    /// Stores a message; after the commit the phones of the account are tried.
    pub(crate) fn keep(
        self: &Arc<Self>,
        entity: &mut Entity,
        message: &Arc<Message>,
        handling: Handling,
        reply: &Reply<Sent>,
    ) -> Result<(), Refusal> {
        let size = store::stored_size(message);
        let (most, most_bytes) = (self.rules.offline_messages, self.rules.offline_bytes);
        if entity.offline >= most || entity.offline_bytes.saturating_add(size) > most_bytes {
            return Err(Refusal::Unavailable);
        }
        let id = self.new_offline();
        let account = entity.account.clone();
        let ops = vec![Op::OfflinePut {
            account: account.clone(),
            id,
            message: Box::new((**message).clone()),
        }];
        let (received, message, answer) = (message.received, Arc::clone(message), reply.clone());
        self.submit(entity, ops, move |model, stored| {
            if stored.is_ok() && handling.speakable {
                model.offer_stored(&account, id, &message, |_| true);
            }
            answer.send(stored.map(|()| Sent::Stored));
        })?;
        entity.offline += 1;
        entity.offline_bytes += size;
        if self.rules.offline_expires.is_some() {
            entity.offline_oldest.get_or_insert(received);
        }
        Ok(())
    }

    /// Hands a message to those of the phones that take messages.
    pub(crate) fn offer(
        &self,
        entity: &Entity,
        message: &Message,
        stored: Option<u64>,
        to: impl Fn(&Binding) -> bool,
    ) -> bool {
        let bindings = entity.bindings.iter().map(|b| &b.binding);
        let bindings: Vec<Binding> = bindings
            .filter(|b| b.takes_message && to(b))
            .cloned()
            .collect();
        if bindings.is_empty() {
            return false;
        }
        self.phones().deliver(&Event::PhoneMessage {
            account: &entity.account,
            bindings: &bindings,
            message,
            stored,
        });
        true
    }

    fn offer_stored(
        &self,
        account: &Bare,
        id: u64,
        message: &Message,
        to: impl Fn(&Binding) -> bool,
    ) {
        let now = self.now().at;
        self.with_slot(account, |slot| {
            let Some(entity) = &mut slot.entity else {
                return;
            };
            // A client came first.
            if id <= entity.flushed {
                return;
            }
            if self.offer(entity, message, Some(id), to) {
                let size = store::stored_size(message);
                entity.offered.insert(id, (size, now));
            }
        });
    }

    /// A phone took a stored message: it waits no longer.
    pub fn taken(self: &Arc<Self>, account: &Bare, id: u64) {
        let _ = self.with_entity(account, |entity| {
            let ops = vec![Op::OfflineRemove {
                account: account.clone(),
                ids: vec![id],
            }];
            // No room in the queue: it stays stored and is offered again.
            self.submit(entity, ops, |_, _| {})?;
            match entity.offered.remove(&id) {
                Some((size, _)) => entity.fewer(size),
                // It was taken before, by another phone or a client, or nobody knows any more: counted anew.
                None => entity.recount = true,
            }
            Ok(())
        });
    }

    /// No phone took a stored message that it was offered: the next that registers is offered it again.
    pub fn not_taken(&self, account: &Bare, id: u64) {
        self.with_slot(account, |slot| {
            if let Some(entity) = &mut slot.entity {
                entity.offered.remove(&id);
            }
        });
    }

    /// Delivers what waited to a session that became available with a non-negative priority (XEP-0160 §2).
    pub(crate) fn flush_offline(self: &Arc<Self>, account: &Bare, session: SessionId) {
        let later = self.now().at.plus(RETRY);
        let _ = self.with_entity(account, |entity| {
            if entity.offline == 0 {
                return Ok(());
            }
            let of = account.clone();
            let waits = self.after_commits(entity, move |model| model.flush_stored(&of, session));
            entity.flushing = true;
            if waits.is_err() {
                let mut timers = self.timers.lock();
                timers.push(later, account, Ending::Flush(session));
            }
            waits
        });
    }

    /// Gives a session what is stored. All up to the highest number is given to one session, so that none is given twice; it is
    /// given when its removal is on its way to the disk.
    pub(crate) fn flush_stored(self: &Arc<Self>, account: &Bare, session: SessionId) {
        let now = self.now();
        let read = self.store.offline_messages(account);
        let messages = read.unwrap_or_default();
        let given = self.with_entity(account, |entity| {
            entity.flushing = false;
            let own = entity.session(session).ok_or(Refusal::NotFound)?;
            let route = Arc::clone(&own.route);
            if own.available.is_none_or(|p| p < 0) || route.closed() {
                return Ok(false);
            }
            let waiting = messages.iter().filter(|(id, _)| *id > entity.flushed);
            let waiting: Vec<&(u64, Message)> = waiting.collect();
            let Some(last) = waiting.last().map(|(id, _)| *id) else {
                // What waits may itself be on its way to the disk, when this could not be put behind it.
                return Ok(entity.offline > 0 && entity.pending_commits > 0);
            };
            let ops = vec![Op::OfflineRemove {
                account: account.clone(),
                ids: waiting.iter().map(|(id, _)| *id).collect(),
            }];
            if let Err(refusal) = self.submit(entity, ops, |_, _| {}) {
                let (at, ending) = (now.at.plus(RETRY), Ending::Flush(session));
                self.timers.lock().push(at, account, ending);
                entity.flushing = true;
                return Err(refusal);
            }
            entity.flushed = last;
            for (id, message) in waiting {
                entity.offered.remove(id);
                if self.expired(message, now) {
                    // Its removal may be under way.
                    entity.recount = true;
                    continue;
                }
                entity.fewer(store::stored_size(message));
                let delayed = true;
                route.deliver(&Event::Message { message, delayed });
            }
            Ok(entity.offline > 0)
        });
        // What was stored while these were read.
        if given == Ok(true) {
            self.flush_offline(account, session);
        }
    }

    /// A phone has registered: what waited and can be shown on it is offered. `added` are contacts that were not registered before;
    /// the others get what was offered so long ago that they have not answered.
    pub(crate) fn flush_to_phones(self: &Arc<Self>, account: &Bare, added: &[Arc<str>]) {
        let now = self.now();
        let waits = |entity: &mut Entity| Ok(entity.offline > 0);
        if !self.with_entity(account, waits).unwrap_or(false) {
            return;
        }
        let Ok(messages) = self.store.offline_messages(account) else {
            return;
        };
        for (id, message) in messages {
            let shown =
                matches!(message.native, MessageNative::Sip { .. }) || !message.bodies.is_empty();
            if !shown || self.expired(&message, now) {
                continue;
            }
            let open = self.with_slot(account, |slot| {
                let offered = slot.entity.as_ref().and_then(|e| e.offered.get(&id));
                offered.is_some_and(|(_, at)| at.plus(ANSWERED_WITHIN) > now.at)
            });
            self.offer_stored(account, id, &message, |b| {
                !open || added.contains(&b.contact)
            });
        }
    }

    fn expired(&self, message: &Message, now: Now) -> bool {
        let most = self.rules.offline_expires;
        most.is_some_and(|most| message.received.plus(most) <= now.utc)
    }

    /// Something that waits may have waited too long.
    pub(crate) fn offline_due(&self, entity: &Entity, now: Now) -> bool {
        let most = self.rules.offline_expires;
        let oldest = entity.offline_oldest;
        oldest
            .zip(most)
            .is_some_and(|(oldest, most)| oldest.plus(most) <= now.utc)
    }

    /// Removes what has waited too long. Reads the disk: called when the account is read in, and when something is due.
    pub(crate) fn expire_offline(&self, entity: &mut Entity, now: Now) {
        entity.offline_oldest = None;
        if entity.offline == 0 || self.rules.offline_expires.is_none() {
            return;
        }
        let Ok(messages) = self.store.offline_messages(&entity.account) else {
            return;
        };
        let waiting = messages.iter().filter(|(id, _)| *id > entity.flushed);
        let (over, left): (Vec<_>, Vec<_>) = waiting.partition(|(_, m)| self.expired(m, now));
        entity.offline_oldest = left.iter().map(|(_, m)| m.received).min();
        if over.is_empty() {
            return;
        }
        self.store.submit_soft(vec![Op::OfflineRemove {
            account: entity.account.clone(),
            ids: over.iter().map(|(id, _)| *id).collect(),
        }]);
        for (id, message) in over {
            entity.offered.remove(id);
            entity.fewer(store::stored_size(message));
        }
        // Some may be on their way to the disk.
        if entity.offline > 0 {
            entity.offline_oldest.get_or_insert(now.utc);
        }
    }
}

impl Entity {
    /// One message of this size waits no longer.
    fn fewer(&mut self, bytes: u64) {
        self.offline = self.offline.saturating_sub(1);
        self.offline_bytes = self.offline_bytes.saturating_sub(bytes);
    }
}
