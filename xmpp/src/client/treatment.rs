//! How a message is to be treated: what its sender asks for (XEP-0334, XEP-0280 §9), and what its content is worth.

use std::ops::Range;

use presence::{Address, Bare, Handling, MessageKind};
use smallvec::SmallVec;

use super::Client;
use crate::print::DELAY;
use crate::stream::namespaces::{ARCHIVE, CARBONS, CLIENT, HINTS, STANZA_IDS};

const CHAT_STATES: &str = "http://jabber.org/protocol/chatstates";

/// Payloads of conversations that are worth a copy also without a text (XEP-0280 §6): receipts, markers, and invitations to rooms.
const COPIED: &[(&str, Option<&str>)] = &[
    ("urn:xmpp:receipts", None),
    (CHAT_STATES, None),
    ("urn:xmpp:chat-markers:0", None),
    ("jabber:x:conference", Some("x")),
];

/// What is worth a place in the archive also without a text: what later messages say about earlier ones (XEP-0184, 0333, 0424, 0444, 0308),
/// what only its readers can read (XEP-0384, 0373, 0027), invitations and calls (XEP-0249, 0353).
const ARCHIVED: &[(&str, &[&str])] = &[
    ("urn:xmpp:receipts", &["received"]),
    (
        "urn:xmpp:chat-markers:0",
        &["received", "displayed", "acknowledged"],
    ),
    ("urn:xmpp:message-retract:0", &["retract"]),
    ("urn:xmpp:message-retract:1", &["retract"]),
    ("urn:xmpp:fasten:0", &["apply-to"]),
    ("urn:xmpp:reactions:0", &["reactions"]),
    ("urn:xmpp:message-correct:0", &["replace"]),
    ("eu.siacs.conversations.axolotl", &["encrypted"]),
    ("urn:xmpp:omemo:2", &["encrypted"]),
    ("urn:xmpp:openpgp:0", &["openpgp"]),
    ("jabber:x:encrypted", &["x"]),
    ("jabber:x:conference", &["x"]),
    (
        "urn:xmpp:jingle-message:0",
        &[
            "propose", "retract", "accept", "proceed", "reject", "finish",
        ],
    ),
];

/// What a message says beside its texts, gathered from one child after the other.
#[derive(Debug, Default)]
pub(super) struct Treatment {
    /// There is more in it than a chat state, which means nothing later (XEP-0160 §3).
    lasting: bool,
    body: bool,
    copied: bool,
    archived: bool,
    store: bool,
    no_permanent_store: bool,
    no_store: bool,
    no_copy: bool,
    /// What is not passed on, as places in the stanza, in order.
    pub(super) cuts: SmallVec<[Range<usize>; 2]>,
}

impl Treatment {
    /// Looks at one child. `to`: who gets the message.
    pub(super) fn look(
        &mut self,
        client: &Client,
        to: &Bare,
        stanza: &[u8],
        child: &xml::Child<'_>,
    ) {
        let (namespace, name) = (child.namespace(), child.name());
        match (namespace, name) {
            (CLIENT, "thread") => return,
            (CLIENT, "body") => self.body = true,
            (HINTS, hint) => return self.hint(hint),
            // Nothing that a client sends may look like a copy made here, or like a page of an archive.
            (CARBONS, "private") => {
                self.no_copy = true;
                return self.cut(stanza, child);
            }
            (CARBONS, "sent" | "received") | (ARCHIVE, "result") => {
                return self.cut(stanza, child);
            }
            (STANZA_IDS, "stanza-id") if client.claims_us(child, "by") => {
                return self.cut(stanza, child);
            }
            (STANZA_IDS, _) => return,
            (DELAY, "delay") => {
                if names(child, "from")
                    .is_some_and(|f| client.is_service(&f) || f == to.clone().into())
                {
                    self.cut(stanza, child);
                }
                return;
            }
            _ => {}
        }
        self.lasting |= namespace != CHAT_STATES;
        self.copied |= COPIED
            .iter()
            .any(|(n, only)| *n == namespace && only.is_none_or(|only| only == name));
        self.archived |= ARCHIVED
            .iter()
            .any(|(n, names)| *n == namespace && names.contains(&name));
    }

    fn hint(&mut self, hint: &str) {
        match hint {
            "store" => self.store = true,
            "no-store" => self.no_store = true,
            "no-permanent-store" => self.no_permanent_store = true,
            "no-copy" => self.no_copy = true,
            _ => {}
        }
    }

    fn cut(&mut self, stanza: &[u8], child: &xml::Child<'_>) {
        let begin = child.raw().as_ptr() as usize - stanza.as_ptr() as usize;
        self.cuts.push(begin..begin + child.raw().len());
    }

    /// What follows for a message of this kind.
    pub(super) fn handling(&self, kind: MessageKind, spoken: bool) -> Handling {
        let conversation = matches!(kind, MessageKind::Normal | MessageKind::Chat);
        let lasting = self.lasting || self.store;
        let copyable = match kind {
            MessageKind::Chat => !self.no_copy,
            MessageKind::Normal => !self.no_copy && (self.body || self.copied),
            // It holds what it is about, or there is no telling (XEP-0334 §5: its hints are those of what it is about).
            MessageKind::Error => self.body || self.copied,
            MessageKind::Groupchat | MessageKind::Headline => false,
        };
        Handling {
            storable: conversation && lasting && !self.no_store,
            speakable: conversation && spoken,
            archivable: conversation
                && (self.body || self.archived || self.store)
                && !self.no_store
                && !self.no_permanent_store,
            passing: conversation && !lasting,
            late: false,
            copyable,
        }
    }
}

/// The address in an attribute.
fn names(child: &xml::Child<'_>, attribute: &str) -> Option<Address> {
    Address::parse(&child.attribute(attribute)?).ok()
}

impl Client {
    /// The attribute names this server or one of its accounts, in whose name nobody else speaks (XEP-0359 §5).
    fn claims_us(&self, child: &xml::Child<'_>, attribute: &str) -> bool {
        names(child, attribute).is_some_and(|a| self.service.serves(a.bare.domain()))
    }

    fn is_service(&self, address: &Address) -> bool {
        address.bare.is_domain() && self.service.serves(address.bare.domain())
    }
}
