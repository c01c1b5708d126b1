//! What a request that cannot be read says of itself: whose it is.

use crate::NAMESPACE;
use crate::poll::{attribute, number, text};

/// What stands in the start tag of a body, as far as that can be read, whatever is wrong with it or behind it. To be looked at where
/// [`Body::parse`](crate::Body::parse) fails, to find whom to tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The session that it names.
    pub sid: Option<&'a str>,
    /// Its id.
    pub rid: Option<u64>,
    /// It gives a version: its client knows conditions (§17.1).
    pub versed: bool,
}

impl<'a> Claim<'a> {
    /// Reads it. What is no body of BOSH, or is written as no library does (with a prefix, with references in ids), claims nothing.
    pub fn read(octets: &'a [u8]) -> Self {
        let mut claim = Self::default();
        let mut is_ours = false;
        let mut rest = start_tag(octets).unwrap_or_default();
        while let Some((name, value, behind)) = spaced(rest).and_then(attribute) {
            match name {
                b"sid" => claim.sid = claim.sid.or_else(|| text(value)),
                b"rid" => claim.rid = claim.rid.or_else(|| number(value)),
                b"ver" => claim.versed = true,
                b"xmlns" => is_ours = value == NAMESPACE.as_bytes(),
                _ if is_name(name) => {}
                _ => break,
            }
            rest = behind;
        }
        if is_ours { claim } else { Self::default() }
    }
}

/// What is behind the name of the element with which the document begins, if that is right.
fn start_tag(octets: &[u8]) -> Option<&[u8]> {
    let mut rest = octets.trim_ascii_start();
    if rest.starts_with(b"<?xml ") {
        let end = memchr::memmem::find(rest, b"?>")?;
        rest = rest.get(end + 2..)?.trim_ascii_start();
    }
    rest.strip_prefix(b"<body")
}

/// Without the space that must stand before an attribute.
fn spaced(octets: &[u8]) -> Option<&[u8]> {
    let trimmed = octets.trim_ascii_start();
    (trimmed.len() < octets.len()).then_some(trimmed)
}

/// Nothing that ends a tag or an attribute is in it.
fn is_name(octets: &[u8]) -> bool {
    let ends = |octet: &u8| octet.is_ascii_whitespace() || b"<>/&'\"".contains(octet);
    !octets.iter().any(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "xmlns='http://jabber.org/protocol/httpbind'";

    fn claimed(text: &str) -> (Option<&str>, Option<u64>, bool) {
        let claim = Claim::read(text.as_bytes());
        (claim.sid, claim.rid, claim.versed)
    }

    #[test]
    fn what_stands_before_a_fault_is_read() {
        let whole = (Some("0af-9"), Some(7), false);
        for text in [
            format!("<body rid='7' sid='0af-9' {OURS}><presence>"),
            format!("<body rid='7' sid='0af-9' {OURS}>&nbsp;</body>"),
            format!("<body\n{OURS}\trid=\"7\" sid=\"0af-9\" pause='1.5'/>"),
            format!("<body sid='0af-9' rid='7' {OURS} rid='8' sid='x'/>"),
            format!("<body sid='0af-9' rid='7' {OURS} to='a>b<c"),
            format!("<body sid='0af-9' rid='7' {OURS}"),
            format!("<body sid='0af-9' rid='7' {OURS} x <a sid='b'>"),
            format!(" <?xml version='1.0'?>\n<body sid='0af-9' rid='7' {OURS}>\u{1}"),
        ] {
            assert_eq!(claimed(&text), whole, "{text}");
        }
        assert_eq!(
            claimed(&format!("<body {OURS} ver='1.6' rid='x' to='&'>")),
            (None, None, true)
        );
        assert_eq!(
            claimed(&format!("<body {OURS} sid='0af-9' rid='0'/>")),
            (Some("0af-9"), None, false)
        );
    }

    #[test]
    fn what_is_no_body_of_bosh_claims_nothing() {
        let ids = "sid='s' rid='7' ver='1.6'";
        for text in [
            String::new(),
            "hello".into(),
            "<body".into(),
            format!("<body {ids}>"),
            format!("<body {ids} xmlns='jabber:client'>"),
            format!("<bodyguard {ids} {OURS}>"),
            format!("<b:body {ids} {OURS}>"),
            format!("<x/><body {ids} {OURS}>"),
            format!("<!DOCTYPE body><body {ids} {OURS}>"),
            format!("<?xml <body {ids} {OURS}>"),
            format!("<body {ids}{OURS}>"),
            format!("<body {ids} ><x {OURS}>"),
            format!("<body {ids} /><x {OURS}>"),
        ] {
            assert_eq!(claimed(&text), (None, None, false), "{text}");
        }
        // An id is one that could have been given out.
        assert_eq!(claimed(&format!("<body sid='a&amp;b' {OURS}>")).0, None);
        assert_eq!(claimed(&format!("<body sid='\u{e9}' {OURS}>")).0, None);
    }
}
