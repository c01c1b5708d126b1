//! Pictures: what is published in nodes goes into the card, what stands in a card is published, and presence says which it is
//! (XEP-0398). What is made of one thing is made into nothing again: there are no loops.

use std::sync::Arc;

use bytes::Bytes;
use presence::{Address, Bare, Card, Native, Publication, Refusal};
use services::avatar::{self, DATA, METADATA, Photo, Said};
use services::pubsub::{Item, Request};
use store::{Op, StoreError};

use super::unit::{Unit, form};
use crate::entity::Entity;
use crate::route::Notice;
use crate::shards::Model;

impl Model {
    /// The nodes have changed: the card gets the picture that they have now, when that can be had and there is room for it. With
    /// `removes` it loses the one it has when the nodes say that there is none.
    pub(super) fn photo_to_card(
        &self,
        entity: &Entity,
        unit: &mut Unit,
        removes: bool,
    ) -> Result<(), Refusal> {
        let photo = match self.photo_in_nodes(entity, unit)? {
            Said::This(photo) => Some(photo),
            Said::Nothing if removes => None,
            Said::Nothing | Said::Unclear => return Ok(()),
        };
        let before = self.card_of(&entity.account)?;
        let same = before.as_ref().and_then(|card| card.photo.as_deref());
        if same == photo.as_ref().map(|photo| photo.id.as_str()) {
            return Ok(());
        }
        let (old, facts) = match before {
            Some(card) => (Some(card.xml), card.facts),
            None => (None, presence::Facts::default()),
        };
        let after = avatar::into_card(old.as_ref(), photo.as_ref()).map(|xml| Card {
            xml,
            facts,
            photo: photo.map(|photo| photo.id),
        });
        if after
            .as_ref()
            .is_none_or(|card| card.xml.len() <= self.rules.vcard_size)
        {
            unit.card(&entity.account, after);
        }
        Ok(())
    }

    fn photo_in_nodes(&self, entity: &Entity, unit: &Unit) -> Result<Said<Photo>, Refusal> {
        let account = &entity.account;
        let last = unit.node(METADATA).and_then(|node| node.items.last());
        let Some(last) = last else {
            return Ok(Said::Nothing);
        };
        let found = unit.payloads(self, account, METADATA, std::slice::from_ref(last))?;
        let infos = match found
            .first()
            .map(|(_, payload)| avatar::in_metadata(payload))
        {
            Some(Said::This(infos)) => infos,
            Some(Said::Nothing) => return Ok(Said::Nothing),
            Some(Said::Unclear) | None => return Ok(Said::Unclear),
        };
        let data = unit.node(DATA);
        for (id, kind) in infos {
            let Some(kept) = data.and_then(|data| data.find(&id)) else {
                continue;
            };
            let found = unit.payloads(self, account, DATA, std::slice::from_ref(kept))?;
            let read = |(_, payload): &(_, Bytes)| avatar::in_data(payload, &id, kind.as_deref());
            if let Some(photo) = found.first().and_then(read) {
                return Ok(Said::This(photo));
            }
        }
        Ok(Said::Unclear)
    }

    /// The card is to be this: its picture is published, where it is another, and there is room for it.
    pub(crate) fn photo_to_nodes(
        &self,
        entity: &Entity,
        unit: &mut Unit,
        card: Option<&Card>,
    ) -> Result<(), Refusal> {
        let said = match card {
            None => Said::Nothing,
            Some(card) => avatar::of_card(&card.xml),
        };
        let before = self.photo_in_nodes(entity, unit)?;
        let publish = |node: &str, id: &str, payload| Request::Publish {
            node: node.into(),
            item: Some(Item {
                id: Some(id.into()),
                payload,
            }),
            // Who makes them by a card, which everybody may read, means them for everybody.
            options: unit
                .node(node)
                .is_none()
                .then(|| form(&[("access_model", "open")])),
        };
        let requests = match (&said, &before) {
            (Said::This(photo), Said::This(before)) if photo.id == before.id => return Ok(()),
            (Said::This(photo), _) => vec![
                publish(DATA, &photo.id, photo.data()),
                publish(METADATA, &photo.id, avatar::metadata(Some(photo))),
            ],
            (Said::Nothing, Said::This(before)) => {
                vec![publish(METADATA, &before.id, avatar::metadata(None))]
            }
            _ => return Ok(()),
        };
        if let Err(error) = unit.changes(self, entity, requests) {
            tracing::debug!(?error, account = %entity.account, "a picture of a card was not published");
        }
        Ok(())
    }

    /// The card as its owner wrote it, for one who asks: without the picture, where he may not have that from its node.
    pub(crate) fn card_for(
        &self,
        asker: &Address,
        of: &Bare,
        card: Bytes,
    ) -> Result<Option<Bytes>, Refusal> {
        let may = asker.bare == *of
            || self.store.photo(of).is_ok_and(|photo| photo.is_none())
            || self.with_entity(of, |entity| {
                self.ensure_nodes(entity)?;
                let node = entity.nodes.as_ref().and_then(|nodes| nodes.all.get(DATA));
                Ok(node.is_none_or(|node| entity.as_asker(asker, |a| node.may_read(a).is_ok())))
            })?;
        Ok(if may {
            Some(card)
        } else {
            avatar::into_card(Some(&card), None)
        })
    }

    /// Looks once for pictures in cards that were stored before it was written down which picture is in a card.
    pub(crate) fn look_for_photos(&self) -> Result<(), StoreError> {
        const DONE: &str = "photos-known";
        if self.store.meta(DONE)?.is_some() {
            return Ok(());
        }
        let mut found = Vec::new();
        for account in self.store.cards_without_photo()? {
            let Some(card) = self.store.card(&account)? else {
                continue;
            };
            if let Said::This(photo) = avatar::of_card(&card.xml) {
                let photo = Some(photo.id);
                found.push(Op::VcardPut {
                    account,
                    card: Some(Box::new(Card { photo, ..card })),
                });
            }
            // Nothing is served yet: the disk can be waited for.
            if found.len() >= 64 {
                self.store.submit_soft(std::mem::take(&mut found));
                self.store.barrier();
            }
        }
        let any = !found.is_empty();
        found.push(Op::MetaPut {
            key: DONE.to_owned(),
            value: vec![1],
        });
        self.store.submit_soft(found);
        // Whoever comes first is to see his picture.
        if any {
            self.store.barrier();
        }
        Ok(())
    }

    fn card_of(&self, account: &Bare) -> Result<Option<Card>, Refusal> {
        self.store.card(account).map_err(|error| {
            tracing::error!(%error, %account, "a card could not be read");
            Refusal::Fault
        })
    }

    fn photo_of(&self, entity: &Entity) -> Option<Arc<str>> {
        let read = || match self.store.photo(&entity.account) {
            Ok(photo) => photo.map(Arc::from),
            Err(error) => {
                tracing::error!(%error, account = %entity.account, "a picture could not be looked up");
                None
            }
        };
        entity.photo.get_or_init(read).clone()
    }

    /// What a session shows with the account's picture in it. `None` where there is none, or the client says it itself.
    pub(crate) fn with_photo(&self, entity: &Entity, content: &Bytes) -> Option<Bytes> {
        let photo = self.photo_of(entity)?;
        avatar::shown(content, Some(&photo))
    }

    /// The account's picture is another: the sessions for which the server says so show it.
    pub(super) fn show_photo(self: &Arc<Self>, account: &Bare) {
        self.with_slot(account, |slot| {
            let Some(entity) = &mut slot.entity else {
                return;
            };
            let photo = self.photo_of(entity);
            let mut notices = Vec::new();
            for index in 0..entity.sessions.len() {
                let Some(publication) = entity.showing(index, photo.as_deref()) else {
                    continue;
                };
                let publication = Arc::new(publication);
                let known = Op::LastKnownPut {
                    account: account.clone(),
                    publication: Arc::clone(&publication),
                };
                self.keep_presence(account, &publication.resource, known);
                entity.put(Arc::clone(&publication), None);
                notices.push(Notice::available(account, &publication));
            }
            for notice in notices {
                slot.broadcast(&notice, self.rules.same_domain_allow, self.phones());
            }
        });
    }
}

impl Entity {
    /// What a session shows, with another picture. `None` where nothing changes.
    fn showing(&mut self, session: usize, photo: Option<&str>) -> Option<Publication> {
        let own = self.sessions.get(session)?;
        own.available?;
        let (said, resource) = (own.shows_photo, own.resource.clone());
        if photo.is_none() && !said {
            return None;
        }
        let shown = &self.published.get(self.find(&resource)?)?.publication;
        let Native::Xmpp(content) = &shown.native else {
            return None;
        };
        let plain = if said {
            avatar::unshown(content)
        } else {
            content.clone()
        };
        let content = avatar::shown(&plain, photo).filter(|new| new != content)?;
        let publication = Publication {
            native: Native::Xmpp(content),
            ..(**shown).clone()
        };
        self.sessions.get_mut(session)?.shows_photo = true;
        Some(publication)
    }
}
