//! The extensible profile of SASL (XEP-0388).

use super::*;

pub(super) const CLIENT_ID: &str = "7d9f2a4c-51b6-4e08-9c3d-a1b2c3d4e5f6";

/// A stream with TLS, opened by somebody who says who he is.
pub(super) fn open_as(from: &str) -> Pair {
    let mut pair = Pair::direct();
    pair.send(&OPEN.replace("to=", &format!("from='{from}' to=")));
    pair.opening();
    pair
}

pub(super) fn open() -> Pair {
    let mut pair = Pair::direct();
    pair.send(OPEN).opening();
    pair
}

/// `<authenticate/>` with this inside, behind the initial response.
pub(super) fn authenticate(mechanism: &str, initial: Option<&[u8]>, more: &str) -> String {
    let initial = initial.map(|data| {
        let data = encode_payload(data);
        format!("<initial-response>{data}</initial-response>")
    });
    format!(
        "<authenticate xmlns='{SASL2}' mechanism='{mechanism}'>{}{more}</authenticate>",
        initial.unwrap_or_default()
    )
}

pub(super) fn plain(more: &str) -> String {
    let login = plain_message(None, "ann", "pencil");
    authenticate("PLAIN", Some(&login), more)
}

pub(super) fn user_agent() -> String {
    format!(
        "<user-agent id='{CLIENT_ID}'><software>Test</software><device>Desk</device></user-agent>"
    )
}

fn response(data: &[u8]) -> String {
    let data = encode_payload(data);
    format!("<response xmlns='{SASL2}'>{data}</response>")
}

impl Pair {
    /// The success and the features that were said since the last look.
    pub(super) fn entered(&mut self) -> (Element, Element) {
        match <[Token; 2]>::try_from(self.said()) {
            Ok([Token::Element(success), Token::Element(features)]) => {
                assert!(success.is("success", SASL2), "{success:?}");
                assert!(features.is("features", STREAM), "{features:?}");
                (success, features)
            }
            other => panic!("no success: {other:?}"),
        }
    }

    pub(super) fn failure2(&mut self) -> String {
        let element = self.element();
        assert!(element.is("failure", SASL2), "{element:?}");
        condition_of(&element)
    }

    fn challenge2(&mut self) -> Vec<u8> {
        let element = self.element();
        assert!(element.is("challenge", SASL2), "{element:?}");
        decode_payload(&element.text()).unwrap()
    }
}

pub(super) fn identifier(success: &Element) -> String {
    child(success, "authorization-identifier")
        .text()
        .into_owned()
}

#[test]
fn the_offer() {
    let mut pair = Pair::direct();
    let (_, features) = pair.send(OPEN).opening();
    let offer = features.child("authentication", SASL2).unwrap();
    let listed = |of: &Child<'_>| -> Vec<String> {
        let mechanisms = of.children().filter(|child| child.name() == "mechanism");
        mechanisms.map(|name| name.text().into_owned()).collect()
    };
    let before = listed(&features.child("mechanisms", SASL).unwrap());
    assert_eq!(listed(&offer), before);
    let inline = offer
        .children()
        .find(|child| child.is("inline", SASL2))
        .unwrap();
    assert_eq!(names(&inline), ["bind", "sm", "fast"]);
    let fast = inline
        .children()
        .find(|child| child.is("fast", FAST))
        .unwrap();
    assert_eq!(
        listed(&fast),
        ["HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA-256-NONE"]
    );
    assert_eq!(fast.attribute("tls-0rtt"), None);

    // Never without TLS, also where the older profile is offered there.
    let mut open = settings();
    open.require_tls = false;
    for settings in [settings(), open] {
        let mut pair = Pair::new(settings, None);
        let (_, features) = pair.send(OPEN).opening();
        assert!(features.child("authentication", SASL2).is_none());
        pair.send(&plain(""));
        assert_eq!(pair.failure2(), "encryption-required");
        assert!(pair.attempts.is_empty());
    }
}

#[test]
fn plain_in_one_step_and_no_new_stream() {
    let mut pair = open();
    pair.send(&plain(&user_agent()));
    let (success, features) = pair.entered();
    assert_eq!(names(&success), ["authorization-identifier"]);
    assert_eq!(identifier(&success), "ann@office.example");
    assert_eq!(
        names(&features),
        ["bind", "session", "ver", "sub", "sm", "csi", "c", "limits"]
    );
    assert_eq!(pair.attempts, [AttemptOutcome::Succeeded]);
    assert_eq!(
        pair.session.account().unwrap().as_str(),
        "ann@office.example"
    );
    pair.send(&bind("desk"));
    assert_eq!(pair.element().attribute("type").as_deref(), Some("result"));
    assert_eq!(
        pair.session.address().unwrap().to_string(),
        "ann@office.example/desk"
    );
}

#[test]
fn every_scram_mechanism() {
    let cases = [
        (Hash::Sha512, "SCRAM-SHA-512-PLUS", exporter()),
        (Hash::Sha256, "SCRAM-SHA-256-PLUS", exporter()),
        (Hash::Sha1, "SCRAM-SHA-1", ClientBinding::Unsupported),
    ];
    for (hash, mechanism, binding) in cases {
        for with_initial in [true, false] {
            let mut pair = open_as("ann@office.example");
            let (first, client) = ScramClient::start(hash, "ann", None, binding.clone(), &nonce());
            pair.send(&authenticate(
                mechanism,
                with_initial.then_some(first.as_slice()),
                "",
            ));
            if !with_initial {
                assert!(pair.challenge2().is_empty());
                pair.send(&response(&first));
            }
            let challenge = pair.challenge2();
            let (last, client) = client.handle_challenge(&challenge, "pencil").unwrap();
            pair.send(&response(&last));
            let (success, _) = pair.entered();
            let data = child(&success, "additional-data").text();
            client
                .handle_success(&decode_payload(&data).unwrap())
                .unwrap();
            assert_eq!(pair.attempts, [AttemptOutcome::Succeeded]);
            assert!(String::from_utf8(challenge).unwrap().contains(",h="));
        }
    }
}

#[test]
fn failures_leave_the_stream_as_it_was() {
    let mut pair = open();
    let wrong = plain_message(None, "ann", "pen");
    pair.send(&authenticate(
        "PLAIN",
        Some(&wrong),
        "<bind xmlns='urn:xmpp:bind:0'/>",
    ));
    assert_eq!(pair.failure2(), "not-authorized");
    for (mechanism, condition) in [
        ("CRAM-MD5", "invalid-mechanism"),
        ("", "invalid-mechanism"),
        // A token is announced by `<fast/>`.
        ("HT-SHA-256-NONE", "invalid-mechanism"),
    ] {
        pair.send(&authenticate(mechanism, None, ""));
        assert_eq!(pair.failure2(), condition, "{mechanism}");
    }
    assert_eq!(pair.attempts, [AttemptOutcome::Failed]);
    // Nothing was bound, and either profile goes on.
    assert!(
        pair.actions
            .iter()
            .all(|it| !matches!(it, Action::Bind { .. }))
    );
    assert_eq!(pair.plain_login("pencil").element().name(), "success");

    let mut pair = open();
    for _ in 0..4 {
        pair.send(&authenticate("PLAIN", Some(&wrong), ""));
        pair.failure2();
    }
    pair.plain_login("pen");
    assert_eq!(pair.error().0, "policy-violation", "both profiles count");
}

#[test]
fn malformed_requests() {
    let initial = "<initial-response>AGFubgBwZW5jaWw=</initial-response>";
    let cases = [
        (
            "<initial-response>A!</initial-response>",
            "incorrect-encoding",
        ),
        (
            "<initial-response>=</initial-response>",
            "incorrect-encoding",
        ),
        ("<initial-response></initial-response>", "malformed-request"),
        (
            "<initial-response><x/></initial-response>",
            "malformed-request",
        ),
        (&format!("{initial}{initial}"), "malformed-request"),
        (
            &format!("{initial}{0}{0}", user_agent()),
            "malformed-request",
        ),
        (
            &format!("{initial}<bind xmlns='{BIND2}'/><bind xmlns='{BIND2}'/>"),
            "malformed-request",
        ),
        (
            &format!("{initial}<bind xmlns='{BIND2}'><tag>a</tag><tag>b</tag></bind>"),
            "malformed-request",
        ),
        (
            &format!("{initial}<fast xmlns='{FAST}' count='-1'/>"),
            "malformed-request",
        ),
        (
            &format!("{initial}<fast xmlns='{FAST}' invalidate='maybe'/>"),
            "malformed-request",
        ),
    ];
    for (inside, condition) in cases {
        let mut pair = open();
        pair.send(&format!(
            "<authenticate xmlns='{SASL2}' mechanism='PLAIN'>{inside}</authenticate>"
        ));
        assert_eq!(pair.failure2(), condition, "{inside}");
        assert!(pair.actions.is_empty());
    }
    // What is unknown is of no account, white space around data neither.
    let mut pair = open();
    pair.send(&format!(
        "<authenticate xmlns='{SASL2}' mechanism='PLAIN'><x xmlns='urn:other'><bind xmlns='{BIND2}'/></x>\
         <initial-response>\n  AGFubgBwZW5jaWw=\n</initial-response><user-agent/></authenticate>"
    ));
    assert_eq!(names(&pair.entered().0), ["authorization-identifier"]);
}

#[test]
fn taken_back_and_out_of_order() {
    let (first, _) = ScramClient::start(
        Hash::Sha256,
        "ann",
        None,
        ClientBinding::Unsupported,
        &nonce(),
    );
    let mut pair = open();
    pair.send(&authenticate("SCRAM-SHA-256", Some(&first), ""))
        .challenge2();
    pair.send(&format!(
        "<abort xmlns='{SASL2}'><text>Later</text></abort>"
    ));
    assert_eq!(pair.failure2(), "aborted");
    assert_eq!(pair.attempts, [AttemptOutcome::Abandoned]);
    pair.send(&response(b"late"));
    assert_eq!(pair.failure2(), "malformed-request");
    pair.send(&plain(""));
    pair.entered();

    // While it is under way nothing else may come, be it another beginning.
    let auth = format!("<auth xmlns='{SASL}' mechanism='PLAIN'/>");
    let abort = format!("<abort xmlns='{SASL}'/>");
    for other in [&plain(""), &auth, &abort, START_TLS, "<presence/>"] {
        let mut pair = open();
        pair.send(&authenticate("SCRAM-SHA-256", Some(&first), ""))
            .challenge2();
        assert_eq!(pair.send(other).error().0, "policy-violation", "{other}");
        assert_eq!(pair.attempts, [AttemptOutcome::Abandoned]);
    }
    // After it there is no second one.
    for other in [&plain(""), &auth, &response(b"x")] {
        let mut pair = open();
        pair.send(&plain("")).entered();
        assert_eq!(
            pair.send(other).error().0,
            "unsupported-stanza-type",
            "{other}"
        );
    }
    // An exchange of the older profile takes no answer of this one.
    let mut pair = open();
    pair.auth("SCRAM-SHA-256", Some(&first)).challenge();
    pair.send(&response(b"x"));
    assert_eq!(pair.failure2(), "malformed-request");
    assert_eq!(pair.attempts, [AttemptOutcome::Abandoned]);
}

#[test]
fn the_identity_is_that_of_the_header() {
    let mut pair = open_as("bob@office.example");
    pair.send(&plain("<bind xmlns='urn:xmpp:bind:0'/>"));
    assert_eq!(pair.failure2(), "invalid-authzid");
    assert_eq!(
        pair.attempts,
        [AttemptOutcome::Succeeded],
        "the password was right"
    );
    assert!(pair.session.account().is_none());
    // Who has not proven anything learns nothing.
    let wrong = plain_message(None, "ann", "pen");
    pair.send(&authenticate("PLAIN", Some(&wrong), ""));
    assert_eq!(pair.failure2(), "not-authorized");

    let other = plain_message(Some("bob@office.example"), "ann", "pencil");
    let mut pair = open();
    pair.send(&authenticate("PLAIN", Some(&other), ""));
    assert_eq!(pair.failure2(), "invalid-authzid");
    let own = plain_message(Some("Ann@Office.Example"), "ann", "pencil");
    let mut pair = open_as("ann@office.example/desk");
    pair.send(&authenticate("PLAIN", Some(&own), ""));
    assert_eq!(identifier(&pair.entered().0), "ann@office.example");

    // Of another domain nobody can log in here.
    let mut pair = Pair::direct();
    pair.send(&OPEN.replace("to=", "from='ann@elsewhere.example' to="));
    assert_eq!(pair.error_in_header(), "invalid-from");
}

#[test]
fn what_the_outside_refuses() {
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
        let mut pair = open();
        pair.answers = answers;
        pair.send(&plain(""));
        assert_eq!(pair.failure2(), condition);
        assert_eq!(pair.attempts, Vec::from_iter(outcome));
    }
}

#[test]
fn limits_before_and_after() {
    let mut pair = open();
    pair.send(&authenticate("PLAIN", None, &"x".repeat(8192)));
    assert_eq!(pair.error().0, "policy-violation");
    // After the login they are those of a member, without a new stream.
    let mut pair = open();
    pair.send(&plain("")).entered();
    let iq =
        |inside: &str| format!("<iq type='set' id='b1'><bind xmlns='{BIND}'>{inside}</bind></iq>");
    pair.send(&iq(&"<x/>".repeat(4000)));
    assert_eq!(pair.element().attribute("type").as_deref(), Some("error"));
    // It has to get on.
    let mut pair = open();
    pair.send(&plain("")).entered();
    pair.wait(Duration::from_secs(29));
    assert!(!pair.closed);
    assert_eq!(
        pair.wait(Duration::from_secs(1)).error().0,
        "policy-violation"
    );
}

#[test]
fn a_client_that_does_not_wait_is_served() {
    let mut pair = Pair::direct();
    pair.send(&format!("{OPEN}{}{}<presence/>", plain(""), bind("desk")));
    let said = pair.said();
    let told: Vec<_> = said
        .iter()
        .map(|token| match token {
            Token::Element(element) => element.name().to_owned(),
            _ => "open".to_owned(),
        })
        .collect();
    assert_eq!(told, ["open", "features", "success", "features", "iq"]);
    assert!(matches!(pair.actions.last(), Some(Action::Available(_))));
}
