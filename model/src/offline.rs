//! Messages that wait: for a client (XEP-0160), or for a phone that takes them.

mod phones;

use std::sync::Arc;
use std::time::Duration;

use presence::{Bare, Message, Refusal, Timestamp};
use store::Op;

use crate::archive::Sides;
use crate::clock::Now;
use crate::entity::{Entity, Session};
use crate::messages::{Answer, Handling, Letter, Sent};
use crate::route::{Delivery, Event, SessionId};
use crate::shards::Model;
use crate::timers::{Ending, RETRY};

pub(crate) use phones::Offering;

/// So long a session may take to read a portion before another one gets it, where there is one.
const STALLED: Duration = Duration::from_secs(10);

/// A message that leaves the archive within this time is given to clients that read the archive, too.
pub(crate) const TO_LOOK: Duration = Duration::from_secs(3600);

/// Stored messages on their way to a client, portion by portion. Each is removed when it is written to the connection, and the next
/// is read when that is on the disk.
///
/// Who reads too slowly does not hold up the others: the same portion is given to another session that has everything behind it that
/// it was given, and who has written it first has it for all.
pub(crate) struct Giving {
    /// To whom it was given last.
    session: SessionId,
    stage: Stage,
    /// The messages of this portion: their numbers and sizes. While it is read, those that are given again.
    portion: Vec<(u64, u64)>,
    /// Something was taken away since the portion was read, or is on its way to the disk, and may stand in the portion all the same:
    /// what is left is to be counted anew when the portion is removed.
    pub(crate) uncertain: bool,
    /// When it was given.
    since: Timestamp,
}

/// What happens to a portion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is being read.
    Reading,
    /// It is to be read when the writer's queue has room again.
    Refused,
    /// It is to be read when a session has written what it was given before.
    Waiting,
    /// It is on its way to the connection.
    Given,
    /// It is written and to be removed.
    Written,
    /// Its removal is on the way to the disk.
    Removing,
}

impl Model {
    /// Stores a message, and archives it; after the commit the phones of the account are tried.
    pub(crate) fn keep<A: Answer>(
        self: &Arc<Self>,
        entity: &mut Entity,
        letter: &mut Letter<A>,
        handling: Handling,
        sides: Sides,
    ) -> Result<(), Refusal> {
        let size = store::stored_size(&letter.message);
        let (most, most_bytes) = (self.rules.offline_messages, self.rules.offline_bytes);
        if entity.offline >= most || entity.offline_bytes.saturating_add(size) > most_bytes {
            // Its clients find it in the archive. While one is being given what waits it would not learn that there is more.
            if sides.recipient && entity.giving.is_none() && self.has_reader(entity) {
                self.keep_archived(entity, letter, sides)?;
                if handling.speakable {
                    self.offer(entity, &letter.message, None, |_| true);
                }
                return Ok(());
            }
            // There is room soon when somebody is being given what waits.
            return Err(match entity.giving {
                Some(_) => Refusal::Overloaded,
                None => Refusal::Unavailable,
            });
        }
        if sides.any() {
            self.numbered(letter.message.received, |id| {
                letter.number(id, sides);
                let op = Self::archive_op(id, sides, &letter.message);
                self.keep_with(entity, letter, handling, Some(op))
            })?;
        } else {
            self.keep_with(entity, letter, handling, None)?;
        }
        let received = letter.message.received;
        entity.offline += 1;
        entity.offline_bytes += size;
        if self.rules.offline_expires.is_some() {
            entity.offline_oldest.get_or_insert(received);
        }
        Ok(())
    }

    /// Queues a message that waits together with `more`.
    fn keep_with<A: Answer>(
        self: &Arc<Self>,
        entity: &mut Entity,
        letter: &mut Letter<A>,
        handling: Handling,
        more: Option<Op>,
    ) -> Result<(), Refusal> {
        let (id, message) = (self.new_offline(), Arc::clone(&letter.message));
        let account = entity.account.clone();
        let waits = Op::OfflinePut {
            account: account.clone(),
            id,
            message: Box::new((*message).clone()),
        };
        let ops = std::iter::once(waits).chain(more).collect();
        let answer = letter.reply();
        self.submit(entity, ops, move |model, stored| {
            if stored.is_ok() && handling.speakable {
                model.offer_new(&account, id, &message);
            }
            answer.send(stored.map(|()| Sent::Stored));
        })
    }

    /// Begins to give what waited, when a session became available with a non-negative priority (XEP-0160 §2).
    pub(crate) fn flush_offline(self: &Arc<Self>, account: &Bare, session: SessionId) {
        let _ = self.with_entity(account, |entity| {
            if let Some(giving) = &mut entity.giving {
                if giving.stage == Stage::Waiting {
                    giving.stage = Stage::Reading;
                    self.give_after_commits(entity);
                } else {
                    // It may be that who is given to has gone without a word.
                    self.look_when_stalled(account, giving);
                }
            } else if entity.offline > 0 {
                entity.giving = Some(Box::new(Giving {
                    session,
                    stage: Stage::Reading,
                    portion: Vec::new(),
                    uncertain: false,
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
            // Nobody reads on but the timer: two that read would wait for each other's commits for ever.
            if let Some(giving) = &mut entity.giving {
                giving.stage = Stage::Refused;
            }
            self.give_later(&entity.account);
        }
    }

    fn give_later(&self, account: &Bare) {
        let later = self.now().at.plus(RETRY);
        self.timers.lock().push(later, account, Ending::Flush);
    }

    fn look_when_stalled(&self, account: &Bare, giving: &Giving) {
        let stalled = giving.since.plus(STALLED);
        self.timers.lock().push(stalled, account, Ending::Flush);
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
                Some(Stage::Waiting | Stage::Refused) => entity.wait_no_longer(),
                Some(Stage::Reading | Stage::Removing) | None => false,
            }
        });
        if reading {
            self.give(account);
        }
        self.go_on_offering(account);
    }

    /// Who reads nothing for a while does not hold up another session. True when there is one.
    fn give_to_another(&self, entity: &mut Entity) -> bool {
        let Some(giving) = &entity.giving else {
            return false;
        };
        if giving.since.plus(STALLED) > self.now().at {
            self.look_when_stalled(&entity.account, giving);
            return false;
        }
        let other = entity.sessions.iter().find(|s| entity.can_be_given(s));
        let Some(other) = other.map(|s| s.id) else {
            return false;
        };
        entity.give_again(other)
    }

    /// Reads the next portion and gives it to the session, or to another when that is not there any more.
    fn give(self: &Arc<Self>, account: &Bare) {
        let now = self.now();
        let begun = self.with_entity(account, |entity| {
            let (above, uncertain) = (entity.given_above(), entity.pending_commits > 0);
            let giving = entity.giving.as_mut();
            let giving = giving.filter(|g| g.stage == Stage::Reading);
            Ok(giving.map(|giving| {
                giving.uncertain = uncertain;
                above
            }))
        });
        let Ok(Some(above)) = begun else { return };
        let most = self.rules.offline_portion;
        let read = self.store.offline_after(account, above, most);
        let _ = self.with_entity(account, |entity| {
            let reading = entity.giving.as_ref().map(|g| g.stage) == Some(Stage::Reading);
            if !reading || entity.given_above() != above {
                return Ok(());
            }
            match read {
                Ok(portion) => self.give_portion(entity, portion, now),
                Err(error) => {
                    tracing::error!(%error, %account, "messages that wait could not be read");
                    entity.stop_giving();
                }
            }
            Ok(())
        });
    }

    fn give_portion(
        self: &Arc<Self>,
        entity: &mut Entity,
        mut messages: Vec<(u64, Message)>,
        now: Now,
    ) {
        let Some(mut giving) = entity.giving.take() else {
            return;
        };
        let mut fit = entity.sessions.iter().filter(|s| entity.can_be_given(s));
        let same = fit.clone().find(|s| s.id == giving.session);
        let Some(session) = same.or_else(|| fit.next()) else {
            entity.giving = Some(giving);
            return self.give_to_nobody(entity, now);
        };
        giving.session = session.id;
        let (route, reads_archive) = (Arc::clone(&session.route), session.reads_archive);
        let again = !giving.portion.is_empty();
        if again {
            // What one is given and another is given again ends at the same place: who has written it has it for both.
            messages.retain(|(id, _)| *id <= entity.flushed);
        }
        let Some((last, _)) = messages.last() else {
            if entity.offline > 0 || again {
                // Something is on its way to the disk, or came there since it was read, or the count is wrong.
                entity.recount |= again || entity.pending_commits == 0;
                giving.portion.clear();
                entity.giving = Some(giving);
                self.give_after_commits(entity);
            }
            return;
        };
        if !again {
            entity.flushed = *last;
        }
        // A client came first.
        entity.offering = None;
        giving.portion.clear();
        giving.uncertain |= entity.pending_commits > 0;
        let mut written = true;
        for (id, message) in messages {
            entity.offered.remove(&id);
            giving.portion.push((id, store::stored_size(&message)));
            let is_known = message.archived.is_some_and(|id| Some(id) < reads_archive)
                && self.stays_archived(&message, now);
            if is_known || self.expired(&message, now) || entity.blocks(&message.from) {
                // It may be on its way out already.
                giving.uncertain = true;
            } else {
                route.deliver(&Event::Message {
                    message: &Arc::new(message),
                    delayed: true,
                    // It stays in the store until it has arrived: nothing else need be done for it.
                    delivery: Delivery::default(),
                });
                written = false;
            }
        }
        (giving.stage, giving.since) = (Stage::Given, now.at);
        let session = giving.session;
        if written {
            entity.giving = Some(giving);
            self.remove_given(entity);
        } else {
            let account = &entity.account;
            entity.marked.push((session, entity.flushed));
            route.deliver(&Event::Mark { account, session });
            self.look_when_stalled(account, &giving);
            entity.giving = Some(giving);
        }
    }

    /// No session can be given the portion that is read. It may be on its way to one already, or one has to read something else first.
    fn give_to_nobody(&self, entity: &mut Entity, now: Now) {
        let has_it = |s: &&Session| entity.mark_of(s.id) == Some(entity.flushed);
        let there = entity.sessions.iter().filter(|s| !s.route.closed());
        let has_it = there.clone().find(has_it).map(|s| s.id);
        let may_come = there.clone().any(Session::takes_messages);
        let Some(giving) = &mut entity.giving else {
            return;
        };
        giving.since = now.at;
        match has_it.filter(|_| !giving.portion.is_empty()) {
            Some(session) => (giving.session, giving.stage) = (session, Stage::Given),
            None if may_come => giving.stage = Stage::Waiting,
            None => return entity.stop_giving(),
        }
        if let Some(giving) = &entity.giving {
            self.look_when_stalled(&entity.account, giving);
        }
    }

    /// What was delivered to a session up to an [`Event::Mark`] is written to its connection.
    pub fn written(self: &Arc<Self>, account: &Bare, session: SessionId) {
        let waits = self.with_entity(account, |entity| {
            let reached = entity.mark_of(session);
            entity.marked.retain(|(id, _)| *id != session);
            let Some(giving) = &entity.giving else {
                return Ok(false);
            };
            let current = !giving.portion.is_empty() && reached == Some(entity.flushed);
            match giving.stage {
                Stage::Given | Stage::Reading | Stage::Refused | Stage::Waiting if current => {
                    self.remove_given(entity)
                }
                // It can be given something again.
                Stage::Given => self.look_when_stalled(account, giving),
                Stage::Waiting => return Ok(entity.wait_no_longer()),
                Stage::Reading | Stage::Refused | Stage::Written | Stage::Removing => {}
            }
            Ok(false)
        });
        if waits == Ok(true) {
            self.give(account);
        }
    }

    /// A session has ended: what was given to it and not written is given to another, or to the next that comes.
    pub(crate) fn not_written(self: &Arc<Self>, account: &Bare, session: SessionId) {
        let again = self.with_slot(account, |slot| {
            let Some(entity) = &mut slot.entity else {
                return false;
            };
            entity.marked.retain(|(id, _)| *id != session);
            entity.wait_no_longer() || (entity.gives_to(session) && entity.give_again(session))
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
        let Some(giving) = &mut entity.giving else {
            return;
        };
        giving.stage = Stage::Removing;
        let sizes = giving.portion.clone();
        // Before that it would be right for a moment only.
        entity.recount |= giving.uncertain;
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

    /// It stands in the archive of the account, and will for as long as it takes to look.
    fn stays_archived(&self, message: &Message, now: Now) -> bool {
        let (kept, archived) = (self.rules.archive, message.archived);
        let end = kept.zip(archived).map(|(kept, id)| id.moment().plus(kept));
        end.is_some_and(|end| end > now.utc.plus(TO_LOOK))
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
        if entity.offering.is_some() {
            // It may be that nothing else was to be answered.
            self.give_later(&entity.account);
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

    /// Up to where it was given what is not written to its connection yet.
    fn mark_of(&self, session: SessionId) -> Option<u64> {
        let mut marked = self.marked.iter();
        marked.find(|(id, _)| *id == session).map(|(_, upto)| *upto)
    }

    /// It takes messages and has written all that it was given: what it says next is of what it is given next.
    fn can_be_given(&self, session: &Session) -> bool {
        session.takes_messages() && self.mark_of(session.id).is_none()
    }

    /// The portion to be read is above this number.
    fn given_above(&self) -> u64 {
        let giving = self.giving.as_ref();
        let again = giving.and_then(|g| g.portion.first());
        again.map_or(self.flushed, |(first, _)| first.saturating_sub(1))
    }

    /// What is given and not written is to be read again, for this session. True when there is such a thing.
    fn give_again(&mut self, to: SessionId) -> bool {
        let giving = self.giving.as_mut().filter(|g| g.stage == Stage::Given);
        let Some(giving) = giving else { return false };
        (giving.session, giving.stage) = (to, Stage::Reading);
        true
    }

    /// True when the portion is to be read now.
    fn wait_no_longer(&mut self) -> bool {
        let giving = self.giving.as_mut();
        let waits = |stage| matches!(stage, Stage::Waiting | Stage::Refused);
        let Some(giving) = giving.filter(|g| waits(g.stage)) else {
            return false;
        };
        giving.stage = Stage::Reading;
        true
    }

    /// Nobody is there to be given what was to be read.
    fn stop_giving(&mut self) {
        self.flushed = self.given_above();
        self.giving = None;
    }

    /// One message of this size waits no longer.
    fn fewer(&mut self, bytes: u64) {
        self.offline = self.offline.saturating_sub(1);
        self.offline_bytes = self.offline_bytes.saturating_sub(bytes);
        if let Some(giving) = &mut self.giving {
            giving.uncertain = true;
        }
    }
}
