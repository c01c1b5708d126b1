//! Who writes more than the disk takes waits until it has caught up.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What is called when there is room again.
pub type Eased = Box<dyn FnOnce() + Send>;

/// A disk that has done nothing for so long is not waited for: whoever has something to be kept is better refused than left without
/// an answer.
const STUCK: Duration = Duration::from_secs(1);

/// Those who wait, in the order in which they came.
///
/// Between the two marks nothing changes, so that many go on with one wake-up. No more are called at once than there is room for up to
/// the upper mark; who comes while others wait goes behind them.
pub(crate) struct Easing {
    high: usize,
    low: usize,
    waiting: VecDeque<Eased>,
    /// Since when the writer has had something in its hands, or could not write.
    busy_since: Option<Instant>,
}

impl Easing {
    /// For a queue of so many: the upper mark leaves room for those who cannot wait, and for what is dropped when half is full.
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            high: bound * 3 / 8,
            low: bound / 4,
            waiting: VecDeque::new(),
            busy_since: None,
        }
    }

    /// Up to here nobody has to wait, whoever does already.
    pub(crate) fn high(&self) -> usize {
        self.high
    }

    /// Whoever can is to wait with what is to be written.
    pub(crate) fn is_pressed(&self, depth: usize, now: Instant) -> bool {
        (depth > self.high || !self.waiting.is_empty()) && !self.is_stuck(now)
    }

    fn is_stuck(&self, now: Instant) -> bool {
        self.busy_since.is_some_and(|since| since + STUCK <= now)
    }

    /// Calls `eased` later; gives it back when it is to be called now.
    pub(crate) fn wait(&mut self, eased: Eased, depth: usize, now: Instant) -> Option<Eased> {
        if !self.is_pressed(depth, now) {
            return Some(eased);
        }
        self.waiting.push_back(eased);
        None
    }

    /// The writer has something in its hands.
    pub(crate) fn taken(&mut self, now: Instant) {
        self.busy_since.get_or_insert(now);
    }

    /// It is on the disk.
    pub(crate) fn written(&mut self) {
        self.busy_since = None;
    }

    /// Who is to be called now.
    pub(crate) fn ease(&mut self, depth: usize, now: Instant) -> VecDeque<Eased> {
        if self.waiting.is_empty() || self.is_stuck(now) {
            return self.end();
        }
        if depth > self.low {
            return VecDeque::new();
        }
        let room = self.high.saturating_sub(depth).max(1);
        let left = self.waiting.split_off(room.min(self.waiting.len()));
        std::mem::replace(&mut self.waiting, left)
    }

    /// Nobody waits any longer.
    pub(crate) fn end(&mut self) -> VecDeque<Eased> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::sync::Arc;
    use std::sync::Mutex;

    /// Numbers of those who were called.
    type Called = Arc<Mutex<Vec<usize>>>;

    fn eased(called: &Called, number: usize) -> Eased {
        let called = Arc::clone(called);
        Box::new(move || called.lock().unwrap().push(number))
    }

    fn call(all: VecDeque<Eased>) {
        for eased in all {
            eased();
        }
    }

    #[test]
    fn who_came_first_goes_first_and_as_many_as_there_is_room_for() {
        let now = Instant::now();
        let called = Called::default();
        let mut easing = Easing::new(16);
        assert!(!easing.is_pressed(6, now));
        assert!(easing.wait(eased(&called, 0), 6, now).is_some());
        for number in 1..=6 {
            assert!(easing.wait(eased(&called, number), 7, now).is_none());
        }
        call(easing.ease(5, now));
        assert!(called.lock().unwrap().is_empty(), "the lower mark is at 4");
        call(easing.ease(3, now));
        assert_eq!(*called.lock().unwrap(), [1, 2, 3]);
        // Who comes now does not pass those who wait.
        assert!(easing.is_pressed(0, now));
        assert!(easing.wait(eased(&called, 7), 0, now).is_none());
        call(easing.ease(0, now));
        assert_eq!(*called.lock().unwrap(), [1, 2, 3, 4, 5, 6, 7]);
        assert!(!easing.is_pressed(6, now));
    }

    #[test]
    fn a_disk_that_does_nothing_is_not_waited_for() {
        let begun = Instant::now();
        let called = Called::default();
        let mut easing = Easing::new(16);
        easing.taken(begun);
        assert!(easing.wait(eased(&called, 1), 9, begun).is_none());
        call(easing.ease(9, begun + STUCK / 2));
        assert!(called.lock().unwrap().is_empty());
        // What was refused counts from the first on.
        easing.taken(begun + STUCK / 2);
        call(easing.ease(9, begun + STUCK));
        assert_eq!(*called.lock().unwrap(), [1]);
        assert!(!easing.is_pressed(16, begun + STUCK));
        easing.written();
        assert!(easing.is_pressed(9, begun + STUCK));
    }
}
