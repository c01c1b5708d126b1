//! The board at `/` where no app is configured.

use super::app::{ORIGIN, id, sign_in};
use super::{BOB, scene};
use crate::sip::Phone;
use crate::sip::pidf::doing;
use crate::support::Server;

#[test]
fn who_is_in() {
    let Some((server, mut bob, mut browser)) = scene(|| Server::start(&["ann", "bob"])) else {
        return;
    };
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
