//! Answers to requests: the common parts, and what a refusal of the model is in SIP.

use presence::Refusal;
use sip::{HeaderName, Headers, Request, Response};

/// Seconds after which an overloaded server may be asked again.
pub(crate) const RETRY_AFTER: u32 = 10;

/// An answer that is not yet bound to its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) reason: Option<String>,
    pub(crate) headers: Headers,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            reason: None,
            headers: Headers::new(),
        }
    }

    /// Appends a field that needs no text of its own.
    pub(crate) fn with_static(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push(name, value);
        self
    }

    pub(crate) fn because(status: u16, reason: impl Into<String>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..Self::new(status)
        }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push(name, value.into());
        self
    }

    /// The response; To gets `tag` unless it has one.
    pub(crate) fn into_response(self, request: &Request, tag: &str) -> Response {
        let mut response = Response::for_request(request, self.status).with_to_tag(tag);
        if let Some(reason) = self.reason {
            response = response.with_reason(reason);
        }
        response.headers.append(self.headers);
        response
    }
}

impl From<&Refusal> for Reply {
    /// RFC 7247 §7 where it speaks of the same: what is not available is 480, never 503, which would make a phone avoid the whole
    /// server. 503 is overload only.
    fn from(refusal: &Refusal) -> Self {
        let reason = || capitalised(&refusal.to_string());
        match refusal {
            Refusal::Malformed | Refusal::BadRequest(_) | Refusal::Conflict => {
                Self::because(400, reason())
            }
            Refusal::NotFound | Refusal::ForeignDomain => Self::new(404),
            Refusal::Forbidden
            | Refusal::Blocked
            | Refusal::NotAllowed
            | Refusal::Disabled
            | Refusal::Limit(_) => Self::because(403, reason()),
            Refusal::Unavailable => Self::new(480),
            Refusal::TagUnknown => Self::new(412),
            Refusal::Overloaded => overloaded(),
            Refusal::OutOfOrder => Self::because(500, "CSeq Out Of Order"),
            Refusal::Fault => Self::new(500),
        }
    }
}

impl From<sip::screen::Refusal> for Reply {
    fn from(refusal: sip::screen::Refusal) -> Self {
        Self {
            status: refusal.status,
            reason: refusal.reason.map(str::to_owned),
            headers: refusal.headers,
        }
    }
}

impl From<sip::dialog::DialogError> for Reply {
    fn from(error: sip::dialog::DialogError) -> Self {
        let reply = Self::because(error.status, error.reason);
        if error.status == 500 {
            // RFC 3261 §12.2.2 has none, §21.5.1 allows it: the number was late, not wrong.
            return reply.with(HeaderName::RetryAfter, "1");
        }
        reply
    }
}

/// 503, for overload alone.
pub(crate) fn overloaded() -> Reply {
    Reply::new(503).with(HeaderName::RetryAfter, RETRY_AFTER.to_string())
}

/// 423 with the least that is taken.
pub(crate) fn too_brief(min: u32) -> Reply {
    Reply::new(423).with(HeaderName::MinExpires, min.to_string())
}

/// 400 for a field that cannot be read.
pub(crate) fn malformed(what: &str) -> Reply {
    Reply::because(400, format!("Malformed {what}"))
}

/// As reason phrases are written.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals() {
        for (refusal, status) in [
            (Refusal::Malformed, 400),
            (Refusal::NotFound, 404),
            (Refusal::Limit("x"), 403),
            (Refusal::Blocked, 403),
            (Refusal::Unavailable, 480),
            (Refusal::TagUnknown, 412),
            (Refusal::OutOfOrder, 500),
            (Refusal::Fault, 500),
        ] {
            assert_eq!(Reply::from(&refusal).status, status);
        }
        let busy = Reply::from(&Refusal::Overloaded);
        assert_eq!(
            (busy.status, busy.headers.get(&HeaderName::RetryAfter)),
            (503, Some("10"))
        );
    }
}
