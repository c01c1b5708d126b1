//! What the server has, as far as it depends on who asks (XEP-0030 §4, XEP-0050 §2.2).

use crate::action::IqContext;
use crate::adhoc::{COMMANDS, Command};
use crate::answer;
use crate::form::DATA;
use crate::print::{self, Condition};

/// The namespace of what something is.
pub(crate) const INFO: &str = "http://jabber.org/protocol/disco#info";
/// The namespace of what something has.
pub(crate) const ITEMS: &str = "http://jabber.org/protocol/disco#items";

/// A question that the session alone cannot answer.
#[derive(Debug)]
pub struct Discover {
    /// The request.
    pub iq: IqContext,
    /// The domain that was asked.
    pub domain: String,
    /// What.
    pub what: What,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum What {
    /// The services of the domain.
    Services,
    /// The commands.
    Commands,
    /// What a node is.
    Node(String),
}

/// Something with an address of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its address.
    pub jid: String,
    /// What people call it.
    pub name: Option<String>,
}

/// Answers with the services of a domain.
pub fn services(out: &mut Vec<u8>, iq: &IqContext, items: &[Item]) {
    print::result(out, iq, |to| {
        to.start("query").attribute("xmlns", ITEMS);
        for item in items {
            to.start("item").attribute("jid", &item.jid);
            if let Some(name) = &item.name {
                to.attribute("name", name);
            }
            to.end();
        }
        to.end();
    });
}

/// Answers with the commands of a domain.
pub fn commands<'a>(
    out: &mut Vec<u8>,
    iq: &IqContext,
    domain: &str,
    commands: impl Iterator<Item = &'a Command>,
) {
    print::result(out, iq, |to| {
        to.start("query").attribute("xmlns", ITEMS);
        to.attribute("node", COMMANDS);
        for command in commands {
            to.start("item").attribute("jid", domain);
            to.attribute("node", command.node);
            to.attribute("name", command.name);
            to.end();
        }
        to.end();
    });
}

/// Answers what a node is: the list of commands, one of them, or nothing.
pub fn node(
    out: &mut Vec<u8>,
    iq: &IqContext,
    node: &str,
    command: Option<Result<&Command, Condition>>,
) {
    let (kind, name) = match command {
        _ if node == COMMANDS => ("command-list", "Commands"),
        Some(Ok(command)) => ("command-node", command.name),
        Some(Err(condition)) => return answer::iq_error(out, iq, &condition.into()),
        None => return answer::iq_error(out, iq, &Condition::ItemNotFound.into()),
    };
    print::result(out, iq, |to| {
        to.start("query").attribute("xmlns", INFO);
        to.attribute("node", node);
        to.start("identity").attribute("category", "automation");
        to.attribute("type", kind).attribute("name", name);
        to.end();
        for feature in [COMMANDS, DATA] {
            to.start("feature").attribute("var", feature).end();
        }
        to.end();
    });
}
