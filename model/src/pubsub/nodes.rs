//! The nodes of an account in memory, without payloads; and which accounts have any.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use presence::Bare;
use services::pubsub::{Affiliation, Config, Kept, Node, Options, Subscriber, Subscription};
use store::{NodeOwner, NodeRecord, NodeSubscriber};

/// What `[limits]` says about nodes. A count that is unlimited is the largest there is.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Nodes of an account.
    pub nodes: usize,
    /// Items of a node.
    pub items: usize,
    /// Octets of an item.
    pub item_size: usize,
    /// Octets of all items of an account.
    pub bytes: u64,
    /// Subscriptions to a node, and affiliations with it.
    pub subscriptions: usize,
    /// Octets of last items for a session that comes online.
    pub last_items: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            nodes: 200,
            items: 1000,
            item_size: 192 * 1024,
            bytes: 16 * 1024 * 1024,
            subscriptions: 1000,
            last_items: 256 * 1024,
        }
    }
}

/// The nodes of one account.
#[derive(Clone, Default)]
pub(crate) struct Nodes {
    pub(super) all: BTreeMap<Arc<str>, Node>,
    /// Somebody wanted them since that was looked at last.
    pub(crate) used: bool,
}

impl Nodes {
    /// From what the store has. What cannot be read is left out, and said.
    pub(super) fn of(records: Vec<NodeRecord>) -> Self {
        let mut all = BTreeMap::new();
        for record in records {
            let name = Arc::clone(&record.name);
            match node(record) {
                Some(node) => drop(all.insert(name, node)),
                None => tracing::error!(node = %name, "a stored node cannot be read"),
            }
        }
        Self { all, used: true }
    }

    /// A node is this now, or gone.
    pub(super) fn set(&mut self, name: Arc<str>, node: Option<Node>) {
        match node {
            Some(node) => drop(self.all.insert(name, node)),
            None => drop(self.all.remove(&name)),
        }
    }

    /// Octets of all items.
    pub(super) fn octets(&self) -> u64 {
        self.all.values().map(Node::octets).sum()
    }
}

fn node(record: NodeRecord) -> Option<Node> {
    let affiliations = record.affiliations.into_iter();
    let affiliations = affiliations.map(|(who, code)| Some((who, Affiliation::of_code(code)?)));
    let subscriptions = record.subscriptions.into_iter();
    let subscriptions = subscriptions.map(|(who, stored)| Some((who, subscriber(stored)?)));
    let items = record.items.into_iter().map(|item| Kept {
        seq: item.seq,
        id: item.id,
        at: item.at,
        size: u32::try_from(item.size).unwrap_or(u32::MAX),
    });
    Some(Node {
        config: Arc::new(Config::decode(&record.config)?),
        affiliations: affiliations.collect::<Option<_>>()?,
        subscriptions: subscriptions.collect::<Option<_>>()?,
        items: items.collect(),
    })
}

fn subscriber(stored: NodeSubscriber) -> Option<Subscriber> {
    Some(Subscriber {
        state: Subscription::of_code(stored.state)?,
        options: Options::of_code(stored.options, stored.until),
    })
}

/// Which accounts have nodes. A leaf lock.
#[derive(Default)]
pub(crate) struct Owners {
    all: RwLock<HashMap<Bare, Owner>>,
    moment: AtomicU64,
}

#[derive(Clone, Copy, Default)]
struct Owner {
    /// The moment at which somebody was last told of a change there.
    told: u64,
    /// It may be that somebody waits for the owner's answer.
    asked: bool,
}

impl Owners {
    /// These have some, from the start on.
    pub(crate) fn begin(&self, owners: Vec<NodeOwner>) {
        let mut all = self.all.write();
        let owner = |owner: NodeOwner| {
            let now = Owner {
                told: 0,
                asked: owner.asked,
            };
            (owner.account, now)
        };
        all.extend(owners.into_iter().map(owner));
    }

    /// Somebody waits for this owner's answer, or nobody does.
    pub(crate) fn ask(&self, owner: &Bare, asked: bool) {
        if let Some(owner) = self.all.write().get_mut(owner) {
            owner.asked = asked;
        }
    }

    /// It may be that somebody waits for his answer.
    pub(crate) fn asked(&self, owner: &Bare) -> bool {
        self.all.read().get(owner).is_some_and(|owner| owner.asked)
    }

    /// This one has some, or had.
    pub(crate) fn has(&self, owner: &Bare) -> bool {
        self.all.read().contains_key(owner)
    }

    /// Those of them that have some.
    pub(crate) fn among<'a>(&self, accounts: impl IntoIterator<Item = &'a Bare>) -> Vec<Bare> {
        let all = self.all.read();
        if all.is_empty() {
            return Vec::new();
        }
        let owners = accounts.into_iter().filter(|a| all.contains_key(*a));
        owners.cloned().collect()
    }

    /// Somebody is told of a change now.
    pub(crate) fn touch(&self, owner: &Bare) {
        let moment = self.moment.fetch_add(1, Ordering::Relaxed) + 1;
        let mut all = self.all.write();
        match all.get_mut(owner) {
            Some(owner) => owner.told = moment,
            None => {
                let told = Owner {
                    told: moment,
                    asked: false,
                };
                all.insert(owner.clone(), told);
            }
        }
    }

    /// The account is gone.
    pub(crate) fn forget(&self, owner: &Bare) {
        self.all.write().remove(owner);
    }

    /// The moment.
    pub(crate) fn now(&self) -> u64 {
        self.moment.load(Ordering::Relaxed)
    }

    /// Nobody was told of a change there since.
    pub(crate) fn unchanged(&self, owner: &Bare, since: u64) -> bool {
        self.all.read().get(owner).is_none_or(|o| o.told <= since)
    }
}
