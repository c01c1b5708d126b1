//! The state tables of RFC 6121 §3 and appendix A: what one subscription stanza does to one account's state towards one contact.
//!
//! Nothing here knows a stanza, a roster's storage or a route. The caller reads a [`State`], asks [`outbound`], [`inbound`] or
//! [`remove`], writes [`Outcome::state`] back ([`State::store`]) and does the rest in the order of [`Outcome`]'s fields.
//!
//! Where the RFC leaves a choice:
//! - A pre-approval is kept after it was used, until the user sends `unsubscribed` or removes the contact (§3.4.2, second note).
//! - An approval that nobody waits for changes nothing (§3.1.6), but is answered with `unsubscribe` when the contact is in the
//!   roster. Without that, crossing stanzas can leave the contact believing in a subscription that this side does not have; the
//!   RFC repairs only the opposite case, by the answer to a probe (§4.3.2). Strangers get no answer, so that nothing leaks.

use bytes::Bytes;
use smallvec::SmallVec;

use crate::address::Bare;
use crate::roster::{Roster, SubscriptionState};

/// The four presence types that manage subscriptions (RFC 6121 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Asks to see.
    Subscribe,
    /// Allows to see.
    Subscribed,
    /// No longer wants to see.
    Unsubscribe,
    /// Denies, withdraws or cancels the permission to see.
    Unsubscribed,
}

impl Kind {
    /// All of them, in the order of the RFC.
    pub const ALL: [Self; 4] = [
        Self::Subscribe,
        Self::Subscribed,
        Self::Unsubscribe,
        Self::Unsubscribed,
    ];

    /// The `type` attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Subscribed => "subscribed",
            Self::Unsubscribe => "unsubscribe",
            Self::Unsubscribed => "unsubscribed",
        }
    }

    /// Read from a `type` attribute; `None` for other presence.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }

    /// Whose resources get an inbound stanza of this kind: a request goes to the available ones (RFC 6121 §3.1.3), the other
    /// three to the interested ones, that is, those that asked for the roster (§3.1.6, §3.2.3, §3.3.3).
    pub fn audience(self) -> Audience {
        if self == Self::Subscribe {
            Audience::Available
        } else {
            Audience::Interested
        }
    }
}

/// Which of the user's resources an inbound subscription stanza is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Those that sent initial presence.
    Available,
    /// Those that asked for the roster.
    Interested,
}

/// All that an account knows of its relation to one contact (RFC 6121 appendix A.1): nine states, pre-approval, and whether
/// there is an item at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct State {
    /// The contact has an item in the roster. "None" includes those who have none.
    pub listed: bool,
    /// The `subscription` attribute.
    pub subscription: SubscriptionState,
    /// "Pending Out": the user asked and was not answered.
    pub ask: bool,
    /// "Pending In": the contact asked and was not answered. Never visible in the roster.
    pub pending_in: bool,
    /// The user approved before the contact asked (§3.4).
    pub approved: bool,
}

impl State {
    /// The state towards `contact` in a roster.
    pub fn of(roster: &Roster, contact: &Bare) -> Self {
        let pending_in = roster.pending_in.contains_key(contact);
        match roster.items.get(contact) {
            Some(i) => Self {
                listed: true,
                subscription: i.subscription,
                ask: i.ask,
                pending_in,
                approved: i.approved,
            },
            None => Self {
                pending_in,
                ..Self::default()
            },
        }
    }

    /// Writes this state into a roster: makes the item when it must exist and there is none, removes a request that is answered,
    /// keeps one that is new. `request` is the content of the stanza that asked, looked at only when "Pending In" begins: the first
    /// request is the one kept (§3.1.3, rule 4). An item is never taken away here, see [`remove`]. The version is left to the
    /// caller.
    pub fn store(self, roster: &mut Roster, contact: &Bare, request: &Bytes) {
        if self.listed {
            let item = roster.items.get_or_new(contact);
            item.subscription = self.subscription;
            item.ask = self.ask;
            item.approved = self.approved;
        }
        if !self.pending_in {
            roster.pending_in.remove(contact);
        } else if !roster.pending_in.contains_key(contact) {
            roster.pending_in.insert(contact.clone(), request.clone());
        }
    }

    /// The user sees the contact.
    pub fn to(self) -> bool {
        self.subscription.to()
    }

    /// The contact sees the user.
    pub fn from(self) -> bool {
        self.subscription.from()
    }

    /// The user's clients see a difference in their roster, so that a push is due: everything but "Pending In".
    fn looks_different(self, other: Self) -> bool {
        (self.listed, self.subscription, self.ask, self.approved)
            != (other.listed, other.subscription, other.ask, other.approved)
    }

    fn with(self, to: bool, from: bool) -> Self {
        Self {
            subscription: SubscriptionState::of(to, from),
            ..self
        }
    }
}

/// What presence of the user's available resources the contact gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Present {
    /// None.
    #[default]
    None,
    /// Current presence of each available resource, after the stanza that grants it (RFC 6121 §3.1.5).
    SendAvailable,
    /// `unavailable` of each available resource, before the stanza that ends it (RFC 6121 §3.2.2, §3.3.3).
    SendUnavailable,
}

/// What follows from one stanza, in the order in which it is done: [`Present::SendUnavailable`], route or deliver, roster push,
/// automatic answer, [`Present::SendAvailable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Outcome {
    /// The new state.
    pub state: State,
    /// Outbound: route the stanza to the contact. Inbound: deliver it to the user's resources ([`Kind::audience`]).
    pub route: bool,
    /// The item changed visibly: push it.
    pub push: bool,
    /// The server answers the contact on the user's behalf, from bare address to bare address.
    pub auto_reply: Option<Kind>,
    /// Presence of the user's resources to the contact.
    pub present: Present,
}

impl Outcome {
    fn new(before: State, state: State, route: bool) -> Self {
        Self {
            state,
            route,
            push: state.looks_different(before),
            auto_reply: None,
            present: Present::None,
        }
    }

    fn replying(self, kind: Kind) -> Self {
        Self {
            auto_reply: Some(kind),
            ..self
        }
    }

    fn presenting(self, present: Present) -> Self {
        Self { present, ..self }
    }
}

/// What the user's own client sends to the contact (RFC 6121 appendix A.2, §3.4).
pub fn outbound(kind: Kind, state: State) -> Outcome {
    let s = state;
    match kind {
        Kind::Subscribe => Outcome::new(
            s,
            State {
                listed: true,
                ask: !s.to(),
                ..s
            },
            true,
        ),
        Kind::Unsubscribe => Outcome::new(
            s,
            State {
                ask: false,
                ..s.with(false, s.from())
            },
            true,
        ),
        Kind::Subscribed if s.pending_in => {
            let new = State {
                listed: true,
                pending_in: false,
                ..s.with(s.to(), true)
            };
            Outcome::new(s, new, true).presenting(Present::SendAvailable)
        }
        Kind::Subscribed if s.from() => Outcome::new(s, s, false),
        Kind::Subscribed => Outcome::new(
            s,
            State {
                listed: true,
                approved: true,
                ..s
            },
            false,
        ),
        Kind::Unsubscribed => {
            let new = State {
                pending_in: false,
                approved: false,
                ..s.with(s.to(), false)
            };
            // Who only asked never saw anything: to tell him `unavailable` would name the user's devices to him.
            let present = if s.from() {
                Present::SendUnavailable
            } else {
                Present::None
            };
            Outcome::new(s, new, s.from() || s.pending_in).presenting(present)
        }
    }
}

/// What the contact sends to the user (RFC 6121 appendix A.3, §3.4).
pub fn inbound(kind: Kind, state: State) -> Outcome {
    let s = state;
    match kind {
        // The contact asks for what he has: he lost it on his side, so he gets the answer and the presence once more.
        Kind::Subscribe if s.from() => Outcome::new(s, s, false)
            .replying(Kind::Subscribed)
            .presenting(Present::SendAvailable),
        Kind::Subscribe if s.approved => {
            let new = State {
                pending_in: false,
                ..s.with(s.to(), true)
            };
            Outcome::new(s, new, false)
                .replying(Kind::Subscribed)
                .presenting(Present::SendAvailable)
        }
        Kind::Subscribe => Outcome::new(
            s,
            State {
                pending_in: true,
                ..s
            },
            !s.pending_in,
        ),
        Kind::Unsubscribe if s.from() || s.pending_in => {
            let present = if s.from() {
                Present::SendUnavailable
            } else {
                Present::None
            };
            let new = State {
                pending_in: false,
                ..s.with(s.to(), false)
            };
            Outcome::new(s, new, true)
                .replying(Kind::Unsubscribed)
                .presenting(present)
        }
        Kind::Subscribed if s.ask => Outcome::new(
            s,
            State {
                ask: false,
                ..s.with(true, s.from())
            },
            true,
        ),
        Kind::Subscribed if s.listed && !s.to() => {
            Outcome::new(s, s, false).replying(Kind::Unsubscribe)
        }
        Kind::Unsubscribed if s.ask || s.to() => Outcome::new(
            s,
            State {
                ask: false,
                ..s.with(false, s.from())
            },
            true,
        ),
        Kind::Unsubscribe | Kind::Subscribed | Kind::Unsubscribed => Outcome::new(s, s, false),
    }
}

/// What follows from the removal of a roster item (RFC 6121 §2.5.2). The state afterwards is `State::default()`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Removal {
    /// Presence of the user's resources to the contact, before the stanzas.
    pub present: Present,
    /// The stanzas to the contact, in this order, from bare address to bare address.
    pub route: SmallVec<[Kind; 2]>,
}

/// Removes the contact: `unsubscribe` when the user sees or asked to see it, then `unsubscribed` when it sees or asked to see the
/// user. The RFC speaks of subscriptions only; an open request is withdrawn or denied likewise, or it would be answered later to
/// somebody who forgot it.
pub fn remove(state: State) -> Removal {
    let mut route = SmallVec::new();
    if state.to() || state.ask {
        route.push(Kind::Unsubscribe);
    }
    if state.from() || state.pending_in {
        route.push(Kind::Unsubscribed);
    }
    let present = if state.from() {
        Present::SendUnavailable
    } else {
        Present::None
    };
    Removal { present, route }
}

/// The answer to a probe (RFC 6121 §4.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProbeAnswer {
    /// The user's presence: each available resource, or the last `unavailable`.
    Presence,
    /// `unsubscribed` from the bare address: the asker believes in a subscription that is not there.
    Unsubscribed,
    /// Nothing yet: his request is open, and `unsubscribed` would make his server drop it.
    Nothing,
}

/// Answers the contact's probe. Whoever may see by another rule (a standing grant) is the caller's matter.
pub fn probe(state: State) -> ProbeAnswer {
    if state.from() {
        ProbeAnswer::Presence
    } else if state.pending_in {
        ProbeAnswer::Nothing
    } else {
        ProbeAnswer::Unsubscribed
    }
}

#[cfg(test)]
mod tests;
