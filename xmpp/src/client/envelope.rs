//! What all kinds of stanzas have in common: from whom, to whom, id and type (RFC 6120 §8.1).

use std::borrow::Cow;
use std::sync::Arc;

use presence::Address;

use super::Client;
use crate::print::StanzaKind;
use crate::stream::StreamCondition;
use crate::stream::namespaces::CLIENT;

/// Where an address lies, seen from one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A domain served here, with or without a resource.
    Server,
    /// The session's own account.
    Own,
    /// Another account of a domain served here; it may or may not exist.
    Local,
    /// An address of a component.
    Component,
    /// Another domain.
    Foreign,
}

/// Whom a stanza is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// It has no `to`.
    Nobody,
    /// Its `to` is no address.
    Malformed,
    /// Its `to`.
    Named {
        /// The address.
        address: Address,
        /// Where that is.
        place: Place,
    },
}

/// The outside of a stanza.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) kind: StanzaKind,
    pub(super) target: Target,
    pub(super) id: Option<Arc<str>>,
    pub(super) type_: Option<Cow<'a, str>>,
}

impl<'a> Envelope<'a> {
    /// Reads it. What is no stanza, or names another sender, ends the stream (RFC 6120 §4.9.3.9, §4.9.3.24).
    pub(super) fn open(
        client: &Client,
        element: &'a xml::Element,
    ) -> Result<Self, StreamCondition> {
        let kind = match (element.namespace(), element.name()) {
            (CLIENT, "message") => StanzaKind::Message,
            (CLIENT, "presence") => StanzaKind::Presence,
            (CLIENT, "iq") => StanzaKind::Iq,
            _ => return Err(StreamCondition::UnsupportedStanzaType),
        };
        if let Some(from) = element.attribute("from").as_deref() {
            Self::check_sender(client, from)?;
        }
        let target = match element.attribute("to").as_deref() {
            None => Target::Nobody,
            Some(to) => match Address::parse(to) {
                Err(_) => Target::Malformed,
                Ok(address) => Target::Named {
                    place: place(client, &address),
                    address,
                },
            },
        };
        Ok(Self {
            kind,
            target,
            id: element.attribute("id").as_deref().map(Arc::from),
            type_: element.attribute("type"),
        })
    }

    /// `from` may be missing, the account or the session (RFC 6120 §4.9.3.9): in any spelling of it.
    fn check_sender(client: &Client, from: &str) -> Result<(), StreamCondition> {
        if *from == *client.from || from == client.account().as_str() {
            return Ok(());
        }
        let mine = Address::parse(from).is_ok_and(|from| {
            from.bare == *client.account()
                && (from.is_bare() || from.resource == client.address.resource)
        });
        if mine {
            Ok(())
        } else {
            Err(StreamCondition::InvalidFrom)
        }
    }

    /// It answers something, with success or with an error: such a stanza is never answered with an error.
    pub(super) fn is_answer(&self) -> bool {
        match self.type_.as_deref() {
            Some("error") => true,
            Some("result") => self.kind == StanzaKind::Iq,
            _ => false,
        }
    }
}

fn place(client: &Client, address: &Address) -> Place {
    if !client.service.serves(address.bare.domain()) {
        if client.service.reaches(address.bare.domain()) {
            Place::Component
        } else {
            Place::Foreign
        }
    } else if address.bare.is_domain() {
        Place::Server
    } else if address.bare == *client.account() {
        Place::Own
    } else {
        Place::Local
    }
}
