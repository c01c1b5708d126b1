//! Messages and IQs on their way (RFC 6121 §8.5).

use std::sync::Arc;

use presence::delivery::{self, Candidate, IqKind, IqRoute, MessageRoute};
use presence::{Address, Bare, Message, Refusal};

use crate::commit::Reply;
use crate::entity::Entity;
use crate::route::Event;
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
    /// Takes a message to its recipient. `answer` is called once, possibly under an account's lock; it waits for the disk when the
    /// message is stored.
    pub fn message(
        self: &Arc<Self>,
        message: Message,
        handling: Handling,
        answer: impl FnOnce(&Message, Result<Sent, Refusal>) + Send + 'static,
    ) {
        let mut message = Some(message);
        let mut answer = Some(answer);
        let to = message.as_ref().map(|m| m.to.clone());
        let Some(to) = to else { return };
        if !self.is_local(&to.bare) {
            finish(message, answer, Err(Refusal::ForeignDomain));
            return;
        }
        let routed = self.with_entity(&to.bare, |entity| {
            let Some(meant) = &message else {
                return Err(Refusal::Fault);
            };
            match self.route(entity, meant, handling)? {
                Some(sent) => Ok(Some(sent)),
                None => {
                    if let (Some(message), Some(answer)) = (message.take(), answer.take()) {
                        let message = Arc::new(message);
                        let about = Arc::clone(&message);
                        let reply = Reply::new(move |result| answer(&about, result));
                        if let Err(refusal) = self.keep(entity, &message, handling, &reply) {
                            reply.send(Err(refusal));
                        }
                    }
                    Ok(None)
                }
            }
        });
        match routed {
            Ok(Some(sent)) => finish(message, answer, Ok(sent)),
            Ok(None) => {}
            Err(Refusal::NotFound) => {
                let kind = message.as_ref().map(|m| m.kind).unwrap_or_default();
                let outcome = match delivery::message_to_nobody(kind) {
                    MessageRoute::Ignore => Ok(Sent::Dropped),
                    _ => Err(Refusal::NotFound),
                };
                finish(message, answer, outcome);
            }
            Err(refusal) => finish(message, answer, Err(refusal)),
        }
    }

    /// Delivers as far as that goes at once; `None`: it is to be stored.
    fn route(
        &self,
        entity: &mut Entity,
        message: &Message,
        handling: Handling,
    ) -> Result<Option<Sent>, Refusal> {
        if entity.disabled {
            return Err(Refusal::NotFound);
        }
        let to = &message.to;
        let meant = |s: &&crate::entity::Session| {
            to.resource.as_ref() == Some(&s.resource) && !s.route.closed()
        };
        if let Some(session) = entity.sessions.iter().find(meant) {
            if entity.gives_to(session.id) && handling.storable {
                return Ok(None);
            }
            session.route.deliver(&Event::Message {
                message,
                delayed: false,
            });
            return Ok(Some(Sent::Delivered));
        }
        let candidates = entity.candidates();
        let route = match &to.resource {
            Some(r) if !entity.is_phone(r) => {
                delivery::message_to_missing_full(message.kind, &candidates)
            }
            _ => delivery::message_to_bare(message.kind, &candidates),
        };
        match route {
            // What waited longer is on its way to the client and must not be overtaken (RFC 6120 §10.1).
            MessageRoute::Deliver(_) if entity.giving.is_some() && handling.storable => Ok(None),
            MessageRoute::Deliver(sessions) => {
                for index in sessions {
                    entity.sessions[index].route.deliver(&Event::Message {
                        message,
                        delayed: false,
                    });
                }
                if handling.speakable {
                    self.offer(entity, message, None, |_| true);
                }
                Ok(Some(Sent::Delivered))
            }
            MessageRoute::Offline if handling.storable => Ok(None),
            MessageRoute::Offline | MessageRoute::Ignore => Ok(Some(Sent::Dropped)),
            MessageRoute::Error(_) => Err(Refusal::Unavailable),
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
                .find(|s| to.resource.as_ref() == Some(&s.resource) && !s.route.closed())
            else {
                return false;
            };
            let knows =
                entity.shows_to(&from.bare) || session.directed.iter().any(|d| d.bare == from.bare);
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

fn finish(
    message: Option<Message>,
    answer: Option<impl FnOnce(&Message, Result<Sent, Refusal>)>,
    outcome: Result<Sent, Refusal>,
) {
    if let (Some(message), Some(answer)) = (message, answer) {
        answer(&message, outcome);
    }
}

impl Entity {
    fn candidates(&self) -> Vec<Candidate> {
        self.sessions
            .iter()
            .enumerate()
            // Whose connection has ended takes nothing, also before that is known.
            .filter(|(_, s)| !s.route.closed())
            .map(|(index, s)| Candidate {
                index,
                priority: s.available,
                last_active: s.active.0,
            })
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
