//! Both clocks at once, for machines that run timers and stamp what they pass on.

use presence::{Timestamp, Utc};

/// The present moment on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// On the monotonic clock: for timers.
    pub at: Timestamp,
    /// On the wall clock: for what is stored or shown.
    pub utc: Utc,
}
