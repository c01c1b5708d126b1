//! The good case, by every way in.

use super::*;

#[test]
fn start_tls_then_scram_bound_to_the_channel() {
    let mut pair = Pair::plain();
    let (open, features) = pair.send(OPEN).opening();
    let first_id = open.attribute("id").unwrap().to_owned();
    assert_eq!(names(&features), ["starttls"]);
    assert_eq!(names(&child(&features, "starttls")), ["required"]);

    assert_eq!(pair.send(START_TLS).element().name(), "proceed");
    let (open, features) = pair.finish_handshake().send(OPEN).opening();
    assert_ne!(open.attribute("id").unwrap(), first_id);
    assert_eq!(
        names(&features),
        [
            "mechanisms",
            "authentication",
            "sasl-channel-binding",
            "limits"
        ]
    );
    let offered: Vec<_> = child(&features, "mechanisms")
        .children()
        .map(|mechanism| mechanism.text().into_owned())
        .collect();
    assert_eq!(
        offered,
        [
            "SCRAM-SHA-512-PLUS",
            "SCRAM-SHA-256-PLUS",
            "SCRAM-SHA-1-PLUS",
            "SCRAM-SHA-512",
            "SCRAM-SHA-256",
            "SCRAM-SHA-1",
            "PLAIN"
        ]
    );
    let types: Vec<_> = child(&features, "sasl-channel-binding")
        .children()
        .map(|binding| binding.attribute("type").unwrap().into_owned())
        .collect();
    assert_eq!(types, ["tls-exporter", "tls-server-end-point"]);

    let answer = scram(
        &mut pair,
        Hash::Sha256,
        "SCRAM-SHA-256-PLUS",
        exporter(),
        "pencil",
    );
    assert_eq!(answer.name(), "success");
    assert_eq!(
        pair.session.account().unwrap().as_str(),
        "ann@office.example"
    );
    assert_eq!(pair.attempts, [AttemptOutcome::Succeeded]);

    let (_, features) = pair.send(OPEN).opening();
    assert_eq!(
        names(&features),
        ["bind", "session", "ver", "sub", "sm", "csi", "c", "limits"]
    );
    assert_eq!(names(&child(&features, "session")), ["optional"]);

    let answer = pair.send(&bind("desk")).element();
    assert_eq!(answer.attribute("id").as_deref(), Some("b1"));
    let jid = child(&child(&answer, "bind"), "jid");
    assert_eq!(jid.text(), "ann@office.example/desk");
    assert_eq!(
        pair.session.address().unwrap().to_string(),
        "ann@office.example/desk"
    );
    assert!(pair.session.client().is_some());

    assert!(matches!(
        pair.send("</stream:stream>").said().as_slice(),
        [Token::Close]
    ));
    assert!(pair.closed);
    assert!(pair.session.client().is_none());
    assert_eq!(
        pair.session.address().unwrap().bare.as_str(),
        "ann@office.example"
    );
}

#[test]
fn every_mechanism() {
    let end_point = ClientBinding::Bound {
        name: "tls-server-end-point".to_owned(),
        data: vec![2; 32],
    };
    let cases = [
        (Hash::Sha512, "SCRAM-SHA-512-PLUS", exporter()),
        (Hash::Sha512, "SCRAM-SHA-512", ClientBinding::Unsupported),
        (Hash::Sha256, "SCRAM-SHA-256-PLUS", end_point),
        (Hash::Sha1, "SCRAM-SHA-1-PLUS", exporter()),
        (Hash::Sha256, "SCRAM-SHA-256", ClientBinding::Unsupported),
        (Hash::Sha1, "SCRAM-SHA-1", ClientBinding::Unsupported),
    ];
    for (hash, mechanism, binding) in cases {
        let mut pair = Pair::direct();
        pair.send(OPEN).opening();
        let answer = scram(&mut pair, hash, mechanism, binding, "pencil");
        assert_eq!(answer.name(), "success", "{mechanism}");
    }
}

#[test]
fn plain_without_initial_response() {
    let mut pair = Pair::direct();
    pair.send(OPEN).opening();
    assert!(pair.auth("PLAIN", None).challenge().is_empty());
    let answer = pair
        .respond(&plain_message(None, "ann", "pencil"))
        .element();
    assert_eq!((answer.name(), &*answer.text()), ("success", ""));
    assert_eq!(pair.attempts, [AttemptOutcome::Succeeded]);
}

#[test]
fn without_tls_where_that_is_allowed() {
    let mut settings = settings();
    settings.require_tls = false;
    let mut pair = Pair::new(settings, None);
    let (_, features) = pair.send(OPEN).opening();
    assert_eq!(names(&features), ["starttls", "mechanisms", "limits"]);
    assert!(names(&child(&features, "starttls")).is_empty());
    assert_eq!(pair.plain_login("pencil").element().name(), "success");
}

#[test]
fn octet_by_octet_is_the_same() {
    let (first, client) = ScramClient::start(
        Hash::Sha1,
        "ann",
        None,
        ClientBinding::Unsupported,
        &nonce(),
    );
    let mut chunked = Pair::plain();
    let mut dripped = Pair::plain();
    let drip = |pair: &mut Pair, text: &str| {
        for octet in text.bytes() {
            pair.send_octets(&[octet]);
        }
    };
    let auth = format!(
        "{OPEN} <auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>{}</auth>",
        encode_payload(&first)
    );
    for text in [&format!("{OPEN}\n{START_TLS}"), &auth] {
        chunked.send(text);
        drip(&mut dripped, text);
        if chunked.in_handshake {
            chunked.finish_handshake();
            dripped.finish_handshake();
        }
    }
    let Some(Token::Element(challenge)) = chunked.said().pop() else {
        panic!("no challenge")
    };
    let challenge = decode_payload(&challenge.text()).unwrap();
    let (last, _) = client.handle_challenge(&challenge, "pencil").unwrap();
    let rest = format!(
        "<response xmlns='{SASL}'>{}</response>{OPEN}{}<presence/> <iq type='get' id='r'>\
         <ping xmlns='urn:xmpp:ping'/></iq><message from='eve@office.example'/><presence/>",
        encode_payload(&last),
        bind("desk"),
    );
    chunked.send(&rest);
    drip(&mut dripped, &rest);
    assert_eq!(chunked.error().0, "invalid-from");
    assert_eq!(
        String::from_utf8(chunked.octets).unwrap(),
        String::from_utf8(dripped.octets).unwrap()
    );
    assert_eq!(
        format!("{:?}", chunked.actions),
        format!("{:?}", dripped.actions)
    );
}

#[test]
fn a_session_at_rest_is_small() {
    let mut pair = Pair::bound();
    pair.send("<presence/><message to='bob@office.example'><body>Hi</body></message>");
    let core = &pair.session.core;
    let kept = core.outbox.handled.bytes.capacity() + core.outbox.handled.actions.capacity();
    assert_eq!((kept, core.input.waiting()), (0, 0));
    let inline = size_of_val(&pair.session) + size_of::<Bound>();
    // Of it 24 are for the names of open elements, which a wrong end tag is told by.
    assert!(inline <= 512 + 24, "{inline} octets");
}
