//! Who may see whom: one grant for all protocols (RFC 8048 §5.2, §5.3).

use super::{ANN, BOB, befriended, child, from, phone_of};
use crate::sip::Phone;
use crate::sip::pidf::{Pidf, simple};
use crate::support::{Client, Server};

const ASK: &str = "[presence]\nsame_domain = \"ask\"";

fn is_subscription(stanza: &xml::Element, kind: &str) -> bool {
    stanza.name() == "presence" && stanza.attribute("type").as_deref() == Some(kind)
}

#[test]
fn a_phone_asks_and_the_chat_client_approves() {
    let server = Server::with(ASK, &["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    ann.send("<presence><status>secret</status></presence>");
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    let told = watch.told(&mut bob);
    assert_eq!((told.state.as_str(), told.pidf), ("pending", None));
    let asked = ann.presence(BOB, "subscribe");
    assert_eq!(from(&asked), BOB);
    // A refresh asks nobody again.
    assert_eq!(watch.refresh(&mut bob, 600).status, 200);
    assert_eq!(watch.told(&mut bob).state, "pending");
    ann.nothing("a second request", |s| is_subscription(s, "subscribe"));
    ann.send(&format!("<presence type='subscribed' to='{BOB}'/>"));
    let pidf = watch.active(&mut bob);
    assert!(pidf.has_note("secret"), "{pidf:?}");
    // Taken back: over, and the next attempt is asked for again or refused, but sees nothing.
    ann.send(&format!("<presence type='unsubscribed' to='{BOB}'/>"));
    let last = watch.ends(&mut bob);
    assert_eq!(
        (last.reason.as_deref(), last.pidf),
        (Some("rejected"), None)
    );
}

#[test]
fn a_phone_asks_and_the_chat_client_denies() {
    let server = Server::with(ASK, &["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Phone::tcp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    assert_eq!(watch.told(&mut bob).state, "pending");
    ann.presence(BOB, "subscribe");
    ann.send(&format!("<presence type='unsubscribed' to='{BOB}'/>"));
    let last = watch.ends(&mut bob);
    assert_eq!(
        (last.reason.as_deref(), last.pidf),
        (Some("rejected"), None)
    );
    assert_eq!(watch.refresh(&mut bob, 600).status, 481);
}

#[test]
fn the_request_of_a_phone_waits_for_the_next_login() {
    let mut server = Server::with(ASK, &["ann", "bob"]);
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    assert_eq!(watch.told(&mut bob).state, "pending");
    server.kill();
    server.launch();
    let mut ann = Client::online(&server, "ann", "desk");
    ann.presence(BOB, "subscribe");
    ann.send(&format!("<presence type='subscribed' to='{BOB}'/>"));
    watch.sees(&mut bob, Pidf::is_open);
}

#[test]
fn a_chat_client_asks_somebody_with_a_phone_only() {
    let server = Server::start(&["ann", "bob", "carol"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Phone::udp(&server, "bob");
    bob.publish(None, Some(&simple(BOB, "t1", "open", "here")), 600);
    ann.send(&format!("<presence type='subscribe' to='{BOB}'/>"));
    ann.settle();
    server.ok(&["user", "approve", BOB, ANN]);
    ann.presence(BOB, "subscribed");
    assert_eq!(child(&phone_of(&mut ann, BOB, ""), "status"), "here");
    ann.send("<presence type='subscribe' to='carol@office.example'/>");
    ann.settle();
    server.ok(&["user", "deny", "carol@office.example", ANN]);
    ann.presence("carol@office.example", "unsubscribed");
}

#[test]
fn in_an_office_that_does_not_ask_rosters_work_as_ever() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    // The phone sees her without being asked, and nothing is asked of her.
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    assert!(watch.active(&mut bob).is_open());
    ann.nothing("a request", |s| is_subscription(s, "subscribe"));
    // A chat client still asks, and the answer counts for the phone as well.
    let mut chat = Client::online(&server, "bob", "laptop");
    chat.send(&format!("<presence type='subscribe' to='{ANN}'/>"));
    ann.presence(BOB, "subscribe");
    ann.send(&format!("<presence type='subscribed' to='{BOB}'/>"));
    chat.presence(ANN, "subscribed");
}

#[test]
fn what_was_granted_in_a_roster_counts_for_phones() {
    let server = Server::with(ASK, &["ann", "bob"]);
    befriended(&server);
    let ann = Client::online(&server, "ann", "desk");
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    assert!(watch.active(&mut bob).is_open());
    // Removed from the roster: both ways are cut.
    let mut ann = ann;
    ann.ask(
        "set",
        "",
        &format!(
            "<query xmlns='jabber:iq:roster'><item jid='{BOB}' subscription='remove'/></query>"
        ),
    );
    let last = watch.ends(&mut bob);
    assert_eq!(
        (last.reason.as_deref(), last.pidf),
        (Some("rejected"), None)
    );
}

#[test]
fn the_end_of_a_subscription_takes_no_grant_away() {
    let server = Server::with(ASK, &["ann", "bob"]);
    befriended(&server);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    watch.active(&mut bob);
    watch.refresh(&mut bob, 0);
    watch.ends(&mut bob);
    ann.nothing("the end of a grant", |s| is_subscription(s, "unsubscribe"));
    let mut watch = bob.subscribe("ann", 600);
    assert!(watch.active(&mut bob).is_open());
}

#[test]
fn everybody_sees_himself() {
    let server = Server::with(ASK, &["ann"]);
    let _ann = Client::online(&server, "ann", "desk");
    let mut phone = Phone::udp(&server, "ann");
    let mut watch = phone.subscribe("ann", 600);
    assert!(watch.active(&mut phone).is_open());
}
