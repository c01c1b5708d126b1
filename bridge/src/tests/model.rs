//! A model that answers at once, and remembers what it was asked.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use presence::{
    Bare, Basic, Binding, Decision, Document, EntityTag, Message, Native, Note, Publication,
    Refusal, Resource, Show, Source, Utc, View, WatchId, WatchRecord,
};
use sip::digest::{Algorithm, Ha1Set};

use crate::action::{Action, Answer, Credentials, Register, Sent};

pub(super) const PASSWORD: &str = "secret";

#[derive(Default)]
pub(super) struct Model {
    pub(super) accounts: Vec<Bare>,
    pub(super) aliases: HashMap<String, Bare>,
    pub(super) decisions: HashMap<(Bare, Bare), Decision>,
    pub(super) published: HashMap<Bare, Vec<Arc<Publication>>>,
    pub(super) bindings: HashMap<Bare, Vec<Binding>>,
    pub(super) watches: HashMap<WatchId, WatchRecord>,
    pub(super) messages: Vec<Message>,
    pub(super) taken: Vec<u64>,
    pub(super) not_taken: Vec<u64>,
    pub(super) failures: Vec<String>,
    pub(super) kept: Vec<(WatchId, bool)>,
    /// What a message meets.
    pub(super) sent: Option<Result<Sent, Refusal>>,
    /// Everything is refused.
    pub(super) refuse: Option<Refusal>,
    pub(super) too_many: bool,
    /// By presentity.
    pub(super) versions: HashMap<Bare, u64>,
    pub(super) tags: u64,
}

impl Model {
    fn resolve(&self, address: &str) -> Option<Bare> {
        let known = self.accounts.iter().find(|a| a.as_str() == address);
        known.or_else(|| self.aliases.get(address)).cloned()
    }

    pub(super) fn view(&self, of: &Bare) -> Arc<View> {
        Arc::new(View {
            presentity: of.clone(),
            version: self.versions.get(of).copied().unwrap_or(0),
            publications: self.published.get(of).cloned().unwrap_or_default(),
            pidf: OnceLock::new(),
        })
    }

    /// Somebody is present with a chat client.
    pub(super) fn present(&mut self, who: &Bare, show: Option<Show>, note: &str) {
        let publication = Publication {
            resource: Resource::parse("desk").unwrap(),
            source: Source::Session,
            etag: None,
            expires: None,
            document: Document {
                show,
                notes: vec![Note {
                    lang: None,
                    text: note.to_owned(),
                }],
                ..Document::default()
            },
            native: Native::None,
            lang: None,
            changed: Utc(0),
        };
        let list = self.published.entry(who.clone()).or_default();
        list.retain(|p| p.resource != publication.resource);
        list.push(Arc::new(publication));
        *self.versions.entry(who.clone()).or_default() += 1;
    }

    pub(super) fn absent(&mut self, who: &Bare) {
        self.published.remove(who);
        *self.versions.entry(who.clone()).or_default() += 1;
    }

    pub(super) fn decision(&self, watcher: &Bare, of: &Bare) -> Decision {
        let known = self.decisions.get(&(watcher.clone(), of.clone()));
        known.copied().unwrap_or(Decision::Allow)
    }

    fn seen(&self, watcher: &Bare, of: &Bare) -> Answer {
        Answer::Seen(Ok((self.decision(watcher, of), self.view(of))))
    }

    pub(super) fn answer(&mut self, now: Utc, action: Action) -> Option<Answer> {
        let refused = self.refuse.clone();
        Some(match action {
            Action::Credentials { user, realm, .. } => {
                let name = match user.split_once('@') {
                    Some((name, _)) => name.to_owned(),
                    None => user.clone(),
                };
                let account = self.resolve(&format!("{name}@{realm}"));
                let keys = Ha1Set::of_password(&Algorithm::ALL, &user, &realm, PASSWORD);
                Answer::Credentials(Credentials {
                    found: account.map(|account| (account, keys)),
                    too_many: self.too_many,
                })
            }
            Action::Resolve { address } => Answer::Resolved(self.resolve(&address)),
            Action::Failed { user, .. } => {
                self.failures.push(user);
                return None;
            }
            Action::Register { account, register } => match refused {
                Some(refusal) => Answer::Bindings(Err(refusal)),
                None => Answer::Bindings(self.register(now, &account, register)),
            },
            Action::Publish {
                account,
                tag,
                expires,
                body,
                device,
                ..
            } => {
                let outcome = match refused {
                    Some(refusal) => Err(refusal),
                    None => self.publish(&account, tag.as_ref(), expires, body, &device),
                };
                Answer::Published(outcome)
            }
            Action::Watch(record) => match refused {
                Some(refusal) => Answer::Seen(Err(refusal)),
                None => {
                    let answer = self.seen(&record.watcher, &record.presentity);
                    self.watches.insert(record.id, record);
                    answer
                }
            },
            Action::Look {
                watcher,
                presentity,
            } => match refused {
                Some(refusal) => Answer::Seen(Err(refusal)),
                None => self.seen(&watcher, &presentity),
            },
            Action::Rewatch {
                presentity,
                id,
                expires,
                dialog,
            } => {
                let Some(record) = self.watches.get_mut(&id) else {
                    return Some(Answer::Seen(Err(Refusal::NotFound)));
                };
                if let Some(refusal) = refused {
                    return Some(Answer::Seen(Err(refusal)));
                }
                record.dialog = dialog;
                record.expires = Utc(now.0 + expires.as_millis() as i64);
                let watcher = record.watcher.clone();
                self.seen(&watcher, &presentity)
            }
            Action::Keep {
                id,
                dialog,
                durable,
                ..
            } => {
                self.kept.push((id, durable));
                if let Some(refusal) = refused.filter(|_| durable) {
                    return Some(Answer::Kept(Err(refusal)));
                }
                let record = self.watches.get_mut(&id);
                let keep = |r: &mut WatchRecord| {
                    let rest = if durable {
                        &[][..]
                    } else {
                        &r.dialog[dialog.len()..]
                    };
                    r.dialog = [&dialog[..], rest].concat().into();
                };
                let outcome = record.map(keep).ok_or(Refusal::NotFound);
                if !durable {
                    return None;
                }
                Answer::Kept(outcome)
            }
            Action::Unwatch { presentity, id } => match self.watches.remove(&id) {
                Some(record) => self.seen(&record.watcher, &presentity),
                None => Answer::Seen(Err(Refusal::NotFound)),
            },
            Action::Message { message, .. } => {
                self.messages.push(*message);
                Answer::Sent(self.sent.clone().unwrap_or(Ok(Sent::Delivered)))
            }
            Action::Taken { stored, .. } => {
                self.taken.push(stored);
                return None;
            }
            Action::NotTaken { stored, .. } => {
                self.not_taken.push(stored);
                return None;
            }
        })
    }

    fn register(
        &mut self,
        now: Utc,
        account: &Bare,
        register: Register,
    ) -> Result<Vec<Binding>, Refusal> {
        let list = self.bindings.entry(account.clone()).or_default();
        match register {
            Register::Query => {}
            Register::RemoveAll { .. } => list.clear(),
            Register::Update(new) => {
                for binding in new {
                    let same =
                        |b: &&Binding| b.contact == binding.contact && b.call_id == binding.call_id;
                    if list
                        .iter()
                        .find(same)
                        .is_some_and(|old| binding.cseq <= old.cseq)
                    {
                        return Err(Refusal::OutOfOrder);
                    }
                    list.retain(|b| b.contact != binding.contact);
                    if binding.expires > now {
                        list.push(binding);
                    }
                }
            }
        }
        Ok(list.clone())
    }

    fn publish(
        &mut self,
        account: &Bare,
        tag: Option<&EntityTag>,
        expires: Duration,
        body: Option<crate::Body>,
        device: &Arc<str>,
    ) -> Result<(EntityTag, Duration), Refusal> {
        self.tags += 1;
        let new = EntityTag(format!("tag-{}", self.tags).into());
        let list = self.published.entry(account.clone()).or_default();
        let old = match tag {
            Some(tag) => {
                let at = list.iter().position(|p| p.etag.as_ref() == Some(tag));
                Some(list.remove(at.ok_or(Refusal::TagUnknown)?))
            }
            None => None,
        };
        if !expires.is_zero() {
            let resource = presence::mapping::sip_resource(device, account);
            let mut publication = old.map_or_else(
                || Publication {
                    resource,
                    source: Source::Sip {
                        device: Arc::clone(device),
                    },
                    etag: None,
                    expires: None,
                    document: Document {
                        basic: Basic::Open,
                        ..Document::default()
                    },
                    native: Native::None,
                    lang: None,
                    changed: Utc(0),
                },
                |old| (*old).clone(),
            );
            publication.etag = Some(new.clone());
            if let Some(body) = body {
                publication.document = body.document;
                publication.native = Native::Pidf(body.native);
            }
            list.push(Arc::new(publication));
        }
        *self.versions.entry(account.clone()).or_default() += 1;
        Ok((new, expires))
    }
}
