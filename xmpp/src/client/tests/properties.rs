//! Whatever a client sends, what comes of it is well-formed, and nothing panics.

use presence::MessageNative;
use proptest::prelude::*;

use super::common::{juliet, stanzas};
use crate::action::Action;
use crate::client::Handled;
use crate::client::tests::common::{NOW, element};

fn attribute() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("example.com".to_owned()),
        Just("juliet@example.com".to_owned()),
        Just("juliet@example.com/balcony".to_owned()),
        Just("romeo@example.com/or&'\"<chard".to_owned()),
        Just("romeo@elsewhere.example".to_owned()),
        "[a-z@/.<>&'\"\\\\ \t\n\u{e9}\u{1F600}]{0,20}",
    ]
}

fn type_() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "get",
        "set",
        "result",
        "error",
        "chat",
        "headline",
        "unavailable",
        "probe",
        "subscribe",
        "unsubscribed",
        "nonsense",
    ])
    .prop_map(str::to_owned)
}

fn content() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "<body>a &amp; b</body>",
            "<body xml:lang='de'/>",
            "<show>away</show>",
            "<priority>5</priority>",
            "<status>&lt;</status>",
            "<query xmlns='jabber:iq:roster'/>",
            "<query xmlns='jabber:iq:roster'><item jid='a@b' name='&apos;'><group>x</group></item></query>",
            "<query xmlns='http://jabber.org/protocol/disco#info' node='&quot;&lt;'/>",
            "<query xmlns='jabber:iq:last'/>",
            "<ping xmlns='urn:xmpp:ping'/>",
            "<idle xmlns='urn:xmpp:idle:1' since='never'/>",
            "text",
            "<a xmlns='b'><c/></a>",
        ]),
        0..3,
    )
    .prop_map(|parts| parts.concat())
}

/// A stanza with hostile values, written by the writer.
fn stanza() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec!["message", "presence", "iq"]);
    let optional = prop::option::of(attribute());
    (
        kind,
        optional,
        prop::option::of("[a-z<>&'\"\t\n ]{0,8}"),
        prop::option::of(type_()),
        content(),
    )
        .prop_map(|(kind, to, id, type_, content)| {
            let mut out = Vec::new();
            let mut w = xml::Writer::new(&mut out);
            w.start(kind);
            for (name, value) in [("to", to), ("id", id), ("type", type_)] {
                if let Some(value) = value {
                    w.attribute(name, &value);
                }
            }
            w.raw(content.as_bytes());
            w.end();
            drop(w);
            String::from_utf8(out).unwrap()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn all_that_is_printed_is_well_formed(texts in prop::collection::vec(stanza(), 1..6)) {
        let mut client = juliet();
        let mut out = Handled::default();
        for text in &texts {
            let before = out.bytes.len();
            let given = element(text);
            client.handle(NOW, &given, &mut out).unwrap();
            for reply in stanzas(&out.bytes[before..]) {
                prop_assert_eq!(reply.attr("to"), Some("juliet@example.com/balcony"));
                let id = given.attribute("id");
                let expected = if reply.name() == "iq" { Some(id.as_deref().unwrap_or("")) } else { id.as_deref() };
                prop_assert_eq!(reply.attr("id"), expected);
            }
        }
        for action in out.actions {
            let Action::Iq { stanza, .. } = &action else {
                if let Action::Message { message, .. } = &action
                    && let MessageNative::Xmpp(stanza) = &message.native
                {
                    prop_assert_eq!(stanzas(stanza).len(), 1);
                }
                continue;
            };
            let trees = stanzas(stanza);
            prop_assert_eq!(trees.len(), 1);
            prop_assert_eq!(trees[0].attr("from"), Some("juliet@example.com/balcony"));
        }
    }
}
