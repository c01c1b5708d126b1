//! Ping (XEP-0199).

use super::{Answered, Entity, Extension, Handler};
use crate::answer;
use crate::client::iq_stanza::Request;
use crate::stream::namespaces::PING;

const PAYLOAD: (&str, &str) = (PING, "ping");

pub(super) const EXTENSION: Extension = Extension::new(
    "Ping",
    "XEP-0199",
    "2.0.1",
    &[
        Handler::get(PAYLOAD, Entity::Server, pong),
        Handler::get(PAYLOAD, Entity::OwnAccount, pong),
    ],
)
.on_server(&[PING])
.on_account(&[PING]);

fn pong(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    answer::done(out, &request.iq);
    Answered::Printed
}
