//! Unpredictable ids and nonces out of one seed, so that a session draws no randomness of its own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;

/// HMAC-SHA-256 over a counter: what it gives cannot be told from randomness by whoever does not know the seed.
pub(super) struct Random {
    seed: [u8; 32],
    drawn: u64,
}

impl Random {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    fn block(&mut self) -> [u8; 32] {
        self.drawn += 1;
        // HMAC takes keys of any length, so this cannot fail; were it to, the block would stay zero.
        Hmac::<Sha256>::new_from_slice(&self.seed).map_or([0; 32], |mut mac| {
            mac.update(&self.drawn.to_be_bytes());
            mac.finalize().into_bytes().into()
        })
    }

    /// `N` bytes, at most 32.
    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 32) };
        let block = self.block();
        std::array::from_fn(|index| block.get(index).copied().unwrap_or_default())
    }

    /// An id of 144 bits (RFC 6120 §4.7.3: unpredictable and never repeated).
    pub(super) fn id(&mut self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<18>())
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Random(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn never_twice_and_by_seed() {
        let mut one = Random::new([1; 32]);
        let ids: HashSet<_> = (0..100).map(|_| one.id()).collect();
        assert_eq!(ids.len(), 100);
        assert!(ids.iter().all(|id| id.len() == 24));
        assert_eq!(Random::new([1; 32]).id(), Random::new([1; 32]).id());
        assert!(!ids.contains(&Random::new([2; 32]).id()));
    }
}
