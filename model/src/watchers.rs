//! Who is told of whom: sessions of subscribers as watchers of their contacts.
//!
//! A session that is available watches everybody whom its owner's roster lets him see; the contact keeps whom it tells (`watchers`).
//! The first decides; the second is brought into line under its own lock and then compared again, so that of two threads that change
//! both, the later one wins. A change of the roster is brought to the contact after its commit; until then the contact stands in
//! `unsettled`, so that a session that ends in between leaves nothing behind.
//!
//! Both sides' rosters change in one order, by the outbox, and what an account owes is written with its own change: so `to` here and
//! `from` there can differ only while an entry is on its way, and the repair of RFC 6121 §4.3.2 is left to clients that probe.

use std::sync::Arc;

use presence::subscription::{Kind, ProbeAnswer, State};
use presence::{Address, Bare, Decision, Refusal, subscription};

use crate::entity::Slot;
use crate::outbox::Owed;
use crate::route::{Event, Notice, SessionId};
use crate::shards::Model;
use crate::watching::Connected;

/// What a session is to be towards a contact.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// It is told.
    Told,
    /// It is available, but is not told any more.
    Parted,
    /// It is not there, or not available.
    Gone,
}

impl Model {
    /// A session asks for a contact's presence (RFC 6121 §4.3): answered to that session alone. A full address asks for one resource.
    pub fn probe(
        self: &Arc<Self>,
        account: &Bare,
        session: SessionId,
        contact: &Address,
    ) -> Result<(), Refusal> {
        let (own, to, believes) = self.with_entity(account, |entity| {
            if entity.blocks(contact) {
                return Err(Refusal::Blocked);
            }
            let item = entity.roster.items.get(&contact.bare);
            let believes = item.is_some_and(|i| i.ask || i.subscription.to());
            let own = entity.session(session).ok_or(Refusal::NotFound)?;
            let to = account.with(own.resource.clone());
            Ok((Arc::clone(&own.connected), to, believes))
        })?;
        if !self.is_local(&contact.bare) {
            let route = self.outside(&contact.bare)?;
            let (from, to) = (&to, &contact.bare);
            route.deliver(&Event::Probe { from, to });
            return Ok(());
        }
        let answer = self.with(&contact.bare, |slot| {
            let entity = slot.entity.as_ref().ok_or(Refusal::NotFound)?;
            if entity.blocks(&to) {
                // XEP-0191 §3.3: no answer.
                return Ok(ProbeAnswer::Nothing);
            }
            if !entity.shows_to(&to) {
                if let Some(shown) = entity.shown_to(account, contact) {
                    // Somebody who was sent directed presence learns that it still holds, and no more (RFC 6121 §4.6.6).
                    let (to, notice) = (&to, &Notice::merely(shown));
                    own.route.deliver(&Event::Presence { to, notice });
                    return Ok(ProbeAnswer::Presence);
                }
                return Ok(subscription::probe(State::of(&entity.roster, account)));
            }
            if !slot.present_to(&own, &to, contact.resource.as_ref(), true) {
                let notice = Notice::unavailable(contact.clone(), None, None);
                let (to, notice) = (&to, &notice);
                own.route.deliver(&Event::Presence { to, notice });
            }
            Ok(ProbeAnswer::Presence)
        });
        // RFC 6121 §4.3.2: who believes in a subscription that is not there is put right, as if its contact had ended it; of accounts
        // that do not exist the same is said.
        match answer {
            Ok(ProbeAnswer::Unsubscribed) | Err(Refusal::NotFound) if believes => {
                let owed = Owed::stanza(Kind::Unsubscribed);
                let entry = self.owe(&contact.bare, account, &owed);
                let ops = vec![Owed::op(&entry)];
                let model = Arc::clone(self);
                let done = move |stored: Result<(), store::StoreError>| {
                    if stored.is_ok() {
                        model.deliver_owed(vec![entry]);
                    }
                };
                let taken = self.store.submit(ops, Box::new(done));
                taken.map_err(|_| Refusal::Overloaded)
            }
            Ok(ProbeAnswer::Unsubscribed) | Err(Refusal::NotFound) => Ok(()),
            Ok(ProbeAnswer::Presence | ProbeAnswer::Nothing) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    /// Puts a session that has become available among those who are told of its contacts, and tells it their presence.
    pub(crate) fn begin_watching(&self, session: &Arc<Connected>, contacts: Vec<Bare>) {
        let full = session.full();
        let mut shared = Vec::new();
        for contact in &contacts {
            let name = self.place(session, &full, contact, Wish::Told);
            if !name.is_same(contact) {
                shared.push(name);
            }
        }
        // In the meantime the session may have ended, or the roster changed.
        let lost: Vec<Bare> = self.with_slot(&session.to.bare, |slot| {
            let Some(entity) = &mut slot.entity else {
                return contacts;
            };
            let available = entity.available(session.id);
            let stands = |c: &Bare| available && entity.sees(c);
            let lost = contacts.into_iter().filter(|c| !stands(c)).collect();
            entity.roster.items.share(shared);
            lost
        });
        for contact in lost {
            self.settle(session, &contact);
        }
    }

    /// Brings the contact's list into line with what one session is to be told.
    pub(crate) fn settle(&self, session: &Arc<Connected>, contact: &Bare) {
        let full = session.full();
        let stood = self.with_slot(contact, |slot| slot.watchers.holds(session));
        let mut wish = self.wish(session, contact);
        loop {
            self.place(session, &full, contact, wish);
            let again = self.wish(session, contact);
            if (wish == Wish::Told) == (again == Wish::Told) {
                break;
            }
            wish = again;
        }
        if wish == Wish::Told && !stood {
            self.last_items(session, false, std::slice::from_ref(contact));
        }
    }

    /// Takes a session that has ended from those who are told of a contact.
    pub(crate) fn leave(&self, session: &Arc<Connected>, contact: &Bare) {
        self.with_slot(contact, |slot| slot.watchers.remove(session));
    }

    fn wish(&self, session: &Connected, contact: &Bare) -> Wish {
        self.with_slot(&session.to.bare, |slot| match &slot.entity {
            Some(entity) if entity.available(session.id) => {
                if entity.sees(contact) {
                    Wish::Told
                } else {
                    Wish::Parted
                }
            }
            _ => Wish::Gone,
        })
    }

    /// Adds a session to those who are told and shows it what there is, or takes it away. Says by which address the contact is known.
    fn place(&self, session: &Arc<Connected>, full: &Address, contact: &Bare, wish: Wish) -> Bare {
        let placed = self.with_named(contact, |slot| match wish {
            Wish::Told => {
                let may = slot.entity.as_ref().is_none_or(|e| e.admits(session));
                if may && !session.route.closed() && slot.watchers.insert(session) {
                    slot.present_to(session, full, None, true);
                }
            }
            Wish::Parted => {
                if slot.watchers.remove(session) {
                    slot.hide_from(session);
                }
            }
            Wish::Gone => {
                slot.watchers.remove(session);
            }
        });
        placed.1
    }

    /// Brings who is told of what into line with what the owner's roster says about one contact. Does nothing when it is in line.
    pub(crate) fn reconcile(self: &Arc<Self>, owner: &Bare, contact: &Bare) {
        let same_domain = self.rules.same_domain_allow;
        let phones = self.phones();
        let sessions: Vec<Arc<Connected>> = self.with_slot(owner, |slot| {
            let Some(entity) = &mut slot.entity else {
                return Vec::new();
            };
            for index in 0..entity.watches.len() {
                let watch = &entity.watches[index];
                if watch.record.watcher != *contact {
                    continue;
                }
                let decision = entity.decide(contact, same_domain).0;
                if decision != watch.told || (watch.missed && decision == Decision::Allow) {
                    entity.tell_watch(index, same_domain, phones);
                }
            }
            entity.unsettled.retain(|c| c != contact);
            let available = entity.sessions.iter().filter(|s| s.available.is_some());
            available.map(|s| Arc::clone(&s.connected)).collect()
        });
        for session in sessions {
            self.settle(&session, contact);
        }
    }
}

impl Slot {
    /// Takes a contact's sessions from those who are told, and tells them that all is unavailable (RFC 6121 §3.2.2, §3.3.3). This is
    /// done with the command that ends the contact's right, not after its commit: nothing that is said later may reach him.
    pub(crate) fn shut_out(&mut self, contact: &Bare) {
        for gone in self.watchers.remove_all(contact) {
            self.hide_from(&gone);
        }
        let denied = |e: &crate::entity::Entity| e.grants.get(contact).is_some_and(|g| !g.allow);
        if self.entity.as_ref().is_some_and(|e| denied(e)) {
            for gone in self.fellow_sessions(|s| s.to.bare == *contact) {
                self.hide_from(&gone);
            }
        }
    }
}

impl crate::entity::Entity {
    /// The roster lets this session of a subscriber see.
    pub(crate) fn admits(&self, watcher: &Connected) -> bool {
        let item = self.roster.items.get(&watcher.to.bare);
        item.is_some_and(|i| i.subscription.from())
            && (self.blocked.is_empty() || !self.blocks(&watcher.full()))
    }

    /// This session is connected and available.
    fn available(&self, session: SessionId) -> bool {
        let mut sessions = self.sessions.iter();
        sessions.any(|s| s.id == session && s.available.is_some())
    }
}
