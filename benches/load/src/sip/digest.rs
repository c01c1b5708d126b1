//! Digest as a phone does it: MD5, with `qop=auth` where it is offered (RFC 2617, RFC 7616).

use std::fmt::Write as _;

use md5::{Digest, Md5};

/// A challenge that was met, and how often its nonce was used.
pub(crate) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    qop: bool,
    ha1: String,
    count: u32,
    header: &'static str,
}

impl Challenge {
    /// Understands one challenge; `None` where it is not for MD5.
    pub(crate) fn read(value: &[u8], user: &str, password: &str, proxy: bool) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let text = text.strip_prefix("Digest")?;
        let algorithm = parameter(text, "algorithm");
        if algorithm.is_some_and(|name| !name.eq_ignore_ascii_case("md5")) {
            return None;
        }
        let realm = parameter(text, "realm")?.to_owned();
        Some(Self {
            ha1: hex(&[user, &realm, password]),
            nonce: parameter(text, "nonce")?.to_owned(),
            opaque: parameter(text, "opaque").map(str::to_owned),
            qop: parameter(text, "qop").is_some_and(|qop| qop.contains("auth")),
            realm,
            count: 0,
            header: if proxy {
                "Proxy-Authorization"
            } else {
                "Authorization"
            },
        })
    }

    /// The header field for one more request.
    pub(crate) fn field(&mut self, user: &str, method: &str, uri: &str, out: &mut String) {
        self.count += 1;
        let ha2 = hex(&[method, uri]);
        let count = format!("{:08x}", self.count);
        let cnonce = "0a4f113b";
        let response = if self.qop {
            hex(&[&self.ha1, &self.nonce, &count, cnonce, "auth", &ha2])
        } else {
            hex(&[&self.ha1, &self.nonce, &ha2])
        };
        let _ = write!(
            out,
            "{}: Digest username=\"{user}\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", response=\"{response}\", algorithm=MD5",
            self.header, self.realm, self.nonce
        );
        if self.qop {
            let _ = write!(out, ", qop=auth, nc={count}, cnonce=\"{cnonce}\"");
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(out, ", opaque=\"{opaque}\"");
        }
        out.push_str("\r\n");
    }
}

/// MD5 of parts joined by colons, in hexadecimal.
fn hex(parts: &[&str]) -> String {
    let mut hash = Md5::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hash.update(b":");
        }
        hash.update(part.as_bytes());
    }
    let mut text = String::with_capacity(32);
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A parameter of a challenge, quoted or not.
fn parameter<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (value, remains) = if let Some(quoted) = after.strip_prefix('"') {
            quoted.split_once('"')?
        } else {
            let end = after.find([',', ' ']).unwrap_or(after.len());
            after.split_at(end)
        };
        let found = before.trim_matches([',', ' ', '\t']);
        if found.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = remains;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 2617 §3.5, with our own cnonce the response would differ: without qop it is fixed.
        let value = b"Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc\"";
        let mut challenge =
            Challenge::read(value, "Mufasa", "Circle Of Life", false).expect("challenge");
        let mut out = String::new();
        challenge.field("Mufasa", "GET", "/dir/index.html", &mut out);
        assert!(
            out.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""),
            "{out}"
        );
        assert!(out.contains("opaque=\"5ccc\""), "{out}");
        assert!(!out.contains("qop"), "{out}");
    }

    #[test]
    fn parameters_stand_in_any_order() {
        let text = " algorithm=MD5, qop=\"auth,auth-int\", realm=\"a, b=c\", stale=false";
        assert_eq!(parameter(text, "realm"), Some("a, b=c"));
        assert_eq!(parameter(text, "QOP"), Some("auth,auth-int"));
        assert_eq!(parameter(text, "stale"), Some("false"));
        assert_eq!(parameter(text, "b"), None);
    }
}
