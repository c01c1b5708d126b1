//! Notifications (XEP-0060 §7.1.2; XEP-0163 §4.3): to sessions of those who see the owner's presence and of the owner, as far as they
//! want the node; and to who subscribed to it.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use presence::{Address, Bare, Show};
use services::pubsub::{Config, Event, MaxItems, Node, Notification, Options, Subscription};

use crate::entity::{Entity, Session};
use crate::route::{self, SessionId};
use crate::shards::Model;
use crate::watching::Connected;

/// One notification, printed at most once and shared by all who are told.
#[derive(Debug)]
pub struct NodeNotice {
    /// What it says.
    pub notification: Notification,
    /// The node holds one item at most: the last notification says all that those before it said.
    pub single: bool,
    /// What a face printed of it, for all recipients: its own matter.
    pub printed: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl NodeNotice {
    pub(super) fn new(notification: Notification, config: &Config) -> Arc<Self> {
        Arc::new(Self {
            notification,
            single: config.max_items == MaxItems::Count(1) || !config.persist,
            printed: OnceLock::new(),
        })
    }
}

pub(super) fn now(owner: &Bare, node: &Arc<str>, judge: &Node, event: Event) -> Arc<NodeNotice> {
    let notification = Notification {
        owner: owner.clone(),
        node: Arc::clone(node),
        headline: judge.config.headline,
        event,
        stamp: None,
    };
    NodeNotice::new(notification, &judge.config)
}

impl Model {
    /// Tells everybody who may read the node and wants to know.
    pub(super) fn tell_node(&self, owner: &Bare, node: &Arc<str>, judge: &Node, event: Event) {
        let notice = now(owner, node, judge, event);
        let wanting = self.interests.wanting(node);
        let explicit = self.with(owner, |slot| {
            self.node_owners.touch(owner);
            let mut told = Vec::new();
            let Some(entity) = &slot.entity else {
                return Ok((told, Vec::new()));
            };
            let from = Address::from(owner.clone());
            let mut tell = |watcher: &Arc<Connected>| {
                if !wanting.has(watcher) || !watcher.hears(&from) {
                    return;
                }
                let to = watcher.full();
                if may_read(entity, judge, &to) {
                    let (to, notice) = (&to, &notice);
                    watcher.route.deliver(&route::Event::Node { to, notice });
                    told.push(watcher.id);
                }
            };
            slot.watchers.iter().for_each(&mut tell);
            slot.each_fellow(tell);
            for session in &entity.sessions {
                if session.available.is_some() && wanting.has(session) {
                    let (to, notice) = (&session.full(), &notice);
                    session.route.deliver(&route::Event::Node { to, notice });
                    told.push(session.id);
                }
            }
            let subscribers = judge.subscriptions.iter();
            let subscribers = subscribers.filter(|(who, s)| {
                s.state == Subscription::Subscribed
                    && s.options.delivers()
                    && may_read(entity, judge, who)
            });
            let subscribers = subscribers.map(|(who, s)| (who.clone(), s.options));
            told.sort_unstable();
            Ok((told, subscribers.collect()))
        });
        let Ok((told, subscribers)) = explicit else {
            return;
        };
        for (who, options) in subscribers {
            self.deliver_to(&who, &notice, &told, options);
        }
    }

    /// Tells one address.
    pub(super) fn tell_one(
        &self,
        owner: &Bare,
        node: &Arc<str>,
        judge: &Node,
        to: &Address,
        event: Event,
    ) {
        let notice = now(owner, node, judge, event);
        self.deliver_to(to, &notice, &[], Options::default());
    }

    /// To the session of a full address, or all available ones of a bare one that take such messages (RFC 6121 §8.5.2.1.1); but to none
    /// that was told already (in order), and only where it suits the subscriber.
    pub(super) fn deliver_to(
        &self,
        to: &Address,
        notice: &Arc<NodeNotice>,
        told: &[SessionId],
        options: Options,
    ) {
        self.with_slot(&to.bare, |slot| {
            let Some(entity) = &slot.entity else { return };
            let from = Address::from(notice.notification.owner.clone());
            for session in &entity.sessions {
                let meant = match &to.resource {
                    Some(resource) => session.resource == *resource,
                    None => session.available.is_some_and(|priority| priority >= 0),
                };
                let meant = meant && session.hears(&from);
                let meant = meant && options.delivers_in(entity.show_of(session));
                if meant && told.binary_search(&session.id).is_err() {
                    session.route.deliver(&route::Event::Node { to, notice });
                }
            }
        });
    }
}

impl Entity {
    /// How a session is available; `None`: it is not.
    fn show_of(&self, session: &Session) -> Option<Option<Show>> {
        session.available?;
        let shown = self.published.get(self.find(&session.resource)?)?;
        Some(shown.publication.document.show)
    }
}

fn may_read(entity: &Entity, judge: &Node, who: &Address) -> bool {
    !entity.blocks(who) && entity.as_asker(who, |asker| judge.may_read(asker).is_ok())
}
