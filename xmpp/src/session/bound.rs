//! A session with a resource: what it sends goes to its [`Client`], and silence is asked about (XEP-0199).

use super::Core;
use super::ending::Ending;
use super::negotiation::misplaced;
use super::settings::Settings;
use crate::action::Action;
use crate::client::Client;
use crate::management::{self, Request};
use crate::print;
use crate::stream::StreamCondition;
use crate::stream::namespaces::{CLIENT, CLIENT_STATE, FRAMING};
use crate::time::Now;
use presence::Timestamp;
use xml::{Element, Token};

/// A session with a resource.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) client: Client,
    /// When the peer last sent anything, were it a space (RFC 6120 §4.6.1).
    heard: Timestamp,
    /// When it was asked whether it is there, if it has been silent since.
    asked: Option<Timestamp>,
    /// How often it was asked, for ids.
    questions: u32,
    /// A lost connection is not the end.
    pub(super) resumable: bool,
}

impl Bound {
    pub(super) fn new(client: Client, now: Timestamp) -> Self {
        Self {
            client,
            heard: now,
            asked: None,
            questions: 0,
            resumable: false,
        }
    }

    /// The peer has sent something.
    pub(super) fn hear(&mut self, now: Timestamp) {
        self.heard = now;
        self.asked = None;
    }

    pub(super) fn handle(
        &mut self,
        core: &mut Core,
        now: Now,
        token: &Token,
    ) -> Result<(), Ending> {
        let Token::Element(element) = token else {
            return Err(Ending::Closed);
        };
        if let Some(request) = Request::read(element) {
            return Self::manage(core, request);
        }
        if element.namespace() == CLIENT_STATE {
            return attend(core, element);
        }
        check_place(core, element)?;
        let done = self.client.handle(now, element, &mut core.outbox.handled);
        core.outbox.settle();
        if core.outbox.is_managed() {
            core.outbox.act(Action::Counted);
        }
        done.map_err(Ending::from)
    }

    /// When the peer last sent anything.
    pub(super) fn heard(&self) -> Timestamp {
        self.heard
    }

    /// Takes an element of stream management (XEP-0198).
    fn manage(
        core: &mut Core,
        request: Result<Request, management::request::Malformed>,
    ) -> Result<(), Ending> {
        let managed = core.outbox.is_managed();
        let action = match request {
            Ok(Request::Enable { .. }) if managed => {
                return Err(Ending::because(
                    StreamCondition::PolicyViolation,
                    "Stream management is on already",
                ));
            }
            Ok(Request::Enable { resume, most }) => {
                core.outbox.act(Action::Enable { resume, most });
                core.outbox.manage();
                return Ok(());
            }
            Ok(Request::Resume(_)) => {
                core.outbox.act(Action::NotResumed);
                return Ok(());
            }
            Ok(Request::Ask) => Action::Ask,
            Ok(Request::Acknowledge(handled)) => Action::Acknowledged(handled),
            Err(_) => return Err(StreamCondition::InvalidXml.into()),
        };
        // Without management there is nothing to say, and no harm done.
        if managed {
            core.outbox.act(action);
        }
        Ok(())
    }

    pub(super) fn timeout(&self, settings: &Settings) -> Option<Timestamp> {
        match self.asked {
            Some(asked) => Some(asked.plus(settings.ping_timeout)),
            None if settings.ping_after.is_zero() => None,
            None => Some(self.heard.plus(settings.ping_after)),
        }
    }

    /// Asks whether the peer is there; gives it up when it has not answered the last question (RFC 6120 §4.6.2).
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Timestamp) -> Result<(), Ending> {
        if self.timeout(&core.settings).is_none_or(|due| now < due) {
            return Ok(());
        }
        if self.asked.is_some() {
            if self.resumable {
                core.outbox.lose();
                return Ok(());
            }
            return Err(StreamCondition::ConnectionTimeout.into());
        }
        self.asked = Some(now);
        if core.outbox.is_managed() {
            core.outbox.act(Action::Ping);
            return Ok(());
        }
        self.questions = self.questions.wrapping_add(1);
        let id = format!("ping-{}", self.questions);
        let address = self.client.address();
        let server = address.bare.domain_bare();
        print::ping(core.outbox.bytes(), &id, &server, address);
        Ok(())
    }
}

/// Takes what the client says of its state (XEP-0352 §4).
fn attend(core: &mut Core, element: &Element) -> Result<(), Ending> {
    let seen = match element.name() {
        "active" => true,
        "inactive" => false,
        name => return Err(misplaced(CLIENT_STATE, name)),
    };
    core.outbox.act(Action::Attention(seen));
    Ok(())
}

/// Stanzas of clients are the only other elements that may come, and the end of a framed stream.
fn check_place(core: &Core, element: &Element) -> Result<(), Ending> {
    if element.namespace() != CLIENT {
        if element.is("close", FRAMING) && core.input.is_framed() {
            return Err(Ending::Closed);
        }
        return Err(misplaced(element.namespace(), element.name()));
    }
    Ok(())
}
