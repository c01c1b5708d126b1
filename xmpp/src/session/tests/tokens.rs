//! Tokens for the next login (XEP-0484).

use super::sasl2::{CLIENT_ID, authenticate, identifier, open, plain, user_agent};
use super::*;

const DAY: i64 = 86_400_000;

fn request(mechanism: &str) -> String {
    format!(
        "{}<request-token xmlns='{FAST}' mechanism='{mechanism}'/>",
        user_agent()
    )
}

/// The token that came with a success.
fn token(success: &Element) -> Option<String> {
    let token = success.child("token", FAST)?;
    assert!(token.attribute("expiry").unwrap().ends_with('Z'));
    Some(token.attribute("token").unwrap().into_owned())
}

/// A token, and what was issued.
fn obtained(mechanism: &str) -> (String, Pair) {
    let mut pair = open();
    pair.send(&plain(&request(mechanism)));
    let token = token(&pair.entered().0).unwrap();
    (token, pair)
}

fn hmac(key: &str, message: &[&[u8]]) -> Vec<u8> {
    use ::hmac::{Hmac, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    for part in message {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// A login by token: what `fast` says, and what else is asked for.
fn login(mechanism: &str, token: &str, binding: &[u8], fast: &str, more: &str) -> String {
    let proof = hmac(token, &[b"Initiator", binding]);
    let initial = [b"ann\0".as_slice(), &proof].concat();
    let more = format!("{}<fast xmlns='{FAST}' {fast}/>{more}", user_agent());
    authenticate(mechanism, Some(&initial), &more)
}

/// Another connection to the same server.
fn again(tokens: &Pair) -> Pair {
    let mut pair = open();
    (pair.tokens, pair.now) = (tokens.tokens.clone(), tokens.now);
    pair
}

#[test]
fn every_mechanism_in_one_step() {
    let cases: [(&str, &[u8]); 3] = [
        ("HT-SHA-256-EXPR", &[1; 32]),
        ("HT-SHA-256-ENDP", &[2; 32]),
        ("HT-SHA-256-NONE", b""),
    ];
    for (mechanism, binding) in cases {
        let (token_text, first) = obtained(mechanism);
        assert_eq!(token_text.len(), 43);
        let mut pair = again(&first);
        let bind = format!("<bind xmlns='{BIND2}'><tag>Test</tag></bind>");
        pair.send(&login(mechanism, &token_text, binding, "", &bind));
        let (success, _) = pair.entered();
        let data = decode_payload(&child(&success, "additional-data").text()).unwrap();
        assert_eq!(data, hmac(&token_text, &[b"Responder", binding]));
        assert!(identifier(&success).starts_with("ann@office.example/Test/"));
        assert_eq!(token(&success), None, "it is good for long");
        assert_eq!(pair.attempts, [AttemptOutcome::Succeeded]);
        // Bound to another channel, or to none, it is worth nothing.
        for (other, binding) in cases.into_iter().filter(|(it, _)| *it != mechanism) {
            let mut pair = again(&first);
            pair.send(&login(other, &token_text, binding, "", ""));
            assert_eq!(pair.failure2(), "not-authorized", "{mechanism} as {other}");
            assert_eq!(pair.attempts, [AttemptOutcome::Failed]);
        }
        let mut pair = again(&first);
        pair.send(&login(mechanism, &token_text, b"between", "", ""));
        assert_eq!(pair.failure2(), "not-authorized");
    }
}

#[test]
fn who_gets_none() {
    // Who does not say which client he is, or wants a mechanism that there is not.
    for more in [
        format!("<request-token xmlns='{FAST}' mechanism='HT-SHA-256-NONE'/>"),
        format!("<user-agent/><request-token xmlns='{FAST}' mechanism='HT-SHA-256-NONE'/>"),
        request("HT-SHA-256-UNIQ"),
        request("PLAIN"),
        format!("{}<request-token xmlns='{FAST}'/>", user_agent()),
    ] {
        let mut pair = open();
        pair.send(&plain(&more));
        assert_eq!(token(&pair.entered().0), None, "{more}");
        assert!(pair.tokens.is_empty());
    }
    // Who is not logged in.
    let mut pair = open();
    pair.answers = Answers::Disabled;
    pair.send(&plain(&request("HT-SHA-256-NONE")));
    assert_eq!(pair.failure2(), "account-disabled");
    assert!(pair.tokens.is_empty());
}

#[test]
fn wrong_in_every_way() {
    let (right, first) = obtained("HT-SHA-256-NONE");
    let fast = format!("<fast xmlns='{FAST}'/>");
    let ann = |token: &str| [b"ann\0".as_slice(), &hmac(token, &[b"Initiator"])].concat();
    let nobody = [b"nobody\0".as_slice(), &hmac(&right, &[b"Initiator"])].concat();
    let odd = [b"a b\0".as_slice(), &hmac(&right, &[b"Initiator"])].concat();
    let other = user_agent().replace("7d9f", "7d90");
    let cases = [
        (
            authenticate(
                "HT-SHA-256-NONE",
                Some(&ann("guess")),
                &format!("{}{fast}", user_agent()),
            ),
            "not-authorized",
            1,
        ),
        (
            authenticate(
                "HT-SHA-256-NONE",
                Some(&nobody),
                &format!("{}{fast}", user_agent()),
            ),
            "not-authorized",
            1,
        ),
        (
            authenticate(
                "HT-SHA-256-NONE",
                Some(&odd),
                &format!("{}{fast}", user_agent()),
            ),
            "not-authorized",
            0,
        ),
        (
            authenticate(
                "HT-SHA-256-NONE",
                Some(&ann(&right)),
                &format!("{other}{fast}"),
            ),
            "not-authorized",
            1,
        ),
        (
            authenticate("HT-SHA-256-NONE", Some(&ann(&right)), &fast),
            "malformed-request",
            0,
        ),
        (
            authenticate(
                "HT-SHA-256-NONE",
                Some(b"ann"),
                &format!("{}{fast}", user_agent()),
            ),
            "malformed-request",
            0,
        ),
        (
            authenticate(
                "HT-SHA-256-UNIQ",
                Some(&ann(&right)),
                &format!("{}{fast}", user_agent()),
            ),
            "invalid-mechanism",
            0,
        ),
        (
            authenticate(
                "PLAIN",
                Some(b"\0ann\0pencil"),
                &format!("{}{fast}", user_agent()),
            ),
            "invalid-mechanism",
            0,
        ),
    ];
    for (text, condition, attempts) in cases {
        let mut pair = again(&first);
        pair.send(&text);
        assert_eq!(pair.failure2(), condition, "{text}");
        assert_eq!(
            pair.attempts,
            vec![AttemptOutcome::Failed; attempts],
            "{text}"
        );
        // The password is still good, on the same stream.
        pair.send(&plain(""));
        pair.entered();
    }
    // Without a binding the others are not there.
    let mut pair = Pair::new(settings(), Some(Secured::default()));
    pair.send(OPEN).opening();
    pair.send(&login("HT-SHA-256-EXPR", &right, b"", "", ""));
    assert_eq!(pair.failure2(), "invalid-mechanism");
    // An empty challenge asks for what did not come.
    let mut pair = again(&first);
    pair.send(&authenticate(
        "HT-SHA-256-NONE",
        None,
        &format!("{}{fast}", user_agent()),
    ));
    assert_eq!(pair.element().name(), "challenge");
    let data = encode_payload(&ann(&right));
    pair.send(&format!("<response xmlns='{SASL2}'>{data}</response>"));
    pair.entered();
    assert_eq!(CLIENT_ID.len(), 36);
}

#[test]
fn renewed_in_time_and_the_old_one_good_until_then() {
    let (one, mut first) = obtained("HT-SHA-256-NONE");
    first.now.utc = Utc(6 * DAY);
    let mut pair = again(&first);
    pair.send(&login("HT-SHA-256-NONE", &one, b"", "", ""));
    let two = token(&pair.entered().0).unwrap();
    assert_ne!(one, two);
    // The answer may have been lost: the old one opens, and is renewed again.
    let mut lost = again(&pair);
    lost.send(&login("HT-SHA-256-NONE", &one, b"", "", ""));
    let three = token(&lost.entered().0).unwrap();
    // What was never used is gone with the next one; what is used ends what was before it.
    let mut other = again(&lost);
    other.send(&login("HT-SHA-256-NONE", &two, b"", "", ""));
    assert_eq!(other.failure2(), "not-authorized");
    let mut newest = again(&lost);
    newest.send(&login("HT-SHA-256-NONE", &three, b"", "", ""));
    assert_eq!(token(&newest.entered().0), None);
    let mut late = again(&newest);
    late.send(&login("HT-SHA-256-NONE", &one, b"", "", ""));
    assert_eq!(late.failure2(), "not-authorized");
    // And each ends.
    newest.now.utc = Utc(60 * DAY);
    let mut expired = again(&newest);
    expired.send(&login("HT-SHA-256-NONE", &three, b"", "", ""));
    assert_eq!(expired.failure2(), "credentials-expired");
    assert_eq!(
        expired.attempts,
        [AttemptOutcome::Abandoned],
        "it was no guess"
    );
}

#[test]
fn taken_back() {
    let (one, mut first) = obtained("HT-SHA-256-NONE");
    first.now.utc = Utc(6 * DAY);
    let mut pair = again(&first);
    pair.send(&login(
        "HT-SHA-256-NONE",
        &one,
        b"",
        "invalidate='true'",
        "",
    ));
    assert_eq!(token(&pair.entered().0), None, "though it was time");
    let mut late = again(&pair);
    late.send(&login("HT-SHA-256-NONE", &one, b"", "", ""));
    assert_eq!(late.failure2(), "credentials-expired");
    assert_eq!(late.attempts, [AttemptOutcome::Abandoned]);
    // Who asks for another at the same time gets one.
    let mut pair = again(&first);
    let wish = format!("<request-token xmlns='{FAST}' mechanism='HT-SHA-256-ENDP'/>");
    pair.send(&login(
        "HT-SHA-256-NONE",
        &one,
        b"",
        "invalidate='1'",
        &wish,
    ));
    let two = token(&pair.entered().0).unwrap();
    let mut next = again(&pair);
    next.send(&login("HT-SHA-256-ENDP", &two, &[2; 32], "", ""));
    next.entered();
}

#[test]
fn counts_only_go_up() {
    let (one, first) = obtained("HT-SHA-256-NONE");
    let mut last = again(&first);
    for (count, is_fine) in [
        ("1", true),
        ("7", true),
        ("7", false),
        ("6", false),
        ("8", true),
    ] {
        let mut pair = again(&last);
        pair.send(&login(
            "HT-SHA-256-NONE",
            &one,
            b"",
            &format!("count='{count}'"),
            "",
        ));
        if is_fine {
            pair.entered();
            last = pair;
        } else {
            assert_eq!(pair.failure2(), "not-authorized", "{count}");
            assert_eq!(
                pair.attempts,
                [AttemptOutcome::Abandoned],
                "it was no guess"
            );
        }
    }
}

#[test]
fn what_the_outside_refuses() {
    let (one, first) = obtained("HT-SHA-256-NONE");
    for (answers, condition, outcome) in [
        (
            Answers::Disabled,
            "account-disabled",
            Some(AttemptOutcome::Succeeded),
        ),
        (Answers::TooMany, "temporary-auth-failure", None),
        (
            Answers::Fault,
            "temporary-auth-failure",
            Some(AttemptOutcome::Abandoned),
        ),
    ] {
        let mut pair = again(&first);
        pair.answers = answers;
        pair.send(&login("HT-SHA-256-NONE", &one, b"", "", ""));
        assert_eq!(pair.failure2(), condition);
        assert_eq!(pair.attempts, Vec::from_iter(outcome));
    }
    // The header names somebody else: whatever was wished with it is not done.
    for fast in ["", "invalidate='1'", "count='9'"] {
        let mut pair = Pair::direct();
        pair.tokens = first.tokens.clone();
        pair.send(&OPEN.replace("to=", "from='bob@office.example' to="))
            .opening();
        pair.send(&login("HT-SHA-256-NONE", &one, b"", fast, ""));
        assert_eq!(pair.failure2(), "invalid-authzid");
        assert_eq!(pair.tokens, first.tokens, "{fast}");
    }
}

/// An id is to be a UUID; a client that has another one is let in, as one that says nothing.
#[test]
fn ids_that_are_none() {
    let odd = "<user-agent id='my-client'><software>Odd</software></user-agent>";
    let wish = format!("{odd}<request-token xmlns='{FAST}' mechanism='HT-SHA-256-NONE'/>");
    let mut pair = open();
    pair.send(&plain(&wish));
    assert_eq!(token(&pair.entered().0), None);
    let mut pair = open();
    let more = format!("{odd}<fast xmlns='{FAST}'/>");
    pair.send(&authenticate("HT-SHA-256-NONE", Some(b"ann\0proof"), &more));
    assert_eq!(pair.failure2(), "malformed-request");
}

/// What cannot be proven on this channel is not issued, and nothing that can be makes way for it.
#[test]
fn mechanisms_that_the_channel_cannot_use() {
    let (_, first) = obtained("HT-SHA-256-NONE");
    let unbound = Secured {
        exporter: None,
        ..secured()
    };
    let mut pair = Pair::new(settings(), Some(unbound));
    pair.tokens = first.tokens.clone();
    pair.send(OPEN).opening();
    pair.send(&plain(&request("HT-SHA-256-EXPR")));
    assert_eq!(token(&pair.entered().0), None);
    assert_eq!(pair.tokens, first.tokens);
}

#[test]
fn tokens_are_not_shown() {
    let (one, pair) = obtained("HT-SHA-256-NONE");
    let (client, issued) = &pair.tokens[0];
    let keys = &pair.session.core.settings.tokens;
    let token = keys.token("ann@office.example", *client, &issued.nonce);
    assert_eq!(token.reveal(), one);
    let reply = Reply::Issued(Some((token, Utc(0))));
    assert!(!format!("{reply:?}").contains(&one));
}

/// Whoever binds says which client it is, whatever the tag, so that its earlier sessions can be ended (XEP-0386 §3.2).
#[test]
fn the_client_is_named_with_the_resource() {
    let mut pair = open();
    let bind = format!("{}<bind xmlns='{BIND2}'/>", user_agent());
    pair.send(&plain(&bind));
    pair.entered();
    let bound = pair.actions.iter().find_map(|it| match it {
        Action::Bind { client, .. } => Some(*client),
        _ => None,
    });
    assert_eq!(bound, Some(ClientId::parse(CLIENT_ID)));
}
