//! What ends by itself: publications, bindings, watches, presence kept after a restart.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use presence::{Bare, Resource, Timestamp, WatchId};
use store::Op;

use crate::clock::Now;
use crate::entity::Slot;
use crate::shards::Model;

const SWEEP: Duration = Duration::from_secs(60);
pub(crate) const RETRY: Duration = Duration::from_millis(200);

/// What ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Ending {
    Publication(Resource),
    Binding(Arc<str>),
    Watch(WatchId),
    /// Items and subscriptions of an account's nodes.
    Nodes,
    /// Not an end: what giving stored messages to a client wants of the writer found no room in its queue.
    Flush,
}

/// The queue of endings. A thing stands in it once: when its time has come and it was prolonged, it is queued again.
#[derive(Default)]
pub(crate) struct Timers {
    queue: BinaryHeap<Reverse<(Timestamp, Bare, Ending)>>,
    armed: HashMap<(Bare, Ending), Timestamp>,
    swept: Timestamp,
}

impl Timers {
    pub(crate) fn push(&mut self, at: Timestamp, account: &Bare, ending: Ending) {
        match self.armed.entry((account.clone(), ending.clone())) {
            Entry::Occupied(armed) if *armed.get() <= at => return,
            Entry::Occupied(mut armed) => {
                armed.insert(at);
            }
            Entry::Vacant(free) => {
                free.insert(at);
            }
        }
        self.queue.push(Reverse((at, account.clone(), ending)));
    }

    /// It does not end by itself any more.
    pub(crate) fn forget(&mut self, account: &Bare, ending: Ending) {
        self.armed.remove(&(account.clone(), ending));
        if self.queue.len() > 1024.max(4 * self.armed.len()) {
            let armed = self.armed.iter();
            let left = armed
                .map(|((account, ending), at)| Reverse((*at, account.clone(), ending.clone())));
            self.queue = left.collect();
        }
    }

    fn next(&self) -> Option<Timestamp> {
        self.queue.peek().map(|Reverse((at, ..))| *at)
    }

    fn due(&mut self, now: Timestamp) -> Vec<(Bare, Ending)> {
        let mut due = Vec::new();
        while self.next().is_some_and(|at| at <= now) {
            if let Some(Reverse((at, account, ending))) = self.queue.pop() {
                let key = (account, ending);
                // Another time: it was moved forward and has had its turn.
                if self.armed.get(&key) == Some(&at) {
                    self.armed.remove(&key);
                    due.push(key);
                }
            }
        }
        due
    }
}

impl Model {
    /// When [`Model::handle_timeout`] wants to be called next, at the latest.
    pub fn poll_timeout(&self) -> Timestamp {
        let next = {
            let timers = self.timers.lock();
            let sweep = timers.swept.plus(SWEEP);
            timers.next().map_or(sweep, |at| at.min(sweep))
        };
        let next = self.pruning_due().map_or(next, |at| at.min(next));
        if self.debts.lock().waiting() || self.is_late() {
            next.min(self.now().at.plus(RETRY))
        } else {
            next
        }
    }

    /// Ends what is due.
    pub fn handle_timeout(self: &Arc<Self>) {
        let now = self.now();
        self.store.ease();
        self.deliver_late();
        self.write_late();
        let due = self.timers.lock().due(now.at);
        for (account, ending) in due {
            if let Some(again) = self.end(&account, &ending, now) {
                self.timers.lock().push(again, &account, ending);
            }
        }
        let sweep = {
            let mut timers = self.timers.lock();
            let sweep = timers.swept.plus(SWEEP) <= now.at;
            if sweep {
                timers.swept = now.at;
            }
            sweep
        };
        if sweep {
            self.evict();
        }
        self.prune_archives(now);
    }

    /// Ends it when its time has come. `Some`: when to look again.
    fn end(self: &Arc<Self>, account: &Bare, ending: &Ending, now: Now) -> Option<Timestamp> {
        match ending {
            Ending::Flush => {
                self.go_on_giving(account);
                return None;
            }
            Ending::Nodes => {
                self.end_at_nodes(account);
                return None;
            }
            _ => {}
        }
        let later = Some(now.at.plus(RETRY));
        self.with_slot(account, |slot| match ending {
            Ending::Publication(resource) => self.end_publication(slot, resource, now),
            Ending::Binding(contact) => {
                let entity = slot.entity.as_mut()?;
                let deadline = entity.bound(contact)?.deadline;
                if deadline > now.at {
                    return Some(deadline);
                }
                let ops = vec![Op::BindingRemove {
                    account: account.clone(),
                    contact: Arc::clone(contact),
                }];
                if self.submit(entity, ops, |_, _| {}).is_err() {
                    return later;
                }
                self.unbind(slot, contact);
                None
            }
            Ending::Watch(id) => {
                let entity = slot.entity.as_mut()?;
                let index = entity.watches.iter().position(|w| w.record.id == *id)?;
                let deadline = entity.watches[index].deadline;
                if deadline > now.at {
                    return Some(deadline);
                }
                let ops = vec![Op::WatchRemove { id: *id }];
                if self.submit(entity, ops, |_, _| {}).is_err() {
                    return later;
                }
                entity.watches.remove(index);
                None
            }
            Ending::Nodes | Ending::Flush => None,
        })
    }

    fn end_publication(
        self: &Arc<Self>,
        slot: &mut Slot,
        resource: &Resource,
        now: Now,
    ) -> Option<Timestamp> {
        let entity = slot.entity.as_mut()?;
        let index = entity.find(resource)?;
        let deadline = entity.published[index].deadline?;
        if deadline > now.at {
            return Some(deadline);
        }
        let account = entity.account.clone();
        if entity.published[index].lingering {
            let op = Op::LastKnownRemove {
                account: account.clone(),
                resource: resource.clone(),
            };
            self.keep_presence(&account, resource, op);
            if !entity.sessions.iter().any(|s| s.available.is_some()) {
                let publication = &entity.published[index].publication;
                let status = publication.document.notes.first().map(|n| n.text.clone());
                self.seen_last(entity, now, status);
            }
        } else {
            let ops = vec![Op::PublicationRemove {
                account,
                resource: resource.clone(),
            }];
            if self.submit(entity, ops, |_, _| {}).is_err() {
                return Some(now.at.plus(RETRY));
            }
        }
        slot.close(resource, self.rules.same_domain_allow, self.phones());
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_leaves_room_and_the_rest_its_time() {
        let account = Bare::from_prepared("ann@example.org");
        let mut timers = Timers::default();
        timers.push(Timestamp(5), &account, Ending::Watch(WatchId(0)));
        for id in 1..10_000 {
            timers.push(Timestamp(id), &account, Ending::Watch(WatchId(id)));
            timers.forget(&account, Ending::Watch(WatchId(id)));
            assert!(timers.queue.len() <= 1025);
        }
        assert_eq!(
            timers.due(Timestamp(20_000)),
            [(account, Ending::Watch(WatchId(0)))]
        );
    }
}
