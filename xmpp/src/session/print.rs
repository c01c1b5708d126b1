//! The server's words during negotiation: STARTTLS, SASL, binding (RFC 6120 §5, §6, §7; XEP-0388).

use super::entry::Told;
use crate::management;
use crate::print::StanzaError;
use crate::sasl::{Failure, encode_optional_payload, encode_payload};
use crate::stream::namespaces::{BIND, BIND2, FAST, SASL, SASL2, TLS};
use presence::{Address, Bare};
use xml::Writer;

/// TLS may begin (§5.4.2.3).
pub(super) fn proceed(out: &mut Vec<u8>) {
    empty(&mut Writer::new(out), "proceed", TLS);
}

/// It may not (§5.4.2.2).
pub(super) fn tls_failure(out: &mut Vec<u8>) {
    empty(&mut Writer::new(out), "failure", TLS);
}

/// A challenge (§6.4.3) of either profile.
pub(super) fn challenge(out: &mut Vec<u8>, namespace: &str, data: &[u8]) {
    with_text(out, "challenge", namespace, &encode_payload(data));
}

/// Success (§6.4.6).
pub(super) fn success(out: &mut Vec<u8>, additional: Option<&[u8]>) {
    let text = additional.map(encode_optional_payload).unwrap_or_default();
    with_text(out, "success", SASL, &text);
}

/// Success with all that came of what was asked for together with the login (XEP-0388 §2.6.1, XEP-0386 §3.2, XEP-0484 §3.3).
pub(super) fn success2(
    out: &mut Vec<u8>,
    account: &Bare,
    address: Option<&Address>,
    additional: Option<&[u8]>,
    told: &Told,
) {
    let mut to = Writer::new(out);
    to.start("success");
    to.attribute("xmlns", SASL2);
    if let Some(data) = additional {
        to.start("additional-data");
        to.text(&encode_payload(data));
        to.end();
    }
    to.start("authorization-identifier");
    match address {
        Some(address) => to.text(&address.to_string()),
        None => to.text(account.as_str()),
    };
    to.end();
    let mut said = Vec::new();
    if let Some((id, handled)) = &told.resumed {
        management::print::resumed(&mut said, id, *handled);
    } else if let Some((condition, handled)) = told.not_resumed {
        management::print::failed(&mut said, condition, handled);
    }
    to.raw(&said);
    if told.resource.is_some() {
        to.start("bound");
        to.attribute("xmlns", BIND2);
        if let Some(ends) = told.archive {
            crate::answer::archive::metadata(&mut to, ends);
        }
        if let Some(enabled) = &told.enabled {
            said.clear();
            let resume = enabled.id.as_deref().map(|id| (id, enabled.most));
            management::print::enabled(&mut said, resume);
            to.raw(&said);
        }
        to.end();
    }
    if let Some((token, expiry)) = &told.token {
        to.start("token");
        to.attribute("xmlns", FAST);
        to.attribute("expiry", &expiry.to_rfc3339());
        to.attribute("token", token.reveal());
        to.end();
    }
    to.end();
}

/// A failure (§6.4.5) of either profile; the condition is always of the older one.
pub(super) fn sasl_failure(out: &mut Vec<u8>, namespace: &str, failure: Failure) {
    let mut to = Writer::new(out);
    to.start("failure");
    to.attribute("xmlns", namespace);
    to.start(failure.condition());
    if namespace != SASL {
        to.attribute("xmlns", SASL);
    }
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

fn with_text(out: &mut Vec<u8>, name: &str, namespace: &str, text: &str) {
    let mut to = Writer::new(out);
    to.start(name);
    to.attribute("xmlns", namespace);
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
