//! A network between a client and the server that loses, repeats, delays and reorders: nothing is lost and nothing comes twice.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::tab::{Tab, attribute, chat, elements, post};
use crate::support::{Client, DEADLINE, Server};
use crate::web::wire::{Heard, Wire};

/// Messages each way.
const MESSAGES: u64 = 1000;
/// How far the client goes on while an answer is missing, as strophe.js does.
const WINDOW: u64 = 5;

/// What the network does to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Well,
    /// The request never arrives.
    Lost,
    /// The answer never arrives.
    Deaf,
    /// It arrives twice.
    Twice,
    /// It waits until another has gone by.
    Late,
}

impl Fate {
    fn draw(random: &mut StdRng) -> Self {
        match random.random_range(0..20) {
            0 | 1 => Self::Lost,
            2 | 3 => Self::Deaf,
            4 | 5 => Self::Twice,
            6..=9 => Self::Late,
            _ => Self::Well,
        }
    }
}

/// Counts requests that have gone by, so that a late one knows when it was passed.
#[derive(Default)]
struct Passed {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Passed {
    fn go(&self) {
        *self.count.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    /// Waits until another goes by; not for ever, as there may be none.
    fn wait(&self) {
        let count = self.count.lock().unwrap();
        let before = *count;
        let longest = Duration::from_millis(20);
        let _ = self
            .changed
            .wait_timeout_while(count, longest, |now| *now == before);
    }
}

/// Carries one request as the network likes it. `None`: the client's connection breaks.
fn carry(server: &Server, passed: &Passed, body: &str, fate: Fate) -> Option<Heard> {
    if fate == Fate::Lost {
        return None;
    }
    if fate == Fate::Late {
        passed.wait();
    }
    let mut wire = Wire::plain(server);
    wire.send(&post(body));
    passed.go();
    if fate == Fate::Twice {
        // Whichever the server looks at last is the one that it answers.
        let mut second = Wire::plain(server);
        second.send(&post(body));
        let both = thread::scope(|scope| {
            let first = scope.spawn(|| wire.hear());
            [second.hear(), first.join().unwrap()]
        });
        let is_answer = |heard: &&Heard| attribute(heard.text(), "type").is_none();
        let answers: Vec<_> = both.iter().filter(is_answer).collect();
        if let [one, other] = answers[..] {
            assert_eq!(one.body, other.body, "the same answer to the same request");
        }
        return answers.first().map(|heard| (*heard).clone());
    }
    let heard = wire.hear();
    (fate != Fate::Deaf).then_some(heard)
}

/// One of the client's connections: requests in, answers out.
fn connection(
    server: &Server,
    passed: &Passed,
    seed: u64,
    requests: &Mutex<Receiver<(u64, String)>>,
    answers: &Sender<(u64, Option<Heard>)>,
) {
    let mut random = StdRng::seed_from_u64(seed);
    loop {
        let next = requests.lock().unwrap().recv();
        let Ok((rid, body)) = next else {
            return;
        };
        let fate = Fate::draw(&mut random);
        let heard = carry(server, passed, &body, fate);
        if answers.send((rid, heard)).is_err() {
            return;
        }
    }
}

/// The client: sends again what was not answered, and takes answers in the order of its requests.
struct Page {
    tab: Tab,
    requests: Sender<(u64, String)>,
    answers: Receiver<(u64, Option<Heard>)>,
    unsent: VecDeque<String>,
    open: BTreeMap<u64, String>,
    early: BTreeMap<u64, Heard>,
    expected: u64,
    received: Vec<String>,
}

impl Page {
    fn send(&mut self) {
        loop {
            let oldest = self.open.keys().next().copied().unwrap_or(self.tab.rid + 1);
            let worth = !self.unsent.is_empty() || self.open.is_empty();
            if self.open.len() >= 2 || !worth || self.tab.rid + 1 - oldest >= WINDOW {
                return;
            }
            let many = self.unsent.len().min(3);
            let content: String = self.unsent.drain(..many).collect();
            let body = self.tab.body("", &content);
            self.open.insert(self.tab.rid, body.clone());
            self.requests.send((self.tab.rid, body)).unwrap();
        }
    }

    fn turn(&mut self) {
        let (rid, heard) = self.answers.recv_timeout(DEADLINE * 3).unwrap();
        match heard {
            Some(heard) if attribute(heard.text(), "type").is_none() => {
                if self.open.remove(&rid).is_some() {
                    self.early.insert(rid, heard);
                }
            }
            Some(heard) if attribute(heard.text(), "type").as_deref() == Some("terminate") => {
                panic!("{}", heard.text())
            }
            _ => {
                let body = self.open[&rid].clone();
                self.requests.send((rid, body)).unwrap();
            }
        }
        while let Some(heard) = self.early.remove(&self.expected) {
            self.expected += 1;
            for element in elements(heard.text()) {
                if let Some(body) = element.child("body", "jabber:client") {
                    self.received.push(body.text().into_owned());
                }
            }
        }
    }
}

fn numbered(prefix: &str) -> Vec<String> {
    (0..MESSAGES)
        .map(|number| format!("{prefix}-{number}"))
        .collect()
}

#[test]
fn nothing_is_lost_and_nothing_comes_twice() {
    let server = Arc::new(Server::start(&["ann", "bob"]));
    let mut bob = Client::online(&server, "bob", "phone");
    let tab = Tab::online(&server, "ann", "tab");
    let (jid, to) = (tab.jid.clone(), bob.jid.clone());
    let (requests, to_network) = channel();
    let (from_network, answers) = channel();
    let to_network = Arc::new(Mutex::new(to_network));
    let passed = Arc::new(Passed::default());
    for seed in 0..2 {
        let (server, passed) = (Arc::clone(&server), Arc::clone(&passed));
        let (to_network, from_network) = (Arc::clone(&to_network), from_network.clone());
        thread::spawn(move || connection(&server, &passed, seed, &to_network, &from_network));
    }
    let expected = tab.rid + 1;
    let mut page = Page {
        tab,
        requests,
        answers,
        unsent: numbered("out").iter().map(|text| chat(&to, text)).collect(),
        open: BTreeMap::new(),
        early: BTreeMap::new(),
        expected,
        received: Vec::new(),
    };
    let other = thread::spawn(move || {
        let mut heard = Vec::new();
        for text in numbered("in") {
            bob.send(&chat(&jid, &text));
            heard.push(text_of(&mut bob));
        }
        heard
    });
    while (page.received.len() as u64) < MESSAGES {
        page.send();
        page.turn();
    }
    assert_eq!(other.join().unwrap(), numbered("out"));
    assert_eq!(page.received, numbered("in"));
}

/// The text of the next message.
fn text_of(client: &mut Client) -> String {
    let message = client.expect("a message", |s| s.child("body", "jabber:client").is_some());
    let body = message.child("body", "jabber:client").unwrap();
    body.text().into_owned()
}
