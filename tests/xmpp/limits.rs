//! Limits of one connection, and that reaching one harms nobody else.

use std::time::{Duration, Instant};

use crate::support::tls::Tls;
use crate::support::xmpp::{befriend, is_presence};
use crate::support::{Client, Server, quick, wait_for};

#[test]
fn before_authentication_there_is_little_room() {
    let server = Server::start(&["ann"]);
    let secure = || {
        let mut client = Client::connect(&server);
        client.open();
        client.start_tls(&Tls::trusting(&server));
        client
    };
    let mut client = secure();
    client.send(&format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{}</auth>",
        "A".repeat(9000)
    ));
    client.ends_with("policy-violation");
    // An element that never ends is not waited for.
    let mut client = secure();
    client.send(&format!("<auth mechanism='{}", "A".repeat(9000)));
    client.ends_with("policy-violation");
    let mut client = secure();
    let deep = "<a>".repeat(33);
    client.send(&format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{deep}"
    ));
    client.ends_with("policy-violation");
    let mut client = secure();
    client.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><a/><a/><a/>");
    client.send(&"<a/>".repeat(30));
    client.ends_with("policy-violation");
    Client::online(&server, "ann", "desk").close();
}

#[test]
fn stanzas_too_big_or_too_deep() {
    let server = Server::with("[limits]\nstanza_size = \"10KiB\"", &["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let text = |size: usize| {
        format!(
            "<message to='bob@office.example' type='chat'><body>{}</body></message>",
            "x".repeat(size)
        )
    };
    let mut ann = Client::online(&server, "ann", "desk");
    ann.send(&text(9000));
    bob.message(&"x".repeat(9000));
    ann.send(&text(11_000));
    ann.ends_with("policy-violation");

    let deep = |levels: usize| {
        format!(
            "<message to='bob@office.example' type='chat'>{}{}<body>deep</body></message>",
            "<a xmlns='urn:x'>".repeat(levels),
            "</a>".repeat(levels)
        )
    };
    let mut ann = Client::online(&server, "ann", "desk");
    ann.send(&deep(63));
    bob.message("deep");
    ann.send(&deep(64));
    ann.ends_with("policy-violation");
}

#[test]
fn who_does_not_log_in_is_sent_away() {
    let server = Server::with("[limits]\nunauthenticated_time = \"1s\"", &["ann"]);
    let mut mute = Client::connect(&server);
    let mut slow = Client::connect(&server);
    slow.open();
    let start = Instant::now();
    let direct = Client::to(server.address("xmpp.client_tls"));
    let mut keeps_talking = Client::connect(&server);
    keeps_talking.open();
    // White space does not move the deadline.
    let talking = wait_for("the end of who only sends spaces", || {
        keeps_talking.try_send(" ").err().map(|_| start.elapsed())
    });
    assert!(talking < Duration::from_secs(4), "{talking:?}");
    mute.opened();
    mute.ends_with("policy-violation");
    slow.ends_with("policy-violation");
    let mut silent = direct;
    let end = silent.end();
    assert!(!end.closed, "TLS was never there");
    assert!(start.elapsed() < Duration::from_secs(6));
    // Who has logged in may be silent.
    let mut ann = Client::online(&server, "ann", "desk");
    let mut late = Client::connect(&server);
    late.opened();
    late.ends_with("policy-violation");
    ann.settle();
}

#[test]
fn who_is_silent_is_asked_and_then_gone() {
    let server = Server::with("[xmpp]\nping_after = \"1s\"", &["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let ping = ann.expect("the server asks", |s| {
        s.name() == "iq" && s.child("ping", "urn:xmpp:ping").is_some()
    });
    assert_eq!(ping.attribute("from").as_deref(), Some("office.example"));
    let id = ping.attribute("id").unwrap().into_owned();
    ann.send(&format!(
        "<iq type='result' id='{id}' to='office.example'/>"
    ));
    // It asks again after the next silence: it has taken the answer.
    ann.expect("the server asks again", |s| {
        s.name() == "iq" && s.child("ping", "urn:xmpp:ping").is_some()
    });
    ann.close();
}

/// His silence and the time that he has for his answer make 31 seconds here, and 90 where nothing is configured.
#[test]
fn contacts_of_who_has_died_know_it() {
    if quick() {
        return;
    }
    let server = Server::with("[xmpp]\nping_after = \"1s\"", &["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "hand");
    befriend(&mut ann, &mut bob);
    ann.settle();
    bob.settle();
    // From here on nothing is heard of him.
    let died = Instant::now();
    loop {
        // She answers whenever she is asked herself.
        let stanza = ann.next("a question, or that he is gone");
        if is_presence(&stanza, "bob@office.example/hand", "unavailable") {
            break;
        }
        let id = stanza.attribute("id").unwrap();
        ann.send(&format!(
            "<iq type='result' id='{id}' to='office.example'/>"
        ));
        assert!(died.elapsed() < Duration::from_secs(60), "he is gone");
    }
    assert!(died.elapsed() >= Duration::from_secs(30), "he had his time");
    // The connection is closed, with the reason.
    bob.ends_with("connection-timeout");
}

#[test]
fn a_slow_reader_is_ended_and_harms_nobody() {
    let server = Server::with("[limits]\nout_queue = \"64KiB\"", &["ann", "bob", "carol"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut carol = Client::online(&server, "carol", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    befriend(&mut ann, &mut bob);
    // What is longer than that alone comes through to one who reads.
    let long = "x".repeat(200_000);
    ann.send(&format!(
        "<message to='bob@office.example/desk' type='headline'><body>{long}</body></message>"
    ));
    bob.message(&long);
    // Bob reads nothing from now on; what the sockets between hold is a few megabytes.
    let body = "x".repeat(50_000);
    let text = format!(
        "<message to='bob@office.example/desk' type='headline'><body>{body}</body></message>"
    );
    let gone = wait_for("bob is ended", || {
        ann.send(&text);
        let all = ann.settle();
        all.into_iter().find(|s| {
            crate::support::xmpp::is_presence(s, "bob@office.example/desk", "unavailable")
        })
    });
    assert!(gone.attribute("to").is_some());
    // Everybody else is served as before.
    ann.send("<message to='carol@office.example' type='chat'><body>still here</body></message>");
    carol.message("still here");
    drop(bob);
    let mut bob = Client::online(&server, "bob", "desk");
    ann.presence("bob@office.example/desk", "");
    bob.settle();
}

#[test]
fn connections_are_limited() {
    let server = Server::with("[limits]\nconnections_per_address = 3", &["ann"]);
    let mut open: Vec<Client> = (0..3).map(|_| Client::connect(&server)).collect();
    for client in &mut open {
        client.open();
    }
    let mut one_more = Client::connect(&server);
    let end = one_more.end();
    assert!(!end.closed);
    open.pop().unwrap().close();
    wait_for("there is room again", || {
        let mut client = Client::connect(&server);
        client.try_send("<stream:stream to='office.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>").ok()?;
        client.try_opened()
    });
}
