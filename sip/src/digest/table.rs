//! Which nonces were used how far: a bounded memory against replay (RFC 7616 §3.4, `nc`).

use std::collections::BTreeMap;

use super::nonce::NonceId;
use crate::Timestamp;

/// Counts of nonces that were answered rightly. When it is full the oldest is forgotten, and with it
/// every older nonce is taken for used: forgetting never lets a replay through.
#[derive(Debug)]
pub(crate) struct NonceTable {
    used: BTreeMap<NonceId, Window>,
    capacity: usize,
    floor: Option<NonceId>,
}

/// The highest count seen and, as bits, which of the 64 below and including it were seen.
#[derive(Debug, Clone, Copy)]
struct Window {
    highest: u32,
    seen: u64,
}

impl Window {
    /// Notes a count; false if it was seen or is too old to know.
    fn note(&mut self, count: u32) -> bool {
        if count > self.highest {
            let shift = count - self.highest;
            self.seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let bit = 1_u64.checked_shl(self.highest - count).unwrap_or(0);
        let fresh = bit != 0 && self.seen & bit == 0;
        self.seen |= bit;
        fresh
    }

    /// Nothing more is taken.
    const CLOSED: Self = Self {
        highest: u32::MAX,
        seen: u64::MAX,
    };
}

impl NonceTable {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            used: BTreeMap::new(),
            capacity: capacity.max(1),
            floor: None,
        }
    }

    /// Notes the use of a nonce; false if this use was seen before. `count` is `nc`; without one the nonce
    /// is good for this request only.
    pub(crate) fn note(&mut self, id: NonceId, count: Option<u32>) -> bool {
        if count == Some(0) {
            return false;
        }
        if let Some(window) = self.used.get_mut(&id) {
            return match count {
                Some(count) => window.note(count),
                None => false,
            };
        }
        if self.floor.is_some_and(|floor| id <= floor) {
            return false;
        }
        let window = match count {
            Some(count) => Window {
                highest: count,
                seen: 1,
            },
            None => Window::CLOSED,
        };
        if self.used.len() >= self.capacity
            && let Some((oldest, _)) = self.used.pop_first()
        {
            self.floor = self.floor.max(Some(oldest));
            if id <= oldest {
                return false;
            }
        }
        self.used.insert(id, window);
        true
    }

    /// Forgets nonces made before `oldest`, which are refused for their age.
    pub(crate) fn expire(&mut self, oldest: Timestamp) {
        while let Some(entry) = self.used.first_entry()
            && entry.key().time < oldest
        {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(time: u64) -> NonceId {
        NonceId {
            time: Timestamp(time),
            number: 0,
        }
    }

    #[test]
    fn each_count_once_in_any_order() {
        let mut table = NonceTable::new(8);
        for (count, fresh) in [
            (1, true),
            (1, false),
            (3, true),
            (2, true),
            (2, false),
            (0, false),
            (200, true),
            (136, false),
            (137, true),
            (u32::MAX, true),
            (u32::MAX, false),
        ] {
            assert_eq!(table.note(id(1), Some(count)), fresh, "nc {count}");
        }
    }

    #[test]
    fn without_count_a_nonce_is_good_once() {
        let mut table = NonceTable::new(8);
        assert!(table.note(id(1), None));
        assert!(!table.note(id(1), None));
        assert!(!table.note(id(1), Some(7)));
        assert!(table.note(id(2), Some(1)));
        assert!(!table.note(id(2), None));
    }

    #[test]
    fn forgetting_never_lets_a_replay_through() {
        let mut table = NonceTable::new(2);
        for time in 1..=5 {
            assert!(table.note(id(time), Some(1)));
        }
        for time in 1..=3 {
            assert!(!table.note(id(time), Some(1)), "forgotten {time}");
        }
        table.expire(Timestamp(5));
        assert!(table.note(id(6), Some(1)));
        assert_eq!(table.used.len(), 2);
    }
}
