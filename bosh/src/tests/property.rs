//! Whatever the network does: everything arrives, once and in order.
//!
//! The client is like those of browsers: two connections, a request that is not answered is sent again as it was, one that carries
//! nothing only when no other is under way. The network loses, repeats, delays and reorders requests and answers, and it tells nobody.
//! Only what is too old is not let through: what the session does not remember any more ends it, as the protocol demands.

use std::collections::BTreeMap;

use proptest::prelude::*;
use xml::Wrapper;

use super::*;

/// How far the client goes on while an answer is missing.
const WINDOW: u64 = 5;

/// One thing that happens. Numbers choose among what there is.
#[derive(Debug, Clone)]
enum Step {
    /// The client has something to say.
    Write,
    /// The stream has something to say.
    Say,
    /// A request arrives, and stays under way as well if it is `doubled`.
    Arrive { which: usize, doubled: bool },
    /// A request is lost.
    Lose(usize),
    /// An answer arrives, and may arrive again.
    Return { which: usize, doubled: bool },
    /// An answer is lost.
    Miss(usize),
    /// The client gives up a connection and sends what went with it again; the server may hear that it was closed.
    Again { which: usize, closes: bool },
    /// Time passes.
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let which = || any::<prop::sample::Index>().prop_map(|i| i.index(64));
    prop_oneof![
        3 => Just(Step::Write),
        3 => Just(Step::Say),
        6 => (which(), prop::bool::weighted(0.2)).prop_map(|(which, doubled)| Step::Arrive { which, doubled }),
        1 => which().prop_map(Step::Lose),
        6 => (which(), prop::bool::weighted(0.2)).prop_map(|(which, doubled)| Step::Return { which, doubled }),
        1 => which().prop_map(Step::Miss),
        2 => (which(), any::<bool>()).prop_map(|(which, closes)| Step::Again { which, closes }),
        2 => (0u64..3000).prop_map(Step::Pass),
    ]
}

/// A request that the client has sent and that is not answered.
struct Open {
    text: String,
    /// The connection that it waits at, by the ticket that went with it first.
    at: u64,
}

struct World {
    talk: Talk,
    acks: bool,
    /// The id of the client's next request.
    next: u64,
    open: BTreeMap<u64, Open>,
    /// Answers that came before those of earlier requests.
    early: BTreeMap<u64, String>,
    /// Every answer that was ever seen to a request.
    seen: BTreeMap<u64, String>,
    /// The id whose answer is looked at next.
    expected: u64,
    written: u64,
    unsent: Vec<u64>,
    said: u64,
    heard: Vec<String>,
    received: Vec<String>,
    requests: Vec<(u64, u64)>,
    /// Answers under way: the id of the request, the connection, and the text.
    answers: Vec<(u64, u64, String)>,
    tickets: u64,
    /// The id and the connection that a ticket stands for.
    stands_for: BTreeMap<u64, (u64, u64)>,
}

impl World {
    fn new(acks: bool) -> Self {
        let acks_too = if acks { "ack='1'" } else { "" };
        let bounds = Bounds {
            inactivity: Duration::from_secs(100_000),
            ..Bounds::default()
        };
        let mut talk = Talk::within(&bounds, &format!("ver='1.11' hold='1' {acks_too}"));
        talk.say(FEATURES);
        talk.answers.clear();
        Self {
            talk,
            acks,
            next: 1,
            open: BTreeMap::new(),
            early: BTreeMap::new(),
            seen: BTreeMap::new(),
            expected: 1,
            written: 0,
            unsent: Vec::new(),
            said: 0,
            heard: Vec::new(),
            received: Vec::new(),
            requests: Vec::new(),
            answers: Vec::new(),
            tickets: 0,
            stands_for: BTreeMap::new(),
        }
    }

    /// The client sends what it can.
    fn send(&mut self) {
        let worth = !self.unsent.is_empty() || self.open.is_empty();
        let oldest = self.open.keys().next().copied().unwrap_or(self.next);
        if self.open.len() >= 2 || !worth || self.next - oldest >= WINDOW {
            return;
        }
        let content: String = self.unsent.drain(..).map(message).collect();
        let missing = self.expected < self.next;
        let ack = if self.acks && missing {
            format!("ack='{}'", RID + self.expected - 1)
        } else {
            String::new()
        };
        let text = format!(
            "<body xmlns='{NAMESPACE}' sid='SID' rid='{}' {ack}>{content}</body>",
            RID + self.next
        );
        let rid = self.next;
        self.next += 1;
        self.open.insert(rid, Open { text, at: 0 });
        self.dispatch(rid);
    }

    fn dispatch(&mut self, rid: u64) {
        self.tickets += 1;
        self.stands_for.insert(self.tickets, (rid, self.tickets));
        if let Some(open) = self.open.get_mut(&rid) {
            open.at = self.tickets;
        }
        self.requests.push((rid, self.tickets));
    }

    fn arrive(&mut self, which: usize, doubled: bool) {
        if self.requests.is_empty() {
            return;
        }
        let (rid, ticket) = self.requests.remove(which % self.requests.len());
        let Some(text) = self.open.get(&rid).map(|o| o.text.clone()) else {
            // It was answered: a copy that has no more to say, and may be too old.
            return;
        };
        if doubled {
            self.tickets += 1;
            let connection = self.stands_for[&ticket].1;
            self.stands_for.insert(self.tickets, (rid, connection));
            self.requests.push((rid, self.tickets));
        }
        let talk = &mut self.talk;
        talk.session
            .handle_request(talk.now, Ticket(ticket), body(&text));
        self.collect();
    }

    /// Takes what the session gives.
    fn collect(&mut self) {
        self.talk.drain();
        self.heard.extend(self.talk.heard());
        for (ticket, (status, text)) in std::mem::take(&mut self.talk.answers) {
            assert_eq!(status, 200);
            let (rid, connection) = self.stands_for[&ticket];
            self.answers.push((rid, connection, text));
        }
    }

    fn receive(&mut self, which: usize, doubled: bool) {
        if self.answers.is_empty() {
            return;
        }
        let (rid, connection, text) = self.answers.remove(which % self.answers.len());
        if doubled {
            self.answers.push((rid, connection, text.clone()));
        }
        if text.contains(" type='error'") {
            // What comes from a connection that it has given up it does not hear.
            if self.open.get(&rid).is_some_and(|o| o.at == connection) {
                self.dispatch(rid);
            }
            return;
        }
        let before = self.seen.entry(rid).or_insert_with(|| text.clone());
        assert_eq!(*before, text, "the very same answer");
        if self.open.remove(&rid).is_none() {
            return;
        }
        self.early.insert(rid, text);
        while let Some(text) = self.early.remove(&self.expected) {
            self.expected += 1;
            let octets = Bytes::from(text);
            let wrapper = Wrapper::parse(&octets, LIMITS.xml, 50).unwrap();
            let ended = wrapper.attributes().iter().any(|a| a.name() == "type");
            assert!(!ended, "{octets:?}");
            for child in wrapper.children() {
                let raw = child.standing_alone("", "");
                self.received.push(String::from_utf8(raw.to_vec()).unwrap());
            }
        }
    }

    fn again(&mut self, which: usize, closes: bool) {
        let Some(&rid) = self.open.keys().nth(which % self.open.len().max(1)) else {
            return;
        };
        let given_up = self.open.get(&rid).map(|o| o.at);
        for ticket in given_up.into_iter().filter(|_| closes) {
            self.talk.lose(ticket);
        }
        self.collect();
        self.dispatch(rid);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Write => {
                self.written += 1;
                self.unsent.push(self.written);
            }
            Step::Say => {
                self.said += 1;
                self.talk.say(&message(format_args!("out-{}", self.said)));
                self.collect();
            }
            Step::Arrive { which, doubled } => self.arrive(which, doubled),
            Step::Lose(which) => {
                if !self.requests.is_empty() {
                    self.requests.remove(which % self.requests.len());
                }
            }
            Step::Return { which, doubled } => self.receive(which, doubled),
            Step::Miss(which) => {
                if !self.answers.is_empty() {
                    self.answers.remove(which % self.answers.len());
                }
            }
            Step::Again { which, closes } => self.again(which, closes),
            Step::Pass(millis) => {
                self.talk.pass(Duration::from_millis(millis));
                self.collect();
            }
        }
        self.send();
    }

    /// The network is well again.
    fn settle(&mut self) {
        for _ in 0..200 {
            while !self.requests.is_empty() {
                self.arrive(0, false);
                self.send();
            }
            while !self.answers.is_empty() {
                self.receive(0, false);
                self.send();
            }
            let heard_all = self.heard.len() as u64 >= self.written;
            if heard_all && self.received.len() as u64 >= self.said {
                return;
            }
            if self.requests.is_empty() {
                let open: Vec<_> = self.open.keys().copied().collect();
                for rid in open {
                    self.dispatch(rid);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn everything_arrives_once_and_in_order(steps in prop::collection::vec(step(), 0..150), acks in any::<bool>()) {
        let mut world = World::new(acks);
        world.send();
        for step in &steps {
            world.step(step);
        }
        world.settle();
        let written: Vec<_> = (1..=world.written).map(message).collect();
        prop_assert_eq!(&world.heard, &written);
        let said: Vec<_> = (1..=world.said).map(|n| message(format_args!("out-{n}"))).collect();
        prop_assert_eq!(&world.received, &said);
    }
}
