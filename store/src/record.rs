//! What is read back.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use presence::{
    Address, ArchivePreferences, Bare, Binding, BlockList, Grant, Publication, Report, Roster, Utc,
    WatchRecord,
};

/// Everything of one account, as it was at one moment. Lists are in the order of their key where nothing else is said.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountRecord {
    /// Whose.
    pub account: Bare,
    /// May not log in.
    pub disabled: bool,
    /// Is an administrator.
    pub admin: bool,
    /// The contact list with the requests that wait for an answer.
    pub roster: Roster,
    /// Standing decisions by watcher.
    pub grants: Vec<(Bare, Grant)>,
    /// Whom it does not want to hear from.
    pub blocked: BlockList,
    /// Stored publications in the order in which their resources first appeared.
    pub publications: Vec<Publication>,
    /// Presence of connections as it last was, in the order in which they first appeared.
    pub last_known: Vec<Publication>,
    /// Registered contacts.
    pub bindings: Vec<Binding>,
    /// Watches where this account is the presentity.
    pub watches: Vec<WatchRecord>,
    /// How many messages wait.
    pub offline: usize,
    /// Their [`stored_size`](crate::stored_size) together, in bytes.
    pub offline_bytes: u64,
    /// The highest sequence applied, by origin.
    pub inbox: Vec<(Bare, u64)>,
    /// What it wants archived, where it ever said so.
    pub archive: Option<Box<ArchivePreferences>>,
    /// When a client of its last read its archive.
    pub archive_read: Option<Utc>,
    /// When the account was last present and its last status.
    pub last_seen: Option<(Utc, Option<String>)>,
    /// Which message of the day it has got last; 0 for none.
    pub motd: u64,
}

/// What logging in needs.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredCredentials {
    /// SCRAM keys in the form of their maker.
    pub scram: Vec<u8>,
    /// Digest HA1 values, sealed.
    pub sealed_ha1: Vec<u8>,
    /// May not log in.
    pub disabled: bool,
    /// Is an administrator.
    pub admin: bool,
}

/// What stands as the password of a login token that was revoked: no password is this.
pub const REVOKED: [u8; 16] = [0; 16];

/// So long a login token is known after it has expired, in milliseconds: who comes with it learns that it has, and does not seem to guess.
pub const KEPT_EXPIRED: i64 = 90 * 24 * 3600 * 1000;

/// A token that a client logs in with, as far as it is kept: not enough to log in with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginToken {
    /// The client's own id.
    pub client: [u8; 16],
    /// It was used.
    pub used: bool,
    /// The mechanism, numbered by its maker.
    pub mechanism: u8,
    /// What it is made of.
    pub nonce: [u8; 16],
    /// Tells the password that it was issued under from others.
    pub password: [u8; 16],
    /// When it was issued.
    pub issued: Utc,
    /// Until when it is good.
    pub expires: Utc,
    /// The highest count that came with it.
    pub count: u64,
}

/// Without the secrets.
impl fmt::Debug for StoredCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCredentials")
            .field("disabled", &self.disabled)
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}

/// An account in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSummary {
    /// Its address.
    pub account: Bare,
    /// Is an administrator.
    pub admin: bool,
    /// May not log in.
    pub disabled: bool,
    /// When it was made.
    pub created: Utc,
    /// When it was last present.
    pub last_seen: Option<Utc>,
}

/// A shared group that was made by command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRecord {
    /// What it is called.
    pub name: String,
    /// Every account is in it.
    pub everybody: bool,
    /// Who is in it by name.
    pub members: Vec<Bare>,
}

/// A report for the administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRecord {
    /// Who made it.
    pub by: Bare,
    /// What it says.
    pub report: Report,
}

/// What one account owes another and has not been delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its number; the order of delivery.
    pub seq: u64,
    /// Who owes.
    pub origin: Bare,
    /// To whom.
    pub target: Bare,
    /// What, in the model's own form.
    pub payload: Bytes,
}

/// An item of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeItem {
    /// Its number: later ones have greater ones.
    pub seq: u64,
    /// Its name.
    pub id: Arc<str>,
    /// Who published it, when it was not the owner.
    pub publisher: Option<Bare>,
    /// When.
    pub at: Utc,
    /// Its payload.
    pub payload: Bytes,
}

/// An item of a node without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemHead {
    /// Its number.
    pub seq: u64,
    /// Its name.
    pub id: Arc<str>,
    /// When it was published.
    pub at: Utc,
    /// The size of its payload in octets.
    pub size: u64,
}

/// A subscription to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeSubscriber {
    /// How far it is.
    pub state: u8,
    /// How it is configured; 0 where nobody did that.
    pub options: u8,
    /// When it ends; `None`: never.
    pub until: Option<Utc>,
}

/// An account that has nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeOwner {
    /// Which.
    pub account: Bare,
    /// Somebody has subscribed to a node and waits for an answer.
    pub asked: bool,
    /// When the first item or subscription ends by itself, if any does; to the second, and not later.
    pub due: Option<Utc>,
}

/// A node of an account. Configuration, affiliations and what subscriptions are are in the form of their maker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// Its name.
    pub name: Arc<str>,
    /// How it is configured.
    pub config: Vec<u8>,
    /// What others are to it, by address.
    pub affiliations: Vec<(Bare, u8)>,
    /// Who subscribed, by address.
    pub subscriptions: Vec<(Address, NodeSubscriber)>,
    /// Its items, the oldest first.
    pub items: Vec<ItemHead>,
}

/// The last item of a node, with what decides whether somebody may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastItem {
    /// Whose node.
    pub owner: Bare,
    /// Its name.
    pub node: Arc<str>,
    /// How it is configured.
    pub config: Vec<u8>,
    /// What he is to it.
    pub affiliation: Option<u8>,
    /// The farthest of his subscriptions.
    pub subscription: Option<u8>,
    /// The owner's roster lets him see presence.
    pub sees: bool,
    /// The owner does not let him see, whatever else says so.
    pub denied: bool,
    /// His groups there.
    pub groups: Vec<String>,
    /// The item.
    pub item: NodeItem,
}

/// Numbers from which on all are free. They were never used, also not by what has been deleted since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextIds {
    /// For [`Op::OutboxPut`](crate::Op::OutboxPut).
    pub outbox_seq: u64,
    /// For [`Op::OfflinePut`](crate::Op::OfflinePut).
    pub offline_id: u64,
    /// For [`Op::WatchPut`](crate::Op::WatchPut).
    pub watch_id: u64,
    /// For [`Op::ArchivePut`](crate::Op::ArchivePut).
    pub archive_id: u64,
}
