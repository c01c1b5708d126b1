//! Addresses across protocols: a local part and a SIP user (RFC 7247 §6, XEP-0106), a resource and a `gr` parameter (§6.3).
//!
//! A local part cannot hold ten characters that a SIP user can, so they are written `\26`, `\27` …; a SIP user cannot hold others,
//! so they are written `%23`, `%C3%BC` …. The domain is the same on both sides.
//!
//! SIP users differ by case, local parts do not: two SIP users are the same account when [`from_sip_user`] gives the same, which is
//! prepared, so canonical. An escape that was not needed (`a\5cb` for `a\b`) and a space at either end do not come back from SIP as
//! they went; neither is made by the escaping itself.

use crate::address::{AddressError, Bare, Resource};

/// What XEP-0106 escapes; the backslash is apart, for it is escaped only where it would begin an escape.
const ESCAPED: [(u8, &str); 9] = [
    (b' ', "\\20"),
    (b'"', "\\22"),
    (b'&', "\\26"),
    (b'\'', "\\27"),
    (b'/', "\\2f"),
    (b':', "\\3a"),
    (b'<', "\\3c"),
    (b'>', "\\3e"),
    (b'@', "\\40"),
];

/// The escaped backslash.
const BACKSLASH: &str = "\\5c";

/// Why a SIP user or `gr` value names nobody here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SipAddressError {
    /// A `%` without two hexadecimal digits after it (RFC 3986 §2.1).
    #[error("a percent sign is not followed by two hexadecimal digits")]
    Percent,
    /// The octets are not UTF-8 (RFC 7247 §6.4, step 4).
    #[error("the octets are not UTF-8")]
    Utf8,
    /// What it stands for cannot be part of an address.
    #[error(transparent)]
    Address(#[from] AddressError),
}

/// The user part of a SIP URI for a prepared local part (RFC 7247 §6.5): `tschüss` becomes `tsch%C3%BCss`, `m\26m` becomes `m&m`.
pub fn to_sip_user(local: &str) -> String {
    percent_encode(unescape(local).as_bytes(), is_user_byte)
}

/// The prepared local part for the user part of a SIP URI (RFC 7247 §6.4): `o'malley` becomes `o\27malley`. A password
/// (`user:password@`) is not part of the name and must be cut off before; an unescaped colon is taken as the beginning of one.
pub fn from_sip_user(user: &str) -> Result<String, SipAddressError> {
    let user = user.split(':').next().unwrap_or_default();
    let local = escape(&percent_decode(user)?)?;
    Ok(crate::address::prepare_local(&local)?)
}

/// The account that a SIP address of record names: `user` and `host` of its URI, no port.
pub fn from_sip(user: &str, host: &str) -> Result<Bare, SipAddressError> {
    Ok(Bare::new(Some(&from_sip_user(user)?), host)?)
}

/// The value of the `gr` URI parameter for a resource (RFC 7247 §6.5, step 8).
pub fn to_gr(resource: &Resource) -> String {
    percent_encode(resource.as_str().as_bytes(), is_param_byte)
}

/// The resource for the value of a `gr` URI parameter (RFC 7247 §6.4, step 8). Temporary GRUUs have no value to map.
pub fn from_gr(value: &str) -> Result<Resource, SipAddressError> {
    Ok(Resource::parse(&percent_decode(value)?)?)
}

/// Writes a name as a local part (XEP-0106 §4.2): all that it may not hold as `\` and two digits. A space at either end is an
/// error.
pub fn escape(name: &str) -> Result<String, AddressError> {
    if name.starts_with(' ') || name.ends_with(' ') {
        return Err(AddressError::Local);
    }
    let mut out = String::with_capacity(name.len() + 8);
    for (at, c) in name.char_indices() {
        let escaped = ESCAPED.iter().find(|(b, _)| char::from(*b) == c);
        if let Some((_, code)) = escaped {
            out.push_str(code);
        } else if c == '\\'
            && name
                .get(at..)
                .is_some_and(|rest| leading_escape(rest).is_some())
        {
            out.push_str(BACKSLASH);
        } else {
            out.push(c);
        }
    }
    Ok(out)
}

/// Reads the name that a local part stands for (XEP-0106 §4.3). Backslashes that begin none of the ten escapes stay.
pub fn unescape(local: &str) -> String {
    let mut out = String::with_capacity(local.len());
    let mut rest = local;
    while let Some(c) = rest.chars().next() {
        let (plain, used) = match leading_escape(rest) {
            // At either end this would be a space that cannot be escaped again.
            Some(' ') if rest.len() == local.len() || rest.len() == 3 => (c, c.len_utf8()),
            Some(plain) => (plain, 3),
            None => (c, c.len_utf8()),
        };
        out.push(plain);
        rest = rest.get(used..).unwrap_or_default();
    }
    out
}

/// The character that one of the ten escapes at the beginning of `text` stands for.
fn leading_escape(text: &str) -> Option<char> {
    let code = text.get(..3)?;
    if code.eq_ignore_ascii_case(BACKSLASH) {
        return Some('\\');
    }
    ESCAPED
        .iter()
        .find(|(_, known)| code.eq_ignore_ascii_case(known))
        .map(|(b, _)| char::from(*b))
}

/// RFC 3261 §25.1 `user`: unreserved and user-unreserved.
fn is_user_byte(b: u8) -> bool {
    is_unreserved(b) || b"&=+$,;?/".contains(&b)
}

/// RFC 3261 §25.1 `paramchar`: unreserved and param-unreserved.
fn is_param_byte(b: u8) -> bool {
    is_unreserved(b) || b"[]/:&+$".contains(&b)
}

fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&b)
}

fn percent_encode(bytes: &[u8], allowed: impl Fn(u8) -> bool) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |n: u8| char::from(HEX.get(usize::from(n)).copied().unwrap_or(b'0'));
    let mut out = String::with_capacity(bytes.len() + 8);
    for b in bytes.iter().copied() {
        if allowed(b) {
            out.push(char::from(b));
        } else {
            out.extend(['%', digit(b >> 4), digit(b & 15)]);
        }
    }
    out
}

fn percent_decode(text: &str) -> Result<String, SipAddressError> {
    let digit = |c: Option<u8>| {
        c.and_then(|c| char::from(c).to_digit(16))
            .ok_or(SipAddressError::Percent)
    };
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b == b'%' {
            let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
            out.push((high << 4 | low) as u8);
        } else {
            out.push(b);
        }
    }
    String::from_utf8(out).map_err(|_| SipAddressError::Utf8)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 7247 §6.4 and §6.5.
    #[test]
    fn the_examples_of_the_rfc() {
        for (user, local) in [
            ("f%C3%BC", "fü"),
            ("o'malley", "o\\27malley"),
            ("foo", "foo"),
        ] {
            assert_eq!(from_sip_user(user).as_deref(), Ok(local));
            assert_eq!(to_sip_user(local), user);
        }
        for (local, user) in [
            ("m\\26m", "m&m"),
            ("tschüss", "tsch%C3%BCss"),
            ("baz", "baz"),
        ] {
            assert_eq!(to_sip_user(local), user);
            assert_eq!(from_sip_user(user).as_deref(), Ok(local));
        }
        assert_eq!(from_gr("bar").unwrap().as_str(), "bar");
        assert_eq!(to_gr(&Resource::parse("qux").unwrap()), "qux");
    }

    /// RFC 7247 table 1: what SIP forbids is percent-encoded, what it allows is not.
    #[test]
    fn table_1() {
        assert_eq!(to_sip_user("!$()*+,-.;=?_~"), "!$()*+,-.;=?_~");
        assert_eq!(to_sip_user("#%[\\]^`{|}"), "%23%25%5B%5C%5D%5E%60%7B%7C%7D");
        assert_eq!(from_sip_user("&'/").as_deref(), Ok("\\26\\27\\2f"));
        assert_eq!(
            from_sip_user("a%20%22%3A%3C%3E%40b").as_deref(),
            Ok("a\\20\\22\\3a\\3c\\3e\\40b")
        );
        assert_eq!(
            to_sip_user("a\\20\\22\\3a\\3c\\3e\\40b"),
            "a%20%22%3A%3C%3E%40b"
        );
    }

    /// The characters of XEP-0106, and what looks like an escape but is none.
    #[test]
    fn escapes() {
        for (name, local) in [
            ("d'artagnan", "d\\27artagnan"),
            ("two words", "two\\20words"),
            ("\"quoted\"", "\\22quoted\\22"),
            ("a&b", "a\\26b"),
            ("/x", "\\2fx"),
            (":y:", "\\3ay\\3a"),
            ("<z>", "\\3cz\\3e"),
            ("me@home", "me\\40home"),
            ("c:\\net", "c\\3a\\net"),
            ("c:\\\\net", "c\\3a\\\\net"),
            ("c:\\5c", "c\\3a\\5c5c"),
            ("\\20", "\\5c20"),
            ("\\2", "\\2"),
            ("back\\slash\\41", "back\\slash\\41"),
            ("\\", "\\"),
            ("é\\é", "é\\é"),
        ] {
            assert_eq!(escape(name).as_deref(), Ok(local), "{name}");
            assert_eq!(unescape(local), name, "{local}");
        }
        for bad in [" a", "a ", " "] {
            assert_eq!(escape(bad), Err(AddressError::Local));
        }
        assert_eq!(unescape("\\20a\\20"), "\\20a\\20");
    }

    #[test]
    fn case_and_equality() {
        assert_eq!(
            from_sip("Alice", "Example.COM"),
            from_sip("%61lice", "example.com.")
        );
        assert_eq!(from_sip_user("O%27Malley"), from_sip_user("o'malley"));
        assert_eq!(from_sip_user("alice:secret").as_deref(), Ok("alice"));
        assert_eq!(from_sip_user("+4930123").as_deref(), Ok("+4930123"));
    }

    #[test]
    fn what_names_nobody() {
        assert_eq!(from_sip_user("a%"), Err(SipAddressError::Percent));
        assert_eq!(from_sip_user("a%4"), Err(SipAddressError::Percent));
        assert_eq!(from_sip_user("a%+1"), Err(SipAddressError::Percent));
        assert_eq!(from_sip_user("%FF"), Err(SipAddressError::Utf8));
        for bad in ["", ":secret", "%00", "%20a", "%E2%99%9A"] {
            assert_eq!(
                from_sip_user(bad),
                Err(SipAddressError::Address(AddressError::Local)),
                "{bad}"
            );
        }
        assert_eq!(
            from_gr(""),
            Err(SipAddressError::Address(AddressError::Resource))
        );
        assert!(from_sip("a", "b c").is_err());
    }

    #[test]
    fn resources_in_uris() {
        for (resource, gr) in [
            ("Mein Büro", "Mein%20B%C3%BCro"),
            ("a;b=c", "a%3Bb%3Dc"),
            ("urn:uuid:1", "urn:uuid:1"),
            ("x?y@z%", "x%3Fy%40z%25"),
        ] {
            let resource = Resource::parse(resource).unwrap();
            assert_eq!(to_gr(&resource), gr);
            assert_eq!(from_gr(gr), Ok(resource));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn names_come_back(name in "[ -~à-ÿ]{0,12}|[\\\\0-9a-f]{0,12}") {
            if let Ok(local) = escape(&name) {
                prop_assert_eq!(unescape(&local), name);
                prop_assert!(!local.contains([' ', '"', '&', '\'', '/', ':', '<', '>', '@']));
            }
        }

        #[test]
        fn sip_users_come_back(user in "[a-z0-9&=+$,;?/._!~*'()-]{1,12}|(%[2-7][0-9a-f]|[a-z]){1,8}") {
            if let Ok(local) = from_sip_user(&user) {
                let again = to_sip_user(&local);
                prop_assert!(again.bytes().all(|b| is_user_byte(b) || b == b'%'));
                prop_assert_eq!(from_sip_user(&again), Ok(local));
            }
        }

        #[test]
        fn resources_come_back(text in any::<String>()) {
            if let Ok(resource) = Resource::parse(&text) {
                prop_assert_eq!(from_gr(&to_gr(&resource)), Ok(resource));
            }
        }
    }
}
