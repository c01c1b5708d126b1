//! Service discovery (XEP-0030) of the server and of one's own account. Other accounts tell nothing: whether they exist is not for
//! everybody.

use super::caps::CAPS_NODE;
use super::contact;
use super::{Answered, EXTENSIONS, Entity, Extension, Handler};
use crate::action::Action;
use crate::adhoc::COMMANDS;
use crate::client::iq_stanza::Request;
use crate::discovery::{Discover, INFO, ITEMS, What};
use crate::form::Form;
use crate::print::{self, Condition};

pub(super) const EXTENSION: Extension = Extension::new(
    "Service discovery",
    "XEP-0030",
    "2.5.0",
    &[
        Handler::get((INFO, "query"), Entity::Server, server_info),
        Handler::get((INFO, "query"), Entity::OwnAccount, account_info),
        Handler::get((ITEMS, "query"), Entity::Server, server_items),
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
        return outside(request, What::Node(node.clone()));
    }
    info(
        request,
        node.as_deref(),
        &SERVER_IDENTITY,
        &server_features(),
        contact::form(&request.client.service).as_ref(),
        out,
    );
    Answered::Printed
}

fn account_info(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    if node(request).is_some() {
        return Condition::ItemNotFound.into();
    }
    let service = &request.client.service;
    let features = sorted(|e| {
        if (e.offered)(service) {
            e.account_features
        } else {
            &[]
        }
    });
    info(request, None, &ACCOUNT_IDENTITY, &features, None, out);
    Answered::Printed
}

fn nothing(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    print::result(out, &request.iq, |to| {
        to.start("query").attribute("xmlns", ITEMS).end();
    });
    Answered::Printed
}

/// What there is depends on who asks, and on what is connected.
fn server_items(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    match node(request).as_deref() {
        None => outside(request, What::Services),
        Some(COMMANDS) => outside(request, What::Commands),
        Some(_) => Condition::ItemNotFound.into(),
    }
}

fn outside(request: &Request<'_>, what: What) -> Answered {
    Answered::Outside(Action::Discover(Box::new(Discover {
        iq: request.iq.clone(),
        domain: request.domain().to_owned(),
        what,
    })))
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
    form: Option<&Form>,
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
        if let Some(form) = form {
            form.write(to);
        }
        to.end();
    });
}
