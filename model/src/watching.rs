//! Those who are told of an account: sessions of its subscribers.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use presence::{Address, Bare, BlockList, Resource};

use crate::interests::Mark;
use crate::route::{Route, SessionId};

/// What is fixed about a session as long as it is connected. Everybody whom it watches points to it.
pub(crate) struct Connected {
    pub(crate) id: SessionId,
    /// Its account: `to` of what it is told.
    pub(crate) to: Address,
    pub(crate) route: Arc<dyn Route>,
    pub(crate) resource: Resource,
    /// Of which nodes it wants to be notified.
    pub(crate) interests: Mark,
    blocks: Blocks,
}

/// Whom the owner of a session does not hear. Nearly nobody blocks anybody, so that is known without taking a lock.
#[derive(Default)]
struct Blocks {
    any: AtomicBool,
    lists: RwLock<Lists>,
}

#[derive(Default)]
struct Lists {
    blocked: Option<Arc<BlockList>>,
    /// Those of them of whom the session is not told yet that they are gone: that waits for the commit.
    settling: Vec<Arc<BlockList>>,
}

impl Connected {
    /// A session of an account that blocks these.
    pub(crate) fn new(
        id: SessionId,
        address: Address,
        route: Arc<dyn Route>,
        blocked: &Arc<BlockList>,
    ) -> Option<Self> {
        let connected = Self {
            id,
            to: address.bare.into(),
            route,
            resource: address.resource?,
            interests: Mark::default(),
            blocks: Blocks::default(),
        };
        connected.block(Arc::clone(blocked));
        Some(connected)
    }

    /// Its owner blocks these from now on.
    pub(crate) fn block(&self, list: Arc<BlockList>) {
        let mut kept = self.blocks.lists.write();
        self.blocks.any.store(!list.is_empty(), Ordering::Release);
        kept.blocked = (!list.is_empty()).then_some(list);
    }

    /// These are blocked from now on, and it will be told that they are gone.
    pub(crate) fn settle_blocks(&self, changed: &Arc<BlockList>) {
        self.blocks.lists.write().settling.push(Arc::clone(changed));
    }

    /// It has been told.
    pub(crate) fn blocks_settled(&self, changed: &Arc<BlockList>) {
        let mut lists = self.blocks.lists.write();
        lists.settling.retain(|list| !Arc::ptr_eq(list, changed));
        lists.settling.shrink_to_fit();
    }

    /// Its owner hears of that address.
    pub(crate) fn hears(&self, from: &Address) -> bool {
        if !self.blocks.any.load(Ordering::Acquire) {
            return true;
        }
        let lists = self.blocks.lists.read();
        let blocks = |list: &Arc<BlockList>| list.blocks(&self.to.bare, from);
        !lists.blocked.as_ref().is_some_and(blocks)
    }

    /// The same for presence: who is blocked just now, and goes before it was told that he is gone, is told of all the same.
    pub(crate) fn hears_presence(&self, from: &Address, available: bool) -> bool {
        if self.hears(from) {
            return true;
        }
        let lists = self.blocks.lists.read();
        let blocks = |list: &Arc<BlockList>| list.blocks(&self.to.bare, from);
        !available && lists.settling.iter().any(blocks)
    }

    /// Its full address.
    pub(crate) fn full(&self) -> Address {
        self.to.bare.with(self.resource.clone())
    }
}

/// Sessions of subscribers, each once: a pointer each, in the order of what they point to. So one of thousands is found without
/// looking at the others.
#[derive(Default)]
pub(crate) struct Watchers(Vec<Arc<Connected>>);

fn place(of: &Arc<Connected>) -> usize {
    Arc::as_ptr(of).addr()
}

impl Watchers {
    fn find(&self, session: &Arc<Connected>) -> Result<usize, usize> {
        self.0.binary_search_by_key(&place(session), place)
    }

    /// Adds a session; false when it stood here before.
    pub(crate) fn insert(&mut self, session: &Arc<Connected>) -> bool {
        let Err(index) = self.find(session) else {
            return false;
        };
        let (len, most) = (self.0.len(), self.0.capacity());
        if len == most {
            self.0.reserve_exact(4.max(len / 8));
        }
        self.0.insert(index, Arc::clone(session));
        true
    }

    /// Takes a session away; false when it did not stand here.
    pub(crate) fn remove(&mut self, session: &Arc<Connected>) -> bool {
        let found = self.find(session);
        if let Ok(index) = found {
            self.0.remove(index);
            self.shrink();
        }
        found.is_ok()
    }

    /// A session stands here.
    pub(crate) fn holds(&self, session: &Arc<Connected>) -> bool {
        self.find(session).is_ok()
    }

    /// Takes all sessions of an account away and hands them over.
    pub(crate) fn remove_all(&mut self, account: &Bare) -> Vec<Arc<Connected>> {
        self.remove_where(|w| w.to.bare == *account)
    }

    /// Takes those of whom this is true away and hands them over.
    pub(crate) fn remove_where(
        &mut self,
        which: impl Fn(&Connected) -> bool,
    ) -> Vec<Arc<Connected>> {
        let gone: Vec<_> = self.0.extract_if(.., |w| which(w)).collect();
        self.shrink();
        gone
    }

    /// Keeps those of whom this is true.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Connected) -> bool) {
        self.0.retain(|w| keep(w));
        self.shrink();
    }

    /// Takes all away.
    pub(crate) fn clear(&mut self) {
        self.0 = Vec::new();
    }

    fn shrink(&mut self) {
        let len = self.0.len();
        if self.0.capacity() > 2 * len + 8 {
            self.0.shrink_to(len + len / 8);
        }
    }
}

impl Deref for Watchers {
    type Target = [Arc<Connected>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Event;

    struct Deaf;

    impl Route for Deaf {
        fn deliver(&self, _: &Event<'_>) {}

        fn closed(&self) -> bool {
            false
        }
    }

    fn session(n: u64) -> Arc<Connected> {
        let account = Bare::from_prepared(&format!("u{}@example.com", n % 10));
        let address = account.with(Resource::from_prepared("desk"));
        let connected = Connected::new(SessionId(n), address, Arc::new(Deaf), &Arc::default());
        Arc::new(connected.expect("a resource"))
    }

    #[test]
    fn each_once() {
        let all: Vec<_> = (0..100).map(session).collect();
        let mut watchers = Watchers::default();
        for session in all.iter().rev() {
            assert!(watchers.insert(session));
            assert!(!watchers.insert(session));
        }
        assert_eq!(watchers.len(), 100);
        assert!(watchers.remove(&all[50]) && !watchers.remove(&all[50]));
        let gone = watchers.remove_all(&all[7].to.bare);
        assert!(gone.len() == 10 && gone.iter().all(|s| s.id.0 % 10 == 7));
        watchers.retain(|s| s.id.0 < 10);
        assert_eq!(watchers.len(), 9);
        assert!(watchers.0.capacity() < 30);
        watchers.clear();
        assert_eq!(watchers.0.capacity(), 0);
    }
}
