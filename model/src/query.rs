//! What is known, for people and programs.

use std::time::Duration;

use presence::{Address, Bare, Refusal};

use crate::shards::Model;

/// Numbers of the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each field says what it counts")]
pub struct Counts {
    pub accounts_in_memory: usize,
    pub sessions: usize,
    pub publications: usize,
    pub registrations: usize,
    pub watches: usize,
    pub write_queue: usize,
}

impl Model {
    /// Counts what is in memory.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            write_queue: self.store.queue_depth(),
            ..Counts::default()
        };
        self.each(|slot| {
            let Some(entity) = &slot.entity else { return };
            counts.accounts_in_memory += 1;
            counts.sessions += entity.sessions.len();
            counts.publications += entity.published.len();
            counts.registrations += entity.bindings.len();
            counts.watches += entity.watches.len();
        });
        counts
    }

    /// How long an account has been away and what it said last (XEP-0012 §4): zero while it is available. Only for who may see it.
    pub fn last_activity(
        &self,
        asker: &Address,
        account: &Bare,
    ) -> Result<(Duration, Option<String>), Refusal> {
        let now = self.now();
        self.may_address(asker, &account.clone().into())?;
        self.with_entity(account, |entity| {
            if !entity.shows_to(asker) {
                return Err(Refusal::Forbidden);
            }
            if !entity.sessions.is_empty() {
                return Ok((Duration::ZERO, None));
            }
            let (at, status) = entity.last_seen.clone().ok_or(Refusal::Unavailable)?;
            Ok((now.utc.since(at), status))
        })
        .map_err(|refusal| match refusal {
            // Whether there is such an account is not told to strangers.
            Refusal::NotFound => Refusal::Forbidden,
            other => other,
        })
    }

    /// Is there such an account, and may it be used?
    pub fn exists(&self, account: &Bare) -> Result<bool, Refusal> {
        match self.with_entity(account, |entity| Ok(!entity.disabled)) {
            Err(Refusal::NotFound) => Ok(false),
            other => other,
        }
    }
}
