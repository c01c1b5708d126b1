//! IQ from a client (RFC 6120 §8.2.3, §10; RFC 6121 §8.5).

use presence::Address;
use presence::delivery::IqKind;

use super::envelope::{Envelope, Place, Target};
use super::extensions::{self, Answered, Entity};
use super::{Client, Handled};
use crate::action::{Action, IqContext};
use crate::print::{Condition, StanzaError};
use crate::time::Now;

/// A request that the server answers itself.
pub(super) struct Request<'a> {
    pub(super) now: Now,
    pub(super) client: &'a Client,
    pub(super) iq: IqContext,
    /// The element that says what is wanted.
    pub(super) payload: xml::Child<'a>,
}

impl Request<'_> {
    /// The domain that was asked, or that of the account.
    pub(super) fn domain(&self) -> &str {
        match &self.iq.to {
            Some(to) => to.bare.domain(),
            None => self.client.account().domain(),
        }
    }
}

impl Client {
    pub(super) fn iq(
        &mut self,
        now: Now,
        element: &xml::Element,
        envelope: &Envelope<'_>,
        out: &mut Handled,
    ) -> Result<(), StanzaError> {
        let kind = kind(envelope)?;
        let Some(id) = envelope.id.clone() else {
            return Err(StanzaError::because(
                Condition::BadRequest,
                "An iq needs an id.",
            ));
        };
        let payload = payload(element, kind)?;
        let own = self.address.clone();
        let iq = |to| IqContext {
            id: id.clone(),
            from: own,
            to,
        };
        let (address, place) = match &envelope.target {
            Target::Malformed => return Err(Condition::JidMalformed.into()),
            Target::Nobody => (None, Place::Own),
            Target::Named { address, place } => (Some(address.clone()), *place),
        };
        let to_account = address.as_ref().is_none_or(Address::is_bare);
        let entity = match (place, to_account) {
            (Place::Foreign, _) => return Err(Condition::RemoteServerNotFound.into()),
            (Place::Own | Place::Local, false) | (Place::Component, _) => {
                out.actions.extend(address.map(|to| Action::Iq {
                    kind,
                    stanza: self.stamped(element, envelope),
                    iq: iq(Some(to.clone())),
                    to,
                }));
                return Ok(());
            }
            (Place::Server, false) => return Err(Condition::ServiceUnavailable.into()),
            (Place::Server, true) => Entity::Server,
            (Place::Own, true) => Entity::OwnAccount,
            (Place::Local, true) => Entity::OtherAccount,
        };
        let (true, Some(payload)) = (kind.is_request(), payload.clone()) else {
            // An answer to another question of the server's (a ping, a roster push), or to nothing at all, has served by coming.
            if !kind.is_request() && entity != Entity::OtherAccount {
                let lang = self.lang_of(element).map(std::borrow::Cow::into_owned);
                self.told_capabilities((&id, kind), payload.as_ref(), lang.as_deref(), out);
            }
            return Ok(());
        };
        let request = Request {
            now,
            client: self,
            iq: iq(address),
            payload,
        };
        match extensions::answer(&request, kind, entity, &mut out.bytes) {
            Answered::Printed => {}
            Answered::Outside(action) => out.actions.push_back(action),
            Answered::Refused(error) => return Err(error),
        }
        Ok(())
    }
}

fn kind(envelope: &Envelope<'_>) -> Result<IqKind, StanzaError> {
    match envelope.type_.as_deref() {
        Some("get") => Ok(IqKind::Get),
        Some("set") => Ok(IqKind::Set),
        Some("result") => Ok(IqKind::Result),
        Some("error") => Ok(IqKind::Error),
        _ => Err(StanzaError::because(
            Condition::BadRequest,
            "The type of an iq is get, set, result or error.",
        )),
    }
}

/// The one child of a request; a result has at most one (RFC 6120 §8.2.3, rules 5 and 6).
fn payload(element: &xml::Element, kind: IqKind) -> Result<Option<xml::Child<'_>>, StanzaError> {
    let mut children = element.children();
    let first = children.next();
    let more = children.next().is_some();
    let wrong = match kind {
        IqKind::Get | IqKind::Set => first.is_none() || more,
        IqKind::Result => more,
        IqKind::Error => false,
    };
    if wrong {
        return Err(StanzaError::because(
            Condition::BadRequest,
            "An iq request has exactly one child.",
        ));
    }
    Ok(first)
}
