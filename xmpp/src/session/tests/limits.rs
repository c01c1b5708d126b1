//! Limits of size, depth, number and time, before authentication and after it; pings.

use super::*;

fn nested(depth: usize) -> String {
    format!(
        "<message>{}{}</message>",
        "<a>".repeat(depth - 1),
        "</a>".repeat(depth - 1)
    )
}

/// XEP-0478: what is told is what is enforced.
#[test]
fn limits_are_told() {
    let told = |features: &Element| {
        let limits = child(features, "limits");
        assert_eq!(limits.namespace(), "urn:xmpp:stream-limits:0");
        let values = limits.children().map(|limit| {
            let value = limit.text().parse::<usize>().unwrap();
            (limit.name().to_owned(), value)
        });
        values.collect::<Vec<_>>()
    };
    let bytes = |count| ("max-bytes".to_owned(), count);
    let idle = |count| ("idle-seconds".to_owned(), count);

    let mut pair = Pair::direct();
    let (_, features) = pair.send(OPEN).opening();
    assert_eq!(told(&features), [bytes(4096)]);
    let empty = format!("<auth xmlns='{SASL}' mechanism='X'></auth>");
    let auth = |size: usize| {
        let data = "A".repeat(size - empty.len());
        format!("<auth xmlns='{SASL}' mechanism='X'>{data}</auth>")
    };
    assert_eq!(pair.send(&auth(4096)).failure(), "invalid-mechanism");
    pair.plain_login("pencil").said();
    let (_, features) = pair.send(OPEN).opening();
    assert_eq!(told(&features), [bytes(256 * 1024), idle(60)]);

    let mut settings = settings();
    (settings.stanza_size, settings.ping_after) = (10_000, Duration::ZERO);
    let mut pair = Pair::new(settings, Some(secured()));
    pair.send(OPEN).opening();
    pair.plain_login("pencil").said();
    let (_, features) = pair.send(OPEN).opening();
    assert_eq!(told(&features), [bytes(10_000)]);
    pair.send(&bind("desk")).said();
    let body = |size: usize| format!("<presence><status>{}</status></presence>", "x".repeat(size));
    let around = body(0).len();
    pair.send(&body(10_000 - around));
    assert!(!pair.closed);
    assert_eq!(
        pair.send(&body(10_001 - around)).error().0,
        "policy-violation"
    );
}

#[test]
fn octets_before_authentication() {
    let mut pair = Pair::direct();
    pair.send(&" ".repeat(8192));
    pair.send(" ");
    assert_eq!(pair.error_in_header(), "policy-violation");

    let mut pair = Pair::direct();
    pair.send(OPEN).opening();
    pair.send(&" ".repeat(8192 - OPEN.len()));
    assert!(!pair.closed);
    assert_eq!(pair.send(" ").error().0, "policy-violation");

    // A stream counts from its header on.
    let mut pair = Pair::plain();
    pair.send(OPEN).opening();
    pair.send(&" ".repeat(7000)).send(START_TLS).said();
    pair.finish_handshake().send(OPEN).opening();
    pair.send(&" ".repeat(7000));
    assert_eq!(pair.plain_login("pencil").element().name(), "success");
    pair.send(OPEN).opening();
    pair.send(&" ".repeat(20_000));
    assert!(!pair.closed);

    let mut pair = Pair::direct();
    pair.send(OPEN).opening();
    pair.send(&format!(
        "<auth xmlns='{SASL}' mechanism='PLAIN'>{}",
        "A".repeat(9000)
    ));
    assert_eq!(pair.error().0, "policy-violation");
}

#[test]
fn elements_before_authentication() {
    let mut settings = settings();
    settings.unauthenticated_elements = 3;
    let mut pair = Pair::new(settings.clone(), Some(secured()));
    pair.send(OPEN).opening();
    for _ in 0..3 {
        pair.auth("PLAIN", None).challenge();
    }
    assert_eq!(pair.auth("PLAIN", None).error().0, "policy-violation");

    let mut pair = Pair::new(settings, Some(secured()));
    pair.send(OPEN).opening();
    pair.send(&format!("<auth xmlns='{SASL}'>{}", "<a/>".repeat(4)));
    assert_eq!(pair.error().0, "policy-violation");
}

#[test]
fn depth() {
    let mut settings = settings();
    settings.unauthenticated_elements = 1000;
    let mut pair = Pair::new(settings, Some(secured()));
    pair.send(OPEN).opening();
    assert_eq!(pair.send(&nested(65)).error().0, "policy-violation");

    let mut pair = Pair::bound();
    pair.send(&nested(64));
    assert!(!pair.closed);
    assert_eq!(pair.send(&nested(65)).error().0, "policy-violation");
}

#[test]
fn size_after_binding() {
    let mut settings = settings();
    settings.stanza_size = 10_000;
    let message = |size: usize| {
        let (head, tail) = (
            "<message to='bob@office.example'><body>",
            "</body></message>",
        );
        format!("{head}{}{tail}", "x".repeat(size - head.len() - tail.len()))
    };
    let mut pair = Pair::bound_with(settings);
    pair.send(&message(10_000)).send(&message(10_000));
    assert!(!pair.closed);
    assert_eq!(pair.actions.len(), 2);
    assert_eq!(pair.send(&message(10_001)).error().0, "policy-violation");
}

#[test]
fn what_waits_for_a_resource_is_bounded() {
    let mut settings = settings();
    settings.stanza_size = 10_000;
    let mut pair = Pair::new(settings, Some(secured())).logged_in();
    pair.answers = Answers::Never;
    pair.send(&bind("desk"));
    assert!(!pair.session.wants_bytes());
    pair.send(&" ".repeat(9000));
    assert!(!pair.closed);
    assert_eq!(pair.send(&" ".repeat(9000)).error().0, "policy-violation");
}

#[test]
fn a_hard_deadline_whatever_the_traffic() {
    for mut pair in [Pair::plain(), Pair::direct()] {
        assert_eq!(pair.session.poll_timeout(), Some(Timestamp(31_000)));
        for _ in 0..29 {
            pair.send(" ").wait(Duration::from_secs(1));
        }
        assert!(!pair.closed);
        assert_eq!(
            pair.wait(Duration::from_secs(1)).error_in_header(),
            "policy-violation"
        );
    }
    let mut pair = Pair::plain();
    pair.send(OPEN).opening();
    pair.wait(Duration::from_secs(20)).send(START_TLS).said();
    pair.finish_handshake().send(OPEN).opening();
    pair.wait(Duration::from_millis(9_999));
    assert!(!pair.closed);
    assert_eq!(
        pair.wait(Duration::from_millis(1)).error().0,
        "policy-violation"
    );
}

#[test]
fn binding_has_its_own_deadline() {
    let mut pair = Pair::direct();
    pair.wait(Duration::from_secs(29));
    let mut pair = pair.logged_in();
    pair.wait(Duration::from_secs(29));
    assert!(!pair.closed);
    assert_eq!(
        pair.wait(Duration::from_secs(1)).error().0,
        "policy-violation"
    );
}

#[test]
fn silence_is_asked_about() {
    let mut pair = Pair::bound();
    pair.wait(Duration::from_millis(59_999));
    assert!(pair.said().is_empty());
    let question = pair.wait(Duration::from_millis(1)).element();
    assert_eq!(question.attribute("type").as_deref(), Some("get"));
    assert_eq!(
        question.attribute("from").as_deref(),
        Some("office.example")
    );
    assert_eq!(
        question.attribute("to").as_deref(),
        Some("ann@office.example/desk")
    );
    assert_eq!(
        question.children().next().unwrap().namespace(),
        "urn:xmpp:ping"
    );
    let id = question.attribute("id").unwrap().into_owned();

    pair.wait(Duration::from_millis(29_999));
    pair.send(&format!(
        "<iq type='result' id='{id}' to='office.example'/>"
    ));
    assert!(pair.said().is_empty() && pair.actions.is_empty());
    pair.wait(Duration::from_millis(59_999));
    assert!(pair.said().is_empty());
    let again = pair.wait(Duration::from_millis(1)).element();
    assert_ne!(again.attribute("id").as_deref(), Some(id.as_str()));
    assert_eq!(
        pair.wait(Duration::from_secs(30)).error().0,
        "connection-timeout"
    );
}

#[test]
fn any_octet_is_a_sign_of_life() {
    for sign in [" ", "<presence", "\n"] {
        let mut pair = Pair::bound();
        pair.wait(Duration::from_secs(60)).element();
        pair.wait(Duration::from_secs(29)).send(sign);
        pair.wait(Duration::from_secs(59));
        assert!(pair.said().is_empty() && !pair.closed);
    }
}

#[test]
fn no_questions_where_none_are_wanted() {
    let mut settings = settings();
    settings.ping_after = Duration::ZERO;
    let mut pair = Pair::bound_with(settings);
    assert_eq!(pair.session.poll_timeout(), None);
    pair.wait(Duration::from_secs(1_000_000));
    assert!(pair.said().is_empty() && !pair.closed);
}
