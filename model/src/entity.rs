//! One account in memory.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use presence::decision::{Grant, Reason, Standing, decide};
use presence::{
    Address, ArchiveId, ArchivePreferences, Bare, Binding, BlockList, Decision, Item, Publication,
    Resource, Roster, Source, Timestamp, Utc, View, WatchRecord,
};
use store::AccountRecord;

use crate::groups::Group;
use crate::offline::{Giving, Offering};
use crate::pubsub::Nodes;
use crate::route::{Event, Notice, Route, SessionId};
use crate::watching::{Connected, Watchers};

/// What is kept for one address: who watches it, and the account itself while it is in use.
#[derive(Default)]
pub(crate) struct Slot {
    /// Sessions of subscribers. They may stand here while the account itself is not in memory.
    pub(crate) watchers: Watchers,
    /// The account.
    pub(crate) entity: Option<Box<Entity>>,
}

/// One account. There are many and most are plain, so what is mostly empty is kept in what takes little room then.
pub(crate) struct Entity {
    pub(crate) account: Bare,
    pub(crate) disabled: bool,
    /// Its deletion is on the way to the disk: nothing more is taken for it.
    pub(crate) doomed: bool,
    /// Which reading in of the account this is.
    pub(crate) born: u64,
    pub(crate) roster: Roster,
    /// Contacts whose presence the owner gets since a change, or does not get any more, and of whose `watchers` that is not yet true:
    /// it waits for the commit.
    pub(crate) unsettled: Vec<Bare>,
    pub(crate) grants: BTreeMap<Bare, Grant>,
    /// Whom it does not want to hear from.
    pub(crate) blocked: Arc<BlockList>,
    /// The shared groups that it is in, by name.
    pub(crate) groups: Vec<Arc<Group>>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) published: Vec<Published>,
    pub(crate) bindings: Vec<Bound>,
    pub(crate) watches: Vec<Watch>,
    /// Up to which number what contacts owe was applied: of what is on its way to the disk, and of what was owed at the start.
    pub(crate) inbox: BTreeMap<Bare, u64>,
    pub(crate) offline: usize,
    pub(crate) offline_bytes: u64,
    /// When the oldest of them was taken, where they do not wait for ever.
    pub(crate) offline_oldest: Option<Utc>,
    /// All stored messages up to this number were given to a client in this run, or are on their way to one.
    pub(crate) flushed: u64,
    /// Stored messages are on their way to a client: what comes now waits behind them.
    pub(crate) giving: Option<Box<Giving>>,
    /// Sessions that were given stored messages up to this number and have not written them yet.
    pub(crate) marked: Vec<(SessionId, u64)>,
    /// Stored messages that phones were offered: their size, and when.
    pub(crate) offered: BTreeMap<u64, (u64, Timestamp)>,
    /// Phones are being offered what waits: what is stored now waits behind it.
    pub(crate) offering: Option<Box<Offering>>,
    /// What its owner wants archived, where he ever said so.
    pub(crate) archive: Option<Box<ArchivePreferences>>,
    /// When a client of its last read its archive, within a day.
    pub(crate) archive_read: Option<Utc>,
    pub(crate) last_seen: Option<(Utc, Option<String>)>,
    /// Which message of the day the owner has got last.
    pub(crate) motd: u64,
    /// The picture in its card, where somebody wanted to know.
    pub(crate) photo: OnceCell<Option<Arc<str>>>,
    /// Its nodes, while somebody wants them.
    pub(crate) nodes: Option<Box<Nodes>>,
    /// Grows with every change of what is published.
    pub(crate) version: u64,
    view: Option<Arc<View>>,
    /// Units of this account in the writer's queue.
    pub(crate) pending_commits: usize,
    /// A unit of this account has failed: memory is read again when no other is under way.
    pub(crate) stale: bool,
    /// What waits offline is counted anew when no unit is under way.
    pub(crate) recount: bool,
}

/// A connected XMPP session.
pub(crate) struct Session {
    pub(crate) connected: Arc<Connected>,
    /// Which installation of a client it is, if it said so (XEP-0388 §2.3).
    pub(crate) client: Option<[u8; 16]>,
    /// Its priority while it is available: then it stands as a watcher at everybody whom the roster lets it see.
    pub(crate) available: Option<i8>,
    /// Asked for the roster: gets pushes (RFC 6121 §2.1.6).
    pub(crate) interested: bool,
    /// Gets copies of what other devices of the account get and send (XEP-0280).
    pub(crate) carbons: bool,
    /// It reads what stands in the archive below this number: that is not given to it when it has waited.
    pub(crate) reads_archive: Option<ArchiveId>,
    /// Asked whom the account blocks: gets pushes (XEP-0191 §3.3).
    pub(crate) told_of_blocks: bool,
    /// The server says in its presence which picture the account has.
    pub(crate) shows_photo: bool,
    /// To whom directed presence was sent and not taken back (RFC 6121 §4.6).
    pub(crate) directed: Vec<Address>,
    /// When it last sent something for others, for the choice between equals.
    pub(crate) active: Timestamp,
}

impl Deref for Session {
    type Target = Connected;

    fn deref(&self) -> &Connected {
        &self.connected
    }
}

/// A publication with what only the run of the server needs.
pub(crate) struct Published {
    pub(crate) publication: Arc<Publication>,
    pub(crate) deadline: Option<Timestamp>,
    /// Kept as last known after an unclean start: its connection is gone, its owner may come back.
    pub(crate) lingering: bool,
}

/// A registration with its deadline.
pub(crate) struct Bound {
    pub(crate) binding: Binding,
    pub(crate) device: Arc<str>,
    pub(crate) deadline: Timestamp,
}

/// A stored watch.
pub(crate) struct Watch {
    pub(crate) record: WatchRecord,
    pub(crate) deadline: Timestamp,
    /// What its holder was told last.
    pub(crate) told: Decision,
    /// Something changed while he might not see it; that is not yet told.
    pub(crate) missed: bool,
}

impl Watch {
    pub(crate) fn new(record: WatchRecord, deadline: Timestamp, told: Decision) -> Self {
        Self {
            record,
            deadline,
            told,
            missed: false,
        }
    }
}

impl Entity {
    /// From what the store has. Publications, bindings and watches get their timers from the caller.
    pub(crate) fn load(record: AccountRecord, version: u64, at: impl Fn(Utc) -> Timestamp) -> Self {
        Self {
            account: record.account,
            disabled: record.disabled,
            doomed: false,
            born: version,
            roster: record.roster,
            unsettled: Vec::new(),
            grants: record.grants.into_iter().collect(),
            blocked: Arc::new(record.blocked),
            groups: Vec::new(),
            sessions: Vec::new(),
            published: record
                .publications
                .into_iter()
                .map(|p| Published {
                    deadline: p.expires.map(&at),
                    publication: Arc::new(p),
                    lingering: false,
                })
                .collect(),
            bindings: Vec::new(),
            watches: record
                .watches
                .into_iter()
                .map(|w| {
                    let deadline = at(w.expires);
                    Watch::new(w, deadline, Decision::Pending)
                })
                .collect(),
            inbox: record.inbox.into_iter().collect(),
            offline: record.offline,
            offline_bytes: record.offline_bytes,
            offline_oldest: None,
            flushed: 0,
            giving: None,
            marked: Vec::new(),
            offered: BTreeMap::new(),
            offering: None,
            archive: record.archive,
            archive_read: record.archive_read,
            last_seen: record.last_seen,
            motd: record.motd,
            photo: OnceCell::new(),
            nodes: None,
            version,
            view: None,
            pending_commits: 0,
            stale: false,
            recount: false,
        }
    }

    /// Nothing needs it in memory.
    pub(crate) fn idle(&self) -> bool {
        self.sessions.is_empty()
            && self.published.is_empty()
            && self.bindings.is_empty()
            && self.watches.is_empty()
            && self.pending_commits == 0
            && self.giving.is_none()
    }

    pub(crate) fn session(&mut self, id: SessionId) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|s| s.id == id)
    }

    /// May this watcher see this account?
    pub(crate) fn decide(&self, watcher: &Bare, same_domain: bool) -> (Decision, Reason) {
        let standing = Standing {
            roster: &self.roster,
            blocked: self.blocks_all_of(watcher),
            grant: self.grants.get(watcher).copied(),
            grouped: self.is_fellow(watcher),
            same_domain_allow: same_domain,
        };
        decide(watcher, &self.account, &standing)
    }

    /// What may be seen now, made once per change. In the order of resources: who came first is not known any more after a restart, and
    /// what is as it was is to look as it did.
    pub(crate) fn view(&mut self) -> Arc<View> {
        Arc::clone(self.view.get_or_insert_with(|| {
            let published = self.published.iter();
            let mut publications: Vec<_> = published.map(|p| Arc::clone(&p.publication)).collect();
            publications.sort_by(|a, b| a.resource.cmp(&b.resource));
            Arc::new(View {
                presentity: self.account.clone(),
                version: self.version,
                publications,
                pidf: OnceLock::new(),
            })
        }))
    }

    /// Something published has changed.
    fn touch(&mut self) {
        self.version += 1;
        self.view = None;
    }

    /// The index of the publication with this resource.
    pub(crate) fn find(&self, resource: &Resource) -> Option<usize> {
        self.published
            .iter()
            .position(|p| p.publication.resource == *resource)
    }

    /// Puts a publication in the place of the one with the same resource, or at the end.
    pub(crate) fn put(&mut self, publication: Arc<Publication>, deadline: Option<Timestamp>) {
        self.touch();
        let published = Published {
            publication,
            deadline,
            lingering: false,
        };
        match self.find(&published.publication.resource) {
            Some(i) => self.published[i] = published,
            None => {
                exact(&mut self.published);
                self.published.push(published);
            }
        }
    }

    /// Takes a publication away.
    pub(crate) fn take(&mut self, resource: &Resource) -> Option<Published> {
        let index = self.find(resource)?;
        self.touch();
        Some(self.published.remove(index))
    }

    /// The publication made by a registration alone.
    pub(crate) fn is_registration(&self, resource: &Resource) -> bool {
        self.find(resource).is_some_and(|i| {
            matches!(
                self.published[i].publication.source,
                Source::Registration { .. }
            )
        })
    }

    /// Tells one stored watch what its holder may see now.
    pub(crate) fn tell_watch(&mut self, index: usize, same_domain: bool, route: &dyn Route) {
        let view = self.view();
        let Some(watch) = self.watches.get(index) else {
            return;
        };
        let (decision, _) = self.decide(&watch.record.watcher, same_domain);
        let id = watch.record.id;
        let watch = &mut self.watches[index];
        (watch.told, watch.missed) = (decision, false);
        route.deliver(&Event::View {
            watch: id,
            decision,
            view: &view,
        });
    }

    /// May this address see it by subscription? Approval in advance is no subscription (RFC 6121 §3.4.1).
    pub(crate) fn shows_to(&self, asker: &Address) -> bool {
        let item = || self.roster.items.get(&asker.bare);
        let subscribed = || item().is_some_and(|i| i.subscription.from());
        let denied = || self.grants.get(&asker.bare).is_some_and(|g| !g.allow);
        let fellow = || self.is_fellow(&asker.bare) && !denied();
        asker.bare == self.account || ((subscribed() || fellow()) && !self.blocks(asker))
    }

    /// The owner gets this contact's presence.
    pub(crate) fn sees(&self, contact: &Bare) -> bool {
        let item = self.roster.items.get(contact);
        item.is_some_and(|i| i.subscription.to())
    }

    /// It is about to change whether the owner sees this contact, and what follows waits for the commit.
    pub(crate) fn unsettle(&mut self, contact: &Bare) {
        if !self.unsettled.contains(contact) {
            self.unsettled.push(contact.clone());
        }
    }

    /// The resource of that full address, when it has sent the asker directed presence.
    pub(crate) fn shown_to(&self, asker: &Bare, contact: &Address) -> Option<Address> {
        let resource = contact.resource.as_ref()?;
        let mut sessions = self.sessions.iter();
        sessions
            .any(|s| s.resource == *resource && s.directed.iter().any(|d| d.bare == *asker))
            .then(|| contact.clone())
    }

    /// Roster pushes to the interested sessions (RFC 6121 §2.1.6).
    pub(crate) fn push(&self, contact: &Bare, item: Option<&Item>, version: u64) {
        let listed = self.listed(contact, item);
        let version = self.roster_version(version);
        let change = match &listed {
            Some(item) => crate::route::RosterChange::Put(item),
            None => crate::route::RosterChange::Removed(contact),
        };
        for session in self.sessions.iter().filter(|s| s.interested) {
            session
                .route
                .deliver(&Event::RosterPush { version, change });
        }
    }
}

impl Slot {
    /// Tells everybody who watches this account of one resource's presence: subscribers' sessions, its own available sessions, the
    /// one that sent it among them (RFC 6121 §4.2.2, §4.4.2), and stored watches.
    pub(crate) fn broadcast(
        &mut self,
        notice: &Arc<Notice>,
        same_domain: bool,
        phones: &dyn Route,
    ) {
        let hears = |w: &&Arc<Connected>| w.hears_presence(&notice.from, notice.available);
        for watcher in self.watchers.iter().filter(hears) {
            watcher.route.deliver(&Event::Presence {
                to: &watcher.to,
                notice,
            });
        }
        self.broadcast_to_fellows(notice);
        let Some(entity) = &mut self.entity else {
            return;
        };
        let to = Address::from(entity.account.clone());
        for session in entity.sessions.iter().filter(|s| s.available.is_some()) {
            session.route.deliver(&Event::Presence { to: &to, notice });
        }
        for index in 0..entity.watches.len() {
            let watcher = entity.watches[index].record.watcher.clone();
            if entity.decide(&watcher, same_domain).0 == Decision::Allow {
                entity.tell_watch(index, same_domain, phones);
            } else {
                // It may be that the right to see comes back before its loss is committed and told.
                entity.watches[index].missed = true;
            }
        }
    }

    /// Takes a publication away and tells everybody.
    pub(crate) fn close(&mut self, resource: &Resource, same_domain: bool, phones: &dyn Route) {
        let Some(entity) = &mut self.entity else {
            return;
        };
        let Some(published) = entity.take(resource) else {
            return;
        };
        let from = entity.account.with(resource.clone());
        let notice = Notice::unavailable(from, Some(published.publication), None);
        self.broadcast(&notice, same_domain, phones);
    }

    /// Sends the presence of all that is published here, or of one resource, to one session that hears of it (the answer to a probe,
    /// RFC 6121 §4.3.2). True when there was something.
    pub(crate) fn present_to(
        &self,
        session: &Connected,
        to: &Address,
        only: Option<&Resource>,
        available: bool,
    ) -> bool {
        let Some(entity) = &self.entity else {
            return false;
        };
        let mut any = false;
        for published in &entity.published {
            let publication = &published.publication;
            if only.is_some_and(|r| *r != publication.resource) {
                continue;
            }
            let from = entity.account.with(publication.resource.clone());
            if !session.hears_presence(&from, available) {
                continue;
            }
            let notice = if available {
                Notice::available(&entity.account, publication)
            } else {
                Notice::unavailable(from, Some(Arc::clone(publication)), None)
            };
            let notice = &notice;
            session.route.deliver(&Event::Presence { to, notice });
            any = true;
        }
        any
    }
}

/// Makes room for one more and no others: nearly all such lists have one entry, and there are as many lists as accounts.
pub(crate) fn exact<T>(list: &mut Vec<T>) {
    if list.is_empty() {
        list.reserve_exact(1);
    }
}

/// What a client said in parting: its unavailable stanza.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// What stood in it.
    pub content: Bytes,
    /// Its `xml:lang`.
    pub lang: Option<Arc<str>>,
    /// Its `id`.
    pub id: Option<Arc<str>>,
    /// The first of its status texts: what XEP-0012 tells later.
    pub status: Option<String>,
}

/// What a client said in parting, when it said anything.
pub type Parting = Option<Said>;
