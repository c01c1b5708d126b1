//! A model on a simulated clock, with a writer that commits when it is told to and completions that run when they are told to.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test uses its part"
)]
#![allow(clippy::unwrap_used, reason = "tests")]

pub mod ears;
pub mod office;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use model::accounts::Secrets;
use model::bindings::Register;
use model::commit::Reply;
use model::route::Route;
use model::sessions::Presented;
use model::{Model, Now, Rules, SessionId};
use parking_lot::{Condvar, Mutex};
use presence::subscription::Kind;
use presence::{
    Address, Bare, Binding, Document, Message, MessageKind, MessageNative, Note, Priority, Refusal,
    Resource, Timestamp, Utc, WatchId, WatchRecord,
};
use store::{Completion, Options, Store};

pub use ears::{Client, Guard, Heard, Phones, Shown, mark, shown};

pub const BASE: i64 = 1_700_000_000_000;

/// splitmix64.
pub struct Dice(AtomicU64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub fn next(&self) -> u64 {
        let mut z = self
            .0
            .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
            .wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&self, most: usize) -> usize {
        usize::try_from(self.next() >> 11).unwrap() % most
    }

    pub fn one_in(&self, n: usize) -> bool {
        self.below(n) == 0
    }
}

#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    turned: Condvar,
}

#[derive(Default)]
struct GateState {
    open: bool,
    parked: bool,
    dead: bool,
    completions: VecDeque<Completion>,
}

impl Gate {
    fn sink(self: &Arc<Self>) -> store::Sink {
        let gate = Arc::clone(self);
        Box::new(move |batch| {
            let mut state = gate.state.lock();
            if !state.dead {
                state.completions.extend(batch);
            }
            state.parked = !state.open;
            gate.turned.notify_all();
            while !state.open {
                gate.turned.wait(&mut state);
            }
            state.parked = false;
        })
    }

    fn open(&self) {
        self.state.lock().open = true;
        self.turned.notify_all();
    }

    /// The writer stands still until the gate is opened: nothing is committed in the meantime.
    fn park(&self, store: &Store) {
        self.state.lock().open = false;
        store.submit(Vec::new(), Box::new(|_| {})).unwrap();
        let mut state = self.state.lock();
        while !state.parked {
            self.turned.wait(&mut state);
        }
    }
}

/// A server without faces.
pub struct World {
    pub model: Arc<Model>,
    pub phones: Arc<Phones>,
    pub dice: Arc<Dice>,
    pub clock: Arc<AtomicU64>,
    gate: Arc<Gate>,
    rules: Rules,
    home: Option<(tempfile::TempDir, PathBuf)>,
    runs: u64,
    /// Connections whose client reads.
    pub clients: Mutex<Vec<Arc<Client>>>,
}

impl World {
    pub fn new(seed: u64, rules: Rules) -> Self {
        let (store, _) = Store::open_in_memory(Options::default()).unwrap();
        Self::over(store, seed, rules, None)
    }

    /// On a disk, so that it may crash.
    pub fn on_disk(seed: u64, rules: Rules) -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("0.db");
        let (store, _) = Store::open(&path, Options::default()).unwrap();
        Self::over(store, seed, rules, Some((home, path)))
    }

    fn over(
        store: Store,
        seed: u64,
        rules: Rules,
        home: Option<(tempfile::TempDir, PathBuf)>,
    ) -> Self {
        let clock = Arc::new(AtomicU64::new(1000));
        let phones = Arc::new(Phones::default());
        let (gate, model) = wire(store, seed, &rules, &clock, &phones);
        let dice = Arc::new(Dice::new(seed));
        Self {
            model,
            phones,
            dice,
            clock,
            gate,
            rules,
            home,
            runs: 0,
            clients: Mutex::default(),
        }
    }

    pub fn now(&self) -> Now {
        moment(&self.clock)
    }

    /// Time passes; what is due happens.
    pub fn pass(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap();
        self.clock.fetch_add(millis, Ordering::Relaxed);
        self.model.handle_timeout();
    }

    /// Commits what is queued.
    pub fn commit(&self) {
        self.gate.open();
        self.model.store().barrier();
        self.gate.park(self.model.store());
    }

    /// Runs the next completion; false when there is none.
    pub fn complete(&self) -> bool {
        let next = self.gate.state.lock().completions.pop_front();
        let any = next.is_some();
        if let Some(completion) = next {
            completion.run();
        }
        any
    }

    /// An account as it stands on the disk.
    pub fn stored(&self, name: &str) -> store::AccountRecord {
        self.model.store().load(&bare(name)).unwrap().unwrap()
    }

    /// Until nothing is under way. The completion of parking is always there.
    pub fn settle(&self) {
        loop {
            while self.complete() {}
            let wrote = self.write();
            self.commit();
            if self.gate.state.lock().completions.len() <= 1 && !wrote {
                break;
            }
        }
    }

    /// What waits on the connections is written; true when the model wanted to know.
    pub fn write(&self) -> bool {
        self.clients.lock().retain(|client| !client.closed());
        let clients = self.clients.lock().clone();
        let wrote = clients.iter().filter(|client| client.write(&self.model));
        wrote.count() > 0
    }

    /// The writer's queue is full.
    pub fn fill(&self) {
        while self
            .model
            .store()
            .submit(Vec::new(), Box::new(|_| {}))
            .is_ok()
        {}
    }

    /// The end of the process, without a warning; then the start of the next. What was not committed is lost.
    pub fn crash(self) -> (Self, Vec<WatchRecord>) {
        let (home, path) = self.home.as_ref().unwrap();
        let next = home.path().join(format!("{}.db", self.runs + 1));
        copy(path, &next);
        self.again(next, true)
    }

    /// A clean end and a start.
    pub fn restart(self) -> (Self, Vec<WatchRecord>) {
        self.model.shut_down();
        self.settle();
        self.gate.state.lock().completions.clear();
        self.gate.open();
        self.model.store().clone().close_clean();
        let path = self.home.as_ref().unwrap().1.clone();
        self.again(path, false)
    }

    fn again(mut self, path: PathBuf, unclean: bool) -> (Self, Vec<WatchRecord>) {
        let left = {
            let mut state = self.gate.state.lock();
            state.dead = true;
            std::mem::take(&mut state.completions)
        };
        drop(left);
        self.gate.open();
        let old = std::mem::replace(&mut self.model, empty());
        drop(old);
        let (store, start) = Store::open(&path, Options::default()).unwrap();
        assert_eq!(start.unclean, unclean);
        self.clock.fetch_add(100, Ordering::Relaxed);
        let seed = self.dice.next();
        let (gate, model) = wire(store, seed, &self.rules, &self.clock, &self.phones);
        (self.gate, self.model) = (gate, model);
        self.runs += 1;
        if let Some(home) = &mut self.home {
            home.1 = path;
        }
        self.model.set_groups(BTreeMap::new()).unwrap();
        let watches = self.model.restore(start.unclean).unwrap();
        (self, watches)
    }

    /// With these accounts.
    pub fn of(accounts: &[&str]) -> Self {
        let world = Self::new(1, Rules::default());
        for account in accounts {
            world.add(account);
        }
        world
    }

    /// Ann's phone registers; how many contacts it has then.
    pub fn register(
        &self,
        contact: &str,
        instance: Option<&str>,
        cseq: u32,
        seconds: u64,
    ) -> usize {
        let expires = self.now().utc.plus(Duration::from_secs(seconds));
        let update = Register::Update(vec![binding(contact, instance, cseq, expires)]);
        self.ask(|reply| self.model.register(&bare("ann"), update, reply))
            .unwrap()
            .len()
    }

    pub fn add(&self, account: &str) {
        let secrets = Secrets {
            scram: vec![1],
            sealed_ha1: vec![2],
        };
        self.model
            .add_account(&bare(account), secrets, false, &Reply::ignored());
        self.settle();
    }

    pub fn connect(&self, full: &str) -> (Arc<Client>, SessionId) {
        let client = Client::new(full, None);
        let at = Address::parse(full).unwrap();
        let route = Arc::clone(&client) as Arc<dyn Route>;
        self.clients.lock().push(Arc::clone(&client));
        let (id, _) = self.model.connect(&at.bare, at.resource, route).unwrap();
        (client, id)
    }

    /// A client that has asked for its roster and is available.
    pub fn come(&self, full: &str, said: &str) -> (Arc<Client>, SessionId) {
        let (client, id) = self.connect(full);
        let account = Address::parse(full).unwrap().bare;
        self.model.roster(&account, id, &Reply::ignored());
        self.model
            .available(&account, id, presented(said, 0))
            .unwrap();
        self.settle();
        (client, id)
    }

    pub fn subscribe(&self, who: &str, kind: Kind, whom: &str) {
        let (who, whom) = (bare(who), bare(whom));
        self.model
            .subscription(&who, kind, &whom, Bytes::new(), &Reply::ignored());
        self.settle();
    }

    /// Both see each other.
    pub fn befriend(&self, a: &str, b: &str) {
        for (a, b) in [(a, b), (b, a)] {
            self.subscribe(a, Kind::Subscribe, b);
            self.subscribe(b, Kind::Subscribed, a);
        }
    }

    /// Does it, waits for the commit and gives the answer.
    pub fn ask<T: Send + 'static>(&self, act: impl FnOnce(&Reply<T>)) -> Result<T, Refusal> {
        let answer = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&answer);
        act(&Reply::new(move |result| *slot.lock() = Some(result)));
        self.settle();
        let answer = answer.lock().take();
        answer.expect("an answer")
    }

    pub fn watch(&self, watcher: &str, presentity: &str) -> (WatchId, Shown) {
        let id = self.model.new_watch();
        let record = WatchRecord {
            id,
            watcher: bare(watcher),
            presentity: bare(presentity),
            package: "presence".into(),
            expires: self.now().utc.plus(Duration::from_secs(3600)),
            dialog: Bytes::new(),
        };
        let seen = self.ask(|reply| self.model.watch(record, reply)).unwrap();
        let shown = shown(seen.decision, &seen.view);
        self.phones.told.lock().insert(id.0, shown.clone());
        (id, shown)
    }

    pub fn told(&self, id: WatchId) -> Shown {
        self.phones.told.lock()[&id.0].clone()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let left = {
            let mut state = self.gate.state.lock();
            state.dead = true;
            std::mem::take(&mut state.completions)
        };
        drop(left);
        self.gate.open();
    }
}

fn empty() -> Arc<Model> {
    let (store, _) = Store::open_in_memory(Options::default()).unwrap();
    let clock = Box::new(|| Now {
        at: Timestamp(0),
        utc: Utc(0),
    });
    Model::new(store, Rules::default(), clock, Box::new(|_| {}))
}

fn moment(clock: &AtomicU64) -> Now {
    let at = clock.load(Ordering::Relaxed);
    Now {
        at: Timestamp(at),
        utc: Utc(BASE + i64::try_from(at).unwrap()),
    }
}

fn wire(
    store: Store,
    seed: u64,
    rules: &Rules,
    clock: &Arc<AtomicU64>,
    phones: &Arc<Phones>,
) -> (Arc<Gate>, Arc<Model>) {
    let gate = Arc::new(Gate::default());
    store.set_completion_sink(gate.sink());
    gate.park(&store);
    let clock = Arc::clone(clock);
    let dice = Dice::new(seed ^ 0x5eed);
    let random = Box::new(move |octets: &mut [u8]| {
        for chunk in octets.chunks_mut(8) {
            let n = chunk.len();
            chunk.copy_from_slice(&dice.next().to_le_bytes()[..n]);
        }
    });
    let model = Model::new(
        store,
        rules.clone(),
        Box::new(move || moment(&clock)),
        random,
    );
    model.set_phones(Arc::clone(phones) as Arc<dyn Route>);
    (gate, model)
}

fn copy(from: &Path, to: &Path) {
    let log = |p: &Path| PathBuf::from(format!("{}-wal", p.display()));
    std::fs::copy(from, to).unwrap();
    if log(from).exists() {
        std::fs::copy(log(from), log(to)).unwrap();
    }
}

pub fn bare(text: &str) -> Bare {
    Bare::parse(&if text.contains('@') {
        text.to_owned()
    } else {
        format!("{text}@localhost")
    })
    .unwrap()
}

pub fn document(said: &str, priority: i8) -> Document {
    Document {
        notes: vec![Note {
            lang: None,
            text: said.to_owned(),
        }],
        priority: Some(Priority(priority)),
        ..Document::default()
    }
}

pub fn presented(said: &str, priority: i8) -> Presented {
    let content = Bytes::copy_from_slice(said.as_bytes());
    Presented {
        document: document(said, priority),
        content,
        lang: None,
        id: None,
    }
}

pub fn message(id: &str, from: &str, to: &str) -> Message {
    Message {
        from: Address::parse(from).unwrap(),
        to: Address::parse(to).unwrap(),
        kind: MessageKind::Chat,
        id: Some(id.into()),
        thread: None,
        subjects: Vec::new(),
        bodies: vec![Note {
            lang: None,
            text: id.to_owned(),
        }],
        native: MessageNative::Xmpp(Bytes::new()),
        received: Utc(BASE),
        archived: None,
    }
}

pub fn binding(contact: &str, instance: Option<&str>, cseq: u32, expires: Utc) -> Binding {
    Binding {
        contact: contact.into(),
        instance: instance.map(Into::into),
        call_id: "c".into(),
        cseq,
        expires,
        q: 1000,
        path: Vec::new(),
        takes_message: true,
        flow: "udp:192.0.2.1:5060".into(),
        user_agent: None,
    }
}

pub fn resource(text: &str) -> Resource {
    Resource::from_prepared(text)
}
