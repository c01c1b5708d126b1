//! What a change leads to: the node as it is afterwards, what is stored, what is told. Nothing is done yet.

mod people;

use std::sync::Arc;

use presence::{Address, Bare};
use services::pubsub::{
    Answer, Asker, Config, Error, Event, Kept, Node, Options, Request, Subscriber, Subscription,
};
use store::{NodeItem, NodeSubscriber, Op};

use super::nodes::{Limits, Nodes};
use crate::clock::Now;

/// A change that is allowed.
pub(super) struct Plan {
    pub(super) name: Arc<str>,
    /// `None`: it is gone.
    pub(super) after: Option<Node>,
    pub(super) ops: Vec<Op>,
    pub(super) answer: Answer,
    /// For everybody who may read the node as it is afterwards, or was before when it is gone.
    pub(super) events: Vec<Event>,
    /// For those whose subscription has changed.
    pub(super) personal: Vec<(Address, Option<Subscription>)>,
    /// They are subscribed just now and get the last item.
    pub(super) welcome: Vec<(Address, Options)>,
    /// He wants to be: the owner is asked.
    pub(super) asks: Option<Address>,
}

/// What planning works with.
pub(super) struct Planner<'a> {
    pub(super) owner: &'a Bare,
    pub(super) nodes: &'a Nodes,
    pub(super) limits: &'a Limits,
    pub(super) now: Now,
    /// A name that nobody has.
    pub(super) fresh: Arc<str>,
}

impl Planner<'_> {
    pub(super) fn plan(&self, asker: &Asker<'_>, request: Request) -> Result<Plan, Error> {
        match request {
            Request::Publish {
                node,
                item,
                options,
            } => {
                let (before, made) = match self.nodes.all.get(&node) {
                    Some(before) => {
                        before.may_publish(asker)?;
                        if let Some(options) = &options {
                            before.config.check(options)?;
                        }
                        (before.clone(), false)
                    }
                    None if asker.owner => {
                        let config = options.as_ref().map(Config::of_options).transpose()?;
                        (self.made(config.unwrap_or_default())?, true)
                    }
                    None => return Err(Error::NotFound),
                };
                let mut plan = Self::begin(node, before);
                if made {
                    plan.store_config(self.owner);
                }
                self.publish(plan, asker, item)
            }
            Request::Create { node, config } => {
                if !asker.owner {
                    return Err(Error::Forbidden);
                }
                let name = node.clone().unwrap_or_else(|| Arc::clone(&self.fresh));
                if self.nodes.all.contains_key(&name) {
                    return Err(Error::Conflict);
                }
                let mut made = Config::default();
                config.iter().try_for_each(|form| made.change(form))?;
                let mut plan = Self::begin(name, self.made(made)?);
                plan.store_config(self.owner);
                if node.is_none() {
                    plan.answer = Answer::Created {
                        node: Arc::clone(&plan.name),
                    };
                }
                Ok(plan)
            }
            other => {
                let name = other.node().cloned().ok_or(Error::NodeRequired)?;
                let before = self.nodes.all.get(&name).ok_or(Error::NotFound)?;
                let plan = Self::begin(name, before.clone());
                self.on_node(plan, before, asker, other)
            }
        }
    }

    fn made(&self, config: Config) -> Result<Node, Error> {
        if self.nodes.all.len() >= self.limits.nodes {
            return Err(Error::Limit("pubsub_nodes"));
        }
        Ok(Node {
            config: Arc::new(config),
            ..Node::default()
        })
    }

    fn begin(name: Arc<str>, node: Node) -> Plan {
        Plan {
            name,
            after: Some(node),
            ops: Vec::new(),
            answer: Answer::Done,
            events: Vec::new(),
            personal: Vec::new(),
            welcome: Vec::new(),
            asks: None,
        }
    }

    fn on_node(
        &self,
        mut plan: Plan,
        before: &Node,
        asker: &Asker<'_>,
        request: Request,
    ) -> Result<Plan, Error> {
        match request {
            Request::Subscribe { jid, options, .. } => {
                return self.subscribe(plan, before, asker, jid, options.as_ref());
            }
            Request::SetOptions { jid, options, .. } => {
                let subscriber = before.configured_by(asker, &jid)?;
                if let Some(form) = options {
                    self.set_options(&mut plan, &jid, subscriber, &form)?;
                }
                return Ok(plan);
            }
            Request::Unsubscribe { jid, .. } => {
                if jid.bare != *asker.bare {
                    return Err(Error::Forbidden);
                }
                if !before.subscriptions.contains_key(&jid) {
                    return Err(Error::NotSubscribed);
                }
                plan.subscription(self.owner, &jid, None);
                return Ok(plan);
            }
            Request::Retract { id, notify, .. } => {
                before.may_retract(asker)?;
                return self.retract(plan, before, &id, notify);
            }
            _ if !asker.owner => return Err(Error::Forbidden),
            Request::Configure { config, .. } => {
                if let Some(form) = config {
                    self.configure(&mut plan, before, &form)?;
                }
            }
            Request::Delete { .. } => {
                plan.ops.push(Op::NodeRemove {
                    account: self.owner.clone(),
                    node: Arc::clone(&plan.name),
                });
                if before.config.notify_delete {
                    plan.events.push(Event::Deleted);
                }
                plan.after = None;
            }
            Request::Purge { .. } => {
                if !before.config.persist {
                    return Err(Error::Unsupported("persistent-items"));
                }
                plan.purge(self.owner);
                if before.config.notify_retract {
                    plan.events.push(Event::Purged);
                }
            }
            Request::Authorize { jid, allow, .. } => {
                self.authorize(&mut plan, before, jid, allow)?;
            }
            Request::SetSubscriptions { all, .. } => self.set_subscriptions(&mut plan, all)?,
            Request::SetAffiliations { all, .. } => self.set_affiliations(&mut plan, all)?,
            _ => return Err(Error::BadRequest),
        }
        Ok(plan)
    }

    /// XEP-0060 §7.1. An item of the same name is replaced and counts as the latest; of too many the oldest go.
    fn publish(
        &self,
        mut plan: Plan,
        asker: &Asker<'_>,
        item: Option<services::pubsub::Item>,
    ) -> Result<Plan, Error> {
        let Some(node) = &mut plan.after else {
            return Err(Error::NotFound);
        };
        let config = Arc::clone(&node.config);
        let payload_is_due = config.payloads || config.persist;
        let item = match item {
            None if payload_is_due => return Err(Error::ItemRequired),
            Some(item) if payload_is_due && item.payload.is_empty() => {
                return Err(Error::PayloadRequired);
            }
            Some(_) if !payload_is_due => return Err(Error::ItemForbidden),
            other => other,
        };
        let publisher = (!asker.owner).then(|| asker.bare.clone());
        let mut event = Event::Published {
            id: None,
            publisher: publisher.clone(),
            payload: bytes::Bytes::new(),
        };
        if let Some(item) = item {
            if item.payload.len() > self.limits.item_size {
                return Err(Error::Limit("pubsub_item_size"));
            }
            let id = item.id.unwrap_or_else(|| Arc::clone(&self.fresh));
            event = Event::Published {
                id: Some(Arc::clone(&id)),
                publisher: publisher.clone(),
                payload: if config.payloads {
                    item.payload.clone()
                } else {
                    bytes::Bytes::new()
                },
            };
            plan.answer = Answer::Published {
                node: Arc::clone(&plan.name),
                id: Some(Arc::clone(&id)),
            };
            if config.persist {
                let kept = NodeItem {
                    seq: node.next(),
                    id,
                    publisher,
                    at: self.now.utc,
                    payload: item.payload,
                };
                self.keep(&mut plan, kept)?;
            }
        }
        if config.notifications {
            plan.events.push(event);
        }
        Ok(plan)
    }

    fn keep(&self, plan: &mut Plan, item: NodeItem) -> Result<(), Error> {
        let Some(node) = &mut plan.after else {
            return Err(Error::NotFound);
        };
        let most = node.config.max_items.within(self.limits.items);
        let before = node.octets();
        let mut gone = Vec::new();
        if let Some(index) = node.items.iter().position(|kept| kept.id == item.id) {
            gone.push(node.items.remove(index).seq);
        }
        let over = (node.items.len() + 1).saturating_sub(most);
        gone.extend(
            node.items
                .drain(..over.min(node.items.len()))
                .map(|k| k.seq),
        );
        node.items.push(Kept {
            seq: item.seq,
            id: Arc::clone(&item.id),
            at: item.at,
            size: item.payload.len() as u32,
        });
        let total = self.nodes.octets().saturating_sub(before) + node.octets();
        if total > self.limits.bytes {
            return Err(Error::Limit("pubsub_bytes"));
        }
        plan.remove_items(self.owner, gone);
        plan.ops.push(Op::ItemPut {
            account: self.owner.clone(),
            node: Arc::clone(&plan.name),
            item: Box::new(item),
        });
        Ok(())
    }

    fn retract(
        &self,
        mut plan: Plan,
        before: &Node,
        id: &Arc<str>,
        notify: bool,
    ) -> Result<Plan, Error> {
        if !before.config.persist {
            return Err(Error::Unsupported("persistent-items"));
        }
        let seq = before.find(id).ok_or(Error::NotFound)?.seq;
        if let Some(node) = &mut plan.after {
            node.items.retain(|item| item.seq != seq);
        }
        plan.remove_items(self.owner, vec![seq]);
        if before.config.notifications && (notify || before.config.notify_retract) {
            plan.events.push(Event::Retracted { id: Arc::clone(id) });
        }
        Ok(plan)
    }

    fn configure(
        &self,
        plan: &mut Plan,
        before: &Node,
        form: &services::form::Form,
    ) -> Result<(), Error> {
        let mut config = (*before.config).clone();
        config.change(form)?;
        if config == *before.config {
            return Ok(());
        }
        let config = Arc::new(config);
        let mut gone = Vec::new();
        if let Some(node) = &mut plan.after {
            node.config = Arc::clone(&config);
            let most = if config.persist {
                config.max_items.within(self.limits.items)
            } else {
                0
            };
            let over = node.items.len().saturating_sub(most);
            gone.extend(node.items.drain(..over).map(|kept| kept.seq));
        }
        plan.store_config(self.owner);
        plan.remove_items(self.owner, gone);
        if config.notify_config {
            let told = config.payloads.then_some(config);
            plan.events.push(Event::Configured { config: told });
        }
        Ok(())
    }
}

impl Planner<'_> {
    /// What has ended by itself is gone. `None`: nothing has.
    pub(super) fn end(&self, name: &Arc<str>, before: &Node) -> Option<Plan> {
        let now = self.now.utc;
        if before.due()? > now {
            return None;
        }
        let mut plan = Self::begin(Arc::clone(name), before.clone());
        let node = plan.after.as_mut()?;
        let ended = |kept: &Kept| before.end_of(kept.at).is_some_and(|end| end <= now);
        let items: Vec<Kept> = node.items.extract_if(.., |kept| ended(kept)).collect();
        plan.remove_items(self.owner, items.iter().map(|item| item.seq).collect());
        let tells = before.config.notifications && before.config.notify_retract;
        let told = items.into_iter().filter(|_| tells);
        plan.events = told.map(|item| Event::Retracted { id: item.id }).collect();
        for (jid, subscriber) in &before.subscriptions {
            if subscriber.options.until.is_some_and(|until| until <= now) {
                plan.subscription(self.owner, jid, None);
                plan.personal.push((jid.clone(), None));
            }
        }
        Some(plan)
    }
}

impl Plan {
    fn store_config(&mut self, owner: &Bare) {
        if let Some(node) = &self.after {
            self.ops.push(Op::NodePut {
                account: owner.clone(),
                node: Arc::clone(&self.name),
                config: node.config.encode(),
                lifetime: node.config.lifetime,
            });
        }
    }

    fn remove_items(&mut self, owner: &Bare, seqs: Vec<u64>) {
        self.ops.extend(seqs.into_iter().map(|seq| Op::ItemRemove {
            account: owner.clone(),
            node: Arc::clone(&self.name),
            seq,
        }));
    }

    fn purge(&mut self, owner: &Bare) {
        if let Some(node) = &mut self.after {
            node.items.clear();
        }
        self.ops.push(Op::NodePurge {
            account: owner.clone(),
            node: Arc::clone(&self.name),
        });
    }

    fn subscription(&mut self, owner: &Bare, jid: &Address, now: Option<Subscriber>) {
        let Some(node) = &mut self.after else { return };
        match now {
            Some(now) => drop(node.subscriptions.insert(jid.clone(), now)),
            None => drop(node.subscriptions.remove(jid)),
        }
        self.ops.push(Op::NodeSubscription {
            account: owner.clone(),
            node: Arc::clone(&self.name),
            who: jid.clone(),
            state: now.map(|now| NodeSubscriber {
                state: now.state.code(),
                options: now.options.code(),
                until: now.options.until,
            }),
        });
    }
}
