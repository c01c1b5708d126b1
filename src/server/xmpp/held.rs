//! What waits while nobody looks at a client (XEP-0352): of each sender the last presence, the last chat state, and the last notification
//! of a node, or of each item where the node holds several.

use std::sync::Arc;

use model::Event;
use model::pubsub::NodeNotice;
use presence::Address;
use services::pubsub::{Event as Told, Notification};

use crate::wiring;

/// So much waits at most; then everything is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Most {
    pub(super) stanzas: usize,
    pub(super) octets: usize,
}

/// Stanzas that wait, in the order in which the last of each came.
#[derive(Default)]
pub(super) struct Held {
    stanzas: Vec<(Sort, Address, Vec<u8>)>,
    octets: usize,
}

#[derive(Clone, PartialEq, Eq)]
enum Sort {
    Presence,
    ChatState,
    /// A node, and an item where that matters.
    Node(Arc<str>, Option<Arc<str>>),
}

impl Held {
    /// Takes an event that may wait: it replaces the one before of the same sender. False for one that may not.
    pub(super) fn hold(&mut self, event: &Event<'_>) -> bool {
        let owner;
        let (sort, from) = match event {
            Event::Presence { notice, .. } => (Sort::Presence, &notice.from),
            Event::Node { notice, .. } if notice.notification.headline => {
                let Some(sort) = of_node(notice) else {
                    return false;
                };
                owner = Address::from(notice.notification.owner.clone());
                (sort, &owner)
            }
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
    pub(super) fn is_full(&self, most: Most) -> bool {
        self.octets > most.octets || self.stanzas.len() > most.stanzas
    }

    /// What waits.
    pub(super) fn stanzas(self) -> impl Iterator<Item = Vec<u8>> {
        self.stanzas.into_iter().map(|(_, _, stanza)| stanza)
    }
}

/// Which notifications say more than this one with it. `None`: it is for now.
fn of_node(notice: &NodeNotice) -> Option<Sort> {
    let Notification { node, event, .. } = &notice.notification;
    let item = match event {
        Told::Published { id, .. } => id.clone(),
        Told::Retracted { id } => Some(Arc::clone(id)),
        Told::Purged | Told::Deleted => None,
        Told::Configured { .. } | Told::Subscription { .. } | Told::Asked { .. } => return None,
    };
    let item = item.filter(|_| !notice.single);
    Some(Sort::Node(Arc::clone(node), item))
}
