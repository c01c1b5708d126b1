//! Results of IQ requests, and the requests that the server makes (RFC 6120 §8.2.3).

use presence::{Address, Bare};
use xml::Writer;

use crate::action::IqContext;
use crate::stream::namespaces::PING;

/// Writes the result of a request; `content` writes what stands in it.
pub(crate) fn result(out: &mut Vec<u8>, iq: &IqContext, content: impl FnOnce(&mut Writer<'_>)) {
    let mut to = Writer::new(out);
    to.start("iq");
    to.attribute("type", "result");
    to.attribute("id", &iq.id);
    if let Some(from) = &iq.to {
        to.attribute("from", &from.to_string());
    }
    to.attribute("to", &iq.from.to_string());
    content(&mut to);
    to.end();
}

/// Asks a session what it can, by the node that it announced (XEP-0115 §6.2, XEP-0390 §4.5).
pub(crate) fn info_request(out: &mut Vec<u8>, id: &str, from: &Bare, to: &Address, node: &str) {
    let mut w = Writer::new(out);
    w.start("iq");
    w.attribute("type", "get");
    w.attribute("id", id);
    w.attribute("from", from.as_str());
    w.attribute("to", &to.to_string());
    w.start("query").attribute("xmlns", services::disco::INFO);
    w.attribute("node", node).end();
    w.end();
}

/// Asks a session whether it is still there (XEP-0199 §4.1).
pub fn ping(out: &mut Vec<u8>, id: &str, from: &Bare, to: &Address) {
    let mut w = Writer::new(out);
    w.start("iq");
    w.attribute("type", "get");
    w.attribute("id", id);
    w.attribute("from", from.as_str());
    w.attribute("to", &to.to_string());
    w.start("ping").attribute("xmlns", PING).end();
    w.end();
}
