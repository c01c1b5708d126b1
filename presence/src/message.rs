//! A message between accounts, whatever the protocol.

use std::sync::Arc;

use bytes::Bytes;

use crate::address::Address;
use crate::archive::ArchiveId;
use crate::document::Note;
use crate::time::Utc;

/// RFC 6121 §5.2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MessageKind {
    /// One of its own; also when the type is absent or unknown.
    #[default]
    Normal,
    /// Part of a conversation of two.
    Chat,
    /// To a room.
    Groupchat,
    /// An alert that wants no answer.
    Headline,
    /// An error about a message sent before.
    Error,
}

/// The message as its sender wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageNative {
    /// The complete `<message/>` with `from` stamped, `jabber:client` as default namespace.
    Xmpp(Bytes),
    /// The body of a SIP MESSAGE with its type.
    Sip {
        /// Content-Type as given.
        content_type: Arc<str>,
        /// The octets.
        body: Bytes,
    },
}

/// How a message is to be treated, which its face knows and the rules ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handling {
    /// It has a body or other content worth keeping (XEP-0160 §3): it may wait in the store.
    pub storable: bool,
    /// It has a text that a phone can show.
    pub speakable: bool,
    /// It belongs into the archives of its sender and its recipient, as far as they want that (XEP-0313 §6.1).
    pub archivable: bool,
    /// Other devices of its sender and of its recipient get copies (XEP-0280 §6).
    pub copyable: bool,
    /// It says only what its sender does at this moment (XEP-0085): the next makes it void.
    pub passing: bool,
    /// It comes later than it was sent: it was on its way to a session that never got it (XEP-0198 §4).
    pub late: bool,
}

impl Handling {
    /// A text from one person to another, without any wish of its own: it is stored, spoken, archived and copied.
    pub const TEXT: Self = Self {
        storable: true,
        speakable: true,
        archivable: true,
        copyable: true,
        passing: false,
        late: false,
    };
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who sends, full for a session; for a phone with `sip-` resource when known.
    pub from: Address,
    /// To whom.
    pub to: Address,
    /// RFC 6121 type.
    pub kind: MessageKind,
    /// Stanza id or SIP transaction id.
    pub id: Option<Arc<str>>,
    /// Thread, or Call-ID.
    pub thread: Option<Arc<str>>,
    /// Subjects by language.
    pub subjects: Vec<Note>,
    /// Bodies by language.
    pub bodies: Vec<Note>,
    /// As written.
    pub native: MessageNative,
    /// When the server took it.
    pub received: Utc,
    /// Its number in the archive of its recipient, where it stands there (XEP-0313).
    pub archived: Option<ArchiveId>,
}
