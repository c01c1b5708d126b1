//! What ends by itself: publications, bindings, watches, presence kept after a restart.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use presence::{Bare, Resource, Timestamp, WatchId};
use store::Op;

use crate::route::Notice;
use crate::shards::Model;

const SWEEP: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_millis(200);

/// What ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Publication(Resource),
    Binding(Arc<str>),
    Watch(WatchId),
}

/// The queue of endings. A thing that was prolonged leaves an entry behind, which is seen to be old when it comes up.
#[derive(Default)]
pub(crate) struct Timers {
    queue: BinaryHeap<Reverse<(Timestamp, Bare, Ending)>>,
    swept: Timestamp,
}

impl Timers {
    pub(crate) fn push(&mut self, at: Timestamp, account: &Bare, ending: Ending) {
        self.queue.push(Reverse((at, account.clone(), ending)));
    }

    fn next(&self) -> Option<Timestamp> {
        self.queue.peek().map(|Reverse((at, ..))| *at)
    }

    fn due(&mut self, now: Timestamp) -> Vec<(Timestamp, Bare, Ending)> {
        let mut due = Vec::new();
        while self.next().is_some_and(|at| at <= now) {
            if let Some(Reverse(entry)) = self.queue.pop() {
                due.push(entry);
            }
        }
        due
    }
}

impl Model {
    /// When [`Model::handle_timeout`] wants to be called next, at the latest.
    pub fn poll_timeout(&self) -> Timestamp {
        let timers = self.timers.lock();
        let sweep = timers.swept.plus(SWEEP);
        let next = timers.next().map_or(sweep, |at| at.min(sweep));
        if self.late.lock().is_empty() {
            next
        } else {
            next.min(self.now().at.plus(RETRY))
        }
    }

    /// Ends what is due.
    pub fn handle_timeout(self: &Arc<Self>) {
        let now = self.now();
        self.deliver_late();
        let due = self.timers.lock().due(now.at);
        for (at, account, ending) in due {
            let again = self.end(&account, &ending, at);
            if !again {
                // The writer's queue is full: it ends a little later.
                self.timers
                    .lock()
                    .push(now.at.plus(RETRY), &account, ending);
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
    }

    /// True when nothing is left to do about it.
    fn end(self: &Arc<Self>, account: &Bare, ending: &Ending, at: Timestamp) -> bool {
        let now = self.now();
        self.with_slot(account, |slot| {
            let Some(entity) = &mut slot.entity else {
                return true;
            };
            match ending {
                Ending::Publication(resource) => {
                    let Some(index) = entity.find(resource) else {
                        return true;
                    };
                    let over = entity.published[index]
                        .deadline
                        .is_some_and(|d| d <= at.max(now.at));
                    if !over {
                        return true;
                    }
                    let account = account.clone();
                    let lingering = entity.published[index].lingering;
                    let op = if lingering {
                        Op::LastKnownRemove {
                            account,
                            resource: resource.clone(),
                        }
                    } else {
                        Op::PublicationRemove {
                            account,
                            resource: resource.clone(),
                        }
                    };
                    if lingering {
                        self.store.submit_soft(vec![op]);
                    } else if self.submit(entity, vec![op], |_, _| {}).is_err() {
                        return false;
                    }
                    let Some(published) = entity.take(resource) else {
                        return true;
                    };
                    let from = entity.account.with(resource.clone());
                    let notice = Notice::unavailable(from, Some(published.publication), None);
                    slot.broadcast(&notice, None, self.rules.same_domain_allow, self.phones());
                    true
                }
                Ending::Binding(contact) => {
                    if !entity.bound(contact).is_some_and(|b| b.deadline <= now.at) {
                        return true;
                    }
                    let ops = vec![Op::BindingRemove {
                        account: account.clone(),
                        contact: Arc::clone(contact),
                    }];
                    if self.submit(entity, ops, |_, _| {}).is_err() {
                        return false;
                    }
                    self.unbind(slot, contact);
                    true
                }
                Ending::Watch(id) => {
                    let Some(index) = entity.watches.iter().position(|w| w.record.id == *id) else {
                        return true;
                    };
                    if entity.watches[index].deadline > now.at {
                        return true;
                    }
                    if self
                        .submit(entity, vec![Op::WatchRemove { id: *id }], |_, _| {})
                        .is_err()
                    {
                        return false;
                    }
                    entity.watches.remove(index);
                    true
                }
            }
        })
    }
}
