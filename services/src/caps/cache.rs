//! What hashes mean, for all sessions at once, within a bound.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use super::hash::Key;
use super::interests::Interests;

/// Verified hashes. In two halves: when the younger is full the older is forgotten, and what is asked for moves to the younger. So what
/// is in use stays, and what somebody made up goes.
#[derive(Debug)]
pub struct Cache {
    halves: Mutex<Halves>,
    half: usize,
}

#[derive(Debug, Default)]
struct Halves {
    young: HashMap<Key, Interests>,
    old: HashMap<Key, Interests>,
    /// One of each, so that hashes which mean the same share it.
    shared: HashSet<Interests>,
}

impl Cache {
    /// With room for so many hashes, two at least.
    pub fn new(most: usize) -> Self {
        Self {
            halves: Mutex::default(),
            half: (most / 2).max(1),
        }
    }

    /// What a hash means.
    pub fn get(&self, key: &Key) -> Option<Interests> {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = halves.young.get(key) {
            return Some(found.clone());
        }
        let (key, found) = halves.old.remove_entry(key)?;
        halves.put(key, found.clone(), self.half);
        Some(found)
    }

    /// Keeps what was verified.
    pub fn put(&self, key: Key, interests: &Interests) -> Interests {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        let interests = halves.share(interests);
        halves.put(key, interests.clone(), self.half);
        interests
    }

    /// How many hashes are known.
    pub fn len(&self) -> usize {
        let halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        halves.young.len() + halves.old.len()
    }

    /// None is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Halves {
    fn put(&mut self, key: Key, interests: Interests, half: usize) {
        if self.young.len() >= half {
            self.old = std::mem::take(&mut self.young);
            let used: HashSet<Interests> = self.old.values().cloned().collect();
            self.shared = used;
        }
        self.shared.insert(interests.clone());
        self.young.insert(key, interests);
    }

    fn share(&mut self, interests: &Interests) -> Interests {
        match self.shared.get(interests) {
            Some(shared) => shared.clone(),
            None => interests.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caps::Algorithm;

    fn key(n: usize) -> Key {
        Key {
            second: false,
            algorithm: Algorithm::Sha1,
            value: n.to_string().into(),
        }
    }

    #[test]
    fn bounded_and_what_is_in_use_stays() {
        let cache = Cache::new(10);
        let interests = Interests::new(["a"]);
        for n in 0..1000 {
            cache.put(key(n), &interests);
            assert_eq!(cache.get(&key(0)), Some(interests.clone()), "{n}");
            assert!(cache.len() <= 10);
        }
        assert_eq!(cache.get(&key(1)), None);
        assert_eq!(cache.get(&key(999)), Some(interests));
    }
}
