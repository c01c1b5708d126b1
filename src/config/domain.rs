//! A domain name, checked once.

/// A domain name in both of its forms (RFC 5890 §2.3.2.1), lower case, without a trailing dot.
///
/// XMPP speaks the Unicode form (RFC 7622 §3.2), SIP, DNS and certificates the ASCII form. An IPv4 address is
/// taken as it is; an IPv6 address is not a domain here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain {
    /// With U-labels: what XMPP addresses contain.
    pub unicode: String,
    /// With A-labels: what SIP addresses, DNS and certificates contain.
    pub ascii: String,
}

impl Domain {
    /// Checks and normalises a name. The error says in a few words what is wrong.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err("is empty");
        }
        if text.contains('@') {
            return Err("is an address, not a domain");
        }
        if text.contains(':') || text.contains('/') {
            return Err("must be a bare domain name without scheme, port or path");
        }
        let ascii = idna::domain_to_ascii_strict(text).map_err(|_| "is not a valid domain name")?;
        let (unicode, checked) = idna::domain_to_unicode(&ascii);
        checked.map_err(|_| "is not a valid domain name")?;
        Ok(Self { unicode, ascii })
    }
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.unicode)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn both_forms() {
        let domain = Domain::parse("Büro.Example.").unwrap();
        assert_eq!(domain.unicode, "büro.example");
        assert_eq!(domain.ascii, "xn--bro-hoa.example");
        assert_eq!(Domain::parse("xn--bro-hoa.example").unwrap(), domain);
        assert_eq!(Domain::parse("localhost").unwrap().ascii, "localhost");
        assert_eq!(Domain::parse("192.0.2.1").unwrap().ascii, "192.0.2.1");
    }

    #[test]
    fn refused() {
        for bad in [
            "",
            ".",
            "a..b",
            "a b",
            "ann@office.example",
            "https://x",
            "x:5222",
            "-a.example",
            "a_b.example",
            "::1",
        ] {
            assert!(Domain::parse(bad).is_err(), "{bad}");
        }
        assert!(Domain::parse(&"a".repeat(64)).is_err());
    }
}
