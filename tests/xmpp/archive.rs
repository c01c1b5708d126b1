//! Archives of messages over real sockets and kill -9 (XEP-0313).

use ::xml::Element;

use crate::support::xmpp::condition;
use crate::support::{Client, Server};

const MAM: &str = "urn:xmpp:mam:2";
const RSM: &str = "http://jabber.org/protocol/rsm";

/// A page: the texts, and the answer.
fn page(client: &mut Client, content: &str) -> (Vec<String>, Element) {
    client.send(&format!(
        "<iq type='set' id='page'><query xmlns='{MAM}' queryid='f'>{content}</query></iq>"
    ));
    let mut texts = Vec::new();
    loop {
        let stanza = client.next("a page");
        if stanza.attribute("id").as_deref() == Some("page") {
            return (texts, stanza);
        }
        let Some(result) = stanza.child("result", MAM) else {
            continue;
        };
        let forwarded = result.child("forwarded", "urn:xmpp:forward:0").unwrap();
        let message = forwarded.child("message", "jabber:client").unwrap();
        let body = message.child("body", "jabber:client").unwrap();
        texts.push(body.text().into_owned());
    }
}

fn say(client: &mut Client, text: &str) {
    client.send(&format!(
        "<message type='chat' to='bob@office.example'><body>{text}</body></message>"
    ));
}

#[test]
fn what_was_said_is_there_at_once_and_after_kill_9() {
    let mut server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let texts: Vec<String> = (0..30).map(|n| format!("m{n}")).collect();
    for text in &texts {
        say(&mut ann, text);
    }
    // The question comes behind what was said, and finds it.
    ann.settle();
    let (found, fin) = page(&mut ann, "");
    assert_eq!(found, texts);
    let fin = fin.child("fin", MAM).unwrap();
    assert_eq!(fin.attribute("complete").as_deref(), Some("true"));
    let last = fin.child("set", RSM).unwrap().child("last", RSM).unwrap();
    let last = last.text().into_owned();
    server.kill();
    server.launch();
    let mut bob = Client::online(&server, "bob", "desk");
    bob.settle();
    assert_eq!(page(&mut bob, "").0, texts);
    // What is said now comes behind what was said before.
    let mut ann = Client::online(&server, "ann", "desk");
    say(&mut ann, "after");
    let after = format!("<set xmlns='{RSM}'><after>{last}</after></set>");
    assert_eq!(page(&mut ann, &after).0, ["after"]);
}

#[test]
fn pages_asked_for_at_once_come_one_after_the_other_and_end_nobody() {
    let limits = "[limits]\nout_queue = \"64KiB\"";
    let server = Server::with(limits, &["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let long = "x".repeat(3000);
    for _ in 0..40 {
        say(&mut ann, &long);
    }
    ann.settle();
    // 120 KB; a page has at most 8 KiB.
    let (first, fin) = page(&mut ann, "");
    assert!((1..=3).contains(&first.len()), "{}", first.len());
    let fin = fin.child("fin", MAM).unwrap();
    assert_eq!(fin.attribute("complete"), None);
    // Many at once, and nothing read meanwhile.
    for n in 0..100 {
        ann.send(&format!(
            "<iq type='set' id='q{n}'><query xmlns='{MAM}'><set xmlns='{RSM}'><before/></set></query></iq>"
        ));
    }
    for n in 0..100 {
        let id = format!("q{n}");
        ann.expect("an answer", |s| s.attribute("id").as_deref() == Some(&*id));
    }
}

#[test]
fn an_archive_that_is_off_is_not_there() {
    let server = Server::with("[xmpp]\narchive = \"off\"", &["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    say(&mut ann, "hello");
    let got = bob.message("hello");
    assert!(got.child("stanza-id", "urn:xmpp:sid:0").is_none());
    let disco = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    let info = ann.ask("get", "ann@office.example", disco);
    let raw = String::from_utf8(info.raw().to_vec()).unwrap();
    assert!(!raw.contains(MAM), "{raw}");
    for (kind, payload) in [("set", "query"), ("get", "metadata"), ("get", "prefs")] {
        let refused = ann.ask(kind, "", &format!("<{payload} xmlns='{MAM}'/>"));
        assert_eq!(condition(&refused).as_deref(), Some("service-unavailable"));
    }
}

#[test]
fn an_account_says_that_it_has_one() {
    let server = Server::start(&["ann"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let disco = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    let info = ann.ask("get", "ann@office.example", disco);
    let query = info.child("query", "http://jabber.org/protocol/disco#info");
    let features: Vec<_> = query.unwrap().children().collect();
    for feature in [MAM, "urn:xmpp:mam:2#extended", "urn:xmpp:sid:0", RSM] {
        let there = |c: &::xml::Child<'_>| c.attribute("var").as_deref() == Some(feature);
        assert!(features.iter().any(there), "{feature}");
    }
}

/// All that was queued before is on the disk: this is queued behind it and answered when it is there.
fn written(client: &mut Client) {
    let item = "<query xmlns='jabber:iq:roster'><item jid='eve@office.example'/></query>";
    let done = client.ask("set", "", item);
    assert_eq!(done.attribute("type").as_deref(), Some("result"));
}

#[test]
fn what_is_too_much_to_wait_is_found_in_the_archive_by_who_reads_it() {
    let limits = "[limits]\noffline_messages = 2";
    let mut server = Server::with(limits, &["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    for text in ["one", "two", "refused"] {
        say(&mut ann, text);
    }
    let refused = ann.settle();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(
        condition(&refused[0]).as_deref(),
        Some("service-unavailable")
    );
    // His client reads the archive, and that is known after a crash.
    let mut bob = Client::login(&server, "bob", "desk");
    assert_eq!(page(&mut bob, "").0, ["one", "two"]);
    written(&mut bob);
    server.kill();
    server.launch();
    let mut ann = Client::online(&server, "ann", "desk");
    for number in 3..20 {
        say(&mut ann, &number.to_string());
    }
    written(&mut ann);
    let refused = |s: &Element| s.attribute("type").as_deref() == Some("error");
    assert!(!ann.settle().iter().any(refused));
    server.kill();
    server.launch();
    let mut bob = Client::online(&server, "bob", "desk");
    bob.message("one");
    bob.message("two");
    bob.nothing("more than waits", |s| s.name() == "message");
    let (found, _) = page(&mut bob, "");
    let later = (3..20).map(|number| number.to_string());
    let all: Vec<_> = ["one", "two"]
        .into_iter()
        .map(str::to_owned)
        .chain(later)
        .collect();
    assert_eq!(found, all);
}
