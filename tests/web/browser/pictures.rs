//! Pictures of the web app, at work in an office. They are made anew by each run, in the folder `pictures` of the target's `tmp`; with `ADSUM_PICTURES` set
//! they become those of `docs`.

use std::path::Path;
use std::time::SystemTime;

use presence::Utc;
use serde_json::json;

use super::app::{ORIGIN, id, is_online, serving, sign_in};
use super::driver::{Browser, pictures};
use super::{ANN, chat};
use crate::sip::Phone;
use crate::sip::pidf::doing;
use crate::support::xmpp::befriend;
use crate::support::{Client, Server, quick};

/// Account, resource, name, group, presence.
const PEOPLE: [(&str, &str, &str, &str, &str); 9] = [
    (
        "bob",
        "desk",
        "Bob Lindqvist",
        "Sales",
        "<status>At my desk until five</status>",
    ),
    (
        "cara",
        "desk",
        "Cara Osei",
        "Sales",
        "<show>away</show><status>At lunch</status>IDLE",
    ),
    (
        "jo",
        "web",
        "Jo Park",
        "Sales",
        "<show>dnd</show><status>With a customer</status>",
    ),
    (
        "dan",
        "desk",
        "Dan Moreau",
        "Workshop",
        "<status>Second floor</status>",
    ),
    (
        "eve",
        "phone",
        "Eve Tanaka",
        "Workshop",
        "<show>chat</show><status>On the train, write to me</status>",
    ),
    (
        "kofi",
        "desk",
        "Kofi Mensah",
        "Workshop",
        "<status>Press 3 is running again</status>",
    ),
    (
        "ines",
        "web",
        "Ines Bauer",
        "Front desk",
        "<status>Parcels are with me</status>",
    ),
    ("finn", "web", "Finn O'Neill", "Front desk", ""),
    ("gus", "desk", "Gustavo Reyes", "Front desk", ""),
];

/// Ann's list has everybody, under a name and in a group; they see each other.
fn introduced(server: &Server) -> Vec<Client> {
    let mut ann = Client::online(server, "ann", "setup");
    let mut there = Vec::new();
    for (user, resource, name, group, presence) in PEOPLE {
        let mut client = Client::online(server, user, resource);
        befriend(&mut ann, &mut client);
        let group = format!("<group>{group}</group>");
        let item = format!("<item jid=\"{user}@office.example\" name=\"{name}\">{group}</item>");
        ann.ask(
            "set",
            "",
            &format!("<query xmlns='jabber:iq:roster'>{item}</query>"),
        );
        if presence.is_empty() {
            client.close();
        } else {
            client.send(&format!(
                "<presence>{}</presence>",
                presence.replace("IDLE", &idle())
            ));
            client.settle();
            there.push(client);
        }
    }
    // What was said before.
    let bob = &mut there[0];
    for (hers, body) in [
        (true, "Good morning! Has the contract from Hansen come?"),
        (false, "Just now. I'll scan it."),
        (true, "Wonderful. Dan needs page 4 for the workshop."),
        (false, "It's in the folder, and he has it on his desk."),
    ] {
        let (from, to) = if hers {
            (&mut ann, &mut *bob)
        } else {
            (&mut *bob, &mut ann)
        };
        from.send(&chat(to.bare(), body));
        to.message(body);
    }
    ann.close();
    there
}

/// Since 25 minutes.
fn idle() -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let since = Utc(i64::try_from(now).unwrap() - 25 * 60 * 1000).to_rfc3339();
    format!("<idle xmlns='urn:xmpp:idle:1' since='{since}'/>")
}

#[test]
fn pictures_of_the_app() {
    if quick() {
        return;
    }
    let mut users: Vec<&str> = PEOPLE.iter().map(|person| person.0).collect();
    users.extend(["ann", "hana"]);
    let server = serving("", &users);
    let mut there = introduced(&server);
    let mut phone = Phone::udp(&server, "dan");
    let call = doing("dan@office.example", "t1", "on-the-phone");
    let call = call.replace("</status>", "</status><note>On the phone</note>");
    phone.publish(None, Some(&call), 600);
    server.ok(&[
        "user",
        "status",
        "finn@office.example",
        "On leave till Monday",
        "--show",
        "xa",
        "--for",
        "3d",
    ]);
    let mut hana = Client::online(&server, "hana", "desk");
    hana.send(&format!("<presence type='subscribe' to='{ANN}'/>"));
    hana.settle();

    let mut browser = Browser::start(&server);
    browser.ask(json!({"do": "open", "page": "ann", "url": ORIGIN, "width": 1280, "height": 800}));
    sign_in(&mut browser, "ann", "ann", "ann-secret");
    is_online(&mut browser, "ann", "websocket");
    there[1].send(&chat(ANN, "Is the room free at three?"));
    there[1].send(&chat(ANN, "I'd bring cake."));
    let row = |user: &str, state: &str| {
        let jid = format!("[data-jid='{user}@office.example']");
        format!("{}{jid}{state}", id("contact"))
    };
    browser.see("ann", &row("bob", "[data-show=available]"), "At my desk");
    browser.see(
        "ann",
        &format!("{} {}", row("cara", "[data-show=away]"), id("unread")),
        "2",
    );
    browser.see(
        "ann",
        &row("dan", "[data-show=dnd][data-devices~=deskphone]"),
        "",
    );
    browser.see(
        "ann",
        &row("eve", "[data-show=chat][data-devices~=mobile]"),
        "",
    );
    browser.see("ann", &row("finn", "[data-show=xa]"), "On leave");
    browser.see("ann", &id("request"), "");

    let folder = pictures("pictures");
    let take = |browser: &mut Browser, name: &str| {
        browser.picture("ann", &folder.join(name));
    };
    take(&mut browser, "web-desktop-light.png");
    let look = |scheme: &str| json!({"do": "scheme", "page": "ann", "scheme": scheme});
    browser.ask(look("dark"));
    browser.click("ann", &row("bob", ""));
    browser.see("ann", &id("message-text"), "he has it on his desk");
    take(&mut browser, "web-desktop-dark.png");
    browser.ask(json!({"do": "size", "page": "ann", "width": 390, "height": 844}));
    browser.see("ann", &id("message-text"), "he has it on his desk");
    take(&mut browser, "web-phone-dark.png");
    browser.ask(look("light"));
    browser.click("ann", &id("back"));
    browser.see("ann", &row("bob", ""), "");
    take(&mut browser, "web-phone-light.png");

    if std::env::var_os("ADSUM_PICTURES").is_some() {
        let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        for name in ["desktop-light", "desktop-dark", "phone-light", "phone-dark"] {
            let name = format!("web-{name}.png");
            std::fs::copy(folder.join(&name), documents.join(&name)).unwrap();
        }
    }
}
