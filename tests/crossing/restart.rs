//! The server ends without warning and comes back.

use ::sip::Method;

use super::{BOB, befriended, child, from, is_phone, phone_of, stored};
use crate::sip::Phone;
use crate::sip::pidf::{Pidf, simple};
use crate::support::{Client, Server};

#[test]
fn registrations_and_publications_are_kept() {
    let mut server = Server::start(&["ann", "bob", "carol"]);
    befriended(&server);
    let mut bob = Phone::udp(&server, "bob");
    bob.register(600);
    let tag = bob.publish(None, Some(&simple(BOB, "t1", "open", "before")), 600);
    let mut ann = Client::online(&server, "ann", "desk");
    let resource = from(&phone_of(&mut ann, BOB, ""));
    server.kill();
    server.launch();
    let mut ann = Client::online(&server, "ann", "desk");
    let kept = phone_of(&mut ann, BOB, "");
    assert_eq!(
        (from(&kept), child(&kept, "status")),
        (resource.clone(), "before".to_owned())
    );
    // The phone is reached without registering again.
    ann.send(&format!(
        "<message type='chat' to='{BOB}'><body>still there?</body></message>"
    ));
    bob.receive("still there?");
    // And goes on with its tag.
    let tag = bob.publish(Some(&tag), Some(&simple(BOB, "t1", "open", "after")), 600);
    let after = phone_of(&mut ann, BOB, "");
    assert_eq!(
        (from(&after), child(&after, "status")),
        (resource.clone(), "after".to_owned())
    );
    bob.publish(Some(&tag), None, 0);
    bob.register(0);
    let gone = ann.expect("the phone goes", |s| is_phone(s, BOB, "unavailable"));
    assert_eq!(from(&gone), resource);
}

#[test]
fn subscriptions_go_on_and_only_changes_are_told() {
    let mut server = Server::start(&["ann", "bob"]);
    let mut ann = Phone::udp(&server, "ann");
    let tag = ann.publish(
        None,
        Some(&simple("ann@office.example", "t1", "open", "before")),
        600,
    );
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    watch.sees(&mut bob, |pidf| pidf.has_note("before"));
    // What was told is written with a refresh.
    assert_eq!(watch.refresh(&mut bob, 600).status, 200);
    assert_eq!(watch.told(&mut bob).state, "active");
    let before = watch.last;
    server.kill();
    server.launch();
    // Nothing has changed for the watcher: he is told nothing. What another is told meanwhile shows that the server is at work.
    let mut other = Phone::udp(&server, "bob");
    let mut second = other.subscribe("ann", 600);
    assert!(second.active(&mut other).has_note("before"));
    bob.nothing("a NOTIFY without a change", |r| r.method == Method::Notify);
    ann.publish(
        Some(&tag),
        Some(&simple("ann@office.example", "t1", "open", "after")),
        600,
    );
    watch.sees(&mut bob, |pidf| pidf.has_note("after"));
    assert!(watch.last > before, "{} after {before}", watch.last);
    // In the same dialog.
    assert_eq!(watch.refresh(&mut bob, 600).status, 200);
    assert_eq!(watch.told(&mut bob).state, "active");
    assert_eq!(watch.refresh(&mut bob, 0).status, 200);
    watch.ends(&mut bob);
}

#[test]
fn what_changed_while_it_was_away_is_told() {
    let mut server = Server::with(
        "[limits]\npublish_expires = { min = \"1s\", default = \"1h\", max = \"2h\" }",
        &["ann", "bob"],
    );
    let mut ann = Phone::udp(&server, "ann");
    ann.publish(
        None,
        Some(&simple("ann@office.example", "t1", "open", "short")),
        3,
    );
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    watch.sees(&mut bob, Pidf::is_open);
    server.kill();
    server.launch();
    watch.sees(&mut bob, |pidf| !pidf.is_open());
}

#[test]
fn presence_of_chat_clients_is_kept_for_the_grace() {
    let mut server = Server::with("[limits]\nrestart_grace = \"3s\"", &["ann", "bob", "carol"]);
    let mut bob = Phone::udp(&server, "bob");
    let mut of_ann = bob.subscribe("ann", 600);
    let mut of_carol = bob.subscribe("carol", 600);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut carol = Client::online(&server, "carol", "desk");
    for (client, status) in [(&mut ann, "ann is here"), (&mut carol, "carol is here")] {
        client.send(&format!("<presence><status>{status}</status></presence>"));
    }
    of_ann.sees(&mut bob, |pidf| pidf.has_note("ann is here"));
    of_carol.sees(&mut bob, |pidf| pidf.has_note("carol is here"));
    // What was told is written with a refresh.
    of_ann.refresh(&mut bob, 600);
    of_ann.told(&mut bob);
    stored(&mut ann);
    server.kill();
    server.launch();
    // As it was, for whoever looks now.
    let mut look = bob.subscribe("carol", 0);
    assert!(look.ends(&mut bob).pidf.unwrap().has_note("carol is here"));
    // Ann is back as she was, carol is not.
    let mut ann = Client::login(&server, "ann", "desk");
    ann.send("<presence><status>ann is here</status></presence>");
    ann.settle();
    of_carol.sees(&mut bob, |pidf| !pidf.is_open());
    bob.nothing("a NOTIFY about ann", |r| of_ann.is_mine(r));
    let mut look = bob.subscribe("ann", 0);
    assert!(look.ends(&mut bob).pidf.unwrap().is_open());
}

#[test]
fn a_clean_end_says_goodbye() {
    let mut server = Server::start(&["ann", "bob"]);
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    let _ann = Client::online(&server, "ann", "desk");
    watch.sees(&mut bob, Pidf::is_open);
    assert!(server.terminate().success());
    server.launch();
    watch.sees(&mut bob, |pidf| !pidf.is_open());
}
