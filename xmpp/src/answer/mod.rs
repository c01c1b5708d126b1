//! Answers to [`crate::action::Action`], printed for the session that wanted them. Every function appends to a byte buffer and can be
//! called from any thread.

use presence::{Address, BlockList, Message, MessageKind, Refusal, Roster};
use xml::{Element, Limits};

use crate::action::IqContext;
use crate::print::{self, BLOCKING, Condition, ErrorStanza, ROSTER, StanzaError, StanzaKind};
use crate::stream::namespaces::CLIENT;

pub mod archive;
pub mod person;
pub mod pubsub;
#[cfg(test)]
mod tests;

/// The namespace of XEP-0012.
pub(crate) const LAST: &str = "jabber:iq:last";

/// Answers a roster get: with nothing when the client has this version (RFC 6121 §2.6.3), else with all items (§2.1.4).
pub fn roster(out: &mut Vec<u8>, iq: &IqContext, version_asked: Option<&str>, roster: &Roster) {
    let version = roster.version.to_string();
    if version_asked == Some(&*version) {
        return done(out, iq);
    }
    print::result(out, iq, |to| {
        to.start("query").attribute("xmlns", ROSTER);
        to.attribute("ver", &version);
        for item in &roster.items {
            print::item(to, item);
        }
        to.end();
    });
}

/// Answers with whom an account blocks (XEP-0191 §3.2).
pub fn blocklist(out: &mut Vec<u8>, iq: &IqContext, list: &BlockList) {
    print::result(out, iq, |to| {
        to.start("blocklist").attribute("xmlns", BLOCKING);
        for address in list {
            print::block_item(to, address);
        }
        to.end();
    });
}

/// Answers a request that was done and has nothing to tell.
pub fn done(out: &mut Vec<u8>, iq: &IqContext) {
    print::result(out, iq, |_| {});
}

/// Answers a request that was refused.
pub fn refused(out: &mut Vec<u8>, iq: &IqContext, refusal: &Refusal) {
    iq_error(out, iq, &refusal.into());
}

/// Answers a request with a stanza error.
pub fn iq_error(out: &mut Vec<u8>, iq: &IqContext, error: &StanzaError) {
    let stanza = ErrorStanza {
        kind: StanzaKind::Iq,
        from: iq.to.as_ref(),
        to: &iq.from,
        id: Some(&iq.id),
    };
    print::error(out, stanza, error);
}

/// Tells the sender of a message that it was refused; nothing when the message was an error itself (RFC 6120 §8.3.1). A full offline
/// store looks like none (XEP-0160 §2).
pub fn message_refused(out: &mut Vec<u8>, message: &Message, refusal: &Refusal) {
    if message.kind == MessageKind::Error {
        return;
    }
    let error = match refusal {
        Refusal::Limit(_) | Refusal::NotFound => Condition::ServiceUnavailable.into(),
        other => StanzaError::from(other),
    };
    let stanza = ErrorStanza {
        kind: StanzaKind::Message,
        from: Some(&message.to),
        to: &message.from,
        id: message.id.as_deref(),
    };
    print::error(out, stanza, &error);
}

/// Tells a session that a presence of its own, to `contact` or to all, was refused.
pub fn presence_refused(
    out: &mut Vec<u8>,
    session: &Address,
    contact: Option<&Address>,
    id: Option<&str>,
    refusal: &Refusal,
) {
    let stanza = ErrorStanza {
        kind: StanzaKind::Presence,
        from: contact,
        to: session,
        id,
    };
    print::error(out, stanza, &refusal.into());
}

/// Answers a question for last activity (XEP-0012 §4): how many seconds ago, and with what status text the account left. 0 while it
/// is there.
pub fn last_activity(out: &mut Vec<u8>, iq: &IqContext, seconds: u64, status: Option<&str>) {
    print::result(out, iq, |to| {
        to.start("query").attribute("xmlns", LAST);
        to.attribute("seconds", &seconds.to_string());
        if let Some(status) = status {
            to.text(status);
        }
        to.end();
    });
}

/// The error that answers a request in the place of a client that never will: from whom, to whom, and the stanza. Nothing for what is no
/// request. `stanza` is one that the server wrote for that client, with both addresses.
pub fn in_its_place(stanza: &[u8]) -> Option<(Address, Address, Vec<u8>)> {
    let element = Element::parse(stanza, CLIENT, Limits::generous()).ok()?;
    let asks = matches!(element.attribute("type").as_deref(), Some("get" | "set"));
    if element.name() != "iq" || !asks {
        return None;
    }
    let address = |name| Address::parse(&element.attribute(name)?).ok();
    let (from, to) = (address("to")?, address("from")?);
    let id = element.attribute("id");
    let head = ErrorStanza {
        kind: StanzaKind::Iq,
        from: Some(&from),
        to: &to,
        id: id.as_deref(),
    };
    let mut error = Vec::new();
    print::error(&mut error, head, &Condition::ServiceUnavailable.into());
    Some((from, to, error))
}
