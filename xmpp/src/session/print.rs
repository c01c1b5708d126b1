//! The server's words during negotiation: STARTTLS, SASL, binding (RFC 6120 §5, §6, §7).

use crate::print::StanzaError;
use crate::sasl::{Failure, encode_optional_payload, encode_payload};
use crate::stream::namespaces::{BIND, SASL, TLS};
use presence::Address;
use xml::Writer;

/// TLS may begin (§5.4.2.3).
pub(super) fn proceed(out: &mut Vec<u8>) {
    empty(&mut Writer::new(out), "proceed", TLS);
}

/// It may not (§5.4.2.2).
pub(super) fn tls_failure(out: &mut Vec<u8>) {
    empty(&mut Writer::new(out), "failure", TLS);
}

/// A challenge (§6.4.3).
pub(super) fn challenge(out: &mut Vec<u8>, data: &[u8]) {
    with_text(out, "challenge", &encode_payload(data));
}

/// Success (§6.4.6).
pub(super) fn success(out: &mut Vec<u8>, additional: Option<&[u8]>) {
    let text = additional.map(encode_optional_payload).unwrap_or_default();
    with_text(out, "success", &text);
}

/// A failure (§6.4.5).
pub(super) fn sasl_failure(out: &mut Vec<u8>, failure: Failure) {
    let mut to = Writer::new(out);
    to.start("failure");
    to.attribute("xmlns", SASL);
    to.start(failure.condition());
    to.end();
    to.end();
}

/// The resource is bound (§7.6.1, §7.7.1).
pub(super) fn bound(out: &mut Vec<u8>, id: &str, address: &Address) {
    let mut to = Writer::new(out);
    to.start("iq");
    to.attribute("type", "result");
    to.attribute("id", id);
    to.start("bind");
    to.attribute("xmlns", BIND);
    to.start("jid");
    to.text(&address.to_string());
    to.end();
    to.end();
    to.end();
}

/// An error in answer to an IQ of a session that has no full address yet.
pub(super) fn iq_error(out: &mut Vec<u8>, id: &str, error: &StanzaError) {
    let mut to = Writer::new(out);
    to.start("iq");
    to.attribute("type", "error");
    to.attribute("id", id);
    error.write(&mut to);
    to.end();
}

fn with_text(out: &mut Vec<u8>, name: &str, text: &str) {
    let mut to = Writer::new(out);
    to.start(name);
    to.attribute("xmlns", SASL);
    if !text.is_empty() {
        to.text(text);
    }
    to.end();
}

fn empty(to: &mut Writer<'_>, name: &str, namespace: &str) {
    to.start(name);
    to.attribute("xmlns", namespace);
    to.end();
}
