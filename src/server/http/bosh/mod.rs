//! BOSH (XEP-0124, XEP-0206) at `/http-bind`: browsers that can do no WebSocket, or may not.
//!
//! A request is read, by [`super::quick`] or by hyper, handed to the session that it names, and held until that answers it. What a session
//! carries is a framed stream like that over WebSocket: [`carried`] is its carrier, and what the two say to each other stands in
//! [`stream`].
//!
//! What cannot be read ends the session that its start tag names, as §17.2 has it; too large, too slow or wrongly coded it is not read that
//! far, and answered by HTTP alone.
//!
//! The content type of requests is not looked at (XEP-0124 §5: clients are not always free to choose it), so none is refused for it.
//! Answers have the type that the client asked for, and browsers are told to run nothing in them, whatever it is: the client of somebody
//! else may have asked for `text/html`.

mod carried;
mod registry;
mod reply;
mod stream;
mod timers;
mod turns;

use std::sync::Arc;

use bosh::{Body, Claim, Condition, Ticket};
use hyper::body::Incoming;
use hyper::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use tokio::sync::oneshot;
use xmpp::session::Way;

use super::answer::{Answer, Content, typed};
use super::context::Context;
use super::{body, host_meta};
use crate::config::Limits;
use crate::server::shared::Shared;
use crate::server::xmpp::serve_carried;

pub(super) use carried::Carried;
use carried::Handle;
pub(crate) use registry::Registry;
pub(super) use reply::Reply;
pub(crate) use timers::keep_time;
pub(super) use turns::Turn;

/// Where it is.
pub(super) const PATH: &str = "/http-bind";

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

/// Answers a request that hyper has read.
pub(super) async fn answer(context: &Context, request: Request<Incoming>) -> Answer {
    if request.method() != Method::POST {
        return page();
    }
    let (head, content) = request.into_parts();
    let most = most_octets(&context.shared().config.limits);
    let octets = match body::read(context, &head.headers, content, most).await {
        Ok(octets) => octets,
        Err(bad) => return bad.into(),
    };
    let body = read(context.shared(), &octets);
    // They stand in the connection's buffer, which would have to make another while this request is held.
    drop(octets);
    let request = Request::from_parts(head, ());
    let elsewhere = || host_meta::bosh(context, &request);
    let mut answer = None;
    let mut reply = || {
        let (reply, receiver) = Reply::task();
        answer = Some(receiver);
        reply
    };
    let held = match ask(context, elsewhere, body, &mut reply) {
        Asked::Held(carried, ticket) => Held::new(carried, ticket),
        Asked::Refused(refusal) => return refusal.into(),
        Asked::Crowded(carried, body) => {
            carried.room().await;
            let ticket = carried.ask(*body, reply());
            Held::new(carried, ticket)
        }
    };
    held.answer(answer).await
}

/// What becomes of a request.
pub(super) enum Asked {
    /// It waits for its answer.
    Held(Arc<Carried>, Ticket),
    /// It is not taken.
    Refused(Refusal),
    /// Its session has to take what came before; then it is to be asked.
    Crowded(Arc<Carried>, Box<Body>),
}

impl From<Refusal> for Asked {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Why a request is not taken. No session says so, or one that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    condition: Condition,
    /// The client wants it as an HTTP status.
    legacy: bool,
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let (status, body) = bosh::refusal(refusal.condition, refusal.legacy);
        said(status, body, bosh::terms::CONTENT)
    }
}

fn not_found(legacy: bool) -> Refusal {
    Refusal {
        condition: Condition::ItemNotFound,
        legacy,
    }
}

/// The content of a request that is no body.
#[derive(Debug)]
pub(super) struct Unreadable(Vec<u8>);

/// Reads the content of a request.
pub(super) fn read(shared: &Shared, octets: &[u8]) -> Result<Body, Unreadable> {
    Body::parse(octets, limits(&shared.config.limits)).map_err(|error| {
        tracing::debug!(%error, "a BOSH request cannot be read");
        Unreadable(octets.to_vec())
    })
}

/// Hands a request to its session, or begins one. `elsewhere`: where there is TLS, to tell clients that have none.
pub(super) fn ask(
    context: &Context,
    elsewhere: impl FnOnce() -> Option<String>,
    body: Result<Body, Unreadable>,
    reply: impl FnOnce() -> Reply,
) -> Asked {
    let body = match body {
        Ok(body) => body,
        Err(Unreadable(octets)) => return ask_unreadable(context, &octets, reply),
    };
    let Some(sid) = &body.sid else {
        // Who is in private already is not sent away.
        let exposed = !context.confidential;
        let elsewhere = exposed.then(elsewhere).flatten();
        return begin(context, elsewhere, &body, reply);
    };
    let Some(carried) = find(context, sid) else {
        return not_found(registry::is_legacy(sid)).into();
    };
    if !body.payloads.is_empty() && !carried.has_room() {
        return Asked::Crowded(carried, Box::new(body));
    }
    let ticket = carried.ask(body, reply());
    Asked::Held(carried, ticket)
}

/// The session of this id, if it may go on over this connection.
fn find(context: &Context, sid: &str) -> Option<Arc<Carried>> {
    let side = context.connected.side;
    let sessions = &context.shared().bosh;
    sessions.find(sid, side, context.confidential)
}

/// A request that waits for its answer, in a task of its own.
struct Held {
    carried: Arc<Carried>,
    ticket: Ticket,
    answered: bool,
}

impl Held {
    fn new(carried: Arc<Carried>, ticket: Ticket) -> Self {
        Self {
            carried,
            ticket,
            answered: false,
        }
    }

    /// Waits for the answer, and until those before it are out.
    async fn answer(mut self, answer: Option<oneshot::Receiver<(Answer, Turn)>>) -> Answer {
        let answer = match answer {
            Some(answer) => answer.await.ok(),
            None => None,
        };
        self.answered = true;
        let Some((mut answer, turn)) = answer else {
            // The session is over.
            return not_found(self.carried.is_legacy()).into();
        };
        turn.come().await;
        answer.body_mut().until_out(turn);
        answer
    }
}

/// The connection was lost before the answer came.
impl Drop for Held {
    fn drop(&mut self) {
        if !self.answered {
            self.carried.disconnect(self.ticket);
        }
    }
}

/// Begins a session.
fn begin(
    context: &Context,
    elsewhere: Option<String>,
    body: &Body,
    reply: impl FnOnce() -> Reply,
) -> Asked {
    let legacy = body.opening.as_ref().is_none_or(|o| o.version.is_none());
    let shared = context.shared();
    let begun = if shared.is_stopping() {
        Err(Condition::SystemShutdown)
    } else if body.to.as_deref().is_none_or(str::is_empty) {
        Err(Condition::ImproperAddressing)
    } else {
        shared.bosh.begin(context, body, legacy, reply)
    };
    let (carried, ticket) = match begun {
        Ok(begun) => begun,
        Err(condition) => return Refusal { condition, legacy }.into(),
    };
    let way = Way {
        confidential: context.confidential,
        elsewhere,
    };
    let carrier = Arc::new(Handle::new(Arc::clone(&carried)));
    tokio::spawn(serve_carried(Arc::clone(shared), carrier, way));
    Asked::Held(carried, ticket)
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
pub(super) fn most_octets(limits: &Limits) -> usize {
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
fn ask_unreadable(context: &Context, octets: &[u8], reply: impl FnOnce() -> Reply) -> Asked {
    let claim = Claim::read(octets);
    let legacy = match claim.sid.map(|sid| (sid, find(context, sid))) {
        None => !claim.versed,
        Some((sid, None)) => registry::is_legacy(sid),
        Some((_, Some(carried))) => {
            let ticket = carried.ask_unreadable(claim.rid, reply());
            return Asked::Held(carried, ticket);
        }
    };
    let condition = Condition::BadRequest;
    Refusal { condition, legacy }.into()
}

/// What a session says, or what is said for one.
pub(super) fn said(status: u16, body: impl Into<Content>, content: &str) -> Answer {
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
