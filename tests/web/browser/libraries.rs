//! The libraries that web pages use, by the very lines of `docs/web.md`.

use std::time::Duration;

use super::{BOB, Over, chat, is_hers, lines, scene};
use crate::sip::Phone;
use crate::sip::pidf::doing;
use crate::support::wait::wait_within;
use crate::support::xmpp::text;
use crate::support::{Client, Server};

/// What a page does when the test says so, after the lines of the documents.
const STROPHE: &str = r#"
window.write = (to, body) => connection.send(stx`<message to="${to}" type="chat" xmlns="jabber:client"><body>${body}</body></message>`);
window.leave = () => connection.disconnect();
"#;
const STANZA: &str = r#"
window.write = (to, body) => void client.sendMessage({ to, body, type: "chat" });
window.leave = () => void client.disconnect();
for (const name of ["disconnected", "stream:error", "bosh:terminate"]) client.on(name, (it) => console.log(name, it));
"#;

fn talks(library: &str, over: Over, more: &str) {
    let Some((server, mut bob, mut browser)) = scene(|| Server::start(&["ann", "bob"])) else {
        return;
    };
    browser.make(
        "/",
        "<!doctype html><script type=module src=page.js></script>",
    );
    browser.make_script("/page.js", &format!("{}\n{more}", lines(library, over)));
    let site = format!("{}/", browser.site);
    browser.open("ann", &site);

    // The contact list, the presence of a contact, and to him hers.
    browser.said("ann", &[BOB, "both"]);
    browser.said("ann", &["bob@office.example/desk"]);
    let ann = bob
        .expect("ann", |s| is_hers(s, ""))
        .attribute("from")
        .unwrap()
        .into_owned();
    let mut phone = Phone::udp(&server, "bob");
    phone.publish(None, Some(&doing(BOB, "t1", "on-the-phone")), 600);
    browser.said("ann", &["bob@office.example/sip-", "dnd"]);

    // Messages both ways.
    bob.send(&chat(&ann, "a coffee? \u{2615}"));
    browser.said("ann", &["bob@office.example/desk", "a coffee? \u{2615}"]);
    browser.run("ann", "write('bob@office.example', '<gladly> & \u{1f600}')");
    let answer = bob.message("<gladly> & \u{1f600}");
    let from = answer.attribute("from").unwrap_or_default().into_owned();
    browser.must(from == ann, &format!("{from} is {ann}"));

    // The network is lost, and what is said meanwhile comes when it is back, once; to her contacts she was there all the time.
    browser.network.cut();
    browser.offline("ann", true);
    bob.send(&chat(&ann, "while you were away"));
    bob.settle();
    browser.network.restore();
    browser.offline("ann", false);
    browser.said("ann", &["bob@office.example/desk", "while you were away"]);
    bob.send(&chat(&ann, "are you back?"));
    browser.said("ann", &["bob@office.example/desk", "are you back?"]);
    browser.never_said("ann", "while you were away");
    browser.run("ann", "write('bob@office.example', 'back')");
    hears(&mut bob, "back");

    browser.run("ann", "leave()");
    bob.expect("her end", |s| is_hers(s, "unavailable"));
}

/// Waits for a message longer than others do: a library that has tried in vain tries again after up to nine seconds. She has not been gone meanwhile.
fn hears(bob: &mut Client, body: &str) {
    wait_within(Duration::from_secs(40), body, || {
        let come = bob.settle();
        let gone = come.iter().find(|s| is_hers(s, "unavailable"));
        assert!(gone.is_none(), "she was gone: {gone:?}");
        come.iter().any(|s| text(s, "body") == body).then_some(())
    });
}

#[test]
fn strophe_over_websocket() {
    talks("strophe.js", Over::WebSocket, STROPHE);
}

#[test]
fn strophe_over_bosh() {
    talks("strophe.js", Over::Bosh, STROPHE);
}

#[test]
fn stanza_over_websocket() {
    talks("stanza", Over::WebSocket, STANZA);
}

#[test]
fn stanza_over_bosh() {
    talks("stanza", Over::Bosh, STANZA);
}

/// Windows are closed, and nothing of the pages says goodbye.
#[test]
fn who_vanishes_is_gone_after_a_while() {
    let soon = "[limits]\nbosh_inactivity = \"2s\"\nresume_presence = \"2s\"";
    let Some((_server, mut bob, mut browser)) = scene(|| Server::with(soon, &["ann", "bob"]))
    else {
        return;
    };
    let site = browser.site.clone();
    for (page, over) in [("socket", Over::WebSocket), ("bosh", Over::Bosh)] {
        let tag = format!("<!doctype html><script type=module src={page}.js></script>");
        browser.make(&format!("/{page}"), &tag);
        browser.make_script(&format!("/{page}.js"), &lines("strophe.js", over));
        browser.open(page, &format!("{site}/{page}"));
        browser.said(page, &["presence", "bob@office.example/desk"]);
        let come = bob.expect("ann", |s| is_hers(s, ""));
        let ann = come.attribute("from").unwrap().into_owned();
        browser.close(page);
        bob.presence(&ann, "unavailable");
    }
}
