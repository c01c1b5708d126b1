//! Who sends, to whom, and what is no stanza.

use super::common::{fresh, juliet, try_send};
use crate::print::Condition;
use crate::stream::StreamCondition;

#[test]
fn a_sender_may_name_itself_in_every_spelling() {
    for from in [
        "juliet@example.com",
        "juliet@example.com/balcony",
        "Juliet@EXAMPLE.com/balcony",
    ] {
        let text =
            format!("<message from='{from}' to='romeo@example.com'><body>a</body></message>");
        try_send(&mut juliet(), &text).unwrap();
    }
}

#[test]
fn another_sender_ends_the_stream() {
    for from in [
        "romeo@example.com",
        "juliet@example.com/chamber",
        "example.com",
        "juliet@example.org",
        "",
        "@",
    ] {
        let text = format!("<message from='{from}' to='romeo@example.com'/>");
        let end = try_send(&mut juliet(), &text).unwrap_err();
        assert_eq!(end, StreamCondition::InvalidFrom, "{from}");
    }
}

#[test]
fn what_is_no_stanza_ends_the_stream() {
    for text in ["<massage/>", "<message xmlns='urn:other'/>", "<IQ/>"] {
        let end = try_send(&mut juliet(), text).unwrap_err();
        assert_eq!(end, StreamCondition::UnsupportedStanzaType, "{text}");
    }
}

#[test]
fn an_address_that_is_none_is_told() {
    for stanza in [
        "<message id='m' to='a@b@c@'/>",
        "<presence id='m' to='@example.com'/>",
        "<presence id='m' type='subscribe' to='romeo@'/>",
        "<iq id='m' type='get' to='romeo@example.com/'><ping xmlns='urn:xmpp:ping'/></iq>",
    ] {
        fresh(stanza).error(Condition::JidMalformed, Some("m"), None);
    }
}

#[test]
fn other_domains_are_not_reached() {
    for stanza in [
        "<message id='m' to='romeo@elsewhere.example'/>",
        "<presence id='m' to='romeo@elsewhere.example'/>",
        "<presence id='m' type='subscribe' to='romeo@elsewhere.example'/>",
        "<presence id='m' type='probe' to='romeo@elsewhere.example'/>",
        "<iq id='m' type='set' to='romeo@elsewhere.example'><a xmlns='b'/></iq>",
    ] {
        fresh(stanza).error(
            Condition::RemoteServerNotFound,
            Some("m"),
            Some("romeo@elsewhere.example"),
        );
    }
}

#[test]
fn errors_are_never_answered() {
    for to in [
        "",
        "to='a@b@'",
        "to='romeo@elsewhere.example'",
        "to='example.com'",
        "to='example.com/x'",
    ] {
        for kind in ["message", "presence", "iq"] {
            let out = fresh(&format!("<{kind} {to} id='e' type='error'/>"));
            assert!(out.replies.is_empty(), "{kind} {to}: {out:?}");
        }
        let out = fresh(&format!("<iq {to} id='e' type='result'/>"));
        out.nothing();
    }
}

#[test]
fn the_id_of_an_error_is_that_of_the_stanza() {
    fresh("<message to='@'/>").error(Condition::JidMalformed, None, None);
    fresh("<message id='' to='@'/>").error(Condition::JidMalformed, Some(""), None);
    fresh("<message id='&lt;&apos;&amp;' to='@'/>").error(
        Condition::JidMalformed,
        Some("<'&"),
        None,
    );
}
