//! Messages that wait: for a client (XEP-0160), or for a phone that takes them.

use std::sync::Arc;
use std::time::Duration;

use presence::{Bare, Binding, Message, MessageNative, Refusal, Timestamp};
use store::Op;

use crate::clock::Now;
use crate::commit::Reply;
use crate::entity::{Entity, Session};
use crate::messages::{Handling, Sent};
use crate::route::{Event, SessionId};
use crate::shards::Model;
use crate::timers::{Ending, RETRY};

/// So long a phone may still answer to what it was offered: above the life of a SIP transaction (RFC 3261 §17.1.2.2, timer F).
const ANSWERED_WITHIN: Duration = Duration::from_secs(64);
/// So long a session may take to read a portion before another one gets it, where there is one.
const STALLED: Duration = Duration::from_secs(10);

/// Stored messages on their way to a client, portion by portion. Each is removed when it is written to the connection, and the next
/// is read when that is on the disk.
pub(crate) struct Giving {
    session: SessionId,
    stage: Stage,
    /// The messages of this portion: their numbers and sizes.
    portion: Vec<(u64, u64)>,
    /// When it was given.
    since: Timestamp,
}

/// What happens to a portion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is to be read.
    Reading,
    /// It is on its way to the connection.
    Given,
    /// It is written and to be removed.
    Written,
    /// Its removal is on the way to the disk.
    Removing,
}

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
            // There is room soon when somebody is being given what waits.
            return Err(match entity.giving {
                Some(_) => Refusal::Overloaded,
                None => Refusal::Unavailable,
            });
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

    /// True when it was offered to somebody.
    fn offer_stored(
        &self,
        account: &Bare,
        id: u64,
        message: &Message,
        to: impl Fn(&Binding) -> bool,
    ) -> bool {
        let now = self.now().at;
        self.with_slot(account, |slot| {
            let Some(entity) = &mut slot.entity else {
                return false;
            };
            // A client came first.
            if id <= entity.flushed {
                return false;
            }
            let offered = self.offer(entity, message, Some(id), to);
            if offered {
                let size = store::stored_size(message);
                entity.offered.insert(id, (size, now));
            }
            offered
        })
    }

    /// A phone took a stored message: it waits no longer.
    pub fn taken(self: &Arc<Self>, account: &Bare, id: u64) {
        let _ = self.with_entity(account, |entity| {
            let ops = vec![Op::OfflineRemove {
                account: account.clone(),
                ids: vec![id],
            }];
            let of = account.clone();
            let last = entity.offered.len() == 1 && entity.offered.contains_key(&id);
            // No room in the queue: it stays stored and is offered again.
            self.submit(entity, ops, move |model, _| {
                if last {
                    model.offer_waiting(&of, id, &[]);
                }
            })?;
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
        let last = self.with_slot(account, |slot| {
            let entity = slot.entity.as_mut()?;
            entity.offered.remove(&id)?;
            Some(entity.offered.is_empty())
        });
        if last == Some(true) {
            self.offer_waiting(account, id, &[]);
        }
    }

    /// Begins to give what waited, when a session became available with a non-negative priority (XEP-0160 §2).
    pub(crate) fn flush_offline(self: &Arc<Self>, account: &Bare, session: SessionId) {
        let _ = self.with_entity(account, |entity| {
            if let Some(giving) = &entity.giving {
                // It may be that who is given to has gone without a word.
                let stalled = giving.since.plus(STALLED);
                self.timers.lock().push(stalled, account, Ending::Flush);
            } else if entity.offline > 0 {
                entity.giving = Some(Box::new(Giving {
                    session,
                    stage: Stage::Reading,
                    portion: Vec::new(),
                    since: self.now().at,
                }));
                self.give_after_commits(entity);
            }
            Ok(())
        });
    }

    /// What was stored may be on its way to the disk.
    fn give_after_commits(self: &Arc<Self>, entity: &mut Entity) {
        let of = entity.account.clone();
        let waits = self.after_commits(entity, move |model| model.give(&of));
        if waits.is_err() {
            self.give_later(&entity.account);
        }
    }

    fn give_later(&self, account: &Bare) {
        let later = self.now().at.plus(RETRY);
        self.timers.lock().push(later, account, Ending::Flush);
    }

    /// There may be room in the writer's queue again, or a connection takes nothing more.
    pub(crate) fn go_on_giving(self: &Arc<Self>, account: &Bare) {
        let reading = self.with_slot(account, |slot| {
            let Some(entity) = &mut slot.entity else {
                return false;
            };
            match entity.giving.as_ref().map(|g| g.stage) {
                Some(Stage::Written) => {
                    self.remove_given(entity);
                    false
                }
                Some(Stage::Given) => self.give_to_another(entity),
                stage => stage == Some(Stage::Reading),
            }
        });
        if reading {
            self.give(account);
        }
    }

    /// Who reads nothing for a while does not hold up another session. True when there is one.
    fn give_to_another(&self, entity: &mut Entity) -> bool {
        let Some(giving) = &entity.giving else {
            return false;
        };
        let until = giving.since.plus(STALLED);
        if until > self.now().at {
            let mut timers = self.timers.lock();
            timers.push(until, &entity.account, Ending::Flush);
            return false;
        }
        let mut others = entity.sessions.iter().filter(|s| s.id != giving.session);
        let Some(id) = others.find(|s| s.takes_messages()).map(|s| s.id) else {
            return false;
        };
        entity.give_again(Some(id))
    }

    /// Reads the next portion and gives it to the session, or to another when that is not there any more.
    fn give(self: &Arc<Self>, account: &Bare) {
        let now = self.now();
        let begun = self.with_entity(account, |entity| {
            let reading = entity.giving.as_ref().map(|g| g.stage) == Some(Stage::Reading);
            Ok(reading.then_some(entity.flushed))
        });
        let Ok(Some(above)) = begun else { return };
        let most = self.rules.offline_portion;
        let read = self.store.offline_after(account, above, most);
        let _ = self.with_entity(account, |entity| {
            let reading = entity.giving.as_ref().map(|g| g.stage) == Some(Stage::Reading);
            if !reading || entity.flushed != above {
                return Ok(());
            }
            match read {
                Ok(portion) => self.give_portion(entity, &portion, now),
                Err(error) => {
                    tracing::error!(%error, %account, "messages that wait could not be read");
                    entity.giving = None;
                }
            }
            Ok(())
        });
    }

    fn give_portion(self: &Arc<Self>, entity: &mut Entity, messages: &[(u64, Message)], now: Now) {
        let Some(mut giving) = entity.giving.take() else {
            return;
        };
        let mut fit = entity.sessions.iter().filter(|s| s.takes_messages());
        let same = fit.clone().find(|s| s.id == giving.session);
        let Some(session) = same.or_else(|| fit.next()) else {
            return;
        };
        giving.session = session.id;
        let Some((last, _)) = messages.last() else {
            if entity.offline > 0 {
                // Something is on its way to the disk, or came there since it was read, or the count is wrong.
                entity.recount |= entity.pending_commits == 0;
                entity.giving = Some(giving);
                self.give_after_commits(entity);
            }
            return;
        };
        let route = Arc::clone(&session.route);
        let mut written = true;
        for (id, message) in messages {
            entity.offered.remove(id);
            giving.portion.push((*id, store::stored_size(message)));
            if !self.expired(message, now) {
                let delayed = true;
                route.deliver(&Event::Message { message, delayed });
                written = false;
            }
        }
        (giving.stage, giving.since) = (Stage::Given, now.at);
        entity.flushed = *last;
        let session = giving.session;
        entity.giving = Some(giving);
        if written {
            self.remove_given(entity);
        } else {
            let account = &entity.account;
            route.deliver(&Event::Mark { account, session });
            let stalled = now.at.plus(STALLED);
            self.timers.lock().push(stalled, account, Ending::Flush);
        }
    }

    /// What was delivered to a session up to an [`Event::Mark`] is written to its connection.
    pub fn written(self: &Arc<Self>, account: &Bare, session: SessionId) {
        let _ = self.with_entity(account, |entity| {
            if entity.gives_to(session)
                && entity.giving.as_ref().map(|g| g.stage) == Some(Stage::Given)
            {
                self.remove_given(entity);
            }
            Ok(())
        });
    }

    /// A session has ended: what was given to it and not written is given to another, or to the next that comes.
    pub(crate) fn not_written(self: &Arc<Self>, account: &Bare, session: SessionId) {
        let again = self.with_slot(account, |slot| {
            let entity = slot.entity.as_mut();
            entity.is_some_and(|e| e.gives_to(session) && e.give_again(None))
        });
        if again {
            self.give(account);
        }
    }

    /// A portion is written: it waits no longer.
    fn remove_given(self: &Arc<Self>, entity: &mut Entity) {
        let Some(giving) = &mut entity.giving else {
            return;
        };
        giving.stage = Stage::Written;
        let ops = vec![Op::OfflineRemove {
            account: entity.account.clone(),
            ids: giving.portion.iter().map(|(id, _)| *id).collect(),
        }];
        let (of, last) = (entity.account.clone(), entity.flushed);
        let removed = self.submit(entity, ops, move |model, stored| {
            model.removed_given(&of, last, stored.is_ok());
        });
        if removed.is_err() {
            return self.give_later(&entity.account);
        }
        let sizes = entity.giving.as_mut().map_or_else(Vec::new, |giving| {
            giving.stage = Stage::Removing;
            giving.portion.clone()
        });
        for (_, size) in sizes {
            entity.fewer(size);
        }
    }

    fn removed_given(self: &Arc<Self>, account: &Bare, last: u64, removed: bool) {
        let next = self.with_entity(account, |entity| {
            let flushed = entity.flushed;
            let Some(giving) = &mut entity.giving else {
                return Ok(false);
            };
            if giving.stage != Stage::Removing || flushed != last {
                return Ok(false);
            }
            if removed {
                giving.stage = Stage::Reading;
                giving.portion.clear();
            } else {
                giving.stage = Stage::Written;
                self.give_later(account);
            }
            Ok(removed)
        });
        if next == Ok(true) {
            self.give(account);
        }
    }

    /// A phone has registered: what waited and can be shown on it is offered. `added` are contacts that were not registered before;
    /// the others get what was offered so long ago that they have not answered.
    pub(crate) fn flush_to_phones(&self, account: &Bare, added: &[Arc<str>]) {
        self.offer_waiting(account, 0, added);
    }

    /// Offers the next portion of what waits above a number; when all of it is answered the one behind it follows.
    fn offer_waiting(&self, account: &Bare, mut above: u64, added: &[Arc<str>]) {
        let now = self.now();
        let waits = |entity: &mut Entity| {
            let phones = entity.bindings.iter().any(|b| b.binding.takes_message);
            Ok(phones && entity.offline > 0)
        };
        if !self.with_entity(account, waits).unwrap_or(false) {
            return;
        }
        let (most, mut any) = (self.rules.offline_portion, false);
        while !any {
            let Ok(messages) = self.store.offline_after(account, above, most) else {
                return;
            };
            let Some((last, _)) = messages.last() else {
                return;
            };
            above = *last;
            for (id, message) in &messages {
                any |= self.offer_one(account, *id, message, added, now);
            }
        }
    }

    fn offer_one(
        &self,
        account: &Bare,
        id: u64,
        message: &Message,
        added: &[Arc<str>],
        now: Now,
    ) -> bool {
        let shown =
            matches!(message.native, MessageNative::Sip { .. }) || !message.bodies.is_empty();
        if !shown || self.expired(message, now) {
            return false;
        }
        let open = self.with_slot(account, |slot| {
            let offered = slot.entity.as_ref().and_then(|e| e.offered.get(&id));
            offered.is_some_and(|(_, at)| at.plus(ANSWERED_WITHIN) > now.at)
        });
        self.offer_stored(account, id, message, |b| {
            !open || added.contains(&b.contact)
        })
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

impl Session {
    /// It is available for messages (RFC 6121 §8.5.2), and its connection is there as far as is known.
    fn takes_messages(&self) -> bool {
        self.available.is_some_and(|priority| priority >= 0) && !self.route.closed()
    }
}

impl Entity {
    /// Stored messages are on their way to this session.
    pub(crate) fn gives_to(&self, session: SessionId) -> bool {
        let giving = self.giving.as_ref();
        giving.is_some_and(|g| g.session == session)
    }

    /// What is given and not written is to be read again, for another session where one is named. True when there is such a thing.
    fn give_again(&mut self, to: Option<SessionId>) -> bool {
        let giving = self.giving.as_mut().filter(|g| g.stage == Stage::Given);
        let Some(giving) = giving else { return false };
        giving.session = to.unwrap_or(giving.session);
        giving.stage = Stage::Reading;
        let first = giving.portion.first().map_or(1, |(first, _)| *first);
        giving.portion.clear();
        self.flushed = first.saturating_sub(1);
        true
    }

    /// One message of this size waits no longer.
    fn fewer(&mut self, bytes: u64) {
        self.offline = self.offline.saturating_sub(1);
        self.offline_bytes = self.offline_bytes.saturating_sub(bytes);
    }
}
