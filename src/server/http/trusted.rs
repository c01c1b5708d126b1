//! Where a request comes from, and whose word on that is believed.
//!
//! A proxy of `[http] trusted_proxies` tells the client's address by X-Forwarded-For and its scheme by X-Forwarded-Proto. `Forwarded` (RFC 7239)
//! is not believed: a proxy that writes the one passes the other on as the client sent it, so only one of both can be trusted.
//!
//! A proxy on this machine may say nothing of itself: what it passes on comes from loopback, as what is asked here does. So it is looked at
//! what host is named, which is that of the server to everybody else. Who forwards whole connections (stunnel, `ssh -R`) passes on whatever
//! host its client writes: nothing tells that from here.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, VIA};
use hyper::{Request, Version};

use super::context::Side;
use super::host;
use crate::config::Network;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static REAL_ADDRESS: HeaderName = HeaderName::from_static("x-real-ip");

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) client: IpAddr,
    pub(super) secure: bool,
    pub(super) confidential: bool,
    pub(super) local: bool,
}

/// Finds out where a request comes from.
pub(super) fn origin<B>(
    peer: SocketAddr,
    side: Side,
    request: &Request<B>,
    trusted: &[Network],
) -> Origin {
    let peer = peer.ip().to_canonical();
    let headers = request.headers();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let local = peer.is_loopback() && !is_passed_on(request) && host::is_loopback(request);
    let own = side == Side::Tls || local;
    if !is_trusted(peer) {
        return Origin {
            client: peer,
            secure: side == Side::Tls,
            confidential: own,
            local,
        };
    }
    let told = scheme_is_secure(headers);
    Origin {
        client: last_untrusted(peer, headers, is_trusted),
        secure: told.unwrap_or(side == Side::Tls),
        confidential: told.unwrap_or(own),
        local,
    }
}

/// Whether something says that a request from this machine was made elsewhere.
fn is_passed_on<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let by_proxy = [
        &FORWARDED_FOR,
        &FORWARDED_PROTO,
        &FORWARDED_HOST,
        &REAL_ADDRESS,
        &FORWARDED,
        &VIA,
    ]
    .into_iter()
    .any(|name| headers.contains_key(name));
    // HTTP/1.0 knows no Host: so asks nginx where it is told nothing, and it names itself what it connects to.
    let by_nginx = request.version() == Version::HTTP_10 && headers.contains_key(HOST);
    by_proxy || by_nginx || is_of_other_page(headers)
}

/// Whether a page of another web site asks: it may be the site that a proxy here serves. Programs and files are of none.
fn is_of_other_page(headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).map(HeaderValue::to_str);
    let Some(Ok(origin)) = origin else {
        return origin.is_some();
    };
    let host = origin.split_once("://").filter(|(scheme, _)| {
        ["http", "https"]
            .iter()
            .any(|web| scheme.eq_ignore_ascii_case(web))
    });
    host.is_some_and(|(_, host)| !host::is_loopback_name(host::without_port(host)))
}

/// The last hop that is none of ours: each proxy adds whom it was asked by at the right. One that cannot be read hides all before it.
fn last_untrusted(
    peer: IpAddr,
    headers: &HeaderMap,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> IpAddr {
    let values: Vec<&str> = headers
        .get_all(&FORWARDED_FOR)
        .iter()
        .map(|value| value.to_str().unwrap_or(""))
        .collect();
    let mut client = peer;
    for hop in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        match address(hop.trim()) {
            Some(hop) => client = hop,
            None => return client,
        }
        if !is_trusted(client) {
            return client;
        }
    }
    client
}

/// An address as proxies write it: bare, in brackets, with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches('"');
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let found = bare
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|with| with.ip()));
    found.map(|address| address.to_canonical())
}

/// What the proxies say: secure when each of them says so.
fn scheme_is_secure(headers: &HeaderMap) -> Option<bool> {
    let mut secure = None;
    for value in headers.get_all(&FORWARDED_PROTO) {
        for scheme in value.to_str().unwrap_or("").split(',') {
            let scheme = scheme.trim();
            let is = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("wss");
            secure = Some(secure.unwrap_or(true) && is);
        }
    }
    secure
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const PROXIES: &str = "10.0.0.0/8 127.0.0.1/32 2001:db8:1::/48";

    fn networks() -> Vec<Network> {
        PROXIES
            .split(' ')
            .map(|text| {
                let (address, prefix) = text.split_once('/').unwrap();
                Network {
                    address: address.parse().unwrap(),
                    prefix: prefix.parse().unwrap(),
                }
            })
            .collect()
    }

    /// A request for `localhost`, where no other host is among its headers.
    fn request(all: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::new(());
        let headers = request.headers_mut();
        for (name, value) in all {
            headers.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        if !headers.contains_key(HOST) {
            headers.insert(HOST, HeaderValue::from_static("localhost:5280"));
        }
        request
    }

    fn client(peer: &str, hops: &[&str]) -> String {
        let all: Vec<_> = hops
            .iter()
            .map(|hop| (FORWARDED_FOR.as_str(), *hop))
            .collect();
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        origin(peer, Side::Plain, &request(&all), &networks())
            .client
            .to_string()
    }

    #[test]
    fn the_last_hop_that_is_none_of_ours_is_the_client() {
        assert_eq!(client("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        let spoofed = "127.0.0.1, 192.0.2.200,203.0.113.9 , 10.2.3.4";
        assert_eq!(client("10.0.0.1", &[spoofed]), "203.0.113.9");
        let lines = ["127.0.0.1", "203.0.113.9", "10.2.3.4"];
        assert_eq!(client("10.0.0.1", &lines), "203.0.113.9");
        assert_eq!(client("::ffff:10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["10.9.9.9, 10.1.1.1"]), "10.9.9.9");
    }

    #[test]
    fn forms_of_addresses() {
        for (written, read) in [
            ("203.0.113.9:80", "203.0.113.9"),
            ("[2001:db8::9]:443", "2001:db8::9"),
            ("[2001:db8::9]", "2001:db8::9"),
            ("2001:db8::9", "2001:db8::9"),
            ("\"[2001:db8::9]:443\"", "2001:db8::9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("2001:db8:1::7, 203.0.113.9, 2001:db8:1::8", "203.0.113.9"),
        ] {
            assert_eq!(client("10.0.0.1", &[written]), read, "{written}");
        }
        for garbage in [
            "unknown",
            "_hidden",
            "",
            ",",
            "203.0.113.9,",
            "1.2.3",
            "a:b:c",
        ] {
            assert_eq!(client("10.0.0.1", &[garbage]), "10.0.0.1", "{garbage}");
        }
        assert_eq!(
            client("10.0.0.1", &["203.0.113.9, x, 10.0.0.2"]),
            "10.0.0.2"
        );
    }

    fn seen(peer: &str, side: Side, all: &[(&str, &str)]) -> (bool, bool) {
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        let origin = origin(peer, side, &request(all), &networks());
        // This machine alone is private without TLS.
        assert_eq!(
            origin.secure,
            origin.confidential && !(side == Side::Plain && origin.local)
        );
        (origin.confidential, origin.local)
    }

    #[test]
    fn what_is_confidential_and_what_is_local() {
        let proto = |scheme| {
            [
                ("x-forwarded-for", "203.0.113.9"),
                ("x-forwarded-proto", scheme),
            ]
        };
        assert_eq!(seen("192.0.2.1", Side::Plain, &[]), (false, false));
        assert_eq!(seen("192.0.2.1", Side::Tls, &[]), (true, false));
        assert_eq!(
            seen("192.0.2.1", Side::Plain, &proto("https")),
            (false, false)
        );
        assert_eq!(seen("192.0.2.1", Side::Tls, &proto("http")), (true, false));
        // This machine: trusted (127.0.0.1), or not (::1).
        for here in ["127.0.0.1", "::1"] {
            assert_eq!(seen(here, Side::Plain, &[]), (true, true));
            for sign in [
                ("x-forwarded-for", "127.0.0.1"),
                ("forwarded", "for=127.0.0.1;proto=https"),
                ("via", "1.1 proxy"),
                ("x-real-ip", "203.0.113.9"),
                ("x-forwarded-host", "localhost"),
                ("host", "chat.office.example"),
                ("host", "192.0.2.1:5280"),
                ("origin", "https://chat.office.example"),
                ("origin", "http://chat.office.example:5280"),
            ] {
                assert_eq!(seen(here, Side::Plain, &[sign]), (false, false), "{sign:?}");
                assert_eq!(seen(here, Side::Tls, &[sign]), (true, false), "{sign:?}");
            }
            for own in [
                "null",
                "app://chat",
                "http://localhost:3000",
                "http://[::1]",
                "https://127.0.0.1",
            ] {
                let origin = [("origin", own)];
                assert_eq!(seen(here, Side::Plain, &origin), (true, true), "{own}");
            }
        }
        assert_eq!(seen("::1", Side::Plain, &proto("https")), (false, false));
        assert_eq!(
            seen("127.0.0.1", Side::Plain, &proto("https")),
            (true, false)
        );
        assert_eq!(
            seen("10.0.0.1", Side::Plain, &proto("HTTPS")),
            (true, false)
        );
        assert_eq!(
            seen("10.0.0.1", Side::Plain, &proto("https, http")),
            (false, false)
        );
        assert_eq!(seen("10.0.0.1", Side::Plain, &proto("")), (false, false));
        assert_eq!(seen("10.0.0.1", Side::Tls, &proto("http")), (false, false));
        assert_eq!(seen("10.0.0.1", Side::Tls, &[]), (true, false));
    }

    /// What nginx sends that is told where to connect to and nothing else.
    #[test]
    fn a_proxy_that_says_nothing_of_itself() {
        let peer = SocketAddr::new([127, 0, 0, 1].into(), 4711);
        let local = |version, host: Option<&str>| {
            let mut request = Request::new(());
            *request.version_mut() = version;
            if let Some(host) = host {
                let host = HeaderValue::from_str(host).unwrap();
                request.headers_mut().insert(HOST, host);
            }
            let origin = origin(peer, Side::Plain, &request, &[]);
            assert_eq!(origin.confidential, origin.local);
            origin.local
        };
        assert!(!local(Version::HTTP_10, Some("127.0.0.1:5280")));
        assert!(local(Version::HTTP_11, Some("127.0.0.1:5280")));
        assert!(local(Version::HTTP_10, None));
        assert!(!local(Version::HTTP_11, None));
    }
}
