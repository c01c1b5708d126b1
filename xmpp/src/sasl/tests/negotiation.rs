//! PLAIN, and the order of things in any negotiation (RFC 6120 §6.4).

use super::*;

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
    let other_hash = credentials().keys(Hash::Sha1).unwrap().clone();
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
