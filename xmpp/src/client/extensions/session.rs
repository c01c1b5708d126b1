//! Session establishment, which older clients ask for and which does nothing any more (RFC 3921 §3, RFC 6121 appendix E).

use super::{Answered, Entity, Extension, Handler};
use crate::answer;
use crate::client::iq_stanza::Request;
use crate::stream::namespaces::SESSION;

const PAYLOAD: (&str, &str) = (SESSION, "session");

pub(super) const EXTENSION: Extension = Extension::new(
    "Session establishment",
    "RFC 3921",
    "",
    &[
        Handler::set(PAYLOAD, Entity::Server, establish),
        Handler::set(PAYLOAD, Entity::OwnAccount, establish),
    ],
);

fn establish(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    answer::done(out, &request.iq);
    Answered::Printed
}
