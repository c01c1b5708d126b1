//! What the server offers at each stage of negotiation (RFC 6120 §4.3.2).

use super::settings::Settings;
use crate::management::MANAGEMENT;
use crate::sasl::{Channel, Mechanism, TokenMechanism};
use crate::stream::namespaces::{
    BIND, BIND2, CARBONS, CHANNEL_BINDING, CLIENT_STATE, FAST, LIMITS, PRE_APPROVAL,
    ROSTER_VERSIONING, SASL, SASL2, SESSION, TLS,
};
use std::time::Duration;
use xml::Writer;

/// What is offered before authentication: STARTTLS while there is no TLS (§5.4.1) and never on a `framed` stream (RFC 7395 §3.9), and the mechanisms that may be used (§6.4.1) with
/// the types of channel binding (XEP-0440).
pub(super) fn before_login(
    out: &mut Vec<u8>,
    channel: &Channel,
    settings: &Settings,
    framed: bool,
) {
    let mut to = Writer::new(out);
    to.start("stream:features");
    if !channel.encrypted && !framed {
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
        for mechanism in &mechanisms {
            self::mechanism(&mut to, mechanism.name());
        }
        to.end();
        if channel.encrypted {
            authentication(&mut to, channel, &mechanisms);
        }
        channel_bindings(&mut to, channel);
        // Half of what a stranger may send in all, so that an element of this size finds room behind what came before it.
        limits(&mut to, settings.unauthenticated_bytes / 2, None);
    }
    to.end();
}

/// The mechanisms again, with what can be done in the same step (XEP-0388 §2.1, XEP-0386 §3.1, XEP-0484 §3.1). Only under TLS (§4 of the
/// first).
fn authentication(to: &mut Writer<'_>, channel: &Channel, mechanisms: &[Mechanism]) {
    to.start("authentication");
    to.attribute("xmlns", SASL2);
    for mechanism in mechanisms {
        self::mechanism(to, mechanism.name());
    }
    to.start("inline");
    bind2(to);
    empty(to, "sm", MANAGEMENT);
    to.start("fast");
    to.attribute("xmlns", FAST);
    for mechanism in TokenMechanism::offered(&channel.bindings) {
        self::mechanism(to, mechanism.name());
    }
    to.end();
    to.end();
    to.end();
}

/// What a session can have from its first moment on (XEP-0386 §3.1).
fn bind2(to: &mut Writer<'_>) {
    to.start("bind");
    to.attribute("xmlns", BIND2);
    to.start("inline");
    for feature in [CARBONS, CLIENT_STATE, MANAGEMENT] {
        to.start("feature");
        to.attribute("var", feature);
        to.end();
    }
    to.end();
    to.end();
}

fn mechanism(to: &mut Writer<'_>, name: &str) {
    to.start("mechanism");
    to.text(name);
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

/// What did not come with the login. Clients take up what they see offered, whether they have it or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    /// No resource is bound.
    pub(super) binding: bool,
    /// The stream is not managed.
    pub(super) management: bool,
}

impl Left {
    /// Everything.
    pub(super) const ALL: Self = Self {
        binding: true,
        management: true,
    };
}

/// What is offered after authentication: binding where that has not happened (RFC 6120 §7.4), the session of RFC 3921 marked as unneeded, roster versions and
/// pre-approval (RFC 6121 §2.6.1, §3.4.1), stream management (XEP-0198), client state (XEP-0352), the server's capabilities
/// (XEP-0115 §6.3), and limits.
pub(super) fn after_login(out: &mut Vec<u8>, settings: &Settings, left: Left) {
    let mut to = Writer::new(out);
    to.start("stream:features");
    if left.binding {
        empty(&mut to, "bind", BIND);
        to.start("session");
        to.attribute("xmlns", SESSION);
        to.start("optional");
        to.end();
        to.end();
    }
    empty(&mut to, "ver", ROSTER_VERSIONING);
    empty(&mut to, "sub", PRE_APPROVAL);
    if left.management {
        empty(&mut to, "sm", MANAGEMENT);
    }
    empty(&mut to, "csi", CLIENT_STATE);
    settings.service.write_caps(&mut to);
    limits(&mut to, settings.stanza_size, Some(settings.ping_after));
    to.end();
}

/// What may be sent here: the size of one element, and the silence after which the peer is asked whether it is there (XEP-0478).
fn limits(to: &mut Writer<'_>, bytes: usize, idle: Option<Duration>) {
    to.start("limits");
    to.attribute("xmlns", LIMITS);
    to.start("max-bytes");
    to.text(&bytes.to_string());
    to.end();
    if let Some(idle) = idle.filter(|idle| !idle.is_zero()) {
        to.start("idle-seconds");
        to.text(&idle.as_secs().max(1).to_string());
        to.end();
    }
    to.end();
}

fn empty(to: &mut Writer<'_>, name: &str, namespace: &str) {
    to.start(name);
    to.attribute("xmlns", namespace);
    to.end();
}
