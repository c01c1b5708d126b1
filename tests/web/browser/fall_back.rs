//! The web app in a network that lets no WebSocket through: a proxy that does not hand upgrades on.

use serde_json::json;

use super::app::{ORIGIN, contact, folder, id, is_online, sign_in, sign_out};
use super::driver::Browser;
use super::{ANN, BOB, befriended, chat, is_hers};
use crate::support::{Client, Server, quick, wait_for};
use crate::web::front::{self, Program, Proxy};

/// Without the lines that hand upgrades on, as many have set up theirs: the server sees a request for nothing but a page.
fn no_upgrades(lines: String) -> String {
    let about =
        |line: &&str| !line.contains("$http_upgrade;") && !line.contains("$connection_upgrade;");
    let left: Vec<_> = lines.lines().filter(about).collect();
    assert_eq!(left.len() + 2, lines.lines().count(), "{lines}");
    left.join("\n")
}

fn prepared() -> (Server, Client) {
    let app = format!("app = {:?}", folder());
    let server = front::server(ORIGIN, &app, &["ann", "bob"]);
    befriended(&server);
    let bob = Client::online(&server, "bob", "desk");
    (server, bob)
}

/// Sessions of BOSH, as the server counts them.
fn bosh_sessions(server: &Server) -> String {
    let page = server.get("/metrics").1;
    let count = page
        .lines()
        .find_map(|line| line.strip_prefix("adsum_bosh_sessions "));
    count.unwrap().to_owned()
}

/// How often a path was asked for.
fn asked(server: &Server, path: &str) -> usize {
    server.log().matches(&format!("path=\"{path}\"")).count()
}

/// She sees how he is, and they write to each other.
fn talk(browser: &mut Browser, bob: &mut Client) {
    bob.send("<presence><show>away</show><status>Back at three</status></presence>");
    browser.see("ann", &contact(BOB, "[data-show=away]"), "Back at three");
    browser.click("ann", &contact(BOB, ""));
    bob.send(&chat(ANN, "a coffee?"));
    browser.see("ann", &id("message-text"), "a coffee?");
    browser.fill("ann", &id("message-input"), "gladly");
    browser.press("ann", "Enter");
    bob.message("gladly");
}

#[test]
fn without_websocket_she_signs_in_by_bosh() {
    if quick() {
        return;
    }
    let (server, mut bob) = prepared();
    let proxy = Proxy::changed(Program::Nginx, &server, no_upgrades);
    let mut browser = Browser::behind(&proxy, &server);
    browser.open("ann", ORIGIN);
    browser.tick("ann", &id("keep-signed-in"));
    sign_in(&mut browser, "ann", "ann", "ann-secret");
    is_online(&mut browser, "ann", "bosh");
    let tried = || asked(&server, "/xmpp-websocket");
    assert_eq!(tried(), 1, "WebSocket is tried first");
    assert_eq!(bosh_sessions(&server), "1");
    bob.expect("ann", |s| is_hers(s, ""));
    talk(&mut browser, &mut bob);

    // What gets through is known by now.
    browser.reload("ann");
    is_online(&mut browser, "ann", "bosh");
    browser.see("ann", &contact(BOB, "[data-show=away]"), "");
    assert_eq!(tried(), 1, "it is not tried again");
    sign_out(&mut browser, "ann");
    bob.expect("her end", |s| is_hers(s, "unavailable"));
    wait_for("no session is left", || {
        (bosh_sessions(&server) == "0").then_some(())
    });
}

#[test]
fn a_websocket_that_does_not_come_back_is_followed_by_bosh() {
    if quick() {
        return;
    }
    let (server, mut bob) = prepared();
    let mut proxy = Proxy::start(Program::Nginx, &server);
    let mut browser = Browser::behind(&proxy, &server);
    browser.open("ann", ORIGIN);
    sign_in(&mut browser, "ann", "ann", "ann-secret");
    is_online(&mut browser, "ann", "websocket");
    assert_eq!(asked(&server, "/http-bind"), 0);
    browser.click("ann", &contact(BOB, "[data-show=available]"));

    proxy.restart(no_upgrades);
    bob.send(&chat(ANN, "while you were away"));
    is_online(&mut browser, "ann", "bosh");
    assert_eq!(bosh_sessions(&server), "1");
    browser.see("ann", &id("message-text"), "while you were away");
    talk(&mut browser, &mut bob);
    let all = format!("{} >> text=while you were away", id("message-text"));
    assert_eq!(
        browser.ask(json!({"do": "count", "page": "ann", "at": all})),
        1
    );
    sign_out(&mut browser, "ann");
    bob.expect("her end", |s| is_hers(s, "unavailable"));
}
