//! Characters, names and references of XML 1.0 (§2.2, §2.3, §4.1).

use crate::error::DocumentError;

pub(crate) type Result<T> = std::result::Result<T, DocumentError>;

pub(crate) const BAD: DocumentError = DocumentError::NotWellFormed;

pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn begins_name(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

fn goes_on_in_name(c: char) -> bool {
    begins_name(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let bytes = text.as_bytes();
    let starts = bytes
        .first()
        .is_some_and(|&b| b.is_ascii_alphabetic() || b == b'_');
    if starts && bytes.iter().all(|&b| plain(b)) {
        return true;
    }
    let mut chars = text.chars();
    chars.next().is_some_and(begins_name) && chars.all(goes_on_in_name)
}

/// How long the prefix of a qualified name is, 0 for none; both parts are checked.
pub(crate) fn prefix_length(name: &str) -> Result<usize> {
    let (prefix, local) = match name.as_bytes().iter().position(|&b| b == b':') {
        Some(at) => (name.get(..at), name.get(at + 1..).unwrap_or_default()),
        None => (None, name),
    };
    if is_name(local) && prefix.is_none_or(is_name) {
        Ok(prefix.map_or(0, str::len))
    } else {
        Err(BAD)
    }
}

/// Where character data stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Text,
    Cdata,
    Attribute,
}

/// Whether nothing in `text` is to be resolved, normalised or refused.
pub(crate) fn is_plain(text: &str, place: Place) -> bool {
    text.bytes().all(|b| match b {
        b' '..=b'~' => !matches!(b, b'&' | b'<' | b']'),
        b'\n' | b'\t' => place != Place::Attribute,
        0x80.. => b != 0xef,
        _ => false,
    })
}

/// Appends what `text` means: references resolved, line ends as XML 1.0 §2.11, in attributes spaces as §3.3.3.
pub(crate) fn decode(into: &mut String, text: &str, place: Place) -> Result<()> {
    if place == Place::Text && text.contains("]]>") {
        return Err(BAD);
    }
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '&' if place != Place::Cdata => {
                let (name, after) = rest.split_once(';').ok_or(BAD)?;
                into.push(reference(name)?);
                rest = after;
            }
            '<' if place == Place::Attribute => return Err(BAD),
            '\r' if rest.starts_with('\n') => {}
            '\r' | '\n' | '\t' if place == Place::Attribute => into.push(' '),
            '\r' => into.push('\n'),
            c if is_char(c) => into.push(c),
            _ => return Err(BAD),
        }
    }
    Ok(())
}

/// The character of a reference. Other entities than the five cannot be declared here.
fn reference(name: &str) -> Result<char> {
    let Some(number) = name.strip_prefix('#') else {
        return match name {
            "amp" => Ok('&'),
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err(BAD),
        };
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if !digits.bytes().all(|b| char::from(b).is_digit(radix)) {
        return Err(BAD);
    }
    let code = u32::from_str_radix(digits, radix).map_err(|_| BAD)?;
    char::from_u32(code).filter(|c| is_char(*c)).ok_or(BAD)
}
