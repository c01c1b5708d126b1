//! Requests as they come.

#![expect(clippy::unwrap_used, reason = "tests")]
use super::*;
use xml::Limits;

fn read_in(namespace: &str, kind: Kind, content: &str) -> Result<Request, Error> {
    let text = format!("<pubsub xmlns='{namespace}' xmlns:o='urn:outer'>{content}</pubsub>");
    let element = Element::parse(text.as_bytes(), "jabber:client", Limits::generous()).unwrap();
    Request::read(&element.as_child(), kind)
}

fn get(content: &str) -> Result<Request, Error> {
    read_in(PUBSUB, Kind::Get, content)
}

fn set(content: &str) -> Result<Request, Error> {
    read_in(PUBSUB, Kind::Set, content)
}

fn owner(content: &str) -> Result<Request, Error> {
    read_in(OWNER, Kind::Set, content)
}

fn payload(content: &str) -> Bytes {
    let publish = format!("<publish node='n'><item id='i'>{content}</item></publish>");
    match set(&publish).unwrap() {
        Request::Publish {
            item: Some(item), ..
        } => item.payload,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_payload_can_stand_alone() {
    assert_eq!(
        &*payload("<m xmlns='urn:m'><p:x xmlns:p='urn:p'/></m>"),
        b"<m xmlns='urn:m'><p:x xmlns:p='urn:p'/></m>"
    );
    for leaning in [
        "<m/>",
        "<o:m><n/></o:m>",
        "<m xmlns='urn:m' o:a='1'><o:n/></m>",
        "<p:m xmlns:p='urn:m'><n/></p:m>",
    ] {
        let alone = payload(leaning);
        let text = format!("<item xmlns='{PUBSUB}' xmlns:o='urn:outer'>{leaning}</item>");
        let before = Element::parse(text.as_bytes(), "", Limits::generous()).unwrap();
        let before = before.children().next().unwrap().to_tree();
        let after = Element::stored(alone, "urn:elsewhere").unwrap().to_tree();
        assert_eq!(before, after, "{leaning}");
    }
}

#[test]
fn publishing() {
    let request = set(
        "<publish node='n'><item><m xmlns='urn:m'/></item></publish>\
        <publish-options><x xmlns='jabber:x:data' type='submit'/></publish-options>",
    );
    let Ok(Request::Publish {
        node,
        item,
        options,
    }) = request
    else {
        panic!("{request:?}");
    };
    assert_eq!((&*node, item.unwrap().id), ("n", None));
    assert!(options.is_some());
    let nothing = set("<publish node='n'/>").unwrap();
    assert!(matches!(nothing, Request::Publish { item: None, .. }));
    for (content, error) in [
        ("<publish><item/></publish>", Error::NodeRequired),
        (
            "<publish node='n'><item><a/><b/></item></publish>",
            Error::InvalidPayload,
        ),
        (
            "<publish node='n'><item/><item/></publish>",
            Error::BadRequest,
        ),
        ("<publish node='n'/><publish-options/>", Error::BadRequest),
    ] {
        assert_eq!(set(content), Err(error), "{content}");
    }
}

#[test]
fn reading() {
    let items = get("<items node='n' max_items='2'/>").unwrap();
    assert!(matches!(items, Request::Items { most: Some(2), ids, .. } if ids.is_empty()));
    let items = get("<items node='n'><item id='a'/><item id='b'/></items>").unwrap();
    assert!(matches!(items, Request::Items { most: None, ids, .. } if ids.len() == 2));
    let page =
        get("<items node='n'/><set xmlns='http://jabber.org/protocol/rsm'><max>5</max></set>");
    assert!(matches!(page, Ok(Request::Items { most: Some(5), .. })));
    for (content, error) in [
        ("", Error::BadRequest),
        ("<items/>", Error::NodeRequired),
        ("<items node='n' max_items='0'/>", Error::BadRequest),
        ("<items node='n' subid='1'/>", Error::InvalidSubid),
        ("<options jid='a@b'/>", Error::NodeRequired),
        ("<options node='n'/>", Error::JidRequired),
        ("<options node='n' jid='@'/>", Error::InvalidJid),
        (
            "<options node='n' jid='a@b' subid='1'/>",
            Error::InvalidSubid,
        ),
        ("<publish node='n'/>", Error::BadRequest),
    ] {
        assert_eq!(get(content), Err(error), "{content}");
    }
}

#[test]
fn retracting_and_subscribing() {
    let retract = set("<retract node='n' notify='1'><item id='a'/></retract>").unwrap();
    assert!(matches!(retract, Request::Retract { notify: true, .. }));
    for (content, error) in [
        ("<retract node='n'/>", Error::ItemRequired),
        ("<retract node='n'><item/></retract>", Error::ItemRequired),
        ("<retract><item id='a'/></retract>", Error::NodeRequired),
        ("<subscribe node='n'/>", Error::JidRequired),
        ("<subscribe node='n' jid='@'/>", Error::InvalidJid),
        ("<subscribe jid='a@b'/>", Error::NodeRequired),
        (
            "<unsubscribe node='n' jid='a@b' subid='x'/>",
            Error::InvalidSubid,
        ),
        (
            "<subscribe node='n' jid='a@b'/><options node='n' jid='a@b'/>",
            Error::BadRequest,
        ),
        (
            "<options/><subscribe node='n' jid='a@b'/>",
            Error::BadRequest,
        ),
    ] {
        assert_eq!(set(content), Err(error), "{content}");
    }
}

#[test]
fn what_owners_do() {
    let cancel = "<configure node='n'><x xmlns='jabber:x:data' type='cancel'/></configure>";
    assert!(matches!(
        owner(cancel),
        Ok(Request::Configure { config: None, .. })
    ));
    let create =
        set("<create node='n'/><configure><x xmlns='jabber:x:data' type='submit'/></configure>");
    assert!(matches!(
        create,
        Ok(Request::Create {
            node: Some(_),
            config: Some(_)
        })
    ));
    assert!(matches!(
        set("<create/><configure/>"),
        Ok(Request::Create {
            node: None,
            config: None
        })
    ));
    let affiliations = owner(
        "<affiliations node='n'><affiliation jid='a@b' affiliation='member'/>\
         <affiliation jid='c@d' affiliation='none'/></affiliations>",
    );
    let Ok(Request::SetAffiliations { all, .. }) = affiliations else {
        panic!("{affiliations:?}");
    };
    assert_eq!(all[0].1, Some(Affiliation::Member));
    assert_eq!(all[1].1, None);
    for (content, error) in [
        ("<configure/>", Error::NodeRequired),
        ("<delete/>", Error::NodeRequired),
        ("<odd node='n'/>", Error::BadRequest),
        (
            "<affiliations node='n'><affiliation jid='a@b' affiliation='king'/></affiliations>",
            Error::NotAcceptable,
        ),
        (
            "<affiliations node='n'><affiliation jid='a@b' affiliation='none'/>\
             <affiliation jid='a@b/c' affiliation='member'/></affiliations>",
            Error::BadRequest,
        ),
        (
            "<subscriptions node='n'><subscription jid='a@b' subscription='odd'/></subscriptions>",
            Error::NotAcceptable,
        ),
        (
            "<collection node='n'><associate node='m'/></collection>",
            Error::Unsupported("collections"),
        ),
    ] {
        assert_eq!(owner(content), Err(error), "{content}");
    }
}

#[test]
fn the_owners_answer() {
    let read = |purpose: &str, fields: &str| {
        let text = format!(
            "<x xmlns='jabber:x:data' type='{purpose}'><field var='FORM_TYPE' type='hidden'>\
             <value>http://jabber.org/protocol/pubsub#subscribe_authorization</value></field>{fields}</x>"
        );
        let element = Element::parse(text.as_bytes(), "", Limits::generous()).unwrap();
        authorization(&Form::read(&element.as_child()).unwrap())
    };
    let field = |name: &str, value: &str| {
        format!("<field var='pubsub#{name}'><value>{value}</value></field>")
    };
    let whole = [
        field("node", "n"),
        field("subscriber_jid", "a@b/c"),
        field("allow", "true"),
    ];
    assert_eq!(
        read("submit", &whole.concat()),
        Some(Ok(Some(Request::Authorize {
            node: "n".into(),
            jid: Address::parse("a@b/c").unwrap(),
            allow: true,
        })))
    );
    assert_eq!(read("cancel", ""), Some(Ok(None)));
    assert_eq!(read("form", &whole.concat()), None);
    for (missing, _) in whole.iter().enumerate() {
        let mut rest = whole.to_vec();
        rest.remove(missing);
        assert_eq!(read("submit", &rest.concat()), Some(Err(Error::BadRequest)));
    }
    let other = Form {
        purpose: Purpose::Submit,
        kind: Some("urn:x".to_owned()),
        kind_is_hidden: true,
        fields: Vec::new(),
    };
    assert_eq!(authorization(&other), None);
}
