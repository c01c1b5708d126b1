//! A session of Juliet's, and ways to look at what becomes of her stanzas.

use std::sync::Arc;

use minidom::Element;
use presence::{Address, Timestamp, Utc};

use crate::action::Action;
use crate::client::{Client, Handled, Service, Software};
use crate::print::Condition;
use crate::stream::StreamCondition;
use crate::time::Now;

pub(super) const NOW: Now = Now {
    at: Timestamp(90_500),
    utc: Utc(1_700_000_000_000),
};

pub(super) fn juliet() -> Client {
    let software = Software {
        name: "Adsum".to_owned(),
        version: "0.1 <beta>".to_owned(),
        os: None,
    };
    let service = Service::new(
        vec!["example.com".to_owned(), "example.org".to_owned()],
        software,
        Timestamp(500),
    );
    Client::new(
        Address::parse("juliet@example.com/balcony").unwrap(),
        Some(Arc::from("en")),
        Arc::new(service),
    )
}

/// What one stanza led to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) replies: Vec<Element>,
    pub(super) actions: Vec<Action>,
}

impl Outcome {
    pub(super) fn action(mut self) -> Action {
        assert!(self.replies.is_empty(), "{self:?}");
        assert_eq!(self.actions.len(), 1, "{self:?}");
        self.actions.remove(0)
    }

    pub(super) fn reply(mut self) -> Element {
        assert!(self.actions.is_empty(), "{self:?}");
        assert_eq!(self.replies.len(), 1, "{self:?}");
        self.replies.remove(0)
    }

    pub(super) fn nothing(&self) {
        assert!(
            self.actions.is_empty() && self.replies.is_empty(),
            "{self:?}"
        );
    }

    /// The only outcome is an error with this condition, its usual type and these attributes.
    pub(super) fn error(self, condition: Condition, id: Option<&str>, from: Option<&str>) {
        let reply = self.reply();
        assert_eq!(reply.attr("type"), Some("error"), "{reply:?}");
        assert_eq!(reply.attr("id"), id, "{reply:?}");
        assert_eq!(reply.attr("from"), from, "{reply:?}");
        assert_eq!(reply.attr("to"), Some("juliet@example.com/balcony"));
        let error = reply.get_child("error", "jabber:client").unwrap();
        let first = error.children().next().unwrap();
        assert_eq!(first.name(), condition.name());
        assert_eq!(first.ns(), "urn:ietf:params:xml:ns:xmpp-stanzas");
        assert_eq!(error.attr("type"), Some(condition.usual_type().as_str()));
    }
}

/// One element as the stream reader would hand it over.
pub(super) fn element(text: &str) -> xml::Element {
    xml::Element::stored(
        bytes::Bytes::copy_from_slice(text.as_bytes()),
        "jabber:client",
    )
    .unwrap()
}

pub(super) fn try_send(client: &mut Client, text: &str) -> Result<Outcome, StreamCondition> {
    let mut out = Handled::default();
    client.handle(NOW, &element(text), &mut out)?;
    Ok(Outcome {
        replies: stanzas(&out.bytes),
        actions: out.actions.into(),
    })
}

pub(super) fn send(client: &mut Client, text: &str) -> Outcome {
    try_send(client, text).unwrap()
}

/// From a session of its own.
pub(super) fn fresh(text: &str) -> Outcome {
    send(&mut juliet(), text)
}

/// Reads printed stanzas as a client would.
pub(super) fn stanzas(bytes: &[u8]) -> Vec<Element> {
    let mut all = b"<all xmlns='jabber:client'>".to_vec();
    all.extend_from_slice(bytes);
    all.extend_from_slice(b"</all>");
    let all = Element::from_reader(&*all).unwrap();
    all.children().cloned().collect()
}
