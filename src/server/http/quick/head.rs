//! The head of a request that is read here: a plain `POST /http-bind`.

use hyper::Request;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};

use super::super::host;

/// What requests begin with that are read here.
const LINE: &[u8] = b"POST /http-bind HTTP/1.1\r\n";
/// What HTTP/2 begins with (RFC 9113 §3.4); no method of HTTP/1.1 begins so.
const PREFACE: &[u8] = b"PRI ";
/// More headers are read elsewhere.
const HEADERS: usize = 48;
/// Longer heads are read elsewhere, and mostly refused.
const LONGEST: usize = 16 * 1024;

/// What the octets at the beginning of a connection, or behind a request, are.
#[expect(
    clippy::large_enum_variant,
    reason = "it is looked at where it is made"
)]
pub(super) enum Read {
    /// A request that is read here.
    Ours(Head),
    /// The beginning of one, perhaps.
    Partial,
    /// Something else in HTTP/1.
    Other,
    /// HTTP/2.
    Http2,
}

/// A head.
pub(super) struct Head {
    /// With all headers but those that nobody looks at.
    pub(super) request: Request<()>,
    /// How long the head is.
    pub(super) octets: usize,
    /// How long the content is.
    pub(super) length: usize,
    /// The client wants the connection closed behind the answer.
    pub(super) closes: bool,
}

/// Looks at what has come. What has anything that calls for care is left to others: no or another host, content in pieces or coded, or longer
/// than `most`; expectations, upgrades.
pub(super) fn read(octets: &[u8], most: usize) -> Read {
    let begun = octets.len().min(LINE.len());
    if octets[..begun] != LINE[..begun] {
        let begun = octets.len().min(PREFACE.len());
        return match octets[..begun] == PREFACE[..begun] {
            true if begun == PREFACE.len() => Read::Http2,
            true => Read::Partial,
            false => Read::Other,
        };
    }
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    match head.parse(octets) {
        Ok(httparse::Status::Complete(length)) => {
            ours(&head, length, most).map_or(Read::Other, Read::Ours)
        }
        Ok(httparse::Status::Partial) if octets.len() < LONGEST => Read::Partial,
        Ok(httparse::Status::Partial) | Err(_) => Read::Other,
    }
}

fn ours(head: &httparse::Request<'_, '_>, octets: usize, most: usize) -> Option<Head> {
    let mut length = None;
    let mut closes = false;
    let mut request = Request::new(());
    let kept = request.headers_mut();
    for header in &*head.headers {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        let value = header.value;
        // By length first: most are none of these.
        match header.name.len() {
            4 if is("host") => keep(kept, HOST, value)?,
            10 if is("connection") => closes |= connection(value)?,
            14 if is("content-length") && length.is_some() => return None,
            14 if is("content-length") => length = Some(number(value)?),
            6 if is("expect") => return None,
            7 if is("upgrade") => return None,
            16 if is("content-encoding") => return None,
            17 if is("transfer-encoding") => return None,
            // What browsers say with every request, and nobody looks at.
            6 if is("accept") || is("cookie") || is("pragma") => {}
            7 if is("referer") => {}
            10 if is("user-agent") => {}
            12 if is("content-type") => {}
            15 if is("accept-language") => {}
            _ if is_of_fetch(header.name) => {}
            _ => keep(
                kept,
                HeaderName::from_bytes(header.name.as_bytes()).ok()?,
                value,
            )?,
        }
    }
    let length = length.filter(|length| *length <= most)?;
    *request.method_mut() = hyper::Method::POST;
    // One, that is a name.
    host::is_named(&request)
        .is_ok_and(|named| named)
        .then_some(Head {
            request,
            octets,
            length,
            closes,
        })
}

/// `Sec-Fetch-Mode` and the like.
fn is_of_fetch(name: &str) -> bool {
    let prefix = name.as_bytes().get(..4);
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"sec-"))
}

fn keep(kept: &mut HeaderMap, name: HeaderName, value: &[u8]) -> Option<()> {
    kept.append(name, HeaderValue::from_bytes(value).ok()?);
    Some(())
}

/// Whether the connection is closed behind the answer; `None` for what else may be said of it.
fn connection(value: &[u8]) -> Option<bool> {
    if value.eq_ignore_ascii_case(b"keep-alive") {
        return Some(false);
    }
    value.eq_ignore_ascii_case(b"close").then_some(true)
}

/// Digits alone (RFC 9110 §8.6).
fn number(digits: &[u8]) -> Option<usize> {
    let digits = std::str::from_utf8(digits).ok()?;
    let plain = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "POST /http-bind HTTP/1.1\r\nHost: office.example:5280\r\n";

    fn kind(octets: &[u8]) -> char {
        match read(octets, 100) {
            Read::Ours(_) => 'o',
            Read::Partial => 'p',
            Read::Other => 'x',
            Read::Http2 => '2',
        }
    }

    #[test]
    fn what_is_read_here() {
        let text = format!(
            "{HEAD}Content-Type: text/xml\r\ncontent-LENGTH: 51\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: Close\r\n\r\n<body"
        );
        let Read::Ours(head) = read(text.as_bytes(), 100) else {
            panic!("not read");
        };
        assert_eq!(
            (head.length, head.octets, head.closes),
            (51, text.len() - 5, true)
        );
        let kept = head.request.headers();
        assert_eq!(kept.len(), 2);
        assert_eq!(kept[HOST], "office.example:5280");
        assert_eq!(kept["x-forwarded-for"], "192.0.2.1");
        // Every piece of it is the beginning of it.
        for end in 0..head.octets {
            assert_eq!(kind(&text.as_bytes()[..end]), 'p', "{end}");
        }
    }

    #[test]
    fn what_is_left_to_others() {
        assert_eq!(
            kind(format!("{HEAD}Content-Length: 100\r\n\r\n").as_bytes()),
            'o'
        );
        for header in [
            "Content-Length: 101\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length:\r\n",
            "",
            "Transfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nContent-Encoding: gzip\r\n",
            "Content-Length: 5\r\nExpect: 100-continue\r\n",
            "Content-Length: 5\r\nConnection: upgrade, http2-settings\r\nUpgrade: h2c\r\n",
            "Content-Length: 5\r\nConnection: keep-alive, x\r\n",
            "Content-Length: 5\r\nHost: other.example\r\n",
            "Content-Length: 5\r\n folded: 1\r\n",
            "Content-Length : 5\r\n",
        ] {
            assert_eq!(
                kind(format!("{HEAD}{header}\r\n").as_bytes()),
                'x',
                "{header}"
            );
        }
        for other in [
            "GET /http-bind HTTP/1.1\r\n",
            "POST /http-bind?x HTTP/1.1\r\n",
            "POST /http-bind HTTP/1.0\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
            "POST /http-bind HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            "PRINT / HTTP/1.1\r\n",
            "\r\n",
        ] {
            assert_eq!(kind(other.as_bytes()), 'x', "{other}");
        }
        let long = format!("{HEAD}X: {}", "x".repeat(LONGEST));
        assert_eq!(kind(long.as_bytes()), 'x');
        let many = format!(
            "{HEAD}{}Content-Length: 5\r\n\r\n",
            "X: y\r\n".repeat(HEADERS)
        );
        assert_eq!(kind(many.as_bytes()), 'x');
    }

    #[test]
    fn http2_is_told_by_its_preface() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        for end in 0..preface.len() {
            let expected = if end < 4 { 'p' } else { '2' };
            assert_eq!(kind(&preface[..end]), expected);
        }
    }
}
