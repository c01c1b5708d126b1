//! A day's work with Profanity, typed and read in a terminal.

use crate::support::terminal::Terminal;
use crate::support::wait::wait_within;
use crate::support::{DEADLINE, Server, quick, wait_for};

/// A Profanity that is logged in, with these settings, in a home that nobody used before.
pub(super) fn logged_in(server: &Server, user: &str, home: &str, settings: &[&str]) -> Terminal {
    let home = server.folder().join(format!("home-{home}"));
    std::fs::create_dir(&home).unwrap();
    let mut screen = Terminal::start("profanity", &home);
    screen.wait_for("Profanity");
    for setting in settings {
        screen.line(setting);
    }
    screen.line("/tls certpath off");
    screen.line("/clear");
    let address = server.address("xmpp.client");
    screen.line(&format!(
        "/connect {user}@office.example server {} port {} tls force",
        address.ip(),
        address.port()
    ));
    screen.wait_for("assword");
    screen.line(&format!("{user}-secret"));
    screen.wait_for("/tls allow");
    // The authority of the server is not one that Profanity knows.
    screen.line("/tls allow");
    screen.wait_for("logged in successfully");
    screen
}

/// One that shows all that it can, and knows what the server can.
fn login(server: &Server, user: &str, home: &str) -> Terminal {
    let settings = [
        "/presence chat all",
        "/presence console all",
        "/receipts send on",
        "/receipts request on",
        "/states on",
        "/outtype on",
        "/intype console on",
        "/carbons on",
        "/mam on",
    ];
    let mut screen = logged_in(server, user, home, &settings);
    knows_the_server(&mut screen);
    screen.line("/clear");
    screen
}

/// It asks what the server can when it has logged in, and tries nothing before it knows.
fn knows_the_server(screen: &mut Terminal) {
    wait_within(DEADLINE, "what the server can", || {
        screen.line("/clear");
        screen.line("/ping");
        wait_for("an answer", || {
            let shown = screen.screen();
            let pinged = shown.contains("Ping response from server");
            let refused = shown.contains("does not support ping");
            (pinged || refused).then_some(pinged)
        })
        .then_some(())
    });
}

/// A picture of one dot.
const PICTURE: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b,
    0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x60, 0x00, 0x00, 0x00,
    0x02, 0x00, 0x01, 0x48, 0xaf, 0xa4, 0x71, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae,
    0x42, 0x60, 0x82,
];

/// Ann and Bob find each other.
fn meet(ann: &mut Terminal, bob: &mut Terminal) {
    ann.line("/roster add bob@office.example Bobby");
    ann.wait_for("Roster item added: bob@office.example");
    ann.line("/sub request bob@office.example");
    bob.wait_for("Received authorization request from ann@office.example");
    bob.line("/sub allow ann@office.example");
    ann.wait_for("Subscription received from bob@office.example");
    bob.line("/sub request ann@office.example");
    ann.wait_for("Received authorization request from bob@office.example");
    ann.line("/sub allow bob@office.example");
    bob.wait_for("Subscription received from ann@office.example");
    ann.line("/roster");
    ann.wait_for("bob@office.example (Bobby) - both");
}

/// Each sees how the other is, and that he writes.
fn talk(ann: &mut Terminal, bob: &mut Terminal) {
    for (status, shown) in [
        ("away \"at lunch\"", "is away, \"at lunch\""),
        ("dnd \"in a meeting\"", "is dnd, \"in a meeting\""),
        ("online \"back again\"", "is online, \"back again\""),
    ] {
        bob.line(&format!("/status set {status}"));
        ann.wait_for(shown);
    }
    bob.line("/msg ann@office.example");
    bob.keys("are you th");
    ann.wait_for("Bobby is typing a message");
    bob.line("ere?");
    ann.line("/msg bob@office.example");
    ann.wait_for("are you there?");
    ann.line("yes, at ten?");
    bob.wait_for("yes, at ten?");
    ann.line("/correct yes, at eleven?");
    bob.wait_for("yes, at eleven?");
}

/// Ann sees which of her messages have arrived: the others are red.
fn confirm(ann: &mut Terminal, bob: &mut Terminal) {
    for (confirms, text, shown) in [
        ("off", "has this come?", "\u{1b}[31mme: has this come?"),
        ("on", "and this?", "\u{1b}[33mme: \u{1b}[39mand this?"),
    ] {
        bob.line("/win 1");
        bob.line("/clear");
        bob.line(&format!("/receipts send {confirms}"));
        bob.wait_for("eceipts");
        bob.line("/msg ann@office.example");
        ann.line(text);
        bob.wait_for(text);
        wait_for(text, || ann.styled().contains(shown).then_some(()));
    }
    assert!(ann.styled().contains("\u{1b}[31mme: has this come?"));
}

/// Another client of Bob's gets what is for the first, and what that says.
fn share(server: &Server, ann: &mut Terminal, bob: &mut Terminal) -> Terminal {
    let mut other = login(server, "bob", "other");
    other.line("/msg ann@office.example");
    // What was said before he came is in the archive.
    other.wait_for("are you there?");
    other.wait_for("yes, at eleven?");
    ann.line("for all of yours");
    bob.wait_for("for all of yours");
    other.wait_for("for all of yours");
    bob.line("said by the first");
    ann.wait_for("said by the first");
    other.wait_for("me: said by the first");
    other
}

/// What there is, found out.
fn look(ann: &mut Terminal) {
    for (line, shown) in [
        ("/ping", "Ping response from server"),
        ("/disco info office.example", "urn:xmpp:ping"),
        ("/disco info bob@office.example", "pep-vcard-conversion"),
        (
            "/lastactivity get office.example",
            "office.example up since",
        ),
    ] {
        ann.line("/win 1");
        ann.line("/clear");
        ann.line(line);
        ann.wait_for(shown);
    }
}

fn show_a_picture(server: &Server, ann: &mut Terminal, bob: &mut Terminal) {
    let picture = server.folder().join("picture.png");
    std::fs::write(&picture, PICTURE).unwrap();
    ann.line(&format!("/avatar set {}", picture.display()));
    ann.wait_for("Avatar updated successfully");
    bob.line("/win 1");
    bob.line("/avatar get ann@office.example");
    bob.wait_for("Avatar saved as");
}

fn block(ann: &mut Terminal, bob: &mut Terminal) {
    bob.line("/clear");
    ann.line("/blocked add bob@office.example");
    ann.wait_for("User bob@office.example successfully blocked");
    bob.wait_for("is offline");
    bob.line("/msg ann@office.example do you hear me?");
    bob.wait_for("Error from ann@office.example: service-unavailable");
    ann.line("/blocked remove bob@office.example");
    ann.wait_for("User bob@office.example successfully unblocked");
    bob.line("and now?");
    ann.line("/msg bob@office.example");
    ann.wait_for("and now?");
}

#[test]
fn a_day_with_profanity() {
    if quick() {
        return;
    }
    let server = Server::start(&["ann", "bob"]);
    let (mut ann, mut bob) = (login(&server, "ann", "ann"), login(&server, "bob", "bob"));
    meet(&mut ann, &mut bob);
    talk(&mut ann, &mut bob);
    confirm(&mut ann, &mut bob);
    let mut other = share(&server, &mut ann, &mut bob);
    look(&mut ann);
    show_a_picture(&server, &mut ann, &mut bob);
    block(&mut ann, &mut bob);
    // Her next client has it all: contacts, bookmarks, what was said.
    ann.line("/bookmark add room@talk.office.example nick Annie autojoin off");
    ann.line("/win 1");
    ann.line("/clear");
    ann.line("/bookmark list");
    ann.wait_for("room@talk.office.example");
    other.line("/win 1");
    other.line("/clear");
    ann.line("/quit");
    other.wait_for("is offline");
    let mut ann = login(&server, "ann", "new");
    ann.line("/roster");
    ann.wait_for("bob@office.example (Bobby) - both");
    ann.line("/bookmark list");
    ann.wait_for("room@talk.office.example");
    ann.line("/msg bob@office.example");
    ann.wait_for("said by the first");
    ann.wait_for("and now?");
}
