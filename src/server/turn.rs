//! Turns: what one input causes is written out once, at its end, by the thread that had the input.
//!
//! Whoever appends to a link's queue marks the link. At the end of the turn every marked link is flushed once; no task is woken for a
//! recipient unless its socket is full. A turn that marked many links lets other turns run first, so that what they add for the same
//! recipients goes out in the same write (decision 0001).
//!
//! What a turn leaves for the SIP machines is worked off at its end as well, by the same thread: no task is woken for that either.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::link::Link;

/// From this many marked links on, others may add to them before they are flushed.
const MANY: usize = 4;

thread_local! {
    static MARKED: RefCell<Vec<Arc<Link>>> = const { RefCell::new(Vec::new()) };
    static LEFT: RefCell<Option<Arc<dyn Leftover>>> = const { RefCell::new(None) };
    /// Turns that run on this thread, one inside the other.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Work that turns leave behind.
pub(super) trait Leftover {
    /// Does it, holding no lock of those who left it.
    fn work_off(self: Arc<Self>);
    /// Has it done by somebody else.
    fn pass_on(&self);
}

/// Leaves work to the end of the turn that runs on this thread. False: there is none.
pub(super) fn leave<T: Leftover + 'static>(work: impl FnOnce() -> Option<Arc<T>>) -> bool {
    if DEPTH.get() == 0 {
        return false;
    }
    LEFT.with_borrow_mut(|left| {
        if left.is_none() {
            *left = work().map(|work| work as Arc<dyn Leftover>);
        }
        left.is_some()
    })
}

/// What was left is done already.
pub(super) fn nothing_left() {
    LEFT.with_borrow_mut(Option::take);
}

/// Counts a turn while it lives.
struct Running;

impl Running {
    fn new() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        if std::thread::panicking()
            && let Some(left) = LEFT.with_borrow_mut(Option::take)
        {
            left.pass_on();
        }
    }
}

/// The beginning of a turn that goes on with [`yielding_turn`] before anything is awaited: what it leaves and marks is seen to there.
pub(crate) fn begin<T>(work: impl FnOnce() -> T) -> T {
    let _running = Running::new();
    work()
}

fn run<T>(work: impl FnOnce() -> T) -> T {
    let running = Running::new();
    let result = work();
    drop(running);
    while let Some(left) = LEFT.with_borrow_mut(Option::take) {
        left.work_off();
    }
    result
}

/// Remembers that this link has something to write.
pub(super) fn mark(link: &Arc<Link>) {
    MARKED.with_borrow_mut(|list| list.push(Arc::clone(link)));
}

/// Runs `work` and writes out what it caused.
pub(crate) fn turn<T>(work: impl FnOnce() -> T) -> T {
    let result = run(work);
    flush(MARKED.with_borrow_mut(std::mem::take));
    result
}

/// Like [`turn`], in a task: a turn that reaches many yields once before it writes.
pub(crate) async fn yielding_turn<T>(work: impl FnOnce() -> T) -> T {
    let result = run(work);
    let marked = MARKED.with_borrow_mut(std::mem::take);
    if marked.len() > MANY {
        tokio::task::yield_now().await;
    }
    flush(marked);
    result
}

fn flush(mut marked: Vec<Arc<Link>>) {
    for link in marked.drain(..) {
        link.flush();
    }
    // The list keeps its room for the next turn, unless one was unusually large.
    if (1..=1024).contains(&marked.capacity()) {
        MARKED.with_borrow_mut(|list| {
            if list.capacity() == 0 {
                *list = marked;
            }
        });
    }
}
