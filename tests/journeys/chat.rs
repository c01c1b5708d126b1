//! A chat client: stanzas in, stanzas out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use adsum::wiring::{archive, commands, person, xmpp as wiring};
use model::commit::Reply;
use model::messages::Handling;
use model::sessions::Presented;
use model::status::Status;
use model::{Event, Route, SessionId};
use parking_lot::Mutex;
use presence::{Address, Message, Refusal, Resource, Show, Utc};
use xml::{Element, Limits};
use xmpp::action::{Action, BlockWish, IqContext};
use xmpp::adhoc::{self, Order, Outcome, Request};
use xmpp::answer;
use xmpp::archive::Wanted;
use xmpp::client::{Client, Handled};

use super::world::{World, bare};

/// What a client was sent: one stanza a piece.
#[derive(Default)]
struct Screen {
    lines: Mutex<Vec<String>>,
    /// Its connection is lost, and this waits for it (XEP-0198).
    waits: Mutex<Option<Waiting>>,
    ended: AtomicBool,
    /// The model waits for what is on it to be written.
    marked: AtomicBool,
}

/// What a client was sent that is not there.
#[derive(Default)]
struct Waiting {
    lines: Vec<String>,
    messages: Vec<(Arc<Message>, Handling)>,
}

impl Screen {
    /// Keeps what is for a client that is not there. False when it is.
    fn keep(&self, event: &Event<'_>) -> bool {
        let mut waits = self.waits.lock();
        let Some(waits) = &mut *waits else {
            return false;
        };
        let mut octets = Vec::new();
        wiring::print(&mut octets, event, || "push".to_owned());
        waits.lines.push(String::from_utf8(octets).unwrap());
        if let Event::Message {
            message, delivery, ..
        } = event
        {
            waits
                .messages
                .push((Arc::clone(message), delivery.handling));
        }
        true
    }

    fn write(&self, print: impl FnOnce(&mut Vec<u8>)) {
        let mut octets = Vec::new();
        print(&mut octets);
        let line = String::from_utf8(octets).unwrap();
        self.lines.lock().push(line);
    }
}

impl Route for Screen {
    fn deliver(&self, event: &Event<'_>) {
        if self.keep(event) {
            return;
        }
        match event {
            Event::Mark { .. } => self.marked.store(true, Ordering::Relaxed),
            Event::Ended(_) => {}
            stanza => self.write(|out| wiring::print(out, stanza, || "push".to_owned())),
        }
    }

    fn closed(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }
}

/// A bound session.
pub(super) struct Chat {
    client: Client,
    session: SessionId,
    screen: Arc<Screen>,
}

impl Chat {
    /// A session that has done nothing yet.
    pub(super) fn connect(world: &World, name: &str, resource: &str) -> Self {
        let (account, screen) = (bare(name), Arc::new(Screen::default()));
        let route = Arc::clone(&screen) as Arc<dyn Route>;
        let wish = Some(Resource::parse(resource).unwrap());
        let (session, resource) = world.model.connect(&account, wish, route).unwrap();
        let address = account.with(resource);
        Self {
            client: Client::new(address, None, Arc::clone(&world.service)),
            session,
            screen,
        }
    }

    /// A session that has its roster and is available.
    pub(super) fn online(world: &mut World, name: &str, resource: &str) -> Self {
        let mut chat = Self::connect(world, name, resource);
        chat.send(
            world,
            "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>",
        );
        chat.send(world, "<presence/>");
        chat
    }

    /// Its connection is lost: what comes waits for it.
    pub(super) fn lose(&self) {
        *self.screen.waits.lock() = Some(Waiting::default());
    }

    /// It is lost for so long that its presence is withdrawn; what it showed.
    pub(super) fn hide(&self, world: &mut World) -> Option<Presented> {
        let shown = world.model.hide(self.client.account(), self.session);
        world.settle();
        shown
    }

    /// It is connected again and gets what waited.
    pub(super) fn resume(&self) {
        let waited = self.screen.waits.lock().take().unwrap();
        self.screen.lines.lock().extend(waited.lines);
    }

    /// What was hidden is shown again.
    pub(super) fn show(&self, world: &mut World, shown: Option<Presented>) {
        let (account, session) = (self.client.account(), self.session);
        let shown = shown.expect("it was available");
        world.model.available(account, session, shown).unwrap();
        world.settle();
    }

    /// It never comes back: its messages go where they would have gone without it.
    pub(super) fn give_up(&self, world: &mut World) {
        let account = self.client.account();
        let close = || {
            self.screen.ended.store(true, Ordering::Relaxed);
            let waited = self.screen.waits.lock().take().unwrap();
            let late = |(message, handling)| {
                let handling = Handling {
                    copyable: false,
                    archivable: false,
                    late: true,
                    ..handling
                };
                (message, handling)
            };
            waited.messages.into_iter().map(late).collect()
        };
        let told = |_: &Address, _: &Message, sent: Result<_, Refusal>| {
            let _ = sent.unwrap();
        };
        world.model.give_elsewhere(account, close, told);
        world.model.disconnect(account, self.session, None);
        world.settle();
    }

    /// Sends a stanza; all that comes of it has happened when this returns.
    pub(super) fn send(&mut self, world: &mut World, stanza: &str) {
        let element = parse(stanza);
        let now = world.now();
        let now = xmpp::Now {
            at: now.at,
            utc: now.utc,
        };
        let mut handled = Handled::default();
        self.client.handle(now, &element, &mut handled).unwrap();
        assert!(handled.bytes.is_empty(), "nothing is refused: {stanza}");
        self.do_all(world, handled.actions);
    }

    /// Is available, wants to be notified of these nodes and answers what the server asks about that.
    pub(super) fn wants(&mut self, world: &mut World, nodes: &[&str]) {
        let ver = nodes.join(" ");
        let presence = format!(
            "<presence><c xmlns='http://jabber.org/protocol/caps' node='urn:chat' ver='{ver}'/></presence>"
        );
        let asked = self.handle(world, &presence);
        let question = parse(std::str::from_utf8(&asked).unwrap());
        let id = question.attribute("id").unwrap();
        let features = nodes.iter().map(|n| format!("<feature var='{n}+notify'/>"));
        let answer = format!(
            "<iq type='result' id='{id}' to='office.example'><query xmlns='http://jabber.org/protocol/disco#info'>{}</query></iq>",
            features.collect::<String>()
        );
        let rest = self.handle(world, &answer);
        assert!(rest.is_empty());
    }

    /// Notifications since the last reading: of whom, which node, and what is in it without namespaces.
    pub(super) fn notified(&self) -> Vec<(String, String, String)> {
        let stanzas = self.read().into_iter().filter(|s| s.name() == "message");
        let events = stanzas.filter_map(|s| {
            let from = s.attribute("from").unwrap().into_owned();
            let event = s.child("event", "http://jabber.org/protocol/pubsub#event")?;
            let what = event.children().next().unwrap();
            let node = what.attribute("node").unwrap().into_owned();
            let told = match what.children().next() {
                Some(child) => {
                    let id = child.attribute("id").unwrap_or_default().into_owned();
                    let late = if s.child("delay", "urn:xmpp:delay").is_some() {
                        " late"
                    } else {
                        ""
                    };
                    let text = child.children().next().map(|c| c.text().into_owned());
                    format!("{} {id} {}{late}", child.name(), text.unwrap_or_default())
                }
                None => what.name().to_owned(),
            };
            Some((from, node, told))
        });
        events.collect()
    }

    fn handle(&mut self, world: &mut World, stanza: &str) -> Vec<u8> {
        let element = parse(stanza);
        let now = world.now();
        let now = xmpp::Now {
            at: now.at,
            utc: now.utc,
        };
        let mut handled = Handled::default();
        self.client.handle(now, &element, &mut handled).unwrap();
        self.do_all(world, handled.actions);
        handled.bytes
    }

    /// Asks by an iq of this type, for an address or for nobody; what it is answered, by the session or by the server.
    pub(super) fn ask(
        &mut self,
        world: &mut World,
        kind: &str,
        to: Option<&str>,
        payload: &str,
    ) -> Element {
        let to = to.map_or_else(String::new, |to| format!(" to='{to}'"));
        self.dare(
            world,
            &format!("<iq type='{kind}' id='ask'{to}>{payload}</iq>"),
        );
        let is_answer = |line: &mut String| line.starts_with("<iq") && line.contains("id='ask'");
        let mut lines = self.screen.lines.lock();
        let answers: Vec<String> = lines.extract_if(.., is_answer).collect();
        assert_eq!(answers.len(), 1, "one answer: {answers:?}");
        parse(&answers[0])
    }

    /// Sends a stanza that may be refused.
    pub(super) fn dare(&mut self, world: &mut World, stanza: &str) {
        let now = world.now();
        let now = xmpp::Now {
            at: now.at,
            utc: now.utc,
        };
        let mut handled = Handled::default();
        self.client
            .handle(now, &parse(stanza), &mut handled)
            .unwrap();
        if !handled.bytes.is_empty() {
            self.screen
                .write(|out| out.extend_from_slice(&handled.bytes));
        }
        self.do_all(world, handled.actions);
    }

    fn do_all(&mut self, world: &mut World, actions: impl IntoIterator<Item = Action>) {
        for action in actions {
            self.act(world, action);
            world.settle();
            while self.screen.marked.swap(false, Ordering::Relaxed) {
                world.model.written(self.client.account(), self.session);
                world.settle();
            }
        }
    }

    fn act(&self, world: &mut World, action: Action) {
        let action = match action {
            Action::Command(request) => return self.command(world, *request),
            Action::Discover(asked) => {
                let account = self.client.account();
                self.screen.write(|out| {
                    commands::discover(&world.model, &world.commands, account, &asked, &[], out);
                });
                return;
            }
            other => other,
        };
        let (model, screen) = (&world.model, Arc::clone(&self.screen));
        let (account, session) = (self.client.account(), self.session);
        match action {
            Action::RosterGet { iq, version } => {
                let print = move |roster: Result<presence::Roster, Refusal>| {
                    let roster = roster.unwrap();
                    screen.write(|out| answer::roster(out, &iq, version.as_deref(), &roster));
                };
                model.roster(account, session, &Reply::new(print));
            }
            Action::RosterSet {
                iq,
                contact,
                name,
                groups,
            } => model.roster_set(account, &contact, name, groups, &done(screen, iq)),
            Action::Available(shows) => {
                model
                    .available(account, session, wiring::presented(shows))
                    .unwrap();
            }
            Action::Pubsub { iq, owner, request } => {
                adsum::wiring::pubsub::act(
                    model,
                    &world.service,
                    iq,
                    &owner,
                    *request,
                    move |octets| {
                        screen.write(|out| out.extend_from_slice(&octets));
                    },
                );
            }
            Action::Authorize { id, request } => {
                let own = self.client.address();
                adsum::wiring::pubsub::authorize(model, own, id, *request, move |octets| {
                    if let Some(octets) = octets {
                        screen.write(|out| out.extend(octets));
                    }
                });
            }
            Action::Interests(interests) => model.interested(account, session, &interests),
            Action::Directed {
                to,
                presented,
                available,
            } => {
                let shows = wiring::presented(presented);
                model
                    .directed(account, session, &to, shows, available)
                    .unwrap();
            }
            Action::Unavailable(shows) => {
                model.unavailable(account, session, Some(wiring::said(shows)));
            }
            Action::Subscription {
                kind,
                contact,
                content,
                ..
            } => model.subscription(account, kind, &contact, content, &sure()),
            Action::Person(wanted) => {
                person::act(model, account, *wanted, move |octets| {
                    screen.write(|out| out.extend_from_slice(&octets));
                });
            }
            Action::Message { message, handling } => {
                model.message(message, handling, move |message, result| {
                    if let Err(refusal) = result {
                        screen.write(|out| answer::message_refused(out, message, &refusal));
                    }
                });
            }
            Action::Archive(request) => {
                let write = move |octets: Vec<u8>| screen.write(|out| out.extend(octets));
                if matches!(request.wanted, Wanted::Page(_) | Wanted::Ends) {
                    archive::read(model, account, &request)
                        .into_iter()
                        .for_each(write);
                } else {
                    archive::wishes(model, account, *request, write);
                }
            }
            Action::Carbons { iq, enable } => {
                model.carbons(account, session, enable).unwrap();
                screen.write(|out| answer::done(out, &iq));
            }
            Action::Blocking { iq, wish } => match wish {
                BlockWish::List => {
                    let print = move |list: Result<_, Refusal>| {
                        let list: Arc<presence::BlockList> = list.unwrap();
                        screen.write(|out| answer::blocklist(out, &iq, &list));
                    };
                    model.blocklist(account, session, &Reply::new(print));
                }
                BlockWish::Block(who, reports) => {
                    model.block(account, who, reports, &done(screen, iq));
                }
                BlockWish::Unblock(who) => model.unblock(account, who, &done(screen, iq)),
            },
            other => panic!("no journey needs {other:?}"),
        }
    }

    /// What is to be done in the end is the program's matter: here it is only that it came so far.
    fn command(&self, world: &mut World, request: Request) {
        let (now, account) = (world.now().at, self.client.account());
        let mut out = Vec::new();
        let order = commands::command(
            &world.model,
            &mut world.commands,
            now,
            account,
            request,
            &mut out,
        );
        if let Some((execution, order)) = order {
            if let Order::Status(status) = order {
                let show = |word: String| Show::parse(&word).unwrap();
                let status = status.map(|status| Status {
                    show: status.show.map(show),
                    text: status.text,
                    until: status.until.map(|at| Utc::from_rfc3339(&at).unwrap()),
                });
                world.model.set_status(account, status, &sure());
            }
            adhoc::finished(&mut out, &execution, &Outcome::DONE);
        }
        self.screen.write(|to| to.extend_from_slice(&out));
    }

    /// What came since it was asked for last.
    pub(super) fn read(&self) -> Vec<Element> {
        let lines = std::mem::take(&mut *self.screen.lines.lock());
        lines.iter().map(|line| parse(line)).collect()
    }

    /// Presence of an account since the last reading: resource, and `unavailable`, the value of `show` or `available`.
    pub(super) fn saw(&self, name: &str) -> Vec<(String, String)> {
        let stanzas = self.read().into_iter().filter(|s| s.name() == "presence");
        let seen = stanzas.filter_map(|s| {
            let from = Address::parse(&s.attribute("from")?).unwrap();
            let resource = from.resource.filter(|_| from.bare == bare(name))?;
            let kind = s.attribute("type").map(std::borrow::Cow::into_owned);
            let state = kind.or_else(|| text(&s, "show"));
            let state = state.unwrap_or_else(|| "available".to_owned());
            Some((resource.as_str().to_owned(), state))
        });
        seen.collect()
    }

    /// The messages since the last reading: what they say, and whether they waited.
    pub(super) fn messages(&self) -> Vec<(String, bool)> {
        let stanzas = self.read().into_iter().filter(|s| s.name() == "message");
        let read = stanzas.map(|s| {
            assert_ne!(s.attribute("type").as_deref(), Some("error"));
            let delayed = s.children().any(|c| c.name() == "delay");
            (text(&s, "body").unwrap_or_default(), delayed)
        });
        read.collect()
    }

    /// Who asked by a subscription stanza of this type since the last reading.
    pub(super) fn asked(&self, kind: &str) -> Vec<String> {
        let stanzas = self
            .read()
            .into_iter()
            .filter(|s| s.name() == "presence" && s.attribute("type").as_deref() == Some(kind));
        stanzas
            .filter_map(|s| s.attribute("from").map(std::borrow::Cow::into_owned))
            .collect()
    }
}

fn parse(stanza: &str) -> Element {
    Element::parse(stanza.as_bytes(), "jabber:client", Limits::generous()).unwrap()
}

fn text(stanza: &Element, name: &str) -> Option<String> {
    let mut children = stanza.children();
    let child = children.find(|c| c.name() == name)?;
    Some(child.text().into_owned())
}

fn done(screen: Arc<Screen>, iq: IqContext) -> Reply<()> {
    Reply::new(move |result: Result<(), Refusal>| {
        result.unwrap();
        screen.write(|out| answer::done(out, &iq));
    })
}

fn sure() -> Reply<()> {
    Reply::new(|result: Result<(), Refusal>| result.unwrap())
}
