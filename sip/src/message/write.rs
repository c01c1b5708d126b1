//! Printing messages (RFC 3261 §7). The body goes out octet by octet, `Content-Length` is computed.

use bytes::Bytes;

use super::{HeaderName, Headers, Message, Request, Response};

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
        let mut out = Vec::with_capacity(size(&self.headers, &self.body));
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
        let mut out = Vec::with_capacity(size(&self.headers, &self.body));
        self.write_to(&mut out);
        Bytes::from(out)
    }

    /// Appends the response to `out`.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"SIP/2.0 ");
        push_number(out, usize::from(self.status));
        out.push(b' ');
        out.extend_from_slice(&self.reason);
        out.extend_from_slice(b"\r\n");
        write_rest(out, &self.headers, &self.body);
    }
}

/// Room for most messages without growing.
fn size(headers: &Headers, body: &Bytes) -> usize {
    let fields: usize = headers.iter().map(|f| f.bytes().len() + 24).sum();
    160 + fields + body.len()
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
    push_number(out, length);
    out.extend_from_slice(b"\r\n");
}

fn push_number(out: &mut Vec<u8>, number: usize) {
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
