//! Between the proof and the `<success/>` of XEP-0388: what was asked for together with the login is done, in the order in which it
//! depends on each other.

use super::Core;
use super::authenticate::{BindWish, Request};
use super::print;
use crate::action::{Action, Reply};
use crate::sasl::{ClientId, TokenKey, TokenMechanism};
use presence::{Address, Bare, Resource, Utc};

/// A login that is proven and not yet told.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) account: Bare,
    additional: Option<Vec<u8>>,
    client: Option<ClientId>,
    token: Option<TokenMechanism>,
    bind: Option<BindWish>,
    carbons: bool,
    /// What the name of the resource ends with.
    own: String,
    told: Told,
}

/// What is told with the success.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// A token for the next time, and when it expires.
    pub(super) token: Option<(String, Utc)>,
    /// The resource that was bound.
    pub(super) resource: Option<Resource>,
}

impl Entry {
    /// `renew`: the token that was used is to be followed by another one for this mechanism. `fresh` is a name that nobody has.
    pub(super) fn new(
        account: Bare,
        additional: Option<Vec<u8>>,
        request: Request,
        renew: Option<TokenMechanism>,
        tokens: &TokenKey,
        fresh: String,
    ) -> Self {
        let known = request
            .client
            .map(|id| tokens.resource(account.as_str(), id));
        Self {
            account,
            own: known.unwrap_or(fresh),
            additional,
            client: request.client,
            // Tokens are for clients that say which they are.
            token: request.token.or(renew).filter(|_| request.client.is_some()),
            carbons: request.bind.as_ref().is_some_and(|bind| bind.carbons),
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
        } else if let Some(wish) = self.bind.take() {
            Action::Bind {
                account: self.account.clone(),
                resource: self.resource(&wish),
            }
        } else {
            return false;
        };
        core.outbox.act(action);
        true
    }

    /// Takes the answer. A token that could not be made is not told, and a resource that could not be bound can be asked for again.
    pub(super) fn reply(&mut self, reply: Reply) {
        match reply {
            Reply::Issued(token) => self.told.token = token,
            Reply::Bound(bound) => self.told.resource = bound.ok(),
            _ => {}
        }
    }

    /// Says that the login has succeeded and all that came of it; the full address, if there is one.
    pub(super) fn finish(self, core: &mut Core) -> Option<Address> {
        if self.carbons && self.told.resource.is_some() {
            core.outbox.act(Action::CarbonsFromStart);
        }
        let out = core.outbox.bytes();
        let additional = self.additional.as_deref();
        print::success2(out, &self.account, additional, &self.told);
        self.told.resource.map(|it| self.account.with(it))
    }

    /// The name of the resource: what the client wishes, and behind it what is the same whenever this installation comes. So the
    /// session that it had before, maybe still thought alive, gives way (XEP-0386 §3.2). A wish that no name can hold is left out.
    fn resource(&self, wish: &BindWish) -> Option<Resource> {
        let tagged = wish.tag.as_ref().map(|tag| format!("{tag}/{}", self.own));
        let tagged = tagged.and_then(|name| Resource::parse(&name).ok());
        tagged.or_else(|| Resource::parse(&self.own).ok())
    }
}
