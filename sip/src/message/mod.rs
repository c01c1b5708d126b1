//! Messages: requests and responses (RFC 3261 §7).

mod check;
mod fields;
mod headers;
mod method;
mod names;
mod parse;
mod status;
mod write;

use std::borrow::Cow;

use bytes::Bytes;

pub(crate) use {fields::tag, parse::read_length};
pub use {
    headers::{Header, Headers},
    method::Method,
    names::HeaderName,
    parse::{Limits, parse, parse_with},
    status::reason_phrase,
};

use crate::uri::Uri;

/// A SIP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

/// A request (RFC 3261 §7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The Request-URI, as written.
    pub uri: Uri,
    /// Header fields. `Content-Length` is computed when printing.
    pub headers: Headers,
    /// The body, octet by octet.
    pub body: Bytes,
}

/// A response (RFC 3261 §7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code, 100 to 699.
    pub status: u16,
    /// The reason phrase; octets, for peers send what they like.
    pub reason: Bytes,
    /// Header fields. `Content-Length` is computed when printing.
    pub headers: Headers,
    /// The body, octet by octet.
    pub body: Bytes,
}

impl Message {
    /// The header fields.
    pub fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => &request.headers,
            Self::Response(response) => &response.headers,
        }
    }

    /// The header fields, to be changed.
    pub fn headers_mut(&mut self) -> &mut Headers {
        match self {
            Self::Request(request) => &mut request.headers,
            Self::Response(response) => &mut response.headers,
        }
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        match self {
            Self::Request(request) => &request.body,
            Self::Response(response) => &response.body,
        }
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

impl Request {
    /// A request without header fields and body.
    pub fn new(method: Method, uri: Uri) -> Self {
        Self {
            method,
            uri,
            headers: Headers::with_capacity(14),
            body: Bytes::new(),
        }
    }

    /// Appends a header field.
    pub fn with(mut self, name: HeaderName, value: impl Into<Bytes>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Sets body and `Content-Type`.
    pub fn with_body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.headers
            .set(HeaderName::ContentType, content_type.to_owned());
        self.body = body.into();
        self
    }
}

impl Response {
    /// A response to `request` by RFC 3261 §8.2.6: Via, From, To, Call-ID and CSeq are copied, and for
    /// a 100 Timestamp too. To gets no tag: see [`Response::with_to_tag`].
    pub fn for_request(request: &Request, status: u16) -> Self {
        let mut headers = Headers::with_capacity(12);
        for field in &request.headers {
            let copied = match field.name {
                HeaderName::Via
                | HeaderName::From
                | HeaderName::To
                | HeaderName::CallId
                | HeaderName::CSeq => true,
                HeaderName::Timestamp => status == 100,
                _ => false,
            };
            if copied {
                headers.push_wire(field.clone());
            }
        }
        Self {
            status,
            reason: Bytes::from_static(reason_phrase(status).as_bytes()),
            headers,
            body: Bytes::new(),
        }
    }

    /// Adds a tag to To, unless it has one (RFC 3261 §8.2.6.2). `tag` is a token.
    pub fn with_to_tag(mut self, tag: &str) -> Self {
        let Some(to) = self.headers.get(&HeaderName::To) else {
            return self;
        };
        if fields::tag(to).is_some() {
            return self;
        }
        let to = to.trim_end_matches([';', ' ']);
        let to = [to.as_bytes(), b";tag=", tag.as_bytes()].concat();
        self.headers.replace_first(&HeaderName::To, to);
        self
    }

    /// Sets the reason phrase. Line ends become spaces.
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        let mut reason: String = reason.into();
        if reason.contains(['\r', '\n']) {
            reason = reason.replace(['\r', '\n'], " ");
        }
        self.reason = Bytes::from(reason);
        self
    }

    /// Appends a header field.
    pub fn with(mut self, name: HeaderName, value: impl Into<Bytes>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Sets body and `Content-Type`.
    pub fn with_body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.headers
            .set(HeaderName::ContentType, content_type.to_owned());
        self.body = body.into();
        self
    }

    /// The reason phrase as text, for people.
    pub fn reason_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.reason)
    }

    /// Whether this is a 1xx.
    pub fn is_provisional(&self) -> bool {
        self.status < 200
    }

    /// Whether this is a 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn request(to: &str) -> Request {
        Request::new(Method::Publish, Uri::parse("sip:a.example").unwrap())
            .with(HeaderName::Via, "SIP/2.0/UDP b.example;branch=z9hG4bK1")
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::Via, "SIP/2.0/UDP c.example;branch=z9hG4bK2")
            .with(HeaderName::From, "<sip:b@b.example>;tag=1")
            .with(HeaderName::To, to.to_owned())
            .with(HeaderName::CallId, "1")
            .with(HeaderName::CSeq, "1 PUBLISH")
            .with(HeaderName::Timestamp, "54")
            .with_body("text/plain", vec![0, 0xff, b'\r', b'\n'])
    }

    #[test]
    fn a_response_copies_what_it_must() {
        let response = Response::for_request(&request("sip:a@a.example"), 412).with_to_tag("x");
        assert_eq!(
            response.to_bytes(),
            "SIP/2.0 412 Conditional Request Failed\r\n\
             Via: SIP/2.0/UDP b.example;branch=z9hG4bK1\r\n\
             Via: SIP/2.0/UDP c.example;branch=z9hG4bK2\r\n\
             From: <sip:b@b.example>;tag=1\r\nTo: sip:a@a.example;tag=x\r\n\
             Call-ID: 1\r\nCSeq: 1 PUBLISH\r\nContent-Length: 0\r\n\r\n"
        );
        let trying = Response::for_request(&request("<sip:a@a.example>;tag=y;"), 100);
        assert_eq!(trying.headers.get(&HeaderName::Timestamp), Some("54"));
        let tagged = trying.with_to_tag("x");
        assert_eq!(tagged.to_tag().as_deref(), Some("y"));
        let odd = Response::for_request(&request("<sip:a@a.example>;"), 200).with_to_tag("x");
        assert_eq!(odd.to_tag().as_deref(), Some("x"));
    }

    #[test]
    fn bodies_go_through_octet_by_octet() {
        let request = request("<sip:a@a.example>");
        let Message::Request(again) = parse(&request.to_bytes()).unwrap() else {
            unreachable!("a request was written")
        };
        assert_eq!(again.body, request.body);
        assert_eq!(again.headers.get(&HeaderName::ContentLength), Some("4"));
    }

    #[test]
    fn no_value_begins_a_line_of_its_own() {
        let mut headers = Headers::new();
        headers.push(HeaderName::Subject, "a\r\nVia: evil\r\n\r\n");
        assert_eq!(headers.get(&HeaderName::Subject), Some("a  Via: evil"));
        headers.set(HeaderName::Subject, "b\nc");
        assert_eq!(
            (headers.len(), headers.get(&HeaderName::Subject)),
            (1, Some("b c"))
        );
        let response =
            Response::for_request(&request("<sip:a@a.example>"), 200).with_reason("x\r\ny");
        assert_eq!(response.reason_text(), "x  y");
    }
}
