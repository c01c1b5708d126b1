//! What a request does to its session.

use super::{Event, LINGER, Session, State, key};
use crate::answer::{Answer, Ticket};
use crate::body::Body;
use crate::condition::Condition;
use crate::order::{Early, Place, Waiting};
use crate::pace::Asked;
use crate::time::Time;

impl Session {
    /// Takes a request that names this session.
    pub fn handle_request(&mut self, now: Time, ticket: Ticket, body: Body) {
        let place = self.order.place(body.rid);
        match (self.state, place) {
            (State::Over, _) => return self.refuse(ticket, Condition::ItemNotFound),
            (State::Ended(_), _) => return self.replay(now, ticket, &body),
            (_, Place::Here) => return self.take_over(now, ticket, &body),
            (_, Place::Past) => return self.repeat(now, ticket, &body),
            (_, Place::New) => {}
        }
        // A last word may have overtaken the request before it.
        let extra = usize::from(body.is_last_word() || self.order.has_last_word());
        if body.rid >= self.beyond(extra) {
            return self.fail(Some(ticket), Condition::ItemNotFound);
        }
        if self.order.unanswered() + 1 > self.terms.requests + extra {
            return self.fail(Some(ticket), Condition::PolicyViolation);
        }
        let waiting = Waiting {
            rid: body.rid,
            ticket: Some(ticket),
            since: now,
            key: key(&body),
        };
        let request = Early { waiting, body };
        if self.order.passes(request.waiting.rid) {
            self.process(now, request);
        } else {
            self.order.insert(request);
            self.rest(now, false);
        }
        while !self.has_closed()
            && let Some(request) = self.order.advance()
        {
            self.process(now, request);
        }
    }

    /// Takes a request that names this session and cannot be read: a bad one, which ends the session (XEP-0124 §17.2). It must have an id
    /// that a request may have now: who does not know that is told the same and ends nothing.
    pub fn handle_unreadable(&mut self, ticket: Ticket, rid: Option<u64>) {
        let may_come = rid.is_some_and(|rid| match self.order.place(rid) {
            Place::Here => true,
            Place::New => rid < self.beyond(0),
            Place::Past => false,
        });
        match self.state {
            State::Over => self.refuse(ticket, Condition::ItemNotFound),
            State::Open | State::Ending(_) if may_come => {
                self.fail(Some(ticket), Condition::BadRequest);
            }
            _ => self.refuse(ticket, Condition::BadRequest),
        }
    }

    /// The first id above the window (§14.2), where so many requests more may be under way.
    fn beyond(&self, extra: usize) -> u64 {
        let window = u64::try_from(self.terms.requests + extra).unwrap_or(u64::MAX);
        self.order.next().saturating_add(window)
    }

    /// The client has ended the session, or broken it.
    fn has_closed(&self) -> bool {
        matches!(self.state, State::Ended(_) | State::Over)
    }

    /// Looks at a request, now that all before it were looked at.
    fn process(&mut self, now: Time, request: Early) {
        let Early { waiting, body } = request;
        let ticket = waiting.ticket;
        if self.keys.check(&body).is_err() {
            return self.fail(ticket, Condition::ItemNotFound);
        }
        let asked = Asked {
            at: waiting.since,
            empty: body.is_empty(),
            unanswered: self.order.held_live() + 1,
            answered_bare: self.memory.was_bare(waiting.rid - 1),
        };
        if self.pace.check(&self.terms, asked).is_err() {
            return self.fail(ticket, Condition::PolicyViolation);
        }
        self.acknowledge(now, &body);
        self.pause = None;
        let rid = waiting.rid;
        self.order.held.push_back(waiting);
        self.rest(now, false);
        let (pause, terminate) = (body.pause, body.terminate);
        self.forward(body);
        if terminate {
            return self.part(now);
        }
        match pause {
            // Who is to be told of the end is told now.
            Some(seconds) if self.pauses() => self.fall_silent(now, rid, seconds),
            _ => self.settle(now),
        }
    }

    /// Clients may be silent for a while, and this one is not to be told of the end.
    fn pauses(&self) -> bool {
        !self.terms.pause.is_zero() && !matches!(self.state, State::Ending(_))
    }

    /// Notes which answers have arrived (§9.2).
    fn acknowledge(&mut self, now: Time, body: &Body) {
        // With so many under way as there may be, the last ones may have crossed. Who says nothing asks because all are answered.
        let crossed = if body.is_empty() {
            1
        } else {
            self.terms.requests
        };
        let crossed = u64::try_from(crossed).unwrap_or(u64::MAX);
        self.memory.hear(body.rid.saturating_sub(crossed));
        if !self.terms.acks {
            return;
        }
        let last = self.memory.last().unwrap_or(0);
        // One that says nothing has got everything.
        let got = body.ack.unwrap_or(body.rid - 1).min(last);
        self.memory.acknowledge(got);
        // What was to be reported before may have arrived since.
        self.report = None;
        if got < last
            && let Some(missed) = self.memory.find(got + 1)
            && now.since(missed.at) >= self.terms.report
        {
            self.report = Some((missed.rid, missed.at));
        }
        self.memory
            .trim(self.terms.kept(), self.terms.requests, true);
    }

    /// Hands on what a request carries.
    fn forward(&mut self, body: Body) {
        if matches!(self.state, State::Ending(_)) {
            return;
        }
        if body.restart {
            // What it carries besides is not looked at (XEP-0206 §5).
            self.events.push_back(Event::Restart {
                to: body.to,
                from: body.from,
                lang: body.lang,
            });
            return;
        }
        let elements = body.payloads.into_iter().map(Event::Element);
        self.events.extend(elements);
    }

    /// The client wants to be silent (§10): all is answered, the request itself with nothing inside.
    fn fall_silent(&mut self, now: Time, rid: u64, seconds: u64) {
        // As long as without a pause is always granted: it gets a client its requests back (§10).
        if seconds > self.terms.pause.max(self.terms.inactivity).as_secs() {
            let ticket = self.order.held.pop_back().and_then(|w| w.ticket);
            return self.fail(ticket, Condition::PolicyViolation);
        }
        while let Some(first) = self.order.held.front() {
            if first.rid == rid {
                self.give(now, None, &[]);
                break;
            }
            self.answer_first(now);
        }
        self.pause = (seconds > 0).then(|| std::time::Duration::from_secs(seconds));
    }

    /// The client ends the session (§13): the oldest request is told so, the others get nothing.
    fn part(&mut self, now: Time) {
        let was_open = !matches!(self.state, State::Ending(_));
        self.say_parting(now);
        self.state = State::Ended(now.plus(LINGER));
        if was_open {
            self.events.push_back(Event::Terminated);
        }
    }

    /// The request came again while it waits for its answer (§14.3): the older connection is let go.
    fn take_over(&mut self, now: Time, ticket: Ticket, body: &Body) {
        let key = key(body);
        let waiting = self.order.all().find(|w| w.rid == body.rid);
        let Some(waiting) = waiting.filter(|w| w.key == key) else {
            return self.fail(Some(ticket), Condition::ItemNotFound);
        };
        waiting.since = now;
        let older = waiting.ticket.replace(ticket);
        if let Some(ticket) = older {
            self.ask_again(ticket, body.rid);
        }
        if self.pace.repeat().is_err() {
            return self.fail(Some(ticket), Condition::PolicyViolation);
        }
        // What had to wait for a connection can be said now.
        self.settle(now);
    }

    /// The request came again after it was answered (§14.3).
    fn repeat(&mut self, now: Time, ticket: Ticket, body: &Body) {
        if self.pace.repeat().is_err() {
            return self.fail(Some(ticket), Condition::PolicyViolation);
        }
        let key = key(body);
        match self.memory.find(body.rid).filter(|a| a.key == key) {
            Some(answered) => {
                let body = answered.body.clone();
                self.answers.push_back(Answer {
                    ticket,
                    status: 200,
                    body,
                });
                self.rest(now, true);
            }
            None => self.fail(Some(ticket), Condition::ItemNotFound),
        }
    }

    /// The session has ended: only what was answered is answered again.
    fn replay(&mut self, now: Time, ticket: Ticket, body: &Body) {
        let key = key(body);
        let known = self.memory.find(body.rid).filter(|a| a.key == key);
        let known = known.map(|answered| answered.body.clone());
        match known.filter(|_| self.pace.repeat().is_ok()) {
            Some(body) => {
                self.answers.push_back(Answer {
                    ticket,
                    status: 200,
                    body,
                });
                self.rest(now, true);
            }
            None => self.refuse(ticket, Condition::ItemNotFound),
        }
    }
}
