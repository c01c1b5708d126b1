//! Stream headers: what is answered, and what is wrong with them (RFC 6120 §4.7, §4.8, §4.9.1).

use super::*;

fn header(attributes: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams' {attributes}>"
    )
}

#[test]
fn what_our_header_says() {
    let mut pair = Pair::direct();
    let text = header(
        "from='Ann@Office.Example/desk' to='OFFICE.example' version='1.0' id='x' xml:lang='de'",
    );
    let (open, _) = pair.send(&text).opening();
    assert_eq!(open.attribute("from"), Some("office.example"));
    assert_eq!(open.attribute("to"), Some("ann@office.example"));
    assert_eq!(open.attribute("version"), Some("1.0"));
    assert_eq!(open.lang(), Some("en"));
    assert!(open.attribute("id").unwrap().len() >= 22);
    assert_ne!(open.attribute("id"), Some("x"));

    let mut pair = Pair::direct();
    let (open, _) = pair
        .send(&header("to='office.example' version='1.7'"))
        .opening();
    assert_eq!(open.attribute("to"), None);
    assert_eq!(open.attribute("version"), Some("1.0"));
    assert!(
        pair.octets
            .starts_with(b"<?xml version='1.0'?><stream:stream ")
    );
}

#[test]
fn bad_headers() {
    let ours = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'";
    let rest = "to='office.example' version='1.0'";
    let good = format!("<stream:stream {ours} {rest}>");
    let cases = [
        (
            format!(
                "<stream:stream xmlns='jabber:client' xmlns:stream='http://wrong.example/' {rest}>"
            ),
            "invalid-namespace",
        ),
        (
            format!("<stream:stream xmlns='jabber:server' xmlns:stream='{STREAM}' {rest}>"),
            "invalid-namespace",
        ),
        (
            format!("<stream:stream xmlns:stream='{STREAM}' {rest}>"),
            "invalid-namespace",
        ),
        (
            format!("<s:stream xmlns='jabber:client' xmlns:s='{STREAM}' {rest}>"),
            "bad-namespace-prefix",
        ),
        (
            format!("<stream xmlns='{STREAM}' {rest}>"),
            "bad-namespace-prefix",
        ),
        (format!("<stream:flow {ours} {rest}>"), "bad-format"),
        (
            format!("<stream:stream {ours} to='office.example'>"),
            "unsupported-version",
        ),
        (
            format!("<stream:stream {ours} to='office.example' version='0.9'>"),
            "unsupported-version",
        ),
        (
            format!("<stream:stream {ours} to='office.example' version='one'>"),
            "unsupported-version",
        ),
        (
            format!("<stream:stream {ours} to='other.example' version='1.0'>"),
            "host-unknown",
        ),
        (
            format!("<stream:stream {ours} to='ann@office.example' version='1.0'>"),
            "host-unknown",
        ),
        (
            format!("<stream:stream {ours} to='' version='1.0'>"),
            "improper-addressing",
        ),
        (
            format!("<stream:stream {ours} from='' {rest}>"),
            "improper-addressing",
        ),
        (
            format!("<stream:stream {ours} from='@office.example' {rest}>"),
            "improper-addressing",
        ),
        (
            "<stream:stream to='office.example' version='1.0'>".to_owned(),
            "not-well-formed",
        ),
        ("hello".to_owned(), "not-well-formed"),
        ("<stream:stream <>".to_owned(), "not-well-formed"),
        ("GET / HTTP/1.1\r\n".to_owned(), "not-well-formed"),
        (
            format!("<?xml version='1.0' encoding='UTF-16'?>{good}"),
            "unsupported-encoding",
        ),
        (format!("<!DOCTYPE stream>{good}"), "restricted-xml"),
        (format!("<!-- hello -->{good}"), "restricted-xml"),
        (format!("<?php ?>{good}"), "restricted-xml"),
    ];
    for (text, condition) in cases {
        let mut pair = Pair::plain();
        pair.send(&text);
        assert!(pair.closed, "{text}");
        assert_eq!(pair.error_in_header(), condition, "{text}");
    }
}

#[test]
fn the_header_before_an_error_is_a_good_one() {
    let mut pair = Pair::plain();
    pair.send(&header(
        "from='ann@office.example' to='other.example' version='1.0'",
    ));
    let (_, said) = pair.error();
    let [Token::Open(open)] = said.as_slice() else {
        panic!("{said:?}")
    };
    assert_eq!(open.attribute("from"), Some("office.example"));
    assert_eq!(open.attribute("to"), Some("ann@office.example"));

    let mut pair = Pair::plain();
    pair.send(&header("to='office.example'"));
    let (_, said) = pair.error();
    let [Token::Open(open)] = said.as_slice() else {
        panic!("{said:?}")
    };
    assert_eq!(open.attribute("version"), None);
    assert!(open.attribute("id").is_some());
}

#[test]
fn a_higher_version_is_answered_with_ours() {
    for version in ["1.0", "01.00", "1.13", "2.0", "11.0"] {
        let mut pair = Pair::plain();
        let text = header(&format!("to='office.example' version='{version}'"));
        let (open, _) = pair.send(&text).opening();
        assert_eq!(open.attribute("version"), Some("1.0"), "{version}");
    }
}

#[test]
fn several_domains() {
    let domains = ["office.example", "lab.example"];
    let mut pair = Pair::new(settings_for(&domains), Some(secured()));
    let (open, _) = pair
        .send(&header("to='lab.example' version='1.0'"))
        .opening();
    assert_eq!(open.attribute("from"), Some("lab.example"));

    let mut pair = Pair::new(settings_for(&domains), None);
    pair.send(&header("version='1.0'"));
    assert_eq!(pair.error_in_header(), "improper-addressing");

    let mut pair = Pair::new(
        settings_for(&domains),
        Some(Secured {
            sni: Some("lab.example".to_owned()),
            ..secured()
        }),
    );
    let (open, _) = pair.send(&header("version='1.0'")).opening();
    assert_eq!(open.attribute("from"), Some("lab.example"));

    let mut pair = Pair::new(settings_for(&["lab.example"]), None);
    let (open, _) = pair.send(&header("version='1.0'")).opening();
    assert_eq!(open.attribute("from"), Some("lab.example"));
}

#[test]
fn the_account_belongs_to_the_domain_of_the_stream() {
    let domains = ["office.example", "lab.example"];
    let mut pair = Pair::new(settings_for(&domains), Some(secured()));
    pair.send(&header("to='lab.example' version='1.0'"))
        .opening();
    assert_eq!(pair.plain_login("pencil").failure(), "not-authorized");
    assert!(matches!(
        pair.actions.first(),
        Some(Action::Password { account, .. }) if account.as_str() == "ann@lab.example"
    ));
}

#[test]
fn another_domain_after_authentication() {
    let domains = ["office.example", "lab.example"];
    let mut pair = Pair::new(settings_for(&domains), Some(secured()));
    pair.send(OPEN).opening();
    assert_eq!(pair.plain_login("pencil").element().name(), "success");
    pair.send(&header("to='lab.example' version='1.0'"));
    assert_eq!(pair.error_in_header(), "not-authorized");
}

#[test]
fn a_protected_sender_must_be_who_logs_in() {
    let mut pair = Pair::direct();
    pair.send(&header(
        "from='bob@office.example' to='office.example' version='1.0'",
    ))
    .opening();
    assert_eq!(pair.plain_login("pencil").error().0, "invalid-from");
    assert_eq!(pair.attempts, [AttemptOutcome::Succeeded]);

    let mut pair = Pair::direct();
    pair.send(OPEN).opening();
    assert_eq!(pair.plain_login("pencil").element().name(), "success");
    pair.send(&header(
        "from='bob@office.example' to='office.example' version='1.0'",
    ));
    assert_eq!(pair.error_in_header(), "invalid-from");
}

#[test]
fn the_streams_after_tls_and_after_sasl_are_new_ones() {
    let mut ids = Vec::new();
    let mut pair = Pair::plain();
    for round in 0..3 {
        let (open, _) = pair.send(OPEN).opening();
        ids.push(open.attribute("id").unwrap().to_owned());
        match round {
            0 => {
                pair.send(START_TLS).said();
                pair.finish_handshake();
            }
            1 => drop(pair.plain_login("pencil").said()),
            _ => {}
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_new_stream_needs_a_new_header() {
    let mut pair = Pair::direct();
    pair.send(OPEN).opening();
    pair.plain_login("pencil").element();
    pair.send(BIND_ANY);
    assert_eq!(pair.error_in_header(), "invalid-namespace");
}

#[test]
fn the_language_of_the_header_is_that_of_the_stanzas() {
    let mut pair = Pair::bound();
    pair.send("<message to='bob@office.example' type='chat'><body>Hoi</body></message>");
    let Some(Action::Message { message, .. }) = pair.actions.pop() else {
        panic!("no message")
    };
    let text = format!("{message:?}");
    assert!(text.contains("de-CH"), "{text}");
}
