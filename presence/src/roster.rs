//! Contact lists (RFC 6121 §2).

use std::collections::BTreeMap;

use crate::address::Bare;

/// RFC 6121 §2.1.2.5: the `subscription` attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SubscriptionState {
    /// Neither sees the other.
    #[default]
    None,
    /// The owner sees the contact.
    To,
    /// The contact sees the owner.
    From,
    /// Both.
    Both,
}

impl SubscriptionState {
    /// The owner sees the contact.
    pub fn to(self) -> bool {
        matches!(self, Self::To | Self::Both)
    }

    /// The contact sees the owner.
    pub fn from(self) -> bool {
        matches!(self, Self::From | Self::Both)
    }

    /// From its two halves.
    pub fn of(to: bool, from: bool) -> Self {
        match (to, from) {
            (false, false) => Self::None,
            (true, false) => Self::To,
            (false, true) => Self::From,
            (true, true) => Self::Both,
        }
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::To => "to",
            Self::From => "from",
            Self::Both => "both",
        }
    }
}

/// The `ask` attribute: there is a request of the owner that the contact has not answered.
pub type Ask = bool;

/// One contact as the owner sees it in his list. A contact that only asked ("None + Pending In") is not an item: see
/// [`Roster::pending_in`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The contact.
    pub contact: Bare,
    /// The handle (`name`), at most 1,023 bytes.
    pub name: Option<String>,
    /// Groups in the order given, no duplicates.
    pub groups: Vec<String>,
    /// Subscription state.
    pub subscription: SubscriptionState,
    /// "Pending Out".
    pub ask: Ask,
    /// The owner approved the contact before it asked (RFC 6121 §3.4).
    pub approved: bool,
}

impl Item {
    /// An item without name and groups, in state "None".
    pub fn new(contact: Bare) -> Self {
        Self {
            contact,
            name: None,
            groups: Vec::new(),
            subscription: SubscriptionState::None,
            ask: false,
            approved: false,
        }
    }
}

/// An account's contact list with what belongs to it but is not shown as items.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster {
    /// Grows by one with every change that is pushed; the `ver` of RFC 6121 §2.6.
    pub version: u64,
    /// The items.
    pub items: BTreeMap<Bare, Item>,
    /// "Pending In": who asked and was not answered, with the content of the `<presence type='subscribe'/>` (RFC 6121
    /// §3.1.3 wants the complete stanza kept).
    pub pending_in: BTreeMap<Bare, bytes::Bytes>,
}
