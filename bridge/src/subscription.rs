//! One subscription (RFC 6665 §4.2), from its SUBSCRIBE to its last NOTIFY.

use std::sync::Arc;

use bytes::Bytes;
use presence::{Bare, Decision, View, WatchId};
use sip::dialog::Dialog;
use sip::{Timestamp, Uri};

use crate::record;

/// A late refresh is still one: some phones send it when the time is over. After this it is 481.
pub(crate) const GRACE_SECONDS: u32 = 8;

/// Event packages that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Package {
    /// RFC 3856.
    Presence,
    /// RFC 3842: there is never anything waiting, but phones that are refused ask again without end.
    MessageSummary,
}

impl Package {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Presence, Self::MessageSummary]
            .into_iter()
            .find(|p| p.as_str() == name)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::MessageSummary => "message-summary",
        }
    }

    /// The only type of its documents.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Presence => documents::pidf::MEDIA_TYPE,
            Self::MessageSummary => "application/simple-message-summary",
        }
    }
}

/// Why a subscription ends (RFC 6665 §4.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Its time is over, or its holder ended it.
    Timeout,
    /// The owner denies it.
    Rejected,
}

impl End {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Rejected => "rejected",
        }
    }
}

/// Where a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its SUBSCRIBE is not answered yet.
    Opening,
    /// Alive.
    Open,
    /// Only its last NOTIFY is left.
    Ending(End),
}

/// Sequence numbers, which rise for ever, also over a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Enough are reserved.
    Reserved,
    /// More are being reserved; those that are left may be used.
    Extending,
    /// None may be used.
    Missing,
    /// None may be used, and some are being reserved.
    Requested,
}

/// What a NOTIFY told, as far as it matters for whether the next one is needed: state and document.
pub(crate) type Told = u64;

/// A subscription.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) id: WatchId,
    pub(crate) watcher: Bare,
    pub(crate) presentity: Bare,
    pub(crate) package: Package,
    /// It is a watch of the model, not only of this run.
    pub(crate) stored: bool,
    pub(crate) dialog: Dialog,
    /// The value of Event: package and `id`.
    pub(crate) event: Arc<str>,
    /// The presentity as its watcher calls it.
    pub(crate) entity: Arc<str>,
    /// Our Contact.
    pub(crate) contact: Uri,
    /// What names the watcher's device among his others.
    pub(crate) device: Arc<str>,
    pub(crate) phase: Phase,
    pub(crate) numbers: Numbers,
    /// The granted time ends.
    pub(crate) expires: Timestamp,
    pub(crate) decision: Decision,
    pub(crate) view: Option<Arc<View>>,
    /// A NOTIFY is owed, whatever it tells.
    pub(crate) owed: bool,
    /// What may be seen may have changed since the last NOTIFY.
    pub(crate) changed: bool,
    /// The NOTIFY that is not answered yet.
    pub(crate) outstanding: Option<u64>,
    /// The last NOTIFY was sent.
    pub(crate) last_is_sent: bool,
    /// No NOTIFY for a change before.
    pub(crate) not_before: Timestamp,
    /// No NOTIFY at all before: the watcher asked for time.
    pub(crate) hold_until: Timestamp,
    /// What the last NOTIFY told that was taken.
    pub(crate) told: Option<Told>,
    /// What the last NOTIFY told that was sent.
    pub(crate) sent: Option<Told>,
    /// The watcher cannot be reached until he is heard of again.
    pub(crate) lost: bool,
    /// It waits until its source has answered another NOTIFY.
    pub(crate) parked: bool,
    /// When what was told is to be written down.
    pub(crate) keep_at: Option<Timestamp>,
    /// What is written of it.
    pub(crate) kept: Option<Told>,
    /// When it was written last.
    pub(crate) kept_at: Option<Timestamp>,
    /// When its timer is set.
    pub(crate) armed: Option<Timestamp>,
}

impl Subscription {
    /// Seconds of the granted time that are left; at least one while it lives, for a late refresh is awaited.
    pub(crate) fn left(&self, now: Timestamp) -> u32 {
        u32::try_from(self.expires.since(now).div_ceil(1000))
            .unwrap_or(u32::MAX)
            .max(1)
    }

    pub(crate) fn ends_at(&self) -> Timestamp {
        Timestamp(
            self.expires
                .0
                .saturating_add(u64::from(GRACE_SECONDS) * 1000),
        )
    }

    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Ending(_))
    }

    /// Takes what is newer: two ways lead here, and one may overtake the other.
    pub(crate) fn see(&mut self, decision: Decision, view: &Arc<View>) {
        let older = self
            .view
            .as_ref()
            .is_some_and(|known| known.version > view.version);
        self.decision = decision;
        if !older {
            self.view = Some(Arc::clone(view));
        }
    }

    /// What the watcher knows, to be written: nothing is known of one to whom a NOTIFY is on its way.
    pub(crate) fn known(&self) -> Option<Told> {
        self.told.filter(|_| self.outstanding.is_none())
    }

    /// The dialog's form on disk, which is about to be written. `kept` is corrected if that fails.
    pub(crate) fn record(&mut self) -> Bytes {
        self.kept = self.known();
        record::write(self, self.kept)
    }

    /// When something is to be done without anything happening.
    pub(crate) fn next_timer(&self) -> Option<Timestamp> {
        if self.phase == Phase::Opening {
            return None;
        }
        let wants = self.owed || self.changed || self.is_ending();
        let sends = wants
            && self.outstanding.is_none()
            && !self.lost
            && !self.parked
            && self.numbers != Numbers::Requested;
        let pace = if self.owed || self.is_ending() {
            self.hold_until
        } else {
            self.not_before.max(self.hold_until)
        };
        let ends = (!self.is_ending()).then(|| self.ends_at());
        [ends, sends.then_some(pace), self.keep_at]
            .into_iter()
            .flatten()
            .min()
    }
}
