//! Blocks, shared groups and statuses that are set by hand, at random.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::commit::Reply;
use model::status::Status;
use presence::{Address, Bare};
use store::AccountRecord;

use super::{NAMES, Office};
use crate::common::bare;

const GROUPS: [&str; 2] = ["red", "blue"];

fn pair(a: &Bare, b: &Bare) -> (String, String) {
    (a.to_string(), b.to_string())
}

impl Office {
    /// Somebody blocks somebody, or lets him in again. Who was ever shown something directly is left out of it: that is another matter.
    pub(super) fn block(&mut self) {
        let (a, b) = self.pair();
        let shown = |a: &Bare, b: &Bare| {
            let prefix = format!("{a}/");
            let mut directed = self.directed.iter();
            directed.any(|(from, to)| from.starts_with(&prefix) && *to == b.to_string())
        };
        if shown(&a, &b) || shown(&b, &a) {
            return;
        }
        let (block, all) = (self.die(3) > 0, self.die(4) == 0);
        let patterns = vec![Address::from(b.clone())];
        self.touched(&a, &b);
        let model = &self.world().model;
        if block {
            model.block(&a, patterns, Vec::new(), &Reply::ignored());
            self.say.lock().blocked.insert(pair(&a, &b));
            self.ever_blocked.insert(pair(&a, &b));
        } else if all {
            self.say
                .lock()
                .blocked
                .retain(|(of, _)| *of != a.to_string());
            model.unblock(&a, Vec::new(), &Reply::ignored());
            for name in NAMES {
                self.touched(&a, &bare(name));
            }
        } else {
            self.say.lock().blocked.remove(&pair(&a, &b));
            model.unblock(&a, patterns, &Reply::ignored());
        }
    }

    /// What may be seen changes and may change back before that is told.
    fn touched(&mut self, a: &Bare, b: &Bare) {
        self.refused.insert(pair(a, b));
        self.refused.insert(pair(b, a));
    }

    /// Is there a block between the two, or was there one before all was at rest?
    pub(super) fn was_blocked(&self, by: &Bare, whom: &Bare) -> bool {
        self.ever_blocked.contains(&pair(by, whom))
    }

    pub(super) fn group(&mut self) {
        if !self.grouping {
            return;
        }
        let name = GROUPS[self.die(GROUPS.len())];
        let everybody = self.die(8) == 0;
        let mut members: Vec<Bare> = (0..=self.die(3)).map(|_| self.anybody()).collect();
        members.sort();
        members.dedup();
        let known = self.groups.entry(name.to_owned()).or_default();
        if self.world.as_ref().unwrap().dice.below(2) == 0 {
            known.extend(members.iter().cloned());
            if everybody {
                known.extend(NAMES.into_iter().map(bare));
            }
            let fellows: Vec<Bare> = known.iter().cloned().collect();
            for (a, b) in fellows
                .iter()
                .flat_map(|a| fellows.iter().map(move |b| (a, b)))
            {
                self.say.lock().fellows.insert(pair(a, b));
                self.touched(a, b);
            }
            let reply = Reply::ignored();
            self.world()
                .model
                .group_add(name, members, everybody, &reply);
            return;
        }
        let fellows: Vec<Bare> = known.iter().cloned().collect();
        for (a, b) in fellows
            .iter()
            .flat_map(|a| fellows.iter().map(move |b| (a, b)))
        {
            self.touched(a, b);
        }
        // All of it, or some of them, or one who may not be in it.
        if self.die(4) == 0 {
            members.clear();
        } else {
            members.truncate(1);
        }
        let reply = Reply::ignored();
        self.world()
            .model
            .group_remove(name, members, everybody, &reply);
    }

    pub(super) fn status(&mut self) {
        let account = self.anybody();
        let now = self.world().now().utc;
        let status = (self.die(4) > 0).then(|| Status {
            show: None,
            text: Some(self.word("m")),
            until: (self.die(3) == 0).then(|| now.plus(Duration::from_secs(400))),
        });
        self.statuses.insert(account.to_string(), status.clone());
        let reply = Reply::ignored();
        self.world().model.set_status(&account, status, &reply);
    }

    /// Nobody says anything of himself any more.
    pub(super) fn clear_statuses(&mut self) {
        for name in NAMES {
            self.statuses.insert(bare(name).to_string(), None);
            let reply = Reply::ignored();
            self.world().model.set_status(&bare(name), None, &reply);
        }
    }

    /// Everybody's status is the one that he set last, until its end.
    pub(super) fn statuses_stand(&mut self) {
        let now = self.world().now().utc;
        for name in NAMES {
            let account = bare(name);
            let is = self.world().model.status(&account).unwrap();
            let known = self.statuses.entry(account.to_string());
            let said = known.or_insert_with(|| is.clone());
            if said
                .as_ref()
                .is_some_and(|s| s.until.is_some_and(|u| u <= now))
            {
                *said = None;
            }
            assert_eq!(is, *said, "{account}");
        }
    }

    /// All is at rest: who is in which group is what the disk says.
    pub(super) fn adopt_groups(&mut self) {
        let groups = self.world().model.store().groups().unwrap();
        let members = |group: store::GroupRecord| {
            let all = group.everybody.then(|| NAMES.map(bare).to_vec());
            let members = group.members.into_iter().chain(all.into_iter().flatten());
            (group.name, members.collect::<BTreeSet<Bare>>())
        };
        self.groups = groups.into_iter().map(members).collect();
        let mut say = self.say.lock();
        say.fellows.clear();
        for members in self.groups.values() {
            for (a, b) in members
                .iter()
                .flat_map(|a| members.iter().map(move |b| (a, b)))
            {
                if a != b {
                    say.fellows.insert(pair(a, b));
                }
            }
        }
    }

    /// The fellows of an account, at rest.
    pub(super) fn fellows(&self, account: &Bare) -> BTreeSet<Bare> {
        let with = self.groups.values().filter(|g| g.contains(account));
        let mut fellows: BTreeSet<Bare> = with.flatten().cloned().collect();
        fellows.remove(account);
        fellows
    }

    /// What blocks there are is what the disk says.
    pub(super) fn adopt_blocks(&mut self, records: &BTreeMap<Bare, AccountRecord>) {
        let mut say = self.say.lock();
        say.blocked.clear();
        for (owner, record) in records {
            let blocked = record.blocked.iter();
            let blocked = blocked.map(|address| pair(owner, &address.bare));
            say.blocked.extend(blocked);
        }
    }

    /// What was said of blocks is on the disk.
    pub(super) fn blocks_stand(&self, records: &BTreeMap<Bare, AccountRecord>) {
        for (owner, record) in records {
            let on_disk: BTreeSet<_> = record.blocked.iter().map(|a| a.bare.to_string()).collect();
            let say = self.say.lock();
            let said = say
                .blocked
                .iter()
                .filter(|(of, _)| *of == owner.to_string());
            let said: BTreeSet<_> = said.map(|(_, whom)| whom.clone()).collect();
            assert_eq!(on_disk, said, "{owner} blocks");
        }
    }

    /// Does one of the two block the other?
    pub(super) fn apart(records: &BTreeMap<Bare, AccountRecord>, a: &Bare, b: &Bare) -> bool {
        let blocks = |a: &Bare, b: &Bare| records[a].blocked.blocks(a, &b.clone().into());
        blocks(a, b) || blocks(b, a)
    }
}
