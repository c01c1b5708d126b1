//! The handle that everybody has.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use presence::card::Label;
use presence::directory::{Entry, Wanted};

use presence::{Address, ArchiveId, ArchivePage, ArchiveQuery, Bare, Card, Message, Roster};
use rusqlite::Connection;

use crate::easing::Eased;
use crate::place::{Place, create_private};
use crate::pool::Pool;
use crate::queue::{Done, Queue};
use crate::tables::{
    accounts, aliases, archive, archive_log, archive_preferences, archive_readers, bindings,
    blocks, grants, groups, inbox, last_known, last_seen, login_tokens, meta, nodes, offline,
    outbox, pending_in, private, publications, reports, roster, state, vcards, watches,
};
use crate::tail::Tail;
use crate::writer::{Sink, Writer};
use crate::{
    AccountRecord, AccountSummary, GroupRecord, LastItem, LoginToken, NextIds, NodeItem, NodeOwner,
    NodeRecord, Op, OutboxEntry, ReportRecord, StoreError, StoredCredentials, backup, migrate,
};

/// `PRAGMA synchronous = FULL`: there is no other choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Full;

/// How a store runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many units may wait for the writer.
    pub queue: usize,
    /// How sure a commit is.
    pub synchronous: Full,
    /// About so many messages of archives may wait to be indexed. The more, the less an archived message costs, and the more a question to an
    /// archive: it looks through all of them.
    pub unindexed: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: 16_384,
            synchronous: Full,
            unindexed: 4096,
        }
    }
}

/// What was found at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The run before did not end with [`Store::close_clean`].
    pub unclean: bool,
    /// The schema before, when it was an earlier one.
    pub migrated_from: Option<u32>,
}

/// A unit that found no place in the queue: nothing of it was done.
pub struct Overloaded(pub Vec<Op>, pub Done);

impl fmt::Debug for Overloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Overloaded")
            .field(&self.0)
            .finish_non_exhaustive()
    }
}

/// A database in use. Clones are the same one.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    place: Place,
    pool: Pool,
    queue: Arc<Queue>,
    sink: Arc<Mutex<Option<Arc<Sink>>>>,
    tail: Arc<Tail>,
    next_ids: NextIds,
    writer: Mutex<Option<JoinHandle<bool>>>,
}

impl Store {
    /// Opens the server's database, making or migrating it where that is needed. That no other process has it open is
    /// for the caller to see to.
    pub fn open(path: &Path, options: Options) -> Result<(Self, Start), StoreError> {
        Self::open_file(path, options, true)
    }

    /// Opens it for a tool while the server does not run: an unclean end of the server stays for its next start to see.
    pub fn open_tool(path: &Path, options: Options) -> Result<(Self, Start), StoreError> {
        Self::open_file(path, options, false)
    }

    /// A database in memory, gone with its last handle.
    pub fn open_in_memory(options: Options) -> Result<(Self, Start), StoreError> {
        let place = Place::memory();
        let db = place.writer()?;
        Self::start(place, db, "memory", options, true)
    }

    fn open_file(path: &Path, options: Options, mark: bool) -> Result<(Self, Start), StoreError> {
        if !create_private(path)? {
            migrate::check_file(path)?;
        }
        let place = Place::File(path.to_owned());
        let db = place.writer()?;
        Self::start(place, db, &path.display().to_string(), options, mark)
    }

    fn start(
        place: Place,
        mut db: Connection,
        name: &str,
        options: Options,
        mark: bool,
    ) -> Result<(Self, Start), StoreError> {
        let migrated_from = migrate::migrate(&mut db, name)?;
        // The writer copies the log back itself, outside of commits; this is for when it cannot.
        db.pragma_update(None, "wal_autocheckpoint", 16_384)?;
        db.pragma_update(None, "journal_size_limit", 64 << 20)?;
        let (clean, next_ids) = state::get(&db)?;
        if mark {
            state::set_clean(&db, false)?;
        }
        let queue = Arc::new(Queue::new(options.queue.max(1)));
        let sink = Arc::default();
        let writer = Writer::new(db, next_ids, options.unindexed)?;
        let tail = writer.tail();
        let writer = thread::Builder::new().name("store".into()).spawn({
            let (queue, sink) = (Arc::clone(&queue), Arc::clone(&sink));
            move || writer.run(&queue, &sink, mark)
        })?;
        let pool = Pool::new(place.clone());
        let writer = Mutex::new(Some(writer));
        let store = Self(Arc::new(Inner {
            place,
            pool,
            queue,
            sink,
            tail,
            next_ids,
            writer,
        }));
        Ok((
            store,
            Start {
                unclean: !clean,
                migrated_from,
            },
        ))
    }

    /// Queues `ops` as one unit, all or nothing; `done` hears when it is committed or has failed. Never blocks.
    pub fn submit(&self, ops: Vec<Op>, done: Done) -> Result<(), Overloaded> {
        self.0.queue.submit(ops, done)
    }

    /// Queues what is worth keeping but not worth waiting for: it is written 50 ms later, or before with what somebody
    /// waits for, and is dropped when the queue is filled by half. The order among all that is queued is kept, over a crash too:
    /// whatever is found afterwards, everything queued before it is there.
    pub fn submit_soft(&self, ops: Vec<Op>) {
        self.0.queue.submit_soft(ops);
    }

    /// Queues like [`Store::submit_soft`], in the same order and as late, what must not be dropped: it may fill the queue to its bound.
    /// When that is reached, or the store is closed, the operations are given back.
    pub fn submit_kept(&self, ops: Vec<Op>) -> Result<(), Vec<Op>> {
        self.0.queue.submit_kept(ops)
    }

    /// Blocks until everything queued so far is committed (or has failed) and its completions have been handed over. Not
    /// to be called from a completion on the writer's thread.
    pub fn barrier(&self) {
        // An error: the writer has ended, and everything was done before.
        let _ = self.0.queue.barrier().recv();
    }

    /// Units that are not on the disk yet: those that wait for the writer, and those in its hands.
    pub fn queue_depth(&self) -> usize {
        self.0.queue.depth()
    }

    /// More is queued than the disk takes in a moment: whoever can is to wait with what comes next, by [`Store::when_eased`]. Never when
    /// the disk does nothing at all: then there is nothing to wait for.
    pub fn is_pressed(&self) -> bool {
        self.0.queue.is_pressed()
    }

    /// Calls `eased` when the queue has drained, or the disk does nothing; at once when nobody has to wait. Those who came first are
    /// called first. It is called on the writer's thread, or on any other, and may not block.
    pub fn when_eased(&self, eased: Eased) {
        self.0.queue.when_eased(eased);
    }

    /// To be called about once a second: calls those who wait for a disk that does nothing.
    pub fn ease(&self) {
        self.0.queue.ease();
    }

    /// Soft units dropped since the start.
    pub fn soft_dropped(&self) -> u64 {
        self.0.queue.soft_dropped()
    }

    /// From now on the completions of each commit are given to `sink`, in order, instead of being run on the writer's thread.
    pub fn set_completion_sink(&self, sink: Sink) {
        *self.0.sink.lock() = Some(Arc::new(sink));
    }

    /// Everything of one account at one moment.
    pub fn load(&self, account: &Bare) -> Result<Option<AccountRecord>, StoreError> {
        self.0.pool.read(|db| load(db, account))
    }

    /// What logging in needs.
    pub fn credentials(&self, account: &Bare) -> Result<Option<StoredCredentials>, StoreError> {
        self.0.pool.read(|db| accounts::credentials(db, account))
    }

    /// What logging in by token needs: the credentials, and the tokens of that client.
    pub fn login_tokens(
        &self,
        account: &Bare,
        client: &[u8; 16],
    ) -> Result<Option<(StoredCredentials, Vec<LoginToken>)>, StoreError> {
        self.0.pool.read(|db| {
            let Some(credentials) = accounts::credentials(db, account)? else {
                return Ok(None);
            };
            let number = accounts::id(db, account)?;
            let tokens = number.map(|number| login_tokens::of_client(db, number, client));
            Ok(Some((credentials, tokens.transpose()?.unwrap_or_default())))
        })
    }

    /// How many accounts have SCRAM keys whose first octet is this one. Reads all of them: for the start.
    pub fn count_scram(&self, format: u8) -> Result<u64, StoreError> {
        self.0.pool.read(|db| accounts::count_scram(db, format))
    }

    /// The account that an alias leads to.
    pub fn resolve_alias(&self, alias: &str) -> Result<Option<Bare>, StoreError> {
        self.0.pool.read(|db| aliases::resolve(db, alias))
    }

    /// All aliases, in order.
    pub fn aliases(&self) -> Result<Vec<(String, Bare)>, StoreError> {
        self.0.pool.read(aliases::list)
    }

    /// All accounts, by address.
    pub fn accounts(&self) -> Result<Vec<AccountSummary>, StoreError> {
        self.0.pool.read(accounts::list)
    }

    /// Accounts with publications, registrations, watches or last known presence, by address: they live without being
    /// logged in.
    pub fn residents(&self) -> Result<Vec<Bare>, StoreError> {
        self.0.pool.read(accounts::residents)
    }

    /// What is owed and not delivered, in order.
    pub fn outbox(&self) -> Result<Vec<OutboxEntry>, StoreError> {
        self.0.pool.read(outbox::list)
    }

    /// The shared groups that were made by command, by name.
    pub fn groups(&self) -> Result<Vec<GroupRecord>, StoreError> {
        self.0.pool.read(groups::list)
    }

    /// What accounts reported of those they block, the oldest first.
    pub fn reports(&self) -> Result<Vec<ReportRecord>, StoreError> {
        self.0.pool.read(reports::list)
    }

    /// What was kept by [`Op::MetaPut`].
    pub fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.pool.read(|db| meta::get(db, key))
    }

    /// The messages that wait, in the order of their numbers. None for an account that does not exist.
    pub fn offline_messages(&self, account: &Bare) -> Result<Vec<(u64, Message)>, StoreError> {
        self.0.pool.read(|db| match accounts::id(db, account)? {
            Some(id) => offline::list(db, id),
            None => Ok(Vec::new()),
        })
    }

    /// The first of the messages that wait and have a number above `above`: as many as are `size` octets together, but one at least
    /// where there is one.
    pub fn offline_after(
        &self,
        account: &Bare,
        above: u64,
        size: u64,
    ) -> Result<Vec<(u64, Message)>, StoreError> {
        self.0.pool.read(|db| match accounts::id(db, account)? {
            Some(id) => offline::after(db, id, above, size),
            None => Ok(Vec::new()),
        })
    }

    /// What an account says about its person. `None` also for an account that does not exist.
    pub fn vcard(&self, account: &Bare) -> Result<Option<Bytes>, StoreError> {
        self.0.pool.read(|db| match accounts::id(db, account)? {
            Some(id) => vcards::load(db, id),
            None => Ok(None),
        })
    }

    /// The same with what else is known of it.
    pub fn card(&self, account: &Bare) -> Result<Option<Card>, StoreError> {
        self.0.pool.read(|db| {
            let Some(id) = accounts::id(db, account)? else {
                return Ok(None);
            };
            let (Some(xml), Some(facts)) = (vcards::load(db, id)?, vcards::facts(db, id)?) else {
                return Ok(None);
            };
            let photo = vcards::photo(db, id)?;
            Ok(Some(Card { xml, facts, photo }))
        })
    }

    /// Which picture is in the card of an account: its hash.
    pub fn photo(&self, account: &Bare) -> Result<Option<String>, StoreError> {
        self.0.pool.read(|db| match accounts::id(db, account)? {
            Some(id) => vcards::photo(db, id),
            None => Ok(None),
        })
    }

    /// The accounts with cards of which no picture is known.
    pub fn cards_without_photo(&self) -> Result<Vec<Bare>, StoreError> {
        self.0.pool.read(vcards::without_photo)
    }

    /// What an account is to be called: the name in its card, or else the nickname there.
    pub fn display_name(&self, account: &Bare) -> Result<Option<String>, StoreError> {
        self.0.pool.read(|db| match accounts::id(db, account)? {
            Some(id) => vcards::display_name(db, id),
            None => Ok(None),
        })
    }

    /// The same of all accounts whose cards say it.
    pub fn display_names(&self) -> Result<Vec<(Bare, String)>, StoreError> {
        self.0.pool.read(vcards::display_names)
    }

    /// The first `most` accounts of a domain that are open and fit, by address. Reads all accounts when few fit.
    pub fn directory(
        &self,
        domain: &str,
        wanted: &Wanted,
        most: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.0
            .pool
            .read(|db| vcards::search(db, domain, wanted, most))
    }

    /// What an account keeps for its own programs under one name.
    pub fn private(&self, account: &Bare, label: &Label) -> Result<Option<Bytes>, StoreError> {
        self.0.pool.read(|db| match accounts::id(db, account)? {
            Some(id) => private::load(db, id, label),
            None => Ok(None),
        })
    }

    /// A page of an archive: `most` messages, and about so many octets, but one message at least where there is one. `None` when a message
    /// that the question names is not there.
    pub fn archive_page(
        &self,
        account: &Bare,
        query: &ArchiveQuery,
        most: usize,
        octets: usize,
    ) -> Result<Option<ArchivePage>, StoreError> {
        self.0.pool.read(|db| match accounts::id(db, account)? {
            Some(id) => archive::page((db, &self.0.tail), id, query, most, octets),
            None => Ok(None),
        })
    }

    /// The first and the last message of an archive.
    pub fn archive_ends(
        &self,
        account: &Bare,
    ) -> Result<Option<(ArchiveId, ArchiveId)>, StoreError> {
        self.0.pool.read(|db| match accounts::id(db, account)? {
            Some(id) => archive::ends((db, &self.0.tail), id),
            None => Ok(None),
        })
    }

    /// The number of the oldest message of all archives.
    pub fn archives_begin(&self) -> Result<Option<ArchiveId>, StoreError> {
        self.0.pool.read(archive_log::first)
    }

    /// All nodes of an account, by name, without payloads.
    pub fn nodes(&self, account: &Bare) -> Result<Vec<NodeRecord>, StoreError> {
        self.0.pool.read(|db| match accounts::id(db, account)? {
            Some(id) => nodes::load(db, id),
            None => Ok(Vec::new()),
        })
    }

    /// Items of a node by their numbers, as far as they are there.
    pub fn node_items(
        &self,
        account: &Bare,
        node: &str,
        seqs: &[u64],
    ) -> Result<Vec<NodeItem>, StoreError> {
        self.0.pool.read(|db| match accounts::id(db, account)? {
            Some(id) => nodes::items(db, id, node, seqs),
            None => Ok(Vec::new()),
        })
    }

    /// The accounts that have nodes, by address. A subscription in the state `pending` waits for an answer.
    pub fn node_owners(&self, pending: u8) -> Result<Vec<NodeOwner>, StoreError> {
        self.0.pool.read(|db| nodes::owners(db, pending))
    }

    /// The last items of nodes of these accounts that `watcher` wants and whose owners do not block him, account by account, until they have about this size together when they are printed.
    pub fn last_items<'a>(
        &self,
        watcher: &Address,
        owners: impl IntoIterator<Item = &'a Bare>,
        wants: &dyn Fn(&str) -> bool,
        size: usize,
    ) -> Result<Vec<LastItem>, StoreError> {
        self.0.pool.read(|db| {
            let mut found: Vec<LastItem> = Vec::new();
            let (mut total, mut counted) = (0, 0);
            for owner in owners {
                nodes::last(db, owner, watcher, wants, &mut found)?;
                let new = found.get(counted..).unwrap_or_default();
                total += new
                    .iter()
                    .map(|l| l.item.payload.len() + 256)
                    .sum::<usize>();
                counted = found.len();
                if total >= size {
                    break;
                }
            }
            Ok(found)
        })
    }

    /// Numbers from which on all were free when the store was opened.
    pub fn next_ids(&self) -> NextIds {
        self.0.next_ids
    }

    /// Writes a consistent copy while all goes on: mode 0600, on the disk before it has its name. What has that name
    /// already is replaced.
    pub fn backup(&self, path: &Path) -> Result<(), StoreError> {
        backup::backup(&self.0.place, path)
    }

    /// The end is near: where another program holds the database, that is waited for until `patience` is over, and then no longer.
    /// What cannot be written in this time fails.
    pub fn hurry(&self, patience: Duration) {
        self.0.queue.hurry(patience);
    }

    /// Commits what is queued, marks the end as clean and empties the log. Other handles are refused from now on. False when
    /// something was not written since [`Store::hurry`], or the mark could not be: then the end is not clean.
    pub fn close_clean(self) -> bool {
        self.0.end(true)
    }
}

impl Inner {
    fn end(&self, clean: bool) -> bool {
        self.queue.close(clean);
        self.pool.close();
        let writer = self.writer.lock().take();
        let Some(writer) = writer.filter(|w| w.thread().id() != thread::current().id()) else {
            return false;
        };
        writer.join().unwrap_or_else(|_| {
            tracing::error!("the writer of the database panicked");
            false
        })
    }
}

/// What is queued is still committed; the end is not clean.
impl Drop for Inner {
    fn drop(&mut self) {
        self.end(false);
    }
}

fn load(db: &Connection, account: &Bare) -> Result<Option<AccountRecord>, StoreError> {
    let Some(head) = accounts::head(db, account)? else {
        return Ok(None);
    };
    let id = head.id;
    let (offline, offline_bytes) = offline::total(db, id)?;
    Ok(Some(AccountRecord {
        account: account.clone(),
        disabled: head.disabled,
        admin: head.admin,
        roster: Roster {
            version: head.roster_version,
            items: roster::load(db, id)?,
            pending_in: pending_in::load(db, id)?,
        },
        grants: grants::load(db, id)?,
        blocked: blocks::load(db, id)?,
        publications: publications::load(db, id)?,
        last_known: last_known::load(db, id)?,
        bindings: bindings::load(db, id)?,
        watches: watches::load(db, id, account)?,
        offline,
        offline_bytes,
        inbox: inbox::load(db, id)?,
        archive: archive_preferences::load(db, id)?,
        archive_read: archive_readers::load(db, id)?,
        last_seen: last_seen::load(db, id)?,
        motd: head.motd,
    }))
}
