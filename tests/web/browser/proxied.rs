//! Through reverse proxies, as `docs/web.md` sets them up.

use std::time::Duration;

use super::driver::Browser;
use super::{Over, befriended, chat, is_hers, lines};
use crate::support::wait::wait_within;
use crate::support::{Client, quick};
use crate::web::front::{self, Program, Proxy};

/// As patient as the documents have it, twenty times as fast.
const FAST: &str = "[limits]\nbosh_wait = \"3s\"\n[xmpp]\nping_after = \"3s\"";

fn faster(lines: String) -> String {
    lines.replace("120s", "6s")
}

/// What a page does when the test says so, after the lines of the documents.
const WRITE: &str = r#"
window.write = (body) => connection.send(stx`<message to="bob@office.example" type="chat" xmlns="jabber:client"><body>${body}</body></message>`);
"#;

/// Begins a page, which finds the server by its public name.
fn open(browser: &mut Browser, page: &str, over: Over) {
    let tag = format!("<!doctype html><script type=module src={page}.js></script>");
    browser.make(&format!("/{page}"), &tag);
    let public = lines("strophe.js", over).replace(":5281", "");
    browser.make_script(&format!("/{page}.js"), &format!("{public}\n{WRITE}"));
    let address = format!("{}/{page}", browser.site);
    browser.open(page, &address);
    browser.said(page, &["presence", "bob@office.example/desk"]);
}

fn talks(program: Program) {
    if quick() {
        return;
    }
    let server = front::server("https://office.example", FAST, &["ann", "bob"]);
    befriended(&server);
    let proxy = Proxy::changed(program, &server, faster);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut browser = Browser::behind(&proxy, &server);
    let mut pages = Vec::new();
    for (page, over, method, path) in [
        ("socket", Over::WebSocket, "GET", "/xmpp-websocket"),
        ("bosh", Over::Bosh, "POST", "/http-bind"),
    ] {
        open(&mut browser, page, over);
        // Who she is, and that nobody listens.
        let from = format!("client={} confidential=true", server.ip());
        server.wait_for_log(&format!("{from} method={method} path={path:?}"));
        let come = bob.expect("ann", |s| is_hers(s, ""));
        pages.push((page, come.attribute("from").unwrap().into_owned()));
    }
    // Nobody says anything for longer than the proxy waits.
    let asked = || server.log().matches("path=\"/http-bind\"").count();
    let before = asked();
    wait_within(
        Duration::from_secs(40),
        "a request is held three times",
        || (asked() >= before + 3).then_some(()),
    );
    for (page, ann) in &pages {
        bob.send(&chat(ann, "are you there?"));
        browser.said(page, &["bob@office.example/desk", "are you there?"]);
        browser.run(page, &format!("write('yes, by {page}')"));
        let answer = bob.message(&format!("yes, by {page}"));
        assert_eq!(answer.attribute("from").as_deref(), Some(ann.as_str()));
        // What the browser says of an answer such as 504, and of a socket that breaks.
        browser.never_said(page, "Failed to load");
        browser.never_said(page, "WebSocket connection");
    }
    bob.nothing("she was gone", |s| is_hers(s, "unavailable"));
}

#[test]
fn nginx() {
    talks(Program::Nginx);
}

#[test]
fn caddy() {
    talks(Program::Caddy);
}

#[test]
fn haproxy() {
    talks(Program::Haproxy);
}
