//! Addresses of SIP requests to accounts (RFC 7247 §6). Ports, parameters and passwords are no part of who somebody is.

use presence::{Address, Bare, sip_address};
use sip::{Host, Scheme, Uri};

/// What a URI names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// As an alias would be written: `user@domain` prepared, or `tel:` and the number without separators.
    pub(crate) text: String,
    /// The account it names unless it is an alias.
    pub(crate) direct: Option<Bare>,
    /// The domain is one that is served here.
    pub(crate) served: bool,
}

impl Named {
    /// What names an account by its own name.
    pub(crate) fn of(account: &Bare) -> Self {
        Self {
            text: String::new(),
            direct: Some(account.clone()),
            served: true,
        }
    }
}

/// The served domains.
#[derive(Debug, Clone)]
pub(crate) struct Domains {
    list: Vec<String>,
    public_host: Option<String>,
}

impl Domains {
    pub(crate) fn new(domains: &[String], public_host: Option<&str>) -> Self {
        let prepared =
            |d: &String| Bare::new(None, d).map_or_else(|_| d.clone(), |b| b.as_str().to_owned());
        let host = public_host.map(|h| match h.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
                host.to_ascii_lowercase()
            }
            _ => h.to_ascii_lowercase(),
        });
        Self {
            list: domains.iter().map(prepared).collect(),
            public_host: host,
        }
    }

    pub(crate) fn first(&self) -> &str {
        self.list.first().map_or("localhost", String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(String::as_str)
    }

    /// The served domain that a host stands for: itself, or the first one for an IP address (phones say `sip:101@192.168.1.10`)
    /// and for the name our Contact has.
    pub(crate) fn of_host(&self, host: &Host) -> Option<&str> {
        let Host::Name(name) = host else {
            return Some(self.first());
        };
        let name = name.trim_end_matches('.');
        let served = self.iter().find(|d| d.eq_ignore_ascii_case(name));
        served
            .or_else(|| {
                let prepared = Bare::new(None, name).ok()?;
                self.iter().find(|d| *d == prepared.as_str())
            })
            .or_else(|| {
                let host = self.public_host.as_deref()?;
                host.eq_ignore_ascii_case(name).then(|| self.first())
            })
    }

    /// Whether a URI names this account, where that can be seen without preparing anything; `false` says nothing.
    pub(crate) fn surely(&self, uri: &Uri, account: &Bare) -> bool {
        let (Some(user), Some(Host::Name(host))) = (uri.user(), uri.host()) else {
            return false;
        };
        account.local() == Some(user)
            && is_prepared(user)
            && account.domain() == &**host
            && self.iter().any(|d| d == &**host)
    }

    /// Whom a URI names; `None` when it can name nobody.
    pub(crate) fn read(&self, uri: &Uri) -> Option<Named> {
        match uri.scheme() {
            Scheme::Sip | Scheme::Sips => self.named(uri.user()?, uri.host()?),
            Scheme::Tel => Some(telephone(uri.opaque_part())),
            Scheme::Other => {
                let scheme = uri.scheme_str();
                let known = ["pres", "im"]
                    .iter()
                    .any(|s| scheme.eq_ignore_ascii_case(s));
                let rest = uri.opaque_part().split(['?', ';']).next()?;
                let (user, host) = known.then(|| rest.rsplit_once('@')).flatten()?;
                self.named(user, &Host::parse(host).ok()?)
            }
        }
    }

    fn named(&self, user: &str, host: &Host) -> Option<Named> {
        let served = self.of_host(host);
        let name;
        let domain = match (served, host) {
            (Some(domain), _) => domain,
            (None, Host::Name(foreign)) => foreign,
            (None, host @ Host::Ip(_)) => {
                name = host.to_string();
                &name
            }
        };
        // Parameters in the user part (`+49301;phone-context=…@`) are no part of the number.
        let user = if user.starts_with('+') {
            user.split(';').next()?
        } else {
            user
        };
        let direct = match served {
            Some(domain) if is_prepared(user) => Bare::from_prepared(&[user, "@", domain].concat()),
            _ => sip_address::from_sip(user, domain).ok()?,
        };
        Some(Named {
            text: direct.as_str().to_owned(),
            direct: served.is_some().then_some(direct),
            served: served.is_some(),
        })
    }
}

/// A user that is its own local part: neither escaping nor preparation changes these characters.
fn is_prepared(user: &str) -> bool {
    let plain =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    (1..=255).contains(&user.len()) && user.bytes().all(plain)
}

/// RFC 3966 §3: visual separators and parameters are not the number.
fn telephone(text: &str) -> Named {
    let number = text.split(';').next().unwrap_or_default();
    let number: String = number.chars().filter(|c| !"-.()".contains(*c)).collect();
    Named {
        text: format!("tel:{number}"),
        direct: None,
        served: true,
    }
}

/// The SIP address of record of an account.
pub(crate) fn aor(account: &Bare) -> String {
    match account.local() {
        Some(local) => format!(
            "sip:{}@{}",
            sip_address::to_sip_user(local),
            account.domain()
        ),
        None => format!("sip:{}", account.domain()),
    }
}

/// The SIP address of a sender: with a resource it is a GRUU (RFC 7247 §6.5).
pub(crate) fn gruu(address: &Address) -> String {
    let mut text = aor(&address.bare);
    if let Some(resource) = &address.resource {
        text.push_str(";gr=");
        text.push_str(&sip_address::to_gr(resource));
    }
    text
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(uri: &str) -> Option<Named> {
        let domains = ["office.example".to_owned(), "b.example".to_owned()];
        Domains::new(&domains, Some("sip.office.example:5062")).read(&Uri::parse(uri).unwrap())
    }

    #[test]
    fn who_is_named() {
        for (uri, account) in [
            (
                "sip:ann@office.example:5070;transport=tcp",
                "ann@office.example",
            ),
            ("sips:Ann:pw@OFFICE.example.", "ann@office.example"),
            ("sip:101@192.168.1.10:5080", "101@office.example"),
            ("sip:ann@[2001:db8::1]", "ann@office.example"),
            ("sip:ann@sip.office.example", "ann@office.example"),
            ("sip:o'malley@b.example", "o\\27malley@b.example"),
            ("pres:ann@b.example?x", "ann@b.example"),
            ("sip:+4930;ext=1@b.example;user=phone", "+4930@b.example"),
        ] {
            let named = read(uri).unwrap();
            assert_eq!(
                named.direct.as_ref().map(Bare::as_str),
                Some(account),
                "{uri}"
            );
            assert_eq!(named.text, account);
        }
        let foreign = read("sip:ann@old.example").unwrap();
        assert_eq!(
            (foreign.direct, foreign.served, foreign.text.as_str()),
            (None, false, "ann@old.example")
        );
        assert_eq!(read("tel:+49-30-123;ext=4").unwrap().text, "tel:+4930123");
        for uri in [
            "sip:office.example",
            "http:x@office.example",
            "pres:ann",
            "sip:%FF@b.example",
        ] {
            assert_eq!(read(uri), None, "{uri}");
        }
    }

    #[test]
    fn what_is_sure_is_so() {
        let domains = Domains::new(&["office.example".to_owned()], None);
        let ann = Bare::parse("ann@office.example").unwrap();
        for (uri, sure) in [
            ("sip:ann@office.example", true),
            ("sips:ann@office.example:5061;lr", true),
            ("sip:Ann@office.example", false),
            ("sip:ann@192.0.2.1", false),
            ("sip:ann@old.example", false),
            ("sip:bob@office.example", false),
            ("tel:ann", false),
        ] {
            let uri = Uri::parse(uri).unwrap();
            assert_eq!(domains.surely(&uri, &ann), sure, "{uri}");
            let named = domains.read(&uri).and_then(|n| n.direct);
            assert!(!sure || named.as_ref() == Some(&ann), "{uri}");
        }
        let elsewhere = Bare::parse("ann@old.example").unwrap();
        assert!(!domains.surely(&Uri::parse("sip:ann@old.example").unwrap(), &elsewhere));
    }

    #[test]
    fn what_needs_no_preparation_is_prepared() {
        for user in ["ann", "a.b-c_9", "0", "xn--a"] {
            assert!(is_prepared(user));
            let prepared = sip_address::from_sip(user, "office.example").unwrap();
            assert_eq!(prepared.local(), Some(user));
        }
        for user in [
            "",
            "Ann",
            "a b",
            "a%41",
            "a+b",
            "a'b",
            "\u{e9}",
            &"a".repeat(256),
        ] {
            assert!(!is_prepared(user), "{user}");
        }
    }

    #[test]
    fn and_back() {
        let ann = Address::parse("tschüss@office.example/Büro 1").unwrap();
        assert_eq!(
            gruu(&ann),
            "sip:tsch%C3%BCss@office.example;gr=B%C3%BCro%201"
        );
    }
}
