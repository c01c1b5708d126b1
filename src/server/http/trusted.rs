//! Where a request comes from, and whose word on that is believed.
//!
//! A proxy of `[http] trusted_proxies` tells the client's address by X-Forwarded-For and its scheme by X-Forwarded-Proto. `Forwarded` (RFC 7239)
//! is not believed: a proxy that writes the one passes the other on as the client sent it, so only one of both can be trusted.

use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;
use hyper::header::{FORWARDED, HeaderName, VIA};

use super::context::Side;
use crate::config::Network;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) client: IpAddr,
    pub(super) confidential: bool,
    pub(super) local: bool,
}

/// Finds out where a request comes from.
pub(super) fn origin(
    peer: SocketAddr,
    side: Side,
    headers: &HeaderMap,
    trusted: &[Network],
) -> Origin {
    let peer = peer.ip().to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let forwarded = [&FORWARDED_FOR, &FORWARDED_PROTO, &FORWARDED, &VIA]
        .into_iter()
        .any(|name| headers.contains_key(name));
    let local = peer.is_loopback() && !forwarded;
    let own = side == Side::Tls || local;
    if !is_trusted(peer) {
        return Origin {
            client: peer,
            confidential: own,
            local,
        };
    }
    Origin {
        client: last_untrusted(peer, headers, is_trusted),
        confidential: scheme_is_secure(headers).unwrap_or(own),
        local,
    }
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
    use hyper::header::{HeaderName, HeaderValue};

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

    fn headers(all: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        headers
    }

    fn client(peer: &str, hops: &[&str]) -> String {
        let all: Vec<_> = hops
            .iter()
            .map(|hop| (FORWARDED_FOR.as_str(), *hop))
            .collect();
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        origin(peer, Side::Plain, &headers(&all), &networks())
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
        let origin = origin(peer, side, &headers(all), &networks());
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
            ] {
                assert_eq!(seen(here, Side::Plain, &[sign]), (false, false), "{sign:?}");
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
}
