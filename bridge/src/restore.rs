//! Subscriptions of an earlier run.

use std::time::Duration;

use presence::{WatchId, WatchRecord};

use crate::action::Action;
use crate::bridge::{Bridge, Now};
use crate::record;
use crate::subscribe::Outcome;
use crate::subscription::GRACE_SECONDS;
use crate::waiting::Waiting;

impl<R: Copy> Bridge<R> {
    /// Takes up a subscription of an earlier run.
    pub(crate) fn restore_one(&mut self, now: Now, stored: WatchRecord) {
        let (presentity, watcher, id) =
            (stored.presentity.clone(), stored.watcher.clone(), stored.id);
        let left = u64::try_from(stored.expires.0 - now.utc.0).unwrap_or(0);
        let left = left.saturating_sub(u64::from(GRACE_SECONDS) * 1000);
        let expires = now.at + Duration::from_millis(left);
        let Some(subscription) = record::read(stored, expires) else {
            return self.act(Action::Unwatch { presentity, id });
        };
        self.insert(subscription);
        self.ask(
            Action::Look {
                watcher,
                presentity,
            },
            Waiting::Restored { id },
        );
    }

    pub(crate) fn restored(&mut self, now: Now, id: WatchId, outcome: Outcome) {
        if let Ok((decision, view)) = outcome {
            self.seen(now, id, decision, &view);
        }
    }
}
