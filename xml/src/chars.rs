//! Which characters may stand where (XML 1.0 §2.2, §2.3; Namespaces in XML 1.0 §3).

use crate::error::ReadError;

/// The text, when it is UTF-8 and holds only characters that XML has.
pub(crate) fn text(octets: &[u8]) -> Result<&str, ReadError> {
    let text = std::str::from_utf8(octets).map_err(|_| ReadError::Encoding)?;
    let control = octets
        .iter()
        .any(|&b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r'));
    if control {
        return Err(ReadError::NotWellFormed("a control character"));
    }
    // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
    let mut rest = octets;
    while let Some(at) = memchr::memchr(0xEF, rest) {
        if matches!(rest.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])) {
            return Err(ReadError::NotWellFormed("a character that is none"));
        }
        rest = &rest[at + 1..];
    }
    Ok(text)
}

/// `Char` of XML 1.0 §2.2.
pub(crate) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

pub(crate) fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

fn name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

fn name_rest(c: char) -> bool {
    name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

fn is_nc_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(name_start) && chars.all(name_rest)
}

/// Splits a qualified name into prefix (empty for none) and local part, both checked.
pub(crate) fn split_name(name: &str) -> Result<(&str, &str), ReadError> {
    let (prefix, local) = match memchr::memchr(b':', name.as_bytes()) {
        Some(at) => (&name[..at], &name[at + 1..]),
        None => ("", name),
    };
    let plain = |part: &str| {
        let octets = part.as_bytes();
        octets
            .first()
            .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
            && octets
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let valid = |part: &str| plain(part) || is_nc_name(part);
    if !valid(local)
        || (prefix.len() != name.len() - local.len() && !valid(prefix))
        || name.starts_with(':')
    {
        return Err(ReadError::NotWellFormed("a name"));
    }
    if !prefix.is_empty() && !valid(prefix) {
        return Err(ReadError::NotWellFormed("a name"));
    }
    Ok((prefix, local))
}
