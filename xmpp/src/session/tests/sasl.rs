//! Everything that can go wrong with a login (RFC 6120 §6.4, §6.5).

use super::*;

fn open() -> Pair {
    let mut pair = Pair::direct();
    pair.send(OPEN).opening();
    pair
}

#[test]
fn mechanisms_that_are_not() {
    for mechanism in ["CRAM-MD5", "", "plain", "EXTERNAL"] {
        assert_eq!(open().auth(mechanism, None).failure(), "invalid-mechanism");
    }
    let mut pair = open();
    pair.send(&format!("<auth xmlns='{SASL}'/>"));
    assert_eq!(pair.failure(), "invalid-mechanism");
    // No binding data, no -PLUS.
    let mut pair = Pair::new(settings(), Some(Secured::default()));
    let (_, features) = pair.send(OPEN).opening();
    assert_eq!(names(&features), ["mechanisms", "authentication", "limits"]);
    assert_eq!(
        pair.auth("SCRAM-SHA-256-PLUS", None).failure(),
        "invalid-mechanism"
    );
}

#[test]
fn not_before_tls() {
    let mut pair = Pair::plain();
    pair.send(OPEN).opening();
    assert_eq!(pair.plain_login("pencil").failure(), "encryption-required");
    assert_eq!(
        pair.auth("SCRAM-SHA-256", None).failure(),
        "encryption-required"
    );
    assert!(pair.actions.is_empty());
}

#[test]
fn payloads_that_are_not() {
    for text in ["*", "AGE", " AGE=", "AG\nE=", "=="] {
        let mut pair = open();
        pair.send(&format!(
            "<auth xmlns='{SASL}' mechanism='PLAIN'>{text}</auth>"
        ));
        assert_eq!(pair.failure(), "incorrect-encoding", "{text:?}");
    }
    let mut pair = open();
    pair.auth("PLAIN", None).challenge();
    pair.send(&format!("<response xmlns='{SASL}'>AGE</response>"));
    assert_eq!(pair.failure(), "incorrect-encoding");
    for text in ["=", "AGE=", "<x/>"] {
        let mut pair = open();
        pair.send(&format!(
            "<auth xmlns='{SASL}' mechanism='PLAIN'>{text}</auth>"
        ));
        assert_eq!(pair.failure(), "malformed-request", "{text:?}");
    }
    for mechanism in ["SCRAM-SHA-1", "SCRAM-SHA-256"] {
        assert_eq!(
            open().auth(mechanism, Some(b"n,,x")).failure(),
            "malformed-request"
        );
        assert_eq!(
            open().auth(mechanism, Some(b"")).failure(),
            "malformed-request"
        );
    }
}

#[test]
fn responses_that_nothing_asked_for() {
    let mut pair = open();
    assert_eq!(pair.respond(b"x").failure(), "malformed-request");
    assert_eq!(pair.respond(b"").failure(), "malformed-request");
}

#[test]
fn taken_back() {
    let abort = format!("<abort xmlns='{SASL}'/>");
    let mut pair = open();
    assert_eq!(pair.send(&abort).failure(), "aborted");
    pair.auth("PLAIN", None).challenge();
    assert_eq!(pair.send(&abort).failure(), "aborted");
    assert_eq!(
        pair.respond(b"\0ann\0pencil").failure(),
        "malformed-request"
    );
    assert!(pair.attempts.is_empty());

    let (first, _) = ScramClient::start(
        Hash::Sha1,
        "ann",
        None,
        ClientBinding::Unsupported,
        &nonce(),
    );
    pair.auth("SCRAM-SHA-1", Some(&first)).challenge();
    assert_eq!(pair.send(&abort).failure(), "aborted");
    assert_eq!(pair.attempts, [AttemptOutcome::Abandoned]);
    assert_eq!(pair.plain_login("pencil").element().name(), "success");
}

#[test]
fn a_new_auth_drops_the_old_exchange() {
    let mut pair = open();
    let (first, _) = ScramClient::start(
        Hash::Sha1,
        "ann",
        None,
        ClientBinding::Unsupported,
        &nonce(),
    );
    pair.auth("SCRAM-SHA-1", Some(&first)).challenge();
    assert_eq!(pair.plain_login("pencil").element().name(), "success");
    assert_eq!(
        pair.attempts,
        [AttemptOutcome::Abandoned, AttemptOutcome::Succeeded]
    );
}

#[test]
fn wrong_credentials_and_unknown_accounts_look_alike() {
    let mut pair = open();
    assert_eq!(pair.plain_login("pen").failure(), "not-authorized");
    let nobody = plain_message(None, "nobody", "pencil");
    assert_eq!(
        pair.auth("PLAIN", Some(&nobody)).failure(),
        "not-authorized"
    );
    let answer = scram(
        &mut pair,
        Hash::Sha256,
        "SCRAM-SHA-256-PLUS",
        exporter(),
        "pen",
    );
    assert_eq!(condition_of(&answer), "not-authorized");
    assert_eq!(pair.attempts, [AttemptOutcome::Failed; 3]);

    // A name that no account can have: the exchange goes on to its end all the same.
    for name in ["a@b", "a b", "\u{fffd}"] {
        let mut pair = open();
        let (first, client) = ScramClient::start(
            Hash::Sha256,
            name,
            None,
            ClientBinding::Unsupported,
            &nonce(),
        );
        let challenge = pair.auth("SCRAM-SHA-256", Some(&first)).challenge();
        let (last, _) = client.handle_challenge(&challenge, "pencil").unwrap();
        assert_eq!(pair.respond(&last).failure(), "not-authorized");
        let message = plain_message(None, name, "pencil");
        assert_eq!(
            pair.auth("PLAIN", Some(&message)).failure(),
            "not-authorized"
        );
    }
}

#[test]
fn a_channel_that_is_another() {
    let binding = ClientBinding::Bound {
        name: "tls-exporter".to_owned(),
        data: vec![7; 32],
    };
    let answer = scram(
        &mut open(),
        Hash::Sha256,
        "SCRAM-SHA-256-PLUS",
        binding,
        "pencil",
    );
    assert_eq!(condition_of(&answer), "not-authorized");
}

#[test]
fn other_identities() {
    let login = |authzid| {
        let mut pair = open();
        let answer = pair
            .auth(
                "PLAIN",
                Some(&plain_message(Some(authzid), "ann", "pencil")),
            )
            .element();
        (answer, pair.attempts)
    };
    assert_eq!(login("Ann@office.example").0.name(), "success");
    for authzid in [
        "bob@office.example",
        "ann@office.example/desk",
        "office.example",
    ] {
        let (answer, attempts) = login(authzid);
        assert_eq!(condition_of(&answer), "invalid-authzid");
        assert_eq!(attempts, [AttemptOutcome::Succeeded]);
    }
    let message = plain_message(Some("bob@office.example"), "ann", "pen");
    assert_eq!(
        open().auth("PLAIN", Some(&message)).failure(),
        "not-authorized"
    );
}

#[test]
fn disabled_accounts_are_told_so_who_know_the_password() {
    for (password, condition) in [("pencil", "account-disabled"), ("pen", "not-authorized")] {
        let mut pair = open();
        pair.answers = Answers::Disabled;
        assert_eq!(pair.plain_login(password).failure(), condition);
        let answer = scram(
            &mut pair,
            Hash::Sha1,
            "SCRAM-SHA-1-PLUS",
            exporter(),
            password,
        );
        assert_eq!(condition_of(&answer), condition);
        assert_eq!(pair.attempts.len(), 2);
    }
}

#[test]
fn not_now() {
    let first = ScramClient::start(
        Hash::Sha1,
        "ann",
        None,
        ClientBinding::Unsupported,
        &nonce(),
    )
    .0;
    for (answers, attempts) in [(Answers::TooMany, 0), (Answers::Fault, 2)] {
        let mut pair = open();
        pair.answers = answers;
        assert_eq!(
            pair.plain_login("pencil").failure(),
            "temporary-auth-failure"
        );
        assert_eq!(
            pair.auth("SCRAM-SHA-1", Some(&first)).failure(),
            "temporary-auth-failure"
        );
        assert_eq!(pair.attempts, vec![AttemptOutcome::Abandoned; attempts]);
        pair.answers = Answers::Right;
        assert_eq!(pair.plain_login("pencil").element().name(), "success");
    }
}

#[test]
fn five_failures_are_enough() {
    let mut pair = open();
    for _ in 0..4 {
        assert_eq!(pair.plain_login("pen").failure(), "not-authorized");
    }
    let (condition, said) = pair.plain_login("pen").error();
    assert_eq!(condition, "policy-violation");
    assert!(matches!(said.as_slice(), [Token::Element(failure)] if failure.name() == "failure"));
    assert_eq!(pair.attempts, [AttemptOutcome::Failed; 5]);
}

#[test]
fn the_failure_comes_after_the_attempt_was_told() {
    let mut pair = open();
    let auth = encode_payload(&plain_message(None, "ann", "pen"));
    let text = format!("<auth xmlns='{SASL}' mechanism='PLAIN'>{auth}</auth>");
    pair.session.handle_bytes(pair.now, text.as_bytes());
    assert!(matches!(
        pair.session.poll_output(),
        Some(Output::Act(Action::Password { .. }))
    ));
    assert!(!pair.session.wants_bytes());
    pair.session.handle_reply(pair.now, Reply::Password(false));
    assert!(matches!(
        pair.session.poll_output(),
        Some(Output::Act(Action::Attempted { .. }))
    ));
    assert!(matches!(pair.session.poll_output(), Some(Output::Send(_))));
    assert!(pair.session.wants_bytes());
}

#[test]
fn every_attempt_has_one_end() {
    let first = ScramClient::start(
        Hash::Sha1,
        "ann",
        None,
        ClientBinding::Unsupported,
        &nonce(),
    )
    .0;
    let ends: [fn(&mut Pair); 4] = [
        |pair| {
            pair.hang_up();
        },
        |pair| {
            pair.wait(Duration::from_secs(30));
        },
        |pair| {
            pair.session.end(StreamCondition::SystemShutdown, None);
            pair.drain();
        },
        |pair| {
            let filler = " ".repeat(9000);
            pair.send(&filler);
        },
    ];
    for end in ends {
        for answers in [Answers::Never, Answers::Right] {
            let mut pair = open();
            pair.answers = answers;
            pair.auth("SCRAM-SHA-1", Some(&first)).said();
            end(&mut pair);
            assert!(pair.closed);
            assert_eq!(pair.attempts, [AttemptOutcome::Abandoned]);
            // What comes too late changes nothing.
            pair.session.handle_reply(pair.now, Reply::Password(true));
            pair.hang_up().wait(Duration::from_secs(99));
            assert_eq!((pair.begun, pair.attempts.len()), (1, 1));
        }
    }
}

#[test]
fn what_comes_while_an_answer_is_out_waits() {
    let mut pair = open();
    pair.answers = Answers::Never;
    pair.plain_login("pencil").send("<presence/>");
    assert!(pair.said().is_empty() && !pair.closed);
    pair.session.handle_reply(pair.now, Reply::Password(false));
    pair.drain();
    let (condition, said) = pair.error();
    assert_eq!((condition.as_str(), said.len()), ("not-authorized", 1));
}

#[test]
fn an_answer_to_another_question_is_a_fault() {
    let mut pair = open();
    pair.answers = Answers::Never;
    pair.plain_login("pencil");
    pair.session
        .handle_reply(pair.now, Reply::Bound(Ok(Resource::from_prepared("x"))));
    pair.drain();
    assert_eq!(pair.failure(), "temporary-auth-failure");
    assert!(pair.session.account().is_none());
}

#[test]
fn stanzas_before_authentication() {
    for stanza in ["<message/>", "<presence/>", BIND_ANY] {
        let mut pair = open();
        assert_eq!(pair.send(stanza).error().0, "not-authorized");
        let mut pair = open();
        pair.auth("PLAIN", None).challenge();
        assert_eq!(pair.send(stanza).error().0, "not-authorized");
    }
}

#[test]
fn after_success_there_is_no_more_of_it() {
    let mut pair = Pair::direct().logged_in();
    assert_eq!(
        pair.plain_login("pencil").error().0,
        "unsupported-stanza-type"
    );
}

/// XEP-0474: what was offered is told again where nobody in between can change it.
#[test]
fn the_offer_is_told_under_protection() {
    // Python: base64(sha256('\x1e'.join(sorted(mechanisms)) + '\x1f' + '\x1e'.join(sorted(bindings)))).
    let cases = [
        (
            Some(secured()),
            true,
            "cmRT/9v5sjTgX+ft+hYhsOha8IkhRW2KxNFPJvcbHUA=",
        ),
        (
            Some(secured()),
            false,
            "HsVT3zgfiif56i/w96g+XTr+Rx/Yfkw1VkxOAdVb9Wk=",
        ),
        (
            Some(Secured::default()),
            true,
            "ujUIheeDniyREoOqPQKcpjkxnvYpJ3onwESOHqpFE7g=",
        ),
    ];
    for (secured, sha512, expected) in cases {
        let settings = Settings {
            sha512,
            ..settings()
        };
        let mut pair = Pair::new(settings, secured);
        pair.send(OPEN).opening();
        pair.auth("SCRAM-SHA-256", Some(b"n,,n=ann,r=nonce"));
        let challenge = String::from_utf8(pair.challenge()).unwrap();
        let told = challenge.split(',').nth(3);
        assert_eq!(told, Some(format!("h={expected}").as_str()));
        assert_eq!(challenge.split(',').count(), 4);
    }
}

#[test]
fn sha_512_is_not_taken_where_it_is_not_offered() {
    let settings = Settings {
        sha512: false,
        ..settings()
    };
    let mut pair = Pair::new(settings, Some(secured()));
    let (_, features) = pair.send(OPEN).opening();
    let offered = child(&features, "mechanisms");
    assert!(offered.children().all(|name| !name.text().contains("512")));
    let refused = pair.auth("SCRAM-SHA-512", Some(b"n,,n=ann,r=nonce"));
    assert_eq!(refused.failure(), "invalid-mechanism");
    assert!(pair.attempts.is_empty() && pair.actions.is_empty());
}
