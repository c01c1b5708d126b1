//! What one account owes another: written with the change that causes it, delivered after the commit, applied once.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use presence::subscription::Kind;
use presence::{Bare, Refusal};
use store::{Op, OutboxEntry};

use crate::shards::Model;

/// The content of an outbox entry: a subscription stanza.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owed {
    pub(crate) kind: Kind,
    pub(crate) content: Bytes,
}

impl Owed {
    /// A stanza without content.
    pub(crate) fn stanza(kind: Kind) -> Self {
        Self {
            kind,
            content: Bytes::new(),
        }
    }

    fn encode(&self) -> Bytes {
        let mut payload = BytesMut::with_capacity(1 + self.content.len());
        payload.put_u8(match self.kind {
            Kind::Subscribe => 1,
            Kind::Subscribed => 2,
            Kind::Unsubscribe => 3,
            Kind::Unsubscribed => 4,
        });
        payload.put_slice(&self.content);
        payload.freeze()
    }

    fn decode(payload: &Bytes) -> Option<Self> {
        let kind = match payload.first()? {
            1 => Kind::Subscribe,
            2 => Kind::Subscribed,
            3 => Kind::Unsubscribe,
            4 => Kind::Unsubscribed,
            _ => return None,
        };
        Some(Self {
            kind,
            content: payload.slice(1..),
        })
    }

    /// The row to write.
    pub(crate) fn op(entry: &OutboxEntry) -> Op {
        Op::OutboxPut {
            seq: entry.seq,
            origin: entry.origin.clone(),
            target: entry.target.clone(),
            payload: entry.payload.clone(),
        }
    }
}

impl Model {
    /// An entry for what `origin` owes `target`. Numbers are taken under the origin's lock, so that they grow with its changes.
    pub(crate) fn owe(&self, origin: &Bare, target: &Bare, owed: Owed) -> OutboxEntry {
        OutboxEntry {
            seq: self.new_outbox(),
            origin: origin.clone(),
            target: target.clone(),
            payload: owed.encode(),
        }
    }

    /// Delivers entries whose writing is committed.
    pub(crate) fn deliver_owed(self: &Arc<Self>, entries: Vec<OutboxEntry>) {
        for entry in entries {
            // What one account owes another arrives in the order in which it was owed.
            let mut late = self.late.lock();
            if late
                .iter()
                .any(|l| l.origin == entry.origin && l.target == entry.target)
            {
                late.push(entry);
                continue;
            }
            drop(late);
            self.deliver_one(entry);
        }
    }

    fn deliver_one(self: &Arc<Self>, entry: OutboxEntry) {
        let Some(owed) = Owed::decode(&entry.payload) else {
            tracing::error!(
                seq = entry.seq,
                "an outbox entry cannot be read and is dropped"
            );
            self.store
                .submit_soft(vec![Op::OutboxRemove { seq: entry.seq }]);
            return;
        };
        match self.inbound(&entry, owed) {
            Ok(()) => {}
            Err(Refusal::Overloaded | Refusal::Fault) => self.late.lock().push(entry),
            Err(_) => self.undeliverable(&entry),
        }
    }

    /// Tries again what the writer's queue had no room for, in the order of its numbers.
    pub(crate) fn deliver_late(self: &Arc<Self>) {
        let mut late = std::mem::take(&mut *self.late.lock());
        late.sort_by_key(|e| e.seq);
        self.deliver_owed(late);
    }
}
