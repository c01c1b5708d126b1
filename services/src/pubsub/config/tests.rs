//! Forms of configuration, both ways.

#![expect(clippy::unwrap_used, reason = "tests")]
use super::*;
use proptest::prelude::*;
use xml::{Element, Limits};

fn form(kind: &str, fields: &[(&str, &str)]) -> Form {
    let fields = fields.iter().map(|(var, value)| Field {
        var: format!("pubsub#{var}"),
        values: vec![(*value).to_owned()],
    });
    Form {
        purpose: Purpose::Submit,
        kind: Some(kind.to_owned()),
        kind_is_hidden: true,
        fields: fields.collect(),
    }
}

fn config() -> impl Strategy<Value = Config> {
    let choices = (0..5_usize, 0..3_usize, 0..3_usize, 0..9_u32, 0..9_u32);
    let flags = proptest::collection::vec(any::<bool>(), 7);
    (
        choices,
        flags,
        "[a-zé<>]{0,9}",
        proptest::collection::vec("[a-zé<>]{0,9}", 0..3),
    )
        .prop_map(
            |((access, publish, last, max, lifetime), flags, text, groups)| Config {
                access: Access::parse(Access::ALL[access]).unwrap(),
                groups,
                publish: PublishModel::parse(PublishModel::ALL[publish]).unwrap(),
                send_last: SendLast::parse(SendLast::ALL[last]).unwrap(),
                max_items: if max == 0 {
                    MaxItems::Max
                } else {
                    MaxItems::Count(max)
                },
                lifetime: Some(lifetime).filter(|n| *n > 0),
                persist: flags[0],
                notifications: flags[1],
                payloads: flags[2],
                notify_config: flags[3],
                notify_delete: flags[4],
                notify_retract: flags[5],
                headline: flags[6],
                title: text.clone(),
                description: text.clone(),
                kind: text.clone(),
                language: text,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn stored_ones_come_back(config in config()) {
        let octets = config.encode();
        prop_assert_eq!(Config::decode(&octets), Some(config));
        prop_assert_eq!(Config::decode(&octets[..octets.len() - 1]), None);
    }

    #[test]
    fn a_form_that_is_sent_back_changes_nothing(config in config()) {
        let mut out = Vec::new();
        config.write(&mut Writer::new(&mut out), Purpose::Form);
        let element = Element::parse(&out, "", Limits::generous()).unwrap();
        let form = Form::read(&element.as_child()).unwrap();
        let mut same = config.clone();
        same.change(&form).unwrap();
        prop_assert_eq!(&same, &config);
        let options = Form { kind: None, ..form };
        prop_assert_eq!(config.check(&options), Ok(()));
    }

    #[test]
    fn octets_from_anywhere_do_no_harm(octets in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = Config::decode(&octets);
    }
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut config = Config::default();
    for (var, value, error) in [
        ("access_model", "odd", Error::AccessModel),
        ("max_items", "0", Error::NotAcceptable),
        ("max_items", "many", Error::NotAcceptable),
        ("persist_items", "perhaps", Error::NotAcceptable),
        ("node_type", "collection", Error::Unsupported("collections")),
        ("collection", "all", Error::Unsupported("collections")),
        ("node_type", "odd", Error::NotAcceptable),
        ("item_expire", "0", Error::NotAcceptable),
        ("item_expire", "-1", Error::NotAcceptable),
        ("item_expire", "tomorrow", Error::NotAcceptable),
        ("purge_offline", "1", Error::NotAcceptable),
    ] {
        let form = form(NODE_CONFIG, &[("title", "x"), (var, value)]);
        assert_eq!(config.change(&form), Err(error), "{var}");
        assert_eq!(config, Config::default());
    }
    let odd = form("urn:x", &[("title", "x")]);
    assert_eq!(config.change(&odd), Err(Error::NotAcceptable));
    let unknown = form(NODE_CONFIG, &[("title", "x"), ("body_xslt", "urn:x")]);
    assert_eq!(config.change(&unknown), Ok(()));
    assert_eq!(config.title, "x");
}

#[test]
fn what_was_stored_before_there_were_lifetimes_is_read() {
    let octets = [
        1, 2, 1, 3, 0b111_0111, 1, 0, 0, 0, 1, 0, b't', 0, 0, 0, 0, 0, 0,
    ];
    let expected = Config {
        title: "t".to_owned(),
        ..Config::default()
    };
    assert_eq!(Config::decode(&octets), Some(expected));
}

#[test]
fn preconditions() {
    let bookmarks = form(
        PUBLISH_OPTIONS,
        &[
            ("persist_items", "true"),
            ("max_items", "max"),
            ("send_last_published_item", "never"),
            ("access_model", "whitelist"),
        ],
    );
    let config = Config::of_options(&bookmarks).unwrap();
    assert_eq!(config.access, Access::Whitelist);
    assert_eq!(config.max_items, MaxItems::Max);
    assert_eq!(config.check(&bookmarks), Ok(()));
    assert_eq!(
        Config::default().check(&bookmarks),
        Err(Error::PreconditionNotMet)
    );
    for form in [
        form(PUBLISH_OPTIONS, &[("odd", "1")]),
        form(PUBLISH_OPTIONS, &[("access_model", "odd")]),
        form(NODE_CONFIG, &[("access_model", "whitelist")]),
    ] {
        assert_eq!(config.check(&form), Err(Error::PreconditionNotMet));
        assert_eq!(Config::of_options(&form), Err(Error::PreconditionNotMet));
    }
}
