//! Whole negotiations: the vectors of the RFCs, every mechanism with every binding, every way to fail.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use proptest::prelude::*;
use serde_json::Value;

const ANN: &str = "ann@office.example";
const SALT: &[u8] = b"0123456789abcdef";
const ITERATIONS: u32 = 16;

fn credentials() -> Credentials {
    Credentials::derive(&Password::new("pencil"), SALT, ITERATIONS).unwrap()
}

fn decoy() -> Decoy {
    Decoy::new([3; 32], SALT.len(), ITERATIONS)
}

fn nonce(text: &str) -> Nonce {
    Nonce::from_text(text).unwrap()
}

fn tls() -> Channel {
    let bindings = ChannelBindings {
        exporter: Some(vec![1; 32]),
        server_end_point: Some(vec![2; 32]),
    };
    Channel {
        encrypted: true,
        require_tls: true,
        bindings,
    }
}

fn tls_without_binding() -> Channel {
    Channel {
        encrypted: true,
        require_tls: true,
        bindings: ChannelBindings::default(),
    }
}

fn prepare_address(text: &str) -> Option<String> {
    text.contains('@').then(|| text.to_lowercase())
}

/// The caller: knows one account, "ann", with the password "pencil".
fn answer(exchange: &mut Exchange, step: Step) -> Step {
    let subject = |username: &str, authzid: Option<&str>| {
        Subject::resolve(
            format!("{}@office.example", username.to_lowercase()),
            authzid,
            prepare_address,
        )
    };
    match step {
        Step::LookupKeys {
            username,
            authzid,
            hash,
        } => {
            let subject = subject(&username, authzid.as_deref());
            let found = (subject.account == ANN).then(|| credentials().keys(hash).clone());
            exchange.keys(subject, found, &decoy())
        }
        Step::CheckPassword(login) => {
            let subject = subject(&login.username, login.authzid.as_deref());
            let right = subject.account == ANN && credentials().verify_password(&login.password);
            exchange.password_checked(subject, right)
        }
        other => other,
    }
}

struct Login<'a> {
    channel: &'a Channel,
    mechanism: Mechanism,
    binding: ClientBinding,
    username: &'a str,
    authzid: Option<&'a str>,
    password: &'a str,
}

impl Login<'_> {
    fn ann(channel: &Channel, mechanism: Mechanism, binding: ClientBinding) -> Login<'_> {
        Login {
            channel,
            mechanism,
            binding,
            username: "ann",
            authzid: None,
            password: "pencil",
        }
    }

    /// Runs a whole SCRAM negotiation; `empty_challenge` without an initial response.
    fn run(&self, empty_challenge: bool) -> (Step, Exchange) {
        let hash = self.mechanism.hash().unwrap();
        let (first, client) = ScramClient::start(
            hash,
            self.username,
            self.authzid,
            self.binding.clone(),
            &nonce("client"),
        );
        let initial = (!empty_challenge).then_some(first.as_slice());
        let (mut exchange, mut step) = Exchange::start(
            self.channel,
            self.mechanism.name(),
            initial,
            nonce("server"),
        );
        if empty_challenge {
            assert_eq!(step, Step::Challenge(vec![]));
            step = exchange.respond(&first);
        }
        let Step::Challenge(challenge) = answer(&mut exchange, step.clone()) else {
            return (step, exchange);
        };
        let (last, client) = client.handle_challenge(&challenge, self.password).unwrap();
        let step = exchange.respond(&last);
        if let Step::Success {
            additional: Some(data),
            ..
        } = &step
        {
            client.handle_success(data).unwrap();
        }
        (step, exchange)
    }
}

fn bound(name: &str, data: &[u8]) -> ClientBinding {
    ClientBinding::Bound {
        name: name.to_owned(),
        data: data.to_vec(),
    }
}

fn account_of(step: &Step) -> Option<&str> {
    match step {
        Step::Success { account, .. } => Some(account),
        _ => None,
    }
}

#[test]
fn vectors_of_rfc_5802_and_rfc_7677() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../testdata/scram-rfc5802-rfc7677.json")).unwrap();
    assert_eq!(vectors.as_array().unwrap().len(), 2);
    for vector in vectors.as_array().unwrap() {
        let text = |name: &str| vector[name].as_str().unwrap();
        let message = |n: usize| vector["messages"][n]["text"].as_str().unwrap().as_bytes();
        let hash = Mechanism::from_name(text("mechanism"))
            .unwrap()
            .hash()
            .unwrap();
        let salt = decode_payload(text("salt_b64")).unwrap();
        let iterations = u32::try_from(vector["iterations"].as_u64().unwrap()).unwrap();
        let keys = ScramKeys::derive(hash, text("password"), &salt, iterations).unwrap();
        assert_eq!(
            encode_payload(keys.stored_key().as_bytes()),
            vector["computed"]["StoredKey_b64"]
        );
        assert_eq!(
            encode_payload(keys.server_key().as_bytes()),
            vector["computed"]["ServerKey_b64"]
        );

        let first = std::str::from_utf8(message(0)).unwrap();
        let client_nonce = first.split("r=").nth(1).unwrap();
        let both = std::str::from_utf8(message(1))
            .unwrap()
            .split(',')
            .next()
            .unwrap();
        let server_nonce = both
            .strip_prefix("r=")
            .unwrap()
            .strip_prefix(client_nonce)
            .unwrap();

        let (sent, client) = ScramClient::start(
            hash,
            text("username"),
            None,
            ClientBinding::Unsupported,
            &nonce(client_nonce),
        );
        assert_eq!(sent, message(0));
        let server = ScramServer::new(hash, false, ChannelBindings::default(), nonce(server_nonce));
        let need = server.handle_first(message(0)).unwrap();
        assert_eq!(
            (need.username.as_str(), need.authzid.as_deref()),
            ("user", None)
        );
        let (challenge, server) = need.with_keys(keys, true).unwrap();
        assert_eq!(challenge, message(1));
        let (last, client) = client
            .handle_challenge(&challenge, text("password"))
            .unwrap();
        assert_eq!(last, message(2));
        let verified = server.handle_final(&last).unwrap();
        assert_eq!(verified.server_final, message(3));
        client.handle_success(&verified.server_final).unwrap();
    }
}

#[test]
fn every_mechanism_with_every_binding() {
    use Mechanism::{ScramSha1, ScramSha1Plus, ScramSha256, ScramSha256Plus};
    let (with, without) = (tls(), tls_without_binding());
    let exporter = || bound("tls-exporter", &[1; 32]);
    let end_point = || bound("tls-server-end-point", &[2; 32]);
    for empty_challenge in [false, true] {
        for mechanism in [ScramSha256Plus, ScramSha1Plus] {
            for binding in [exporter(), end_point()] {
                let (step, exchange) = Login::ann(&with, mechanism, binding).run(empty_challenge);
                assert_eq!(account_of(&step), Some(ANN), "{mechanism}");
                assert!(exchange.is_over());
            }
        }
        for mechanism in [ScramSha256, ScramSha1] {
            let logins = [
                Login::ann(&with, mechanism, ClientBinding::Unsupported),
                Login::ann(&without, mechanism, ClientBinding::Unsupported),
                Login::ann(&without, mechanism, ClientBinding::NotOffered),
            ];
            for login in logins {
                assert_eq!(
                    account_of(&login.run(empty_challenge).0),
                    Some(ANN),
                    "{mechanism}"
                );
            }
        }
    }
}

#[test]
fn every_mismatch_of_binding_fails() {
    use Mechanism::{ScramSha256, ScramSha256Plus};
    let (with, without) = (tls(), tls_without_binding());
    let mut only_end_point = tls();
    only_end_point.bindings.exporter = None;
    let exporter = || bound("tls-exporter", &[1; 32]);
    let cases = [
        (
            &with,
            ScramSha256,
            ClientBinding::NotOffered,
            ServerError::ServerDoesSupportChannelBinding,
        ),
        (
            &with,
            ScramSha256Plus,
            ClientBinding::NotOffered,
            ServerError::ServerDoesSupportChannelBinding,
        ),
        (
            &with,
            ScramSha256Plus,
            ClientBinding::Unsupported,
            ServerError::InvalidEncoding,
        ),
        (
            &with,
            ScramSha256,
            exporter(),
            ServerError::ChannelBindingNotSupported,
        ),
        (
            &without,
            ScramSha256,
            exporter(),
            ServerError::ChannelBindingNotSupported,
        ),
        (
            &with,
            ScramSha256Plus,
            bound("tls-unique", &[1; 32]),
            ServerError::UnsupportedChannelBindingType,
        ),
        (
            &only_end_point,
            ScramSha256Plus,
            exporter(),
            ServerError::UnsupportedChannelBindingType,
        ),
        (
            &with,
            ScramSha256Plus,
            bound("tls-exporter", &[9; 32]),
            ServerError::ChannelBindingsDontMatch,
        ),
        (
            &with,
            ScramSha256Plus,
            bound("tls-exporter", &[1; 31]),
            ServerError::ChannelBindingsDontMatch,
        ),
        (
            &with,
            ScramSha256Plus,
            bound("tls-exporter", &[]),
            ServerError::ChannelBindingsDontMatch,
        ),
    ];
    for (channel, mechanism, binding, error) in cases {
        let (step, exchange) = Login::ann(channel, mechanism, binding.clone()).run(false);
        assert_eq!(
            (step, exchange.detail()),
            (Step::Failure(error.into()), Some(error)),
            "{mechanism} {binding:?}"
        );
    }
}

#[test]
fn wrong_password_and_unknown_user_look_alike() {
    let channel = tls_without_binding();
    for mechanism in [Mechanism::ScramSha256, Mechanism::ScramSha1] {
        for (username, password) in [("ann", "pencil2"), ("nobody", "pencil")] {
            let login = Login {
                username,
                password,
                ..Login::ann(&channel, mechanism, ClientBinding::Unsupported)
            };
            let (step, exchange) = login.run(false);
            assert_eq!(step, Step::Failure(Failure::NotAuthorized));
            assert_eq!(exchange.detail(), Some(ServerError::InvalidProof));
            assert_eq!(
                exchange.account(),
                Some(format!("{username}@office.example").as_str())
            );
        }
    }
}

/// The challenge for a user name, on a connection of its own.
fn challenge_for(username: &str) -> String {
    let first = format!("n,,n={username},r=client");
    let (mut exchange, step) = Exchange::start(
        &tls_without_binding(),
        "SCRAM-SHA-256",
        Some(first.as_bytes()),
        nonce("server"),
    );
    match answer(&mut exchange, step) {
        Step::Challenge(bytes) => String::from_utf8(bytes).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unknown_user_always_gets_the_same_salt() {
    assert_eq!(challenge_for("nobody"), challenge_for("nobody"));
    assert_eq!(challenge_for("nobody"), challenge_for("Nobody"));
    assert_ne!(challenge_for("nobody"), challenge_for("somebody"));
    assert_eq!(challenge_for("nobody").len(), challenge_for("ann").len());
    assert!(challenge_for("nobody").ends_with(",i=16"));
}

#[test]
fn an_identity_asked_for_must_be_the_own() {
    let channel = tls_without_binding();
    let own = Login {
        authzid: Some("Ann@office.example"),
        ..Login::ann(&channel, Mechanism::ScramSha1, ClientBinding::Unsupported)
    };
    assert_eq!(account_of(&own.run(false).0), Some(ANN));
    for other in ["bob@office.example", "ann", ANN.strip_suffix('e').unwrap()] {
        let login = Login {
            authzid: Some(other),
            ..Login::ann(&channel, Mechanism::ScramSha1, ClientBinding::Unsupported)
        };
        assert_eq!(
            login.run(false).0,
            Step::Failure(Failure::InvalidAuthzid),
            "{other}"
        );
        let guess = Login {
            password: "x",
            ..login
        };
        assert_eq!(
            guess.run(false).0,
            Step::Failure(Failure::NotAuthorized),
            "told only to who knows the password"
        );
    }
}

fn plain(message: &[u8]) -> Step {
    let (mut exchange, step) = Exchange::start(&tls(), "PLAIN", Some(message), nonce("unused"));
    answer(&mut exchange, step)
}

#[test]
fn plain_from_end_to_end() {
    let success = Step::Success {
        account: ANN.to_owned(),
        additional: None,
    };
    assert_eq!(plain(&plain_message(None, "ann", "pencil")), success);
    assert_eq!(plain(&plain_message(Some(ANN), "ann", "pencil")), success);
    for (message, failure) in [
        (
            plain_message(None, "ann", "pencil2"),
            Failure::NotAuthorized,
        ),
        (
            plain_message(None, "nobody", "pencil"),
            Failure::NotAuthorized,
        ),
        (
            plain_message(Some("bob@office.example"), "ann", "pencil"),
            Failure::InvalidAuthzid,
        ),
        (
            plain_message(Some("bob@office.example"), "ann", "x"),
            Failure::NotAuthorized,
        ),
        (plain_message(None, "ann", ""), Failure::MalformedRequest),
        (vec![], Failure::MalformedRequest),
    ] {
        assert_eq!(plain(&message), Step::Failure(failure));
    }
}

#[test]
fn plain_without_an_initial_response() {
    let (mut exchange, step) = Exchange::start(&tls(), "PLAIN", None, nonce("unused"));
    assert_eq!(step, Step::Challenge(vec![]));
    let step = exchange.respond(&plain_message(None, "ann", "pencil"));
    assert!(matches!(&step, Step::CheckPassword(login) if login.username == "ann"));
    assert_eq!(account_of(&answer(&mut exchange, step)), Some(ANN));
}

#[test]
fn an_empty_initial_response_is_malformed() {
    for mechanism in tls().offered() {
        let (exchange, step) =
            Exchange::start(&tls(), mechanism.name(), Some(b""), nonce("server"));
        assert_eq!(
            (step, exchange.is_over()),
            (Step::Failure(Failure::MalformedRequest), true),
            "{mechanism}"
        );
    }
}

#[test]
fn mechanisms_that_are_not_offered() {
    let before_tls = Channel {
        require_tls: true,
        ..Channel::default()
    };
    for (channel, name, failure) in [
        (&tls(), "CRAM-MD5", Failure::InvalidMechanism),
        (&tls(), "", Failure::InvalidMechanism),
        (
            &tls_without_binding(),
            "SCRAM-SHA-256-PLUS",
            Failure::InvalidMechanism,
        ),
        (&before_tls, "PLAIN", Failure::EncryptionRequired),
    ] {
        let (exchange, step) = Exchange::start(channel, name, Some(b"x"), nonce("server"));
        assert_eq!((step, exchange.is_over()), (Step::Failure(failure), true));
    }
}

#[test]
fn out_of_order_ends_it() {
    let first = b"n,,n=ann,r=client".as_slice();
    let start = || {
        Exchange::start(
            &tls_without_binding(),
            "SCRAM-SHA-256",
            Some(first),
            nonce("server"),
        )
    };
    let malformed = Step::Failure(Failure::MalformedRequest);

    let (mut exchange, step) = start();
    assert!(matches!(step, Step::LookupKeys { .. }));
    assert_eq!(
        exchange.respond(b"c=biws"),
        malformed,
        "a response while the keys are looked up"
    );
    assert_eq!(
        exchange.respond(first),
        malformed,
        "a response after the end"
    );
    let subject = Subject::resolve(ANN, None, prepare_address);
    assert_eq!(
        exchange.keys(subject.clone(), None, &decoy()),
        Step::Failure(Failure::TemporaryAuthFailure),
        "a late answer"
    );

    let (mut exchange, _) = start();
    assert_eq!(
        exchange.password_checked(subject.clone(), true),
        Step::Failure(Failure::TemporaryAuthFailure),
        "the wrong answer"
    );
    let (mut exchange, _) = start();
    let other_hash = credentials().keys(Hash::Sha1).clone();
    assert_eq!(
        exchange.keys(subject, Some(other_hash), &decoy()),
        Step::Failure(Failure::TemporaryAuthFailure)
    );

    let (mut exchange, _) = start();
    assert_eq!(exchange.abort(), Step::Failure(Failure::Aborted));
    assert!(exchange.is_over());
    let (mut exchange, _) = start();
    assert_eq!(
        exchange.fail(Failure::TemporaryAuthFailure),
        Step::Failure(Failure::TemporaryAuthFailure)
    );
}

#[test]
fn a_disabled_account_is_told_only_to_who_knows_the_password() {
    for (right, failure) in [
        (true, Failure::AccountDisabled),
        (false, Failure::NotAuthorized),
    ] {
        let (mut exchange, _) =
            Exchange::start(&tls(), "PLAIN", Some(b"\0ann\0x"), nonce("unused"));
        let subject =
            Subject::resolve(ANN, None, prepare_address).refused(Failure::AccountDisabled);
        assert_eq!(
            exchange.password_checked(subject, right),
            Step::Failure(failure)
        );
    }
    let twice =
        Subject::resolve(ANN, Some("x@y"), prepare_address).refused(Failure::AccountDisabled);
    assert_eq!(
        twice.once_proven,
        Err(Failure::InvalidAuthzid),
        "the first reason stays"
    );
}

/// An exchange that waits for the client's last message, and the last message that would succeed.
fn before_the_last() -> (Exchange, String) {
    let (first, client) = ScramClient::start(
        Hash::Sha256,
        "ann",
        None,
        ClientBinding::Unsupported,
        &nonce("client"),
    );
    let (mut exchange, step) = Exchange::start(
        &tls_without_binding(),
        "SCRAM-SHA-256",
        Some(&first),
        nonce("server"),
    );
    let Step::Challenge(challenge) = answer(&mut exchange, step) else {
        panic!("no challenge")
    };
    let (last, _) = client.handle_challenge(&challenge, "pencil").unwrap();
    (exchange, String::from_utf8(last).unwrap())
}

#[test]
fn the_last_message_has_to_fit_in_every_part() {
    let (mut exchange, last) = before_the_last();
    assert_eq!(account_of(&exchange.respond(last.as_bytes())), Some(ANN));
    let (_, proof) = last.split_once(",p=").unwrap();
    for (wrong, detail) in [
        (
            last.replace("clientserver", "clientserveR"),
            ServerError::OtherError,
        ),
        (
            last.replace("clientserver", "client"),
            ServerError::OtherError,
        ),
        (
            last.replace("c=biws", "c=eSws"),
            ServerError::ChannelBindingsDontMatch,
        ),
        (
            last.replace("c=biws", "c=biwsAAAA"),
            ServerError::ChannelBindingsDontMatch,
        ),
        (last.replace(proof, "AAAA"), ServerError::InvalidProof),
        (
            last.replace(proof, &encode_payload(&[0; 32])),
            ServerError::InvalidProof,
        ),
        (last.replace(",p=", ",x=1,p="), ServerError::InvalidProof),
        (
            last.replace(",p=", ",m=1,p="),
            ServerError::ExtensionsNotSupported,
        ),
        (last.replace(proof, "A"), ServerError::InvalidEncoding),
        (String::new(), ServerError::InvalidEncoding),
    ] {
        let (mut exchange, _) = before_the_last();
        assert_eq!(
            exchange.respond(wrong.as_bytes()),
            Step::Failure(detail.into()),
            "{wrong}"
        );
        assert_eq!(exchange.detail(), Some(detail));
        assert!(exchange.is_over());
    }
}

#[test]
fn the_client_is_not_fooled() {
    let start = || {
        ScramClient::start(
            Hash::Sha256,
            "ann",
            None,
            ClientBinding::NotOffered,
            &nonce("client"),
        )
        .1
    };
    let challenge = |message: &str| {
        start()
            .handle_challenge(message.as_bytes(), "pencil")
            .map(|_| ())
    };
    assert_eq!(challenge("r=clientserver,s=AAAA,i=1"), Ok(()));
    assert_eq!(challenge("r=client,s=AAAA,i=1"), Err(ClientError::Nonce));
    assert_eq!(
        challenge("r=otherserver,s=AAAA,i=1"),
        Err(ClientError::Nonce)
    );
    assert_eq!(
        challenge("r=clientserver,s=AAAA,i=4000000"),
        Err(ClientError::TooManyIterations(4_000_000))
    );
    assert_eq!(
        challenge("m=1,r=clientserver,s=AAAA,i=1"),
        Err(ClientError::Malformed(ServerError::ExtensionsNotSupported))
    );
    let success = |message: &[u8]| {
        let (_, client) = start()
            .handle_challenge(b"r=clientserver,s=AAAA,i=1", "pencil")
            .unwrap();
        client.handle_success(message)
    };
    assert_eq!(success(b"v=AAAA"), Err(ClientError::Signature));
    assert_eq!(
        success(b"e=invalid-proof"),
        Err(ClientError::Refused(ServerError::InvalidProof))
    );
    assert_eq!(
        success(b"v=A"),
        Err(ClientError::Malformed(ServerError::InvalidEncoding))
    );
    let empty = start()
        .handle_challenge(b"r=clientserver,s=AAAA,i=1", "")
        .map(|_| ());
    assert_eq!(empty, Err(ClientError::Password(PrepError::Empty)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever comes in whatever step: an answer, no panic, and never success.
    #[test]
    fn random_bytes_in_every_step(
        mechanism in 0_usize..5,
        initial in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..60)),
        text in "[nyp]?(=tls-exporter)?,?[acnrmpv=,A]{0,30}",
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let name = Mechanism::ALL[mechanism].name();
        let (mut exchange, mut step) = Exchange::start(&tls(), name, initial.as_deref(), nonce("server"));
        for payload in [text.as_bytes(), &bytes, text.as_bytes()] {
            step = answer(&mut exchange, step);
            prop_assert_eq!(account_of(&step), None);
            step = exchange.respond(payload);
        }
        let (mut exchange, _) = before_the_last();
        prop_assert!(matches!(exchange.respond(&bytes), Step::Failure(_)));
        let _ = decode_payload(&text);
    }

    /// Any name and any password that can be prepared log in, whatever has to be escaped.
    #[test]
    fn any_name_and_password_log_in(username in "[^\0]{1,12}", password in "\\PC{1,12}") {
        let Ok(keys) = ScramKeys::derive(Hash::Sha256, &password, SALT, 1) else { return Ok(()) };
        let (first, client) = ScramClient::start(Hash::Sha256, &username, Some(&username), ClientBinding::Unsupported, &nonce("c"));
        let (mut exchange, step) = Exchange::start(&tls(), "SCRAM-SHA-256", Some(&first), nonce("s"));
        let is_wanted = matches!(&step, Step::LookupKeys { username: name, authzid: Some(wish), .. } if *name == username && *wish == username);
        prop_assert!(is_wanted);
        let subject = Subject::resolve(username.clone(), Some(&username), |wish| Some(wish.to_owned()));
        let Step::Challenge(challenge) = exchange.keys(subject, Some(keys), &decoy()) else { panic!("no challenge") };
        let (last, client) = client.handle_challenge(&challenge, &password).unwrap();
        let Step::Success { account, additional: Some(data) } = exchange.respond(&last) else { panic!("no success") };
        prop_assert_eq!(account, username);
        prop_assert_eq!(client.handle_success(&data), Ok(()));
    }
}
