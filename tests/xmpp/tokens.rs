//! The login of one round trip over the wire: the profile of XEP-0388, the resource in it (XEP-0386), and tokens (XEP-0484) that live and
//! die with what they stand for.

use ::xmpp::sasl::{ClientBinding, Hash, Nonce, ScramClient, decode_payload, encode_payload};
use ring::hmac;
use xml::Element;

use crate::support::tls::Tls;
use crate::support::xmpp::text;
use crate::support::{Client, Server};

const SASL2: &str = "urn:xmpp:sasl:2";
const DESK: &str = "0b0c3f8e-7f0e-4d0f-a1b5-1f2e3d4c5b6a";
const PHONE: &str = "b7a8c9d0-1122-4334-8556-67788990aabb";
const WISHES: &str = "<bind xmlns='urn:xmpp:bind:0'><tag>Test</tag></bind>";

fn secure(server: &Server) -> Client {
    let mut client = Client::connect(server);
    client.open();
    client.start_tls(&Tls::trusting(server));
    client
}

fn wants_token(mechanism: &str) -> String {
    format!("{WISHES}<request-token xmlns='urn:xmpp:fast:0' mechanism='{mechanism}'/>")
}

/// Sends `<authenticate/>`; the condition when it fails.
fn authenticate(
    client: &mut Client,
    mechanism: &str,
    initial: &[u8],
    id: &str,
    more: &str,
) -> Result<Element, String> {
    client.send(&format!(
        "<authenticate xmlns='{SASL2}' mechanism='{mechanism}'>\
         <initial-response>{}</initial-response><user-agent id='{id}'/>{more}</authenticate>",
        encode_payload(initial)
    ));
    outcome(client)
}

fn outcome(client: &mut Client) -> Result<Element, String> {
    let answer = client.next("an answer");
    assert_eq!(answer.namespace(), SASL2, "{answer:?}");
    if answer.name() == "failure" {
        return Err(answer.children().next().unwrap().name().to_owned());
    }
    if answer.name() == "success" {
        let identifier = answer.child("authorization-identifier", SASL2).unwrap();
        client.jid = identifier.text().into_owned();
        // A stream that goes on has what it has.
        if answer.child("resumed", "urn:xmpp:sm:3").is_none() {
            assert_eq!(client.next("features").name(), "features");
        }
    }
    Ok(answer)
}

/// A login with the password of the account.
fn by_password(client: &mut Client, user: &str, id: &str, more: &str) -> Result<Element, String> {
    let login = format!("\0{user}\0{user}-secret");
    authenticate(client, "PLAIN", login.as_bytes(), id, more)
}

fn token(success: &Element) -> Option<String> {
    let token = success.child("token", "urn:xmpp:fast:0")?;
    Some(token.attribute("token").unwrap().into_owned())
}

/// A token of an account for a client, not bound to the channel.
fn obtain(server: &Server, user: &str, id: &str) -> String {
    let mut client = secure(server);
    let success = by_password(&mut client, user, id, &wants_token("HT-SHA-256-NONE")).unwrap();
    token(&success).unwrap()
}

/// What a client proves, and what the server must.
fn proofs(token: &str, binding: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
    let sign = |text: &[u8]| {
        hmac::sign(&key, &[text, binding].concat())
            .as_ref()
            .to_vec()
    };
    (sign(b"Initiator"), sign(b"Responder"))
}

fn set_password(server: &Server, user: &str, password: &str) {
    let jid = format!("{user}@office.example");
    let arguments = ["user", "password", &jid, "--password-stdin"];
    let done = server.run_with_input(&arguments, &format!("{password}\n"));
    assert!(done.status.success());
}

/// A login by token on a connection of its own.
fn by_token(
    server: &Server,
    user: &str,
    id: &str,
    token: &str,
    fast: &str,
) -> Result<(Client, Element), String> {
    let mut client = secure(server);
    let (proof, theirs) = proofs(token, b"");
    let initial = [user.as_bytes(), b"\0", &proof].concat();
    let more = format!("{WISHES}<fast xmlns='urn:xmpp:fast:0' {fast}/>");
    let success = authenticate(&mut client, "HT-SHA-256-NONE", &initial, id, &more)?;
    let data = success.child("additional-data", SASL2).unwrap().text();
    assert_eq!(decode_payload(&data).unwrap(), theirs);
    Ok((client, success))
}

#[test]
fn one_round_trip_and_a_session_that_works() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut ann = secure(&server);
    let success = by_password(&mut ann, "ann", DESK, WISHES).unwrap();
    assert!(success.child("bound", "urn:xmpp:bind:0").is_some());
    assert!(
        ann.jid.starts_with("ann@office.example/Test/"),
        "{}",
        ann.jid
    );
    ann.roster();
    ann.available("");
    let jid = ann.jid.clone();
    ann.send("<message to='bob@office.example' type='chat'><body>Hi</body></message>");
    assert_eq!(bob.message("Hi").attribute("from").unwrap(), jid);
    bob.send(&format!(
        "<message to='{jid}' type='chat'><body>Ho</body></message>"
    ));
    ann.message("Ho");
    // The same client again is the same session, come anew; another is another.
    let mut phone = secure(&server);
    by_password(&mut phone, "ann", PHONE, WISHES).unwrap();
    assert_ne!(phone.jid, jid);
    let mut again = secure(&server);
    by_password(&mut again, "ann", DESK, WISHES).unwrap();
    assert_eq!(again.jid, jid);
    ann.ends_with("conflict");
    // Also when it calls itself otherwise.
    let mut newer = secure(&server);
    by_password(&mut newer, "ann", DESK, &WISHES.replace("Test", "Test2")).unwrap();
    assert_ne!(newer.jid, jid);
    again.ends_with("conflict");
    newer.settle();
    phone.settle();
}

#[test]
fn carbons_from_the_first_moment_on() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut other = Client::online(&server, "ann", "other");
    let mut ann = secure(&server);
    let wishes = "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:carbons:2'/></bind>";
    by_password(&mut ann, "ann", DESK, wishes).unwrap();
    ann.available("");
    bob.send("<message to='ann@office.example/other' type='chat'><body>Hi</body></message>");
    other.message("Hi");
    let copy = ann.expect("a copy", |it| it.name() == "message");
    assert!(
        copy.child("received", "urn:xmpp:carbons:2").is_some(),
        "{copy:?}"
    );
}

/// One message brings a client back: the token, its stream, and what it has missed.
#[test]
fn a_stream_goes_on_with_the_login() {
    const SM: &str = "urn:xmpp:sm:3";
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let mut ann = secure(&server);
    let wishes = format!(
        "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='{SM}' resume='true'/></bind>\
         <request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"
    );
    let success = by_password(&mut ann, "ann", DESK, &wishes).unwrap();
    ann.taken = 0;
    let bound = success.child("bound", "urn:xmpp:bind:0").unwrap();
    let enabled = bound.children().find(|it| it.is("enabled", SM)).unwrap();
    let id = enabled.attribute("id").unwrap().into_owned();
    let (jid, token) = (ann.jid.clone(), token(&success).unwrap());
    ann.available("");
    let say = |from: &mut Client, body: &str| {
        from.send(&format!(
            "<message to='{jid}' type='chat'><body>{body}</body></message>"
        ));
        from.settle();
    };
    say(&mut bob, "1");
    ann.message("1");
    let mut taken = ann.taken;
    for (round, body) in ["2", "3"].into_iter().enumerate() {
        ann.cut();
        server.wait_for_status("it is known to be lost", |status| {
            status["connections"]["waiting"] == 1
        });
        say(&mut bob, body);
        let mut again = secure(&server);
        let (proof, _) = proofs(&token, b"");
        let initial = [b"ann\0".as_slice(), &proof].concat();
        let more = format!(
            "<fast xmlns='urn:xmpp:fast:0'/><resume xmlns='{SM}' previd='{id}' h='{taken}'/>{wishes}"
        );
        let success = authenticate(&mut again, "HT-SHA-256-NONE", &initial, DESK, &more).unwrap();
        assert!(
            success.child("resumed", SM).is_some(),
            "{round}: {success:?}"
        );
        assert!(success.child("bound", "urn:xmpp:bind:0").is_none());
        assert_eq!(again.jid, jid);
        again.message(body);
        taken += 1;
        again.settle();
        taken += 1;
        ann = again;
    }
    // What cannot go on is said, and another session begins with the same message.
    ann.close();
    let mut last = secure(&server);
    let more = format!("<resume xmlns='{SM}' previd='{id}' h='0'/>{wishes}");
    let success = by_password(&mut last, "ann", DESK, &more).unwrap();
    assert!(success.child("failed", SM).is_some(), "{success:?}");
    let bound = success.child("bound", "urn:xmpp:bind:0").unwrap();
    assert!(bound.children().any(|it| it.is("enabled", SM)));
    assert_eq!(last.jid, jid);
    last.settle();
}

#[test]
fn scram_bound_to_the_channel_gives_a_token_that_is() {
    let server = Server::start(&["ann"]);
    let exporter = |client: &Client| {
        let label = b"EXPORTER-Channel-Binding";
        let data = client
            .tls()
            .export_keying_material([0; 32], label, Some(b""));
        data.unwrap()
    };
    let mut ann = secure(&server);
    let binding = ClientBinding::Bound {
        name: "tls-exporter".to_owned(),
        data: exporter(&ann).to_vec(),
    };
    let nonce = Nonce::from_random(&rand::random());
    let (first, scram) = ScramClient::start(Hash::Sha512, "ann", None, binding, &nonce);
    let wishes = wants_token("HT-SHA-256-EXPR");
    let challenge = authenticate(&mut ann, "SCRAM-SHA-512-PLUS", &first, DESK, &wishes).unwrap();
    let challenge = decode_payload(&challenge.text()).unwrap();
    let (last, scram) = scram.handle_challenge(&challenge, "ann-secret").unwrap();
    let last = encode_payload(&last);
    ann.send(&format!("<response xmlns='{SASL2}'>{last}</response>"));
    let success = outcome(&mut ann).unwrap();
    let data = success.child("additional-data", SASL2).unwrap().text();
    scram
        .handle_success(&decode_payload(&data).unwrap())
        .unwrap();
    let token = token(&success).unwrap();

    let attempt = |mechanism: &str, data: fn(&[u8; 32]) -> Vec<u8>| {
        let mut client = secure(&server);
        let (proof, _) = proofs(&token, &data(&exporter(&client)));
        let initial = [b"ann\0".as_slice(), &proof].concat();
        let more = "<fast xmlns='urn:xmpp:fast:0'/>";
        authenticate(&mut client, mechanism, &initial, DESK, more).map(drop)
    };
    assert_eq!(attempt("HT-SHA-256-EXPR", |it| it.to_vec()), Ok(()));
    let refused = Err("not-authorized".to_owned());
    assert_eq!(attempt("HT-SHA-256-NONE", |_| Vec::new()), refused);
    assert_eq!(attempt("HT-SHA-256-EXPR", |_| vec![0; 32]), refused);
}

#[test]
fn tokens_survive_kill_9_and_die_with_the_password() {
    let mut server = Server::start(&["ann", "bob"]);
    let ann = obtain(&server, "ann", DESK);
    let bob = obtain(&server, "bob", DESK);
    server.kill();
    server.launch();
    by_token(&server, "ann", DESK, &ann, "").unwrap();
    by_token(&server, "ann", DESK, &ann, "").unwrap();
    let refused =
        |user: &str, id: &str, token: &str| by_token(&server, user, id, token, "").err().unwrap();
    // Of another client, of another account.
    assert_eq!(refused("ann", PHONE, &ann), "not-authorized");
    assert_eq!(refused("bob", DESK, &ann), "not-authorized");
    assert_eq!(refused("nobody", DESK, &ann), "not-authorized");

    let (mut session, _) = by_token(&server, "ann", DESK, &ann, "").unwrap();
    set_password(&server, "ann", "ann-secret");
    session.ends_with("reset");
    assert_eq!(
        refused("ann", DESK, &ann),
        "credentials-expired",
        "though the password is the same"
    );
    by_token(&server, "bob", DESK, &bob, "").unwrap();

    // Nor does one come back with an account that was closed, or with another one of that name.
    server.ok(&["user", "disable", "bob@office.example"]);
    assert_eq!(refused("bob", DESK, &bob), "credentials-expired");
    server.ok(&["user", "enable", "bob@office.example"]);
    assert_eq!(refused("bob", DESK, &bob), "credentials-expired");
    let ann = obtain(&server, "ann", DESK);
    server.ok(&["user", "delete", "ann@office.example"]);
    server.add_users(&["ann"]);
    assert_eq!(refused("ann", DESK, &ann), "not-authorized");
    let files = ["adsum.db", "adsum.db-wal"].map(|name| server.data().join(name));
    let database: Vec<u8> = files
        .iter()
        .flat_map(|file| std::fs::read(file).unwrap())
        .collect();
    for token in [&ann, &bob] {
        let found = database
            .windows(token.len())
            .any(|it| it == token.as_bytes());
        assert!(!found, "the store holds a token");
    }
}

#[test]
fn tokens_are_taken_back_counted_and_limited() {
    let server = Server::with(
        "[limits]\nlogin_tokens = { per_account = 2, lifetime = \"1h\" }",
        &["ann"],
    );
    let ann = obtain(&server, "ann", DESK);
    by_token(&server, "ann", DESK, &ann, "count='5'").unwrap();
    let replayed = by_token(&server, "ann", DESK, &ann, "count='5'").err();
    assert_eq!(replayed.as_deref(), Some("not-authorized"));
    by_token(&server, "ann", DESK, &ann, "count='6'").unwrap();
    let (mut last, success) = by_token(&server, "ann", DESK, &ann, "invalidate='true'").unwrap();
    assert!(token(&success).is_none());
    last.settle();
    let late = by_token(&server, "ann", DESK, &ann, "").err();
    assert_eq!(late.as_deref(), Some("credentials-expired"));

    let third = "c0ffee00-0000-4000-8000-000000000003";
    let tokens: Vec<String> = [DESK, PHONE, third]
        .into_iter()
        .map(|id| obtain(&server, "ann", id))
        .collect();
    assert!(
        by_token(&server, "ann", DESK, &tokens[0], "").is_err(),
        "the oldest had to go"
    );
    by_token(&server, "ann", PHONE, &tokens[1], "").unwrap();
    by_token(&server, "ann", third, &tokens[2], "").unwrap();
}

#[test]
fn guessing_tokens_is_slowed_down_and_tells_nothing() {
    let server = Server::with(
        "[limits]\nauth_failures = { per_account_and_address = 2, per_address = 200, within = \"10m\" }",
        &["ann"],
    );
    obtain(&server, "ann", DESK);
    for user in ["ann", "nobody"] {
        for _ in 0..2 {
            let guess = by_token(&server, user, DESK, "guess", "").err();
            assert_eq!(guess.as_deref(), Some("not-authorized"), "{user}");
        }
        let more = by_token(&server, user, DESK, "guess", "").err();
        assert_eq!(more.as_deref(), Some("temporary-auth-failure"), "{user}");
    }
}

/// An office behind one address whose passwords were set anew comes back with all its old tokens: nobody guesses, nobody is locked out.
#[test]
fn dead_tokens_are_no_guesses() {
    let server = Server::with(
        "[limits]\nauth_failures = { per_account_and_address = 2, per_address = 2, within = \"10m\" }",
        &["ann", "bob"],
    );
    let ann = obtain(&server, "ann", DESK);
    let bob = obtain(&server, "bob", DESK);
    by_token(&server, "bob", DESK, &bob, "count='7'").unwrap();
    set_password(&server, "ann", "ann-secret");
    for _ in 0..3 {
        let dead = by_token(&server, "ann", DESK, &ann, "").err();
        assert_eq!(dead.as_deref(), Some("credentials-expired"));
        let replayed = by_token(&server, "bob", DESK, &bob, "count='7'").err();
        assert_eq!(replayed.as_deref(), Some("not-authorized"));
    }
    let mut client = secure(&server);
    by_password(&mut client, "ann", DESK, WISHES).unwrap();
    by_token(&server, "bob", DESK, &bob, "").unwrap();
}

/// A header that names another account makes a login fail, and one that fails changes nothing.
#[test]
fn a_refused_login_takes_nothing_back() {
    let server = Server::start(&["ann", "bob"]);
    let ann = obtain(&server, "ann", DESK);
    let (proof, _) = proofs(&ann, b"");
    let initial = [b"ann\0".as_slice(), &proof].concat();
    let mut client = Client::direct(&server, &Tls::trusting(&server));
    client.send(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
         from='bob@office.example' to='office.example' version='1.0'>",
    );
    client.opened();
    client.next("features");
    let more = "<fast xmlns='urn:xmpp:fast:0' invalidate='1' count='9'/>";
    let refused = authenticate(&mut client, "HT-SHA-256-NONE", &initial, DESK, more).err();
    assert_eq!(refused.as_deref(), Some("invalid-authzid"));
    by_token(&server, "ann", DESK, &ann, "count='1'").unwrap();
}

/// The old password was proven before the change, and its session would begin after it.
#[test]
fn a_login_under_way_does_not_outlive_a_change_of_the_password() {
    let server = Server::start(&["ann", "bob"]);
    let mut clients = ["ann", "bob"].map(|user| {
        let mut client = secure(&server);
        client
            .scram(Hash::Sha256, user, &format!("{user}-secret"), None)
            .unwrap();
        client
    });
    let mut plain = secure(&server);
    plain.plain("ann", "ann-secret").unwrap();
    set_password(&server, "ann", "other-secret");
    let [ann, bob] = &mut clients;
    for client in [ann, &mut plain] {
        client.send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
        client.ends_with("reset");
    }
    // Those of others, and those with the new password, are not concerned.
    bob.bind("desk");
    let mut ann = secure(&server);
    assert!(ann.plain("ann", "ann-secret").is_err());
    let mut ann = secure(&server);
    ann.plain("ann", "other-secret").unwrap();
    ann.bind("desk");
    ann.settle();
}

/// What was said while a client was away stands in the archive: it is told up to where, and gets nothing twice.
#[test]
fn the_archive_with_the_login() {
    const MAM: &str = "urn:xmpp:mam:2";
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "desk");
    let say = |bob: &mut Client, text: &str, hint: &str| {
        bob.send(&format!(
            "<message to='ann@office.example' type='chat'><body>{text}</body>{hint}</message>"
        ));
        bob.settle();
    };
    say(&mut bob, "archived", "");
    say(
        &mut bob,
        "not",
        "<no-permanent-store xmlns='urn:xmpp:hints'/>",
    );
    let mut ann = secure(&server);
    let success = by_password(&mut ann, "ann", DESK, WISHES).unwrap();
    let bound = success.child("bound", "urn:xmpp:bind:0").unwrap();
    let metadata = bound.children().find(|it| it.is("metadata", MAM)).unwrap();
    let ids: Vec<_> = metadata
        .children()
        .map(|it| it.attribute("id").unwrap().into_owned())
        .collect();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]), "one message");
    say(&mut bob, "later", "");
    ann.available("");
    for expected in ["not", "later"] {
        let message = ann.expect("a message", |it| it.name() == "message");
        assert_eq!(text(&message, "body"), expected);
    }
    ann.send(&format!(
        "<iq type='set' id='q'><query xmlns='{MAM}'/></iq>"
    ));
    let first = ann.expect("a result", |it| it.child("result", MAM).is_some());
    let result = first.child("result", MAM).unwrap();
    assert_eq!(result.attribute("id").as_deref(), Some(ids[0].as_str()));
}
