//! Preparation of the three parts (RFC 7622 §3.2 to §3.4): ASCII is judged by a look at its bytes, all else by PRECIS and IDNA.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use precis_profiles::precis_core::{DerivedPropertyValue, FreeformClass, StringClass};
use precis_profiles::{OpaqueString, UsernameCaseMapped};

use super::AddressError;

/// The most octets of each part, after preparation.
const MAX_OCTETS: usize = 1023;

/// The most octets of a domain name as the DNS sees it, without the dot at the end (RFC 1034 §3.1), and of one label.
const MAX_DNS: usize = 253;
const MAX_LABEL: usize = 63;

/// Allowed by the IdentifierClass, but not in a local part (RFC 7622 §3.3.1).
const EXCLUDED: [u8; 8] = *b"\"&'/:<>@";

/// What a look at the bytes tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ascii {
    /// Prepared as it stands.
    Prepared,
    /// Needs lower case only.
    Upper,
    /// Cannot be.
    Bad,
    /// Not ASCII, or ASCII that needs more than a look.
    Other,
}

/// A local part: UsernameCaseMapped (RFC 8265 §3.3) without the excluded characters.
pub(super) fn local(text: &str) -> Result<Cow<'_, str>, AddressError> {
    let bad = AddressError::Local;
    let prepared = match ascii_local(text.as_bytes()) {
        Ascii::Bad => return Err(bad),
        Ascii::Prepared => Cow::Borrowed(text),
        Ascii::Upper => Cow::Owned(text.to_ascii_lowercase()),
        Ascii::Other => stable(text, |t| UsernameCaseMapped::enforce(t).ok()).ok_or(bad)?,
    };
    // Mapping can bring forth what was not there before: the width of U+FF20 makes it an @.
    let fits = sized(&prepared) && !prepared.bytes().any(|b| EXCLUDED.contains(&b));
    if fits { Ok(prepared) } else { Err(bad) }
}

/// A resource: OpaqueString (RFC 8265 §4.2). A space in front is an error by RFC 7622 table 2, example 18, though the profile would
/// take it.
pub(super) fn resource(text: &str) -> Result<Cow<'_, str>, AddressError> {
    let bad = AddressError::Resource;
    let prepared = if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        Cow::Borrowed(text)
    } else {
        stable(text, |t| opaque(&t).map(Cow::Owned)).ok_or(bad)?
    };
    if sized(&prepared) && !prepared.starts_with(' ') {
        Ok(prepared)
    } else {
        Err(bad)
    }
}

/// A domain: a name with U-labels, an IPv4 address, or an IPv6 address in brackets; never with a dot at its end.
pub(super) fn domain(text: &str) -> Result<Cow<'_, str>, AddressError> {
    let text = text.strip_suffix('.').unwrap_or(text);
    match ascii_domain(text.as_bytes()) {
        Ascii::Bad => Err(AddressError::Domain),
        Ascii::Prepared => Ok(Cow::Borrowed(text)),
        Ascii::Upper => Ok(Cow::Owned(text.to_ascii_lowercase())),
        Ascii::Other if text.starts_with('[') => {
            ipv6(text).map(Cow::Owned).ok_or(AddressError::Domain)
        }
        Ascii::Other => internationalized(text)
            .map(Cow::Owned)
            .ok_or(AddressError::Domain),
    }
}

/// The OpaqueString profile for today's Unicode. The tables behind it end with Unicode 6.3, so it knows no emoji of the last ten years;
/// PRECIS itself follows Unicode (RFC 8264 §11). What is newer is let through when the standard library knows it as printable: a
/// letter, a symbol, never a format character. Nothing of it composes with its neighbours, so what stands between is prepared by itself.
fn opaque(text: &str) -> Option<String> {
    let class = FreeformClass::default();
    let newer =
        |c: char| !c.is_ascii() && class.get_value_from_char(c) == DerivedPropertyValue::Unassigned;
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(newer) {
        let last = piece.chars().next_back().filter(|c| newer(*c));
        let known = last.and_then(|c| piece.strip_suffix(c)).unwrap_or(piece);
        if !known.is_empty() {
            out.push_str(&OpaqueString::enforce(known).ok()?);
        }
        if let Some(c) = last {
            // A character that is not printable is escaped, which makes it several.
            if c.escape_debug().count() != 1 {
                return None;
            }
            out.push(c);
        }
    }
    Some(out)
}

fn sized(text: &str) -> bool {
    (1..=MAX_OCTETS).contains(&text.len())
}

/// Applies a profile until its result no longer changes (RFC 8264 §7 allows up to four times; then it is an error).
fn stable(
    text: &str,
    enforce: impl Fn(String) -> Option<Cow<'static, str>>,
) -> Option<Cow<'_, str>> {
    // No character shrinks by more than a factor of three, so this is not a name: do not spend time on it.
    if text.len() > 4 * MAX_OCTETS {
        return None;
    }
    let mut last = enforce(text.to_owned())?;
    for _ in 0..3 {
        let next = enforce(last.clone().into_owned())?;
        if next == last {
            return Some(Cow::Owned(last.into_owned()));
        }
        last = next;
    }
    None
}

fn ascii_local(bytes: &[u8]) -> Ascii {
    let mut found = if bytes.is_empty() {
        Ascii::Bad
    } else {
        Ascii::Prepared
    };
    for b in bytes {
        match b {
            0x80.. => return Ascii::Other,
            0..=b' ' | 0x7f => found = Ascii::Bad,
            b'A'..=b'Z' if found == Ascii::Prepared => found = Ascii::Upper,
            _ => {}
        }
    }
    found
}

/// Letters, digits and hyphens in labels (RFC 5890 §2.3.1). A label with hyphens in third and fourth place may be an A-label.
fn ascii_domain(bytes: &[u8]) -> Ascii {
    if bytes.first() == Some(&b'[') || !bytes.is_ascii() {
        return Ascii::Other;
    }
    if bytes.is_empty() || bytes.len() > MAX_DNS {
        return Ascii::Bad;
    }
    let mut found = Ascii::Prepared;
    for label in bytes.split(|b| *b == b'.') {
        if label.is_empty()
            || label.len() > MAX_LABEL
            || label.first() == Some(&b'-')
            || label.last() == Some(&b'-')
        {
            return Ascii::Bad;
        }
        if label.get(2..4) == Some(b"--") {
            return Ascii::Other;
        }
        for b in label {
            match b {
                b'a'..=b'z' | b'0'..=b'9' | b'-' => {}
                b'A'..=b'Z' => found = Ascii::Upper,
                _ => return Ascii::Bad,
            }
        }
    }
    found
}

fn ipv6(text: &str) -> Option<String> {
    let address: Ipv6Addr = text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?;
    Some(format!("[{address}]"))
}

/// To U-labels by UTS 46 without transitional mapping, which is IDNA2008 with the mappings of RFC 5895; bidi and joiner rules on.
fn internationalized(text: &str) -> Option<String> {
    if text.len() > MAX_OCTETS {
        return None;
    }
    let idna = Uts46::new();
    let ascii = idna
        .to_ascii(
            text.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::Check,
            DnsLength::Verify,
        )
        .ok()?;
    let (unicode, verdict) = idna.to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    verdict.ok()?;
    sized(&unicode).then(|| unicode.into_owned())
}
