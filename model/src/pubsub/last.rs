//! The last items, for a session that comes online, wants more than before or gets to see somebody, and for who has subscribed
//! (XEP-0163 §4.3.4; XEP-0060 §6.1.7).
//!
//! They are read in one go, beside the locks, and told under the lock of their owner; where somebody was told of a change there since the
//! reading began, they are read again under it. So what is told last is never older than what was told before.

use std::collections::BTreeMap;
use std::sync::Arc;

use presence::{Address, Bare};
use services::caps::Interests;
use services::pubsub::{
    Affiliation, Asker, Config, Event, Node, Notification, Options, SendLast, Subscriber,
    Subscription,
};
use store::{LastItem, StoreError};

use super::tell::NodeNotice;
use crate::entity::Entity;
use crate::route;
use crate::shards::Model;
use crate::watching::Connected;

impl Model {
    /// A session is available and now wants what `fresh` has and `old` had not: it gets the last items of its account and its contacts.
    pub(crate) fn catch_up(
        &self,
        session: &Connected,
        fresh: &Interests,
        old: Option<&Interests>,
        contacts: &[Bare],
    ) {
        let wants = |node: &str| fresh.has(node) && !old.is_some_and(|old| old.has(node));
        if !fresh.iter().any(wants) {
            return;
        }
        let mut owners = self.node_owners.among([&session.to.bare]);
        owners.extend(self.node_owners.among(contacts));
        self.tell_last(session, &owners, &wants);
    }

    /// Those contacts that have nodes, for a session that wants any.
    pub(crate) fn owners_wanted<'a>(
        &self,
        session: &Connected,
        contacts: impl Iterator<Item = &'a Bare>,
    ) -> Vec<Bare> {
        if session.interests.get() == 0 {
            return Vec::new();
        }
        let mut owners = self.node_owners.among(contacts);
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// A session that is available has come online, or gets to see these contacts.
    pub(crate) fn last_items(&self, session: &Connected, own: bool, contacts: &[Bare]) {
        let Some(interests) = self.interests.of(session) else {
            return;
        };
        let own = own.then_some(&session.to.bare);
        let mut owners = self.node_owners.among(own);
        owners.extend(self.node_owners.among(contacts));
        self.tell_last(session, &owners, &|node| interests.has(node));
    }

    fn tell_last(&self, session: &Connected, owners: &[Bare], wants: &dyn Fn(&str) -> bool) {
        if owners.is_empty() {
            return;
        }
        let since = self.node_owners.now();
        let most = self.rules.pubsub.last_items;
        let to = session.full();
        let read = |owners: &[Bare]| self.store.last_items(&to, owners, wants, most);
        let mut found: BTreeMap<Bare, Vec<LastItem>> = BTreeMap::new();
        for last in logged(read(owners)) {
            found.entry(last.owner.clone()).or_default().push(last);
        }
        for owner in owners {
            if !session.hears(&owner.clone().into()) {
                continue;
            }
            let Some(mut items) = found.remove(owner) else {
                continue;
            };
            self.with_slot(owner, |slot| {
                if !self.node_owners.unchanged(owner, since) {
                    items = logged(read(std::slice::from_ref(owner)));
                }
                for last in items {
                    if let Some(notice) = self.due(slot.entity.as_deref(), &to, last) {
                        let (to, notice) = (&to, &notice);
                        session.route.deliver(&route::Event::Node { to, notice });
                    }
                }
            });
        }
    }

    /// Somebody has subscribed: he gets the last item.
    pub(super) fn welcome_subscriber(
        &self,
        owner: &Bare,
        node: &Arc<str>,
        to: &Address,
        options: Options,
    ) {
        let most = self.rules.pubsub.last_items;
        let wants = |name: &str| *name == **node;
        let told = self.with_slot(owner, |slot| {
            let found = logged(self.store.last_items(to, [owner], &wants, most));
            let last = found.into_iter().next()?;
            let sends = Config::decode(&last.config)?.send_last != SendLast::Never;
            sends
                .then(|| self.due_to(slot.entity.as_deref(), to, last))
                .flatten()
        });
        if let Some(notice) = told {
            self.deliver_to(to, &notice, &[], options);
        }
    }
}

fn logged(read: Result<Vec<LastItem>, StoreError>) -> Vec<LastItem> {
    read.unwrap_or_else(|error| {
        tracing::error!(%error, "the last items of nodes could not be read");
        Vec::new()
    })
}

impl Model {
    /// The notification of an item that is sent on presence to who may have it.
    fn due(
        &self,
        entity: Option<&Entity>,
        to: &Address,
        last: LastItem,
    ) -> Option<Arc<NodeNotice>> {
        let config = Config::decode(&last.config)?;
        if config.send_last != SendLast::OnSubAndPresence || !config.notifications {
            return None;
        }
        self.due_to(entity, to, last)
    }

    /// The same, whatever the occasion. What memory knows of the owner's roster is newer than what was read.
    fn due_to(
        &self,
        entity: Option<&Entity>,
        to: &Address,
        last: LastItem,
    ) -> Option<Arc<NodeNotice>> {
        let config = Config::decode(&last.config)?;
        let payloads = config.payloads;
        let headline = config.headline;
        let affiliation = last.affiliation.and_then(Affiliation::of_code);
        let subscription = last.subscription.and_then(Subscription::of_code);
        let node = Node {
            config: Arc::new(config),
            affiliations: affiliation
                .map(|a| (to.bare.clone(), a))
                .into_iter()
                .collect(),
            subscriptions: subscription
                .map(|s| (to.clone(), Subscriber::new(s)))
                .into_iter()
                .collect(),
            items: Vec::new(),
        };
        let may = match entity {
            Some(entity) if entity.blocks(to) => return None,
            Some(entity) => entity.as_asker(to, |asker| node.may_read(asker)),
            None => {
                let shared = self.groups.of(&last.owner);
                let shared = shared.iter().filter(|g| g.has(&to.bare) && !last.denied);
                let shared: Vec<&str> = shared.map(|g| &*g.name).collect();
                let own = last.groups.iter().map(String::as_str);
                let groups: Vec<&str> = own.chain(shared.iter().copied()).collect();
                node.may_read(&Asker {
                    bare: &to.bare,
                    owner: to.bare == last.owner,
                    sees: last.sees || !shared.is_empty(),
                    groups: &groups,
                })
            }
        };
        may.ok()?;
        let notification = Notification {
            owner: last.owner,
            node: last.node,
            headline,
            event: Event::Published {
                id: Some(last.item.id),
                publisher: last.item.publisher,
                payload: if payloads {
                    last.item.payload
                } else {
                    bytes::Bytes::new()
                },
            },
            stamp: Some(last.item.at),
        };
        Some(NodeNotice::new(notification, &node.config))
    }
}
