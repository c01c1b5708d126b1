//! STARTTLS (RFC 6120 §5).

use super::*;

/// The stream ends with `<failure/>` (§5.4.2.2).
fn fails(pair: &mut Pair) {
    let said = pair.said();
    let [Token::Element(failure), Token::Close] = said.as_slice() else {
        panic!("{said:?}")
    };
    assert_eq!(
        (failure.namespace(), failure.name()),
        ("urn:ietf:params:xml:ns:xmpp-tls", "failure")
    );
    assert!(pair.closed);
}

#[test]
fn what_comes_behind_it_in_the_clear_is_thrown_away() {
    let login = encode_payload(&plain_message(None, "eve", "pencil"));
    let injected = format!(
        "{START_TLS}{OPEN}<auth xmlns='{SASL}' mechanism='PLAIN'>{login}</auth>{OPEN}{BIND_ANY}"
    );
    let mut pair = Pair::plain();
    pair.send(OPEN).opening();
    assert_eq!(pair.send(&injected).element().name(), "proceed");
    pair.send(&injected);
    assert!(pair.said().is_empty());
    pair.finish_handshake();
    assert!(pair.said().is_empty() && pair.actions.is_empty());
    pair.send(OPEN).opening();
    assert_eq!(pair.plain_login("pencil").element().name(), "success");
    assert_eq!(pair.actions.len(), 2);
}

#[test]
fn what_was_said_in_the_clear_is_forgotten() {
    let mut pair = Pair::new(settings_for(&["office.example", "lab.example"]), None);
    pair.send(&OPEN.replace("to='office", "from='eve@office.example' to='lab"))
        .opening();
    pair.send(START_TLS).said();
    let (open, _) = pair.finish_handshake().send(OPEN).opening();
    assert_eq!(open.attribute("from"), Some("office.example"));
    assert_eq!(open.attribute("to"), None);
    assert_eq!(pair.plain_login("pencil").element().name(), "success");
}

#[test]
fn only_once_and_only_where_offered() {
    let mut pair = Pair::direct();
    pair.send(OPEN).opening();
    fails(pair.send(START_TLS));

    let mut pair = Pair::plain();
    pair.send(OPEN).opening();
    pair.send(START_TLS).said();
    pair.finish_handshake().send(OPEN).opening();
    fails(pair.send(START_TLS));

    let mut settings = settings();
    settings.require_tls = false;
    let mut pair = Pair::new(settings, None).logged_in();
    fails(pair.send(START_TLS));
}

#[test]
fn malformed() {
    for content in ["<required/>", "now"] {
        let mut pair = Pair::plain();
        pair.send(OPEN).opening();
        fails(pair.send(&format!(
            "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>{content}</starttls>"
        )));
    }
}

#[test]
fn an_exchange_that_goes_on_is_dropped() {
    let mut settings = settings();
    settings.require_tls = false;
    let mut pair = Pair::new(settings, None);
    pair.send(OPEN).opening();
    let (first, _) = ScramClient::start(
        Hash::Sha1,
        "ann",
        None,
        ClientBinding::Unsupported,
        &nonce(),
    );
    pair.auth("SCRAM-SHA-1", Some(&first)).challenge();
    assert_eq!(pair.send(START_TLS).element().name(), "proceed");
    assert_eq!(pair.attempts, [AttemptOutcome::Abandoned]);
    pair.finish_handshake().send(OPEN).opening();
    assert_eq!(pair.respond(b"x").failure(), "malformed-request");
}

#[test]
fn nothing_is_said_during_the_handshake() {
    let ends: [fn(&mut Pair); 3] = [
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
    ];
    for end in ends {
        let mut pair = Pair::plain();
        pair.send(OPEN).opening();
        pair.send(START_TLS).said();
        assert!(pair.in_handshake);
        end(&mut pair);
        assert!(pair.closed && pair.said().is_empty());
    }
}
