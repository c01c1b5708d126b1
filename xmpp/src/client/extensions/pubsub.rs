//! Nodes of accounts: PEP (XEP-0163) and publish-subscribe (XEP-0060), with what lies in such nodes. Service discovery of accounts is here
//! too, because it depends on who may read what.

use services::avatar::CONVERSION;
use services::pubsub::{Kind, OWNER, PUBSUB, account_features};

use super::{Answered, Entity, Extension, Handler};
use crate::action::Action;
use crate::answer;
use crate::client::iq_stanza::Request;

const ANY: (&str, &str) = (PUBSUB, "pubsub");
const BY_OWNER: (&str, &str) = (OWNER, "pubsub");

pub(super) const EXTENSION: Extension = Extension::new(
    "Publish-subscribe at accounts",
    "XEP-0060",
    "1.30.0",
    &[
        Handler::get(ANY, Entity::OwnAccount, get),
        Handler::set(ANY, Entity::OwnAccount, set),
        Handler::get(ANY, Entity::OtherAccount, get),
        Handler::set(ANY, Entity::OtherAccount, set),
        Handler::get(BY_OWNER, Entity::OwnAccount, get),
        Handler::set(BY_OWNER, Entity::OwnAccount, set),
        Handler::get(BY_OWNER, Entity::OtherAccount, get),
        Handler::set(BY_OWNER, Entity::OtherAccount, set),
    ],
)
.partly("accounts are services; no collections (XEP-0248)")
// Profanity asks the server and not the account whether it may say who reads what it publishes.
.on_server(&[PUBSUB, "http://jabber.org/protocol/pubsub#publish-options"])
.on_account(account_features());

pub(super) const EVENTING: Extension =
    Extension::new("Personal eventing (PEP)", "XEP-0163", "1.2.2", &[]);

pub(super) const PUBLIC: Extension =
    Extension::new("Persistent public data in PEP", "XEP-0222", "1.0", &[]);

pub(super) const PRIVATE: Extension =
    Extension::new("Persistent private data in PEP", "XEP-0223", "1.1.1", &[]);

/// The server makes of one kind of avatar the other.
pub(super) const AVATAR_IN_PRESENCE: Extension =
    Extension::new("Avatars in presence", "XEP-0153", "1.1.1", &[]);
pub(super) const AVATAR_CONVERSION: Extension = Extension::new(
    "Avatars in PEP from vCards, and in vCards from PEP",
    "XEP-0398",
    "1.0.0",
    &[],
)
.on_account(&[CONVERSION]);

/// What lies in nodes and needs nothing of the server but these.
pub(super) const LOCATION: Extension =
    Extension::new("User location in PEP", "XEP-0080", "1.10.0", &[]);
pub(super) const AVATAR: Extension =
    Extension::new("User avatars in PEP", "XEP-0084", "1.1.4", &[]);
pub(super) const MOOD: Extension = Extension::new("User mood in PEP", "XEP-0107", "1.2.2", &[]);
pub(super) const ACTIVITY: Extension =
    Extension::new("User activity in PEP", "XEP-0108", "1.3", &[]);
/// Since its version 0.12 it has no requests of its own.
pub(super) const VCARD4: Extension = Extension::new("vCard4 in PEP", "XEP-0292", "0.12.0", &[])
    .on_account(&["urn:ietf:params:xml:ns:vcard-4.0"]);
pub(super) const BOOKMARKS: Extension =
    Extension::new("Bookmarks in PEP", "XEP-0402", "1.2.0", &[]).on_account(&[
        "urn:xmpp:bookmarks:1#compat",
        "urn:xmpp:bookmarks:1#compat-pep",
    ]);
pub(super) const OLD_BOOKMARKS: Extension = Extension::new("Bookmarks", "XEP-0048", "1.2", &[]);
pub(super) const BOOKMARK_CONVERSION: Extension = Extension::new(
    "Bookmarks in PEP from private storage, and the other way round",
    "XEP-0411",
    "1.1.0",
    &[],
)
.on_account(&["urn:xmpp:bookmarks-conversion:0"]);

fn get(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    read(request, Kind::Get, out)
}

fn set(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    read(request, Kind::Set, out)
}

fn read(request: &Request<'_>, kind: Kind, out: &mut Vec<u8>) -> Answered {
    match services::pubsub::Request::read(&request.payload, kind) {
        Ok(wanted) => wants(request, wanted),
        Err(error) => {
            answer::pubsub::refused(out, &request.iq, error);
            Answered::Printed
        }
    }
}

/// What is wanted of the nodes of an account, for who has the storage.
pub(super) fn wants(request: &Request<'_>, wanted: services::pubsub::Request) -> Answered {
    let owner = match &request.iq.to {
        Some(to) => to.bare.clone(),
        None => request.client.account().clone(),
    };
    Answered::Outside(Action::Pubsub {
        iq: request.iq.clone(),
        owner,
        request: Box::new(wanted),
    })
}
