//! A status set by hand that outlives the sessions: "On leave till Monday".
//!
//! It is a publication like those of devices, stored, as a resource of its own beside them. In clients it leads (its priority is the
//! highest there is), as the manual state of an office does; messages go to the sessions all the same, because routing knows sessions alone.

use std::sync::Arc;

use presence::{
    Bare, Document, Native, Note, Priority, Publication, Refusal, Resource, Show, Source, Utc,
};
use store::Op;

use crate::commit::Reply;
use crate::entity::Entity;
use crate::route::Notice;
use crate::shards::Model;
use crate::timers::Ending;

/// As which resource it appears. No session is given this name.
pub(crate) const RESOURCE: &str = "adsum-status";

/// The most bytes of its text.
pub const MAX_TEXT: usize = 1023;

/// What somebody says of himself, until he takes it back or its time is over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// What he can be asked for; `None`: simply available.
    pub show: Option<Show>,
    /// In words.
    pub text: Option<String>,
    /// Until when; `None`: until it is taken back.
    pub until: Option<Utc>,
}

impl Model {
    /// Sets the status of an account, or takes it back. Watchers are told at once; answered after the commit. `BadRequest` for a text that
    /// is too long, and for an end that is over.
    pub fn set_status(self: &Arc<Self>, account: &Bare, status: Option<Status>, reply: &Reply<()>) {
        if let Err(refusal) = self.status_planned(account, status, reply) {
            reply.send(Err(refusal));
        }
    }

    fn status_planned(
        self: &Arc<Self>,
        account: &Bare,
        status: Option<Status>,
        reply: &Reply<()>,
    ) -> Result<(), Refusal> {
        let now = self.now();
        let resource = Resource::from_prepared(RESOURCE);
        let (same_domain, phones) = (self.rules.same_domain_allow, self.phones());
        let publication = status
            .map(|status| published(status, now.utc))
            .transpose()?;
        self.with(account, |slot| {
            let entity = slot.entity.as_mut().ok_or(Refusal::NotFound)?;
            if entity.disabled {
                return Err(Refusal::Disabled);
            }
            let answer = reply.clone();
            let done = move |_: &Arc<Self>, stored| answer.send(stored);
            let account = account.clone();
            let Some(publication) = publication.map(Arc::new) else {
                let there = resource.clone();
                let op = Op::PublicationRemove {
                    account,
                    resource: there,
                };
                self.submit(entity, vec![op], done)?;
                slot.close(&resource, same_domain, phones);
                return Ok(());
            };
            let op = Op::PublicationPut {
                account: account.clone(),
                publication: Arc::clone(&publication),
            };
            self.submit(entity, vec![op], done)?;
            let deadline = publication.expires.map(|at| now.deadline(at));
            if let Some(at) = deadline {
                let ending = Ending::Publication(resource);
                self.timers.lock().push(at, &account, ending);
            }
            entity.put(Arc::clone(&publication), deadline);
            let notice = Notice::available(&account, &publication);
            slot.broadcast(&notice, same_domain, phones);
            Ok(())
        })
    }

    /// The status of an account, when one is set.
    pub fn status(&self, account: &Bare) -> Result<Option<Status>, Refusal> {
        self.with_entity(account, |entity| Ok(entity.status()))
    }
}

fn published(status: Status, now: Utc) -> Result<Publication, Refusal> {
    let text = status.text.filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.len() > MAX_TEXT) {
        return Err(Refusal::BadRequest("the text is longer than 1,023 bytes"));
    }
    if status.until.is_some_and(|until| until <= now) {
        return Err(Refusal::BadRequest("that time is over"));
    }
    let notes = text.map(|text| Note { lang: None, text });
    Ok(Publication {
        resource: Resource::from_prepared(RESOURCE),
        source: Source::Manual,
        etag: None,
        expires: status.until,
        document: Document {
            show: status.show,
            notes: notes.into_iter().collect(),
            priority: Some(Priority(i8::MAX)),
            ..Document::default()
        },
        native: Native::None,
        lang: None,
        changed: now,
    })
}

impl Entity {
    fn status(&self) -> Option<Status> {
        let mut published = self.published.iter().map(|p| &p.publication);
        let manual = published.find(|p| p.source == Source::Manual)?;
        let note = manual.document.notes.first();
        Some(Status {
            show: manual.document.show,
            text: note.map(|n| n.text.clone()),
            until: manual.expires,
        })
    }
}
