//! Stanza errors (RFC 6120 §8.3).

use presence::{Address, Refusal};
use xml::Writer;

use crate::stream::namespaces::STANZA_ERRORS;

/// What the sender can do about it (RFC 6120 §8.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// Retry with other rights.
    Auth,
    /// Do not retry.
    Cancel,
    /// Retry with other data.
    Modify,
    /// Retry later.
    Wait,
}

impl ErrorType {
    /// The `type` attribute of `<error/>`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Cancel => "cancel",
            Self::Modify => "modify",
            Self::Wait => "wait",
        }
    }
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal $kind:ident,)*) => {
        /// The conditions of RFC 6120 §8.3.3 that this server tells.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Condition {
            $($(#[$doc])* $variant,)*
        }

        impl Condition {
            /// All of them, in the order of RFC 6120 §8.3.3.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The element's name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The type that RFC 6120 §8.3.3 recommends.
            pub const fn usual_type(self) -> ErrorType {
                match self {
                    $(Self::$variant => ErrorType::$kind,)*
                }
            }
        }
    };
}

conditions! {
    /// The stanza breaks the schema or makes no sense (§8.3.3.1).
    BadRequest = "bad-request" Modify,
    /// The name is taken (§8.3.3.2).
    Conflict = "conflict" Cancel,
    /// Known, but not built (§8.3.3.3).
    FeatureNotImplemented = "feature-not-implemented" Cancel,
    /// A right is missing (§8.3.3.4).
    Forbidden = "forbidden" Auth,
    /// Our fault (§8.3.3.6).
    InternalServerError = "internal-server-error" Cancel,
    /// There is no such thing (§8.3.3.7).
    ItemNotFound = "item-not-found" Cancel,
    /// An address that is none (§8.3.3.8).
    JidMalformed = "jid-malformed" Modify,
    /// Understood, but against a rule of the server (§8.3.3.9).
    NotAcceptable = "not-acceptable" Modify,
    /// Allowed to nobody (§8.3.3.10).
    NotAllowed = "not-allowed" Cancel,
    /// Against a policy (§8.3.3.12).
    PolicyViolation = "policy-violation" Modify,
    /// The recipient cannot be reached now (§8.3.3.13).
    RecipientUnavailable = "recipient-unavailable" Wait,
    /// The domain is not there (§8.3.3.16).
    RemoteServerNotFound = "remote-server-not-found" Cancel,
    /// The domain is there but does not answer (§8.3.3.17).
    RemoteServerTimeout = "remote-server-timeout" Wait,
    /// Too much is asked (§8.3.3.18).
    ResourceConstraint = "resource-constraint" Wait,
    /// Nobody here does this, or nobody says so (§8.3.3.19).
    ServiceUnavailable = "service-unavailable" Cancel,
    /// Not at this moment (§8.3.3.22).
    UnexpectedRequest = "unexpected-request" Wait,
}

/// A stanza error: what is wrong, what can be done about it and, for people, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StanzaError {
    /// What is wrong.
    pub condition: Condition,
    /// What can be done.
    pub kind: ErrorType,
    /// More, in English.
    pub text: Option<&'static str>,
    /// What is wrong in the words of an extension (RFC 6120 §8.3.4): namespace and name of an element.
    pub special: Option<(&'static str, &'static str)>,
}

impl StanzaError {
    /// With the type that is usual for the condition.
    pub const fn new(condition: Condition) -> Self {
        Self {
            condition,
            kind: condition.usual_type(),
            text: None,
            special: None,
        }
    }

    /// With an explanation.
    pub const fn because(condition: Condition, text: &'static str) -> Self {
        Self {
            condition,
            kind: condition.usual_type(),
            text: Some(text),
            special: None,
        }
    }

    /// Writes `<error/>` into a stanza.
    pub(crate) fn write(&self, to: &mut Writer<'_>) {
        self.write_with(to, self.text);
    }

    /// The same with this text.
    fn write_with(&self, to: &mut Writer<'_>, text: Option<&str>) {
        to.start("error");
        to.attribute("type", self.kind.as_str());
        to.start(self.condition.name())
            .attribute("xmlns", STANZA_ERRORS)
            .end();
        if let Some(text) = text {
            to.start("text").attribute("xmlns", STANZA_ERRORS);
            to.attribute("xml:lang", "en");
            to.text(text);
            to.end();
        }
        if let Some((namespace, name)) = self.special {
            to.start(name).attribute("xmlns", namespace).end();
        }
        to.end();
    }
}

/// To who sends something to somebody he has blocked himself (XEP-0191 §3.3).
const BLOCKED: StanzaError = StanzaError {
    condition: Condition::NotAcceptable,
    kind: ErrorType::Cancel,
    text: None,
    special: Some(("urn:xmpp:blocking:errors", "blocked")),
};

impl From<Condition> for StanzaError {
    fn from(condition: Condition) -> Self {
        Self::new(condition)
    }
}

impl From<&Refusal> for StanzaError {
    /// The one place where a refusal becomes a stanza error.
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Malformed => Condition::JidMalformed.into(),
            Refusal::BadRequest(text) => Self::because(Condition::BadRequest, text),
            Refusal::NotFound | Refusal::TagUnknown => Condition::ItemNotFound.into(),
            Refusal::Forbidden => Condition::Forbidden.into(),
            Refusal::Blocked => BLOCKED,
            Refusal::NotAllowed => Condition::NotAllowed.into(),
            // Whether an account is disabled or missing is nobody's business.
            Refusal::Disabled | Refusal::Unavailable => Condition::ServiceUnavailable.into(),
            Refusal::Conflict => Condition::Conflict.into(),
            Refusal::Limit(name) => Self::because(Condition::ResourceConstraint, name),
            Refusal::Overloaded => Self::because(
                Condition::ResourceConstraint,
                "The server is overloaded. Try again in a moment.",
            ),
            Refusal::OutOfOrder => Condition::UnexpectedRequest.into(),
            Refusal::ForeignDomain => Condition::RemoteServerNotFound.into(),
            Refusal::Fault => Condition::InternalServerError.into(),
        }
    }
}

/// The stanza kinds, which an error keeps (RFC 6120 §8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StanzaKind {
    /// `<message/>`
    Message,
    /// `<presence/>`
    Presence,
    /// `<iq/>`
    Iq,
}

impl StanzaKind {
    /// The element's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Presence => "presence",
            Self::Iq => "iq",
        }
    }
}

/// What an error stanza says beside the error itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ErrorStanza<'a> {
    pub(crate) kind: StanzaKind,
    /// Who was meant to get the stanza; `None`: nobody was named, or it was no address.
    pub(crate) from: Option<&'a Address>,
    /// Who sent it.
    pub(crate) to: &'a Address,
    /// Its id.
    pub(crate) id: Option<&'a str>,
}

/// Writes an error stanza. An IQ always gets an id, empty when there was none (RFC 6120 §8.3.1).
pub(crate) fn error(out: &mut Vec<u8>, stanza: ErrorStanza<'_>, error: &StanzaError) {
    error_with(out, stanza, error, error.text);
}

/// The same with this text.
pub(crate) fn error_with(
    out: &mut Vec<u8>,
    stanza: ErrorStanza<'_>,
    error: &StanzaError,
    text: Option<&str>,
) {
    let mut to = Writer::new(out);
    to.start(stanza.kind.as_str());
    to.attribute("type", "error");
    let needed = (stanza.kind == StanzaKind::Iq).then_some("");
    if let Some(id) = stanza.id.or(needed) {
        to.attribute("id", id);
    }
    if let Some(from) = stanza.from {
        to.attribute("from", &from.to_string());
    }
    to.attribute("to", &stanza.to.to_string());
    error.write_with(&mut to, text);
    to.end();
}
