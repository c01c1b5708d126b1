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

pub(crate) use parse::read_length;
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
            headers: Headers::with_capacity(12),
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
        if self.headers.to().is_ok_and(|to| to.tag().is_some()) {
            return self;
        }
        let to = format!("{to};tag={tag}");
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
