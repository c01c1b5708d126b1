//! What nobody waits for and is yet not dropped: the last known presence, and what watchers were told of it.
//!
//! After a crash the one is compared with the other. A watcher must not be taken for one who was told what was written of him before,
//! nor be told again what he knows because the presence that he was told is missing. So both stay here while the writer's queue is full,
//! and nothing of either is queued past what stays: presence goes first, then what was told of it.

use std::collections::BTreeMap;

use bytes::Bytes;
use presence::{Bare, Resource, WatchId};
use store::{Op, Store};

use crate::shards::Model;

/// What found no room in the queue: of each thing the newest.
#[derive(Default)]
pub(crate) struct Late {
    presence: BTreeMap<(Bare, Resource), Op>,
    told: BTreeMap<WatchId, Op>,
}

impl Late {
    /// Queues what is here; true when nothing is left.
    fn write(&mut self, store: &Store) -> bool {
        drain(&mut self.presence, store) && drain(&mut self.told, store)
    }

    fn is_empty(&self) -> bool {
        self.presence.is_empty() && self.told.is_empty()
    }
}

fn drain<K: Ord>(from: &mut BTreeMap<K, Op>, store: &Store) -> bool {
    while let Some((key, op)) = from.pop_first() {
        if let Err(mut back) = store.submit_kept(vec![op]) {
            from.extend(back.pop().map(|op| (key, op)));
            return false;
        }
    }
    true
}

impl Model {
    /// The presence of a connection as it is last known.
    pub(crate) fn keep_presence(&self, account: &Bare, resource: &Resource, op: Op) {
        let mut late = self.late.lock();
        late.presence
            .insert((account.clone(), resource.clone()), op);
        late.write(&self.store);
    }

    /// What a watcher was told last: the beginning of his dialog.
    pub(crate) fn keep_told(&self, id: WatchId, head: Bytes) {
        let mut late = self.late.lock();
        late.told.insert(id, Op::WatchHead { id, head });
        late.write(&self.store);
    }

    /// Queues what found no room before; true when nothing is left.
    pub(crate) fn write_late(&self) -> bool {
        self.late.lock().write(&self.store)
    }

    /// Whether something waits for room.
    pub(crate) fn is_late(&self) -> bool {
        !self.late.lock().is_empty()
    }
}
