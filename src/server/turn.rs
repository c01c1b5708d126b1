//! Turns: what one input causes is written out once, at its end, by the thread that had the input.
//!
//! Whoever appends to a link's queue marks the link. At the end of the turn every marked link is flushed once; no task is woken for a
//! recipient unless its socket is full. A turn that marked many links lets other turns run first, so that what they add for the same
//! recipients goes out in the same write (decision 0001).

use std::cell::RefCell;
use std::sync::Arc;

use super::link::Link;

/// From this many marked links on, others may add to them before they are flushed.
const MANY: usize = 4;

thread_local! {
    static MARKED: RefCell<Vec<Arc<Link>>> = const { RefCell::new(Vec::new()) };
}

/// Remembers that this link has something to write.
pub(super) fn mark(link: &Arc<Link>) {
    MARKED.with_borrow_mut(|list| list.push(Arc::clone(link)));
}

/// Runs `work` and writes out what it caused.
pub(crate) fn turn<T>(work: impl FnOnce() -> T) -> T {
    let result = work();
    flush(MARKED.with_borrow_mut(std::mem::take));
    result
}

/// Like [`turn`], in a task: a turn that reaches many yields once before it writes.
pub(crate) async fn yielding_turn<T>(work: impl FnOnce() -> T) -> T {
    let result = work();
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
