//! What waits is offered to the phones that take messages, portion by portion.

use std::sync::Arc;
use std::time::Duration;

use presence::{Bare, Binding, Message, MessageNative, Timestamp};
use store::Op;

use crate::clock::Now;
use crate::entity::Entity;
use crate::route::Event;
use crate::shards::Model;

/// So long a phone may still answer to what it was offered: above the life of a SIP transaction (RFC 3261 §17.1.2.2, timer F).
const ANSWERED_WITHIN: Duration = Duration::from_secs(64);

/// The phones are offered what waits, the oldest first. The next portion comes when all of the last is answered, and what is stored
/// meanwhile waits its turn.
pub(crate) struct Offering {
    /// The last number of the last portion.
    upto: u64,
    /// Contacts that registered since it began: they are offered also what others have not answered yet.
    added: Vec<Arc<str>>,
    /// Grows with every message that was stored and not offered at once.
    stored: u64,
}

impl Model {
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
        entity: &mut Entity,
        id: u64,
        message: &Message,
        to: impl Fn(&Binding) -> bool,
    ) -> bool {
        // A client came first.
        if id <= entity.flushed {
            return false;
        }
        let offered = self.offer(entity, message, Some(id), to);
        if offered {
            let size = store::stored_size(message);
            entity.offered.insert(id, (size, self.now().at));
        }
        offered
    }

    /// A message was stored: it is offered at once, unless others wait to be offered before it.
    pub(super) fn offer_new(self: &Arc<Self>, account: &Bare, id: u64, message: &Message) {
        let now = self.now().at;
        let stuck = self.with_slot(account, |slot| {
            let Some(entity) = &mut slot.entity else {
                return false;
            };
            let awaits = entity.awaits_phones(now);
            if let Some(offering) = &mut entity.offering {
                offering.stored += 1;
                return !awaits;
            }
            self.offer_stored(entity, id, message, |_| true);
            false
        });
        if stuck {
            self.go_on_offering(account);
        }
    }

    /// A phone took a stored message: it waits no longer.
    pub fn taken(self: &Arc<Self>, account: &Bare, id: u64) {
        let _ = self.with_entity(account, |entity| {
            let ops = vec![Op::OfflineRemove {
                account: account.clone(),
                ids: vec![id],
            }];
            let of = account.clone();
            // No room in the queue: it stays stored and is offered again.
            self.submit(entity, ops, move |model, _| model.go_on_offering(&of))?;
            match entity.offered.remove(&id) {
                Some((size, _)) => entity.fewer(size),
                // It was taken before, by another phone or a client, or nobody knows any more: counted anew.
                None => entity.recount = true,
            }
            Ok(())
        });
    }

    /// No phone took a stored message that it was offered: the next that registers is offered it again.
    pub fn not_taken(self: &Arc<Self>, account: &Bare, id: u64) {
        let known = self.with_slot(account, |slot| {
            let entity = slot.entity.as_mut();
            entity.is_some_and(|e| e.offered.remove(&id).is_some())
        });
        if known {
            self.go_on_offering(account);
        }
    }

    /// A phone has registered: what waited and can be shown on it is offered. `added` are contacts that were not registered before;
    /// the others get what was offered so long ago that they have not answered.
    pub(crate) fn flush_to_phones(&self, account: &Bare, added: &[Arc<str>]) {
        let now = self.now().at;
        let begun = self.with_entity(account, |entity| {
            let old = entity.offering.take();
            if old.is_some() && added.is_empty() && entity.awaits_phones(now) {
                entity.offering = old;
                return Ok(false);
            }
            if entity.offline == 0 || !entity.has_phones() {
                return Ok(false);
            }
            let mut added = added.to_vec();
            added.extend(old.into_iter().flat_map(|o| o.added));
            entity.offering = Some(Box::new(Offering {
                upto: 0,
                added,
                stored: 0,
            }));
            Ok(true)
        });
        if begun == Ok(true) {
            self.offer_portions(account);
        }
    }

    /// Offers the next portion when the last is answered and what was taken of it is removed.
    pub(super) fn go_on_offering(self: &Arc<Self>, account: &Bare) {
        let now = self.now().at;
        let ready = self.with_slot(account, |slot| {
            let entity = slot.entity.as_mut();
            let Some(entity) = entity.filter(|e| e.offering.is_some() && !e.awaits_phones(now))
            else {
                return false;
            };
            if entity.pending_commits == 0 {
                return true;
            }
            let of = account.clone();
            let waits = self.after_commits(entity, move |model| model.offer_rest(&of));
            if waits.is_err() {
                self.give_later(account);
            }
            false
        });
        if ready {
            self.offer_portions(account);
        }
    }

    fn offer_rest(&self, account: &Bare) {
        let now = self.now().at;
        let answered = self.with_slot(account, |slot| {
            let entity = slot.entity.as_ref();
            entity.is_some_and(|e| !e.awaits_phones(now))
        });
        if answered {
            self.offer_portions(account);
        }
    }

    /// Offers what waits behind the last portion, until there is something to wait for.
    fn offer_portions(&self, account: &Bare) {
        let most = self.rules.offline_portion;
        loop {
            let seen = self.with_slot(account, |slot| {
                let offering = slot.entity.as_ref()?.offering.as_ref()?;
                Some((offering.upto, offering.stored))
            });
            let Some(seen) = seen else { return };
            let read = self.store.offline_after(account, seen.0, most);
            let now = self.now();
            let go_on = self.with_slot(account, |slot| match (&mut slot.entity, &read) {
                (Some(entity), Ok(messages)) => self.offer_portion(entity, seen, messages, now),
                (Some(entity), Err(error)) => {
                    tracing::error!(%error, %account, "messages that wait could not be read");
                    entity.offering = None;
                    false
                }
                (None, _) => false,
            });
            if !go_on {
                return;
            }
        }
    }

    /// `seen`: how far it was offered, and how many were stored, when this portion was read. True when the next is to be read.
    fn offer_portion(
        &self,
        entity: &mut Entity,
        seen: (u64, u64),
        messages: &[(u64, Message)],
        now: Now,
    ) -> bool {
        // Otherwise somebody else has gone on, or it has begun again.
        let Some(mut offering) = entity.offering.take_if(|o| o.upto == seen.0) else {
            return false;
        };
        let Some((last, _)) = messages.last() else {
            let more = offering.stored != seen.1;
            entity.offering = more.then_some(offering);
            return more;
        };
        if !entity.has_phones() {
            return false;
        }
        offering.upto = *last;
        let mut any = false;
        for (id, message) in messages {
            any |= self.offer_one(entity, *id, message, &offering.added, now);
        }
        if any {
            offering.added.clear();
        }
        entity.offering = Some(offering);
        !any
    }

    fn offer_one(
        &self,
        entity: &mut Entity,
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
        let offered = entity.offered.get(&id);
        let open = offered.is_some_and(|(_, at)| at.plus(ANSWERED_WITHIN) > now.at);
        self.offer_stored(entity, id, message, |b| !open || added.contains(&b.contact))
    }
}

impl Entity {
    fn has_phones(&self) -> bool {
        self.bindings.iter().any(|b| b.binding.takes_message)
    }

    /// A phone may still answer to what it was offered.
    fn awaits_phones(&self, now: Timestamp) -> bool {
        let mut offered = self.offered.values();
        offered.any(|(_, at)| at.plus(ANSWERED_WITHIN) > now)
    }
}
