//! Last activity (XEP-0012): how long the server is up, and when an account was last there.

use super::{Answered, Entity, Extension, Handler};
use crate::action::Action;
use crate::answer::{self, LAST};
use crate::client::iq_stanza::Request;

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

fn uptime(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    let up = request.now.at.since(request.client.service.started);
    answer::last_activity(out, &request.iq, up.as_secs(), None);
    Answered::Printed
}

/// Whether the asker may know is for the driver to find out.
fn ask(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    let account = match &request.iq.to {
        Some(to) => to.bare.clone(),
        None => request.client.account().clone(),
    };
    Answered::Outside(Action::LastActivity {
        iq: request.iq.clone(),
        account,
    })
}
