//! Messages for a session (RFC 6121 §5, RFC 7572), late ones (XEP-0203) and copies of what another device got or sent (XEP-0280).

use presence::{Address, ArchiveId, Bare, Message, MessageKind, MessageNative, Note, Utc};
use xml::Writer;

use super::start_tag::{append_child, has_attribute, set_attributes};
use crate::stream::namespaces::{CARBONS, CLIENT, STANZA_IDS};

/// The namespace of XEP-0203.
pub(crate) const DELAY: &str = "urn:xmpp:delay";
/// The namespace of XEP-0297.
pub(crate) const FORWARD: &str = "urn:xmpp:forward:0";

/// Why a message comes late (XEP-0203).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delayed<'a> {
    /// When the server took it.
    pub stamp: Utc,
    /// Who kept it.
    pub by: &'a Bare,
}

/// Writes a message: as its sender wrote it when it was XMPP, else made of its common parts. `to` replaces the recipient. Where it is
/// archived it has its number (XEP-0359).
pub fn message(
    out: &mut Vec<u8>,
    message: &Message,
    to: Option<&Address>,
    delayed: Option<Delayed<'_>>,
) {
    let more = More {
        number: message.archived.map(|id| (id, &message.to.bare)),
        delayed,
    };
    match &message.native {
        MessageNative::Xmpp(stanza) => verbatim(out, stanza, to, more),
        MessageNative::Sip { .. } => {
            let mut w = Writer::new(out);
            w.start("message");
            content(&mut w, message, to.unwrap_or(&message.to));
            more.write(&mut w);
            w.end();
        }
    }
}

/// Writes what the server itself tells an account: nothing that is answered, and nothing that waits for who is away (RFC 6121 §5.2.2).
pub fn announcement(out: &mut Vec<u8>, to: &Bare, text: &str) {
    let mut w = Writer::new(out);
    w.start("message").attribute("type", "headline");
    w.attribute("from", to.domain());
    w.attribute("to", to.as_str());
    w.start("body").text(text).end();
    w.end();
}

/// Writes the copy of a message that another device of the account got, or `sent`, a phone for instance (XEP-0280 §7, §8). It comes from
/// the account itself, as nothing does that a client sends. `archived`: its number in the archive of this account.
pub fn carbon(
    out: &mut Vec<u8>,
    to: &Address,
    message: &Message,
    sent: bool,
    archived: Option<ArchiveId>,
) {
    let number = archived.map(|id| (id, &to.bare));
    let mut w = Writer::new(out);
    w.start("message");
    w.attribute("from", to.bare.as_str());
    w.attribute("to", &to.to_string());
    attribute_of_kind(&mut w, message.kind);
    w.start(if sent { "sent" } else { "received" });
    w.attribute("xmlns", CARBONS);
    w.start("forwarded").attribute("xmlns", FORWARD);
    match &message.native {
        MessageNative::Xmpp(stanza) => forwarded_stanza(&mut w, stanza, number),
        MessageNative::Sip { .. } => forwarded_message(&mut w, message, number),
    }
    w.end();
    w.end();
    w.end();
}

/// A number in an archive, and whose archive that is.
type Number<'a> = (ArchiveId, &'a Bare);

/// What the server adds to a message.
#[derive(Clone, Copy)]
struct More<'a> {
    number: Option<Number<'a>>,
    delayed: Option<Delayed<'a>>,
}

impl More<'_> {
    fn is_empty(&self) -> bool {
        self.number.is_none() && self.delayed.is_none()
    }

    fn write(&self, w: &mut Writer<'_>) {
        if let Some((id, by)) = self.number {
            w.start("stanza-id").attribute("xmlns", STANZA_IDS);
            w.attribute("by", by.as_str());
            w.attribute("id", &id.to_string());
            w.end();
        }
        if let Some(delayed) = self.delayed {
            delay(w, delayed);
        }
    }
}

/// A complete message of a client in another stanza (XEP-0297).
pub(crate) fn forwarded_stanza(w: &mut Writer<'_>, stanza: &[u8], number: Option<Number<'_>>) {
    let mut named = Vec::new();
    let stanza = if has_attribute(stanza, "xmlns") {
        stanza
    } else {
        named.reserve(stanza.len() + 24);
        set_attributes(&mut named, stanza, &[("xmlns", CLIENT)]);
        &named
    };
    if number.is_none() {
        w.raw(stanza);
        return;
    }
    let more = More {
        number,
        delayed: None,
    };
    let mut numbered = Vec::with_capacity(stanza.len() + 128);
    append_child(&mut numbered, stanza, |out| {
        more.write(&mut Writer::new(out))
    });
    w.raw(&numbered);
}

/// A message of another protocol in another stanza (XEP-0297).
pub(crate) fn forwarded_message(w: &mut Writer<'_>, message: &Message, number: Option<Number<'_>>) {
    w.start("message").attribute("xmlns", CLIENT);
    content(w, message, &message.to);
    let more = More {
        number,
        delayed: None,
    };
    more.write(w);
    w.end();
}

fn verbatim(out: &mut Vec<u8>, stanza: &[u8], to: Option<&Address>, more: More<'_>) {
    let addressed = to.map(|to| {
        let mut copy = Vec::with_capacity(stanza.len() + 64);
        set_attributes(&mut copy, stanza, &[("to", &to.to_string())]);
        copy
    });
    let stanza = addressed.as_deref().unwrap_or(stanza);
    if more.is_empty() {
        out.extend_from_slice(stanza);
    } else {
        append_child(out, stanza, |out| more.write(&mut Writer::new(out)));
    }
}

/// The attributes and children of a message that was no XMPP. One text without a language gets none, as RFC 7572 §5 has it.
fn content(w: &mut Writer<'_>, message: &Message, to: &Address) {
    w.attribute("from", &message.from.to_string());
    w.attribute("to", &to.to_string());
    if let Some(id) = &message.id {
        w.attribute("id", id);
    }
    attribute_of_kind(w, message.kind);
    for subject in &message.subjects {
        note(w, "subject", subject);
    }
    for body in &message.bodies {
        note(w, "body", body);
    }
    if let Some(thread) = &message.thread {
        w.start("thread").text(thread).end();
    }
}

fn attribute_of_kind(w: &mut Writer<'_>, kind: MessageKind) {
    let name = match kind {
        MessageKind::Normal => return,
        MessageKind::Chat => "chat",
        MessageKind::Groupchat => "groupchat",
        MessageKind::Headline => "headline",
        MessageKind::Error => "error",
    };
    w.attribute("type", name);
}

fn note(w: &mut Writer<'_>, name: &str, note: &Note) {
    w.start(name);
    if let Some(lang) = &note.lang {
        w.attribute("xml:lang", lang);
    }
    w.text(&note.text);
    w.end();
}

fn delay(w: &mut Writer<'_>, delayed: Delayed<'_>) {
    w.start("delay").attribute("xmlns", DELAY);
    w.attribute("from", delayed.by.as_str());
    w.attribute("stamp", &delayed.stamp.to_rfc3339());
    w.end();
}
