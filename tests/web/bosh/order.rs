//! Requests out of order, sent again, and too many (XEP-0124 §10, §11, §14).

use super::tab::{BOSH, Tab, USUAL, attribute, chat, ended, post};
use crate::support::{Client, Server};
use crate::web::wire::Wire;

#[test]
fn what_comes_out_of_order_goes_on_in_order() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut ann = Tab::online(&server, "ann", "tab");
    let to = bob.jid.clone();
    let first = ann.body("", &chat(&to, "one"));
    let _second = ann.chat(Wire::plain(&server), &to, "two");
    let mut wire = Wire::plain(&server);
    wire.send(&post(&first));
    bob.message("one");
    bob.message("two");
    assert_eq!(wire.hear().text(), format!("<body xmlns='{BOSH}'/>"));
    let _third = ann.chat(Wire::plain(&server), &to, "three");
    bob.message("three");
}

#[test]
fn an_answer_is_given_again_as_it_was() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut ann = Tab::online(&server, "ann", "tab");
    let to = bob.jid.clone();
    let request = ann.body("", &chat(&to, "one"));
    let mut wire = Wire::plain(&server);
    wire.send(&post(&request));
    bob.message("one");
    let jid = ann.jid.clone();
    bob.send(&chat(&jid, "back"));
    let answer = wire.hear();
    assert!(answer.text().contains("back"));
    for _ in 0..3 {
        let again = Wire::plain(&server).ask(&post(&request));
        assert_eq!(again.body, answer.body);
    }
    ann.say(&chat(&to, "two"));
    let next = bob.next("a message");
    assert!(next.raw().windows(3).any(|w| w == b"two"), "{next:?}");
}

#[test]
fn a_held_request_moves_to_the_connection_that_asks_again() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut ann = Tab::online(&server, "ann", "tab");
    let to = bob.jid.clone();
    let request = ann.body("", &chat(&to, "one"));
    let (mut older, mut newer) = (Wire::plain(&server), Wire::plain(&server));
    older.send(&post(&request));
    bob.message("one");
    newer.send(&post(&request));
    let answer = older.hear();
    assert_eq!(attribute(answer.text(), "type").as_deref(), Some("error"));
    // And from there to a third when that connection is lost.
    drop(newer);
    let jid = ann.jid.clone();
    bob.send(&chat(&jid, "back"));
    let answer = Wire::plain(&server).ask(&post(&request));
    assert!(answer.text().contains("back"));
}

#[test]
fn what_is_out_of_the_window_ends_the_session() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut ann = Tab::login(&server, "ann", "tab");
    let held = ann.chat(Wire::plain(&server), &bob.jid, "one");
    bob.message("one");
    let rid = ann.rid + 3;
    let beyond = ann.body_of(rid, "", "");
    ended(&Wire::plain(&server).ask(&post(&beyond)), "item-not-found");
    ended(&held.hear(), "other-request");
    let mut old = Tab::login(&server, "ann", "tab");
    for _ in 0..10 {
        old.say("<presence xmlns='jabber:client' type='probe' to='ann@office.example'/>");
    }
    let first = old.body_of(4_000_000_001, "", "");
    ended(&Wire::plain(&server).ask(&post(&first)), "item-not-found");
}

#[test]
fn asking_too_often_ends_the_session() {
    let server = Server::start(&[]);
    let mut tab = Tab::open(&server, "ver='1.11' wait='0' hold='0'");
    assert!(tab.ask("", "").text().ends_with("/>"));
    ended(&tab.ask("", ""), "policy-violation");
    // Which of two comes first is not known; the second is one too many.
    let mut tab = Tab::open(&server, USUAL);
    let first = tab.ask_over(Wire::plain(&server), "", "");
    let second = tab.ask_over(Wire::plain(&server), "", "");
    let conditions =
        [first.hear(), second.hear()].map(|heard| attribute(heard.text(), "condition").unwrap());
    assert!(conditions.contains(&"policy-violation".to_owned()));
    assert!(conditions.contains(&"other-request".to_owned()));
}

#[test]
fn a_pause_answers_all_and_the_session_goes_on() {
    let server = Server::with("[limits]\nbosh_inactivity = \"1s\"", &["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut ann = Tab::online(&server, "ann", "tab");
    let held = ann.ask_over(
        Wire::plain(&server),
        "",
        "<presence xmlns='jabber:client'/>",
    );
    let pause = ann.ask("pause='100'", "");
    assert_eq!(pause.text(), format!("<body xmlns='{BOSH}'/>"));
    held.hear();
    let jid = ann.jid.clone();
    bob.send(&chat(&jid, "meanwhile"));
    // Longer than it may be silent otherwise: another tab is closed and gone in the meantime.
    let mut desk = Client::online(&server, "ann", "desk");
    drop(Tab::online(&server, "ann", "other"));
    desk.presence("ann@office.example/other", "unavailable");
    ann.message("meanwhile");
    let long = ann.ask("pause='121'", "");
    ended(&long, "policy-violation");
}

#[test]
fn acknowledgements_go_both_ways() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut ann = Tab::open(&server, &format!("{USUAL} ack='1'"));
    ann.authenticate("ann");
    ann.bind("tab");
    ann.say("<presence xmlns='jabber:client'/>");
    ann.expect("its own presence", |s| s.name() == "presence");
    let held = ann.ask_over(
        Wire::plain(&server),
        "",
        "<presence xmlns='jabber:client'/>",
    );
    let rid = ann.rid;
    let next = ann.ask_over(
        Wire::plain(&server),
        &format!("ack='{}'", rid - 1),
        "<presence xmlns='jabber:client'/>",
    );
    let heard = held.hear();
    let acknowledged = attribute(heard.text(), "ack");
    // The second may have come before the answer to the first, or caused it.
    assert!(acknowledged.is_none_or(|ack| ack == (rid + 1).to_string()));
    next.hear();
    // An answer that the client says it has not got, a second later: so long takes a request that nothing is said to.
    let mut ann = Tab::open(&server, "ver='1.11' wait='1' hold='1' ack='1'");
    ann.authenticate("ann");
    ann.bind("other");
    ann.say("<presence xmlns='jabber:client'/>");
    ann.expect("its own presence", |s| s.name() == "presence");
    let jid = ann.jid.clone();
    bob.send(&chat(&jid, "lost"));
    let mut heard = ann.ask("", "");
    while !heard.text().contains("lost") {
        heard = ann.ask("", "");
    }
    let ack = format!("ack='{}'", ann.rid - 1);
    let lost = (ann.rid).to_string();
    assert!(ann.ask(&ack, "").text().ends_with("/>"));
    let report = ann.ask(&ack, "");
    assert_eq!(attribute(report.text(), "report"), Some(lost));
    let time = attribute(report.text(), "time").unwrap();
    assert!(time.parse::<u64>().unwrap() >= 1000);
}

/// The SHA-1 of a text, in hexadecimal.
fn hashed(text: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let digits = hash.as_ref().iter().map(|octet| format!("{octet:02x}"));
    digits.collect()
}

#[test]
fn a_session_with_keys_is_its_clients_alone() {
    let server = Server::start(&[]);
    let first = hashed("seed");
    let second = hashed(&first);
    let mut tab = Tab::open(&server, &format!("{USUAL} newkey='{}'", hashed(&second)));
    let failing = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='UNKNOWN'/>";
    let heard = tab.ask(&format!("key='{second}'"), failing);
    assert!(heard.text().contains("<failure "), "{}", heard.text());
    // At the end of the sequence another begins.
    let other = hashed("other");
    let switch = format!("key='{first}' newkey='{}'", hashed(&other));
    let heard = tab.ask(&switch, failing);
    assert!(heard.text().contains("<failure "), "{}", heard.text());
    let heard = tab.ask(&format!("key='{other}'"), failing);
    assert!(heard.text().contains("<failure "), "{}", heard.text());
    let heard = tab.ask(&format!("key='{}'", hashed("wrong")), "");
    ended(&heard, "item-not-found");
}
