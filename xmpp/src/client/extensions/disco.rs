//! Service discovery (XEP-0030) of the server and of accounts. To those who may not see its presence an account looks as one that does
//! not exist, but for nodes that are open to them: which is for the driver to find out.

use std::sync::Arc;

use services::pubsub::Request as Wanted;

use super::caps::CAPS_NODE;
use super::contact;
use super::{Answered, EXTENSIONS, Entity, Extension, Handler, pubsub};
use crate::action::Action;
use crate::action::IqContext;
use crate::adhoc::COMMANDS;
use crate::client::Service;
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
        Handler::get((INFO, "query"), Entity::OwnAccount, own_info),
        Handler::get((INFO, "query"), Entity::OtherAccount, other_info),
        Handler::get((ITEMS, "query"), Entity::Server, server_items),
        Handler::get((ITEMS, "query"), Entity::OwnAccount, items),
        Handler::get((ITEMS, "query"), Entity::OtherAccount, items),
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

/// The second one is PEP (XEP-0163 §6.1).
const ACCOUNT_IDENTITIES: [Identity<'static>; 2] = [
    Identity {
        category: "account",
        type_: "registered",
        name: "",
    },
    Identity {
        category: "pubsub",
        type_: "pep",
        name: "",
    },
];

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
        &request.iq,
        node.as_deref(),
        &[SERVER_IDENTITY],
        &server_features(),
        contact::form(&request.client.service).as_ref(),
        out,
    );
    Answered::Printed
}

fn own_info(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    if node(request).is_some() {
        return other_info(request, out);
    }
    account_info(out, &request.iq, &request.client.service);
    Answered::Printed
}

fn other_info(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    let node = node(request).map(Arc::from);
    pubsub::wants(request, Wanted::Info { node })
}

/// What an account is and can, for who may know.
pub(crate) fn account_info(out: &mut Vec<u8>, iq: &IqContext, service: &Service) {
    let features = sorted(|e| {
        if (e.offered)(service) {
            e.account_features
        } else {
            &[]
        }
    });
    info(iq, None, &ACCOUNT_IDENTITIES, &features, None, out);
}

fn items(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    let node = node(request).map(Arc::from);
    pubsub::wants(request, Wanted::Discover { node })
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
    iq: &IqContext,
    node: Option<&str>,
    identities: &[Identity<'_>],
    features: &[&str],
    form: Option<&Form>,
    out: &mut Vec<u8>,
) {
    print::result(out, iq, |to| {
        to.start("query").attribute("xmlns", INFO);
        if let Some(node) = node {
            to.attribute("node", node);
        }
        for identity in identities {
            to.start("identity");
            to.attribute("category", identity.category);
            to.attribute("type", identity.type_);
            if !identity.name.is_empty() {
                to.attribute("name", identity.name);
            }
            to.end();
        }
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
