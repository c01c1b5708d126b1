//! baresip.

use std::process::Command;

use super::super::{BOB, befriended, child, from, is_phone, phone_of};
use super::{FAST, Process, filled};
use crate::support::{Client, Server, quick, wait_for};

#[test]
fn presence_and_messages_also_after_a_crash() {
    if quick() {
        return;
    }
    for transport in ["udp", "tcp"] {
        let mut server = Server::with(FAST, &["ann", "bob"]);
        befriended(&server);
        let folder = filled(&server, "baresip", "bob", transport);
        let mut ann = Client::online(&server, "ann", "desk");
        let mut phone = Process::start(Command::new("baresip").arg("-f").arg(&folder));
        phone.prints("registered successfully");
        phone_of(&mut ann, BOB, "");
        // It prints changes; what it is told first is none.
        wait_for("the first NOTIFY", || {
            let (_, metrics) = server.get("/metrics");
            let mut lines = metrics.lines();
            lines
                .any(|l| l.starts_with("adsum_notifies_total ") && !l.ends_with(" 0"))
                .then_some(())
        });
        see_each_other(&mut ann, &mut phone);
        talk(&mut ann, &mut phone, "before");
        server.kill();
        server.launch();
        // It is where it was, and what is told from now on arrives.
        let mut ann = Client::online(&server, "ann", "desk");
        phone_of(&mut ann, BOB, "");
        see_each_other(&mut ann, &mut phone);
        talk(&mut ann, &mut phone, "after");
        phone.tell("/quit\n");
        ann.expect("the phone goes", |s| is_phone(s, BOB, "unavailable"));
    }
}

fn see_each_other(ann: &mut Client, phone: &mut Process) {
    for (content, status) in [
        ("<show>dnd</show>", "to Busy"),
        ("", "to Online"),
        ("<show>away</show>", "to Offline"),
        ("", "to Online"),
    ] {
        ann.send(&format!("<presence>{content}</presence>"));
        phone.prints(status);
    }
    // Its own keys for offline and online.
    phone.tell("]");
    phone_of(ann, BOB, "unavailable");
    phone.tell("[");
    phone_of(ann, BOB, "");
}

fn talk(ann: &mut Client, phone: &mut Process, when: &str) {
    // To the first of its contacts.
    phone.tell(&format!("/message hello {when}\n"));
    let got = ann.message(&format!("hello {when}"));
    assert!(from(&got).starts_with(BOB), "{got:?}");
    assert_eq!(child(&got, "body"), format!("hello {when}"));
    ann.send(&format!(
        "<message type='chat' to='{BOB}'><body>good morning {when}</body></message>"
    ));
    phone.prints(&format!("good morning {when}"));
}
