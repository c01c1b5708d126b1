//! BOSH (XEP-0124, XEP-0206) at `/http-bind`: browsers that can do no WebSocket, or may not.
//!
//! A request is read, handed to the session that it names, and held until that answers it. What a session carries is a framed stream like
//! that over WebSocket: [`carried`] is its carrier, and what the two say to each other stands in [`stream`].
//!
//! What cannot be read ends the session that its start tag names, as §17.2 has it; too large, too slow or wrongly coded it is not read that
//! far, and answered by HTTP alone.
//!
//! The content type of requests is not looked at (XEP-0124 §5: clients are not always free to choose it), so none is refused for it.
//! Answers have the type that the client asked for, and browsers are told to run nothing in them, whatever it is: the client of somebody
//! else may have asked for `text/html`.

mod carried;
mod registry;
mod stream;
mod timers;
mod turns;

use std::sync::Arc;

use bosh::{Body, BodyError, Claim, Condition, refusal};
use hyper::body::Incoming;
use hyper::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use xmpp::session::Way;

use super::answer::{Answer, Content, typed};
use super::context::Context;
use super::{body, host_meta};
use crate::config::Limits;
use crate::server::shared::Shared;
use crate::server::xmpp::serve_carried;

use carried::{Carried, Handle};
pub(crate) use registry::Registry;
pub(crate) use timers::keep_time;

/// Elements in one body.
const MOST_ELEMENTS: usize = 1000;
/// Attributes of one element.
const MOST_ATTRIBUTES: usize = 64;
/// Nothing runs in an answer, and it belongs to no origin: it may be of any type, and hold what anybody has written.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");
const PAGE: &str = "<!DOCTYPE html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><title>BOSH</title></head>
<body><p>Chat clients reach this server here by BOSH (XEP-0124): give them the address of this page.</p></body></html>
";

/// Answers a request.
pub(super) async fn answer(context: &Context, request: Request<Incoming>) -> Answer {
    if request.method() != Method::POST {
        return page();
    }
    // Who is in private already is not sent away.
    let exposed = !context.confidential;
    let elsewhere = exposed
        .then(|| host_meta::bosh(context, &request))
        .flatten();
    let shared = context.shared();
    let most = most_octets(&shared.config.limits);
    let octets = match body::read(context, request, most).await {
        Ok(octets) => octets,
        Err(bad) => return bad.into(),
    };
    let begun = match Body::parse(&octets, limits(&shared.config.limits)) {
        Ok(body) => {
            // They stand in the connection's buffer, which would have to make another while this request is held.
            drop(octets);
            take(context, elsewhere, body).await
        }
        Err(error) => {
            let begun = unreadable(context, &octets, &error);
            drop(octets);
            begun
        }
    };
    match begun {
        Ok((carried, held)) => match held.answer().await {
            Some((answer, turn)) => {
                let content = Content::from(answer.body).until_out(turn);
                said(answer.status, content, carried.content())
            }
            None => refused(Condition::ItemNotFound, carried.is_legacy()),
        },
        Err((condition, legacy)) => refused(condition, legacy),
    }
}

/// A request that waits for its answer, and its session; or a condition, and whether the client wants it as an HTTP status.
type Begun = Result<(Arc<Carried>, carried::Held), (Condition, bool)>;

/// Hands a request to its session.
async fn take(context: &Context, elsewhere: Option<String>, body: Body) -> Begun {
    let Some(sid) = &body.sid else {
        return begin(context, elsewhere, body);
    };
    let Some(carried) = find(context, sid) else {
        return Err((Condition::ItemNotFound, registry::is_legacy(sid)));
    };
    if !body.payloads.is_empty() {
        carried.room().await;
    }
    Ok((Arc::clone(&carried), carried.ask(body)))
}

/// The session of this id, if it may go on over this connection.
fn find(context: &Context, sid: &str) -> Option<Arc<Carried>> {
    let side = context.connected.side;
    let sessions = &context.shared().bosh;
    sessions.find(sid, side, context.confidential)
}

/// Begins a session.
fn begin(context: &Context, elsewhere: Option<String>, body: Body) -> Begun {
    let legacy = body.opening.as_ref().is_none_or(|o| o.version.is_none());
    let shared = context.shared();
    let begun = if shared.is_stopping() {
        Err(Condition::SystemShutdown)
    } else if body.to.as_deref().is_none_or(str::is_empty) {
        Err(Condition::ImproperAddressing)
    } else {
        shared.bosh.begin(context, &body, legacy)
    };
    let (carried, held) = begun.map_err(|condition| (condition, legacy))?;
    let way = Way {
        confidential: context.confidential,
        elsewhere,
    };
    let carrier = Arc::new(Handle::new(Arc::clone(&carried)));
    tokio::spawn(serve_carried(Arc::clone(shared), carrier, way));
    Ok((carried, held))
}

/// The bounds of sessions.
fn bounds(limits: &Limits) -> bosh::Bounds {
    bosh::Bounds {
        wait: limits.bosh_wait,
        hold: limits.bosh_hold,
        requests: limits.bosh_requests,
        inactivity: limits.bosh_inactivity,
        polling: limits.bosh_polling,
        pause: limits.bosh_pause,
        ..bosh::Bounds::default()
    }
}

/// The largest body: a stanza of any size that is allowed, and others with it.
fn most_octets(limits: &Limits) -> usize {
    limits.stanza_size.saturating_mul(2)
}

/// What bodies may be. What one element may be its stream looks at again, which knows whether its client has logged in.
fn limits(limits: &Limits) -> bosh::Limits {
    bosh::Limits {
        xml: xml::Limits {
            max_bytes: most_octets(limits),
            max_depth: limits.stanza_depth,
            max_elements: None,
            max_attributes: MOST_ATTRIBUTES,
        },
        elements: MOST_ELEMENTS,
    }
}

/// What cannot be read is a bad request (XEP-0124 §17.2), and that is the end of the session that it names, if the session takes it for one
/// of its client's. What names none is answered by HTTP status (§17.1) where it gives no version either: it may come from anybody.
fn unreadable(context: &Context, octets: &[u8], error: &BodyError) -> Begun {
    tracing::debug!(%error, "a BOSH request cannot be read");
    let claim = Claim::read(octets);
    let legacy = match claim.sid.map(|sid| (sid, find(context, sid))) {
        None => !claim.versed,
        Some((sid, None)) => registry::is_legacy(sid),
        Some((_, Some(carried))) => {
            let held = carried.ask_unreadable(claim.rid);
            return Ok((carried, held));
        }
    };
    Err((Condition::BadRequest, legacy))
}

fn refused(condition: Condition, legacy: bool) -> Answer {
    let (status, body) = refusal(condition, legacy);
    said(status, body, bosh::terms::CONTENT)
}

fn said(status: u16, body: impl Into<Content>, content: &str) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut answer = typed(status, bosh::terms::CONTENT, body);
    let headers = answer.headers_mut();
    if content != bosh::terms::CONTENT
        && let Ok(kind) = HeaderValue::from_str(content)
    {
        headers.insert(CONTENT_TYPE, kind);
    }
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    answer
}

/// What a person sees who opens the address in a browser.
fn page() -> Answer {
    let mut answer = typed(StatusCode::OK, "text/html; charset=utf-8", PAGE);
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    answer
}

/// How many sessions there are.
pub(crate) fn sessions(shared: &Shared) -> usize {
    shared.bosh.len()
}
