//! Contact lists (RFC 6121 §2).

mod items;
mod label;

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Bare;
use crate::errors::Condition;

pub use items::Items;
pub use label::Label;

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
    /// Its name and groups.
    pub label: Label,
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
            label: Label::default(),
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
    pub items: Items,
    /// "Pending In": who asked and was not answered, with the content of the `<presence type='subscribe'/>` (RFC 6121
    /// §3.1.3 wants the complete stanza kept).
    pub pending_in: BTreeMap<Bare, bytes::Bytes>,
}

/// The most bytes of a name and of a group's name, as of every part of an address (RFC 6121 §2.3.3 leaves the figure to the server).
pub const MAX_NAME: usize = 1023;

/// The most groups that one contact is in.
pub const MAX_GROUPS: usize = 64;

/// Why name and groups of a contact are not taken (RFC 6121 §2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// The name is above [`MAX_NAME`].
    #[error("the name is longer than 1,023 bytes")]
    LongName,
    /// A group has no name.
    #[error("a group has no name")]
    EmptyGroup,
    /// A group's name is above [`MAX_NAME`].
    #[error("the name of a group is longer than 1,023 bytes")]
    LongGroup,
    /// A group is named twice.
    #[error("a group is named twice")]
    DuplicateGroup,
    /// More than [`MAX_GROUPS`].
    #[error("there are more than 64 groups")]
    TooManyGroups,
}

impl ItemError {
    /// The stanza error that RFC 6121 §2.3.3 names.
    pub fn condition(self) -> Condition {
        match self {
            Self::DuplicateGroup => Condition::BadRequest,
            Self::LongName | Self::EmptyGroup | Self::LongGroup => Condition::NotAcceptable,
            Self::TooManyGroups => Condition::PolicyViolation,
        }
    }
}

/// Checks what a client wants to call a contact and where to list it (RFC 6121 §2.3.3).
pub fn check_item(name: Option<&str>, groups: &[String]) -> Result<(), ItemError> {
    if name.is_some_and(|n| n.len() > MAX_NAME) {
        return Err(ItemError::LongName);
    }
    if groups.len() > MAX_GROUPS {
        return Err(ItemError::TooManyGroups);
    }
    let mut seen = BTreeSet::new();
    for group in groups {
        if group.is_empty() {
            return Err(ItemError::EmptyGroup);
        }
        if group.len() > MAX_NAME {
            return Err(ItemError::LongGroup);
        }
        if !seen.insert(group) {
            return Err(ItemError::DuplicateGroup);
        }
    }
    Ok(())
}

impl Roster {
    /// The item of a contact.
    pub fn get(&self, contact: &Bare) -> Option<&Item> {
        self.items.get(contact)
    }

    /// Takes the next version, for a change that is pushed, and says which it is.
    pub fn bump(&mut self) -> u64 {
        self.version = self.version.saturating_add(1);
        self.version
    }

    /// Adds a contact, or changes name and groups of one that is there: its subscription stays as it is (RFC 6121 §2.3.2, §2.4). The
    /// version grows by one, also when nothing differs, because a roster set is always pushed. An empty name is none.
    pub fn put(
        &mut self,
        contact: &Bare,
        name: Option<&str>,
        groups: &[String],
    ) -> Result<&Item, ItemError> {
        check_item(name, groups)?;
        self.bump();
        let item = self.items.get_or_new(contact);
        item.label = Label::new(name, groups);
        Ok(item)
    }

    /// Takes a contact away, with its open request (RFC 6121 §2.5); what it must be told is in [`crate::subscription::remove`], to be
    /// asked before. `None`, and nothing changes, when it has no item (`item-not-found`).
    pub fn remove(&mut self, contact: &Bare) -> Option<Item> {
        let item = self.items.remove(contact)?;
        self.pending_in.remove(contact);
        self.bump();
        Some(item)
    }

    /// Contacts that may see the owner: the recipients of a broadcast.
    pub fn subscribers(&self) -> impl Iterator<Item = &Bare> {
        self.items
            .iter()
            .filter(|i| i.subscription.from())
            .map(|i| &i.contact)
    }

    /// Contacts that the owner sees: those that are probed (RFC 6121 §4.2.2).
    pub fn subscriptions(&self) -> impl Iterator<Item = &Bare> {
        self.items
            .iter()
            .filter(|i| i.subscription.to())
            .map(|i| &i.contact)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn bare(text: &str) -> Bare {
        Bare::parse(text).unwrap()
    }

    fn groups(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn put_keeps_the_subscription() {
        let (nurse, mut roster) = (bare("nurse@example.com"), Roster::default());
        let item = roster
            .put(&nurse, Some("Nurse"), &groups(&["Servants"]))
            .unwrap();
        assert_eq!(
            (item.subscription, item.ask),
            (SubscriptionState::None, false)
        );
        assert_eq!(roster.version, 1);
        roster.items.get_mut(&nurse).unwrap().subscription = SubscriptionState::Both;
        roster.put(&nurse, Some(""), &[]).unwrap();
        let item = roster.get(&nurse).unwrap();
        assert_eq!((item.label.name(), item.label.groups().count()), (None, 0));
        assert_eq!(
            (item.subscription, roster.version),
            (SubscriptionState::Both, 2)
        );
    }

    #[test]
    fn remove_takes_the_request_too() {
        let (nurse, mut roster) = (bare("nurse@example.com"), Roster::default());
        assert_eq!(roster.remove(&nurse), None);
        assert_eq!(roster.version, 0);
        roster.put(&nurse, None, &[]).unwrap();
        roster.pending_in.insert(nurse.clone(), bytes::Bytes::new());
        assert_eq!(roster.remove(&nurse).unwrap().contact, nurse);
        assert_eq!(
            roster,
            Roster {
                version: 2,
                ..Roster::default()
            }
        );
    }

    /// RFC 6121 §2.3.3.
    #[test]
    fn what_is_refused() {
        let long = "x".repeat(MAX_NAME + 1);
        let many: Vec<String> = (0..=MAX_GROUPS).map(|n| n.to_string()).collect();
        for (name, listed, error, condition) in [
            (
                Some(long.as_str()),
                vec![],
                ItemError::LongName,
                Condition::NotAcceptable,
            ),
            (
                None,
                groups(&["a", "b", "a"]),
                ItemError::DuplicateGroup,
                Condition::BadRequest,
            ),
            (
                None,
                groups(&["a", ""]),
                ItemError::EmptyGroup,
                Condition::NotAcceptable,
            ),
            (
                None,
                groups(&[&long]),
                ItemError::LongGroup,
                Condition::NotAcceptable,
            ),
            (
                None,
                many,
                ItemError::TooManyGroups,
                Condition::PolicyViolation,
            ),
        ] {
            assert_eq!(check_item(name, &listed), Err(error));
            assert_eq!(error.condition(), condition);
            let mut roster = Roster::default();
            let refused = roster.put(&bare("a@b"), name, &listed);
            assert_eq!(refused, Err(error));
            assert_eq!(roster, Roster::default());
        }
        let most = "x".repeat(MAX_NAME);
        assert_eq!(check_item(Some(&most), &groups(&[&most, "A", "a"])), Ok(()));
    }

    #[test]
    fn who_sees_whom() {
        let mut roster = Roster::default();
        for (contact, subscription) in [
            ("n@x", SubscriptionState::None),
            ("t@x", SubscriptionState::To),
            ("f@x", SubscriptionState::From),
            ("b@x", SubscriptionState::Both),
        ] {
            roster.put(&bare(contact), None, &[]).unwrap();
            roster.items.get_mut(contact).unwrap().subscription = subscription;
        }
        assert_eq!(
            roster.subscribers().map(Bare::as_str).collect::<Vec<_>>(),
            ["b@x", "f@x"]
        );
        assert_eq!(
            roster.subscriptions().map(Bare::as_str).collect::<Vec<_>>(),
            ["b@x", "t@x"]
        );
    }
}
