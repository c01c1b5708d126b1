//! Requests that change nothing (XEP-0060 §5, §6.5, §8.2, §8.8, §8.9).

use std::sync::Arc;

use presence::{Address, Refusal};
use services::pubsub::{
    Affiliation, Answer, Asker, Config, Discovered, Error, Held, Node, Request, Subscription,
};

use super::Outcome;
use crate::entity::Entity;
use crate::shards::Model;

impl Model {
    /// Answers from memory and, for payloads, from the disk. Everything that was changed is there by now.
    pub(super) fn read_nodes(
        &self,
        entity: &Entity,
        asker: &Address,
        request: &Request,
    ) -> Result<Outcome, Refusal> {
        if let Request::Items { node, ids, most } = request {
            let wanted = entity.as_asker(asker, |asker| wanted(entity, asker, node, ids, *most));
            return match wanted {
                Ok(seqs) => self.held(entity, node, &seqs).map(Ok),
                Err(error) => Ok(Err(error)),
            };
        }
        Ok(entity.as_asker(asker, |asker| looked_up(entity, asker, request)))
    }

    fn held(&self, entity: &Entity, node: &Arc<str>, seqs: &[u64]) -> Result<Answer, Refusal> {
        let found = self.store.node_items(&entity.account, node, seqs);
        let found = found.map_err(|error| {
            tracing::error!(%error, account = %entity.account, "items could not be read");
            Refusal::Fault
        })?;
        let items = found.into_iter().map(|item| Held {
            id: item.id,
            publisher: item.publisher,
            payload: item.payload,
        });
        Ok(Answer::Items {
            node: Arc::clone(node),
            items: items.collect(),
        })
    }
}

fn find<'a>(entity: &'a Entity, node: &str) -> Result<&'a Node, Error> {
    let nodes = entity.nodes.as_ref();
    nodes
        .and_then(|nodes| nodes.all.get(node))
        .ok_or(Error::NotFound)
}

/// The numbers of items that somebody wants and may have, the oldest first. The latest `most` are meant where none is named; of named
/// ones, those that are there (§6.5.9.11).
fn wanted(
    entity: &Entity,
    asker: &Asker<'_>,
    node: &str,
    ids: &[Arc<str>],
    most: Option<usize>,
) -> Result<Vec<u64>, Error> {
    let node = find(entity, node)?;
    node.may_read(asker)?;
    if !node.config.persist {
        return Err(Error::Unsupported("persistent-items"));
    }
    if ids.is_empty() {
        let skip = node.items.len().saturating_sub(most.unwrap_or(usize::MAX));
        return Ok(node.items.iter().skip(skip).map(|item| item.seq).collect());
    }
    let found = ids.iter().filter_map(|id| node.find(id));
    Ok(found.map(|item| item.seq).collect())
}

fn looked_up(entity: &Entity, asker: &Asker<'_>, request: &Request) -> Outcome {
    match request {
        Request::Info { node: None } if asker.owner || asker.sees => Ok(Answer::Account),
        Request::Info { node: None } => Err(Error::Unavailable),
        Request::Info { node: Some(name) } => {
            let node = find(entity, name)?;
            node.may_read(asker)?;
            Ok(Answer::Info {
                node: Arc::clone(name),
                config: Arc::clone(&node.config),
                items: node.items.len(),
            })
        }
        Request::Discover { node } => discovered(entity, asker, node.as_ref()),
        Request::Subscriptions { node } => Ok(own_subscriptions(entity, asker, node.as_deref())),
        Request::Affiliations { node } => Ok(own_affiliations(entity, asker, node.as_deref())),
        Request::DefaultConfig if asker.owner => Ok(Answer::Config {
            node: None,
            config: Arc::new(Config::default()),
        }),
        Request::DefaultConfig => Err(Error::Forbidden),
        Request::DefaultOptions { node } => {
            if let Some(name) = node {
                find(entity, name)?.may_subscribe(asker)?;
            }
            Ok(Answer::DefaultOptions { node: node.clone() })
        }
        Request::ReadOptions { node, jid } => {
            let subscriber = find(entity, node)?.configured_by(asker, jid)?;
            Ok(Answer::Options {
                node: Arc::clone(node),
                jid: jid.clone(),
                options: subscriber.options,
            })
        }
        _ => for_owner(entity, asker, request),
    }
}

fn for_owner(entity: &Entity, asker: &Asker<'_>, request: &Request) -> Outcome {
    let name = request.node().ok_or(Error::NodeRequired)?;
    let node = find(entity, name)?;
    if !asker.owner {
        return Err(Error::Forbidden);
    }
    let name = Arc::clone(name);
    Ok(match request {
        Request::ReadConfig { .. } => Answer::Config {
            node: Some(name),
            config: Arc::clone(&node.config),
        },
        Request::ReadSubscriptions { .. } => Answer::AllSubscriptions {
            node: name,
            all: node.all_subscriptions(),
        },
        Request::ReadAffiliations { .. } => {
            let owner = (entity.account.clone(), Some(Affiliation::Owner));
            let others = node.affiliations.clone().into_iter();
            let others = others.map(|(who, affiliation)| (who, Some(affiliation)));
            Answer::AllAffiliations {
                node: name,
                all: [owner].into_iter().chain(others).collect(),
            }
        }
        _ => return Err(Error::BadRequest),
    })
}

/// XEP-0163 §6.1.2: only what he may read.
fn discovered(entity: &Entity, asker: &Asker<'_>, node: Option<&Arc<str>>) -> Outcome {
    let all = match node {
        Some(name) => {
            let node = find(entity, name)?;
            node.may_read(asker)?;
            let items = node.items.iter().map(|item| Discovered {
                is_node: false,
                name: Arc::clone(&item.id),
                title: None,
            });
            items.collect()
        }
        None => {
            let nodes = entity.nodes.iter().flat_map(|nodes| &nodes.all);
            let nodes = nodes.filter(|(_, node)| node.may_read(asker).is_ok());
            let nodes = nodes.map(|(name, node)| Discovered {
                is_node: true,
                name: Arc::clone(name),
                title: Some(node.config.title.clone()).filter(|t| !t.is_empty()),
            });
            nodes.collect()
        }
    };
    Ok(Answer::Discovered {
        node: node.cloned(),
        of: entity.account.clone(),
        all,
    })
}

fn own_subscriptions(entity: &Entity, asker: &Asker<'_>, only: Option<&str>) -> Answer {
    let nodes = entity.nodes.iter().flat_map(|nodes| &nodes.all);
    let nodes = nodes.filter(|(name, _)| only.is_none_or(|only| *only == ***name));
    let mine = nodes.flat_map(|(name, node)| {
        let reads = node.may_read(asker).is_ok();
        let all = node.subscribed(asker.bare);
        // Who may not read any more is not subscribed any more (XEP-0163 §7).
        let all = all.filter(move |(_, s)| reads || s.state == Subscription::Pending);
        all.map(move |(who, s)| (Arc::clone(name), who.clone(), s.state))
    });
    Answer::Subscriptions(mine.collect())
}

fn own_affiliations(entity: &Entity, asker: &Asker<'_>, only: Option<&str>) -> Answer {
    let nodes = entity.nodes.iter().flat_map(|nodes| &nodes.all);
    let nodes = nodes.filter(|(name, _)| only.is_none_or(|only| *only == ***name));
    let mine = nodes.filter_map(|(name, node)| Some((Arc::clone(name), node.affiliation(asker)?)));
    Answer::Affiliations(mine.collect())
}
