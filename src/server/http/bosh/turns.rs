//! Answers of a session leave in the order in which it gives them.
//!
//! Each request is answered by a task of its own, on any thread, over several connections or as streams of one. XEP-0124 has clients put answers
//! in order, but those of browsers (strophe.js, stanza) take them as they come: with two of them exchanged, stanzas come in a wrong order, and
//! a client with stream management counts one that it should not. So an answer waits until the one before it is out.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;

/// A connection that takes an answer no faster holds up the others no longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The turns of one session. The lock is a leaf.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<Line>);

#[derive(Debug, Default)]
struct Line {
    /// The number of the next turn that is given.
    given: u64,
    /// All with lower numbers are over.
    over: u64,
    /// Those above that are over as well.
    early: Vec<u64>,
    waiting: Vec<(u64, Waker)>,
}

impl Turns {
    /// The next turn. It is over when it is dropped.
    pub(super) fn next(self: &Arc<Self>) -> Turn {
        let mut line = self.0.lock();
        let number = line.given;
        line.given += 1;
        Turn {
            turns: Arc::clone(self),
            number,
        }
    }
}

/// The turn of one answer.
#[derive(Debug)]
pub(in super::super) struct Turn {
    turns: Arc<Turns>,
    number: u64,
}

impl Turn {
    /// All before it are over.
    pub(in super::super) fn has_come(&self) -> bool {
        self.turns.0.lock().over >= self.number
    }

    /// Waits until all before it are over.
    pub(in super::super) async fn come(&self) {
        if self.turns.0.lock().over < self.number {
            let come = poll_fn(|context| self.poll(context));
            let _ = tokio::time::timeout(PATIENCE, come).await;
        }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut line = self.turns.0.lock();
        if line.over >= self.number {
            return Poll::Ready(());
        }
        let waker = context.waker();
        match line.waiting.iter_mut().find(|it| it.0 == self.number) {
            Some(place) => place.1.clone_from(waker),
            None => line.waiting.push((self.number, waker.clone())),
        }
        Poll::Pending
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut line = self.turns.0.lock();
        line.end(self.number);
        let waker = line.come();
        drop(line);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Line {
    fn end(&mut self, number: u64) {
        self.waiting.retain(|(other, _)| *other != number);
        if number != self.over {
            self.early.push(number);
            return;
        }
        self.over += 1;
        while let Some(at) = self.early.iter().position(|it| *it == self.over) {
            self.early.swap_remove(at);
            self.over += 1;
        }
    }

    /// Whose turn it is now.
    fn come(&mut self) -> Option<Waker> {
        let over = self.over;
        let at = self.waiting.iter().position(|it| it.0 <= over)?;
        Some(self.waiting.swap_remove(at).1)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    #[tokio::test]
    async fn one_after_the_other() {
        let turns = Arc::new(Turns::default());
        let [first, second, third] = [turns.next(), turns.next(), turns.next()];
        first.come().await;
        let order = Mutex::new(Vec::new());
        let mut late = pin!(async {
            third.come().await;
            order.lock().push("third");
            drop(third);
        });
        let mut middle = pin!(async {
            second.come().await;
            order.lock().push("second");
            drop(second);
        });
        assert!(is_pending(late.as_mut()).await);
        assert!(is_pending(middle.as_mut()).await);
        drop(first);
        tokio::join!(late, middle);
        assert_eq!(*order.lock(), ["second", "third"]);
    }

    #[tokio::test]
    async fn who_leaves_the_line_holds_nobody_up() {
        let turns = Arc::new(Turns::default());
        let [first, second, third] = [turns.next(), turns.next(), turns.next()];
        drop(second);
        drop(first);
        third.come().await;
        drop(third);
        let line = turns.0.lock();
        assert_eq!((line.over, line.early.len(), line.waiting.len()), (3, 0, 0));
    }

    async fn is_pending(future: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
        let mut future = Some(future);
        poll_fn(|context| {
            let future = future.take().map(|it| it.poll(context).is_pending());
            Poll::Ready(future.unwrap_or_default())
        })
        .await
    }
}
