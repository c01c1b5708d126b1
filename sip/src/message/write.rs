//! Printing messages (RFC 3261 §7). The body goes out octet by octet, `Content-Length` is computed.

use bytes::Bytes;

use super::{Header, HeaderName, Headers, Message, Request, Response};
use crate::syntax::push_number;

impl Message {
    /// The message as octets.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Request(request) => request.to_bytes(),
            Self::Response(response) => response.to_bytes(),
        }
    }
}

impl Request {
    /// The request as octets.
    pub fn to_bytes(&self) -> Bytes {
        let line = self.method.as_str().len() + self.uri.as_str().len() + 12;
        let mut out = Vec::with_capacity(line + size(&self.headers, &self.body));
        self.write_to(&mut out);
        Bytes::from(out)
    }

    /// Appends the request to `out`.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.method.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(self.uri.as_str().as_bytes());
        out.extend_from_slice(b" SIP/2.0\r\n");
        write_rest(out, &self.headers, &self.body);
    }
}

impl Response {
    /// The response as octets.
    pub fn to_bytes(&self) -> Bytes {
        let line = self.reason.len() + 14;
        let mut out = Vec::with_capacity(line + size(&self.headers, &self.body));
        self.write_to(&mut out);
        Bytes::from(out)
    }

    /// Appends the response to `out`.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"SIP/2.0 ");
        push_number(out, self.status.into());
        out.push(b' ');
        out.extend_from_slice(&self.reason);
        out.extend_from_slice(b"\r\n");
        write_rest(out, &self.headers, &self.body);
    }
}

/// What a head without start line, and the body, take; `Content-Length` counts twice where it is listed.
fn size(headers: &Headers, body: &Bytes) -> usize {
    let field = |f: &Header| f.name.as_str().len() + f.bytes().len() + 4;
    let fields: usize = headers.iter().map(field).sum();
    40 + fields + body.len()
}

fn write_rest(out: &mut Vec<u8>, headers: &Headers, body: &Bytes) {
    let mut counted = false;
    for field in headers {
        if field.name == HeaderName::ContentLength {
            if !counted {
                push_length(out, body.len());
            }
            counted = true;
            continue;
        }
        out.extend_from_slice(field.name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(field.bytes());
        out.extend_from_slice(b"\r\n");
    }
    if !counted {
        push_length(out, body.len());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(b"Content-Length: ");
    push_number(out, length as u64);
    out.extend_from_slice(b"\r\n");
}
