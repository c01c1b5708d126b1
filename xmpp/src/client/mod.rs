//! What a bound client session sends, and what becomes of it (RFC 6120 §8, §10; RFC 6121).
//!
//! [`Client::handle`] takes one stanza and either answers it at once or names what must be done outside. It never looks at another
//! account: who exists, who is there and who may see whom is the driver's to know.

mod capabilities;
mod content;
mod envelope;
mod extensions;
mod iq_stanza;
mod message_stanza;
mod presence_stanza;
mod roster_iq;
mod service;
#[cfg(test)]
mod tests;
mod treatment;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use presence::{Address, Bare};
use services::caps::Announced;
use smallvec::SmallVec;

use crate::action::Action;
use crate::print::{self, ErrorStanza, StanzaError, StanzaKind};
use crate::stream::StreamCondition;
use crate::time::Now;
use envelope::{Envelope, Target};

pub use extensions::blocking::BlockWish;
pub use extensions::caps::CAPS_NODE;
pub(crate) use extensions::disco::account_info;
pub use extensions::{EXTENSIONS, Extension, Status};
pub use service::{ExternalService, Service, SharedSecret, Software};

/// What came of one stanza.
#[derive(Debug, Default)]
pub struct Handled {
    /// For the client, complete stanzas.
    pub bytes: Vec<u8>,
    /// To be done outside, in this order.
    pub actions: VecDeque<Action>,
}

/// One bound session of an account.
#[derive(Debug)]
pub struct Client {
    address: Address,
    /// `address` as text, stamped on all that is passed on.
    from: Box<str>,
    lang: Option<Arc<str>>,
    service: Arc<Service>,
    available: bool,
    /// Tells the capabilities that it announced last from others; 0 before there are any.
    capable: u32,
    /// Those of them that were asked for and not answered yet.
    asked: Option<Box<Announced>>,
}

impl Client {
    /// A session that has just been bound. `address` is full; `lang` is that of the client's stream header.
    pub fn new(address: Address, lang: Option<Arc<str>>, service: Arc<Service>) -> Self {
        let from = address.to_string().into();
        Self {
            address,
            from,
            lang,
            service,
            available: false,
            capable: 0,
            asked: None,
        }
    }

    /// The full address.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The account.
    pub fn account(&self) -> &Bare {
        &self.address.bare
    }

    /// It sent available presence to all and has not taken it back.
    pub fn is_available(&self) -> bool {
        self.available
    }

    /// Takes one element of the stream. An error ends the stream.
    pub fn handle(
        &mut self,
        now: Now,
        element: &xml::Element,
        out: &mut Handled,
    ) -> Result<(), StreamCondition> {
        let envelope = Envelope::open(self, element)?;
        let done = match envelope.kind {
            StanzaKind::Message => self.message(now, element, &envelope, out),
            StanzaKind::Presence => self.presence(element, &envelope, out),
            StanzaKind::Iq => self.iq(now, element, &envelope, out),
        };
        if let Err(error) = done {
            self.refuse(&envelope, &error, out);
        }
        Ok(())
    }

    /// The language in force in a stanza: its own, or that of the stream (RFC 6120 §8.1.5).
    fn lang_of<'a>(&'a self, element: &'a xml::Element) -> Option<Cow<'a, str>> {
        element
            .lang()
            .or_else(|| self.lang.as_deref().map(Cow::from))
    }

    /// Answers a stanza with an error, unless it is an answer itself (RFC 6120 §8.3.1).
    fn refuse(&self, envelope: &Envelope<'_>, error: &StanzaError, out: &mut Handled) {
        if envelope.is_answer() {
            return;
        }
        let from = match &envelope.target {
            Target::Nobody | Target::Malformed => None,
            Target::Named { address, .. } => Some(address),
        };
        let stanza = ErrorStanza {
            kind: envelope.kind,
            from,
            to: &self.address,
            id: envelope.id.as_deref(),
        };
        print::error(&mut out.bytes, stanza, error);
    }

    /// The stanza with the sender's address, and with the language of the stream where it has none of its own (RFC 6120 §8.1.2.1,
    /// §8.1.5). One that names nobody is for the account (§10.3.1).
    fn stamped(&self, element: &xml::Element, envelope: &Envelope<'_>) -> Bytes {
        self.stamped_without(element, envelope, &[])
    }

    /// The same without some of what stands in it: places in the element, in order.
    fn stamped_without(
        &self,
        element: &xml::Element,
        envelope: &Envelope<'_>,
        cuts: &[Range<usize>],
    ) -> Bytes {
        let mut set = SmallVec::<[(&str, Option<&str>); 3]>::new();
        set.push(("from", Some(&self.from)));
        if let (Some(lang), None) = (self.lang.as_deref(), element.lang().as_deref()) {
            set.push(("xml:lang", Some(lang)));
        }
        if envelope.target == Target::Nobody {
            set.push(("to", Some(self.address.bare.as_str())));
        }
        let mut stanza = Vec::with_capacity(element.raw().len() + self.from.len() + 96);
        element.write_patched(&mut stanza, &set);
        // What follows the start tag is as it was.
        let (before, after) = (element.raw().len(), stanza.len());
        let place = |at: usize| after.saturating_sub(before.saturating_sub(at));
        for cut in cuts.iter().rev() {
            stanza.drain(place(cut.start)..place(cut.end));
        }
        stanza.into()
    }
}
