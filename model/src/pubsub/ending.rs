//! What ends at nodes by itself: items that have a lifetime (`pubsub#item_expire`), and leased subscriptions (XEP-0060 §12.18).

use std::sync::Arc;

use presence::{Bare, Refusal};
use services::pubsub::Node;

use super::unit::Unit;
use crate::commit::Reply;
use crate::entity::Entity;
use crate::shards::Model;
use crate::timers::{Ending, RETRY};

impl Model {
    /// Something at the node ends one day: it is looked at then.
    pub(super) fn arm(&self, owner: &Bare, node: Option<&Node>) {
        if let Some(due) = node.and_then(Node::due) {
            let at = self.now().deadline(due);
            self.timers.lock().push(at, owner, Ending::Nodes);
        }
    }

    /// Takes away what has ended at the nodes of an account.
    pub(crate) fn end_at_nodes(self: &Arc<Self>, owner: &Bare) {
        let (model, account) = (Arc::clone(self), owner.clone());
        let again = Reply::new(move |result| {
            let Err(refusal) = result else { return };
            if refusal != Refusal::NotFound {
                let at = model.now().at.plus(RETRY);
                model.timers.lock().push(at, &account, Ending::Nodes);
            }
        });
        self.when_settled::<()>(owner, &again, Self::end_nodes);
    }

    fn end_nodes(self: &Arc<Self>, entity: &mut Entity) -> Result<(), Refusal> {
        let mut unit = Unit::of(entity);
        let changed = unit.end(self, entity);
        for node in &changed {
            self.convert(entity, &mut unit, node)?;
        }
        if changed.is_empty() {
            // It lives longer than it did when it was looked at last.
            for node in entity.nodes.iter().flat_map(|nodes| nodes.all.values()) {
                self.arm(&entity.account, Some(node));
            }
            return Ok(());
        }
        self.commit_unit(entity, unit, |_| {})
    }
}
