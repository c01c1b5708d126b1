//! Roster get, set and removal (RFC 6121 §2).

use presence::{AddressError, Bare};

use super::extensions::Answered;
use super::iq_stanza::Request;
use crate::action::Action;
use crate::print::{Condition, ROSTER, StanzaError};

/// Roster get (§2.1.3).
pub(super) fn get(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    if request.payload.children().next().is_some() {
        return Answered::Refused(StanzaError::because(
            Condition::BadRequest,
            "A roster get has no items.",
        ));
    }
    let version = request.payload.attribute("ver");
    Answered::Outside(Action::RosterGet {
        iq: request.iq.clone(),
        version: version.as_deref().map(str::to_owned),
    })
}

/// Roster set or removal (§2.1.5).
pub(super) fn set(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    change(request).into()
}

/// Only an account itself reads and changes its roster (§2.3.3).
pub(super) fn not_yours(_: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    Condition::Forbidden.into()
}

/// The change that is wanted (§2.3 to §2.5).
fn change(request: &Request<'_>) -> Result<Action, StanzaError> {
    let item = only_item(&request.payload)?;
    let contact = contact(&item)?;
    let iq = request.iq.clone();
    if item.attribute("subscription").as_deref() == Some("remove") {
        return Ok(Action::RosterRemove { iq, contact });
    }
    if contact == *request.client.account() {
        return Err(StanzaError::because(
            Condition::NotAllowed,
            "An account is no contact of its own.",
        ));
    }
    let service = &request.client.service;
    Ok(Action::RosterSet {
        iq,
        contact,
        name: name(&item, service.name_bytes)?,
        groups: groups(&item, service.name_bytes, service.groups)?,
    })
}

fn only_item<'a>(query: &xml::Child<'a>) -> Result<xml::Child<'a>, StanzaError> {
    let mut children = query.children();
    match (children.next(), children.next()) {
        (Some(item), None) if (item.namespace(), item.name()) == (ROSTER, "item") => Ok(item),
        _ => Err(StanzaError::because(
            Condition::BadRequest,
            "A roster set has exactly one item.",
        )),
    }
}

fn contact(item: &xml::Child<'_>) -> Result<Bare, StanzaError> {
    let Some(jid) = item.attribute("jid") else {
        return Err(StanzaError::because(
            Condition::BadRequest,
            "The item has no jid.",
        ));
    };
    Bare::parse(&jid).map_err(|error| match error {
        AddressError::Resource => {
            StanzaError::because(Condition::BadRequest, "A contact's jid has no resource.")
        }
        AddressError::Domain | AddressError::Local => Condition::JidMalformed.into(),
    })
}

/// An empty name is none (§2.4.1).
fn name(item: &xml::Child<'_>, most: usize) -> Result<Option<String>, StanzaError> {
    match item.attribute("name").as_deref() {
        Some(name) if name.len() > most => Err(StanzaError::because(
            Condition::NotAcceptable,
            "The name is too long.",
        )),
        Some("") | None => Ok(None),
        Some(name) => Ok(Some(name.to_owned())),
    }
}

fn groups(item: &xml::Child<'_>, bytes: usize, most: usize) -> Result<Vec<String>, StanzaError> {
    let mut groups: Vec<String> = Vec::new();
    for child in item.children() {
        if (child.namespace(), child.name()) != (ROSTER, "group") {
            continue;
        }
        let group = child.text();
        let wrong = if group.is_empty() {
            Some((Condition::NotAcceptable, "A group has no name."))
        } else if group.len() > bytes {
            Some((Condition::NotAcceptable, "The name of a group is too long."))
        } else if groups.iter().any(|g| *g == *group) {
            Some((Condition::BadRequest, "A group is named twice."))
        } else if groups.len() == most {
            Some((Condition::NotAcceptable, "There are too many groups."))
        } else {
            None
        };
        if let Some((condition, text)) = wrong {
            return Err(StanzaError::because(condition, text));
        }
        groups.push(group.into());
    }
    Ok(groups)
}
