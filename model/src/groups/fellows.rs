//! What it means to be in a group with somebody: rosters, and who is told of whom.

use std::collections::BTreeSet;
use std::sync::Arc;

use presence::{Address, Bare, Item, Label, Roster, SubscriptionState};

use super::Group;
use crate::entity::{Entity, Slot};
use crate::route::{Event, Notice};
use crate::watching::Connected;

impl Entity {
    /// Is somebody else in a group with it?
    pub(crate) fn is_fellow(&self, other: &Bare) -> bool {
        *other != self.account && self.groups.iter().any(|g| g.has(other))
    }

    /// Those who are in a group with it, each once, in order.
    pub(crate) fn fellows(&self) -> Vec<Bare> {
        let mut all: Vec<Bare> = match &self.groups[..] {
            [] => return Vec::new(),
            [one] => one.members().to_vec(),
            many => {
                let lists: Vec<_> = many.iter().map(|g| g.members()).collect();
                let all: BTreeSet<&Bare> = lists.iter().flat_map(|l| l.iter()).collect();
                all.into_iter().cloned().collect()
            }
        };
        all.retain(|a| *a != self.account);
        all
    }

    /// The version of the roster with its groups: it changes when either does.
    pub(crate) fn roster_version(&self, own: u64) -> u64 {
        let groups = self.groups.iter().map(|g| g.digest());
        groups.fold(own, u64::wrapping_add)
    }

    /// The roster as its owner sees it: with the members of its groups.
    pub(crate) fn whole_roster(&self) -> Roster {
        let mut roster = self.roster.clone();
        roster.version = self.roster_version(roster.version);
        if self.groups.is_empty() {
            return roster;
        }
        let mut fellows = self.fellows().into_iter().peekable();
        let mut items = Vec::with_capacity(roster.items.len() + fellows.len());
        for item in &self.roster.items {
            while let Some(fellow) = fellows.next_if(|f| *f < item.contact) {
                items.push(self.shared_item(&fellow, None));
            }
            if fellows.next_if_eq(&item.contact).is_some() {
                items.push(self.shared_item(&item.contact, Some(item)));
            } else {
                items.push(item.clone());
            }
        }
        items.extend(fellows.map(|fellow| self.shared_item(&fellow, None)));
        roster.items = items.into_iter().collect();
        roster
    }

    /// How a contact is listed: as its owner has it, or, when both are in a group, with its name and groups and those of the office.
    pub(crate) fn listed(&self, contact: &Bare, own: Option<&Item>) -> Option<Item> {
        if self.is_fellow(contact) {
            return Some(self.shared_item(contact, own));
        }
        own.cloned()
    }

    fn shared_item(&self, contact: &Bare, own: Option<&Item>) -> Item {
        let shared = self.groups.iter().filter(|g| g.has(contact));
        let shared: Vec<&str> = shared.map(|g| &*g.name).collect();
        let of_office = |g: &&str| shared.contains(g);
        let others = own.iter().flat_map(|i| i.label.groups());
        let others = others.filter(|g| !of_office(g));
        let called = self.called(contact);
        let own_name = own.and_then(|i| i.label.name());
        Item {
            label: Label::new(
                own_name.or(called.as_deref()),
                shared.iter().copied().chain(others),
            ),
            subscription: SubscriptionState::Both,
            ask: false,
            approved: own.is_some_and(|i| i.approved),
            ..Item::new(contact.clone())
        }
    }

    /// What a fellow member is called, where its card says it.
    fn called(&self, contact: &Bare) -> Option<Arc<str>> {
        self.groups.iter().find_map(|g| g.name_of(contact))
    }

    /// The name that the owner has given a contact himself: not the one that comes with a shared group, and may change there.
    pub(crate) fn own_name(&self, contact: &Bare, name: Option<String>) -> Option<String> {
        let kept = self.roster.items.get(contact);
        let own = kept.and_then(|item| item.label.name());
        name.filter(|name| own == Some(name) || self.called(contact).as_deref() != Some(name))
    }

    /// The groups that the owner has given a contact himself: without those of the office, which come by themselves.
    pub(crate) fn own_groups(&self, contact: &Bare, mut groups: Vec<String>) -> Vec<String> {
        let of_office = |name: &String| {
            let mut shared = self.groups.iter().filter(|g| g.has(contact));
            shared.any(|g| *g.name == **name)
        };
        groups.retain(|name| !of_office(name));
        groups
    }

    /// Nothing but a group stands against it: neither a block nor a refusal.
    fn lets_see(&self, watcher: &Connected) -> bool {
        let denied = self.grants.get(&watcher.to.bare).is_some_and(|g| !g.allow);
        !denied && (self.blocked.is_empty() || !self.blocks(&watcher.full()))
    }

    /// A session comes to those of its groups, or goes.
    pub(crate) fn show_in_groups(&self, session: &Arc<Connected>, available: bool) {
        for group in &self.groups {
            let mut online = group.online.lock();
            if available {
                online.insert(session);
            } else {
                online.remove(session);
            }
        }
    }
}

impl Slot {
    /// Every session of a fellow member that is told of this account because of a group and not as a subscriber's, each once.
    pub(crate) fn each_fellow(&self, mut tell: impl FnMut(&Arc<Connected>)) {
        let Some(entity) = &self.entity else { return };
        let mut before: Vec<Arc<Vec<Bare>>> = Vec::new();
        for group in &entity.groups {
            for session in group.online.lock().iter() {
                let owner = &session.to.bare;
                let told = before.iter().any(|list| list.binary_search(owner).is_ok());
                let elsewhere = told || *owner == entity.account || self.watchers.holds(session);
                if !elsewhere && entity.lets_see(session) {
                    tell(session);
                }
            }
            if entity.groups.len() > 1 {
                before.push(group.members());
            }
        }
    }

    /// Tells fellow members of one resource's presence.
    pub(crate) fn broadcast_to_fellows(&self, notice: &Arc<Notice>) {
        self.each_fellow(|session| {
            if session.hears_presence(&notice.from, notice.available) {
                let to = &session.to;
                session.route.deliver(&Event::Presence { to, notice });
            }
        });
    }

    /// Shows what there is to a session of a fellow member that has just come, as long as it is there.
    pub(crate) fn show_to_fellow(&self, session: &Arc<Connected>, to: &Address) {
        let Some(entity) = &self.entity else { return };
        let shared = entity.groups.iter().find(|g| g.has(&session.to.bare));
        let Some(group) = shared.filter(|_| entity.lets_see(session)) else {
            return;
        };
        // Under the lock: whoever takes the session away waits.
        let online = group.online.lock();
        if online.holds(session) && !self.watchers.holds(session) {
            self.present_to(session, to, None, true);
        }
    }

    /// Tells a session that all is unavailable, unless it is told of this account all the same.
    pub(crate) fn hide_from(&self, session: &Connected) {
        let Some(entity) = &self.entity else { return };
        let fellow = entity.is_fellow(&session.to.bare) && entity.lets_see(session);
        if !fellow {
            self.present_to(session, &session.to, None, false);
        }
    }

    /// Those sessions in its groups of whom this is true.
    pub(crate) fn fellow_sessions(
        &self,
        which: impl Fn(&Connected) -> bool,
    ) -> Vec<Arc<Connected>> {
        let mut found: Vec<Arc<Connected>> = Vec::new();
        let groups = self.entity.iter().flat_map(|e| &e.groups);
        for group in groups.map(|g: &Arc<Group>| Arc::clone(g)) {
            for session in group.online.lock().iter().filter(|s| which(s)) {
                if !found.iter().any(|f| Arc::ptr_eq(f, session)) {
                    found.push(Arc::clone(session));
                }
            }
        }
        found
    }
}
