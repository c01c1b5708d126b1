//! Service discovery (XEP-0030) of the server and of one's own account. Other accounts tell nothing: whether they exist is not for
//! everybody.

use super::caps::CAPS_NODE;
use super::{Answered, EXTENSIONS, Entity, Extension, Handler};
use crate::client::iq_stanza::Request;
use crate::print::{self, Condition};

const INFO: &str = "http://jabber.org/protocol/disco#info";
const ITEMS: &str = "http://jabber.org/protocol/disco#items";

pub(super) const EXTENSION: Extension = Extension::new(
    "Service discovery",
    "XEP-0030",
    "2.5.0",
    &[
        Handler::get((INFO, "query"), Entity::Server, server_info),
        Handler::get((INFO, "query"), Entity::OwnAccount, account_info),
        Handler::get((ITEMS, "query"), Entity::Server, no_items),
        Handler::get((ITEMS, "query"), Entity::OwnAccount, no_items),
        // The same for every other account, whether it exists or not (XEP-0030, Security Considerations).
        Handler::get((ITEMS, "query"), Entity::OtherAccount, nothing),
    ],
)
.on_server(&[INFO, ITEMS])
.on_account(&[INFO, ITEMS]);

/// What something is.
pub(super) struct Identity<'a> {
    pub(super) category: &'a str,
    pub(super) type_: &'a str,
    pub(super) name: &'a str,
}

pub(super) const SERVER_IDENTITY: Identity<'static> = Identity {
    category: "server",
    type_: "im",
    name: "Adsum",
};

const ACCOUNT_IDENTITY: Identity<'static> = Identity {
    category: "account",
    type_: "registered",
    name: "",
};

/// The features of the server, sorted.
pub(super) fn server_features() -> Vec<&'static str> {
    sorted(|e| e.server_features)
}

fn sorted(of: impl Fn(&Extension) -> &'static [&'static str]) -> Vec<&'static str> {
    let mut features: Vec<_> = EXTENSIONS.iter().flat_map(of).copied().collect();
    features.sort_unstable();
    features.dedup();
    features
}

fn server_info(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    let node = node(request);
    // Who read the capabilities in the stream features asks for their node (XEP-0115 §6.2).
    if let Some(node) = &node
        && node
            .strip_prefix(CAPS_NODE)
            .and_then(|n| n.strip_prefix('#'))
            != Some(request.client.service.caps())
    {
        return Condition::ItemNotFound.into();
    }
    info(
        request,
        node.as_deref(),
        &SERVER_IDENTITY,
        &server_features(),
        out,
    );
    Answered::Printed
}

fn account_info(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    if node(request).is_some() {
        return Condition::ItemNotFound.into();
    }
    let features = sorted(|e| e.account_features);
    info(request, None, &ACCOUNT_IDENTITY, &features, out);
    Answered::Printed
}

fn nothing(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    print::result(out, &request.iq, |to| {
        to.start("query").attribute("xmlns", ITEMS).end();
    });
    Answered::Printed
}

fn no_items(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    if node(request).is_some() {
        return Condition::ItemNotFound.into();
    }
    nothing(request, out)
}

/// The node asked for; an empty one is none.
fn node(request: &Request<'_>) -> Option<String> {
    request
        .payload
        .attribute("node")
        .as_deref()
        .filter(|n| !n.is_empty())
        .map(str::to_owned)
}

fn info(
    request: &Request<'_>,
    node: Option<&str>,
    identity: &Identity<'_>,
    features: &[&str],
    out: &mut Vec<u8>,
) {
    print::result(out, &request.iq, |to| {
        to.start("query").attribute("xmlns", INFO);
        if let Some(node) = node {
            to.attribute("node", node);
        }
        to.start("identity");
        to.attribute("category", identity.category);
        to.attribute("type", identity.type_);
        if !identity.name.is_empty() {
            to.attribute("name", identity.name);
        }
        to.end();
        for feature in features {
            to.start("feature");
            to.attribute("var", feature);
            to.end();
        }
        to.end();
    });
}
