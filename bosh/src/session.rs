//! One session: requests in order in, answers in order out.

mod end;
mod opening;
mod request;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::answer::{Answer, Content, Ticket, recoverable};
use crate::body::Body;
use crate::condition::Condition;
use crate::keys::Keys;
use crate::memory::Memory;
use crate::order::{Order, Waiting};
use crate::pace::Pace;
use crate::terms::Terms;
use crate::time::Time;

/// How much output waits for a client that polls.
const ROOM: usize = 64 * 1024;
/// How long the answers of an ended session can be asked for again.
const LINGER: Duration = Duration::from_secs(10);

/// What a session has for the stream that it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An element, with all the declarations it needs.
    Element(Bytes),
    /// The stream begins anew (XEP-0206 §5).
    Restart {
        /// The domain, where the client says it again.
        to: Option<String>,
        /// Who the client says it is.
        from: Option<String>,
        /// The language.
        lang: Option<String>,
    },
    /// The client ends the session.
    Terminated,
    /// The client is gone ([`None`]), or did what no session survives. It may have missed something: [`Session::take_undelivered`].
    Lost(Option<Condition>),
}

/// A session. After every `handle_*` the driver takes all of [`Session::poll_answer`] and [`Session::poll_event`] and looks at
/// [`Session::poll_timeout`]; once it [is over](Session::is_over) it is dropped.
#[derive(Debug)]
pub struct Session {
    sid: Box<str>,
    terms: Terms,
    state: State,
    order: Order,
    memory: Memory,
    pace: Pace,
    keys: Keys,
    /// What is to be said and no request could take.
    pending: Vec<u8>,
    /// Printed attributes for the next answer.
    attributes: Vec<u8>,
    /// An answer that should have come, and when it was given.
    report: Option<(u64, Time)>,
    /// The client asked to be silent so long.
    pause: Option<Duration>,
    /// Since when no request waits for an answer.
    idle: Option<Time>,
    answers: VecDeque<Answer>,
    events: VecDeque<Event>,
}

/// Takes the first out. The room goes with the last: a session that waits needs none.
fn first<T>(all: &mut VecDeque<T>) -> Option<T> {
    let first = all.pop_front();
    if all.is_empty() {
        *all = VecDeque::new();
    }
    first
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The answer to the first request waits for the stream, until a time.
    Opening(Time),
    Open,
    /// The stream has ended; the client is still to be told.
    Ending(Option<Condition>),
    /// It has been told. Answers can be asked for again until a time.
    Ended(Time),
    Over,
}

impl Session {
    /// The session id.
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// What was granted.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Attributes for the next answer: what is known of the stream. Names with the prefix `xmpp` are of XEP-0206.
    pub fn describe(&mut self, attributes: &[(&str, &str)]) {
        for (name, value) in attributes {
            crate::answer::print_attribute(&mut self.attributes, name, value);
        }
    }

    /// Takes whole elements for the client, each with the declarations it needs. They go with the oldest held request at once; where
    /// there is none they are kept, whatever [`Session::has_room`] says.
    pub fn handle_output(&mut self, now: Time, elements: &[u8]) {
        match self.state {
            State::Opening(_) => self.state = State::Open,
            State::Open => {}
            State::Ending(_) | State::Ended(_) | State::Over => return,
        }
        self.pending.extend_from_slice(elements);
        self.settle(now);
    }

    /// Takes elements that need not go before those that are about to come: no request is answered because of them.
    pub fn defer_output(&mut self, elements: &[u8]) {
        if !self.has_ended() {
            self.pending.extend_from_slice(elements);
        }
    }

    /// Output can be said at once; or, to a client that polls, not too much waits.
    pub fn has_room(&self) -> bool {
        match self.state {
            State::Opening(_) => true,
            State::Open if self.terms.polls() => self.pending.len() < ROOM,
            State::Open => self.pending.is_empty() && self.order.first_live().is_some(),
            State::Ending(_) | State::Ended(_) | State::Over => false,
        }
    }

    /// Some request waits for its answer.
    pub fn holds_request(&self) -> bool {
        self.order.is_live()
    }

    /// The connection of a request that waits was lost. The request stays; its answer is kept for when it comes again. Not so the first
    /// one: nobody knows the session yet.
    pub fn handle_disconnect(&mut self, now: Time, ticket: Ticket) {
        if matches!(self.state, State::Opening(_)) {
            self.dismiss(Some(ticket));
            self.state = State::Over;
            self.events.push_back(Event::Lost(None));
            return;
        }
        let found = self.order.all().find(|w| w.ticket == Some(ticket));
        if found.and_then(|waiting| waiting.ticket.take()).is_some() {
            self.rest(now, false);
        }
    }

    /// The time of [`Session::poll_timeout`] has come, or another: what is due is done.
    pub fn handle_timeout(&mut self, now: Time) {
        match self.state {
            State::Ended(until) if until <= now => self.state = State::Over,
            State::Ended(_) | State::Over => return,
            State::Opening(until) if until <= now => {
                self.state = State::Open;
                // The client must learn the session id.
                self.answer_first(now);
            }
            State::Opening(_) | State::Open | State::Ending(_) => {}
        }
        // What came before a request never came: the client is to say both again, though this one is not forgotten.
        let wait = self.terms.wait;
        let overdue = |w: &&mut Waiting| w.since.plus(wait) <= now;
        let all = self.order.behind_gap().filter(overdue);
        let late: Vec<_> = all
            .filter_map(|w| Some((w.ticket.take()?, w.rid)))
            .collect();
        for (ticket, rid) in late {
            self.ask_again(ticket, rid);
        }
        self.settle(now);
        if self.gone().is_some_and(|at| at <= now) {
            self.state = State::Over;
            self.events.push_back(Event::Lost(None));
        }
    }

    /// When to call [`Session::handle_timeout`], if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Time> {
        let opening = match self.state {
            State::Over => return None,
            State::Ended(until) => return Some(until),
            State::Opening(until) => return Some(until),
            State::Open | State::Ending(_) => None,
        };
        let waits = self.order.waits().map(|since| since.plus(self.terms.wait));
        waits.chain(opening).chain(self.gone()).min()
    }

    /// The next answer to give.
    pub fn poll_answer(&mut self) -> Option<Answer> {
        first(&mut self.answers)
    }

    /// What comes next for the stream.
    pub fn poll_event(&mut self) -> Option<Event> {
        first(&mut self.events)
    }

    /// The client is known to have got all that was taken from the stream.
    pub fn is_delivered(&self) -> bool {
        self.undelivered_octets() == 0
    }

    /// How many octets of what was taken from the stream the client may not have got: the last ones.
    pub fn undelivered_octets(&self) -> usize {
        let undelivered = self.memory.undelivered(self.terms.acks);
        self.pending.len() + undelivered.map(|octets| octets.len()).sum::<usize>()
    }

    /// Takes out what the client has not got, as far as can be known: answers that it did not acknowledge or after which it was not heard
    /// any more, and what was never said. Each piece is whole elements, in order.
    pub fn take_undelivered(&mut self) -> Vec<Bytes> {
        let mut all: Vec<_> = self.memory.undelivered(self.terms.acks).collect();
        if !self.pending.is_empty() {
            all.push(std::mem::take(&mut self.pending).into());
        }
        self.memory = Memory::default();
        all
    }

    /// The stream has nothing more to say or to hear here.
    pub fn has_ended(&self) -> bool {
        !matches!(self.state, State::Opening(_) | State::Open)
    }

    /// Nothing can be asked any more.
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// When the client counts as gone (§10).
    fn gone(&self) -> Option<Time> {
        let inactivity = self.pause.unwrap_or(self.terms.inactivity);
        self.idle.map(|since| since.plus(inactivity))
    }

    /// Gives what can and must be given.
    fn settle(&mut self, now: Time) {
        match self.state {
            State::Opening(_) | State::Ended(_) | State::Over => return,
            State::Ending(condition) => self.say_end(now, condition),
            State::Open => {
                if (!self.pending.is_empty() || self.report.is_some())
                    && let Some(at) = self.order.first_live()
                {
                    // Answers go out in order: what stands before and cannot be answered now is, for when it comes again.
                    for _ in 0..=at {
                        self.answer_first(now);
                    }
                }
                while self.order.held.len() > self.terms.hold || self.is_due(now) {
                    self.answer_first(now);
                }
            }
        }
        self.rest(now, false);
    }

    /// Some held request has waited long enough: it is answered, and those before it.
    fn is_due(&self, now: Time) -> bool {
        let due = |w: &Waiting| w.ticket.is_some() && w.since.plus(self.terms.wait) <= now;
        self.order.held.iter().any(due)
    }

    /// Answers the oldest held request with what there is.
    fn answer_first(&mut self, now: Time) {
        let live = self.order.held.front().is_some_and(|w| w.ticket.is_some());
        let elements = if live {
            std::mem::take(&mut self.pending)
        } else {
            Vec::new()
        };
        self.give(now, None, &elements);
    }

    /// Answers the oldest held request. What is answered to nobody is kept in case it is asked for again; its client may go on without,
    /// so what is to be said once is not said there.
    fn give(&mut self, now: Time, ending: Option<Option<Condition>>, elements: &[u8]) {
        let Some(waiting) = self.order.held.pop_front() else {
            return;
        };
        let ack = self.ack(waiting.rid);
        let (attributes, report) = match waiting.ticket {
            Some(_) => (std::mem::take(&mut self.attributes), self.report.take()),
            None => (Vec::new(), None),
        };
        let content = Content {
            attributes: &attributes,
            ack,
            report: report.map(|(rid, at)| {
                let ago = now.since(at).as_millis();
                (rid, u64::try_from(ago).unwrap_or(u64::MAX))
            }),
            ending,
            elements,
        };
        let printed = content.print();
        let status = match ending.flatten() {
            Some(condition) if self.terms.is_legacy() => condition.legacy_status(),
            _ => 200,
        };
        if let Some(ticket) = waiting.ticket {
            self.answers.push_back(Answer {
                ticket,
                status,
                body: printed.0.clone(),
            });
        }
        self.memory.push(waiting.rid, waiting.key, printed, now);
        self.memory
            .trim(self.terms.kept(), self.terms.requests, self.terms.acks);
        self.rest(now, true);
    }

    /// What the answer to a request acknowledges (§9.1): the highest id that came and before which none is missing, if it is another.
    fn ack(&self, rid: u64) -> Option<u64> {
        let highest = self.order.next() - 1;
        (self.terms.acks && highest != rid).then_some(highest)
    }

    /// Lets a request go that is to come again, with those before it that are not answered (§17.3).
    fn ask_again(&mut self, ticket: Ticket, rid: u64) {
        self.answers.push_back(Answer {
            ticket,
            status: 200,
            body: recoverable(self.ack(rid)),
        });
    }

    /// Notes since when no request waits. `answered`: that begins anew with this answer.
    fn rest(&mut self, now: Time, answered: bool) {
        if self.order.is_live() {
            self.idle = None;
        } else if answered || self.idle.is_none() {
            self.idle = Some(now);
        }
    }

    /// Answers a request with an error, outside of the order.
    fn refuse(&mut self, ticket: Ticket, condition: Condition) {
        let (status, body) = crate::answer::refusal(condition, self.terms.is_legacy());
        self.answers.push_back(Answer {
            ticket,
            status,
            body,
        });
    }
}

/// The key of a request, to be compared with that of its repetitions.
fn key(body: &Body) -> Option<Box<str>> {
    body.key.as_deref().map(Box::from)
}
