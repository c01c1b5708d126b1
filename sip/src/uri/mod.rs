//! URIs: `sip:`, `sips:`, and others as opaque text (RFC 3261 §19.1).

mod build;
mod compare;
mod host;

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

pub(crate) use host::{parse_ipv6, split_host_port};
pub use {build::UriBuilder, host::Host};

use crate::{
    Malformed,
    params::{self, lookup},
    syntax::{is_token, split_byte, unescape},
};

/// The scheme of a [`Uri`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`: every hop over TLS (RFC 3261 §26.2.2, RFC 5630).
    Sips,
    /// `tel:` (RFC 3966), kept as text.
    Tel,
    /// Any other (`pres:`, `im:`, `http:` …), kept as text.
    Other,
}

/// A URI that keeps the text it was read from.
///
/// `==` compares the text; what RFC 3261 means with equal is [`Uri::equivalent`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Uri {
    text: Arc<str>,
    host: Option<Host>,
    layout: Layout,
}

/// Where the parts of a URI are in its text.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Layout {
    scheme: Scheme,
    user: Option<Span>,
    password: Option<Span>,
    host: Option<Span>,
    port: Option<u16>,
    params: Span,
    headers: Span,
}

/// A range of the text of a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or("")
    }
}

const WHAT: Malformed = Malformed { what: "URI" };

impl Layout {
    fn new(scheme: Scheme) -> Self {
        Self {
            scheme,
            user: None,
            password: None,
            host: None,
            port: None,
            params: Span::default(),
            headers: Span::default(),
        }
    }

    /// `sip:user@host:port` and no more, as nearly all are; `None` says nothing.
    fn plain(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let rest = bytes.strip_prefix(b"sip:")?;
        let user_end = 4 + rest.iter().position(|&b| !is_unreserved(b))?;
        if user_end == 4 || bytes.get(user_end) != Some(&b'@') {
            return None;
        }
        let host = bytes.get(user_end + 1..)?;
        let name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
        let length = host.iter().position(|b| !name(b)).unwrap_or(host.len());
        let host_end = user_end + 1 + length;
        let port = match host.get(length..)? {
            [] => None,
            [b':', digits @ ..] if digits.len() <= 4 && matches!(digits, [b'1'..=b'9', ..]) => {
                let digit = |port: u16, b: &u8| {
                    let digit = b.is_ascii_digit().then(|| u16::from(b - b'0'))?;
                    Some(port * 10 + digit)
                };
                Some(digits.iter().try_fold(0, digit)?)
            }
            _ => return None,
        };
        Some(Self {
            user: Some(Span::new(4, user_end)),
            host: Some(Span::new(user_end + 1, host_end)),
            port,
            params: Span::new(text.len(), text.len()),
            ..Self::new(Scheme::Sip)
        })
    }

    fn read(text: &str) -> Result<Self, Malformed> {
        match Self::plain(text) {
            Some(layout) => Ok(layout),
            None => Self::read_any(text),
        }
    }

    fn read_any(text: &str) -> Result<Self, Malformed> {
        if text
            .bytes()
            .any(|b| b <= b' ' || b == 0x7f || matches!(b, b'<' | b'>' | b'"'))
        {
            return Err(WHAT);
        }
        let colon = memchr::memchr(b':', text.as_bytes()).ok_or(WHAT)?;
        match scheme(&text[..colon])? {
            scheme @ (Scheme::Sip | Scheme::Sips) => Self::read_sip(text, scheme, colon + 1),
            _ if colon + 1 == text.len() => Err(WHAT),
            scheme => Ok(Self::new(scheme)),
        }
    }

    fn read_sip(text: &str, scheme: Scheme, start: usize) -> Result<Self, Malformed> {
        let mut layout = Self::new(scheme);
        let rest = &text[start..];
        // The user part may hold `;` and `?`, so the first thing to find is the `@` (RFC 3261 §25.1).
        let host_at = match memchr::memchr(b'@', rest.as_bytes()) {
            Some(at) => {
                layout.read_userinfo(text, start, start + at)?;
                start + at + 1
            }
            None => start,
        };
        let tail = &text[host_at..];
        let host_end = memchr::memchr2(b';', b'?', tail.as_bytes()).unwrap_or(tail.len());
        let (host, port) = split_host_port(&tail[..host_end]).map_err(|_| WHAT)?;
        layout.host = Some(Span::new(host_at, host_at + host.len()));
        layout.port = port;
        let params_at = host_at + host_end;
        let tail = &tail[host_end..];
        let params_end = memchr::memchr(b'?', tail.as_bytes()).unwrap_or(tail.len());
        check_params(&tail[..params_end])?;
        layout.params = Span::new(params_at, params_at + params_end);
        if params_end < tail.len() {
            let headers = &tail[params_end + 1..];
            if headers.is_empty() || !is_headers(headers) {
                return Err(WHAT);
            }
            layout.headers = Span::new(params_at + params_end + 1, text.len());
        }
        Ok(layout)
    }

    fn read_userinfo(&mut self, text: &str, start: usize, end: usize) -> Result<(), Malformed> {
        let userinfo = &text[start..end];
        let (user, password) = match split_byte(userinfo, b':') {
            Some((user, password)) => (user, Some(password)),
            None => (userinfo, None),
        };
        if user.is_empty() || !is_user(user) || !password.is_none_or(is_password) {
            return Err(WHAT);
        }
        let user_end = start + user.len();
        self.user = Some(Span::new(start, user_end));
        self.password = password.map(|_| Span::new(user_end + 1, end));
        Ok(())
    }
}

impl Uri {
    /// Reads a URI; `text` has no angle brackets and no white space.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let layout = Layout::read(text)?;
        let host = match layout.host {
            Some(span) => Some(Host::parse(span.of(text)).map_err(|_| WHAT)?),
            None => None,
        };
        Ok(Self {
            text: text.into(),
            host,
            layout,
        })
    }

    /// Checks like [`Uri::parse`].
    pub(crate) fn check(text: &str) -> Result<(), Malformed> {
        match Layout::read(text)?.host {
            Some(span) => Host::check(span.of(text)).map_err(|_| WHAT),
            None => Ok(()),
        }
    }

    /// Text that is not looked into: what stands in for a Request-URI that cannot be read.
    pub(crate) fn opaque(text: &str) -> Self {
        Self {
            text: text.into(),
            host: None,
            layout: Layout::new(Scheme::Other),
        }
    }

    /// The URI as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.layout.scheme
    }

    /// Whether it is `sip:user@host` or `sip:user@host:port` in plain letters, without anything else.
    pub fn is_plain(&self) -> bool {
        Layout::plain(&self.text).is_some()
    }

    /// The scheme as written, without the colon.
    pub fn scheme_str(&self) -> &str {
        self.text.split(':').next().unwrap_or("")
    }

    /// Whether this is `sip:` or `sips:`.
    pub fn is_sip(&self) -> bool {
        matches!(self.layout.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// What follows the scheme: the number of `tel:`, the address of `pres:`.
    pub fn opaque_part(&self) -> &str {
        self.text.split_once(':').map_or("", |(_, rest)| rest)
    }

    /// The user part as written, with escapes.
    pub fn user(&self) -> Option<&str> {
        self.layout.user.map(|span| span.of(&self.text))
    }

    /// The user part without escapes; octets, for an escape may stand for any (RFC 4475 §3.1.1.4).
    pub fn user_bytes(&self) -> Option<Cow<'_, [u8]>> {
        self.user().map(unescape)
    }

    /// The user part without escapes, if it is UTF-8.
    pub fn user_decoded(&self) -> Option<String> {
        String::from_utf8(self.user_bytes()?.into_owned()).ok()
    }

    /// The password as written. RFC 3261 §19.1.1 advises against it.
    pub fn password(&self) -> Option<&str> {
        self.layout.password.map(|span| span.of(&self.text))
    }

    /// The host; there always is one in `sip:` and `sips:`, never in others.
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// The port, if one is written.
    pub fn port(&self) -> Option<u16> {
        self.layout.port
    }

    /// URI parameters as text: empty, or starting with `;`.
    pub fn params_str(&self) -> &str {
        self.layout.params.of(&self.text)
    }

    /// Names and values of the URI parameters, as written.
    pub fn params(&self) -> params::Iter<'_> {
        params::Iter::new(self.params_str())
    }

    /// The value of a URI parameter as written, `""` for a flag.
    pub fn param(&self, name: &str) -> Option<&str> {
        lookup(self.params_str(), name)
    }

    /// Headers behind `?` as text, without the `?`.
    pub fn headers_str(&self) -> &str {
        self.layout.headers.of(&self.text)
    }

    /// `transport` parameter, as written.
    pub fn transport(&self) -> Option<&str> {
        self.param("transport")
    }

    /// `maddr` parameter.
    pub fn maddr(&self) -> Option<Host> {
        Host::parse(self.param("maddr")?).ok()
    }

    /// `lr`: the element routes loosely (RFC 3261 §19.1.1).
    pub fn is_lr(&self) -> bool {
        self.param("lr").is_some()
    }

    /// `ob`: the contact asks for its flow to be used (RFC 5626 §4.3).
    pub fn is_ob(&self) -> bool {
        self.param("ob").is_some()
    }

    /// `gr`: a GRUU (RFC 5627 §3.1); `""` without a value (a temporary one).
    pub fn gr(&self) -> Option<&str> {
        self.param("gr")
    }

    /// The port to send to: the written one, or 5060, or 5061 for `sips:` and `transport=tls`.
    pub fn port_or_default(&self) -> u16 {
        let tls = self.layout.scheme == Scheme::Sips
            || self
                .transport()
                .is_some_and(|t| t.eq_ignore_ascii_case("tls"));
        self.layout.port.unwrap_or(if tls { 5061 } else { 5060 })
    }
}

impl FromStr for Uri {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({:?})", self.text)
    }
}

fn scheme(text: &str) -> Result<Scheme, Malformed> {
    let known = [
        ("sip", Scheme::Sip),
        ("sips", Scheme::Sips),
        ("tel", Scheme::Tel),
    ];
    for (name, scheme) in known {
        if text.eq_ignore_ascii_case(name) {
            return Ok(scheme);
        }
    }
    let valid = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if valid { Ok(Scheme::Other) } else { Err(WHAT) }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')'
        )
}

/// Octets beyond ASCII are let through: phones send names in UTF-8 without escaping them. A `%` that
/// begins no escape is let through too and stands for itself.
fn chars(text: &str, also: &[u8]) -> bool {
    text.bytes()
        .all(|b| is_unreserved(b) || b == b'%' || b >= 0x80 || also.contains(&b))
}

fn is_user(text: &str) -> bool {
    chars(text, b"&=+$,;?/#[]")
}

fn is_password(text: &str) -> bool {
    chars(text, b"&=+$,:;?/#")
}

fn is_headers(text: &str) -> bool {
    chars(text, b"&=[]/?:+$,;@")
}

fn check_params(text: &str) -> Result<(), Malformed> {
    if text.is_empty() || text == ";" {
        return Ok(());
    }
    for (name, value) in params::Iter::new(text) {
        let valid = (is_token(name.as_bytes()) || chars(name, b"[]/:&+$"))
            && !name.is_empty()
            && chars(value.unwrap_or(""), b"[]/:&+$@,=");
        if !valid {
            return Err(WHAT);
        }
    }
    Ok(())
}

#[cfg(test)]
mod plain_tests {
    use proptest::prelude::*;

    use super::*;

    fn piece() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "ann",
            "@",
            ":",
            "5060",
            "05",
            "99999",
            ".",
            "-",
            "office",
            "example",
            "_",
            "%41",
            ";lr",
            "?a=b",
            "[::1]",
            "192.0.2.1",
            " ",
            "!",
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]
        #[test]
        fn what_is_plain_is_read_alike(pieces in prop::collection::vec(piece(), 0..7)) {
            let text = format!("sip:ann@{}", pieces.concat());
            for text in [text.as_str(), &text.replace("ann@", ""), &text.to_uppercase()] {
                if let Some(plain) = Layout::plain(text) {
                    prop_assert!(Layout::read_any(text).is_ok_and(|any| any == plain), "{}", text);
                }
            }
        }
    }
}
