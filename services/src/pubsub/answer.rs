//! What is answered to requests (XEP-0060 §5 to §8; XEP-0163 §6).

use std::sync::Arc;

use bytes::Bytes;
use presence::{Address, Bare};
use xml::Writer;

use super::config::Config;
use super::error::Error;
use super::node::{Affiliation, Subscription};
use super::options::Options;
use super::{OWNER, PUBSUB};
use crate::disco::{INFO, ITEMS};
use crate::form::{self, Purpose};

const META_DATA: &str = "http://jabber.org/protocol/pubsub#meta-data";

/// What an account can as a service of publish-subscribe (XEP-0060 §10).
pub const fn account_features() -> &'static [&'static str] {
    &[
        PUBSUB,
        "http://jabber.org/protocol/pubsub#access-authorize",
        "http://jabber.org/protocol/pubsub#access-open",
        "http://jabber.org/protocol/pubsub#access-presence",
        "http://jabber.org/protocol/pubsub#access-roster",
        "http://jabber.org/protocol/pubsub#access-whitelist",
        "http://jabber.org/protocol/pubsub#auto-create",
        "http://jabber.org/protocol/pubsub#auto-subscribe",
        "http://jabber.org/protocol/pubsub#config-node",
        "http://jabber.org/protocol/pubsub#config-node-max",
        "http://jabber.org/protocol/pubsub#create-and-configure",
        "http://jabber.org/protocol/pubsub#create-nodes",
        "http://jabber.org/protocol/pubsub#delete-items",
        "http://jabber.org/protocol/pubsub#delete-nodes",
        "http://jabber.org/protocol/pubsub#filtered-notifications",
        "http://jabber.org/protocol/pubsub#instant-nodes",
        "http://jabber.org/protocol/pubsub#item-ids",
        "http://jabber.org/protocol/pubsub#last-published",
        "http://jabber.org/protocol/pubsub#leased-subscription",
        "http://jabber.org/protocol/pubsub#manage-subscriptions",
        "http://jabber.org/protocol/pubsub#member-affiliation",
        "http://jabber.org/protocol/pubsub#meta-data",
        "http://jabber.org/protocol/pubsub#modify-affiliations",
        "http://jabber.org/protocol/pubsub#multi-items",
        "http://jabber.org/protocol/pubsub#outcast-affiliation",
        "http://jabber.org/protocol/pubsub#persistent-items",
        "http://jabber.org/protocol/pubsub#publish",
        "http://jabber.org/protocol/pubsub#publish-only-affiliation",
        "http://jabber.org/protocol/pubsub#publish-options",
        "http://jabber.org/protocol/pubsub#publisher-affiliation",
        "http://jabber.org/protocol/pubsub#purge-nodes",
        "http://jabber.org/protocol/pubsub#retract-items",
        "http://jabber.org/protocol/pubsub#retrieve-affiliations",
        "http://jabber.org/protocol/pubsub#retrieve-default",
        "http://jabber.org/protocol/pubsub#retrieve-default-sub",
        "http://jabber.org/protocol/pubsub#retrieve-items",
        "http://jabber.org/protocol/pubsub#retrieve-subscriptions",
        "http://jabber.org/protocol/pubsub#subscribe",
        "http://jabber.org/protocol/pubsub#subscription-notifications",
        "http://jabber.org/protocol/pubsub#subscription-options",
    ]
}

/// An item as it is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub id: Arc<str>,
    /// Who published it, when it was not the owner.
    pub publisher: Option<Bare>,
    /// Its payload.
    pub payload: Bytes,
}

/// Something that was found by service discovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// A node; else an item.
    pub is_node: bool,
    /// What it is called.
    pub name: Arc<str>,
    /// For people.
    pub title: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are named after what they hold")]
pub enum Answer {
    /// It is done.
    Done,
    /// What a node is.
    Info {
        node: Arc<str>,
        config: Arc<Config>,
        items: usize,
    },
    /// The account: what it can is in the table of extensions.
    Account,
    /// Nodes or items.
    Discovered {
        node: Option<Arc<str>>,
        of: Bare,
        all: Vec<Discovered>,
    },
    /// One's own subscriptions.
    Subscriptions(Vec<(Arc<str>, Address, Subscription)>),
    /// One's own affiliations.
    Affiliations(Vec<(Arc<str>, Affiliation)>),
    /// A subscription was made; with options, when some came with the wish.
    Subscribed {
        node: Arc<str>,
        jid: Address,
        state: Subscription,
        options: Option<Options>,
    },
    /// How a subscription is configured.
    Options {
        node: Arc<str>,
        jid: Address,
        options: Options,
    },
    /// How subscriptions are configured by default.
    DefaultOptions { node: Option<Arc<str>> },
    /// Items.
    Items { node: Arc<str>, items: Vec<Held> },
    /// An item was published under this name.
    Published {
        node: Arc<str>,
        id: Option<Arc<str>>,
    },
    /// A node was made, under a name that was not asked for.
    Created { node: Arc<str> },
    /// A configuration; without a node the one that new nodes have.
    Config {
        node: Option<Arc<str>>,
        config: Arc<Config>,
    },
    /// All subscriptions to a node.
    AllSubscriptions {
        node: Arc<str>,
        all: Vec<(Address, Option<Subscription>)>,
    },
    /// All affiliations with a node.
    AllAffiliations {
        node: Arc<str>,
        all: Vec<(Bare, Option<Affiliation>)>,
    },
    /// A change of several was refused: what they are still (§8.8.2.4, §8.9.2.4).
    Unchanged { error: Error, still: Box<Answer> },
}

impl Answer {
    /// Writes what stands in the result.
    pub fn write(&self, to: &mut Writer<'_>) {
        match self {
            Self::Done | Self::Account => {}
            Self::Unchanged { still, .. } => still.write(to),
            Self::Info {
                node,
                config,
                items,
            } => info(to, node, config, *items),
            Self::Discovered { node, of, all } => discovered(to, node.as_deref(), of, all),
            Self::Config { .. } | Self::AllSubscriptions { .. } | Self::AllAffiliations { .. } => {
                to.start("pubsub").attribute("xmlns", OWNER);
                self.for_owner(to);
                to.end();
            }
            _ => {
                to.start("pubsub").attribute("xmlns", PUBSUB);
                self.for_anybody(to);
                to.end();
            }
        }
    }

    fn for_anybody(&self, to: &mut Writer<'_>) {
        match self {
            Self::Subscriptions(all) => {
                to.start("subscriptions");
                for (node, jid, state) in all {
                    subscription(to, Some(node), jid, Some(*state));
                }
                to.end();
            }
            Self::Affiliations(all) => {
                to.start("affiliations");
                for (node, affiliation) in all {
                    to.start("affiliation").attribute("node", node);
                    to.attribute("affiliation", affiliation.as_str()).end();
                }
                to.end();
            }
            Self::Subscribed {
                node,
                jid,
                state,
                options,
            } => {
                subscription(to, Some(node), jid, Some(*state));
                if let Some(options) = options {
                    to.start("options");
                    options.write(to, Purpose::Result);
                    to.end();
                }
            }
            Self::Options { node, jid, options } => {
                to.start("options").attribute("node", node);
                to.attribute("jid", &jid.to_string());
                options.write(to, Purpose::Form);
                to.end();
            }
            Self::DefaultOptions { node } => {
                to.start("default");
                if let Some(node) = node {
                    to.attribute("node", node);
                }
                Options::default().write(to, Purpose::Result);
                to.end();
            }
            Self::Items { node, items } => {
                to.start("items").attribute("node", node);
                for item in items {
                    to.start("item").attribute("id", &item.id);
                    if let Some(publisher) = &item.publisher {
                        to.attribute("publisher", publisher.as_str());
                    }
                    to.raw(&item.payload).end();
                }
                to.end();
            }
            Self::Published { node, id } => {
                to.start("publish").attribute("node", node);
                if let Some(id) = id {
                    to.start("item").attribute("id", id).end();
                }
                to.end();
            }
            Self::Created { node } => {
                to.start("create").attribute("node", node).end();
            }
            _ => {}
        }
    }

    fn for_owner(&self, to: &mut Writer<'_>) {
        match self {
            Self::Config { node, config } => {
                match node {
                    Some(node) => to.start("configure").attribute("node", node),
                    None => to.start("default"),
                };
                config.write(to, Purpose::Form);
                to.end();
            }
            Self::AllSubscriptions { node, all } => {
                to.start("subscriptions").attribute("node", node);
                for (jid, state) in all {
                    subscription(to, None, jid, *state);
                }
                to.end();
            }
            Self::AllAffiliations { node, all } => {
                to.start("affiliations").attribute("node", node);
                for (jid, affiliation) in all {
                    to.start("affiliation").attribute("jid", jid.as_str());
                    to.attribute(
                        "affiliation",
                        affiliation.map_or("none", Affiliation::as_str),
                    );
                    to.end();
                }
                to.end();
            }
            _ => {}
        }
    }
}

fn subscription(
    to: &mut Writer<'_>,
    node: Option<&str>,
    jid: &Address,
    state: Option<Subscription>,
) {
    to.start("subscription");
    if let Some(node) = node {
        to.attribute("node", node);
    }
    to.attribute("jid", &jid.to_string());
    let state = state.map_or("none", Subscription::as_str);
    to.attribute("subscription", state).end();
}

fn info(to: &mut Writer<'_>, node: &str, config: &Config, items: usize) {
    to.start("query").attribute("xmlns", INFO);
    to.attribute("node", node);
    to.start("identity").attribute("category", "pubsub");
    to.attribute("type", "leaf").end();
    for feature in [PUBSUB, INFO, ITEMS] {
        to.start("feature").attribute("var", feature).end();
    }
    form::begin(to, Purpose::Result, META_DATA);
    let count = items.to_string();
    for (name, value) in [
        ("pubsub#title", &*config.title),
        ("pubsub#description", &config.description),
        ("pubsub#type", &config.kind),
        ("pubsub#language", &config.language),
        ("pubsub#access_model", config.access.as_str()),
        ("pubsub#num_items", &count),
    ] {
        if !value.is_empty() {
            form::field(to, name, None, &[], &[value]);
        }
    }
    to.end();
    to.end();
}

fn discovered(to: &mut Writer<'_>, node: Option<&str>, of: &Bare, all: &[Discovered]) {
    to.start("query").attribute("xmlns", ITEMS);
    if let Some(node) = node {
        to.attribute("node", node);
    }
    for found in all {
        to.start("item").attribute("jid", of.as_str());
        if found.is_node {
            to.attribute("node", &found.name);
            if let Some(title) = &found.title {
                to.attribute("name", title);
            }
        } else {
            to.attribute("name", &found.name);
        }
        to.end();
    }
    to.end();
}
