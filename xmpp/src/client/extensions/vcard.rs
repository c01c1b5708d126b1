//! vCards (XEP-0054): everybody may read them, each account writes its own.

use super::{Answered, Entity, Extension, Handler};
use crate::action::Action;
use crate::client::iq_stanza::Request;
use crate::person::{self, Person, VCARD};
use crate::print::Condition;

const PAYLOAD: (&str, &str) = (VCARD, "vCard");

pub(super) const EXTENSION: Extension = Extension::new(
    "vCards",
    "XEP-0054",
    "1.3.0",
    &[
        Handler::get(PAYLOAD, Entity::OwnAccount, get),
        Handler::set(PAYLOAD, Entity::OwnAccount, set),
        Handler::get(PAYLOAD, Entity::OtherAccount, get),
        Handler::set(PAYLOAD, Entity::OtherAccount, not_yours),
    ],
)
.on_server(&[VCARD])
.on_account(&[VCARD]);

fn get(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    let of = match &request.iq.to {
        Some(to) => to.bare.clone(),
        None => request.client.account().clone(),
    };
    Answered::Outside(Action::Person(Box::new(Person::Card {
        iq: request.iq.clone(),
        of,
    })))
}

fn set(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    Answered::Outside(Action::Person(Box::new(Person::SetCard {
        iq: request.iq.clone(),
        card: person::card(&request.payload),
    })))
}

fn not_yours(_: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    Condition::Forbidden.into()
}
