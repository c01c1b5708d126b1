//! What an account says about its person and keeps for its own programs: the requests, for whoever has the storage.

mod card;
mod standalone;

use presence::card::Label;
use presence::directory::Wanted;
use presence::{Bare, Card, Kept};

use crate::action::IqContext;

pub use card::{VCARD, card, made};
pub use standalone::standalone;

/// What a session wants of cards and private storage.
#[derive(Debug)]
pub enum Person {
    /// The card of an account (XEP-0054 §3.1, §3.3).
    Card {
        /// The request.
        iq: IqContext,
        /// Whose.
        of: Bare,
    },
    /// A new card for the own account (§3.2); `None` takes it away.
    SetCard {
        /// The request.
        iq: IqContext,
        /// What it says now.
        card: Option<Card>,
    },
    /// What is kept under these names (XEP-0049).
    Private {
        /// The request.
        iq: IqContext,
        /// The names, at least one.
        labels: Vec<Label>,
    },
    /// People of a domain (XEP-0055). Takes longer than other requests.
    Search {
        /// The request.
        iq: IqContext,
        /// The domain that was asked.
        domain: String,
        /// Whom.
        wanted: Wanted,
        /// The answer is a data form.
        by_form: bool,
    },
    /// Keeps these.
    SetPrivate {
        /// The request.
        iq: IqContext,
        /// What, at least one, each name once.
        kept: Vec<Kept>,
    },
}

impl Person {
    /// The request.
    pub fn iq(&self) -> &IqContext {
        match self {
            Self::Card { iq, .. }
            | Self::SetCard { iq, .. }
            | Self::Private { iq, .. }
            | Self::Search { iq, .. }
            | Self::SetPrivate { iq, .. } => iq,
        }
    }
}
