//! Shared groups: their members are in each other's rosters without asking.
//!
//! What a group means is derived, never stored with its members nor kept with their sessions. A group has one sorted list of its
//! members and one list of their available sessions. A roster with the items of fellow members is made when it is asked for; a member's
//! presence goes to the sessions of the group beside those of his own subscribers (`fellows`). A change of the members is one change of
//! those two lists, after which all who are there are told what has become of it (`change`).
//!
//! The lists are leaf locks: taken under an account's lock, with nothing but routes below.

mod change;
mod fellows;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use presence::Bare;
use store::GroupRecord;

use crate::watching::Watchers;

/// A shared group.
pub(crate) struct Group {
    pub(crate) name: Arc<str>,
    members: RwLock<Members>,
    /// Available sessions of members.
    pub(crate) online: Mutex<Watchers>,
}

#[derive(Default)]
struct Members {
    /// In order.
    list: Arc<Vec<Bare>>,
    /// What those are called whose cards say it.
    names: HashMap<Bare, Arc<str>>,
    /// Says which members there are, and what they are called: the same after a restart.
    digest: u64,
}

impl Group {
    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            members: RwLock::default(),
            online: Mutex::default(),
        }
    }

    /// Its members at the moment, in order.
    pub(crate) fn members(&self) -> Arc<Vec<Bare>> {
        Arc::clone(&self.members.read().list)
    }

    pub(crate) fn has(&self, account: &Bare) -> bool {
        self.members.read().list.binary_search(account).is_ok()
    }

    /// What a member is called, where its card says it.
    pub(crate) fn name_of(&self, account: &Bare) -> Option<Arc<str>> {
        self.members.read().names.get(account).cloned()
    }

    /// A number that changes with every change of the members and their names.
    pub(crate) fn digest(&self) -> u64 {
        self.members.read().digest
    }

    fn add(&self, account: &Bare, name: Option<&str>) -> bool {
        let mut members = self.members.write();
        let Err(place) = members.list.binary_search(account) else {
            return false;
        };
        Arc::make_mut(&mut members.list).insert(place, account.clone());
        members.digest = members.digest.wrapping_add(self.mark(account, name));
        if let Some(name) = name {
            members.names.insert(account.clone(), name.into());
        }
        true
    }

    fn remove(&self, account: &Bare) -> bool {
        let mut members = self.members.write();
        let Ok(place) = members.list.binary_search(account) else {
            return false;
        };
        Arc::make_mut(&mut members.list).remove(place);
        let name = members.names.remove(account);
        members.digest = members
            .digest
            .wrapping_sub(self.mark(account, name.as_deref()));
        true
    }

    /// A member is called so from now on. False when it was already, or is none.
    fn rename(&self, account: &Bare, name: Option<&str>) -> bool {
        let mut members = self.members.write();
        let before = members.names.get(account).cloned();
        if before.as_deref() == name || members.list.binary_search(account).is_err() {
            return false;
        }
        match name {
            Some(name) => members.names.insert(account.clone(), name.into()),
            None => members.names.remove(account),
        };
        members.digest = members
            .digest
            .wrapping_sub(self.mark(account, before.as_deref()))
            .wrapping_add(self.mark(account, name));
        true
    }

    /// FNV-1a over the group's name, the member's address and what it is called, stirred so that sums of such numbers tell sets apart.
    fn mark(&self, account: &Bare, name: Option<&str>) -> u64 {
        let octets = self.name.bytes().chain([0]).chain(account.as_str().bytes());
        let octets = octets.chain(
            name.iter()
                .flat_map(|name| [0].into_iter().chain(name.bytes())),
        );
        let mut mark = octets.fold(0xcbf2_9ce4_8422_2325_u64, |mark, octet| {
            (mark ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
        });
        mark = (mark ^ (mark >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mark = (mark ^ (mark >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mark ^ (mark >> 31)
    }
}

/// Who is meant to be in a group, whether or not there is such an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupPlan {
    /// Every account.
    pub everybody: bool,
    /// These.
    pub members: BTreeSet<Bare>,
}

impl GroupPlan {
    fn wants(&self, account: &Bare) -> bool {
        self.everybody || self.members.contains(account)
    }
}

/// A group as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupView {
    /// What it is called.
    pub name: String,
    /// Every account is in it.
    pub everybody: bool,
    /// It stands in the configuration.
    pub configured: bool,
    /// Who is in it now: accounts that exist and are not disabled.
    pub members: Vec<Bare>,
}

/// All groups.
#[derive(Default)]
pub(crate) struct Groups {
    known: RwLock<Known>,
    /// Who changes the members of groups does so alone, until all are told.
    turn: Mutex<()>,
}

#[derive(Default)]
struct Known {
    groups: BTreeMap<String, Arc<Group>>,
    of: HashMap<Bare, Vec<Arc<Group>>>,
    configured: BTreeMap<String, GroupPlan>,
    stored: BTreeMap<String, GroupPlan>,
}

impl Known {
    fn wants(&self, name: &str, account: &Bare) -> bool {
        let plans = [&self.configured, &self.stored];
        let mut plans = plans.into_iter().filter_map(|p| p.get(name));
        plans.any(|p| p.wants(account))
    }

    fn names(&self) -> BTreeSet<String> {
        let names = self.configured.keys().chain(self.stored.keys());
        names.chain(self.groups.keys()).cloned().collect()
    }
}

impl Groups {
    /// The groups that an account is in, by name.
    pub(crate) fn of(&self, account: &Bare) -> Vec<Arc<Group>> {
        let known = self.known.read();
        known.of.get(account).cloned().unwrap_or_default()
    }

    fn views(&self) -> Vec<GroupView> {
        let known = self.known.read();
        let view = |name: String| {
            let group = known.groups.get(&name);
            let plans = [known.configured.get(&name), known.stored.get(&name)];
            GroupView {
                everybody: plans.iter().flatten().any(|p| p.everybody),
                configured: plans[0].is_some(),
                members: group.map_or_else(Vec::new, |g| g.members().to_vec()),
                name,
            }
        };
        let names = known.names().into_iter();
        let there = |n: &String| known.configured.contains_key(n) || known.stored.contains_key(n);
        names.filter(there).map(view).collect()
    }
}

fn plans(records: Vec<GroupRecord>) -> BTreeMap<String, GroupPlan> {
    let plan = |record: GroupRecord| {
        let members = record.members.into_iter().collect();
        let everybody = record.everybody;
        (record.name, GroupPlan { everybody, members })
    };
    records.into_iter().map(plan).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(n: u8) -> Bare {
        Bare::from_prepared(&format!("u{n}@example.com"))
    }

    #[test]
    fn the_digest_says_who_is_in() {
        let (one, other) = (Group::new("Sales"), Group::new("Sales"));
        let empty = one.digest();
        for n in [3, 1, 2] {
            assert!(one.add(&bare(n), None) && !one.add(&bare(n), None));
        }
        for n in [1, 2, 4, 3] {
            other.add(&bare(n), None);
        }
        assert_ne!(one.digest(), other.digest());
        assert!(other.remove(&bare(4)) && !other.remove(&bare(4)));
        assert_eq!(one.digest(), other.digest());
        assert_eq!(*one.members(), [bare(1), bare(2), bare(3)]);
        let elsewhere = Group::new("Support");
        for n in [1, 2, 3] {
            elsewhere.add(&bare(n), None);
            one.remove(&bare(n));
        }
        assert_ne!(elsewhere.digest(), other.digest());
        assert_eq!(one.digest(), empty);
    }

    #[test]
    fn the_digest_says_what_they_are_called() {
        let (one, other) = (Group::new("Sales"), Group::new("Sales"));
        one.add(&bare(1), None);
        let nameless = one.digest();
        assert!(one.rename(&bare(1), Some("Ann")) && !one.rename(&bare(1), Some("Ann")));
        assert!(!one.rename(&bare(2), Some("Bob")));
        assert_ne!(one.digest(), nameless);
        assert_eq!(one.name_of(&bare(1)).as_deref(), Some("Ann"));
        other.add(&bare(1), Some("Ann"));
        assert_eq!(one.digest(), other.digest());
        assert!(one.rename(&bare(1), Some("Anne")));
        assert_ne!(one.digest(), other.digest());
        assert!(one.rename(&bare(1), None));
        assert_eq!(one.digest(), nameless);
        let empty = Group::new("Sales").digest();
        assert!(other.remove(&bare(1)));
        assert_eq!((other.digest(), other.name_of(&bare(1))), (empty, None));
    }
}
