//! `kill -9`: what a watcher has been told is on the disk a moment later, with the presence that was told, and nothing of it is told
//! again. Nothing is refreshed or stored here between what is told and the end.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, Params};

use super::{ANN, befriended, child, from, is_phone, phone_of};
use crate::sip::Phone;
use crate::sip::pidf::{Pidf, simple};
use crate::sip::watch::Watch;
use crate::support::xmpp::{befriend, is_presence};
use crate::support::{Client, Server, wait_for};

const CAROL: &str = "carol@office.example";
const DAVE: &str = "dave@office.example";
/// CSeq numbers are reserved in blocks of so many. A restart begins a block.
const BLOCK: u32 = 1000;

/// Looks into the database of a server that runs.
fn look<T: rusqlite::types::FromSql>(server: &Server, sql: &str, params: impl Params) -> Option<T> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = Connection::open_with_flags(server.data().join("adsum.db"), flags).unwrap();
    db.query_row(sql, params, |row| row.get(0)).ok()
}

/// Whether anything was told about this account to its only SIP watcher, and what, as it is on the disk.
fn told(server: &Server, presentity: &str) -> Vec<u8> {
    let sql = "SELECT substr(dialog, 2, 9) FROM watches \
               JOIN accounts ON accounts.id = watches.presentity WHERE address = ?1";
    look(server, sql, [presentity]).expect("a subscription")
}

/// Waits until something was told, and something else than `before`.
#[track_caller]
fn written(server: &Server, presentity: &str, before: &[u8]) -> Vec<u8> {
    wait_for("what was told is written", || {
        let now = told(server, presentity);
        (now.first() == Some(&1) && now != before).then_some(now)
    })
}

/// Waits until presence of a connection with this text is on the disk.
#[track_caller]
fn remembered(server: &Server, account: &str, text: &str) {
    let sql = "SELECT 1 FROM last_known JOIN accounts ON accounts.id = last_known.account \
               WHERE address = ?1 AND instr(body, CAST(?2 AS BLOB)) > 0";
    wait_for("presence is written", || {
        look::<i64>(server, sql, [account, text])
    });
}

/// A chat client that says this and nothing before it.
fn saying(server: &Server, user: &str, status: &str) -> Client {
    let mut client = Client::login(server, user, "desk");
    client.roster();
    says(&mut client, status);
    client
}

fn says(client: &mut Client, status: &str) {
    client.send(&format!("<presence><status>{status}</status></presence>"));
    client.settle();
}

/// The very next NOTIFY says this, under this number.
#[track_caller]
fn next_says(watch: &mut Watch, phone: &mut Phone, note: &str, number: u32) {
    let pidf = watch.active(phone);
    assert!(pidf.has_note(note), "{}", pidf.text);
    assert_eq!(watch.last, number, "{note}");
}

#[test]
fn what_was_told_is_not_told_again() {
    let mut server = Server::start(&["ann", "bob", "carol"]);
    let mut bob = Phone::udp(&server, "bob");
    let mut watches = ["ann", "carol"].map(|who| bob.subscribe(who, 600));
    for watch in &mut watches {
        assert!(!watch.active(&mut bob).is_open());
    }
    let closed = [ANN, CAROL].map(|who| written(&server, who, &[]));
    let [mut of_ann, mut of_carol] = watches;
    let _ann = saying(&server, "ann", "before");
    let mut carol = Phone::udp(&server, "carol");
    let tag = carol.publish(None, Some(&simple(CAROL, "t1", "open", "before")), 600);
    next_says(&mut of_ann, &mut bob, "before", 2);
    next_says(&mut of_carol, &mut bob, "before", 2);
    written(&server, ANN, &closed[0]);
    written(&server, CAROL, &closed[1]);
    server.kill();
    server.launch();
    let mut ann = saying(&server, "ann", "before");
    // What is new is the next that either hears, in the dialog as it was.
    says(&mut ann, "after");
    let tag = carol.publish(Some(&tag), Some(&simple(CAROL, "t1", "open", "after")), 600);
    next_says(&mut of_ann, &mut bob, "after", BLOCK + 1);
    next_says(&mut of_carol, &mut bob, "after", BLOCK + 1);
    says(&mut ann, "later");
    carol.publish(Some(&tag), Some(&simple(CAROL, "t1", "open", "later")), 600);
    next_says(&mut of_ann, &mut bob, "later", BLOCK + 2);
    next_says(&mut of_carol, &mut bob, "later", BLOCK + 2);
}

#[test]
fn who_is_there_in_several_ways_looks_as_before() {
    let mut server = Server::with("[limits]\nnotify_pace = \"0s\"", &["ann", "bob"]);
    let mut bob = Phone::udp(&server, "bob");
    // One after the other, in an order that the disk does not keep.
    let mut last = Phone::udp(&server, "ann");
    last.register(600);
    let mut desk = saying(&server, "ann", "at the desk");
    let mut first = Phone::udp(&server, "ann");
    first.publish(None, Some(&simple(ANN, "t1", "open", "on the phone")), 600);
    remembered(&server, ANN, "at the desk");
    let mut watch = bob.subscribe("ann", 600);
    let before = watch.active(&mut bob);
    assert_eq!(before.tuples.len(), 3, "{}", before.text);
    written(&server, ANN, &[]);
    server.kill();
    server.launch();
    // As last known, to the octet; and so with the client that is back.
    assert_eq!(looks(&mut bob), before);
    let mut again = saying(&server, "ann", "at the desk");
    assert_eq!(looks(&mut bob), before);
    says(&mut again, "away");
    next_says(&mut watch, &mut bob, "away", BLOCK + 1);
    desk.reset();
}

/// What bob's phone is shown of ann when it asks once.
fn looks(bob: &mut Phone) -> Pidf {
    let mut look = bob.subscribe("ann", 0);
    look.ends(bob).pidf.expect("a document")
}

#[test]
fn who_does_not_come_back_goes_once_after_the_grace() {
    let grace = Duration::from_secs(2);
    let mut server = Server::with("[limits]\nrestart_grace = \"2s\"", &["ann", "bob"]);
    let _ann = saying(&server, "ann", "here");
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    next_says(&mut watch, &mut bob, "here", 1);
    written(&server, ANN, &[]);
    server.kill();
    let killed = Instant::now();
    server.launch();
    assert!(!watch.active(&mut bob).is_open());
    assert!(killed.elapsed() >= grace, "{:?}", killed.elapsed());
    assert_eq!(watch.last, BLOCK + 1);
    // Nothing more is told until he is there again.
    let _ann = saying(&server, "ann", "back");
    next_says(&mut watch, &mut bob, "back", BLOCK + 2);
}

#[test]
fn whenever_it_is_killed_nobody_seems_to_go() {
    // As fast as it goes: whatever was told last is hardly ever on the disk.
    let mut server = Server::with("[limits]\nnotify_pace = \"0s\"", &["ann", "bob"]);
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    assert!(!watch.active(&mut bob).is_open());
    written(&server, ANN, &[]);
    // The first time she appears, then with changes of one who is there.
    let mut ann = Client::login(&server, "ann", "desk");
    for round in 0..6 {
        let (now, after) = (format!("round {round}"), format!("after {round}"));
        ann.send(&format!("<presence><status>{now}</status></presence>"));
        only_open(&mut watch, &mut bob, &now);
        server.kill();
        server.launch();
        ann = saying(&server, "ann", &now);
        says(&mut ann, &after);
        only_open(&mut watch, &mut bob, &after);
    }
}

/// Takes NOTIFY requests until one says this; in none is she gone.
#[track_caller]
fn only_open(watch: &mut Watch, phone: &mut Phone, note: &str) {
    loop {
        let pidf = watch.active(phone);
        assert!(pidf.is_open(), "before {note}: {}", pidf.text);
        if pidf.has_note(note) {
            return;
        }
    }
}

#[test]
fn a_chat_contact_sees_nobody_go_who_comes_back() {
    let grace = Duration::from_secs(3);
    let mut server = Server::with(
        "[limits]\nrestart_grace = \"3s\"",
        &["ann", "bob", "carol", "dave"],
    );
    befriended(&server);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut dave = Client::online(&server, "dave", "desk");
    let mut setup = Client::online(&server, "carol", "setup");
    befriend(&mut bob, &mut dave);
    befriend(&mut bob, &mut setup);
    setup.close();
    let mut carol = Phone::udp(&server, "carol");
    carol.publish(
        None,
        Some(&simple(CAROL, "t1", "open", "on the phone")),
        600,
    );
    let phone = from(&phone_of(&mut bob, CAROL, ""));
    let _ann = saying(&server, "ann", "ann is in");
    says(&mut dave, "dave is in");
    remembered(&server, ANN, "ann is in");
    remembered(&server, DAVE, "dave is in");
    server.kill();
    let killed = Instant::now();
    server.launch();
    // Before anybody is back, all are there as last known.
    let mut bob = Client::online(&server, "bob", "desk");
    for (who, said) in [(ANN, "ann is in"), (DAVE, "dave is in")] {
        let seen = bob.presence(&format!("{who}/desk"), "");
        assert_eq!(child(&seen, "status"), said);
    }
    let seen = phone_of(&mut bob, CAROL, "");
    assert_eq!(
        (from(&seen), child(&seen, "status")),
        (phone, "on the phone".to_owned())
    );
    let mut ann = saying(&server, "ann", "ann is in");
    // The end of the grace: only who is not back goes.
    bob.presence(&format!("{DAVE}/desk"), "unavailable");
    assert!(killed.elapsed() >= grace, "{:?}", killed.elapsed());
    says(&mut ann, "ann goes on");
    bob.expect("what ann says next", |s| {
        is_presence(s, &format!("{ANN}/desk"), "") && child(s, "status") == "ann goes on"
    });
    bob.nothing("a departure", |s| {
        is_presence(s, &format!("{ANN}/desk"), "unavailable") || is_phone(s, CAROL, "unavailable")
    });
}
