//! The board at `/` where no app is configured.

use super::app::{ORIGIN, id, sign_in};
use super::driver::Browser;
use super::{BOB, befriended};
use crate::sip::Phone;
use crate::sip::pidf::doing;
use crate::support::{Client, Server, quick};

#[test]
fn who_is_in() {
    if quick() {
        return;
    }
    let server = Server::start(&["ann", "bob"]);
    befriended(&server);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut browser = Browser::start(&server);
    browser.open("wall", ORIGIN);
    sign_in(&mut browser, "wall", "ann", "ann-secret");
    let row = |state: &str| format!("{}[data-jid='{BOB}'][data-show={state}]", id("contact"));
    browser.see("wall", &row("available"), "");
    bob.send("<presence><show>away</show><status>Back at three</status></presence>");
    browser.see("wall", &row("away"), "Back at three");
    let mut phone = Phone::udp(&server, "bob");
    phone.publish(None, Some(&doing(BOB, "t1", "on-the-phone")), 600);
    browser.see("wall", &row("dnd"), "");

    browser.network.cut();
    browser.offline("wall", true);
    browser.see("wall", &id("offline"), "");
    bob.close();
    browser.network.restore();
    browser.offline("wall", false);
    browser.gone("wall", &id("offline"), "");
    browser.see("wall", &row("dnd"), "");
    browser.click("wall", &id("sign-out"));
    browser.see("wall", &id("sign-in"), "");
}
