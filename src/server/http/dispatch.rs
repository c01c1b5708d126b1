//! From a request to its answer: what is the same for every path.

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_LENGTH, HOST, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Method, Request, StatusCode, Version};

use super::answer::{Answer, Content, empty, plain};
use super::context::{Connected, Context};
use super::routes::{self, Route};
use super::trusted;

/// Answers a request.
pub(super) async fn dispatch(connected: Connected, request: Request<Incoming>) -> Answer {
    let head = request.method() == Method::HEAD;
    let mut answer = match refusal(&request) {
        Some(answer) => answer,
        None => routed(connected, request).await,
    };
    let as_told = HeaderValue::from_static("nosniff");
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, as_told);
    if head {
        without_content(answer)
    } else {
        answer
    }
}

async fn routed(connected: Connected, request: Request<Incoming>) -> Answer {
    let Some(route) = routes::find(request.uri().path()) else {
        return plain(StatusCode::NOT_FOUND, "There is nothing here.\n");
    };
    if request.method() == Method::OPTIONS {
        let mut answer = empty(StatusCode::NO_CONTENT);
        answer.headers_mut().insert(ALLOW, allowed(route));
        return answer;
    }
    if !route.takes(request.method()) {
        let text = format!("This is answered here: {}.\n", route.allowed());
        let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, text);
        answer.headers_mut().insert(ALLOW, allowed(route));
        return answer;
    }
    let proxies = &connected.shared.config.http.trusted_proxies;
    let origin = trusted::origin(connected.peer, connected.side, request.headers(), proxies);
    let context = Context::new(connected, origin);
    tracing::debug!(
        client = %context.client,
        confidential = context.confidential,
        method = %request.method(),
        path = route.path,
        "request"
    );
    (route.answer)(context, request).await
}

fn allowed(route: &Route) -> HeaderValue {
    HeaderValue::try_from(route.allowed()).unwrap_or(HeaderValue::from_static(""))
}

/// What is wrong with a request wherever it goes: RFC 9112 §3.2, RFC 9110 §9.1.
fn refusal(request: &Request<Incoming>) -> Option<Answer> {
    let hosts = request.headers().get_all(HOST).iter().count();
    let least = usize::from(request.version() == Version::HTTP_11);
    if hosts > 1 || hosts < least {
        let text = "A request names its host in one Host header.\n";
        return Some(plain(StatusCode::BAD_REQUEST, text));
    }
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if !known.contains(request.method()) {
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
