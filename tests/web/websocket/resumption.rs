//! Streams that go on over another kind of connection (XEP-0198 §5, RFC 7395 §3.10).

use std::time::Duration;

use xml::Element;

use super::browser::{Browser, CLOSING, FRAMING, Heard, frame};
use crate::support::{Client, Server, quick};

const SM: &str = "urn:xmpp:sm:3";
const ENABLE: &str = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>";

fn waits(server: &Server) {
    server.wait_for_status("it is known to be lost", |status| {
        status["connections"]["waiting"] == 1
    });
}

fn id(enabled: &Element) -> String {
    assert!(enabled.is("enabled", SM), "{enabled:?}");
    enabled.attribute("id").unwrap().into_owned()
}

fn wish(id: &str, taken: u32) -> String {
    format!("<resume xmlns='{SM}' previd='{id}' h='{taken}'/>")
}

fn resumed(answer: &Element) {
    assert!(answer.is("resumed", SM), "{answer:?}");
}

fn bodies(stanzas: &[Element]) -> Vec<String> {
    let bodies = stanzas
        .iter()
        .filter_map(|s| s.child("body", "jabber:client"));
    bodies.map(|body| body.text().into_owned()).collect()
}

/// Over WebSocket again, with what was not acknowledged first, each in its own frame.
#[test]
fn from_page_to_page() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut ann = Browser::online(&server, "ann", "web");
    ann.say(ENABLE);
    let id = id(&ann.expect("enabled", |s| s.is("enabled", SM)));
    ann.taken = 0;
    let to = |body: &str| {
        format!("<message to='ann@office.example/web' type='chat'><body>{body}</body></message>")
    };
    bob.send(&to("1"));
    bob.send(&to("2"));
    ann.message("2");
    // The page is left: the browser closes the connection, and the stream goes on.
    let taken = ann.taken - 1;
    ann.octets(&frame(CLOSING, &1001_u16.to_be_bytes()));
    let last = std::iter::from_fn(|| Some(ann.hear())).find(|h| !matches!(h, Heard::Element(_)));
    assert_eq!(last, Some(Heard::Close(Some(1001))));
    waits(&server);
    bob.send(&to("3"));
    bob.settle();
    let mut ann = Browser::authenticated(&server, "ann");
    ann.say(&wish(&id, taken));
    resumed(&ann.element());
    assert_eq!(bodies(&ann.settle()), ["2", "3"]);
}

/// From TCP to WebSocket and back, again and again.
#[test]
fn from_one_kind_of_connection_to_the_other() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut desk = Client::online(&server, "ann", "desk");
    desk.settle();
    desk.send(ENABLE);
    let id = id(&desk.next("enabled"));
    desk.taken = 0;
    let mut number = 0;
    let mut say = |bob: &mut Client| {
        number += 1;
        bob.send(&format!(
            "<message to='ann@office.example/desk' type='chat'><body>{number}</body></message>"
        ));
        bob.settle();
        number.to_string()
    };
    for _ in 0..3 {
        let read = say(&mut bob);
        desk.message(&read);
        // The last is not acknowledged: it comes again.
        let mut taken = desk.taken - 1;
        desk.cut();
        waits(&server);
        let waited = say(&mut bob);
        let mut page = Browser::authenticated(&server, "ann");
        page.say(&wish(&id, taken));
        resumed(&page.element());
        assert_eq!(bodies(&page.settle()), [read, waited]);
        page.jid = "ann@office.example/desk".to_owned();
        page.send("bob@office.example", "from the page");
        bob.message("from the page");
        page.taken += taken;

        let read = say(&mut bob);
        page.message(&read);
        taken = page.taken - 1;
        page.cut();
        waits(&server);
        let waited = say(&mut bob);
        desk = Client::authenticated(&server, "ann");
        desk.send(&wish(&id, taken));
        resumed(&desk.next("resumed"));
        assert_eq!(bodies(&desk.settle()), [read, waited]);
        desk.taken += taken;
        desk.send(
            "<message to='bob@office.example' type='chat'><body>from the desk</body></message>",
        );
        bob.message("from the desk");
    }
}

/// A stream that is taken over while its connection is open is told so, in the way of that connection.
#[test]
fn taken_over_while_open() {
    let server = Server::start(&["ann"]);
    let mut page = Browser::online(&server, "ann", "web");
    page.say(ENABLE);
    let id = id(&page.expect("enabled", |s| s.is("enabled", SM)));
    let mut desk = Client::authenticated(&server, "ann");
    desk.send(&wish(&id, 0));
    resumed(&desk.next("resumed"));
    page.ends_with("conflict", 1000);
    // Back again, while the other is open.
    let mut again = Browser::authenticated(&server, "ann");
    again.say(&wish(&id, 0));
    resumed(&again.element());
    desk.ends_with("conflict");
    again.settle();
    // A number that cannot be.
    again.say("<a xmlns='urn:xmpp:sm:3' h='99'/>");
    again.ends_with("undefined-condition", 1000);
}

/// Who acknowledges nothing is told what he did (RFC 6455 §7.4.1).
#[test]
fn who_never_acknowledges() {
    let server = Server::with("[limits]\nresume_stanzas = 16", &["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut ann = Browser::online(&server, "ann", "web");
    ann.say(ENABLE);
    id(&ann.expect("enabled", |s| s.is("enabled", SM)));
    for number in 0..40 {
        bob.send(&format!(
            "<message to='ann@office.example/web' type='chat'><body>{number}</body></message>"
        ));
    }
    let last = std::iter::from_fn(|| Some(ann.hear())).find(|h| !matches!(h, Heard::Element(_)));
    assert_eq!(last, Some(Heard::Close(Some(1008))));
    assert_eq!(ann.hear(), Heard::End);
}

/// A connection on which nothing is heard any more is closed in order: somebody may listen nevertheless. His silence and the time that he
/// has for his answer make 31 seconds.
#[test]
fn who_is_silent_is_told_that_it_is_over() {
    if quick() {
        return;
    }
    let server = Server::with("[xmpp]\nping_after = \"1s\"", &["ann", "bob"]);
    let mut waits = Browser::secure(&server).upgraded(&[]);
    waits.open();
    waits.log_in("ann");
    waits.bind("web");
    waits.say(ENABLE);
    id(&waits.expect("enabled", |s| s.is("enabled", SM)));
    let mut ends = Browser::online(&server, "bob", "web");
    for browser in [&mut waits, &mut ends] {
        browser.patience = Duration::from_secs(60);
        browser.ends_with("connection-timeout", 1000);
    }
}

/// XEP-0198 §4: what nobody acknowledged goes elsewhere when the stream ends.
#[test]
fn what_was_not_acknowledged_is_kept() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut ann = Browser::online(&server, "ann", "web");
    ann.say(ENABLE);
    id(&ann.expect("enabled", |s| s.is("enabled", SM)));
    bob.send("<message to='ann@office.example' type='chat'><body>late</body></message>");
    ann.message("late");
    ann.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    ann.expect("close", |s| s.is("close", FRAMING));
    ann.closes(1000);
    let mut again = Browser::online(&server, "ann", "web");
    again.message("late");
}
