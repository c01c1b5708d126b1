//! When sessions of BOSH have something to do by themselves: one task keeps the time for all of them.
//!
//! A session is entered once, with the earliest time at which it may have something to do. That is mostly put off by the next request: it
//! is entered again when the old time has come, and at once only for an earlier one, which takes the place of the other.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use bosh::Time;
use parking_lot::Mutex;
use presence::Timestamp;
use tokio::sync::Notify;

use super::carried::Carried;
use crate::server::shared::Shared;

/// A time, and where the session is in memory: no other is there while this one is entered.
type Key = (Time, usize);

/// Times and whose they are.
#[derive(Default)]
pub(super) struct Timers {
    entries: Mutex<BTreeMap<Key, Weak<Carried>>>,
    earlier: Notify,
}

fn key(due: Time, whose: &Arc<Carried>) -> Key {
    (due, Arc::as_ptr(whose).addr())
}

impl Timers {
    /// Looks after a session at a time, and not at the one `before` for which it was entered.
    pub(super) fn enter(&self, due: Time, before: Time, whose: &Arc<Carried>) {
        let mut entries = self.entries.lock();
        entries.remove(&key(before, whose));
        let first = entries
            .first_key_value()
            .is_none_or(|((first, _), _)| due < *first);
        entries.insert(key(due, whose), Arc::downgrade(whose));
        drop(entries);
        if first {
            self.earlier.notify_one();
        }
    }

    /// A session that was entered for this time has nothing to do any more.
    pub(super) fn forget(&self, due: Time, whose: &Arc<Carried>) {
        self.entries.lock().remove(&key(due, whose));
    }

    fn next(&self) -> Option<Time> {
        let entries = self.entries.lock();
        entries.first_key_value().map(|((due, _), _)| *due)
    }

    /// Whose time has come, and which.
    fn due(&self, now: Time) -> Option<(Time, Weak<Carried>)> {
        let mut entries = self.entries.lock();
        let first = entries.first_entry()?;
        let due = first.key().0;
        (due <= now).then(|| (due, first.remove()))
    }
}

/// Keeps the time until the server ends.
pub(crate) async fn keep_time(shared: Arc<Shared>) {
    let timers = &shared.bosh.timers;
    let end = shared.sip_stopped();
    tokio::pin!(end);
    loop {
        let next = timers.next().map_or(u64::MAX, |due| due.0);
        tokio::select! {
            () = tokio::time::sleep_until(shared.clock.instant(Timestamp(next))) => {}
            () = timers.earlier.notified() => continue,
            () = &mut end => return,
        }
        let now = Time(shared.now().at.0);
        while let Some((due, whose)) = timers.due(now) {
            if let Some(carried) = whose.upgrade() {
                carried.time(due);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::collections::VecDeque;
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};
    use std::time::Duration;

    use bosh::{Body, Bounds, NAMESPACE, Session, Ticket};
    use tokio::sync::watch;

    use super::super::carried::{Handle, Whose};
    use super::super::registry::Registry;
    use super::super::reply::Reply;
    use super::*;
    use crate::server::accept::Census;
    use crate::server::http::Side;
    use crate::server::link::Carrier as _;
    use crate::server::shared::{Clock, Stage};

    const LIMITS: bosh::Limits = bosh::Limits {
        xml: xml::Limits {
            max_bytes: 1000,
            max_depth: 4,
            max_elements: None,
            max_attributes: 16,
        },
        elements: 4,
    };

    fn body(rid: u64, attributes: &str) -> Body {
        let text = format!("<body xmlns='{NAMESPACE}' rid='{rid}' {attributes}/>");
        Body::parse(text.as_bytes(), LIMITS).unwrap()
    }

    /// A session that may be silent for a shorter time than its requests are held, and may ask for nothing as often as it likes.
    fn session(registry: &Arc<Registry>) -> Arc<Carried> {
        let clock = Clock::start();
        let bounds = Bounds {
            inactivity: Duration::from_secs(30),
            polling: Duration::ZERO,
            ..Bounds::default()
        };
        let first = body(1, "to='office.example' ver='1.6' hold='1' wait='60'");
        let now = Time(clock.now().at.0);
        let session = Session::open(now, &bounds, "sid", Ticket(0), &first).unwrap();
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let whose = Whose {
            registry: Arc::downgrade(registry),
            clock,
            stop: watch::channel(Stage::Serving).1,
            side: Side::Plain,
            confidential: true,
            peer: SocketAddr::new(here, 1),
            counting: Arc::new(Census::default()).admit(here, 1, 1).unwrap(),
        };
        Arc::new(Carried::new(whose, session))
    }

    #[test]
    fn a_session_is_entered_once_however_often_it_is_asked() {
        let registry = Arc::new(Registry::default());
        let timers = &registry.timers;
        let carried = session(&registry);
        let stream = Handle::new(Arc::clone(&carried));
        stream.try_write(&mut b"<features/>".to_vec()).unwrap();
        let entered = || timers.entries.lock().len();
        let mut rid = 1;
        let mut held = VecDeque::new();
        let mut ask = |attributes: &str| {
            rid += 1;
            let asked = body(rid, &format!("sid='sid' {attributes}"));
            held.push_back(carried.ask(asked, Reply::task().0));
            // The answers of others are not waited for, and some connections are lost.
            if held.len() > rid as usize % 3
                && let Some(lost) = held.pop_front()
            {
                carried.disconnect(lost);
            }
        };
        for round in 0..50 {
            // Each time that it says it would be silent is shorter than the one before.
            for seconds in (1..=100).rev() {
                ask("");
                ask(&format!("pause='{seconds}'"));
                assert_eq!(entered(), 1, "in round {round}");
            }
            let (due, whose) = timers.due(Time(u64::MAX)).unwrap();
            whose.upgrade().unwrap().time(due);
            assert_eq!(entered(), 1, "after round {round}");
        }
        carried.ask(body(1_000_000, "sid='sid'"), Reply::task().0);
        assert_eq!(entered(), 0, "it has ended");
    }
}
