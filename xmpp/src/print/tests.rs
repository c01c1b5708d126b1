#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use ::presence::subscription::Kind;
use ::presence::{
    Address, Bare, Item, Label, Message, MessageKind, MessageNative, Note, Resource,
    SubscriptionState, Utc,
};
use bytes::Bytes;
use minidom::Element;
use proptest::prelude::*;

use super::*;

const CLIENT: &str = "jabber:client";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

fn read(bytes: &[u8]) -> Element {
    Element::from_reader_with_prefixes(bytes, CLIENT.to_owned())
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(bytes)))
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Element {
    let mut out = Vec::new();
    write(&mut out);
    read(&out)
}

fn bare(text: &str) -> Bare {
    Bare::parse(text).unwrap()
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

#[test]
fn a_presence_is_printed_once_and_addressed_for_each() {
    let content = b"<show>dnd</show><x xmlns='u'/>";
    let from = address("juliet@example.com/sip-1a2b3c4d");
    let parts = PresenceParts::new(&from, Shown::Available, None, Some("en"), content);
    for to in ["romeo@example.net", "romeo@example.net/o'rchard & <co>"] {
        let stanza = written(|out| parts.write(out, to));
        assert_eq!(stanza.attr("from"), Some("juliet@example.com/sip-1a2b3c4d"));
        assert_eq!(stanza.attr("to"), Some(to));
        assert_eq!(stanza.attr("type"), None);
        assert_eq!(stanza.attr_ns(XML, "lang"), Some("en"));
        assert_eq!(stanza.get_child("show", CLIENT).unwrap().text(), "dnd");
        assert_eq!(stanza.children().count(), 2);
    }
}

#[test]
fn pushes_of_blocks() {
    let who = [address("romeo@example.net"), address("example.net/a&'b")];
    let stanza = written(|out| block_push(out, "p1", BlockPush::Blocked(&who)));
    assert_eq!(
        (stanza.attr("type"), stanza.attr("id")),
        (Some("set"), Some("p1"))
    );
    let block = stanza.get_child("block", "urn:xmpp:blocking").unwrap();
    let jids: Vec<_> = block.children().filter_map(|i| i.attr("jid")).collect();
    assert_eq!(jids, ["romeo@example.net", "example.net/a&'b"]);
    let stanza = written(|out| block_push(out, "p2", BlockPush::Unblocked(&[])));
    let unblock = stanza.get_child("unblock", "urn:xmpp:blocking").unwrap();
    assert_eq!(unblock.children().count(), 0);
}

#[test]
fn unavailable_presence_may_be_empty() {
    let parts = PresenceParts::new(
        &address("juliet@example.com/balcony"),
        Shown::Unavailable,
        None,
        None,
        b"",
    );
    let mut out = Vec::new();
    parts.write(&mut out, "romeo@example.net");
    let stanza = read(&out);
    assert_eq!(stanza.attr("type"), Some("unavailable"));
    assert_eq!(stanza.children().count(), 0);
    assert!(out.ends_with(b"/>"));
}

#[test]
fn subscriptions_keep_what_was_said() {
    for kind in Kind::ALL {
        let (from, to) = (bare("juliet@example.com"), bare("romeo@example.net"));
        let stanza = written(|out| {
            subscription(
                out,
                kind,
                &from,
                &to,
                &bytes::Bytes::from_static(
                    b"<presence id='s1' xml:lang='en' to='x@y/z'><status>Hi</status></presence>",
                ),
            )
        });
        assert_eq!(stanza.attr("type"), Some(kind.as_str()));
        assert_eq!(
            (stanza.attr("from"), stanza.attr("to")),
            (Some("juliet@example.com"), Some("romeo@example.net"))
        );
        assert_eq!(stanza.get_child("status", CLIENT).unwrap().text(), "Hi");
    }
}

#[test]
fn pushes_have_one_item_and_no_sender() {
    let item = Item {
        label: Label::new(Some("Nurse"), ["Servants"]),
        subscription: SubscriptionState::To,
        ..Item::new(bare("nurse@example.com"))
    };
    let push = written(|out| roster_push(out, "push-1", 13, Push::Put(&item)));
    assert_eq!(
        (push.attr("type"), push.attr("id"), push.attr("from")),
        (Some("set"), Some("push-1"), None)
    );
    let query = push.get_child("query", ROSTER).unwrap();
    assert_eq!(
        (query.attr("ver"), query.children().count()),
        (Some("13"), 1)
    );
    let push = written(|out| roster_push(out, "push-2", 14, Push::Removed(&item.contact)));
    let item = push
        .get_child("query", ROSTER)
        .unwrap()
        .children()
        .next()
        .unwrap();
    assert_eq!(
        (item.attr("jid"), item.attr("subscription")),
        (Some("nurse@example.com"), Some("remove"))
    );
}

fn message_of(native: MessageNative) -> Message {
    Message {
        from: address("juliet@example.com/sip-1"),
        to: address("romeo@example.net"),
        kind: MessageKind::Chat,
        id: Some(Arc::from("z9<hG4bK")),
        thread: Some(Arc::from("call-id@host")),
        subjects: vec![Note {
            lang: None,
            text: "S".to_owned(),
        }],
        bodies: vec![
            Note {
                lang: None,
                text: "a < b\r\n\u{1}".to_owned(),
            },
            Note {
                lang: Some("cs".to_owned()),
                text: "\u{159}".to_owned(),
            },
        ],
        native,
        received: Utc(0),
        archived: None,
    }
}

fn sip() -> MessageNative {
    MessageNative::Sip {
        content_type: Arc::from("text/plain"),
        body: Bytes::from_static(b"a < b"),
    }
}

fn xmpp(text: &'static str) -> MessageNative {
    MessageNative::Xmpp(Bytes::from_static(text.as_bytes()))
}

#[test]
fn an_xmpp_message_is_passed_on_as_it_is() {
    let text = "<message from=\"a@b/c\"  to='romeo@example.net'><body>x &lt; y</body></message>";
    let mut out = Vec::new();
    message(&mut out, &message_of(xmpp(text)), None, None);
    assert_eq!(out, text.as_bytes());
    let to = address("romeo@example.net/or'chard");
    let stanza = written(|out| message(out, &message_of(xmpp(text)), Some(&to), None));
    assert_eq!(stanza.attr("to"), Some("romeo@example.net/or'chard"));
    assert_eq!(stanza.get_child("body", CLIENT).unwrap().text(), "x < y");
}

#[test]
fn a_late_message_says_so() {
    let by = bare("example.net");
    let delayed = Some(Delayed {
        stamp: Utc(1_700_000_000_000),
        by: &by,
    });
    for native in [
        xmpp("<message><body>x</body></message>"),
        xmpp("<message/>"),
        sip(),
    ] {
        let stanza = written(|out| message(out, &message_of(native.clone()), None, delayed));
        let delay = stanza.get_child("delay", DELAY).unwrap();
        assert_eq!(delay.attr("from"), Some("example.net"));
        assert_eq!(delay.attr("stamp"), Some("2023-11-14T22:13:20Z"));
    }
}

#[test]
fn a_sip_message_becomes_a_stanza() {
    let stanza = written(|out| message(out, &message_of(sip()), None, None));
    assert_eq!(stanza.attr("from"), Some("juliet@example.com/sip-1"));
    assert_eq!(stanza.attr("to"), Some("romeo@example.net"));
    assert_eq!(stanza.attr("type"), Some("chat"));
    assert_eq!(stanza.attr("id"), Some("z9<hG4bK"));
    let said: Vec<_> = stanza
        .children()
        .map(|c| (c.name(), c.attr_ns(XML, "lang"), c.text()))
        .collect();
    assert_eq!(
        said,
        [
            ("subject", None, "S".to_owned()),
            ("body", None, "a < b\r\n\u{fffd}".to_owned()),
            ("body", Some("cs"), "\u{159}".to_owned()),
            ("thread", None, "call-id@host".to_owned()),
        ]
    );
    let normal = Message {
        kind: MessageKind::Normal,
        ..message_of(sip())
    };
    assert_eq!(
        written(|out| message(out, &normal, None, None)).attr("type"),
        None
    );
}

#[test]
fn a_copy_of_what_was_sent_wraps_it() {
    let to = address("juliet@example.com/balcony");
    for native in [
        xmpp("<message to='romeo@example.net'><body>x</body></message>"),
        xmpp("<message xmlns='jabber:client' to='romeo@example.net'><body>x</body></message>"),
        sip(),
    ] {
        let stanza = written(|out| carbon(out, &to, &message_of(native.clone()), true, None));
        assert_eq!(
            (stanza.attr("from"), stanza.attr("to")),
            (
                Some("juliet@example.com"),
                Some("juliet@example.com/balcony")
            )
        );
        let forwarded = stanza
            .get_child("sent", "urn:xmpp:carbons:2")
            .and_then(|s| s.get_child("forwarded", "urn:xmpp:forward:0"))
            .unwrap();
        let inside = forwarded.get_child("message", CLIENT).unwrap();
        assert_eq!(inside.attr("to"), Some("romeo@example.net"));
        assert!(inside.get_child("body", CLIENT).is_some());
    }
}

#[test]
fn a_ping_is_from_the_server() {
    let stanza = written(|out| {
        ping(
            out,
            "ping-1",
            &bare("example.com"),
            &address("juliet@example.com/balcony"),
        );
    });
    assert_eq!(
        (stanza.attr("type"), stanza.attr("from")),
        (Some("get"), Some("example.com"))
    );
    assert!(stanza.get_child("ping", "urn:xmpp:ping").is_some());
}

#[test]
fn conditions_have_the_types_of_the_rfc() {
    let names: std::collections::BTreeSet<_> = Condition::ALL.iter().map(|c| c.name()).collect();
    assert_eq!(names.len(), Condition::ALL.len());
    for (condition, kind) in [
        (Condition::BadRequest, "modify"),
        (Condition::Forbidden, "auth"),
        (Condition::JidMalformed, "modify"),
        (Condition::NotAcceptable, "modify"),
        (Condition::NotAllowed, "cancel"),
        (Condition::RecipientUnavailable, "wait"),
        (Condition::RemoteServerTimeout, "wait"),
        (Condition::ResourceConstraint, "wait"),
        (Condition::ServiceUnavailable, "cancel"),
    ] {
        assert_eq!(condition.usual_type().as_str(), kind);
    }
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,12}",
        "[<>&'\"\\]/=! \u{0}\u{1}\u{b}\r\n\t\u{fffe}\u{ffff}\u{1F600}a]{0,12}"
    ]
}

/// What a reader gets of printed text: characters that XML cannot hold are replaced.
fn legible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{0}'..='\u{8}'
            | '\u{b}'
            | '\u{c}'
            | '\u{e}'..='\u{1f}'
            | '\u{fffe}'
            | '\u{ffff}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn hostile_names_stay_names(a in hostile(), b in hostile(), c in hostile()) {
        let from = Bare::from_prepared(&format!("x{a}@example.com")).with(Resource::from_prepared(&b));
        let to = format!("y{c}@example.com");
        let parts = PresenceParts::new(&from, Shown::Available, Some(&a), Some(&a), b"<show>away</show>");
        let stanza = written(|out| parts.write(out, &to));
        prop_assert_eq!(stanza.attr("to").unwrap(), legible(&to));
        prop_assert_eq!(stanza.attr("from").unwrap(), legible(&from.to_string()));
        prop_assert_eq!(stanza.attr_ns(XML, "lang").unwrap(), legible(&a));

        let item = Item {
            label: Label::new(Some(&a), [&b, &c]),
            ..Item::new(Bare::from_prepared(&to))
        };
        let push = written(|out| roster_push(out, &c, 1, Push::Put(&item)));
        let read_back = push.get_child("query", ROSTER).unwrap().children().next().unwrap();
        // An empty name is none.
        prop_assert_eq!(read_back.attr("name").unwrap_or_default(), legible(&a));
        let groups: Vec<_> = read_back.children().map(Element::text).collect();
        prop_assert_eq!(groups, [legible(&b), legible(&c)]);

        let sip = Message {
            from,
            to: Bare::from_prepared(&to).into(),
            id: Some(Arc::from(&*a)),
            thread: Some(Arc::from(&*b)),
            subjects: Vec::new(),
            bodies: vec![Note { lang: Some(b.clone()), text: a.clone() }],
            ..message_of(sip())
        };
        let by = Bare::from_prepared(&c);
        let stanza = written(|out| message(out, &sip, None, Some(Delayed { stamp: Utc(0), by: &by })));
        prop_assert_eq!(stanza.get_child("body", CLIENT).unwrap().text(), legible(&a));
        let to = Address { bare: by.clone(), resource: None };
        let carbon = written(|out| carbon(out, &to, &sip, false, None));
        prop_assert_eq!(carbon.attr("from").unwrap(), legible(&c));

        let mut xmpp = Vec::new();
        message(&mut xmpp, &sip, None, None);
        let again = Message { native: MessageNative::Xmpp(xmpp.into()), ..sip.clone() };
        let stanza = written(|out| message(out, &again, Some(&sip.from), Some(Delayed { stamp: Utc(0), by: &by })));
        prop_assert_eq!(stanza.attr("to").unwrap(), legible(&sip.from.to_string()));
        prop_assert_eq!(stanza.get_child("delay", DELAY).unwrap().attr("from").unwrap(), legible(&c));
    }
}
