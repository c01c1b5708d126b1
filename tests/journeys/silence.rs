//! A client whose connection has died without a word: it is asked, and its contacts know within 90 seconds (RFC 6120 §4.6, XEP-0199).

use std::sync::Arc;
use std::time::Duration;

use model::{Event, Route, SessionId};
use parking_lot::Mutex;
use xmpp::Output;
use xmpp::action::{Action, Reply};
use xmpp::sasl::Decoy;
use xmpp::session::{Secured, Session, Settings};

use super::world::{DOMAIN, World, bare};
use super::{Chat, Phone};

/// What goes over the wire to the client.
#[derive(Default)]
struct Wire(Mutex<Vec<u8>>);

impl Route for Wire {
    fn deliver(&self, event: &Event<'_>) {
        let mut out = self.0.lock();
        adsum::wiring::xmpp::print(&mut out, event, || "push".to_owned());
    }

    fn closed(&self) -> bool {
        false
    }
}

/// A connection with all that the server has of it, but sockets.
struct Connection {
    session: Session,
    bound: Option<SessionId>,
    wire: Arc<Wire>,
    resumable: bool,
    over: bool,
}

impl Connection {
    fn open(world: &mut World, account: &str, resumable: bool) -> Self {
        let decoy = Decoy::new([3; 32], 16, 16);
        let settings = Settings::new(Arc::clone(&world.service), decoy);
        let now = world.now();
        let secured = Some(Secured::default());
        let mut connection = Self {
            session: Session::new(Arc::new(settings), now.at, secured, [9; 32]),
            bound: None,
            wire: Arc::default(),
            resumable,
            over: false,
        };
        let open = format!(
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='{DOMAIN}' version='1.0'>"
        );
        let plain = sasl_plain(account);
        connection.send(world, &open);
        connection.send(
            world,
            &format!(
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>"
            ),
        );
        connection.send(world, &open);
        connection.send(
            world,
            "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>hand</resource></bind></iq>",
        );
        assert!(connection.bound.is_some(), "{}", connection.read());
        if resumable {
            connection.send(world, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
        }
        connection.send(world, "<presence/>");
        connection.read();
        connection
    }

    fn read(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.wire.0.lock())).unwrap()
    }

    fn send(&mut self, world: &mut World, text: &str) {
        self.session.handle_bytes(time(world), text.as_bytes());
        self.drain(world);
    }

    fn drain(&mut self, world: &mut World) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Send(octets) | Output::Stanza(octets) => self.wire.0.lock().extend(octets),
                Output::Act(action) => self.act(world, action),
                Output::Lost | Output::Close => {
                    self.over = true;
                    let session = self.bound.take().unwrap();
                    let account = bare("bob");
                    if self.resumable {
                        // Silent for longer than `resume_presence`: it is hidden at once.
                        world.model.hide(&account, session);
                    } else {
                        world.model.disconnect(&account, session, None);
                    }
                }
                Output::StartTls => panic!("there is TLS"),
            }
            world.settle();
        }
    }

    fn act(&mut self, world: &mut World, action: Action) {
        let account = bare("bob");
        let reply = match action {
            Action::Password { .. } => Reply::Password(true),
            Action::Bind { resource, .. } => {
                let route = Arc::clone(&self.wire) as Arc<dyn Route>;
                let bound = world.model.connect(&account, resource, route);
                Reply::Bound(bound.map(|(session, resource)| {
                    self.bound = Some(session);
                    resource
                }))
            }
            Action::Available(shows) => {
                let shows = adsum::wiring::xmpp::presented(shows);
                let session = self.bound.unwrap();
                world.model.available(&account, session, shows).unwrap();
                return;
            }
            Action::Enable { .. } => {
                self.session.allow_resumption();
                return;
            }
            Action::Ping => {
                self.wire.0.lock().extend(b"<r xmlns='urn:xmpp:sm:3'/>");
                return;
            }
            Action::Attempted { .. } | Action::Counted | Action::Acknowledged(_) => return,
            other => panic!("no client of this journey wants {other:?}"),
        };
        self.session.handle_reply(time(world), reply);
    }

    /// Time passes, for the session and for the office.
    fn pass(&mut self, world: &mut World, seconds: u64) {
        let end = world.now().at.plus(Duration::from_secs(seconds));
        while !self.over && world.now().at < end {
            let due = self.session.poll_timeout().unwrap().min(end);
            let step = due.since(world.now().at);
            world.pass(step);
            self.session.handle_timeout(time(world));
            self.drain(world);
        }
        let rest = end.since(world.now().at);
        world.pass(rest);
    }
}

fn time(world: &World) -> xmpp::Now {
    let now = world.now();
    xmpp::Now {
        at: now.at,
        utc: now.utc,
    }
}

fn sasl_plain(account: &str) -> String {
    xmpp::sasl::encode_payload(format!("\0{account}\0secret").as_bytes())
}

fn dies(resumable: bool, question: &str) {
    let mut world = World::open(&["ann", "bob"]);
    world.befriend("ann", "bob");
    let ann = Chat::online(&mut world, "ann", "desk");
    let mut phone = Phone::new("ann", 2);
    let mut bob = Connection::open(&mut world, "bob", resumable);
    assert_eq!(
        ann.saw("bob"),
        [("hand".to_owned(), "available".to_owned())]
    );
    phone.subscribe(&mut world, "bob");
    assert!(phone.sees(&mut world).is_open());
    bob.read();
    // He is asked after a minute of silence, and answers.
    bob.pass(&mut world, 59);
    assert_eq!(bob.read(), "");
    bob.pass(&mut world, 1);
    let asked = bob.read();
    assert!(asked.contains(question), "{asked}");
    bob.send(&mut world, " ");
    bob.pass(&mut world, 59);
    assert_eq!((bob.read(), ann.saw("bob")), (String::new(), vec![]));
    // From here on he is dead: his last sign of life is 59 seconds ago.
    bob.pass(&mut world, 1);
    assert!(bob.read().contains(question));
    bob.pass(&mut world, 29);
    assert_eq!(ann.saw("bob"), []);
    bob.pass(&mut world, 1);
    assert!(bob.over);
    assert_eq!(
        ann.saw("bob"),
        [("hand".to_owned(), "unavailable".to_owned())]
    );
    world.pass(Duration::from_secs(5));
    assert!(!phone.sees(&mut world).is_open());
}

#[test]
fn contacts_know_within_90_seconds() {
    dies(false, "urn:xmpp:ping");
}

#[test]
fn contacts_know_within_90_seconds_though_he_may_come_back() {
    dies(true, "<r xmlns='urn:xmpp:sm:3'/>");
}
