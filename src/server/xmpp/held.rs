//! What waits while nobody looks at a client (XEP-0352): of each sender the last presence, and the last chat state.

use model::Event;
use presence::Address;

use crate::wiring;

/// So much waits at most; then everything is told.
const MOST: usize = 128 * 1024;

/// Stanzas that wait, in the order in which the last of each came.
#[derive(Default)]
pub(super) struct Held {
    stanzas: Vec<(Sort, Address, Vec<u8>)>,
    octets: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Presence,
    ChatState,
}

impl Held {
    /// Takes an event that may wait: it replaces the one before of the same sender. False for one that may not.
    pub(super) fn hold(&mut self, event: &Event<'_>) -> bool {
        let (sort, from) = match event {
            Event::Presence { notice, .. } => (Sort::Presence, &notice.from),
            Event::Message {
                message,
                delayed: false,
                delivery,
            } if delivery.handling.passing => (Sort::ChatState, &message.from),
            _ => return false,
        };
        let before = self
            .stanzas
            .iter()
            .position(|(s, f, _)| *s == sort && f == from);
        if let Some(before) = before {
            self.octets -= self.stanzas.remove(before).2.len();
        }
        let mut stanza = Vec::new();
        wiring::xmpp::print(&mut stanza, event, String::new);
        self.octets += stanza.len();
        self.stanzas.push((sort, from.clone(), stanza));
        true
    }

    /// Too much waits.
    pub(super) fn is_full(&self) -> bool {
        self.octets > MOST
    }

    /// What waits.
    pub(super) fn stanzas(self) -> impl Iterator<Item = Vec<u8>> {
        self.stanzas.into_iter().map(|(_, _, stanza)| stanza)
    }
}
