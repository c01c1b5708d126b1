//! What holds for any input.

use super::*;
use proptest::prelude::*;

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
