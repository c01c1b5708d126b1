//! `/xmpp-websocket`: XMPP over WebSocket (RFC 7395). Here is the handshake (RFC 6455 §4.2); what comes behind it is no HTTP any more.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
    SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING, UPGRADE,
};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, StatusCode, Version};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use xmpp::session::Way;

use super::answer::{Answer, empty, plain};
use super::context::Context;
use super::upgraded::{self, Taken};
use super::{cors, host_meta};
use crate::server::accept::Counting;
use crate::server::shared::Shared;
use crate::server::xmpp::serve::{Upgraded, serve_websocket};

/// What is appended to the key of a client (RFC 6455 §1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const PROTOCOL: HeaderValue = HeaderValue::from_static("xmpp");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const VERSION: HeaderValue = HeaderValue::from_static("13");
/// When a client that has too many connections may ask again, in seconds.
const LATER: HeaderValue = HeaderValue::from_static("30");

/// Base64 as clients write it: the bits that belong to no octet may be anything.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Why a handshake is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// It is none.
    NoUpgrade,
    /// It is one of another version.
    Version,
    /// It breaks the rules, or wants another protocol.
    Bad(&'static str),
    /// A page that may not call.
    Origin,
    /// The client has too many connections.
    TooMany,
    /// The server is on its way out.
    Stopping,
}

impl Refusal {
    fn answer(self) -> Answer {
        let (status, text) = match self {
            Self::NoUpgrade => (StatusCode::UPGRADE_REQUIRED, "WebSocket is spoken here.\n"),
            Self::Version => (
                StatusCode::UPGRADE_REQUIRED,
                "WebSocket of version 13 is spoken here.\n",
            ),
            Self::Bad(text) => (StatusCode::BAD_REQUEST, text),
            Self::Origin => (
                StatusCode::FORBIDDEN,
                "Pages of this origin may not connect.\n",
            ),
            Self::TooMany => (
                StatusCode::SERVICE_UNAVAILABLE,
                "There are too many connections from your address.\n",
            ),
            Self::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "The server stops.\n"),
        };
        let mut answer = plain(status, text);
        if status == StatusCode::UPGRADE_REQUIRED {
            let headers = answer.headers_mut();
            headers.insert(UPGRADE, WEBSOCKET);
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(SEC_WEBSOCKET_VERSION, VERSION);
        }
        if self == Self::TooMany {
            answer.headers_mut().insert(RETRY_AFTER, LATER);
        }
        answer
    }
}

/// Takes the connection over, or says why not.
pub(super) async fn answer(context: &Context, request: Request<Incoming>) -> Answer {
    let accept = match check(context, &request) {
        Ok(accept) => accept,
        Err(refusal) => return refusal.answer(),
    };
    let way = Way {
        confidential: context.confidential,
        elsewhere: host_meta::secure_websocket(context, &request),
    };
    let mut peer = context.connected.peer;
    peer.set_ip(context.client);
    tokio::spawn(go_on(
        Arc::clone(context.shared()),
        hyper::upgrade::on(request),
        way,
        peer,
        Arc::clone(&context.connected.counting),
    ));
    let mut answer = empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = answer.headers_mut();
    headers.insert(UPGRADE, WEBSOCKET);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    headers.insert(SEC_WEBSOCKET_PROTOCOL, PROTOCOL);
    answer
}

/// Waits until the answer is written, and serves the connection in a task of its own: that of the request is as large as HTTP is.
async fn go_on(
    shared: Arc<Shared>,
    upgrade: OnUpgrade,
    way: Way,
    peer: SocketAddr,
    counting: Arc<Counting>,
) {
    let taken = upgrade.await.ok().and_then(upgraded::take);
    let (socket, tls, early) = match taken {
        Some(Taken::Plain(socket, early)) => (socket, None, early),
        Some(Taken::Tls(stream, early)) => {
            let (socket, tls) = stream.into_inner();
            (socket, Some(Box::new(tls)), early)
        }
        None => return,
    };
    let upgraded = Upgraded {
        socket,
        tls,
        early,
        peer,
    };
    tokio::spawn(serve_websocket(shared, upgraded, way, counting));
}

/// The proof that the handshake was understood (RFC 6455 §4.2.2).
fn check(context: &Context, request: &Request<Incoming>) -> Result<HeaderValue, Refusal> {
    let accept = handshake(request)?;
    if !cors::may_call(&context.shared().config.http, request, context.secure) {
        return Err(Refusal::Origin);
    }
    if context.shared().is_stopping() {
        return Err(Refusal::Stopping);
    }
    // The connection of a proxy is the client's from now on.
    let most = context.shared().config.limits.connections_per_address;
    if !context.connected.counting.counts_for(context.client, most) {
        return Err(Refusal::TooMany);
    }
    Ok(accept)
}

/// What every handshake must say (RFC 6455 §4.2.1, RFC 7395 §3.1).
fn handshake<B>(request: &Request<B>) -> Result<HeaderValue, Refusal> {
    let headers = request.headers();
    if request.version() > Version::HTTP_11 {
        return Err(Refusal::Bad("WebSocket is spoken over HTTP/1.1 here.\n"));
    }
    let asks = lists(headers, &UPGRADE, |it| it.eq_ignore_ascii_case("websocket"));
    if request.method() != Method::GET || request.version() < Version::HTTP_11 || !asks {
        return Err(Refusal::NoUpgrade);
    }
    if !lists(headers, &CONNECTION, |it| {
        it.eq_ignore_ascii_case("upgrade")
    }) {
        return Err(Refusal::Bad("Connection does not say Upgrade.\n"));
    }
    if only(headers, &SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(Refusal::Version);
    }
    let key = only(headers, &SEC_WEBSOCKET_KEY)
        .filter(|key| BASE64.decode(key).is_ok_and(|octets| octets.len() == 16))
        .ok_or(Refusal::Bad(
            "Sec-WebSocket-Key is not 16 octets in base64.\n",
        ))?;
    if !lists(headers, &SEC_WEBSOCKET_PROTOCOL, |it| it == "xmpp") {
        return Err(Refusal::Bad(
            "The protocol that is spoken here, \"xmpp\", is not in Sec-WebSocket-Protocol.\n",
        ));
    }
    // What follows the head is frames: content that somebody else counts would be taken for them.
    let has_content = headers.contains_key(TRANSFER_ENCODING)
        || headers.get(CONTENT_LENGTH).is_some_and(|len| len != "0");
    if has_content {
        return Err(Refusal::Bad("A handshake has no content.\n"));
    }
    let proof = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes());
    HeaderValue::try_from(BASE64.encode(proof)).map_err(|_| Refusal::NoUpgrade)
}

/// The value of a header that comes once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?.trim();
    values.next().is_none().then_some(value)
}

/// Whether a list has an element like this, in however many headers it comes.
fn lists(headers: &HeaderMap, name: &HeaderName, is: impl Fn(&str) -> bool) -> bool {
    let values = headers.get_all(name).iter();
    let mut elements = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    elements.any(|element| is(element.trim()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// The handshake of RFC 7395 §3.1, with headers exchanged (`None`: left out) or added.
    fn shake(changes: &[(&'static str, Option<&str>)]) -> Result<String, Refusal> {
        let mut request = Request::builder().uri("/xmpp-websocket").body(()).unwrap();
        let headers = request.headers_mut();
        for (name, value) in [
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", "xmpp"),
            ("sec-websocket-version", "13"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        for (name, value) in changes {
            headers.remove(*name);
            for value in value.iter().flat_map(|value| value.split('|')) {
                headers.append(*name, HeaderValue::from_str(value).unwrap());
            }
        }
        handshake(&request).map(|accept| accept.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_key_is_answered() {
        // RFC 6455 §1.3.
        let proof = Ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned());
        assert_eq!(shake(&[]), proof);
        for fine in [
            ("upgrade", "h2c, WebSocket"),
            ("connection", "keep-alive, UPGRADE"),
            ("connection", "keep-alive|upgrade"),
            ("sec-websocket-protocol", "chat, xmpp"),
            ("sec-websocket-protocol", "chat|xmpp"),
            ("sec-websocket-extensions", "permessage-deflate"),
        ] {
            assert_eq!(shake(&[(fine.0, Some(fine.1))]), proof, "{fine:?}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong() {
        let is_bad = |found: Result<String, Refusal>| matches!(found, Err(Refusal::Bad(_)));
        assert_eq!(shake(&[("upgrade", None)]), Err(Refusal::NoUpgrade));
        assert_eq!(shake(&[("upgrade", Some("h2c"))]), Err(Refusal::NoUpgrade));
        for version in [None, Some("8"), Some("013"), Some("13|13"), Some("")] {
            let found = shake(&[("sec-websocket-version", version)]);
            assert_eq!(found, Err(Refusal::Version), "{version:?}");
        }
        for wrong in [
            ("connection", None),
            ("connection", Some("keep-alive")),
            ("sec-websocket-key", None),
            ("sec-websocket-key", Some("")),
            ("sec-websocket-key", Some("c2hvcnQ=")),
            ("sec-websocket-key", Some("dGhlIHNhbXBsZSBub25jZQ")),
            ("sec-websocket-key", Some("not base64 not base64 ==")),
            ("sec-websocket-protocol", None),
            ("sec-websocket-protocol", Some("xmpp-framing")),
            ("sec-websocket-protocol", Some("XMPP")),
        ] {
            assert!(is_bad(shake(&[wrong])), "{wrong:?}");
        }
    }
}
