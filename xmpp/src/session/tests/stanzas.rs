//! What may come on a bound stream, and what ends it (RFC 6120 §4.8, §4.9.3, §8.1).

use super::*;

#[test]
fn elements_that_end_the_stream() {
    let cases = [
        ("<pubsub/>", "unsupported-stanza-type"),
        ("<foo xmlns='urn:foo'/>", "unsupported-stanza-type"),
        (
            "<message xmlns='urn:foo' to='bob@office.example'/>",
            "unsupported-stanza-type",
        ),
        ("<message xmlns=''/>", "unsupported-stanza-type"),
        ("<stream:features/>", "unsupported-stanza-type"),
        (START_TLS, "unsupported-stanza-type"),
        ("<message xmlns='jabber:server'/>", "invalid-namespace"),
        ("<message from='bob@office.example'/>", "invalid-from"),
        ("<message from='ann@office.example/sofa'/>", "invalid-from"),
        ("<message from=''/>", "invalid-from"),
        ("<message><body></message></body>", "not-well-formed"),
        ("<message><a:b/></message>", "not-well-formed"),
        ("<message a='1' a='2'/>", "not-well-formed"),
        ("<message>&bomb;</message>", "restricted-xml"),
        ("<message><!-- x --></message>", "restricted-xml"),
        ("<message><?php x ?></message>", "restricted-xml"),
        ("<!DOCTYPE a>", "restricted-xml"),
        ("</stream:flow>", "not-well-formed"),
        ("hello", "bad-format"),
    ];
    for (text, condition) in cases {
        let mut pair = Pair::bound();
        pair.send(text);
        assert!(pair.closed, "{text}");
        assert_eq!(pair.send("<presence/>").error().0, condition, "{text}");
        assert!(pair.actions.is_empty(), "{text}");
    }
}

#[test]
fn the_same_before_authentication() {
    let cases = [
        ("<foo xmlns='urn:foo'/>", "unsupported-stanza-type"),
        ("<pubsub/>", "unsupported-stanza-type"),
        ("<message xmlns='jabber:server'/>", "invalid-namespace"),
        ("<presence><!-- x --></presence>", "restricted-xml"),
        ("<presence></message>", "not-well-formed"),
    ];
    for (text, condition) in cases {
        let mut pair = Pair::direct();
        pair.send(OPEN).opening();
        assert_eq!(pair.send(text).error().0, condition, "{text}");
    }
}

/// A prefix for the content namespace is corrected before anything is passed on (§4.8.5).
#[test]
fn stanzas_with_a_prefix() {
    let mut pair = Pair::bound();
    pair.send("<c:message xmlns:c='jabber:client' to='bob@office.example'><c:body>Hi</c:body></c:message>");
    let Some(Action::Message { message, .. }) = pair.actions.pop() else {
        panic!("no message")
    };
    assert!(
        matches!(&message.native, presence::MessageNative::Xmpp(stanza)
        if stanza.starts_with(b"<message") && !stanza.windows(2).any(|two| two == b"c:"))
    );
}

#[test]
fn not_utf_8() {
    let mut pair = Pair::bound();
    pair.send_octets(b"<message><body>\xff</body></message>");
    assert_eq!(pair.error().0, "unsupported-encoding");
}

#[test]
fn senders_that_are_this_one() {
    for from in [
        "ann@office.example",
        "ann@office.example/desk",
        "ANN@Office.Example/desk",
    ] {
        let mut pair = Pair::bound();
        pair.send(&format!("<presence from='{from}'/>"));
        assert!(!pair.closed);
        assert_eq!(pair.actions.len(), 1);
    }
}

#[test]
fn an_error_of_the_peers_ends_the_stream() {
    let error = format!("<stream:error><reset xmlns='{STREAM_ERRORS}'/></stream:error>");
    for mut pair in [Pair::bound(), Pair::direct().logged_in(), {
        let mut pair = Pair::plain();
        pair.send(OPEN).opening();
        pair
    }] {
        let said = pair.send(&error).said();
        assert!(matches!(said.as_slice(), [Token::Close]), "{said:?}");
        assert!(pair.closed);
    }
}

#[test]
fn iq_without_id_or_with_a_wrong_type() {
    for text in [
        "<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq type='subscribe' id='x'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq id='x'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq type='get' id='x'/>",
    ] {
        let mut pair = Pair::bound();
        let answer = pair.send(text).element();
        assert_eq!(answer.attribute("type").as_deref(), Some("error"), "{text}");
        assert_eq!(
            names(&child(&answer, "error")).first().unwrap(),
            "bad-request"
        );
    }
}

#[test]
fn the_server_ends_the_stream() {
    for &condition in StreamCondition::ALL {
        for mut pair in [Pair::plain(), Pair::direct().logged_in(), Pair::bound()] {
            pair.session.end(condition, Some("Because <of> & that"));
            pair.drain();
            assert_eq!(pair.error().0, condition.name());
            pair.send(OPEN).send("<presence/>").hang_up();
            pair.session.end(condition, None);
            pair.drain();
            assert!(pair.said().is_empty());
        }
    }
}

#[test]
fn another_host_is_named_in_its_condition() {
    let mut pair = Pair::bound();
    pair.session
        .end(StreamCondition::SeeOtherHost, Some("[2001:db8::1]:9222"));
    pair.drain();
    let said = pair.said();
    let [Token::Element(error), Token::Close] = said.as_slice() else {
        panic!("{said:?}")
    };
    assert_eq!(names(error), ["see-other-host"]);
    assert_eq!(child(error, "see-other-host").text(), "[2001:db8::1]:9222");
}

#[test]
fn a_closing_tag_is_answered_and_nothing_after_it_is_taken() {
    let mut pair = Pair::bound();
    pair.send("<presence/></stream:stream><message to='bob@office.example'/>");
    assert!(matches!(pair.said().as_slice(), [Token::Close]));
    assert_eq!(pair.actions.len(), 1);
    pair.send("<presence/>");
    assert_eq!(pair.actions.len(), 1);
}

#[test]
fn a_connection_that_ends_without_a_word_ends_well() {
    let mut pair = Pair::bound();
    assert!(matches!(pair.hang_up().said().as_slice(), [Token::Close]));
    let mut pair = Pair::plain();
    assert!(matches!(
        pair.hang_up().said().as_slice(),
        [Token::Open(_), Token::Close]
    ));
}

#[test]
fn answers_and_actions_keep_their_order() {
    let mut pair = Pair::bound();
    let ping = "<iq type='get' id='p' to='office.example'><ping xmlns='urn:xmpp:ping'/></iq>";
    pair.session
        .handle_bytes(pair.now, format!("{ping}<presence/>{ping}").as_bytes());
    assert!(matches!(pair.session.poll_output(), Some(Output::Send(_))));
    assert!(matches!(
        pair.session.poll_output(),
        Some(Output::Act(Action::Available(_)))
    ));
    assert!(matches!(pair.session.poll_output(), Some(Output::Send(_))));
    assert!(pair.session.poll_output().is_none());
}
