//! The protocol machines over one model, on a clock that is turned by hand: no sockets, no runtime, no waiting.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use adsum::wiring::sip::{Answers, Inbound, act, resolve};
use bridge::action::Credentials;
use bridge::{Action, Answer, Bridge, Config, Output, Token};
use bytes::Bytes;
use model::accounts::Secrets;
use model::commit::Reply;
use model::{Event, Model, Route, Rules};
use parking_lot::Mutex;
use presence::subscription::Kind;
use presence::{Bare, Timestamp, Utc};
use sip::digest::{Algorithm, Ha1Set};
use sip::transaction::Flow;
use sip::{Method, Request, Response};
use store::{Completion, Options, Store};
use xmpp::adhoc::{self, Commands};
use xmpp::client::{Service, Software};

/// The domain of all.
pub(super) const DOMAIN: &str = "office.example";
/// The domain of a component.
pub(super) const GATEWAY: &str = "irc.office.example";
/// The password of all phones.
pub(super) const PASSWORD: &str = "secret";

/// How long messages are archived.
pub(super) const ARCHIVE: Duration = Duration::from_secs(24 * 3600);

const BASE: i64 = 1_795_000_000_000;

/// An account of the office.
pub(super) fn bare(name: &str) -> Bare {
    Bare::parse(&format!("{name}@{DOMAIN}")).unwrap()
}

/// What follows from commits, not yet done.
type Completions = Arc<Mutex<VecDeque<Completion>>>;

/// The model's way to the bridge: it leaves things here, and the world hands them on.
#[derive(Default)]
struct Inbox(Mutex<VecDeque<Inbound>>);

impl Inbox {
    fn leave(&self, inbound: Inbound) {
        self.0.lock().push_back(inbound);
    }
}

impl Answers for Inbox {
    fn answer(&self, token: Token, answer: Answer) {
        self.leave(Inbound::Answer(token, answer));
    }
}

impl Route for Inbox {
    fn deliver(&self, event: &Event<'_>) {
        if let Some(inbound) = Inbound::of(event) {
            self.leave(inbound);
        }
    }

    fn closed(&self) -> bool {
        false
    }
}

/// The office.
pub(super) struct World {
    pub(super) model: Arc<Model>,
    pub(super) service: Arc<Service>,
    pub(super) commands: Commands,
    bridge: Bridge<u64>,
    inbox: Arc<Inbox>,
    clock: Arc<AtomicU64>,
    completions: Completions,
    answers: HashMap<u64, Response>,
    /// What was sent to phones, each answered with 200.
    sent: Vec<Request>,
    requests: u64,
}

impl World {
    /// Accounts that see each other by default.
    pub(super) fn open(names: &[&str]) -> Self {
        Self::with(true, names)
    }

    /// Accounts that must ask.
    pub(super) fn asking(names: &[&str]) -> Self {
        Self::with(false, names)
    }

    fn with(same_domain_allow: bool, names: &[&str]) -> Self {
        let clock = Arc::new(AtomicU64::new(1_000_000));
        let completions = Arc::new(Mutex::new(VecDeque::new()));
        let (store, _) = Store::open_in_memory(Options::default()).unwrap();
        let heap = Arc::clone(&completions);
        store.set_completion_sink(Box::new(move |batch| heap.lock().extend(batch)));
        let model = wire(store, same_domain_allow, &clock);
        let inbox = Arc::new(Inbox::default());
        model.set_phones(Arc::clone(&inbox) as Arc<dyn Route>);
        let domains = vec![DOMAIN.to_owned()];
        let software = Software {
            name: "Adsum".to_owned(),
            version: "0".to_owned(),
            os: None,
        };
        let mut service = Service::new(domains.clone(), software, Timestamp(0));
        service.archive = true;
        service.components = vec![GATEWAY.to_owned()];
        let mut world = Self {
            model,
            service: Arc::new(service),
            commands: Commands::new(adhoc::TABLE, adhoc::Limits::default(), 7),
            bridge: Bridge::new(Config::new(domains), [3; 32], [4; 32]),
            inbox,
            clock,
            completions,
            answers: HashMap::new(),
            sent: Vec::new(),
            requests: 0,
        };
        for name in names {
            world.add(name);
        }
        world
    }

    /// The server crashes and starts again after this time: connections are gone, and everything else is as it was on the disk.
    pub(super) fn restart(&mut self, after: Duration) {
        self.settle();
        self.clock
            .fetch_add(u64::try_from(after.as_millis()).unwrap(), Ordering::Relaxed);
        let store = self.model.store().clone();
        self.model = wire(store, self.model.rules().same_domain_allow, &self.clock);
        self.inbox = Arc::default();
        let phones = Arc::clone(&self.inbox) as Arc<dyn Route>;
        self.model.set_phones(phones);
        let config = Config::new(vec![DOMAIN.to_owned()]);
        self.bridge = Bridge::new(config, [3; 32], [5; 32]);
        self.model.set_groups(BTreeMap::new()).unwrap();
        let watches = self.model.restore(true).unwrap();
        self.bridge.restore(self.bridge_now(), watches);
        self.settle();
    }

    pub(super) fn add(&mut self, name: &str) {
        self.add_account(name, false);
    }

    /// An account that may administer the office.
    pub(super) fn add_admin(&mut self, name: &str) {
        self.add_account(name, true);
    }

    /// Gives or takes that right.
    pub(super) fn set_admin(&mut self, name: &str, admin: bool) {
        let op = store::Op::AccountAdmin {
            account: bare(name),
            admin,
        };
        let store = self.model.store();
        store.submit(vec![op], Box::new(|r| r.unwrap())).unwrap();
        self.settle();
    }

    fn add_account(&mut self, name: &str, admin: bool) {
        let secrets = Secrets {
            scram: vec![1],
            sealed_ha1: vec![2],
        };
        let reply = Reply::ignored();
        self.model.add_account(&bare(name), secrets, admin, &reply);
        self.settle();
    }

    /// Each sees the other, by their rosters.
    pub(super) fn befriend(&mut self, a: &str, b: &str) {
        for (a, b) in [(a, b), (b, a)] {
            self.subscription(a, Kind::Subscribe, b);
            self.subscription(b, Kind::Subscribed, a);
        }
    }

    fn subscription(&mut self, who: &str, kind: Kind, whom: &str) {
        let (who, whom) = (bare(who), bare(whom));
        let reply = Reply::ignored();
        self.model
            .subscription(&who, kind, &whom, Bytes::new(), &reply);
        self.settle();
    }

    /// The moment.
    pub(super) fn now(&self) -> model::Now {
        moment(&self.clock)
    }

    fn bridge_now(&self) -> bridge::Now {
        let now = self.now();
        bridge::Now {
            at: sip::Timestamp(now.at.0),
            utc: now.utc,
        }
    }

    /// Time passes; what is due happens when it is due.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now().at.plus(time);
        loop {
            let model = self.model.poll_timeout();
            let bridge = self.bridge.poll_timeout().map(|at| Timestamp(at.0));
            let due = bridge.map_or(model, |at| at.min(model)).min(end);
            self.clock.fetch_max(due.0, Ordering::Relaxed);
            self.model.handle_timeout();
            self.bridge.handle_timeout(self.bridge_now());
            self.settle();
            let now = self.now().at;
            assert!(self.model.poll_timeout() > now, "what was due is over");
            if now >= end {
                break;
            }
        }
    }

    /// Until nothing is under way.
    pub(super) fn settle(&mut self) {
        loop {
            self.model.store().barrier();
            let done = std::mem::take(&mut *self.completions.lock());
            let mut busy = !done.is_empty();
            for completion in done {
                completion.run();
            }
            while let Some(inbound) = self.next_inbound() {
                busy = true;
                let now = self.bridge_now();
                inbound.hand_to(&mut self.bridge, now);
            }
            while let Some(output) = self.bridge.poll_output() {
                busy = true;
                self.put_out(output);
            }
            if !busy {
                break;
            }
        }
    }

    fn next_inbound(&self) -> Option<Inbound> {
        self.inbox.0.lock().pop_front()
    }

    fn put_out(&mut self, output: Output<u64>) {
        match output {
            Output::Respond(id, response) | Output::RespondStateless(id, response) => {
                let before = self.answers.insert(id, response);
                assert!(before.is_none(), "a request has one answer");
            }
            Output::Send { key, request, .. } => {
                let response = Response::for_request(&request, 200);
                self.sent.push(request);
                let now = self.bridge_now();
                self.bridge.handle_response(now, key, &response);
            }
            Output::Act(token, action) => self.act(token, action),
        }
    }

    /// A request of a phone, and its answer.
    pub(super) fn ask(&mut self, request: Request, flow: &Flow) -> Response {
        self.requests += 1;
        let now = self.bridge_now();
        self.bridge
            .handle_request(now, self.requests, request, flow);
        self.settle();
        self.answers.remove(&self.requests).expect("an answer")
    }

    /// What phones of this user were sent by this method since it was asked for last.
    pub(super) fn sent_to(&mut self, user: &str, method: &Method) -> Vec<Request> {
        let start = format!("sip:{user}@");
        let of = |r: &mut Request| r.method == *method && r.uri.as_str().starts_with(&start);
        self.sent.extract_if(.., of).collect()
    }

    fn act(&self, token: Token, action: Action) {
        let answer = match action {
            Action::Credentials { user, realm, .. } => {
                let found = resolve(&self.model, &user, DOMAIN).map(|account| {
                    let keys = Ha1Set::of_password(&Algorithm::ALL, &user, &realm, PASSWORD);
                    (account, keys)
                });
                let too_many = false;
                Some(Answer::Credentials(Credentials { found, too_many }))
            }
            Action::Resolve { address } => {
                Some(Answer::Resolved(resolve(&self.model, &address, DOMAIN)))
            }
            Action::Failed { .. } => panic!("phones know the password"),
            other => act(&self.model, &self.inbox, token, other),
        };
        if let Some(answer) = answer {
            self.inbox.answer(token, answer);
        }
    }
}

/// A model over this store and on this clock.
fn wire(store: Store, same_domain_allow: bool, clock: &Arc<AtomicU64>) -> Arc<Model> {
    let rules = Rules {
        domains: vec![DOMAIN.to_owned()],
        same_domain_allow,
        archive: Some(ARCHIVE),
        archive_page: 10,
        components: vec![GATEWAY.to_owned()],
        ..Rules::default()
    };
    let (clock, count) = (Arc::clone(clock), AtomicU64::new(1));
    let random = Box::new(move |octets: &mut [u8]| {
        for octet in octets {
            let next = count.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *octet = next.to_be_bytes()[0];
        }
    });
    Model::new(store, rules, Box::new(move || moment(&clock)), random)
}

fn moment(clock: &AtomicU64) -> model::Now {
    let at = clock.load(Ordering::Relaxed);
    model::Now {
        at: Timestamp(at),
        utc: Utc(BASE + i64::try_from(at).unwrap()),
    }
}
