//! Publications by entity tag (RFC 3903 §4, §6).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use presence::{Bare, Document, EntityTag, Native, Publication, Refusal, Resource, Source, Utc};
use store::Op;

use crate::clock;
use crate::commit::Reply;
use crate::route::Notice;
use crate::shards::Model;
use crate::timers::Ending;

/// What a PUBLISH asks for, after its own protocol's checks.
#[derive(Debug, Clone)]
pub struct Publish {
    /// The publication it refers to (SIP-If-Match).
    pub tag: Option<EntityTag>,
    /// The granted lifetime; zero removes.
    pub expires: Duration,
    /// The state; `None` in a refresh or removal.
    pub body: Option<Body>,
    /// As which resource it appears to XMPP contacts.
    pub resource: Resource,
    /// The device, across re-publications.
    pub device: Arc<str>,
}

/// Published state.
#[derive(Debug, Clone)]
pub struct Body {
    /// The common part.
    pub document: Document,
    /// The document as published, in normal form.
    pub native: Bytes,
    /// Its language.
    pub lang: Option<Arc<str>>,
}

/// What a publisher is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The new entity tag: every successful PUBLISH makes one (RFC 3903 §6).
    pub etag: EntityTag,
    /// How long it lives.
    pub expires: Duration,
}

impl Model {
    /// Creates, refreshes, modifies or removes a publication. Answered after the commit; watchers are told at once.
    pub fn publish(self: &Arc<Self>, account: &Bare, publish: Publish, reply: &Reply<Granted>) {
        if let Err(refusal) = self.publish_planned(account, publish, reply) {
            reply.send(Err(refusal));
        }
    }

    fn publish_planned(
        self: &Arc<Self>,
        account: &Bare,
        publish: Publish,
        reply: &Reply<Granted>,
    ) -> Result<(), Refusal> {
        let now = self.now();
        let etag = clock::entity_tag(&self.random);
        let granted = Granted {
            etag: etag.clone(),
            expires: publish.expires,
        };
        self.with(account, |slot| {
            let entity = slot.entity.as_mut().ok_or(Refusal::NotFound)?;
            if entity.disabled {
                return Err(Refusal::Disabled);
            }
            let old = match &publish.tag {
                Some(tag) => Some(
                    entity
                        .published
                        .iter()
                        .find(|p| p.publication.etag.as_ref() == Some(tag))
                        .map(|p| Arc::clone(&p.publication))
                        .ok_or(Refusal::TagUnknown)?,
                ),
                None => None,
            };
            let answer = reply.clone();
            let done = move |_: &Arc<Self>, stored: Result<(), Refusal>| {
                answer.send(stored.map(|()| granted))
            };
            if publish.expires.is_zero() {
                // Nothing to remove: an initial publication that lives no time is granted and gone (RFC 3903 §4.1).
                let Some(old) = old else {
                    done(self, Ok(()));
                    return Ok(());
                };
                let ops = vec![Op::PublicationRemove {
                    account: account.clone(),
                    resource: old.resource.clone(),
                }];
                self.submit(entity, ops, done)?;
                slot.close(&old.resource, self.rules.same_domain_allow, self.phones());
                return Ok(());
            }
            let changes = publish.body.is_some();
            let expires = now.expires(publish.expires);
            let publication = Arc::new(renewed(old.as_deref(), publish, etag, expires, now.utc)?);
            let most = self.rules.publications_per_account;
            if entity.find(&publication.resource).is_none() && entity.published_by_sip() >= most {
                return Err(Refusal::Limit("publications_per_account"));
            }
            let ops = vec![Op::PublicationPut {
                account: account.clone(),
                publication: Arc::clone(&publication),
            }];
            self.submit(entity, ops, done)?;
            let deadline = now.deadline(expires);
            let same = old.is_some_and(|o| {
                o.document == publication.document && o.native == publication.native
            });
            entity.put(Arc::clone(&publication), Some(deadline));
            self.timers.lock().push(
                deadline,
                account,
                Ending::Publication(publication.resource.clone()),
            );
            if changes && !same {
                let notice = Notice::available(account, &publication);
                slot.broadcast(&notice, self.rules.same_domain_allow, self.phones());
            }
            Ok(())
        })
    }
}

fn renewed(
    old: Option<&Publication>,
    publish: Publish,
    etag: EntityTag,
    expires: Utc,
    now: Utc,
) -> Result<Publication, Refusal> {
    match (publish.body, old) {
        (Some(body), old) => Ok(Publication {
            resource: old.map_or(publish.resource, |o| o.resource.clone()),
            source: old.map_or(
                Source::Sip {
                    device: publish.device,
                },
                |o| o.source.clone(),
            ),
            etag: Some(etag),
            expires: Some(expires),
            document: body.document,
            native: Native::Pidf(body.native),
            lang: body.lang,
            changed: now,
        }),
        (None, Some(old)) => Ok(Publication {
            etag: Some(etag),
            expires: Some(expires),
            ..old.clone()
        }),
        (None, None) => Err(Refusal::BadRequest("an initial publication has a body")),
    }
}

impl crate::entity::Entity {
    fn published_by_sip(&self) -> usize {
        self.published
            .iter()
            .filter(|p| matches!(p.publication.source, Source::Sip { .. }))
            .count()
    }
}
