//! Roster items and pushes (RFC 6121 §2.1).

use presence::{Bare, Item, SubscriptionState};
use xml::Writer;

/// The namespace of contact lists.
pub(crate) const ROSTER: &str = "jabber:iq:roster";

/// What a push tells.
#[derive(Debug, Clone, Copy)]
pub enum Push<'a> {
    /// The item is new or changed.
    Put(&'a Item),
    /// The item is gone.
    Removed(&'a Bare),
}

/// Writes a roster push (RFC 6121 §2.1.6). It names neither sender nor recipient, so it is the same for all sessions of the account.
pub fn roster_push(out: &mut Vec<u8>, id: &str, version: u64, push: Push<'_>) {
    let mut to = Writer::new(out);
    to.start("iq");
    to.attribute("type", "set");
    to.attribute("id", id);
    to.start("query").attribute("xmlns", ROSTER);
    to.attribute("ver", &version.to_string());
    match push {
        Push::Put(it) => item(&mut to, it),
        Push::Removed(contact) => {
            to.start("item");
            to.attribute("jid", contact.as_str());
            to.attribute("subscription", "remove");
            to.end();
        }
    }
    to.end();
    to.end();
}

/// Writes one `<item/>` (RFC 6121 §2.1.2).
pub(crate) fn item(to: &mut Writer<'_>, item: &Item) {
    to.start("item");
    to.attribute("jid", item.contact.as_str());
    if let Some(name) = item.label.name() {
        to.attribute("name", name);
    }
    to.attribute("subscription", item.subscription.as_str());
    // A request that was granted is not pending: the tables never keep both.
    if item.ask
        && !matches!(
            item.subscription,
            SubscriptionState::Both | SubscriptionState::To
        )
    {
        to.attribute("ask", "subscribe");
    }
    if item.approved {
        to.attribute("approved", "true");
    }
    for group in item.label.groups() {
        to.start("group").text(group).end();
    }
    to.end();
}
