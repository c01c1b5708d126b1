//! A session with a resource: what it sends goes to its [`Client`], and silence is asked about (XEP-0199).

use super::Core;
use super::ending::Ending;
use super::negotiation::misplaced;
use super::settings::Settings;
use crate::client::Client;
use crate::print;
use crate::stream::StreamCondition;
use crate::stream::namespaces::CLIENT;
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
}

impl Bound {
    pub(super) fn new(client: Client, now: Timestamp) -> Self {
        Self {
            client,
            heard: now,
            asked: None,
            questions: 0,
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
        check_place(element)?;
        let done = self.client.handle(now, element, &mut core.outbox.handled);
        core.outbox.settle();
        done.map_err(Ending::from)
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
            return Err(StreamCondition::ConnectionTimeout.into());
        }
        self.asked = Some(now);
        self.questions = self.questions.wrapping_add(1);
        let id = format!("ping-{}", self.questions);
        let address = self.client.address();
        let server = address.bare.domain_bare();
        print::ping(core.outbox.bytes(), &id, &server, address);
        Ok(())
    }
}

/// Stanzas of clients are the only elements that may come.
fn check_place(element: &Element) -> Result<(), Ending> {
    if element.namespace() != CLIENT {
        return Err(misplaced(element.namespace(), element.name()));
    }
    Ok(())
}
