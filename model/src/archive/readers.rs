//! Accounts whose clients read the archive: what stands there need not wait for them elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use presence::{ArchiveId, Bare, Refusal, Utc};
use store::Op;

use crate::archive::Sides;
use crate::entity::Entity;
use crate::messages::{Answer, Letter, Sent};
use crate::offline::TO_LOOK;
use crate::route::SessionId;
use crate::shards::Model;

/// How exactly it is known when an archive was read.
const DAY: Duration = Duration::from_secs(86_400);

impl Model {
    /// A session was bound that reads the archive of its account: what came until now, waits and stands there it has to look for there.
    /// That waits no longer, for nobody (XEP-0386 §3.2).
    pub fn reads_archive(
        self: &Arc<Self>,
        account: &Bare,
        session: SessionId,
    ) -> Result<(), Refusal> {
        let now = self.now();
        self.with_entity(account, |entity| {
            let own = entity.session(session).ok_or(Refusal::NotFound)?;
            let below = ArchiveId(*self.next_archive.lock());
            own.reads_archive = Some(below);
            self.note_reader(entity);
            let Some(kept) = self.rules.archive.filter(|_| entity.offline > 0) else {
                return Ok(());
            };
            // What leaves the archive before anybody can look stays.
            let stays = i64::try_from(kept.saturating_sub(TO_LOOK).as_millis());
            let from = Utc(now.utc.0.saturating_sub(stays.unwrap_or(i64::MAX)) + 1);
            let read = vec![Op::OfflineArchived {
                account: account.clone(),
                from: ArchiveId::first_at(from),
                below,
            }];
            // Where the queue has no room they go when the session becomes available.
            self.submit(entity, read, |_, _| ())?;
            entity.recount = true;
            // A phone that takes one of them now changes nothing any more.
            (entity.offering, entity.offered) = (None, BTreeMap::new());
            if let Some(giving) = &mut entity.giving {
                giving.uncertain = true;
            }
            Ok(())
        })
    }

    /// A client reads the archive of its account. This is written down, so that it is known after a restart, but once a day only.
    pub(crate) fn note_reader(&self, entity: &mut Entity) {
        let now = self.now().utc;
        if entity.archive_read.is_some_and(|at| now < at.plus(DAY)) {
            return;
        }
        let op = Op::ArchiveRead {
            account: entity.account.clone(),
            at: now,
        };
        // Where the queue has no room it is written with the next page.
        if self.store.submit_kept(vec![op]).is_ok() {
            entity.archive_read = Some(now);
        }
    }

    /// Clients of the account have read the archive while what comes now would still have been there: it need not wait elsewhere.
    pub(crate) fn has_reader(&self, entity: &Entity) -> bool {
        let (kept, read) = (self.rules.archive, entity.archive_read);
        let until = kept.zip(read).map(|(kept, read)| read.plus(kept.max(DAY)));
        until.is_some_and(|until| self.now().utc < until)
    }

    /// Keeps a message in archives alone; it is answered when it is there, like one that waits.
    pub(crate) fn keep_archived<A: Answer>(
        self: &Arc<Self>,
        entity: &mut Entity,
        letter: &mut Letter<A>,
        sides: Sides,
    ) -> Result<(), Refusal> {
        self.numbered(letter.message.received, |id| {
            letter.number(id, sides);
            let op = Self::archive_op(id, sides, &letter.message);
            let answer = letter.reply();
            self.submit(entity, vec![op], move |_, stored| {
                answer.send(stored.map(|()| Sent::Stored));
            })
        })
    }
}
