//! Making URIs.

use std::fmt::Write as _;

use super::{Host, Scheme, Uri};
use crate::Malformed;

/// Builds a `sip:` or `sips:` URI; what cannot stand in a part is escaped.
#[derive(Debug, Clone)]
pub struct UriBuilder {
    scheme: Scheme,
    user: Option<String>,
    host: Host,
    port: Option<u16>,
    params: String,
}

impl Uri {
    /// Begins a `sip:` URI.
    pub fn build(host: Host) -> UriBuilder {
        UriBuilder {
            scheme: Scheme::Sip,
            user: None,
            host,
            port: None,
            params: String::new(),
        }
    }

    /// `sip:user@host`; `user` is plain text, escaped where needed.
    pub fn sip(user: &str, host: &str) -> Result<Self, Malformed> {
        Self::build(Host::parse(host)?).user(user).finish()
    }

    /// The address of record in it: scheme, user and host, without password, port, parameters and headers
    /// (RFC 3261 §10.3 step 5). URIs of other schemes are returned as they are.
    pub fn address_of_record(&self) -> Self {
        let Some(host) = &self.host else {
            return self.clone();
        };
        let mut text = String::with_capacity(self.text.len());
        text.push_str(if self.is_sips() { "sips:" } else { "sip:" });
        if let Some(user) = self.user() {
            text.push_str(user);
            text.push('@');
        }
        let _ = write!(text, "{host}");
        Self::parse(&text).unwrap_or_else(|_| self.clone())
    }

    /// The URI with a parameter set or, with `None`, removed. `Some("")` makes a flag.
    /// URIs of other schemes are returned as they are.
    pub fn with_param(&self, name: &str, value: Option<&str>) -> Self {
        if !self.is_sip() {
            return self.clone();
        }
        let mut text = self.text[..self.layout.params.start as usize].to_owned();
        for (old, kept) in self.params() {
            if !old.eq_ignore_ascii_case(name) {
                push_param(&mut text, old, kept);
            }
        }
        if let Some(value) = value {
            let value = escape(value, b"[]/:&+$");
            push_param(&mut text, name, (!value.is_empty()).then_some(&value));
        }
        if !self.headers_str().is_empty() {
            text.push('?');
            text.push_str(self.headers_str());
        }
        Self::parse(&text).unwrap_or_else(|_| self.clone())
    }
}

impl UriBuilder {
    /// Makes it `sips:`.
    pub fn sips(mut self) -> Self {
        self.scheme = Scheme::Sips;
        self
    }

    /// Sets the user part from plain text.
    pub fn user(mut self, user: &str) -> Self {
        self.user = (!user.is_empty()).then(|| escape(user, b"&=+$,;?/"));
        self
    }

    /// Sets the port.
    pub fn port(mut self, port: Option<u16>) -> Self {
        self.port = port;
        self
    }

    /// Adds a parameter; `None` makes a flag. The value is plain text, escaped where needed.
    pub fn param(mut self, name: &str, value: Option<&str>) -> Self {
        let value = value.map(|v| escape(v, b"[]/:&+$"));
        push_param(&mut self.params, name, value.as_deref());
        self
    }

    /// The URI; fails if a parameter's name is not a token.
    pub fn finish(self) -> Result<Uri, Malformed> {
        let mut text = String::with_capacity(48);
        text.push_str(match self.scheme {
            Scheme::Sips => "sips:",
            _ => "sip:",
        });
        if let Some(user) = &self.user {
            text.push_str(user);
            text.push('@');
        }
        let _ = write!(text, "{}", self.host);
        if let Some(port) = self.port {
            let _ = write!(text, ":{port}");
        }
        text.push_str(&self.params);
        Uri::parse(&text)
    }
}

fn push_param(text: &mut String, name: &str, value: Option<&str>) {
    text.push(';');
    text.push_str(name);
    if let Some(value) = value {
        text.push('=');
        text.push_str(value);
    }
}

fn escape(text: &str, also: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if super::is_unreserved(byte) || also.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn parts_are_escaped_and_read_back() {
        let user = "a b@c:d\"e/\u{e9}";
        let uri = Uri::sip(user, "[2001:db8::1]").unwrap();
        assert_eq!(uri.as_str(), "sip:a%20b%40c%3Ad%22e/%C3%A9@[2001:db8::1]");
        assert_eq!(uri.user_decoded().as_deref(), Some(user));
        let host = Host::parse("example.com").unwrap();
        let uri = Uri::build(host)
            .sips()
            .user("ann")
            .port(Some(5071))
            .param("gr", Some("urn:uuid:1;2"))
            .param("ob", None)
            .finish()
            .unwrap();
        assert_eq!(
            uri.as_str(),
            "sips:ann@example.com:5071;gr=urn:uuid:1%3B2;ob"
        );
        assert!(uri.is_ob());
        assert_eq!(uri.address_of_record().as_str(), "sips:ann@example.com");
        assert!(Uri::sip("ann", "not a host").is_err());
    }

    #[test]
    fn parameters_are_set_and_removed() {
        let uri = Uri::parse("sip:a@b.example;lr;x=1?h=v").unwrap();
        let set = uri.with_param("transport", Some("tcp"));
        assert_eq!(set.as_str(), "sip:a@b.example;lr;x=1;transport=tcp?h=v");
        assert_eq!(
            set.with_param("LR", None).as_str(),
            "sip:a@b.example;x=1;transport=tcp?h=v"
        );
        let bare = Uri::parse("sip:b.example").unwrap();
        assert_eq!(bare.with_param("lr", Some("")).as_str(), "sip:b.example;lr");
    }
}
