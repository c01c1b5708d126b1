//! Where events go, and the events.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::entity::Parting;
use crate::messages::Handling;
use crate::pubsub::NodeNotice;
use bytes::Bytes;
use presence::subscription::Kind;
use presence::{
    Address, ArchiveId, Bare, Binding, Decision, Item, Message, Publication, View, WatchId,
};

/// One connected session, in one run of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// Where events for one connection go. `deliver` is called under an account's lock: it appends to the connection's own queue and
/// returns; it never calls the model, blocks or writes to a socket.
pub trait Route: Send + Sync {
    /// Appends the event to the connection's queue. A full queue ends that connection, nobody else's.
    fn deliver(&self, event: &Event<'_>);
    /// The connection has ended: nothing may be added for it any more.
    fn closed(&self) -> bool;
}

/// How a message is on its way to one session, for a face that finds out whether it arrives (XEP-0198).
#[derive(Debug, Clone, Copy, Default)]
pub struct Delivery<'a> {
    /// How it is to be treated when it does not.
    pub handling: Handling,
    /// What those who were given the same message share; `None` when nobody else was. Whoever has it says so there, whoever does not know
    /// yet keeps this: the last to let go of it knows that nobody has the message.
    pub arrival: Option<&'a Arc<Arrival>>,
}

/// Whether any of the sessions that were given one message has it.
#[derive(Debug, Default)]
pub struct Arrival(AtomicBool);

impl Arrival {
    /// One of them has it.
    pub fn arrived(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// None of them has it.
    pub fn failed(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }
}

/// What a connection is told.
#[derive(Debug)]
pub enum Event<'a> {
    /// A resource's presence: available, changed or unavailable.
    Presence {
        /// To whom: the watcher's bare address for a broadcast, his full one for an answer or a directed presence.
        to: &'a Address,
        /// What.
        notice: &'a Arc<Notice>,
    },
    /// A presence stanza of type subscribe, subscribed, unsubscribe or unsubscribed.
    Subscription {
        /// Which.
        kind: Kind,
        /// Of whom.
        from: &'a Bare,
        /// To whom.
        to: &'a Bare,
        /// What stood in the stanza.
        content: &'a Bytes,
    },
    /// The roster changed (RFC 6121 §2.1.6).
    RosterPush {
        /// The roster's version after the change.
        version: u64,
        /// The change.
        change: RosterChange<'a>,
    },
    /// Whom the account blocks has changed (XEP-0191 §3.3).
    Blocks(BlockChange<'a>),
    /// A message; `delayed` when it was stored.
    Message {
        /// The message.
        message: &'a Arc<Message>,
        /// It waited in the offline store (XEP-0160: a delay stamp is added).
        delayed: bool,
        /// What is to be known when it never arrives.
        delivery: Delivery<'a>,
    },
    /// A portion of what was stored ends here. When everything delivered before is written to the connection, its face calls
    /// [`Model::written`](crate::Model::written): only then it is removed from the store, and the next portion comes. It may come in
    /// a connection's early days, and it does not count when the connection ends before.
    Mark {
        /// Whose.
        account: &'a Bare,
        /// This session.
        session: SessionId,
    },
    /// A copy of a message that another device of this account got or sent (XEP-0280), for a session that wants copies.
    Copy {
        /// To whom: the session.
        to: &'a Address,
        /// The message.
        message: &'a Arc<Message>,
        /// This account sent it.
        sent: bool,
        /// Its number in the archive of this account, where it stands there.
        archived: Option<ArchiveId>,
        /// What is to be known when it never arrives.
        delivery: Delivery<'a>,
    },
    /// A complete stanza with `from` stamped, `jabber:client` as default namespace; the receiver is this session.
    Stanza {
        /// Its octets.
        stanza: &'a [u8],
    },
    /// Something for everybody, from the server itself; this session is one of the account's.
    Announcement {
        /// The account.
        to: &'a Bare,
        /// What.
        text: &'a str,
    },
    /// Something happened at a node.
    Node {
        /// To whom, full unless he subscribed by his bare address.
        to: &'a Address,
        /// What.
        notice: &'a Arc<NodeNotice>,
    },
    /// A session asks an address outside for its presence (RFC 6121 §4.3).
    Probe {
        /// The session.
        from: &'a Address,
        /// Whom.
        to: &'a Bare,
    },
    /// A message for the registered phones of an account.
    PhoneMessage {
        /// Whose phones.
        account: &'a Bare,
        /// The phones that take messages.
        bindings: &'a [Binding],
        /// The message.
        message: &'a Message,
        /// Its number in the offline store when it stands there until a phone has taken it.
        stored: Option<u64>,
    },
    /// A stored watch: what its holder may see now.
    View {
        /// Which.
        watch: WatchId,
        /// Whether he may see at all.
        decision: Decision,
        /// What, when he may.
        view: &'a Arc<View>,
    },
    /// The session is ended by the model.
    Ended(Ended),
}

/// Why the model ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Another session took its resource (RFC 6120 §7.7.2.2).
    Replaced,
    /// The account was disabled.
    Disabled,
    /// The account was deleted.
    Deleted,
    /// The password was changed.
    PasswordChanged,
    /// An administrator ended it.
    ByAdmin,
}

/// A change of one roster item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RosterChange<'a> {
    /// New or changed.
    Put(&'a Item),
    /// Removed.
    Removed(&'a Bare),
}

/// A change of whom an account blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockChange<'a> {
    /// These are blocked.
    Blocked(&'a [Address]),
    /// These are not any more.
    Unblocked(&'a [Address]),
    /// Nobody is any more.
    AllUnblocked,
}

/// One presence of one resource, printed at most once per protocol and shared by all who are told.
#[derive(Debug)]
pub struct Notice {
    /// Of whom, full.
    pub from: Address,
    /// The publication; for unavailable the last one.
    pub publication: Option<Arc<Publication>>,
    /// Available, or gone.
    pub available: bool,
    /// The `id` of the stanza that caused it.
    pub id: Option<Arc<str>>,
    /// What stood in the unavailable stanza, when it came from one.
    pub parting: Option<Bytes>,
    /// `xml:lang` of that stanza.
    pub parting_lang: Option<Arc<str>>,
    /// What a face printed of it, for all recipients: its own matter.
    pub printed: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Notice {
    /// An available presence.
    pub fn available(account: &Bare, publication: &Arc<Publication>) -> Arc<Self> {
        Arc::new(Self {
            from: account.with(publication.resource.clone()),
            publication: Some(Arc::clone(publication)),
            available: true,
            id: None,
            parting: None,
            parting_lang: None,
            printed: OnceLock::new(),
        })
    }

    /// That a resource is available, and nothing else.
    pub fn merely(from: Address) -> Arc<Self> {
        Arc::new(Self {
            from,
            publication: None,
            available: true,
            id: None,
            parting: None,
            parting_lang: None,
            printed: OnceLock::new(),
        })
    }

    /// The same with the `id` of the stanza that caused it (RFC 6121 §4.4.2: contacts get the full XML).
    pub fn with_id(self: Arc<Self>, id: Option<Arc<str>>) -> Arc<Self> {
        match (id, Arc::try_unwrap(self)) {
            (Some(id), Ok(notice)) => Arc::new(Self {
                id: Some(id),
                ..notice
            }),
            (_, Ok(notice)) => Arc::new(notice),
            (_, Err(shared)) => shared,
        }
    }

    /// An unavailable presence with what the client said in parting.
    pub fn unavailable(
        from: Address,
        publication: Option<Arc<Publication>>,
        parting: Parting,
    ) -> Arc<Self> {
        let said = parting.unwrap_or_default();
        Arc::new(Self {
            from,
            publication,
            available: false,
            id: said.id,
            parting: Some(said.content),
            parting_lang: said.lang,
            printed: OnceLock::new(),
        })
    }
}
