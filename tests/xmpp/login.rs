//! SASL over the wire: what is refused and how, how guessing is slowed down, and binding.

use std::time::{Duration, Instant};

use ::xmpp::sasl::Hash;

use crate::support::tls::Tls;
use crate::support::xmpp::condition;
use crate::support::{Client, Server};

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

fn secure(server: &Server) -> Client {
    let mut client = Client::connect(server);
    client.open();
    client.start_tls(&Tls::trusting(server));
    client
}

#[test]
fn every_mechanism_without_binding() {
    let server = Server::start(&["ann"]);
    let mut one = secure(&server);
    one.scram(Hash::Sha1, "ann", "ann-secret", None).unwrap();
    let mut two = secure(&server);
    two.scram(Hash::Sha256, "ann", "ann-secret", None).unwrap();
    for _ in 0..2 {
        let mut three = secure(&server);
        three.plain("ann", "ann-secret").unwrap();
        three.bind("phone");
        three.close();
    }
}

/// The offer comes before the user is known: one account without the keys, and nobody is offered SHA-512.
#[test]
fn sha_512_waits_for_accounts_of_earlier_versions() {
    let greeted = |server: &Server| {
        let mut client = Client::connect(server);
        client.open();
        let features = client.start_tls(&Tls::trusting(server));
        let list = features.child("mechanisms", SASL).unwrap();
        let offered = list.children().any(|m| m.text() == "SCRAM-SHA-512-PLUS");
        (client, offered)
    };
    let mut server = Server::start(&["ann", "bob"]);
    let (mut first, offered) = greeted(&server);
    assert!(offered);
    first
        .scram(Hash::Sha512, "ann", "ann-secret", None)
        .unwrap();
    drop(first);
    server.terminate();
    {
        // As the first version wrote it: without the third set of keys.
        let store = rusqlite::Connection::open(server.data().join("adsum.db")).unwrap();
        let sql = "UPDATE accounts SET scram = CAST(x'01' || substr(scram, 2, 148) AS BLOB) \
                   WHERE address = 'bob@office.example'";
        assert_eq!(store.execute(sql, []).unwrap(), 1);
    }
    server.launch();
    let (mut second, offered) = greeted(&server);
    assert!(!offered);
    second.auth("SCRAM-SHA-512", b"n,,n=bob,r=nonce");
    let refused = second.payload("challenge").err();
    assert_eq!(refused.as_deref(), Some("invalid-mechanism"));
    second
        .scram(Hash::Sha256, "bob", "bob-secret", None)
        .unwrap();
    drop(second);
    // A password that is checked gives the keys.
    secure(&server).plain("bob", "bob-secret").unwrap();
    server.terminate();
    server.launch();
    let (mut third, offered) = greeted(&server);
    assert!(offered);
    third
        .scram(Hash::Sha512, "bob", "bob-secret", None)
        .unwrap();
    let wrong = secure(&server).scram(Hash::Sha512, "bob", "wrong", None);
    assert_eq!(wrong.err().as_deref(), Some("not-authorized"));
}

#[test]
fn what_section_6_says_about_odd_clients() {
    let server = Server::start(&["ann"]);
    let refused = |text: &str| {
        let mut client = secure(&server);
        client.send(text);
        let first = client.payload("success");
        let condition = first.err().unwrap();
        // After a failure the client may try again.
        client.plain("ann", "ann-secret").unwrap();
        condition
    };
    let auth = |mechanism: &str, data: &str| {
        format!("<auth xmlns='{SASL}' mechanism='{mechanism}'>{data}</auth>")
    };
    assert_eq!(refused(&auth("DIGEST-MD5", "")), "invalid-mechanism");
    assert_eq!(refused(&auth("PLAIN", "A!B")), "incorrect-encoding");
    assert_eq!(refused(&auth("PLAIN", "=")), "malformed-request");
    assert_eq!(refused(&auth("SCRAM-SHA-256", "AAAA")), "malformed-request");
    assert_eq!(
        refused(&auth(
            "PLAIN",
            "Ym9iQG9mZmljZS5leGFtcGxlAGFubgBhbm4tc2VjcmV0"
        )),
        "invalid-authzid",
        "ann may not act for bob"
    );
    assert_eq!(
        refused(&format!("<response xmlns='{SASL}'>AAAA</response>")),
        "malformed-request",
        "out of order"
    );

    // An empty exchange: the challenge is empty, the data comes in the response.
    let mut client = secure(&server);
    client.send(&format!("<auth xmlns='{SASL}' mechanism='PLAIN'/>"));
    assert_eq!(client.payload("challenge").unwrap(), b"");
    client.send(&format!(
        "<response xmlns='{SASL}'>AGFubgBhbm4tc2VjcmV0</response>"
    ));
    client.payload("success").unwrap();

    let mut client = secure(&server);
    client.auth("SCRAM-SHA-256", b"n,,n=ann,r=nonce");
    client.payload("challenge").unwrap();
    client.send(&format!("<abort xmlns='{SASL}'/>"));
    assert_eq!(client.payload("success").err().as_deref(), Some("aborted"));
    client.plain("ann", "ann-secret").unwrap();
}

#[test]
fn unknown_users_are_told_the_same() {
    let server = Server::start(&["ann"]);
    let attempt = |user: &str| {
        let mut client = secure(&server);
        client.auth("SCRAM-SHA-256", format!("n,,n={user},r=nonce").as_bytes());
        let challenge = String::from_utf8(client.payload("challenge").unwrap()).unwrap();
        let salt = challenge.split(',').nth(1).unwrap().to_owned();
        let rounds = challenge.split(',').nth(2).unwrap().to_owned();
        let nonce = challenge.split(',').next().unwrap().to_owned();
        let last = format!("c=biws,{nonce},p={}", "A".repeat(43) + "=");
        let last = ::xmpp::sasl::encode_payload(last.as_bytes());
        client.send(&format!("<response xmlns='{SASL}'>{last}</response>"));
        let failure = client.next("failure");
        (
            salt,
            rounds,
            String::from_utf8(failure.raw().to_vec()).unwrap(),
        )
    };
    let (ann, nobody) = (attempt("ann"), attempt("nobody"));
    assert_eq!(ann.1, nobody.1, "the same number of rounds");
    assert_eq!(ann.0.len(), nobody.0.len());
    assert_eq!(ann.2, nobody.2, "the same answer");
    assert_eq!(attempt("nobody").0, nobody.0, "the same salt each time");
    assert_ne!(attempt("nobody2").0, nobody.0);
    let plain = |user: &str| secure(&server).plain(user, "wrong").err();
    assert_eq!(plain("ann"), plain("nobody"));
}

#[test]
fn wrong_passwords_are_answered_later_and_later() {
    let server = Server::start(&["ann"]);
    let took = || {
        let mut client = secure(&server);
        let start = Instant::now();
        assert_eq!(
            client.plain("ann", "wrong").err().as_deref(),
            Some("not-authorized")
        );
        start.elapsed()
    };
    let times = [took(), took(), took()];
    assert!(times[0] >= Duration::from_millis(100), "{times:?}");
    assert!(times[1] >= Duration::from_millis(200), "{times:?}");
    assert!(times[2] >= Duration::from_millis(400), "{times:?}");
    // Other accounts of the same address are not slowed down.
    server.add_users(&["bob"]);
    let mut bob = secure(&server);
    bob.plain("bob", "bob-secret").unwrap();
}

#[test]
fn too_many_failures_are_refused_unread() {
    let server = Server::with(
        "[limits]\nauth_failures = { per_account_and_address = 2, per_address = 200, within = \"10m\" }",
        &["ann", "bob"],
    );
    for _ in 0..2 {
        let mut client = secure(&server);
        assert!(client.plain("ann", "wrong").is_err());
    }
    // Also with the right password, by each mechanism.
    let mut client = secure(&server);
    let plain = client.plain("ann", "ann-secret").err();
    let mut client = secure(&server);
    let scram = client.scram(Hash::Sha256, "ann", "ann-secret", None).err();
    for refused in [plain, scram] {
        let condition = refused.expect("it is refused");
        assert_eq!(condition, "temporary-auth-failure");
    }
    let mut bob = secure(&server);
    bob.plain("bob", "bob-secret").unwrap();
    let (_, page) = server.get("/metrics");
    assert!(
        page.lines()
            .any(|l| l.starts_with("adsum_login_failures") && !l.ends_with(" 0")),
        "{page}"
    );
}

#[test]
fn a_resource_that_is_taken_and_one_that_is_made() {
    let server = Server::start(&["ann"]);
    let mut first = Client::online(&server, "ann", "desk");
    let mut second = Client::login(&server, "ann", "desk");
    first.ends_with("conflict");
    assert_eq!(second.jid, "ann@office.example/desk");
    second.settle();
    let third = Client::login(&server, "ann", "");
    assert!(
        third.jid.len() > "ann@office.example/".len() + 8,
        "{}",
        third.jid
    );

    let mut fourth = Client::authenticated(&server, "ann");
    let refused = fourth.try_bind("a\u{2028}b");
    assert_eq!(condition(&refused).as_deref(), Some("bad-request"));
    fourth.bind("phone");
    let again = fourth.try_bind("other");
    assert_eq!(
        again.attribute("type").as_deref(),
        Some("error"),
        "{again:?}"
    );
    fourth.settle();
}

#[test]
fn sessions_of_one_account_are_limited() {
    let server = Server::with("[limits]\nsessions_per_account = 2", &["ann"]);
    let one = Client::login(&server, "ann", "1");
    let _two = Client::login(&server, "ann", "2");
    let mut three = Client::authenticated(&server, "ann");
    let refused = three.try_bind("3");
    assert_eq!(condition(&refused).as_deref(), Some("resource-constraint"));
    one.close();
    crate::support::wait_for("there is room again", || {
        let answer = three.try_bind("3");
        (answer.attribute("type").as_deref() == Some("result")).then_some(())
    });
}

#[test]
fn stanzas_before_binding_are_an_error() {
    let server = Server::start(&["ann"]);
    for text in ["<presence/>", "<message to='ann@office.example'/>"] {
        let mut client = Client::connect(&server);
        client.open();
        client.send(text);
        client.ends_with("not-authorized");
        let mut client = Client::authenticated(&server, "ann");
        client.send(text);
        client.ends_with("not-authorized");
    }
}
