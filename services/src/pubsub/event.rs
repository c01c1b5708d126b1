//! What happens at a node, told (XEP-0060 §7.1.2, §7.2.2, §8; XEP-0163 §4).

use std::sync::Arc;

use bytes::Bytes;
use presence::{Address, Bare, Utc};
use xml::{Element, Writer};

use super::EVENT;
use super::SUBSCRIBE_AUTHORIZATION;
use super::config::Config;
use super::node::Subscription;
use crate::form::{self, Purpose};

const DELAY: &str = "urn:xmpp:delay";

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are named after what they hold")]
pub enum Event {
    /// An item is new or changed.
    Published {
        /// Nothing where there is no item.
        id: Option<Arc<str>>,
        /// Who published it, when it was not the owner.
        publisher: Option<Bare>,
        /// Nothing where payloads are not delivered.
        payload: Bytes,
    },
    /// An item is gone.
    Retracted { id: Arc<str> },
    /// All items are gone.
    Purged,
    /// The node is gone.
    Deleted,
    /// It is configured otherwise; how, where that is told.
    Configured { config: Option<Arc<Config>> },
    /// A subscription is another.
    Subscription {
        jid: Address,
        state: Option<Subscription>,
    },
    /// For the owner: somebody wants to subscribe, and he is to say whether he may (§8.6).
    Asked {
        jid: Address,
        /// Names the question.
        id: Arc<str>,
    },
}

/// A notification, for many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Whose node.
    pub owner: Bare,
    /// Which.
    pub node: Arc<str>,
    /// A headline, which nothing keeps.
    pub headline: bool,
    /// What.
    pub event: Event,
    /// When it happened, where that was not now.
    pub stamp: Option<Utc>,
}

impl Notification {
    /// The message that lacks only its recipient.
    pub fn print(&self) -> Option<xml::element::Template> {
        let mut out = Vec::with_capacity(256);
        self.write(&mut Writer::new(&mut out));
        let element = Element::stored(out.into(), "jabber:client").ok()?;
        Some(element.template(&[]))
    }

    fn write(&self, to: &mut Writer<'_>) {
        to.start("message").attribute("from", self.owner.as_str());
        if let Event::Asked { jid, id } = &self.event {
            to.attribute("id", id);
            self.ask(to, jid);
            to.end();
            return;
        }
        if self.headline {
            to.attribute("type", "headline");
        }
        to.start("event").attribute("xmlns", EVENT);
        self.write_event(to);
        to.end();
        if let Some(stamp) = self.stamp {
            to.start("delay").attribute("xmlns", DELAY);
            to.attribute("from", self.owner.as_str());
            to.attribute("stamp", &stamp.to_rfc3339()).end();
        }
        to.end();
    }

    /// The form in which the owner answers.
    fn ask(&self, to: &mut Writer<'_>, jid: &Address) {
        let (jid, node) = (jid.to_string(), &*self.node);
        to.start("body");
        to.text(&jid).text(" asks to subscribe to the node ");
        to.text(node).text(" of your account.").end();
        form::begin(to, Purpose::Form, SUBSCRIBE_AUTHORIZATION);
        form::field(to, "pubsub#node", Some("text-single"), &[], &[node]);
        let subscriber = "pubsub#subscriber_jid";
        form::field(to, subscriber, Some("jid-single"), &[], &[&jid]);
        form::field(to, "pubsub#allow", Some("boolean"), &[], &["0"]);
        to.end();
    }

    fn write_event(&self, to: &mut Writer<'_>) {
        let node = &*self.node;
        match &self.event {
            Event::Published {
                id,
                publisher,
                payload,
            } => {
                to.start("items").attribute("node", node);
                if let Some(id) = id {
                    to.start("item").attribute("id", id);
                    if let Some(publisher) = publisher {
                        to.attribute("publisher", publisher.as_str());
                    }
                    to.raw(payload).end();
                }
                to.end();
            }
            Event::Retracted { id } => {
                to.start("items").attribute("node", node);
                to.start("retract").attribute("id", id).end().end();
            }
            Event::Purged => {
                to.start("purge").attribute("node", node).end();
            }
            Event::Deleted => {
                to.start("delete").attribute("node", node).end();
            }
            Event::Configured { config } => {
                to.start("configuration").attribute("node", node);
                if let Some(config) = config {
                    config.write(to, Purpose::Result);
                }
                to.end();
            }
            Event::Subscription { jid, state } => {
                to.start("subscription").attribute("node", node);
                to.attribute("jid", &jid.to_string());
                to.attribute("subscription", state.map_or("none", Subscription::as_str));
                to.end();
            }
            Event::Asked { .. } => {}
        }
    }
}
