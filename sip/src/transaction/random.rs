//! Branches, tags and Call-IDs, and hashes that peers cannot foresee, out of one seed.

use std::{
    fmt::Write as _,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hasher},
};

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// A stream of octets that nobody can guess without the seed: HMAC-SHA-256 of a counter.
pub(super) struct Random {
    mac: Hmac<Sha256>,
    counter: u64,
    pool: [u8; 32],
    used: usize,
}

impl Random {
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        // HMAC fills a key up with zeros to the block of its hash (RFC 2104 §2).
        let mut block = [0; 64];
        let (head, _) = block.split_at_mut(seed.len());
        head.copy_from_slice(seed);
        Self {
            mac: Hmac::new(&block.into()),
            counter: 0,
            pool: [0; 32],
            used: 32,
        }
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        if self.used >= self.pool.len() {
            let mut mac = self.mac.clone();
            mac.update(&self.counter.to_be_bytes());
            self.counter += 1;
            self.pool = mac.finalize().into_bytes().into();
            self.used = 0;
        }
        let octets = self.pool.iter().skip(self.used).take(8);
        let word = octets.fold(0, |word, octet| word << 8 | u64::from(*octet));
        self.used += 8;
        word
    }

    /// `words` times 64 bits as hexadecimal digits: a token, the same in any case.
    pub(super) fn token(&mut self, words: usize) -> String {
        let mut text = String::with_capacity(words * 16);
        for _ in 0..words {
            let _ = write!(text, "{:016x}", self.next());
        }
        text
    }
}

/// Makes the hashers of the tables. The secret keeps peers from choosing keys that collide.
#[derive(Clone)]
pub(super) struct Seeded {
    secret: u128,
}

impl Seeded {
    pub(super) fn new(random: &mut Random) -> Self {
        Self {
            secret: u128::from(random.next()) << 64 | u128::from(random.next()),
        }
    }

    /// The hash of some octets.
    pub(super) fn hash(&self, octets: &[u8]) -> u64 {
        let mut hasher = self.build_hasher();
        hasher.write(octets);
        hasher.finish()
    }

    /// The hash of a list of texts; where one ends and the next begins counts.
    pub(super) fn hash_parts(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = self.build_hasher();
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish()
    }
}

/// For keys that are hashes already.
pub(super) type AsItIs = BuildHasherDefault<Taken>;

/// Takes a number for its own hash.
#[derive(Default)]
pub(super) struct Taken(u64);

impl Hasher for Taken {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = self.0 << 8 | u64::from(*octet);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl BuildHasher for Seeded {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u128(self.secret);
        hasher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_stream_without_repeats() {
        let mut one = Random::new(&[7; 32]);
        let mut other = Random::new(&[7; 32]);
        let words: Vec<u64> = (0..1000).map(|_| one.next()).collect();
        assert!(words.iter().all(|word| *word == other.next()));
        let distinct: std::collections::HashSet<&u64> = words.iter().collect();
        assert_eq!(distinct.len(), words.len());
        assert_ne!(Random::new(&[8; 32]).next(), Random::new(&[7; 32]).next());
        assert_eq!(one.token(2).len(), 32);
    }

    #[test]
    fn parts_are_told_apart() {
        let seeded = Seeded::new(&mut Random::new(&[1; 32]));
        assert_ne!(
            seeded.hash_parts(&[b"ab", b"c"]),
            seeded.hash_parts(&[b"a", b"bc"])
        );
    }
}
