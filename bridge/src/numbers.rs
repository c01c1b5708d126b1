//! Tables by numbers that are made here: nobody outside chooses them, so they need no hash that resists.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A table by such a number.
pub(crate) type ByNumber<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

/// Spreads a number over all bits.
#[derive(Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.write_u64(self.0 ^ u64::from(*octet));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_fall_apart() {
        let spread = |number: u64| {
            let mut spread = Spread::default();
            spread.write_u64(number);
            spread.finish()
        };
        let mut low: Vec<u64> = (0..1024).map(|n| spread(n) & 1023).collect();
        let mut high: Vec<u64> = (0..1024).map(|n| spread(n) >> 57).collect();
        for (found, least) in [(&mut low, 500), (&mut high, 120)] {
            found.sort_unstable();
            found.dedup();
            assert!(found.len() > least, "{}", found.len());
        }
    }
}
