//! Conversations on simulated time.
#![expect(clippy::unwrap_used, reason = "tests")]

mod acks;
mod begin;
mod broken;
mod end;
mod keys;
mod mutation;
mod order;
mod pace;
mod pause;
mod property;
mod restart;
mod unreadable;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::body::Limits;
use crate::{Body, Bounds, Condition, Event, NAMESPACE, Session, Ticket, Time};

/// What bodies may be in tests.
pub(crate) const LIMITS: Limits = Limits {
    xml: xml::Limits {
        max_bytes: 16 * 1024,
        max_depth: 16,
        max_elements: Some(200),
        max_attributes: 32,
    },
    elements: 50,
};

/// The first id of every conversation.
const RID: u64 = 1000;
const EMPTY: &str = "<body xmlns='http://jabber.org/protocol/httpbind'/>";
const AGAIN: &str = "<body xmlns='http://jabber.org/protocol/httpbind' type='error'/>";
const FEATURES: &str =
    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind/></stream:features>";

/// Both ends of a session. Requests are numbered in the order in which they are sent.
struct Talk {
    session: Session,
    now: Time,
    sent: u64,
    answers: BTreeMap<u64, (u16, String)>,
}

fn body(text: &str) -> Body {
    Body::parse(&Bytes::copy_from_slice(text.as_bytes()), LIMITS).unwrap()
}

/// A request for a session, with these attributes besides.
fn asked(attributes: &str) -> Body {
    body(&format!(
        "<body xmlns='{NAMESPACE}' rid='{RID}' to='office.example' {attributes}/>"
    ))
}

impl Talk {
    /// A session that waits for its stream.
    fn silent(attributes: &str) -> Self {
        let bounds = Bounds {
            hold: 2,
            requests: 3,
            ..Bounds::default()
        };
        Self::within(&bounds, attributes)
    }

    fn within(bounds: &Bounds, attributes: &str) -> Self {
        let now = Time(1_000_000);
        let session = Session::open(now, bounds, "SID", Ticket(0), &asked(attributes)).unwrap();
        Self {
            session,
            now,
            sent: 0,
            answers: BTreeMap::new(),
        }
    }

    /// A session with `hold='1'`, a minute to wait and these attributes besides, whose first request is answered.
    fn new(attributes: &str) -> Self {
        Self::opened(&format!("ver='1.11' hold='1' wait='60' {attributes}"))
    }

    fn opened(attributes: &str) -> Self {
        let mut talk = Self::silent(attributes);
        talk.say(FEATURES);
        assert_eq!(talk.answered(0).0, 200);
        talk
    }

    /// Sends the request of this id with attributes and content; gives back its number.
    fn ask(&mut self, rid: u64, attributes: &str, content: &str) -> u64 {
        self.send(&format!(
            "<body xmlns='{NAMESPACE}' sid='SID' rid='{}' {attributes}>{content}</body>",
            RID + rid
        ))
    }

    fn send(&mut self, text: &str) -> u64 {
        self.sent += 1;
        self.session
            .handle_request(self.now, Ticket(self.sent), body(text));
        self.drain();
        self.sent
    }

    /// The stream says something.
    fn say(&mut self, elements: &str) {
        self.session.handle_output(self.now, elements.as_bytes());
        self.drain();
    }

    fn close(&mut self, condition: Option<Condition>, elements: &str) {
        self.session
            .handle_terminate(self.now, condition, elements.as_bytes());
        self.drain();
    }

    fn lose(&mut self, request: u64) {
        self.session.handle_disconnect(self.now, Ticket(request));
        self.drain();
    }

    /// Time passes, with all that is due on the way.
    fn pass(&mut self, time: Duration) {
        let end = self.now.plus(time);
        while let Some(due) = self.session.poll_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.session.handle_timeout(self.now);
            self.drain();
            assert!(
                self.session.poll_timeout().is_none_or(|next| next > due),
                "a timer that stands still"
            );
        }
        self.now = end;
    }

    fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    fn drain(&mut self) {
        while let Some(answer) = self.session.poll_answer() {
            let text = String::from_utf8(answer.body.to_vec()).unwrap();
            let before = self.answers.insert(answer.ticket.0, (answer.status, text));
            assert_eq!(before, None, "a request is answered once");
        }
    }

    /// The answer to a request.
    fn answered(&self, request: u64) -> (u16, &str) {
        let (status, text) = self
            .answers
            .get(&request)
            .unwrap_or_else(|| panic!("request {request} is not answered"));
        (*status, text)
    }

    /// The content of the answer to a request.
    fn text(&self, request: u64) -> &str {
        let (status, text) = self.answered(request);
        assert_eq!(status, 200);
        text
    }

    fn waits(&self, request: u64) -> bool {
        !self.answers.contains_key(&request)
    }

    /// What came in for the stream.
    fn heard(&mut self) -> Vec<String> {
        let events = std::iter::from_fn(|| self.session.poll_event());
        events.map(|event| described(&event)).collect()
    }

    /// What the client has not got.
    fn undelivered(&mut self) -> Vec<String> {
        let all = self.session.take_undelivered();
        all.iter()
            .map(|octets| String::from_utf8(octets.to_vec()).unwrap())
            .collect()
    }
}

fn described(event: &Event) -> String {
    match event {
        Event::Element(octets) => String::from_utf8(octets.to_vec()).unwrap(),
        Event::Restart { .. } => "restart".into(),
        Event::Terminated => "terminated".into(),
        Event::Lost(None) => "gone".into(),
        Event::Lost(Some(condition)) => format!("lost: {}", condition.as_str()),
    }
}

/// A message of the client, and as the stream hears it.
fn message(number: impl std::fmt::Display) -> String {
    format!("<message xmlns='jabber:client' id='{number}'/>")
}

/// The body that holds this.
fn holding(elements: &str) -> String {
    format!("<body xmlns='{NAMESPACE}'>{elements}</body>")
}

/// The body that ends a session.
fn ended(condition: &str) -> String {
    format!("<body xmlns='{NAMESPACE}' type='terminate' condition='{condition}'/>")
}
