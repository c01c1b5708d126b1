//! An office of people who do things at random, and what must be true of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use model::accounts::Secrets;
use model::bindings::Register;
use model::commit::Reply;
use model::messages::{Handling, Sent};
use model::publish::{Body, Publish};
use model::watches::Seen;
use model::{Rules, SessionId};
use parking_lot::Mutex;
use presence::subscription::Kind;
use presence::{Address, Bare, Decision, EntityTag, Refusal, Source, WatchId, WatchRecord};
use store::AccountRecord;

use super::{
    Client, Guard, Heard, World, bare, binding, document, message, presented, resource, shown,
};

const NAMES: [&str; 6] = ["ann", "bob", "cat", "dan", "eve", "fay"];
const GRACE: Duration = Duration::from_secs(30);

struct Live {
    account: Bare,
    id: SessionId,
    client: Arc<Client>,
    available: bool,
    directed: BTreeSet<String>,
}

/// What was said of who may see whom, kept beside the model: who may see whom by a roster, and whom he has refused.
#[derive(Default)]
struct Say {
    allowed: BTreeSet<(String, String)>,
    denied: BTreeSet<(String, String)>,
    wrong: Vec<String>,
    /// The highest version that a push has shown.
    pushed: BTreeMap<String, u64>,
    given: BTreeMap<String, usize>,
}

/// What was promised about a publication: how often something was asked, and what the last answer was.
#[derive(Default, Clone)]
struct Promise {
    asked: usize,
    answered: usize,
    tag: Option<EntityTag>,
}

pub struct Office {
    world: Option<World>,
    live: Vec<Live>,
    say: Arc<Mutex<Say>>,
    watches: BTreeMap<u64, (Bare, Bare)>,
    /// Who asked to see whom by a watch, so that the answer stands in one roster alone.
    asked: BTreeSet<(String, String)>,
    directed: BTreeSet<(String, String)>,
    refused: BTreeSet<(String, String)>,
    promises: Arc<Mutex<BTreeMap<(String, String), Promise>>>,
    stored: Arc<Mutex<BTreeMap<String, String>>>,
    taken: BTreeSet<String>,
    unsure: BTreeSet<String>,
    crashes: usize,
    count: usize,
    same_domain: bool,
}

impl Office {
    pub fn new(seed: u64, on_disk: bool) -> Self {
        let same_domain = seed % 2 == 0;
        let rules = Rules {
            same_domain_allow: same_domain,
            restart_grace: GRACE,
            ..Rules::default()
        };
        let world = if on_disk {
            World::on_disk(seed, rules)
        } else {
            World::new(seed, rules)
        };
        for name in NAMES {
            world.add(name);
        }
        Self {
            world: Some(world),
            live: Vec::new(),
            say: Arc::default(),
            watches: BTreeMap::new(),
            asked: BTreeSet::new(),
            directed: BTreeSet::new(),
            refused: BTreeSet::new(),
            promises: Arc::default(),
            stored: Arc::default(),
            taken: BTreeSet::new(),
            unsure: BTreeSet::new(),
            crashes: 0,
            count: 0,
            same_domain,
        }
    }

    pub fn world(&self) -> &World {
        self.world.as_ref().unwrap()
    }

    fn die(&self, n: usize) -> usize {
        self.world().dice.below(n)
    }

    fn anybody(&self) -> Bare {
        bare(NAMES[self.die(NAMES.len())])
    }

    fn pair(&self) -> (Bare, Bare) {
        loop {
            let (a, b) = (self.anybody(), self.anybody());
            if a != b {
                return (a, b);
            }
        }
    }

    fn word(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}{}", self.count)
    }

    /// Somebody does something.
    pub fn act(&mut self) {
        match self.die(100) {
            0..=7 => self.connect(),
            8..=20 => self.available(),
            21..=23 => self.leave(false),
            24..=26 => self.leave(true),
            27..=28 => self.direct(),
            29..=55 => self.subscribe(),
            56..=58 => self.roster(),
            59..=67 => self.publish(),
            68..=71 => self.register(),
            72..=75 => self.watch(),
            76..=77 => self.unwatch(),
            78..=83 => self.message(),
            84 => self.answer(),
            85 => self.account(),
            86..=88 => {
                let time = [1, 400, 5_000, 70_000][self.die(4)];
                self.world().pass(Duration::from_millis(time));
            }
            89 => self.take(),
            90..=94 => self.world().commit(),
            _ => {
                for _ in 0..self.die(6) {
                    self.world().complete();
                }
            }
        }
        self.live
            .retain(|l| !l.client.ended.load(Ordering::Relaxed));
    }

    fn connect(&mut self) {
        let (account, r) = (self.anybody(), self.die(3));
        let full = format!("{account}/r{r}");
        let client = Client::new(&full, Some(self.guard()));
        let wish = Some(resource(&format!("r{r}")));
        let Ok((id, _)) = self.world().model.connect(&account, wish, client.clone()) else {
            return;
        };
        self.world().model.roster(&account, id, &Reply::ignored());
        self.live.push(Live {
            account,
            id,
            client,
            available: false,
            directed: BTreeSet::new(),
        });
        self.speak(self.live.len() - 1);
    }

    fn speak(&mut self, index: usize) {
        let said = self.word("p");
        let priority = [-1, 0, 5][self.die(3)];
        let live = &mut self.live[index];
        if !live.available {
            live.client.roster.lock().clear();
        }
        let (account, id) = (live.account.clone(), live.id);
        let said = self
            .world()
            .model
            .available(&account, id, presented(&said, priority));
        if said.is_ok() {
            self.live[index].available = true;
        }
    }

    fn available(&mut self) {
        if !self.live.is_empty() {
            let index = self.die(self.live.len());
            self.speak(index);
        }
    }

    fn leave(&mut self, gone: bool) {
        if self.live.is_empty() {
            return;
        }
        let index = self.die(self.live.len());
        let (account, id) = (self.live[index].account.clone(), self.live[index].id);
        let model = &self.world().model;
        if gone {
            self.live[index].client.ended.store(true, Ordering::Relaxed);
            model.disconnect(&account, id, None);
            self.live.remove(index);
        } else {
            model.unavailable(&account, id, None);
            self.live[index].available = false;
            self.live[index].directed.clear();
            self.live[index].client.roster.lock().clear();
        }
    }

    fn direct(&mut self) {
        if self.live.is_empty() {
            return;
        }
        let (index, to) = (self.die(self.live.len()), self.anybody());
        let available = self.die(3) > 0;
        let said = self.word("d");
        let live = &mut self.live[index];
        let address = Address::from(to.clone());
        let from = live.client.full.clone();
        if to == live.account {
            return;
        }
        self.directed.insert((from, to.to_string()));
        if available {
            live.directed.insert(to.to_string());
        } else {
            live.directed.remove(to.as_str());
        }
        let (account, id) = (live.account.clone(), live.id);
        let _ = self
            .world()
            .model
            .directed(&account, id, &address, presented(&said, 0), available);
    }

    fn subscribe(&mut self) {
        let (a, b) = self.pair();
        let kind = [
            Kind::Subscribe,
            Kind::Subscribed,
            Kind::Subscribe,
            Kind::Subscribed,
            Kind::Unsubscribe,
            Kind::Unsubscribed,
        ][self.die(6)];
        self.said(kind, &a, &b);
        self.world()
            .model
            .subscription(&a, kind, &b, Bytes::new(), &Reply::ignored());
    }

    fn said(&mut self, kind: Kind, owner: &Bare, contact: &Bare) {
        let pair = (owner.to_string(), contact.to_string());
        let mut say = self.say.lock();
        match kind {
            Kind::Subscribed => {
                say.denied.remove(&pair);
                say.allowed.insert(pair);
            }
            Kind::Unsubscribed => {
                say.allowed.remove(&pair);
                self.refused.insert(pair);
            }
            Kind::Subscribe | Kind::Unsubscribe => {}
        }
    }

    fn answer(&mut self) {
        let (a, b) = self.pair();
        let allow = self.die(2) == 0;
        self.said(
            if allow {
                Kind::Subscribed
            } else {
                Kind::Unsubscribed
            },
            &a,
            &b,
        );
        if !allow {
            self.say
                .lock()
                .denied
                .insert((a.to_string(), b.to_string()));
        }
        self.world().model.answer(&a, &b, allow, &Reply::ignored());
    }

    fn roster(&mut self) {
        let (a, b) = self.pair();
        let model = Arc::clone(&self.world().model);
        if self.die(3) == 0 {
            self.refused.insert((a.to_string(), b.to_string()));
            self.say
                .lock()
                .allowed
                .remove(&(a.to_string(), b.to_string()));
            model.roster_remove(&a, &b, &Reply::ignored());
        } else {
            model.roster_set(
                &a,
                &b,
                Some("n".into()),
                vec!["g".into()],
                &Reply::ignored(),
            );
        }
    }

    fn publish(&mut self) {
        let (account, d) = (self.anybody(), self.die(2));
        let name = format!("sip-0000000{d}");
        let key = (account.to_string(), name.clone());
        let promise = self.promises.lock().entry(key.clone()).or_default().clone();
        let tag = if self.die(3) == 0 { None } else { promise.tag };
        let said = self.word("s");
        let refresh = tag.is_some() && self.die(3) == 0;
        let body = (!refresh).then(|| Body {
            document: document(&said, 0),
            native: said.into(),
            lang: None,
        });
        let seconds = if tag.is_some() && self.die(4) == 0 {
            0
        } else {
            36_000
        };
        let expires = Duration::from_secs(seconds);
        let publish = Publish {
            tag,
            expires,
            body,
            resource: resource(&name),
            device: name.into(),
        };
        let asked = promise.asked + 1;
        self.promises.lock().entry(key.clone()).or_default().asked = asked;
        let promises = Arc::clone(&self.promises);
        let reply = Reply::new(move |granted: Result<model::publish::Granted, _>| {
            let mut promises = promises.lock();
            let promise = promises.entry(key).or_default();
            promise.answered += 1;
            if let Ok(granted) = granted {
                promise.tag = (seconds > 0).then_some(granted.etag);
            }
        });
        self.world().model.publish(&account, publish, &reply);
    }

    fn register(&mut self) {
        let (account, c) = (self.anybody(), self.die(3));
        self.count += 1;
        let seconds = [0, 60, 3600][self.die(3)];
        let expires = self.world().now().utc.plus(Duration::from_secs(seconds));
        let instance = ["urn:1", "urn:1", "urn:2"][c];
        let cseq = u32::try_from(self.count).unwrap();
        let binding = binding(&format!("sip:{c}@192.0.2.1"), Some(instance), cseq, expires);
        self.world()
            .model
            .register(&account, Register::Update(vec![binding]), &Reply::ignored());
    }

    fn watch(&mut self) {
        let (watcher, presentity) = self.pair();
        let id = self.world().model.new_watch();
        let seconds = [100, 36_000, 36_000][self.die(3)];
        let record = WatchRecord {
            id,
            watcher: watcher.clone(),
            presentity: presentity.clone(),
            package: "presence".into(),
            expires: self.world().now().utc.plus(Duration::from_secs(seconds)),
            dialog: Bytes::new(),
        };
        self.asked
            .insert((watcher.to_string(), presentity.to_string()));
        self.watches.insert(id.0, (watcher, presentity));
        self.world().model.watch(record, &self.seen(id.0));
    }

    /// The answer to a watch is what its holder knows.
    fn seen(&self, id: u64) -> Reply<Seen> {
        let phones = Arc::clone(&self.world().phones);
        Reply::new(move |seen: Result<Seen, Refusal>| {
            if let Ok(seen) = seen {
                let now = shown(seen.decision, &seen.view);
                phones.told.lock().insert(id, now);
            }
        })
    }

    fn unwatch(&mut self) {
        let ids: Vec<u64> = self.watches.keys().copied().collect();
        if ids.is_empty() {
            return;
        }
        let id = ids[self.die(ids.len())];
        let presentity = self.watches[&id].1.clone();
        let model = &self.world().model;
        if self.die(2) == 0 {
            model.unwatch(&presentity, WatchId(id), &Reply::ignored());
            self.watches.remove(&id);
        } else {
            let more = Duration::from_secs(36_000);
            model.rewatch(&presentity, WatchId(id), more, Bytes::new(), &self.seen(id));
        }
    }

    fn message(&mut self) {
        let (from, to) = self.pair();
        let id = self.word("m");
        let message = message(&id, &format!("{from}/x"), to.as_str());
        let stored = Arc::clone(&self.stored);
        let handling = Handling {
            storable: true,
            speakable: true,
        };
        self.world()
            .model
            .message(message, handling, move |m, sent| {
                if sent == Ok(Sent::Stored) {
                    stored.lock().insert(id, m.to.bare.to_string());
                }
            });
    }

    fn take(&mut self) {
        let offers = std::mem::take(&mut *self.world().phones.offers.lock());
        for (account, _, message, stored) in offers {
            if let Some(number) = stored
                && self.die(2) == 0
            {
                self.world().model.taken(&bare(&account), number);
                self.taken.insert(message);
            }
        }
    }

    fn account(&mut self) {
        let account = self.anybody();
        let world = self.world.as_ref().unwrap();
        let model = &world.model;
        match world.dice.below(4) {
            0 | 1 => {
                let name = account.to_string();
                model.delete_account(&account, &Reply::ignored());
                let secrets = Secrets {
                    scram: vec![],
                    sealed_ha1: vec![],
                };
                model.add_account(&account, secrets, false, &Reply::ignored());
                world.settle();
                self.watches
                    .retain(|_, (w, p)| *w != account && *p != account);
                let mut say = self.say.lock();
                // An approval beforehand is its owner's, and stays for the next of that name (RFC 6121 §3.4).
                let approved = |owner: &str| {
                    let record = model.store().load(&bare(owner)).unwrap().unwrap();
                    record
                        .roster
                        .items
                        .get(&account)
                        .is_some_and(|i| i.approved)
                        || record.grants.iter().any(|(w, g)| *w == account && g.allow)
                };
                say.allowed.retain(|(owner, contact)| {
                    *owner != name && (*contact != name || approved(owner))
                });
                say.denied.retain(|(owner, _)| *owner != name);
                say.pushed.remove(&name);
                self.promises.lock().retain(|(owner, _), _| *owner != name);
                self.stored.lock().retain(|_, to| *to != name);
            }
            n => {
                model.disable(&account, n == 2, &Reply::ignored());
                if n == 2 {
                    // Enabled again at once, half of the time before the disk knows.
                    if world.dice.one_in(2) {
                        world.settle();
                    }
                    model.disable(&account, false, &Reply::ignored());
                    world.settle();
                    self.watches.retain(|_, (w, _)| *w != account);
                    let name = account.to_string();
                    self.promises.lock().retain(|(owner, _), _| *owner != name);
                }
            }
        }
        world.pass(Duration::from_millis(1));
    }

    /// Looks at everything that sessions are told, when they are told it.
    fn guard(&self) -> Guard {
        let say = Arc::clone(&self.say);
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
                    let may = of == me
                        || mark.starts_with('d')
                        || say.allowed.contains(&(of.to_owned(), me.to_owned()));
                    if !may {
                        say.wrong.push(format!("{full} saw {from} {mark}"));
                    }
                }
                Heard::Push(version, _) => {
                    let highest = say.pushed.entry(me.to_owned()).or_default();
                    *highest = (*highest).max(*version);
                }
                Heard::Message { id, delayed: true } => {
                    *say.given.entry(id.clone()).or_default() += 1
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
            let (seen, _) = self
                .world()
                .model
                .look(&watch.watcher, &watch.presentity)
                .unwrap();
            let now = shown(seen.decision, &seen.view);
            if !busy {
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
        let mut say = self.say.lock();
        (say.allowed, say.denied) = Default::default();
        for (owner, record) in &records {
            for item in record.roster.items.values() {
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
            for item in mine.roster.items.values() {
                let b = &item.contact;
                let theirs = &records[b].roster;
                let from = theirs.items.get(a).is_some_and(|i| i.subscription.from());
                let to = item.subscription.to();
                // A watcher's request is answered in the roster of the one who is watched alone.
                let by_watch = self.asked.contains(&(a.to_string(), b.to_string()));
                assert!(to == from || (from && by_watch), "{a} to {b}: {to}, {from}");
                let waits = theirs.pending_in.contains_key(a);
                // The other way round it comes from stanzas that crossed, and ends with the answer.
                assert!(!item.ask || waits, "{a} asks {b}, who does not know");
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
        all.map(|p| {
            (
                p.resource.to_string(),
                super::mark(&p.document),
                p.source.clone(),
            )
        })
        .collect()
    }

    fn sees_what_it_may(&self, live: &Live, records: &BTreeMap<Bare, AccountRecord>) {
        let items = records[&live.account].roster.items.values();
        let contacts = items.filter(|i| i.subscription.to()).map(|i| &i.contact);
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
                let pair = (presentity.to_string(), watcher.to_string());
                let told = self.world().phones.told.lock()[&id].clone();
                let grants: BTreeMap<_, _> = record.grants.iter().cloned().collect();
                let (decision, _) = presence::decision::decide(
                    watcher,
                    presentity,
                    &record.roster,
                    grants.get(watcher).copied(),
                    self.same_domain,
                );
                let all = self
                    .published(presentity)
                    .into_iter()
                    .map(|(r, m, _)| (r, m));
                let mut all: Vec<_> = all.collect();
                all.sort();
                if decision == Decision::Allow {
                    assert_eq!(told, (decision, all), "{watch:?}");
                    let may = say.allowed.contains(&pair)
                        || (self.same_domain && !say.denied.contains(&pair));
                    assert!(may, "{watch:?} sees what nobody has allowed");
                } else {
                    assert_eq!(told, (decision, vec![]), "{watch:?}");
                }
            }
        }
    }

    /// Given once, or taken by a phone, or still there; and after a crash at most once more.
    fn messages_are_somewhere(&self) {
        let store = self.world().model.store();
        let say = self.say.lock();
        for (id, to) in self.stored.lock().iter() {
            let waits = store.offline_messages(&bare(to)).unwrap();
            let waits = waits
                .iter()
                .filter(|(_, m)| m.id.as_deref() == Some(id))
                .count();
            let given = say.given.get(id).copied().unwrap_or_default();
            let taken = self.taken.contains(id);
            assert!(waits + given > 0 || taken, "{id} is lost");
            if !self.unsure.contains(id) {
                assert!(
                    given <= 1 && (waits == 0 || given == 0 && !taken),
                    "{id}: {waits} {given} {taken}"
                );
            }
            assert!(given <= 1 + self.crashes);
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
