//! sipp: many publications and subscriptions at once.

use std::process::Command;

use super::{Process, filled};
use crate::support::server::password;
use crate::support::{DOMAIN, Server, quick};

#[test]
fn twenty_calls_of_each_kind() {
    if quick() {
        return;
    }
    let server = Server::start(&["ann", "bob"]);
    for (transport, mode) in [("udp", "u1"), ("tcp", "t1")] {
        let folder = filled(&server, "sipp", "bob", transport);
        let users = folder.join("users.csv");
        let line = |user: &str, friend: &str| {
            let secret = password(user);
            format!("{user};{friend};[authentication username={user} password={secret}]\n")
        };
        std::fs::write(&users, format!("SEQUENTIAL\n{}", line("bob", "ann"))).unwrap();
        for (scenario, target) in [("publish.xml", "bob"), ("subscribe.xml", "ann")] {
            let mut command = Command::new("sipp");
            command
                .arg(server.address(&format!("sip.{transport}")).to_string())
                .args([
                    "-i",
                    "127.0.0.1",
                    "-t",
                    mode,
                    "-m",
                    "20",
                    "-r",
                    "20",
                    "-nostdin",
                ])
                .args(["-timeout", "40s", "-timeout_error", "-trace_err"])
                .args(["-auth_uri", &format!("{target}@{DOMAIN}")])
                .arg("-sf")
                .arg(folder.join(scenario))
                .arg("-inf")
                .arg(&users)
                .args(["-p", &free_port().to_string()])
                .current_dir(&folder);
            Process::start(&mut command).succeeds();
        }
    }
    server.wait_for_status("all is gone", |status| {
        status["subscriptions"] == 0 && status["publications"] == 0
    });
}

/// sipp takes the port that it is given.
fn free_port() -> u16 {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}
