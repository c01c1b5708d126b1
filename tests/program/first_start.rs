//! The first start makes everything that is needed.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Client, Server, wait_for};

#[test]
fn it_makes_its_folder_and_says_what_to_do_next() {
    let mut server = Server::prepared("");
    server.launch();
    let mode = |name: &str| {
        let path = server.data().join(name);
        let facts = std::fs::metadata(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        facts.permissions().mode() & 0o777
    };
    assert_eq!(mode(""), 0o700);
    for name in ["adsum.db", "secret.key", "ca.key", "admin.sock"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    assert!(mode("ca.pem") > 0);
    let hint = "adsum user add ann@office.example";
    let printed = wait_for(hint, || Some(server.printed()).filter(|p| p.contains(hint)));
    assert!(printed.lines().count() <= 10, "{printed}");
    for key in ["xmpp.client", "xmpp.client_tls", "sip.udp", "http.listen"] {
        let address = server.address(key).to_string();
        assert!(printed.contains(&address), "{key} {address}: {printed}");
    }
    server.add_users(&["ann"]);
    Client::online(&server, "ann", "desk").close();
    assert_eq!(server.terminate().code(), Some(0));
    server.launch();
    server.wait_for_log("the server is ready");
    assert!(
        !server.printed().contains("user add"),
        "there are accounts now"
    );
    Client::online(&server, "ann", "desk").close();
}
