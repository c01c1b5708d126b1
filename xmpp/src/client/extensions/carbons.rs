//! Carbons (XEP-0280): a session asks for copies of what other devices of its account get and send.

use super::{Answered, Entity, Extension, Handler};
use crate::action::Action;
use crate::client::iq_stanza::Request;
use crate::stream::namespaces::CARBONS;

pub(super) const EXTENSION: Extension = Extension::new(
    "Message carbons",
    "XEP-0280",
    "1.0.1",
    &[
        Handler::set((CARBONS, "enable"), Entity::OwnAccount, enable),
        Handler::set((CARBONS, "disable"), Entity::OwnAccount, disable),
    ],
)
.on_server(&[CARBONS])
.on_account(&[CARBONS]);

fn enable(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    Answered::Outside(Action::Carbons {
        iq: request.iq.clone(),
        enable: true,
    })
}

fn disable(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    Answered::Outside(Action::Carbons {
        iq: request.iq.clone(),
        enable: false,
    })
}
