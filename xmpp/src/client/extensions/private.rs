//! Private XML storage (XEP-0049): what an account keeps for its own programs.

use presence::Kept;
use presence::card::Label;

use super::{Answered, Entity, Extension, Handler};
use crate::action::Action;
use crate::client::iq_stanza::Request;
use crate::person::{Person, standalone};
use crate::print::{Condition, StanzaError};
use crate::stream::namespaces::CLIENT;

const PRIVATE: &str = "jabber:iq:private";
const QUERY: (&str, &str) = (PRIVATE, "query");

pub(super) const EXTENSION: Extension = Extension::new(
    "Private XML storage",
    "XEP-0049",
    "1.2",
    &[
        Handler::get(QUERY, Entity::OwnAccount, get),
        Handler::set(QUERY, Entity::OwnAccount, set),
        Handler::get(QUERY, Entity::OtherAccount, not_yours),
        Handler::set(QUERY, Entity::OtherAccount, not_yours),
    ],
)
.on_server(&[PRIVATE])
.on_account(&[PRIVATE]);

fn get(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    wanted(request).into()
}

fn set(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    kept(request).into()
}

fn not_yours(_: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    Condition::Forbidden.into()
}

fn wanted(request: &Request<'_>) -> Result<Action, StanzaError> {
    let mut labels: Vec<Label> = Vec::new();
    for child in request.payload.children() {
        let label = label(&child)?;
        if labels.iter().any(|l| l.namespace != label.namespace) {
            return Err(StanzaError::because(
                Condition::BadRequest,
                "A request is for one namespace.",
            ));
        }
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    if labels.is_empty() {
        return Err(StanzaError::because(
            Condition::BadRequest,
            "The request does not say what is wanted.",
        ));
    }
    Ok(Action::Person(Box::new(Person::Private {
        iq: request.iq.clone(),
        labels,
    })))
}

fn kept(request: &Request<'_>) -> Result<Action, StanzaError> {
    let mut kept: Vec<Kept> = Vec::new();
    for child in request.payload.children() {
        let label = label(&child)?;
        let says = !child.inner().is_empty() || child.attributes().next().is_some();
        let xml = if says {
            standalone(&child)
        } else {
            bytes::Bytes::new()
        };
        match kept.iter_mut().find(|k| k.label == label) {
            Some(before) => before.xml = [&before.xml[..], &xml].concat().into(),
            None => kept.push(Kept { label, xml }),
        }
    }
    if kept.is_empty() {
        return Err(StanzaError::because(
            Condition::NotAcceptable,
            "There is nothing in it to keep.",
        ));
    }
    Ok(Action::Person(Box::new(Person::SetPrivate {
        iq: request.iq.clone(),
        kept,
    })))
}

/// Things are kept in namespaces of their own: not in that of the request, nor in that of the stream.
fn label(child: &xml::Child<'_>) -> Result<Label, StanzaError> {
    match child.namespace() {
        "" | PRIVATE | CLIENT => Err(StanzaError::because(
            Condition::NotAcceptable,
            "What is kept has a namespace of its own.",
        )),
        namespace => Ok(Label {
            namespace: namespace.to_owned(),
            name: child.name().to_owned(),
        }),
    }
}
