//! What somebody wants of an account's nodes (XEP-0060 §5 to §8), read.

use std::sync::Arc;

use bytes::Bytes;
use presence::{Address, Bare};
use xml::{Child, Element};

use super::error::Error;
use super::node::{Affiliation, Subscription};
use super::{OWNER, PUBSUB, SUBSCRIBE_AUTHORIZATION};
use crate::form::{Field, Form, Purpose, boolean};

/// Longest name of a node or of an item.
const NAME: usize = 1023;
/// The namespace of XEP-0059.
const RSM: &str = "http://jabber.org/protocol/rsm";

/// Whether something is asked for or to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `type='get'`
    Get,
    /// `type='set'`
    Set,
}

/// An item that is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name; the server makes one where there is none.
    pub id: Option<Arc<str>>,
    /// The payload: one element that declares its namespaces itself. Nothing for a mere notice.
    pub payload: Bytes,
}

/// A request. What it names as node has one octet at least.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are named after what they hold")]
pub enum Request {
    /// What a node is, or the account as a whole (§5.3, §5.4).
    Info { node: Option<Arc<str>> },
    /// Which nodes there are, or which items a node has (§5.2, §5.5).
    Discover { node: Option<Arc<str>> },
    /// One's own subscriptions (§5.6).
    Subscriptions { node: Option<Arc<str>> },
    /// One's own affiliations (§5.7).
    Affiliations { node: Option<Arc<str>> },
    /// (§6.1)
    Subscribe {
        node: Arc<str>,
        jid: Address,
        options: Option<Form>,
    },
    /// (§6.2)
    Unsubscribe { node: Arc<str>, jid: Address },
    /// How a subscription is configured (§6.3.2).
    ReadOptions { node: Arc<str>, jid: Address },
    /// (§6.3.5); `None`: it stays as it is.
    SetOptions {
        node: Arc<str>,
        jid: Address,
        options: Option<Form>,
    },
    /// How subscriptions are configured by default (§6.4).
    DefaultOptions { node: Option<Arc<str>> },
    /// Items: these, or so many of the latest (§6.5).
    Items {
        node: Arc<str>,
        ids: Vec<Arc<str>>,
        most: Option<usize>,
    },
    /// (§7.1)
    Publish {
        node: Arc<str>,
        item: Option<Item>,
        options: Option<Form>,
    },
    /// (§7.2)
    Retract {
        node: Arc<str>,
        id: Arc<str>,
        notify: bool,
    },
    /// (§8.1); without a name the server makes one.
    Create {
        node: Option<Arc<str>>,
        config: Option<Form>,
    },
    /// (§8.2)
    ReadConfig { node: Arc<str> },
    /// (§8.2.4); `None`: it stays as it is.
    Configure {
        node: Arc<str>,
        config: Option<Form>,
    },
    /// (§8.3)
    DefaultConfig,
    /// (§8.4)
    Delete { node: Arc<str> },
    /// (§8.5)
    Purge { node: Arc<str> },
    /// The owner says whether somebody may subscribe who asked (§8.6).
    Authorize {
        node: Arc<str>,
        jid: Address,
        allow: bool,
    },
    /// (§8.8.1)
    ReadSubscriptions { node: Arc<str> },
    /// (§8.8.2); `None`: none any more.
    SetSubscriptions {
        node: Arc<str>,
        all: Vec<(Address, Option<Subscription>)>,
    },
    /// (§8.9.1)
    ReadAffiliations { node: Arc<str> },
    /// (§8.9.2); `None`: none any more.
    SetAffiliations {
        node: Arc<str>,
        all: Vec<(Bare, Option<Affiliation>)>,
    },
}

impl Request {
    /// Reads `<pubsub/>` of either namespace.
    ///
    /// # Errors
    /// What is wrong with it, as XEP-0060 names it.
    pub fn read(pubsub: &Child<'_>, kind: Kind) -> Result<Self, Error> {
        let children: Vec<Child<'_>> = pubsub.children().collect();
        let first = children
            .iter()
            .find(|c| !matches!(c.name(), "configure" | "publish-options" | "options"))
            .or_else(|| children.first())
            .ok_or(Error::BadRequest)?;
        let more = |name: &str| {
            let found = children.iter().find(|c| c.name() == name);
            found.filter(|_| first.name() != name)
        };
        match (pubsub.namespace(), kind, first.name()) {
            (PUBSUB, Kind::Get, "subscriptions") => Ok(Self::Subscriptions {
                node: optional(first)?,
            }),
            (PUBSUB, Kind::Get, "affiliations") => Ok(Self::Affiliations {
                node: optional(first)?,
            }),
            (PUBSUB, Kind::Set, "subscribe") => {
                let options = children.iter().skip_while(|c| c.name() != "subscribe");
                let options = options.skip(1).find(|c| c.name() == "options");
                Ok(Self::Subscribe {
                    node: node(first)?,
                    jid: jid(first)?,
                    options: match (options, more("options")) {
                        (Some(options), _) => options_of_new(options)?,
                        // They must follow (§6.3.8).
                        (None, Some(_)) => return Err(Error::BadRequest),
                        (None, None) => None,
                    },
                })
            }
            (PUBSUB, Kind::Set, "unsubscribe") => {
                no_subid(first)?;
                Ok(Self::Unsubscribe {
                    node: node(first)?,
                    jid: jid(first)?,
                })
            }
            (PUBSUB, _, "options") => {
                no_subid(first)?;
                let (node, jid) = (node(first)?, jid(first)?);
                Ok(match kind {
                    Kind::Get => Self::ReadOptions { node, jid },
                    Kind::Set => Self::SetOptions {
                        node,
                        jid,
                        options: filled(first)?,
                    },
                })
            }
            (PUBSUB, Kind::Get, "default") => Ok(Self::DefaultOptions {
                node: optional(first)?,
            }),
            (PUBSUB, Kind::Get, "items") => Self::items(first, pubsub),
            (PUBSUB, Kind::Set, "publish") => Self::publish(first, more("publish-options")),
            (PUBSUB, Kind::Set, "retract") => Self::retract(first),
            (PUBSUB, Kind::Set, "create") => Ok(Self::Create {
                node: optional(first)?,
                config: more("configure").map(filled).transpose()?.flatten(),
            }),
            (OWNER, Kind::Get, "default") => match first.attribute("type").as_deref() {
                None | Some("" | "leaf") => Ok(Self::DefaultConfig),
                Some("collection") => Err(Error::Unsupported("collections")),
                Some(_) => Err(Error::BadRequest),
            },
            // XEP-0248 is not done.
            (OWNER, _, "collection") => Err(Error::Unsupported("collections")),
            (OWNER, _, _) => Self::by_owner(first, kind),
            _ => Err(Error::BadRequest),
        }
    }

    fn by_owner(first: &Child<'_>, kind: Kind) -> Result<Self, Error> {
        let node = node(first)?;
        match (kind, first.name()) {
            (Kind::Get, "configure") => Ok(Self::ReadConfig { node }),
            (Kind::Set, "configure") => Ok(Self::Configure {
                node,
                config: filled(first)?,
            }),
            (Kind::Set, "delete") => Ok(Self::Delete { node }),
            (Kind::Set, "purge") => Ok(Self::Purge { node }),
            (Kind::Get, "subscriptions") => Ok(Self::ReadSubscriptions { node }),
            (Kind::Set, "subscriptions") => {
                let all = first.children().filter(|c| c.is("subscription", OWNER));
                // What has no state is not to be changed (§8.8.2.1).
                let all = all.filter_map(|c| Some((jid(&c), c.attribute("subscription")?)));
                let all = all.map(|(jid, state)| {
                    let state = match &*state {
                        "none" => None,
                        state => Some(Subscription::parse(state).ok_or(Error::NotAcceptable)?),
                    };
                    Ok((jid?, state))
                });
                let all = all.collect::<Result<_, _>>()?;
                Ok(Self::SetSubscriptions { node, all })
            }
            (Kind::Get, "affiliations") => Ok(Self::ReadAffiliations { node }),
            (Kind::Set, "affiliations") => {
                let all = first.children().filter(|c| c.is("affiliation", OWNER));
                let all = all.filter_map(|c| Some((jid(&c), c.attribute("affiliation")?)));
                let all = all.map(|(jid, affiliation)| {
                    let affiliation = match &*affiliation {
                        "none" => None,
                        name => Some(Affiliation::parse(name).ok_or(Error::NotAcceptable)?),
                    };
                    Ok((jid?.bare, affiliation))
                });
                let all: Vec<(Bare, _)> = all.collect::<Result<_, _>>()?;
                let mut named: Vec<&Bare> = all.iter().map(|(who, _)| who).collect();
                named.sort_unstable();
                // Nobody twice (§8.9.2.4).
                if named.windows(2).any(|pair| pair.first() == pair.last()) {
                    return Err(Error::BadRequest);
                }
                Ok(Self::SetAffiliations { node, all })
            }
            _ => Err(Error::BadRequest),
        }
    }

    fn items(items: &Child<'_>, pubsub: &Child<'_>) -> Result<Self, Error> {
        no_subid(items)?;
        let ids = items.children().filter(|c| c.is("item", PUBSUB));
        let ids = ids.map(|c| match c.attribute("id") {
            Some(id) if !id.is_empty() => Ok(Arc::from(&*id)),
            _ => Err(Error::BadRequest),
        });
        let max = items.attribute("max_items");
        let max = max.map(|max| max.parse::<usize>().ok().filter(|n| *n > 0));
        let max = match max {
            Some(None) => return Err(Error::BadRequest),
            Some(max) => max,
            None => None,
        };
        // Of XEP-0059 the size of a page counts, which is that of the latest.
        let page = pubsub
            .child("set", RSM)
            .and_then(|set| set.child("max", RSM));
        let page = page.and_then(|max| max.text().trim().parse::<usize>().ok());
        Ok(Self::Items {
            node: node(items)?,
            ids: ids.collect::<Result<_, _>>()?,
            most: max.or(page),
        })
    }

    fn publish(publish: &Child<'_>, options: Option<&Child<'_>>) -> Result<Self, Error> {
        let node = node(publish)?;
        let mut items = publish.children().filter(|c| c.is("item", PUBSUB));
        let item = items.next().map(|item| read_item(&item)).transpose()?;
        if items.next().is_some() {
            return Err(Error::BadRequest);
        }
        let options = options.map(|options| {
            Form::in_children(options)
                .filter(|form| form.purpose == Purpose::Submit)
                .ok_or(Error::BadRequest)
        });
        Ok(Self::Publish {
            node,
            item,
            options: options.transpose()?,
        })
    }

    fn retract(retract: &Child<'_>) -> Result<Self, Error> {
        let node = node(retract)?;
        let mut items = retract.children().filter(|c| c.is("item", PUBSUB));
        let item = items.next().ok_or(Error::ItemRequired)?;
        let id = item.attribute("id").filter(|id| !id.is_empty());
        if items.next().is_some() {
            return Err(Error::BadRequest);
        }
        let notify = retract.attribute("notify");
        Ok(Self::Retract {
            node,
            id: Arc::from(&*id.ok_or(Error::ItemRequired)?),
            notify: notify.is_some_and(|n| boolean(&n) == Some(true)),
        })
    }

    /// It changes nothing.
    pub fn only_reads(&self) -> bool {
        matches!(
            self,
            Self::Info { .. }
                | Self::Discover { .. }
                | Self::Subscriptions { .. }
                | Self::Affiliations { .. }
                | Self::ReadOptions { .. }
                | Self::DefaultOptions { .. }
                | Self::Items { .. }
                | Self::ReadConfig { .. }
                | Self::DefaultConfig
                | Self::ReadSubscriptions { .. }
                | Self::ReadAffiliations { .. }
        )
    }

    /// The node that it is about.
    pub fn node(&self) -> Option<&Arc<str>> {
        match self {
            Self::Info { node }
            | Self::Discover { node }
            | Self::Subscriptions { node }
            | Self::Affiliations { node }
            | Self::DefaultOptions { node }
            | Self::Create { node, .. } => node.as_ref(),
            Self::Subscribe { node, .. }
            | Self::Unsubscribe { node, .. }
            | Self::ReadOptions { node, .. }
            | Self::SetOptions { node, .. }
            | Self::Authorize { node, .. }
            | Self::Items { node, .. }
            | Self::Publish { node, .. }
            | Self::Retract { node, .. }
            | Self::ReadConfig { node }
            | Self::Configure { node, .. }
            | Self::Delete { node }
            | Self::Purge { node }
            | Self::ReadSubscriptions { node }
            | Self::SetSubscriptions { node, .. }
            | Self::ReadAffiliations { node }
            | Self::SetAffiliations { node, .. } => Some(node),
            Self::DefaultConfig => None,
        }
    }
}

/// The owner's answer to the question whether somebody may subscribe (§8.6), read from a form of a message. `None` for another form;
/// `Some(Ok(None))` where he does not answer.
///
/// # Errors
/// `bad-request` where it does not say who, where or what.
pub fn authorization(form: &Form) -> Option<Result<Option<Request>, Error>> {
    if form.kind.as_deref() != Some(SUBSCRIBE_AUTHORIZATION) {
        return None;
    }
    match form.purpose {
        Purpose::Cancel => return Some(Ok(None)),
        Purpose::Submit => {}
        Purpose::Form | Purpose::Result => return None,
    }
    let value = |name: &str| {
        let field = form.fields.iter().find(|f| f.var == name);
        field.and_then(Field::value).ok_or(Error::BadRequest)
    };
    let read = || {
        let node = value("pubsub#node")?;
        if node.is_empty() || node.len() > NAME {
            return Err(Error::BadRequest);
        }
        let jid = Address::parse(value("pubsub#subscriber_jid")?);
        Ok(Some(Request::Authorize {
            node: Arc::from(node),
            jid: jid.map_err(|_| Error::BadRequest)?,
            allow: boolean(value("pubsub#allow")?).ok_or(Error::BadRequest)?,
        }))
    };
    Some(read())
}

/// Subscriptions have no numbers.
fn no_subid(element: &Child<'_>) -> Result<(), Error> {
    if element.attribute("subid").is_some_and(|id| !id.is_empty()) {
        return Err(Error::InvalidSubid);
    }
    Ok(())
}

/// The options that come with a subscription: they name nothing themselves (§6.3.8).
fn options_of_new(options: &Child<'_>) -> Result<Option<Form>, Error> {
    let names = |attribute: &str| options.attribute(attribute).is_some();
    if names("node") || names("jid") {
        return Err(Error::BadRequest);
    }
    filled(options)
}

fn optional(element: &Child<'_>) -> Result<Option<Arc<str>>, Error> {
    match element.attribute("node") {
        Some(node) if node.len() > NAME => Err(Error::NotAcceptable),
        Some(node) if !node.is_empty() => Ok(Some(Arc::from(&*node))),
        _ => Ok(None),
    }
}

fn node(element: &Child<'_>) -> Result<Arc<str>, Error> {
    optional(element)?.ok_or(Error::NodeRequired)
}

fn jid(element: &Child<'_>) -> Result<Address, Error> {
    let jid = element.attribute("jid").ok_or(Error::JidRequired)?;
    Address::parse(&jid).map_err(|_| Error::InvalidJid)
}

/// A configuration that was filled in; `None` where it was not, or there is none.
fn filled(configure: &Child<'_>) -> Result<Option<Form>, Error> {
    match Form::in_children(configure) {
        None if configure.children().next().is_some() => Err(Error::BadRequest),
        None => Ok(None),
        Some(form) => match form.purpose {
            Purpose::Submit => Ok(Some(form)),
            Purpose::Cancel => Ok(None),
            Purpose::Form | Purpose::Result => Err(Error::BadRequest),
        },
    }
}

fn read_item(item: &Child<'_>) -> Result<Item, Error> {
    let id = item.attribute("id").filter(|id| !id.is_empty());
    if id.as_ref().is_some_and(|id| id.len() > NAME) {
        return Err(Error::NotAcceptable);
    }
    let mut payloads = item.children();
    let payload = payloads.next();
    if payloads.next().is_some() {
        return Err(Error::InvalidPayload);
    }
    Ok(Item {
        id: id.map(|id| Arc::from(&*id)),
        payload: match payload {
            Some(payload) => alone(&payload).ok_or(Error::InvalidPayload)?,
            None => Bytes::new(),
        },
    })
}

/// The element with all declarations that it needs, so that it can stand anywhere: as written, where it has them itself.
pub(crate) fn alone(payload: &Child<'_>) -> Option<Bytes> {
    let raw = payload.raw();
    let plain = raw
        .get(1..)
        .is_some_and(|r| r.starts_with(payload.name().as_bytes()));
    if plain && payload.attribute("xmlns").is_some() {
        let raw = Bytes::copy_from_slice(raw);
        if Element::stored(raw.clone(), "").is_ok() {
            return Some(raw);
        }
    }
    let mut out = Vec::new();
    payload.to_tree().write_to(&mut out).ok()?;
    Some(out.into())
}

#[cfg(test)]
mod tests;
