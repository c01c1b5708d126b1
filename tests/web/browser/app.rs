//! The web app of `examples/web`, as `[http] app` serves it and as a person uses it.

use std::path::Path;

use serde_json::json;

use super::driver::Browser;
use super::{ANN, BOB, chat, is_hers, scene};
use crate::sip::Phone;
use crate::sip::pidf::doing;
use crate::support::xmpp::{is_presence, text};
use crate::support::{Client, Server};

/// Where the app is, for the pages.
pub(super) const ORIGIN: &str = "https://office.example:5281";

/// What the README of the app calls by this name.
pub(super) fn id(name: &str) -> String {
    format!("[data-testid={name}]")
}

/// A server that serves the app, with more configuration.
pub(super) fn serving(extra: &str, users: &[&str]) -> Server {
    let app = folder();
    let extra = format!("[http]\napp = {app:?}\npublic_url = {ORIGIN:?}\n{extra}");
    Server::with(&extra, users)
}

/// What the app was built into.
pub(super) fn folder() -> String {
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/web/dist");
    assert!(app.join("index.html").exists(), "tests/run builds the app");
    app.display().to_string()
}

/// Types the account and its password.
pub(super) fn sign_in(browser: &mut Browser, page: &str, user: &str, password: &str) {
    browser.fill(page, &id("jid"), &format!("{user}@office.example"));
    browser.fill(page, &id("password"), password);
    browser.click(page, &id("submit"));
}

pub(super) fn is_online(browser: &mut Browser, page: &str, transport: &str) {
    let way = format!("[data-state=online][data-transport^='{transport}']");
    browser.there(page, &format!("{}{way}", id("connection")));
}

pub(super) fn contact(jid: &str, state: &str) -> String {
    format!("{}[data-jid='{jid}']{state}", id("contact"))
}

pub(super) fn sign_out(browser: &mut Browser, page: &str) {
    browser.click(page, &id("menu"));
    browser.click(page, &id("sign-out"));
    browser.see(page, &id("sign-in"), "");
}

/// How far her last message has come is seen: the server has it, he has it, he has read it.
fn is_seen_to_come(browser: &mut Browser, bob: &mut Client, message: &xml::Element) {
    let [from, message] = ["from", "id"].map(|name| message.attribute(name).unwrap().into_owned());
    let state = |state: &str| format!("{}[data-from=me][data-state={state}]", id("message"));
    browser.see("ann", &state("sent"), "");
    for (name, namespace, then) in [
        ("received", "urn:xmpp:receipts", "received"),
        ("displayed", "urn:xmpp:chat-markers:0", "displayed"),
    ] {
        bob.send(&format!(
            "<message type='chat' to='{from}'><{name} xmlns='{namespace}' id='{message}'/></message>"
        ));
        browser.see("ann", &state(then), "");
    }
}

/// The network is lost, and what is said meanwhile comes when it is back, once, on both sides.
fn loses_the_network(browser: &mut Browser, bob: &mut Client) {
    let heard = id("message-text");
    browser.network.cut();
    browser.offline("ann", true);
    browser.see("ann", &id("offline"), "");
    bob.send(&chat(ANN, "while you were away"));
    bob.settle();
    browser.fill("ann", &id("message-input"), "for when I am back");
    browser.press("ann", "Enter");
    let mine = |state: &str| format!("{}[data-from=me][data-state={state}]", id("message"));
    browser.see("ann", &mine("waiting"), "for when I am back");
    browser.network.restore();
    browser.offline("ann", false);
    browser.see("ann", &heard, "while you were away");
    browser.gone("ann", &id("offline"), "");
    bob.message("for when I am back");
    browser.see("ann", &mine("sent"), "for when I am back");
    browser.fill("ann", &id("message-input"), "back");
    browser.press("ann", "Enter");
    bob.message("back");
    let all = format!("{heard} >> text=while you were away");
    assert_eq!(
        browser.ask(json!({"do": "count", "page": "ann", "at": all})),
        1
    );
    bob.nothing("twice", |s| text(s, "body") == "for when I am back");
}

fn a_day(transport: &str) {
    let Some((server, mut bob, mut browser)) = scene(|| serving("", &["ann", "bob"])) else {
        return;
    };
    browser.open("ann", &format!("{ORIGIN}/?transport={transport}"));
    sign_in(&mut browser, "ann", "ann", "ann-secret");
    is_online(&mut browser, "ann", transport);

    // Who is in, with what he says and what he uses.
    let ann = bob.expect("ann", |s| is_hers(s, ""));
    let ann = ann.attribute("from").unwrap().into_owned();
    browser.see("ann", &contact(BOB, "[data-show=available]"), "bob");
    bob.send("<presence><show>away</show><status>Back at three</status></presence>");
    browser.see("ann", &contact(BOB, "[data-show=away]"), "Back at three");
    let mut phone = Phone::udp(&server, "bob");
    phone.publish(None, Some(&doing(BOB, "t1", "on-the-phone")), 600);
    browser.see(
        "ann",
        &contact(BOB, "[data-show=dnd][data-devices~=deskphone]"),
        "",
    );

    // Messages both ways.
    bob.send(&chat(&ann, "a &lt;coffee&gt; &amp; a word?"));
    browser.see(
        "ann",
        &format!("{} {}", contact(BOB, ""), id("unread")),
        "1",
    );
    browser.click("ann", &contact(BOB, ""));
    let heard = id("message-text");
    browser.see("ann", &heard, "a <coffee> & a word?");
    browser.fill("ann", &id("message-input"), "<gladly> & \u{1f600}");
    browser.press("ann", "Enter");
    let heard_by_him = bob.message("<gladly> & \u{1f600}");
    is_seen_to_come(&mut browser, &mut bob, &heard_by_him);
    let typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
    bob.send(&format!(
        "<message type='chat' to='{ann}'>{typing}</message>"
    ));
    browser.see("ann", &id("typing"), "");

    loses_the_network(&mut browser, &mut bob);
    is_online(&mut browser, "ann", transport);
    sign_out(&mut browser, "ann");
    bob.expect("her end", |s| is_hers(s, "unavailable"));
}

#[test]
fn a_day_over_websocket() {
    a_day("websocket");
}

#[test]
fn a_day_over_bosh() {
    a_day("bosh");
}

#[test]
fn a_wrong_password_a_reload_a_request_and_a_status_that_stays() {
    let Some((server, mut bob, mut browser)) = scene(|| serving("", &["ann", "bob", "cara"]))
    else {
        return;
    };
    browser.open("ann", ORIGIN);
    sign_in(&mut browser, "ann", "ann", "not hers");
    browser.see("ann", &id("sign-in-error"), "");
    browser.tick("ann", &id("keep-signed-in"));
    sign_in(&mut browser, "ann", "ann", "ann-secret");
    is_online(&mut browser, "ann", "websocket");

    // After a reload she is there again, and so is what was said.
    browser.click("ann", &contact(BOB, "[data-show=available]"));
    browser.fill("ann", &id("message-input"), "before the reload");
    browser.press("ann", "Enter");
    bob.message("before the reload");
    browser.reload("ann");
    is_online(&mut browser, "ann", "websocket");
    browser.click("ann", &contact(BOB, "[data-show=available]"));
    browser.see("ann", &id("message-text"), "before the reload");

    // Somebody asks, and is let in.
    let mut cara = Client::online(&server, "cara", "desk");
    cara.send(&format!("<presence type='subscribe' to='{ANN}'/>"));
    let request = format!("{}[data-jid='cara@office.example']", id("request"));
    browser.click("ann", &format!("{request} {}", id("approve")));
    cara.presence(ANN, "subscribed");
    cara.expect("ann", |s| is_hers(s, ""));
    browser.gone("ann", &request, "");

    // A status that outlives her logout.
    browser.click("ann", &id("own-status"));
    browser.click("ann", &id("show-xa"));
    browser.fill("ann", &id("note"), "On leave till Monday");
    browser.tick("ann", &id("keep-after-logout"));
    browser.click("ann", &id("status-save"));
    let stays = format!("{ANN}/adsum-status");
    let seen = cara.presence(&stays, "");
    assert_eq!(
        (text(&seen, "show"), text(&seen, "status")),
        ("xa".to_owned(), "On leave till Monday".to_owned())
    );
    browser.there("ann", &format!("{}[data-kept=true]", id("own-status")));
    sign_out(&mut browser, "ann");
    cara.expect("her end", |s| is_hers(s, "unavailable"));
    cara.nothing("the status went", |s| is_presence(s, &stays, "unavailable"));
    // What was kept to stay signed in is gone.
    browser.reload("ann");
    browser.see("ann", &id("sign-in"), "");
}

/// Keys, one after the other.
fn keys(browser: &mut Browser, text: &str) {
    for key in text.chars() {
        browser.press("ann", &key.to_string());
    }
}

#[test]
fn with_the_keyboard_alone() {
    let Some((_server, mut bob, mut browser)) = scene(|| serving("", &["ann", "bob"])) else {
        return;
    };
    browser.open("ann", ORIGIN);
    // What is wrong is where one goes on writing.
    browser.focused("ann", "role=textbox[name='Address']");
    keys(&mut browser, "ann");
    browser.press("ann", "Enter");
    browser.focused("ann", &format!("{}[aria-invalid=true]", id("jid")));
    keys(&mut browser, "@office.example");
    browser.press("ann", "Tab");
    keys(&mut browser, "ann-secret");
    browser.press("ann", "Enter");
    is_online(&mut browser, "ann", "websocket");

    // Found, opened, written to.
    browser.see("ann", &contact(BOB, "[data-show=available]"), "bob");
    browser.press("ann", "/");
    browser.focused("ann", "role=searchbox[name='Search people']");
    keys(&mut browser, "bo");
    browser.press("ann", "Enter");
    browser.focused("ann", "role=textbox[name='Message to Bob']");
    keys(&mut browser, "hello");
    browser.press("ann", "Enter");
    bob.message("hello");

    // Back to where the conversation was begun; and to the other list, by its tab.
    browser.press("ann", "Escape");
    browser.focused("ann", &contact(BOB, ""));
    browser.press("ann", "Shift+Tab");
    browser.focused("ann", "role=tab[name=/People/][selected]");
    browser.press("ann", "ArrowRight");
    browser.focused("ann", "role=tab[name=/Chats/][selected]");
    browser.press("ann", "Tab");
    browser.focused("ann", &id("chat-row"));
    browser.press("ann", "Enter");
    browser.see("ann", &id("message-text"), "hello");
}
