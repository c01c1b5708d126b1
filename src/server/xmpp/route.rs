//! The model's way to a session: events printed into its link's queue.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::{Event, Notice, RosterChange, Route};
use parking_lot::Mutex;
use presence::{Address, Basic, Native};
use xmpp::print::{self, Delayed, PresenceParts, Shown};

use super::Inbound;
use crate::server::link::Link;

/// What waits for a session's task.
#[derive(Default)]
pub(crate) struct Inbox(Mutex<VecDeque<Inbound>>);

impl Inbox {
    pub(super) fn take(&self) -> Option<Inbound> {
        self.0.lock().pop_front()
    }

    /// Leaves something and wakes the task.
    pub(super) fn leave(&self, link: &Link, inbound: Inbound) {
        self.0.lock().push_back(inbound);
        link.wake.notify_one();
    }
}

/// A bound session as the model knows it.
pub(crate) struct XmppRoute {
    pub(super) link: Arc<Link>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) address: Address,
    /// Numbers the requests that the server makes on this stream.
    pub(super) requests: AtomicU64,
}

impl Route for XmppRoute {
    fn deliver(&self, event: &Event<'_>) {
        match event {
            Event::Presence { to, notice } => {
                let printed = notice.printed.get_or_init(|| Box::new(parts(notice)));
                let Some(parts) = printed.downcast_ref::<PresenceParts>() else {
                    return;
                };
                match &to.resource {
                    None => self.link.append(|out| parts.write(out, to.bare.as_str())),
                    Some(_) => self.link.append(|out| parts.write(out, &to.to_string())),
                }
            }
            Event::Subscription {
                kind,
                from,
                to,
                content,
            } => {
                self.link
                    .append(|out| print::subscription(out, *kind, from, to, content));
            }
            Event::RosterPush { version, change } => {
                let id = format!("push-{}", self.requests.fetch_add(1, Ordering::Relaxed));
                let change = match change {
                    RosterChange::Put(item) => print::Push::Put(item),
                    RosterChange::Removed(contact) => print::Push::Removed(contact),
                };
                self.link
                    .append(|out| print::roster_push(out, &id, *version, change));
            }
            Event::Message { message, delayed } => {
                let by = self.address.bare.domain_bare();
                let delayed = delayed.then_some(Delayed {
                    stamp: message.received,
                    by: &by,
                });
                self.link
                    .append(|out| print::message(out, message, None, delayed));
            }
            Event::Sent { message } => {
                self.link.append(|out| {
                    print::sent_carbon(out, &self.address.bare, &self.address, message);
                });
            }
            Event::Stanza { stanza } => self.link.append(|out| out.extend_from_slice(stanza)),
            Event::Ended(why) => {
                self.link.close();
                self.inbox.leave(&self.link, Inbound::Ended(*why));
            }
            Event::PhoneMessage { .. } | Event::View { .. } => {}
        }
    }

    fn closed(&self) -> bool {
        self.link.is_closed()
    }
}

/// One presence as a stanza that lacks only its recipient.
fn parts(notice: &Notice) -> PresenceParts {
    if !notice.available {
        let content = notice.parting.as_deref().unwrap_or_default();
        return PresenceParts::new(
            &notice.from,
            Shown::Unavailable,
            notice.parting_lang.as_deref(),
            content,
        );
    }
    let Some(publication) = &notice.publication else {
        return PresenceParts::new(&notice.from, Shown::Available, None, &[]);
    };
    let lang = publication.lang.as_deref();
    match &publication.native {
        Native::Xmpp(content) => PresenceParts::new(&notice.from, Shown::Available, lang, content),
        Native::Pidf(_) | Native::None => {
            let content = documents::stanza::presence_content(publication);
            let shown = match publication.document.basic {
                Basic::Open => Shown::Available,
                Basic::Closed => Shown::Unavailable,
            };
            PresenceParts::new(&notice.from, shown, lang, &content)
        }
    }
}
