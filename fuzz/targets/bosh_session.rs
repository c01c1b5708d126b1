//! A session of BOSH and whatever its client, its stream and the network do: each request is answered once at most, no timer stands still,
//! and what has ended stays so.
#![no_main]

use std::collections::BTreeSet;
use std::time::Duration;

use bosh::{Body, Bounds, Condition, Limits, NAMESPACE, Session, Ticket, Time};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    xml: xml::Limits {
        max_bytes: 1024,
        max_depth: 8,
        max_elements: None,
        max_attributes: 16,
    },
    elements: 8,
};
const FIRST: u64 = 1000;
/// What a request may say of itself, by the bits of a number.
const ATTRIBUTES: [&str; 5] = [
    " ack='1001'",
    " pause='7'",
    " type='terminate'",
    " xmlns:x='urn:xmpp:xbosh' x:restart='1'",
    " key='bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d'",
];

struct World {
    session: Session,
    now: Time,
    tickets: u64,
    open: BTreeSet<u64>,
}

impl World {
    fn begin(ways: u8) -> Option<Self> {
        let wait = if ways & 1 == 0 { 60 } else { 0 };
        let (hold, ack) = (ways >> 1 & 3, if ways & 8 == 0 { "" } else { "ack='1'" });
        let text = format!(
            "<body xmlns='{NAMESPACE}' rid='{FIRST}' ver='1.6' to='x' wait='{wait}' hold='{hold}' {ack}/>"
        );
        let body = Body::parse(&Bytes::from(text), LIMITS).ok()?;
        let bounds = Bounds {
            hold: 2,
            requests: 3,
            ..Bounds::default()
        };
        let now = Time(1);
        Some(Self {
            session: Session::open(now, &bounds, "S", Ticket(0), &body).ok()?,
            now,
            tickets: 0,
            open: BTreeSet::from([0]),
        })
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        self.open.insert(self.tickets);
        Ticket(self.tickets)
    }

    fn ask(&mut self, rid: u64, ways: u8) {
        let mut text = format!("<body xmlns='{NAMESPACE}' sid='S' rid='{rid}'");
        for (at, attribute) in ATTRIBUTES.iter().enumerate() {
            if ways >> at & 1 == 1 {
                text.push_str(attribute);
            }
        }
        text.push_str(if ways & 128 == 0 {
            "/>"
        } else {
            "><a/></body>"
        });
        if let Ok(body) = Body::parse(&Bytes::from(text), LIMITS) {
            let ticket = self.ticket();
            self.session.handle_request(self.now, ticket, body);
        }
    }

    fn step(&mut self, what: u8, how: u8) {
        let rid = FIRST + u64::from(how & 31);
        match what & 7 {
            0 | 1 => self.ask(rid, what >> 3),
            2 => self.ask(rid, 128),
            3 => {
                let lost = u64::from(how);
                if self.open.remove(&lost) {
                    self.session.handle_disconnect(self.now, Ticket(lost));
                }
            }
            4 => self.session.handle_output(self.now, b"<b/>"),
            5 => self.pass(Duration::from_millis(u64::from(how) * 300)),
            6 => self.session.describe(&[("from", "x")]),
            _ if how < 8 => {
                let why = Some(Condition::SystemShutdown).filter(|_| how & 1 == 0);
                self.session.handle_terminate(self.now, why, b"<c/>");
            }
            _ if how < 32 => {
                let ticket = self.ticket();
                self.session.handle_unreadable(ticket, Some(rid));
            }
            _ => self.session.defer_output(b"<d/>"),
        }
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.plus(time);
        while let Some(due) = self.session.poll_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.session.handle_timeout(self.now);
            self.drain();
            let next = self.session.poll_timeout();
            assert!(
                next.is_none_or(|next| next > self.now),
                "a timer stands still"
            );
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(answer) = self.session.poll_answer() {
            // What was lost has no ticket any more, and nothing is answered twice.
            assert!(self.open.remove(&answer.ticket.0), "{answer:?}");
        }
        while self.session.poll_event().is_some() {}
        assert!(!self.session.is_over() || self.session.has_ended());
    }
}

fuzz_target!(|octets: &[u8]| {
    let Some((first, rest)) = octets.split_first() else {
        return;
    };
    let Some(mut world) = World::begin(*first) else {
        return;
    };
    for step in rest.chunks_exact(2).take(200) {
        world.step(step[0], step[1]);
    }
    world.pass(Duration::from_secs(500));
    assert!(world.session.is_over(), "nothing more came");
    assert!(world.open.is_empty(), "nobody is left waiting");
});
