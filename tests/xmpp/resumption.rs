//! Streams that go on on another connection (XEP-0198 §5), and what becomes of those that do not.

use std::io::Write as _;

use ::xml::Element;

use super::management::{SM, acknowledge};
use crate::support::server::password;
use crate::support::{Client, Server};

/// A stream that can be resumed: the client, and the stream's name.
fn resumable(server: &Server, user: &str) -> (Client, String) {
    let mut client = Client::online(server, user, "desk");
    let id = enable(&mut client);
    (client, id)
}

fn enable(client: &mut Client) -> String {
    client.settle();
    client.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let enabled = client.next("enabled");
    assert_eq!(enabled.attribute("resume").as_deref(), Some("true"));
    client.taken = 0;
    enabled.attribute("id").unwrap().into_owned()
}

/// Asks for a stream on a new connection; the server's answer.
fn try_resume(server: &Server, user: &str, id: &str, taken: u32) -> (Client, Element) {
    let mut client = Client::authenticated(server, user);
    client.send(&format!(
        "<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='{taken}'/>"
    ));
    let answer = client.next("an answer");
    (client, answer)
}

/// Resumes a stream. The client has its address again and has taken so many stanzas.
fn resume(server: &Server, user: &str, id: &str, taken: u32) -> Client {
    let (mut client, answer) = try_resume(server, user, id, taken);
    assert!(answer.is("resumed", SM), "{answer:?}");
    assert_eq!(answer.attribute("previd").as_deref(), Some(id));
    client.jid = format!("{user}@office.example/desk");
    client.taken += taken;
    client
}

fn condition(failed: &Element) -> String {
    assert!(failed.is("failed", SM), "{failed:?}");
    failed.children().next().unwrap().name().to_owned()
}

fn say(client: &mut Client, to: &str, body: &str) {
    client.send(&format!(
        "<message to='{to}' type='chat' id='{body}'><body>{body}</body></message>"
    ));
}

/// The ids of the messages that have come.
fn messages(client: &mut Client) -> Vec<String> {
    let all = client.settle();
    let messages = all.iter().filter(|s| s.name() == "message");
    messages
        .map(|m| m.attribute("id").unwrap().into_owned())
        .collect()
}

fn waits(server: &Server, count: u64) {
    server.wait_for_status("it is known to be lost", |status| {
        status["connections"]["waiting"] == count
    });
}

fn gone(from: &str) -> impl Fn(&Element) -> bool + '_ {
    move |s| {
        s.name() == "presence"
            && s.attribute("type").as_deref() == Some("unavailable")
            && s.attribute("from").as_deref() == Some(from)
    }
}

/// The first watches the second.
fn friends(ann: &mut Client, bob: &mut Client) {
    let (watcher, watched) = (ann.bare().to_owned(), bob.bare().to_owned());
    ann.send(&format!("<presence to='{watched}' type='subscribe'/>"));
    bob.presence(&watcher, "subscribe");
    bob.send(&format!("<presence to='{watcher}' type='subscribed'/>"));
    let seen = bob.jid.clone();
    ann.presence(&seen, "");
}

#[test]
fn a_broken_connection_is_silent_and_loses_nothing() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    friends(&mut ann, &mut bob);
    let id = enable(&mut bob);
    say(&mut ann, "bob@office.example", "1");
    say(&mut ann, "bob@office.example/desk", "2");
    bob.message("2");
    let read = bob.taken - 1;
    // The second was read, but the client does not remember.
    bob.cut();
    waits(&server, 1);
    say(&mut ann, "bob@office.example", "3");
    ann.send("<iq type='get' id='v' to='bob@office.example/desk'><query xmlns='jabber:iq:version'/></iq>");
    ann.settle();
    let mut bob = resume(&server, "bob", &id, read);
    let all = bob.settle();
    let names: Vec<_> = all
        .iter()
        .filter(|s| s.name() == "message" || s.attribute("id").as_deref() == Some("v"))
        .map(|s| s.attribute("id").unwrap().into_owned())
        .collect();
    assert_eq!(names, ["2", "3", "v"]);
    ann.nothing("a change", |s| s.name() == "presence");
    // It goes on as if nothing had been, on and on.
    for round in 4..8 {
        let taken = bob.taken;
        bob.cut();
        waits(&server, 1);
        let body = round.to_string();
        say(&mut ann, "bob@office.example", &body);
        bob = resume(&server, "bob", &id, taken);
        assert_eq!(messages(&mut bob), [body]);
    }
    bob.send("<presence><show>away</show></presence>");
    ann.expect("his presence", |s| {
        s.child("show", "jabber:client").is_some()
    });
    bob.close();
    ann.presence("bob@office.example/desk", "unavailable");
}

#[test]
fn what_the_client_sent_is_told_so_that_it_sends_the_rest_again() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let (mut bob, id) = resumable(&server, "bob");
    for body in ["1", "2", "3"] {
        say(&mut bob, "ann@office.example", body);
    }
    ann.message("3");
    let taken = bob.taken;
    bob.cut();
    let (_bob, answer) = try_resume(&server, "bob", &id, taken);
    assert_eq!(answer.attribute("h").as_deref(), Some("3"));
    assert_eq!(messages(&mut ann), ["1", "2"]);
}

#[test]
fn a_connection_that_is_still_open_is_taken_over() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let (mut old, id) = resumable(&server, "bob");
    say(&mut ann, "bob@office.example", "1");
    old.message("1");
    let mut bob = resume(&server, "bob", &id, 0);
    old.ends_with("conflict");
    assert_eq!(messages(&mut bob), ["1"]);
    say(&mut ann, "bob@office.example", "2");
    ann.settle();
    assert_eq!(messages(&mut bob), ["2"]);
    // And once more, from that one.
    let taken = bob.taken;
    let mut third = resume(&server, "bob", &id, taken);
    bob.ends_with("conflict");
    assert!(messages(&mut third).is_empty());
}

#[test]
fn who_does_not_come_back_loses_nothing_and_gets_nothing_twice() {
    let server = Server::with("[limits]\nresume_timeout = \"1s\"", &["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let (mut bob, id) = resumable(&server, "bob");
    say(&mut ann, "bob@office.example", "read");
    bob.message("read");
    let taken = bob.taken;
    acknowledge(&mut bob, taken);
    bob.settle();
    bob.cut();
    waits(&server, 1);
    say(&mut ann, "bob@office.example", "1");
    say(&mut ann, "bob@office.example/desk", "2");
    ann.send("<iq type='get' id='v' to='bob@office.example/desk'><query xmlns='jabber:iq:version'/></iq>");
    ann.send("<message to='bob@office.example/desk' type='chat' id='s'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>");
    // The question is answered in his place when he is given up.
    let error = ann.expect("an error", |s| s.attribute("id").as_deref() == Some("v"));
    assert_eq!(error.attribute("type").as_deref(), Some("error"));
    assert!(
        error
            .child("error", "jabber:client")
            .unwrap()
            .children()
            .any(|c| c.name() == "service-unavailable")
    );
    waits(&server, 0);
    let (mut bob, answer) = try_resume(&server, "bob", &id, taken);
    assert_eq!(condition(&answer), "item-not-found");
    // One message was sent by it: the question of settle.
    assert_eq!(answer.attribute("h").as_deref(), Some("1"));
    bob.bind("desk");
    bob.available("");
    for id in ["1", "2"] {
        let message = bob.message(id);
        assert!(
            message.child("delay", "urn:xmpp:delay").is_some(),
            "{message:?}"
        );
    }
    bob.nothing("more", |s| s.name() == "message");
}

#[test]
fn another_client_gets_at_once_what_the_lost_one_never_got() {
    let server = Server::with("[limits]\nresume_timeout = \"1s\"", &["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let (bob, _) = resumable(&server, "bob");
    let mut other = Client::online(&server, "bob", "other");
    bob.cut();
    waits(&server, 1);
    say(&mut ann, "bob@office.example/desk", "1");
    let message = other.message("1");
    assert!(
        message.child("delay", "urn:xmpp:delay").is_some(),
        "{message:?}"
    );
    assert_eq!(
        message.attribute("to").as_deref(),
        Some("bob@office.example/desk")
    );
    other.nothing("more", |s| s.name() == "message");
}

#[test]
fn presence_is_withdrawn_before_the_stream_is_and_shown_again() {
    let server = Server::with("[limits]\nresume_presence = \"1s\"", &["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    friends(&mut ann, &mut bob);
    bob.available("<status>here</status>");
    ann.expect("his status", |s| {
        s.child("status", "jabber:client").is_some()
    });
    let id = enable(&mut bob);
    let taken = bob.taken;
    bob.cut();
    ann.presence("bob@office.example/desk", "unavailable");
    say(&mut ann, "bob@office.example", "1");
    say(&mut ann, "bob@office.example/desk", "2");
    ann.settle();
    let mut bob = resume(&server, "bob", &id, taken);
    let again = ann.presence("bob@office.example/desk", "");
    assert_eq!(
        again.child("status", "jabber:client").unwrap().text(),
        "here"
    );
    let mut got = vec![bob.expect("a message", |s| s.name() == "message")];
    got.push(bob.expect("a message", |s| s.name() == "message"));
    let mut got: Vec<_> = got.iter().map(|m| m.attribute("id").unwrap()).collect();
    got.sort_unstable();
    assert_eq!(got, ["1", "2"]);
}

#[test]
fn streams_of_others_and_unknown_ones_cannot_be_resumed() {
    let server = Server::start(&["ann", "bob"]);
    let (bob, id) = resumable(&server, "bob");
    let (mut ann, answer) = try_resume(&server, "ann", &id, 0);
    assert_eq!(condition(&answer), "item-not-found");
    assert_eq!(answer.attribute("h"), None);
    for wrong in ["", "0", &id[1..], "x y"] {
        ann.send(&format!(
            "<resume xmlns='urn:xmpp:sm:3' previd='{wrong}' h='0'/>"
        ));
        assert_eq!(condition(&ann.next("an answer")), "item-not-found");
    }
    ann.bind("desk");
    ann.available("");
    // His own is as it was.
    bob.cut();
    let mut bob = resume(&server, "bob", &id, 0);
    bob.settle();
}

#[test]
fn who_claims_too_much_spoils_nothing() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let (bob, id) = resumable(&server, "bob");
    bob.cut();
    say(&mut ann, "bob@office.example", "1");
    ann.settle();
    let (mut liar, answer) = try_resume(&server, "bob", &id, 7);
    assert!(
        answer.child("handled-count-too-high", SM).is_some(),
        "{answer:?}"
    );
    assert!(liar.end().closed);
    let mut bob = resume(&server, "bob", &id, 0);
    assert_eq!(messages(&mut bob), ["1"]);
}

#[test]
fn a_new_session_of_the_same_name_ends_the_one_that_waits_and_gets_its_messages() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let (bob, id) = resumable(&server, "bob");
    bob.cut();
    waits(&server, 1);
    say(&mut ann, "bob@office.example/desk", "1");
    ann.settle();
    let mut bob = Client::login(&server, "bob", "desk");
    waits(&server, 0);
    bob.available("");
    bob.message("1");
    let (_, answer) = try_resume(&server, "bob", &id, 0);
    assert_eq!(condition(&answer), "item-not-found");
}

#[test]
fn a_stream_that_was_closed_is_not_resumed() {
    let server = Server::start(&["bob"]);
    let (bob, id) = resumable(&server, "bob");
    bob.close();
    let (_, answer) = try_resume(&server, "bob", &id, 0);
    assert_eq!(condition(&answer), "item-not-found");
}

#[test]
fn a_new_password_ends_what_waits() {
    let server = Server::start(&["ann", "bob"]);
    let (bob, id) = resumable(&server, "bob");
    bob.cut();
    waits(&server, 1);
    let word = password("bob");
    let done = server.run_with_input(
        &["user", "password", "bob@office.example", "--password-stdin"],
        &format!("{word}\n"),
    );
    assert!(done.status.success());
    waits(&server, 0);
    let (_, answer) = try_resume(&server, "bob", &id, 0);
    assert_eq!(condition(&answer), "item-not-found");
}

#[test]
fn an_end_of_the_server_loses_nothing() {
    let mut server = Server::start(&["ann", "bob", "eve"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let (bob, _) = resumable(&server, "bob");
    let (mut eve, _) = resumable(&server, "eve");
    bob.cut();
    waits(&server, 1);
    for body in ["1", "2"] {
        say(&mut ann, "bob@office.example", body);
        say(&mut ann, "eve@office.example", body);
    }
    // Eve has read both and acknowledges one.
    eve.message("2");
    acknowledge(&mut eve, 1);
    eve.settle();
    assert!(server.terminate().success());
    server.launch();
    let mut bob = Client::online(&server, "bob", "desk");
    bob.message("1");
    bob.message("2");
    let mut eve = Client::online(&server, "eve", "desk");
    eve.message("2");
    eve.nothing("what was acknowledged", |s| s.name() == "message");
}

#[test]
fn many_changes_while_nobody_is_there_come_as_one() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    friends(&mut bob, &mut ann);
    let id = enable(&mut bob);
    let taken = bob.taken;
    bob.cut();
    waits(&server, 1);
    for number in 0..20 {
        ann.available(&format!("<status>{number}</status>"));
    }
    let mut bob = resume(&server, "bob", &id, taken);
    let all = bob.settle();
    let statuses: Vec<_> = all
        .iter()
        .filter_map(|s| s.child("status", "jabber:client"))
        .map(|s| s.text().into_owned())
        .collect();
    assert_eq!(statuses, ["19"]);
    ann.nothing("that he was gone", gone("bob@office.example/desk"));
}

#[test]
fn what_the_client_sent_is_told_when_it_is_done_and_nothing_is_stored_twice() {
    let server = Server::start(&["ann", "bob"]);
    let (mut ann, id) = resumable(&server, "ann");
    let mut all = String::new();
    for number in 0..60 {
        all += &format!(
            "<message to='bob@office.example' type='chat' id='{number}'><body>x</body></message>"
        );
    }
    ann.send(&all);
    // Another connection asks at once, while the disk is awaited.
    let taken = ann.taken;
    let (mut again, answer) = try_resume(&server, "ann", &id, taken);
    let handled: usize = answer.attribute("h").unwrap().parse().unwrap();
    again.jid = "ann@office.example/desk".to_owned();
    for number in handled..60 {
        again.send(&format!(
            "<message to='bob@office.example' type='chat' id='{number}'><body>x</body></message>"
        ));
    }
    again.settle();
    let mut bob = Client::online(&server, "bob", "desk");
    for number in 0..60 {
        let message = bob.expect("a message", |s| s.name() == "message");
        assert_eq!(message.attribute("id").unwrap(), number.to_string());
    }
    bob.nothing("more", |s| s.name() == "message");
}

#[test]
fn who_claims_too_much_does_not_disturb_the_connection_that_is_open() {
    let server = Server::with(
        "[limits]\nresume_timeout = \"2s\"\nresume_presence = \"1s\"",
        &["bob"],
    );
    let (mut bob, id) = resumable(&server, "bob");
    let (mut liar, answer) = try_resume(&server, "bob", &id, 999);
    assert!(
        answer.child("handled-count-too-high", SM).is_some(),
        "{answer:?}"
    );
    assert!(liar.end().closed);
    bob.settle();
    bob.cut();
    waits(&server, 1);
    waits(&server, 0);
}

#[test]
fn contacts_who_went_while_nobody_was_there_are_gone() {
    let server = Server::with("[limits]\nresume_presence = \"1s\"", &["ann", "bob", "eve"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    let mut eve = Client::online(&server, "eve", "desk");
    friends(&mut bob, &mut ann);
    friends(&mut eve, &mut bob);
    let id = enable(&mut bob);
    let taken = bob.taken;
    bob.cut();
    eve.presence("bob@office.example/desk", "unavailable");
    ann.close();
    server.wait_for_status("she is gone", |status| status["sessions"]["xmpp"] == 2);
    let mut bob = resume(&server, "bob", &id, taken);
    bob.presence("ann@office.example/desk", "unavailable");
    eve.presence("bob@office.example/desk", "");
}

#[test]
fn more_than_may_wait_on_a_connection_is_said_again() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let (bob, id) = resumable(&server, "bob");
    bob.cut();
    waits(&server, 1);
    // Three times what may wait.
    let body = "x".repeat(30_000);
    for number in 0..100 {
        ann.send(&format!(
            "<message to='bob@office.example' type='chat' id='{number}'><body>{body}</body></message>"
        ));
        ann.available(&format!("<status>{number}</status>"));
    }
    let mut bob = resume(&server, "bob", &id, 0);
    for number in 0..100 {
        let message = bob.expect("a message", |s| s.name() == "message");
        assert_eq!(message.attribute("id").unwrap(), number.to_string());
    }
    bob.settle();
}

#[test]
fn a_message_that_may_not_be_stored_goes_to_the_others_once() {
    let server = Server::with("[limits]\nresume_timeout = \"1s\"", &["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let (first, _) = resumable(&server, "bob");
    let mut second = Client::online(&server, "bob", "second");
    first.cut();
    waits(&server, 1);
    ann.send("<message to='bob@office.example' type='chat' id='1'><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>");
    ann.send("<message to='bob@office.example/desk' type='chat' id='2'><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>");
    ann.settle();
    assert_eq!(messages(&mut second), ["1"]);
    waits(&server, 0);
    second.expect("the other", |s| s.attribute("id").as_deref() == Some("2"));
    second.nothing("more", |s| s.name() == "message");
}

#[test]
fn pages_of_an_archive_are_counted_stanza_by_stanza() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    for number in 0..5 {
        say(&mut ann, "bob@office.example", &number.to_string());
    }
    ann.settle();
    let mut bob = Client::online(&server, "bob", "desk");
    bob.message("4");
    let id = enable(&mut bob);
    let before = bob.taken;
    bob.ask("set", "", "<query xmlns='urn:xmpp:mam:2'/>");
    assert_eq!(bob.taken, before + 6);
    acknowledge(&mut bob, before + 6);
    bob.settle();
    let taken = bob.taken;
    bob.cut();
    let mut bob = resume(&server, "bob", &id, taken);
    bob.settle();
}

#[test]
fn many_lost_streams_do_not_keep_their_account_out() {
    let limits = "[limits]\nsessions_per_account = 12";
    let server = Server::with(limits, &["bob"]);
    for number in 0..20 {
        let mut bob = Client::login(&server, "bob", &format!("r{number}"));
        enable(&mut bob);
        bob.cut();
        server.wait_for_status("it is known to be lost", |status| {
            status["connections"]["xmpp"] == 0
        });
    }
    server.wait_for_status("some are given up", |status| {
        status["connections"]["waiting"] == 10
    });
}

#[test]
fn octets_that_are_no_tls_are_a_lost_connection_and_nothing_worse() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let (bob, id) = resumable(&server, "bob");
    let taken = bob.taken;
    // As a record of TLS that is none, and much behind it.
    let mut garbage = vec![23, 3, 3, 64, 0];
    garbage.resize(64 * 1024, 7);
    bob.socket().write_all(&garbage).unwrap();
    waits(&server, 1);
    ann.settle();
    let mut bob = resume(&server, "bob", &id, taken);
    bob.settle();
}

#[test]
fn a_page_that_nobody_reads_does_not_hold_up_the_stream_when_it_goes_on() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    let body = "x".repeat(20_000);
    for _ in 0..200 {
        ann.send(&format!(
            "<message to='bob@office.example' type='chat'><body>{body}</body></message>"
        ));
        bob.expect("it", |s| s.name() == "message");
    }
    let id = enable(&mut bob);
    let taken = bob.taken;
    let page = "<query xmlns='urn:xmpp:mam:2'/>";
    for number in 0..8 {
        bob.send(&format!("<iq type='set' id='p{number}'>{page}</iq>"));
    }
    // It reads nothing: the answers fill the sockets.
    server.wait_for_status("it has gone on to the archive", |status| {
        status["queues"]["write"] == 0
    });
    bob.cut();
    waits(&server, 1);
    let mut bob = resume(&server, "bob", &id, taken);
    for number in 0..8 {
        bob.expect("the end of a page", |s| {
            s.attribute("id").as_deref() == Some(&format!("p{number}"))
        });
    }
    bob.settle();
}
