//! Resource binding (RFC 6120 §7).

use super::Core;
use super::ending::Ending;
use super::print;
use crate::action::{Action, Reply};
use crate::management::{self, Request};
use crate::print::{Condition, ErrorType, StanzaError};
use crate::stream::StreamCondition;
use crate::stream::namespaces::BIND;
use presence::{Address, Bare, Refusal, Resource};
use xml::{Child, Element};

/// After this many errors the stream is closed (§7.7.3: five to ten retries).
const MOST_ERRORS: u8 = 6;

/// An authenticated stream without a resource.
#[derive(Debug)]
pub(super) struct Binding {
    /// Whose stream it is.
    pub(super) account: Bare,
    /// What waits for its answer from outside.
    wait: Option<Wait>,
    errors: u8,
}

#[derive(Debug)]
enum Wait {
    /// To bind a resource: the id of the request.
    Bind(String),
    /// To go on with an earlier stream.
    Resume,
}

impl Binding {
    pub(super) fn new(account: Bare) -> Self {
        Self {
            account,
            wait: None,
            errors: 0,
        }
    }

    /// An answer from outside is needed to go on.
    pub(super) fn is_waiting(&self) -> bool {
        self.wait.is_some()
    }

    /// Takes an IQ. Anything but a request to bind is too early (§7.1).
    pub(super) fn handle(&mut self, core: &mut Core, element: &Element) -> Result<(), Ending> {
        let Some(bind) = element.child("bind", BIND) else {
            return Err(StreamCondition::NotAuthorized.into());
        };
        let id = element.attribute("id").unwrap_or_default().into_owned();
        let is_set = element.attribute("type").as_deref() == Some("set");
        if !is_set || id.is_empty() || element.children().count() != 1 {
            return self.refuse(core, &id, &Condition::BadRequest.into());
        }
        match wish(&bind) {
            Ok(resource) => {
                self.wait = Some(Wait::Bind(id));
                core.outbox.act(Action::Bind {
                    account: self.account.clone(),
                    resource,
                    client: None,
                });
                Ok(())
            }
            Err(error) => self.refuse(core, &id, &error),
        }
    }

    /// Takes an element of stream management: an earlier stream can be resumed here, a new one is managed later (XEP-0198 §3, §5).
    pub(super) fn manage(&mut self, core: &mut Core, element: &Element) {
        match Request::read(element) {
            Some(Ok(Request::Resume(_))) if !core.settings.resumes() => {
                let never = Condition::FeatureNotImplemented;
                management::print::failed(core.outbox.bytes(), never, None);
            }
            Some(Ok(Request::Resume(previous))) => {
                self.wait = Some(Wait::Resume);
                core.outbox.act(Action::Resume {
                    account: self.account.clone(),
                    previous,
                });
            }
            Some(Ok(_)) => {
                let early = Condition::UnexpectedRequest;
                management::print::failed(core.outbox.bytes(), early, None);
            }
            _ => management::print::failed(core.outbox.bytes(), Condition::BadRequest, None),
        }
    }

    /// Takes the answer from outside; the full address once there is one.
    pub(super) fn reply(
        &mut self,
        core: &mut Core,
        reply: Reply,
    ) -> Result<Option<Address>, Ending> {
        let id = match (self.wait.take(), &reply) {
            (Some(Wait::Bind(id)), _) => id,
            (Some(Wait::Resume), Reply::NotResumed(handled)) => {
                let unknown = Condition::ItemNotFound;
                management::print::failed(core.outbox.bytes(), unknown, *handled);
                return Ok(None);
            }
            (wait, _) => {
                self.wait = wait;
                return Ok(None);
            }
        };
        let refusal = match reply {
            Reply::Bound(Ok(resource)) => {
                let address = self.account.with(resource);
                print::bound(core.outbox.bytes(), &id, &address);
                return Ok(Some(address));
            }
            Reply::Bound(Err(refusal)) => refusal,
            _ => Refusal::Fault,
        };
        self.refuse(core, &id, &error(&refusal)).map(|()| None)
    }

    fn refuse(&mut self, core: &mut Core, id: &str, error: &StanzaError) -> Result<(), Ending> {
        print::iq_error(core.outbox.bytes(), id, error);
        self.errors += 1;
        if self.errors >= MOST_ERRORS {
            return Err(Ending::because(
                StreamCondition::PolicyViolation,
                "Too many failed attempts to bind a resource",
            ));
        }
        Ok(())
    }
}

/// The resource that the client wants; `None`: one of the server's making.
fn wish(bind: &Child<'_>) -> Result<Option<Resource>, StanzaError> {
    let bad = |text| StanzaError::because(Condition::BadRequest, text);
    let mut children = bind.children();
    let Some(child) = children.next() else {
        return Ok(None);
    };
    if !child.is("resource", BIND) || children.next().is_some() {
        return Err(bad("Only one resource can be asked for"));
    }
    if child.children().next().is_some() {
        return Err(bad("A resource is text"));
    }
    Resource::parse(&child.text())
        .map(Some)
        .map_err(|_| bad("This cannot be the name of a resource"))
}

/// What a refusal means here (§7.6.2, §7.7.2).
fn error(refusal: &Refusal) -> StanzaError {
    let (condition, kind) = match refusal {
        Refusal::Malformed | Refusal::BadRequest(_) => (Condition::BadRequest, ErrorType::Modify),
        Refusal::Conflict => (Condition::Conflict, ErrorType::Modify),
        Refusal::Limit(_) | Refusal::Overloaded => (Condition::ResourceConstraint, ErrorType::Wait),
        Refusal::Fault => (Condition::InternalServerError, ErrorType::Cancel),
        _ => (Condition::NotAllowed, ErrorType::Cancel),
    };
    StanzaError {
        condition,
        kind,
        text: None,
        special: None,
    }
}
