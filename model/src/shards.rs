//! Where accounts are kept: locks, loading, eviction.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use presence::{Bare, Refusal, Utc, WatchId};
use store::Store;

use crate::announcements::Motd;
use crate::archive::Pruning;
use crate::clock::{Now, Randomness};
use crate::entity::{Bound, Entity, Slot};
use crate::groups::Groups;
use crate::interests::Sets;
use crate::late::Late;
use crate::outbox::Debts;
use crate::outside::Outside;
use crate::pubsub::{Limits, Owners};
use crate::route::Route;
use crate::timers::Timers;

const SHARDS: usize = 64;

/// What the configuration says about presence. A count that is unlimited is the largest there is.
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "each is the key of the same name in [presence] or [limits]"
)]
pub struct Rules {
    pub domains: Vec<String>,
    pub same_domain_allow: bool,
    pub registered_is_open: bool,
    pub restart_grace: Duration,
    pub sessions_per_account: usize,
    pub roster_items: usize,
    pub pending_requests: usize,
    pub blocked_addresses: usize,
    pub reports: usize,
    pub offline_messages: usize,
    pub offline_bytes: u64,
    pub offline_expires: Option<Duration>,
    /// Stored messages are given to a client in portions of so many octets: well below what may wait on its connection.
    pub offline_portion: u64,
    /// How long messages are archived; `None`: not at all.
    pub archive: Option<Duration>,
    /// Most messages in a page of an archive.
    pub archive_page: usize,
    /// Most addresses that an account may name in its wishes for its archive.
    pub archive_preferences: usize,
    pub directed_presence: usize,
    pub publications_per_account: usize,
    pub registrations_per_account: usize,
    pub subscriptions_per_account: usize,
    pub pubsub: Limits,
    pub components: Vec<String>,
    pub vcard_size: usize,
    pub search_results: usize,
    pub private_elements: usize,
    pub private_bytes: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            domains: vec!["localhost".to_owned()],
            same_domain_allow: true,
            registered_is_open: true,
            restart_grace: Duration::from_secs(30),
            sessions_per_account: 20,
            roster_items: 5000,
            pending_requests: 1000,
            blocked_addresses: 1000,
            reports: 1000,
            offline_messages: 100,
            offline_bytes: 1024 * 1024,
            offline_expires: Some(Duration::from_secs(30 * 24 * 3600)),
            offline_portion: 128 * 1024,
            archive: None,
            archive_page: 250,
            archive_preferences: 1000,
            directed_presence: 1000,
            publications_per_account: 20,
            registrations_per_account: 20,
            subscriptions_per_account: 2000,
            pubsub: Limits::default(),
            components: Vec::new(),
            vcard_size: 192 * 1024,
            search_results: 100,
            private_elements: 100,
            private_bytes: 1024 * 1024,
        }
    }
}

/// Is told of accounts whose old secrets are good for nothing any more.
pub(crate) type SecretsWatcher = Box<dyn Fn(&Bare) + Send + Sync>;

/// The presence model. Shared by all faces.
pub struct Model {
    shards: Vec<Mutex<HashMap<Bare, Slot>>>,
    hasher: RandomState,
    pub(crate) store: Store,
    pub(crate) rules: Rules,
    pub(crate) clock: Box<dyn Fn() -> Now + Send + Sync>,
    pub(crate) random: Randomness,
    pub(crate) timers: Mutex<Timers>,
    pub(crate) aliases: Mutex<HashMap<String, Bare>>,
    phones: OnceLock<Arc<dyn Route>>,
    pub(crate) secrets_watcher: OnceLock<SecretsWatcher>,
    /// A leaf lock.
    pub(crate) interests: Sets,
    pub(crate) node_owners: Owners,
    next_session: AtomicU64,
    next_version: AtomicU64,
    next_outbox: AtomicU64,
    /// The lowest number of what was owed at the start. What was applied below is not delivered again.
    pub(crate) first_owed: AtomicU64,
    next_offline: AtomicU64,
    next_watch: AtomicU64,
    /// The next number of an archive. Locked under an account, and with nothing below but the store.
    pub(crate) next_archive: Mutex<u64>,
    pub(crate) pruning: Mutex<Pruning>,
    pub(crate) motd: Mutex<Option<Motd>>,
    /// A leaf: nothing is locked under it.
    pub(crate) outside: RwLock<Outside>,
    pub(crate) debts: Mutex<Debts>,
    pub(crate) groups: Groups,
    /// Locked under an account, and with nothing below but the store.
    pub(crate) late: Mutex<Late>,
}

impl Model {
    /// A model over an open store. [`Model::restore`] brings back what was there before the start.
    pub fn new(
        store: Store,
        rules: Rules,
        clock: Box<dyn Fn() -> Now + Send + Sync>,
        random: Randomness,
    ) -> Arc<Self> {
        let next = store.next_ids();
        Arc::new(Self {
            shards: (0..SHARDS).map(|_| Mutex::new(HashMap::new())).collect(),
            hasher: RandomState::new(),
            store,
            rules,
            clock,
            random,
            timers: Mutex::default(),
            aliases: Mutex::default(),
            phones: OnceLock::new(),
            secrets_watcher: OnceLock::new(),
            interests: Sets::default(),
            node_owners: Owners::default(),
            next_session: AtomicU64::new(1),
            next_version: AtomicU64::new(1),
            next_outbox: AtomicU64::new(next.outbox_seq),
            first_owed: AtomicU64::new(0),
            next_offline: AtomicU64::new(next.offline_id),
            next_watch: AtomicU64::new(next.watch_id),
            next_archive: Mutex::new(next.archive_id),
            pruning: Mutex::default(),
            motd: Mutex::default(),
            outside: RwLock::default(),
            debts: Mutex::default(),
            groups: Groups::default(),
            late: Mutex::default(),
        })
    }

    /// Where events for phones and stored watches go: the SIP face. Set once, before anything is restored.
    pub fn set_phones(&self, route: Arc<dyn Route>) {
        let _ = self.phones.set(route);
    }

    pub(crate) fn phones(&self) -> &dyn Route {
        self.phones.get().map_or(&NoPhones as &dyn Route, |r| &**r)
    }

    /// The store below.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The rules in force.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The moment.
    pub fn now(&self) -> Now {
        (self.clock)()
    }

    /// Is this an address of a domain served here?
    pub fn is_local(&self, address: &Bare) -> bool {
        self.rules.domains.iter().any(|d| d == address.domain())
    }

    pub(crate) fn new_session(&self) -> u64 {
        self.next_session.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn new_outbox(&self) -> u64 {
        self.next_outbox.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn new_offline(&self) -> u64 {
        self.next_offline.fetch_add(1, Ordering::Relaxed)
    }

    /// A name for a watch that was never used before, also not before a restart.
    pub fn new_watch(&self) -> WatchId {
        WatchId(self.next_watch.fetch_add(1, Ordering::Relaxed))
    }

    fn shard(&self, account: &Bare) -> &Mutex<HashMap<Bare, Slot>> {
        let hash = self.hasher.hash_one(account);
        &self.shards[(hash >> 32) as usize % SHARDS]
    }

    /// Works on what is in memory for an address, without reading the account in. An empty slot is removed afterwards.
    pub(crate) fn with_slot<T>(&self, account: &Bare, work: impl FnOnce(&mut Slot) -> T) -> T {
        let mut shard = self.shard(account).lock();
        if let Some(slot) = shard.get_mut(account) {
            let result = work(slot);
            if slot.is_empty() {
                shard.remove(account);
            }
            return result;
        }
        let mut slot = Slot::default();
        let result = work(&mut slot);
        if !slot.is_empty() {
            shard.insert(account.clone(), slot);
        }
        result
    }

    /// Like [`Model::with_slot`], and says by which address the account is known here: one that needs no more memory.
    pub(crate) fn with_named<T>(
        &self,
        account: &Bare,
        work: impl FnOnce(&mut Slot) -> T,
    ) -> (T, Bare) {
        match self.shard(account).lock().entry(account.clone()) {
            Entry::Occupied(mut taken) => {
                let slot = taken.get_mut();
                let result = work(slot);
                let name = taken.key().clone();
                if taken.get().is_empty() {
                    taken.remove();
                }
                (result, name)
            }
            Entry::Vacant(free) => {
                let mut slot = Slot::default();
                let result = work(&mut slot);
                if !slot.is_empty() {
                    free.insert(slot);
                }
                (result, account.clone())
            }
        }
    }

    /// Works on an account, reading it in when it is not in memory. `NotFound` when it does not exist.
    pub(crate) fn with<T>(
        &self,
        account: &Bare,
        work: impl FnOnce(&mut Slot) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut shard = self.shard(account).lock();
        if let Some(slot) = shard.get_mut(account)
            && let Some(entity) = &slot.entity
        {
            if entity.doomed {
                return Err(Refusal::NotFound);
            }
            return work(slot);
        }
        match shard.entry(account.clone()) {
            Entry::Occupied(mut taken) => {
                let name = taken.key().clone();
                self.load(&name, taken.get_mut())?;
                work(taken.get_mut())
            }
            Entry::Vacant(free) => {
                let mut slot = Slot::default();
                self.load(account, &mut slot)?;
                work(free.insert(slot))
            }
        }
    }

    /// Works on an account and hands over the entity as well.
    pub(crate) fn with_entity<T>(
        &self,
        account: &Bare,
        work: impl FnOnce(&mut Entity) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.with(account, |slot| match &mut slot.entity {
            Some(entity) => work(entity),
            None => Err(Refusal::NotFound),
        })
    }

    fn load(&self, account: &Bare, slot: &mut Slot) -> Result<(), Refusal> {
        if account.local().is_none() || !self.is_local(account) {
            return Err(Refusal::NotFound);
        }
        let record = self.store.load(account).map_err(|error| {
            tracing::error!(%error, %account, "the account could not be read");
            Refusal::Fault
        })?;
        let Some(mut record) = record else {
            return Err(Refusal::NotFound);
        };
        record.account = account.clone();
        record.inbox = self.applied(record.inbox);
        let now = self.now();
        let bindings = std::mem::take(&mut record.bindings);
        let version = self.next_version.fetch_add(1 << 20, Ordering::Relaxed);
        let mut entity = Entity::load(record, version, |utc: Utc| now.deadline(utc));
        entity.groups = self.groups.of(account);
        entity.bindings = bindings
            .into_iter()
            .map(|binding| Bound {
                device: crate::bindings::device(&binding),
                deadline: now.deadline(binding.expires),
                binding,
            })
            .collect();
        for index in 0..entity.watches.len() {
            let watcher = &entity.watches[index].record.watcher;
            entity.watches[index].told = entity.decide(watcher, self.rules.same_domain_allow).0;
        }
        self.schedule(&entity);
        self.expire_offline(&mut entity, now);
        slot.watchers.retain(|w| entity.admits(w));
        slot.entity = Some(Box::new(entity));
        self.admit_outside(slot);
        Ok(())
    }

    /// The marks that memory needs: of what may come once more. What this run numbered does not, when its mark is on the disk.
    pub(crate) fn applied(&self, mut inbox: Vec<(Bare, u64)>) -> Vec<(Bare, u64)> {
        let again = self.first_owed.load(Ordering::Relaxed)..self.store.next_ids().outbox_seq;
        inbox.retain(|(_, seq)| again.contains(seq));
        inbox
    }

    /// Drops accounts from memory that nothing needs there, and messages that have waited too long.
    pub(crate) fn evict(&self) {
        let now = self.now();
        for shard in &self.shards {
            shard.lock().retain(|_, slot| {
                if let Some(entity) = &mut slot.entity
                    && self.offline_due(entity, now)
                {
                    self.expire_offline(entity, now);
                }
                if let Some(entity) = &mut slot.entity {
                    entity.rest_nodes();
                }
                if slot.entity.as_ref().is_some_and(|e| e.idle()) {
                    slot.entity = None;
                }
                !slot.is_empty()
            });
        }
    }

    /// Looks at every account in memory, one shard at a time.
    pub(crate) fn each(&self, mut look: impl FnMut(&mut Slot)) {
        for shard in &self.shards {
            for slot in shard.lock().values_mut() {
                look(slot);
            }
        }
    }
}

impl Slot {
    /// Nothing is kept here.
    fn is_empty(&self) -> bool {
        self.watchers.is_empty() && self.entity.is_none()
    }
}

/// Stands in until there is a SIP face.
struct NoPhones;

impl Route for NoPhones {
    fn deliver(&self, _: &crate::route::Event<'_>) {}

    fn closed(&self) -> bool {
        true
    }
}
