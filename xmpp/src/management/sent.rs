//! What a client was sent and has not acknowledged (XEP-0198 §4, §5).

use std::collections::VecDeque;

/// More was acknowledged than was sent (XEP-0198 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{handled} stanzas were acknowledged, but only {sent} were sent")]
pub struct TooHigh {
    /// What the client said.
    pub handled: u32,
    /// What it was sent.
    pub sent: u32,
}

/// There is no room for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// A stanza that was not acknowledged, with what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unacknowledged<K> {
    /// Its octets.
    pub octets: Vec<u8>,
    /// What its sender gave with it.
    pub kept: Option<K>,
}

/// The stanzas that were sent since management was enabled, as far as they are not acknowledged. `K` is what is needed to do something
/// else with one when it never is.
#[derive(Debug)]
pub struct Sent<K> {
    /// All of them, one after the other: a ring, so that what is acknowledged goes without what is left being moved.
    octets: VecDeque<u8>,
    /// Their lengths.
    stanzas: VecDeque<(usize, Option<K>)>,
    /// How many were acknowledged, modulo 2³².
    acknowledged: u32,
    /// How many there were when the client was last asked and has not answered.
    asked: Option<u32>,
    most_stanzas: usize,
    most_octets: usize,
}

impl<K> Sent<K> {
    /// Nothing was sent. So many stanzas and octets may wait to be acknowledged.
    pub fn new(most_stanzas: usize, most_octets: usize) -> Self {
        Self {
            octets: VecDeque::new(),
            stanzas: VecDeque::new(),
            acknowledged: 0,
            asked: None,
            most_stanzas,
            most_octets,
        }
    }

    /// One more is sent.
    ///
    /// # Errors
    /// [`Full`] when too many wait already; it is kept all the same, so that nothing is lost when the session ends.
    pub fn push(&mut self, octets: &[u8], kept: Option<K>) -> Result<(), Full> {
        let full = self.stanzas.len() >= self.most_stanzas || self.octets.len() > self.most_octets;
        self.octets.extend(octets);
        self.stanzas.push_back((octets.len(), kept));
        if full { Err(Full) } else { Ok(()) }
    }

    /// The client has got so many. Gives what was kept for those that it acknowledges with this.
    ///
    /// # Errors
    /// [`TooHigh`] when they are more than were sent; then nothing is changed.
    pub fn acknowledge(&mut self, handled: u32) -> Result<Vec<K>, TooHigh> {
        self.check(handled)?;
        let newly = handled.wrapping_sub(self.acknowledged) as usize;
        if newly > self.stanzas.len() {
            // An old one, which says nothing new.
            return Ok(Vec::new());
        }
        let acknowledged = self.stanzas.drain(..newly);
        let mut octets = 0;
        let mut kept = Vec::new();
        for (len, one) in acknowledged {
            octets += len;
            kept.extend(one);
        }
        self.acknowledged = handled;
        // Who has not got all of it yet is asked again when there is more.
        self.asked = self
            .asked
            .filter(|asked| *asked == self.count() && newly > 0 && !self.stanzas.is_empty());
        if self.stanzas.is_empty() {
            // Nothing is kept by who says nothing.
            (self.octets, self.stanzas) = (VecDeque::new(), VecDeque::new());
        } else {
            self.octets.drain(..octets);
        }
        Ok(kept)
    }

    /// Whether the client may have got so many.
    ///
    /// # Errors
    /// [`TooHigh`] when they are more than were sent.
    pub fn check(&self, handled: u32) -> Result<(), TooHigh> {
        let over = handled.wrapping_sub(self.count()).cast_signed();
        if over > 0 {
            return Err(TooHigh {
                handled,
                sent: self.count(),
            });
        }
        Ok(())
    }

    /// Whether the client is to be asked now: it has something to acknowledge and no question is open.
    pub fn ask(&mut self) -> bool {
        let asks = self.asked.is_none() && !self.stanzas.is_empty();
        if asks {
            self.asked = Some(self.count());
        }
        asks
    }

    /// The connection is another: what was asked on the old one is not answered any more.
    pub fn forget_question(&mut self) {
        self.asked = None;
    }

    /// How many were sent, modulo 2³².
    pub fn count(&self) -> u32 {
        self.acknowledged.wrapping_add(self.stanzas.len() as u32)
    }

    /// How many were acknowledged, modulo 2³².
    pub fn acknowledged(&self) -> u32 {
        self.acknowledged
    }

    /// The octets of all that are not acknowledged, in order.
    pub fn octets(&mut self) -> &[u8] {
        self.octets.make_contiguous()
    }

    /// The same, one by one.
    pub fn stanzas(&mut self) -> impl Iterator<Item = &[u8]> {
        let mut rest: &[u8] = self.octets.make_contiguous();
        self.stanzas.iter().map_while(move |(len, _)| {
            let (stanza, behind) = rest.split_at_checked(*len)?;
            rest = behind;
            Some(stanza)
        })
    }

    /// Nothing waits to be acknowledged.
    pub fn is_empty(&self) -> bool {
        self.stanzas.is_empty()
    }

    /// Takes out all that are not acknowledged: the session ends.
    pub fn take(&mut self) -> Vec<Unacknowledged<K>> {
        let mut octets = std::mem::take(&mut self.octets);
        let octets = octets.make_contiguous();
        let mut rest: &[u8] = octets;
        std::mem::take(&mut self.stanzas)
            .into_iter()
            .map(|(len, kept)| {
                let (octets, after) = rest.split_at(len);
                rest = after;
                Unacknowledged {
                    octets: octets.to_vec(),
                    kept,
                }
            })
            .collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stanzas_one_by_one() {
        let mut sent: Sent<()> = Sent::new(10, 100);
        for stanza in [&b"<a/>"[..], b"<bb/>", b"<c/>"] {
            sent.push(stanza, None).unwrap();
        }
        sent.acknowledge(1).unwrap();
        let left: Vec<_> = sent.stanzas().collect();
        assert_eq!(left, [&b"<bb/>"[..], b"<c/>"]);
    }
    /// Each that is acknowledged costs the same, however much is left behind it.
    #[test]
    fn an_acknowledgement_moves_nothing_of_what_is_left() {
        let mut sent = Sent::<()>::new(100_000, 1 << 30);
        let stanza = [b'x'; 500];
        for _ in 0..20_000 {
            sent.push(&stanza, None).unwrap();
        }
        // What is left would be moved 20,000 times: a hundred gigabytes.
        let place = sent.octets().as_ptr_range().end;
        for handled in 1..20_000 {
            sent.acknowledge(handled).unwrap();
            assert_eq!(sent.octets().as_ptr_range().end, place);
        }
        assert_eq!(sent.octets(), stanza);
    }

    #[test]
    fn what_is_acknowledged_goes_and_the_rest_stays_in_order() {
        let mut sent = Sent::new(10, 100);
        for (octets, kept) in [(b"<a/>", Some(1)), (b"<b/>", None), (b"<c/>", Some(3))] {
            assert_eq!(sent.push(octets, kept), Ok(()));
        }
        assert_eq!(sent.acknowledge(2), Ok(vec![1]));
        assert_eq!(sent.count(), 3);
        assert_eq!(sent.octets(), b"<c/>");
        assert_eq!(sent.acknowledge(2), Ok(vec![]));
        let wrong = TooHigh {
            handled: 4,
            sent: 3,
        };
        assert_eq!(sent.acknowledge(4), Err(wrong));
        // An old one says nothing new.
        assert_eq!(sent.acknowledge(1), Ok(vec![]));
        assert_eq!(sent.acknowledged(), 2);
        assert_eq!(sent.octets(), b"<c/>");
        let rest = sent.take();
        assert_eq!(
            rest,
            [Unacknowledged {
                octets: b"<c/>".to_vec(),
                kept: Some(3)
            }]
        );
    }

    #[test]
    fn one_question_at_a_time() {
        let mut sent = Sent::<()>::new(10, 100);
        assert!(!sent.ask());
        sent.push(b"<a/>", None).unwrap();
        assert!(sent.ask());
        sent.push(b"<b/>", None).unwrap();
        assert!(!sent.ask());
        sent.acknowledge(1).unwrap();
        assert!(sent.ask());
        sent.forget_question();
        assert!(sent.ask());
        sent.acknowledge(2).unwrap();
        assert!(!sent.ask());
    }

    #[test]
    fn too_much_is_kept_and_told() {
        let mut sent = Sent::<()>::new(2, 100);
        assert_eq!(sent.push(b"<a/>", None), Ok(()));
        assert_eq!(sent.push(b"<b/>", None), Ok(()));
        assert_eq!(sent.push(b"<c/>", None), Err(Full));
        assert_eq!(sent.take().len(), 3);
        let mut sent = Sent::<()>::new(10, 5);
        assert_eq!(sent.push(b"<long/>", None), Ok(()));
        assert_eq!(sent.push(b"<b/>", None), Err(Full));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        /// Whatever is sent and acknowledged, also over the turn of the numbers: what is left is exactly what was not acknowledged.
        #[test]
        fn nothing_is_lost_or_kept_too_long(start in any::<u32>(), steps in prop::collection::vec((0_usize..4, 0_usize..4), 0..40)) {
            let mut sent = Sent::new(1000, 100_000);
            sent.acknowledged = start;
            let (mut all, mut gone) = (Vec::new(), 0);
            for (more, fewer) in steps {
                for _ in 0..more {
                    let one = format!("<n>{}</n>", all.len());
                    sent.push(one.as_bytes(), Some(all.len())).unwrap();
                    all.push(one);
                }
                let next = (gone + fewer).min(all.len());
                let kept = sent.acknowledge(start.wrapping_add(next as u32)).unwrap();
                prop_assert_eq!(kept, (gone..next).collect::<Vec<_>>());
                gone = next;
                let rest = all[gone..].concat();
                prop_assert_eq!(sent.octets(), rest.as_bytes());
            }
            let over = start.wrapping_add(all.len() as u32 + 1);
            prop_assert!(sent.acknowledge(over).is_err());
            let rest: Vec<_> = sent.take().into_iter().map(|u| String::from_utf8(u.octets).unwrap()).collect();
            prop_assert_eq!(&rest, &all[gone..]);
        }
    }
}
