//! What a session wants done outside: the seam between this crate and whoever drives it.
//!
//! A session that needs an answer before it can go on ([`Action::blocks`]) takes nothing more from its peer until
//! [`crate::session::Session::handle_reply`]. All other actions are answered, if at all, by the driver writing what [`crate::answer`] prints.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use presence::delivery::IqKind;
use presence::subscription::Kind;
use presence::{Address, ArchiveId, Bare, Document, Handling, Message, Resource};
use services::caps::Interests;

pub use crate::client::BlockWish;
use crate::management::Previous;
use crate::sasl::{ClientId, Hash, Password, Token, TokenAttempt, TokenMechanism};

/// An IQ request that waits for its one response (RFC 6120 §8.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IqContext {
    /// The request's id.
    pub id: Arc<str>,
    /// Who asked, full.
    pub from: Address,
    /// Whom he asked; `None` when he named nobody (the server on behalf of his account).
    pub to: Option<Address>,
}

/// An available or unavailable presence as a session sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The common part.
    pub document: Document,
    /// What stood between the tags of the stanza.
    pub content: Bytes,
    /// Its `xml:lang`, or that of the stream.
    pub lang: Option<Arc<str>>,
    /// Its id, for an error (RFC 6120 §8.3.1).
    pub id: Option<Arc<str>>,
}

/// What is to be done.
#[derive(Debug)]
pub enum Action {
    /// SASL: the stored keys of an account. Blocks. Counts as the begin of a login attempt for `auth_failures`.
    Keys {
        /// The account that wants to log in.
        account: Bare,
        /// Which keys.
        hash: Hash,
    },
    /// SASL PLAIN: is this the password? Blocks; runs on a bounded pool. Counts as the begin of a login attempt.
    Password {
        /// The account that wants to log in.
        account: Bare,
        /// What the client sent.
        password: Password,
    },
    /// SASL-HT: is this the proof of a token (XEP-0484)? Blocks. Counts as the begin of a login attempt. What follows from the use of a
    /// token is stored before the answer; nothing is stored for an attempt that is refused whatever is found.
    Token {
        /// The account that wants to log in.
        account: Bare,
        /// What the client proves.
        attempt: Box<TokenAttempt>,
    },
    /// A token for the next time, for an account that has just logged in. Blocks; it is stored before the answer.
    IssueToken {
        /// The account.
        account: Bare,
        /// For which installation of a client.
        client: ClientId,
        /// For which mechanism.
        mechanism: TokenMechanism,
    },
    /// A login attempt has ended: exactly once for each [`Action::Keys`], [`Action::Password`] and [`Action::Token`], unless the answer was
    /// [`Reply::TooMany`]. Does not block.
    Attempted {
        /// The account that wanted to log in.
        account: Bare,
        /// How.
        outcome: AttemptOutcome,
    },
    /// Bind a resource (RFC 6120 §7). Blocks.
    Bind {
        /// The account.
        account: Bare,
        /// The name the client wants.
        resource: Option<Resource>,
        /// Which installation of a client it is: the sessions that it had before end (XEP-0386 §3.2).
        client: Option<ClientId>,
    },
    /// A client that was bound just now reads the archive (XEP-0386 §3.2): of what came before and waits, nothing need be given that
    /// stands there. Where does it begin and end, with all that came before? Blocks.
    ReadsArchive {
        /// The account.
        account: Bare,
    },
    /// Go on with an earlier stream of the account (XEP-0198 §5). Blocks: the driver exchanges this session for the one of that stream
    /// ([`crate::Session::resume`]), or says that there is none.
    Resume {
        /// The account.
        account: Bare,
        /// Which stream, and what the client has got on it.
        previous: Previous,
    },
    /// Stream management begins: what was written before is not counted, what is written from now on is (XEP-0198 §3). The driver
    /// says so to the client.
    Enable {
        /// The client wants to be able to resume.
        resume: bool,
        /// For how long.
        most: Option<Duration>,
    },
    /// The same for a stream whose client has been told so with the success of its login (XEP-0386).
    ManagedFromStart {
        /// By what name it can be resumed, if it can be.
        id: Option<String>,
        /// For how long.
        most: Duration,
    },
    /// On a managed stream: one more stanza of the client is taken in; its actions came before.
    Counted,
    /// The client wants to know how many of its stanzas are handled.
    Ask,
    /// The client has got so many stanzas.
    Acknowledged(u32),
    /// The client wanted to resume too late: it is told (XEP-0198 §3).
    NotResumed,
    /// Ask the client how many stanzas it has got, to see whether it is there.
    Ping,
    /// Somebody looks at the client, or nobody does (XEP-0352).
    Attention(bool),
    /// Carbons for a session that was bound just now and is not told of it yet (XEP-0386 §3.2).
    CarbonsFromStart,
    /// Roster get (RFC 6121 §2.1.3), with the version the client has (§2.6).
    RosterGet {
        /// The request.
        iq: IqContext,
        /// `ver`, when the attribute was there.
        version: Option<String>,
    },
    /// Roster set (§2.3, §2.4).
    RosterSet {
        /// The request.
        iq: IqContext,
        /// The contact.
        contact: Bare,
        /// `name`.
        name: Option<String>,
        /// Groups, without duplicates.
        groups: Vec<String>,
    },
    /// Roster removal (§2.5).
    RosterRemove {
        /// The request.
        iq: IqContext,
        /// The contact.
        contact: Bare,
    },
    /// Available presence for all (§4.2, §4.4).
    Available(Presented),
    /// Of these nodes the session wants to be notified from now on (XEP-0060 §9.2).
    Interests(Interests),
    /// Something of the nodes of an account (XEP-0060, XEP-0163).
    Pubsub {
        /// The request.
        iq: IqContext,
        /// Whose nodes.
        owner: Bare,
        /// What.
        request: Box<services::pubsub::Request>,
    },
    /// The owner of the account says who may subscribe to a node, by a message to the account (XEP-0060 §8.6).
    Authorize {
        /// The id of the message, for an error.
        id: Option<Arc<str>>,
        /// What he says.
        request: Box<services::pubsub::Request>,
    },
    /// Unavailable presence for all (§4.5).
    Unavailable(Presented),
    /// Presence to one address (§4.6).
    Directed {
        /// To whom.
        to: Address,
        /// What.
        presented: Presented,
        /// Available, or unavailable.
        available: bool,
    },
    /// A probe of the client's own (§4.3).
    Probe {
        /// Of whom.
        contact: Address,
    },
    /// A subscription stanza (§3).
    Subscription {
        /// Which.
        kind: Kind,
        /// To whom.
        contact: Bare,
        /// What stood in it.
        content: Bytes,
        /// Its id, for an error.
        id: Option<Arc<str>>,
    },
    /// A message (§5), `from` stamped.
    Message {
        /// The message.
        message: Arc<Message>,
        /// What may be done with it.
        handling: Handling,
    },
    /// Something about the account's archive of messages (XEP-0313).
    Archive(Box<crate::archive::Request>),
    /// From now on this session gets copies of messages, or gets none any more (XEP-0280 §4, §5).
    Carbons {
        /// The request.
        iq: IqContext,
        /// It gets them.
        enable: bool,
    },
    /// An IQ for another session. Requests are answered by that session, or by an error.
    Iq {
        /// For whom, full.
        to: Address,
        /// Its kind.
        kind: IqKind,
        /// The complete stanza, `from` stamped.
        stanza: Bytes,
        /// For the error, when it is a request.
        iq: IqContext,
    },
    /// Cards and private storage (XEP-0054, XEP-0049).
    Person(Box<crate::person::Person>),
    /// Whom the account blocks (XEP-0191).
    Blocking {
        /// The request.
        iq: IqContext,
        /// What is wanted.
        wish: BlockWish,
    },
    /// A stage of an ad-hoc command (XEP-0050).
    Command(Box<crate::adhoc::Request>),
    /// What the server has, of which not all may learn (XEP-0030).
    Discover(Box<crate::discovery::Discover>),
    /// Last activity of an account (XEP-0012 §4).
    LastActivity {
        /// The request.
        iq: IqContext,
        /// Whose.
        account: Bare,
    },
}

impl Action {
    /// The session waits for [`Reply`].
    pub fn blocks(&self) -> bool {
        matches!(
            self,
            Self::Keys { .. }
                | Self::Password { .. }
                | Self::Token { .. }
                | Self::IssueToken { .. }
                | Self::Bind { .. }
                | Self::ReadsArchive { .. }
                | Self::Resume { .. }
        )
    }
}

/// How a login attempt ended, as `sasl::Attempts` counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptOutcome {
    /// The credentials were right (also when something else then stood against the login).
    Succeeded,
    /// A guess that was wrong. Emitted before the failure is sent, so that the driver can hold that back.
    Failed,
    /// It came to nothing: aborted, malformed, the connection lost.
    Abandoned,
}

/// The answer to an action that blocks.
#[derive(Debug)]
pub enum Reply {
    /// To [`Action::Keys`]: `None` for an account that does not exist or has no such keys (nobody learns which).
    Keys {
        /// The keys.
        keys: Option<crate::sasl::ScramKeys>,
        /// The account is disabled: told only after the credentials were proven.
        disabled: bool,
    },
    /// To [`Action::Password`].
    Password(bool),
    /// To [`Action::Token`]: it is right.
    Token {
        /// The server's own proof.
        responder: Vec<u8>,
        /// It is time for another token.
        is_old: bool,
        /// The account is disabled.
        disabled: bool,
    },
    /// To [`Action::Token`]: it was right once.
    TokenExpired,
    /// To [`Action::Token`]: it is right, but has come with that count or a higher one before.
    TokenReplayed,
    /// To [`Action::Token`]: it is not.
    TokenWrong,
    /// To [`Action::IssueToken`]: the token and when it expires; `None` when none could be made.
    Issued(Option<(Token, presence::Utc)>),
    /// To what begins an attempt: too many failures; answered with `temporary-auth-failure`. No attempt has begun.
    TooMany,
    /// To what begins an attempt: our fault.
    Fault,
    /// To [`Action::Password`]: it is the right one, but the account is disabled.
    Disabled,
    /// To [`Action::Bind`].
    Bound(Result<Resource, presence::Refusal>),
    /// To [`Action::ReadsArchive`]: its first and its last message, where it has any; `None` when that is not known.
    ArchiveEnds(Option<Option<(ArchiveId, ArchiveId)>>),
    /// To [`Action::Resume`]: it cannot be. With the number of stanzas handled on that stream, where that is still known.
    NotResumed(Option<u32>),
}
