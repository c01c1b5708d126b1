//! When sessions of BOSH have something to do by themselves: one task keeps the time for all of them.
//!
//! A session is in the heap with the time for which it was entered last. What it has to do is mostly put off by the next request: it is
//! entered again when the old time has come, and at once only for an earlier one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Weak};

use bosh::Time;
use parking_lot::Mutex;
use presence::Timestamp;
use tokio::sync::Notify;

use super::carried::Carried;
use crate::server::shared::Shared;

/// Times and whose they are.
#[derive(Default)]
pub(super) struct Timers {
    heap: Mutex<BinaryHeap<Reverse<Entry>>>,
    earlier: Notify,
}

struct Entry {
    due: Time,
    whose: Weak<Carried>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

impl Timers {
    /// Looks after a session at a time.
    pub(super) fn enter(&self, due: Time, whose: &Arc<Carried>) {
        let mut heap = self.heap.lock();
        let first = heap.peek().is_none_or(|Reverse(entry)| due < entry.due);
        heap.push(Reverse(Entry {
            due,
            whose: Arc::downgrade(whose),
        }));
        drop(heap);
        if first {
            self.earlier.notify_one();
        }
    }

    fn next(&self) -> Option<Time> {
        self.heap.lock().peek().map(|Reverse(entry)| entry.due)
    }

    /// Whose time has come, and which.
    fn due(&self, now: Time) -> Option<(Time, Weak<Carried>)> {
        let mut heap = self.heap.lock();
        let Reverse(first) = heap.peek()?;
        if first.due > now {
            return None;
        }
        heap.pop().map(|Reverse(entry)| (entry.due, entry.whose))
    }
}

/// Keeps the time until the server ends.
pub(crate) async fn keep_time(shared: Arc<Shared>) {
    let timers = &shared.bosh.timers;
    let end = shared.sip_stopped();
    tokio::pin!(end);
    loop {
        let next = timers.next().map_or(u64::MAX, |due| due.0);
        tokio::select! {
            () = tokio::time::sleep_until(shared.clock.instant(Timestamp(next))) => {}
            () = timers.earlier.notified() => continue,
            () = &mut end => return,
        }
        let now = Time(shared.now().at.0);
        while let Some((due, whose)) = timers.due(now) {
            if let Some(carried) = whose.upgrade() {
                carried.time(due);
            }
        }
    }
}
