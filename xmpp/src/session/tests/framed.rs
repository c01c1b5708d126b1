//! Framed streams (RFC 7395 §3), each rule by its section.

use super::*;
use crate::stream::framing::missing;
use crate::stream::namespaces::{CLIENT, FRAMING};

const BEGIN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='office.example' version='1.0' xml:lang='de-CH'/>";
const END: &str = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";
const BIND: &str = "<iq xmlns='jabber:client' type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desk</resource></bind></iq>";
const PING: &str = "<iq xmlns='jabber:client' type='get' id='i1' to='office.example'><ping xmlns='urn:xmpp:ping'/></iq>";

/// A client on a framed stream: every element that comes is a document of its own.
struct Browser(Pair);

impl Browser {
    fn on(settings: Settings, way: Way) -> Self {
        let mut pair = Pair::plain();
        let random = [9; 32];
        pair.session = Session::framed(Arc::new(settings), pair.now.at, way, random);
        pair.framed = true;
        Self(pair)
    }

    fn new() -> Self {
        Self::on(settings(), confidential())
    }

    fn say(&mut self, element: &str) -> &mut Self {
        let now = self.0.now;
        self.0.session.handle_element(now, element.into());
        self.0.drain();
        self
    }

    /// What was said since the last look.
    fn heard(&mut self) -> Vec<Element> {
        let tokens = self.0.said().into_iter();
        tokens
            .map(|token| match token {
                Token::Element(element) => element,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn one(&mut self) -> Element {
        let mut heard = self.heard();
        assert_eq!(heard.len(), 1, "{heard:?}");
        heard.remove(0)
    }

    fn logged_in() -> Self {
        let mut browser = Self::new();
        browser.say(BEGIN).heard();
        browser.0.plain_login_framed();
        assert!(browser.one().is("success", SASL));
        browser.say(BEGIN).heard();
        browser
    }

    fn bound() -> Self {
        let mut browser = Self::logged_in();
        browser.say(BIND);
        assert_eq!(browser.one().attribute("type").as_deref(), Some("result"));
        browser.0.actions.clear();
        browser
    }

    /// The stream has ended with this error, behind so many other elements.
    #[track_caller]
    fn ended_with(&mut self, condition: &str, before: usize) {
        assert!(self.0.closed, "still open");
        let mut heard = self.heard();
        assert!(heard.pop().unwrap().is("close", FRAMING));
        let error = heard.pop().unwrap();
        assert!(error.is("error", STREAM), "{error:?}");
        assert_eq!(error.children().next().unwrap().name(), condition);
        assert_eq!(heard.len(), before, "{heard:?}");
        if before > 0 {
            assert!(heard[0].is("open", FRAMING));
        }
    }
}

impl Pair {
    fn plain_login_framed(&mut self) {
        let initial = encode_optional_payload(&plain_message(None, "ann", "pencil"));
        let auth = format!("<auth xmlns='{SASL}' mechanism='PLAIN'>{initial}</auth>");
        self.session.handle_element(self.now, auth.into());
        self.drain();
    }
}

fn confidential() -> Way {
    Way {
        confidential: true,
        elsewhere: Some("wss://office.example:5281/xmpp-websocket".to_owned()),
    }
}

/// §3.4: open is answered with open, whose attributes are those of a stream header; features follow by themselves.
#[test]
fn open_is_answered_with_open() {
    let mut browser = Browser::new();
    browser.say(BEGIN);
    let heard = browser.heard();
    let [open, features] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert!(open.is("open", FRAMING) && features.is("features", STREAM));
    assert_eq!(open.attribute("from").as_deref(), Some("office.example"));
    assert_eq!(open.attribute("version").as_deref(), Some("1.0"));
    assert_eq!(open.lang().as_deref(), Some("en"));
    assert!(open.attribute("id").unwrap().len() >= 24);
    assert_eq!(names(features)[..2], ["mechanisms", "authentication"]);
    let from = BEGIN.replace("to=", "from='ann@office.example' to=");
    let mut browser = Browser::new();
    let open = browser.say(&from).heard().remove(0);
    assert_eq!(open.attribute("to").as_deref(), Some("ann@office.example"));
}

/// §3.4: ids are unpredictable and never the same, also after a restart.
#[test]
fn every_stream_has_an_id() {
    let mut browser = Browser::new();
    let first = browser.say(BEGIN).heard().remove(0);
    browser.0.plain_login_framed();
    browser.heard();
    let second = browser.say(BEGIN).heard().remove(0);
    assert_ne!(first.attribute("id"), second.attribute("id"));
}

/// §3.3.2: headers of another namespace, those of TCP among them.
#[test]
fn headers_must_be_of_the_framing_namespace() {
    for wrong in [
        "<open to='office.example' version='1.0'/>",
        "<open xmlns='jabber:client' to='office.example' version='1.0'/>",
        "<open xmlns='http://etherx.jabber.org/streams' to='office.example' version='1.0'/>",
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='office.example' version='1.0'>",
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='office.example' version='1.0'/>",
        "<close/>",
        "<close xmlns='jabber:client'/>",
        "<iq xmlns='jabber:client' type='get' id='1'/>",
    ] {
        Browser::new().say(wrong).ended_with("invalid-namespace", 1);
    }
    Browser::bound()
        .say(OPEN)
        .ended_with("invalid-namespace", 0);
    Browser::bound()
        .say("</stream:stream>")
        .ended_with("invalid-namespace", 0);
}

/// §3.4, §4.7 of RFC 6120: the header means what the header of a stream means.
#[test]
fn headers_that_are_refused() {
    let open = |rest: &str| format!("<open xmlns='{FRAMING}' {rest}/>");
    for (header, condition) in [
        (open("to='other.example' version='1.0'"), "host-unknown"),
        (open("to='@' version='1.0'"), "improper-addressing"),
        (open("to='office.example'"), "unsupported-version"),
        (
            open("to='office.example' version='0.9'"),
            "unsupported-version",
        ),
        (
            open("to='office.example' version='1.0' from='a@b.example'"),
            "invalid-from",
        ),
        (
            format!("<open xmlns='{FRAMING}' to='office.example' version='1.0'>x</open>"),
            "bad-format",
        ),
        (
            format!("<open xmlns='{FRAMING}' to='office.example' version='1.0'><a/></open>"),
            "bad-format",
        ),
        (
            format!("<begin xmlns='{FRAMING}' to='office.example' version='1.0'/>"),
            "bad-format",
        ),
    ] {
        Browser::new().say(&header).ended_with(condition, 1);
    }
    let two = Settings {
        require_tls: true,
        ..settings_for(&["office.example", "lab.example"])
    };
    let mut browser = Browser::on(two, confidential());
    browser.say(&open("to='lab.example' version='1.0'"));
    assert_eq!(
        browser.heard()[0].attribute("from").as_deref(),
        Some("lab.example")
    );
}

/// §3.3.3: one document in each frame, which begins with `<`.
#[test]
fn frames_are_documents() {
    let cases = [
        (format!(" {PING}"), "bad-format"),
        (String::new(), "bad-format"),
        (" ".to_owned(), "bad-format"),
        ("hello".to_owned(), "bad-format"),
        (format!("{PING}{PING}"), "not-well-formed"),
        (format!("{PING}x"), "not-well-formed"),
        (
            "<presence xmlns='jabber:client'>".to_owned(),
            "not-well-formed",
        ),
        (
            "<presence xmlns='jabber:client'></message>".to_owned(),
            "not-well-formed",
        ),
        ("<a:b/>".to_owned(), "not-well-formed"),
        (format!("<!-- x -->{PING}"), "restricted-xml"),
        (format!("<?php x ?>{PING}"), "restricted-xml"),
        (format!("<!DOCTYPE a>{PING}"), "restricted-xml"),
        ("<presence/>".to_owned(), "unsupported-stanza-type"),
        (
            "<presence xmlns='jabber:server'/>".to_owned(),
            "invalid-namespace",
        ),
        (BEGIN.to_owned(), "unsupported-stanza-type"),
    ];
    for (text, condition) in &cases {
        let mut browser = Browser::bound();
        browser.say(text).ended_with(condition, 0);
        assert!(browser.0.actions.is_empty(), "{text}");
    }
    for (text, condition) in cases.iter().take(12) {
        Browser::new().say(text).ended_with(condition, 1);
    }
    // It may have a declaration, and end with white space.
    let mut browser = Browser::bound();
    browser.say(&format!("<?xml version='1.0'?>{PING}\n"));
    assert_eq!(browser.one().attribute("id").as_deref(), Some("i1"));
    // Stanzas of clients are those of a stream, whichever way they declare what they are.
    browser.say(
        "<m:message xmlns:m='jabber:client' to='bob@office.example'><m:body>x</m:body></m:message>",
    );
    browser.say("<message xmlns='jabber:client' to='bob@office.example'><body>x</body></message>");
    let texts = browser.0.actions.iter().filter_map(|action| match action {
        Action::Message { message, .. } => message.bodies.first(),
        _ => None,
    });
    assert_eq!(
        texts.map(|body| &*body.text).collect::<Vec<_>>(),
        ["x", "x"]
    );
}

/// §3.4: no second stream on the same way.
#[test]
fn streams_are_not_multiplexed() {
    let mut browser = Browser::new();
    browser.say(BEGIN).heard();
    browser.say(BEGIN).ended_with("unsupported-stanza-type", 0);
}

/// §3.5: an error while the stream is opened comes behind open; the peer speaks first all the same.
#[test]
fn nothing_is_said_before_the_peer_has_spoken() {
    let mut browser = Browser::new();
    browser.0.wait(Duration::from_secs(31));
    assert!(browser.0.closed && browser.heard().is_empty());
    let mut browser = Browser::new();
    browser.0.session.end(StreamCondition::SystemShutdown, None);
    browser.0.drain();
    assert!(browser.0.closed && browser.heard().is_empty());
    let mut browser = Browser::new();
    browser.say(BEGIN).heard();
    browser.0.wait(Duration::from_secs(31));
    browser.ended_with("policy-violation", 0);
}

/// §3.6: close is answered with close, at every stage.
#[test]
fn close_is_answered_with_close() {
    for mut browser in [Browser::new(), Browser::logged_in(), Browser::bound()] {
        browser.say(END);
        assert!(browser.0.closed && browser.one().is("close", FRAMING));
        browser.say(PING);
        assert!(browser.heard().is_empty());
    }
    let mut browser = Browser::bound();
    browser.0.hang_up();
    assert!(browser.0.closed && browser.one().is("close", FRAMING));
    let mut browser = Browser::bound();
    browser.0.session.end(StreamCondition::Conflict, None);
    browser.0.drain();
    browser.ended_with("conflict", 0);
}

/// §3.6.1, §3.9: where TLS is required and is not there, the client is told where it is.
#[test]
fn a_way_without_protection() {
    let elsewhere = || Way {
        confidential: false,
        ..confidential()
    };
    let mut browser = Browser::on(settings(), elsewhere());
    browser.say(BEGIN);
    assert!(browser.0.closed);
    let close = browser.one();
    assert!(close.is("close", FRAMING));
    assert_eq!(
        close.attribute("see-other-uri").as_deref(),
        Some("wss://office.example:5281/xmpp-websocket")
    );
    let mut browser = Browser::on(settings(), Way::default());
    browser.say(BEGIN).ended_with("policy-violation", 1);
    // What is wrong all the same is told.
    let mut browser = Browser::on(settings(), elsewhere());
    browser.say("<open/>").ended_with("invalid-namespace", 1);
    // Where it is not required everything goes, and TLS is not offered.
    let open = || Settings {
        require_tls: false,
        ..settings()
    };
    let mut browser = Browser::on(open(), elsewhere());
    let features = browser.say(BEGIN).heard().remove(1);
    assert!(!names(&features).contains(&"starttls".to_owned()));
    browser.0.plain_login_framed();
    assert!(browser.one().is("success", SASL));
    // On a stream of the same listener it is.
    let mut pair = Pair::new(open(), None);
    let (_, features) = pair.send(OPEN).opening();
    assert_eq!(names(&features)[0], "starttls");
}

/// §3.9: TLS cannot be begun on the stream.
#[test]
fn tls_is_refused() {
    for way in [Way::default(), confidential()] {
        let settings = Settings {
            require_tls: false,
            ..settings()
        };
        let mut browser = Browser::on(settings, way);
        browser.say(BEGIN).heard();
        browser.say(START_TLS);
        let heard = browser.heard();
        assert!(heard[0].is("failure", "urn:ietf:params:xml:ns:xmpp-tls"));
        assert!(heard[1].is("close", FRAMING) && browser.0.closed);
    }
}

/// §3.7: the stream restarts with open alone.
#[test]
fn the_stream_restarts_with_open() {
    let mut browser = Browser::new();
    browser.say(BEGIN).heard();
    browser.0.plain_login_framed();
    assert!(browser.one().is("success", SASL));
    let heard = browser.say(BEGIN).heard();
    assert!(heard[0].is("open", FRAMING) && heard[1].is("features", STREAM));
    assert_eq!(names(&heard[1])[0], "bind");
    // Who does not restart has not opened a stream.
    let mut browser = Browser::new();
    browser.say(BEGIN).heard();
    browser.0.plain_login_framed();
    browser.heard();
    browser.say(BIND).ended_with("invalid-namespace", 1);
    // What came too early waits for the answer.
    let mut browser = Browser::new();
    browser.say(BEGIN).heard();
    browser.0.answers = Answers::Never;
    browser.0.plain_login_framed();
    assert!(!browser.0.session.wants_bytes());
    browser.say(BEGIN);
    assert!(browser.heard().is_empty());
    let now = browser.0.now;
    browser.0.session.handle_reply(now, Reply::Password(true));
    browser.0.drain();
    let heard = browser.heard();
    assert!(heard[0].is("success", SASL) && heard[1].is("open", FRAMING));
}

/// §3.8: a peer is asked by XEP-0199, and every sign of life counts.
#[test]
fn silence_is_asked_about() {
    let mut browser = Browser::bound();
    browser.0.wait(Duration::from_secs(50));
    let now = browser.0.now;
    browser.0.session.handle_life(now);
    browser.0.wait(Duration::from_secs(50));
    assert!(browser.heard().is_empty());
    browser.0.wait(Duration::from_secs(10));
    let ping = browser.one();
    assert!(ping.is("iq", CLIENT) && ping.child("ping", "urn:xmpp:ping").is_some());
    browser.0.wait(Duration::from_secs(31));
    browser.ended_with("connection-timeout", 0);
}

/// §3.10: stanzas of a managed stream are counted; what was not looked at goes on with the stream that is resumed.
#[test]
fn managed_streams() {
    let mut browser = Browser::bound();
    browser
        .say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        .say(PING);
    // Kept as it is on any other stream.
    assert_eq!(
        browser.0.stanzas,
        ["<iq type='result' id='i1' from='office.example' to='ann@office.example/desk'/>"]
    );
    let mut fresh = Browser::new().0;
    let mut old = Pair::bound();
    old.session.resume(old.now, &mut fresh.session);
    old.framed = true;
    old.session.handle_element(old.now, PING.into());
    old.drain();
    assert!(matches!(old.said().as_slice(), [Token::Element(iq)] if iq.is("iq", CLIENT)));
    old.session.handle_element(old.now, END.into());
    old.drain();
    assert!(old.closed);
}

/// Limits before authentication are those of every stream, and what is too much is too much at once.
#[test]
fn strangers_have_little_room() {
    let mut browser = Browser::new();
    browser.say(BEGIN).heard();
    assert_eq!(browser.0.session.most_octets(), 8 * 1024);
    browser.say(&format!(
        "<auth xmlns='{SASL}' mechanism='X'>{}</auth>",
        "A".repeat(9000)
    ));
    browser.ended_with("policy-violation", 0);
    let mut browser = Browser::new();
    browser.say(BEGIN).heard();
    for _ in 0..40 {
        browser.say(&format!("<abort xmlns='{SASL}'/>"));
    }
    assert!(browser.0.closed);
    let mut browser = Browser::bound();
    assert_eq!(browser.0.session.most_octets(), 256 * 1024);
    browser.say(&format!(
        "<message xmlns='jabber:client'><body>{}</body></message>",
        "A".repeat(256 * 1024)
    ));
    browser.ended_with("policy-violation", 0);
}

/// XEP-0388 on a framed stream: success and features come each by itself.
#[test]
fn login_in_one_step() {
    let mut browser = Browser::new();
    browser.say(BEGIN).heard();
    let initial = encode_payload(&plain_message(None, "ann", "pencil"));
    browser.say(&format!(
        "<authenticate xmlns='{SASL2}' mechanism='PLAIN'><initial-response>{initial}</initial-response>\
         <bind xmlns='{BIND2}'><tag>web</tag></bind></authenticate>"
    ));
    let heard = browser.heard();
    let names: Vec<_> = heard.iter().map(Element::name).collect();
    assert_eq!(names, ["success", "features"]);
}

/// What the pair hears on a framed stream: one document.
pub(super) fn document(octets: &[u8]) -> Element {
    let mut octets = octets.to_vec();
    if let Some((at, declaration)) = missing(&octets) {
        octets.splice(at..at, declaration.iter().copied());
    }
    Element::framed(octets, &CLIENT.into(), Limits::generous()).unwrap()
}
