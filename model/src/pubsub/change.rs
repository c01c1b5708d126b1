//! Changes of nodes done: memory at once, the disk, and after the commit everybody who wants to know.

use std::sync::Arc;

use presence::{Address, Bare, Refusal};
use services::pubsub::{Affiliation, Answer, Error, Event, Node, Options, Request, Subscription};
use store::Op;

use super::Outcome;
use super::nodes::Nodes;
use super::plan::{Plan, Planner};
use crate::clock;
use crate::commit::Reply;
use crate::entity::Entity;
use crate::shards::Model;

/// What is told when a change is on disk.
pub(super) struct Told {
    node: Arc<str>,
    /// Who may read it may hear of it. What is told of a node that is gone is for those who could read it.
    judge: Option<Node>,
    events: Vec<Event>,
    personal: Vec<(Address, Option<Subscription>)>,
    welcome: Vec<(Address, Options)>,
    asks: Option<Address>,
}

impl Plan {
    /// What is stored, what is answered and what is told then.
    pub(super) fn told(self, before: &Nodes) -> (Vec<Op>, Answer, Told) {
        let judge = self.after.or_else(|| before.all.get(&self.name).cloned());
        let told = Told {
            node: self.name,
            judge,
            events: self.events,
            personal: self.personal,
            welcome: self.welcome,
            asks: self.asks,
        };
        (self.ops, self.answer, told)
    }
}

impl Model {
    /// Tells everybody of a change that is on disk.
    pub(super) fn tell(&self, owner: &Bare, told: Told) {
        let (node, Some(judge)) = (told.node, told.judge) else {
            return;
        };
        for event in told.events {
            self.tell_node(owner, &node, &judge, event);
        }
        for (jid, state) in told.personal {
            let event = Event::Subscription {
                jid: jid.clone(),
                state,
            };
            self.tell_one(owner, &node, &judge, &jid, event);
        }
        for (jid, options) in told.welcome {
            self.welcome_subscriber(owner, &node, &jid, options);
        }
        if let Some(jid) = told.asks {
            self.ask_owner(owner, &node, &judge, &jid);
        }
    }

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
        let still = still(entity, &request);
        let plan = match entity.as_asker(asker, |asker| planner.plan(asker, request)) {
            Ok(plan) => plan,
            Err(error) => {
                reply.send(Ok(match still.filter(|_| error == Error::NotAcceptable) {
                    Some(still) => Ok(Answer::Unchanged { error, still }),
                    None => Err(error),
                }));
                return Ok(());
            }
        };
        let name = Arc::clone(&plan.name);
        let after = plan.after.clone();
        let (ops, answer, told) = plan.told(nodes);
        let (owner, later) = (entity.account.clone(), reply.clone());
        self.submit(entity, ops, move |model, stored| {
            if let Err(refusal) = stored {
                later.send(Err(refusal));
                return;
            }
            later.send(Ok(Ok(answer)));
            model.tell(&owner, told);
        })?;
        self.arm(&entity.account, after.as_ref());
        if let Some(nodes) = &mut entity.nodes {
            nodes.set(name, after);
        }
        self.node_owners.touch(&entity.account);
        Ok(())
    }
}

/// What those are whom the owner wants to be something else.
fn still(entity: &Entity, request: &Request) -> Option<Box<Answer>> {
    let find = |name: &Arc<str>| entity.nodes.as_ref()?.all.get(name);
    let answer = match request {
        Request::SetSubscriptions { node, all } => {
            let subscriptions = &find(node)?.subscriptions;
            let still = |jid: &Address| subscriptions.get(jid).map(|s| s.state);
            Answer::AllSubscriptions {
                node: Arc::clone(node),
                all: all.iter().map(|(j, _)| (j.clone(), still(j))).collect(),
            }
        }
        Request::SetAffiliations { node, all } => {
            let affiliations = &find(node)?.affiliations;
            let still = |who: &Bare| {
                let owner = (*who == entity.account).then_some(Affiliation::Owner);
                owner.or_else(|| affiliations.get(who).copied())
            };
            Answer::AllAffiliations {
                node: Arc::clone(node),
                all: all.iter().map(|(w, _)| (w.clone(), still(w))).collect(),
            }
        }
        _ => return None,
    };
    Some(Box::new(answer))
}
