//! What holds for every document.

use presence::{Basic, Document, Note, Priority, Resource, Show, Utc};
use proptest::prelude::*;

use super::support::*;
use crate::pidf::{read, slices};

fn shows() -> impl Strategy<Value = Option<Show>> {
    prop_oneof![
        Just(None),
        Just(Some(Show::Away)),
        Just(Some(Show::Chat)),
        Just(Some(Show::Dnd)),
        Just(Some(Show::Xa)),
    ]
}

fn documents() -> impl Strategy<Value = Document> {
    (
        any::<bool>(),
        shows(),
        prop::collection::vec((prop::option::of("[a-z]{2}(-[A-Z]{2})?"), "\\PC*"), 0..3),
        prop::option::of(any::<i8>()),
        prop::option::of(0_i64..2_000_000_000_000),
        prop::option::of(0_i64..2_000_000_000_000),
    )
        .prop_map(|(open, show, notes, priority, idle, stamp)| Document {
            basic: if open { Basic::Open } else { Basic::Closed },
            show: show.filter(|_| open),
            notes: notes
                .into_iter()
                .map(|(lang, text)| Note { lang, text })
                .collect(),
            priority: priority.map(Priority),
            activities: Vec::new(),
            idle_since: idle.map(Utc),
            timestamp: stamp.map(Utc),
        })
}

/// Elements as a careless phone might nest them.
fn bodies() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("<basic>open</basic>".to_owned()),
        Just("<basic>unknown</basic>".to_owned()),
        Just("<contact priority='0.5'>sip:a@b</contact>".to_owned()),
        Just("<contact priority='2'>sip:a@b</contact>".to_owned()),
        Just("<note xml:lang='not a tag'>x</note>".to_owned()),
        Just("<timestamp>2001-10-27T16:49:29z</timestamp>".to_owned()),
        Just("<timestamp>soon</timestamp>".to_owned()),
        Just("<r:activities><r:busy/></r:activities>".to_owned()),
        Just(
            "<y:z xmlns:y='urn:y' y:a='&quot;&lt;' b='&#10;'>&gt;]]&gt;<w xmlns=''/></y:z>"
                .to_owned()
        ),
        Just("<note xmlns=''>n</note>".to_owned()),
        "[a-z &&[^<]]{0,5}",
    ];
    let inner = leaf.prop_recursive(3, 24, 5, |inside| {
        (
            prop::sample::select(vec![
                ("<tuple id='t'>", "</tuple>"),
                ("<tuple>", "</tuple>"),
                ("<status>", "</status>"),
                ("<d:person id='p'>", "</d:person>"),
                ("<y xmlns='urn:y' id='t' xml:id='t'>", "</y>"),
            ]),
            prop::collection::vec(inside, 0..5),
        )
            .prop_map(|((open, close), inside)| format!("{open}{}{close}", inside.concat()))
    });
    prop::collection::vec(inner, 0..5).prop_map(|inside| {
        format!(
            "<presence xmlns='urn:ietf:params:xml:ns:pidf' xmlns:d='urn:ietf:params:xml:ns:pidf:data-model' \
             xmlns:r='urn:ietf:params:xml:ns:pidf:rpid' entity='sip:a@b'>{}</presence>",
            inside.concat()
        )
    })
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&body);
        let _ = slices::parts(&body).count();
    }

    #[test]
    fn damaged_documents_never_panic(which in 0..SAMPLES.len(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = SAMPLES[which].1.to_vec();
        let at = at.index(body.len());
        body[at] = byte;
        if let Ok(published) = read(&body) {
            let document = composed(vec![phone("x", &published)]);
            prop_assert!(read(document.as_bytes()).is_ok(), "{document}");
        }
    }

    #[test]
    fn what_is_composed_is_read(first in documents(), second in documents(), resource in "[!-~à-ÿ][ -~à-ÿ]{0,11}") {
        prop_assume!(Resource::parse(&resource).is_ok_and(|r| r.as_str() != "y"));
        let both = || vec![session(&resource, first.clone()), session("y", second.clone())];
        let document = composed(both());
        prop_assert_eq!(&document, &composed(both()));
        let again = read(document.as_bytes()).unwrap();
        prop_assert_eq!(again.tuple_ids.len(), 2);
        let one = read(composed(vec![session("y", first.clone())]).as_bytes()).unwrap().document;
        prop_assert_eq!(one.basic, first.basic);
        prop_assert_eq!(one.show, first.show);
        prop_assert_eq!(one.priority, first.priority.filter(|p| p.0 >= 0));
        prop_assert_eq!(one.timestamp, first.timestamp);
        prop_assert_eq!(one.idle_since, first.idle_since);
    }

    #[test]
    fn normal_forms_are_read_alike(body in bodies()) {
        let published = read(body.as_bytes()).unwrap();
        let text = composed(vec![phone("x", &published)]);
        prop_assert_eq!(&text, &composed(vec![phone("x", &published)]));
        let again = read(text.as_bytes()).unwrap();
        prop_assert_eq!(again.document.basic, published.document.basic);
        if again.tuple_ids.len() == published.tree.root().children().filter(|c| c.name() == "tuple").count() {
            prop_assert_eq!(again.document, published.document);
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn the_careless_become_valid(body in bodies(), document in documents()) {
        let publications = vec![phone_of("p 1", &body), session("s", document), phone_of("p2", &body)];
        assert_valid(composed(publications).as_bytes());
    }
}
