//! How sessions end, and who hears of it (XEP-0124 §10, §13).

use std::time::Instant;

use super::tab::{BOSH, Tab, USUAL, attribute, chat, ended, opening, post};
use crate::support::{Client, DEADLINE, Server, wait_for};
use crate::web::wire::{Wire, get};

#[test]
fn the_client_ends_it_with_its_last_words() {
    let server = Server::start(&["ann", "bob"]);
    let mut desk = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "phone");
    let mut tab = Tab::online(&server, "ann", "tab");
    desk.presence("ann@office.example/tab", "");
    let held = tab.ask_over(
        Wire::plain(&server),
        "",
        "<presence xmlns='jabber:client'/>",
    );
    let last = format!(
        "{}<presence xmlns='jabber:client' type='unavailable'><status>closed</status></presence>",
        chat(&bob.jid, "bye")
    );
    // The held request may be answered with what the presence brings, before the end comes.
    let end = tab.ask("type='terminate'", &last);
    let held = held.hear();
    let told = [held.text(), end.text()];
    let told: Vec<_> = told
        .iter()
        .filter(|text| attribute(text, "type").is_some())
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(attribute(told[0], "condition"), None);
    bob.message("bye");
    let gone = desk.presence("ann@office.example/tab", "unavailable");
    assert!(gone.raw().windows(6).any(|w| w == b"closed"), "{gone:?}");
    ended(&tab.ask("", ""), "item-not-found");
}

#[test]
fn a_browser_that_vanishes_is_unavailable() {
    let server = Server::with("[limits]\nbosh_inactivity = \"1s\"", &["ann", "bob"]);
    let mut desk = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "phone");
    let mut tab = Tab::online(&server, "ann", "tab");
    let jid = tab.jid.clone();
    // With a request that is held when its connection is cut.
    let held = tab.ask_over(
        Wire::plain(&server),
        "",
        "<presence xmlns='jabber:client'><priority>9</priority></presence>",
    );
    desk.presence(&jid, "");
    desk.available("<priority>-1</priority>");
    held.leave();
    // What comes for it meanwhile, or was said and never got, is not lost.
    bob.send(&chat("ann@office.example", "one"));
    desk.presence(&jid, "unavailable");
    let rid = tab.rid;
    let again = tab.body_of(rid, "", "");
    ended(&Wire::plain(&server).ask(&post(&again)), "item-not-found");
    let mut later = Client::login(&server, "ann", "later");
    later.available("");
    later.message("one");
}

#[test]
fn what_was_said_to_nobody_is_delivered_later() {
    let server = Server::with("[limits]\nbosh_inactivity = \"1s\"", &["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut tab = Tab::online(&server, "ann", "tab");
    // The answer goes out to a client that does not come again: it is not known to have it.
    let held = tab.ask_over(
        Wire::plain(&server),
        "",
        "<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    held.hear();
    let held = tab.ask_over(Wire::plain(&server), "", "");
    bob.send(&chat("ann@office.example", "one"));
    assert!(held.hear().text().contains("one"));
    bob.send(&chat("ann@office.example", "two"));
    let mut desk = Client::online(&server, "ann", "desk");
    desk.message("one");
    desk.message("two");
}

#[test]
fn a_server_that_stops_tells_everybody_in_time() {
    let mut server = Server::start(&["ann", "bob"]);
    let tab = Tab::online(&server, "ann", "tab");
    let mut waiting = Tab::online(&server, "ann", "waiting");
    let jid = tab.jid.clone();
    waiting.expect("the presence of the other", |s| {
        s.attribute("from").as_deref() == Some(&jid)
    });
    // One is there at that moment, the other is away.
    let mut bob = Client::online(&server, "bob", "phone");
    let held = waiting.chat(Wire::plain(&server), &bob.jid, "one");
    bob.message("one");
    let begun = Instant::now();
    server.signal("TERM");
    ended(&held.hear(), "system-shutdown");
    assert!(server.ended().success());
    assert!(begun.elapsed() < DEADLINE / 2);
    // After a new start nothing is known of it.
    server.launch();
    let rid = waiting.rid + 1;
    let request = waiting.body_of(rid, "", "");
    ended(&Wire::plain(&server).ask(&post(&request)), "item-not-found");
}

#[test]
fn sessions_are_counted_in_the_metrics() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    let mut count = || {
        let page = wire.ask(&get("/metrics", ""));
        let line = page
            .text()
            .lines()
            .find(|line| line.starts_with("adsum_bosh_sessions "));
        line.unwrap()
            .rsplit(' ')
            .next()
            .unwrap()
            .parse::<usize>()
            .unwrap()
    };
    assert_eq!(count(), 0);
    let mut tab = Tab::open(&server, USUAL);
    let _other = Tab::open(&server, USUAL);
    assert_eq!(count(), 2);
    tab.rid += 9;
    ended(&tab.ask("", ""), "item-not-found");
    wait_for("one less", || (count() == 1).then_some(()));
}

#[test]
fn a_tab_that_is_loaded_again_goes_on() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut tab = Tab::online(&server, "ann", "tab");
    // The page is loaded anew: its connections are gone, what it had asked last is kept and asked again.
    let request = tab.body("", "<presence xmlns='jabber:client'/>");
    Wire::plain(&server).send(&post(&request));
    let jid = tab.jid.clone();
    bob.send(&chat(&jid, "one"));
    let heard = Wire::plain(&server).ask(&post(&request));
    tab.take(heard.text());
    tab.message("one");
    // Two tabs with the same session: the one whose number is used up hears that, and the other what is meant for it.
    let rid = tab.rid;
    let other = tab.body_of(rid, "", "");
    let heard = Wire::plain(&server).ask(&post(&other));
    assert!(heard.text().starts_with(&format!("<body xmlns='{BOSH}'")));
    let mut wire = Wire::plain(&server);
    assert!(attribute(wire.ask(&post(&opening(7, USUAL))).text(), "sid").is_some());
}
