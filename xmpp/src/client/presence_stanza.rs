//! Presence from a client (RFC 6121 §3, §4).

use std::sync::Arc;

use presence::delivery::IqKind;
use presence::subscription::Kind;
use presence::{Address, Document, Note, Priority, Show, Utc};
use services::caps::{Announced, CAPS, CAPS2};

use super::content::content;
use super::envelope::{Envelope, Place, Target};
use super::message_stanza::note;
use super::{Client, Handled};
use crate::action::{Action, IqContext, Presented};
use crate::print::{Condition, DELAY, StanzaError};
use crate::stream::namespaces::CLIENT;

/// The namespace of XEP-0319.
const IDLE: &str = "urn:xmpp:idle:1";

impl Client {
    pub(super) fn presence(
        &mut self,
        element: &xml::Element,
        envelope: &Envelope<'_>,
        out: &mut Handled,
    ) -> Result<(), StanzaError> {
        if envelope.target == Target::Malformed {
            return Err(Condition::JidMalformed.into());
        }
        let action = match envelope.type_.as_deref() {
            None => self.shown(element, envelope, true, out)?,
            Some("unavailable") => self.shown(element, envelope, false, out)?,
            Some("probe") => recipient(envelope)?.map(|contact| Action::Probe { contact }),
            // An error to a session is for that session (RFC 6120 §10.5.4). To an account it answers what the server said in somebody's
            // name: nothing in RFC 6121 follows from it, and nobody waits for it.
            Some("error") => self.presence_error(element, envelope)?,
            Some(other) => match Kind::parse(other) {
                Some(kind) => self.subscription(kind, element, envelope)?,
                None => {
                    return Err(StanzaError::because(
                        Condition::BadRequest,
                        "There is no such type of presence.",
                    ));
                }
            },
        };
        out.actions.extend(action);
        Ok(())
    }

    fn presence_error(
        &self,
        element: &xml::Element,
        envelope: &Envelope<'_>,
    ) -> Result<Option<Action>, StanzaError> {
        if envelope.target == Target::Nobody {
            return Ok(None);
        }
        let to = recipient(envelope)?.filter(|to| to.resource.is_some());
        Ok(to.map(|to| Action::Iq {
            kind: IqKind::Error,
            stanza: self.stamped(element, envelope),
            iq: IqContext {
                id: envelope.id.clone().unwrap_or_else(|| "".into()),
                from: self.address.clone(),
                to: Some(to.clone()),
            },
            to,
        }))
    }

    /// Available or unavailable, to all or to one.
    fn shown(
        &mut self,
        element: &xml::Element,
        envelope: &Envelope<'_>,
        available: bool,
        out: &mut Handled,
    ) -> Result<Option<Action>, StanzaError> {
        let to = match &envelope.target {
            Target::Nobody => None,
            _ => match recipient(envelope)? {
                None => return Ok(None),
                to => to,
            },
        };
        let lang = match element.lang() {
            Some(own) => Some(Arc::from(own)),
            None => self.lang.clone(),
        };
        let (document, announced) = document(element, lang.as_deref())?;
        let presented = Presented {
            document,
            content: content(element),
            lang,
            id: envelope.id.clone(),
        };
        Ok(Some(match to {
            Some(to) => Action::Directed {
                to,
                presented,
                available,
            },
            None if available => {
                self.available = true;
                out.actions.push_back(Action::Available(presented));
                if let Some(announced) = announced {
                    self.announced(announced, out);
                }
                return Ok(None);
            }
            None => {
                self.available = false;
                Action::Unavailable(presented)
            }
        }))
    }

    /// Subscriptions are between accounts: a resource in `to` is dropped (RFC 6121 §3.1.2).
    fn subscription(
        &self,
        kind: Kind,
        element: &xml::Element,
        envelope: &Envelope<'_>,
    ) -> Result<Option<Action>, StanzaError> {
        match &envelope.target {
            Target::Named {
                place: Place::Own, ..
            } => Err(StanzaError::because(
                Condition::NotAllowed,
                "Everybody sees their own presence without asking.",
            )),
            Target::Named {
                place: Place::Server,
                ..
            } => Err(Condition::ServiceUnavailable.into()),
            _ => Ok(recipient(envelope)?.map(|contact| Action::Subscription {
                kind,
                contact: contact.bare,
                content: self.stamped(element, envelope),
                id: envelope.id.clone(),
            })),
        }
    }
}

/// The account or session that a presence names. The server itself has no use for presence: `None`.
fn recipient(envelope: &Envelope<'_>) -> Result<Option<Address>, StanzaError> {
    match &envelope.target {
        Target::Malformed => Err(Condition::JidMalformed.into()),
        Target::Nobody => Err(StanzaError::because(
            Condition::BadRequest,
            "This type of presence needs a recipient.",
        )),
        Target::Named { address, place } => match place {
            Place::Own | Place::Local | Place::Component => Ok(Some(address.clone())),
            Place::Server => Ok(None),
            Place::Foreign => Err(Condition::RemoteServerNotFound.into()),
        },
    }
}

/// The common part of a presence (RFC 6121 §4.7.2, XEP-0319, XEP-0203). What breaks a MUST of the RFC is refused, lest contacts get it; an
/// empty element counts as none.
fn document(
    element: &xml::Element,
    lang: Option<&str>,
) -> Result<(Document, Option<Announced>), StanzaError> {
    let mut document = Document::default();
    let mut announced = None;
    let (mut shows, mut priorities) = (0, 0);
    for child in element.children() {
        match (child.namespace(), child.name()) {
            (CLIENT, "show") => {
                shows += 1;
                document.show = show(&child.text())?;
            }
            (CLIENT, "priority") => {
                priorities += 1;
                document.priority = priority(&child.text())?;
            }
            (CLIENT, "status") => add(&mut document.notes, note(&child, lang)),
            (IDLE, "idle") => document.idle_since = time(&child, "since"),
            (DELAY, "delay") => document.timestamp = time(&child, "stamp"),
            (CAPS | CAPS2, "c") => {
                announced = Announced::better(announced, Announced::read(&child));
            }
            _ => {}
        }
    }
    if shows > 1 || priorities > 1 {
        return Err(StanzaError::because(
            Condition::BadRequest,
            "Presence has at most one show and one priority.",
        ));
    }
    Ok((document, announced))
}

fn show(text: &str) -> Result<Option<Show>, StanzaError> {
    let text = text.trim();
    match Show::parse(text) {
        None if !text.is_empty() => Err(StanzaError::because(
            Condition::BadRequest,
            "show is away, chat, dnd or xa.",
        )),
        show => Ok(show),
    }
}

fn priority(text: &str) -> Result<Option<Priority>, StanzaError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(number) => Ok(Some(Priority(number))),
        Err(_) => Err(StanzaError::because(
            Condition::BadRequest,
            "priority is a number from -128 to 127.",
        )),
    }
}

/// The first text of a language is the one that counts.
fn add(notes: &mut Vec<Note>, note: Note) {
    if !notes.iter().any(|n| n.lang == note.lang) {
        notes.push(note);
    }
}

fn time(child: &xml::Child<'_>, attribute: &str) -> Option<Utc> {
    Utc::from_rfc3339(&child.attribute(attribute)?)
}
