//! Whose the messages at the end of the log are that are not in the index of archives yet: in memory, so that who reads an archive looks up
//! his own and not through all.
//!
//! A message stands here before it is committed, and some time longer than it is missing in the index: whoever has begun to read at any
//! moment finds here what the index did not have then. What stands here and not in the log (it was undone, or is too old) is passed over.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::tables::archive_log::Entry;

/// The end of the log.
#[derive(Debug, Default)]
pub(crate) struct Tail(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    /// All messages with a higher number are here.
    above: i64,
    /// The index is complete up to there. What is below stays once more, for those who began to read before that was so.
    indexed: i64,
    /// By account the numbers, in order, and with whom each was exchanged.
    of: HashMap<i64, Vec<(i64, i64)>>,
}

impl Tail {
    /// `entries`: all that is above the number up to which the index is complete.
    pub(crate) fn new(indexed: i64, entries: impl IntoIterator<Item = Entry>) -> Self {
        let tail = Self(Mutex::new(Entries {
            above: indexed,
            indexed,
            of: HashMap::new(),
        }));
        tail.put(entries);
        tail
    }

    /// These are on their way to the log.
    pub(crate) fn put(&self, entries: impl IntoIterator<Item = Entry>) {
        let mut tail = self.0.lock();
        for entry in entries {
            if entry.id <= tail.above {
                continue;
            }
            let own = tail.of.entry(entry.account).or_default();
            match own.binary_search_by_key(&entry.id, |(id, _)| *id) {
                Ok(place) => own[place].1 = entry.peer,
                Err(place) => own.insert(place, (entry.id, entry.peer)),
            }
        }
    }

    /// The index is complete up to this number.
    pub(crate) fn indexed(&self, upto: i64) {
        let mut tail = self.0.lock();
        let above = tail.indexed;
        (tail.above, tail.indexed) = (above, upto);
        tail.of.retain(|_, own| {
            own.drain(..own.partition_point(|(id, _)| *id <= above));
            !own.is_empty()
        });
    }

    /// The numbers of an account from one on and below another, in order, of what was exchanged with this peer or with all. `None` when the
    /// index, as far as it was complete when the reader began, ends before what stands here.
    pub(crate) fn of(
        &self,
        account: i64,
        indexed: i64,
        range: std::ops::Range<i64>,
        peer: Option<i64>,
    ) -> Option<Vec<i64>> {
        let tail = self.0.lock();
        if indexed < tail.above {
            return None;
        }
        let own = tail.of.get(&account).map(Vec::as_slice).unwrap_or_default();
        let begin = own.partition_point(|(id, _)| *id < range.start);
        let fits = own.iter().skip(begin).take_while(|(id, _)| *id < range.end);
        let fits = fits.filter(|(_, with)| peer.is_none_or(|peer| peer == *with));
        Some(fits.map(|(id, _)| *id).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: std::ops::Range<i64> = 0..i64::MAX;

    fn entry(account: i64, id: i64, peer: i64) -> Entry {
        Entry { account, id, peer }
    }

    #[test]
    fn own_messages_in_order_whatever_order_they_came_in() {
        let tail = Tail::new(2, [entry(1, 5, 7), entry(1, 3, 8), entry(2, 5, 7)]);
        tail.put([entry(1, 4, 7), entry(1, 5, 7), entry(1, 2, 7)]);
        assert_eq!(tail.of(1, 2, ALL, None), Some(vec![3, 4, 5]));
        assert_eq!(tail.of(1, 2, 4..5, None), Some(vec![4]));
        assert_eq!(tail.of(1, 2, ALL, Some(7)), Some(vec![4, 5]));
        assert_eq!(tail.of(2, 2, ALL, None), Some(vec![5]));
        assert_eq!(tail.of(3, 2, ALL, None), Some(vec![]));
    }

    #[test]
    fn who_began_before_the_index_was_complete_finds_what_was_missing_there() {
        let tail = Tail::new(0, [entry(1, 1, 7), entry(1, 2, 7)]);
        tail.indexed(2);
        tail.put([entry(1, 3, 7)]);
        assert_eq!(tail.of(1, 0, 1..9, None), Some(vec![1, 2, 3]));
        assert_eq!(tail.of(1, 2, 3..9, None), Some(vec![3]));
        tail.indexed(3);
        // Who began so long ago looks through the log.
        assert_eq!(tail.of(1, 0, 1..9, None), None);
        assert_eq!(tail.of(1, 2, 3..9, None), Some(vec![3]));
        tail.indexed(3);
        assert_eq!(tail.of(1, 3, 4..9, None), Some(vec![]));
    }
}
