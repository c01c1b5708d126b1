//! Requests in the order of their ids (XEP-0124 §14.2): those that came too early, and those that are held.

use std::collections::VecDeque;

use crate::answer::Ticket;
use crate::body::Body;
use crate::time::Time;

/// A request that is not answered.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) rid: u64,
    /// `None` when its connection was lost, or answered because it took too long.
    pub(crate) ticket: Option<Ticket>,
    /// When it came, or came again.
    pub(crate) since: Time,
    pub(crate) key: Option<Box<str>>,
}

/// A request and all that it says.
#[derive(Debug)]
pub(crate) struct Early {
    pub(crate) waiting: Waiting,
    pub(crate) body: Body,
}

/// Where a request belongs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It has not been here.
    New,
    /// It is here and not answered.
    Here,
    /// It was here.
    Past,
}

/// The requests that are not answered.
#[derive(Debug)]
pub(crate) struct Order {
    /// The id of the request that comes next.
    next: u64,
    /// Those behind a gap, by id.
    early: VecDeque<Early>,
    /// Those that were looked at, by id.
    pub(crate) held: VecDeque<Waiting>,
}

impl Order {
    /// Begins with the request that asked for the session.
    pub(crate) fn new(first: Waiting) -> Self {
        Self {
            next: first.rid + 1,
            early: VecDeque::new(),
            held: VecDeque::from([first]),
        }
    }

    /// The id of the request that comes next.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Requests whose connections wait for an answer. One that was lost cannot be answered, whatever its client does.
    pub(crate) fn unanswered(&self) -> usize {
        self.waits().count()
    }

    /// Requests that were looked at and whose connections wait for an answer.
    pub(crate) fn held_live(&self) -> usize {
        self.held.iter().filter(|h| h.ticket.is_some()).count()
    }

    /// Where a request with this id belongs.
    pub(crate) fn place(&self, rid: u64) -> Place {
        let early = self.early.iter().any(|e| e.waiting.rid == rid);
        if early || self.held.iter().any(|h| h.rid == rid) {
            Place::Here
        } else if rid < self.next {
            Place::Past
        } else {
            Place::New
        }
    }

    /// Whether the request of this id, which has not been here, is the next one: then it is passed on.
    pub(crate) fn passes(&mut self, rid: u64) -> bool {
        let is_next = rid == self.next;
        self.next += u64::from(is_next);
        is_next
    }

    /// Takes a request that has not been here.
    pub(crate) fn insert(&mut self, request: Early) {
        let at = self
            .early
            .partition_point(|e| e.waiting.rid < request.waiting.rid);
        self.early.insert(at, request);
    }

    /// One behind a gap may be sent above the number of simultaneous requests (XEP-0124 §11).
    pub(crate) fn has_last_word(&self) -> bool {
        self.early.iter().any(|e| e.body.is_last_word())
    }

    /// The next request, when it is there.
    pub(crate) fn advance(&mut self) -> Option<Early> {
        self.early.front().filter(|e| e.waiting.rid == self.next)?;
        let request = self.early.pop_front()?;
        if self.early.is_empty() {
            // Most sessions never need it again.
            self.early = VecDeque::new();
        }
        self.next += 1;
        Some(request)
    }

    /// Every request that is not answered, in order.
    pub(crate) fn all(&mut self) -> impl DoubleEndedIterator<Item = &mut Waiting> {
        let early = self.early.iter_mut().map(|e| &mut e.waiting);
        self.held.iter_mut().chain(early)
    }

    /// Requests behind a gap.
    pub(crate) fn behind_gap(&mut self) -> impl Iterator<Item = &mut Waiting> {
        self.early.iter_mut().map(|e| &mut e.waiting)
    }

    /// Some request's connection waits for an answer.
    pub(crate) fn is_live(&self) -> bool {
        let early = self.early.iter().map(|e| &e.waiting);
        self.held.iter().chain(early).any(|w| w.ticket.is_some())
    }

    /// The first held request whose connection waits for an answer.
    pub(crate) fn first_live(&self) -> Option<usize> {
        self.held.iter().position(|h| h.ticket.is_some())
    }

    /// When connections of requests began to wait, in the order of the requests.
    pub(crate) fn waits(&self) -> impl Iterator<Item = Time> {
        let early = self.early.iter().map(|e| &e.waiting);
        let all = self.held.iter().chain(early);
        all.filter(|w| w.ticket.is_some()).map(|w| w.since)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn waiting(rid: u64) -> Waiting {
        Waiting {
            rid,
            ticket: Some(Ticket(rid)),
            since: Time(rid),
            key: None,
        }
    }

    #[test]
    fn requests_come_out_in_order() {
        let mut order = Order::new(waiting(5));
        for rid in [8, 6, 9] {
            assert_eq!(order.place(rid), Place::New);
            order.insert(Early {
                waiting: waiting(rid),
                body: Body::default(),
            });
            assert_eq!(order.place(rid), Place::Here);
        }
        assert_eq!((order.place(4), order.place(5)), (Place::Past, Place::Here));
        assert_eq!(order.advance().unwrap().waiting.rid, 6);
        assert!(order.advance().is_none() && order.next() == 7);
        assert_eq!(order.unanswered(), 3);
        order.insert(Early {
            waiting: waiting(7),
            body: Body::default(),
        });
        let rids: Vec<_> = std::iter::from_fn(|| order.advance().map(|e| e.waiting.rid)).collect();
        assert_eq!(rids, [7, 8, 9]);
    }
}
