//! Nodes of accounts: PEP and publish-subscribe (XEP-0163, XEP-0060). The rules are in `services`; here they are applied to the account
//! under its lock, what follows is stored, and after the commit everybody who wants to know is told.
//!
//! | module | is |
//! |---|---|
//! | `nodes` | the nodes of an account in memory, without payloads |
//! | `read` | requests that change nothing |
//! | `plan` | what a change leads to |
//! | `change` | changes done |
//! | `unit` | several changes done as one |
//! | `bookmarks` | bookmarks in two nodes and private storage |
//! | `avatar` | pictures in nodes, cards and presence |
//! | `tell` | notifications |
//! | `asked` | who wants to subscribe, for the owner |
//! | `ending` | what ends by itself |
//! | `last` | the last items for who comes online or subscribes |

mod asked;
mod avatar;
mod bookmarks;
mod change;
mod ending;
mod last;
mod nodes;
mod plan;
mod read;
mod tell;
mod unit;

use std::sync::Arc;

use presence::{Address, Bare, Refusal};
use services::pubsub::{Answer, Error, Request};

use crate::commit::Reply;
use crate::entity::Entity;
use crate::shards::Model;

use bookmarks::is_bookmark_node;
pub(crate) use bookmarks::is_bookmarks;
pub use nodes::Limits;
pub(crate) use nodes::{Nodes, Owners};
pub use tell::NodeNotice;
pub(crate) use unit::Unit;

/// What became of a request.
pub type Outcome = Result<Answer, Error>;

impl Model {
    /// Does what `asker` wants of the nodes of `owner`. What only reads is answered when what it shows is on disk, a change when it is.
    pub fn pubsub(
        self: &Arc<Self>,
        asker: &Address,
        owner: &Bare,
        request: Request,
        reply: &Reply<Outcome>,
    ) {
        let stranger = absent(owner, &request);
        let at = Address::from(owner.clone());
        let outcome = self.may_address(asker, &at).and_then(|()| {
            self.with_entity(owner, |entity| {
                if entity.disabled {
                    return Err(Refusal::NotFound);
                }
                if entity.blocks(asker) {
                    return Err(Refusal::Unavailable);
                }
                self.ensure_nodes(entity)?;
                if !request.only_reads() {
                    if unit::converts(&request) {
                        return self.change_converted(entity, asker, request, reply);
                    }
                    return self.change_nodes(entity, asker, request, reply);
                }
                if asker.bare == *owner && shows_bookmarks(&request) {
                    self.import_when_read(entity)?;
                }
                if entity.pending_commits == 0 {
                    reply.send(self.read_nodes(entity, asker, &request));
                    return Ok(());
                }
                let (owner, asker, later) = (owner.clone(), asker.clone(), reply.clone());
                self.after_commits(entity, move |model| {
                    let read = model.with_entity(&owner, |entity| {
                        model.ensure_nodes(entity)?;
                        model.read_nodes(entity, &asker, &request)
                    });
                    later.send(read);
                })
            })
        });
        match outcome {
            Ok(()) => {}
            // An account that does not exist looks like one without nodes.
            Err(Refusal::NotFound) => reply.send(Ok(stranger)),
            Err(refusal) => reply.send(Err(refusal)),
        }
    }

    /// Reads in the nodes of an account where that was not done yet.
    pub(crate) fn ensure_nodes(&self, entity: &mut Entity) -> Result<(), Refusal> {
        if let Some(nodes) = &mut entity.nodes {
            nodes.used = true;
            return Ok(());
        }
        let owned = self.node_owners.has(&entity.account);
        let records = if owned {
            self.store.nodes(&entity.account).map_err(|error| {
                tracing::error!(%error, account = %entity.account, "nodes could not be read");
                Refusal::Fault
            })?
        } else {
            Vec::new()
        };
        entity.nodes = Some(Box::new(Nodes::of(records)));
        Ok(())
    }
}

/// The answer depends on whether there are bookmarks.
fn shows_bookmarks(request: &Request) -> bool {
    let all = matches!(request, Request::Discover { node: None });
    all || request.node().is_some_and(|node| is_bookmark_node(node))
}

/// What a stranger is told at an account without nodes.
fn absent(owner: &Bare, request: &Request) -> Outcome {
    match request {
        Request::Info { node: None } => Err(Error::Unavailable),
        Request::Discover { node: None } => Ok(Answer::Discovered {
            node: None,
            of: owner.clone(),
            all: Vec::new(),
        }),
        Request::Subscriptions { .. } => Ok(Answer::Subscriptions(Vec::new())),
        Request::Affiliations { .. } => Ok(Answer::Affiliations(Vec::new())),
        Request::DefaultOptions { node: None } => Ok(Answer::DefaultOptions { node: None }),
        Request::Create { .. } | Request::DefaultConfig => Err(Error::Forbidden),
        _ => Err(Error::NotFound),
    }
}

impl Entity {
    /// Nodes that nobody wanted since this was called last are not kept in memory.
    pub(crate) fn rest_nodes(&mut self) {
        if self.pending_commits > 0 {
            return;
        }
        if let Some(nodes) = &mut self.nodes
            && !std::mem::take(&mut nodes.used)
        {
            self.nodes = None;
        }
    }

    /// Does something with somebody as the rules of nodes see him.
    fn as_asker<T>(
        &self,
        asker: &Address,
        work: impl FnOnce(&services::pubsub::Asker<'_>) -> T,
    ) -> T {
        let item = self.roster.items.get(&asker.bare);
        let listed;
        let item = if self.groups.is_empty() {
            item
        } else {
            listed = self.listed(&asker.bare, item);
            listed.as_ref()
        };
        let groups: Vec<&str> = item.map(|i| i.label.groups().collect()).unwrap_or_default();
        work(&services::pubsub::Asker {
            bare: &asker.bare,
            owner: asker.bare == self.account,
            sees: self.shows_to(asker),
            groups: &groups,
        })
    }
}
