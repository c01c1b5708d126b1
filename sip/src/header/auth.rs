//! WWW-Authenticate, Authorization and their Proxy- twins (RFC 3261 §20.7, §20.44, RFC 7616 §3.3, §3.4).

use std::{borrow::Cow, fmt};

use crate::{
    Malformed,
    syntax::{is_token, push_quoted, quoted_end, split_byte, trim, unquote},
};

/// Scheme and parameters of a challenge or of credentials, as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Auth {
    text: String,
    /// How long the scheme is, with which the text begins.
    scheme: usize,
}

impl Auth {
    fn parse(text: &str, what: &'static str) -> Result<Self, Malformed> {
        let text = trim(text);
        let end = memchr::memchr2(b' ', b'\t', text.as_bytes()).unwrap_or(text.len());
        if !is_token(text.get(..end).unwrap_or_default().as_bytes()) {
            return Err(Malformed { what });
        }
        Ok(Self {
            text: text.to_owned(),
            scheme: end,
        })
    }

    fn scheme(&self) -> &str {
        self.text.get(..self.scheme).unwrap_or_default()
    }

    fn rest(&self) -> &str {
        trim(self.text.get(self.scheme..).unwrap_or_default())
    }

    /// The value of a parameter without quotes. Missing commas, empty members and quotes where none
    /// belong are passed over: phones send all of them.
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        AuthParams { rest: self.rest() }
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| unquote(value))
    }

    fn is_digest(&self) -> bool {
        self.scheme().eq_ignore_ascii_case("Digest")
    }
}

impl fmt::Display for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.scheme(), self.rest())
    }
}

/// Names and values (as written) of `name=value, name="value"`.
struct AuthParams<'a> {
    rest: &'a str,
}

impl<'a> Iterator for AuthParams<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_start_matches([' ', '\t', ',']);
        let Some((name, rest)) = split_byte(rest, b'=') else {
            self.rest = "";
            return None;
        };
        let rest = rest.trim_start_matches([' ', '\t']);
        let end = quoted_end(rest)
            .or_else(|| rest.find([',', ' ', '\t']))
            .unwrap_or(rest.len());
        let (value, rest) = rest.split_at(end);
        self.rest = rest;
        Some((trim(name), value))
    }
}

macro_rules! auth_type {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            auth: Auth,
        }

        impl $name {
            /// Reads the value of one field.
            pub fn parse(text: &str) -> Result<Self, Malformed> {
                Ok(Self { auth: Auth::parse(text, $what)? })
            }

            /// The scheme, e.g. `Digest`.
            pub fn scheme(&self) -> &str {
                self.auth.scheme()
            }

            /// Whether the scheme is Digest.
            pub fn is_digest(&self) -> bool {
                self.auth.is_digest()
            }

            /// A parameter without quotes.
            pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
                self.auth.get(name)
            }

            /// Names and values of all parameters, as written.
            pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
                AuthParams { rest: self.auth.rest() }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.auth.fmt(f)
            }
        }
    };
}

auth_type! {
    /// A challenge: WWW-Authenticate or Proxy-Authenticate, one field each.
    Challenge, "WWW-Authenticate"
}

auth_type! {
    /// Credentials: Authorization or Proxy-Authorization, one field each.
    Authorization, "Authorization"
}

impl Challenge {
    /// Whether `stale=true`: the password was right, the nonce too old.
    pub fn is_stale(&self) -> bool {
        self.get("stale")
            .is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// Whether `token` is among the values of `qop`.
    pub fn offers_qop(&self, token: &str) -> bool {
        self.get("qop").is_some_and(|list| {
            list.split(',')
                .any(|item| item.trim().eq_ignore_ascii_case(token))
        })
    }
}

/// Writes the parameters of a digest header.
#[derive(Debug)]
pub(crate) struct DigestWriter {
    text: String,
}

impl DigestWriter {
    pub(crate) fn new() -> Self {
        let mut text = String::with_capacity(256);
        text.push_str("Digest");
        Self { text }
    }

    fn name(&mut self, name: &str) {
        self.text
            .push_str(if self.text.len() == 6 { " " } else { ", " });
        self.text.push_str(name);
        self.text.push('=');
    }

    /// A value in quotes.
    pub(crate) fn quoted(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        push_quoted(&mut self.text, value);
        self
    }

    /// A token.
    pub(crate) fn bare(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.text.push_str(value);
        self
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}
