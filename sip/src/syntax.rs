//! The lexical rules that all header fields share (RFC 3261 §25.1).

use std::borrow::Cow;

use crate::Malformed;

/// Byte classes of RFC 3261 §25.1, one bit each.
const TOKEN: u8 = 1;
const WORD: u8 = 2;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] = TOKEN | WORD;
        }
        byte += 1;
    }
    let token = b"-.!%*_+`'~";
    let mut at = 0;
    while at < token.len() {
        table[token[at] as usize] = TOKEN | WORD;
        at += 1;
    }
    let word = b"()<>:\\\"/[]?{}";
    let mut at = 0;
    while at < word.len() {
        table[word[at] as usize] |= WORD;
        at += 1;
    }
    table
}

fn all(text: &[u8], class: u8) -> bool {
    !text.is_empty()
        && text
            .iter()
            .all(|&byte| CLASSES[usize::from(byte)] & class != 0)
}

/// Whether `byte` may stand in a `token`.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & TOKEN != 0
}

/// Whether `text` is a `token`.
pub(crate) fn is_token(text: &[u8]) -> bool {
    all(text, TOKEN)
}

/// Whether `text` is a `callid`: `word [ "@" word ]`.
pub(crate) fn is_call_id(text: &[u8]) -> bool {
    match memchr::memchr(b'@', text) {
        None => all(text, WORD),
        Some(at) => {
            let (left, right) = text.split_at(at);
            all(left, WORD) && all(&right[1..], WORD)
        }
    }
}

/// `text` in front of the first space or tab and behind it.
pub(crate) fn split_space(text: &str) -> Option<(&str, &str)> {
    let at = memchr::memchr2(b' ', b'\t', text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// `text` in front of the first `byte` and behind it.
pub(crate) fn split_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = memchr::memchr(byte, text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Whether `byte` is white space inside of an unfolded value.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// `text` without white space at its ends.
pub(crate) fn trim(text: &str) -> &str {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(blank) && !bytes.last().is_some_and(blank) {
        return text;
    }
    let start = bytes.iter().take_while(|b| blank(b)).count();
    let end = bytes
        .iter()
        .rposition(|b| !blank(b))
        .map_or(start, |at| at + 1);
    text.get(start..end).unwrap_or(text)
}

/// Bytes of `text` without white space at its ends.
pub(crate) fn trim_bytes(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = text {
        text = rest;
    }
    text
}

/// Position of the first `separator` outside of quoted strings and angle brackets.
pub(crate) fn find_outside(text: &str, separator: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut quoted = false;
    // Most values have neither quotes nor brackets in front of what is looked for.
    let mut at = memchr::memchr3(separator, b'"', b'<', bytes)?;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            // Neither quotes nor separators count in there.
            b'<' => at += memchr::memchr(b'>', bytes.get(at..)?)?,
            _ if byte == separator => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The members of a comma list, trimmed; empty members are left out, as RFC 3261 §25.1 does not
/// allow but implementations send them.
#[derive(Debug, Clone)]
pub struct List<'a> {
    rest: &'a str,
}

impl<'a> List<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }
}

impl<'a> Iterator for List<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        while !self.rest.is_empty() {
            let end = find_outside(self.rest, b',').unwrap_or(self.rest.len());
            let item = trim(&self.rest[..end]);
            self.rest = self.rest.get(end + 1..).unwrap_or("");
            if !item.is_empty() {
                return Some(item);
            }
        }
        None
    }
}

/// End (exclusive) of the quoted string that `text` starts with.
pub(crate) fn quoted_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The meaning of a value that may be a quoted string.
pub(crate) fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => out.extend(chars.next()),
            _ => out.push(char),
        }
    }
    Cow::Owned(out)
}

/// Appends `text` as a quoted string. Line ends become spaces: they cannot be written.
pub(crate) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    if memchr::memchr2(b'"', b'\\', text.as_bytes()).is_none()
        && memchr::memchr2(b'\r', b'\n', text.as_bytes()).is_none()
    {
        out.push_str(text);
        out.push('"');
        return;
    }
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                out.push('\\');
                out.push(char);
            }
            '\r' | '\n' => out.push(' '),
            _ => out.push(char),
        }
    }
    out.push('"');
}

/// A number of seconds or similar (`1*DIGIT`); beyond 2^32-1 it is taken as 2^32-1, as
/// RFC 3261 §20.19 allows for what is too big.
pub(crate) fn saturating_u32(text: &str, what: &'static str) -> Result<u32, Malformed> {
    let text = trim(text);
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Malformed { what });
    }
    Ok(text.parse().unwrap_or(u32::MAX))
}

/// The octets that `text` with `%HH` escapes stands for. A `%` that starts no escape stands for itself.
pub(crate) fn unescape(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if memchr::memchr(b'%', bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = (hex(bytes.get(at + 1)), hex(bytes.get(at + 2)));
        if byte == b'%'
            && let (Some(high), Some(low)) = escape
        {
            out.push(high << 4 | low);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    Cow::Owned(out)
}

/// Appends a number in decimal digits.
pub(crate) fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends an IPv4 address.
pub(crate) fn push_ipv4(out: &mut Vec<u8>, ip: std::net::Ipv4Addr) {
    for (at, octet) in ip.octets().into_iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        push_number(out, octet.into());
    }
}

/// Appends a number as 16 hexadecimal digits.
pub(crate) fn push_hex(out: &mut Vec<u8>, number: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for shift in (0..64).step_by(4).rev() {
        out.push(DIGITS[(number >> shift) as usize & 15]);
    }
}

/// Value of a hexadecimal digit.
pub(crate) fn hex(byte: Option<&u8>) -> Option<u8> {
    match *byte? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
        digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
