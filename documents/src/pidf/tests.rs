//! Documents of the RFCs and of real phones, through reading, normal form and composition.

use super::*;
use crate::DocumentError;
use presence::{Activity, Basic, Document, Native, Priority, Resource, Show, Source, Utc};

mod properties;
mod support;

use support::*;

#[test]
fn the_validator_finds_faults() {
    if has_xmllint() {
        let caught = std::panic::catch_unwind(|| {
            assert_valid(b"<presence xmlns='urn:ietf:params:xml:ns:pidf'/>");
        });
        assert!(caught.is_err());
    }
}

#[test]
fn the_examples_of_rfc_3863() {
    for name in ["rfc3863-01", "rfc3863-02"] {
        let one = sample(name);
        assert_eq!(one.entity, "pres:someone@example.com");
        assert_eq!(one.tuple_ids, ["sg89ae"]);
        assert_eq!(one.document.basic, Basic::Open);
        assert_eq!(one.document.priority, Some(Priority(102)));
    }
    let fourth = sample("rfc3863-04");
    assert_eq!(fourth.tuple_ids, ["bs35r9", "eg92n8"]);
    assert_eq!(fourth.document.priority, Some(Priority(127)));
    assert_eq!(
        fourth.document.notes,
        [note(None, "I'll be in Tokyo next week")]
    );
    let normal = normalise(&fourth, &Resource::parse("r").unwrap()).unwrap();
    let normal = std::str::from_utf8(&normal).unwrap();
    assert!(
        normal.contains(r#"<im xmlns="urn:ietf:params:xml:ns:pidf:im">busy</im>"#),
        "{normal}"
    );
    let sixth = normalise(&sample("rfc3863-06"), &Resource::parse("r").unwrap()).unwrap();
    let sixth = std::str::from_utf8(&sixth).unwrap();
    assert!(
        sixth.contains(
            r#"<ex1 xmlns:a0="urn:ietf:params:xml:ns:pidf" a0:mustUnderstand="1">val1</ex1>"#
        ),
        "{sixth}"
    );
}

#[test]
fn the_example_of_rfc_4479_has_no_entity() {
    assert_eq!(read(NO_ENTITY), Err(DocumentError::EntityMissing));
    let text = String::from_utf8(NO_ENTITY.to_vec()).unwrap();
    let text = text.replacen("<presence ", "<presence entity='sip:ann@example.com' ", 1);
    let published = read(text.as_bytes()).unwrap();
    assert_eq!(published.document.activities, [Activity::OnThePhone]);
    assert_eq!(published.document.show, Some(Show::Dnd));
    let document = composed(vec![phone("sip-1", &published)]);
    assert!(document.contains("<rpid:on-the-phone/>"), "{document}");
    assert!(
        document.contains(r#"<dm:device id="P-sip-1.pc122"><rpid:user-input>idle</rpid:user-input><dm:deviceID>mac:8asd7d7d70</dm:deviceID></dm:device>"#),
        "{document}"
    );
    assert_valid(document.as_bytes());
}

#[test]
fn the_example_of_rfc_4480() {
    let published = sample("rfc4480-01");
    assert_eq!(published.tuple_ids, ["bs35r9", "ty4658", "eg92n8"]);
    let document = &published.document;
    assert_eq!(document.activities, [Activity::Away]);
    assert_eq!(document.show, Some(Show::Away));
    assert_eq!(document.notes, [note(None, "Scoring 120")]);
    assert_eq!(
        document.idle_since,
        Utc::from_rfc3339("2004-10-21T18:20:00Z")
    );
    let whole = composed(vec![phone("sip-1", &published)]);
    for kept in [
        r#"<rpid:activities from="2005-05-30T12:00:00+05:00" until="2005-05-30T17:00:00+05:00"><rpid:note>Far away</rpid:note><rpid:away/></rpid:activities>"#,
        "<rpid:mood><rpid:angry/><rpid:other>brooding</rpid:other></rpid:mood>",
        r#"<residence xmlns="urn:ietf:params:xml:ns:location-type"/>"#,
        "<rpid:time-offset>-240</rpid:time-offset><dm:note>Scoring 120</dm:note>",
        "<rpid:relationship><rpid:assistant/></rpid:relationship>",
    ] {
        assert!(whole.contains(kept), "{kept} in {whole}");
    }
    // The example's sphere is what the RFC's own schema forbids.
    assert_valid(
        whole
            .replace("<rpid:sphere>bowling league</rpid:sphere>", "")
            .as_bytes(),
    );
}

#[test]
fn the_examples_of_rfc_8048() {
    assert_eq!(sample("rfc8048-04").document, showing(Some(Show::Away)));
    assert_eq!(sample("rfc8048-19").tuple_ids, ["ID-yn0cl4bnw0yr3vym"]);
    assert_eq!(sample("rfc8048-20").document.basic, Basic::Closed);
    let ours = composed(vec![session("yn0cl4bnw0yr3vym", showing(Some(Show::Away)))]);
    assert!(
        ours.contains(
            r#"<tuple id="ID-yn0cl4bnw0yr3vym"><status><basic>open</basic><show xmlns="jabber:client">away</show></status>"#
        ),
        "{ours}"
    );
}

#[test]
fn every_sample_composes_to_a_valid_document() {
    for (name, body) in SAMPLES {
        let published = read(body).unwrap();
        let document = composed(vec![phone("sip-0a1b2c3d", &published)]);
        let mut again = read(document.as_bytes()).unwrap();
        if name == "rfc8048-04" || name == "rfc8048-19" {
            // They say a show and no activity: the person of the composed document is ours.
            assert_eq!(again.document.activities, [Activity::Away]);
            again.document.activities.clear();
        }
        assert_eq!(again.document, published.document, "{name}");
        assert_eq!(again.tuple_ids.len(), published.tuple_ids.len(), "{name}");
        if name != "rfc4480-01" {
            assert_valid(document.as_bytes());
        }
    }
}

#[test]
fn two_phones_of_one_make_do_not_collide() {
    let one = sample("baresip");
    assert_eq!(one.tuple_ids, ["t4109"]);
    let document = composed(vec![phone("sip-1", &one), phone("sip-2", &one)]);
    assert!(
        document.contains(r#"<tuple id="P-sip-1.t4109">"#),
        "{document}"
    );
    assert!(
        document.contains(r#"<tuple id="P-sip-2.t4109">"#),
        "{document}"
    );
    assert_eq!(document.matches("<dm:person ").count(), 1);
    assert_valid(document.as_bytes());
}

#[test]
fn repeated_and_missing_identifiers_are_made_good() {
    let tuple = "<tuple><status><basic>open</basic></status></tuple>";
    let twice = "<tuple id='1 a'><status/></tuple><tuple id='1/a'><status/></tuple>";
    let body = format!(
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'>{tuple}{tuple}{twice}</presence>"
    );
    let document = composed(vec![phone_of("a b", &body), phone_of("a.b", &body)]);
    assert_eq!(read(document.as_bytes()).unwrap().tuple_ids.len(), 8);
    assert_valid(document.as_bytes());
}

#[test]
fn the_patterns_of_a_phone_match() {
    let away = composed(vec![session("phone", showing(Some(Show::Away)))]);
    assert!(away.starts_with(concat!(
        r#"<?xml version="1.0" encoding="UTF-8"?><presence xmlns="urn:ietf:params:xml:ns:pidf" "#,
        r#"xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" "#,
        r#"entity="sip:ann@example.com"><tuple id="#
    )));
    assert!(away.contains("<basic>open</basic>"));
    assert!(away.contains("<rpid:activities><rpid:away/></rpid:activities>"));
    let busy = composed(vec![session("phone", showing(Some(Show::Dnd)))]);
    assert!(busy.contains("<rpid:busy/>"));
    let plain = composed(vec![session("phone", showing(None))]);
    assert!(!plain.contains("rpid:"), "{plain}");
    // Three devices and the head of a NOTIFY fit into one datagram of 1300 octets.
    assert!(plain.len() < 280, "{}", plain.len());
    let closed = String::from_utf8(compose_closed(ENTITY)).unwrap();
    assert!(closed.contains("<basic>closed</basic>"));
    assert_eq!(closed, composed(Vec::new()));
    for document in [away, busy, plain, closed] {
        assert_valid(document.as_bytes());
    }
}

#[test]
fn the_person_is_of_the_most_available() {
    let mut low = session("low", showing(Some(Show::Away)));
    let mut high = session("high", showing(Some(Show::Dnd)));
    low.document.priority = Some(Priority(1));
    high.document.priority = Some(Priority(5));
    let document = composed(vec![low.clone(), high.clone()]);
    assert!(document.contains("<rpid:busy/>") && !document.contains("<rpid:away/>"));
    high.document.basic = Basic::Closed;
    let document = composed(vec![low.clone(), high]);
    assert!(document.contains("<rpid:away/>") && !document.contains("<rpid:busy/>"));
    let device = "d".into();
    let desk = publication("desk", Source::Registration { device }, showing(None));
    low.document.priority = Some(Priority(-1));
    let document = composed(vec![desk, low, phone("sip-1", &sample("linphonec"))]);
    assert!(document.contains(r#"<contact priority="0.8">sip:lin@example.com</contact>"#));
    assert!(document.contains("<rpid:away/>"), "{document}");
    assert!(document.contains(r#"<tuple id="ID-desk"><status><basic>open</basic></status>"#));
    assert_valid(document.as_bytes());
}

#[test]
fn a_busy_phone_tells_it_although_a_session_is_plainly_available() {
    let body = "<presence xmlns='urn:ietf:params:xml:ns:pidf' xmlns:d='urn:ietf:params:xml:ns:pidf:data-model' \
         xmlns:r='urn:ietf:params:xml:ns:pidf:rpid' entity='sip:a@b'><tuple id='t'><status><basic>open</basic></status>\
         <contact priority='0.8'>sip:a@b</contact></tuple><d:person id='p'><r:activities><r:on-the-phone/></r:activities>\
         <r:mood><r:happy/></r:mood><d:note>on a call</d:note></d:person></presence>";
    let call = phone_of("sip-1", body);
    let mut chat = session("chat", showing(None));
    let document = composed(vec![chat.clone(), call.clone()]);
    assert!(
        document.contains(concat!(
            r#"<dm:person id="P-sip-1.p"><rpid:activities><rpid:on-the-phone/></rpid:activities>"#,
            "<rpid:mood><rpid:happy/></rpid:mood><dm:note>on a call</dm:note></dm:person>"
        )),
        "{document}"
    );
    chat.document.priority = Some(Priority(127));
    let document = composed(vec![chat, call]);
    assert!(!document.contains("<dm:person"), "{document}");
    assert_valid(document.as_bytes());
}

#[test]
fn what_is_no_normal_form_falls_back_to_the_common_part() {
    let mut broken = phone("sip-1", &sample("baresip"));
    for bytes in ["", "<presence", "<presence><tuple id=\"x\">", "nothing"] {
        broken.native = Native::Pidf(bytes.into());
        let document = composed(vec![broken.clone()]);
        assert!(document.contains(r#"<tuple id="ID-sip-1"><status><basic>open</basic>"#));
        assert_valid(document.as_bytes());
    }
}

#[test]
fn activities_without_a_native_form_are_written() {
    let mut document = showing(None);
    document.activities = vec![
        Activity::Unknown,
        Activity::Lunch,
        Activity::Other("fishing <&>".to_owned()),
    ];
    let written = composed(vec![session("x", document.clone())]);
    assert!(written.contains(
        "<rpid:activities><rpid:meal/><rpid:other>fishing &lt;&amp;&gt;</rpid:other></rpid:activities>"
    ));
    assert_valid(written.as_bytes());
    document.activities.truncate(1);
    let unknown = composed(vec![session("x", document)]);
    assert!(unknown.contains("<rpid:activities><rpid:unknown/></rpid:activities>"));
    assert_valid(unknown.as_bytes());
}

#[test]
fn all_priorities_return() {
    for value in 0..=127 {
        let mut document = showing(None);
        document.priority = Some(Priority(value));
        let text = composed(vec![session("x", document)]);
        let again = read(text.as_bytes()).unwrap();
        assert_eq!(again.document.priority, Some(Priority(value)), "{text}");
    }
    let mut negative = showing(None);
    negative.priority = Some(Priority(-1));
    let text = composed(vec![session("x", negative)]);
    assert!(
        text.contains("<contact>sip:ann@example.com</contact>"),
        "{text}"
    );
    assert_valid(text.as_bytes());
}

#[test]
fn languages_idle_time_and_timestamp_return() {
    let document = Document {
        notes: vec![
            note(None, "Mittag \"um\" <12>"),
            note(Some("en"), "lunch & more"),
            note(Some("fr-CA"), "dîner\nlong"),
        ],
        idle_since: Some(Utc(1_700_000_000_123)),
        timestamp: Some(Utc(1_700_000_000_000)),
        ..showing(Some(Show::Xa))
    };
    let mut session = session("x", document.clone());
    let text = composed(vec![session.clone()]);
    assert_valid(text.as_bytes());
    let mut again = read(text.as_bytes()).unwrap().document;
    assert_eq!(again.activities, [Activity::Away]);
    again.activities.clear();
    assert_eq!(again, document);
    session.lang = Some("de".into());
    let text = composed(vec![session]);
    assert!(text.contains(r#"<note xml:lang="de">Mittag"#), "{text}");
}

#[test]
fn what_phones_get_wrong_is_read() {
    let document = |inside: &str| {
        let body = format!(
            "\u{feff}<?xml version='1.0'?><!-- a phone --><p:presence xmlns:p='urn:ietf:params:xml:ns:cpim-pidf' xml:lang='de' \
             xmlns:e='urn:ietf:params:xml:ns:pidf:status:rpid-status' entity=' sip:a@b '>{inside}</p:presence>"
        );
        let published = read(body.as_bytes()).unwrap();
        assert_eq!(published.entity, "sip:a@b");
        assert_eq!(published.lang.as_deref(), Some("de"));
        let composed = composed(vec![phone("x", &published)]);
        assert_valid(composed.as_bytes());
        published.document
    };
    assert_eq!(document("").basic, Basic::Closed);
    assert_eq!(document("<p:tuple/>").basic, Basic::Closed);
    assert_eq!(
        document("<p:tuple><p:status><p:basic>unknown</p:basic></p:status><p:contact>sip:a@b</p:contact></p:tuple>").basic,
        Basic::Open
    );
    assert_eq!(
        document("<p:tuple><p:note>hier</p:note></p:tuple>").notes,
        [note(Some("de"), "hier")]
    );
    assert_eq!(
        document("<p:tuple><p:status><p:basic> Closed </p:basic></p:status></p:tuple>").basic,
        Basic::Closed
    );
    let twice = document(
        "<p:tuple><p:status><p:basic>open</p:basic></p:status><p:status><show xmlns='jabber:client'>xa</show></p:status></p:tuple>",
    );
    assert_eq!((twice.basic, twice.show), (Basic::Open, Some(Show::Xa)));
    let draft = document(
        "<p:tuple><p:status><p:basic>open</p:basic><e:activities><e:activity>on-the-phone</e:activity></e:activities></p:status></p:tuple>",
    );
    assert_eq!(draft.activities, [Activity::OnThePhone]);
    assert_eq!(draft.show, Some(Show::Dnd));
}

#[test]
fn faults_are_named() {
    for (body, fault) in [
        ("", DocumentError::NotWellFormed),
        ("hello", DocumentError::NotWellFormed),
        ("<presence>", DocumentError::NotWellFormed),
        (
            "<presence xmlns='jabber:client' entity='x'/>",
            DocumentError::NotPidf,
        ),
        (
            "<tuple xmlns='urn:ietf:params:xml:ns:pidf' entity='x'/>",
            DocumentError::NotPidf,
        ),
        (
            "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity=' '/>",
            DocumentError::EntityMissing,
        ),
        (
            "<!DOCTYPE presence [<!ENTITY a 'b'>]><presence xmlns='urn:ietf:params:xml:ns:pidf' entity='x'>&a;</presence>",
            DocumentError::NotWellFormed,
        ),
    ] {
        assert_eq!(read(body.as_bytes()), Err(fault), "{body}");
    }
    let nested = |depth: usize| {
        let (open, close) = ("<x>".repeat(depth), "</x>".repeat(depth));
        format!("<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='x'>{open}{close}</presence>")
    };
    assert!(read(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
    assert_eq!(
        read(nested(MAX_DEPTH).as_bytes()),
        Err(DocumentError::TooDeep)
    );
    assert_eq!(read(nested(20_000).as_bytes()), Err(DocumentError::TooDeep));
    let long = format!(
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='x'><note>{}</note></presence>",
        "a".repeat(MAX_SIZE)
    );
    assert_eq!(read(long.as_bytes()), Err(DocumentError::TooLarge));
}

#[test]
fn the_normal_form_has_a_limit() {
    let root = |namespace: &str, inside: &str| {
        format!(
            "<presence xmlns='urn:ietf:params:xml:ns:pidf' xmlns:a='{namespace}' entity='sip:a@b'><tuple id='t'><status><basic>open</basic></status></tuple>{inside}</presence>"
        )
    };
    let resource = Resource::parse("r").unwrap();
    let form = |body: &str| normalise(&read(body.as_bytes()).unwrap(), &resource);
    let long = ">".repeat(8000);
    assert!(form(&root(&long, &"<a:x/>".repeat(3))).is_ok());
    assert_eq!(
        form(&root(&long, &"<a:x/>".repeat(8000))),
        Err(DocumentError::TooLarge)
    );
    let wide = Resource::parse(&"\u{e9}".repeat(500)).unwrap();
    let persons = "<d:person xmlns:d='urn:ietf:params:xml:ns:pidf:data-model'/>".repeat(900);
    let published = root("x", &persons);
    let published = read(published.as_bytes()).unwrap();
    assert_eq!(normalise(&published, &wide), Err(DocumentError::TooLarge));
}
