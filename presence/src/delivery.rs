//! Where a message, presence or IQ to a local account goes (RFC 6121 §8.5 and its table 1).
//!
//! The three questions are who matched: the bare address, a full address without a session behind it, or no account at all. A full
//! address *with* a session takes everything that is for that session (§8.5.3.1), so there is no function for it.
//!
//! Where the RFC leaves a choice:
//! - `normal` and `chat` to the bare address go to **all** resources of non-negative priority (option A of table 1): people carry
//!   several devices and expect the conversation on each of them. XEP-0280 clients ask for exactly that, and those that do not
//!   support carbons get it too. Priority still decides who is left out: the negative ones.
//! - What cannot be delivered is stored when its type is `normal` or `chat` (option O; [`MessageRoute::Offline`]); the caller
//!   answers `service-unavailable` when storing is off or full (§8.5.2.2.1 allows either).
//! - Messages to an account or resource that does not exist are answered with `service-unavailable`, so that the sender learns
//!   that they are lost. `headline` and `error` are dropped instead, for they want no answer.

use smallvec::SmallVec;

use crate::message::MessageKind;

/// One connected resource of the addressed account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// How the caller knows it; copied into the answer.
    pub index: usize,
    /// The priority of its presence; `None`: connected, but no initial presence sent, so not available.
    pub priority: Option<i8>,
    /// When it last sent something, in any unit that grows: the order of delivery is the latest first.
    pub last_active: u64,
}

/// Resources of one account, as [`Candidate::index`].
pub type Indices = SmallVec<[usize; 4]>;

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageRoute {
    /// To these resources, at least one; the highest priority first, then the last active. `to` stays as written.
    Deliver(Indices),
    /// Into offline storage; `service-unavailable` where there is none.
    Offline,
    /// Nowhere, silently.
    Ignore,
    /// Back to the sender, as an error.
    Error(ErrorKind),
}

/// The stanza error that a delivery rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// `<service-unavailable/>`, type `cancel`.
    ServiceUnavailable,
}

/// Where an IQ goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IqRoute {
    /// The server answers on behalf of the user, with `service-unavailable` for what it does not know.
    Server,
    /// Nowhere, silently: an answer that nobody waits for.
    Ignore,
    /// Back to the sender, as an error.
    Error(ErrorKind),
}

/// RFC 6120 §8.2.3: the four kinds of IQ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IqKind {
    /// Asks for something.
    Get,
    /// Changes something.
    Set,
    /// Answers.
    Result,
    /// Answers that it failed.
    Error,
}

impl IqKind {
    /// It wants an answer.
    pub fn is_request(self) -> bool {
        matches!(self, Self::Get | Self::Set)
    }
}

/// The kinds of presence that are routed differently (RFC 6121 §4.7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PresenceKind {
    /// No type: available.
    Available,
    /// `unavailable`.
    Unavailable,
    /// One of the four that manage subscriptions.
    Subscription(crate::subscription::Kind),
    /// `probe`.
    Probe,
    /// `error`.
    Error,
}

/// Where presence goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresenceRoute {
    /// To these resources.
    Deliver(Indices),
    /// To the subscription tables of the account ([`crate::subscription::inbound`]), as if to the bare address.
    Subscription(crate::subscription::Kind),
    /// To the server's answer to probes ([`crate::subscription::probe`]).
    Probe,
    /// Nowhere, silently.
    Ignore,
}

/// A message to `user@domain` (§8.5.2.1.1, §8.5.2.2.1).
pub fn message_to_bare(kind: MessageKind, candidates: &[Candidate]) -> MessageRoute {
    match kind {
        MessageKind::Error => MessageRoute::Ignore,
        MessageKind::Groupchat => MessageRoute::Error(ErrorKind::ServiceUnavailable),
        MessageKind::Normal | MessageKind::Chat | MessageKind::Headline => {
            let to = non_negative(candidates);
            if !to.is_empty() {
                MessageRoute::Deliver(to)
            } else if kind == MessageKind::Headline {
                MessageRoute::Ignore
            } else {
                MessageRoute::Offline
            }
        }
    }
}

/// A message to `user@domain/resource` where no session has that resource (§8.5.3.2.1). `chat` goes on as if to the bare address:
/// the conversation continues on another device. The others were meant for that session alone.
pub fn message_to_missing_full(kind: MessageKind, candidates: &[Candidate]) -> MessageRoute {
    match kind {
        MessageKind::Chat => message_to_bare(kind, candidates),
        MessageKind::Normal | MessageKind::Groupchat => {
            MessageRoute::Error(ErrorKind::ServiceUnavailable)
        }
        MessageKind::Headline | MessageKind::Error => MessageRoute::Ignore,
    }
}

/// A message to an account that does not exist, by bare or full address (§8.5.1).
pub fn message_to_nobody(kind: MessageKind) -> MessageRoute {
    match kind {
        MessageKind::Normal | MessageKind::Chat | MessageKind::Groupchat => {
            MessageRoute::Error(ErrorKind::ServiceUnavailable)
        }
        MessageKind::Headline | MessageKind::Error => MessageRoute::Ignore,
    }
}

/// An IQ to `user@domain` (§8.5.2.1.3, §8.5.2.2.3): never given to a client.
pub fn iq_to_bare(kind: IqKind) -> IqRoute {
    if kind.is_request() {
        IqRoute::Server
    } else {
        IqRoute::Ignore
    }
}

/// An IQ to `user@domain/resource` where no session has that resource (§8.5.3.2.3). An answer is never answered (RFC 6120 §8.3.1).
pub fn iq_to_missing_full(kind: IqKind) -> IqRoute {
    if kind.is_request() {
        IqRoute::Error(ErrorKind::ServiceUnavailable)
    } else {
        IqRoute::Ignore
    }
}

/// An IQ to an account that does not exist (§8.5.1): the same as to a resource that does not, so that nobody can tell them apart.
pub fn iq_to_nobody(kind: IqKind) -> IqRoute {
    iq_to_missing_full(kind)
}

/// An IQ to a full address that has a session (§8.5.3.1): `true` when it may be delivered. A request is for those alone who may know
/// that the resource is there: the account itself, subscribers (`from`, `both`), and whom the resource sent directed presence; others
/// get the answer of [`iq_to_missing_full`].
pub fn iq_to_session(kind: IqKind, sender_knows_presence: bool) -> bool {
    !kind.is_request() || sender_knows_presence
}

/// Presence to `user@domain` (§8.5.2.1.2, §8.5.2.2.2): all *available* resources, whatever their priority.
pub fn presence_to_bare(kind: PresenceKind, candidates: &[Candidate]) -> PresenceRoute {
    match kind {
        PresenceKind::Available | PresenceKind::Unavailable | PresenceKind::Error => {
            let to: Indices = candidates
                .iter()
                .filter(|c| c.priority.is_some())
                .map(|c| c.index)
                .collect();
            if to.is_empty() {
                PresenceRoute::Ignore
            } else {
                PresenceRoute::Deliver(to)
            }
        }
        PresenceKind::Subscription(kind) => PresenceRoute::Subscription(kind),
        PresenceKind::Probe => PresenceRoute::Probe,
    }
}

/// Presence to `user@domain/resource` where no session has that resource (§8.5.3.2.2).
pub fn presence_to_missing_full(kind: PresenceKind) -> PresenceRoute {
    use crate::subscription::Kind;
    match kind {
        PresenceKind::Subscription(Kind::Subscribe) => PresenceRoute::Subscription(Kind::Subscribe),
        PresenceKind::Probe => PresenceRoute::Probe,
        PresenceKind::Subscription(_)
        | PresenceKind::Available
        | PresenceKind::Unavailable
        | PresenceKind::Error => PresenceRoute::Ignore,
    }
}

/// Presence to an account that does not exist (§8.5.1). A probe could be answered with `unsubscribed`; silence is the same for all.
pub fn presence_to_nobody(_kind: PresenceKind) -> PresenceRoute {
    PresenceRoute::Ignore
}

/// The available resources that take messages to the bare address, the highest priority first, then the last active.
pub fn non_negative(candidates: &[Candidate]) -> Indices {
    let mut found: SmallVec<[Candidate; 4]> = candidates
        .iter()
        .filter(|c| c.priority.is_some_and(|p| p >= 0))
        .copied()
        .collect();
    found.sort_by(|a, b| {
        (b.priority, b.last_active)
            .cmp(&(a.priority, a.last_active))
            .then(a.index.cmp(&b.index))
    });
    found.iter().map(|c| c.index).collect()
}

#[cfg(test)]
mod tests;
