//! RFC 6120 §8.2.3, §10; RFC 6121 §8.5; XEP-0012, 0092, 0199, 0202, RFC 3921 §3.

use presence::delivery::IqKind;

use super::common::{element, fresh};
use crate::action::Action;
use crate::print::Condition;

const PING: &str = "<ping xmlns='urn:xmpp:ping'/>";

#[test]
fn the_type_must_be_one_of_four_and_an_id_be_there() {
    for iq in [
        "<iq id='1'>",
        "<iq id='1' type='put'>",
        "<iq id='1' type='Get'>",
        "<iq id='1' type=''>",
    ] {
        fresh(&format!("{iq}{PING}</iq>")).error(Condition::BadRequest, Some("1"), None);
    }
    fresh(&format!("<iq type='get' to='example.com'>{PING}</iq>")).error(
        Condition::BadRequest,
        Some(""),
        Some("example.com"),
    );
}

#[test]
fn a_request_has_exactly_one_child() {
    for to in ["", "to='example.com'", "to='romeo@example.com/orchard'"] {
        for content in ["", "text", "<a xmlns='b'/><c xmlns='d'/>"] {
            let out = fresh(&format!("<iq id='1' type='get' {to}>{content}</iq>"));
            assert_eq!(out.replies.len(), 1, "{to} {content}");
            assert!(out.actions.is_empty());
        }
    }
    fresh("<iq id='1' type='set'/>").error(Condition::BadRequest, Some("1"), None);
    fresh(
        "<iq id='1' type='result' to='romeo@example.com/orchard'><a xmlns='b'/><a xmlns='b'/></iq>",
    )
    .nothing();
}

#[test]
fn what_nobody_understands_is_unavailable() {
    for (to, from) in [
        ("", None),
        ("to='juliet@example.com'", Some("juliet@example.com")),
        ("to='example.com'", Some("example.com")),
        ("to='romeo@example.com'", Some("romeo@example.com")),
        ("to='example.com/echo'", Some("example.com/echo")),
    ] {
        for kind in ["get", "set"] {
            for payload in [
                "<q xmlns='urn:nobody'/>",
                "<vCard xmlns='vcard-unknown'/>",
                "<wrong xmlns='jabber:iq:roster'/>",
            ] {
                fresh(&format!("<iq id='q' type='{kind}' {to}>{payload}</iq>")).error(
                    Condition::ServiceUnavailable,
                    Some("q"),
                    from,
                );
            }
        }
    }
}

#[test]
fn a_known_namespace_with_the_other_verb_is_unavailable() {
    fresh(&format!("<iq id='1' type='set'>{PING}</iq>")).error(
        Condition::ServiceUnavailable,
        Some("1"),
        None,
    );
    fresh("<iq id='1' type='set' to='example.com'><query xmlns='jabber:iq:version'/></iq>").error(
        Condition::ServiceUnavailable,
        Some("1"),
        Some("example.com"),
    );
}

#[test]
fn requests_to_sessions_are_passed_on() {
    for to in [
        "romeo@example.org/orchard",
        "juliet@example.com/chamber",
        "juliet@example.com/balcony",
    ] {
        for (word, kind) in [("get", IqKind::Get), ("set", IqKind::Set)] {
            match fresh(&format!(
                "<iq id='x1' type='{word}' to='{to}'><q xmlns='urn:q' a='&amp;'>t</q></iq>"
            ))
            .action()
            {
                Action::Iq {
                    to: found,
                    kind: k,
                    stanza,
                    iq,
                } => {
                    assert_eq!(found.to_string(), to);
                    assert_eq!(k, kind);
                    assert_eq!((&*iq.id, iq.to), ("x1", Some(found)));
                    let stanza = element(std::str::from_utf8(&stanza).unwrap());
                    assert_eq!(
                        stanza.attribute("from").as_deref(),
                        Some("juliet@example.com/balcony")
                    );
                    assert_eq!(stanza.attribute("to").as_deref(), Some(to));
                    assert_eq!(&*stanza.inner(), b"<q xmlns='urn:q' a='&amp;'>t</q>");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn answers_go_to_sessions_and_nowhere_else() {
    for (iq, kind) in [
        (
            "<iq id='r' type='result' to='romeo@example.com/orchard'/>",
            IqKind::Result,
        ),
        (
            "<iq id='r' type='error' to='romeo@example.com/orchard'><q xmlns='urn:q'/><error type='cancel'/></iq>",
            IqKind::Error,
        ),
    ] {
        match fresh(iq).action() {
            Action::Iq { kind: found, .. } => assert_eq!(found, kind),
            other => panic!("{other:?}"),
        }
    }
    for to in [
        "",
        "to='example.com'",
        "to='juliet@example.com'",
        "to='romeo@example.com'",
    ] {
        fresh(&format!("<iq id='push-7' type='result' {to}/>")).nothing();
        fresh(&format!(
            "<iq id='ping-1' type='error' {to}><error type='cancel'/></iq>"
        ))
        .nothing();
    }
}

#[test]
fn pings_are_answered() {
    for (to, from) in [
        ("", None),
        ("to='example.com'", Some("example.com")),
        ("to='juliet@example.com'", Some("juliet@example.com")),
    ] {
        let reply = fresh(&format!("<iq id='p' type='get' {to}>{PING}</iq>")).reply();
        assert_eq!(
            (reply.attr("type"), reply.attr("id"), reply.attr("from")),
            (Some("result"), Some("p"), from)
        );
        assert_eq!(reply.attr("to"), Some("juliet@example.com/balcony"));
        assert_eq!(reply.children().count(), 0);
    }
    fresh(&format!(
        "<iq id='p' type='get' to='romeo@example.com'>{PING}</iq>"
    ))
    .error(
        Condition::ServiceUnavailable,
        Some("p"),
        Some("romeo@example.com"),
    );
}

#[test]
fn the_server_tells_its_version_time_and_uptime() {
    let ask = |payload: &str| {
        fresh(&format!(
            "<iq id='1' type='get' to='example.com'>{payload}</iq>"
        ))
        .reply()
    };
    let reply = ask("<query xmlns='jabber:iq:version'/>");
    let query = reply.get_child("query", "jabber:iq:version").unwrap();
    let said: Vec<_> = query
        .children()
        .map(|c| (c.name().to_owned(), c.text()))
        .collect();
    assert_eq!(
        said,
        [
            ("name".to_owned(), "Adsum".to_owned()),
            ("version".to_owned(), "0.1 <beta>".to_owned())
        ]
    );

    let reply = ask("<time xmlns='urn:xmpp:time'/>");
    let time = reply.get_child("time", "urn:xmpp:time").unwrap();
    let said: Vec<_> = time
        .children()
        .map(|c| (c.name().to_owned(), c.text()))
        .collect();
    assert_eq!(
        said,
        [
            ("tzo".to_owned(), "+00:00".to_owned()),
            ("utc".to_owned(), "2023-11-14T22:13:20Z".to_owned())
        ]
    );

    let reply = ask("<query xmlns='jabber:iq:last'/>");
    let last = reply.get_child("query", "jabber:iq:last").unwrap();
    assert_eq!(
        (last.attr("seconds"), last.text()),
        (Some("90"), String::new())
    );
}

#[test]
fn last_activity_of_accounts_is_asked_outside() {
    for (to, account) in [
        ("", "juliet@example.com"),
        ("to='romeo@example.com'", "romeo@example.com"),
    ] {
        match fresh(&format!(
            "<iq id='1' type='get' {to}><query xmlns='jabber:iq:last'/></iq>"
        ))
        .action()
        {
            Action::LastActivity { iq, account: found } => {
                assert_eq!(found.as_str(), account);
                assert_eq!(iq.from.to_string(), "juliet@example.com/balcony");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn sessions_of_rfc_3921_are_always_there() {
    for to in ["", "to='example.com'"] {
        let reply = fresh(&format!(
            "<iq id='s' type='set' {to}><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"
        ))
        .reply();
        assert_eq!(reply.attr("type"), Some("result"));
    }
}
