//! Those who are told: clients and phones that write down what they hear.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::route::{BlockChange, Ended, Event, RosterChange, Route};
use model::{Model, SessionId};
use parking_lot::Mutex;
use presence::subscription::Kind;
use presence::{Bare, Decision, Document, View};

/// What a session heard.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Presence {
        from: String,
        available: bool,
        mark: String,
    },
    Subscription(Kind, String),
    Push(u64, String),
    Blocks(String),
    Message {
        id: String,
        delayed: bool,
    },
    Copy {
        id: String,
        sent: bool,
    },
    Ended(Ended),
    /// Stored messages are written to its connection. Only its guard hears of it.
    Written(Vec<String>),
}

/// Looks at what is delivered at the moment it is.
pub type Guard = Arc<dyn Fn(&str, &Heard) + Send + Sync>;

/// A connection of a client.
pub struct Client {
    pub full: String,
    pub log: Mutex<Vec<Heard>>,
    /// Who is there, by full address, as the events say.
    pub roster: Mutex<BTreeMap<String, String>>,
    pub ended: AtomicBool,
    pub guard: Option<Guard>,
    /// It does not read: nothing is written to its connection.
    pub slow: AtomicBool,
    /// Stored messages that were delivered since the last mark.
    given: Mutex<Vec<String>>,
    /// Marks that were not reached yet, and what is before each.
    marks: Mutex<Vec<(Bare, SessionId, Vec<String>)>>,
}

impl Client {
    pub fn new(full: &str, guard: Option<Guard>) -> Arc<Self> {
        Arc::new(Self {
            full: full.to_owned(),
            log: Mutex::default(),
            roster: Mutex::default(),
            ended: AtomicBool::new(false),
            guard,
            slow: AtomicBool::new(false),
            given: Mutex::default(),
            marks: Mutex::default(),
        })
    }

    /// What was delivered is written to its connection, unless it has ended; true when the model wanted to know.
    pub fn write(&self, model: &Arc<Model>) -> bool {
        !self.slow.load(Ordering::Relaxed) && self.write_slowly(model)
    }

    /// The same for one that reads slowly: now it has read all.
    pub fn write_slowly(&self, model: &Arc<Model>) -> bool {
        if self.closed() {
            return false;
        }
        let marks = std::mem::take(&mut *self.marks.lock());
        let any = !marks.is_empty();
        for (account, session, ids) in marks {
            if let Some(guard) = &self.guard {
                guard(&self.full, &Heard::Written(ids));
            }
            model.written(&account, session);
        }
        any
    }

    pub fn take(&self) -> Vec<Heard> {
        std::mem::take(&mut self.log.lock())
    }

    /// What it heard of presence since last asked, as `who mark` or `who -`.
    pub fn presences(&self) -> Vec<String> {
        let heard = self.take().into_iter();
        heard
            .filter_map(|h| match h {
                Heard::Presence {
                    from,
                    available,
                    mark,
                } => Some(if available {
                    format!("{from} {mark}")
                } else {
                    format!("{from} -")
                }),
                _ => None,
            })
            .collect()
    }
}

pub fn mark(document: &Document) -> String {
    document
        .notes
        .first()
        .map_or_else(String::new, |n| n.text.clone())
}

impl Route for Client {
    fn deliver(&self, event: &Event<'_>) {
        let heard = match event {
            Event::Presence { notice, .. } => {
                let from = notice.from.to_string();
                let mark = notice
                    .publication
                    .as_ref()
                    .map_or_else(String::new, |p| mark(&p.document));
                let mut roster = self.roster.lock();
                if notice.available {
                    roster.insert(from.clone(), mark.clone());
                } else {
                    roster.remove(&from);
                }
                Heard::Presence {
                    from,
                    available: notice.available,
                    mark,
                }
            }
            Event::Subscription { kind, from, .. } => Heard::Subscription(*kind, from.to_string()),
            Event::RosterPush { version, change } => Heard::Push(
                *version,
                match change {
                    RosterChange::Put(item) => format!(
                        "{} {}{}",
                        item.contact,
                        item.subscription.as_str(),
                        if item.ask { " ask" } else { "" }
                    ),
                    RosterChange::Removed(contact) => format!("{contact} remove"),
                },
            ),
            Event::Blocks(change) => Heard::Blocks(match change {
                BlockChange::Blocked(who) => format!("block {who:?}"),
                BlockChange::Unblocked(who) => format!("unblock {who:?}"),
                BlockChange::AllUnblocked => "unblock all".to_owned(),
            }),
            Event::Message {
                message, delayed, ..
            } => {
                let id = message.id.as_deref().unwrap_or_default().to_owned();
                if *delayed {
                    self.given.lock().push(id.clone());
                }
                let delayed = *delayed;
                Heard::Message { id, delayed }
            }
            Event::Node { .. } => return,
            Event::Mark { account, session } => {
                let ids = std::mem::take(&mut *self.given.lock());
                self.marks.lock().push(((*account).clone(), *session, ids));
                return;
            }
            Event::Copy {
                to, message, sent, ..
            } => {
                assert_eq!(to.to_string(), self.full, "a copy is for this session");
                let id = message.id.as_deref().unwrap_or_default().to_owned();
                Heard::Copy { id, sent: *sent }
            }
            Event::Ended(why) => {
                self.ended.store(true, Ordering::Relaxed);
                Heard::Ended(*why)
            }
            Event::Stanza { .. }
            | Event::Announcement { .. }
            | Event::Probe { .. }
            | Event::PhoneMessage { .. }
            | Event::View { .. } => return,
        };
        if let Some(guard) = &self.guard {
            guard(&self.full, &heard);
        }
        self.log.lock().push(heard);
    }

    fn closed(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }
}

/// What the holder of a watch is told: by resource, the mark.
pub type Shown = (Decision, Vec<(String, String)>);

pub fn shown(decision: Decision, view: &View) -> Shown {
    let all = view.publications.iter();
    let mut all: Vec<_> = all
        .map(|p| (p.resource.to_string(), mark(&p.document)))
        .collect();
    all.sort();
    if decision != Decision::Allow {
        all.clear();
    }
    (decision, all)
}

/// An offer of a message to phones: whose, which contacts, which message, its number in the store.
pub type Offer = (String, Vec<String>, String, Option<u64>);

/// The side of the phones.
#[derive(Default)]
pub struct Phones {
    pub told: Mutex<BTreeMap<u64, Shown>>,
    pub views: Mutex<Vec<(u64, Shown)>>,
    pub offers: Mutex<Vec<Offer>>,
    /// Watches that were told the same twice.
    pub again: Mutex<Vec<u64>>,
}

impl Route for Phones {
    fn deliver(&self, event: &Event<'_>) {
        match event {
            Event::View {
                watch,
                decision,
                view,
            } => {
                let now = shown(*decision, view);
                let before = self.told.lock().insert(watch.0, now.clone());
                if *decision == Decision::Allow && before.as_ref() == Some(&now) {
                    self.again.lock().push(watch.0);
                }
                self.views.lock().push((watch.0, now));
            }
            Event::PhoneMessage {
                account,
                bindings,
                message,
                stored,
            } => {
                self.offers.lock().push((
                    account.to_string(),
                    bindings.iter().map(|b| b.contact.to_string()).collect(),
                    message.id.as_deref().unwrap_or_default().to_owned(),
                    *stored,
                ));
            }
            _ => {}
        }
    }

    fn closed(&self) -> bool {
        false
    }
}
