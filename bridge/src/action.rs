//! What the bridge wants done outside: the seam between this crate and whoever drives it.
//!
//! Each action carries a [`Token`]; its answer comes back through [`crate::Bridge::handle_answer`] with the same token. Actions without an
//! answer say so.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use presence::{
    Bare, Binding, Decision, Document, EntityTag, Message, Refusal, View, WatchId, WatchRecord,
};

/// Names an action that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(pub u64);

/// Published state, after its document was read.
#[derive(Debug, Clone)]
pub struct Body {
    /// The common part.
    pub document: Document,
    /// The document in normal form (`documents::pidf`).
    pub native: Bytes,
    /// Its language.
    pub lang: Option<Arc<str>>,
}

/// What is to be done.
#[derive(Debug)]
pub enum Action {
    /// The account of a digest user, aliases followed, and its keys. Answered with [`Answer::Credentials`].
    Credentials {
        /// The digest user name as sent: a local part, an alias or `user@domain`.
        user: String,
        /// The realm it was sent for: a served domain.
        realm: Arc<str>,
        /// Source address, for the limit on failures.
        source: std::net::IpAddr,
    },
    /// The account that an address leads to, aliases followed. Answered with [`Answer::Resolved`].
    Resolve {
        /// As an alias is written: `user@domain` prepared (an IP address stands as the first domain, any other domain as it is), or
        /// `tel:+4930123456` without separators.
        address: String,
    },
    /// A login by digest has failed (counted like those of XMPP). No answer.
    Failed {
        /// The digest user name.
        user: String,
        /// The realm.
        realm: Arc<str>,
        /// Source address.
        source: std::net::IpAddr,
    },
    /// Bindings of an account. Answered with [`Answer::Bindings`].
    Register {
        /// Whose.
        account: Bare,
        /// What.
        register: Register,
    },
    /// RFC 3903. Answered with [`Answer::Published`].
    Publish {
        /// At which presentity.
        account: Bare,
        /// SIP-If-Match.
        tag: Option<EntityTag>,
        /// The granted lifetime; zero removes.
        expires: Duration,
        /// The state; `None` in a refresh or removal.
        body: Option<Body>,
        /// Where the request came from, for finding the registered phone: the flow as text.
        flow: Arc<str>,
        /// The device when nothing registered is found there.
        device: Arc<str>,
    },
    /// Begins a watch. Answered with [`Answer::Seen`]; changes come through [`crate::Bridge::handle_view`].
    Watch(WatchRecord),
    /// Looks once (a fetch). Answered with [`Answer::Seen`].
    Look {
        /// Who looks.
        watcher: Bare,
        /// At whom.
        presentity: Bare,
    },
    /// Refreshes a watch. Answered with [`Answer::Seen`].
    Rewatch {
        /// At whom.
        presentity: Bare,
        /// Which.
        id: WatchId,
        /// Lifetime from now.
        expires: Duration,
        /// The dialog's new form.
        dialog: Bytes,
    },
    /// Keeps a dialog. With `durable` it is its whole new form, answered with [`Answer::Kept`] after the commit (a block of CSeq
    /// numbers is used only then). Otherwise it is what was told last, which stands at its beginning and takes the place of as many
    /// octets there: it may be lost in a crash and is not answered.
    Keep {
        /// At whom.
        presentity: Bare,
        /// Which.
        id: WatchId,
        /// The dialog, or its beginning.
        dialog: Bytes,
        /// Wait for the disk.
        durable: bool,
    },
    /// Ends a watch. Answered with [`Answer::Seen`]: what may be seen at the end.
    Unwatch {
        /// At whom.
        presentity: Bare,
        /// Which.
        id: WatchId,
    },
    /// A message from a phone (RFC 3428). Answered with [`Answer::Sent`]. The sender's own chat clients get a copy.
    Message {
        /// The message. The sender's device is not known here: `from` is bare.
        message: Box<Message>,
        /// Where it came from, for finding the sender's registered phone: the flow as text.
        flow: Arc<str>,
    },
    /// A phone took a stored message. No answer.
    Taken {
        /// Whose message.
        account: Bare,
        /// Its number.
        stored: u64,
    },
    /// No phone took a stored message that was sent to them: it may be tried again with the next registration. No answer.
    NotTaken {
        /// Whose message.
        account: Bare,
        /// Its number.
        stored: u64,
    },
}

/// What a REGISTER asks for.
#[derive(Debug, Clone)]
pub enum Register {
    /// Which bindings are there.
    Query,
    /// Adds or refreshes; a binding whose `expires` is not after the moment is removed.
    Update(Vec<Binding>),
    /// `Contact: *`.
    RemoveAll {
        /// Call-ID of the request.
        call_id: Arc<str>,
        /// Its CSeq.
        cseq: u32,
    },
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Somebody has it.
    Delivered,
    /// It waits in the store.
    Stored,
    /// Nobody takes its kind, silently.
    Dropped,
}

/// The digest keys of a user.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The account; `None`: there is none, it is disabled or it has no digest keys. The same work is then done with no keys.
    pub found: Option<(Bare, sip::digest::Ha1Set)>,
    /// Too many failures from there: refused unread.
    pub too_many: bool,
}

/// The answer to an action.
#[derive(Debug)]
pub enum Answer {
    /// To [`Action::Credentials`].
    Credentials(Credentials),
    /// To [`Action::Resolve`]: `None` when there is no such account.
    Resolved(Option<Bare>),
    /// To [`Action::Register`]: all bindings that are left.
    Bindings(Result<Vec<Binding>, Refusal>),
    /// To [`Action::Publish`]: the new entity tag and the granted lifetime.
    Published(Result<(EntityTag, Duration), Refusal>),
    /// To the actions on watches.
    Seen(Result<(Decision, Arc<View>), Refusal>),
    /// To [`Action::Keep`] with `durable`.
    Kept(Result<(), Refusal>),
    /// To [`Action::Message`].
    Sent(Result<Sent, Refusal>),
}
