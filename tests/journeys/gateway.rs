//! A component (XEP-0114): its stream, its contacts, and what becomes of them when it is gone.

use std::sync::Arc;
use std::time::Duration;

use adsum::wiring::{component as wiring, xmpp as print};
use model::{Event, Route};
use parking_lot::Mutex;
use presence::Timestamp;
use xml::{Element, Limits, StreamReader, Token};
use xmpp::component::{Component, Output, Settings, for_component, handshake};

use super::world::GATEWAY;
use super::{Chat, World};

const BOT: &str = "bot@irc.office.example";

/// What a component is sent.
#[derive(Default)]
struct Line {
    stanzas: Mutex<Vec<Vec<u8>>>,
    cut: std::sync::atomic::AtomicBool,
}

impl Line {
    fn write(&self, stanza: Vec<u8>) {
        if !stanza.is_empty() {
            self.stanzas.lock().push(for_component(stanza));
        }
    }
}

impl Route for Line {
    fn deliver(&self, event: &Event<'_>) {
        let mut stanza = Vec::new();
        print::print(&mut stanza, event, String::new);
        self.write(stanza);
    }

    fn closed(&self) -> bool {
        self.cut.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// A program that speaks for a domain.
struct Gateway {
    component: Component,
    line: Arc<Line>,
    route: Arc<dyn Route>,
    joined: bool,
    over: bool,
    /// What was said on the stream itself.
    said: String,
}

impl Gateway {
    fn connect(world: &World) -> Self {
        let secrets = [(GATEWAY.to_owned(), "hush".to_owned())];
        let settings = Settings {
            service: Arc::clone(&world.service),
            secrets: Arc::new(secrets.into()),
            limits: Limits::generous(),
            deadline: world.now().at.plus(Duration::from_secs(30)),
        };
        let line = Arc::new(Line::default());
        Self {
            component: Component::new(settings, "s1".to_owned()),
            route: Arc::clone(&line) as Arc<dyn Route>,
            line,
            joined: false,
            over: false,
            said: String::new(),
        }
    }

    fn join(world: &mut World) -> Self {
        let mut gateway = Self::connect(world);
        gateway.prove(world, "hush");
        assert!(gateway.joined, "{}", gateway.said);
        gateway
    }

    fn prove(&mut self, world: &mut World, secret: &str) {
        let header = format!(
            "<stream:stream xmlns='jabber:component:accept' \
             xmlns:stream='http://etherx.jabber.org/streams' to='{GATEWAY}'>"
        );
        let proof = handshake("s1", secret);
        self.send(world, &format!("{header}<handshake>{proof}</handshake>"));
    }

    fn send(&mut self, world: &mut World, text: &str) {
        let now = world.now();
        let now = xmpp::Now {
            at: now.at,
            utc: now.utc,
        };
        self.component.handle_bytes(now, text.as_bytes());
        self.drain(world, now);
    }

    fn drain(&mut self, world: &mut World, now: xmpp::Now) {
        while let Some(output) = self.component.poll_output() {
            match output {
                Output::Send(octets) => self.said.push_str(std::str::from_utf8(&octets).unwrap()),
                Output::Join(domain) => {
                    self.component.joined(now);
                    world.model.attach(&domain, &self.route).unwrap();
                    self.joined = true;
                }
                Output::Act { from, action } => {
                    let line = Arc::clone(&self.line);
                    wiring::act(&world.model, &from, *action, move |o| line.write(o));
                }
                Output::Close => self.over = true,
            }
            world.settle();
        }
        world.settle();
    }

    /// Its connection is lost.
    fn cut(self, world: &mut World) {
        self.line
            .cut
            .store(true, std::sync::atomic::Ordering::Relaxed);
        world.model.detach(GATEWAY, &self.route);
        world.settle();
    }

    /// What it was sent since the last reading.
    fn read(&self) -> Vec<Element> {
        let octets = std::mem::take(&mut *self.line.stanzas.lock()).concat();
        let mut reader = StreamReader::new(Limits::generous());
        reader.feed(b"<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>");
        reader.feed(&octets);
        let mut stanzas = Vec::new();
        while let Some(token) = reader.next().unwrap() {
            if let Token::Element(element) = token {
                stanzas.push(element);
            }
        }
        stanzas
    }

    /// What it was sent since the last reading: name, sender, recipient and type.
    fn got(&self) -> Vec<String> {
        let line = |s: &Element| {
            let word = |name| s.attribute(name).unwrap_or_default().into_owned();
            let line = [s.name().to_owned(), word("from"), word("to"), word("type")];
            line.join(" ")
                .replace("@office.example", "")
                .trim_end()
                .to_owned()
        };
        self.read().iter().map(line).collect()
    }
}

/// Ann and the bot see each other.
fn friends(world: &mut World, ann: &mut Chat, gateway: &mut Gateway) {
    ann.send(world, &format!("<presence type='subscribe' to='{BOT}'/>"));
    assert_eq!(gateway.got(), [format!("presence ann {BOT} subscribe")]);
    gateway.send(
        world,
        &format!(
            "<presence type='subscribed' from='{BOT}' to='ann@office.example'/>\
             <presence type='subscribe' from='{BOT}' to='ann@office.example'/>"
        ),
    );
    assert_eq!(ann.asked("subscribe"), [BOT]);
    ann.send(world, &format!("<presence type='subscribed' to='{BOT}'/>"));
    assert!(gateway.got().contains(&format!("presence ann/desk {BOT}")));
    gateway.send(
        world,
        &format!("<presence from='{BOT}/x' to='ann@office.example'/>"),
    );
    assert_eq!(seen(ann), ["x available"]);
}

/// Presence of the bot since the last reading.
fn seen(chat: &Chat) -> Vec<String> {
    let presences = chat.read().into_iter().filter(|s| s.name() == "presence");
    let of_bot = presences.filter_map(|s| {
        let from = s.attribute("from")?.into_owned();
        let resource = from.strip_prefix(BOT)?.strip_prefix('/')?.to_owned();
        let kind = s.attribute("type").map(std::borrow::Cow::into_owned);
        Some(format!(
            "{resource} {}",
            kind.unwrap_or_else(|| "available".to_owned())
        ))
    });
    of_bot.collect()
}

#[test]
fn messages_go_both_ways_and_what_is_refused_is_said() {
    let mut world = World::open(&["ann"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut gateway = Gateway::join(&mut world);
    ann.send(
        &mut world,
        &format!("<message to='{BOT}' type='chat' id='1'><body>hi</body></message>"),
    );
    assert_eq!(gateway.got(), [format!("message ann/desk {BOT} chat")]);
    ann.read();
    gateway.send(
        &mut world,
        &format!("<message from='{BOT}/x' to='ann@office.example' type='chat'><body>hello</body></message>"),
    );
    assert_eq!(ann.messages(), [("hello".to_owned(), false)]);
    gateway.send(
        &mut world,
        &format!("<message from='{BOT}/x' to='nobody@office.example' type='chat' id='2'><body>?</body></message>"),
    );
    assert_eq!(gateway.got(), [format!("message nobody {BOT}/x error")]);
    // A request to the server and its answer.
    gateway.send(
        &mut world,
        &format!("<iq type='get' id='3' from='{BOT}/x' to='office.example'><ping xmlns='urn:xmpp:ping'/></iq>"),
    );
    let answer = format!("to='{BOT}/x'");
    let said = &gateway.said;
    assert!(said.contains("id='3'") && said.contains(&answer), "{said}");
}

#[test]
fn its_contacts_go_when_it_is_lost_and_come_back_with_it() {
    let mut world = World::asking(&["ann"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut gateway = Gateway::join(&mut world);
    friends(&mut world, &mut ann, &mut gateway);
    gateway.cut(&mut world);
    assert_eq!(seen(&ann), ["x unavailable"]);
    // Who writes meanwhile is told; what is asked for waits.
    ann.dare(
        &mut world,
        &format!("<message to='{BOT}' type='chat' id='m'><body>there?</body></message>"),
    );
    let refused = ann.read();
    assert!(format!("{refused:?}").contains("service-unavailable"));
    ann.send(
        &mut world,
        "<presence type='subscribe' to='other@irc.office.example'/>",
    );
    let phone = Chat::online(&mut world, "ann", "phone");
    assert_eq!(seen(&phone), [""; 0]);
    let mut gateway = Gateway::join(&mut world);
    let mut got = gateway.got();
    got.sort();
    for expected in [
        format!("presence ann/desk {BOT}"),
        format!("presence ann/phone {BOT}"),
        format!("presence ann/desk {BOT} probe"),
        format!("presence ann/phone {BOT} probe"),
        "presence ann other@irc.office.example subscribe".to_owned(),
    ] {
        assert!(got.contains(&expected), "{expected} in {got:?}");
    }
    gateway.send(
        &mut world,
        &format!("<presence from='{BOT}/x' to='ann@office.example'><show>away</show></presence>"),
    );
    assert_eq!(seen(&ann), ["x available"]);
    assert_eq!(seen(&phone), ["x available"]);
}

#[test]
fn a_restart_keeps_contacts_and_what_waits_for_it() {
    let mut world = World::asking(&["ann"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut gateway = Gateway::join(&mut world);
    friends(&mut world, &mut ann, &mut gateway);
    gateway.cut(&mut world);
    ann.send(
        &mut world,
        "<presence type='subscribe' to='other@irc.office.example'/>",
    );
    world.restart(Duration::from_secs(60));
    let gateway = Gateway::join(&mut world);
    let got = gateway.got();
    assert!(
        got.contains(&"presence ann other@irc.office.example subscribe".to_owned()),
        "{got:?}"
    );
    let _ann = Chat::online(&mut world, "ann", "desk");
    assert!(
        gateway
            .got()
            .contains(&format!("presence ann/desk {BOT} probe"))
    );
}

#[test]
fn a_wrong_secret_and_silence_end_its_stream() {
    let mut world = World::open(&[]);
    let mut wrong = Gateway::connect(&world);
    wrong.prove(&mut world, "guess");
    assert!(wrong.over && !wrong.joined);
    assert!(wrong.said.contains("not-authorized"), "{}", wrong.said);
    let mut silent = Gateway::connect(&world);
    let due = silent.component.poll_timeout().unwrap();
    let late = Timestamp(due.0 + 1);
    let now = xmpp::Now {
        at: late,
        utc: world.now().utc,
    };
    silent.component.handle_timeout(now);
    silent.drain(&mut world, now);
    assert!(silent.over, "{}", silent.said);
    assert!(world.model.attached().is_empty());
}
