//! Which transactions use a connection or an address, so that those an error concerns are found at once.

use std::{collections::HashMap, net::SocketAddr};

use super::{Flow, random::Seeded};
use crate::header::Transport;

/// What a transport error speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Connection(u64),
    Remote(Transport, SocketAddr),
}

impl Place {
    pub(super) fn of(flow: &Flow) -> Self {
        match flow.connection {
            Some(connection) => Self::Connection(connection),
            None => Self::Remote(flow.transport.clone(), flow.remote),
        }
    }
}

const NONE: u32 = u32::MAX;

/// Neighbours in the list of a place.
#[derive(Clone, Copy)]
struct Link {
    before: u32,
    after: u32,
}

const ALONE: Link = Link {
    before: NONE,
    after: NONE,
};

/// Lists of slots by place, linked through the slots: joining and leaving take constant time however
/// many slots share a place.
pub(super) struct Places {
    first: HashMap<Place, u32, Seeded>,
    links: Vec<Link>,
}

impl Places {
    pub(super) fn new(seeded: Seeded) -> Self {
        Self {
            first: HashMap::with_hasher(seeded),
            links: Vec::new(),
        }
    }

    /// Number of places.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    fn link(&mut self, slot: u32) -> &mut Link {
        let index = slot as usize;
        if index >= self.links.len() {
            self.links.resize(index + 1, ALONE);
        }
        &mut self.links[index]
    }

    /// Adds a slot, which is in no list, to the list of a place.
    pub(super) fn join(&mut self, slot: u32, place: Place) {
        let after = self.first.insert(place, slot).unwrap_or(NONE);
        *self.link(slot) = Link {
            before: NONE,
            after,
        };
        if after != NONE {
            self.link(after).before = slot;
        }
    }

    /// Removes a slot from the list of the place it joined.
    pub(super) fn leave(&mut self, slot: u32, place: &Place) {
        let Link { before, after } = std::mem::replace(self.link(slot), ALONE);
        if after != NONE {
            self.link(after).before = before;
        }
        if before != NONE {
            self.link(before).after = after;
        } else if after == NONE {
            self.first.remove(place);
        } else if let Some(first) = self.first.get_mut(place) {
            *first = after;
        }
    }

    /// The slots at a place, the newest first.
    pub(super) fn at(&self, place: &Place) -> Vec<u32> {
        let mut slots = Vec::new();
        let mut next = self.first.get(place).copied().unwrap_or(NONE);
        while let Some(link) = self.links.get(next as usize) {
            slots.push(next);
            next = link.after;
        }
        slots
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::transaction::random::Random;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn lists_hold_those_that_joined(steps in prop::collection::vec((0_u32..16, 0_u64..4), 0..100)) {
            let mut places = Places::new(Seeded::new(&mut Random::new(&[1; 32])));
            let mut model: BTreeMap<u32, u64> = BTreeMap::new();
            for (slot, place) in steps {
                if let Some(place) = model.remove(&slot) {
                    places.leave(slot, &Place::Connection(place));
                } else {
                    places.join(slot, Place::Connection(place));
                    model.insert(slot, place);
                }
                for place in 0..4 {
                    let mut found = places.at(&Place::Connection(place));
                    found.sort_unstable();
                    let expected: Vec<u32> =
                        model.iter().filter(|(_, at)| **at == place).map(|(slot, _)| *slot).collect();
                    prop_assert_eq!(found, expected);
                }
            }
            let used: std::collections::BTreeSet<_> = model.values().collect();
            prop_assert_eq!(places.len(), used.len());
        }
    }
}
