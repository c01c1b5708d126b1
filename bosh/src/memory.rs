//! Answers that may have to be given again (XEP-0124 §14.3), and what is known of their arrival.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;

use crate::time::Time;

/// Answers of a client that acknowledges and does not: more are not kept, whatever the terms say.
const MOST_UNACKNOWLEDGED: usize = 64;
/// More octets are kept only of the answers that the client cannot have got yet.
const MOST_OCTETS: usize = 1024 * 1024;

/// An answer that was given.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) rid: u64,
    pub(crate) body: Bytes,
    /// Where the payloads stand in it.
    elements: Range<usize>,
    pub(crate) at: Time,
    /// The key that its request has shown.
    pub(crate) key: Option<Box<str>>,
    /// A request has come after it was given: the client goes on, so it has it.
    heard_since: bool,
}

/// The last answers, in the order of their ids.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    answered: VecDeque<Answered>,
    /// The client says that it has got all up to this one.
    acknowledged: u64,
}

impl Memory {
    /// Remembers an answer.
    pub(crate) fn push(
        &mut self,
        rid: u64,
        key: Option<Box<str>>,
        (body, elements): (Bytes, Range<usize>),
        at: Time,
    ) {
        self.answered.push_back(Answered {
            rid,
            body,
            elements,
            at,
            key,
            heard_since: false,
        });
    }

    /// The answer to this request, if it is kept.
    pub(crate) fn find(&self, rid: u64) -> Option<&Answered> {
        self.answered.iter().find(|answered| answered.rid == rid)
    }

    /// The highest id that was answered and is kept.
    pub(crate) fn last(&self) -> Option<u64> {
        self.answered.back().map(|answered| answered.rid)
    }

    /// The answer to this request carried nothing.
    pub(crate) fn was_bare(&self, rid: u64) -> bool {
        self.find(rid)
            .is_some_and(|answered| answered.elements.is_empty())
    }

    /// A request has come that was not there before, from a client that has got all answers up to this one.
    pub(crate) fn hear(&mut self, last: u64) {
        let got = self.answered.iter_mut().filter(|a| a.rid <= last);
        for answered in got.rev() {
            if std::mem::replace(&mut answered.heard_since, true) {
                return;
            }
        }
    }

    /// The client says that it has got the answers up to this one.
    pub(crate) fn acknowledge(&mut self, rid: u64) {
        self.acknowledged = self.acknowledged.max(rid);
    }

    /// Forgets what need not be kept: `least` answers are if they are not long, the last `open` always, and with `acks` those that were not
    /// acknowledged.
    pub(crate) fn trim(&mut self, least: usize, open: usize, acks: bool) {
        while self.answered.len() > open && self.octets() > MOST_OCTETS {
            self.answered.pop_front();
        }
        while self.answered.len() > least {
            let oldest = self.answered.front().map_or(0, |a| a.rid);
            if acks && oldest > self.acknowledged && self.answered.len() <= MOST_UNACKNOWLEDGED {
                return;
            }
            self.answered.pop_front();
        }
    }

    fn octets(&self) -> usize {
        self.answered.iter().map(|a| a.body.len()).sum()
    }

    /// Payloads that, as far as can be known, the client has not got.
    pub(crate) fn undelivered(&self, acks: bool) -> impl Iterator<Item = Bytes> {
        self.answered
            .iter()
            .filter(move |answered| {
                let got = if acks {
                    answered.rid <= self.acknowledged
                } else {
                    answered.heard_since
                };
                !got && !answered.elements.is_empty()
            })
            .map(|answered| answered.body.slice(answered.elements.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(rids: impl IntoIterator<Item = u64>) -> Memory {
        let mut memory = Memory::default();
        for rid in rids {
            memory.push(rid, None, (Bytes::from(format!("<{rid}>")), 1..2), Time(0));
        }
        memory
    }

    fn kept(memory: &Memory) -> Vec<u64> {
        memory.answered.iter().map(|a| a.rid).collect()
    }

    #[test]
    fn the_last_are_kept_and_what_is_not_acknowledged() {
        let mut plain = memory(1..=9);
        plain.trim(4, 2, false);
        assert_eq!(kept(&plain), [6, 7, 8, 9]);
        let mut acks = memory(1..=9);
        acks.acknowledge(3);
        acks.trim(4, 2, true);
        assert_eq!(kept(&acks), [4, 5, 6, 7, 8, 9]);
        acks.acknowledge(8);
        acks.trim(4, 2, true);
        assert_eq!(kept(&acks), [6, 7, 8, 9]);
        let mut silent = memory(1..=100);
        silent.trim(4, 2, true);
        assert_eq!(kept(&silent).len(), MOST_UNACKNOWLEDGED);
    }

    #[test]
    fn long_answers_are_kept_only_as_long_as_they_can_be_under_way() {
        let mut memory = Memory::default();
        for rid in 1..=9 {
            let body = Bytes::from(vec![b' '; 400 * 1024]);
            memory.push(rid, None, (body, 0..1), Time(0));
            memory.trim(4, 2, true);
        }
        assert_eq!(kept(&memory), [8, 9]);
    }

    #[test]
    fn what_nothing_came_after_is_undelivered() {
        let undelivered = |memory: &Memory, acks| memory.undelivered(acks).collect::<Vec<_>>();
        let mut memory = memory(1..=2);
        memory.hear(2);
        memory.push(3, None, (Bytes::from_static(b"<3>"), 1..2), Time(0));
        memory.push(4, None, (Bytes::from_static(b"<>"), 0..0), Time(0));
        assert_eq!(undelivered(&memory, false), [b"3".as_slice()]);
        assert_eq!(
            undelivered(&memory, true),
            [b"1".as_slice(), b"2", b"3"].map(Bytes::from_static)
        );
        memory.acknowledge(2);
        assert_eq!(undelivered(&memory, true), [b"3".as_slice()]);
        memory.hear(2);
        assert_eq!(undelivered(&memory, false), [b"3".as_slice()]);
        memory.hear(4);
        assert!(undelivered(&memory, false).is_empty());
    }
}
