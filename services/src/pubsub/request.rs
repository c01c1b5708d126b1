//! What somebody wants of an account's nodes (XEP-0060 §5 to §8), read.

use std::sync::Arc;

use bytes::Bytes;
use presence::{Address, Bare};
use xml::{Child, Element};

use super::error::Error;
use super::node::{Affiliation, Subscription};
use super::{OWNER, PUBSUB};
use crate::form::{Form, Purpose};

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
    Subscribe { node: Arc<str>, jid: Address },
    /// (§6.2)
    Unsubscribe { node: Arc<str>, jid: Address },
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
            (PUBSUB, Kind::Set, "subscribe") if more("options").is_some() => {
                Err(Error::Unsupported("subscription-options"))
            }
            (PUBSUB, Kind::Set, "subscribe") => Ok(Self::Subscribe {
                node: node(first)?,
                jid: jid(first)?,
            }),
            (PUBSUB, Kind::Set, "unsubscribe") => {
                if first.attribute("subid").is_some_and(|id| !id.is_empty()) {
                    return Err(Error::InvalidSubid);
                }
                Ok(Self::Unsubscribe {
                    node: node(first)?,
                    jid: jid(first)?,
                })
            }
            (PUBSUB, _, "options") => Err(Error::Unsupported("subscription-options")),
            (PUBSUB, Kind::Get, "default") => Err(Error::Unsupported("retrieve-default-sub")),
            (PUBSUB, Kind::Get, "items") => Self::items(first, pubsub),
            (PUBSUB, Kind::Set, "publish") => Self::publish(first, more("publish-options")),
            (PUBSUB, Kind::Set, "retract") => Self::retract(first),
            (PUBSUB, Kind::Set, "create") => Ok(Self::Create {
                node: optional(first)?,
                config: more("configure").map(filled).transpose()?.flatten(),
            }),
            (OWNER, Kind::Get, "default") => Ok(Self::DefaultConfig),
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
                let all = all.map(|c| {
                    let state = match c.attribute("subscription").as_deref() {
                        Some("none") => None,
                        Some(state) => {
                            Some(Subscription::parse(state).ok_or(Error::NotAcceptable)?)
                        }
                        None => return Err(Error::BadRequest),
                    };
                    Ok((jid(&c)?, state))
                });
                let all = all.collect::<Result<_, _>>()?;
                Ok(Self::SetSubscriptions { node, all })
            }
            (Kind::Get, "affiliations") => Ok(Self::ReadAffiliations { node }),
            (Kind::Set, "affiliations") => {
                let all = first.children().filter(|c| c.is("affiliation", OWNER));
                let all = all.map(|c| {
                    let affiliation = match c.attribute("affiliation").as_deref() {
                        Some("none") => None,
                        Some(name) => Some(Affiliation::parse(name).ok_or(Error::NotAcceptable)?),
                        None => return Err(Error::BadRequest),
                    };
                    Ok((jid(&c)?.bare, affiliation))
                });
                let all = all.collect::<Result<_, _>>()?;
                Ok(Self::SetAffiliations { node, all })
            }
            _ => Err(Error::BadRequest),
        }
    }

    fn items(items: &Child<'_>, pubsub: &Child<'_>) -> Result<Self, Error> {
        if items.attribute("subid").is_some_and(|id| !id.is_empty()) {
            return Err(Error::InvalidSubid);
        }
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
            return Err(Error::Unsupported("multi-items"));
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
            notify: notify.is_some_and(|n| crate::form::boolean(&n) == Some(true)),
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
            | Self::Create { node, .. } => node.as_ref(),
            Self::Subscribe { node, .. }
            | Self::Unsubscribe { node, .. }
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
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use xml::Limits;

    fn read_in(namespace: &str, kind: Kind, content: &str) -> Result<Request, Error> {
        let text = format!("<pubsub xmlns='{namespace}' xmlns:o='urn:outer'>{content}</pubsub>");
        let element = Element::parse(text.as_bytes(), "jabber:client", Limits::generous()).unwrap();
        Request::read(&element.as_child(), kind)
    }

    fn get(content: &str) -> Result<Request, Error> {
        read_in(PUBSUB, Kind::Get, content)
    }

    fn set(content: &str) -> Result<Request, Error> {
        read_in(PUBSUB, Kind::Set, content)
    }

    fn owner(content: &str) -> Result<Request, Error> {
        read_in(OWNER, Kind::Set, content)
    }

    fn payload(content: &str) -> Bytes {
        let publish = format!("<publish node='n'><item id='i'>{content}</item></publish>");
        match set(&publish).unwrap() {
            Request::Publish {
                item: Some(item), ..
            } => item.payload,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_payload_can_stand_alone() {
        assert_eq!(
            &*payload("<m xmlns='urn:m'><p:x xmlns:p='urn:p'/></m>"),
            b"<m xmlns='urn:m'><p:x xmlns:p='urn:p'/></m>"
        );
        for leaning in [
            "<m/>",
            "<o:m><n/></o:m>",
            "<m xmlns='urn:m' o:a='1'><o:n/></m>",
            "<p:m xmlns:p='urn:m'><n/></p:m>",
        ] {
            let alone = payload(leaning);
            let text = format!("<item xmlns='{PUBSUB}' xmlns:o='urn:outer'>{leaning}</item>");
            let before = Element::parse(text.as_bytes(), "", Limits::generous()).unwrap();
            let before = before.children().next().unwrap().to_tree();
            let after = Element::stored(alone, "urn:elsewhere").unwrap().to_tree();
            assert_eq!(before, after, "{leaning}");
        }
    }

    #[test]
    fn publishing() {
        let request = set(
            "<publish node='n'><item><m xmlns='urn:m'/></item></publish>\
            <publish-options><x xmlns='jabber:x:data' type='submit'/></publish-options>",
        );
        let Ok(Request::Publish {
            node,
            item,
            options,
        }) = request
        else {
            panic!("{request:?}");
        };
        assert_eq!((&*node, item.unwrap().id), ("n", None));
        assert!(options.is_some());
        let nothing = set("<publish node='n'/>").unwrap();
        assert!(matches!(nothing, Request::Publish { item: None, .. }));
        for (content, error) in [
            ("<publish><item/></publish>", Error::NodeRequired),
            (
                "<publish node='n'><item><a/><b/></item></publish>",
                Error::InvalidPayload,
            ),
            (
                "<publish node='n'><item/><item/></publish>",
                Error::Unsupported("multi-items"),
            ),
            ("<publish node='n'/><publish-options/>", Error::BadRequest),
        ] {
            assert_eq!(set(content), Err(error), "{content}");
        }
    }

    #[test]
    fn reading() {
        let items = get("<items node='n' max_items='2'/>").unwrap();
        assert!(matches!(items, Request::Items { most: Some(2), ids, .. } if ids.is_empty()));
        let items = get("<items node='n'><item id='a'/><item id='b'/></items>").unwrap();
        assert!(matches!(items, Request::Items { most: None, ids, .. } if ids.len() == 2));
        let page =
            get("<items node='n'/><set xmlns='http://jabber.org/protocol/rsm'><max>5</max></set>");
        assert!(matches!(page, Ok(Request::Items { most: Some(5), .. })));
        for (content, error) in [
            ("", Error::BadRequest),
            ("<items/>", Error::NodeRequired),
            ("<items node='n' max_items='0'/>", Error::BadRequest),
            ("<items node='n' subid='1'/>", Error::InvalidSubid),
            (
                "<options node='n'/>",
                Error::Unsupported("subscription-options"),
            ),
            ("<default/>", Error::Unsupported("retrieve-default-sub")),
            ("<publish node='n'/>", Error::BadRequest),
        ] {
            assert_eq!(get(content), Err(error), "{content}");
        }
    }

    #[test]
    fn retracting_and_subscribing() {
        let retract = set("<retract node='n' notify='1'><item id='a'/></retract>").unwrap();
        assert!(matches!(retract, Request::Retract { notify: true, .. }));
        for (content, error) in [
            ("<retract node='n'/>", Error::ItemRequired),
            ("<retract node='n'><item/></retract>", Error::ItemRequired),
            ("<retract><item id='a'/></retract>", Error::NodeRequired),
            ("<subscribe node='n'/>", Error::JidRequired),
            ("<subscribe node='n' jid='@'/>", Error::InvalidJid),
            ("<subscribe jid='a@b'/>", Error::NodeRequired),
            (
                "<unsubscribe node='n' jid='a@b' subid='x'/>",
                Error::InvalidSubid,
            ),
            (
                "<subscribe node='n' jid='a@b'/><options node='n' jid='a@b'/>",
                Error::Unsupported("subscription-options"),
            ),
        ] {
            assert_eq!(set(content), Err(error), "{content}");
        }
    }

    #[test]
    fn what_owners_do() {
        let cancel = "<configure node='n'><x xmlns='jabber:x:data' type='cancel'/></configure>";
        assert!(matches!(
            owner(cancel),
            Ok(Request::Configure { config: None, .. })
        ));
        let create = set(
            "<create node='n'/><configure><x xmlns='jabber:x:data' type='submit'/></configure>",
        );
        assert!(matches!(
            create,
            Ok(Request::Create {
                node: Some(_),
                config: Some(_)
            })
        ));
        assert!(matches!(
            set("<create/><configure/>"),
            Ok(Request::Create {
                node: None,
                config: None
            })
        ));
        let affiliations = owner(
            "<affiliations node='n'><affiliation jid='a@b' affiliation='member'/>\
             <affiliation jid='c@d' affiliation='none'/></affiliations>",
        );
        let Ok(Request::SetAffiliations { all, .. }) = affiliations else {
            panic!("{affiliations:?}");
        };
        assert_eq!(all[0].1, Some(Affiliation::Member));
        assert_eq!(all[1].1, None);
        for (content, error) in [
            ("<configure/>", Error::NodeRequired),
            ("<delete/>", Error::NodeRequired),
            ("<odd node='n'/>", Error::BadRequest),
            (
                "<affiliations node='n'><affiliation jid='a@b' affiliation='king'/></affiliations>",
                Error::NotAcceptable,
            ),
            (
                "<subscriptions node='n'><subscription jid='a@b'/></subscriptions>",
                Error::BadRequest,
            ),
        ] {
            assert_eq!(owner(content), Err(error), "{content}");
        }
    }
}
