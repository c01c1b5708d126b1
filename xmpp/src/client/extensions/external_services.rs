//! External services (XEP-0215): STUN and TURN servers for calls, with credentials that end by themselves.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use presence::{Bare, Utc};
use sha1::Sha1;
use xml::Writer;

use super::{Answered, Entity, Extension, Handler};
use crate::client::iq_stanza::Request;
use crate::client::service::ExternalService;
use crate::print::{self, Condition, StanzaError};

const EXTERNAL: &str = "urn:xmpp:extdisco:2";

pub(super) const EXTENSION: Extension = Extension::new(
    "External services",
    "XEP-0215",
    "1.0.0",
    &[
        Handler::get((EXTERNAL, "services"), Entity::Server, services),
        Handler::get((EXTERNAL, "credentials"), Entity::Server, credentials),
    ],
)
.on_server(&[EXTERNAL]);

fn services(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    let kind = request.payload.attribute("type");
    print::result(out, &request.iq, |to| {
        to.start("services").attribute("xmlns", EXTERNAL);
        if let Some(kind) = &kind {
            to.attribute("type", kind);
        }
        let all = request.client.service.external.iter();
        for service in all.filter(|s| kind.as_deref().is_none_or(|kind| kind == s.kind)) {
            write(to, request, service);
        }
        to.end();
    });
    Answered::Printed
}

/// Credentials for one service (§3.3): which one is said by type and host, and by the port where there are several.
fn credentials(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    let wanted = request.payload.child("service", EXTERNAL);
    let attribute = |name| wanted.as_ref().and_then(|w| w.attribute(name));
    let (Some(host), Some(kind)) = (attribute("host"), attribute("type")) else {
        return Answered::Refused(StanzaError::because(
            Condition::BadRequest,
            "The service is not named by host and type.",
        ));
    };
    let port = attribute("port");
    let fits = |service: &&ExternalService| {
        service.host == *host
            && *service.kind == *kind
            && port
                .as_deref()
                .is_none_or(|port| port == service.port.to_string())
    };
    let mut fitting = request
        .client
        .service
        .external
        .iter()
        .filter(fits)
        .peekable();
    if fitting.peek().is_none() {
        return Condition::ItemNotFound.into();
    }
    print::result(out, &request.iq, |to| {
        to.start("credentials").attribute("xmlns", EXTERNAL);
        for service in fitting {
            write(to, request, service);
        }
        to.end();
    });
    Answered::Printed
}

fn write(to: &mut Writer<'_>, request: &Request<'_>, service: &ExternalService) {
    to.start("service");
    to.attribute("type", service.kind)
        .attribute("host", &service.host);
    to.attribute("port", &service.port.to_string());
    to.attribute("transport", service.transport);
    if let Some(shared) = &service.secret {
        let seconds = i64::try_from(shared.lifetime.as_secs()).unwrap_or(i64::MAX / 1000);
        let end = Utc((request.now.utc.0 / 1000)
            .saturating_add(seconds)
            .saturating_mul(1000));
        let (name, password) = time_limited(&shared.text, end, request.client.account());
        to.attribute("restricted", "true");
        to.attribute("username", &name)
            .attribute("password", &password);
        to.attribute("expires", &end.to_rfc3339());
    }
    to.end();
}

/// Name and password as TURN servers with a shared secret know them: the name begins with the second in which it ends, the password is an HMAC
/// of the name.
fn time_limited(secret: &str, end: Utc, account: &Bare) -> (String, String) {
    let name = format!("{}:{account}", end.0 / 1000);
    // Every length of key is taken.
    let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).map(|mac| mac.chain_update(&name));
    let password = mac.map(|mac| STANDARD.encode(mac.finalize().into_bytes()));
    (name, password.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_end_and_are_of_the_secret() {
        let ann = Bare::from_prepared("ann@example.org");
        let (name, password) = time_limited("north", Utc(1_433_895_918_000), &ann);
        assert_eq!(name, "1433895918:ann@example.org");
        // openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(password, "tS8emczQBGmsR5dUKhU3x/5q4Qw=");
    }
}
