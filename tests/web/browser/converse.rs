//! Converse.js as a person uses it: the page of `docs/web.md`, fields, buttons and what is shown.

use serde_json::json;

use super::{BOB, Over, chat, is_hers, lines, scene};
use crate::sip::Phone;
use crate::sip::pidf::doing;
use crate::support::Server;

fn talks(over: Over) {
    let Some((server, mut bob, mut browser)) = scene(|| Server::start(&["ann", "bob"])) else {
        return;
    };
    browser.make("/", &lines("Converse.js", over));
    let site = format!("{}/", browser.site);
    browser.open("ann", &site);

    browser.fill("ann", "input[name=jid]", "ann@office.example");
    browser.fill("ann", "input[name=password]", "ann-secret");
    browser.press("ann", "Enter");

    // The contact list, the presence of a contact, and to him hers.
    let name = format!("a[data-jid='{BOB}']");
    browser.see("ann", &format!("li.online {name}"), "bob");
    let ann = bob.expect("ann", |s| is_hers(s, ""));
    let ann = ann.attribute("from").unwrap().into_owned();
    let mut phone = Phone::udp(&server, "bob");
    phone.publish(None, Some(&doing(BOB, "t1", "on-the-phone")), 600);
    browser.see("ann", &format!("li.dnd {name}"), "bob");

    // Messages both ways.
    bob.send(&chat(&ann, "a &lt;coffee&gt; &amp; a word?"));
    let heard = "converse-chat .chat-msg__text";
    browser.click("ann", &name);
    browser.see("ann", heard, "a <coffee> & a word?");
    let field = "converse-chat textarea.chat-textarea";
    browser.fill("ann", field, "<gladly> & \u{1f600}");
    browser.press("ann", "Enter");
    bob.message("<gladly> & \u{1f600}");

    // The network is lost, and what is said meanwhile comes when it is back, once; to her contacts she was there all the time.
    browser.network.cut();
    bob.send(&chat(&ann, "while you were away"));
    bob.settle();
    browser.network.restore();
    browser.see("ann", heard, "while you were away");
    bob.send(&chat(&ann, "are you back?"));
    browser.see("ann", heard, "are you back?");
    let all =
        json!({"do": "count", "page": "ann", "at": format!("{heard} >> text=while you were away")});
    assert_eq!(browser.ask(all), 1);
    browser.fill("ann", field, "back");
    browser.press("ann", "Enter");
    bob.message("back");
    bob.nothing("she was gone", |s| is_hers(s, "unavailable"));

    browser.click("ann", ".show-profile");
    browser.click("ann", ".modal.show button:has-text('Log out')");
    browser.click("ann", ".modal.show button:has-text('Confirm')");
    bob.expect("her end", |s| is_hers(s, "unavailable"));
    browser.see("ann", "input[name=jid]", "");
}

#[test]
fn converse_over_websocket() {
    talks(Over::WebSocket);
}

#[test]
fn converse_over_bosh() {
    talks(Over::Bosh);
}
