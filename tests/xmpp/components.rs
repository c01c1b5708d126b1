//! External components (XEP-0114) over real sockets.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use ::xml::{Element, Limits, StreamReader, Token};

use crate::support::xmpp::{condition, is_presence, text};
use crate::support::{Client, Server, wait_for};

const CONFIG: &str = "[xmpp]\ncomponents = [\"127.0.0.1:0\"]\ncomponent_secrets = { \"irc.office.example\" = \"hush\" }";
const BOT: &str = "bot@irc.office.example";

/// A component, as far as a test plays it.
struct Component {
    socket: TcpStream,
    reader: StreamReader,
    backlog: VecDeque<Element>,
}

impl Component {
    /// Connects and sends its header; the id of the stream.
    fn connect(server: &Server, domain: &str) -> (Self, String) {
        let socket = TcpStream::connect(server.address("xmpp.components")).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        let mut component = Self {
            socket,
            reader: StreamReader::new(Limits::generous()),
            backlog: VecDeque::new(),
        };
        component.send(&format!(
            "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='{domain}'>"
        ));
        let Some(Token::Open(open)) = component.token() else {
            panic!("a header");
        };
        let id = open.attribute("id").unwrap().to_owned();
        (component, id)
    }

    /// The same, with what it proves itself by.
    fn prove(server: &Server, secret: &str) -> Self {
        let (mut component, id) = Self::connect(server, "irc.office.example");
        let proof = xmpp::component::handshake(&id, secret);
        component.send(&format!("<handshake>{proof}</handshake>"));
        component
    }

    fn join(server: &Server) -> Self {
        let mut component = Self::prove(server, "hush");
        let joined = component.next("the handshake");
        assert!(
            joined.is("handshake", "jabber:component:accept"),
            "{joined:?}"
        );
        component
    }

    fn send(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).unwrap();
    }

    /// What comes next; `None` at the end.
    fn token(&mut self) -> Option<Token> {
        let mut buffer = [0; 8192];
        wait_for("something of the server", || {
            if let Some(token) = self.reader.next().unwrap() {
                return Some(Some(token));
            }
            match self.socket.read(&mut buffer) {
                Ok(0) => Some(None),
                Ok(len) => {
                    self.reader.feed(&buffer[..len]);
                    None
                }
                Err(_) => None,
            }
        })
    }

    fn next(&mut self, what: &str) -> Element {
        match self.backlog.pop_front() {
            Some(stanza) => stanza,
            None => match self.token() {
                Some(Token::Element(element)) => element,
                other => panic!("{what}, not {other:?}"),
            },
        }
    }

    /// The first that fits; what came before stays.
    fn expect(&mut self, what: &str, fits: impl Fn(&Element) -> bool) -> Element {
        let mut passed = VecDeque::new();
        loop {
            let stanza = self.next(what);
            if fits(&stanza) {
                passed.append(&mut self.backlog);
                self.backlog = passed;
                return stanza;
            }
            passed.push_back(stanza);
        }
    }

    fn presence(&mut self, from: &str, kind: &str) -> Element {
        self.expect(&format!("presence {kind} of {from}"), |s| {
            is_presence(s, from, kind)
        })
    }

    /// The condition that its stream ends with.
    fn ends(mut self) -> String {
        let error = self.next("a stream error");
        assert_eq!(error.name(), "error");
        assert!(matches!(self.token(), Some(Token::Close)));
        assert!(self.token().is_none());
        error.children().next().unwrap().name().to_owned()
    }
}

fn raw(stanza: &Element) -> String {
    String::from_utf8(stanza.raw().to_vec()).unwrap()
}

fn items(client: &mut Client) -> String {
    let query = "<query xmlns='http://jabber.org/protocol/disco#items'/>";
    raw(&client.ask("get", "office.example", query))
}

#[test]
fn messages_and_requests_go_both_ways() {
    let server = Server::with(CONFIG, &["ann"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut irc = Component::join(&server);
    assert!(items(&mut ann).contains("jid='irc.office.example'"));
    ann.send(&format!("<message xmlns='jabber:client' to='{BOT}' type='chat' id='m1'><body>hi &amp; ho</body></message>"));
    let message = irc.next("the message");
    assert!(message.is("message", "jabber:component:accept"));
    assert_eq!(
        message.attribute("from").as_deref(),
        Some("ann@office.example/desk")
    );
    assert_eq!(message.attribute("to").as_deref(), Some(BOT));
    assert_eq!(
        message
            .child("body", "jabber:component:accept")
            .unwrap()
            .text(),
        "hi & ho"
    );
    irc.send(&format!(
        "<message from='{BOT}/x' to='ann@office.example' type='chat'><body>well</body></message>"
    ));
    let answer = ann.message("well");
    assert_eq!(
        answer.attribute("from").as_deref(),
        Some("bot@irc.office.example/x")
    );
    // What the component refuses comes back.
    irc.send(&format!("<message type='error' id='m1' from='{BOT}' to='ann@office.example/desk'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"));
    let refused = ann.expect("the error", |s| {
        s.attribute("type").as_deref() == Some("error")
    });
    assert_eq!(condition(&refused).as_deref(), Some("gone"));

    ann.send(
        "<iq type='get' id='i1' to='irc.office.example'><query xmlns='jabber:iq:version'/></iq>",
    );
    let asked = irc.next("the request");
    assert!(asked.is("iq", "jabber:component:accept"));
    irc.send("<iq type='result' id='i1' from='irc.office.example' to='ann@office.example/desk'><query xmlns='jabber:iq:version'><name>irc</name></query></iq>");
    let answer = ann.expect("the answer", |s| s.attribute("id").as_deref() == Some("i1"));
    assert_eq!(answer.attribute("type").as_deref(), Some("result"));

    irc.send("<iq type='get' id='i2' from='irc.office.example' to='office.example'><ping xmlns='urn:xmpp:ping'/></iq>");
    let pong = irc.next("the answer");
    assert_eq!(pong.attribute("type").as_deref(), Some("result"));
    assert_eq!(pong.attribute("to").as_deref(), Some("irc.office.example"));
    // Who has not shown himself to it is not asked by it, and accounts' own things are not for it.
    for (to, payload) in [
        ("ann@office.example/desk", "<ping xmlns='urn:xmpp:ping'/>"),
        ("ann@office.example", "<query xmlns='jabber:iq:roster'/>"),
        (
            "ann@office.example",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'/></pubsub>",
        ),
        (
            "office.example",
            "<query xmlns='jabber:iq:search'><nick>a</nick></query>",
        ),
    ] {
        let kind = if payload.contains("nick") {
            "set"
        } else {
            "get"
        };
        irc.send(&format!(
            "<iq type='{kind}' id='i3' from='{BOT}' to='{to}'>{payload}</iq>"
        ));
        let refused = irc.next("a refusal");
        assert_eq!(refused.attribute("type").as_deref(), Some("error"), "{to}");
        assert_eq!(refused.attribute("id").as_deref(), Some("i3"), "{to}");
    }
    // Directed presence, as rooms want it.
    ann.send(&format!("<presence to='{BOT}/ann'/>"));
    irc.presence("ann@office.example/desk", "");
    irc.send(&format!("<iq type='get' id='i4' from='{BOT}/ann' to='ann@office.example/desk'><ping xmlns='urn:xmpp:ping'/></iq>"));
    ann.expect("the request", |s| {
        s.attribute("id").as_deref() == Some("i4")
    });
    irc.send(&format!(
        "<presence from='{BOT}/other' to='ann@office.example/desk'/>"
    ));
    ann.presence("bot@irc.office.example/other", "");
    ann.close();
    irc.presence("ann@office.example/desk", "unavailable");
}

#[test]
fn contacts_of_a_component_are_contacts_like_others() {
    let mut server = Server::with(CONFIG, &["ann"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut irc = Component::join(&server);
    // It asks to see ann, and ann lets it.
    irc.send(&format!(
        "<presence type='subscribe' from='{BOT}' to='ann@office.example'/>"
    ));
    ann.presence(BOT, "subscribe");
    ann.send(&format!("<presence type='subscribed' to='{BOT}'/>"));
    irc.presence("ann@office.example", "subscribed");
    irc.presence("ann@office.example/desk", "");
    ann.send("<presence><show>away</show></presence>");
    let away = irc.presence("ann@office.example/desk", "");
    assert_eq!(
        away.child("show", "jabber:component:accept")
            .unwrap()
            .text(),
        "away"
    );
    // Ann asks to see it.
    ann.send(&format!("<presence type='subscribe' to='{BOT}'/>"));
    irc.presence("ann@office.example", "subscribe");
    irc.send(&format!(
        "<presence type='subscribed' from='{BOT}' to='ann@office.example'/>"
    ));
    ann.presence(BOT, "subscribed");
    irc.send(&format!(
        "<presence from='{BOT}/x' to='ann@office.example'><status>on air</status></presence>"
    ));
    let seen = ann.presence("bot@irc.office.example/x", "");
    assert_eq!(text(&seen, "status"), "on air");
    let roster = raw(&ann.roster());
    assert!(
        roster.contains(BOT) && roster.contains("subscription='both'"),
        "{roster}"
    );
    // The gateway itself is a contact, too.
    ann.send("<presence type='subscribe' to='irc.office.example'/>");
    irc.presence("ann@office.example", "subscribe");
    // When it goes, its contacts go.
    drop(irc);
    ann.presence("bot@irc.office.example/x", "unavailable");
    ann.send(&format!(
        "<message to='{BOT}' id='m'><body>there?</body></message>"
    ));
    let refused = ann.expect("an error", |s| s.attribute("id").as_deref() == Some("m"));
    assert_eq!(condition(&refused).as_deref(), Some("service-unavailable"));
    let version = "<query xmlns='jabber:iq:version'/>";
    let refused = ann.ask("get", "irc.office.example", version);
    assert_eq!(condition(&refused).as_deref(), Some("service-unavailable"));
    assert!(!items(&mut ann).contains("irc.office.example"));

    // All of it is there after a power cut; what was asked while it was away waits for it.
    ann.send("<presence type='subscribe' to='other@irc.office.example'/>");
    ann.settle();
    ann.ask(
        "set",
        "",
        "<query xmlns='jabber:iq:roster'><item jid='eve@office.example'/></query>",
    );
    server.kill();
    server.launch();
    let ann = Client::online(&server, "ann", "desk");
    let mut irc = Component::join(&server);
    let asked = irc.expect("the request", |s| {
        is_presence(s, "ann@office.example", "subscribe")
    });
    assert_eq!(
        asked.attribute("to").as_deref(),
        Some("other@irc.office.example")
    );
    irc.presence("ann@office.example/desk", "");
    irc.presence("ann@office.example/desk", "probe");
    ann.close();
    irc.presence("ann@office.example/desk", "unavailable");
    let mut ann = Client::online(&server, "ann", "phone");
    irc.presence("ann@office.example/phone", "");
    irc.presence("ann@office.example/phone", "probe");
    irc.send(&format!(
        "<presence type='probe' from='{BOT}' to='ann@office.example'/>"
    ));
    irc.presence("ann@office.example/phone", "");
    irc.send("<presence type='probe' from='stranger@irc.office.example' to='ann@office.example'/>");
    irc.presence("ann@office.example", "unsubscribed");
    // The end of it, by removal.
    let gone = format!(
        "<query xmlns='jabber:iq:roster'><item jid='{BOT}' subscription='remove'/></query>"
    );
    ann.ask("set", "", &gone);
    irc.presence("ann@office.example/phone", "unavailable");
    irc.presence("ann@office.example", "unsubscribe");
    irc.presence("ann@office.example", "unsubscribed");
    ann.send("<presence><show>dnd</show></presence>");
    ann.settle();
    irc.send("<iq type='get' id='last' from='irc.office.example' to='office.example'><ping xmlns='urn:xmpp:ping'/></iq>");
    let next = irc.next("the answer, and no presence before it");
    assert_eq!(next.attribute("id").as_deref(), Some("last"), "{next:?}");
}

#[test]
fn only_one_with_the_secret_joins() {
    let server = Server::with(CONFIG, &["ann"]);
    assert_eq!(Component::prove(&server, "wrong").ends(), "not-authorized");
    let (unknown, _) = Component::connect(&server, "other.office.example");
    assert_eq!(unknown.ends(), "host-unknown");
    let mut first = Component::join(&server);
    let mut second = Component::prove(&server, "hush");
    // The proof was right, the place is taken.
    assert_eq!(
        second.next("an error").children().next().unwrap().name(),
        "conflict"
    );
    let mut ann = Client::online(&server, "ann", "desk");
    ann.send(&format!(
        "<message to='{BOT}'><body>still you?</body></message>"
    ));
    first.expect("the message", |s| s.name() == "message");
    first.send(
        "<message from='ann@office.example' to='ann@office.example'><body>not me</body></message>",
    );
    assert_eq!(first.ends(), "invalid-from");
    ann.nothing("what was forged", |s| s.name() == "message");
    // The place is free again.
    wait_for("the place", || {
        let mut next = Component::prove(&server, "hush");
        next.next("an answer")
            .is("handshake", "jabber:component:accept")
            .then_some(())
    });
}

#[test]
fn a_component_that_does_not_read_is_cut_off_and_nobody_else_waits() {
    let limits = format!("{CONFIG}\n[limits]\nout_queue = \"64KiB\"");
    let server = Server::with(&limits, &["ann", "bob"]);
    let _irc = Component::join(&server);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    let body = "x".repeat(100_000);
    let mut sent = 0;
    let refused = wait_for("an error", || {
        for _ in 0..10 {
            ann.send(&format!(
                "<message to='{BOT}' id='m'><body>{body}</body></message>"
            ));
        }
        sent += 10;
        ann.settle()
            .into_iter()
            .find(|s| s.attribute("type").as_deref() == Some("error"))
    });
    assert_eq!(condition(&refused).as_deref(), Some("service-unavailable"));
    assert!(sent < 1000, "{sent} times 100 kB");
    ann.send("<message to='bob@office.example' type='chat'><body>fine</body></message>");
    bob.message("fine");
    server.wait_for_log("a component is gone");
}

#[test]
fn whatever_is_asked_of_its_addresses_it_is_asked() {
    let server = Server::with(CONFIG, &["ann"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut irc = Component::join(&server);
    let pubsub = "http://jabber.org/protocol/pubsub";
    let asked = [
        (
            "get",
            format!("<pubsub xmlns='{pubsub}'><items node='n'/></pubsub>"),
        ),
        (
            "set",
            format!(
                "<pubsub xmlns='{pubsub}'><publish node='n'><item><x xmlns='x'/></item></publish></pubsub>"
            ),
        ),
        (
            "set",
            format!("<pubsub xmlns='{pubsub}#owner'><delete node='n'/></pubsub>"),
        ),
        (
            "get",
            "<query xmlns='jabber:iq:private'><x xmlns='x'/></query>".to_owned(),
        ),
        (
            "set",
            "<query xmlns='jabber:iq:private'><x xmlns='x'/></query>".to_owned(),
        ),
        ("get", "<query xmlns='jabber:iq:search'/>".to_owned()),
        (
            "set",
            "<query xmlns='jabber:iq:search'><nick>a</nick></query>".to_owned(),
        ),
        (
            "set",
            "<command xmlns='http://jabber.org/protocol/commands' node='n' action='execute'/>"
                .to_owned(),
        ),
        (
            "get",
            "<query xmlns='http://jabber.org/protocol/disco#info'/>".to_owned(),
        ),
        (
            "get",
            "<query xmlns='http://jabber.org/protocol/disco#items' node='n'/>".to_owned(),
        ),
        ("get", "<vCard xmlns='vcard-temp'/>".to_owned()),
        ("get", "<query xmlns='jabber:iq:last'/>".to_owned()),
        ("get", "<query xmlns='jabber:iq:register'/>".to_owned()),
        ("set", "<query xmlns='urn:xmpp:mam:2'/>".to_owned()),
        ("get", "<ping xmlns='urn:xmpp:ping'/>".to_owned()),
        ("get", "<time xmlns='urn:xmpp:time'/>".to_owned()),
        ("set", "<query xmlns='jabber:iq:roster'/>".to_owned()),
        ("get", "<blocklist xmlns='urn:xmpp:blocking'/>".to_owned()),
    ];
    for to in ["irc.office.example", BOT, "bot@irc.office.example/x"] {
        for (number, (kind, payload)) in asked.iter().enumerate() {
            let id = format!("a{number}");
            ann.send(&format!(
                "<iq type='{kind}' id='{id}' to='{to}'>{payload}</iq>"
            ));
            let request = irc.next("the request");
            assert_eq!(request.attribute("id").as_deref(), Some(&*id), "{payload}");
            assert_eq!(request.attribute("to").as_deref(), Some(to), "{payload}");
            assert_eq!(request.attribute("type").as_deref(), Some(*kind));
            assert!(raw(&request).contains(payload), "{}", raw(&request));
            irc.send(&format!(
                "<iq type='result' id='{id}' from='{to}' to='ann@office.example/desk'/>"
            ));
            let answer = ann.expect("the answer", |s| s.attribute("id").as_deref() == Some(&*id));
            assert_eq!(answer.attribute("type").as_deref(), Some("result"));
            assert_eq!(answer.attribute("from").as_deref(), Some(to));
        }
    }
}

#[test]
fn a_secret_that_was_changed_or_removed_counts_at_once() {
    let config = |secrets: &str| {
        format!("[xmpp]\ncomponents = [\"127.0.0.1:0\"]\ncomponent_secrets = {{ {secrets} }}")
    };
    let mut server = Server::with(CONFIG, &["ann"]);
    let mut irc = Component::join(&server);
    let mut ann = Client::online(&server, "ann", "desk");
    // Nothing has changed for it: it stays.
    server.reconfigure(&config(
        "\"irc.office.example\" = \"hush\", \"new.office.example\" = \"x\"",
    ));
    server.signal("HUP");
    server.wait_for_log("new.office.example");
    ann.send(&format!(
        "<message to='{BOT}'><body>there?</body></message>"
    ));
    irc.expect("the message", |s| s.name() == "message");
    // What is new needs a start.
    let (new, _) = Component::connect(&server, "new.office.example");
    assert_eq!(new.ends(), "host-unknown");
    server.reconfigure(&config("\"irc.office.example\" = \"another\""));
    server.signal("HUP");
    assert_eq!(irc.ends(), "not-authorized");
    assert_eq!(Component::prove(&server, "hush").ends(), "not-authorized");
    let mut irc = Component::prove(&server, "another");
    let joined = irc.next("the handshake");
    assert!(joined.is("handshake", "jabber:component:accept"));
    server.reconfigure(&config(""));
    server.signal("HUP");
    assert_eq!(irc.ends(), "not-authorized");
    let (gone, _) = Component::connect(&server, "irc.office.example");
    assert_eq!(gone.ends(), "host-unknown");
    ann.send(&format!(
        "<message to='{BOT}' id='m'><body>there?</body></message>"
    ));
    let refused = ann.expect("an error", |s| s.attribute("id").as_deref() == Some("m"));
    assert_eq!(condition(&refused).as_deref(), Some("service-unavailable"));
}
