//! Software version (XEP-0092).

use super::{Answered, Entity, Extension, Handler};
use crate::client::iq_stanza::Request;
use crate::print;

const VERSION: &str = "jabber:iq:version";

pub(super) const EXTENSION: Extension = Extension::new(
    "Software version",
    "XEP-0092",
    "1.1",
    &[Handler::get((VERSION, "query"), Entity::Server, tell)],
)
.on_server(&[VERSION]);

fn tell(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    let software = &request.client.service.software;
    print::result(out, &request.iq, |to| {
        to.start("query").attribute("xmlns", VERSION);
        let os = software.os.as_ref().map(|os| ("os", os));
        let facts = [("name", &software.name), ("version", &software.version)];
        for (name, value) in facts.into_iter().chain(os) {
            to.start(name).text(value).end();
        }
        to.end();
    });
    Answered::Printed
}
