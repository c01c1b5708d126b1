//! What an XMPP contact sees of a phone.

use super::{BOB, befriended, child, from, is_phone, phone_of};
use crate::sip::Phone;
use crate::sip::pidf::{doing, simple};
use crate::support::{Client, Server};

const FAST: &str = "[limits]\n\
    register_expires = { min = \"1s\", default = \"1h\", max = \"2h\" }\n\
    publish_expires = { min = \"1s\", default = \"1h\", max = \"2h\" }";

/// `sip-` and eight hexadecimal digits.
fn is_named_well(address: &str) -> bool {
    let Some(name) = address.strip_prefix(&format!("{BOB}/sip-")) else {
        return false;
    };
    name.len() == 8
        && name
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[test]
fn a_phone_that_registers_is_there_until_it_goes() {
    let server = Server::with(FAST, &["ann", "bob"]);
    befriended(&server);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Phone::udp(&server, "bob");
    bob.register(600);
    let come = phone_of(&mut ann, BOB, "");
    let resource = from(&come);
    assert!(is_named_well(&resource), "{resource}");
    assert_eq!(
        (child(&come, "show"), child(&come, "status")),
        (String::new(), String::new())
    );
    // A refresh is nothing new.
    bob.register(600);
    ann.nothing("presence for a refresh", |s| is_phone(s, BOB, ""));
    bob.register(0);
    assert_eq!(from(&phone_of(&mut ann, BOB, "unavailable")), resource);
    // It comes back under the same name, and its registration expires.
    bob.register(2);
    assert_eq!(from(&phone_of(&mut ann, BOB, "")), resource);
    assert_eq!(from(&phone_of(&mut ann, BOB, "unavailable")), resource);
}

#[test]
fn registered_is_open_can_be_switched_off() {
    let server = Server::with("[presence]\nregistered_is_open = false", &["ann", "bob"]);
    befriended(&server);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Phone::udp(&server, "bob");
    bob.register(600);
    bob.publish(
        None,
        Some(&simple(BOB, "t1", "open", "by its own word")),
        600,
    );
    let come = phone_of(&mut ann, BOB, "");
    assert_eq!(child(&come, "status"), "by its own word");
    ann.nothing("another presence", |s| is_phone(s, BOB, ""));
}

#[test]
fn a_phone_publishes_goes_busy_and_leaves() {
    let server = Server::with(FAST, &["ann", "bob"]);
    befriended(&server);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Phone::udp(&server, "bob");
    bob.register(600);
    let resource = from(&phone_of(&mut ann, BOB, ""));
    let tag = bob.publish(None, Some(&simple(BOB, "t4109", "open", "at work")), 600);
    let at_work = phone_of(&mut ann, BOB, "");
    // Registration and publication of one phone are one resource.
    assert_eq!(
        (from(&at_work), child(&at_work, "status")),
        (resource.clone(), "at work".to_owned())
    );
    let mut tag = bob.publish(Some(&tag), Some(&doing(BOB, "t4109", "busy")), 600);
    let busy = phone_of(&mut ann, BOB, "");
    assert_eq!(
        (from(&busy), child(&busy, "show")),
        (resource.clone(), "dnd".to_owned())
    );
    for (activity, show) in [
        ("away", "away"),
        ("on-the-phone", "dnd"),
        ("vacation", "xa"),
        ("meal", "away"),
    ] {
        tag = bob.publish(Some(&tag), Some(&doing(BOB, "t4109", activity)), 600);
        assert_eq!(
            child(&phone_of(&mut ann, BOB, ""), "show"),
            show,
            "{activity}"
        );
    }
    // Refreshes are nothing new.
    tag = bob.publish(Some(&tag), None, 600);
    ann.nothing("presence for a refresh", |s| is_phone(s, BOB, ""));
    // Closed by its own word.
    tag = bob.publish(Some(&tag), Some(&simple(BOB, "t4109", "closed", "")), 600);
    assert_eq!(from(&phone_of(&mut ann, BOB, "unavailable")), resource);
    let tag = bob.publish(Some(&tag), Some(&simple(BOB, "t4109", "open", "back")), 600);
    assert_eq!(child(&phone_of(&mut ann, BOB, ""), "status"), "back");
    // The registration goes first, the publication after it.
    bob.register(0);
    bob.publish(Some(&tag), None, 0);
    assert_eq!(from(&phone_of(&mut ann, BOB, "unavailable")), resource);
}

#[test]
fn the_name_stays_when_a_phone_publishes_anew() {
    let server = Server::with(FAST, &["ann", "bob"]);
    befriended(&server);
    let mut ann = Client::online(&server, "ann", "desk");
    // A phone that only publishes.
    let mut bob = Phone::udp(&server, "bob");
    bob.publish(None, Some(&simple(BOB, "t1", "open", "one")), 2);
    let resource = from(&phone_of(&mut ann, BOB, ""));
    assert!(is_named_well(&resource), "{resource}");
    // It expires, the phone is told 412 and publishes anew.
    phone_of(&mut ann, BOB, "unavailable");
    bob.publish(None, Some(&simple(BOB, "t1", "open", "two")), 600);
    let again = phone_of(&mut ann, BOB, "");
    assert_eq!(
        (from(&again), child(&again, "status")),
        (resource.clone(), "two".to_owned())
    );
    // It has lost its tag (a reboot) and publishes while the old one is there: it does not leave in between.
    bob.publish(None, Some(&simple(BOB, "t1", "open", "three")), 600);
    let again = ann.expect("the new status", |s| {
        is_phone(s, BOB, "") && child(s, "status") == "three"
    });
    assert_eq!(from(&again), resource);
    ann.nothing("a departure in between", |s| {
        is_phone(s, BOB, "unavailable")
    });
}

#[test]
fn whoever_comes_later_sees_it_and_strangers_do_not() {
    let server = Server::start(&["ann", "bob", "eve"]);
    befriended(&server);
    let mut bob = Phone::udp(&server, "bob");
    bob.publish(None, Some(&simple(BOB, "t1", "open", "here")), 600);
    let mut eve = Client::online(&server, "eve", "desk");
    let mut ann = Client::online(&server, "ann", "desk");
    assert_eq!(child(&phone_of(&mut ann, BOB, ""), "status"), "here");
    eve.nothing("presence for a stranger", |s| is_phone(s, BOB, ""));
    // The owner's own clients see his phone as one of his resources.
    let mut own = Client::login(&server, "bob", "laptop");
    own.roster();
    own.available("");
    assert_eq!(child(&phone_of(&mut own, BOB, ""), "status"), "here");
}
