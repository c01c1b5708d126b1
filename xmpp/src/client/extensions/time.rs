//! Entity time (XEP-0202). The server lives in UTC.

use super::{Entity, Extension, Handler};
use crate::client::Handled;
use crate::client::iq_stanza::Request;
use crate::print::{self, StanzaError};

const TIME: &str = "urn:xmpp:time";

pub(super) const EXTENSION: Extension = Extension::new(
    "Entity time",
    "XEP-0202",
    "2.0",
    &[Handler::get((TIME, "time"), Entity::Server, tell)],
)
.on_server(&[TIME]);

fn tell(request: Request<'_>, out: &mut Handled) -> Result<(), StanzaError> {
    let utc = request.now.utc.to_rfc3339();
    print::result(&mut out.bytes, &request.iq, |to| {
        to.start("time").attribute("xmlns", TIME);
        for (name, value) in [("tzo", "+00:00"), ("utc", &*utc)] {
            to.start(name).text(value).end();
        }
        to.end();
    });
    Ok(())
}
