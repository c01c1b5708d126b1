//! What was said over a carrier and is not known to have arrived: where nobody counts stanzas (XEP-0198), the carrier counts octets.

use std::collections::VecDeque;

use super::Kept;
use super::managed::Lost;

/// Stanzas that somebody would miss, in the order in which they were said.
#[derive(Default)]
pub(super) struct Unheard {
    /// Octets that the carrier has taken.
    handed: u64,
    /// Each with the place where it ends.
    waiting: VecDeque<(u64, Lost)>,
}

impl Unheard {
    /// Notes a stanza that ends `queued` octets behind what the carrier has taken.
    pub(super) fn push(&mut self, queued: usize, stanza: Lost) {
        self.waiting
            .push_back((self.handed + queued as u64, stanza));
    }

    /// How many octets the carrier has taken.
    pub(super) fn handed(&self) -> u64 {
        self.handed
    }

    /// The carrier has taken more.
    pub(super) fn hand_over(&mut self, octets: usize) {
        self.handed += octets as u64;
    }

    /// The peer has got so many octets.
    pub(super) fn delivered(&mut self, octets: u64) {
        while self.waiting.front().is_some_and(|(end, _)| *end <= octets) {
            let arrival = self
                .waiting
                .pop_front()
                .and_then(|(_, stanza)| stanza.kept?.arrival);
            if let Some(arrival) = arrival {
                arrival.arrived();
            }
        }
        if self.waiting.is_empty() {
            // Nothing is kept for the next time: most sessions are idle.
            self.waiting = VecDeque::new();
        }
    }

    /// Takes out what never arrived.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Lost> {
        std::mem::take(&mut self.waiting)
            .into_iter()
            .map(|(_, stanza)| stanza)
    }
}

/// What is to be known of a stanza that nobody counts: of a message what its sender gave with it, of a request what it is, so that it can be
/// answered by somebody else. Nobody misses anything else.
pub(super) fn missed(stanza: &[u8], keep: impl FnOnce() -> Option<Kept>) -> Option<Lost> {
    if let Some(kept) = keep() {
        return Some(Lost {
            octets: Vec::new(),
            kept: Some(kept),
        });
    }
    stanza.starts_with(b"<iq").then(|| Lost {
        octets: stanza.to_vec(),
        kept: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: u8) -> Lost {
        Lost {
            octets: vec![id],
            kept: None,
        }
    }

    fn rest(unheard: &mut Unheard) -> Vec<u8> {
        unheard.take().flat_map(|stanza| stanza.octets).collect()
    }

    #[test]
    fn what_has_arrived_is_forgotten_and_nothing_else() {
        let mut unheard = Unheard::default();
        unheard.push(10, request(1));
        unheard.push(25, request(2));
        unheard.hand_over(30);
        unheard.push(5, request(3));
        unheard.delivered(9);
        unheard.delivered(10);
        assert_eq!(unheard.waiting.len(), 2);
        unheard.delivered(34);
        assert_eq!(rest(&mut unheard), [3]);
        assert!(rest(&mut unheard).is_empty());
    }

    #[test]
    fn what_somebody_would_miss() {
        let missed = |stanza: &[u8]| missed(stanza, || None).map(|stanza| stanza.octets);
        assert_eq!(missed(b"<presence/>"), None);
        assert_eq!(missed(b"<iq/>"), Some(b"<iq/>".to_vec()));
    }
}
