//! Several changes of an account as one: what somebody wants, and what the server makes of it elsewhere at the account. They are one unit
//! of the store; memory has all of them or none, and all is told after the commit.

use std::sync::Arc;

use bytes::Bytes;
use presence::{Address, Bare, Card, Refusal};
use services::form::{Field, Form, Purpose};
use services::pubsub::{Answer, Error, Kept, Node, Request};
use services::{avatar, bookmarks};
use store::Op;

use super::Outcome;
use super::change::Told;
use super::nodes::Nodes;
use super::plan::{Plan, Planner};
use crate::clock;
use crate::commit::Reply;
use crate::entity::Entity;
use crate::shards::Model;

/// Changes that are planned.
#[derive(Default)]
pub(crate) struct Unit {
    /// The nodes as they are afterwards.
    nodes: Nodes,
    told: Vec<Told>,
    ops: Vec<Op>,
    /// The card is another.
    card: Option<NewCard>,
}

/// What else is made of a card.
struct NewCard {
    photo: Option<Arc<str>>,
    /// What the account is called.
    name: Option<Arc<str>>,
}

/// The account's other data may follow from this change of a node.
pub(super) fn converts(request: &Request) -> bool {
    let changes_items = matches!(
        request,
        Request::Publish { .. }
            | Request::Retract { .. }
            | Request::Purge { .. }
            | Request::Delete { .. }
    );
    let node = request.node().map(|node| &**node);
    changes_items
        && matches!(
            node,
            Some(avatar::DATA | avatar::METADATA | bookmarks::NODE | bookmarks::LEGACY)
        )
}

/// A form that configures a node.
pub(super) fn form(fields: &[(&str, &str)]) -> Form {
    let field = |&(name, value): &(&str, &str)| Field {
        var: format!("pubsub#{name}"),
        values: vec![value.to_owned()],
    };
    Form {
        purpose: Purpose::Submit,
        kind: None,
        kind_is_hidden: true,
        fields: fields.iter().map(field).collect(),
    }
}

fn planner<'a>(model: &'a Model, entity: &'a Entity, nodes: &'a Nodes) -> Planner<'a> {
    Planner {
        owner: &entity.account,
        nodes,
        limits: &model.rules.pubsub,
        now: model.now(),
        fresh: clock::hex::<10>(&model.random).into(),
    }
}

impl Unit {
    pub(crate) fn of(entity: &Entity) -> Self {
        Self {
            nodes: entity.nodes.as_deref().cloned().unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Adds a change of a node. Where it is refused nothing is added.
    pub(super) fn change(
        &mut self,
        model: &Model,
        entity: &Entity,
        asker: &Address,
        request: Request,
    ) -> Result<Answer, Error> {
        let planner = planner(model, entity, &self.nodes);
        let plan = entity.as_asker(asker, |asker| planner.plan(asker, request))?;
        Ok(self.add(plan))
    }

    fn add(&mut self, plan: Plan) -> Answer {
        let (name, after) = (Arc::clone(&plan.name), plan.after.clone());
        let (ops, answer, told) = plan.told(&self.nodes);
        self.nodes.set(name, after);
        self.told.push(told);
        self.ops.extend(ops);
        answer
    }

    /// Takes away what has ended by itself; the nodes where something has.
    pub(super) fn end(&mut self, model: &Model, entity: &Entity) -> Vec<Arc<str>> {
        let planner = planner(model, entity, &self.nodes);
        let nodes = self.nodes.all.iter();
        let ended = nodes.filter_map(|(name, node)| planner.end(name, node));
        let ended: Vec<Plan> = ended.collect();
        let changed = ended.iter().map(|plan| Arc::clone(&plan.name)).collect();
        for plan in ended {
            self.add(plan);
        }
        changed
    }

    /// Adds what the server does for the owner: all of it, or nothing where one thing is refused.
    pub(super) fn changes(
        &mut self,
        model: &Model,
        entity: &Entity,
        requests: Vec<Request>,
    ) -> Result<(), Error> {
        let owner = Address::from(entity.account.clone());
        let (nodes, told, ops) = (self.nodes.clone(), self.told.len(), self.ops.len());
        for request in requests {
            if let Err(error) = self.change(model, entity, &owner, request) {
                self.nodes = nodes;
                self.told.truncate(told);
                self.ops.truncate(ops);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Adds another card.
    pub(crate) fn card(&mut self, account: &Bare, card: Option<Card>) {
        let photo = card.as_ref().and_then(|card| card.photo.as_deref());
        let name = card.as_ref().and_then(|card| card.facts.display_name());
        self.card = Some(NewCard {
            photo: photo.map(Arc::from),
            name: name.map(Arc::from),
        });
        self.ops.push(Op::VcardPut {
            account: account.clone(),
            card: card.map(Box::new),
        });
    }

    /// Nothing is to be changed.
    pub(super) fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Adds something else.
    pub(crate) fn also(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// A node as it is afterwards.
    pub(super) fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.all.get(name)
    }

    /// The payloads of items as they are afterwards, with their names.
    pub(super) fn payloads(
        &self,
        model: &Model,
        account: &Bare,
        node: &str,
        items: &[Kept],
    ) -> Result<Vec<(Arc<str>, Bytes)>, Refusal> {
        let mut found = Vec::new();
        let mut stored = Vec::new();
        for kept in items {
            let fresh = self.ops.iter().rev().find_map(|op| match op {
                Op::ItemPut { node: of, item, .. } if **of == *node && item.seq == kept.seq => {
                    Some((item.seq, Arc::clone(&item.id), item.payload.clone()))
                }
                _ => None,
            });
            match fresh {
                Some(fresh) => found.push(fresh),
                None => stored.push(kept.seq),
            }
        }
        if !stored.is_empty() {
            let items = model.store.node_items(account, node, &stored);
            let items = items.map_err(|error| {
                tracing::error!(%error, %account, "items could not be read");
                Refusal::Fault
            })?;
            found.extend(items.into_iter().map(|i| (i.seq, i.id, i.payload)));
        }
        found.sort_unstable_by_key(|(seq, ..)| *seq);
        Ok(found.into_iter().map(|(_, id, xml)| (id, xml)).collect())
    }
}

impl Model {
    /// Changes a node, and what follows from it elsewhere at the account. It is read from the disk, which must have what was changed before.
    pub(super) fn change_converted(
        self: &Arc<Self>,
        entity: &mut Entity,
        asker: &Address,
        request: Request,
        reply: &Reply<Outcome>,
    ) -> Result<(), Refusal> {
        if entity.pending_commits > 0 {
            let (asker, owner, reply) = (asker.clone(), entity.account.clone(), reply.clone());
            return self.after_commits(entity, move |model| {
                model.pubsub(&asker, &owner, request, &reply);
            });
        }
        let node = request.node().cloned();
        let mut unit = Unit::of(entity);
        if matches!(node.as_deref(), Some(bookmarks::NODE | bookmarks::LEGACY)) {
            self.import_bookmarks(entity, &mut unit)?;
        }
        let answer = match unit.change(self, entity, asker, request) {
            Ok(answer) => answer,
            Err(error) => {
                reply.send(Ok(Err(error)));
                return Ok(());
            }
        };
        if let Some(node) = node {
            self.convert(entity, &mut unit, &node)?;
        }
        let later = reply.clone();
        self.commit_unit(entity, unit, move |stored| {
            later.send(stored.map(|()| Ok(answer)));
        })
    }

    /// A node is changed: what follows from it elsewhere at the account.
    pub(super) fn convert(
        &self,
        entity: &Entity,
        unit: &mut Unit,
        node: &str,
    ) -> Result<(), Refusal> {
        match node {
            avatar::DATA => self.photo_to_card(entity, unit, false),
            avatar::METADATA => self.photo_to_card(entity, unit, true),
            bookmarks::NODE => self.bookmarks_to_storage(entity, unit),
            bookmarks::LEGACY => self.storage_to_bookmarks(entity, unit),
            _ => Ok(()),
        }
    }

    /// Works on an account whose nodes are in memory and of which all that was changed is on disk. What goes wrong is answered.
    pub(crate) fn when_settled<T: Send + 'static>(
        self: &Arc<Self>,
        account: &Bare,
        reply: &Reply<T>,
        work: impl FnOnce(&Arc<Self>, &mut Entity) -> Result<(), Refusal> + Send + 'static,
    ) {
        let outcome = self.with_entity(account, |entity| {
            if entity.pending_commits == 0 {
                self.ensure_nodes(entity)?;
                return work(self, entity);
            }
            let (account, reply) = (account.clone(), reply.clone());
            self.after_commits(entity, move |model| {
                model.when_settled(&account, &reply, work);
            })
        });
        if let Err(refusal) = outcome {
            reply.send(Err(refusal));
        }
    }

    /// Does it: the disk has all or nothing of it.
    pub(crate) fn commit_unit(
        self: &Arc<Self>,
        entity: &mut Entity,
        unit: Unit,
        answer: impl FnOnce(Result<(), Refusal>) + Send + 'static,
    ) -> Result<(), Refusal> {
        let (owner, told) = (entity.account.clone(), unit.told);
        let called = unit.card.as_ref().map(|card| card.name.clone());
        let has_nodes = !told.is_empty();
        self.submit(entity, unit.ops, move |model, stored| {
            let done = stored.is_ok();
            answer(stored);
            if !done {
                return;
            }
            for told in told {
                model.tell(&owner, told);
            }
            if let Some(called) = called {
                model.show_photo(&owner);
                model.renamed(&owner, called.as_deref());
            }
        })?;
        if has_nodes {
            for node in unit.nodes.all.values() {
                self.arm(&entity.account, Some(node));
            }
            if let Some(nodes) = &mut entity.nodes {
                nodes.all = unit.nodes.all;
            }
            self.node_owners.touch(&entity.account);
        }
        if let Some(card) = unit.card {
            entity.photo = card.photo.into();
        }
        Ok(())
    }
}
