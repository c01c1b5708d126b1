//! Tags, Call-IDs and jitter out of one seed.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// A stream that nobody can guess without the seed: SHA-256 of seed and counter.
pub(crate) struct Random {
    seed: [u8; 32],
    counter: u64,
}

impl Random {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }

    fn block(&self, label: u8, value: u64) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update([label]);
        hash.update(value.to_be_bytes());
        let out = hash.finalize();
        out.iter()
            .take(8)
            .fold(0, |word, octet| word << 8 | u64::from(*octet))
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.counter += 1;
        self.block(0, self.counter)
    }

    /// A token of 64 random bits.
    pub(crate) fn token(&mut self) -> String {
        format!("{:016x}", self.next())
    }

    /// A token that [`Random::is_own`] knows again, in this run of the server.
    pub(crate) fn own_token(&mut self) -> String {
        let value = self.next();
        let mut text = format!("{value:016x}");
        let _ = write!(text, "{:08x}", self.block(1, value) >> 32);
        text
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
            (Ok(value), Ok(mark)) => self.block(1, value) >> 32 == mark,
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
