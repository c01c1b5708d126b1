//! Waiting for events, never for time to pass.

use std::time::{Duration, Instant};

/// How long an event may take before the test fails. Long, for busy machines: no test waits for its end unless it fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// Waits until `look` finds something.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_within(DEADLINE, what, look)
}

/// Waits until `look` finds something, at most `deadline`.
#[track_caller]
pub(crate) fn wait_within<T>(
    deadline: Duration,
    what: &str,
    mut look: impl FnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what}: not within {deadline:?}");
        // Files and other processes send no wake-up.
        std::thread::park_timeout(Duration::from_millis(3));
    }
}
