//! What can be changed: the vocabulary of the writer.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use presence::{
    Address, ArchiveId, ArchivePreferences, Bare, Binding, Card, Grant, Item, Kept, Message,
    Publication, Report, Resource, Utc, WatchId, WatchRecord,
};

use crate::record::{NodeItem, NodeSubscriber};

/// How much an account may keep for its own programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// Names in use.
    pub elements: usize,
    /// Octets, names among them.
    pub bytes: u64,
}

use crate::LoginToken;

/// One change. `Put` makes or replaces, `Remove` of what is not there changes nothing. An operation on an account that
/// does not exist fails with [`AccountUnknown`](crate::StoreError::AccountUnknown) and undoes its unit.
#[derive(Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are named after what they hold")]
pub enum Op {
    /// Makes an account; [`Conflict`](crate::StoreError::Conflict) when there is one.
    AccountCreate {
        account: Bare,
        scram: Vec<u8>,
        sealed_ha1: Vec<u8>,
        admin: bool,
        created: Utc,
    },
    /// Replaces the credentials. Login tokens stay: they say under which they were issued.
    AccountPassword {
        account: Bare,
        scram: Vec<u8>,
        sealed_ha1: Vec<u8>,
    },
    /// Adds to the SCRAM keys what was missing there. Changes nothing where they are no longer `was`: the password has changed.
    AccountScram {
        account: Bare,
        was: Vec<u8>,
        scram: Vec<u8>,
    },
    /// Closes or opens an account. Of one that is closed the login tokens are revoked.
    AccountDisable { account: Bare, disabled: bool },
    /// Gives or takes administrator rights.
    AccountAdmin { account: Bare, admin: bool },
    /// Deletes an account and everything stored under it. What it owes others (outbox) stays until it is delivered, and
    /// what others hold about it is theirs.
    AccountDelete { account: Bare },
    /// Another address of an account; one that led elsewhere leads here now.
    AliasPut { alias: String, account: Bare },
    /// Forgets an alias.
    AliasRemove { alias: String },
    /// A contact with the roster version that results.
    RosterPut {
        account: Bare,
        item: Item,
        version: u64,
    },
    /// Removes a contact; the version is set also when it was not there.
    RosterRemove {
        account: Bare,
        contact: Bare,
        version: u64,
    },
    /// A subscription request that waits for its answer (RFC 6121 §3.1.3).
    PendingInPut {
        account: Bare,
        contact: Bare,
        stanza: Bytes,
    },
    /// It was answered or withdrawn.
    PendingInRemove { account: Bare, contact: Bare },
    /// A standing decision.
    GrantPut {
        account: Bare,
        watcher: Bare,
        grant: Grant,
    },
    /// Takes it back.
    GrantRemove { account: Bare, watcher: Bare },
    /// Makes a shared group, or says anew whether every account is in it.
    GroupPut { name: String, everybody: bool },
    /// Removes a group with its list of members.
    GroupRemove { name: String },
    /// Puts an account into a group; changes nothing where there is no such group.
    GroupJoin { name: String, account: Bare },
    /// Takes it out.
    GroupLeave { name: String, account: Bare },
    /// Blocks an address.
    BlockPut { account: Bare, address: Address },
    /// Blocks it no longer.
    BlockRemove { account: Bare, address: Address },
    /// A report for the administrator. Of more than `most` in all, the oldest of whoever made the most of them is dropped.
    ReportPut {
        account: Bare,
        report: Box<Report>,
        most: usize,
    },
    /// What `origin` owes `target`. Neither needs to be an account.
    OutboxPut {
        seq: u64,
        origin: Bare,
        target: Bare,
        payload: Bytes,
    },
    /// It was delivered.
    OutboxRemove { seq: u64 },
    /// `target` has applied everything of `origin` up to `seq`. Never goes back.
    InboxMark {
        target: Bare,
        origin: Bare,
        seq: u64,
    },
    /// A message to be delivered later.
    OfflinePut {
        account: Bare,
        id: u64,
        message: Box<Message>,
    },
    /// They were delivered.
    OfflineRemove { account: Bare, ids: Vec<u64> },
    /// Those that stand in the archive of the account by a number from one on and below another need not be delivered.
    OfflineArchived {
        account: Bare,
        from: ArchiveId,
        below: ArchiveId,
    },
    /// A publication that outlives the process.
    PublicationPut {
        account: Bare,
        publication: Arc<Publication>,
    },
    /// It ended.
    PublicationRemove { account: Bare, resource: Resource },
    /// A registered contact.
    BindingPut { account: Bare, binding: Binding },
    /// It ended.
    BindingRemove { account: Bare, contact: Arc<str> },
    /// A watch; its presentity must be an account.
    WatchPut(WatchRecord),
    /// Writes over the beginning of a watch's dialog; what stands behind it stays. Changes nothing where there is no such watch,
    /// or its dialog is shorter.
    WatchHead { id: WatchId, head: Bytes },
    /// It ended.
    WatchRemove { id: WatchId },
    /// Presence of a connection, to be shown for a while after a crash.
    LastKnownPut {
        account: Bare,
        publication: Arc<Publication>,
    },
    /// The connection ended.
    LastKnownRemove { account: Bare, resource: Resource },
    /// When the account was last present, with its last status (XEP-0012).
    LastSeen {
        account: Bare,
        at: Utc,
        status: Option<String>,
    },
    /// What an account says about its person; `None` takes it back.
    VcardPut {
        account: Bare,
        card: Option<Box<Card>>,
    },
    /// Things an account keeps for its own programs. [`Full`](crate::StoreError::Full) when that makes more than there may be.
    PrivatePut {
        account: Bare,
        kept: Vec<Kept>,
        most: Most,
    },
    /// A message into the archives of its sender and of its recipient, by a number that no message had before; one that is higher than all
    /// before costs least. Who does not exist (any more) is passed over.
    ArchivePut {
        id: ArchiveId,
        sender: bool,
        recipient: bool,
        message: Arc<Message>,
    },
    /// Removes the oldest messages of all archives that are below a number, so many at most; those that deleted accounts left count.
    ArchivePrune { below: ArchiveId, most: u64 },
    /// What an account wants archived.
    ArchivePreferencesPut {
        account: Bare,
        preferences: Box<ArchivePreferences>,
    },
    /// A client of the account has read the archive.
    ArchiveRead { account: Bare, at: Utc },
    /// The account has got this message of the day.
    MotdTold { account: Bare, number: u64 },
    /// Keeps a token that a client may log in with from now on, in place of one that it was given and never used. An account has at most
    /// so many clients with tokens: more, and they lose them, first those that have none of the present password, then who got theirs longest
    /// ago. What has expired stays for [`KEPT_EXPIRED`](crate::KEPT_EXPIRED). An account that may not log in is a
    /// [`Conflict`](crate::StoreError::Conflict).
    LoginTokenPut {
        account: Bare,
        token: Box<LoginToken>,
        most: u32,
    },
    /// It was used, with this count: what was issued before it is gone, and so is what ends before it. A
    /// [`Conflict`](crate::StoreError::Conflict) when it is gone itself, was revoked, or has had that count.
    LoginTokenUsed {
        account: Bare,
        client: [u8; 16],
        nonce: [u8; 16],
        count: Option<u64>,
    },
    /// It was used, with this count, so that no token of the client is good any more: they stay, with the password [`REVOKED`](crate::REVOKED).
    /// A [`Conflict`](crate::StoreError::Conflict) as above.
    LoginTokensRevoke {
        account: Bare,
        client: [u8; 16],
        nonce: [u8; 16],
        count: Option<u64>,
    },
    /// Makes a node or changes its configuration.
    NodePut {
        account: Bare,
        node: Arc<str>,
        config: Vec<u8>,
        /// For so many seconds items are kept; `None`: for ever.
        lifetime: Option<u32>,
    },
    /// Takes a node away, with all that belongs to it.
    NodeRemove { account: Bare, node: Arc<str> },
    /// Keeps an item. This and what follows changes nothing where there is no such node.
    ItemPut {
        account: Bare,
        node: Arc<str>,
        item: Box<NodeItem>,
    },
    /// Takes an item away.
    ItemRemove {
        account: Bare,
        node: Arc<str>,
        seq: u64,
    },
    /// Takes all items of a node away.
    NodePurge { account: Bare, node: Arc<str> },
    /// What somebody is to a node; `None`: nothing.
    Affiliation {
        account: Bare,
        node: Arc<str>,
        who: Bare,
        affiliation: Option<u8>,
    },
    /// How far somebody's subscription to a node is; `None`: there is none.
    NodeSubscription {
        account: Bare,
        node: Arc<str>,
        who: Address,
        state: Option<NodeSubscriber>,
    },
    /// Anything else of the program.
    MetaPut { key: String, value: Vec<u8> },
}

impl Op {
    /// The name of the kind, for logs and counters.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AccountCreate { .. } => "account-create",
            Self::AccountPassword { .. } => "account-password",
            Self::AccountScram { .. } => "account-scram",
            Self::AccountDisable { .. } => "account-disable",
            Self::AccountAdmin { .. } => "account-admin",
            Self::AccountDelete { .. } => "account-delete",
            Self::AliasPut { .. } => "alias-put",
            Self::AliasRemove { .. } => "alias-remove",
            Self::RosterPut { .. } => "roster-put",
            Self::RosterRemove { .. } => "roster-remove",
            Self::PendingInPut { .. } => "pending-in-put",
            Self::PendingInRemove { .. } => "pending-in-remove",
            Self::GrantPut { .. } => "grant-put",
            Self::GrantRemove { .. } => "grant-remove",
            Self::GroupPut { .. } => "group-put",
            Self::GroupRemove { .. } => "group-remove",
            Self::GroupJoin { .. } => "group-join",
            Self::GroupLeave { .. } => "group-leave",
            Self::BlockPut { .. } => "block-put",
            Self::BlockRemove { .. } => "block-remove",
            Self::ReportPut { .. } => "report-put",
            Self::OutboxPut { .. } => "outbox-put",
            Self::OutboxRemove { .. } => "outbox-remove",
            Self::InboxMark { .. } => "inbox-mark",
            Self::OfflinePut { .. } => "offline-put",
            Self::OfflineRemove { .. } => "offline-remove",
            Self::OfflineArchived { .. } => "offline-archived",
            Self::PublicationPut { .. } => "publication-put",
            Self::PublicationRemove { .. } => "publication-remove",
            Self::BindingPut { .. } => "binding-put",
            Self::BindingRemove { .. } => "binding-remove",
            Self::WatchPut(_) => "watch-put",
            Self::WatchHead { .. } => "watch-head",
            Self::WatchRemove { .. } => "watch-remove",
            Self::LastKnownPut { .. } => "last-known-put",
            Self::LastKnownRemove { .. } => "last-known-remove",
            Self::LastSeen { .. } => "last-seen",
            Self::VcardPut { .. } => "vcard-put",
            Self::PrivatePut { .. } => "private-put",
            Self::ArchivePut { .. } => "archive-put",
            Self::ArchivePrune { .. } => "archive-prune",
            Self::ArchivePreferencesPut { .. } => "archive-preferences-put",
            Self::ArchiveRead { .. } => "archive-read",
            Self::MotdTold { .. } => "motd-told",
            Self::LoginTokenPut { .. } => "login-token-put",
            Self::LoginTokenUsed { .. } => "login-token-used",
            Self::LoginTokensRevoke { .. } => "login-tokens-revoke",
            Self::NodePut { .. } => "node-put",
            Self::NodeRemove { .. } => "node-remove",
            Self::ItemPut { .. } => "item-put",
            Self::ItemRemove { .. } => "item-remove",
            Self::NodePurge { .. } => "node-purge",
            Self::Affiliation { .. } => "affiliation",
            Self::NodeSubscription { .. } => "node-subscription",
            Self::MetaPut { .. } => "meta-put",
        }
    }

    /// More than one statement: needs a savepoint of its own to be all or nothing.
    pub(crate) fn is_compound(&self) -> bool {
        match self {
            Self::RosterPut { .. }
            | Self::RosterRemove { .. }
            | Self::PrivatePut { .. }
            | Self::AccountPassword { .. }
            | Self::AccountDisable { .. }
            | Self::AccountDelete { .. }
            | Self::ArchivePrune { .. }
            | Self::LoginTokenPut { .. }
            | Self::LoginTokenUsed { .. } => true,
            Self::ReportPut { .. } => true,
            Self::OfflineRemove { ids, .. } => ids.len() > 1,
            _ => false,
        }
    }

    /// About how many bytes it adds to a transaction.
    pub(crate) fn weight(&self) -> usize {
        128 + match self {
            Self::PendingInPut { stanza: bytes, .. } | Self::OutboxPut { payload: bytes, .. } => {
                bytes.len()
            }
            Self::OfflinePut { message, .. } => crate::codec::message::native_len(message),
            Self::ArchivePut { message, .. } => crate::codec::message::native_len(message),
            Self::ArchivePrune { most, .. } => {
                usize::try_from((*most).min(1 << 20)).unwrap_or(1 << 20) * 256
            }
            Self::PublicationPut { publication, .. } | Self::LastKnownPut { publication, .. } => {
                crate::codec::publication::native_len(publication)
            }
            Self::ReportPut { report, .. } => report.text.as_ref().map_or(0, String::len),
            Self::ItemPut { item, .. } => item.payload.len(),
            Self::WatchPut(watch) => watch.dialog.len(),
            Self::WatchHead { head, .. } => head.len(),
            Self::VcardPut { card, .. } => card.as_ref().map_or(0, |card| card.xml.len()),
            Self::PrivatePut { kept, .. } => kept.iter().map(|k| k.xml.len()).sum(),
            Self::MetaPut { value, .. } => value.len(),
            _ => 0,
        }
    }
}

/// The kind alone: operations hold credentials and what people say, neither belongs in a log.
impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}
