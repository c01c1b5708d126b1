//! Comparison of URIs (RFC 3261 §19.1.4).

use super::{Scheme, Uri};
use crate::syntax::unescape;

impl Uri {
    /// Whether both are equivalent by RFC 3261 §19.1.4; URIs of other schemes by their text.
    ///
    /// The relation is not transitive, as the RFC itself notes: a parameter that only one of the two
    /// has is ignored, unless it is `user`, `ttl`, `method`, `maddr` or `transport`.
    pub fn equivalent(&self, other: &Self) -> bool {
        if self.layout.scheme != other.layout.scheme {
            return false;
        }
        if !self.is_sip() {
            return self.scheme_str().eq_ignore_ascii_case(other.scheme_str())
                && self.opaque_part() == other.opaque_part();
        }
        self.same_user_host(other)
            && same_octets(self.password(), other.password())
            && self.layout.port == other.layout.port
            && same_params(self, other)
            && same_headers(self.headers_str(), other.headers_str())
    }

    /// Whether user and host are the same: all that an address of record is.
    /// Escapes are resolved; the user part is compared with regard to case.
    pub fn same_user_host(&self, other: &Self) -> bool {
        let host = match (&self.host, &other.host) {
            (Some(a), Some(b)) => a.same(b),
            (None, None) => self.opaque_part() == other.opaque_part(),
            _ => false,
        };
        host && same_octets(self.user(), other.user())
    }

    /// Whether this is `sips:`.
    pub fn is_sips(&self) -> bool {
        self.layout.scheme == Scheme::Sips
    }
}

fn same_octets(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b || unescape(a) == unescape(b),
        (None, None) => true,
        _ => false,
    }
}

fn same_ignoring_case(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || unescape(a).eq_ignore_ascii_case(&unescape(b))
}

/// Parameters that may not be in one of the two only.
const SIGNIFICANT: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

fn same_params(a: &Uri, b: &Uri) -> bool {
    one_way(a, b) && one_way(b, a)
}

fn one_way(a: &Uri, b: &Uri) -> bool {
    a.params().all(|(name, value)| match b.param(name) {
        Some(found) => same_ignoring_case(value.unwrap_or(""), found),
        None => !SIGNIFICANT.iter().any(|s| name.eq_ignore_ascii_case(s)),
    })
}

/// Headers are never ignored, but their order is.
fn same_headers(a: &str, b: &str) -> bool {
    if a.is_empty() || b.is_empty() {
        return a == b;
    }
    let has = |all: &str, wanted: &str| {
        let (name, value) = wanted.split_once('=').unwrap_or((wanted, ""));
        all.split('&').any(|item| {
            let (n, v) = item.split_once('=').unwrap_or((item, ""));
            same_ignoring_case(n, name) && unescape(v) == unescape(value)
        })
    };
    a.split('&').count() == b.split('&').count()
        && a.split('&').all(|item| has(b, item))
        && b.split('&').all(|item| has(a, item))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn equivalent(a: &str, b: &str) -> bool {
        let (a, b) = (Uri::parse(a).unwrap(), Uri::parse(b).unwrap());
        assert_eq!(a.equivalent(&b), b.equivalent(&a));
        a.equivalent(&b)
    }

    #[test]
    fn examples_of_rfc_3261_section_19_1_4() {
        for (a, b) in [
            (
                "sip:%61lice@atlanta.com;transport=TCP",
                "sip:alice@AtLanTa.CoM;Transport=tcp",
            ),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:carol@chicago.com;security=on",
                "sip:carol@chicago.com;newparam=5",
            ),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
            ("tel:+358-555-1234567", "TEL:+358-555-1234567"),
        ] {
            assert!(equivalent(a, b), "{a} {b}");
        }
        for (a, b) in [
            (
                "SIP:ALICE@AtLanTa.CoM;Transport=udp",
                "sip:alice@AtLanTa.CoM;Transport=UDP",
            ),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            (
                "sip:bob@biloxi.com",
                "sip:bob@biloxi.com:6000;transport=tcp",
            ),
            (
                "sip:carol@chicago.com",
                "sip:carol@chicago.com?Subject=next%20meeting",
            ),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            (
                "sip:carol@chicago.com;security=on",
                "sip:carol@chicago.com;security=off",
            ),
            ("sip:a@b.example", "sips:a@b.example"),
            ("sip:a@b.example", "sip:a:secret@b.example"),
            ("sip:b.example", "sip:a@b.example"),
        ] {
            assert!(!equivalent(a, b), "{a} {b}");
        }
    }
}
