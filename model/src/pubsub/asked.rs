//! Who wants to subscribe to a node of which the owner decides (XEP-0060 §8.6): he is asked at once where he is online, and whenever a
//! session of his becomes available, until he has answered.

use std::sync::Arc;

use presence::{Address, Bare, Refusal};
use services::pubsub::{Event, Node, Subscription};

use super::tell;
use crate::clock;
use crate::entity::{Entity, Session};
use crate::route;
use crate::shards::Model;
use crate::watching::Connected;

impl Model {
    /// Somebody asks now.
    pub(super) fn ask_owner(&self, owner: &Bare, node: &Arc<str>, judge: &Node, jid: &Address) {
        self.node_owners.ask(owner, true);
        self.with_slot(owner, |slot| {
            let Some(entity) = &slot.entity else { return };
            let available = |s: &&Session| s.available.is_some();
            for session in entity.sessions.iter().filter(available) {
                self.ask_session(entity, session, node, judge, jid);
            }
        });
    }

    /// A session of the owner is available now.
    pub(crate) fn ask_again(&self, session: &Connected) {
        let owner = &session.to.bare;
        if !self.node_owners.asked(owner) {
            return;
        }
        let asked = self.with_entity(owner, |entity| {
            self.ensure_nodes(entity)?;
            let nodes = entity.nodes.iter().flat_map(|nodes| &nodes.all);
            let mut any = false;
            for (name, node) in nodes {
                let pending = node.subscriptions.iter();
                for (jid, _) in pending.filter(|(_, s)| s.state == Subscription::Pending) {
                    any = true;
                    self.ask_session(entity, session, name, node, jid);
                }
            }
            if !any && entity.pending_commits == 0 {
                self.node_owners.ask(owner, false);
            }
            Ok(())
        });
        if let Err(refusal) = asked
            && refusal != Refusal::NotFound
        {
            tracing::warn!(%refusal, account = %owner, "who wants to subscribe was not told");
        }
    }

    fn ask_session(
        &self,
        entity: &Entity,
        session: &Connected,
        node: &Arc<str>,
        judge: &Node,
        jid: &Address,
    ) {
        if entity.blocks(jid) {
            return;
        }
        let event = Event::Asked {
            jid: jid.clone(),
            id: clock::hex::<8>(&self.random).into(),
        };
        let notice = tell::now(&entity.account, node, judge, event);
        let (to, notice) = (&session.full(), &notice);
        session.route.deliver(&route::Event::Node { to, notice });
    }
}
