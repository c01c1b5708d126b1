#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use bytes::Bytes;
use minidom::Element;
use presence::{Bare, Item, Label, MessageNative, SubscriptionState, Utc};

use super::*;

const CLIENT: &str = "jabber:client";

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn context(to: Option<&str>) -> IqContext {
    IqContext {
        id: Arc::from("i<1"),
        from: address("juliet@example.com/balcony"),
        to: to.map(address),
    }
}

fn read(bytes: &[u8]) -> Element {
    Element::from_reader_with_prefixes(bytes, CLIENT.to_owned()).unwrap()
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Element {
    let mut out = Vec::new();
    write(&mut out);
    read(&out)
}

fn contacts() -> Roster {
    let mut roster = Roster {
        version: 42,
        ..Roster::default()
    };
    let mut put = |item: Item| roster.items.insert(item);
    put(Item {
        label: Label::new(Some("R & <J>'s"), ["Friends", "\"&\""]),
        subscription: SubscriptionState::Both,
        ..Item::new(Bare::parse("romeo@example.net").unwrap())
    });
    put(Item {
        ask: true,
        ..Item::new(Bare::parse("paris@example.net").unwrap())
    });
    put(Item {
        subscription: SubscriptionState::From,
        ask: true,
        approved: true,
        ..Item::new(Bare::parse("nurse@example.com").unwrap())
    });
    let stranger = Bare::parse("tybalt@example.com").unwrap();
    roster.pending_in.insert(stranger, Bytes::new());
    roster
}

#[test]
fn a_roster_is_told_in_full() {
    for asked in [None, Some(""), Some("41"), Some("042")] {
        let reply = written(|out| roster(out, &context(None), asked, &contacts()));
        assert_eq!(reply.attr("type"), Some("result"));
        assert_eq!(reply.attr("id"), Some("i<1"));
        assert_eq!(reply.attr("to"), Some("juliet@example.com/balcony"));
        assert_eq!(reply.attr("from"), None);
        let query = reply.get_child("query", "jabber:iq:roster").unwrap();
        assert_eq!(query.attr("ver"), Some("42"));
        let items: Vec<_> = query
            .children()
            .map(|i| {
                (
                    i.attr("jid").unwrap(),
                    i.attr("name"),
                    i.attr("subscription").unwrap(),
                    i.attr("ask"),
                    i.attr("approved"),
                    i.children().map(Element::text).collect::<Vec<_>>(),
                )
            })
            .collect();
        let groups = vec!["Friends".to_owned(), "\"&\"".to_owned()];
        assert_eq!(
            items,
            [
                (
                    "nurse@example.com",
                    None,
                    "from",
                    Some("subscribe"),
                    Some("true"),
                    vec![]
                ),
                (
                    "paris@example.net",
                    None,
                    "none",
                    Some("subscribe"),
                    None,
                    vec![]
                ),
                (
                    "romeo@example.net",
                    Some("R & <J>'s"),
                    "both",
                    None,
                    None,
                    groups
                ),
            ]
        );
    }
}

#[test]
fn a_known_version_gets_nothing_and_an_empty_roster_is_not_nothing() {
    let reply = written(|out| roster(out, &context(None), Some("42"), &contacts()));
    assert_eq!(
        (reply.attr("type"), reply.children().count()),
        (Some("result"), 0)
    );
    let reply = written(|out| {
        roster(
            out,
            &context(Some("juliet@example.com")),
            None,
            &Roster::default(),
        );
    });
    assert_eq!(reply.attr("from"), Some("juliet@example.com"));
    let query = reply.get_child("query", "jabber:iq:roster").unwrap();
    assert_eq!(
        (query.attr("ver"), query.children().count()),
        (Some("0"), 0)
    );
}

/// Every refusal, with what becomes of it for an IQ.
const REFUSALS: [(Refusal, &str, &str); 14] = [
    (Refusal::Malformed, "jid-malformed", "modify"),
    (Refusal::BadRequest("no <good>"), "bad-request", "modify"),
    (Refusal::NotFound, "item-not-found", "cancel"),
    (Refusal::Forbidden, "forbidden", "auth"),
    (Refusal::NotAllowed, "not-allowed", "cancel"),
    (Refusal::Disabled, "service-unavailable", "cancel"),
    (Refusal::Conflict, "conflict", "cancel"),
    (Refusal::Unavailable, "service-unavailable", "cancel"),
    (Refusal::TagUnknown, "item-not-found", "cancel"),
    (
        Refusal::Limit("roster_items"),
        "resource-constraint",
        "wait",
    ),
    (Refusal::Overloaded, "resource-constraint", "wait"),
    (Refusal::OutOfOrder, "unexpected-request", "wait"),
    (Refusal::ForeignDomain, "remote-server-not-found", "cancel"),
    (Refusal::Fault, "internal-server-error", "cancel"),
];

fn condition(stanza: &Element) -> (String, String) {
    assert_eq!(stanza.attr("type"), Some("error"));
    let error = stanza.get_child("error", CLIENT).unwrap();
    let condition = error.children().next().unwrap();
    assert_eq!(condition.ns(), "urn:ietf:params:xml:ns:xmpp-stanzas");
    (
        condition.name().to_owned(),
        error.attr("type").unwrap().to_owned(),
    )
}

#[test]
fn every_refusal_is_a_stanza_error() {
    for (refusal, name, kind) in &REFUSALS {
        let reply = written(|out| refused(out, &context(Some("romeo@example.net/o'x")), refusal));
        assert_eq!(condition(&reply), ((*name).to_owned(), (*kind).to_owned()));
        assert_eq!(reply.attr("from"), Some("romeo@example.net/o'x"));
        assert_eq!(reply.attr("id"), Some("i<1"));
        let session = address("juliet@example.com/balcony");
        let contact = address("romeo@example.net");
        let reply =
            written(|out| presence_refused(out, &session, Some(&contact), Some("p"), refusal));
        assert_eq!(reply.name(), "presence");
        assert_eq!(
            (reply.attr("from"), reply.attr("id")),
            (Some("romeo@example.net"), Some("p"))
        );
        assert_eq!(condition(&reply).0, *name);
    }
}

#[test]
fn texts_of_errors_name_their_language() {
    let reply = written(|out| refused(out, &context(None), &Refusal::BadRequest("no <good>")));
    let error = reply.get_child("error", CLIENT).unwrap();
    let text = error
        .get_child("text", "urn:ietf:params:xml:ns:xmpp-stanzas")
        .unwrap();
    assert_eq!(text.text(), "no <good>");
    assert_eq!(
        text.attr_ns("http://www.w3.org/XML/1998/namespace", "lang"),
        Some("en")
    );
}

fn message(kind: MessageKind) -> Message {
    Message {
        from: address("juliet@example.com/balcony"),
        to: address("romeo@example.net"),
        kind,
        id: None,
        thread: None,
        subjects: Vec::new(),
        bodies: Vec::new(),
        native: MessageNative::Xmpp(Bytes::from_static(b"<message/>")),
        received: Utc(0),
        archived: None,
    }
}

#[test]
fn a_refused_message_goes_back_but_never_an_error() {
    for (refusal, name, _) in &REFUSALS {
        let expected = match refusal {
            Refusal::Limit(_) | Refusal::NotFound => "service-unavailable",
            _ => name,
        };
        let reply = written(|out| message_refused(out, &message(MessageKind::Chat), refusal));
        assert_eq!(condition(&reply).0, expected);
        assert_eq!(reply.name(), "message");
        assert_eq!(reply.attr("id"), None);
        assert_eq!(reply.attr("from"), Some("romeo@example.net"));
        assert_eq!(reply.attr("to"), Some("juliet@example.com/balcony"));
        let mut out = Vec::new();
        message_refused(&mut out, &message(MessageKind::Error), refusal);
        assert!(out.is_empty());
    }
}

#[test]
fn last_activity_and_done() {
    let reply = written(|out| last_activity(out, &context(None), 903, Some("Heading <home>")));
    let query = reply.get_child("query", "jabber:iq:last").unwrap();
    assert_eq!(
        (query.attr("seconds"), &*query.text()),
        (Some("903"), "Heading <home>")
    );
    let reply = written(|out| done(out, &context(Some("juliet@example.com"))));
    assert_eq!(
        (reply.attr("type"), reply.attr("from")),
        (Some("result"), Some("juliet@example.com"))
    );
}
