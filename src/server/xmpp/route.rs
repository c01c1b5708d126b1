//! The model's way to a session: events printed into its link's queue.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use model::{Delivery, Event, Route};
use parking_lot::Mutex;
use presence::{Address, Message};

use super::Inbound;
use super::held::{Held, Most};
use crate::server::link::{Kept, Link};
use crate::wiring;

/// What waits for a session's task; `None` when there is no task any more.
pub(crate) struct Inbox(Mutex<Option<VecDeque<Inbound>>>);

impl Default for Inbox {
    fn default() -> Self {
        Self(Mutex::new(Some(VecDeque::new())))
    }
}

impl Inbox {
    pub(super) fn take(&self) -> Option<Inbound> {
        let mut inbox = self.0.lock();
        let waiting = inbox.as_mut()?;
        let first = waiting.pop_front();
        // Little comes after the login: no session keeps room for it.
        if waiting.is_empty() && waiting.capacity() > 0 {
            *waiting = VecDeque::new();
        }
        first
    }

    /// Nothing is taken any more; what was left.
    pub(super) fn close(&self) -> VecDeque<Inbound> {
        self.0.lock().take().unwrap_or_default()
    }

    /// Leaves something and wakes the task. Gives it back when there is none any more.
    pub(super) fn try_leave(&self, link: &Link, inbound: Inbound) -> Result<(), Inbound> {
        match &mut *self.0.lock() {
            Some(waiting) => waiting.push_back(inbound),
            None => return Err(inbound),
        }
        link.wake.notify_one();
        Ok(())
    }

    /// The same for what nobody misses.
    pub(super) fn leave(&self, link: &Link, inbound: Inbound) {
        // Dropped outside of the lock: it may leave something itself.
        drop(self.try_leave(link, inbound));
    }
}

/// A stanza that came before the client knew its address, with what is to be kept of it where stanzas are counted.
type Early = (Vec<u8>, Option<Kept>);

/// A bound session as the model knows it.
pub(crate) struct XmppRoute {
    link: Arc<Link>,
    inbox: Arc<Inbox>,
    address: OnceLock<Address>,
    /// What came before the client knew its address: it waits until then.
    early: Mutex<Option<Vec<Early>>>,
    open: AtomicBool,
    /// Numbers the requests that the server makes on this stream.
    requests: AtomicU64,
    /// What waits while nobody looks at the client; `None` while somebody does.
    held: Mutex<Option<Box<Held>>>,
    most: Most,
}

impl XmppRoute {
    /// A route over a link, not yet open.
    pub(super) fn new(link: &Arc<Link>, inbox: &Arc<Inbox>, most: Most) -> Arc<Self> {
        Arc::new(Self {
            link: Arc::clone(link),
            inbox: Arc::clone(inbox),
            address: OnceLock::new(),
            early: Mutex::new(Some(Vec::new())),
            open: AtomicBool::new(false),
            requests: AtomicU64::new(1),
            held: Mutex::new(None),
            most,
        })
    }

    /// The address it was bound to.
    pub(super) fn name(&self, address: Address) {
        let _ = self.address.set(address);
    }

    /// The client has been told its address: what waited goes out, and all else at once from now on.
    pub(super) fn open(&self) {
        let mut early = self.early.lock();
        for (stanza, mut kept) in early.take().into_iter().flatten() {
            self.link
                .append_kept(|out| out.extend_from_slice(&stanza), || kept.take());
            // Nobody counts: it has arrived with that.
            if let Some(arrival) = kept.and_then(|kept| kept.arrival) {
                arrival.arrived();
            }
        }
        self.open.store(true, Ordering::Release);
    }

    /// The client knows its address.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Somebody looks at the client, or nobody does: then what may wait is held back (XEP-0352).
    pub(super) fn attend(&self, seen: bool) {
        let mut held = self.held.lock();
        if seen {
            if let Some(held) = held.take() {
                self.release(*held);
            }
        } else {
            held.get_or_insert_default();
        }
    }

    /// True when the event waits. One that does not lets go first what does.
    fn hold(&self, event: &Event<'_>) -> bool {
        let mut guard = self.held.lock();
        let Some(held) = guard.as_deref_mut() else {
            return false;
        };
        let waits = held.hold(event);
        if !waits || held.is_full(self.most) {
            let held = std::mem::take(held);
            self.release(held);
        }
        waits
    }

    fn release(&self, held: Held) {
        for stanza in held.stanzas() {
            self.write(|out| out.extend_from_slice(&stanza));
        }
    }

    fn request_id(&self) -> String {
        format!("push-{}", self.requests.fetch_add(1, Ordering::Relaxed))
    }

    fn write(&self, print: impl FnOnce(&mut Vec<u8>)) {
        self.write_kept(print, || None);
    }

    /// Writes a stanza, and what is to be kept of it where stanzas are counted: never before the client knows its address.
    fn write_kept(
        &self,
        print: impl FnOnce(&mut Vec<u8>),
        keep: impl FnOnce() -> Option<Kept>,
    ) -> bool {
        if !self.is_open()
            && let Some(waiting) = &mut *self.early.lock()
        {
            let mut stanza = Vec::new();
            print(&mut stanza);
            waiting.push((stanza, keep()));
            return true;
        }
        self.link.append_kept(print, keep)
    }
}

impl XmppRoute {
    /// Writes a message. On a managed stream it is kept until it is acknowledged, elsewhere it has arrived with that.
    fn write_message(&self, event: &Event<'_>, message: &Arc<Message>, delivery: Delivery<'_>) {
        let mut kept = false;
        let keep = || {
            kept = delivery.handling.storable || delivery.handling.speakable;
            kept.then(|| Kept {
                message: Arc::clone(message),
                handling: delivery.handling,
                arrival: delivery.arrival.cloned(),
            })
        };
        let taken = self.write_kept(
            |out| wiring::xmpp::print(out, event, || self.request_id()),
            keep,
        );
        if let (true, false, Some(arrival)) = (taken, kept, delivery.arrival) {
            arrival.arrived();
        }
    }
}

impl Route for XmppRoute {
    fn deliver(&self, event: &Event<'_>) {
        if self.hold(event) {
            return;
        }
        match event {
            Event::Mark { .. } => self.inbox.leave(&self.link, Inbound::Mark),
            Event::Ended(why) => {
                self.link.close();
                self.inbox.leave(&self.link, Inbound::Ended(*why));
            }
            Event::PhoneMessage { .. } | Event::View { .. } => {}
            Event::Message {
                message, delivery, ..
            }
            | Event::Copy {
                message, delivery, ..
            } => self.write_message(event, message, *delivery),
            stanza => self.write(|out| wiring::xmpp::print(out, stanza, || self.request_id())),
        }
    }

    fn closed(&self) -> bool {
        self.link.is_closed()
    }
}
