//! Bookmarks: each by itself in one node, all together in another and in private storage (XEP-0402, XEP-0411, XEP-0049). What one changes
//! is changed in the other, in the same unit. What private storage shows is the second node.

use std::sync::Arc;

use bytes::Bytes;
use presence::card::Label;
use presence::{Address, Bare, Kept, Refusal};
use services::bookmarks::{Bookmark, CURRENT, LEGACY, NODE, STORAGE, Storage};
use services::form::Form;
use services::pubsub::{Access, Error, Item, Request};
use store::{Most, Op};

use super::unit::{Unit, form};
use crate::entity::Entity;
use crate::shards::Model;

/// Under this name private storage has bookmarks.
pub(crate) fn is_bookmarks(label: &Label) -> bool {
    label.namespace == LEGACY && label.name == STORAGE
}

/// In this node there are bookmarks.
pub(super) fn is_bookmark_node(node: &str) -> bool {
    node == NODE || node == LEGACY
}

impl Model {
    /// The single ones have changed.
    pub(super) fn bookmarks_to_storage(
        &self,
        entity: &Entity,
        unit: &mut Unit,
    ) -> Result<(), Refusal> {
        let before = self.storage(entity, unit)?;
        let rooms = self.single(entity, unit)?;
        if before.is_none() && rooms.is_empty() {
            return Ok(());
        }
        let others = before.as_ref().and_then(Storage::read);
        let others = others.unwrap_or_default().others;
        let after = Storage { rooms, others }.print();
        if before.as_ref() != Some(&after)
            && let Err(error) = self.put_storage(entity, unit, after)
        {
            tracing::debug!(?error, account = %entity.account, "bookmarks were not converted");
        }
        Ok(())
    }

    /// Those that are all together have changed.
    pub(super) fn storage_to_bookmarks(
        &self,
        entity: &Entity,
        unit: &mut Unit,
    ) -> Result<(), Refusal> {
        let storage = match self.storage(entity, unit)? {
            Some(xml) => Storage::read(&xml),
            None => Some(Storage::default()),
        };
        let Some(storage) = storage else {
            return Ok(());
        };
        let before = self.single(entity, unit)?;
        let mut requests = Vec::new();
        for old in &before {
            if storage.find(&old.room).is_none() {
                requests.push(Request::Retract {
                    node: NODE.into(),
                    id: old.id.as_str().into(),
                    notify: true,
                });
            }
        }
        let count = storage.rooms.len();
        for room in storage.rooms {
            let old = before.iter().find(|old| old.room == room.room);
            let new = match old {
                Some(old) => room.over(old.clone()),
                None => room,
            };
            if old != Some(&new) {
                requests.push(publish(NODE, &new.id, new.item()));
            }
        }
        if requests.is_empty() {
            return Ok(());
        }
        let done = if count > self.rules.pubsub.items {
            Err(Error::Limit("pubsub_items"))
        } else {
            requests.splice(0..0, prepared(unit, NODE, count));
            unit.changes(self, entity, requests)
        };
        if let Err(error) = done {
            tracing::debug!(?error, account = %entity.account, "bookmarks were not converted");
        }
        Ok(())
    }

    /// Private storage is given bookmarks, beside other things.
    pub(crate) fn bookmarks_kept(
        &self,
        entity: &Entity,
        unit: &mut Unit,
        xml: &Bytes,
    ) -> Result<(), Refusal> {
        let several = Storage::read(xml).ok_or(Refusal::BadRequest("These are no bookmarks."))?;
        self.import_bookmarks(entity, unit)?;
        let before = self.storage(entity, unit)?;
        let after = Storage::joined(xml).unwrap_or_default();
        if before.as_ref() == Some(&after) || (before.is_none() && several == Storage::default()) {
            return Ok(());
        }
        self.put_storage(entity, unit, after)
            .map_err(|error| match error {
                Error::Limit(name) => Refusal::Limit(name),
                _ => Refusal::BadRequest("The bookmarks cannot be kept."),
            })?;
        self.storage_to_bookmarks(entity, unit)
    }

    /// The bookmarks as private storage shows them. What is in memory alone is not told yet.
    pub(crate) fn bookmarks_shown(
        &self,
        account: &Bare,
    ) -> Result<Option<Bytes>, store::StoreError> {
        // First what is moved away by one commit, then where that puts it: between the two nothing can be missed.
        let before = self.store.private(account, &label())?;
        let wants = |node: &str| node == LEGACY;
        let owner = Address::from(account.clone());
        let last = self.store.last_items(&owner, [account], &wants, 1)?;
        let shown = last.into_iter().map(|last| last.item.payload).next();
        Ok(shown.filter(|xml| Storage::read(xml).is_some()).or(before))
    }

    /// Their owner reads them for the first time since: whatever the way, all ways show the same from then on. What is on its way to the
    /// disk waits; whoever reads meanwhile reads what was there.
    pub(crate) fn import_when_read(self: &Arc<Self>, entity: &mut Entity) -> Result<(), Refusal> {
        let there = entity.nodes.as_ref();
        let there = there.is_some_and(|nodes| nodes.all.contains_key(LEGACY));
        if there || entity.pending_commits > 0 {
            return Ok(());
        }
        let mut unit = Unit::of(entity);
        self.import_bookmarks(entity, &mut unit)?;
        if unit.is_empty() {
            return Ok(());
        }
        self.commit_unit(entity, unit, |_| ())
    }

    /// Bookmarks that private storage had before it showed those of the node are put there.
    pub(super) fn import_bookmarks(&self, entity: &Entity, unit: &mut Unit) -> Result<(), Refusal> {
        if unit.node(LEGACY).is_some() {
            return Ok(());
        }
        let account = &entity.account;
        let kept = self.store.private(account, &label()).map_err(|error| {
            tracing::error!(%error, %account, "bookmarks could not be read");
            Refusal::Fault
        })?;
        let Some(xml) = kept.filter(|xml| Storage::read(xml).is_some()) else {
            return Ok(());
        };
        if self.put_storage(entity, unit, xml).is_err() {
            return Ok(());
        }
        self.storage_to_bookmarks(entity, unit)?;
        unit.also(Op::PrivatePut {
            account: account.clone(),
            kept: vec![Kept {
                label: label(),
                xml: Bytes::new(),
            }],
            // Less than before is never too much.
            most: Most {
                elements: usize::MAX,
                bytes: u64::MAX,
            },
        });
        Ok(())
    }

    fn put_storage(&self, entity: &Entity, unit: &mut Unit, xml: Bytes) -> Result<(), Error> {
        let last = unit.node(LEGACY).and_then(|node| node.items.last());
        let id = last.map_or(CURRENT.into(), |item| Arc::clone(&item.id));
        let mut requests = prepared(unit, LEGACY, 1);
        requests.push(publish(LEGACY, &id, xml));
        unit.changes(self, entity, requests)
    }

    fn storage(&self, entity: &Entity, unit: &Unit) -> Result<Option<Bytes>, Refusal> {
        let last = unit.node(LEGACY).and_then(|node| node.items.last());
        let last = last.map(std::slice::from_ref).unwrap_or_default();
        let found = unit.payloads(self, &entity.account, LEGACY, last)?;
        Ok(found.into_iter().map(|(_, xml)| xml).next())
    }

    fn single(&self, entity: &Entity, unit: &Unit) -> Result<Vec<Bookmark>, Refusal> {
        let items = unit.node(NODE).map(|node| node.items.as_slice());
        let found = unit.payloads(self, &entity.account, NODE, items.unwrap_or_default())?;
        let mut all: Vec<Bookmark> = Vec::new();
        for (id, xml) in found {
            let bookmark = Bookmark::of_item(&id, &xml);
            all.extend(bookmark.filter(|new| all.iter().all(|old| old.room != new.room)));
        }
        Ok(all)
    }
}

fn label() -> Label {
    Label {
        namespace: LEGACY.to_owned(),
        name: STORAGE.to_owned(),
    }
}

fn publish(node: &str, id: &str, payload: Bytes) -> Request {
    Request::Publish {
        node: node.into(),
        item: Some(Item {
            id: Some(id.into()),
            payload,
        }),
        options: None,
    }
}

/// What is to be done that a node keeps so many and shows them to nobody else (XEP-0402 §5, XEP-0411 §5).
fn prepared(unit: &Unit, node: &str, count: usize) -> Vec<Request> {
    let config = || -> Form {
        let mut fields = vec![("access_model", "whitelist"), ("persist_items", "true")];
        if node == NODE {
            fields.extend([("max_items", "max"), ("send_last_published_item", "never")]);
        }
        form(&fields)
    };
    match unit.node(node).map(|found| &found.config) {
        None => vec![Request::Create {
            node: Some(node.into()),
            config: Some(config()),
        }],
        Some(is)
            if is.access != Access::Whitelist
                || !is.persist
                || is.max_items.within(usize::MAX) < count =>
        {
            vec![Request::Configure {
                node: node.into(),
                config: Some(config()),
            }]
        }
        Some(_) => Vec::new(),
    }
}
