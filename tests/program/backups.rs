//! `status`, `backup`, `restore`.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::{Client, Server};

#[test]
fn status_says_what_the_server_is_doing() {
    let mut server = Server::start(&["ann"]);
    let ann = Client::online(&server, "ann", "desk");
    let status: Value = serde_json::from_str(&server.ok(&["status", "--json"])).unwrap();
    assert_eq!(status["running"], true);
    assert_eq!(status["sessions"]["xmpp"], 1);
    assert_eq!(status["process"], server.process());
    let own = server.address("xmpp.client").to_string();
    assert_eq!(status["listening"]["xmpp.client"][0], own);
    for name in [
        "version",
        "uptime_seconds",
        "publications",
        "subscriptions",
        "queues",
        "storage",
        "peers",
        "sources",
        "last_backup",
    ] {
        assert!(status.get(name).is_some(), "{name}: {status}");
    }
    let text = server.ok(&["status"]);
    assert!(text.contains(&own), "{text}");
    ann.close();
    server.wait_for_status("the session is gone", |s| s["sessions"]["xmpp"] == 0);
    server.terminate();
    let status: Value = serde_json::from_str(&server.ok(&["status", "--json"])).unwrap();
    assert_eq!(status["running"], false);
    server.fails(&["status"], 1);
}

#[test]
fn a_backup_of_the_running_server_brings_everything_back() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    ann.ask(
        "set",
        "",
        "<query xmlns='jabber:iq:roster'><item jid='bob@office.example' name='Bob'><group>Friends</group></item></query>",
    );
    let file = server.folder().join("copy.db");
    let path = file.to_str().unwrap();
    server.ok(&["backup", path]);
    let facts = std::fs::metadata(&file).unwrap();
    assert_eq!(facts.permissions().mode() & 0o777, 0o600);
    // What happens later is not in it.
    ann.ask(
        "set",
        "",
        "<query xmlns='jabber:iq:roster'><item jid='carol@office.example'/></query>",
    );
    let later = ann.roster();
    let version = later
        .children()
        .next()
        .unwrap()
        .attribute("ver")
        .unwrap()
        .into_owned();
    let version = format!("ver='{version}'");
    ann.close();

    let status: Value = serde_json::from_str(&server.ok(&["status", "--json"])).unwrap();
    assert!(status["last_backup"].is_string(), "{status}");

    let mut other = Server::prepared("");
    other.ok(&["restore", path]);
    other.launch();
    let mut ann = Client::login(&other, "ann", "desk");
    let roster = String::from_utf8(ann.roster().raw().to_vec()).unwrap();
    // No version that a client knows from before means this list.
    assert!(!roster.contains(&version), "{roster}, {version}");
    assert!(roster.contains("bob@office.example"), "{roster}");
    assert!(roster.contains("Friends"), "{roster}");
    assert!(!roster.contains("carol@"), "{roster}");
    ann.close();

    let said = other.fails(&["restore", path], 1);
    assert!(said.contains("server"), "while it runs: {said}");
    let said = other.fails(&["restore", path, "--force"], 1);
    assert!(said.contains("server"), "while it runs: {said}");
    other.add_users(&["dave"]);
    other.terminate();
    let said = other.fails(&["restore", path], 1);
    assert!(said.contains("--force"), "{said}");
    assert!(other.ok(&["user", "list"]).contains("dave@"), "untouched");
    other.ok(&["restore", path, "--force"]);
    assert!(!other.ok(&["user", "list"]).contains("dave@"));
    assert!(other.ok(&["user", "list"]).contains("ann@"));
}

#[test]
fn what_is_no_backup_is_not_restored() {
    let mut server = Server::start(&["ann"]);
    server.terminate();
    let file = server.folder().join("copy.db");
    std::fs::write(&file, "no database").unwrap();
    server.fails(&["restore", file.to_str().unwrap(), "--force"], 1);
    server.fails(&["restore", "none.db", "--force"], 1);
    assert!(server.ok(&["user", "list"]).contains("ann@"));
    server.launch();
    Client::online(&server, "ann", "desk").close();
}

#[test]
fn the_key_is_left_out_unless_asked_for() {
    let server = Server::start(&["ann"]);
    let secret = std::fs::read(server.data().join("secret.key")).unwrap();
    let holds = |file: &std::path::Path| {
        let octets = std::fs::read(file).unwrap();
        octets.windows(secret.len()).any(|part| part == secret)
    };
    let beside = |name: &str| server.folder().join(name);
    server.ok(&["backup", beside("a.db").to_str().unwrap()]);
    assert!(!holds(&beside("a.db")));
    assert!(!beside("a.db.secret.key").exists());
    server.ok(&["backup", "--with-secret", beside("b.db").to_str().unwrap()]);
    assert!(!holds(&beside("b.db")));
    let key = beside("b.db.secret.key");
    assert!(holds(&key));
    assert_eq!(
        std::fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn backups_are_made_on_time_and_pruned() {
    let mut server = Server::prepared("[backup]\nevery = \"1h\"\nkeep = 2");
    server.add_users(&["ann"]);
    let folder = server.data().join("backups");
    std::fs::create_dir(&folder).unwrap();
    // Three of long ago: the next one is due at once.
    for day in ["20200101", "20200102", "20200103"] {
        let file = std::fs::File::create(folder.join(format!("adsum-{day}T000000Z.db"))).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    std::fs::write(folder.join("of-somebody.else"), "stays").unwrap();
    server.launch();
    server.wait_for_log("a backup was made");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(names[0], "adsum-20200103T000000Z.db");
    assert_eq!(names[2], "of-somebody.else");
    let status: Value = serde_json::from_str(&server.ok(&["status", "--json"])).unwrap();
    assert!(status["last_backup"].is_string(), "{status}");
    let mut other = Server::prepared("");
    other.ok(&["restore", folder.join(&names[1]).to_str().unwrap()]);
    other.launch();
    Client::online(&other, "ann", "desk").close();
    // After a restart it is still known when the last one was made.
    server.terminate();
    server.launch();
    let status: Value = serde_json::from_str(&server.ok(&["status", "--json"])).unwrap();
    assert!(status["last_backup"].is_string(), "{status}");
}
