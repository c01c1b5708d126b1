//! `adsum user`: with and without a running server, and that it takes effect at once.

use serde_json::Value;

use crate::support::xmpp::{condition, is_presence};
use crate::support::{Client, DOMAIN, Server};

use ::xmpp::sasl::Hash;

/// Whether the account may log in with this password, by SCRAM and by PLAIN; the condition where it may not.
fn login(server: &Server, user: &str, password: &str) -> Result<(), String> {
    let tls = crate::support::tls::Tls::trusting(server);
    let mut scram = Client::direct(server, &tls);
    scram.open();
    let first = scram.scram(Hash::Sha256, user, password, None);
    let mut plain = Client::direct(server, &tls);
    plain.open();
    let second = plain.plain(user, password);
    let (first, second) = (first.map(|_| ()), second.map(|_| ()));
    assert_eq!(first, second, "both say the same");
    first
}

fn list(server: &Server) -> Value {
    serde_json::from_str(&server.ok(&["user", "list", "--json"])).unwrap()
}

fn row(server: &Server, jid: &str) -> Value {
    let all = list(server);
    let found = all.as_array().unwrap().iter().find(|row| row["jid"] == jid);
    found.cloned().unwrap_or_default()
}

/// The commands that change accounts, each seen in the list.
fn every_command(server: &Server) {
    let ann = &*format!("ann@{DOMAIN}");
    let said = server.ok(&["user", "add", ann, "--admin"]);
    let password = said.trim().rsplit(' ').next().unwrap();
    assert!(password.len() >= 12, "{said}");
    assert_eq!(row(server, ann)["admin"], true);
    let again = server.fails(&["user", "add", ann], 1);
    assert!(again.contains("taken"), "{again}");

    let done = server.run_with_input(
        &["user", "add", "bob@office.example", "--password-stdin"],
        "pencil\n",
    );
    assert!(done.status.success(), "{done:?}");
    assert!(!String::from_utf8(done.stdout).unwrap().contains("pencil"));
    let done = server.run_with_input(&["user", "password", ann, "--password-stdin"], "rubber\n");
    assert!(done.status.success(), "{done:?}");
    server.ok(&["user", "password", ann]);

    server.ok(&["user", "disable", ann]);
    assert_eq!(row(server, ann)["disabled"], true);
    server.ok(&["user", "enable", ann]);
    assert_eq!(row(server, ann)["disabled"], false);

    server.ok(&["user", "alias", "add", ann, "101"]);
    server.ok(&["user", "alias", "add", ann, "tel:+4930123456"]);
    assert_eq!(row(server, ann)["aliases"].as_array().unwrap().len(), 2);
    let taken = server.fails(&["user", "alias", "add", "bob@office.example", "101"], 1);
    assert!(taken.contains("taken"), "{taken}");
    server.ok(&["user", "alias", "remove", ann, "101"]);
    assert_eq!(row(server, ann)["aliases"].as_array().unwrap().len(), 1);

    server.ok(&["user", "approve", ann, "bob@office.example"]);
    server.ok(&["user", "deny", ann, "bob@office.example"]);

    server.ok(&["user", "delete", ann]);
    assert_eq!(row(server, ann), Value::Null);
    for command in [
        &["user", "password", ann][..],
        &["user", "disable", ann],
        &["user", "delete", ann],
        &["user", "alias", "add", ann, "102"],
    ] {
        let said = server.fails(command, 1);
        assert!(said.contains("There is no account"), "{command:?}: {said}");
    }
    for wrong in [
        "ann",
        "ann@elsewhere.example",
        "@office.example",
        "a b@office.example",
    ] {
        server.fails(&["user", "add", wrong], 1);
    }
    server.ok(&["user", "delete", "bob@office.example"]);
    assert!(
        server
            .ok(&["user", "list"])
            .contains("There are no accounts")
    );
}

#[test]
fn without_a_server() {
    every_command(&Server::prepared(""));
}

#[test]
fn with_a_running_server() {
    every_command(&Server::start(&[]));
}

#[test]
fn a_batch_with_a_mistake_names_its_line() {
    let server = Server::prepared("");
    let file = server.folder().join("wrong");
    std::fs::write(
        &file,
        "ann@office.example secret word\nbob@office.example\n",
    )
    .unwrap();
    let said = server.fails(&["user", "add", "--batch", file.to_str().unwrap()], 2);
    assert!(said.contains("wrong:2"), "{said}");
    assert_eq!(list(&server).as_array().unwrap().len(), 0);
}

#[test]
fn made_passwords_work_and_changed_ones_count_at_once() {
    let server = Server::start(&[]);
    let said = server.ok(&["user", "add", "ann@office.example"]);
    let first = said.trim().rsplit(' ').next().unwrap().to_owned();
    assert_eq!(login(&server, "ann", &first), Ok(()));
    let said = server.ok(&["user", "password", "ann@office.example"]);
    let second = said.trim().rsplit(' ').next().unwrap().to_owned();
    assert_eq!(login(&server, "ann", &second), Ok(()));
    // It was remembered from PLAIN; that is forgotten.
    assert_eq!(
        login(&server, "ann", &first),
        Err("not-authorized".to_owned())
    );
}

#[test]
fn a_disabled_account_is_out_until_it_is_enabled() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut desk = Client::online(&server, "ann", "desk");
    let mut phone = Client::online(&server, "ann", "phone");
    crate::support::xmpp::befriend(&mut desk, &mut bob);
    server.ok(&["user", "disable", "ann@office.example"]);
    for session in [&mut desk, &mut phone] {
        session.ends_with("policy-violation");
    }
    bob.presence("ann@office.example/desk", "unavailable");
    assert_eq!(
        login(&server, "ann", "ann-secret"),
        Err("account-disabled".to_owned())
    );
    assert_eq!(
        login(&server, "ann", "wrong"),
        Err("not-authorized".to_owned()),
        "who does not know the password learns nothing"
    );
    server.ok(&["user", "enable", "ann@office.example"]);
    let mut desk = Client::online(&server, "ann", "desk");
    let roster = String::from_utf8(desk.roster().raw().to_vec()).unwrap();
    assert!(roster.contains("bob@office.example"), "nothing was lost");
}

#[test]
fn a_deleted_account_is_gone_for_its_contacts() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    crate::support::xmpp::befriend(&mut ann, &mut bob);
    server.ok(&["user", "delete", "ann@office.example"]);
    ann.ends_with("not-authorized");
    bob.presence("ann@office.example/desk", "unavailable");
    assert_eq!(
        login(&server, "ann", "ann-secret"),
        Err("not-authorized".to_owned())
    );
    bob.send("<message to='ann@office.example' id='m' type='chat'><body>there?</body></message>");
    let answer = bob.expect("an error", |s| s.attribute("id").as_deref() == Some("m"));
    assert_eq!(condition(&answer).as_deref(), Some("service-unavailable"));
    // A new account of the same name knows nobody.
    server.add_users(&["ann"]);
    let mut ann = Client::login(&server, "ann", "desk");
    assert_eq!(
        ann.roster().children().next().unwrap().children().count(),
        0
    );
    ann.send("<presence/>");
    ann.settle();
    bob.nothing("presence of the new account", |s| {
        is_presence(s, "ann@office.example/desk", "")
    });
}

#[test]
fn a_password_change_ends_the_sessions_of_the_old_one() {
    let server = Server::start(&["ann"]);
    let mut ann = Client::online(&server, "ann", "desk");
    server.run_with_input(
        &["user", "password", "ann@office.example", "--password-stdin"],
        "another\n",
    );
    ann.ends_with("reset");
    assert_eq!(login(&server, "ann", "another"), Ok(()));
}

#[test]
fn approve_and_deny_answer_a_request_of_an_absent_owner() {
    for running in [true, false] {
        let mut server = Server::start(&["ann", "bob"]);
        let mut bob = Client::online(&server, "bob", "desk");
        bob.send("<presence type='subscribe' to='ann@office.example'/>");
        bob.settle();
        if running {
            server.ok(&[
                "user",
                "approve",
                "ann@office.example",
                "bob@office.example",
            ]);
        } else {
            bob.close();
            server.terminate();
            server.ok(&[
                "user",
                "approve",
                "ann@office.example",
                "bob@office.example",
            ]);
            server.launch();
            bob = Client::online(&server, "bob", "desk");
        }
        if running {
            bob.presence("ann@office.example", "subscribed");
        }
        let mut ann = Client::online(&server, "ann", "desk");
        bob.presence("ann@office.example/desk", "");
        ann.nothing("a request that was answered", |s| {
            s.attribute("type").as_deref() == Some("subscribe")
        });
        server.ok(&["user", "deny", "ann@office.example", "bob@office.example"]);
        bob.presence("ann@office.example", "unsubscribed");
        ann.send("<presence><show>away</show></presence>");
        ann.settle();
        bob.nothing("presence after the denial", |s| {
            is_presence(s, "ann@office.example/desk", "")
                && s.children().any(|c| c.name() == "show")
        });
    }
}
