//! XMPP sessions: connect, presence, directed presence, disconnect (RFC 6121 §4).

use std::sync::Arc;

use bytes::Bytes;
use presence::{Address, Bare, Document, Native, Publication, Refusal, Resource, Source};
use store::Op;

use crate::clock;
use crate::entity::{Entity, Parting, Said, Session, Slot, exact};
use crate::route::{Ended, Event, Notice, Route, SessionId};
use crate::shards::Model;
use crate::watching::Connected;

/// An available presence as a session sent it.
#[derive(Debug, Clone)]
pub struct Presented {
    /// The common part.
    pub document: Document,
    /// What stood in the stanza.
    pub content: Bytes,
    /// Its `xml:lang`.
    pub lang: Option<Arc<str>>,
    /// Its `id`.
    pub id: Option<Arc<str>>,
}

impl Model {
    /// Binds a resource (RFC 6120 §7). Without a wish a name is made, also for one who wishes to be called like a phone or the status set by hand (§7.7.2.1
    /// leaves that to the server). A session that holds the wished name is ended: the newer connection of a device is the live one
    /// (§7.7.2.2). Contacts see the old one go before the new one comes.
    pub fn connect(
        self: &Arc<Self>,
        account: &Bare,
        wish: Option<Resource>,
        route: Arc<dyn Route>,
    ) -> Result<(SessionId, Resource), Refusal> {
        self.connect_client(account, wish, None, route)
    }

    /// The same for an installation of a client that says which it is: whatever they are called, its earlier sessions are ended as well
    /// (XEP-0386 §3.2).
    pub fn connect_client(
        self: &Arc<Self>,
        account: &Bare,
        wish: Option<Resource>,
        client: Option<[u8; 16]>,
        route: Arc<dyn Route>,
    ) -> Result<(SessionId, Resource), Refusal> {
        let resource = wish
            .filter(|w| !is_phone_name(w) && w.as_str() != crate::status::RESOURCE)
            .unwrap_or_else(|| Resource::from_prepared(&clock::hex::<8>(&self.random)));
        let id = SessionId(self.new_session());
        let at = self.now().at;
        loop {
            let rival = self.with_entity(account, |entity| {
                if entity.disabled {
                    return Err(Refusal::Disabled);
                }
                let earlier = |s: &&Session| {
                    s.resource == resource || (client.is_some() && s.client == client)
                };
                if let Some(rival) = entity.sessions.iter().find(earlier) {
                    return Ok(Some((rival.id, Arc::clone(&rival.route))));
                }
                let most = self.rules.sessions_per_account;
                if entity.sessions.len() >= most {
                    return Err(Refusal::Limit("sessions_per_account"));
                }
                let address = entity.account.with(resource.clone());
                let connected = Connected::new(id, address, Arc::clone(&route), &entity.blocked);
                let connected = Arc::new(connected.ok_or(Refusal::Fault)?);
                exact(&mut entity.sessions);
                entity.sessions.push(Session {
                    connected,
                    client,
                    available: None,
                    interested: false,
                    carbons: false,
                    reads_archive: None,
                    told_of_blocks: false,
                    shows_photo: false,
                    directed: Vec::new(),
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
        let first = self.with(account, |slot| {
            let entity = slot.entity.as_mut().ok_or(Refusal::NotFound)?;
            let with_photo = self.with_photo(entity, &presented.content);
            let own = entity.session(session).ok_or(Refusal::NotFound)?;
            own.shows_photo = with_photo.is_some();
            let content = with_photo.unwrap_or(presented.content);
            let before = own.available.replace(priority);
            own.active = now.at;
            let connected = Arc::clone(&own.connected);
            let publication = Arc::new(Publication {
                resource: connected.resource.clone(),
                source: Source::Session,
                etag: None,
                expires: None,
                document: presented.document,
                native: Native::Xmpp(content),
                lang: presented.lang,
                changed: now.utc,
            });
            let known = Op::LastKnownPut {
                account: account.clone(),
                publication: Arc::clone(&publication),
            };
            self.keep_presence(account, &publication.resource, known);
            entity.put(Arc::clone(&publication), None);
            let notice = Notice::available(account, &publication).with_id(presented.id);
            let (mut contacts, mut fellows) = (Vec::new(), Vec::new());
            if before.is_none() {
                contacts.extend(entity.roster.subscriptions().cloned());
                fellows = entity.fellows();
                entity.show_in_groups(&connected, true);
                entity.welcome(session);
                self.welcome_with_motd(entity, session);
            }
            slot.broadcast(&notice, self.rules.same_domain_allow, self.phones());
            Ok(before.is_none().then_some((connected, contacts, fellows)))
        })?;
        if let Some((connected, contacts, fellows)) = first {
            let owners = self.owners_wanted(&connected, contacts.iter().chain(&fellows));
            self.probe_outside(&connected, &contacts);
            self.begin_watching(&connected, contacts);
            self.begin_watching_fellows(&connected, &fellows);
            self.last_items(&connected, true, &owners);
            self.ask_again(&connected);
        }
        if priority >= 0 {
            self.flush_offline(account, session);
        }
        Ok(())
    }

    /// Nobody sees a session any more that sees and gets everything as before: its connection is lost and may come back. What it showed,
    /// for [`Model::available`] then.
    pub fn hide(&self, account: &Bare, session: SessionId) -> Option<Presented> {
        let now = self.now();
        self.with_slot(account, |slot| {
            let entity = slot.entity.as_mut()?;
            let own = entity.session(session)?;
            own.available?;
            let resource = own.resource.clone();
            let publication = entity.take(&resource)?.publication;
            let gone = Op::LastKnownRemove {
                account: account.clone(),
                resource: resource.clone(),
            };
            self.keep_presence(account, &resource, gone);
            if entity.published.is_empty() {
                self.seen_last(entity, now, None);
            }
            let from = account.with(resource);
            let notice = Notice::unavailable(from, Some(Arc::clone(&publication)), None);
            slot.broadcast(&notice, self.rules.same_domain_allow, self.phones());
            let Native::Xmpp(content) = &publication.native else {
                return None;
            };
            Some(Presented {
                document: publication.document.clone(),
                content: content.clone(),
                lang: publication.lang.clone(),
                id: None,
            })
        })
    }

    /// A session sends unavailable presence and stays connected (RFC 6121 §4.5).
    pub fn unavailable(self: &Arc<Self>, account: &Bare, session: SessionId, parting: Parting) {
        self.withdraw(account, session, parting, false);
    }

    /// A session has ended, whatever the way: everybody who knew it is told.
    pub fn disconnect(self: &Arc<Self>, account: &Bare, session: SessionId, parting: Parting) {
        self.withdraw(account, session, parting, true);
        self.not_written(account, session);
    }

    fn withdraw(
        self: &Arc<Self>,
        account: &Bare,
        session: SessionId,
        parting: Parting,
        gone: bool,
    ) {
        let now = self.now();
        let gathered = self.with_slot(account, |slot| {
            let entity = slot.entity.as_mut()?;
            let own = entity.session(session)?;
            let connected = Arc::clone(&own.connected);
            let was_available = own.available.take().is_some();
            let directed = std::mem::take(&mut own.directed);
            let resource = own.resource.clone();
            let mut watching = Vec::new();
            if was_available {
                watching.extend(entity.roster.subscriptions().cloned());
                watching.extend(entity.unsettled.iter().cloned());
                entity.show_in_groups(&connected, false);
            }
            if gone {
                entity.sessions.retain(|s| s.id != session);
                self.interests.leave(&connected);
            }
            if !was_available && directed.is_empty() {
                return Some((connected, watching, Vec::new(), Vec::new(), None));
            }
            let publication = if was_available {
                entity.take(&resource).map(|p| p.publication)
            } else {
                None
            };
            let shown = publication.is_some();
            let status = parting.as_ref().and_then(|said| said.status.clone());
            if was_available {
                let gone = Op::LastKnownRemove {
                    account: account.clone(),
                    resource: resource.clone(),
                };
                self.keep_presence(account, &resource, gone);
                if !entity.sessions.iter().any(|s| s.available.is_some()) {
                    self.seen_last(entity, now, status);
                }
            }
            let notice = Notice::unavailable(account.with(resource), publication, parting);
            let mut told = Vec::new();
            if was_available {
                // Of one that was hidden all have been told.
                if shown {
                    slot.broadcast(&notice, self.rules.same_domain_allow, self.phones());
                }
                if !gone {
                    let to = &Address::from(account.clone());
                    let notice = &notice;
                    let route = &connected.route;
                    route.deliver(&Event::Presence { to, notice });
                }
                if !directed.is_empty() {
                    told = slot.told();
                }
            }
            Some((connected, watching, directed, told, Some(notice)))
        });
        let Some((connected, watching, directed, told, notice)) = gathered else {
            return;
        };
        for contact in watching {
            // Who was taken out of the account does not come back.
            if gone {
                self.leave(&connected, &contact);
            } else {
                self.settle(&connected, &contact);
            }
        }
        if let Some(notice) = notice {
            for to in directed {
                self.present(&to, &notice, &told);
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
            let way = self.outside(&to.bare);
            if available {
                way?;
            }
        }
        let now = self.now();
        let notice = self.with_entity(account, |entity| {
            let most = self.rules.directed_presence;
            if available && entity.blocks(to) {
                return Err(Refusal::Blocked);
            }
            let content = Some(&presented.content).filter(|_| available);
            let with_photo = content.and_then(|content| self.with_photo(entity, content));
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
                        native: Native::Xmpp(with_photo.unwrap_or(presented.content)),
                        lang: presented.lang,
                        changed: now.utc,
                    }),
                )
                .with_id(presented.id)
            } else {
                let said = Said {
                    content: presented.content,
                    lang: presented.lang,
                    id: presented.id,
                    status: None,
                };
                Notice::unavailable(from, None, Some(said))
            })
        })?;
        self.present(to, &notice, &[]);
        Ok(())
    }

    /// Delivers a presence to one address: all available resources of a bare one, the named resource of a full one; but to none that
    /// was told already.
    pub(crate) fn present(&self, to: &Address, notice: &Arc<Notice>, told: &[SessionId]) {
        if !self.is_local(&to.bare) {
            if let Ok(route) = self.outside(&to.bare) {
                route.deliver(&Event::Presence { to, notice });
            }
            return;
        }
        self.with_slot(&to.bare, |slot| {
            let Some(entity) = &slot.entity else { return };
            for session in &entity.sessions {
                let meant = match &to.resource {
                    Some(resource) => session.resource == *resource,
                    None => session.available.is_some(),
                };
                let hears = session.hears_presence(&notice.from, notice.available);
                if meant && hears && !told.contains(&session.id) {
                    session.route.deliver(&Event::Presence { to, notice });
                }
            }
        });
    }

    /// The account has nobody connected any more.
    pub(crate) fn seen_last(&self, entity: &mut Entity, now: clock::Now, status: Option<String>) {
        entity.last_seen = Some((now.utc, status.clone()));
        self.store.submit_soft(vec![Op::LastSeen {
            account: entity.account.clone(),
            at: now.utc,
            status,
        }]);
    }

    /// Ends every session of an account.
    pub(crate) fn end_sessions(self: &Arc<Self>, account: &Bare, why: Ended) {
        self.end_some(account, why, |_| true);
    }

    /// Ends those sessions of an account whose resource is meant; how many they were.
    pub(crate) fn end_some(
        self: &Arc<Self>,
        account: &Bare,
        why: Ended,
        meant: impl Fn(&Resource) -> bool,
    ) -> usize {
        let sessions: Vec<_> = self.with_slot(account, |slot| {
            slot.entity.as_ref().map_or_else(Vec::new, |e| {
                e.sessions
                    .iter()
                    .filter(|s| meant(&s.resource))
                    .map(|s| (s.id, Arc::clone(&s.route)))
                    .collect()
            })
        });
        let ended = sessions.len();
        for (id, route) in sessions {
            route.deliver(&Event::Ended(why));
            self.disconnect(account, id, None);
        }
        ended
    }
}

impl Slot {
    /// The sessions to whom this account's presence is broadcast.
    fn told(&self) -> Vec<SessionId> {
        let own = self.entity.iter().flat_map(|e| &e.sessions);
        let own = own.filter(|s| s.available.is_some()).map(|s| s.id);
        let mut told: Vec<SessionId> = own.chain(self.watchers.iter().map(|w| w.id)).collect();
        self.each_fellow(|session| told.push(session.id));
        told
    }
}

/// The form of [`presence::mapping::sip_resource`].
fn is_phone_name(resource: &Resource) -> bool {
    let digits = resource.as_str().strip_prefix("sip-");
    digits.is_some_and(|d| d.len() == 8 && d.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl Entity {
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
        let heard = |from: &&Bare| !self.blocks_all_of(from);
        let asking = self.roster.pending_in.iter();
        for (from, content) in asking.filter(|(from, _)| heard(from)) {
            own.route.deliver(&Event::Subscription {
                kind: presence::subscription::Kind::Subscribe,
                from,
                to: &self.account,
                content,
            });
        }
    }
}
