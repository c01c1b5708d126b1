//! Archives of messages (XEP-0313): what goes in, what is read, what is removed when it is too old.
//!
//! A message is in the archives of both sides by the same number. Numbers are given and queued under one lock, so that what is committed
//! later never has a lower number: who pages on behind the last message he has seen misses none.

mod readers;

use std::sync::Arc;
use std::time::Duration;

use presence::{
    Address, ArchiveId, ArchivePage, ArchivePreferences, ArchiveQuery, Bare, Message, Refusal,
    Timestamp, Utc,
};
use store::Op;

use crate::clock::Now;
use crate::commit::Reply;
use crate::entity::Entity;
use crate::shards::Model;

/// What is too old is looked for so often.
const ROUND: Duration = Duration::from_secs(3600);
/// So long after one portion the next is removed: the writer has others to serve.
const PAUSE: Duration = Duration::from_millis(200);
/// So many messages are removed at a time: some milliseconds of the writer's time.
const MESSAGES: u64 = 1000;

/// Where the removal of what is too old has got to.
#[derive(Debug, Default)]
pub(crate) struct Pruning {
    /// When the next portion is due.
    due: Timestamp,
}

/// Into which archives a message goes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sides {
    pub(crate) sender: bool,
    pub(crate) recipient: bool,
}

impl Sides {
    pub(crate) fn any(self) -> bool {
        self.sender || self.recipient
    }
}

impl Model {
    /// Gives a number to a message that was taken then, and does with it what queues it: in this order for all messages.
    pub(crate) fn numbered<T>(&self, taken: Utc, queue: impl FnOnce(ArchiveId) -> T) -> T {
        let mut next = self.next_archive.lock();
        let id = ArchiveId((*next).max(ArchiveId::first_at(taken).0));
        *next = id.0 + 1;
        queue(id)
    }

    /// The unit that puts a numbered message into archives.
    pub(crate) fn archive_op(id: ArchiveId, sides: Sides, message: &Arc<Message>) -> Op {
        Op::ArchivePut {
            id,
            sender: sides.sender,
            recipient: sides.recipient,
            message: Arc::clone(message),
        }
    }

    /// A page of an account's own archive. `NotFound` when a message that the question names is not there. Reads the disk; what is on its
    /// way there is not seen (see [`Model::settled`]).
    pub fn archive_page(
        &self,
        account: &Bare,
        query: &ArchiveQuery,
    ) -> Result<ArchivePage, Refusal> {
        self.with_entity(account, |entity| {
            self.note_reader(entity);
            Ok(())
        })?;
        let octets = usize::try_from(self.rules.offline_portion).unwrap_or(usize::MAX);
        let page = self
            .store
            .archive_page(account, query, self.rules.archive_page, octets);
        page.map_err(|error| unreadable(account, &error))?
            .ok_or(Refusal::NotFound)
    }

    /// The first and the last message of an account's archive. Reads the disk.
    pub fn archive_ends(&self, account: &Bare) -> Result<Option<(ArchiveId, ArchiveId)>, Refusal> {
        let ends = self.store.archive_ends(account);
        ends.map_err(|error| unreadable(account, &error))
    }

    /// Calls `then` when everything is on the disk that was queued before.
    pub fn settled(&self, then: impl FnOnce() + Send + 'static) -> Result<(), Refusal> {
        let queued = self.store.submit(Vec::new(), Box::new(move |_| then()));
        queued.map_err(|_| Refusal::Overloaded)
    }

    /// What an account wants archived.
    pub fn archive_preferences(&self, account: &Bare) -> Result<ArchivePreferences, Refusal> {
        self.with_entity(account, |entity| {
            Ok(entity.archive.as_deref().cloned().unwrap_or_default())
        })
    }

    /// An account wants this archived from now on.
    pub fn set_archive_preferences(
        self: &Arc<Self>,
        account: &Bare,
        wants: ArchivePreferences,
        reply: &Reply<()>,
    ) {
        let done = self.with_entity(account, |entity| {
            if wants.always.len() + wants.never.len() > self.rules.archive_preferences {
                return Err(Refusal::Limit("archive_preferences"));
            }
            let wants = Box::new(wants);
            let ops = vec![Op::ArchivePreferencesPut {
                account: account.clone(),
                preferences: wants.clone(),
            }];
            let reply = reply.clone();
            self.submit(entity, ops, move |_, stored| reply.send(stored))?;
            entity.archive = Some(wants);
            Ok(())
        });
        if let Err(refusal) = done {
            reply.send(Err(refusal));
        }
    }

    /// When something that is too old is looked for next.
    pub(crate) fn pruning_due(&self) -> Option<Timestamp> {
        self.rules.archive.map(|_| self.pruning.lock().due)
    }

    /// Removes a portion of what is too old. Nobody waits for it: where the queue has no room it is tried again.
    pub(crate) fn prune_archives(&self, now: Now) {
        let Some(most) = self.rules.archive else {
            return;
        };
        {
            let mut pruning = self.pruning.lock();
            if pruning.due > now.at {
                return;
            }
            pruning.due = now.at.plus(PAUSE);
        }
        let oldest = i64::try_from(most.as_millis()).unwrap_or(i64::MAX);
        let below = ArchiveId::first_at(Utc(now.utc.0.saturating_sub(oldest)));
        let begin = self.store.archives_begin().unwrap_or_else(|error| {
            tracing::error!(%error, "what is too old in the archives could not be looked for");
            None
        });
        if begin.is_some_and(|begin| begin < below) {
            self.store.submit_soft(vec![Op::ArchivePrune {
                below,
                most: MESSAGES,
            }]);
        } else {
            self.pruning.lock().due = now.at.plus(ROUND);
        }
    }
}

fn unreadable(account: &Bare, error: &store::StoreError) -> Refusal {
    tracing::error!(%error, %account, "the archive could not be read");
    Refusal::Fault
}

impl Entity {
    /// Its owner wants archived what is exchanged with `peer`.
    pub(crate) fn archives(&self, peer: &Address) -> bool {
        let in_roster = |bare: &Bare| self.roster.items.get(bare).is_some() || self.is_fellow(bare);
        let wants = self.archive.as_ref();
        wants.is_none_or(|wants| wants.keeps(peer, in_roster))
    }
}
