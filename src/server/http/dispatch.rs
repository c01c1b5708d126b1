//! From a request to its answer: what is the same for every path.

use hyper::body::Incoming;
use hyper::header::{
    ALLOW, CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, StatusCode, Version};

use super::answer::{Answer, Content, empty, plain};
use super::compress::{compress, takes_gzip};
use super::context::{Connected, Context};
use super::routes::{self, Later, Route};
use super::{files, host, trusted};

/// How an answer is given, whatever it is.
#[derive(Debug, Default)]
pub(super) struct Manner {
    takes_gzip: bool,
    /// What is said to the page of another server.
    said: HeaderMap,
}

impl Manner {
    /// Makes an answer as it is to be.
    fn apply(self, answer: &mut Answer) {
        answer.headers_mut().extend(self.said);
        finish(self.takes_gzip, answer);
    }

    /// Whether the client takes gzip, and the headers that are added for the page of another server.
    pub(super) fn into_parts(self) -> (bool, HeaderMap) {
        (self.takes_gzip, self.said)
    }
}

/// Makes an answer as all are.
pub(super) fn finish(takes_gzip: bool, answer: &mut Answer) {
    let as_told = HeaderValue::from_static("nosniff");
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, as_told);
    compress(takes_gzip, answer);
}

/// Answers a request. All that can be done is done before the answer is waited for, so that the request does not lie about meanwhile.
pub(super) fn dispatch(
    connected: Connected,
    request: Request<Incoming>,
) -> impl Future<Output = Answer> + Send {
    let head = request.method() == Method::HEAD;
    let mut manner = Manner {
        takes_gzip: takes_gzip(request.headers()),
        said: HeaderMap::new(),
    };
    let routed = match refusal(&request) {
        Some(answer) => Routed::Now(answer),
        None => routed(connected, request, &mut manner.said),
    };
    async move {
        let mut answer = match routed {
            Routed::Now(answer) => answer,
            Routed::Later(answer) => answer.await,
        };
        manner.apply(&mut answer);
        if head {
            without_content(answer)
        } else {
            answer
        }
    }
}

/// What is known of a request for a route, and how it is to be answered: for one that is read elsewhere.
pub(super) fn known<B>(
    connected: &Connected,
    route: &Route,
    request: &Request<B>,
) -> (Context, Manner) {
    let mut manner = Manner {
        takes_gzip: takes_gzip(request.headers()),
        said: HeaderMap::new(),
    };
    let origins = &connected.shared.config.http.cors;
    route.cors.say(origins, request.headers(), &mut manner.said);
    (context(connected.clone(), route, request), manner)
}

/// What a request comes to.
enum Routed {
    /// This answer.
    Now(Answer),
    /// The answer of somebody.
    Later(Later),
}

/// `said`: what is said to the page of another server, which hangs on the request alone.
fn routed(connected: Connected, request: Request<Incoming>, said: &mut HeaderMap) -> Routed {
    if request.method() == Method::OPTIONS && request.uri().path() == "*" {
        // The server as a whole (RFC 9110 §9.3.7).
        return Routed::Now(empty(StatusCode::NO_CONTENT));
    }
    let has_app = connected.shared.config.http.app.is_some();
    let Some(route) = routes::find(request.uri().path(), has_app) else {
        if has_app {
            let answer = async move { files::answer(&connected.shared, request).await };
            return Routed::Later(Box::pin(answer));
        }
        return Routed::Now(plain(StatusCode::NOT_FOUND, "There is nothing here.\n"));
    };
    let origins = &connected.shared.config.http.cors;
    route.cors.say(origins, request.headers(), said);
    if request.method() == Method::OPTIONS {
        let methods = route.allowed();
        route.cors.say_before(&methods, request.headers(), said);
        Routed::Now(with_methods(empty(StatusCode::NO_CONTENT), route))
    } else if route.takes(request.method()) {
        let context = context(connected, route, &request);
        Routed::Later((route.answer)(context, request))
    } else {
        let text = format!("This is answered here: {}.\n", route.allowed());
        let answer = plain(StatusCode::METHOD_NOT_ALLOWED, text);
        Routed::Now(with_methods(answer, route))
    }
}

fn context<B>(connected: Connected, route: &Route, request: &Request<B>) -> Context {
    let proxies = &connected.shared.config.http.trusted_proxies;
    let origin = trusted::origin(connected.peer, connected.side, request, proxies);
    let context = Context::new(connected, origin);
    tracing::debug!(
        client = %context.client,
        confidential = context.confidential,
        method = %request.method(),
        path = route.path,
        "request"
    );
    context
}

fn with_methods(mut answer: Answer, route: &Route) -> Answer {
    if let Ok(methods) = HeaderValue::try_from(route.allowed()) {
        answer.headers_mut().insert(ALLOW, methods);
    }
    answer
}

/// What is wrong with a request wherever it goes: RFC 9112 §3.2, RFC 9110 §9.1.
fn refusal(request: &Request<Incoming>) -> Option<Answer> {
    let must_name = request.version() == Version::HTTP_11;
    if !host::is_named(request).is_ok_and(|named| named || !must_name) {
        let text = "A request names its host in one Host header.\n";
        return Some(plain(StatusCode::BAD_REQUEST, text));
    }
    // Any other coding hides where the body ends and what it says (RFC 9112 §6.1).
    let mut codings = request.headers().get_all(TRANSFER_ENCODING).iter();
    if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        let text = "Bodies are chunked here, or come with their length.\n";
        return Some(plain(StatusCode::NOT_IMPLEMENTED, text));
    }
    let known = matches!(
        *request.method(),
        Method::GET
            | Method::HEAD
            | Method::POST
            | Method::PUT
            | Method::PATCH
            | Method::DELETE
            | Method::OPTIONS
    );
    if !known {
        let text = "This method is not known here.\n";
        return Some(plain(StatusCode::NOT_IMPLEMENTED, text));
    }
    None
}

/// The answer to HEAD: as to GET, without the content (RFC 9110 §9.3.2).
fn without_content(mut answer: Answer) -> Answer {
    let length = answer.body().bytes().len();
    if length > 0 {
        answer.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    *answer.body_mut() = Content::default();
    answer
}
