//! What an account says about its person (XEP-0054), and what it keeps for its own programs (XEP-0049).

use std::sync::Arc;

use bytes::Bytes;
use presence::card::Label;
use presence::directory::{Entry, Wanted};
use presence::{Address, Bare, Card, Kept, Refusal};
use store::{Most, Op, StoreError};

use crate::commit::Reply;
use crate::pubsub::{Unit, is_bookmarks};
use crate::shards::Model;

impl Model {
    /// The card of an account as its owner wrote it; `None` where there is none. `NotFound` for an account that does not exist or is
    /// disabled. Everybody may see cards, but no picture that its node keeps from him.
    pub fn vcard(&self, asker: &Address, account: &Bare) -> Result<Option<Bytes>, Refusal> {
        if !self.exists(account)? {
            return Err(Refusal::NotFound);
        }
        let card = self.store.vcard(account);
        match card.map_err(|error| fault(account, &error))? {
            Some(card) => self.card_for(asker, account, card),
            None => Ok(None),
        }
    }

    /// Replaces the card of an account, or takes it away, and publishes its picture (XEP-0398). `Limit` when it is larger than
    /// `vcard_size`.
    pub fn set_vcard(self: &Arc<Self>, account: &Bare, card: Option<Card>, reply: &Reply<()>) {
        if card
            .as_ref()
            .is_some_and(|card| card.xml.len() > self.rules.vcard_size)
        {
            reply.send(Err(Refusal::Limit("vcard_size")));
            return;
        }
        let answer = reply.clone();
        self.when_settled(account, reply, move |model, entity| {
            let mut unit = Unit::of(entity);
            model.photo_to_nodes(entity, &mut unit, card.as_ref())?;
            unit.card(&entity.account, card);
            model.commit_unit(entity, unit, move |stored| answer.send(stored))
        });
    }

    /// The accounts of a domain served here that fit, at most `search_results` of them. It may read all accounts: not for a thread that
    /// serves connections.
    pub fn directory(&self, domain: &str, wanted: &Wanted) -> Result<Vec<Entry>, Refusal> {
        if !self.rules.domains.iter().any(|d| d == domain) {
            return Err(Refusal::ForeignDomain);
        }
        self.store
            .directory(domain, wanted, self.rules.search_results)
            .map_err(|error| {
                tracing::error!(%error, "the directory could not be read");
                Refusal::Fault
            })
    }

    /// What an account keeps under these names, in their order; `None` where there is nothing.
    pub fn private(
        self: &Arc<Self>,
        account: &Bare,
        labels: &[Label],
    ) -> Result<Vec<Option<Bytes>>, Refusal> {
        if labels.iter().any(is_bookmarks) {
            // What is shown is the same before and after.
            self.with_entity(account, |entity| {
                self.ensure_nodes(entity)?;
                self.import_when_read(entity)
            })?;
        }
        labels
            .iter()
            .map(|label| {
                if is_bookmarks(label) {
                    self.bookmarks_shown(account)
                } else {
                    self.store.private(account, label)
                }
            })
            .collect::<Result<_, _>>()
            .map_err(|error| fault(account, &error))
    }

    /// Keeps all of these or none. `Limit` when that is more than `private_elements` or `private_bytes` allow. Bookmarks go to their
    /// nodes, within the limits of these.
    pub fn set_private(self: &Arc<Self>, account: &Bare, kept: Vec<Kept>, reply: &Reply<()>) {
        let (bookmarks, kept): (Vec<Kept>, _) =
            kept.into_iter().partition(|k| is_bookmarks(&k.label));
        let others = (!kept.is_empty()).then(|| Op::PrivatePut {
            account: account.clone(),
            kept,
            most: Most {
                elements: self.rules.private_elements,
                bytes: self.rules.private_bytes,
            },
        });
        let Some(bookmarks) = bookmarks.into_iter().next() else {
            if let Some(op) = others {
                self.write(account, op, reply);
            }
            return;
        };
        let answer = reply.clone();
        self.when_settled(account, reply, move |model, entity| {
            let mut unit = Unit::of(entity);
            model.bookmarks_kept(entity, &mut unit, &bookmarks.xml)?;
            if let Some(op) = others {
                unit.also(op);
            }
            model.commit_unit(entity, unit, move |stored| answer.send(stored))
        });
    }

    /// Writes one change of what is not in memory, and answers when it is on the disk.
    fn write(self: &Arc<Self>, account: &Bare, op: Op, reply: &Reply<()>) {
        let (answer, of) = (reply.clone(), account.clone());
        let done = move |stored: Result<(), StoreError>| {
            answer.send(stored.map_err(|error| match error {
                StoreError::AccountUnknown(_) => Refusal::NotFound,
                StoreError::Full(_) => Refusal::Limit("private_bytes or private_elements"),
                StoreError::Busy => Refusal::Overloaded,
                error => fault(&of, &error),
            }));
        };
        if self.store.submit(vec![op], Box::new(done)).is_err() {
            reply.send(Err(Refusal::Overloaded));
        }
    }
}

fn fault(account: &Bare, error: &StoreError) -> Refusal {
    // The writer says once for all that the disk fails.
    if !matches!(error, StoreError::Io(_)) {
        tracing::error!(%error, %account, "what an account keeps could not be read or written");
    }
    Refusal::Fault
}
