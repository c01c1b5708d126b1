//! MESSAGE, from phones and to phones.

use presence::{Address, Binding, Message, MessageKind, MessageNative, Note, Utc};
use sip::HeaderName;
use sip::transaction::Failure;

use super::*;

fn binding(n: u8, flow: &str) -> Binding {
    Binding {
        contact: format!("sip:bob@10.0.0.{n}").into(),
        instance: None,
        call_id: "1".into(),
        cseq: 1,
        expires: Utc(i64::MAX),
        q: 1000,
        path: Vec::new(),
        takes_message: true,
        flow: flow.into(),
        user_agent: None,
    }
}

fn message(text: &str) -> Message {
    Message {
        from: Address::parse("ann@office.example/Büro").unwrap(),
        to: Address::from(bob()),
        kind: MessageKind::Chat,
        id: None,
        thread: Some("t".into()),
        subjects: vec![Note {
            lang: None,
            text: "Lunch?".to_owned(),
        }],
        bodies: vec![Note {
            lang: Some("de".to_owned()),
            text: text.to_owned(),
        }],
        native: MessageNative::Xmpp(bytes::Bytes::new()),
        received: Utc(1_795_000_000_000),
        archived: None,
    }
}

fn offer(world: &mut World, bindings: &[Binding], message: &Message, stored: Option<u64>) {
    world
        .bridge
        .handle_message(world.now, &bob(), bindings, message, stored);
    world.run();
}

#[test]
fn from_a_phone() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    let lines =
        "Content-Type: text/plain;charset=ISO-8859-1\r\nSubject: Hi\r\nContent-Language: de\r\n";
    let mut request = phone.request("MESSAGE", "sip:bob@office.example;gr=desk", lines, "x");
    request.body = vec![b'f', 0xfc, b'r', b'\r', b'\n', 7].into();
    assert_eq!(phone.send(&mut world, request).status, 200);
    let message = world.model.messages.pop().unwrap();
    assert_eq!(message.from, Address::from(ann()));
    assert_eq!(message.to.to_string(), "bob@office.example/desk");
    assert_eq!(message.kind, MessageKind::Normal);
    assert_eq!(message.thread.as_deref(), Some("ann-1"));
    assert!(message.id.is_some());
    assert_eq!(
        message.bodies,
        [Note {
            lang: Some("de".to_owned()),
            text: "für\n".to_owned()
        }]
    );
    assert_eq!(message.subjects[0].text, "Hi");
    assert!(matches!(message.native, MessageNative::Sip { body, .. } if body.len() == 6));
}

#[test]
fn to_every_phone_and_taken_by_the_first() {
    let mut world = World::new();
    let mut proxied = binding(2, "tcp:192.0.2.9:5060#4");
    proxied.path = vec!["<sip:p.example;lr>".into()];
    let deaf = Binding {
        takes_message: false,
        ..binding(3, "udp:192.0.2.3:5060")
    };
    let over = Binding {
        expires: Utc(0),
        ..binding(4, "udp:192.0.2.4:5060")
    };
    offer(
        &mut world,
        &[binding(1, "udp:192.0.2.1:5060"), proxied, deaf, over],
        &message("Grüße"),
        Some(9),
    );
    assert_eq!(world.sent.len(), 2);
    let (first, second) = (
        world.sent.pop_front().unwrap(),
        world.sent.pop_front().unwrap(),
    );
    assert_eq!(first.request.uri.as_str(), "sip:bob@10.0.0.1");
    assert!(
        first
            .header(&HeaderName::From)
            .starts_with("<sip:ann@office.example;gr=B%C3%BCro>;tag=")
    );
    assert_eq!(first.header(&HeaderName::To), "<sip:bob@office.example>");
    assert_eq!(first.header(&HeaderName::ContentLanguage), "de");
    assert_eq!(first.header(&HeaderName::Subject), "Lunch?");
    assert_eq!(
        first.header(&HeaderName::Date),
        "Wed, 18 Nov 2026 11:06:40 GMT"
    );
    assert!(!first.request.headers.contains(&HeaderName::Contact));
    assert_eq!(first.request.body, "Grüße");
    assert_eq!(second.header(&HeaderName::Route), "<sip:p.example;lr>");
    assert_ne!(
        first.header(&HeaderName::CallId),
        second.header(&HeaderName::CallId)
    );
    // Offered again while it is on its way: once is enough.
    offer(
        &mut world,
        &[binding(1, "udp:192.0.2.1:5060")],
        &message("Grüße"),
        Some(9),
    );
    world.none();
    world.reply(&first, 486);
    assert!(world.model.taken.is_empty());
    world.reply(&second, 202);
    assert_eq!(world.model.taken, [9]);
    assert!(world.bridge.deliveries.is_empty());
}

#[test]
fn taken_by_nobody_it_stays() {
    let mut world = World::new();
    offer(
        &mut world,
        &[binding(1, "udp:192.0.2.1:5060")],
        &message("x"),
        Some(9),
    );
    let one = world.one();
    world.fail(&one, Failure::Timeout);
    assert!(world.model.taken.is_empty() && world.bridge.deliveries.is_empty());
    assert_eq!(world.model.not_taken, [9]);
    // Too long for a datagram: not sent; over a stream it is.
    let long = message(&"x".repeat(1200));
    offer(
        &mut world,
        &[binding(1, "udp:192.0.2.1:5060")],
        &long,
        Some(10),
    );
    world.none();
    assert_eq!(world.model.not_taken, [9, 10]);
    offer(
        &mut world,
        &[binding(1, "tcp:192.0.2.1:5060#1")],
        &long,
        Some(10),
    );
    let one = world.one();
    world.reply(&one, 200);
    assert_eq!(world.model.taken, [10]);
    assert!(world.bridge.deliveries.is_empty());
}

#[test]
fn one_at_a_time_to_each_phone() {
    let mut world = World::new();
    let to = [binding(1, "udp:192.0.2.1:5060")];
    for n in 0..3 {
        offer(&mut world, &to, &message(&format!("m{n}")), Some(n));
    }
    for n in 0..3_u64 {
        let one = world.one();
        assert_eq!(one.request.body, format!("m{n}"));
        world.reply(&one, 200);
    }
    assert_eq!(world.model.taken, [0, 1, 2]);
    // More than a phone can have waiting stay where they are.
    for n in 0..200 {
        offer(&mut world, &to, &message("x"), Some(100 + n));
    }
    // One is on its way and a hundred wait.
    let refused: Vec<u64> = (201..300).collect();
    assert_eq!(world.model.not_taken, refused);
    // What is on its way already is not answered before its phone does.
    offer(&mut world, &to, &message("x"), Some(150));
    assert_eq!(world.model.not_taken, refused);
    while let Some(one) = world.sent.pop_front() {
        world.fail(&one, Failure::Transport);
    }
    assert!(world.bridge.deliveries.is_empty());
}

#[test]
fn what_a_phone_is_not_sent() {
    let mut world = World::new();
    let to = [binding(1, "udp:192.0.2.1:5060")];
    let mut none = message("");
    none.bodies.clear();
    offer(&mut world, &to, &none, Some(1));
    // Nobody will answer for it: it is not taken.
    assert_eq!(world.model.not_taken, [1]);
    offer(&mut world, &to, &none, None);
    assert_eq!(world.model.not_taken, [1]);
    for kind in [MessageKind::Error, MessageKind::Groupchat] {
        offer(
            &mut world,
            &to,
            &Message {
                kind,
                ..message("x")
            },
            None,
        );
    }
    world.none();
    // A stanza that nobody has read; its marked-up body is not for phones.
    none.native = MessageNative::Xmpp("<message xml:lang='en'><html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p>no</p></body></html><body>a &lt; b</body></message>".into());
    offer(&mut world, &to, &none, None);
    let one = world.one();
    assert_eq!(one.request.body, "a < b");
    assert_eq!(one.header(&HeaderName::ContentLanguage), "en");
    world.reply(&one, 200);
    // From phone to phone the body goes as it is.
    none.native = MessageNative::Sip {
        content_type: "text/plain;charset=iso-8859-1".into(),
        body: vec![0xfc].into(),
    };
    offer(&mut world, &to, &none, None);
    let one = world.one();
    assert_eq!(
        (
            one.header(&HeaderName::ContentType).as_str(),
            &one.request.body[..]
        ),
        ("text/plain;charset=iso-8859-1", &[0xfc][..])
    );
    // What comes back to us is not taken for new.
    let phone = Phone::new("ann");
    let mut back = one
        .request
        .clone()
        .with(HeaderName::Via, "SIP/2.0/UDP x.example;branch=z9hG4bK1");
    back.uri = "sip:bob@office.example".parse().unwrap();
    assert_eq!(world.ask(&back, &phone.flow).status, 482);
}
