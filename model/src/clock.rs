//! The two times and the randomness that every call is given.

use std::time::Duration;

use presence::{EntityTag, Timestamp, Utc};

/// The moment of a call on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For timers.
    pub at: Timestamp,
    /// For what is stored and shown.
    pub utc: Utc,
}

impl Now {
    /// Where a stored end of life lies on the clock of timers.
    pub fn deadline(self, expires: Utc) -> Timestamp {
        self.at.plus(expires.since(self.utc))
    }

    /// A stored end of life from a duration.
    pub fn expires(self, after: Duration) -> Utc {
        self.utc.plus(after)
    }
}

/// Random octets from the operating system, or from a seed in tests.
pub type Randomness = Box<dyn Fn(&mut [u8]) + Send + Sync>;

/// An unguessable entity tag of 128 bits (RFC 3903 §4.1 leaves the form to the server).
pub(crate) fn entity_tag(random: &Randomness) -> EntityTag {
    EntityTag(hex::<16>(random).into())
}

/// `2 * N` random hex digits.
pub(crate) fn hex<const N: usize>(random: &Randomness) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut octets = [0; N];
    random(&mut octets);
    let mut text = String::with_capacity(2 * N);
    for octet in octets {
        text.push(DIGITS[usize::from(octet >> 4)].into());
        text.push(DIGITS[usize::from(octet & 15)].into());
    }
    text
}

/// A random duration below `most`.
pub(crate) fn jitter(random: &Randomness, most: Duration) -> Duration {
    let mut octets = [0; 8];
    random(&mut octets);
    let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(u64::from_le_bytes(octets) % most)
}
