//! Between the proof and the `<success/>` of XEP-0388: what was asked for together with the login is done, in the order in which it
//! depends on each other.

use super::Core;
use super::authenticate::{BindWish, Request};
use super::features::{self, Left};
use super::print;
use super::settings::Settings;
use crate::action::{Action, Reply};
use crate::management::Previous;
use crate::management::request::Malformed;
use crate::print::Condition;
use crate::sasl::{ClientId, Token, TokenMechanism};
use presence::{Address, ArchiveId, Bare, Resource, Utc};
use std::time::Duration;

/// A login that is proven and not yet told.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) account: Bare,
    additional: Option<Vec<u8>>,
    client: Option<ClientId>,
    token: Option<TokenMechanism>,
    bind: Option<BindWish>,
    resume: Option<Result<Previous, Malformed>>,
    carbons: bool,
    attention: Option<bool>,
    /// The client reads the archive, and is to be told where it begins and ends.
    archive: bool,
    /// Stream management, which is told with the name by which the stream can be resumed.
    managed: Option<Enabled>,
    /// What the name of the resource ends with.
    own: String,
    told: Told,
}

/// What is told with the success.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// A token for the next time, and when it expires.
    pub(super) token: Option<(Token, Utc)>,
    /// The resource that was bound.
    pub(super) resource: Option<Resource>,
    /// The first and the last message of the archive, where there is one.
    pub(super) archive: Option<Option<(ArchiveId, ArchiveId)>>,
    /// Stream management began with it.
    pub(super) enabled: Option<Enabled>,
    /// The earlier stream goes on, on which so many stanzas were handled.
    pub(super) resumed: Option<(String, u32)>,
    /// It does not.
    pub(super) not_resumed: Option<(Condition, Option<u32>)>,
}

/// How a stream is managed (XEP-0198 §3).
#[derive(Debug, Clone)]
pub(super) struct Enabled {
    /// By what name it can be resumed, if it can be.
    pub(super) id: Option<String>,
    /// For how long.
    pub(super) most: Duration,
}

impl Entry {
    /// `renew`: the token that was used is to be followed by another one for this mechanism. `fresh` is a name that nobody has.
    pub(super) fn new(
        account: Bare,
        additional: Option<Vec<u8>>,
        request: Request,
        renew: Option<TokenMechanism>,
        settings: &Settings,
        mut fresh: impl FnMut() -> String,
    ) -> Self {
        let tokens = &settings.tokens;
        let known = request
            .client
            .map(|id| tokens.resource(account.as_str(), id));
        Self {
            account,
            own: known.unwrap_or_else(&mut fresh),
            additional,
            client: request.client,
            // Tokens are for clients that say which they are.
            token: request.token.or(renew).filter(|_| request.client.is_some()),
            resume: request.resume,
            carbons: request.bind.as_ref().is_some_and(|bind| bind.carbons),
            attention: request.bind.as_ref().and_then(|bind| bind.attention),
            archive: request.bind.is_some() && settings.service.archive,
            managed: request
                .bind
                .as_ref()
                .and_then(|bind| bind.manage)
                .map(|wish| {
                    let longest = wish.most.unwrap_or(Duration::MAX);
                    let most = Duration::from_secs(longest.min(settings.resume_timeout).as_secs());
                    let id = (wish.resume && !most.is_zero()).then(fresh);
                    Enabled { id, most }
                }),
            bind: request.bind,
            told: Told::default(),
        }
    }

    /// Asks the outside for what is next. False when nothing is left: [`Entry::finish`] is.
    pub(super) fn ask(&mut self, core: &mut Core) -> bool {
        let action = if let (Some(mechanism), Some(client)) = (self.token.take(), self.client) {
            Action::IssueToken {
                account: self.account.clone(),
                client,
                mechanism,
            }
        } else if let Some(previous) = self.earlier(&core.settings) {
            Action::Resume {
                account: self.account.clone(),
                previous,
            }
        } else if let Some(wish) = self.bind.take() {
            Action::Bind {
                account: self.account.clone(),
                resource: self.resource(&wish),
                client: self.client,
            }
        } else if self.archive && self.told.resource.is_some() {
            self.archive = false;
            Action::ReadsArchive {
                account: self.account.clone(),
            }
        } else {
            return false;
        };
        core.outbox.act(action);
        true
    }

    /// The stream that the client wants to go on with: before anything new is begun (XEP-0386 §3.2).
    fn earlier(&mut self, settings: &Settings) -> Option<Previous> {
        match self.resume.take()? {
            Ok(_) if !settings.resumes() => {
                self.told.not_resumed = Some((Condition::FeatureNotImplemented, None));
                None
            }
            Ok(previous) => Some(previous),
            Err(Malformed) => {
                self.told.not_resumed = Some((Condition::BadRequest, None));
                None
            }
        }
    }

    /// Takes the answer. A token that could not be made is not told, and a resource that could not be bound can be asked for again.
    pub(super) fn reply(&mut self, reply: Reply) {
        match reply {
            Reply::Issued(token) => self.told.token = token,
            Reply::NotResumed(handled) => {
                self.told.not_resumed = Some((Condition::ItemNotFound, handled));
            }
            Reply::Bound(bound) => self.told.resource = bound.ok(),
            Reply::ArchiveEnds(ends) => self.told.archive = ends,
            _ => {}
        }
    }

    /// Says that the login has succeeded and all that came of it; the full address, if there is one. What a session has from its first
    /// moment on it has before it is told.
    pub(super) fn finish(mut self, core: &mut Core) -> Option<Address> {
        let resource = self.told.resource.clone();
        let address = resource.map(|resource| self.account.with(resource));
        if address.is_some() {
            if self.carbons {
                core.outbox.act(Action::CarbonsFromStart);
            }
            if let Some(seen) = self.attention {
                core.outbox.act(Action::Attention(seen));
            }
            self.told.enabled = self.managed.take();
        }
        let additional = self.additional.as_deref();
        let out = core.outbox.bytes();
        print::success2(out, &self.account, address.as_ref(), additional, &self.told);
        let left = Left {
            binding: address.is_none(),
            management: self.told.enabled.is_none(),
        };
        features::after_login(out, &core.settings, left);
        if let Some(enabled) = self.told.enabled {
            core.outbox.act(Action::ManagedFromStart {
                id: enabled.id,
                most: enabled.most,
            });
            core.outbox.manage();
        }
        address
    }

    /// Says that the login has succeeded and an earlier stream goes on: the session of that stream takes the place of this one.
    pub(super) fn go_on(
        &mut self,
        out: &mut Vec<u8>,
        (address, id, handled): (&Address, &str, u32),
    ) {
        self.told.resumed = Some((id.to_owned(), handled));
        let additional = self.additional.as_deref();
        // No features follow: the stream is as it was (XEP-0198, inline resumption).
        print::success2(out, &self.account, Some(address), additional, &self.told);
    }

    /// The name of the resource: what the client wishes, and behind it what is the same whenever this installation comes. So the
    /// session that it had before, maybe still thought alive, gives way (XEP-0386 §3.2). A wish that no name can hold is left out.
    fn resource(&self, wish: &BindWish) -> Option<Resource> {
        let tagged = wish.tag.as_ref().map(|tag| format!("{tag}/{}", self.own));
        let tagged = tagged.and_then(|name| Resource::parse(&name).ok());
        tagged.or_else(|| Resource::parse(&self.own).ok())
    }
}
