//! Changes of nodes done: memory at once, the disk, and after the commit everybody who wants to know.

use std::sync::Arc;

use presence::{Address, Refusal};
use services::pubsub::{Event, Request};

use super::Outcome;
use super::plan::{Plan, Planner};
use crate::clock;
use crate::commit::Reply;
use crate::entity::Entity;
use crate::shards::Model;

impl Model {
    /// Changes what somebody may change. Memory has it at once; the answer and the notifications wait for the commit.
    pub(super) fn change_nodes(
        self: &Arc<Self>,
        entity: &mut Entity,
        asker: &Address,
        request: Request,
        reply: &Reply<Outcome>,
    ) -> Result<(), Refusal> {
        let Some(nodes) = &entity.nodes else {
            return Err(Refusal::Fault);
        };
        let planner = Planner {
            owner: &entity.account,
            nodes,
            limits: &self.rules.pubsub,
            now: self.now(),
            fresh: clock::hex::<10>(&self.random).into(),
        };
        let plan = match entity.as_asker(asker, |asker| planner.plan(asker, request)) {
            Ok(plan) => plan,
            Err(error) => {
                reply.send(Ok(Err(error)));
                return Ok(());
            }
        };
        let Plan {
            name,
            after,
            ops,
            answer,
            events,
            personal,
            welcome,
        } = plan;
        // What is told of a node that is gone is for those who could read it.
        let judge = after.clone().or_else(|| nodes.all.get(&name).cloned());
        let (owner, node, later) = (entity.account.clone(), Arc::clone(&name), reply.clone());
        self.submit(entity, ops, move |model, stored| {
            if let Err(refusal) = stored {
                later.send(Err(refusal));
                return;
            }
            later.send(Ok(Ok(answer)));
            let Some(judge) = judge else { return };
            for event in events {
                model.tell_node(&owner, &node, &judge, event);
            }
            for (jid, state) in personal {
                let event = Event::Subscription {
                    jid: jid.clone(),
                    state,
                };
                model.tell_one(&owner, &node, &judge, &jid, event);
            }
            if let Some(jid) = welcome {
                model.welcome_subscriber(&owner, &node, &jid);
            }
        })?;
        if let Some(nodes) = &mut entity.nodes {
            match after {
                Some(after) => drop(nodes.all.insert(name, after)),
                None => drop(nodes.all.remove(&name)),
            }
        }
        self.node_owners.touch(&entity.account);
        Ok(())
    }
}
