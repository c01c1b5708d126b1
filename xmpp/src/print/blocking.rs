//! Pushes of whom an account blocks (XEP-0191 §3.3 to §3.5).

use presence::Address;
use xml::Writer;

/// The namespace of XEP-0191.
pub(crate) const BLOCKING: &str = "urn:xmpp:blocking";

/// What changed.
#[derive(Debug, Clone, Copy)]
pub enum BlockPush<'a> {
    /// These are blocked.
    Blocked(&'a [Address]),
    /// These are not any more; none: nobody is.
    Unblocked(&'a [Address]),
}

/// Writes a push.
pub fn block_push(out: &mut Vec<u8>, id: &str, push: BlockPush<'_>) {
    let mut to = Writer::new(out);
    to.start("iq").attribute("type", "set");
    to.attribute("id", id);
    let (name, addresses) = match push {
        BlockPush::Blocked(addresses) => ("block", addresses),
        BlockPush::Unblocked(addresses) => ("unblock", addresses),
    };
    to.start(name).attribute("xmlns", BLOCKING);
    for address in addresses {
        item(&mut to, address);
    }
    to.end();
    to.end();
}

/// Writes one address.
pub(crate) fn item(to: &mut Writer<'_>, address: &Address) {
    to.start("item")
        .attribute("jid", &address.to_string())
        .end();
}
