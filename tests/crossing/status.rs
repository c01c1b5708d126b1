//! A status set by hand: seen on both faces while nobody is logged in, over a `kill -9`, until it is taken back.

use super::{ANN, befriended};
use crate::sip::Phone;
use crate::support::xmpp::{is_presence, text};
use crate::support::{Client, Server};

const COMMANDS: &str = "http://jabber.org/protocol/commands";
const OWN: &str = "ann@office.example/adsum-status";

#[test]
fn people_set_it_in_their_clients() {
    let server = Server::start(&["ann", "bob"]);
    befriended(&server);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut ann = Client::online(&server, "ann", "desk");
    let mut execute = |node: &str, session: &str, fields: &[(&str, &str)]| {
        let fields: Vec<String> = fields
            .iter()
            .map(|(var, value)| format!("<field var='{var}'><value>{value}</value></field>"))
            .collect();
        let form = format!(
            "<x xmlns='jabber:x:data' type='submit'>{}</x>",
            fields.concat()
        );
        let payload = format!(
            "<command xmlns='{COMMANDS}' node='adsum:office#{node}' {session}>{}</command>",
            if session.is_empty() { "" } else { &form }
        );
        let answer = ann.ask("set", "office.example", &payload);
        let command = answer.child("command", COMMANDS).unwrap();
        let word = |name| command.attribute(name).unwrap_or_default().into_owned();
        let failed = command
            .child("note", COMMANDS)
            .is_some_and(|n| n.attribute("type").as_deref() == Some("error"));
        (
            word("status"),
            format!("sessionid='{}'", word("sessionid")),
            failed,
        )
    };
    let (status, session, _) = execute("set-status", "", &[]);
    assert_eq!(status, "executing");
    let filled = [
        ("show", "xa"),
        ("text", "On leave till Monday"),
        ("until", "3d"),
    ];
    let (status, _, failed) = execute("set-status", &session, &filled);
    assert_eq!((status.as_str(), failed), ("completed", false));
    let seen = bob.expect("the status", |s| is_presence(s, OWN, ""));
    assert_eq!(text(&seen, "status"), "On leave till Monday");
    assert!(server.ok(&["user", "status", ANN]).contains("until "));
    let (_, session, _) = execute("set-status", "", &[]);
    let (_, _, failed) = execute("set-status", &session, &[("until", "Monday")]);
    assert!(failed, "that is not a time");
    assert!(server.ok(&["user", "status", ANN]).contains("On leave"));
    let (status, ..) = execute("clear-status", "", &[]);
    assert_eq!(status, "completed");
    bob.expect("its end", |s| is_presence(s, OWN, "unavailable"));
}

#[test]
fn on_leave_till_monday() {
    let mut server = Server::start(&["ann", "bob"]);
    befriended(&server);
    let said = server.ok(&["user", "status", ANN]);
    assert!(said.contains("no status"), "{said}");
    let mut bob = Client::online(&server, "bob", "desk");
    let mut phone = Phone::udp(&server, "bob");
    let mut watch = phone.subscribe("ann", 600);
    assert!(!watch.active(&mut phone).is_open());
    let leave = [
        "user",
        "status",
        ANN,
        "On leave till Monday",
        "--show",
        "xa",
        "--for",
        "3d",
    ];
    let said = server.ok(&leave);
    assert!(said.contains("xa: On leave till Monday (until "), "{said}");
    let seen = bob.expect("the status", |s| is_presence(s, OWN, ""));
    assert_eq!(
        (text(&seen, "show"), text(&seen, "status")),
        ("xa".to_owned(), "On leave till Monday".to_owned())
    );
    watch.sees(&mut phone, |pidf| pidf.has_note("On leave till Monday"));
    // Messages wait for a device.
    bob.send(&format!(
        "<message to='{OWN}' type='chat'><body>welcome back</body></message>"
    ));
    bob.settle();
    server.wait_for_status("it is stored", |status| status["queues"]["write"] == 0);
    server.kill();
    assert!(
        server.ok(&["user", "status", ANN]).contains("On leave"),
        "also without a server"
    );
    server.launch();
    let mut bob = Client::online(&server, "bob", "desk");
    bob.expect("the status", |s| {
        is_presence(s, OWN, "") && text(s, "show") == "xa"
    });
    let mut ann = Client::online(&server, "ann", "desk");
    ann.message("welcome back");
    bob.expect("ann", |s| is_presence(s, "ann@office.example/desk", ""));
    for wrong in [
        &["user", "status", ANN, "x", "--until", "Monday"][..],
        &[
            "user",
            "status",
            ANN,
            "x",
            "--until",
            "2001-01-01T00:00:00Z",
        ],
        &["user", "status", "nobody@office.example", "x"],
    ] {
        server.fails(wrong, 1);
    }
    server.fails(&["user", "status", ANN, "x", "--for", "ever"], 2);
    server.ok(&["user", "status", ANN, "--clear"]);
    bob.expect("its end", |s| is_presence(s, OWN, "unavailable"));
}
