//! SCRAM: the vectors of the RFCs, every mechanism with every binding, every way to fail.

use super::*;
use serde_json::Value;

#[test]
fn vectors_of_rfc_5802_and_rfc_7677() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../testdata/scram-rfc5802-rfc7677.json")).unwrap();
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

/// Worked out with Python's hashlib and hmac.
#[test]
fn a_conversation_with_sha_512() {
    let salt: Vec<u8> = (0..16).collect();
    let keys = ScramKeys::derive(Hash::Sha512, "pencil", &salt, 4096).unwrap();
    assert_eq!(
        encode_payload(keys.stored_key().as_bytes()),
        "DBrOiJLJVkZeM/lYBjyn8Hk/LQ2RrM3V/Yg5Hd19QfaCFV/oaPeQAMJkwtvBdi4XgARejU3ucE9eDagBMHJ+Vw=="
    );
    let server = ScramServer::new(
        Hash::Sha512,
        false,
        ChannelBindings::default(),
        nonce("3rfcNHYJY1ZVvWVs7j"),
    );
    let need = server
        .handle_first(b"n,,n=user,r=fyko+d2lbbFgONRvqkxdawL")
        .unwrap();
    let (challenge, server) = need.with_keys(keys, true).unwrap();
    assert_eq!(
        challenge,
        b"r=fyko+d2lbbFgONRvqkxdawL3rfcNHYJY1ZVvWVs7j,s=AAECAwQFBgcICQoLDA0ODw==,i=4096"
    );
    let last = "c=biws,r=fyko+d2lbbFgONRvqkxdawL3rfcNHYJY1ZVvWVs7j,p=\
         lA8QN4Kj+YfaepmCiyb3Bbeho5J7Y8YlsbsS77DuOTbppeBtL35fXKEEEUCGSE8Ep19d+78d3sZXYir+M+eMVA==";
    let verified = server.handle_final(last.as_bytes()).unwrap();
    assert_eq!(
        String::from_utf8(verified.server_final).unwrap(),
        "v=6FtcPocgjtWD1tFexsUQyp4Os7tahMrF+Vm8RN4t6YtY6x0PKLrI6l+gNXmtI9Q1xues5kq+C+ILzoPNbrjjNg=="
    );
}

#[test]
fn every_mechanism_with_every_binding() {
    use Mechanism::{
        ScramSha1, ScramSha1Plus, ScramSha256, ScramSha256Plus, ScramSha512, ScramSha512Plus,
    };
    let (with, without) = (tls(), tls_without_binding());
    let exporter = || bound("tls-exporter", &[1; 32]);
    let end_point = || bound("tls-server-end-point", &[2; 32]);
    for empty_challenge in [false, true] {
        for mechanism in [ScramSha512Plus, ScramSha256Plus, ScramSha1Plus] {
            for binding in [exporter(), end_point()] {
                let (step, exchange) = Login::ann(&with, mechanism, binding).run(empty_challenge);
                assert_eq!(account_of(&step), Some(ANN), "{mechanism}");
                assert!(exchange.is_over());
            }
        }
        for mechanism in [ScramSha512, ScramSha256, ScramSha1] {
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

#[test]
fn keys_marked_as_stand_in_prove_nothing() {
    let keys = credentials().keys(Hash::Sha256).unwrap().clone();
    for exists in [true, false] {
        let (first, client) = ScramClient::start(
            Hash::Sha256,
            "ann",
            None,
            ClientBinding::Unsupported,
            &nonce("c"),
        );
        let server = ScramServer::new(Hash::Sha256, false, ChannelBindings::default(), nonce("s"));
        let (challenge, server) = server
            .handle_first(&first)
            .unwrap()
            .with_keys(keys.clone(), exists)
            .unwrap();
        let (last, _) = client.handle_challenge(&challenge, "pencil").unwrap();
        assert_eq!(server.handle_final(&last).is_ok(), exists);
    }
}

#[test]
fn no_password_fits_a_stand_in() {
    let keys = decoy().keys(Hash::Sha256, "nobody@office.example");
    assert_eq!(
        (keys.iterations(), keys.salt().len()),
        (ITERATIONS, SALT.len())
    );
    assert!(!keys.verify_password(&Password::new("pencil")));
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
