//! XMPP sessions: connect, presence, directed presence, disconnect (RFC 6121 §4).

use std::sync::Arc;

use bytes::Bytes;
use presence::{Address, Bare, Decision, Document, Native, Publication, Refusal, Resource, Source};
use store::Op;

use crate::clock;
use crate::entity::{Entity, Parting, Session, Watcher};
use crate::route::{Ended, Event, Notice, Route, SessionId};
use crate::shards::Model;

/// An available presence as a session sent it.
#[derive(Debug, Clone)]
pub struct Presented {
    /// The common part.
    pub document: Document,
    /// What stood in the stanza.
    pub content: Bytes,
    /// Its `xml:lang`.
    pub lang: Option<Arc<str>>,
}

impl Model {
    /// Binds a resource (RFC 6120 §7). Without a wish a name is made. A session that holds the wished name is ended: the newer
    /// connection of a device is the live one (§7.7.2.2).
    pub fn connect(
        self: &Arc<Self>,
        account: &Bare,
        wish: Option<Resource>,
        route: Arc<dyn Route>,
    ) -> Result<(SessionId, Resource), Refusal> {
        let resource =
            wish.unwrap_or_else(|| Resource::from_prepared(&clock::hex::<8>(&self.random)));
        let id = SessionId(self.new_session());
        let at = self.now().at;
        loop {
            let rival = self.with_entity(account, |entity| {
                if entity.disabled {
                    return Err(Refusal::Disabled);
                }
                if let Some(rival) = entity.sessions.iter().find(|s| s.resource == resource) {
                    return Ok(Some((rival.id, Arc::clone(&rival.route))));
                }
                let most = self.rules.sessions_per_account;
                if entity.sessions.len() >= most {
                    return Err(Refusal::Limit("sessions_per_account"));
                }
                entity.sessions.push(Session {
                    id,
                    resource: resource.clone(),
                    route: Arc::clone(&route),
                    available: None,
                    interested: false,
                    directed: Vec::new(),
                    watching: Vec::new(),
                    active: at,
                });
                Ok(None)
            })?;
            let Some((rival, its_route)) = rival else {
                return Ok((id, resource));
            };
            its_route.deliver(&Event::Ended(Ended::Replaced));
            self.disconnect(account, rival, None);
        }
    }

    /// A session sends available presence (RFC 6121 §4.2, §4.4).
    pub fn available(
        self: &Arc<Self>,
        account: &Bare,
        session: SessionId,
        presented: Presented,
    ) -> Result<(), Refusal> {
        let now = self.now();
        let priority = presented.document.priority.unwrap_or_default().0;
        let (first, contacts, to, route) = self.with(account, |slot| {
            let entity = slot.entity.as_mut().ok_or(Refusal::NotFound)?;
            let own = entity.session(session).ok_or(Refusal::NotFound)?;
            let before = own.available.replace(priority);
            own.active = now.at;
            let (resource, route) = (own.resource.clone(), Arc::clone(&own.route));
            let publication = Arc::new(Publication {
                resource: resource.clone(),
                source: Source::Session,
                etag: None,
                expires: None,
                document: presented.document,
                native: Native::Xmpp(presented.content),
                lang: presented.lang,
                changed: now.utc,
            });
            self.store.submit_soft(vec![Op::LastKnownPut {
                account: account.clone(),
                publication: Arc::clone(&publication),
            }]);
            entity.put(Arc::clone(&publication), None);
            let notice = Notice::available(account, &publication);
            let contacts: Vec<Bare> = if before.is_none() {
                entity.watched().collect()
            } else {
                Vec::new()
            };
            if before.is_none() {
                if let Some(own) = entity.session(session) {
                    own.watching.clone_from(&contacts);
                }
                entity.welcome(session);
            }
            slot.broadcast(&notice, None, self.rules.same_domain_allow, self.phones());
            Ok((before.is_none(), contacts, account.with(resource), route))
        })?;
        if first {
            for contact in contacts {
                self.add_watcher(&contact, session, account, &to, &route);
            }
        }
        if priority >= 0 {
            self.flush_offline(account, session);
        }
        Ok(())
    }

    /// A session sends unavailable presence and stays connected (RFC 6121 §4.5).
    pub fn unavailable(self: &Arc<Self>, account: &Bare, session: SessionId, parting: Parting) {
        self.withdraw(account, session, parting, false);
    }

    /// A session has ended, whatever the way: everybody who knew it is told.
    pub fn disconnect(self: &Arc<Self>, account: &Bare, session: SessionId, parting: Parting) {
        self.withdraw(account, session, parting, true);
    }

    fn withdraw(
        self: &Arc<Self>,
        account: &Bare,
        session: SessionId,
        parting: Parting,
        gone: bool,
    ) {
        let now = self.now();
        let told = self.with_slot(account, |slot| {
            let entity = slot.entity.as_mut()?;
            let own = entity.session(session)?;
            let was_available = own.available.take().is_some();
            let watching = std::mem::take(&mut own.watching);
            let directed = std::mem::take(&mut own.directed);
            let resource = own.resource.clone();
            if gone {
                entity.sessions.retain(|s| s.id != session);
            }
            if !was_available && directed.is_empty() {
                return Some((watching, Vec::new(), None));
            }
            let publication = if was_available {
                entity.take(&resource).map(|p| p.publication)
            } else {
                None
            };
            let status = publication
                .as_ref()
                .and_then(|p| p.document.notes.first())
                .map(|n| n.text.clone());
            if was_available {
                self.store.submit_soft(vec![Op::LastKnownRemove {
                    account: account.clone(),
                    resource: resource.clone(),
                }]);
                if !entity.sessions.iter().any(|s| s.available.is_some()) {
                    entity.last_seen = Some((now.utc, status.clone()));
                    self.store.submit_soft(vec![Op::LastSeen {
                        account: account.clone(),
                        at: now.utc,
                        status,
                    }]);
                }
            }
            let notice = Notice::unavailable(account.with(resource), publication, parting);
            if was_available {
                let except = if gone { None } else { Some(session) };
                slot.broadcast(&notice, except, self.rules.same_domain_allow, self.phones());
            }
            let directed = directed
                .into_iter()
                .filter(|to| !was_available || !slot.watched_by(&to.bare))
                .collect();
            Some((watching, directed, Some(notice)))
        });
        let Some((watching, directed, notice)) = told else {
            return;
        };
        for contact in watching {
            self.with_slot(&contact, |slot| {
                slot.watchers.retain(|w| w.session != session)
            });
        }
        if let Some(notice) = notice {
            for to in directed {
                self.present(&to, &notice);
            }
        }
    }

    /// A session shows itself to one address, whatever the roster says, or takes that back (RFC 6121 §4.6).
    pub fn directed(
        self: &Arc<Self>,
        account: &Bare,
        session: SessionId,
        to: &Address,
        presented: Presented,
        available: bool,
    ) -> Result<(), Refusal> {
        if !self.is_local(&to.bare) {
            return Err(Refusal::ForeignDomain);
        }
        let now = self.now();
        let notice = self.with_entity(account, |entity| {
            let most = self.rules.directed_presence;
            let own = entity.session(session).ok_or(Refusal::NotFound)?;
            own.directed.retain(|d| d != to);
            if available {
                if own.directed.len() >= most {
                    return Err(Refusal::Limit("directed_presence"));
                }
                own.directed.push(to.clone());
            }
            let from = account.with(own.resource.clone());
            Ok(if available {
                Notice::available(
                    account,
                    &Arc::new(Publication {
                        resource: own.resource.clone(),
                        source: Source::Session,
                        etag: None,
                        expires: None,
                        document: presented.document,
                        native: Native::Xmpp(presented.content),
                        lang: presented.lang,
                        changed: now.utc,
                    }),
                )
            } else {
                Notice::unavailable(from, None, Some((presented.content, presented.lang)))
            })
        })?;
        self.present(to, &notice);
        Ok(())
    }

    /// Delivers a presence to one address: all available resources of a bare one, the named resource of a full one.
    fn present(&self, to: &Address, notice: &Arc<Notice>) {
        self.with_slot(&to.bare, |slot| {
            let Some(entity) = &slot.entity else { return };
            for session in &entity.sessions {
                let meant = match &to.resource {
                    Some(resource) => session.resource == *resource,
                    None => session.available.is_some(),
                };
                if meant {
                    session.route.deliver(&Event::Presence { to, notice });
                }
            }
        });
    }

    /// A session asks for a contact's presence (RFC 6121 §4.3): answered to that session alone.
    pub fn probe(
        self: &Arc<Self>,
        account: &Bare,
        session: SessionId,
        contact: &Address,
    ) -> Result<(), Refusal> {
        let (to, route) = self.with_entity(account, |entity| {
            let own = entity.session(session).ok_or(Refusal::NotFound)?;
            Ok((account.with(own.resource.clone()), Arc::clone(&own.route)))
        })?;
        if !self.is_local(&contact.bare) {
            return Err(Refusal::ForeignDomain);
        }
        let asked = self.with(&contact.bare, |slot| {
            let entity = slot.entity.as_ref().ok_or(Refusal::NotFound)?;
            if entity.decide(account, false).0 != Decision::Allow {
                return Err(Refusal::Forbidden);
            }
            if entity.published.is_empty() {
                let notice = Notice::unavailable(contact.bare.clone().into(), None, None);
                route.deliver(&Event::Presence {
                    to: &to,
                    notice: &notice,
                });
            }
            slot.present_to(&to, &*route, true);
            Ok(())
        });
        // RFC 6121 §4.3.2: who may not see is told that he is not subscribed.
        if matches!(asked, Err(Refusal::Forbidden | Refusal::NotFound)) {
            route.deliver(&Event::Subscription {
                kind: presence::subscription::Kind::Unsubscribed,
                from: &contact.bare,
                to: account,
                content: &Bytes::new(),
            });
        }
        Ok(())
    }

    /// Puts a session among those who are told of a contact, and tells it the contact's presence now.
    pub(crate) fn add_watcher(
        &self,
        contact: &Bare,
        session: SessionId,
        watcher: &Bare,
        full: &Address,
        route: &Arc<dyn Route>,
    ) {
        self.with_slot(contact, |slot| {
            if route.closed() || slot.watchers.iter().any(|w| w.session == session) {
                return;
            }
            if let Some(entity) = &slot.entity
                && !entity
                    .roster
                    .items
                    .get(watcher)
                    .is_some_and(|i| i.subscription.from())
            {
                return;
            }
            slot.watchers.push(Watcher {
                session,
                address: watcher.clone().into(),
                route: Arc::clone(route),
            });
            slot.present_to(full, &**route, true);
        });
    }

    /// Ends every session of an account.
    pub(crate) fn end_sessions(self: &Arc<Self>, account: &Bare, why: Ended) {
        let sessions: Vec<_> = self.with_slot(account, |slot| {
            slot.entity.as_ref().map_or_else(Vec::new, |e| {
                e.sessions
                    .iter()
                    .map(|s| (s.id, Arc::clone(&s.route)))
                    .collect()
            })
        });
        for (id, route) in sessions {
            route.deliver(&Event::Ended(why));
            self.disconnect(account, id, None);
        }
    }
}

impl Entity {
    /// Contacts of this domain or another whose presence the owner gets.
    fn watched(&self) -> impl Iterator<Item = Bare> + '_ {
        self.roster
            .items
            .values()
            .filter(|i| i.subscription.to())
            .map(|i| i.contact.clone())
    }

    /// What a session gets with its initial presence: its sibling resources and the requests that wait (RFC 6121 §4.2.2, §3.1.3).
    fn welcome(&self, session: SessionId) {
        let Some(own) = self.sessions.iter().find(|s| s.id == session) else {
            return;
        };
        let to = self.account.with(own.resource.clone());
        for published in &self.published {
            if published.publication.resource != own.resource {
                let notice = Notice::available(&self.account, &published.publication);
                own.route.deliver(&Event::Presence {
                    to: &to,
                    notice: &notice,
                });
            }
        }
        for (from, content) in &self.roster.pending_in {
            own.route.deliver(&Event::Subscription {
                kind: presence::subscription::Kind::Subscribe,
                from,
                to: &self.account,
                content,
            });
        }
    }
}

impl crate::entity::Slot {
    /// One of this account's watchers is this address.
    fn watched_by(&self, address: &Bare) -> bool {
        self.watchers.iter().any(|w| w.address.bare == *address)
    }
}
