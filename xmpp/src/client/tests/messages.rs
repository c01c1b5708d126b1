//! RFC 6121 §5, RFC 6120 §10.3.1, XEP-0160.

use std::sync::Arc;

use presence::{Handling, Message, MessageKind, MessageNative, Note};

use super::common::{fresh, stanzas};
use crate::action::Action;
use crate::print::Condition;

struct Sent {
    message: Arc<Message>,
    handling: Handling,
}

impl Sent {
    fn stanza(&self) -> &str {
        match &self.message.native {
            MessageNative::Xmpp(bytes) => std::str::from_utf8(bytes).unwrap(),
            other @ MessageNative::Sip { .. } => {
                panic!("the native form should be a stanza, but is {other:?}")
            }
        }
    }
}

fn sent(text: &str) -> Sent {
    match fresh(text).action() {
        Action::Message { message, handling } => Sent { message, handling },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_is_stamped_and_otherwise_left_alone() {
    let sent = sent(
        "<message from='juliet@example.com' id='k' to='romeo@example.org/orchard' type='chat' xml:lang='it'><body>Art &amp; thou</body><x xmlns='urn:x'><y a=\"1\"/></x></message>",
    );
    assert_eq!(sent.message.from.to_string(), "juliet@example.com/balcony");
    assert_eq!(sent.message.to.to_string(), "romeo@example.org/orchard");
    assert_eq!(sent.message.id.as_deref(), Some("k"));
    assert_eq!(sent.message.kind, MessageKind::Chat);
    assert_eq!(sent.message.received, super::common::NOW.utc);
    let tree = &stanzas(sent.stanza().as_bytes())[0];
    assert_eq!(tree.attr("from"), Some("juliet@example.com/balcony"));
    assert_eq!(tree.attr("to"), Some("romeo@example.org/orchard"));
    assert_eq!(tree.attr("id"), Some("k"));
    assert!(
        sent.stanza()
            .contains("<body>Art &amp; thou</body><x xmlns='urn:x'><y a=\"1\"/></x></message>")
    );
    assert_eq!(sent.stanza().matches("xml:lang").count(), 1);
}

#[test]
fn the_language_of_the_stream_is_written_down() {
    let sent = sent("<message to='romeo@example.com'><body>a</body></message>");
    assert!(sent.stanza().contains("xml:lang='en'"), "{}", sent.stanza());
    assert_eq!(
        sent.message.bodies,
        [Note {
            lang: Some("en".to_owned()),
            text: "a".to_owned()
        }]
    );
}

#[test]
fn without_recipient_it_is_for_the_account_itself() {
    let sent = sent("<message><body>note to self</body></message>");
    assert_eq!(sent.message.to.to_string(), "juliet@example.com");
    assert!(sent.stanza().contains("to='juliet@example.com'"));
}

#[test]
fn unknown_types_are_normal() {
    for (text, kind) in [
        ("", MessageKind::Normal),
        ("type='normal'", MessageKind::Normal),
        ("type='made-up'", MessageKind::Normal),
        ("type='chat'", MessageKind::Chat),
        ("type='groupchat'", MessageKind::Groupchat),
        ("type='headline'", MessageKind::Headline),
        ("type='error'", MessageKind::Error),
    ] {
        let sent = sent(&format!(
            "<message {text} to='romeo@example.com'><body>a</body></message>"
        ));
        assert_eq!(sent.message.kind, kind);
        let conversation = matches!(kind, MessageKind::Normal | MessageKind::Chat);
        assert_eq!(
            (sent.handling.storable, sent.handling.speakable),
            (conversation, conversation),
            "{text}"
        );
    }
}

#[test]
fn what_is_worth_keeping_and_what_can_be_spoken() {
    for (content, storable, speakable) in [
        ("", false, false),
        ("<body>hi</body>", true, true),
        ("<body> \n</body>", true, false),
        ("<body/>", true, false),
        (
            "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
            false,
            false,
        ),
        (
            "<thread>t</thread><gone xmlns='http://jabber.org/protocol/chatstates'/>",
            false,
            false,
        ),
        (
            "<active xmlns='http://jabber.org/protocol/chatstates'/><body>hi</body>",
            true,
            true,
        ),
        ("<received xmlns='urn:xmpp:receipts' id='1'/>", true, false),
        ("<body xmlns='urn:other'>no body</body>", true, false),
        (
            "<html xmlns='urn:h'><body xmlns='jabber:client'>deep</body></html>",
            true,
            false,
        ),
    ] {
        let sent = sent(&format!(
            "<message type='chat' to='romeo@example.com'>{content}</message>"
        ));
        assert_eq!(
            (sent.handling.storable, sent.handling.speakable),
            (storable, speakable),
            "{content}"
        );
    }
}

#[test]
fn texts_come_with_their_languages() {
    let sent = sent(
        "<message to='romeo@example.com' xml:lang='fr'><subject xml:lang='cs'>&#x00DA;</subject><body>un</body><body xml:lang='de'>eins</body><thread>t1</thread></message>",
    );
    let note = |lang: &str, text: &str| Note {
        lang: Some(lang.to_owned()),
        text: text.to_owned(),
    };
    assert_eq!(sent.message.subjects, [note("cs", "\u{da}")]);
    assert_eq!(sent.message.bodies, [note("fr", "un"), note("de", "eins")]);
    assert_eq!(sent.message.thread.as_deref(), Some("t1"));
}

#[test]
fn the_server_itself_takes_no_messages() {
    for to in ["example.com", "example.org/admin"] {
        fresh(&format!(
            "<message id='1' to='{to}'><body>a</body></message>"
        ))
        .error(Condition::ServiceUnavailable, Some("1"), Some(to));
    }
}

fn handling(kind: &str, content: &str) -> Handling {
    let to = "romeo@example.com/orchard";
    sent(&format!(
        "<message type='{kind}' to='{to}'>{content}</message>"
    ))
    .handling
}

#[test]
fn what_other_devices_get_copies_of() {
    let invited = "<x xmlns='jabber:x:conference' jid='den@rooms.example.com'/>";
    let receipt = "<received xmlns='urn:xmpp:receipts' id='1'/>";
    let marker = "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>";
    let typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
    for (kind, content, copyable) in [
        ("chat", "<body>a</body>", true),
        ("chat", "", true),
        (
            "chat",
            "<private xmlns='urn:xmpp:carbons:2'/><body>a</body>",
            false,
        ),
        (
            "chat",
            "<body>a</body><no-copy xmlns='urn:xmpp:hints'/>",
            false,
        ),
        ("normal", "<body>a</body>", true),
        ("normal", "<x xmlns='urn:x'/>", false),
        ("normal", receipt, true),
        ("normal", marker, true),
        ("normal", typing, true),
        ("normal", invited, true),
        (
            "normal",
            "<body>a</body><no-copy xmlns='urn:xmpp:hints'/>",
            false,
        ),
        ("headline", "<body>a</body>", false),
        ("groupchat", "<body>a</body>", false),
        ("error", "<body>a</body><error type='cancel'/>", true),
        (
            "error",
            "<body>a</body><no-copy xmlns='urn:xmpp:hints'/>",
            true,
        ),
        ("error", "<error type='cancel'/>", false),
    ] {
        assert_eq!(
            handling(kind, content).copyable,
            copyable,
            "{kind} {content}"
        );
    }
}

#[test]
fn hints_say_whether_it_waits() {
    let body = "<body>a</body>";
    let hint = |name: &str| format!("<{name} xmlns='urn:xmpp:hints'/>");
    for (content, storable) in [
        (body.to_owned(), true),
        (format!("{body}{}", hint("no-store")), false),
        (format!("{body}{}", hint("no-permanent-store")), true),
        (hint("store"), true),
        (hint("no-copy"), false),
        (format!("{}{}", hint("store"), hint("no-store")), false),
    ] {
        assert_eq!(handling("chat", &content).storable, storable, "{content}");
    }
    assert!(!handling("headline", &hint("store")).storable);
    assert!(!handling("error", &hint("store")).storable);
}

/// What stands in the stanza that is passed on, without its start tag.
fn passed_on(to: &str, content: &str) -> String {
    let sent = sent(&format!(
        "<message id='&gt;' to='{to}' type='chat'>{content}</message>"
    ));
    let stanza = sent.stanza();
    let end = stanza.find('>').unwrap();
    stanza[end + 1..].trim_end_matches("</message>").to_owned()
}

#[test]
fn nobody_speaks_in_our_name() {
    let romeo = "romeo@example.com/orchard";
    for forged in [
        "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='romeo@example.com'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='Romeo@EXAMPLE.com'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='juliet@example.com'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='example.org'></stanza-id>",
        "<s:stanza-id xmlns:s='urn:xmpp:sid:0' id='1' by='romeo@example.com'/>",
        "<private xmlns='urn:xmpp:carbons:2'/>",
        "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received>",
        "<sent xmlns='urn:xmpp:carbons:2'/>",
        "<result xmlns='urn:xmpp:mam:2' id='1'/>",
        "<delay xmlns='urn:xmpp:delay' from='example.com' stamp='2020-01-01T00:00:00Z'/>",
        "<delay xmlns='urn:xmpp:delay' from='romeo@example.com' stamp='2020-01-01T00:00:00Z'/>",
    ] {
        let around = format!("<body>a</body>{forged}<x xmlns='urn:x'/>{forged}");
        assert_eq!(
            passed_on(romeo, &around),
            "<body>a</body><x xmlns='urn:x'/>",
            "{forged}"
        );
        assert_eq!(passed_on(romeo, forged), "", "{forged}");
    }
}

#[test]
fn what_is_not_ours_is_left_alone() {
    for content in [
        "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='rooms.elsewhere.example'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' id='1'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='@'/>",
        "<stanza-id xmlns='urn:x' id='1' by='romeo@example.com'/>",
        "<origin-id xmlns='urn:xmpp:sid:0' id='1'/>",
        "<no-copy xmlns='urn:xmpp:hints'/>",
        "<delay xmlns='urn:xmpp:delay' from='juliet@example.com/balcony' stamp='2020-01-01T00:00:00Z'/>",
        "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>",
        // Deeper it means nothing.
        "<x xmlns='urn:x'><stanza-id xmlns='urn:xmpp:sid:0' id='1' by='romeo@example.com'/></x>",
        // Receipts, markers, corrections, retractions, reactions, replies (XEP-0184, 0333, 0308, 0424, 0444, 0461).
        "<received xmlns='urn:xmpp:receipts' id='1'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>",
        "<body>b</body><replace xmlns='urn:xmpp:message-correct:0' id='1'/>",
        "<retract xmlns='urn:xmpp:message-retract:1' id='1'/><fallback xmlns='urn:xmpp:fallback:0'/>",
        "<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>&#128077;</reaction></reactions>",
        "<reply xmlns='urn:xmpp:reply:0' id='1' to='romeo@example.com/a'/><body>c</body>",
    ] {
        assert_eq!(passed_on("romeo@example.com/orchard", content), content);
    }
}
