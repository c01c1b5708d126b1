//! The host that a request names.

use hyper::Request;
use hyper::header::{HOST, HeaderValue};
use hyper::http::uri::Authority;

/// The host that a request names, with its port where it says one; `None` where it names none. An error for what is none, or more than one
/// (RFC 9112 §3.2).
pub(super) fn of<B>(request: &Request<B>) -> Result<Option<Authority>, NoHost> {
    let mut named = request.headers().get_all(HOST).iter();
    let (first, second) = (named.next(), named.next());
    if second.is_some() {
        return Err(NoHost);
    }
    let read = match first.map(HeaderValue::as_bytes) {
        None | Some(b"") => None,
        Some(octets) => Some(Authority::try_from(octets).map_err(|_| NoHost)?),
    };
    // A whole URL, and HTTP/2, say it in the request line.
    let host = request.uri().authority().cloned().or(read);
    match host {
        Some(host) if host.as_str().contains('@') || host.host().is_empty() => Err(NoHost),
        host => Ok(host),
    }
}

/// A request that does not name its host as it must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoHost;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn host(uri: &str, headers: &[&str]) -> Result<Option<String>, NoHost> {
        let mut request = Request::builder().uri(uri);
        for value in headers {
            request = request.header(HOST, *value);
        }
        of(&request.body(()).unwrap()).map(|host| host.map(|host| host.to_string()))
    }

    #[test]
    fn one_host_is_named() {
        let is = |name: &str| Ok(Some(name.to_owned()));
        assert_eq!(host("/", &["office.example"]), is("office.example"));
        assert_eq!(host("/", &["[2001:db8::1]:5280"]), is("[2001:db8::1]:5280"));
        assert_eq!(
            host("http://a.example:1/", &["b.example"]),
            is("a.example:1")
        );
        assert_eq!(host("/", &[]), Ok(None));
        assert_eq!(host("/", &[""]), Ok(None));
        for bad in [
            "a b",
            "a/b",
            "ann@office.example",
            ":80",
            "a.example, b.example",
        ] {
            assert_eq!(host("/", &[bad]), Err(NoHost), "{bad}");
        }
        assert_eq!(host("/", &["a.example", "a.example"]), Err(NoHost));
    }
}
