//! What an account says about its person (XEP-0054), and what it keeps for its own programs (XEP-0049).

use bytes::Bytes;

/// A person's card, as its owner wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Card {
    /// One element with everything it needs declared in it.
    pub xml: Bytes,
    /// What the office directory is searched by.
    pub facts: Facts,
    /// The SHA-1 of the picture in it, in lower case.
    pub photo: Option<String>,
}

/// What the office directory tells of a person (XEP-0055 §3). Each is empty where the card does not say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The name as it is written.
    pub name: String,
    /// The given name.
    pub first: String,
    /// The family name.
    pub last: String,
    /// What friends call them.
    pub nick: String,
    /// The first address for mail.
    pub email: String,
}

impl Facts {
    /// What the person is to be called: the name, or else what friends call them.
    pub fn display_name(&self) -> Option<&str> {
        [&self.name, &self.nick]
            .into_iter()
            .find(|name| !name.is_empty())
            .map(String::as_str)
    }
}

/// Under which name something of an account's own is kept: namespace and name of its element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// The namespace, not empty.
    pub namespace: String,
    /// The name of the element.
    pub name: String,
}

/// Something that an account keeps for its own programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Under which name.
    pub label: Label,
    /// What: one or more elements of this name, everything they need declared in them. Empty takes away what was kept.
    pub xml: Bytes,
}
