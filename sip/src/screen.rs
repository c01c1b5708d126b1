//! What a server says of a request before it looks at its meaning (RFC 3261 §8.2).

use crate::{
    message::{HeaderName, Headers, Method, Request, Response},
    uri::Scheme,
};

/// What the server, or the resource that a request is for, can do.
#[derive(Debug, Clone, Copy)]
pub struct Capabilities<'a> {
    /// Methods that are allowed here, as Allow lists them.
    pub methods: &'a [Method],
    /// Option tags that are understood, as Supported lists them.
    pub extensions: &'a [&'a str],
    /// Media types of bodies that are understood for the method at hand.
    pub content_types: &'a [&'a str],
    /// Content encodings that are understood, beside `identity`.
    pub encodings: &'a [&'a str],
}

/// The answer to a request that does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The reason phrase, if the usual one would not tell enough.
    pub reason: Option<&'static str>,
    /// Fields to add: Allow, Unsupported, Accept, Accept-Encoding.
    pub headers: Headers,
}

impl Refusal {
    fn new(status: u16) -> Self {
        Self {
            status,
            reason: None,
            headers: Headers::new(),
        }
    }

    fn with(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The response to `request`.
    pub fn into_response(self, request: &Request) -> Response {
        let mut response = Response::for_request(request, self.status);
        if let Some(reason) = self.reason {
            response = response.with_reason(reason);
        }
        for field in &self.headers {
            response
                .headers
                .push(field.name.clone(), field.bytes().clone());
        }
        response
    }
}

/// Checks a request in the order of RFC 3261 §8.2: method, Request-URI, Require, content.
///
/// Authentication (§22) comes between method and the rest for those who want it and is not done here.
/// Max-Forwards is not looked at: 0 concerns who forwards (RFC 4475 §3.3.11); see [`can_forward`].
/// Merged requests (482) are seen by the transaction layer.
pub fn screen(request: &Request, capabilities: &Capabilities<'_>) -> Result<(), Refusal> {
    check_method(request, capabilities)?;
    check_uri(request)?;
    check_require(request, capabilities)?;
    check_content(request, capabilities)
}

/// Whether a proxy may forward the request; without Max-Forwards it may (RFC 3261 §16.3 step 3).
/// `false` asks for 483.
pub fn can_forward(request: &Request) -> bool {
    !matches!(request.headers.max_forwards(), Ok(Some(0)))
}

/// A method that is not known at all is 501, one that is known but not served here is 405.
fn check_method(request: &Request, capabilities: &Capabilities<'_>) -> Result<(), Refusal> {
    if capabilities.methods.contains(&request.method) {
        return Ok(());
    }
    let status = match request.method {
        Method::Other(_) => 501,
        _ => 405,
    };
    let names: Vec<&str> = capabilities.methods.iter().map(Method::as_str).collect();
    Err(Refusal::new(status).with(HeaderName::Allow, names.join(", ")))
}

/// Requests are for `sip:` and `sips:`; a REGISTER names such an address in To, too (RFC 3261 §10.3).
fn check_uri(request: &Request) -> Result<(), Refusal> {
    if !request.uri.is_sip() {
        return Err(Refusal::new(416));
    }
    if request.method == Method::Register
        && let Ok(to) = request.headers.to()
        && !matches!(to.uri.scheme(), Scheme::Sip | Scheme::Sips)
    {
        return Err(Refusal {
            reason: Some("To is not a SIP URI"),
            ..Refusal::new(400)
        });
    }
    Ok(())
}

/// CANCEL and ACK are exempt (RFC 3261 §8.2.2.3).
fn check_require(request: &Request, capabilities: &Capabilities<'_>) -> Result<(), Refusal> {
    if matches!(request.method, Method::Ack | Method::Cancel) {
        return Ok(());
    }
    let unknown: Vec<&str> = request
        .headers
        .list(&HeaderName::Require)
        .filter(|tag| {
            let known = |e: &&str| e.eq_ignore_ascii_case(tag);
            !capabilities.extensions.iter().any(known)
        })
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(420).with(HeaderName::Unsupported, unknown.join(", ")))
}

/// A body of unknown type or encoding is 415, unless its sender says that it is optional
/// (RFC 3261 §8.2.3).
fn check_content(request: &Request, capabilities: &Capabilities<'_>) -> Result<(), Refusal> {
    if request.body.is_empty() || is_optional(request) {
        return Ok(());
    }
    let encodings = capabilities.encodings;
    let known = |name: &str| {
        name.eq_ignore_ascii_case("identity")
            || encodings.iter().any(|e| e.eq_ignore_ascii_case(name))
    };
    if !request
        .headers
        .list(&HeaderName::ContentEncoding)
        .all(known)
    {
        let mut names = vec!["identity"];
        names.extend(encodings);
        return Err(Refusal::new(415).with(HeaderName::AcceptEncoding, names.join(", ")));
    }
    let accept = capabilities.content_types;
    let refusal = || Refusal::new(415).with(HeaderName::Accept, accept.join(", "));
    let accepted = request.headers.content_type_among(accept);
    match accepted {
        Ok(Some(true)) => Ok(()),
        Ok(Some(false)) => Err(refusal()),
        Ok(None) => Err(Refusal {
            reason: Some("Missing Content-Type"),
            ..Refusal::new(400)
        }),
        Err(_) => Err(Refusal {
            reason: Some("Malformed Content-Type"),
            ..Refusal::new(400)
        }),
    }
}

/// `Content-Disposition: …;handling=optional` (RFC 3261 §20.11).
fn is_optional(request: &Request) -> bool {
    let Some(text) = request.headers.get(&HeaderName::ContentDisposition) else {
        return false;
    };
    let params = text.find(';').map_or("", |at| &text[at..]);
    crate::params::lookup(params, "handling").is_some_and(|h| h.eq_ignore_ascii_case("optional"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::message::{Message, parse};

    const METHODS: &[Method] = &[Method::Options, Method::Publish, Method::Register];

    fn capabilities() -> Capabilities<'static> {
        Capabilities {
            methods: METHODS,
            extensions: &["path"],
            content_types: &["application/pidf+xml"],
            encodings: &["deflate"],
        }
    }

    fn answer(method: &str, uri: &str, extra: &str, body: &str) -> String {
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n\
             From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\nCall-ID: 1\r\n\
             CSeq: 1 {method}\r\n{extra}\r\n{body}"
        );
        let Message::Request(request) = parse(&Bytes::from(text)).unwrap() else {
            unreachable!("a request was written")
        };
        match screen(&request, &capabilities()) {
            Ok(()) => "pass".to_owned(),
            Err(refusal) => {
                let response = refusal.into_response(&request);
                let last = response.headers.iter().last().unwrap();
                format!(
                    "{} {} | {}: {}",
                    response.status,
                    response.reason_text(),
                    last.name,
                    last.value().unwrap()
                )
            }
        }
    }

    #[test]
    fn answers_in_the_order_of_the_rfc() {
        let uri = "sip:a@example.com";
        let pidf = "Content-Type: application/pidf+xml\r\n";
        assert_eq!(answer("PUBLISH", uri, pidf, "<presence/>"), "pass");
        assert_eq!(
            answer("INVITE", "tel:1", "Require: x\r\n", ""),
            "405 Method Not Allowed | Allow: OPTIONS, PUBLISH, REGISTER"
        );
        assert_eq!(
            answer("DANCE", uri, "", ""),
            "501 Not Implemented | Allow: OPTIONS, PUBLISH, REGISTER"
        );
        assert_eq!(
            answer("OPTIONS", "tel:1", "Require: x\r\n", ""),
            "416 Unsupported URI Scheme | CSeq: 1 OPTIONS"
        );
        assert_eq!(
            answer(
                "PUBLISH",
                uri,
                "Require: path, x,y\r\nContent-Type: text/a\r\n",
                "b"
            ),
            "420 Bad Extension | Unsupported: x, y"
        );
        assert_eq!(
            answer("PUBLISH", uri, "Content-Type: text/plain\r\n", "b"),
            "415 Unsupported Media Type | Accept: application/pidf+xml"
        );
        assert_eq!(
            answer(
                "PUBLISH",
                uri,
                &format!("{pidf}Content-Encoding: gzip\r\n"),
                "b"
            ),
            "415 Unsupported Media Type | Accept-Encoding: identity, deflate"
        );
        assert_eq!(
            answer("PUBLISH", uri, "", "b"),
            "400 Missing Content-Type | CSeq: 1 PUBLISH"
        );
        assert_eq!(
            answer(
                "PUBLISH",
                uri,
                "Content-Type: text/plain\r\nContent-Disposition: x;handling=optional\r\n",
                "b"
            ),
            "pass"
        );
        assert_eq!(
            answer("PUBLISH", uri, "Content-Type: text/plain\r\n", ""),
            "pass"
        );
    }

    #[test]
    fn max_forwards_of_zero_stops_proxies_only() {
        assert_eq!(
            answer("OPTIONS", "sip:example.com", "Max-Forwards: 0\r\n", ""),
            "pass"
        );
    }
}
