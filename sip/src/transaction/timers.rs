//! One timer a slot, in a heap that knows where each slot is: nothing stale stays behind.

use crate::Timestamp;

const NONE: u32 = u32::MAX;

/// The timers of a table.
#[derive(Default)]
pub(super) struct Timers {
    heap: Vec<(Timestamp, u32)>,
    /// Position in `heap` by slot.
    at: Vec<u32>,
}

impl Timers {
    /// The timer that fires first.
    pub(super) fn first(&self) -> Option<(Timestamp, u32)> {
        self.heap.first().copied()
    }

    /// Number of timers.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Sets the timer of a slot.
    pub(super) fn set(&mut self, slot: u32, time: Timestamp) {
        let index = slot as usize;
        if index >= self.at.len() {
            self.at.resize(index + 1, NONE);
        }
        let position = self.at[index];
        if position == NONE {
            self.heap.push((time, slot));
            self.up(self.heap.len() - 1);
            return;
        }
        let position = position as usize;
        let before = self.heap[position].0;
        self.heap[position].0 = time;
        if time < before {
            self.up(position);
        } else {
            self.down(position);
        }
    }

    /// Removes the timer of a slot, if there is one.
    pub(super) fn clear(&mut self, slot: u32) {
        let Some(position) = self.at.get_mut(slot as usize) else {
            return;
        };
        let position = std::mem::replace(position, NONE) as usize;
        if position == NONE as usize {
            return;
        }
        self.heap.swap_remove(position);
        if position < self.heap.len() {
            self.place(position);
            self.up(position);
            self.down(position);
        }
    }

    fn place(&mut self, position: usize) {
        let slot = self.heap[position].1;
        self.at[slot as usize] = position as u32;
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.place(a);
        self.place(b);
    }

    fn up(&mut self, mut position: usize) {
        while position > 0 {
            let parent = (position - 1) / 2;
            if self.heap[parent].0 <= self.heap[position].0 {
                break;
            }
            self.swap(parent, position);
            position = parent;
        }
        self.place(position);
    }

    fn down(&mut self, mut position: usize) {
        loop {
            let left = 2 * position + 1;
            let right = left + 1;
            if left >= self.heap.len() {
                break;
            }
            let smaller = if right < self.heap.len() && self.heap[right].0 < self.heap[left].0 {
                right
            } else {
                left
            };
            if self.heap[position].0 <= self.heap[smaller].0 {
                break;
            }
            self.swap(position, smaller);
            position = smaller;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn timers_fire_like_those_of_a_sorted_map(
            steps in prop::collection::vec((0_u32..24, prop::option::weighted(0.8, 0_u64..100)), 0..200),
        ) {
            let mut timers = Timers::default();
            let mut model = BTreeMap::new();
            for (slot, time) in steps {
                if let Some(time) = time {
                    timers.set(slot, Timestamp(time));
                    model.insert(slot, Timestamp(time));
                } else {
                    timers.clear(slot);
                    model.remove(&slot);
                }
                prop_assert_eq!(timers.len(), model.len());
                prop_assert_eq!(timers.first().map(|(time, _)| time), model.values().min().copied());
            }
            while let Some((time, slot)) = timers.first() {
                prop_assert_eq!(model.remove(&slot), Some(time));
                prop_assert!(model.values().all(|other| *other >= time));
                timers.clear(slot);
            }
            prop_assert!(model.is_empty());
        }
    }
}
