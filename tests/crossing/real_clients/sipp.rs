//! sipp: many publications and subscriptions at once.

use std::net::{IpAddr, Ipv4Addr};
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
        let scenarios = [
            ("publish.xml", "bob", "5070"),
            ("subscribe.xml", "ann", "5072"),
        ];
        for (scenario, target, port) in scenarios {
            let mut command = Command::new("sipp");
            let own = beside(server.address(&format!("sip.{transport}")).ip());
            command
                .arg(server.address(&format!("sip.{transport}")).to_string())
                .args([
                    "-i",
                    &own.to_string(),
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
                .args(["-p", port])
                .current_dir(&folder);
            Process::start(&mut command).succeeds();
        }
    }
    server.wait_for_status("all is gone", |status| {
        status["subscriptions"] == 0 && status["publications"] == 0
    });
}

/// An address of sipp's own beside that of the server, which no other test has: any port is free there.
fn beside(server: IpAddr) -> IpAddr {
    let IpAddr::V4(v4) = server else {
        panic!("the server listens on IPv4");
    };
    let [a, b, c, _] = v4.octets();
    Ipv4Addr::new(a, b, c, 2).into()
}
