//! What is looked at before the meaning of a request (RFC 3261 §8.2, in its order).

use sip::{HeaderName, Method, Request, screen, transaction::Flow};

use crate::reply::Reply;

/// Methods that are served.
pub(crate) const METHODS: &[Method] = &[
    Method::Register,
    Method::Publish,
    Method::Subscribe,
    Method::Notify,
    Method::Message,
    Method::Options,
];

/// As `Allow` lists them: with those that the transaction layer handles.
pub(crate) const ALLOW: &str =
    "REGISTER, PUBLISH, SUBSCRIBE, NOTIFY, MESSAGE, OPTIONS, CANCEL, ACK";

/// Extensions, as `Supported` lists them (RFC 3327).
pub(crate) const EXTENSIONS: &[&str] = &["path"];

/// Event packages, as `Allow-Events` lists them (RFC 3856, RFC 3842).
pub(crate) const EVENTS: &str = "presence, message-summary";

/// What PUBLISH takes.
pub(crate) const PIDF: &str = documents::pidf::MEDIA_TYPE;

/// What MESSAGE takes: text, and notices of typing (RFC 3994), which are heard and not passed on.
pub(crate) const MESSAGE_TYPES: &[&str] = &["text/plain", COMPOSING];

/// RFC 3994.
pub(crate) const COMPOSING: &str = "application/im-iscomposing+xml";

/// Checks method, Request-URI, Require and content.
pub(crate) fn check(request: &Request, flow: &Flow) -> Result<(), Reply> {
    let content_types: &[&str] = match request.method {
        Method::Publish => &[PIDF],
        Method::Message => MESSAGE_TYPES,
        _ => &[],
    };
    let capabilities = screen::Capabilities {
        methods: METHODS,
        extensions: EXTENSIONS,
        content_types,
        encodings: &[],
    };
    // A NOTIFY is for a dialog, and there is none: what it carries does not matter (RFC 6665 §4.1.3).
    if request.method == Method::Notify {
        return Err(Reply::because(481, "Subscription Does Not Exist"));
    }
    screen::screen(request, &capabilities).map_err(|refusal| allow_all(Reply::from(refusal)))?;
    // RFC 3261 §26.2.2: `sips:` is for TLS on every hop, and this is the last one.
    if request.uri.is_sips() && !flow.is_secure() {
        return Err(Reply::because(416, "SIPS Needs TLS"));
    }
    let to_dialog = request.headers.to_tag().is_some();
    if to_dialog && matches!(request.method, Method::Message | Method::Options) {
        return Err(Reply::new(481));
    }
    Ok(())
}

/// `Allow` names also what never comes here.
fn allow_all(mut reply: Reply) -> Reply {
    if reply.headers.contains(&HeaderName::Allow) {
        reply.headers.set(HeaderName::Allow, ALLOW);
    }
    reply
}
