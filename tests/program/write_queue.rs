//! A disk that does not keep up. Somebody else holds the database, the queue to the writer fills, and what finds no room there is
//! refused in the words of its protocol and is not done; what was taken is done and answered when the database is free again.

use std::time::{Duration, Instant};

use ::sip::header::Contacts;
use ::sip::{HeaderName, Message, Request};
use ::xml::Element;
use rusqlite::Connection;
use serde_json::Value;

use crate::sip::Phone;
use crate::sip::pidf::simple;
use crate::sip::watch::Watch;
use crate::support::xmpp::{befriend, condition};
use crate::support::{Client, Server, wait_for};

/// `[limits] write_queue`, the least that may be configured.
const BOUND: usize = 16;
const EVERYBODY: [&str; 11] = [
    "ann", "carl", "dan", "eve", "fay", "gus", "max", "pam", "rob", "sue", "una",
];

fn server() -> Server {
    Server::with(&format!("[limits]\nwrite_queue = {BOUND}"), &EVERYBODY)
}

/// Holds the write lock of the database, as an administrator with an open transaction does.
fn hold(server: &Server) -> Connection {
    let database = Connection::open(server.data().join("adsum.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    database
}

/// Waits until so many changes are not on the disk yet, those in the writer's hands among them.
#[track_caller]
fn waiting(server: &Server, number: usize) {
    wait_for(&format!("{number} changes wait"), || {
        let page = server.get("/metrics").1;
        let mut lines = page.lines();
        let line = lines.find(|line| line.starts_with("adsum_write_queue "));
        let depth = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
        (depth == Some(number)).then_some(())
    });
}

fn status(server: &Server) -> Value {
    serde_json::from_str(&server.ok(&["status", "--json"])).unwrap()
}

fn roster_set(item: &str) -> String {
    format!("<query xmlns='jabber:iq:roster'>{item}</query>")
}

fn send(from: &mut Client, to: &str, body: &str) {
    from.send(&format!(
        "<message to='{to}@office.example' type='chat' id='{body}'><body>{body}</body></message>"
    ));
}

/// It says: not now, try again.
#[track_caller]
fn is_refused(stanza: &Element) {
    assert_eq!(stanza.attribute("type").as_deref(), Some("error"));
    let error = stanza.children().find(|c| c.name() == "error").unwrap();
    assert_eq!(error.attribute("type").as_deref(), Some("wait"));
    assert_eq!(condition(stanza).as_deref(), Some("resource-constraint"));
}

fn answers(phone: &mut Phone) -> usize {
    let came = phone.settle();
    let answers = came.iter().filter(|m| matches!(m, Message::Response(_)));
    answers.count()
}

/// A phone that has answered its challenge and has nothing with the server.
fn phone(mut phone: Phone) -> Phone {
    assert_eq!(bindings(&mut phone), 0);
    phone
}

fn bindings(phone: &mut Phone) -> usize {
    let mut request = phone.registration(0);
    request.headers.remove(&HeaderName::Contact);
    request.headers.remove(&HeaderName::Expires);
    let response = phone.ask(request);
    assert_eq!(response.status, 200, "{response:?}");
    match response.headers.contacts().unwrap() {
        Contacts::Listed(contacts) => contacts.len(),
        Contacts::All => panic!("{response:?}"),
    }
}

/// Those whose changes are taken into the queue.
struct Taken {
    /// Puts somebody into the roster.
    ann: Client,
    /// Asks gus for his presence.
    eve: Client,
    /// Publishes.
    pam: (Phone, Option<Request>),
    /// Registers.
    rob: (Phone, Option<Request>),
    /// Subscribes to una.
    sue: (Phone, Option<Request>),
    /// Writes to dan and carl, who are away.
    fay: Client,
    /// What was taken for them.
    messages: Vec<String>,
}

impl Taken {
    fn new(server: &Server) -> Self {
        Self {
            ann: Client::online(server, "ann", "desk"),
            eve: Client::online(server, "eve", "desk"),
            pam: (phone(Phone::tcp(server, "pam")), None),
            rob: (phone(Phone::udp(server, "rob")), None),
            sue: (phone(Phone::tcp(server, "sue")), None),
            fay: Client::online(server, "fay", "desk"),
            messages: Vec::new(),
        }
    }

    /// One change of each kind into the queue; nobody is answered.
    fn fill_some(&mut self, server: &Server) {
        self.write();
        self.fay.settle();
        waiting(server, 1);

        let item = roster_set("<item jid='new@office.example' name='New'/>");
        let set = format!("<iq type='set' id='taken'>{item}</iq>");
        self.ann.send(&set);
        waiting(server, 2);
        let subscribe = "<presence type='subscribe' to='gus@office.example' id='taken'/>";
        self.eve.send(subscribe);
        waiting(server, 3);
        let (pam, sent) = &mut self.pam;
        let body = simple("pam@office.example", "desk", "open", "taken");
        let request = pam.publication(None, Some(&body), 600);
        *sent = Some(pam.post(request));
        waiting(server, 4);
        let (rob, sent) = &mut self.rob;
        let request = rob.registration(600);
        *sent = Some(rob.post(request));
        waiting(server, 5);
        let (sue, sent) = &mut self.sue;
        let request = sue.subscription("una", 600);
        *sent = Some(sue.post(request));
        waiting(server, 6);
        assert_eq!(answers(pam) + answers(sue), 0);
    }

    /// Messages until one is refused.
    fn fill_up(&mut self, server: &Server) {
        for _ in 6..BOUND {
            self.write();
            let came = self.fay.settle();
            assert!(came.is_empty(), "{came:?}");
        }
        waiting(server, BOUND);
        for away in ["dan", "carl"] {
            send(&mut self.fay, away, "refused");
            let came = self.fay.settle();
            assert_eq!(came.len(), 1, "{came:?}");
            assert_eq!(came[0].attribute("id").as_deref(), Some("refused"));
            is_refused(&came[0]);
        }
    }

    /// A message to dan and carl in turn.
    fn write(&mut self) {
        let number = self.messages.len();
        let body = format!("taken {number}");
        let to = ["dan", "carl"][number % 2];
        send(&mut self.fay, to, &body);
        self.messages.push(body);
    }

    /// The messages taken for one of them, in order.
    fn messages_to(&self, name: &str) -> Vec<&str> {
        let first = usize::from(name == "carl");
        let all = self.messages.iter().skip(first).step_by(2);
        all.map(String::as_str).collect()
    }

    /// Everybody is answered: it is done.
    fn are_answered(&mut self) {
        let done = self.ann.expect("the answer to a roster set", |s| {
            s.attribute("id").as_deref() == Some("taken")
        });
        assert_eq!(done.attribute("type").as_deref(), Some("result"));
        self.eve.expect("the push of a request", |s| {
            s.child("query", "jabber:iq:roster").is_some()
        });
        let answered = |(phone, sent): &mut (Phone, Option<Request>)| {
            let request = sent.take().unwrap();
            let answer = phone.answered(&request);
            assert_eq!(answer.status, 200, "{answer:?}");
            (request, answer)
        };
        answered(&mut self.pam);
        answered(&mut self.rob);
        let (request, answer) = answered(&mut self.sue);
        let mut watch = Watch::new(&request, &answer, 1);
        assert!(watch.active(&mut self.sue.0).is_open());
        let nothing = |s: &Element| s.attribute("type").as_deref() == Some("error");
        self.eve.nothing("a refusal of what was taken", nothing);
        self.fay.nothing("a refusal of what was taken", nothing);
    }

    /// It is there after the power has failed.
    fn are_kept(&mut self, server: &Server) {
        let mut ann = Client::login(server, "ann", "later");
        let roster = String::from_utf8(ann.roster().raw().to_vec()).unwrap();
        assert!(roster.contains("new@office.example"), "{roster}");
        let mut gus = Client::online(server, "gus", "desk");
        gus.presence("eve@office.example", "subscribe");
        let mut dan = Client::online(server, "dan", "desk");
        for body in self.messages_to("dan") {
            dan.message(body);
        }
        dan.nothing("what was refused", |s| s.name() == "message");
        let mut rob = Phone::udp(server, "rob");
        assert_eq!(bindings(&mut rob), 1);
        for (name, note) in [("pam", "taken"), ("max", "again")] {
            let mut watch = rob.subscribe(name, 600);
            watch.sees(&mut rob, |pidf| pidf.has_note(note));
        }
    }
}

/// Those who come when the queue is full.
struct Refused {
    una: Client,
    max: Phone,
    /// Of what max published before.
    tag: String,
}

impl Refused {
    fn new(server: &Server) -> Self {
        let mut una = Client::online(server, "una", "desk");
        let set = una.ask("set", "", &roster_set("<item jid='old@office.example'/>"));
        assert_eq!(set.attribute("type").as_deref(), Some("result"));
        let mut max = phone(Phone::udp(server, "max"));
        let body = simple("max@office.example", "desk", "open", "before");
        let tag = max.publish(None, Some(&body), 600);
        una.settle();
        Self { una, max, tag }
    }

    fn over_xmpp(&mut self) {
        let una = &mut self.una;
        for item in [
            "<item jid='refused@office.example'/>",
            "<item jid='old@office.example' name='refused'/>",
            "<item jid='old@office.example' subscription='remove'/>",
        ] {
            is_refused(&una.ask("set", "", &roster_set(item)));
        }
        for kind in ["subscribe", "subscribed"] {
            una.send(&format!(
                "<presence type='{kind}' to='gus@office.example' id='{kind}'/>"
            ));
            let came = una.settle();
            assert_eq!(came.len(), 1, "{came:?}");
            assert_eq!(came[0].name(), "presence");
            assert_eq!(came[0].attribute("id").as_deref(), Some(kind));
            is_refused(&came[0]);
        }
    }

    fn over_sip(&mut self) {
        let max = &mut self.max;
        let other = simple("max@office.example", "desk", "open", "refused");
        let text = max
            .make("MESSAGE", "sip:dan@office.example")
            .with_body("text/plain", "refused");
        for request in [
            max.publication(None, Some(&other), 600),
            max.publication(Some(&self.tag), Some(&other), 600),
            max.publication(Some(&self.tag), None, 600),
            max.publication(Some(&self.tag), None, 0),
            max.registration(600),
            max.subscription("una", 600),
            text,
        ] {
            let what = request.to_bytes();
            let answer = max.ask(request);
            assert_eq!(answer.status, 503, "{what:?}: {answer:?}");
            let after = answer.headers.retry_after().unwrap().unwrap();
            assert!((1..=60).contains(&after.seconds), "{answer:?}");
        }
    }

    /// Nothing of it was done, and now it can be.
    fn can_try_again(&mut self) {
        let Self { una, max, tag } = self;
        let roster = String::from_utf8(una.roster().raw().to_vec()).unwrap();
        assert!(roster.contains("old@office.example"), "{roster}");
        for word in ["refused", "gus@"] {
            assert!(!roster.contains(word), "{roster}");
        }
        let set = roster_set("<item jid='again@office.example'/>");
        let done = una.ask("set", "", &set);
        assert_eq!(done.attribute("type").as_deref(), Some("result"));
        assert_eq!(bindings(max), 0);
        // The tag is still that of the publication.
        let body = simple("max@office.example", "desk", "open", "again");
        max.publish(Some(tag), Some(&body), 600);
        assert_eq!(max.register(600).status, 200);
    }
}

#[test]
fn a_queue_that_is_full() {
    let mut server = server();
    let mut taken = Taken::new(&server);
    let mut refused = Refused::new(&server);
    befriend(&mut refused.una, &mut taken.fay);
    waiting(&server, 0);

    let database = hold(&server);
    taken.fill_some(&server);
    assert_eq!(server.get("/readyz").0, 200);
    taken.fill_up(&server);
    assert_eq!(server.get("/readyz").0, 503);
    assert_eq!(server.get("/healthz").0, 200);
    let mut carl = Client::online(&server, "carl", "desk");
    let before = status(&server);
    assert_eq!(before["queues"]["write"], BOUND, "{before}");
    refused.over_xmpp();
    refused.over_sip();
    // What was taken for carl must not be overtaken.
    send(&mut refused.una, "carl", "refused");
    is_refused(&refused.una.settle()[0]);
    let after = status(&server);
    for what in ["publications", "registrations", "subscriptions"] {
        assert_eq!(before[what], after[what], "{what}");
    }
    // What needs no disk goes on.
    refused.una.send("<presence><show>away</show></presence>");
    let una = refused.una.jid.clone();
    taken.fay.presence(&una, "");
    // What is archived does not, and is not delivered either.
    send(&mut refused.una, "fay", "archived");
    let error = |s: &::xml::Element| s.attribute("type").as_deref() == Some("error");
    is_refused(&refused.una.expect("a refusal", error));
    refused.una.send(
        "<message type='chat' to='fay@office.example'><body>at once</body><no-permanent-store xmlns='urn:xmpp:hints'/></message>",
    );
    taken.fay.message("at once");
    let archived = |s: &::xml::Element| String::from_utf8_lossy(s.raw()).contains("archived");
    taken.fay.nothing("what was refused", archived);

    database.execute_batch("ROLLBACK").unwrap();
    taken.are_answered();
    waiting(&server, 0);
    assert_eq!(server.get("/readyz").0, 200);
    refused.can_try_again();
    for body in taken.messages_to("carl") {
        carl.message(body);
    }
    carl.nothing("a message twice", |s| s.name() == "message");

    server.kill();
    server.launch();
    taken.are_kept(&server);
}

#[test]
fn the_end_does_not_wait_for_who_holds_the_database() {
    let mut server = Server::start(&["dan", "fay"]);
    let mut fay = Client::online(&server, "fay", "desk");
    waiting(&server, 0);
    let database = hold(&server);
    send(&mut fay, "dan", "late");
    fay.settle();
    let begun = Instant::now();
    server.signal("TERM");
    fay.ends_with("system-shutdown");
    assert_eq!(server.ended().code(), Some(1));
    assert!(begun.elapsed() < Duration::from_secs(5));
    for text in [
        "another program holds the database",
        "not everything was written before the end",
        "The last changes were not written",
    ] {
        assert!(server.log().contains(text), "{text}");
    }
    database.execute_batch("ROLLBACK").unwrap();
    server.launch();
    assert!(server.log().contains("did not end cleanly"));
    let mut dan = Client::online(&server, "dan", "desk");
    dan.nothing("what nobody was promised", |s| s.name() == "message");

    // What is held for a moment only is waited for.
    let database = hold(&server);
    server.signal("TERM");
    server.wait_for_log("the server is stopping");
    database.execute_batch("ROLLBACK").unwrap();
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn as_many_wait_as_the_default_says() {
    const DEFAULT: usize = 10_000;
    let limits = "[limits]\noffline_messages = 20000\noffline_bytes = \"64MiB\"";
    let server = Server::with(limits, &["dan", "fay"]);
    let mut fay = Client::online(&server, "fay", "desk");
    waiting(&server, 0);
    let database = hold(&server);
    send(&mut fay, "dan", "in the hands of the writer");
    for number in 1..DEFAULT {
        send(&mut fay, "dan", &number.to_string());
    }
    let came = fay.settle();
    assert!(came.is_empty(), "{came:?}");
    assert_eq!(server.get("/readyz").0, 503);
    send(&mut fay, "dan", "refused");
    is_refused(&fay.settle()[0]);
    database.execute_batch("ROLLBACK").unwrap();
    waiting(&server, 0);
    send(&mut fay, "dan", "last");
    assert!(fay.settle().is_empty());
    let mut dan = Client::online(&server, "dan", "desk");
    dan.message("in the hands of the writer");
    for number in 1..DEFAULT {
        let came = dan.next("a message");
        assert_eq!(came.attribute("id").as_deref(), Some(&*number.to_string()));
    }
    dan.message("last");
    dan.nothing("more", |s| s.name() == "message");
}
