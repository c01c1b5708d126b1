//! An office of people who do things at random, and what must be true of it.

mod after;
mod people;

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
use model::status::Status;
use model::watches::Seen;
use model::{Rules, SessionId};
use parking_lot::Mutex;
use presence::subscription::Kind;
use presence::{Address, Bare, EntityTag, Refusal, WatchId, WatchRecord};

use super::{Client, World, bare, binding, document, message, presented, resource, shown};

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
    /// Who is in a group with whom, or was since all was at rest.
    fellows: BTreeSet<(String, String)>,
    /// Who blocks whom.
    blocked: BTreeSet<(String, String)>,
    denied: BTreeSet<(String, String)>,
    wrong: Vec<String>,
    /// The highest version that a push has shown.
    pushed: BTreeMap<String, u64>,
    given: BTreeMap<String, usize>,
    /// When a stored message was delivered last.
    delivered: BTreeMap<String, u64>,
    /// Delivered to a second session since the first did not read for long: both may read it in the end.
    doubtful: BTreeSet<String>,
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
    /// Accounts that were deleted once: what was asked of them meanwhile was ignored.
    absent: BTreeSet<String>,
    directed: BTreeSet<(String, String)>,
    refused: BTreeSet<(String, String)>,
    promises: Arc<Mutex<BTreeMap<(String, String), Promise>>>,
    /// Messages that were stored: from whom and for whom.
    stored: Arc<Mutex<BTreeMap<String, (Bare, String)>>>,
    taken: BTreeSet<String>,
    unsure: BTreeSet<String>,
    crashes: usize,
    count: usize,
    same_domain: bool,
    /// There are groups. Then versions of rosters do not grow: they say which members there are.
    grouping: bool,
    /// Who is meant to be in which, or was since all was at rest.
    groups: BTreeMap<String, BTreeSet<Bare>>,
    ever_blocked: BTreeSet<(String, String)>,
    /// What everybody said of himself last, where that is known.
    statuses: BTreeMap<String, Option<Status>>,
}

impl Office {
    pub fn new(seed: u64, on_disk: bool) -> Self {
        let same_domain = seed.is_multiple_of(2);
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
            absent: BTreeSet::new(),
            directed: BTreeSet::new(),
            refused: BTreeSet::new(),
            promises: Arc::default(),
            stored: Arc::default(),
            taken: BTreeSet::new(),
            unsure: BTreeSet::new(),
            crashes: 0,
            count: 0,
            same_domain,
            grouping: !seed.is_multiple_of(3),
            groups: BTreeMap::new(),
            ever_blocked: BTreeSet::new(),
            statuses: BTreeMap::new(),
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
            29..=30 => self.block(),
            31..=33 => self.group(),
            34..=35 => self.status(),
            36..=55 => self.subscribe(),
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
            90..=93 => self.world().commit(),
            94 => {
                self.world().write();
            }
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
        let slow = self.die(4) == 0;
        client.slow.store(slow, Ordering::Relaxed);
        let wish = Some(resource(&format!("r{r}")));
        let Ok((id, _)) = self.world().model.connect(&account, wish, client.clone()) else {
            return;
        };
        self.world().model.roster(&account, id, &Reply::ignored());
        self.world().clients.lock().push(Arc::clone(&client));
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
        let account = live.account.clone();
        let live = &mut self.live[index];
        if to == account
            || self
                .ever_blocked
                .contains(&(account.to_string(), to.to_string()))
        {
            return;
        }
        if self
            .ever_blocked
            .contains(&(to.to_string(), account.to_string()))
        {
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
        // Whom somebody blocks he cannot answer.
        let blocks = (a.to_string(), b.to_string());
        if !self.say.lock().blocked.contains(&blocks) {
            self.said(kind, &a, &b);
        }
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
        let handling = Handling::TEXT;
        self.world()
            .model
            .message(message, handling, move |m, sent| {
                if sent == Ok(Sent::Stored) {
                    let for_whom = m.to.bare.to_string();
                    stored.lock().insert(id, (m.from.bare.clone(), for_whom));
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
                self.absent.insert(account.to_string());
                let secrets = Secrets {
                    scram: vec![],
                    sealed_ha1: vec![],
                };
                model.add_account(&account, secrets, false, &Reply::ignored());
                world.settle();
                self.watches
                    .retain(|_, (w, p)| *w != account && *p != account);
                let mut say = self.say.lock();
                // An approval beforehand is its owner's, and stays for the next of that name (RFC 6121 §3.4); so does what he answered to
                // a phone's watch, of which the other's roster knows nothing.
                let asked = &self.asked;
                let approved = |owner: &str| {
                    let record = model.store().load(&bare(owner)).unwrap().unwrap();
                    let by_watch = asked.contains(&(name.clone(), owner.to_owned()));
                    record
                        .roster
                        .items
                        .get(&account)
                        .is_some_and(|i| i.approved || (by_watch && i.subscription.from()))
                        || record.grants.iter().any(|(w, g)| *w == account && g.allow)
                };
                say.allowed.retain(|(owner, contact)| {
                    *owner != name && (*contact != name || approved(owner))
                });
                say.denied.retain(|(owner, _)| *owner != name);
                say.blocked.retain(|(owner, _)| *owner != name);
                self.statuses.remove(&name);
                say.pushed.remove(&name);
                self.promises.lock().retain(|(owner, _), _| *owner != name);
                self.stored.lock().retain(|_, (_, to)| *to != name);
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
                    self.statuses.remove(&name);
                }
            }
        }
        world.pass(Duration::from_millis(1));
    }
}
