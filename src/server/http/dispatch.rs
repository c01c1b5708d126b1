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

/// Answers a request. All that can be done is done before the answer is waited for, so that the request does not lie about meanwhile.
pub(super) fn dispatch(
    connected: Connected,
    request: Request<Incoming>,
) -> impl Future<Output = Answer> + Send {
    let head = request.method() == Method::HEAD;
    let takes_gzip = takes_gzip(request.headers());
    let routed = match refusal(&request) {
        Some(answer) => Routed::Now(answer),
        None => routed(connected, request),
    };
    async move {
        let mut answer = match routed {
            Routed::Now(answer) => answer,
            Routed::Later(answer, said) => {
                let mut answer = answer.await;
                answer.headers_mut().extend(said);
                answer
            }
        };
        let as_told = HeaderValue::from_static("nosniff");
        answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, as_told);
        compress(takes_gzip, &mut answer);
        if head {
            without_content(answer)
        } else {
            answer
        }
    }
}

/// What a request comes to.
enum Routed {
    /// This answer.
    Now(Answer),
    /// The answer of somebody, with headers that are added to it.
    Later(Later, HeaderMap),
}

fn routed(connected: Connected, request: Request<Incoming>) -> Routed {
    if request.method() == Method::OPTIONS && request.uri().path() == "*" {
        // The server as a whole (RFC 9110 §9.3.7).
        return Routed::Now(empty(StatusCode::NO_CONTENT));
    }
    let has_app = connected.shared.config.http.app.is_some();
    let Some(route) = routes::find(request.uri().path(), has_app) else {
        if has_app {
            let answer = async move { files::answer(&connected.shared, request).await };
            return Routed::Later(Box::pin(answer), HeaderMap::new());
        }
        return Routed::Now(plain(StatusCode::NOT_FOUND, "There is nothing here.\n"));
    };
    let origins = &connected.shared.config.http.cors;
    // What is said to the page of another server hangs on the request alone.
    let mut said = HeaderMap::new();
    route.cors.say(origins, request.headers(), &mut said);
    let mut answer = if request.method() == Method::OPTIONS {
        let methods = route.allowed();
        route
            .cors
            .say_before(&methods, request.headers(), &mut said);
        with_methods(empty(StatusCode::NO_CONTENT), route)
    } else if route.takes(request.method()) {
        return Routed::Later(handled(connected, route, request), said);
    } else {
        let text = format!("This is answered here: {}.\n", route.allowed());
        with_methods(plain(StatusCode::METHOD_NOT_ALLOWED, text), route)
    };
    answer.headers_mut().extend(said);
    Routed::Now(answer)
}

fn handled(connected: Connected, route: &'static Route, request: Request<Incoming>) -> Later {
    let proxies = &connected.shared.config.http.trusted_proxies;
    let origin = trusted::origin(connected.peer, connected.side, &request, proxies);
    let context = Context::new(connected, origin);
    tracing::debug!(
        client = %context.client,
        confidential = context.confidential,
        method = %request.method(),
        path = route.path,
        "request"
    );
    (route.answer)(context, request)
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
