//! RFC 6121 §3 and §4.

use presence::subscription::Kind;
use presence::{Note, Priority, Show, Utc};

use super::common::{Outcome, fresh, juliet, send};
use crate::action::{Action, Presented};
use crate::print::Condition;

fn available(outcome: Outcome) -> Presented {
    match outcome.action() {
        Action::Available(presented) => presented,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_comes_and_goes() {
    let mut client = juliet();
    assert!(!client.is_available());
    let first = available(send(&mut client, "<presence/>"));
    assert_eq!(first.document, presence::Document::default());
    assert_eq!(
        (&*first.content, first.lang.as_deref()),
        (&b""[..], Some("en"))
    );
    assert!(client.is_available());
    let gone = send(
        &mut client,
        "<presence type='unavailable'><status>bye</status></presence>",
    );
    match gone.action() {
        Action::Unavailable(p) => assert_eq!(&*p.content, b"<status>bye</status>"),
        other => panic!("{other:?}"),
    }
    assert!(!client.is_available());
}

#[test]
fn a_presence_is_read_and_kept_as_written() {
    let content = "<show>dnd</show><status>Wooing</status><status xml:lang='cs'>Dvo\u{159}\u{ed}m se</status><status>again</status><status xml:lang='cs'>x</status><priority> -5 </priority><idle xmlns='urn:xmpp:idle:1' since='2023-11-14T22:13:20Z'/><delay xmlns='urn:xmpp:delay' stamp='2023-11-14T22:13:21Z'/><c xmlns='http://jabber.org/protocol/caps'/>";
    let p = available(fresh(&format!(
        "<presence xml:lang='en-GB'>{content}</presence>"
    )));
    assert_eq!(&*p.content, content.as_bytes());
    assert_eq!(p.lang.as_deref(), Some("en-GB"));
    assert_eq!(p.document.show, Some(Show::Dnd));
    assert_eq!(p.document.priority, Some(Priority(-5)));
    assert_eq!(p.document.idle_since, Some(Utc(1_700_000_000_000)));
    assert_eq!(p.document.timestamp, Some(Utc(1_700_000_001_000)));
    let note = |lang: &str, text: &str| Note {
        lang: Some(lang.to_owned()),
        text: text.to_owned(),
    };
    assert_eq!(
        p.document.notes,
        [note("en-GB", "Wooing"), note("cs", "Dvo\u{159}\u{ed}m se")]
    );
}

#[test]
fn every_show_and_the_ends_of_priority() {
    for (word, show) in [
        ("away", Show::Away),
        ("chat", Show::Chat),
        ("dnd", Show::Dnd),
        ("xa", Show::Xa),
    ] {
        let p = available(fresh(&format!("<presence><show>{word}</show></presence>")));
        assert_eq!(p.document.show, Some(show));
    }
    for number in [-128, 0, 127] {
        let p = available(fresh(&format!(
            "<presence><priority>{number}</priority></presence>"
        )));
        assert_eq!(p.document.priority, Some(Priority(number)));
    }
    let p = available(fresh("<presence><show/><priority/></presence>"));
    assert_eq!((p.document.show, p.document.priority), (None, None));
}

#[test]
fn what_the_schema_forbids_is_refused() {
    for content in [
        "<show>online</show>",
        "<show>DND</show>",
        "<show>away</show><show>dnd</show>",
        "<priority>128</priority>",
        "<priority>-129</priority>",
        "<priority>high</priority>",
        "<priority>1</priority><priority>1</priority>",
    ] {
        let mut client = juliet();
        send(
            &mut client,
            &format!("<presence id='p'>{content}</presence>"),
        )
        .error(Condition::BadRequest, Some("p"), None);
        assert!(!client.is_available(), "{content}");
    }
}

#[test]
fn directed_presence_changes_nothing_for_all() {
    let mut client = juliet();
    for (type_, is_available) in [("", true), ("type='unavailable'", false)] {
        for to in [
            "romeo@example.com",
            "romeo@example.org/orchard",
            "juliet@example.com/chamber",
        ] {
            match send(
                &mut client,
                &format!("<presence {type_} to='{to}'><show>xa</show></presence>"),
            )
            .action()
            {
                Action::Directed {
                    to: found,
                    presented,
                    available,
                } => {
                    assert_eq!(found.to_string(), to);
                    assert_eq!(available, is_available);
                    assert_eq!(&*presented.content, b"<show>xa</show>");
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(!client.is_available());
}

#[test]
fn presence_for_the_server_means_nothing() {
    fresh("<presence to='example.com'/>").nothing();
    fresh("<presence to='example.com' type='unavailable'/>").nothing();
    fresh("<presence to='example.org/x' type='probe'/>").nothing();
    fresh("<presence id='s' to='example.com' type='subscribe'/>").error(
        Condition::ServiceUnavailable,
        Some("s"),
        Some("example.com"),
    );
}

#[test]
fn subscriptions_are_between_accounts() {
    for kind in Kind::ALL {
        let text = format!(
            "<presence id='s1' type='{}' to='romeo@example.com/orchard'><status>Hi</status></presence>",
            kind.as_str()
        );
        match fresh(&text).action() {
            Action::Subscription {
                kind: found,
                contact,
                content,
                id,
            } => {
                assert_eq!(found, kind);
                assert_eq!(contact.as_str(), "romeo@example.com");
                let kept = xml::Element::stored(content, "jabber:client").unwrap();
                assert_eq!(kept.attribute("id").as_deref(), Some("s1"));
                assert_eq!(kept.lang().as_deref(), Some("en"));
                assert_eq!(&*kept.inner(), b"<status>Hi</status>");
                assert_eq!(id.as_deref(), Some("s1"));
            }
            other => panic!("{other:?}"),
        }
        let kind = kind.as_str();
        fresh(&format!("<presence id='s' type='{kind}'/>")).error(
            Condition::BadRequest,
            Some("s"),
            None,
        );
        fresh(&format!(
            "<presence id='s' type='{kind}' to='juliet@example.com'/>"
        ))
        .error(Condition::NotAllowed, Some("s"), Some("juliet@example.com"));
    }
}

#[test]
fn probes_and_errors_to_sessions_are_passed_on() {
    match fresh("<presence type='probe' to='romeo@example.com'/>").action() {
        Action::Probe { contact } => assert_eq!(contact.to_string(), "romeo@example.com"),
        other => panic!("{other:?}"),
    }
    fresh("<presence id='p' type='probe'/>").error(Condition::BadRequest, Some("p"), None);
    let error = |to: &str| {
        fresh(&format!(
            "<presence type='error' to='{to}'><error type='cancel'/></presence>"
        ))
    };
    match error("romeo@example.com/orchard").action() {
        Action::Iq { to, stanza, .. } => {
            assert_eq!(to.to_string(), "romeo@example.com/orchard");
            assert!(stanza.starts_with(b"<presence from='juliet@example.com/balcony'"));
        }
        other => panic!("{other:?}"),
    }
    error("romeo@example.com").nothing();
}

#[test]
fn unknown_types_are_refused() {
    for type_ in ["available", "invisible", "", "Subscribe"] {
        fresh(&format!("<presence id='p' type='{type_}'/>")).error(
            Condition::BadRequest,
            Some("p"),
            None,
        );
    }
}

#[test]
fn content_that_leans_on_its_stanza_stands_alone() {
    for (text, name, namespace) in [
        (
            "<presence xmlns:c='urn:c'><c:x c:a='1'>&lt;</c:x></presence>",
            "x",
            "urn:c",
        ),
        (
            "<c:presence xmlns:c='jabber:client' xmlns='urn:d'><x/></c:presence>",
            "x",
            "urn:d",
        ),
        (
            "<c:presence xmlns:c='jabber:client'><c:show>xa</c:show></c:presence>",
            "show",
            "jabber:client",
        ),
        (
            "<presence xmlns='jabber:client'><show>xa</show></presence>",
            "show",
            "jabber:client",
        ),
    ] {
        let content = available(fresh(text)).content;
        let trees = super::common::stanzas(&content);
        assert_eq!(trees.len(), 1, "{text}");
        assert_eq!(
            (trees[0].name(), &*trees[0].ns()),
            (name, namespace),
            "{text}"
        );
    }
}

#[test]
fn a_request_keeps_its_language() {
    let content = |text: &str| match fresh(text).action() {
        Action::Subscription { content, .. } => String::from_utf8(content.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    };
    let stanza = |lang: &str, status: &str| {
        content(&format!(
            "<presence {lang} type='subscribe' to='romeo@example.com'>{status}<nick xmlns='n'>J</nick></presence>"
        ))
    };
    for (lang, said, status) in [
        ("xml:lang='fr'", "xml:lang='fr'", "<status>Salut</status>"),
        (
            "",
            "xml:lang='en'",
            "<status>Hi</status><status xml:lang='de'>He</status>",
        ),
    ] {
        let kept = stanza(lang, status);
        assert!(
            kept.starts_with("<presence ") && kept.contains(said),
            "{kept}"
        );
        assert!(
            kept.ends_with(&format!("{status}<nick xmlns='n'>J</nick></presence>")),
            "{kept}"
        );
    }
}
