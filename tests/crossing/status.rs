//! A status set by hand: seen on both faces while nobody is logged in, over a `kill -9`, until it is taken back.

use super::{ANN, befriended};
use crate::sip::Phone;
use crate::support::xmpp::{is_presence, text};
use crate::support::{Client, Server};

const OWN: &str = "ann@office.example/adsum-status";

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
