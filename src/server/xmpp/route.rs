//! The model's way to a session: events printed into its link's queue.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use model::{Event, Route};
use parking_lot::Mutex;
use presence::Address;

use super::Inbound;
use crate::server::link::Link;
use crate::wiring;

/// What waits for a session's task.
#[derive(Default)]
pub(crate) struct Inbox(Mutex<VecDeque<Inbound>>);

impl Inbox {
    pub(super) fn take(&self) -> Option<Inbound> {
        let mut waiting = self.0.lock();
        let first = waiting.pop_front();
        // Little comes after the login: no session keeps room for it.
        if waiting.is_empty() && waiting.capacity() > 0 {
            *waiting = VecDeque::new();
        }
        first
    }

    /// Leaves something and wakes the task.
    pub(super) fn leave(&self, link: &Link, inbound: Inbound) {
        self.0.lock().push_back(inbound);
        link.wake.notify_one();
    }
}

/// A bound session as the model knows it.
pub(crate) struct XmppRoute {
    link: Arc<Link>,
    inbox: Arc<Inbox>,
    address: OnceLock<Address>,
    /// What came before the client knew its address: it waits until then.
    early: Mutex<Option<Vec<u8>>>,
    open: AtomicBool,
    /// Numbers the requests that the server makes on this stream.
    requests: AtomicU64,
}

impl XmppRoute {
    /// A route over a link, not yet open.
    pub(super) fn new(link: &Arc<Link>, inbox: &Arc<Inbox>) -> Arc<Self> {
        Arc::new(Self {
            link: Arc::clone(link),
            inbox: Arc::clone(inbox),
            address: OnceLock::new(),
            early: Mutex::new(Some(Vec::new())),
            open: AtomicBool::new(false),
            requests: AtomicU64::new(1),
        })
    }

    /// The address it was bound to.
    pub(super) fn name(&self, address: Address) {
        let _ = self.address.set(address);
    }

    /// The client has been told its address: what waited goes out, and all else at once from now on.
    pub(super) fn open(&self) {
        let mut early = self.early.lock();
        if let Some(waiting) = early.take()
            && !waiting.is_empty()
        {
            self.link.append(|out| out.extend_from_slice(&waiting));
        }
        self.open.store(true, Ordering::Release);
    }

    fn request_id(&self) -> String {
        format!("push-{}", self.requests.fetch_add(1, Ordering::Relaxed))
    }

    fn write(&self, print: impl FnOnce(&mut Vec<u8>)) {
        if self.open.load(Ordering::Acquire) {
            self.link.append(print);
            return;
        }
        let mut early = self.early.lock();
        match &mut *early {
            Some(waiting) => print(waiting),
            None => self.link.append(print),
        }
    }
}

impl Route for XmppRoute {
    fn deliver(&self, event: &Event<'_>) {
        match event {
            Event::Mark { .. } => self.inbox.leave(&self.link, Inbound::Mark),
            Event::Ended(why) => {
                self.link.close();
                self.inbox.leave(&self.link, Inbound::Ended(*why));
            }
            Event::PhoneMessage { .. } | Event::View { .. } => {}
            stanza => self.write(|out| wiring::xmpp::print(out, stanza, || self.request_id())),
        }
    }

    fn closed(&self) -> bool {
        self.link.is_closed()
    }
}
