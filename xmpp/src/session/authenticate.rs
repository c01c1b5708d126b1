//! `<authenticate/>` of XEP-0388: who comes, by which mechanism, and what is to be done at once when it is proven.

use crate::management::request::Malformed;
use crate::management::{self, MANAGEMENT, Previous};
use crate::sasl::{ClientId, Failure, TokenMechanism, decode_data};
use crate::stream::namespaces::{BIND2, CARBONS, CLIENT_STATE, FAST, SASL2};
use presence::Bare;
use std::time::Duration;
use xml::{Child, Element};

/// What is asked for together with the login.
#[derive(Debug, Default)]
pub(super) struct Request {
    /// Whom the header of the stream names: he must be the one who logs in.
    pub(super) from: Option<Bare>,
    /// The installation of the client. `None` also for what is no UUID: it is a MUST for clients, but no reason to keep people out.
    pub(super) client: Option<ClientId>,
    /// A resource (XEP-0386).
    pub(super) bind: Option<BindWish>,
    /// A token for the next time (XEP-0484). For a mechanism that is not offered: `None`.
    pub(super) token: Option<TokenMechanism>,
    /// An earlier stream to go on with (XEP-0198); an error where it cannot be meant.
    pub(super) resume: Option<Result<Previous, Malformed>>,
    /// The login itself is by token.
    pub(super) fast: Option<Fast>,
}

/// `<bind xmlns='urn:xmpp:bind:0'/>`.
#[derive(Debug, Default)]
pub(super) struct BindWish {
    /// What the client wants its resource to begin with.
    pub(super) tag: Option<String>,
    /// Copies of what other sessions of the account get and send (XEP-0280).
    pub(super) carbons: bool,
    /// Whether somebody looks at the client (XEP-0352).
    pub(super) attention: Option<bool>,
    /// Stream management (XEP-0198).
    pub(super) manage: Option<Manage>,
}

/// `<enable xmlns='urn:xmpp:sm:3'/>`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manage {
    pub(super) resume: bool,
    pub(super) most: Option<Duration>,
}

/// `<fast/>` in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fast {
    pub(super) count: Option<u64>,
    pub(super) invalidate: bool,
}

impl Request {
    /// Reads what accompanies the mechanism, and the initial response (`None`: there is none).
    ///
    /// # Errors
    /// `malformed-request` for what breaks the rules, `incorrect-encoding` for an initial response that is not base64.
    pub(super) fn read(
        element: &Element,
        from: Option<Bare>,
    ) -> Result<(Self, Option<Vec<u8>>), Failure> {
        let initial = one(element, "initial-response", SASL2)?
            .map(|child| data(&child))
            .transpose()?;
        let request = Self {
            from,
            client: one(element, "user-agent", SASL2)?
                .and_then(|agent| ClientId::parse(&agent.attribute("id")?)),
            bind: one(element, "bind", BIND2)?
                .map(|bind| BindWish::read(&bind))
                .transpose()?,
            token: one(element, "request-token", FAST)?
                .and_then(|wish| TokenMechanism::from_name(&wish.attribute("mechanism")?)),
            resume: one(element, "resume", MANAGEMENT)?.map(|resume| previous(&resume)),
            fast: one(element, "fast", FAST)?
                .map(|fast| Fast::read(&fast))
                .transpose()?,
        };
        Ok((request, initial))
    }
}

impl BindWish {
    fn read(bind: &Child<'_>) -> Result<Self, Failure> {
        let mut tags = bind.children().filter(|child| child.is("tag", BIND2));
        let tag = tags.next();
        if tags.next().is_some() {
            return Err(Failure::MalformedRequest);
        }
        let tag = tag.map(|tag| tag.text().into_owned());
        Ok(Self {
            tag: tag.filter(|tag| !tag.is_empty()),
            carbons: bind.children().any(|child| child.is("enable", CARBONS)),
            attention: bind.children().find_map(|child| {
                let is_state = child.namespace() == CLIENT_STATE;
                match child.name() {
                    "active" if is_state => Some(true),
                    "inactive" if is_state => Some(false),
                    _ => None,
                }
            }),
            manage: bind.children().find_map(|child| Manage::read(&child)),
        })
    }
}

impl Manage {
    fn read(child: &Child<'_>) -> Option<Self> {
        match management::Request::read_child(child)? {
            Ok(management::Request::Enable { resume, most }) => Some(Self { resume, most }),
            _ => None,
        }
    }
}

fn previous(resume: &Child<'_>) -> Result<Previous, Malformed> {
    match management::Request::read_child(resume) {
        Some(Ok(management::Request::Resume(previous))) => Ok(previous),
        _ => Err(Malformed),
    }
}

impl Fast {
    fn read(fast: &Child<'_>) -> Result<Self, Failure> {
        let count = fast
            .attribute("count")
            .map(|count| count.trim().parse::<i64>().ok())
            .map(|count| count.and_then(|it| u64::try_from(it).ok()))
            .map(|count| count.ok_or(Failure::MalformedRequest))
            .transpose()?;
        let invalidate = match fast.attribute("invalidate").as_deref() {
            None | Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(_) => return Err(Failure::MalformedRequest),
        };
        Ok(Self { count, invalidate })
    }
}

/// The content of an element that holds SASL data and nothing else.
pub(super) fn data(element: &Child<'_>) -> Result<Vec<u8>, Failure> {
    if element.children().next().is_some() {
        return Err(Failure::MalformedRequest);
    }
    decode_data(&element.text())
}

/// The only child of that name, if there is one.
fn one<'a>(
    element: &'a Element,
    name: &str,
    namespace: &str,
) -> Result<Option<Child<'a>>, Failure> {
    let mut found = element.children().filter(|child| child.is(name, namespace));
    let first = found.next();
    match found.next() {
        Some(_) => Err(Failure::MalformedRequest),
        None => Ok(first),
    }
}
