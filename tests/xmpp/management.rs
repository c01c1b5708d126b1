//! Stream management without loss of the connection: what is counted, asked and answered (XEP-0198 §3, §4, §6).

use ::xml::Element;

use crate::support::{Client, Server};

/// The namespace.
pub(super) const SM: &str = "urn:xmpp:sm:3";

/// A stream that is managed and cannot be resumed; the client's count begins here.
fn managed(server: &Server, user: &str) -> Client {
    let mut client = Client::online(server, user, "desk");
    client.settle();
    client.send("<enable xmlns='urn:xmpp:sm:3'/>");
    let enabled = client.next("enabled");
    assert!(enabled.is("enabled", SM), "{enabled:?}");
    assert_eq!(enabled.attribute("id"), None);
    client.taken = 0;
    client
}

fn is_question(element: &Element) -> bool {
    element.is("r", SM)
}

/// How many of its stanzas the server has handled.
fn handled(client: &mut Client) -> u32 {
    client.send("<r xmlns='urn:xmpp:sm:3'/>");
    let answer = client.expect("an answer", |e| e.is("a", SM));
    answer.attribute("h").unwrap().parse().unwrap()
}

pub(super) fn acknowledge(client: &mut Client, taken: u32) {
    client.send(&format!("<a xmlns='urn:xmpp:sm:3' h='{taken}'/>"));
}

#[test]
fn what_the_client_sends_is_counted_when_it_is_handled() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = managed(&server, "ann");
    assert_eq!(handled(&mut ann), 0);
    ann.settle();
    assert_eq!(handled(&mut ann), 1);
    // One that is stored, one for nobody, one that is refused, one that is nonsense.
    ann.send("<message to='bob@office.example' type='chat'><body>x</body></message>");
    ann.send("<message to='eve@office.example' type='headline'><body>x</body></message>");
    ann.send("<message to='eve@office.example' type='chat'><body>x</body></message>");
    ann.send("<presence type='nonsense'/>");
    assert_eq!(handled(&mut ann), 5);
    let mut bob = Client::online(&server, "bob", "desk");
    bob.message("x");
}

#[test]
fn acknowledged_is_what_survives_a_power_cut() {
    let mut server = Server::start(&["ann", "bob"]);
    let mut ann = managed(&server, "ann");
    for number in 0..50 {
        ann.send(&format!(
            "<message to='bob@office.example' type='chat' id='{number}'><body>x</body></message>"
        ));
    }
    assert_eq!(handled(&mut ann), 50);
    server.kill();
    drop(ann);
    server.launch();
    let mut bob = Client::online(&server, "bob", "desk");
    for number in 0..50 {
        let message = bob.expect("a message", |s| s.name() == "message");
        assert_eq!(message.attribute("id").unwrap(), number.to_string());
    }
}

#[test]
fn the_client_is_asked_once_until_it_answers() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = managed(&server, "bob");
    let mut ann = Client::online(&server, "ann", "desk");
    for _ in 0..3 {
        ann.send("<message to='bob@office.example/desk' type='chat'><body>one</body></message>");
    }
    ann.settle();
    let questions = |all: Vec<Element>| all.iter().filter(|e| is_question(e)).count();
    assert_eq!(questions(bob.settle()), 1);
    // Three messages and the answer to the question whether they came; it gets asked for what is left.
    assert_eq!(bob.taken, 4);
    acknowledge(&mut bob, 3);
    assert_eq!(questions(bob.settle()), 1);
    acknowledge(&mut bob, 5);
    // The next stanza is asked about again.
    assert_eq!(questions(bob.settle()), 0);
}

#[test]
fn who_acknowledges_what_was_never_sent_is_told_and_the_stream_ends() {
    let server = Server::start(&["ann"]);
    let mut ann = managed(&server, "ann");
    ann.settle();
    acknowledge(&mut ann, 3);
    let error = ann.expect("a stream error", |e| e.name() == "error");
    let wrong = error.child("handled-count-too-high", SM).unwrap();
    assert_eq!(wrong.attribute("h").as_deref(), Some("3"));
    assert_eq!(wrong.attribute("send-count").as_deref(), Some("1"));
    assert!(error.children().any(|c| c.name() == "undefined-condition"));
    assert!(ann.end().closed);
}

#[test]
fn who_never_acknowledges_is_given_up_and_loses_nothing() {
    let limits = "[limits]\nresume_stanzas = 16";
    let server = Server::with(limits, &["ann", "bob"]);
    let mut bob = managed(&server, "bob");
    let mut ann = Client::online(&server, "ann", "desk");
    for number in 0..40 {
        ann.send(&format!(
            "<message to='bob@office.example/desk' type='chat' id='{number}'><body>x</body></message>"
        ));
    }
    bob.end();
    let mut bob = Client::online(&server, "bob", "desk");
    for number in 0..40 {
        let message = bob.expect("a message", |s| s.name() == "message");
        assert_eq!(message.attribute("id").unwrap(), number.to_string());
    }
    bob.nothing("more", |s| s.name() == "message");
}

#[test]
fn stored_messages_wait_until_they_are_acknowledged() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    for number in 0..4 {
        ann.send(&format!(
            "<message to='bob@office.example' type='chat' id='{number}'><body>x</body></message>"
        ));
    }
    ann.settle();
    // Bob has read them all when his connection breaks, but that is known of none.
    let take = |acknowledged: Option<u32>| {
        let mut bob = Client::login(&server, "bob", "desk");
        bob.send("<enable xmlns='urn:xmpp:sm:3'/>");
        bob.next("enabled");
        bob.taken = 0;
        bob.send("<presence/>");
        for number in 0..4 {
            let message = bob.expect("a message", |s| s.name() == "message");
            assert_eq!(message.attribute("id").unwrap(), number.to_string());
        }
        bob.settle();
        if let Some(more) = acknowledged {
            let taken = bob.taken;
            acknowledge(&mut bob, taken - more);
            bob.settle();
        }
        bob.cut();
    };
    take(None);
    take(Some(0));
    let mut bob = Client::online(&server, "bob", "desk");
    bob.nothing("them again", |s| s.name() == "message");
}

#[test]
fn where_no_stream_is_resumed_none_is_promised() {
    let server = Server::with("[limits]\nresume_timeout = 0", &["ann"]);
    let mut ann = Client::online(&server, "ann", "desk");
    ann.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let enabled = ann.expect("enabled", |e| e.is("enabled", SM));
    for name in ["id", "resume", "max"] {
        assert_eq!(enabled.attribute(name), None, "{name}");
    }
    assert_eq!(handled(&mut ann), 0);
    let mut late = Client::authenticated(&server, "ann");
    late.send(&format!("<resume xmlns='{SM}' previd='some' h='0'/>"));
    let failed = late.next("an answer");
    assert!(failed.is("failed", SM), "{failed:?}");
    let condition = failed.children().next().unwrap();
    assert_eq!(condition.name(), "feature-not-implemented");
    late.bind("hand");
}
