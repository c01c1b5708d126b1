//! SUBSCRIBE in a dialog: a subscription goes on, or ends (RFC 6665 §4.2.1.4).

use std::time::Duration;

use presence::{Bare, Refusal, WatchId};
use sip::Timestamp;

use crate::action::Action;
use crate::bridge::{Bridge, Now};
use crate::reply::Reply;
use crate::subscribe::{Outcome, granted_to};
use crate::subscription::{End, GRACE_SECONDS, Numbers, Phase};
use crate::waiting::{Job, Waiting};

impl<R: Copy> Bridge<R> {
    /// A SUBSCRIBE in a dialog: refresh, or the end.
    pub(crate) fn subscribe_again(&mut self, now: Now, job: Box<Job<R>>, account: &Bare) {
        match self.again(now, &job, account) {
            Ok((id, granted)) => self.go_on_with(now, job, id, granted),
            Err(reply) => self.respond(&job, reply),
        }
    }

    fn again(&mut self, now: Now, job: &Job<R>, account: &Bare) -> Result<(WatchId, u32), Reply> {
        let none = || Reply::because(481, "Subscription Does Not Exist");
        let mut asked = self.asked(&job.request)?;
        let id = self
            .subscriptions
            .of_request(&job.request)
            .ok_or_else(none)?;
        let least = u32::try_from(self.config.subscribe_expires.min.as_secs()).unwrap_or(u32::MAX);
        asked.expires = self.random.shortened(asked.expires, least);
        let subscription = self.subscriptions.get_mut(id).ok_or_else(none)?;
        if subscription.watcher != *account {
            return Err(Reply::because(403, "Not Your Subscription"));
        }
        if subscription.phase != Phase::Open
            || subscription.event != asked.event
            || subscription.ends_at() <= now.at
        {
            return Err(none());
        }
        let before = subscription.dialog.flow.connection;
        subscription
            .dialog
            .check_incoming(&job.request, &job.flow)?;
        subscription.dialog.refresh_target(&job.request);
        subscription.lost = false;
        subscription.parked = false;
        subscription.hold_until = Timestamp(0);
        self.subscriptions.moved(id, before);
        Ok((id, asked.expires))
    }

    fn go_on_with(&mut self, now: Now, job: Box<Job<R>>, id: WatchId, granted: u32) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return self.respond(&job, Reply::from(&Refusal::Fault));
        };
        let presentity = subscription.presentity.clone();
        if !subscription.stored {
            let Some(mut subscription) = self.subscriptions.remove(id) else {
                return;
            };
            subscription.owed = true;
            subscription.expires = now.at + Duration::from_secs(granted.into());
            return self.accept(now, &job, subscription, granted == 0);
        }
        if granted == 0 {
            // Nothing is sent before the answer.
            subscription.phase = Phase::Opening;
            subscription.stored = false;
            self.subscriptions.arm(id);
            return self.ask(
                Action::Unwatch { presentity, id },
                Waiting::Unsubscribed { job, id },
            );
        }
        if subscription.numbers == Numbers::Missing || subscription.dialog.needs_reservation() {
            subscription.dialog.reserve();
            // Those that are left may be used meanwhile, if there are any.
            subscription.numbers = match subscription.numbers {
                Numbers::Missing => Numbers::Requested,
                _ => Numbers::Extending,
            };
        }
        let action = Action::Rewatch {
            presentity,
            id,
            expires: Duration::from_secs((granted.saturating_add(GRACE_SECONDS)).into()),
            dialog: subscription.record(),
        };
        self.ask(action, Waiting::Refreshed { job, id, granted });
    }

    pub(crate) fn refreshed(
        &mut self,
        now: Now,
        job: &Job<R>,
        id: WatchId,
        granted: u32,
        outcome: Outcome,
    ) {
        let (decision, view) = match outcome {
            Ok(seen) => seen,
            Err(Refusal::NotFound) => {
                // It ended while this was on its way.
                self.subscriptions.remove(id);
                return self.respond(job, Reply::because(481, "Subscription Does Not Exist"));
            }
            Err(refusal) => {
                if let Some(subscription) = self.subscriptions.get_mut(id)
                    && matches!(
                        subscription.numbers,
                        Numbers::Extending | Numbers::Requested
                    )
                {
                    subscription.numbers = Numbers::Missing;
                }
                self.not_kept(now, id);
                self.subscriptions.arm(id);
                return self.respond(job, Reply::from(&refusal));
            }
        };
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return self.respond(job, Reply::because(481, "Subscription Does Not Exist"));
        };
        subscription.owed = true;
        if !subscription.is_ending() {
            subscription.expires = now.at + Duration::from_secs(granted.into());
            subscription.numbers = Numbers::Reserved;
        }
        let response = granted_to(job, subscription, granted);
        self.output(crate::Output::Respond(job.id, response));
        self.subscriptions.arm(id);
        self.seen(now, id, decision, &view);
    }

    pub(crate) fn unsubscribed(&mut self, now: Now, job: &Job<R>, id: WatchId, outcome: Outcome) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return self.respond(job, Reply::because(481, "Subscription Does Not Exist"));
        };
        if let Ok((decision, view)) = outcome {
            subscription.see(decision, &view);
        }
        subscription.phase = Phase::Ending(End::Timeout);
        let response = granted_to(job, subscription, 0);
        self.output(crate::Output::Respond(job.id, response));
        self.advance(now, id);
    }
}
