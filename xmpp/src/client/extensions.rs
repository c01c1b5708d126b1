//! What the server understands beyond messages and presence: one table. Which requests are answered, what service discovery tells and the
//! list for people all come from it.

mod archive;
pub(super) mod blocking;
pub(super) mod caps;
mod carbons;
mod commands;
mod contact;
mod delay;
pub(super) mod disco;
mod escaping;
mod external_services;
mod forwarding;
mod hints;
mod idle;
mod last_activity;
mod login;
mod offline;
mod ping;
mod pre_approval;
mod private;
mod pubsub;
mod roster;
mod search;
mod session;
mod stanza_ids;
mod time;
mod transport;
mod vcard;
mod version;

use presence::delivery::IqKind;

use super::Service;
use super::iq_stanza::Request;
use crate::action::Action;
use crate::print::{Condition, StanzaError};

/// In whose name the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Entity {
    /// The server's own, for a domain.
    Server,
    /// The account of the session that asks.
    OwnAccount,
    /// Another account, which may not exist; nothing may tell.
    OtherAccount,
}

/// What became of a request.
#[derive(Debug)]
pub(super) enum Answered {
    /// The answer is printed.
    Printed,
    /// It is answered outside.
    Outside(Action),
    /// It is refused.
    Refused(StanzaError),
}

impl From<Condition> for Answered {
    fn from(condition: Condition) -> Self {
        Self::Refused(condition.into())
    }
}

impl From<Result<Action, StanzaError>> for Answered {
    fn from(result: Result<Action, StanzaError>) -> Self {
        result.map_or_else(Self::Refused, Self::Outside)
    }
}

/// Answers a request of one kind; what it prints is for the session that asked.
type Answer = fn(&Request<'_>, &mut Vec<u8>) -> Answered;

/// A request that is understood.
pub(super) struct Handler {
    kind: IqKind,
    /// Namespace and name of the payload.
    payload: (&'static str, &'static str),
    entity: Entity,
    answer: Answer,
}

impl Handler {
    const fn get(payload: (&'static str, &'static str), entity: Entity, answer: Answer) -> Self {
        Self {
            kind: IqKind::Get,
            payload,
            entity,
            answer,
        }
    }

    const fn set(payload: (&'static str, &'static str), entity: Entity, answer: Answer) -> Self {
        Self {
            kind: IqKind::Set,
            payload,
            entity,
            answer,
        }
    }
}

/// How much of a specification is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All that is a server's to do.
    Done,
    /// This.
    Partly(&'static str),
}

/// One specification that the server implements.
pub struct Extension {
    /// What it is called.
    pub name: &'static str,
    /// Where it is specified.
    pub specification: &'static str,
    /// Which version of that, where it has versions.
    pub version: &'static str,
    /// How much of it.
    pub status: Status,
    /// Features of the server in service discovery.
    pub server_features: &'static [&'static str],
    /// Features of an account in service discovery.
    pub account_features: &'static [&'static str],
    handlers: &'static [Handler],
    /// It may be switched off.
    offered: fn(&Service) -> bool,
}

impl Extension {
    const fn new(
        name: &'static str,
        specification: &'static str,
        version: &'static str,
        handlers: &'static [Handler],
    ) -> Self {
        Self {
            name,
            specification,
            version,
            status: Status::Done,
            server_features: &[],
            account_features: &[],
            handlers,
            offered: |_| true,
        }
    }

    /// It is there only where the service says so. What it has on the server's own address is told all the same.
    const fn only_when(self, offered: fn(&Service) -> bool) -> Self {
        Self { offered, ..self }
    }

    /// Only so much of it is there.
    const fn partly(self, what: &'static str) -> Self {
        Self {
            status: Status::Partly(what),
            ..self
        }
    }

    const fn on_server(self, server_features: &'static [&'static str]) -> Self {
        Self {
            server_features,
            ..self
        }
    }

    const fn on_account(self, account_features: &'static [&'static str]) -> Self {
        Self {
            account_features,
            ..self
        }
    }
}

/// All that is implemented, in the order of the specifications: RFCs by number, then XEPs by number.
pub const EXTENSIONS: &[Extension] = &[
    session::EXTENSION,
    transport::SCRAM,
    transport::CORE,
    transport::IM,
    roster::EXTENSION,
    pre_approval::EXTENSION,
    transport::WEBSOCKET,
    transport::TLS,
    transport::ADDRESSES,
    last_activity::EXTENSION,
    disco::EXTENSION,
    pubsub::OLD_BOOKMARKS,
    private::EXTENSION,
    commands::EXTENSION,
    vcard::EXTENSION,
    search::EXTENSION,
    archive::PAGING,
    pubsub::EXTENSION,
    pubsub::LOCATION,
    pubsub::AVATAR,
    version::EXTENSION,
    escaping::EXTENSION,
    pubsub::MOOD,
    pubsub::ACTIVITY,
    transport::COMPONENTS,
    caps::EXTENSION,
    transport::BOSH,
    commands::ADMINISTRATION,
    pubsub::AVATAR_IN_PRESENCE,
    transport::WEB_DISCOVERY,
    contact::EXTENSION,
    offline::EXTENSION,
    pubsub::EVENTING,
    blocking::EXTENSION,
    transport::MANAGEMENT,
    ping::EXTENSION,
    time::EXTENSION,
    delay::EXTENSION,
    transport::XMPP_OVER_BOSH,
    external_services::EXTENSION,
    pubsub::PUBLIC,
    pubsub::PRIVATE,
    carbons::EXTENSION,
    pubsub::VCARD4,
    forwarding::EXTENSION,
    archive::EXTENSION,
    idle::EXTENSION,
    hints::EXTENSION,
    transport::CLIENT_STATE,
    stanza_ids::EXTENSION,
    transport::DIRECT_TLS,
    blocking::REPORTING,
    login::BIND2,
    login::SASL2,
    caps::SECOND,
    pubsub::AVATAR_CONVERSION,
    pubsub::BOOKMARKS,
    pubsub::BOOKMARK_CONVERSION,
    login::CHANNEL_BINDING,
    archive::WISHES,
    login::DOWNGRADE,
    login::LIMITS,
    login::TOKENS,
];

/// Answers a request, or says that nobody here understands it (RFC 6120 §8.4).
pub(super) fn answer(
    request: &Request<'_>,
    kind: IqKind,
    entity: Entity,
    out: &mut Vec<u8>,
) -> Answered {
    let payload = (request.payload.namespace(), request.payload.name());
    EXTENSIONS
        .iter()
        .filter(|extension| (extension.offered)(&request.client.service))
        .flat_map(|extension| extension.handlers)
        .find(|h| h.entity == entity && h.kind == kind && h.payload == payload)
        .map_or_else(
            || Condition::ServiceUnavailable.into(),
            |handler| (handler.answer)(request, out),
        )
}
