//! Conversations after XEP-0114 §3 and its errors.
#![expect(clippy::unwrap_used, reason = "tests")]

use presence::Utc;

use super::*;
use crate::client::Software;

const NOW: Now = Now {
    at: Timestamp(1000),
    utc: Utc(1_700_000_000_000),
};
const HEADER: &str = "<stream:stream xmlns='jabber:component:accept' \
                      xmlns:stream='http://etherx.jabber.org/streams' to='plays.example.com'>";
// SHA-1 of "3BF96D32" and "secret".
const PROOF: &str = "b09ea9b3b7f586be8a08d0a3dd7466f110aeb136";

fn component() -> Component {
    let software = Software {
        name: "Adsum".into(),
        version: "0".into(),
        os: None,
    };
    let mut service = Service::new(vec!["example.com".into()], software, Timestamp(0));
    service.components = vec!["plays.example.com".into()];
    let secrets = [("plays.example.com".to_owned(), "secret".to_owned())];
    let settings = Settings {
        service: Arc::new(service),
        secrets: Arc::new(secrets.into()),
        limits: Limits {
            max_bytes: 1000,
            ..Limits::generous()
        },
        deadline: Timestamp(31_000),
    };
    Component::new(settings, "3BF96D32".into())
}

/// What is sent, and the names of what else is to be done.
fn drain(component: &mut Component) -> (String, Vec<Output>) {
    let (mut sent, mut rest) = (Vec::new(), Vec::new());
    while let Some(output) = component.poll_output() {
        match output {
            Output::Send(octets) => sent.extend(octets),
            other => rest.push(other),
        }
    }
    (String::from_utf8(sent).unwrap(), rest)
}

fn joined() -> Component {
    let mut component = component();
    let text = format!("{HEADER}<handshake>{PROOF}</handshake>");
    component.handle_bytes(NOW, text.as_bytes());
    let (sent, rest) = drain(&mut component);
    assert!(
        sent.contains("id='3BF96D32'") && sent.contains("from='plays.example.com'"),
        "{sent}"
    );
    assert!(sent.contains("xmlns='jabber:component:accept'"), "{sent}");
    assert!(matches!(&*rest, [Output::Join(domain)] if domain == "plays.example.com"));
    component.joined(NOW);
    assert_eq!(drain(&mut component).0, "<handshake/>");
    component
}

fn ends(component: &mut Component, condition: &str) {
    let (sent, rest) = drain(component);
    assert!(sent.contains(&format!("<{condition} ")), "{sent}");
    assert!(sent.ends_with("</stream:stream>"), "{sent}");
    assert!(matches!(rest.last(), Some(Output::Close)), "{rest:?}");
}

#[test]
fn a_component_joins_and_what_was_sent_behind_the_handshake_is_taken() {
    let mut component = component();
    let text = format!(
        "{HEADER}<handshake>{PROOF}</handshake>\
         <presence from='x@plays.example.com' to='ann@example.com' type='subscribe'/>"
    );
    for octet in text.as_bytes() {
        component.handle_bytes(NOW, &[*octet]);
    }
    assert_eq!(drain(&mut component).1.len(), 1);
    component.joined(NOW);
    let (_, rest) = drain(&mut component);
    let [Output::Act { from, action }] = &*rest else {
        panic!("{rest:?}");
    };
    assert_eq!(from.to_string(), "x@plays.example.com");
    assert!(matches!(**action, Action::Subscription { .. }));
}

#[test]
fn headers_that_cannot_be_served_are_refused() {
    for (from, to, condition) in [
        ("plays.example.com", "nothing.example.com", "host-unknown"),
        ("to='plays.example.com'", "", "host-unknown"),
        (
            "jabber:component:accept",
            "jabber:client",
            "invalid-namespace",
        ),
        (
            "http://etherx.jabber.org/streams",
            "urn:x",
            "invalid-namespace",
        ),
    ] {
        let mut component = component();
        component.handle_bytes(NOW, HEADER.replace(from, to).as_bytes());
        ends(&mut component, condition);
    }
}

#[test]
fn who_does_not_know_the_secret_does_not_join() {
    for handshake in [
        "<handshake>0000000000000000000000000000000000000000</handshake>",
        "<handshake/>",
        "<message from='x@plays.example.com' to='ann@example.com'/>",
    ] {
        let mut component = component();
        component.handle_bytes(NOW, format!("{HEADER}{handshake}").as_bytes());
        ends(&mut component, "not-authorized");
    }
    let mut component = component();
    component.handle_bytes(NOW, HEADER.as_bytes());
    drain(&mut component);
    let late = Now {
        at: Timestamp(31_000),
        ..NOW
    };
    assert_eq!(component.poll_timeout(), Some(late.at));
    component.handle_timeout(late);
    ends(&mut component, "connection-timeout");
}

#[test]
fn a_second_one_of_the_same_domain_is_a_conflict() {
    let mut component = component();
    let text = format!("{HEADER}<handshake>{PROOF}</handshake>");
    component.handle_bytes(NOW, text.as_bytes());
    drain(&mut component);
    component.end(StreamCondition::Conflict, None);
    ends(&mut component, "conflict");
}

#[test]
fn addresses_of_others_end_the_stream() {
    for from in [
        "from='ann@example.com'",
        "from='x@sub.plays.example.com'",
        "",
        "from='@'",
    ] {
        let mut component = joined();
        let stanza = format!("<message {from} to='ann@example.com'><body>x</body></message>");
        component.handle_bytes(NOW, stanza.as_bytes());
        ends(&mut component, "invalid-from");
    }
    for (stanza, condition) in [
        ("<nothing/>", "unsupported-stanza-type"),
        ("<message", ""),
        ("</message>", "not-well-formed"),
    ] {
        let mut component = joined();
        component.handle_bytes(NOW, stanza.as_bytes());
        if !condition.is_empty() {
            ends(&mut component, condition);
        }
    }
    let mut component = joined();
    component.handle_bytes(NOW, format!("<message>{}", "x".repeat(2000)).as_bytes());
    ends(&mut component, "policy-violation");
}

#[test]
fn bad_stanzas_are_answered_and_the_stream_goes_on() {
    let mut component = joined();
    for (stanza, condition) in [
        (
            "<iq from='plays.example.com' id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
            "bad-request",
        ),
        (
            "<iq from='plays.example.com' id='1' type='get' to='@'><ping xmlns='urn:xmpp:ping'/></iq>",
            "jid-malformed",
        ),
        (
            "<iq from='plays.example.com' id='1' type='get' to='example.com'><x xmlns='y'/></iq>",
            "service-unavailable",
        ),
        (
            "<message from='plays.example.com' to='ann@elsewhere.example'/>",
            "remote-server-not-found",
        ),
    ] {
        component.handle_bytes(NOW, stanza.as_bytes());
        let (sent, rest) = drain(&mut component);
        assert!(sent.contains(condition) && rest.is_empty(), "{sent}");
        assert!(sent.contains("to='plays.example.com'"), "{sent}");
    }
    let ping = "<iq from='x@plays.example.com/y' id='1' type='get' to='example.com'><ping xmlns='urn:xmpp:ping'/></iq>";
    component.handle_bytes(NOW, ping.as_bytes());
    let (sent, _) = drain(&mut component);
    assert!(sent.contains("type='result'"), "{sent}");
    component.handle_bytes(NOW, b"</stream:stream>");
    let (sent, rest) = drain(&mut component);
    assert_eq!(sent, "</stream:stream>");
    assert!(matches!(&*rest, [Output::Close]));
}

#[test]
fn stanzas_change_their_namespace() {
    let mut component = joined();
    let stanza = "<message xmlns='jabber:component:accept' to='ann@example.com' \
                  from='X@plays.example.com'><body>hi</body></message>";
    component.handle_bytes(NOW, stanza.as_bytes());
    let (_, mut rest) = drain(&mut component);
    let Some(Output::Act { action, .. }) = rest.pop() else {
        panic!("a message");
    };
    let Action::Message { message, .. } = *action else {
        panic!("a message");
    };
    assert_eq!(message.from.to_string(), "x@plays.example.com");
    assert_eq!(message.bodies[0].text, "hi");
    let presence::MessageNative::Xmpp(native) = &message.native else {
        panic!("XMPP");
    };
    let native = String::from_utf8(native.to_vec()).unwrap();
    assert!(!native.contains("component:accept"), "{native}");
    assert!(native.contains("from='x@plays.example.com'"), "{native}");
    let there = for_component(b"<message xmlns='jabber:client' to='x'><body/></message>".to_vec());
    assert_eq!(there, b"<message to='x'><body/></message>");
    let same = b"<message to='x'><y xmlns='z'/></message>".to_vec();
    assert_eq!(for_component(same.clone()), same);
}
