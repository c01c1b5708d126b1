//! Last activity (XEP-0012): how long the server is up, and when an account was last there.

use super::{Entity, Extension, Handler};
use crate::action::Action;
use crate::answer::{self, LAST};
use crate::client::Handled;
use crate::client::iq_stanza::Request;
use crate::print::StanzaError;

const QUERY: (&str, &str) = (LAST, "query");

pub(super) const EXTENSION: Extension = Extension::new(
    "Last activity",
    "XEP-0012",
    "2.0",
    &[
        Handler::get(QUERY, Entity::Server, uptime),
        Handler::get(QUERY, Entity::OwnAccount, ask),
        Handler::get(QUERY, Entity::OtherAccount, ask),
    ],
)
.on_server(&[LAST])
.on_account(&[LAST]);

fn uptime(request: Request<'_>, out: &mut Handled) -> Result<(), StanzaError> {
    let up = request.now.at.since(request.client.service.started);
    answer::last_activity(&mut out.bytes, &request.iq, up.as_secs(), None);
    Ok(())
}

/// Whether the asker may know is for the driver to find out.
fn ask(request: Request<'_>, out: &mut Handled) -> Result<(), StanzaError> {
    let account = request
        .iq
        .to
        .as_ref()
        .map_or_else(|| request.client.account().clone(), |to| to.bare.clone());
    out.actions.push_back(Action::LastActivity {
        iq: request.iq,
        account,
    });
    Ok(())
}
