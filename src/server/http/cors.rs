//! Which pages of other servers may call: CORS as browsers ask for it (the Fetch standard, section 3.2).
//!
//! Credentials of the browser (cookies, its own Basic login) are never allowed: whoever calls must bring his own.

use hyper::Request;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderValue, ORIGIN, VARY,
};
use hyper::http::uri::Authority;

use super::host;
use crate::config::Http;

/// Which pages may call a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cors {
    /// Those of this server.
    Own,
    /// Those of `[http] cors`.
    Configured {
        /// Headers that a request may have beside those that any may.
        request: &'static str,
        /// Headers of an answer that the page may read beside those that any may.
        answer: &'static str,
    },
    /// All.
    Everybody,
}

/// How long a browser remembers what it was told, in seconds: the longest that any of them does.
const REMEMBERED: HeaderValue = HeaderValue::from_static("86400");

impl Cors {
    /// Writes to an answer whether the page that asked may read it.
    pub(super) fn say(self, configured: &[String], asked: &HeaderMap, answer: &mut HeaderMap) {
        let exposed = match self {
            Self::Own => return,
            Self::Everybody => {
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
                return;
            }
            Self::Configured { answer, .. } => answer,
        };
        if any(configured) {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else {
            answer.append(VARY, HeaderValue::from_static("Origin"));
            let Some(origin) = asked.get(ORIGIN) else {
                return;
            };
            if !is_listed(configured, origin) {
                return;
            }
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
        if !exposed.is_empty() {
            let exposed = HeaderValue::from_static(exposed);
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }

    /// Writes to the answer of OPTIONS what the page may ask for, when the browser wants to know that.
    pub(super) fn say_before(self, methods: &str, asked: &HeaderMap, answer: &mut HeaderMap) {
        let asks = asked.contains_key(ORIGIN) && asked.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || !answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        answer.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
        if let Ok(methods) = HeaderValue::from_str(methods) {
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        if let Self::Configured { request, .. } = self
            && !request.is_empty()
        {
            let request = HeaderValue::from_static(request);
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, request);
        }
        answer.insert(ACCESS_CONTROL_MAX_AGE, REMEMBERED);
    }
}

/// Whether a page may call, by the Origin of its request: for what has no answer that a browser could keep from it, a WebSocket. Pages of
/// this server may, and programs, which name no origin. `secure` tells whether the client came by TLS: a page that came without is none of
/// the same server (RFC 6454 §5).
pub(crate) fn may_call<B>(http: &Http, request: &Request<B>, secure: bool) -> bool {
    let Some(origin) = request.headers().get(ORIGIN) else {
        return true;
    };
    let site = origin.to_str().ok().and_then(Site::read);
    let own = || {
        let named = host::of(request).ok().flatten()?;
        Some(Site::new(if secure { "https" } else { "http" }, named))
    };
    let public = || http.public_url.as_deref().and_then(Site::read);
    any(&http.cors)
        || is_listed(&http.cors, origin)
        || site.is_some_and(|site| own().as_ref() == Some(&site) || public() == Some(site))
}

/// Whose a page is (RFC 6454 §4): a server with its scheme and port.
#[derive(Debug, PartialEq, Eq)]
struct Site {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Site {
    /// Out of an origin or a URL.
    fn read(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split('/').next().unwrap_or(rest);
        Authority::try_from(host)
            .ok()
            .map(|host| Self::new(scheme, host))
    }

    fn new(scheme: &str, host: Authority) -> Self {
        let scheme = scheme.to_ascii_lowercase();
        // Left out where it is the usual one.
        let usual = match &*scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        Self {
            port: host.port_u16().or(usual),
            host: host.host().to_ascii_lowercase(),
            scheme,
        }
    }
}

fn any(configured: &[String]) -> bool {
    configured.iter().any(|origin| origin == "*")
}

/// Scheme and host are the same in any case (RFC 6454 §4).
fn is_listed(configured: &[String], origin: &HeaderValue) -> bool {
    configured
        .iter()
        .any(|listed| listed.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const SERVICE: Cors = Cors::Configured {
        request: "Content-Type",
        answer: "ETag",
    };

    fn said(cors: Cors, configured: &[&str], origin: Option<&str>) -> (String, String) {
        let configured: Vec<String> = configured.iter().map(ToString::to_string).collect();
        let mut asked = HeaderMap::new();
        if let Some(origin) = origin {
            asked.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        let mut answer = HeaderMap::new();
        cors.say(&configured, &asked, &mut answer);
        let text = |name| {
            let value = answer.get(name).map(|value| value.to_str().unwrap());
            value.unwrap_or("").to_owned()
        };
        (text(ACCESS_CONTROL_ALLOW_ORIGIN), text(VARY))
    }

    #[test]
    fn who_may_read() {
        let is = |allowed: &str, vary: &str| (allowed.to_owned(), vary.to_owned());
        let listed = ["https://www.office.example", "http://localhost:3000"];
        let asks = Some("https://www.office.example");
        assert_eq!(said(SERVICE, &["*"], asks), is("*", ""));
        assert_eq!(said(SERVICE, &["*"], None), is("*", ""));
        assert_eq!(
            said(SERVICE, &listed, asks),
            is("https://www.office.example", "Origin")
        );
        let other_case = "HTTP://LOCALHOST:3000";
        assert_eq!(
            said(SERVICE, &listed, Some(other_case)),
            is(other_case, "Origin")
        );
        for other in [
            "https://office.example",
            "http://www.office.example",
            "null",
            "*",
        ] {
            assert_eq!(
                said(SERVICE, &listed, Some(other)),
                is("", "Origin"),
                "{other}"
            );
        }
        assert_eq!(said(SERVICE, &listed, None), is("", "Origin"));
        assert_eq!(said(SERVICE, &[], asks), is("", "Origin"));
        assert_eq!(said(Cors::Own, &["*"], asks), is("", ""));
        assert_eq!(said(Cors::Everybody, &[], asks), is("*", ""));
    }

    #[test]
    fn who_may_open_a_socket() {
        let configured = |text: &str| crate::config::parse(text, None, []).unwrap().config.http;
        let from = |http: &Http, host: &str, secure: bool, origin: &str| {
            let mut request = Request::builder().uri("/").header("host", host);
            if !origin.is_empty() {
                request = request.header(ORIGIN, origin);
            }
            may_call(http, &request.body(()).unwrap(), secure)
        };
        let asks = |http: &Http, origin: &str| from(http, "office.example:5281", true, origin);
        let text = "[http]\ncors = [\"https://www.office.example\"]\npublic_url = \"https://im.office.example/chat\"";
        let http = configured(text);
        for yes in [
            "",
            "https://www.office.example",
            "https://office.example:5281",
            "https://OFFICE.example:5281",
            "https://im.office.example",
            "https://im.office.example:443",
        ] {
            assert!(asks(&http, yes), "{yes}");
        }
        for no in [
            "null",
            "https://office.example",
            "https://evil.example",
            "office.example:5281",
            // Came without TLS: it may be anybody's.
            "http://office.example:5281",
            "http://im.office.example",
            "https://im.office.example:80",
            "wss://office.example:5281",
        ] {
            assert!(!asks(&http, no), "{no}");
        }
        for (host, secure, origin, may) in [
            ("office.example", true, "https://office.example", true),
            ("office.example:443", true, "https://office.example", true),
            ("office.example", true, "https://office.example:443", true),
            ("office.example", true, "http://office.example", false),
            (
                "office.example:443",
                true,
                "http://office.example:443",
                false,
            ),
            ("office.example", false, "http://office.example", true),
            ("office.example:80", false, "http://office.example", true),
            ("office.example", false, "https://office.example", false),
            ("[::1]:5280", false, "http://[::1]:5280", true),
            ("[::1]:5280", false, "http://[::1]", false),
        ] {
            assert_eq!(
                from(&http, host, secure, origin),
                may,
                "{host} {secure} {origin}"
            );
        }
        assert!(asks(&configured(""), "https://evil.example"));
        assert!(!asks(
            &configured("[http]\ncors = []"),
            "https://evil.example"
        ));
    }
}
