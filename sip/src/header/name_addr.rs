//! `name-addr` and `addr-spec` with parameters: From, To, Route, Record-Route, Path, Refer-To,
//! P-Asserted-Identity … (RFC 3261 §20.10, §25.1).

use std::fmt;

use crate::{
    Malformed,
    params::{self, Params},
    syntax::{is_token, push_quoted, quoted_end, trim, unquote},
    uri::Uri,
};

/// An address with an optional display name and parameters of the header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name, without quotes and escapes.
    pub display_name: Option<String>,
    /// The URI.
    pub uri: Uri,
    /// Parameters of the header field (not of the URI), e.g. `tag`.
    pub params: Params,
}

/// The parts of an address as text.
pub(super) struct Parts<'a> {
    pub(super) display: &'a str,
    pub(super) uri: &'a str,
    pub(super) params: &'a str,
}

impl NameAddr {
    /// An address without display name and parameters.
    pub fn new(uri: Uri) -> Self {
        Self {
            display_name: None,
            uri,
            params: Params::new(),
        }
    }

    /// Reads one address; `what` names the field in the error.
    pub fn parse(text: &str, what: &'static str) -> Result<Self, Malformed> {
        let parts = split(text, what)?;
        params::check(parts.params, what)?;
        let display = unquote(parts.display);
        Ok(Self {
            display_name: (!parts.display.is_empty()).then(|| display.into_owned()),
            uri: Uri::parse(parts.uri).map_err(|_| Malformed { what })?,
            params: Params::from_checked(parts.params),
        })
    }

    /// Reads one address of which only the URI matters.
    pub(crate) fn parse_uri(text: &str, what: &'static str) -> Result<Uri, Malformed> {
        let parts = split(text, what)?;
        params::check(parts.params, what)?;
        Uri::parse(parts.uri).map_err(|_| Malformed { what })
    }

    /// Checks one address like [`NameAddr::parse`].
    pub(crate) fn check(text: &str, what: &'static str) -> Result<(), Malformed> {
        let parts = split(text, what)?;
        params::check(parts.params, what)?;
        Uri::check(parts.uri).map_err(|_| Malformed { what })
    }

    /// The `tag` parameter; an empty one is none.
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// `self` with a `tag`.
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", Some(tag));
        self
    }
}

impl NameAddr {
    /// As it is printed, with a tag unless that is empty.
    pub(crate) fn to_text(&self, tag: &str) -> String {
        let name = self.display_name.as_deref().unwrap_or_default();
        let (uri, params) = (self.uri.as_str(), self.params.as_str());
        let length = name.len() + uri.len() + params.len() + tag.len() + 16;
        let mut out = String::with_capacity(length);
        if self.display_name.is_some() {
            push_quoted(&mut out, name);
            out.push(' ');
        }
        for part in ["<", uri, ">", params] {
            out.push_str(part);
        }
        if !tag.is_empty() {
            out.push_str(";tag=");
            out.push_str(tag);
        }
        out
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(""))
    }
}

/// Takes an address apart.
pub(super) fn split<'a>(text: &'a str, what: &'static str) -> Result<Parts<'a>, Malformed> {
    let error = Malformed { what };
    let text = trim(text);
    let (display, rest) = if text.starts_with('"') {
        let end = quoted_end(text).ok_or(error)?;
        (&text[..end], trim(&text[end..]))
    } else {
        match memchr::memchr(b'<', text.as_bytes()) {
            Some(at) => (trim(&text[..at]), &text[at..]),
            None => return split_bare(text, error),
        }
    };
    let rest = rest.strip_prefix('<').ok_or(error)?;
    let end = memchr::memchr(b'>', rest.as_bytes()).ok_or(error)?;
    if !display.starts_with('"') && !is_display(display) {
        return Err(error);
    }
    Ok(Parts {
        display,
        uri: &rest[..end],
        params: trim(&rest[end + 1..]),
    })
}

/// Without brackets everything behind the first `;` belongs to the header field, and neither `?` nor
/// `,` may be in the URI (RFC 3261 §20.10).
fn split_bare(text: &str, error: Malformed) -> Result<Parts<'_>, Malformed> {
    let end = memchr::memchr(b';', text.as_bytes()).unwrap_or(text.len());
    let (uri, params) = text.split_at(end);
    let uri = trim(uri);
    if memchr::memchr2(b'?', b',', uri.as_bytes()).is_some() {
        return Err(error);
    }
    Ok(Parts {
        display: "",
        uri,
        params,
    })
}

/// A display name without quotes: tokens. What phones send beyond ASCII without quotes is let through.
fn is_display(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    text.split([' ', '\t'])
        .filter(|word| !word.is_empty())
        .all(|word| word.bytes().all(|b| b >= 0x80 || is_token(&[b])))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_printed() {
        for (text, display, uri, tag) in [
            (
                "\"A \\\"x\\\" <y>\" <sip:a@b>;tag=1",
                Some("A \"x\" <y>"),
                "sip:a@b",
                Some("1"),
            ),
            (
                "Ann B.<sip:a@b;lr> ; tag = 2",
                Some("Ann B."),
                "sip:a@b;lr",
                Some("2"),
            ),
            ("sip:a@b;tag=3", None, "sip:a@b", Some("3")),
            ("<tel:+1;x=y>", None, "tel:+1;x=y", None),
            ("Zo\u{eb} <sip:a@b>;tag=", Some("Zo\u{eb}"), "sip:a@b", None),
        ] {
            let address = NameAddr::parse(text, "To").unwrap();
            assert_eq!(address.display_name.as_deref(), display);
            assert_eq!((address.uri.as_str(), address.tag()), (uri, tag));
            assert_eq!(
                NameAddr::parse(&address.to_string(), "To").unwrap().uri,
                address.uri
            );
            assert!(NameAddr::check(text, "To").is_ok());
        }
        for text in [
            "",
            "<sip:a@b",
            "\"a <sip:a@b>",
            "a, b <sip:a@b>",
            "<sip:a@b>x",
            "<sip:a@b>;tag=1;tag=2",
            "<a b>",
        ] {
            assert!(NameAddr::parse(text, "To").is_err(), "{text}");
            assert!(NameAddr::check(text, "To").is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_printed_cannot_break_out() {
        let mut address = NameAddr::new(Uri::parse("sip:a@b").unwrap());
        address.display_name = Some("x\"\r\nVia: y".to_owned());
        let text = address.with_tag("1").to_string();
        assert_eq!(text, "\"x\\\"  Via: y\" <sip:a@b>;tag=1");
    }
}
