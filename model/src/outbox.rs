//! What one account owes another: written with the change that causes it, delivered after the commit, applied once.

use std::collections::{BTreeMap, HashMap};
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

/// What is owed and written, by who owes whom. Of each pair one entry is under way at a time, the lowest number first: the receiver
/// remembers the highest number that it has applied, so that one which overtakes another would make it lost.
#[derive(Default)]
pub(crate) struct Debts(HashMap<(Bare, Bare), Pair>);

#[derive(Default)]
struct Pair {
    entries: BTreeMap<u64, OutboxEntry>,
    busy: bool,
}

impl Debts {
    fn add(&mut self, entry: OutboxEntry) {
        let pair = self.0.entry(key(&entry)).or_default();
        pair.entries.insert(entry.seq, entry);
    }

    fn take(&mut self, key: &(Bare, Bare)) -> Option<OutboxEntry> {
        let pair = self.0.get_mut(key)?;
        if pair.busy {
            return None;
        }
        let first = pair.entries.values().next()?.clone();
        pair.busy = true;
        Some(first)
    }

    fn done(&mut self, entry: &OutboxEntry, delivered: bool) {
        let key = key(entry);
        let Some(pair) = self.0.get_mut(&key) else {
            return;
        };
        pair.busy = false;
        if delivered {
            pair.entries.remove(&entry.seq);
        }
        if pair.entries.is_empty() {
            self.0.remove(&key);
        }
    }

    /// Nothing that is for this domain is under way: what was, has not been sent.
    fn release(&mut self, domain: &str) -> Vec<(Bare, Bare)> {
        let of = self
            .0
            .iter_mut()
            .filter(|((_, to), _)| to.domain() == domain);
        let pairs = of.map(|(key, pair)| {
            pair.busy = false;
            key.clone()
        });
        pairs.collect()
    }

    /// Something waits to be tried again.
    pub(crate) fn waiting(&self) -> bool {
        self.0.values().any(|p| !p.busy)
    }

    fn late(&self) -> Vec<(Bare, Bare)> {
        let late = self.0.iter().filter(|(_, p)| !p.busy);
        late.map(|(key, _)| key.clone()).collect()
    }
}

fn key(entry: &OutboxEntry) -> (Bare, Bare) {
    (entry.origin.clone(), entry.target.clone())
}

impl Model {
    /// An entry for what `origin` owes `target`. Numbers are taken under the origin's lock, so that they grow with its changes.
    pub(crate) fn owe(&self, origin: &Bare, target: &Bare, owed: &Owed) -> OutboxEntry {
        OutboxEntry {
            seq: self.new_outbox(),
            origin: origin.clone(),
            target: target.clone(),
            payload: owed.encode(),
        }
    }

    /// Delivers entries whose writing is committed.
    pub(crate) fn deliver_owed(self: &Arc<Self>, entries: Vec<OutboxEntry>) {
        let mut pairs = Vec::with_capacity(entries.len());
        {
            let mut debts = self.debts.lock();
            for entry in entries {
                pairs.push(key(&entry));
                debts.add(entry);
            }
        }
        for pair in pairs {
            self.deliver_next(&pair);
        }
    }

    fn deliver_next(self: &Arc<Self>, pair: &(Bare, Bare)) {
        let Some(entry) = self.debts.lock().take(pair) else {
            return;
        };
        let Some(owed) = Owed::decode(&entry.payload) else {
            tracing::error!(
                seq = entry.seq,
                "an outbox entry cannot be read and is dropped"
            );
            let ops = vec![Op::OutboxRemove { seq: entry.seq }];
            self.store.submit_soft(ops);
            return self.delivered(&entry, true);
        };
        if !self.is_local(&entry.target) {
            match self.send_owed(&entry, &owed) {
                // It stays under way until the domain is attached.
                Err(Refusal::Unavailable) => {}
                _ => self.undeliverable(&entry),
            }
            return;
        }
        match self.inbound(&entry, &owed) {
            Ok(true) => {}
            Ok(false) => self.delivered(&entry, true),
            Err(Refusal::Overloaded | Refusal::Fault) => self.debts.lock().done(&entry, false),
            Err(_) => self.undeliverable(&entry),
        }
    }

    /// The entry is done with, or stays to be tried again by the timer.
    pub(crate) fn delivered(self: &Arc<Self>, entry: &OutboxEntry, stored: bool) {
        self.debts.lock().done(entry, stored);
        if stored {
            self.deliver_next(&key(entry));
        }
    }

    /// It is done with: sent to another domain, or the account it was meant for does not exist and it ends here, silently
    /// (RFC 6121 §8.5.1).
    fn undeliverable(self: &Arc<Self>, entry: &OutboxEntry) {
        let ops = vec![Op::OutboxRemove { seq: entry.seq }];
        let (model, of) = (Arc::clone(self), entry.clone());
        let done = move |stored: Result<(), store::StoreError>| {
            model.delivered(&of, stored.is_ok());
        };
        if self.store.submit(ops, Box::new(done)).is_err() {
            self.debts.lock().done(entry, false);
        }
    }

    /// What waits for a domain can be delivered.
    pub(crate) fn release_debts(self: &Arc<Self>, domain: &str) {
        let waiting = self.debts.lock().release(domain);
        for pair in waiting {
            self.deliver_next(&pair);
        }
    }

    /// Tries again what the writer's queue had no room for.
    pub(crate) fn deliver_late(self: &Arc<Self>) {
        let late = self.debts.lock().late();
        for pair in late {
            self.deliver_next(&pair);
        }
    }
}
