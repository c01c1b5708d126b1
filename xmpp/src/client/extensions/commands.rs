//! Ad-hoc commands (XEP-0050) and what administrators do with them (XEP-0133).

use super::{Answered, Entity, Extension, Handler};
use crate::action::Action;
use crate::adhoc::{COMMANDS, Request as Command, Verb};
use crate::client::iq_stanza::Request;
use crate::form::Submitted;
use crate::print::{Condition, StanzaError};

pub(super) const EXTENSION: Extension = Extension::new(
    "Ad-hoc commands",
    "XEP-0050",
    "1.3.0",
    &[Handler::set((COMMANDS, "command"), Entity::Server, command)],
)
.on_server(&[COMMANDS]);

pub(super) const ADMINISTRATION: Extension =
    Extension::new("Administration in the client", "XEP-0133", "1.3.1", &[]).partly(
        "users are added, deleted, disabled, enabled, given passwords; online users are counted and listed, sessions ended, \
         announcements made, the message of the day kept",
    );

fn command(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    let attribute = |name| {
        let value = request.payload.attribute(name);
        value
            .filter(|v| !v.is_empty())
            .map(std::borrow::Cow::into_owned)
    };
    let Some(node) = attribute("node") else {
        return Answered::Refused(StanzaError::because(
            Condition::BadRequest,
            "A command has a node.",
        ));
    };
    Answered::Outside(Action::Command(Box::new(Command {
        iq: request.iq.clone(),
        node,
        session: attribute("sessionid"),
        verb: Verb::parse(attribute("action").as_deref()),
        form: Submitted::find(&request.payload),
    })))
}
