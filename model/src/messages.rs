//! Messages and IQs on their way (RFC 6121 §8.5).

use std::sync::Arc;

pub use presence::Handling;
use presence::delivery::{self, Candidate, Indices, IqKind, IqRoute, MessageRoute};
use presence::{Address, ArchiveId, Bare, Message, Refusal};

use crate::archive::Sides;
use crate::commit::Reply;
use crate::entity::{Entity, Session};
use crate::route::{Arrival, Delivery, Event, SessionId};
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

/// Takes the outcome of a message.
pub trait Answer: FnOnce(&Message, Result<Sent, Refusal>) + Send + 'static {}

impl<T: FnOnce(&Message, Result<Sent, Refusal>) + Send + 'static> Answer for T {}

/// A message, and who wants to know what became of it.
pub(crate) struct Letter<A> {
    pub(crate) message: Arc<Message>,
    /// Its number in the archive of its sender, where it stands there.
    sent: Option<ArchiveId>,
    answer: Option<A>,
    /// The same once somebody else may answer: whoever does it first.
    reply: Option<Reply<Sent>>,
}

impl<A: Answer> Letter<A> {
    fn new(message: Arc<Message>, answer: A) -> Self {
        Self {
            message,
            sent: None,
            answer: Some(answer),
            reply: None,
        }
    }

    /// For the answer after the commit.
    pub(crate) fn reply(&mut self) -> Reply<Sent> {
        if let Some(answer) = self.answer.take() {
            let about = Arc::clone(&self.message);
            self.reply = Some(Reply::new(move |result| answer(&about, result)));
        }
        self.reply.clone().unwrap_or_else(Reply::ignored)
    }

    /// It stands in archives by this number.
    pub(crate) fn number(&mut self, id: ArchiveId, sides: Sides) {
        self.sent = sides.sender.then_some(id);
        if sides.recipient {
            Arc::make_mut(&mut self.message).archived = Some(id);
        }
    }

    fn answer(self, result: Result<Sent, Refusal>) {
        match (self.answer, self.reply) {
            (Some(answer), _) => answer(&self.message, result),
            (None, Some(reply)) => reply.send(result),
            (None, None) => {}
        }
    }
}

/// What the sender of a message wants of it.
#[derive(Debug, Clone, Copy, Default)]
struct Sender {
    /// It belongs into his archive.
    archives: bool,
    /// Other sessions of his want a copy.
    copies: bool,
}

/// What is to become of a message.
enum Plan {
    /// These sessions get it, and the phones too.
    Deliver { to: Indices, phones: bool },
    /// It is to be stored.
    Store,
    /// Nobody gets it.
    Drop,
}

impl Model {
    /// Takes a message to its recipient, and copies to other sessions of both that want them. `answer` is called once, possibly under an
    /// account's lock; it waits for the disk when the message is stored or archived.
    pub fn message<A: Answer>(
        self: &Arc<Self>,
        message: impl Into<Arc<Message>>,
        handling: Handling,
        answer: A,
    ) {
        let message = message.into();
        let to = message.to.bare.clone();
        let mut letter = Letter::new(message, answer);
        let sender = match self.sender(&letter.message, handling) {
            Ok(sender) => sender,
            Err(refusal) => return letter.answer(Err(refusal)),
        };
        let taken = if self.is_local(&to) {
            self.with_entity(&to, |entity| {
                self.take(entity, &mut letter, handling, sender.archives)
            })
        } else {
            self.message_outside(&mut letter, handling, sender.archives)
        };
        let sent = match taken {
            Ok(sent) => {
                if sender.copies {
                    self.copy_to_sender(&letter.message, letter.sent);
                }
                sent.map(Ok)
            }
            Err(Refusal::NotFound) => {
                Some(match delivery::message_to_nobody(letter.message.kind) {
                    MessageRoute::Ignore => Ok(Sent::Dropped),
                    _ => Err(Refusal::NotFound),
                })
            }
            Err(refusal) => Some(Err(refusal)),
        };
        if let Some(sent) = sent {
            letter.answer(sent);
        }
    }

    /// What the sender wants of a message of his own. `Blocked` when he blocks whom it is for. For his account, what is for himself has
    /// only been received.
    fn sender(&self, message: &Message, handling: Handling) -> Result<Sender, Refusal> {
        let sender = &message.from.bare;
        if *sender == message.to.bare || !self.is_local(sender) {
            return Ok(Sender::default());
        }
        let archivable = handling.archivable && self.rules.archive.is_some();
        let wants = self.with_entity(sender, |entity| {
            if entity.blocks(&message.to) {
                return Err(Refusal::Blocked);
            }
            Ok(Sender {
                archives: archivable && entity.archives(&message.to),
                copies: handling.copyable && entity.sessions.iter().any(|s| s.copied(message)),
            })
        });
        match wants {
            Err(Refusal::Blocked) => Err(Refusal::Blocked),
            other => Ok(other.unwrap_or_default()),
        }
    }

    /// Takes a message to an address outside. `None`: the answer waits for the disk.
    fn message_outside<A: Answer>(
        &self,
        letter: &mut Letter<A>,
        handling: Handling,
        archives: bool,
    ) -> Result<Option<Sent>, Refusal> {
        let route = self.outside(&letter.message.to.bare)?;
        if archives {
            let sides = Sides {
                sender: true,
                recipient: false,
            };
            self.archive(letter, sides)?;
        }
        route.deliver(&Event::Message {
            message: &letter.message,
            delayed: handling.late,
            delivery: Delivery::default(),
        });
        Ok((!archives).then_some(Sent::Delivered))
    }

    /// Gives what a session was sent and never got to where it would go without that session, before anything that comes later. `lost`
    /// ends the session's connection for good and gives the messages; it is called under the account's lock. `answer` is called for each,
    /// with the address that it was for; possibly under a lock as well.
    pub fn give_elsewhere(
        self: &Arc<Self>,
        account: &Bare,
        lost: impl FnOnce() -> Vec<(Arc<Message>, Handling)>,
        answer: impl Fn(&Address, &Message, Result<Sent, Refusal>) + Clone + Send + 'static,
    ) {
        let to = Address::from(account.clone());
        let letter = |message: Arc<Message>| {
            let mut message = Arc::unwrap_or_clone(message);
            let meant = std::mem::replace(&mut message.to, to.clone());
            let answer = answer.clone();
            let told = move |message: &Message, result| answer(&meant, message, result);
            Letter::new(Arc::new(message), told)
        };
        let (mut told, mut lost) = (Vec::new(), Some(lost));
        let _ = self.with_entity(account, |entity| {
            let lost = lost.take().map(|lost| lost()).unwrap_or_default();
            for (message, handling) in lost {
                let mut letter = letter(message);
                match self.take(entity, &mut letter, handling, false) {
                    Ok(None) => {}
                    Ok(Some(sent)) => told.push((letter, Ok(sent))),
                    Err(refusal) => told.push((letter, Err(refusal))),
                }
            }
            Ok(())
        });
        // The account may be gone.
        for (message, _) in lost.map(|lost| lost()).unwrap_or_default() {
            told.push((letter(message), Err(Refusal::NotFound)));
        }
        for (letter, result) in told {
            letter.answer(result);
        }
    }

    /// Delivers, archives, stores. `None`: the answer waits for the disk.
    fn take<A: Answer>(
        self: &Arc<Self>,
        entity: &mut Entity,
        letter: &mut Letter<A>,
        handling: Handling,
        by_sender: bool,
    ) -> Result<Option<Sent>, Refusal> {
        let plan = entity.plan_for(&letter.message, handling)?;
        let archives = handling.archivable && self.rules.archive.is_some();
        let sides = Sides {
            sender: by_sender,
            recipient: archives && entity.archives(&letter.message.from),
        };
        let phones = matches!(plan, Plan::Deliver { phones: true, .. });
        let kept = handling.storable || handling.speakable;
        let arrival: Option<Arc<Arrival>> = (kept && entity.sessions.len() > 1).then(Arc::default);
        let delivery = Delivery {
            handling: Handling {
                // Phones are offered it once.
                speakable: handling.speakable && !phones,
                ..handling
            },
            arrival: arrival.as_ref(),
        };
        let sent = match &plan {
            Plan::Deliver { to, phones } => {
                let archived = sides.any();
                if archived {
                    self.archive(letter, sides)?;
                }
                self.hand_over(entity, &letter.message, delivery, to, *phones);
                (!archived).then_some(Sent::Delivered)
            }
            Plan::Store => {
                self.keep(entity, letter, handling, sides)?;
                // Nobody needs to be given it instead of those who get copies.
                if let Some(arrival) = &arrival {
                    arrival.arrived();
                }
                None
            }
            Plan::Drop if handling.speakable => {
                // It may not be stored, also not until a phone has taken it.
                if !self.offer(entity, &letter.message, None, |_| true) {
                    return Err(Refusal::Unavailable);
                }
                Some(Sent::Delivered)
            }
            Plan::Drop => Some(Sent::Dropped),
        };
        if handling.copyable {
            entity.copy_received(&letter.message, delivery, &plan);
        }
        Ok(sent)
    }

    /// Puts a message that is delivered into archives; it is answered when it is there. `Overloaded` when the writer's queue is full.
    fn archive<A: Answer>(&self, letter: &mut Letter<A>, sides: Sides) -> Result<(), Refusal> {
        let queued = self.numbered(letter.message.received, |id| {
            letter.number(id, sides);
            let op = Self::archive_op(id, sides, &letter.message);
            let reply = letter.reply();
            // Whatever became of the archives: it was delivered.
            let done = move |_| reply.send(Ok(Sent::Delivered));
            self.store.submit(vec![op], Box::new(done))
        });
        queued.map_err(|_| Refusal::Overloaded)
    }

    fn hand_over(
        &self,
        entity: &Entity,
        message: &Arc<Message>,
        delivery: Delivery<'_>,
        to: &[usize],
        phones: bool,
    ) {
        for session in to.iter().filter_map(|index| entity.sessions.get(*index)) {
            session.route.deliver(&Event::Message {
                message,
                delayed: delivery.handling.late,
                delivery,
            });
        }
        if phones {
            self.offer(entity, message, None, |_| true);
        }
    }

    /// Copies for the sender's other sessions (XEP-0280 §8), also of what his phone has sent.
    fn copy_to_sender(&self, message: &Arc<Message>, archived: Option<ArchiveId>) {
        self.with_slot(&message.from.bare, |slot| {
            let Some(entity) = &slot.entity else { return };
            for session in entity.sessions.iter().filter(|s| s.copied(message)) {
                session.copy(message, Delivery::default(), true, archived);
            }
        });
    }

    /// A session wants copies of what other devices of its account get and send, or no longer (XEP-0280 §4, §5).
    pub fn carbons(&self, account: &Bare, session: SessionId, enable: bool) -> Result<(), Refusal> {
        self.with_entity(account, |entity| {
            let own = entity.session(session).ok_or(Refusal::NotFound)?;
            own.carbons = enable;
            Ok(())
        })
    }

    /// Takes an IQ to one session (RFC 6121 §8.5.3). `stanza` is complete, with `from` stamped.
    pub fn iq(
        &self,
        from: &Address,
        to: &Address,
        kind: IqKind,
        stanza: &[u8],
    ) -> Result<(), Refusal> {
        let may = self.may_address(from, to);
        if kind.is_request() {
            may?;
        } else if may.is_err() {
            return Ok(());
        }
        if !self.is_local(&to.bare) {
            let route = match self.outside(&to.bare) {
                Err(_) if !kind.is_request() => return Ok(()),
                route => route?,
            };
            route.deliver(&Event::Stanza { stanza });
            return Ok(());
        }
        let delivered = self.with_slot(&to.bare, |slot| {
            let Some(entity) = &slot.entity else {
                return false;
            };
            if entity.blocks(from) {
                return false;
            }
            let Some(session) = entity
                .sessions
                .iter()
                .find(|s| to.resource.as_ref() == Some(&s.resource) && !s.route.closed())
            else {
                return false;
            };
            let knows =
                entity.shows_to(from) || session.directed.iter().any(|d| d.bare == from.bare);
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

impl Session {
    /// It wants copies, and has not sent this itself.
    fn copied(&self, message: &Message) -> bool {
        let sent = || {
            message.from.resource.as_ref() == Some(&self.resource)
                && message.from.bare == self.to.bare
        };
        self.carbons && !self.route.closed() && !sent()
    }

    fn copy(
        &self,
        message: &Arc<Message>,
        delivery: Delivery<'_>,
        sent: bool,
        archived: Option<ArchiveId>,
    ) {
        self.route.deliver(&Event::Copy {
            to: &self.full(),
            message,
            sent,
            archived,
            delivery,
        });
    }
}

impl Entity {
    /// Who is to get a message (RFC 6121 §8.5).
    fn plan_for(&self, message: &Message, handling: Handling) -> Result<Plan, Refusal> {
        if self.disabled {
            return Err(Refusal::NotFound);
        }
        if self.blocks(&message.from) {
            return Err(Refusal::Unavailable);
        }
        let to = &message.to;
        let meant = |s: &Session| to.resource.as_ref() == Some(&s.resource) && !s.route.closed();
        if let Some(index) = self.sessions.iter().position(meant) {
            let waits = handling.storable && self.gives_to(self.sessions[index].id);
            return Ok(if waits {
                Plan::Store
            } else {
                let to = std::iter::once(index).collect();
                Plan::Deliver { to, phones: false }
            });
        }
        let candidates = self.candidates();
        let route = match &to.resource {
            Some(r) if !self.is_phone(r) => {
                delivery::message_to_missing_full(message.kind, &candidates)
            }
            _ => delivery::message_to_bare(message.kind, &candidates),
        };
        match route {
            // What waited longer is on its way to the client and must not be overtaken (RFC 6120 §10.1).
            MessageRoute::Deliver(_) if self.giving.is_some() && handling.storable => {
                Ok(Plan::Store)
            }
            MessageRoute::Deliver(to) => Ok(Plan::Deliver {
                to,
                phones: handling.speakable,
            }),
            MessageRoute::Offline if handling.storable => Ok(Plan::Store),
            MessageRoute::Offline | MessageRoute::Ignore => Ok(Plan::Drop),
            MessageRoute::Error(_) => Err(Refusal::Unavailable),
        }
    }

    /// Copies for those of the sessions that did not get the message itself (XEP-0280 §7). Who is not available, or is being given
    /// what waits, gets a stored one itself later. What is for oneself is copied once, as what was sent.
    fn copy_received(&self, message: &Arc<Message>, delivery: Delivery<'_>, plan: &Plan) {
        let sent = message.from.bare == self.account;
        for (index, session) in self.sessions.iter().enumerate() {
            let without = match plan {
                Plan::Deliver { to, .. } => !to.contains(&index),
                Plan::Store | Plan::Drop => {
                    session.available.is_some() && !self.gives_to(session.id)
                }
            };
            if without && session.copied(message) {
                session.copy(message, delivery, sent, message.archived);
            }
        }
    }

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
