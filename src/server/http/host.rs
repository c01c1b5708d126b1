//! The host that a request names.

use std::net::IpAddr;

use hyper::header::{HOST, HeaderValue};
use hyper::http::uri::Authority;
use hyper::{Request, Version};

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

/// Whether a request has a Host header, empty or not. An error where [`of`] has one.
pub(super) fn is_named<B>(request: &Request<B>) -> Result<bool, NoHost> {
    let mut named = request.headers().get_all(HOST).iter();
    match (named.next(), named.next(), request.uri().authority()) {
        // As nearly every request does; nothing is copied for that.
        (Some(host), None, None) if is_plain(host.as_bytes()) => Ok(true),
        (None, None, None) => Ok(false),
        (first, ..) => of(request).map(|_| first.is_some()),
    }
}

/// Whether a request is meant for the machine that it was made on: `localhost`, or an address of loopback. So is one of HTTP/1.0 without
/// a host: health probes of load balancers and small scripts ask so, and a proxy names some host.
pub(super) fn is_loopback<B>(request: &Request<B>) -> bool {
    let mut named = request.headers().get_all(HOST).iter();
    match (request.uri().authority(), named.next(), named.next()) {
        (Some(host), ..) => is_loopback_name(host.host()),
        // As nearly every request does; nothing is copied for that.
        (None, Some(host), None) => host
            .to_str()
            .is_ok_and(|host| is_loopback_name(without_port(host))),
        (None, None, _) => request.version() < Version::HTTP_11,
        _ => false,
    }
}

/// Whether this names the machine that it is said on.
pub(super) fn is_loopback_name(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let address = bare.unwrap_or(host).parse::<IpAddr>();
    address.map_or_else(
        |_| host.eq_ignore_ascii_case("localhost"),
        |address| address.to_canonical().is_loopback(),
    )
}

/// A host without its port.
pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => name,
        _ => host,
    }
}

/// A name of letters, digits, hyphens and dots, perhaps with a port.
fn is_plain(octets: &[u8]) -> bool {
    let colon = octets.iter().position(|octet| *octet == b':');
    let (name, port) = octets.split_at(colon.unwrap_or(octets.len()));
    let of_name = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.');
    let digits = port.get(1..).unwrap_or_default();
    !name.is_empty() && name.iter().all(of_name) && digits.iter().all(u8::is_ascii_digit)
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
        let request = request.body(()).unwrap();
        let host = of(&request);
        let named = host
            .as_ref()
            .map(|_| !headers.is_empty())
            .map_err(|bad| *bad);
        assert_eq!(is_named(&request), named, "{uri} {headers:?}");
        host.map(|host| host.map(|host| host.to_string()))
    }

    #[test]
    fn what_is_meant_for_this_machine() {
        let is = |version, uri: &str, hosts: &[&str]| {
            let mut request = Request::builder().version(version).uri(uri);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            is_loopback(&request.body(()).unwrap())
        };
        for version in [Version::HTTP_10, Version::HTTP_11] {
            for yes in [
                "localhost",
                "LocalHost:5280",
                "127.0.0.1",
                "127.8.9.10:80",
                "[::1]",
                "[::1]:5280",
                "[::ffff:127.0.0.1]:1",
            ] {
                assert!(is(version, "/", &[yes]), "{yes}");
            }
            for no in [
                "",
                "office.example",
                "chat.office.example:5280",
                "localhost.office.example",
                "10.0.0.1",
                "0.0.0.0",
                "[::]:5280",
                "127.0.0.1.office.example",
                "localhost:x",
                "ann@localhost",
            ] {
                assert!(!is(version, "/", &[no]), "{no}");
            }
            assert!(!is(version, "/", &["localhost", "localhost"]));
            assert!(!is(version, "http://office.example/", &["localhost"]));
            assert!(is(version, "http://localhost:1/", &["office.example"]));
        }
        assert!(is(Version::HTTP_10, "/", &[]));
        assert!(!is(Version::HTTP_11, "/", &[]));
        assert!(!is(Version::HTTP_2, "/", &[]));
    }

    #[test]
    fn one_host_is_named() {
        let is = |name: &str| Ok(Some(name.to_owned()));
        for good in ["office.example", "a-1.example:5280", "10.0.0.1:80", "x:"] {
            assert_eq!(host("/", &[good]), is(good));
        }
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
