//! Changes of groups, and what follows for their members.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use presence::{Bare, Decision, Refusal};
use store::{Op, StoreError};

use super::{Group, GroupPlan, GroupView, plans};
use crate::commit::Reply;
use crate::entity::Entity;
use crate::route::Route;
use crate::shards::Model;
use crate::watching::Connected;

impl Model {
    /// The groups of the configuration and those that are stored are in force from now on. Who is not an account, or is disabled, is in
    /// none. Called at the start, before anything is restored, and when the configuration is read again.
    pub fn set_groups(
        self: &Arc<Self>,
        configured: BTreeMap<String, GroupPlan>,
    ) -> Result<(), StoreError> {
        let _turn = self.groups.turn.lock();
        let stored = plans(self.store.groups()?);
        {
            let mut known = self.groups.known.write();
            (known.configured, known.stored) = (configured, stored);
        }
        self.bring_into_line(None)
    }

    /// All groups, by name.
    pub fn groups(&self) -> Vec<GroupView> {
        self.groups.views()
    }

    /// Makes a group or adds to one. `NotFound` when one of them is no account. Answered when it is so, on the disk and for all.
    pub fn group_add(
        self: &Arc<Self>,
        name: &str,
        members: Vec<Bare>,
        everybody: bool,
        reply: &Reply<()>,
    ) {
        let before = {
            let known = self.groups.known.read();
            known.stored.get(name).is_some_and(|p| p.everybody)
        };
        let mut ops = vec![Op::GroupPut {
            name: name.to_owned(),
            everybody: everybody || before,
        }];
        ops.extend(members.into_iter().map(|account| Op::GroupJoin {
            name: name.to_owned(),
            account,
        }));
        self.group_unit(name, ops, reply);
    }

    /// Takes members out of a group, or removes it when none are named. `NotFound` when no such group was made by command.
    pub fn group_remove(
        self: &Arc<Self>,
        name: &str,
        members: Vec<Bare>,
        everybody: bool,
        reply: &Reply<()>,
    ) {
        let stored = self.groups.known.read().stored.get(name).cloned();
        let Some(plan) = stored else {
            reply.send(Err(Refusal::NotFound));
            return;
        };
        let name_owned = name.to_owned();
        if members.is_empty() && !everybody {
            let ops = vec![Op::GroupRemove { name: name_owned }];
            return self.group_unit(name, ops, reply);
        }
        if !members.iter().all(|m| plan.members.contains(m)) {
            reply.send(Err(Refusal::NotFound));
            return;
        }
        let mut ops: Vec<Op> = members
            .into_iter()
            .map(|account| Op::GroupLeave {
                name: name.to_owned(),
                account,
            })
            .collect();
        if everybody {
            ops.push(Op::GroupPut {
                name: name_owned,
                everybody: false,
            });
        }
        self.group_unit(name, ops, reply);
    }

    fn group_unit(self: &Arc<Self>, name: &str, ops: Vec<Op>, reply: &Reply<()>) {
        let name = name.to_owned();
        self.unit(ops, reply, move |model| {
            let _turn = model.groups.turn.lock();
            let stored = match model.store.groups() {
                Ok(stored) => plans(stored),
                Err(error) => {
                    tracing::error!(%error, "the groups could not be read");
                    return;
                }
            };
            model.groups.known.write().stored = stored;
            if let Err(error) = model.bring_into_line(Some(&name)) {
                tracing::error!(%error, "the accounts could not be read");
            }
        });
    }

    /// Makes the members of one group, or of all, those who are meant to be.
    fn bring_into_line(self: &Arc<Self>, only: Option<&str>) -> Result<(), StoreError> {
        let usable = self.store.accounts()?;
        let usable: BTreeSet<Bare> = usable
            .into_iter()
            .filter(|a| !a.disabled)
            .map(|a| a.account)
            .collect();
        let names = match only {
            Some(name) => BTreeSet::from([name.to_owned()]),
            None => self.groups.known.read().names(),
        };
        let called: HashMap<Bare, String> = if names.is_empty() {
            HashMap::new()
        } else {
            self.store.display_names()?.into_iter().collect()
        };
        for name in names {
            let (wanted, before) = {
                let known = self.groups.known.read();
                let wanted = usable.iter().filter(|a| known.wants(&name, a));
                let wanted: Vec<Bare> = wanted.cloned().collect();
                (wanted, known.groups.get(&name).map(|g| g.members()))
            };
            for gone in before.iter().flat_map(|b| b.iter()) {
                if wanted.binary_search(gone).is_err() {
                    self.leave_group(&name, gone);
                }
            }
            for new in &wanted {
                self.join_group(&name, new, called.get(new).map(String::as_str));
            }
            self.forget_group(&name);
        }
        Ok(())
    }

    /// A group that is meant no more and has nobody in it.
    fn forget_group(&self, name: &str) {
        let mut known = self.groups.known.write();
        let meant = known.configured.contains_key(name) || known.stored.contains_key(name);
        let empty = known
            .groups
            .get(name)
            .is_some_and(|g| g.members().is_empty());
        if empty && !meant {
            known.groups.remove(name);
        }
    }

    /// An account was made, or may be used again: it comes into the groups that are meant for it.
    pub(crate) fn enter_groups(self: &Arc<Self>, account: &Bare) {
        let _turn = self.groups.turn.lock();
        let names: Vec<String> = {
            let known = self.groups.known.read();
            let names = known.names().into_iter();
            names.filter(|n| known.wants(n, account)).collect()
        };
        if names.is_empty() {
            return;
        }
        let called = self.store.display_name(account).unwrap_or_else(|error| {
            tracing::error!(%error, %account, "the name of a member could not be read");
            None
        });
        for name in names {
            self.join_group(&name, account, called.as_deref());
        }
    }

    /// The card of an account says another name: those who are in a group with it are told, unless they have given it one of their own.
    pub(crate) fn renamed(self: &Arc<Self>, account: &Bare, called: Option<&str>) {
        let _turn = self.groups.turn.lock();
        for group in self.groups.of(account) {
            if !group.rename(account, called) {
                continue;
            }
            for fellow in self.there(&group).iter().filter(|m| *m != account) {
                self.with_slot(fellow, |slot| {
                    if let Some(entity) = &slot.entity {
                        entity.push_listed(account);
                    }
                });
            }
        }
    }

    /// An account was disabled or deleted.
    pub(crate) fn quit_groups(self: &Arc<Self>, account: &Bare, for_good: bool) {
        let _turn = self.groups.turn.lock();
        for group in self.groups.of(account) {
            self.leave_group(&group.name, account);
        }
        if for_good {
            for plan in self.groups.known.write().stored.values_mut() {
                plan.members.remove(account);
            }
        }
    }

    fn join_group(self: &Arc<Self>, name: &str, account: &Bare, called: Option<&str>) {
        let group = {
            let mut known = self.groups.known.write();
            let made = || Arc::new(Group::new(name));
            let group = known.groups.entry(name.to_owned()).or_insert_with(made);
            let group = Arc::clone(group);
            if !group.add(account, called) {
                return;
            }
            let of = known.of.entry(account.clone()).or_default();
            of.push(Arc::clone(&group));
            of.sort_by(|a, b| a.name.cmp(&b.name));
            group
        };
        // Those who are in another group with it see it, and are seen.
        let others = self.groups.of(account);
        let knows = |who: &Bare| {
            let mut others = others.iter().filter(|g| !Arc::ptr_eq(g, &group));
            who == account || others.any(|g| g.has(who))
        };
        let sessions = self.with_slot(account, |slot| {
            let entity = slot.entity.as_mut()?;
            entity.groups = self.groups.of(account);
            let sessions = entity.available_sessions();
            for session in &sessions {
                group.online.lock().insert(session);
            }
            let members = group.members();
            for fellow in members.iter().filter(|m| *m != account) {
                entity.push_listed(fellow);
            }
            self.tell_fellow_watches(entity, |w| group.has(w));
            for session in slot.fellow_sessions(|s| !knows(&s.to.bare)) {
                slot.show_to_fellow(&session, &session.to);
            }
            Some(sessions)
        });
        for fellow in self.there(&group).iter().filter(|m| *m != account) {
            self.with_slot(fellow, |slot| {
                let Some(entity) = &mut slot.entity else {
                    return;
                };
                entity.push_listed(account);
                self.tell_fellow_watches(entity, |w| w == account);
                let new = !knows(fellow);
                for session in sessions.iter().flatten().filter(|_| new) {
                    slot.show_to_fellow(session, &session.to);
                }
            });
        }
    }

    fn leave_group(self: &Arc<Self>, name: &str, account: &Bare) {
        let group = {
            let mut known = self.groups.known.write();
            let Some(group) = known.groups.get(name).map(Arc::clone) else {
                return;
            };
            if !group.remove(account) {
                return;
            }
            if let Some(of) = known.of.get_mut(account) {
                of.retain(|g| !Arc::ptr_eq(g, &group));
                if of.is_empty() {
                    known.of.remove(account);
                }
            }
            group
        };
        // From here on nobody tells the one of the others.
        let gone = group.online.lock().remove_all(account);
        self.with_slot(account, |slot| {
            let Some(entity) = &mut slot.entity else {
                return;
            };
            entity.groups = self.groups.of(account);
            for fellow in group.members().iter() {
                entity.push_listed(fellow);
            }
            self.tell_fellow_watches(entity, |w| group.has(w));
            let left: Vec<Arc<Connected>> = group.online.lock().to_vec();
            for session in left.iter().filter(|s| !slot.watchers.holds(s)) {
                slot.hide_from(session);
            }
        });
        for fellow in &self.there(&group) {
            self.with_slot(fellow, |slot| {
                let Some(entity) = &mut slot.entity else {
                    return;
                };
                entity.push_listed(account);
                self.tell_fellow_watches(entity, |w| w == account);
                for session in gone.iter().filter(|s| !slot.watchers.holds(s)) {
                    slot.hide_from(session);
                }
            });
        }
    }

    /// The members that are in memory. Whoever is read in later knows the group as it is then.
    fn there(&self, group: &Group) -> Vec<Bare> {
        let mut there = Vec::new();
        self.each(|slot| {
            let account = slot.entity.as_ref().map(|e| &e.account);
            there.extend(account.filter(|a| group.has(a)).cloned());
        });
        there
    }

    /// Tells stored watches of these watchers what they may see now, where that is another thing than before.
    fn tell_fellow_watches(&self, entity: &mut Entity, of: impl Fn(&Bare) -> bool) {
        let (same_domain, phones) = (self.rules.same_domain_allow, self.phones());
        entity.tell_watches_of(of, same_domain, phones);
    }

    /// Shows an account to the sessions of a fellow member who may see it again.
    pub(crate) fn show_to_fellows(&self, account: &Bare, fellow: &Bare) {
        self.with_slot(account, |slot| {
            for session in slot.fellow_sessions(|s| s.to.bare == *fellow) {
                slot.show_to_fellow(&session, &session.to);
            }
        });
    }

    /// Shows a session that has become available what its fellow members say, but for those whom it sees as a subscriber.
    pub(crate) fn begin_watching_fellows(&self, session: &Arc<Connected>, fellows: &[Bare]) {
        let full = session.full();
        for fellow in fellows {
            self.with_slot(fellow, |slot| slot.show_to_fellow(session, &full));
        }
    }
}

impl Entity {
    pub(crate) fn available_sessions(&self) -> Vec<Arc<Connected>> {
        let sessions = self.sessions.iter().filter(|s| s.available.is_some());
        sessions.map(|s| Arc::clone(&s.connected)).collect()
    }

    /// Tells the interested sessions how a contact is listed now.
    fn push_listed(&self, contact: &Bare) {
        let own = self.roster.items.get(contact);
        self.push(contact, own, self.roster.version);
    }

    /// Tells stored watches of these watchers what they may see now, where that is another thing than before.
    pub(crate) fn tell_watches_of(
        &mut self,
        of: impl Fn(&Bare) -> bool,
        same_domain: bool,
        phones: &dyn Route,
    ) {
        for index in 0..self.watches.len() {
            let watch = &self.watches[index];
            if !of(&watch.record.watcher) {
                continue;
            }
            let decision = self.decide(&watch.record.watcher, same_domain).0;
            if decision != watch.told || (watch.missed && decision == Decision::Allow) {
                self.tell_watch(index, same_domain, phones);
            }
        }
    }
}
