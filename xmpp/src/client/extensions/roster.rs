//! Contact lists with versions (RFC 6121 §2).

use super::{Entity, Extension, Handler};
use crate::client::roster_iq;
use crate::print::ROSTER;

const QUERY: (&str, &str) = (ROSTER, "query");

pub(super) const EXTENSION: Extension = Extension::new(
    "Roster, with versioning",
    "RFC 6121",
    "",
    &[
        Handler::get(QUERY, Entity::OwnAccount, roster_iq::get),
        Handler::set(QUERY, Entity::OwnAccount, roster_iq::set),
        Handler::get(QUERY, Entity::OtherAccount, roster_iq::not_yours),
        Handler::set(QUERY, Entity::OtherAccount, roster_iq::not_yours),
    ],
)
.on_server(&[ROSTER])
.on_account(&[ROSTER]);
