//! The way to the writer: one bounded queue in one order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::easing::{Eased, Easing};
use crate::{Op, Overloaded, StoreError};

/// What is called when a unit is committed or has failed.
pub type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A group has so many units at most, so that the first does not wait long for the last.
const GROUP_UNITS: usize = 512;
/// A group has about so many bytes at most.
const GROUP_BYTES: usize = 4 << 20;
/// Soft units alone wait so long for others to share the disk with: what a crash may take of them, and twenty commits a second
/// at most, which is a hundredth of a core.
const SOFT_DELAY: Duration = Duration::from_millis(50);
/// From so many units in a group on, more are on their way: then groups begin so far apart at least. A commit costs some hundred
/// microseconds of CPU, whatever is in it, and the units of a millisecond share it. Who changes things alone waits for nobody.
const MANY: usize = 8;
const PACE: Duration = Duration::from_millis(1);

/// Operations that are done together or not at all. Soft ones have nobody who waits.
pub(crate) struct Unit {
    pub(crate) ops: Vec<Op>,
    pub(crate) done: Option<Done>,
}

enum Work {
    Unit(Unit),
    Barrier(mpsc::Sender<()>),
}

/// What the writer takes at once.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) units: Vec<Unit>,
    pub(crate) barriers: Vec<mpsc::Sender<()>>,
    /// Nothing comes after this group; `Some(true)`: the run ends cleanly.
    pub(crate) end: Option<bool>,
}

struct State {
    work: VecDeque<Work>,
    units: usize,
    /// Units in the writer's hands.
    taken: usize,
    /// When the next group may be taken, after one of many units.
    paced: Option<Instant>,
    /// The writer waits for that moment: nothing but a barrier or the end wakes it.
    gathering: bool,
    barriers: usize,
    /// Changes refused since the queue was full.
    refused: u64,
    /// Until when another program's hold on the database is waited for.
    hurry: Option<Instant>,
    /// Somebody waits for something in `work`.
    urgent: bool,
    soft_since: Option<Instant>,
    soft_dropped: u64,
    end: Option<bool>,
    easing: Easing,
}

/// The queue.
pub(crate) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    bound: usize,
    /// Somebody may have to wait: the question that everybody asks costs no lock while nobody has to.
    pressed: AtomicBool,
}

impl Queue {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            state: Mutex::new(State {
                work: VecDeque::new(),
                units: 0,
                taken: 0,
                paced: None,
                gathering: false,
                barriers: 0,
                refused: 0,
                hurry: None,
                urgent: false,
                soft_since: None,
                soft_dropped: 0,
                end: None,
                easing: Easing::new(bound),
            }),
            wake: Condvar::new(),
            bound,
            pressed: AtomicBool::new(false),
        }
    }

    /// Queues a unit, or gives it back when the queue is full or closed.
    pub(crate) fn submit(&self, ops: Vec<Op>, done: Done) -> Result<(), Overloaded> {
        let mut state = self.state.lock();
        if state.depth() >= self.bound || state.end.is_some() {
            let first = state.refused == 0 && state.end.is_none();
            state.refused += 1;
            drop(state);
            if first {
                tracing::error!(
                    bound = self.bound,
                    "the queue to the disk is full: changes are refused"
                );
            }
            return Err(Overloaded(ops, done));
        }
        state.units += 1;
        state.urgent = true;
        state.work.push_back(Work::Unit(Unit {
            ops,
            done: Some(done),
        }));
        if state.depth() > state.easing.high() {
            self.pressed.store(true, Ordering::Relaxed);
        }
        let wakes = state.is_awaited();
        drop(state);
        if wakes {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Queues a unit that nobody waits for. It takes no place that others need: it is dropped when half of the queue is full.
    pub(crate) fn submit_soft(&self, ops: Vec<Op>) {
        if self.submit_quietly(ops, self.bound.div_ceil(2)).is_err() {
            self.state.lock().soft_dropped += 1;
        }
    }

    /// Queues a unit that nobody waits for but that is not to be dropped: it may take the last place, and is given back when there is
    /// none.
    pub(crate) fn submit_kept(&self, ops: Vec<Op>) -> Result<(), Vec<Op>> {
        self.submit_quietly(ops, self.bound)
    }

    fn submit_quietly(&self, ops: Vec<Op>, bound: usize) -> Result<(), Vec<Op>> {
        let mut state = self.state.lock();
        if state.depth() >= bound || state.end.is_some() {
            return Err(ops);
        }
        state.units += 1;
        let first = state.soft_since.is_none();
        state.soft_since.get_or_insert_with(Instant::now);
        state.work.push_back(Work::Unit(Unit { ops, done: None }));
        // The first makes the writer set its alarm.
        let wakes = state.is_awaited() && (first || state.units >= GROUP_UNITS);
        drop(state);
        if wakes {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Gives a receiver that hears when everything queued before is committed.
    pub(crate) fn barrier(&self) -> mpsc::Receiver<()> {
        let (sender, receiver) = mpsc::channel();
        let mut state = self.state.lock();
        if state.end.is_none() {
            state.urgent = true;
            state.barriers += 1;
            state.work.push_back(Work::Barrier(sender));
            self.wake.notify_one();
        }
        receiver
    }

    /// Nothing more is taken; the writer ends when all is done.
    pub(crate) fn close(&self, clean: bool) {
        let mut state = self.state.lock();
        state.end.get_or_insert(clean);
        self.wake.notify_one();
    }

    /// The writer is gone: nothing more is taken, and those who wait are told.
    pub(crate) fn abandon(&self) {
        let left = {
            let mut state = self.state.lock();
            state.end.get_or_insert(false);
            (state.units, state.taken) = (0, 0);
            let waiting = state.easing.end();
            let left = std::mem::take(&mut state.work);
            drop(state);
            for eased in waiting {
                eased();
            }
            left
        };
        for work in left {
            if let Work::Unit(Unit {
                done: Some(done), ..
            }) = work
            {
                done(Err(StoreError::Io("the writer has ended".into())));
            }
        }
    }

    /// Units that are not on the disk yet.
    pub(crate) fn depth(&self) -> usize {
        self.state.lock().depth()
    }

    /// Whoever can is to wait with what is to be written, by [`Queue::when_eased`].
    pub(crate) fn is_pressed(&self) -> bool {
        if !self.pressed.load(Ordering::Relaxed) {
            return false;
        }
        let state = self.state.lock();
        state.easing.is_pressed(state.depth(), Instant::now())
    }

    /// Calls `eased` when there is room again, at once when there is.
    pub(crate) fn when_eased(&self, eased: Eased) {
        let mut state = self.state.lock();
        let depth = state.depth();
        let now = match state.end {
            None => state.easing.wait(eased, depth, Instant::now()),
            Some(_) => Some(eased),
        };
        if now.is_none() {
            // What nobody waits for may have filled the queue meanwhile, without a word.
            self.pressed.store(true, Ordering::Relaxed);
        }
        drop(state);
        if let Some(eased) = now {
            eased();
        }
    }

    /// Calls those who waited and for whom there is room now, or whom the disk leaves waiting for too long.
    pub(crate) fn ease(&self) {
        if !self.pressed.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.state.lock();
        let (depth, now) = (state.depth(), Instant::now());
        let eased = state.easing.ease(depth, now);
        let over = depth <= state.easing.high() && !state.easing.is_pressed(depth, now);
        self.pressed.store(!over, Ordering::Relaxed);
        drop(state);
        for eased in eased {
            eased();
        }
    }

    /// The group that was taken is on the disk, or has failed.
    pub(crate) fn done(&self, written: bool) {
        let mut state = self.state.lock();
        state.taken = 0;
        if written {
            state.easing.written();
        }
        // Not at the first free place, so that a queue at its bound does not say so all the time.
        if state.refused > 0 && state.depth() <= self.bound / 2 {
            let refused = std::mem::take(&mut state.refused);
            tracing::warn!(refused, "the queue to the disk takes changes again");
        }
        drop(state);
        self.ease();
    }

    /// From now on another program's hold on the database is waited for until `patience` is over.
    pub(crate) fn hurry(&self, patience: Duration) {
        self.state.lock().hurry = Some(Instant::now() + patience);
    }

    /// Until when such a hold is waited for, once the end is near.
    pub(crate) fn hurried(&self) -> Option<Instant> {
        self.state.lock().hurry
    }

    /// Soft units dropped since the start.
    pub(crate) fn soft_dropped(&self) -> u64 {
        self.state.lock().soft_dropped
    }

    /// Waits for work, but no longer than `patience`, and takes as much as fits one transaction: nothing when there was none.
    pub(crate) fn take(&self, patience: Option<Duration>) -> Group {
        let tired = patience.map(|patience| Instant::now() + patience);
        let mut state = self.state.lock();
        while !state.urgent && state.end.is_none() && state.units < GROUP_UNITS {
            let now = Instant::now();
            let ripe = state.soft_since.map(|since| since + SOFT_DELAY);
            if ripe.is_some_and(|ripe| ripe <= now) {
                break;
            }
            if tired.is_some_and(|tired| tired <= now) {
                return Group::default();
            }
            match ripe.into_iter().chain(tired).min() {
                Some(until) => drop(self.wake.wait_until(&mut state, until)),
                None => self.wake.wait(&mut state),
            }
        }
        self.gather(&mut state);
        state.take()
    }

    /// Lets more units come, when many came lately.
    fn gather(&self, state: &mut MutexGuard<'_, State>) {
        let Some(paced) = state.paced else { return };
        state.gathering = true;
        while state.barriers == 0 && state.end.is_none() && state.units < GROUP_UNITS {
            if self.wake.wait_until(state, paced).timed_out() {
                break;
            }
        }
        state.gathering = false;
    }
}

impl State {
    fn depth(&self) -> usize {
        self.units + self.taken
    }

    /// Whether one more unit is to wake the writer.
    fn is_awaited(&self) -> bool {
        !self.gathering || self.units >= GROUP_UNITS
    }

    fn take(&mut self) -> Group {
        let mut group = Group::default();
        let mut bytes = 0;
        while group.units.len() < GROUP_UNITS && bytes < GROUP_BYTES {
            match self.work.pop_front() {
                Some(Work::Unit(unit)) => {
                    bytes += unit.ops.iter().map(Op::weight).sum::<usize>();
                    self.units -= 1;
                    group.units.push(unit);
                }
                Some(Work::Barrier(barrier)) => {
                    self.barriers -= 1;
                    group.barriers.push(barrier);
                }
                None => break,
            }
        }
        if self.work.is_empty() {
            self.urgent = false;
            self.soft_since = None;
            group.end = self.end;
        }
        self.taken = group.units.len();
        self.paced = None;
        if self.taken > 0 {
            let now = Instant::now();
            self.easing.taken(now);
            self.paced = (self.taken >= MANY).then(|| now + PACE);
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submit(queue: &Queue, units: usize) {
        for _ in 0..units {
            assert!(queue.submit(Vec::new(), Box::new(drop)).is_ok());
        }
    }

    #[test]
    fn groups_of_many_units_begin_a_pace_apart() {
        let queue = Queue::new(1000);
        let begun = Instant::now();
        submit(&queue, MANY);
        assert_eq!(queue.take(None).units.len(), MANY);
        submit(&queue, 1);
        assert_eq!(queue.take(None).units.len(), 1);
        assert!(begun.elapsed() >= PACE);
    }

    #[test]
    fn nobody_waits_after_few_units_nor_does_a_barrier_or_the_end() {
        let queue = Queue::new(1000);
        submit(&queue, MANY - 1);
        assert_eq!(queue.take(None).units.len(), MANY - 1);
        assert!(queue.state.lock().paced.is_none());
        let far = || Instant::now() + Duration::from_secs(3600);
        queue.state.lock().paced = Some(far());
        let waits = queue.barrier();
        let group = queue.take(None);
        assert_eq!((group.units.len(), group.barriers.len()), (0, 1));
        drop((group, waits));
        queue.state.lock().paced = Some(far());
        submit(&queue, 1);
        queue.close(true);
        assert_eq!(queue.take(None).end, Some(true));
    }

    #[test]
    fn a_full_group_waits_for_no_more() {
        let queue = Queue::new(GROUP_UNITS);
        queue.state.lock().paced = Some(Instant::now() + Duration::from_secs(3600));
        submit(&queue, GROUP_UNITS);
        assert_eq!(queue.take(None).units.len(), GROUP_UNITS);
    }
}
