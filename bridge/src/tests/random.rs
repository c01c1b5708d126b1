//! Whatever is sent, nothing breaks, and each request has one answer.

use proptest::prelude::*;
use sip::HeaderName;

use super::world::parse;
use super::*;

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "REGISTER",
        "PUBLISH",
        "SUBSCRIBE",
        "NOTIFY",
        "MESSAGE",
        "OPTIONS",
        "INVITE",
        "CANCEL",
        "X",
    ])
}

fn uri() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "sip:bob@office.example",
        "sip:ann@office.example",
        "sip:office.example",
        "sips:bob@b.example",
        "sip:b%FFb@office.example",
        "tel:+49",
        "sip:bob@192.0.2.9:99;x=y",
        "sip:far.example",
    ])
    .prop_map(str::to_owned)
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "Event: presence",
            "Event: presence;id=1",
            "Event: message-summary",
            "Event: x",
            "Contact: <sip:ann@10.0.0.1>",
            "Contact: *",
            "Contact: <sip:ann@10.0.0.2>;expires=0;q=0.2",
            "Content-Type: application/pidf+xml",
            "Content-Type: text/plain",
            "Content-Type: text/plain;charset=x",
            "Accept: application/pidf+xml",
            "Accept: text/*",
            "Require: x",
            "Supported: path",
            "Path: <sip:p;lr>",
            "Max-Forwards: 0",
            "SIP-If-Match: tag-1",
            "Subject: \u{e9}\u{1}",
            "Content-Language: de, en",
            "Record-Route: <sip:p.example;lr>",
            "Authorization: Digest username=\"ann\"",
            "Allow: MESSAGE",
        ])
        .prop_map(str::to_owned),
        (0_u64..9_000_000_000).prop_map(|n| format!("Expires: {n}")),
        "[ -~]{0,30}".prop_map(|text| format!("X: {text}")),
    ]
}

fn body() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just(super::answers::document("sip:ann@office.example")),
        "[ -~<>]{0,60}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn one_answer_each(
        requests in prop::collection::vec((method(), uri(), prop::collection::vec(line(), 0..7), body(), 0_u32..40, any::<bool>()), 1..12),
        auth in any::<bool>(),
        answers in prop::collection::vec(prop::sample::select(vec![200_u16, 202, 302, 404, 481, 500, 503, 603]), 12),
    ) {
        let mut world = World::with(|c| c.require_auth = auth);
        let mut phone = Phone::new("ann");
        let mut last = None;
        for (n, (method, uri, lines, body, seconds, in_dialog)) in requests.into_iter().enumerate() {
            let dialog = match (&last, in_dialog) {
                (Some(to), true) => format!("Call-ID: ann-1\r\nTo: {to}\r\n"),
                _ => format!("Call-ID: ann-1\r\nTo: <{uri}>\r\n"),
            };
            let lines = lines.join("\r\n");
            let lines = if lines.is_empty() { lines } else { format!("{lines}\r\n") };
            let text = format!(
                "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK{n}\r\nFrom: <sip:ann@office.example>;tag=a\r\nCSeq: {n} {method}\r\n{dialog}{lines}\r\n{body}"
            );
            let Ok(sip::Message::Request(_)) = sip::parse(&bytes::Bytes::from(text.clone())) else { continue };
            let response = phone.send(&mut world, parse(&text));
            prop_assert!((200..700).contains(&response.status));
            if response.status == 200 && method == "SUBSCRIBE" {
                last = response.headers.get(&HeaderName::To).map(str::to_owned);
            }
            world.model.present(&bob(), None, &format!("{n}"));
            world.changed(&bob());
            if let Some(sent) = world.sent.pop_front() {
                let status = answers.get(n).copied().unwrap_or(200);
                world.reply(&sent, status);
            }
            world.pass(std::time::Duration::from_secs(u64::from(seconds) * 20));
        }
        // In the end nothing is left.
        for _ in 0..40 {
            while let Some(sent) = world.sent.pop_front() {
                world.reply(&sent, 200);
            }
            world.pass(std::time::Duration::from_secs(4000));
        }
        prop_assert_eq!(world.bridge.subscription_count(), 0);
        prop_assert!(world.bridge.subscriptions.is_clean());
        prop_assert!(world.model.watches.is_empty());
        prop_assert!(world.bridge.waiting.is_empty());
        prop_assert!(world.bridge.sending.is_empty());
    }
}
