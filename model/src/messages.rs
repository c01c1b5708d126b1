//! Messages and IQs on their way, and offline storage (RFC 6121 §8.5, XEP-0160).

use std::sync::Arc;

use presence::delivery::{self, Candidate, IqKind, IqRoute, MessageRoute};
use presence::{Address, Bare, Decision, Message, Refusal};
use store::Op;

use crate::commit::Reply;
use crate::entity::Entity;
use crate::route::{Event, SessionId};
use crate::shards::Model;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// At least one connected session has it.
    Delivered,
    /// It waits in the store, for a client or for a phone that is being tried now.
    Stored,
    /// Nobody takes its kind, and its kind wants no error.
    Dropped,
}

/// How a message is to be treated, which its face knows and the rules ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handling {
    /// It has a body or other content worth keeping (XEP-0160 §3): it may wait in the store.
    pub storable: bool,
    /// It has a text that a phone can show.
    pub speakable: bool,
}

impl Model {
    /// Takes a message to its recipient. The answer waits for the disk when the message is stored.
    pub fn message(self: &Arc<Self>, message: Message, handling: Handling, reply: &Reply<Sent>) {
        if let Err(refusal) = self.route(Arc::new(message), handling, reply) {
            reply.send(Err(refusal));
        }
    }

    fn route(
        self: &Arc<Self>,
        message: Arc<Message>,
        handling: Handling,
        reply: &Reply<Sent>,
    ) -> Result<(), Refusal> {
        let to = message.to.clone();
        if !self.is_local(&to.bare) {
            return Err(Refusal::ForeignDomain);
        }
        let routed = self.with_entity(&to.bare, |entity| {
            if entity.disabled {
                return Err(Refusal::NotFound);
            }
            if let Some(session) = entity
                .sessions
                .iter()
                .find(|s| to.resource.as_ref() == Some(&s.resource))
            {
                session.route.deliver(&Event::Message {
                    message: &message,
                    delayed: false,
                });
                return Ok(Some(Sent::Delivered));
            }
            let candidates = entity.candidates();
            let route = match &to.resource {
                None => delivery::message_to_bare(message.kind, &candidates),
                Some(r) if entity.is_phone(r) => {
                    delivery::message_to_bare(message.kind, &candidates)
                }
                Some(_) => delivery::message_to_missing_full(message.kind, &candidates),
            };
            let phones = if handling.speakable && to_phones(&route) {
                entity.takers()
            } else {
                Vec::new()
            };
            match route {
                MessageRoute::Deliver(sessions) => {
                    for index in sessions {
                        entity.sessions[index].route.deliver(&Event::Message {
                            message: &message,
                            delayed: false,
                        });
                    }
                    if !phones.is_empty() {
                        self.phones().deliver(&Event::PhoneMessage {
                            account: &to.bare,
                            bindings: &phones,
                            message: &message,
                            stored: None,
                        });
                    }
                    Ok(Some(Sent::Delivered))
                }
                MessageRoute::Offline if handling.storable => {
                    self.store_message(entity, Arc::clone(&message), handling, reply.clone())?;
                    Ok(None)
                }
                MessageRoute::Offline | MessageRoute::Ignore => Ok(Some(Sent::Dropped)),
                MessageRoute::Error(_) => Err(Refusal::Unavailable),
            }
        });
        match routed {
            Ok(Some(sent)) => {
                reply.send(Ok(sent));
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(Refusal::NotFound) => match delivery::message_to_nobody(message.kind) {
                MessageRoute::Ignore => {
                    reply.send(Ok(Sent::Dropped));
                    Ok(())
                }
                _ => Err(Refusal::NotFound),
            },
            Err(refusal) => Err(refusal),
        }
    }

    /// Stores a message; after the commit the phones of the account are tried.
    fn store_message(
        self: &Arc<Self>,
        entity: &mut Entity,
        message: Arc<Message>,
        handling: Handling,
        reply: Reply<Sent>,
    ) -> Result<(), Refusal> {
        let size = store::stored_size(&message);
        let (most, most_bytes) = (self.rules.offline_messages, self.rules.offline_bytes);
        if entity.offline >= most || entity.offline_bytes + size > most_bytes {
            return Err(Refusal::Limit("offline_messages"));
        }
        let id = self.new_offline();
        let account = entity.account.clone();
        let ops = vec![Op::OfflinePut {
            account: account.clone(),
            id,
            message: Box::new((*message).clone()),
        }];
        self.submit(entity, ops, move |model, stored| {
            if stored.is_ok() && handling.speakable {
                model.offer_to_phones(&account, id, &message);
            }
            reply.send(stored.map(|()| Sent::Stored));
        })?;
        entity.offline += 1;
        entity.offline_bytes += size;
        Ok(())
    }

    fn offer_to_phones(&self, account: &Bare, id: u64, message: &Message) {
        self.with_slot(account, |slot| {
            let Some(entity) = &slot.entity else { return };
            let bindings = entity.takers();
            if !bindings.is_empty() {
                self.phones().deliver(&Event::PhoneMessage {
                    account,
                    bindings: &bindings,
                    message,
                    stored: Some(id),
                });
            }
        });
    }

    /// A phone took a stored message: it waits no longer.
    pub fn taken(self: &Arc<Self>, account: &Bare, id: u64) {
        self.forget_stored(account, vec![id]);
    }

    fn forget_stored(self: &Arc<Self>, account: &Bare, ids: Vec<u64>) {
        let _ = self.with_entity(account, |entity| {
            let count = ids.len();
            let ops = vec![Op::OfflineRemove {
                account: account.clone(),
                ids,
            }];
            self.submit(entity, ops, |_, _| {})?;
            entity.offline = entity.offline.saturating_sub(count);
            if entity.offline == 0 {
                entity.offline_bytes = 0;
            }
            Ok(())
        });
    }

    /// Delivers what waited to a session that became available with a non-negative priority (XEP-0160 §2).
    pub(crate) fn flush_offline(self: &Arc<Self>, account: &Bare, session: SessionId) {
        let _ = self.with_entity(account, |entity| {
            if entity.offline == 0 {
                return Ok(());
            }
            let account = account.clone();
            self.after_commits(entity, move |model| model.flush_stored(&account, session))
        });
    }

    fn flush_stored(self: &Arc<Self>, account: &Bare, session: SessionId) {
        let Ok(messages) = self.store.offline_messages(account) else {
            return;
        };
        let delivered = self.with_slot(account, |slot| {
            let Some(own) = slot.entity.as_mut().and_then(|e| e.session(session)) else {
                return false;
            };
            if own.route.closed() {
                return false;
            }
            for (_, message) in &messages {
                own.route.deliver(&Event::Message {
                    message,
                    delayed: true,
                });
            }
            true
        });
        if delivered && !messages.is_empty() {
            self.forget_stored(account, messages.into_iter().map(|(id, _)| id).collect());
        }
    }

    /// A phone has registered: what waited and can be shown on it is offered.
    pub(crate) fn flush_to_phones(self: &Arc<Self>, account: &Bare) {
        let Ok(messages) = self.store.offline_messages(account) else {
            return;
        };
        for (id, message) in messages {
            self.offer_to_phones(account, id, &message);
        }
    }

    /// A copy for the sender's own sessions of what was sent by his phone (RFC 8048 has none; clients know it from XEP-0280).
    pub fn sent_by_phone(&self, account: &Bare, message: &Message) {
        self.with_slot(account, |slot| {
            let Some(entity) = &slot.entity else { return };
            for session in entity.sessions.iter().filter(|s| s.available.is_some()) {
                session.route.deliver(&Event::Sent { message });
            }
        });
    }

    /// Takes an IQ to one session (RFC 6121 §8.5.3). `stanza` is complete, with `from` stamped.
    pub fn iq(
        &self,
        from: &Address,
        to: &Address,
        kind: IqKind,
        stanza: &[u8],
    ) -> Result<(), Refusal> {
        if !self.is_local(&to.bare) {
            return Err(Refusal::ForeignDomain);
        }
        let delivered = self.with_slot(&to.bare, |slot| {
            let Some(entity) = &slot.entity else {
                return false;
            };
            let Some(session) = entity
                .sessions
                .iter()
                .find(|s| to.resource.as_ref() == Some(&s.resource))
            else {
                return false;
            };
            let knows = entity.decide(&from.bare, false).0 == Decision::Allow
                || session.directed.iter().any(|d| d.bare == from.bare);
            if !delivery::iq_to_session(kind, knows) {
                return false;
            }
            session.route.deliver(&Event::Stanza { stanza });
            true
        });
        if delivered {
            return Ok(());
        }
        match delivery::iq_to_missing_full(kind) {
            IqRoute::Ignore => Ok(()),
            IqRoute::Server | IqRoute::Error(_) => Err(Refusal::Unavailable),
        }
    }
}

fn to_phones(route: &MessageRoute) -> bool {
    matches!(route, MessageRoute::Deliver(_) | MessageRoute::Offline)
}

impl Entity {
    fn candidates(&self) -> Vec<Candidate> {
        self.sessions
            .iter()
            .enumerate()
            .map(|(index, s)| Candidate {
                index,
                priority: s.available,
                last_active: s.active.0,
            })
            .collect()
    }

    /// The phones that take messages.
    pub(crate) fn takers(&self) -> Vec<presence::Binding> {
        self.bindings
            .iter()
            .filter(|b| b.binding.takes_message)
            .map(|b| b.binding.clone())
            .collect()
    }

    /// The resource is that of a phone, as XMPP contacts see it.
    fn is_phone(&self, resource: &presence::Resource) -> bool {
        self.find(resource).is_some_and(|i| {
            !matches!(
                self.published[i].publication.source,
                presence::Source::Session
            )
        })
    }
}
