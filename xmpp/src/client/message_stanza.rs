//! Messages from a client (RFC 6121 §5, RFC 6120 §10).

use std::sync::Arc;

use presence::{Address, Bare, Message, MessageKind, MessageNative, Note};
use services::form::Form;
use services::pubsub;

use super::envelope::{Envelope, Place, Target};
use super::treatment::Treatment;
use super::{Client, Handled};
use crate::action::Action;
use crate::print::{Condition, StanzaError};
use crate::stream::namespaces::CLIENT;
use crate::time::Now;

impl Client {
    pub(super) fn message(
        &mut self,
        now: Now,
        element: &xml::Element,
        envelope: &Envelope<'_>,
        out: &mut Handled,
    ) -> Result<(), StanzaError> {
        let to = match &envelope.target {
            Target::Malformed => return Err(Condition::JidMalformed.into()),
            Target::Nobody => self.account().clone().into(),
            Target::Named { address, place } => match place {
                Place::Own | Place::Local | Place::Component => address.clone(),
                Place::Foreign => return Err(Condition::RemoteServerNotFound.into()),
                Place::Server => return Err(Condition::ServiceUnavailable.into()),
            },
        };
        let action = if to.is_bare() && to.bare == *self.account() {
            authorization(element, envelope)?
        } else {
            Asked::NotThat
        };
        match action {
            Asked::Answered(action) => out.actions.push_back(action),
            Asked::Cancelled => {}
            Asked::NotThat => out
                .actions
                .push_back(self.read_message(now, element, envelope, to)),
        }
        Ok(())
    }

    fn read_message(
        &self,
        now: Now,
        element: &xml::Element,
        envelope: &Envelope<'_>,
        to: Address,
    ) -> Action {
        let kind = kind(envelope.type_.as_deref());
        let content = Content::read(self, &to.bare, element);
        let spoken = content.bodies.iter().any(|b| !b.text.trim().is_empty());
        Action::Message {
            handling: content.treatment.handling(kind, spoken),
            message: Arc::new(Message {
                from: self.address.clone(),
                to,
                kind,
                id: envelope.id.clone(),
                thread: content.thread,
                subjects: content.subjects,
                bodies: content.bodies,
                native: MessageNative::Xmpp(self.stamped_without(
                    element,
                    envelope,
                    &content.treatment.cuts,
                )),
                received: now.utc,
                archived: None,
            }),
        }
    }
}

/// What a message to one's own account is, that might answer the question who may subscribe to a node.
enum Asked {
    Answered(Action),
    /// The owner does not answer: the question stands (XEP-0060 §8.6).
    Cancelled,
    /// It is a message like any other.
    NotThat,
}

fn authorization(element: &xml::Element, envelope: &Envelope<'_>) -> Result<Asked, StanzaError> {
    if envelope.is_answer() {
        return Ok(Asked::NotThat);
    }
    let form = Form::in_children(&element.as_child());
    match form.as_ref().and_then(pubsub::authorization) {
        None => Ok(Asked::NotThat),
        Some(Ok(None)) => Ok(Asked::Cancelled),
        Some(Ok(Some(request))) => Ok(Asked::Answered(Action::Authorize {
            id: envelope.id.clone(),
            request: Box::new(request),
        })),
        Some(Err(_)) => Err(Condition::BadRequest.into()),
    }
}

/// RFC 6121 §5.2.2: an unknown type means `normal`.
fn kind(type_: Option<&str>) -> MessageKind {
    match type_ {
        Some("chat") => MessageKind::Chat,
        Some("groupchat") => MessageKind::Groupchat,
        Some("headline") => MessageKind::Headline,
        Some("error") => MessageKind::Error,
        _ => MessageKind::Normal,
    }
}

/// What the server looks at in a message.
#[derive(Default)]
struct Content {
    subjects: Vec<Note>,
    bodies: Vec<Note>,
    thread: Option<Arc<str>>,
    treatment: Treatment,
}

impl Content {
    fn read(client: &Client, to: &Bare, element: &xml::Element) -> Self {
        let lang = client.lang_of(element);
        let lang = lang.as_deref();
        let mut content = Self::default();
        for child in element.children() {
            match (child.namespace(), child.name()) {
                (CLIENT, "body") => content.bodies.push(note(&child, lang)),
                (CLIENT, "subject") => content.subjects.push(note(&child, lang)),
                (CLIENT, "thread") => {
                    content
                        .thread
                        .get_or_insert_with(|| Arc::from(&*child.text()));
                }
                _ => {}
            }
            content.treatment.look(client, to, element.raw(), &child);
        }
        content
    }
}

/// Text for people with its language: its own, or the one in force around it (RFC 6120 §8.1.5).
pub(super) fn note(child: &xml::Child<'_>, lang: Option<&str>) -> Note {
    Note {
        lang: child.lang().as_deref().or(lang).map(str::to_owned),
        text: child.text().into(),
    }
}
