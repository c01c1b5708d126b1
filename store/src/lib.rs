//! SQLite: the schema, its migrations, one writer with group commit, readers with snapshots. All SQL there is.
//!
//! | module | is |
//! |---|---|
//! | [`Store`] (`store`) | the handle: open, queue changes, read, back up, close |
//! | [`Op`] (`op`) | what can be changed |
//! | `record` | what is read back |
//! | `error` | what can go wrong |
//! | `queue` | the bounded way to the writer |
//! | `easing` | who waits until the writer has caught up |
//! | `writer` | group commit, and telling those who wait |
//! | `apply` | one operation onto the tables |
//! | `indexing` | the index of archives, which follows in bulk |
//! | `tail` | whose the messages are that are not in that index yet |
//! | `tables` | the statements, one file a table |
//! | `codec` | documents, messages and lists as octets |
//! | `migrate` | numbered steps of the schema (`schemas/sql`) |
//! | `place`, `pool` | connections |
//! | [`verify`] (`backup`) | copies of a database in use |
//!
//! Changes are queued in units ([`Store::submit`]); a unit is done whole or not at all. The writer takes all units that are
//! queued into one transaction and tells their owners after the commit, in order, so that the cost of the disk is shared by
//! as many as wait for it. A unit that cannot be done is undone alone.

mod apply;
mod backup;
mod codec;
mod easing;
mod error;
mod indexing;
mod migrate;
mod op;
#[cfg(test)]
mod oracle;
mod place;
mod pool;
mod queue;
mod record;
#[cfg(test)]
mod samples;
mod store;
mod tables;
mod tail;
mod writer;

pub use backup::verify;
pub use easing::Eased;
pub use error::StoreError;
pub use op::{Most, Op};
pub use queue::Done;
pub use record::{
    AccountRecord, AccountSummary, GroupRecord, ItemHead, KEPT_EXPIRED, LastItem, LoginToken,
    NextIds, NodeItem, NodeOwner, NodeRecord, NodeSubscriber, OutboxEntry, REVOKED, ReportRecord,
    StoredCredentials,
};
pub use store::{Full, Options, Overloaded, Start, Store};
pub use writer::{Completion, Sink};

/// How many octets a message takes when it is stored: what [`AccountRecord::offline_bytes`] counts.
pub fn stored_size(message: &presence::Message) -> u64 {
    codec::message::encode(message).len() as u64
}
