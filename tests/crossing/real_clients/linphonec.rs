//! linphonec.

use std::process::Command;

use super::super::{BOB, befriended, from, is_phone, phone_of};
use super::{FAST, Process, filled};
use crate::support::{Client, Server, quick};

#[test]
fn presence_and_messages_also_after_a_crash() {
    if quick() {
        return;
    }
    let mut server = Server::with(FAST, &["ann", "bob"]);
    befriended(&server);
    let folder = filled(&server, "linphonec", "bob", "udp");
    // Without this folder it cannot make its database.
    std::fs::create_dir_all(folder.join(".local/share/linphone")).unwrap();
    let address = server.address("sip.udp");
    let mut ann = Client::online(&server, "ann", "desk");
    let mut command = Command::new("linphonec");
    command
        .env("HOME", &folder)
        .arg("-c")
        .arg(folder.join("linphonerc"));
    let mut phone = Process::start(&mut command);
    phone.prints("is Online");
    phone_of(&mut ann, BOB, "");
    see(&mut ann, &mut phone);
    talk(&mut ann, &mut phone, &address.to_string(), "before");
    server.kill();
    server.launch();
    let mut ann = Client::online(&server, "ann", "desk");
    phone_of(&mut ann, BOB, "");
    see(&mut ann, &mut phone);
    talk(&mut ann, &mut phone, &address.to_string(), "after");
    phone.tell("quit\n");
    ann.expect("the phone goes", |s| is_phone(s, BOB, "unavailable"));
}

fn see(ann: &mut Client, phone: &mut Process) {
    for (presence, status) in [
        ("<presence><show>dnd</show></presence>", "is Busy"),
        ("<presence/>", "is Online"),
        ("<presence><show>away</show></presence>", "is Away"),
        ("<presence type='unavailable'/>", "is Offline"),
        ("<presence/>", "is Online"),
    ] {
        ann.send(presence);
        phone.prints(status);
    }
}

fn talk(ann: &mut Client, phone: &mut Process, address: &str, when: &str) {
    phone.tell(&format!("chat sip:ann@{address} hello {when}\n"));
    let got = ann.message(&format!("hello {when}"));
    assert!(from(&got).starts_with(BOB), "{got:?}");
    ann.send(&format!(
        "<message type='chat' to='{BOB}'><body>good morning {when}</body></message>"
    ));
    phone.prints(&format!("good morning {when}"));
}
