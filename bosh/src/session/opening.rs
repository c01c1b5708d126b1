//! How a session begins (XEP-0124 §7).

use std::collections::VecDeque;
use std::time::Duration;

use super::{Session, State};
use crate::answer::{Ticket, print_attribute, print_number};
use crate::body::Body;
use crate::condition::Condition;
use crate::keys::Keys;
use crate::memory::Memory;
use crate::order::{Order, Waiting};
use crate::pace::Pace;
use crate::terms::{Bounds, Terms};
use crate::time::Time;

/// How long the first answer waits for the stream to say something, so that its features come with it.
const FIRST_WORDS: Duration = Duration::from_secs(5);
/// The same for clients that do not wait.
const FIRST_WORDS_AT_ONCE: Duration = Duration::from_secs(1);
/// The content encodings that requests may have.
const ACCEPT: &str = "deflate,gzip";

impl Session {
    /// Begins the session that a request asks for. `sid` is unpredictable, at least 128 bits of randomness (§18.3). The first answer
    /// waits for what the stream says first. An error is the answer to the request.
    pub fn open(
        now: Time,
        bounds: &Bounds,
        sid: &str,
        ticket: Ticket,
        body: &Body,
    ) -> Result<Self, Condition> {
        let asked = body.opening.as_deref().ok_or(Condition::BadRequest)?;
        let mut keys = Keys::default();
        keys.check(body).map_err(|_| Condition::BadRequest)?;
        // Whatever is said: the attribute itself is the promise.
        let terms = Terms::grant(bounds, asked, body.ack.is_some());
        let patience = if terms.polls() {
            FIRST_WORDS_AT_ONCE
        } else {
            terms.wait.min(FIRST_WORDS)
        };
        let first = Waiting {
            rid: body.rid,
            ticket: Some(ticket),
            since: now,
            key: None,
        };
        let mut session = Self {
            sid: sid.into(),
            state: State::Opening(now.plus(patience)),
            order: Order::new(first),
            memory: Memory::default(),
            pace: Pace::default(),
            keys,
            pending: Vec::new(),
            attributes: Vec::new(),
            report: None,
            pause: None,
            idle: None,
            answers: VecDeque::new(),
            events: VecDeque::new(),
            terms,
        };
        session.introduce(body.rid);
        Ok(session)
    }

    /// Says in the first answer what is granted (§7.2).
    fn introduce(&mut self, rid: u64) {
        let terms = &self.terms;
        let out = &mut self.attributes;
        let seconds = |duration: Duration| Some(duration.as_secs());
        let count = |number: usize| u64::try_from(number).ok();
        print_attribute(out, "sid", &self.sid);
        print_number(out, "wait", seconds(terms.wait));
        print_number(out, "requests", count(terms.requests));
        print_number(out, "hold", count(terms.hold));
        print_number(out, "inactivity", seconds(terms.inactivity));
        let some = |duration: &Duration| !duration.is_zero();
        print_number(
            out,
            "polling",
            Some(terms.polling).filter(some).and_then(seconds),
        );
        print_number(
            out,
            "maxpause",
            Some(terms.pause).filter(some).and_then(seconds),
        );
        if let Some((major, minor)) = terms.version {
            print_attribute(out, "ver", &format!("{major}.{minor}"));
        }
        print_attribute(out, "accept", ACCEPT);
        print_attribute(out, "charsets", "UTF-8");
        print_number(out, "ack", Some(rid).filter(|_| terms.acks));
    }
}
