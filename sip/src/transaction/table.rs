//! A table of transactions: numbers that are never used twice, one timer each, found by place.

use super::{
    places::{Place, Places},
    random::Seeded,
    timers::Timers,
};
use crate::Timestamp;

struct Slot<T> {
    /// How often the slot was used; the upper half of an id.
    generation: u32,
    content: Option<T>,
    place: Option<Place>,
}

/// So many slots are made at once. A table that grows leaves those that are there where they are.
const BLOCK: usize = 256;

/// Transactions by id. An id is the slot and its generation: one that was removed is not found again.
pub(super) struct Table<T> {
    blocks: Vec<Vec<Slot<T>>>,
    /// Number of slots.
    made: u32,
    free: Vec<u32>,
    timers: Timers,
    places: Places,
}

impl<T> Table<T> {
    pub(super) fn new(seeded: Seeded) -> Self {
        Self {
            blocks: Vec::new(),
            made: 0,
            free: Vec::new(),
            timers: Timers::default(),
            places: Places::new(seeded),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.made as usize - self.free.len()
    }

    /// The id that the next [`Table::insert`] gives.
    pub(super) fn next_id(&self) -> u64 {
        match self.free.last() {
            Some(slot) => self.id(*slot),
            None => u64::from(self.made),
        }
    }

    pub(super) fn insert(&mut self, content: T, place: Option<Place>, timer: Timestamp) -> u64 {
        let slot = self.free.pop().unwrap_or_else(|| self.make());
        self.timers.set(slot, timer);
        if let Some(slot) = self.slot_mut(slot) {
            slot.content = Some(content);
        }
        let id = self.id(slot);
        self.relocate(id, place);
        id
    }

    /// Makes a slot.
    fn make(&mut self) -> u32 {
        let slot = Slot {
            generation: 0,
            content: None,
            place: None,
        };
        match self.blocks.last_mut() {
            Some(block) if block.len() < BLOCK => block.push(slot),
            _ => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(slot);
                self.blocks.push(block);
            }
        }
        self.made += 1;
        self.made - 1
    }

    fn slot(&self, number: u32) -> Option<&Slot<T>> {
        let number = number as usize;
        self.blocks.get(number / BLOCK)?.get(number % BLOCK)
    }

    fn slot_mut(&mut self, number: u32) -> Option<&mut Slot<T>> {
        let number = number as usize;
        self.blocks.get_mut(number / BLOCK)?.get_mut(number % BLOCK)
    }

    pub(super) fn get(&self, id: u64) -> Option<&T> {
        let slot = self.slot(id as u32)?;
        if slot.generation != (id >> 32) as u32 {
            return None;
        }
        slot.content.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        let slot = self.slot_mut(id as u32)?;
        if slot.generation != (id >> 32) as u32 {
            return None;
        }
        slot.content.as_mut()
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<T> {
        let number = id as u32;
        let slot = self.slot_mut(number)?;
        if slot.generation != (id >> 32) as u32 {
            return None;
        }
        let content = slot.content.take()?;
        let place = slot.place.take();
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(number);
        self.timers.clear(number);
        if let Some(place) = place {
            self.places.leave(number, &place);
        }
        Some(content)
    }

    /// Sets the timer of a transaction that is there.
    pub(super) fn set_timer(&mut self, id: u64, time: Timestamp) {
        if self.get_mut(id).is_some() {
            self.timers.set(id as u32, time);
        }
    }

    /// Notes where a transaction is now, if it is to be found by that.
    pub(super) fn relocate(&mut self, id: u64, place: Option<Place>) {
        let number = id as u32;
        if self.get_mut(id).is_none() {
            return;
        }
        let Some(slot) = self.slot_mut(number) else {
            return;
        };
        if let Some(old) = std::mem::replace(&mut slot.place, place.clone()) {
            self.places.leave(number, &old);
        }
        if let Some(place) = place {
            self.places.join(number, place);
        }
    }

    /// Ids of the transactions at a place.
    pub(super) fn at(&self, place: &Place) -> Vec<u64> {
        let slots = self.places.at(place);
        slots.into_iter().map(|slot| self.id(slot)).collect()
    }

    /// When the first timer fires.
    pub(super) fn timeout(&self) -> Option<Timestamp> {
        self.timers.first().map(|(time, _)| time)
    }

    /// A transaction whose timer has fired.
    pub(super) fn due(&self, now: Timestamp) -> Option<u64> {
        let (time, slot) = self.timers.first()?;
        (time <= now).then(|| self.id(slot))
    }

    fn id(&self, slot: u32) -> u64 {
        let generation = self.slot(slot).map_or(0, |s| s.generation);
        u64::from(generation) << 32 | u64::from(slot)
    }

    /// Whether nothing is left, in any of the parts.
    #[cfg(test)]
    pub(super) fn is_clean(&self) -> bool {
        self.len() == 0 && self.timers.len() == 0 && self.places.len() == 0
    }
}
