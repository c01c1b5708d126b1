//! RFC 6121 §5, RFC 6120 §10.3.1, XEP-0160.

use presence::{Message, MessageKind, MessageNative, Note};

use super::common::{fresh, stanzas};
use crate::action::Action;
use crate::print::Condition;

struct Sent {
    message: Message,
    storable: bool,
    speakable: bool,
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
        Action::Message {
            message,
            storable,
            speakable,
        } => Sent {
            message,
            storable,
            speakable,
        },
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
            (sent.storable, sent.speakable),
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
            (sent.storable, sent.speakable),
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
