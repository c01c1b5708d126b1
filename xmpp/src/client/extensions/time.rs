//! Entity time (XEP-0202). The server lives in UTC.

use super::{Answered, Entity, Extension, Handler};
use crate::client::iq_stanza::Request;
use crate::print;

const TIME: &str = "urn:xmpp:time";

pub(super) const EXTENSION: Extension = Extension::new(
    "Entity time",
    "XEP-0202",
    "2.0",
    &[Handler::get((TIME, "time"), Entity::Server, tell)],
)
.on_server(&[TIME]);

fn tell(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    let utc = request.now.utc.to_rfc3339();
    print::result(out, &request.iq, |to| {
        to.start("time").attribute("xmlns", TIME);
        for (name, value) in [("tzo", "+00:00"), ("utc", &*utc)] {
            to.start(name).text(value).end();
        }
        to.end();
    });
    Answered::Printed
}
