//! Who subscribes and who is what to a node: what a change of that leads to (XEP-0060 §6, §8.6, §8.8, §8.9).

use std::sync::Arc;

use presence::{Address, Bare};
use services::form::Form;
use services::pubsub::{
    Affiliation, Answer, Asker, Error, Node, Options, Subscriber, Subscription,
};
use store::Op;

use super::{Plan, Planner};

impl Planner<'_> {
    pub(super) fn subscribe(
        &self,
        mut plan: Plan,
        before: &Node,
        asker: &Asker<'_>,
        jid: Address,
        options: Option<&Form>,
    ) -> Result<Plan, Error> {
        if jid.bare != *asker.bare {
            return Err(Error::InvalidJid);
        }
        let state = before.may_subscribe(asker)?;
        let known = before.subscriptions.get(&jid).copied();
        if known.is_none() && before.subscriptions.len() >= self.limits.subscriptions {
            return Err(Error::Limit("pubsub_subscriptions"));
        }
        let mut now = Subscriber {
            state,
            ..known.unwrap_or(Subscriber::new(state))
        };
        if let Some(form) = options {
            now.options.change(form, self.now.utc)?;
        }
        if known != Some(now) {
            plan.subscription(self.owner, &jid, Some(now));
        }
        if known.is_none_or(|known| known.state != state) {
            match state {
                Subscription::Subscribed => plan.welcome.push((jid.clone(), now.options)),
                Subscription::Pending => plan.asks = Some(jid.clone()),
            }
        }
        plan.answer = Answer::Subscribed {
            node: Arc::clone(&plan.name),
            jid,
            state,
            options: options.map(|_| now.options),
        };
        Ok(plan)
    }

    pub(super) fn set_options(
        &self,
        plan: &mut Plan,
        jid: &Address,
        subscriber: Subscriber,
        form: &Form,
    ) -> Result<(), Error> {
        let mut now = subscriber;
        now.options.change(form, self.now.utc)?;
        if now != subscriber {
            plan.subscription(self.owner, jid, Some(now));
        }
        Ok(())
    }

    /// The owner answers. Who was admitted already stays so: of several devices of his the first to answer counts.
    pub(super) fn authorize(
        &self,
        plan: &mut Plan,
        before: &Node,
        jid: Address,
        allow: bool,
    ) -> Result<(), Error> {
        let known = before.subscriptions.get(&jid).copied();
        match known.map(|known| known.state) {
            Some(Subscription::Pending) => {
                let state = allow.then_some(Subscription::Subscribed);
                self.set_subscriptions(plan, vec![(jid, state)])
            }
            Some(Subscription::Subscribed) if allow => Ok(()),
            _ => Err(Error::NothingPending),
        }
    }

    pub(super) fn set_subscriptions(
        &self,
        plan: &mut Plan,
        all: Vec<(Address, Option<Subscription>)>,
    ) -> Result<(), Error> {
        for (jid, state) in all {
            let Some(node) = &plan.after else { break };
            let before = node.subscriptions.get(&jid).copied();
            if before.map(|before| before.state) == state {
                continue;
            }
            if before.is_none() && node.subscriptions.len() >= self.limits.subscriptions {
                return Err(Error::Limit("pubsub_subscriptions"));
            }
            let options = before.map_or_else(Options::default, |before| before.options);
            let now = state.map(|state| Subscriber { state, options });
            plan.subscription(self.owner, &jid, now);
            if state == Some(Subscription::Subscribed) {
                plan.welcome.push((jid.clone(), options));
            }
            plan.personal.push((jid, state));
        }
        Ok(())
    }

    /// The owner is the account, and nobody else can be.
    pub(super) fn set_affiliations(
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
                    node.subscribed(&who).map(|(jid, _)| jid.clone()).collect()
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
