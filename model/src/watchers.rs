//! Who is told of whom: sessions of subscribers as watchers of their contacts.
//!
//! A session keeps at whom it stands (`watching`), the contact keeps whom it tells (`watchers`). The first decides; the second is
//! brought into line under its own lock and then compared again, so that of two threads that change both, the later one wins.
//!
//! Both sides' rosters change in one order, by the outbox, and what an account owes is written with its own change: so `to` here and
//! `from` there can differ only while an entry is on its way, and the repair of RFC 6121 §4.3.2 is left to clients that probe.

use std::sync::Arc;

use presence::subscription::{Kind, ProbeAnswer, State};
use presence::{Address, Bare, Decision, Refusal, subscription};

use crate::entity::{Slot, Watcher};
use crate::outbox::Owed;
use crate::route::{Event, Notice, Route, SessionId};
use crate::shards::Model;

/// What a session is to be towards a contact.
enum Wish {
    /// It is told.
    Told(Address, Arc<dyn Route>),
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
        let (to, route, believes) = self.with_entity(account, |entity| {
            let item = entity.roster.items.get(&contact.bare);
            let believes = item.is_some_and(|i| i.ask || i.subscription.to());
            let own = entity.session(session).ok_or(Refusal::NotFound)?;
            let to = account.with(own.resource.clone());
            Ok((to, Arc::clone(&own.route), believes))
        })?;
        if !self.is_local(&contact.bare) {
            return Err(Refusal::ForeignDomain);
        }
        let answer = self.with(&contact.bare, |slot| {
            let entity = slot.entity.as_ref().ok_or(Refusal::NotFound)?;
            if !entity.shows_to(account) {
                if let Some(shown) = entity.shown_to(account, contact) {
                    // Somebody who was sent directed presence learns that it still holds, and no more (RFC 6121 §4.6.6).
                    let (to, notice) = (&to, &Notice::merely(shown));
                    route.deliver(&Event::Presence { to, notice });
                    return Ok(ProbeAnswer::Presence);
                }
                return Ok(subscription::probe(State::of(&entity.roster, account)));
            }
            if !slot.present_to(&to, &*route, contact.resource.as_ref(), true) {
                let notice = Notice::unavailable(contact.clone(), None, None);
                let (to, notice) = (&to, &notice);
                route.deliver(&Event::Presence { to, notice });
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
    pub(crate) fn begin_watching(
        &self,
        account: &Bare,
        session: SessionId,
        contacts: Vec<Bare>,
        full: &Address,
        route: &Arc<dyn Route>,
    ) {
        for contact in &contacts {
            let wish = Wish::Told(full.clone(), Arc::clone(route));
            self.place(account, session, contact, &wish);
        }
        // In the meantime the session may have ended, or the roster changed.
        let lost: Vec<Bare> = self.with_slot(account, |slot| {
            let own = slot.entity.as_mut().and_then(|e| e.session(session));
            let stands = |c: &Bare| own.as_ref().is_some_and(|s| s.watching.contains(c));
            contacts.into_iter().filter(|c| !stands(c)).collect()
        });
        for contact in lost {
            self.settle(account, session, &contact);
        }
    }

    /// Brings the contact's list into line with what one session is to be told.
    pub(crate) fn settle(&self, owner: &Bare, session: SessionId, contact: &Bare) {
        let mut wish = self.wish(owner, session, contact);
        loop {
            self.place(owner, session, contact, &wish);
            let again = self.wish(owner, session, contact);
            if matches!(wish, Wish::Told(..)) == matches!(again, Wish::Told(..)) {
                return;
            }
            wish = again;
        }
    }

    fn wish(&self, owner: &Bare, session: SessionId, contact: &Bare) -> Wish {
        self.with_slot(owner, |slot| {
            let own = slot.entity.as_mut().and_then(|e| e.session(session));
            match own.filter(|s| s.available.is_some()) {
                Some(s) if s.watching.contains(contact) => {
                    Wish::Told(owner.with(s.resource.clone()), Arc::clone(&s.route))
                }
                Some(_) => Wish::Parted,
                None => Wish::Gone,
            }
        })
    }

    /// Adds a session to those who are told and shows it what there is, or takes it away.
    fn place(&self, owner: &Bare, session: SessionId, contact: &Bare, wish: &Wish) {
        self.with_slot(contact, |slot| {
            let index = slot.watchers.iter().position(|w| w.session == session);
            match (wish, index) {
                (Wish::Told(full, route), None) => {
                    let may = slot.entity.as_ref().is_none_or(|e| e.admits(owner));
                    if route.closed() || !may {
                        return;
                    }
                    slot.watchers.push(Watcher {
                        session,
                        address: owner.clone().into(),
                        route: Arc::clone(route),
                    });
                    slot.present_to(full, &**route, None, true);
                }
                (Wish::Parted, Some(index)) => {
                    let watcher = slot.watchers.swap_remove(index);
                    slot.present_to(&watcher.address, &*watcher.route, None, false);
                }
                (Wish::Gone, Some(index)) => {
                    slot.watchers.swap_remove(index);
                }
                (Wish::Told(..), Some(_)) | (Wish::Parted | Wish::Gone, None) => {}
            }
        });
    }

    /// Brings who is told of what into line with what the owner's roster says about one contact. Does nothing when it is in line.
    pub(crate) fn reconcile(self: &Arc<Self>, owner: &Bare, contact: &Bare) {
        let same_domain = self.rules.same_domain_allow;
        let phones = self.phones();
        let sessions: Vec<SessionId> = self.with_slot(owner, |slot| {
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
            let item = entity.roster.items.get(contact);
            let to = item.is_some_and(|i| i.subscription.to());
            let available = entity.sessions.iter_mut();
            let available = available.filter(|s| s.available.is_some());
            available
                .map(|session| {
                    if to {
                        session.watching.insert(contact.clone());
                    } else {
                        session.watching.remove(contact);
                    }
                    session.id
                })
                .collect()
        });
        for session in sessions {
            self.settle(owner, session, contact);
        }
    }
}

impl Slot {
    /// Takes a contact's sessions from those who are told, and tells them that all is unavailable (RFC 6121 §3.2.2, §3.3.3). This is
    /// done with the command that ends the contact's right, not after its commit: nothing that is said later may reach him.
    pub(crate) fn shut_out(&mut self, contact: &Bare) {
        let mut gone = Vec::new();
        self.watchers.retain_mut(|w| {
            let keep = w.address.bare != *contact;
            if !keep {
                gone.push(Arc::clone(&w.route));
            }
            keep
        });
        let to = Address::from(contact.clone());
        for route in gone {
            self.present_to(&to, &*route, None, false);
        }
    }
}

impl crate::entity::Entity {
    /// The roster lets this subscriber's sessions see.
    pub(crate) fn admits(&self, watcher: &Bare) -> bool {
        let item = self.roster.items.get(watcher);
        item.is_some_and(|i| i.subscription.from())
    }
}
