//! Requests that wait for an answer from outside, and how they go on.

use std::sync::Arc;

use presence::{Bare, Refusal, WatchId};
use sip::header::Authorization;
use sip::transaction::Flow;
use sip::{Request, Uri};

use crate::action::{Answer, Body, Sent};
use crate::bridge::{Bridge, Now};
use crate::publish::Publishing;
use crate::reply::Reply;
use crate::subscription::Subscription;

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Job<R> {
    pub(crate) id: R,
    pub(crate) request: Request,
    pub(crate) flow: Flow,
    /// The URI of From, once it was read.
    pub(crate) from: Option<Uri>,
}

/// What an answer is waited for with.
pub(crate) enum Waiting<R> {
    /// The keys of a digest user.
    Credentials {
        job: Box<Job<R>>,
        realm: Arc<str>,
        authorization: Authorization,
    },
    /// The account that From leads to.
    Sender {
        job: Box<Job<R>>,
        account: Option<Bare>,
    },
    /// The account that the target leads to.
    Target {
        job: Box<Job<R>>,
        account: Bare,
        served: bool,
    },
    /// The account that the entity of a published document leads to.
    Entity {
        job: Box<Job<R>>,
        account: Bare,
        publishing: Publishing,
        body: Box<(Arc<str>, Body)>,
    },
    /// The bindings after a REGISTER.
    Bindings { job: Box<Job<R>> },
    /// The tag of a publication.
    Published { job: Box<Job<R>> },
    /// The first view of a new subscription.
    Opened { job: Box<Job<R>>, id: WatchId },
    /// What a fetch sees.
    Fetched {
        job: Box<Job<R>>,
        subscription: Box<Subscription>,
    },
    /// The view of a refreshed subscription.
    Refreshed {
        job: Box<Job<R>>,
        id: WatchId,
        granted: u32,
    },
    /// The view at the end of a subscription.
    Unsubscribed { job: Box<Job<R>>, id: WatchId },
    /// What a subscription of an earlier run may see now.
    Restored { id: WatchId },
    /// Sequence numbers are reserved.
    Kept { id: WatchId },
    /// A phone's message.
    Sent { job: Box<Job<R>> },
}

impl<R: Copy> Bridge<R> {
    /// An answer that does not fit its question is a fault of the driver: the request gets 500.
    pub(crate) fn go_on(&mut self, now: Now, waiting: Waiting<R>, answer: Answer) {
        match (waiting, answer) {
            (
                Waiting::Credentials {
                    job,
                    realm,
                    authorization,
                },
                Answer::Credentials(found),
            ) => {
                self.credentials(now, job, &realm, &authorization, found);
            }
            (Waiting::Sender { job, account }, Answer::Resolved(found)) => {
                self.sender(now, job, account, found);
            }
            (Waiting::Target { job, account, .. }, Answer::Resolved(Some(target))) => {
                self.proceed(now, job, account, target);
            }
            (Waiting::Target { job, served, .. }, Answer::Resolved(None)) => {
                let reply = nobody(&job.request, served);
                self.respond(&job, reply);
            }
            (
                Waiting::Entity {
                    job,
                    account,
                    publishing,
                    body,
                },
                Answer::Resolved(found),
            ) => {
                self.entity(job, account, publishing, *body, found.as_ref());
            }
            (Waiting::Bindings { job }, Answer::Bindings(outcome)) => {
                self.registered(now, &job, outcome);
            }
            (Waiting::Published { job }, Answer::Published(outcome)) => {
                self.published(&job, outcome);
            }
            (Waiting::Opened { job, id }, Answer::Seen(outcome)) => {
                self.opened(now, &job, id, outcome);
            }
            (Waiting::Fetched { job, subscription }, Answer::Seen(outcome)) => {
                self.fetched(now, &job, subscription, outcome);
            }
            (Waiting::Refreshed { job, id, granted }, Answer::Seen(outcome)) => {
                self.refreshed(now, &job, id, granted, outcome);
            }
            (Waiting::Unsubscribed { job, id }, Answer::Seen(outcome)) => {
                self.unsubscribed(now, &job, id, outcome);
            }
            (Waiting::Restored { id }, Answer::Seen(outcome)) => self.restored(now, id, outcome),
            (Waiting::Kept { id }, Answer::Kept(outcome)) => self.kept(now, id, &outcome),
            (Waiting::Sent { job }, Answer::Sent(outcome)) => self.sent(&job, outcome),
            (waiting, _) => self.unfit(waiting),
        }
    }

    fn unfit(&mut self, waiting: Waiting<R>) {
        let job = match waiting {
            Waiting::Credentials { job, .. }
            | Waiting::Sender { job, .. }
            | Waiting::Target { job, .. }
            | Waiting::Entity { job, .. }
            | Waiting::Bindings { job }
            | Waiting::Published { job }
            | Waiting::Fetched { job, .. }
            | Waiting::Refreshed { job, .. }
            | Waiting::Sent { job } => job,
            Waiting::Opened { job, id } | Waiting::Unsubscribed { job, id } => {
                self.subscriptions.remove(id);
                job
            }
            Waiting::Restored { .. } | Waiting::Kept { .. } => return,
        };
        self.respond(&job, Reply::from(&Refusal::Fault));
    }

    fn sent(&mut self, job: &Job<R>, outcome: Result<Sent, Refusal>) {
        let reply = match outcome {
            Ok(Sent::Delivered) => Reply::new(200),
            Ok(Sent::Stored) => Reply::new(202),
            Ok(Sent::Dropped) => Reply::new(480),
            Err(refusal) => Reply::from(&refusal),
        };
        self.respond(job, reply);
    }
}

/// Nobody is there: 404. For another domain we would have to forward, which nobody may when no hop is left (RFC 3261 §16.3).
fn nobody(request: &Request, served: bool) -> Reply {
    if served {
        return Reply::new(404);
    }
    if sip::screen::can_forward(request) {
        Reply::because(404, "Domain Not Served Here")
    } else {
        Reply::new(483)
    }
}
