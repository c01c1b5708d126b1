//! What administrators tell everybody (XEP-0133 §4.23 to §4.26), and who is there to hear it.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use presence::{Address, Bare, Message, MessageKind, MessageNative, Note, Refusal, Utc};
use store::{Op, StoreError};

use crate::commit::Reply;
use crate::entity::Entity;
use crate::route::{Ended, Event, SessionId};
use crate::shards::Model;

/// Where the message of the day is kept: its number in eight octets, then its text. Nothing: there is none.
const KEY: &str = "message-of-the-day";

/// The message of the day: everybody gets it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Motd {
    /// Grows with every new message; one that is edited keeps it.
    pub number: u64,
    /// What it says.
    pub text: Arc<str>,
}

impl Motd {
    fn to_octets(&self) -> Vec<u8> {
        [&self.number.to_be_bytes(), self.text.as_bytes()].concat()
    }

    fn from_octets(octets: &[u8]) -> Option<Self> {
        let (number, text) = octets.split_first_chunk()?;
        Some(Self {
            number: u64::from_be_bytes(*number),
            text: std::str::from_utf8(text).ok()?.into(),
        })
    }
}

/// An announcement as phones of an account are given messages: from the domain.
fn for_phones(to: &Bare, text: &str, now: Utc) -> Message {
    Message {
        from: Address::from(Bare::from_prepared(to.domain())),
        to: Address::from(to.clone()),
        kind: MessageKind::Headline,
        id: None,
        thread: None,
        subjects: Vec::new(),
        bodies: vec![Note {
            lang: None,
            text: text.to_owned(),
        }],
        native: MessageNative::Xmpp(Bytes::new()),
        received: now,
        archived: None,
    }
}

impl Model {
    /// The message of the day.
    pub fn motd(&self) -> Option<Motd> {
        self.motd.lock().clone()
    }

    /// Brings it back after a start.
    pub(crate) fn load_motd(&self) -> Result<(), StoreError> {
        let stored = self.store.meta(KEY)?;
        *self.motd.lock() = stored.and_then(|octets| Motd::from_octets(&octets));
        Ok(())
    }

    /// Sets the message of the day: `anew` everybody gets it, those who are online at once and others with their next presence; otherwise only
    /// those who have not got the one before. `None` takes it back. `NotFound` when there is none to be changed or taken back.
    pub fn set_motd(self: &Arc<Self>, text: Option<&str>, anew: bool, reply: &Reply<()>) {
        let before = self.motd();
        let motd = match (text, &before) {
            (None, None) => {
                reply.send(Err(Refusal::NotFound));
                return;
            }
            (None, Some(_)) => None,
            (Some(text), _) => {
                let now = u64::try_from(self.now().utc.0).unwrap_or_default();
                let number = match before {
                    Some(before) if anew => now.max(before.number + 1),
                    Some(before) => before.number,
                    None => now,
                };
                Some(Motd {
                    number,
                    text: text.into(),
                })
            }
        };
        let put = Op::MetaPut {
            key: KEY.to_owned(),
            value: motd.as_ref().map(Motd::to_octets).unwrap_or_default(),
        };
        let (model, answer) = (Arc::clone(self), reply.clone());
        let done = move |stored: Result<(), StoreError>| {
            let stored = stored.map_err(|error| match error {
                StoreError::Busy => Refusal::Overloaded,
                _ => Refusal::Fault,
            });
            if stored.is_ok() {
                *model.motd.lock() = motd;
                model.tell_motd();
            }
            answer.send(stored);
        };
        if self.store.submit(vec![put], Box::new(done)).is_err() {
            reply.send(Err(Refusal::Overloaded));
        }
    }

    /// Those who are online and have not got it get it.
    fn tell_motd(&self) {
        let mut told = Vec::new();
        self.each(|slot| {
            if let Some(entity) = &mut slot.entity {
                let sessions = entity.sessions.iter();
                let available = sessions.filter(|s| s.available.is_some()).map(|s| s.id);
                let available: Vec<SessionId> = available.collect();
                told.extend(self.greet(entity, &available));
            }
        });
        self.store.submit_soft(told);
    }

    /// What an account gets when it comes online with a client. A phone has no such moment: it registers anew by itself, at night too, and
    /// would ring for what is not urgent; whoever has only a phone is reached by [`Model::announce`].
    pub(crate) fn welcome_with_motd(&self, entity: &mut Entity, session: SessionId) {
        if let Some(told) = self.greet(entity, &[session]) {
            self.store.submit_soft(vec![told]);
        }
    }

    /// Gives the message of the day to these sessions, when the account has not got it.
    fn greet(&self, entity: &mut Entity, sessions: &[SessionId]) -> Option<Op> {
        let motd = self.motd()?;
        if sessions.is_empty() || entity.motd >= motd.number {
            return None;
        }
        for session in entity.sessions.iter().filter(|s| sessions.contains(&s.id)) {
            session.route.deliver(&Event::Announcement {
                to: &entity.account,
                text: &motd.text,
            });
        }
        entity.motd = motd.number;
        Some(Op::MotdTold {
            account: entity.account.clone(),
            number: motd.number,
        })
    }

    /// Tells all who are online, in a client or with a phone that takes messages; how many accounts those are.
    pub fn announce(&self, text: &str) -> usize {
        let (mut accounts, now) = (0, self.now().utc);
        self.each(|slot| {
            let Some(entity) = &slot.entity else { return };
            let to = &entity.account;
            let mut any = false;
            for session in entity.sessions.iter().filter(|s| s.available.is_some()) {
                session.route.deliver(&Event::Announcement { to, text });
                any = true;
            }
            if !entity.bindings.is_empty() {
                any |= self.offer(entity, &for_phones(to, text, now), None, |_| true);
            }
            accounts += usize::from(any);
        });
        accounts
    }

    /// The accounts with a session that is available, by address.
    pub fn online(&self) -> BTreeSet<Bare> {
        let mut online = BTreeSet::new();
        self.each(|slot| {
            if let Some(entity) = &slot.entity
                && entity.sessions.iter().any(|s| s.available.is_some())
            {
                online.insert(entity.account.clone());
            }
        });
        online
    }

    /// Ends one session of an account, or all; how many they were. Their owner may log in again.
    pub fn end_sessions_of(self: &Arc<Self>, whose: &Address) -> usize {
        let resource = whose.resource.as_ref();
        self.end_some(&whose.bare, Ended::ByAdmin, |name| {
            resource.is_none_or(|wanted| wanted == name)
        })
    }

    /// May this account administer the server? Read anew, so that a right that was taken is gone at once.
    pub fn is_admin(&self, account: &Bare) -> bool {
        match self.store.credentials(account) {
            Ok(found) => found.is_some_and(|c| c.admin && !c.disabled),
            Err(error) => {
                tracing::error!(%error, %account, "the rights of an account could not be read");
                false
            }
        }
    }
}
