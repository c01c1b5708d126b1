//! What must be true of the office: at any moment, at rest, and after a crash.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use presence::decision::Standing;
use presence::{Bare, Decision, Source, WatchRecord};
use store::AccountRecord;

use super::{Live, NAMES, Office, Promise};
use crate::common::{Guard, Heard, bare, mark, shown};

impl Office {
    /// Looks at everything that sessions are told, when they are told it.
    pub(super) fn guard(&self) -> Guard {
        let say = Arc::clone(&self.say);
        let clock = Arc::clone(&self.world().clock);
        let grouping = self.grouping;
        Arc::new(move |full, heard| {
            let me = full.split('/').next().unwrap_or_default();
            let mut say = say.lock();
            match heard {
                Heard::Presence {
                    from,
                    available: true,
                    mark,
                } => {
                    let of = from.split('/').next().unwrap_or_default();
                    let there = (of.to_owned(), me.to_owned());
                    let back = (me.to_owned(), of.to_owned());
                    let may = of == me
                        || mark.starts_with('d')
                        || say.allowed.contains(&there)
                        || say.fellows.contains(&there);
                    let apart = say.blocked.contains(&there) || say.blocked.contains(&back);
                    if !may || apart {
                        say.wrong.push(format!("{full} saw {from} {mark}"));
                    }
                }
                Heard::Push(version, _) if !grouping => {
                    let highest = say.pushed.entry(me.to_owned()).or_default();
                    *highest = (*highest).max(*version);
                }
                Heard::Message { id, delayed: true } => {
                    let now = clock.load(Ordering::Relaxed);
                    let before = say.delivered.insert(id.clone(), now);
                    if before.is_some_and(|before| before + 10_000 <= now) {
                        say.doubtful.insert(id.clone());
                    }
                }
                Heard::Written(ids) => {
                    for id in ids {
                        *say.given.entry(id.clone()).or_default() += 1;
                    }
                }
                _ => {}
            }
        })
    }

    /// The end of the process at this moment. `false`: at rest, so that nothing may be different afterwards.
    pub fn crash(&mut self, busy: bool) {
        if busy {
            // Half of what was done is committed, and of that half is known.
            if self.die(2) == 0 {
                self.world().commit();
                for _ in 0..self.die(8) {
                    self.world().complete();
                }
            }
        } else {
            self.check();
        }
        if busy {
            self.statuses.clear();
        }
        // What is under way may have happened or not.
        for (id, count) in &self.say.lock().given {
            if *count > 0 {
                self.unsure.insert(id.clone());
            }
        }
        self.unsure.extend(self.taken.iter().cloned());
        for live in self.live.drain(..) {
            live.client.ended.store(true, Ordering::Relaxed);
        }
        let before = self.world().phones.told.lock().clone();
        let (world, watches) = self.world.take().unwrap().crash();
        self.world = Some(world);
        self.crashes += 1;
        self.recover(&watches);
        self.keeps_promises();
        for watch in &watches {
            let looked = self.world().model.look(&watch.watcher, &watch.presentity);
            let Ok((seen, _)) = looked else {
                assert!(self.was_blocked(&watch.watcher, &watch.presentity));
                continue;
            };
            let now = shown(seen.decision, &seen.view);
            if !busy && !self.was_blocked(&watch.watcher, &watch.presentity) {
                assert_eq!(
                    before.get(&watch.id.0),
                    Some(&now),
                    "nothing has changed for {watch:?}"
                );
            }
            self.world().phones.told.lock().insert(watch.id.0, now);
        }
    }

    /// What is known after a crash is what the disk says.
    fn recover(&mut self, watches: &[WatchRecord]) {
        self.watches = watches
            .iter()
            .map(|w| (w.id.0, (w.watcher.clone(), w.presentity.clone())))
            .collect();
        let records = self.records();
        self.adopt_blocks(&records);
        self.adopt_groups();
        let mut say = self.say.lock();
        (say.allowed, say.denied) = Default::default();
        for (owner, record) in &records {
            for item in &record.roster.items {
                if item.subscription.from() || item.approved {
                    say.allowed
                        .insert((owner.to_string(), item.contact.to_string()));
                }
            }
            for (watcher, grant) in &record.grants {
                let pair = (owner.to_string(), watcher.to_string());
                if grant.allow {
                    say.allowed.insert(pair);
                } else {
                    say.denied.insert(pair);
                }
            }
            let version = record.roster.version;
            let pushed = say.pushed.get(owner.as_str()).copied().unwrap_or_default();
            assert!(
                version >= pushed,
                "{owner} was shown version {pushed}, and {version} is left"
            );
        }
    }

    fn keeps_promises(&mut self) {
        let records = self.records();
        let mut promises = self.promises.lock();
        for ((owner, name), promise) in promises.iter_mut() {
            let stored = &records[&bare(owner)].publications;
            let stored = stored
                .iter()
                .find(|p| p.resource.as_str() == name)
                .and_then(|p| p.etag.clone());
            if promise.asked == promise.answered {
                assert_eq!(stored, promise.tag, "{owner}/{name}");
            }
            *promise = Promise {
                tag: stored,
                ..Promise::default()
            };
        }
    }

    fn records(&self) -> BTreeMap<Bare, AccountRecord> {
        let store = self.world().model.store();
        NAMES
            .into_iter()
            .map(|n| (bare(n), store.load(&bare(n)).unwrap().unwrap()))
            .collect()
    }

    /// Nothing is under way: everything must be as the rules say.
    pub fn check(&mut self) {
        for live in &self.live {
            live.client.slow.store(false, Ordering::Relaxed);
        }
        self.world().settle();
        assert_eq!(self.say.lock().wrong, Vec::<String>::new());
        for id in &*self.world().phones.again.lock() {
            // Who was refused for a moment may be told again what he knew.
            if let Some((watcher, presentity)) = self.watches.get(id) {
                let pair = (presentity.to_string(), watcher.to_string());
                assert!(
                    self.refused.contains(&pair),
                    "{pair:?} was told twice of the same"
                );
            }
        }
        assert_eq!(self.world().model.store().outbox().unwrap(), []);
        self.live
            .retain(|l| !l.client.ended.load(Ordering::Relaxed));
        let records = self.records();
        self.adopt_groups();
        self.blocks_stand(&records);
        self.world().pass(Duration::ZERO);
        self.world().settle();
        self.statuses_stand();
        self.rosters_agree(&records);
        for live in self.live.iter().filter(|l| l.available) {
            self.sees_what_it_may(live, &records);
        }
        self.watches_are_right(&records);
        self.messages_are_somewhere();
        assert_eq!(self.world().model.counts().sessions, self.live.len());
    }

    fn rosters_agree(&self, records: &BTreeMap<Bare, AccountRecord>) {
        for (a, mine) in records {
            for item in &mine.roster.items {
                let b = &item.contact;
                let theirs = &records[b].roster;
                let from = theirs.items.get(a).is_some_and(|i| i.subscription.from());
                let to = item.subscription.to();
                // A watcher's request is answered in the roster of the one who is watched alone.
                let by_watch = self.asked.contains(&(a.to_string(), b.to_string()));
                // Who asked again while he was blocked was not answered.
                let unanswered = self.was_blocked(b, a);
                assert!(
                    to == from || (from && (by_watch || unanswered)),
                    "{a} to {b}: {to}, {from}"
                );
                let waits = theirs.pending_in.contains_key(a);
                // The other way round it comes from stanzas that crossed, and ends with the answer.
                // What was asked of nobody is silently ignored (RFC 6121 §8.5.1).
                // Nor of one who blocks.
                let ignored = self.absent.contains(b.as_str()) || unanswered;
                assert!(
                    !item.ask || waits || ignored,
                    "{a} asks {b}, who does not know"
                );
            }
            let shown = self.published(a);
            let sessions = shown
                .iter()
                .filter(|(_, _, s)| *s == Source::Session)
                .map(|(r, ..)| r.clone());
            let mut known: Vec<String> = mine
                .last_known
                .iter()
                .map(|p| p.resource.to_string())
                .collect();
            known.sort();
            let mut sessions: Vec<String> = sessions.collect();
            sessions.sort();
            assert_eq!(known, sessions, "what is kept for a crash of {a}");
        }
    }

    fn published(&self, account: &Bare) -> Vec<(String, String, Source)> {
        let (seen, _) = self.world().model.look(account, account).unwrap();
        let all = seen.view.publications.iter();
        all.map(|p| (p.resource.to_string(), mark(&p.document), p.source.clone()))
            .collect()
    }

    fn sees_what_it_may(&self, live: &Live, records: &BTreeMap<Bare, AccountRecord>) {
        let items = records[&live.account].roster.items.iter();
        let contacts = items.filter(|i| i.subscription.to()).map(|i| &i.contact);
        let fellows = self.fellows(&live.account);
        let denies = |fellow: &&Bare| {
            let mut grants = records[*fellow].grants.iter();
            grants.any(|(watcher, grant)| *watcher == live.account && !grant.allow)
        };
        let fellows = fellows.iter().filter(|fellow| !denies(fellow));
        let contacts = contacts.chain(fellows);
        let contacts = contacts.filter(|c| !Self::apart(records, &live.account, c));
        let mut right = BTreeMap::new();
        for account in contacts.chain([&live.account]) {
            for (resource, mark, _) in self.published(account) {
                right.insert(format!("{account}/{resource}"), mark);
            }
        }
        let mut sees = live.client.roster.lock().clone();
        // What was said to one alone is seen beside what is said to all.
        for (from, to) in self
            .directed
            .iter()
            .filter(|(_, to)| *to == live.account.to_string())
        {
            let still = self
                .live
                .iter()
                .any(|l| l.client.full == *from && l.directed.contains(to));
            match right.get(from) {
                Some(mark) if sees.get(from).is_none_or(|m| m.starts_with('d')) => {
                    sees.insert(from.clone(), mark.clone());
                }
                None if still => {
                    sees.remove(from);
                }
                _ => {}
            }
        }
        assert_eq!(sees, right, "{}", live.client.full);
    }

    fn watches_are_right(&self, records: &BTreeMap<Bare, AccountRecord>) {
        let say = self.say.lock();
        for (presentity, record) in records {
            for watch in &record.watches {
                let (watcher, id) = (&watch.watcher, watch.id.0);
                // Who blocks whom he watches is told that it is over, which its face takes for the end.
                if self.was_blocked(watcher, presentity) {
                    continue;
                }
                let pair = (presentity.to_string(), watcher.to_string());
                let told = self.world().phones.told.lock()[&id].clone();
                let grants: BTreeMap<_, _> = record.grants.iter().cloned().collect();
                let standing = Standing {
                    roster: &record.roster,
                    blocked: record.blocked.blocks(presentity, &watcher.clone().into()),
                    grant: grants.get(watcher).copied(),
                    grouped: self.fellows(presentity).contains(watcher),
                    same_domain_allow: self.same_domain,
                };
                let (decision, _) = presence::decision::decide(watcher, presentity, &standing);
                let all = self
                    .published(presentity)
                    .into_iter()
                    .map(|(r, m, _)| (r, m));
                let mut all: Vec<_> = all.collect();
                all.sort();
                if decision == Decision::Allow {
                    assert_eq!(told, (decision, all), "{watch:?}");
                    let may = say.allowed.contains(&pair)
                        || say.fellows.contains(&pair)
                        || (self.same_domain && !say.denied.contains(&pair));
                    assert!(may, "{watch:?} sees what nobody has allowed");
                } else {
                    assert_eq!(told, (decision, vec![]), "{watch:?}");
                }
            }
        }
    }

    /// Written to a client once, or taken by a phone, or still there; and after a crash at most once more.
    fn messages_are_somewhere(&self) {
        let store = self.world().model.store();
        let say = self.say.lock();
        for (id, (from, to)) in self.stored.lock().iter() {
            // What waited is dropped when its sender is blocked.
            if self.was_blocked(&bare(to), from) {
                continue;
            }
            let waits = store.offline_messages(&bare(to)).unwrap();
            let waits = waits
                .iter()
                .filter(|(_, m)| m.id.as_deref() == Some(id))
                .count();
            let given = say.given.get(id).copied().unwrap_or_default();
            let taken = self.taken.contains(id);
            assert!(waits + given > 0 || taken, "{id} is lost");
            if say.doubtful.contains(id) {
                continue;
            }
            if !self.unsure.contains(id) {
                assert!(
                    given <= 1 && (waits == 0 || given == 0 && !taken),
                    "{id}: {waits} {given} {taken}"
                );
            }
            assert!(given <= 1 + self.crashes, "{id}: {given}");
        }
    }

    /// Everybody goes, and nothing may be left.
    pub fn go_home(&mut self) {
        for live in self.live.drain(..) {
            live.client.ended.store(true, Ordering::Relaxed);
            self.world
                .as_ref()
                .unwrap()
                .model
                .disconnect(&live.account, live.id, None);
        }
        self.clear_statuses();
        for _ in 0..3 {
            self.world().pass(Duration::from_secs(40_000));
            self.world().settle();
        }
        self.check();
        self.world().pass(Duration::from_secs(61));
        let counts = self.world().model.counts();
        let left = (
            counts.accounts_in_memory,
            counts.publications,
            counts.registrations,
            counts.watches,
        );
        assert_eq!(left, (0, 0, 0, 0));
    }
}
