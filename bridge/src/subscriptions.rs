//! All subscriptions: by id, by dialog, by device, by connection, by timer.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use presence::{Utc, WatchId};
use sip::{Request, Timestamp};

use crate::numbers::ByNumber;
use crate::subscription::Subscription;

/// The table. Dialogs and devices are found by hashes, and compared then.
#[derive(Default)]
pub(crate) struct Subscriptions {
    all: ByNumber<WatchId, Box<Subscription>>,
    /// By our tag, which no two dialogs share.
    by_dialog: ByNumber<u64, WatchId>,
    /// Watcher, presentity, event, device: a phone that was started anew asks again for what it has forgotten.
    by_device: ByNumber<u64, WatchId>,
    by_connection: HashMap<u64, HashSet<WatchId>>,
    timers: BTreeSet<(Timestamp, WatchId)>,
    last_id: u64,
    /// Peers choose what is hashed: they are not to know how.
    hasher: RandomState,
}

fn same_device(one: &Subscription, other: &Subscription) -> bool {
    one.watcher == other.watcher
        && one.presentity == other.presentity
        && one.event == other.event
        && one.device == other.device
}

impl Subscriptions {
    fn dialog_key(&self, local_tag: &str) -> u64 {
        self.hasher.hash_one(local_tag)
    }

    fn device_key(&self, subscription: &Subscription) -> u64 {
        let s = subscription;
        self.hasher
            .hash_one((&s.watcher, &s.presentity, &s.event, &s.device))
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// An id that was never used: it grows with the clock, and past every one that is known.
    pub(crate) fn new_id(&mut self, now: Utc) -> WatchId {
        let by_clock = u64::try_from(now.0).unwrap_or(0) << 20;
        self.last_id = self.last_id.max(by_clock) + 1;
        WatchId(self.last_id)
    }

    /// Adds one; the older one of the same device that it replaces is returned.
    pub(crate) fn insert(&mut self, subscription: Subscription) -> Option<WatchId> {
        let id = subscription.id;
        self.last_id = self.last_id.max(id.0);
        let dialog = self.dialog_key(&subscription.dialog.local_tag);
        self.by_dialog.insert(dialog, id);
        let older = self.by_device.insert(self.device_key(&subscription), id);
        let older = older.filter(|older| {
            let known = self.all.get(older);
            known.is_some_and(|known| same_device(known, &subscription))
        });
        if let Some(connection) = subscription.dialog.flow.connection {
            self.by_connection.entry(connection).or_default().insert(id);
        }
        self.all.insert(id, Box::new(subscription));
        self.arm(id);
        older.filter(|older| *older != id)
    }

    pub(crate) fn get(&self, id: WatchId) -> Option<&Subscription> {
        self.all.get(&id).map(|s| &**s)
    }

    /// To change one; [`Subscriptions::arm`] is due after it.
    pub(crate) fn get_mut(&mut self, id: WatchId) -> Option<&mut Subscription> {
        self.all.get_mut(&id).map(|s| &mut **s)
    }

    /// The subscription whose dialog a request is in.
    pub(crate) fn of_request(&self, request: &Request) -> Option<WatchId> {
        let headers = &request.headers;
        let (call_id, to_tag) = (headers.call_id().ok()?, headers.to_tag()?);
        let from_tag = headers.from_tag().unwrap_or_default();
        let id = *self.by_dialog.get(&self.dialog_key(to_tag))?;
        let dialog = &self.all.get(&id)?.dialog;
        let same = dialog.local_tag == to_tag
            && dialog.call_id == call_id
            && dialog.remote_tag == from_tag;
        same.then_some(id)
    }

    pub(crate) fn remove(&mut self, id: WatchId) -> Option<Subscription> {
        let subscription = *self.all.remove(&id)?;
        let dialog = self.dialog_key(&subscription.dialog.local_tag);
        if self.by_dialog.get(&dialog) == Some(&id) {
            self.by_dialog.remove(&dialog);
        }
        let device = self.device_key(&subscription);
        if self.by_device.get(&device) == Some(&id) {
            self.by_device.remove(&device);
        }
        if let Some(connection) = subscription.dialog.flow.connection {
            self.leave(connection, id);
        }
        if let Some(at) = subscription.armed {
            self.timers.remove(&(at, id));
        }
        Some(subscription)
    }

    /// The flow of a subscription is another now: `before` was its connection.
    pub(crate) fn moved(&mut self, id: WatchId, before: Option<u64>) {
        let after = self.all.get(&id).and_then(|s| s.dialog.flow.connection);
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.leave(before, id);
        }
        if let Some(after) = after {
            self.by_connection.entry(after).or_default().insert(id);
        }
    }

    fn leave(&mut self, connection: u64, id: WatchId) {
        if let Some(ids) = self.by_connection.get_mut(&connection) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_connection.remove(&connection);
            }
        }
    }

    /// A connection is gone: what is to be told goes to the watcher's Contact, as far as it can be reached.
    pub(crate) fn closed(&mut self, connection: u64) {
        for id in self.by_connection.remove(&connection).unwrap_or_default() {
            if let Some(subscription) = self.all.get_mut(&id) {
                subscription.dialog.handle_closed(connection);
            }
        }
    }

    /// Sets the timer of a subscription to what it waits for now.
    pub(crate) fn arm(&mut self, id: WatchId) {
        let Some(subscription) = self.all.get_mut(&id) else {
            return;
        };
        let at = subscription.next_timer();
        if at == subscription.armed {
            return;
        }
        if let Some(old) = subscription.armed {
            self.timers.remove(&(old, id));
        }
        subscription.armed = at;
        if let Some(at) = at {
            self.timers.insert((at, id));
        }
    }

    pub(crate) fn timeout(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// A subscription whose timer has fired; it is not set any more.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<WatchId> {
        let (at, id) = *self.timers.first()?;
        if at > now {
            return None;
        }
        self.timers.pop_first();
        if let Some(subscription) = self.all.get_mut(&id) {
            subscription.armed = None;
        }
        Some(id)
    }

    /// Nothing is left of what was removed.
    #[cfg(test)]
    pub(crate) fn is_clean(&self) -> bool {
        let all = self.all.len();
        self.by_dialog.len() == all
            && self.by_device.len() <= all
            && self.timers.len() <= all
            && self.by_connection.values().map(HashSet::len).sum::<usize>() <= all
    }
}
