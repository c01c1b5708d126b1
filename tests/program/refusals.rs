//! What keeps it from starting is said in one sentence, and nothing is changed.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;

use crate::support::{Client, Server};

/// Every file below a folder with its content, but for the lock, which says who tried last.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all.insert(format!("{}/", path.display()), Vec::new());
                folders.push(path);
            } else if !path.ends_with("serve.lock") {
                all.insert(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }
    all
}

/// `serve` fails with this code and a sentence with these words, and leaves everything as it was.
#[track_caller]
fn refuses(server: &Server, code: i32, words: &[&str]) {
    let before = content(server.folder());
    let said = server.fails(&["serve"], code);
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    let after = content(server.folder());
    let names = |all: &BTreeMap<String, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    assert!(before == after, "a file was changed");
}

#[test]
fn a_port_in_use() {
    let mut server = Server::prepared("");
    for (section, key) in [
        ("xmpp", "client"),
        ("xmpp", "client_tls"),
        ("sip", "tcp"),
        ("http", "listen"),
    ] {
        let taken = TcpListener::bind((server.ip(), 0)).unwrap();
        let address = taken.local_addr().unwrap().to_string();
        server.reconfigure(&format!("[{section}]\n{key} = [\"{address}\"]"));
        refuses(&server, 1, &[&address, &format!("{section}.{key}")]);
    }
    assert!(!server.data().exists(), "no data folder was made");
}

#[test]
fn a_key_that_cannot_be_read() {
    let mut server = Server::prepared("");
    let certificate = server.folder().join("fullchain.pem");
    let key = server.folder().join("privkey.pem");
    std::fs::write(&certificate, "no certificate").unwrap();
    let tls = format!(
        "[tls]\ncertificate = \"{}\"\nkey = \"{}\"",
        certificate.display(),
        key.display()
    );
    server.reconfigure(&tls);
    refuses(&server, 1, &["fullchain.pem"]);
    let made = rcgen::generate_simple_self_signed(["office.example".to_owned()]).unwrap();
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    refuses(&server, 1, &["privkey.pem"]);
    std::fs::write(
        &key,
        "-----BEGIN PRIVATE KEY-----\nno key\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    refuses(&server, 1, &["privkey.pem"]);
    // The key of another certificate.
    let other = rcgen::KeyPair::generate().unwrap();
    std::fs::write(&key, other.serialize_pem()).unwrap();
    refuses(&server, 1, &["privkey.pem"]);
    assert!(!server.data().exists());

    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    server.launch();
    assert_eq!(server.get("/ca.pem").0, 404, "there is no local authority");
}

#[test]
fn an_unknown_key_of_the_configuration() {
    let mut server = Server::prepared("");
    server.reconfigure("[xmpp]\nping_afer = \"5s\"");
    refuses(
        &server,
        2,
        &["xmpp.ping_afer is not a known key; the nearest one is xmpp.ping_after"],
    );
    assert!(!server.data().exists());
}

#[test]
fn a_database_of_a_newer_version() {
    let mut server = Server::start(&["ann"]);
    server.terminate();
    {
        let database = rusqlite::Connection::open(server.data().join("adsum.db")).unwrap();
        let version: i64 = database
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        database
            .pragma_update(None, "user_version", version + 1)
            .unwrap();
    }
    refuses(&server, 1, &["newer"]);
    let said = server.fails(&["user", "list"], 1);
    assert!(said.contains("newer"), "{said}");
}

#[test]
fn a_second_server_on_the_same_data() {
    let server = Server::start(&["ann"]);
    let other = Server::prepared("");
    let data = server.data();
    let said = other.fails(&["serve", "--data", data.to_str().unwrap()], 1);
    assert!(said.contains("nother server"), "{said}");
    assert!(said.contains(&server.process().to_string()), "{said}");
    Client::online(&server, "ann", "desk").close();
}
