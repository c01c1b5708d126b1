//! Addresses of other domains that a program speaks for (XEP-0114): what is for them goes onto its route, what comes from them is taken
//! like that of any contact.
//!
//! A contact out there who may see an account stands among its `watchers` like a session, with the route of the domain; so all that is
//! said of the account reaches him by the same way as everybody. That holds while the domain is attached, for accounts in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use presence::{Address, Bare, Native, Publication, Refusal, Resource, Source};

use crate::commit::Reply;
use crate::entity::Slot;
use crate::outbox::Owed;
use crate::route::{Event, Notice, Route, SessionId};
use crate::sessions::Presented;
use crate::shards::Model;
use crate::watching::Connected;
use presence::subscription::Kind;

/// The domains that are attached.
pub(crate) type Outside = BTreeMap<String, Attached>;

/// One of them.
pub(crate) struct Attached {
    route: Arc<dyn Route>,
    /// Which of its addresses were shown to whom as available: first to whom.
    shown: BTreeSet<(Address, Address)>,
}

/// So many are remembered of one domain.
const SHOWN: usize = 100_000;

impl Model {
    /// Is this an address of a domain that a component speaks for, attached or not?
    pub(crate) fn is_outside(&self, address: &Bare) -> bool {
        self.rules.components.iter().any(|d| d == address.domain())
    }

    /// The way to an address outside: `ForeignDomain` when there is none, `Unavailable` when it is not attached now.
    pub(crate) fn outside(&self, address: &Bare) -> Result<Arc<dyn Route>, Refusal> {
        if !self.is_outside(address) {
            return Err(Refusal::ForeignDomain);
        }
        let outside = self.outside.read();
        let attached = outside.get(address.domain());
        let route = attached.map(|a| &a.route).filter(|r| !r.closed());
        route.cloned().ok_or(Refusal::Unavailable)
    }

    /// The domains that are attached.
    pub fn attached(&self) -> Vec<String> {
        self.outside.read().keys().cloned().collect()
    }

    /// A program speaks for this domain from now on. It is told who of those that its addresses may see is there, what accounts owe them, and
    /// asked for theirs. `Conflict` when another one does, `ForeignDomain` when no component may.
    pub fn attach(self: &Arc<Self>, domain: &str, route: &Arc<dyn Route>) -> Result<(), Refusal> {
        if !self.rules.components.iter().any(|d| d == domain) {
            return Err(Refusal::ForeignDomain);
        }
        {
            let mut outside = self.outside.write();
            if outside.contains_key(domain) {
                return Err(Refusal::Conflict);
            }
            let attached = Attached {
                route: Arc::clone(route),
                shown: BTreeSet::new(),
            };
            outside.insert(domain.to_owned(), attached);
        }
        self.each(|slot| {
            self.admit_outside(slot);
            let Some(entity) = &slot.entity else { return };
            for session in entity.sessions.iter().filter(|s| s.available.is_some()) {
                let from = session.full();
                for to in entity
                    .roster
                    .subscriptions()
                    .filter(|c| c.domain() == domain)
                {
                    route.deliver(&Event::Probe { from: &from, to });
                }
            }
        });
        self.release_debts(domain);
        Ok(())
    }

    /// Nobody speaks for it any more: those who saw its addresses do not see them any more.
    pub fn detach(&self, domain: &str, route: &Arc<dyn Route>) {
        let gone = {
            let mut outside = self.outside.write();
            match outside.get(domain) {
                Some(attached) if Arc::ptr_eq(&attached.route, route) => outside.remove(domain),
                _ => return,
            }
        };
        self.each(|slot| slot.watchers.retain(|w| w.to.bare.domain() != domain));
        for (to, from) in gone.into_iter().flat_map(|attached| attached.shown) {
            self.present(&to, &Notice::unavailable(from, None, None), &[]);
        }
    }

    /// Remembers who was shown whom.
    fn remember_shown(&self, from: &Address, to: &Address, available: bool) {
        let mut outside = self.outside.write();
        let Some(attached) = outside.get_mut(from.bare.domain()) else {
            return;
        };
        let pair = (to.clone(), from.clone());
        if !available {
            attached.shown.remove(&pair);
        } else if attached.shown.len() < SHOWN {
            attached.shown.insert(pair);
        }
    }

    /// Puts contacts outside among those who are told of an account, and shows them what there is.
    pub(crate) fn admit_outside(&self, slot: &mut Slot) {
        if self.rules.components.is_empty() {
            return;
        }
        let Some(entity) = &slot.entity else { return };
        let subscribers = entity.roster.subscribers();
        let outside: Vec<Bare> = subscribers
            .filter(|c| self.is_outside(c))
            .cloned()
            .collect();
        for contact in outside {
            self.admit_contact(slot, &contact);
        }
    }

    fn admit_contact(&self, slot: &mut Slot, contact: &Bare) {
        let Ok(route) = self.outside(contact) else {
            return;
        };
        if slot.watchers.iter().any(|w| w.to.bare == *contact) {
            return;
        }
        // The name of the resource is nowhere told: he is told by his bare address.
        let full = contact.with(Resource::from_prepared("component"));
        let id = SessionId(self.new_session());
        let connected = Connected::new(id, full, route, &Arc::default());
        let Some(connected) = connected.map(Arc::new) else {
            return;
        };
        let admits = slot.entity.as_ref().is_some_and(|e| e.admits(&connected));
        if admits && slot.watchers.insert(&connected) {
            slot.present_to(&connected, &connected.to, None, true);
        }
    }

    /// What an account owes a contact outside. It waits while the domain is not attached.
    pub(crate) fn send_owed(&self, entry: &store::OutboxEntry, owed: &Owed) -> Result<(), Refusal> {
        self.outside(&entry.target)?.deliver(&Event::Subscription {
            kind: owed.kind,
            from: &entry.origin,
            to: &entry.target,
            content: &owed.content,
        });
        if owed.kind == Kind::Subscribed {
            self.with_slot(&entry.origin, |slot| {
                self.admit_contact(slot, &entry.target);
            });
        }
        Ok(())
    }

    /// Asks for the presence of the contacts outside among these.
    pub(crate) fn probe_outside(&self, session: &Connected, contacts: &[Bare]) {
        if self.rules.components.is_empty() {
            return;
        }
        let from = session.full();
        for to in contacts {
            if let Ok(route) = self.outside(to) {
                route.deliver(&Event::Probe { from: &from, to });
            }
        }
    }

    /// A presence from an address outside, for an account or a session.
    pub fn presence_from_outside(
        &self,
        from: &Address,
        to: &Address,
        presented: Presented,
        available: bool,
    ) {
        self.remember_shown(from, to, available);
        let now = self.now();
        let notice = if available {
            let resource = from.resource.clone();
            Arc::new(Notice {
                from: from.clone(),
                publication: Some(Arc::new(Publication {
                    resource: resource.unwrap_or_else(|| Resource::from_prepared("component")),
                    source: Source::Session,
                    etag: None,
                    expires: None,
                    document: presented.document,
                    native: Native::Xmpp(presented.content),
                    lang: presented.lang,
                    changed: now.utc,
                })),
                available: true,
                id: presented.id,
                parting: None,
                parting_lang: None,
                printed: std::sync::OnceLock::new(),
            })
        } else {
            let said = crate::entity::Said {
                content: presented.content,
                lang: presented.lang,
                id: presented.id,
                status: None,
            };
            Notice::unavailable(from.clone(), None, Some(said))
        };
        self.present(to, &notice, &[]);
    }

    /// A subscription stanza from an address outside. Answered when it is on the disk.
    pub fn subscription_from_outside(
        self: &Arc<Self>,
        from: &Bare,
        kind: Kind,
        to: &Bare,
        content: bytes::Bytes,
        reply: &Reply<()>,
    ) {
        let entry = self.owe(from, to, &Owed { kind, content });
        let (model, answer) = (Arc::clone(self), reply.clone());
        let ops = vec![Owed::op(&entry)];
        let done = move |stored: Result<(), store::StoreError>| match stored {
            Ok(()) => {
                model.deliver_owed(vec![entry]);
                answer.send(Ok(()));
            }
            Err(_) => answer.send(Err(Refusal::Fault)),
        };
        if self.store.submit(ops, Box::new(done)).is_err() {
            reply.send(Err(Refusal::Overloaded));
        }
    }

    /// An address outside asks for the presence of an account (RFC 6121 §4.3.2). Who may not see it is told that there is no subscription; of
    /// an account that does not exist the same is said.
    pub fn probe_from_outside(&self, from: &Address, to: &Address) {
        let Ok(route) = self.outside(&from.bare) else {
            return;
        };
        let shown = self.with(&to.bare, |slot| {
            let entity = slot.entity.as_ref().ok_or(Refusal::NotFound)?;
            if entity.blocks(from) {
                return Ok(true);
            }
            if !entity.shows_to(from) {
                return Ok(false);
            }
            let mut any = false;
            for published in &entity.published {
                let publication = &published.publication;
                if to
                    .resource
                    .as_ref()
                    .is_some_and(|r| *r != publication.resource)
                {
                    continue;
                }
                let notice = &Notice::available(&entity.account, publication);
                route.deliver(&Event::Presence { to: from, notice });
                any = true;
            }
            if !any {
                let notice = &Notice::unavailable(to.clone(), None, None);
                route.deliver(&Event::Presence { to: from, notice });
            }
            Ok(true)
        });
        if matches!(shown, Ok(false) | Err(Refusal::NotFound)) {
            route.deliver(&Event::Subscription {
                kind: Kind::Unsubscribed,
                from: &to.bare,
                to: &from.bare,
                content: &bytes::Bytes::new(),
            });
        }
    }
}
