//! The printers: what the model tells, as octets for a client.
#![expect(missing_docs, reason = "criterion makes functions without")]

use std::fmt::Write as _;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use presence::{
    Address, Bare, Item, Label, Message, MessageKind, MessageNative, Note, Roster,
    SubscriptionState, Utc,
};
use xmpp::action::IqContext;
use xmpp::print::{self, PresenceParts, Shown};

const CONTENT: &[u8] =
    b"<show>away</show><status xml:lang='en'>In a meeting until four</status><priority>5</priority>\
    <c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://client.example/caps' \
    ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>";

fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}

fn presence(c: &mut Criterion) {
    let from = address("ann@office.example/desk");
    for recipients in [1, 20] {
        let to: Vec<String> = (0..recipients)
            .map(|n| format!("contact{n}@office.example"))
            .collect();
        let mut out = Vec::with_capacity(16_384);
        c.bench_function(&format!("print: presence to {recipients}"), |b| {
            b.iter(|| {
                out.clear();
                let parts =
                    PresenceParts::new(&from, Shown::Available, Some("p7"), Some("en"), CONTENT);
                for to in &to {
                    parts.write(&mut out, to);
                }
                assert!(out.len() > recipients * CONTENT.len());
            });
        });
    }
}

fn message(c: &mut Criterion) {
    let stanza = "<message from='ann@office.example/desk' to='bob@office.example' type='chat' id='m7' xml:lang='en'>\
        <body>The band plays on and nobody in the room remembers how the song began.</body>\
        <request xmlns='urn:xmpp:receipts'/></message>";
    let message = Message {
        from: address("ann@office.example/desk"),
        to: address("bob@office.example"),
        kind: MessageKind::Chat,
        id: Some("m7".into()),
        thread: None,
        subjects: Vec::new(),
        bodies: Vec::new(),
        native: MessageNative::Xmpp(Bytes::from_static(stanza.as_bytes())),
        received: Utc(1_700_000_000_000),
        archived: None,
    };
    let phoned = Message {
        bodies: vec![Note {
            lang: None,
            text: "The band plays on and nobody in the room remembers how the song began.".into(),
        }],
        native: MessageNative::Sip {
            content_type: "text/plain".into(),
            body: Bytes::from_static(
                b"The band plays on and nobody in the room remembers how the song began.",
            ),
        },
        ..message.clone()
    };
    let session = address("bob@office.example/desk");
    let mut out = Vec::with_capacity(1024);
    for (name, message, to) in [
        ("print: message as it came", &message, None),
        ("print: message, readdressed", &message, Some(&session)),
        ("print: message of a phone", &phoned, Some(&session)),
    ] {
        c.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                print::message(&mut out, message, to, None);
                assert!(out.ends_with(b"</message>"));
            });
        });
    }
}

fn roster(c: &mut Criterion) {
    let iq = IqContext {
        id: "r1".into(),
        from: address("ann@office.example/desk"),
        to: None,
    };
    for contacts in [200, 2000] {
        let mut name = String::new();
        let items = (0..contacts).map(|n| {
            let contact = Bare::parse(&format!("contact{n}@office.example")).expect("an address");
            name.clear();
            let _ = write!(name, "Contact {n} <of Ann's>");
            Item {
                label: Label::new(Some(&name), &["Colleagues".to_owned()]),
                subscription: SubscriptionState::Both,
                ..Item::new(contact)
            }
        });
        let roster = Roster {
            version: 1_700_000_000_017,
            items: items.collect(),
            ..Roster::default()
        };
        let mut out = Vec::new();
        c.bench_function(&format!("print: roster of {contacts}"), |b| {
            b.iter(|| {
                out.clear();
                xmpp::answer::roster(&mut out, &iq, None, &roster);
                assert!(out.len() > contacts * 50);
            });
        });
    }
}

criterion_group!(benches, presence, message, roster);
criterion_main!(benches);
