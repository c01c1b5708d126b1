//! Blocking (XEP-0191), and reports of those who are blocked (XEP-0377).

use presence::{Address, Report, ReportReason, StanzaId};

use super::{Answered, Entity, Extension, Handler};
use crate::action::Action;
use crate::client::iq_stanza::Request;
use crate::print::{BLOCKING, Condition, StanzaError};

const REPORTING_NS: &str = "urn:xmpp:reporting:1";
const STANZA_ID_NS: &str = "urn:xmpp:sid:0";

const BLOCKLIST: (&str, &str) = (BLOCKING, "blocklist");
const BLOCK: (&str, &str) = (BLOCKING, "block");
const UNBLOCK: (&str, &str) = (BLOCKING, "unblock");

/// What is kept of the text of a report, in bytes.
const MAX_TEXT: usize = 4096;
/// What is kept of any other word of a report, in bytes.
const MAX_WORD: usize = 1023;
/// How many messages a report may name; further ones are not kept.
const MAX_STANZAS: usize = 64;

pub(super) const EXTENSION: Extension = Extension::new(
    "Blocking",
    "XEP-0191",
    "1.3",
    &[
        Handler::get(BLOCKLIST, Entity::OwnAccount, list),
        Handler::set(BLOCK, Entity::OwnAccount, block),
        Handler::set(UNBLOCK, Entity::OwnAccount, unblock),
        Handler::get(BLOCKLIST, Entity::OtherAccount, not_yours),
        Handler::set(BLOCK, Entity::OtherAccount, not_yours),
        Handler::set(UNBLOCK, Entity::OtherAccount, not_yours),
    ],
)
.on_server(&[BLOCKING])
.on_account(&[BLOCKING]);

pub(super) const REPORTING: Extension =
    Extension::new("Reports of spam and abuse", "XEP-0377", "0.4.0", &[])
        .on_server(&[REPORTING_NS])
        .on_account(&[REPORTING_NS]);

/// What a session wants of the list of its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockWish {
    /// To read it, and to be told of changes (§3.2).
    List,
    /// To block these, with what is reported of them (§3.3).
    Block(Vec<Address>, Vec<Report>),
    /// To block these no longer; none: nobody any more (§3.4, §3.5).
    Unblock(Vec<Address>),
}

fn outside(request: &Request<'_>, wish: BlockWish) -> Answered {
    let iq = request.iq.clone();
    Answered::Outside(Action::Blocking { iq, wish })
}

fn list(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    outside(request, BlockWish::List)
}

fn block(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    match items(request) {
        Ok((addresses, _)) if addresses.is_empty() => Answered::Refused(StanzaError::because(
            Condition::BadRequest,
            "A block names somebody.",
        )),
        Ok((addresses, reports)) => outside(request, BlockWish::Block(addresses, reports)),
        Err(error) => Answered::Refused(error),
    }
}

fn unblock(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    match items(request) {
        Ok((addresses, _)) => outside(request, BlockWish::Unblock(addresses)),
        Err(error) => Answered::Refused(error),
    }
}

fn not_yours(_: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    Condition::Forbidden.into()
}

/// The addresses, and what is reported of them. What is no item is an error: an unblock that is misread would unblock everybody.
fn items(request: &Request<'_>) -> Result<(Vec<Address>, Vec<Report>), StanzaError> {
    let (mut addresses, mut reports) = (Vec::new(), Vec::new());
    for item in request.payload.children() {
        if (item.namespace(), item.name()) != (BLOCKING, "item") {
            let text = "There is nothing but items here.";
            return Err(StanzaError::because(Condition::BadRequest, text));
        }
        let Some(jid) = item.attribute("jid") else {
            let text = "An item has no jid.";
            return Err(StanzaError::because(Condition::BadRequest, text));
        };
        let about = Address::parse(&jid).map_err(|_| Condition::JidMalformed)?;
        for child in item.children() {
            if (child.namespace(), child.name()) == (REPORTING_NS, "report") {
                reports.push(report(request, &child, about.clone())?);
            }
        }
        if !addresses.contains(&about) {
            addresses.push(about);
        }
    }
    Ok((addresses, reports))
}

fn report(
    request: &Request<'_>,
    report: &xml::Child<'_>,
    about: Address,
) -> Result<Report, StanzaError> {
    let Some(reason) = report.attribute("reason") else {
        let text = "A report has a reason.";
        return Err(StanzaError::because(Condition::BadRequest, text));
    };
    let mut kept = Report {
        about,
        reason: ReportReason::of(cut(&reason, MAX_WORD)),
        text: None,
        stanzas: Vec::new(),
        at: request.now.utc,
    };
    for child in report.children() {
        match (child.namespace(), child.name()) {
            (REPORTING_NS, "text") if kept.text.is_none() => {
                kept.text = Some(cut(child.text().trim(), MAX_TEXT).to_owned());
            }
            (STANZA_ID_NS, "stanza-id") if kept.stanzas.len() < MAX_STANZAS => {
                let word = |name| child.attribute(name).unwrap_or_default();
                kept.stanzas.push(StanzaId {
                    by: cut(&word("by"), MAX_WORD).to_owned(),
                    id: cut(&word("id"), MAX_WORD).to_owned(),
                });
            }
            _ => {}
        }
    }
    Ok(kept)
}

/// The beginning of a text that is too long to be kept.
fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}
