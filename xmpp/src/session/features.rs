//! What the server offers at each stage of negotiation (RFC 6120 §4.3.2).

use crate::client::Service;
use crate::sasl::Channel;
use crate::stream::namespaces::{
    BIND, CHANNEL_BINDING, PRE_APPROVAL, ROSTER_VERSIONING, SASL, SESSION, TLS,
};
use xml::Writer;

/// What is offered before authentication: STARTTLS while there is no TLS (§5.4.1), and the mechanisms that may be used (§6.4.1) with
/// the types of channel binding (XEP-0440).
pub(super) fn before_login(out: &mut Vec<u8>, channel: &Channel) {
    let mut to = Writer::new(out);
    to.start("stream:features");
    if !channel.encrypted {
        to.start("starttls");
        to.attribute("xmlns", TLS);
        if channel.require_tls {
            to.start("required");
            to.end();
        }
        to.end();
    }
    let mechanisms = channel.offered();
    if !mechanisms.is_empty() {
        to.start("mechanisms");
        to.attribute("xmlns", SASL);
        for mechanism in mechanisms {
            to.start("mechanism");
            to.text(mechanism.name());
            to.end();
        }
        to.end();
        channel_bindings(&mut to, channel);
    }
    to.end();
}

fn channel_bindings(to: &mut Writer<'_>, channel: &Channel) {
    let types = channel.bindings.supported();
    if types.is_empty() {
        return;
    }
    to.start("sasl-channel-binding");
    to.attribute("xmlns", CHANNEL_BINDING);
    for binding in types {
        to.start("channel-binding");
        to.attribute("type", binding.name());
        to.end();
    }
    to.end();
}

/// What is offered after authentication: binding (RFC 6120 §7.4), the session of RFC 3921 marked as unneeded, roster versions and
/// pre-approval (RFC 6121 §2.6.1, §3.4.1), and the server's capabilities (XEP-0115 §6.3).
pub(super) fn after_login(out: &mut Vec<u8>, service: &Service) {
    let mut to = Writer::new(out);
    to.start("stream:features");
    empty(&mut to, "bind", BIND);
    to.start("session");
    to.attribute("xmlns", SESSION);
    to.start("optional");
    to.end();
    to.end();
    empty(&mut to, "ver", ROSTER_VERSIONING);
    empty(&mut to, "sub", PRE_APPROVAL);
    service.write_caps(&mut to);
    to.end();
}

fn empty(to: &mut Writer<'_>, name: &str, namespace: &str) {
    to.start(name);
    to.attribute("xmlns", namespace);
    to.end();
}
