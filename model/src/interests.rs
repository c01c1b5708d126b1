//! Of which nodes each session wants to be notified: one number a session, which stands for a set that many share.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::RwLock;
use presence::Bare;
use services::caps::Interests;

use crate::route::SessionId;
use crate::shards::Model;
use crate::watching::Connected;

/// A session's number; 0 stands for nothing. Written under the lock of its account.
#[derive(Default)]
pub(crate) struct Mark(AtomicU32);

impl Mark {
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed) as usize
    }
}

/// The sets in use.
#[derive(Default)]
pub(crate) struct Sets(RwLock<Inner>);

#[derive(Default)]
struct Inner {
    numbers: HashMap<Interests, u32>,
    /// The set of number n stands at n - 1, with how many sessions have it.
    sets: Vec<(Interests, usize)>,
    free: Vec<u32>,
}

impl Inner {
    fn take(&mut self, interests: &Interests) -> u32 {
        if interests.is_empty() {
            return 0;
        }
        if let Some(number) = self.numbers.get(interests) {
            if let Some((_, uses)) = self.sets.get_mut(*number as usize - 1) {
                *uses += 1;
            }
            return *number;
        }
        let used = (interests.clone(), 1);
        let number = match self.free.pop() {
            Some(number) => {
                self.sets[number as usize - 1] = used;
                number
            }
            None => {
                self.sets.push(used);
                self.sets.len() as u32
            }
        };
        self.numbers.insert(interests.clone(), number);
        number
    }

    fn give_back(&mut self, number: u32) {
        let Some(index) = (number as usize).checked_sub(1) else {
            return;
        };
        let Some((interests, uses)) = self.sets.get_mut(index) else {
            return;
        };
        *uses -= 1;
        if *uses == 0 {
            let interests = std::mem::take(interests);
            self.numbers.remove(&interests);
            self.free.push(number);
        }
    }
}

/// For one node, which numbers want it.
pub(crate) struct Wanting(Vec<bool>);

impl Wanting {
    /// This session wants it.
    pub(crate) fn has(&self, session: &Connected) -> bool {
        let number = session.interests.get();
        number > 0 && self.0.get(number - 1).copied().unwrap_or_default()
    }
}

impl Sets {
    /// Which sets have this node.
    pub(crate) fn wanting(&self, node: &str) -> Wanting {
        let inner = self.0.read();
        Wanting(inner.sets.iter().map(|(set, _)| set.has(node)).collect())
    }

    /// What a session wants.
    pub(crate) fn of(&self, session: &Connected) -> Option<Interests> {
        let index = session.interests.get().checked_sub(1)?;
        let inner = self.0.read();
        inner.sets.get(index).map(|(set, _)| set.clone())
    }

    /// A session wants something else.
    fn change(&self, session: &Connected, interests: &Interests) {
        let mut inner = self.0.write();
        let after = inner.take(interests);
        let before = session.interests.0.swap(after, Ordering::Relaxed);
        inner.give_back(before);
    }

    /// A session has ended.
    pub(crate) fn leave(&self, session: &Connected) {
        let before = session.interests.0.swap(0, Ordering::Relaxed);
        if before > 0 {
            self.0.write().give_back(before);
        }
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.0.read().numbers.len()
    }
}

impl Model {
    /// A session wants to be notified of these nodes from now on. What is new to it is told at once where it is available.
    pub fn interested(&self, account: &Bare, session: SessionId, interests: &Interests) {
        let changed = self.with_slot(account, |slot| {
            let entity = slot.entity.as_mut()?;
            let own = entity.session(session)?;
            let old = self.interests.of(own);
            self.interests.change(own, interests);
            let connected = Arc::clone(&own.connected);
            own.available?;
            let mut contacts: Vec<Bare> = entity.roster.subscriptions().cloned().collect();
            contacts.extend(entity.fellows());
            contacts.sort_unstable();
            contacts.dedup();
            Some((connected, old, contacts))
        });
        if let Some((connected, old, contacts)) = changed {
            self.catch_up(&connected, interests, old.as_ref(), &contacts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::{Event, Route};
    use presence::Resource;

    struct Deaf;

    impl Route for Deaf {
        fn deliver(&self, _: &Event<'_>) {}

        fn closed(&self) -> bool {
            false
        }
    }

    fn session(n: u64) -> Connected {
        let desk = Resource::from_prepared("desk");
        let address = Bare::from_prepared("ann@example.com").with(desk);
        let session = Connected::new(SessionId(n), address, Arc::new(Deaf), &Arc::default());
        session.expect("a resource")
    }

    #[test]
    fn sets_are_shared_and_given_back() {
        let sets = Sets::default();
        let (moods, both) = (Interests::new(["mood"]), Interests::new(["mood", "tune"]));
        let all: Vec<_> = (0..6).map(session).collect();
        for (n, session) in all.iter().enumerate() {
            sets.change(session, if n % 2 == 0 { &moods } else { &both });
        }
        assert_eq!(sets.count(), 2);
        let tune = sets.wanting("tune");
        assert!(!tune.has(&all[0]) && tune.has(&all[1]));
        assert!(all.iter().all(|s| sets.wanting("mood").has(s)));
        assert!(!sets.wanting("other").has(&all[1]));
        assert_eq!(sets.of(&all[1]), Some(both.clone()));
        for session in &all {
            sets.change(session, &both);
            sets.change(session, &both);
        }
        assert_eq!(sets.count(), 1);
        sets.change(&all[0], &moods);
        assert!(!sets.wanting("tune").has(&all[0]) && sets.wanting("tune").has(&all[1]));
        for session in &all {
            sets.leave(session);
            sets.leave(session);
        }
        assert_eq!(sets.count(), 0);
        assert_eq!(sets.of(&all[0]), None);
        sets.change(&all[0], &Interests::default());
        assert_eq!(sets.count(), 0);
    }
}
