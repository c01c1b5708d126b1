//! Messages, IQs and what is kept for who is away (RFC 6121 §8.5, RFC 6120 §8.2.3, XEP-0160).

use ::xml::Element;

use crate::support::xmpp::{befriend, condition, text};
use crate::support::{Client, Server};

fn is_message(stanza: &Element) -> bool {
    stanza.name() == "message"
}

fn send(from: &mut Client, to: &str, kind: &str, body: &str) {
    from.send(&format!(
        "<message to='{to}' type='{kind}' id='{body}'><body>{body}</body></message>"
    ));
}

#[test]
fn to_the_bare_address() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut high = Client::login(&server, "bob", "high");
    high.available("<priority>5</priority>");
    let mut low = Client::login(&server, "bob", "low");
    low.available("<priority>0</priority>");
    let mut negative = Client::login(&server, "bob", "negative");
    negative.available("<priority>-1</priority>");
    let mut absent = Client::login(&server, "bob", "absent");
    for kind in ["chat", "normal"] {
        send(&mut ann, "bob@office.example", kind, kind);
        let got = high.message(kind);
        assert_eq!(
            got.attribute("from").as_deref(),
            Some("ann@office.example/desk")
        );
        assert_eq!(got.attribute("to").as_deref(), Some("bob@office.example"));
    }
    // To all of them with a priority of 0 and more (8.5.2.1.1).
    send(&mut ann, "bob@office.example", "headline", "headline");
    high.message("headline");
    low.message("headline");
    for client in [&mut negative, &mut absent] {
        client.nothing("a message", is_message);
    }
    send(&mut ann, "bob@office.example", "groupchat", "room");
    let refused = ann.expect("an error", |s| s.attribute("id").as_deref() == Some("room"));
    assert_eq!(condition(&refused).as_deref(), Some("service-unavailable"));
    ann.send("<message to='bob@office.example' type='error' id='e'><body>e</body></message>");
    ann.settle();
    high.nothing("an error to a bare address", |s| {
        s.attribute("id").as_deref() == Some("e")
    });
    // Without an address it is to oneself.
    ann.send("<message type='chat'><body>myself</body></message>");
    assert_eq!(
        ann.message("myself").attribute("to").as_deref(),
        Some("ann@office.example")
    );
}

#[test]
fn to_a_full_address() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::login(&server, "bob", "desk");
    // Also to a session that is not available.
    for kind in ["chat", "normal", "headline", "groupchat"] {
        send(&mut ann, "bob@office.example/desk", kind, kind);
        bob.message(kind);
    }
    bob.available("");
    // No such resource (8.5.3.2.1): chat and normal go to the account.
    send(&mut ann, "bob@office.example/phone", "chat", "chat to none");
    bob.message("chat to none");
    send(
        &mut ann,
        "bob@office.example/phone",
        "headline",
        "headline to none",
    );
    send(
        &mut ann,
        "bob@office.example/phone",
        "groupchat",
        "room to none",
    );
    let refused = ann.expect("an error", |s| {
        s.attribute("id").as_deref() == Some("room to none")
    });
    assert_eq!(condition(&refused).as_deref(), Some("service-unavailable"));
    ann.settle();
    bob.nothing("a headline for another resource", is_message);
    send(&mut ann, "nobody@office.example", "chat", "nobody");
    let refused = ann.expect("an error", |s| {
        s.attribute("id").as_deref() == Some("nobody")
    });
    assert_eq!(condition(&refused).as_deref(), Some("service-unavailable"));
    send(&mut ann, "bob@elsewhere.example", "chat", "elsewhere");
    let refused = ann.expect("an error", |s| {
        s.attribute("id").as_deref() == Some("elsewhere")
    });
    assert_eq!(
        condition(&refused).as_deref(),
        Some("remote-server-not-found")
    );
}

#[test]
fn kept_while_away_and_delivered_once() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    for (kind, body) in [
        ("chat", "first"),
        ("normal", "second"),
        ("headline", "news"),
    ] {
        send(&mut ann, "bob@office.example", kind, body);
    }
    // Nothing to say: not kept.
    ann.send("<message to='bob@office.example' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>");
    ann.settle();
    let mut negative = Client::login(&server, "bob", "negative");
    negative.available("<priority>-1</priority>");
    negative.nothing("a stored message", is_message);
    let mut bob = Client::login(&server, "bob", "desk");
    bob.nothing("a stored message before presence", is_message);
    bob.available("");
    for body in ["first", "second"] {
        let got = bob.expect("a stored message", is_message);
        assert_eq!(text(&got, "body"), body, "in order");
        let delay = got.child("delay", "urn:xmpp:delay").expect("XEP-0203");
        let stamp = delay.attribute("stamp").unwrap().into_owned();
        assert!(stamp.ends_with('Z') && stamp.contains('T'), "{stamp}");
        assert_eq!(delay.attribute("from").as_deref(), Some("office.example"));
        assert_eq!(
            got.attribute("from").as_deref(),
            Some("ann@office.example/desk")
        );
    }
    bob.nothing("anything else", is_message);
    bob.close();
    let mut bob = Client::online(&server, "bob", "desk");
    bob.nothing("it a second time", is_message);
}

#[test]
fn only_so_much_is_kept() {
    let server = Server::with("[limits]\noffline_messages = 2", &["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    for body in ["one", "two", "three"] {
        send(&mut ann, "bob@office.example", "chat", body);
    }
    let refused = ann.expect("an error", |s| {
        s.attribute("id").as_deref() == Some("three")
    });
    let why = condition(&refused);
    assert!(
        matches!(
            why.as_deref(),
            Some("service-unavailable" | "resource-constraint")
        ),
        "{refused:?}"
    );
    let mut bob = Client::online(&server, "bob", "desk");
    bob.message("one");
    bob.message("two");
    bob.nothing("the third", is_message);
}

#[test]
fn questions_have_one_answer() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    for to in [
        "",
        "office.example",
        "ann@office.example",
        "bob@office.example",
        "bob@office.example/none",
    ] {
        let answer = ann.ask("get", to, "<query xmlns='urn:unknown'/>");
        assert_eq!(
            condition(&answer).as_deref(),
            Some("service-unavailable"),
            "{to}"
        );
    }
    bob.nothing("a question to the account", |s| s.name() == "iq");
    // Who may not see that bob is there does not learn it by asking him (8.5.3.1).
    let question = "<query xmlns='urn:unknown'/>";
    let refused = ann.ask("get", "bob@office.example/desk", question);
    assert_eq!(condition(&refused).as_deref(), Some("service-unavailable"));
    bob.nothing("a question of a stranger", |s| s.name() == "iq");
    befriend(&mut ann, &mut bob);
    ann.send(
        "<iq type='get' id='far' to='bob@office.example/desk'><query xmlns='urn:unknown'/></iq>",
    );
    let question = bob.expect("the question", |s| {
        s.attribute("id").as_deref() == Some("far")
    });
    assert_eq!(
        question.attribute("from").as_deref(),
        Some("ann@office.example/desk")
    );
    bob.send("<iq type='result' id='far' to='ann@office.example/desk'/>");
    ann.expect("the answer", |s| {
        s.attribute("id").as_deref() == Some("far")
    });
    // An answer nobody asked for is not answered.
    ann.send("<iq type='result' id='unasked' to='office.example'/><iq type='error' id='unasked' to='bob@office.example/none'/>");
    ann.nothing("an answer to an answer", |s| {
        s.attribute("id").as_deref() == Some("unasked")
    });
    for (bad, id) in [
        ("<iq type='get'><query xmlns='urn:unknown'/></iq>", ""),
        (
            "<iq type='ask' id='b1'><query xmlns='urn:unknown'/></iq>",
            "b1",
        ),
        ("<iq type='get' id='b2'/>", "b2"),
        (
            "<iq type='get' id='b3'><a xmlns='urn:unknown'/><b xmlns='urn:unknown'/></iq>",
            "b3",
        ),
    ] {
        ann.send(bad);
        let answer = ann.expect("an error", |s| {
            s.name() == "iq" && s.attribute("type").as_deref() == Some("error")
        });
        assert_eq!(
            answer.attribute("id").as_deref().unwrap_or_default(),
            id,
            "{bad}"
        );
        assert_eq!(condition(&answer).as_deref(), Some("bad-request"), "{bad}");
    }
}

#[test]
fn what_the_server_says_of_itself() {
    let server = Server::start(&["ann"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let info = ann.ask(
        "get",
        "office.example",
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    );
    let query = info
        .child("query", "http://jabber.org/protocol/disco#info")
        .unwrap();
    let features: Vec<String> = query
        .children()
        .filter(|c| c.name() == "feature")
        .map(|c| c.attribute("var").unwrap().into_owned())
        .collect();
    for feature in [
        "http://jabber.org/protocol/disco#info",
        "http://jabber.org/protocol/disco#items",
        "jabber:iq:version",
        "jabber:iq:last",
        "urn:xmpp:ping",
        "urn:xmpp:time",
    ] {
        assert!(
            features.contains(&feature.to_owned()),
            "{feature}: {features:?}"
        );
    }
    let identity = query.children().find(|c| c.name() == "identity").unwrap();
    assert_eq!(identity.attribute("category").as_deref(), Some("server"));
    let version = ann.ask(
        "get",
        "office.example",
        "<query xmlns='jabber:iq:version'/>",
    );
    let raw = String::from_utf8(version.raw().to_vec()).unwrap();
    assert!(raw.contains("<name>Adsum</name>"), "{raw}");
    let time = ann.ask("get", "office.example", "<time xmlns='urn:xmpp:time'/>");
    assert!(time.child("time", "urn:xmpp:time").is_some());
    let last = ann.ask("get", "office.example", "<query xmlns='jabber:iq:last'/>");
    let seconds = last.child("query", "jabber:iq:last").unwrap();
    seconds
        .attribute("seconds")
        .unwrap()
        .parse::<u64>()
        .unwrap();
    // How long somebody has been away is for who may see the presence.
    let refused = ann.ask(
        "get",
        "bob@office.example",
        "<query xmlns='jabber:iq:last'/>",
    );
    assert_eq!(refused.attribute("type").as_deref(), Some("error"));
}
