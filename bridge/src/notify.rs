//! NOTIFY (RFC 6665 §4.2.2): when one is sent, and what its answer means.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use presence::{Decision, Refusal, View, WatchId};
use sip::header::{SubscriptionState, SubscriptionStatus};
use sip::transaction::Failure;
use sip::{HeaderName, Method, Request, Response};

use crate::action::Action;
use crate::bridge::{Bridge, Now, Sending};
use crate::record;
use crate::subscription::{End, Numbers, Phase, Subscription, Told};
use crate::waiting::Waiting;

/// What was told is handed over to be written at once, but of one subscription not more often than this. Only a watcher that is told
/// more often (a short `notify_pace`) may hear the last of it again after a crash.
const KEEP_PACE: Duration = Duration::from_millis(500);
/// How long a watcher that answers with 5xx is left alone, unless it says itself how long.
const HOLD: Duration = Duration::from_secs(30);
/// The longest that a watcher may ask to be left alone.
const LONGEST_HOLD: u32 = 3600;

impl<R: Copy> Bridge<R> {
    /// What a watcher may see now.
    pub(crate) fn seen(&mut self, now: Now, id: WatchId, decision: Decision, view: &Arc<View>) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return;
        };
        if subscription.is_ending() {
            return;
        }
        // A right that was taken back is a rejection: RFC 6665 §4.2.2 knows no way from active to pending.
        let withdrawn = subscription.decision == Decision::Allow && decision == Decision::Pending;
        subscription.see(decision, view);
        if subscription.phase == Phase::Opening {
            return;
        }
        if decision == Decision::Deny || withdrawn {
            return self.end(now, id, End::Rejected);
        }
        subscription.changed = true;
        self.doubt(id);
        self.advance(now, id);
    }

    /// Ends a subscription: one NOTIFY is left.
    pub(crate) fn end(&mut self, now: Now, id: WatchId, end: End) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return;
        };
        subscription.phase = Phase::Ending(end);
        subscription.keep_at = None;
        let stored = std::mem::replace(&mut subscription.stored, false);
        let presentity = subscription.presentity.clone();
        if stored {
            self.act(Action::Unwatch { presentity, id });
        }
        self.advance(now, id);
    }

    /// The timer of a subscription has fired.
    pub(crate) fn subscription_due(&mut self, now: Now, id: WatchId) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return;
        };
        if subscription.keep_at.is_some_and(|at| at <= now.at) {
            self.keep(now, id);
        }
        let over = self
            .subscriptions
            .get(id)
            .is_some_and(|s| !s.is_ending() && s.ends_at() <= now.at);
        if over {
            self.end(now, id, End::Timeout);
        } else {
            self.advance(now, id);
        }
    }

    /// Has written down what was told. While another NOTIFY is on its way that is not known; its answer has it written then.
    fn keep(&mut self, now: Now, id: WatchId) {
        if let Some(subscription) = self.subscriptions.get_mut(id) {
            subscription.keep_at = None;
            let told = subscription.known();
            if told != subscription.kept {
                subscription.kept_at = Some(now.at);
                self.write(id, told);
            }
        }
    }

    /// The whole dialog was not written, so that what is written of what was told is older. Unknown is never wrong: that is written at
    /// once, without waiting, and what was told when there may be room again.
    pub(crate) fn not_kept(&mut self, now: Now, id: WatchId) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return;
        };
        if !subscription.stored {
            return;
        }
        subscription.keep_at = Some(now.at + HOLD);
        self.write(id, None);
    }

    /// Something is to be told while it is not written what the watcher knows: a NOTIFY is on its way, or its content waits to be
    /// written. If all becomes again as it is written, and the run ends now, the next would take him for one who knows it.
    fn doubt(&mut self, id: WatchId) {
        let doubtful = self.subscriptions.get(id).is_some_and(|s| {
            s.stored && s.kept.is_some() && (s.outstanding.is_some() || s.keep_at.is_some())
        });
        if doubtful {
            self.write(id, None);
        }
    }

    fn write(&mut self, id: WatchId, told: Option<Told>) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return;
        };
        subscription.kept = told;
        let presentity = subscription.presentity.clone();
        self.act(Action::Keep {
            presentity,
            id,
            dialog: record::told(told),
            durable: false,
        });
    }

    /// Sends a NOTIFY if one is due and may be sent now, and sets the timer for what is left.
    pub(crate) fn advance(&mut self, now: Now, id: WatchId) {
        self.try_notify(now, id);
        self.subscriptions.arm(id);
    }

    fn try_notify(&mut self, now: Now, id: WatchId) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return;
        };
        let ending = subscription.is_ending();
        if subscription.phase == Phase::Opening || subscription.outstanding.is_some() {
            return;
        }
        // Who cannot be told is forgotten in silence.
        if subscription.lost || subscription.parked {
            if ending {
                self.subscriptions.remove(id);
            }
            return;
        }
        let owed = subscription.owed || ending;
        let gate = if owed {
            subscription.hold_until
        } else {
            subscription.not_before.max(subscription.hold_until)
        };
        if !(owed || subscription.changed) || now.at < gate {
            return;
        }
        let (told, body) = self.rendered.of(subscription);
        if !owed && subscription.sent == Some(told) {
            subscription.changed = false;
            return;
        }
        if !self.numbers(id) {
            return;
        }
        self.notify(now, id, told, body);
    }

    /// Whether a sequence number may be used. Those that are used are reserved on disk first, in blocks.
    fn numbers(&mut self, id: WatchId) -> bool {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return false;
        };
        let dialog = &mut subscription.dialog;
        if !subscription.stored {
            // Nothing of it outlives this run: a dialog that is over, or one that was never written.
            if dialog.needs_reservation() {
                dialog.reserve();
            }
            return true;
        }
        let (next, may) = match subscription.numbers {
            Numbers::Reserved if !dialog.needs_reservation() => return true,
            Numbers::Extending => return true,
            Numbers::Requested => return false,
            Numbers::Reserved => (Numbers::Extending, true),
            Numbers::Missing => (Numbers::Requested, false),
        };
        dialog.reserve();
        subscription.numbers = next;
        let (presentity, dialog) = (subscription.presentity.clone(), subscription.record());
        let action = Action::Keep {
            presentity,
            id,
            dialog,
            durable: true,
        };
        self.ask(action, Waiting::Kept { id });
        may
    }

    pub(crate) fn kept(&mut self, now: Now, id: WatchId, outcome: &Result<(), Refusal>) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return;
        };
        match outcome {
            Ok(()) => subscription.numbers = Numbers::Reserved,
            // The model has ended it, and tells why by another way if there is something to tell.
            Err(Refusal::NotFound) if subscription.stored => {
                self.subscriptions.remove(id);
                return;
            }
            Err(_) => {
                subscription.numbers = Numbers::Missing;
                subscription.hold_until = now.at + HOLD;
                self.not_kept(now, id);
            }
        }
        self.advance(now, id);
    }

    fn notify(&mut self, now: Now, id: WatchId, told: Told, body: Option<Bytes>) {
        let Some(source) = self.subscriptions.get(id).map(|s| s.dialog.flow.remote) else {
            return;
        };
        if !self.sources.may_send(source, id) {
            if let Some(subscription) = self.subscriptions.get_mut(id) {
                subscription.parked = true;
            }
            return;
        }
        let pace = self.config.notify_pace;
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return;
        };
        let contact = subscription.contact.clone();
        let request = subscription.dialog.request(Method::Notify, &contact);
        let request = filled(request, subscription, now, body);
        let to = subscription.dialog.next_hop();
        subscription.sent = Some(told);
        subscription.owed = false;
        subscription.changed = false;
        subscription.last_is_sent = subscription.is_ending();
        subscription.not_before = now.at + pace;
        let key = self.send(Sending::Notify(id, source), request, to);
        if let Some(subscription) = self.subscriptions.get_mut(id) {
            subscription.outstanding = Some(key);
        }
    }

    pub(crate) fn notify_answered(&mut self, now: Now, id: WatchId, key: u64, response: &Response) {
        let Some(subscription) = self
            .subscriptions
            .get_mut(id)
            .filter(|s| s.outstanding == Some(key))
        else {
            return;
        };
        subscription.outstanding = None;
        let over = subscription.last_is_sent || ends(response.status);
        if response.is_success() {
            subscription.told = subscription.sent;
            if subscription.stored && subscription.told != subscription.kept {
                match subscription.kept_at.map(|at| at + KEEP_PACE) {
                    Some(later) if later > now.at => subscription.keep_at = Some(later),
                    _ => self.keep(now, id),
                }
            }
        } else {
            not_taken(subscription, now, response);
        }
        self.settle(now, id, over);
    }

    /// A source has answered: what waited for that may go on.
    pub(crate) fn source_answered(&mut self, now: Now, source: SocketAddr) {
        for other in self.sources.answered(source) {
            self.unpark(now, other);
        }
    }

    /// Nothing came back. In time: the watcher is not there any more (RFC 6665 §4.2.2). Not sent: it cannot be reached now, and may
    /// come back by another way with its next SUBSCRIBE.
    pub(crate) fn notify_failed(&mut self, now: Now, id: WatchId, key: u64, why: Failure) {
        let Some(subscription) = self
            .subscriptions
            .get_mut(id)
            .filter(|s| s.outstanding == Some(key))
        else {
            return;
        };
        subscription.outstanding = None;
        subscription.sent = None;
        subscription.changed = true;
        subscription.lost = why == Failure::Transport;
        let over = subscription.last_is_sent || why == Failure::Timeout;
        self.settle(now, id, over);
    }

    /// A source has not answered: the next that waits for it may try.
    pub(crate) fn source_failed(&mut self, now: Now, source: SocketAddr, id: WatchId) {
        let mut next = self.sources.failed(source, id);
        while let Some(other) = next {
            next = if self.unpark(now, other) {
                None
            } else {
                self.sources.next(source)
            };
        }
    }

    /// A subscription may try now; `false`: there is no such one any more.
    fn unpark(&mut self, now: Now, id: WatchId) -> bool {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return false;
        };
        subscription.parked = false;
        self.advance(now, id);
        true
    }

    /// After an answer: the end, or what is next.
    fn settle(&mut self, now: Now, id: WatchId, over: bool) {
        if !over {
            return self.advance(now, id);
        }
        if let Some(ended) = self.subscriptions.remove(id) {
            self.forget(&ended);
        }
    }
}

/// The watcher does not know what was sent. It is told again when it said when, after a while when it is in trouble, else with the
/// next change.
fn not_taken(subscription: &mut Subscription, now: Now, response: &Response) {
    subscription.sent = None;
    subscription.told = None;
    let asked = response.headers.retry_after().ok().flatten();
    let hold = match asked {
        Some(after) => Duration::from_secs(after.seconds.min(LONGEST_HOLD).into()),
        None if (500..600).contains(&response.status) => HOLD,
        None => return,
    };
    subscription.hold_until = now.at + hold;
    subscription.changed = true;
}

/// The rest of a NOTIFY. As little as can be: it is to fit into a datagram.
fn filled(request: Request, subscription: &Subscription, now: Now, body: Option<Bytes>) -> Request {
    let left = subscription.left(now.at);
    let state = match (subscription.phase, subscription.decision) {
        (Phase::Ending(end), _) => SubscriptionState::terminated(end.reason())
            .to_string()
            .into(),
        (_, Decision::Allow) => SubscriptionState::value(&SubscriptionStatus::Active, left),
        _ => SubscriptionState::value(&SubscriptionStatus::Pending, left),
    };
    let package = subscription.package.as_str();
    let event = if *subscription.event == *package {
        Bytes::from_static(package.as_bytes())
    } else {
        Bytes::copy_from_slice(subscription.event.as_bytes())
    };
    let mut request = request
        .with(HeaderName::Event, event)
        .with(HeaderName::SubscriptionState, state);
    if let Some(body) = body {
        let media_type = subscription.package.media_type();
        request.headers.push(HeaderName::ContentType, media_type);
        request.body = body;
    }
    request
}

/// RFC 6665 §4.2.2: answers after which the subscription is removed.
fn ends(status: u16) -> bool {
    matches!(status, 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604)
}
