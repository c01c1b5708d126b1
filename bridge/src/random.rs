//! Tags, Call-IDs and jitter out of one seed.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// A stream that nobody can guess without the seed: SHA-256 of seed and counter.
pub(crate) struct Random {
    seed: [u8; 32],
    counter: u64,
    /// What is left of the last block.
    pool: [u64; 4],
    left: usize,
}

impl Random {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            counter: 0,
            pool: [0; 4],
            left: 0,
        }
    }

    fn block(&self, label: u8, value: u64) -> [u64; 4] {
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update([label]);
        hash.update(value.to_be_bytes());
        let octets: [u8; 32] = hash.finalize().into();
        let mut words = [0; 4];
        for (word, octets) in words.iter_mut().zip(octets.chunks_exact(8)) {
            *word = octets.iter().fold(0, |w, o| w << 8 | u64::from(*o));
        }
        words
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        if self.left == 0 {
            self.counter += 1;
            self.pool = self.block(0, self.counter);
            self.left = self.pool.len();
        }
        self.left -= 1;
        self.pool.get(self.left).copied().unwrap_or_default()
    }

    /// A token of 64 random bits.
    pub(crate) fn token(&mut self) -> String {
        hex(self.next())
    }

    /// A token that [`Random::is_own`] knows again, in this run of the server.
    pub(crate) fn own_token(&mut self) -> String {
        let value = self.next();
        let mut text = hex(value);
        let _ = write!(text, "{:08x}", self.mark(value));
        text
    }

    fn mark(&self, value: u64) -> u64 {
        let [mark, ..] = self.block(1, value);
        mark >> 32
    }

    /// Whether a token was made by [`Random::own_token`] of this seed.
    pub(crate) fn is_own(&self, token: &str) -> bool {
        let (Some(value), Some(mark), 24) = (token.get(..16), token.get(16..), token.len()) else {
            return false;
        };
        match (
            u64::from_str_radix(value, 16),
            u64::from_str_radix(mark, 16),
        ) {
            (Ok(value), Ok(mark)) => self.mark(value) == mark,
            _ => false,
        }
    }

    /// `seconds` less up to a tenth, but not below `least`: what was asked for at one moment is not asked for again at one moment.
    pub(crate) fn shortened(&mut self, seconds: u32, least: u32) -> u32 {
        let most = u64::from(seconds) / 10;
        let less = u32::try_from(self.next() % (most + 1)).unwrap_or(0);
        seconds.saturating_sub(less).max(least.min(seconds))
    }
}

/// 16 hexadecimal digits.
fn hex(number: u64) -> String {
    (0..64)
        .step_by(4)
        .rev()
        .map(|shift| char::from(b"0123456789abcdef"[(number >> shift) as usize & 15]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_tokens_are_known_again() {
        let mut random = Random::new([7; 32]);
        let token = random.own_token();
        assert!(random.is_own(&token));
        assert!(!random.is_own(&Random::token_of_test()));
        assert!(!Random::new([8; 32]).is_own(&token));
        assert!(!random.is_own("x") && !random.is_own("zzzzzzzzzzzzzzzzzzzzzzzz"));
    }

    #[test]
    fn jitter_shortens_only() {
        let mut random = Random::new([1; 32]);
        for _ in 0..200 {
            assert!((540..=600).contains(&random.shortened(600, 60)));
            assert!((60..=62).contains(&random.shortened(62, 60)));
            assert_eq!(random.shortened(30, 60), 30);
        }
    }

    impl Random {
        fn token_of_test() -> String {
            format!("{:016x}{:08x}", 1_u64, 2_u64)
        }
    }
}
