//! What every message must have (RFC 3261 §8.1.1), checked while it is read.

use bytes::Bytes;

use super::{HeaderName, Headers, Method, Request, Response};
use crate::{
    Fault,
    header::{CSeq, Contacts, NameAddr, Via},
    syntax::is_call_id,
};

/// Fields that may be there once only. Two of them are an attack on whoever reads the other one.
const SINGLE: u128 = bits(&[
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
    HeaderName::MaxForwards,
    HeaderName::Expires,
    HeaderName::MinExpires,
    HeaderName::Event,
    HeaderName::SubscriptionState,
    HeaderName::SipETag,
    HeaderName::SipIfMatch,
    HeaderName::ContentLength,
    HeaderName::ContentType,
    HeaderName::ContentDisposition,
    HeaderName::Date,
    HeaderName::RetryAfter,
    HeaderName::Timestamp,
    HeaderName::MimeVersion,
    HeaderName::ReferTo,
]);

const fn bits(names: &[HeaderName]) -> u128 {
    let mut set = 0;
    let mut at = 0;
    while at < names.len() {
        set |= 1 << names[at].index();
        at += 1;
    }
    set
}

/// The first fault of a request's header fields.
pub(super) fn request(request: &Request) -> Option<Fault> {
    common(&request.headers)
        .and_then(|cseq| {
            if cseq.method != request.method {
                // Nobody may know yet what an unknown method is to look like (RFC 4475 §3.1.2.18).
                return Err(match request.method {
                    Method::Other(_) => Fault::UnknownMethod,
                    _ => Fault::CSeqMethod,
                });
            }
            if request.headers.contains(&HeaderName::MaxForwards) {
                request.headers.max_forwards()?;
            }
            Ok(())
        })
        .err()
}

/// The first fault of a response's header fields.
pub(super) fn response(response: &Response) -> Option<Fault> {
    common(&response.headers).err()
}

/// Whether an answer would find its way. What else is missing the answer has to do without
/// (RFC 4475 §3.3.1).
pub(super) fn answerable(request: &Request) -> bool {
    request.headers.via().is_ok()
}

fn common(headers: &Headers) -> Result<CSeq, Fault> {
    let mut seen: u128 = 0;
    let mut first: [Option<&Bytes>; 5] = [None; 5];
    for field in headers {
        let index = field.name.index();
        let bit = 1_u128 << index;
        if seen & bit & SINGLE != 0 {
            return Err(Fault::Duplicate(HeaderName::known(index)));
        }
        seen |= bit;
        let place = match field.name {
            HeaderName::Via => 0,
            HeaderName::From => 1,
            HeaderName::To => 2,
            HeaderName::CallId => 3,
            HeaderName::CSeq => 4,
            _ => continue,
        };
        if let Some(slot) = first.get_mut(place) {
            slot.get_or_insert(field.bytes());
        }
    }
    let [via, from, to, call_id, cseq] = first;
    Via::check(self::first(text(via, "Via")?))?;
    NameAddr::check(text(from, "From")?, "From")?;
    NameAddr::check(text(to, "To")?, "To")?;
    if !is_call_id(text(call_id, "Call-ID")?.as_bytes()) {
        return Err(Fault::Header("Call-ID"));
    }
    let cseq = CSeq::parse(text(cseq, "CSeq")?)?;
    if seen & (1 << HeaderName::Contact.index()) != 0 {
        Contacts::check(headers)?;
    }
    Ok(cseq)
}

fn text<'a>(found: Option<&'a Bytes>, what: &'static str) -> Result<&'a str, Fault> {
    let bytes = found.ok_or(Fault::Missing(what))?;
    std::str::from_utf8(bytes).map_err(|_| Fault::Header(what))
}

/// The first member of a comma list.
fn first(text: &str) -> &str {
    crate::syntax::List::new(text).next().unwrap_or("")
}
