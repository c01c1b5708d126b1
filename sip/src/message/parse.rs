//! Reading a message out of a datagram or a frame (RFC 3261 §7, §18.3).

use bytes::Bytes;
use memchr::{memchr, memchr2};

use super::{Header, HeaderName, Headers, Message, Method, Request, Response, check};
use crate::{
    Fault, ParseError,
    syntax::{is_space, trim_bytes},
    uri::Uri,
};

/// What a message may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a message, head and body.
    pub message: usize,
    /// Header fields of a message.
    pub headers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: 65_536,
            headers: 100,
        }
    }
}

/// Reads one message with the default [`Limits`]; values share `datagram`.
///
/// Octets behind the body that `Content-Length` announces are dropped (RFC 3261 §18.3).
pub fn parse(datagram: &Bytes) -> Result<Message, ParseError> {
    parse_with(datagram, &Limits::default())
}

/// Reads one message.
pub fn parse_with(datagram: &Bytes, limits: &Limits) -> Result<Message, ParseError> {
    let mut reader = Reader {
        data: datagram,
        at: 0,
        crlf: None,
        mixed: false,
        lone_cr: false,
    };
    reader.skip_line_ends();
    let line = reader.line();
    if starts_as_response(line) {
        return parse_response(line, reader, limits).map_err(|fault| ParseError {
            fault,
            request: None,
        });
    }
    parse_request(line, reader, limits)
}

fn starts_as_response(line: &[u8]) -> bool {
    line.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
}

fn parse_response(line: &[u8], reader: Reader<'_>, limits: &Limits) -> Result<Message, Fault> {
    let mut parts = line.splitn(3, |&b| b == b' ');
    let (version, status) = (parts.next(), parts.next());
    // The grammar wants a space even in front of an empty reason phrase (RFC 4475 §3.1.1.13); without it
    // the meaning is as clear.
    let reason = parts.next().unwrap_or(b"");
    if !version.is_some_and(|v| v.eq_ignore_ascii_case(b"SIP/2.0")) {
        return Err(Fault::Version);
    }
    let status = match status {
        Some([a @ b'1'..=b'6', b @ b'0'..=b'9', c @ b'0'..=b'9']) => {
            u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')
        }
        _ => return Err(Fault::StartLine),
    };
    let reason = reader.data.slice_ref(reason);
    let (headers, mut fault, body_at) = read_headers(reader, limits);
    let body = read_body(reader.data, body_at, &headers, &mut fault);
    let response = Response {
        status,
        reason,
        headers,
        body,
    };
    match fault.or_else(|| check::response(&response)) {
        Some(fault) => Err(fault),
        None => Ok(Message::Response(response)),
    }
}

fn parse_request(line: &[u8], reader: Reader<'_>, limits: &Limits) -> Result<Message, ParseError> {
    let not_sip = ParseError {
        fault: Fault::NotSip,
        request: None,
    };
    let Some(StartLine { method, uri, fault }) = read_request_line(line) else {
        return Err(not_sip);
    };
    let (headers, header_fault, body_at) = read_headers(reader, limits);
    let mut fault = fault.or(header_fault);
    let body = read_body(reader.data, body_at, &headers, &mut fault);
    let request = Request {
        method,
        uri,
        headers,
        body,
    };
    match fault.or_else(|| check::request(&request)) {
        None => Ok(Message::Request(request)),
        Some(fault) => Err(ParseError {
            fault,
            request: check::answerable(&request).then(|| Box::new(request)),
        }),
    }
}

struct StartLine {
    method: Method,
    uri: Uri,
    fault: Option<Fault>,
}

/// Method, Request-URI and version. Whatever begins with a token and ends with `SIP/digits` is taken
/// for a request, so that the fault can be told.
fn read_request_line(line: &[u8]) -> Option<StartLine> {
    let text = std::str::from_utf8(line).ok()?;
    let (method, rest) = text.split_once(' ')?;
    let method = Method::from_token(method)?;
    let trimmed = rest.trim_end_matches([' ', '\t']);
    let (uri, version) = trimmed.rsplit_once([' ', '\t'])?;
    if !version
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("SIP/"))
    {
        return None;
    }
    let (parsed, mut fault) = match Uri::parse(uri) {
        // Headers may not be in a Request-URI (RFC 3261 §19.1.1, RFC 4475 §3.1.2.11).
        Ok(parsed) if !parsed.headers_str().is_empty() => (parsed, Some(Fault::RequestUri)),
        Ok(parsed) => (parsed, None),
        Err(_) if uri.contains([' ', '\t']) || uri.is_empty() => {
            (Uri::opaque(uri.trim()), Some(Fault::StartLine))
        }
        Err(_) => (Uri::opaque(uri), Some(Fault::RequestUri)),
    };
    if trimmed.len() != rest.len() {
        fault = Some(Fault::StartLine);
    }
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        fault = Some(Fault::Version);
    }
    Some(StartLine {
        method,
        uri: parsed,
        fault,
    })
}

/// Header fields up to the empty line, the first fault, and where the body begins.
fn read_headers(mut reader: Reader<'_>, limits: &Limits) -> (Headers, Option<Fault>, usize) {
    let mut headers = Headers::with_capacity(16);
    reader.lone_cr = false;
    let mut fault = (reader.data.len() > limits.message).then_some(Fault::TooLarge);
    loop {
        if reader.at >= reader.data.len() {
            // Where only the empty line is missing the head is taken for whole; where a line is cut off
            // it is not.
            if reader.data.last() != Some(&b'\n') {
                fault = fault.or(Some(Fault::HeaderLine));
            }
            break;
        }
        let (line, folded) = reader.folded_line();
        if line.is_empty() {
            break;
        }
        if headers.len() >= limits.headers {
            fault = Some(Fault::TooManyHeaders);
            break;
        }
        let lone_cr = std::mem::take(&mut reader.lone_cr);
        match read_field(reader.data, line, folded).filter(|_| !lone_cr) {
            Some(header) => headers.push_wire(header),
            None => fault = fault.or(Some(Fault::HeaderLine)),
        }
    }
    if reader.mixed {
        fault = fault.or(Some(Fault::HeaderLine));
    }
    (headers, fault, reader.at)
}

fn read_field(data: &Bytes, line: &[u8], folded: bool) -> Option<Header> {
    let colon = memchr(b':', line)?;
    let (name, value) = line.split_at(colon);
    let name = HeaderName::from_token(std::str::from_utf8(trim_end(name)).ok()?)?;
    let value = trim_bytes(value.get(1..)?);
    let value = if folded {
        Bytes::from(unfold(value))
    } else {
        data.slice_ref(value)
    };
    Some(Header::from_wire(name, value))
}

fn trim_end(mut name: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = name {
        name = rest;
    }
    name
}

/// Replaces each line end and the white space around it by one space (RFC 3261 §7.3.1).
fn unfold(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for part in value.split(|&b| b == b'\n') {
        let part = trim_bytes(part);
        if !out.is_empty() && !part.is_empty() {
            out.push(b' ');
        }
        out.extend(part.iter().map(|&b| if b == b'\r' { b' ' } else { b }));
    }
    out
}

/// The body that `Content-Length` announces; without one all that is left.
fn read_body(data: &Bytes, at: usize, headers: &Headers, fault: &mut Option<Fault>) -> Bytes {
    let rest = data.slice(at.min(data.len())..);
    match content_length(headers) {
        Ok(None) => rest,
        Ok(Some(length)) if length <= rest.len() => rest.slice(..length),
        Ok(Some(_)) => {
            *fault = fault.or(Some(Fault::Truncated));
            rest
        }
        Err(error) => {
            *fault = fault.or(Some(error));
            rest
        }
    }
}

/// The value of `Content-Length`; more than one is a fault even if they agree, for two readers may
/// disagree which of them counts (RFC 4475 §3.3.9).
pub(crate) fn content_length(headers: &Headers) -> Result<Option<usize>, Fault> {
    let mut found = None;
    for field in headers {
        if field.name == HeaderName::ContentLength {
            if found.is_some() {
                return Err(Fault::Duplicate("Content-Length"));
            }
            found = Some(read_length(field.bytes()).ok_or(Fault::Header("Content-Length"))?);
        }
    }
    Ok(found)
}

/// `1*DIGIT`; a number beyond what fits is as good as the largest.
pub(crate) fn read_length(value: &[u8]) -> Option<usize> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0_usize, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(usize::from(digit - b'0'))
    }))
}

/// Reads lines. Lines end with CRLF, or all with LF alone. A mixture is a fault: another reader may take
/// the LF for a part of a value, and so not see the field behind it.
#[derive(Clone, Copy)]
struct Reader<'a> {
    data: &'a Bytes,
    at: usize,
    crlf: Option<bool>,
    mixed: bool,
    /// There was a CR that is no part of a line end.
    lone_cr: bool,
}

impl<'a> Reader<'a> {
    /// Skips what RFC 3261 §7.5 wants ignored in front of a start line.
    fn skip_line_ends(&mut self) {
        while matches!(self.data.get(self.at), Some(b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.data.get(self.at..).unwrap_or(&[])
    }

    /// Next line without its end.
    fn line(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let mut from = 0;
        while let Some(found) = rest.get(from..).and_then(|r| memchr2(b'\r', b'\n', r)) {
            let end = from + found;
            let crlf = rest.get(end) == Some(&b'\r');
            if crlf && rest.get(end + 1) != Some(&b'\n') {
                self.lone_cr = true;
                from = end + 1;
                continue;
            }
            self.at += end + 1 + usize::from(crlf);
            self.mixed |= *self.crlf.get_or_insert(crlf) != crlf;
            return &rest[..end];
        }
        self.at = self.data.len();
        rest
    }

    /// Next line with those that continue it (they begin with white space), and whether there are any.
    fn folded_line(&mut self) -> (&'a [u8], bool) {
        let start = self.at;
        let mut line = self.line();
        let mut folded = false;
        if line.is_empty() {
            return (line, false);
        }
        while self.rest().first().is_some_and(|&b| is_space(b)) {
            let next = self.line();
            folded = true;
            let end = next.as_ptr() as usize - self.data.as_ptr() as usize + next.len();
            line = self.data.get(start..end).unwrap_or(line);
        }
        (line, folded)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const LINES: [&str; 7] = [
        "OPTIONS sip:a.example SIP/2.0",
        "Via: SIP/2.0/UDP b.example;branch=z9hG4bK1",
        "From: <sip:b@b.example>;tag=1",
        "To: <sip:a.example>",
        "Call-ID: 1",
        "CSeq: 1 OPTIONS",
        "Expires: 99999999999",
    ];

    fn message(end: &str, extra: &str) -> Result<Message, Fault> {
        let text = format!("{}{end}{extra}{end}", LINES.join(end));
        parse(&Bytes::from(text)).map_err(|error| error.fault)
    }

    #[test]
    fn lines_end_in_one_way() {
        assert!(message("\r\n", "").is_ok());
        assert!(message("\n", "").is_ok());
        assert_eq!(message("\r\n", "a: b\nc: d\r\n"), Err(Fault::HeaderLine));
        assert_eq!(message("\n", "a: b\r\n"), Err(Fault::HeaderLine));
        assert_eq!(message("\r\n", "a: b\rc: d\r\n"), Err(Fault::HeaderLine));
    }

    #[test]
    fn numbers_and_limits() {
        let read = message("\r\n", "").unwrap();
        assert_eq!(read.headers().expires(), Ok(Some(u32::MAX)));
        let many = "a: b\r\n".repeat(100);
        assert_eq!(message("\r\n", &many), Err(Fault::TooManyHeaders));
        let long = format!("a: {}\r\n", "b".repeat(70_000));
        assert_eq!(message("\r\n", &long), Err(Fault::TooLarge));
        assert_eq!(
            message("\r\n", "f: <sip:eve@b.example>\r\n"),
            Err(Fault::Duplicate("From"))
        );
        assert_eq!(
            message("\r\n", "Max-Forwards: 256\r\n"),
            Err(Fault::Header("Max-Forwards"))
        );
    }
}
