//! What a session wants of its account's archive of messages (XEP-0313, XEP-0441).

use presence::{ArchivePreferences, ArchiveQuery};

use crate::action::IqContext;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The request's stanza.
    pub iq: IqContext,
    /// What it is for.
    pub wanted: Wanted,
}

/// What is wanted of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A page (XEP-0313 §4).
    Page(Page),
    /// The first and the last message (§5).
    Ends,
    /// What the account wants archived (XEP-0441).
    Preferences,
    /// It wants this archived from now on.
    SetPreferences(ArchivePreferences),
}

/// How a page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What is to be on it.
    pub query: ArchiveQuery,
    /// What the client calls its question.
    pub id: Option<String>,
    /// The last message is sent first (§4.3.3).
    pub flip: bool,
}
