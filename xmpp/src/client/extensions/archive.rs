//! Archives of messages (XEP-0313) in pages (XEP-0059), and what an account wants archived (XEP-0441). Each account has its own and
//! nobody else's.

use presence::{Address, ArchiveDefault, ArchiveId, ArchivePreferences, ArchiveQuery, Utc};

use super::{Answered, Entity, Extension, Handler};
use crate::action::Action;
use crate::answer;
use crate::archive::{Page, Request as Wish, Wanted};
use crate::client::iq_stanza::Request;
use crate::form::Submitted;
use crate::print::{Condition, StanzaError};
use crate::stream::namespaces::{ARCHIVE, PAGES};

const QUERY: (&str, &str) = (ARCHIVE, "query");
const METADATA: (&str, &str) = (ARCHIVE, "metadata");
const PREFERENCES: (&str, &str) = (ARCHIVE, "prefs");

pub(super) const EXTENSION: Extension = Extension::new(
    "Message archives",
    "XEP-0313",
    "1.1.3",
    &[
        Handler::get(QUERY, Entity::OwnAccount, fields),
        Handler::set(QUERY, Entity::OwnAccount, page),
        Handler::get(METADATA, Entity::OwnAccount, ends),
        Handler::get(QUERY, Entity::OtherAccount, not_yours),
        Handler::set(QUERY, Entity::OtherAccount, not_yours),
        Handler::get(METADATA, Entity::OtherAccount, not_yours),
    ],
)
// Profanity asks the server and not the account whether there are any.
.on_server(&[ARCHIVE])
.on_account(&[
    ARCHIVE,
    "urn:xmpp:mam:2#extended",
    "urn:xmpp:mam:2#groupchat-field",
])
.only_when(|service| service.archive);

pub(super) const WISHES: Extension = Extension::new(
    "Preferences for message archives",
    "XEP-0441",
    "0.2.0",
    &[
        Handler::get(PREFERENCES, Entity::OwnAccount, preferences),
        Handler::set(PREFERENCES, Entity::OwnAccount, set_preferences),
        Handler::get(PREFERENCES, Entity::OtherAccount, not_yours),
        Handler::set(PREFERENCES, Entity::OtherAccount, not_yours),
    ],
)
.only_when(|service| service.archive);

pub(super) const PAGING: Extension =
    Extension::new("Result sets in pages", "XEP-0059", "1.0", &[]).on_account(&[PAGES]);

fn not_yours(_: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    Condition::Forbidden.into()
}

fn fields(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    answer::archive::fields(out, &request.iq);
    Answered::Printed
}

fn wish(request: &Request<'_>, wanted: Wanted) -> Action {
    Action::Archive(Box::new(Wish {
        iq: request.iq.clone(),
        wanted,
    }))
}

fn ends(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    Answered::Outside(wish(request, Wanted::Ends))
}

fn preferences(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    Answered::Outside(wish(request, Wanted::Preferences))
}

fn page(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    read_page(request)
        .map(|page| wish(request, Wanted::Page(page)))
        .into()
}

fn set_preferences(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    read_preferences(&request.payload)
        .map(|wants| wish(request, Wanted::SetPreferences(wants)))
        .into()
}

fn bad(text: &'static str) -> StanzaError {
    StanzaError::because(Condition::BadRequest, text)
}

fn read_page(request: &Request<'_>) -> Result<Page, StanzaError> {
    let payload = &request.payload;
    // Archives of publish-subscribe nodes are another matter (XEP-0442).
    if payload.attribute("node").is_some_and(|n| !n.is_empty()) {
        return Err(Condition::ItemNotFound.into());
    }
    let mut query = ArchiveQuery::default();
    if let Some(form) = Submitted::find(payload) {
        read_form(&form, &mut query)?;
    }
    if let Some(set) = payload.child("set", PAGES) {
        read_set(&set, &mut query)?;
    }
    Ok(Page {
        query,
        id: payload
            .attribute("queryid")
            .map(std::borrow::Cow::into_owned),
        flip: payload.child("flip-page", ARCHIVE).is_some(),
    })
}

/// What no archive has is not there either (XEP-0313 §4.1.4).
fn named(id: &str) -> Result<ArchiveId, StanzaError> {
    ArchiveId::parse(id).ok_or_else(|| Condition::ItemNotFound.into())
}

fn moment(text: &str) -> Result<Utc, StanzaError> {
    Utc::from_rfc3339(text).ok_or_else(|| bad("start and end are dates with times (XEP-0082)."))
}

fn read_form(form: &Submitted, query: &mut ArchiveQuery) -> Result<(), StanzaError> {
    if form.kind() != Some(ARCHIVE) {
        return Err(bad("The FORM_TYPE of a query is urn:xmpp:mam:2."));
    }
    for field in form.names() {
        let value = form.one(field);
        match field {
            "with" => {
                let with = value.map(Address::parse).transpose();
                query.with = with.map_err(|_| StanzaError::from(Condition::JidMalformed))?;
            }
            "start" => query.start = value.map(moment).transpose()?,
            "end" => query.end = value.map(moment).transpose()?,
            "after-id" => query.after_id = value.map(named).transpose()?,
            "before-id" => query.before_id = value.map(named).transpose()?,
            "ids" => {
                let ids: Result<_, _> = form.all(field).iter().map(|id| named(id.trim())).collect();
                query.ids = Some(ids?);
            }
            // There is nothing of rooms in the archives of accounts: the answer is the same.
            "include-groupchat" => {
                if !matches!(value, None | Some("true" | "false" | "1" | "0")) {
                    return Err(bad("include-groupchat is true or false."));
                }
            }
            _ => {
                return Err(StanzaError::because(
                    Condition::FeatureNotImplemented,
                    "The archive has no such field.",
                ));
            }
        }
    }
    Ok(())
}

/// XEP-0059 §2.
fn read_set(set: &xml::Child<'_>, query: &mut ArchiveQuery) -> Result<(), StanzaError> {
    for child in set.children().filter(|c| c.namespace() == PAGES) {
        let text = child.text();
        let text = text.trim();
        match child.name() {
            "max" => {
                let max = text.parse().map_err(|_| bad("max is a number."))?;
                query.max = Some(max);
            }
            "after" if !text.is_empty() => query.after = Some(named(text)?),
            "before" if text.is_empty() => query.before = Some(None),
            "before" => query.before = Some(Some(named(text)?)),
            "index" => {
                return Err(StanzaError::because(
                    Condition::FeatureNotImplemented,
                    "Pages are asked for by messages, not by numbers.",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_preferences(payload: &xml::Child<'_>) -> Result<ArchivePreferences, StanzaError> {
    let default = match payload.attribute("default").as_deref() {
        Some("always") => ArchiveDefault::Always,
        Some("never") => ArchiveDefault::Never,
        Some("roster") => ArchiveDefault::Roster,
        _ => return Err(bad("The default is always, never or roster.")),
    };
    let list = |name: &str| -> Result<Vec<Address>, StanzaError> {
        let mut all = Vec::new();
        for list in payload.children().filter(|c| c.is(name, ARCHIVE)) {
            for jid in list.children().filter(|c| c.is("jid", ARCHIVE)) {
                let address = Address::parse(jid.text().trim());
                let address = address.map_err(|_| StanzaError::from(Condition::JidMalformed))?;
                if !all.contains(&address) {
                    all.push(address);
                }
            }
        }
        Ok(all)
    };
    Ok(ArchivePreferences {
        default,
        always: list("always")?,
        never: list("never")?,
    })
}
