//! Messages as phones send them.

use bytes::Bytes;

/// What a phone publishes.
pub const PIDF: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" \
xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"sip:ann@office.example\">\n\
  <tuple id=\"t1a2b3c\">\n    <status><basic>open</basic></status>\n    <contact priority=\"0.8\">sip:ann@192.0.2.1:5060</contact>\n\
    <note>In the NUMBER room</note>\n    <timestamp>2026-05-04T10:11:12Z</timestamp>\n  </tuple>\n\
  <dm:person id=\"p1\"><rpid:activities><rpid:busy/></rpid:activities></dm:person>\n</presence>\n";

/// The answer of a phone to a NOTIFY.
pub const OK: &str = "SIP/2.0 200 OK\r\n\
Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK0000000000000007a1b2c3d4e5f60718;rport=5060;received=192.0.2.10\r\n\
From: <sip:ann@office.example>;tag=8a3b1c5d7e9f0a2b\r\nTo: <sip:bob@office.example>;tag=bob-tag\r\n\
Call-ID: bob-watch-1@192.0.2.2\r\nCSeq: 17 NOTIFY\r\nContact: <sip:bob@192.0.2.2:5060>\r\n\
User-Agent: Phone/1.0\r\nContent-Length: 0\r\n\r\n";

/// A PUBLISH that modifies, with credentials that look real.
pub fn publish() -> Bytes {
    request(
        "PUBLISH",
        7,
        &publish_lines(
            Some("entity-tag-7"),
            Some(
                "Digest username=\"ann\", realm=\"office.example\", \
nonce=\"AAAAAAAPQkAAAAAAAAAAAVvpSoCmYlQj3S0cfoZkFrM\", uri=\"sip:ann@office.example\", \
response=\"0123456789abcdef0123456789abcdef\", algorithm=MD5, qop=auth, nc=00000007, cnonce=\"c0ffee\"",
            ),
        ),
        &body(7),
    )
}

/// The document with one number in it.
pub fn body(number: usize) -> String {
    PIDF.replace("NUMBER", &format!("{number:06}"))
}

/// Lines of a PUBLISH.
pub fn publish_lines(tag: Option<&str>, authorization: Option<&str>) -> String {
    let mut lines =
        String::from("Event: presence\r\nExpires: 3600\r\nContent-Type: application/pidf+xml\r\n");
    if let Some(tag) = tag {
        lines.extend(["SIP-If-Match: ", tag, "\r\n"]);
    }
    if let Some(value) = authorization {
        lines.extend(["Authorization: ", value, "\r\n"]);
    }
    lines
}

/// A request of ann to her own address.
pub fn request(method: &str, number: usize, lines: &str, body: &str) -> Bytes {
    request_of("ann", "192.0.2.1:5060", method, number, lines, body)
}

/// A request to ann.
pub fn request_of(
    who: &str,
    at: &str,
    method: &str,
    number: usize,
    lines: &str,
    body: &str,
) -> Bytes {
    format!(
        "{method} sip:ann@office.example SIP/2.0\r\n\
Via: SIP/2.0/UDP {at};branch=z9hG4bK{who}{number:012};rport\r\nMax-Forwards: 70\r\n\
From: <sip:{who}@office.example>;tag={who}{number:08}\r\nTo: <sip:ann@office.example>\r\n\
Call-ID: {who}-{number:012}@192.0.2.1\r\nCSeq: {number} {method}\r\nUser-Agent: Phone/1.0\r\n\
{lines}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into()
}
