//! What a change leads to: the node as it is afterwards, what is stored, what is told. Nothing is done yet.

use std::sync::Arc;

use presence::{Address, Bare};
use services::pubsub::{
    Affiliation, Answer, Asker, Config, Error, Event, Kept, Node, Request, Subscription,
};
use store::{NodeItem, Op};

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
    /// He has subscribed just now and gets the last item.
    pub(super) welcome: Option<Address>,
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
            welcome: None,
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
            Request::Subscribe { jid, .. } => return self.subscribe(plan, before, asker, jid),
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

    fn subscribe(
        &self,
        mut plan: Plan,
        before: &Node,
        asker: &Asker<'_>,
        jid: Address,
    ) -> Result<Plan, Error> {
        if jid.bare != *asker.bare {
            return Err(Error::InvalidJid);
        }
        let state = before.may_subscribe(asker)?;
        let known = before.subscriptions.get(&jid).copied();
        if known.is_none() && before.subscriptions.len() >= self.limits.subscriptions {
            return Err(Error::Limit("pubsub_subscriptions"));
        }
        if known != Some(state) {
            plan.subscription(self.owner, &jid, Some(state));
            if state == Subscription::Subscribed {
                plan.welcome = Some(jid.clone());
            }
        }
        plan.answer = Answer::Subscribed {
            node: Arc::clone(&plan.name),
            jid,
            state,
        };
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

    fn set_subscriptions(
        &self,
        plan: &mut Plan,
        all: Vec<(Address, Option<Subscription>)>,
    ) -> Result<(), Error> {
        for (jid, state) in all {
            let Some(node) = &plan.after else { break };
            let before = node.subscriptions.get(&jid).copied();
            if before == state {
                continue;
            }
            if before.is_none() && node.subscriptions.len() >= self.limits.subscriptions {
                return Err(Error::Limit("pubsub_subscriptions"));
            }
            plan.subscription(self.owner, &jid, state);
            plan.personal.push((jid, state));
        }
        Ok(())
    }

    /// The owner is the account, and nobody else can be.
    fn set_affiliations(
        &self,
        plan: &mut Plan,
        all: Vec<(Bare, Option<Affiliation>)>,
    ) -> Result<(), Error> {
        for (who, affiliation) in all {
            let is_owner = who == *self.owner;
            if is_owner != (affiliation == Some(Affiliation::Owner)) {
                return Err(Error::NotAcceptable);
            }
            let Some(node) = &mut plan.after else { break };
            if is_owner || node.affiliations.get(&who).copied() == affiliation {
                continue;
            }
            match affiliation {
                Some(affiliation) => drop(node.affiliations.insert(who.clone(), affiliation)),
                None => drop(node.affiliations.remove(&who)),
            }
            if node.affiliations.len() > self.limits.subscriptions {
                return Err(Error::Limit("pubsub_subscriptions"));
            }
            let gone: Vec<Address> = match affiliation {
                Some(Affiliation::Outcast) => {
                    let all = node.subscriptions.keys();
                    all.filter(|jid| jid.bare == who).cloned().collect()
                }
                _ => Vec::new(),
            };
            plan.ops.push(Op::Affiliation {
                account: self.owner.clone(),
                node: Arc::clone(&plan.name),
                who,
                affiliation: affiliation.map(Affiliation::code),
            });
            for jid in gone {
                plan.subscription(self.owner, &jid, None);
                plan.personal.push((jid, None));
            }
        }
        Ok(())
    }
}

impl Plan {
    fn store_config(&mut self, owner: &Bare) {
        if let Some(node) = &self.after {
            self.ops.push(Op::NodePut {
                account: owner.clone(),
                node: Arc::clone(&self.name),
                config: node.config.encode(),
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

    fn subscription(&mut self, owner: &Bare, jid: &Address, state: Option<Subscription>) {
        let Some(node) = &mut self.after else { return };
        match state {
            Some(state) => drop(node.subscriptions.insert(jid.clone(), state)),
            None => drop(node.subscriptions.remove(jid)),
        }
        self.ops.push(Op::NodeSubscription {
            account: owner.clone(),
            node: Arc::clone(&self.name),
            who: jid.clone(),
            state: state.map(Subscription::code),
        });
    }
}
