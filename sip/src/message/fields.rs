//! Typed reading of the header fields of a message.

use super::{HeaderName, Headers, Request, Response};
use crate::{
    Fault, Malformed, Uri,
    header::{
        AcceptRange, Authorization, CSeq, Challenge, Contacts, Date, Event, MediaType, NameAddr,
        RetryAfter, SubscriptionState, Via, via,
    },
    params::lookup,
    syntax::{List, find_outside, push_number, saturating_u32},
};

/// The tag in the text of From or To, without taking the address apart; an empty one is none.
pub(crate) fn tag(text: &str) -> Option<&str> {
    let at = find_outside(text, b';')?;
    lookup(text.get(at..)?, "tag").filter(|tag| !tag.is_empty())
}

/// Reads `name` with `read` if it is there; a value that is not UTF-8 is malformed.
fn optional<T>(
    headers: &Headers,
    name: &HeaderName,
    read: impl FnOnce(&str) -> Result<T, Malformed>,
) -> Result<Option<T>, Malformed> {
    let Some(bytes) = headers.get_bytes(name) else {
        return Ok(None);
    };
    let what = HeaderName::known(name.index());
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed { what })?;
    read(text).map(Some)
}

fn required<T>(
    headers: &Headers,
    name: &HeaderName,
    read: impl FnOnce(&str) -> Result<T, Malformed>,
) -> Result<T, Fault> {
    optional(headers, name, read)?.ok_or(Fault::Missing(HeaderName::known(name.index())))
}

impl Headers {
    /// The topmost Via.
    pub fn via(&self) -> Result<Via, Fault> {
        required(self, &HeaderName::Via, |text| {
            Via::parse(List::new(text).next().unwrap_or(""))
        })
    }

    /// Every Via, the topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via, Malformed>> {
        self.list(&HeaderName::Via).map(Via::parse)
    }

    /// From.
    pub fn from(&self) -> Result<NameAddr, Fault> {
        required(self, &HeaderName::From, |text| {
            NameAddr::parse(text, "From")
        })
    }

    /// To.
    pub fn to(&self) -> Result<NameAddr, Fault> {
        required(self, &HeaderName::To, |text| NameAddr::parse(text, "To"))
    }

    /// The topmost Via as text.
    pub(crate) fn top_via(&self) -> Option<via::Parts<'_>> {
        let text = self.get(&HeaderName::Via)?;
        via::split(List::new(text).next()?).ok()
    }

    /// The URI of From alone.
    pub fn from_uri(&self) -> Result<Uri, Fault> {
        required(self, &HeaderName::From, |text| {
            NameAddr::parse_uri(text, "From")
        })
    }

    /// The URI of To alone.
    pub fn to_uri(&self) -> Result<Uri, Fault> {
        required(self, &HeaderName::To, |text| {
            NameAddr::parse_uri(text, "To")
        })
    }

    /// `host:port` of the last Via that can be read, which is that of the sender.
    pub fn last_sent_by(&self) -> Option<String> {
        let vias = self.list(&HeaderName::Via);
        let via = vias.filter_map(|text| via::split(text).ok()).last()?;
        let mut out = Vec::with_capacity(64);
        out.extend_from_slice(via.plain_host().as_bytes());
        out.push(b':');
        push_number(&mut out, via.port_or_default().into());
        String::from_utf8(out).ok()
    }

    /// The tag of From, without reading the address; an empty one is none.
    pub fn from_tag(&self) -> Option<&str> {
        tag(self.get(&HeaderName::From)?)
    }

    /// The tag of To, without reading the address; an empty one is none.
    pub fn to_tag(&self) -> Option<&str> {
        tag(self.get(&HeaderName::To)?)
    }

    /// Call-ID; compared octet by octet (RFC 3261 §20.8).
    pub fn call_id(&self) -> Result<&str, Fault> {
        self.get(&HeaderName::CallId)
            .ok_or(Fault::Missing("Call-ID"))
    }

    /// CSeq.
    pub fn cseq(&self) -> Result<CSeq, Fault> {
        required(self, &HeaderName::CSeq, CSeq::parse)
    }

    /// Contacts; listed and empty if there is none.
    pub fn contacts(&self) -> Result<Contacts, Malformed> {
        Contacts::parse(self)
    }

    /// Max-Forwards, 0 to 255 (RFC 3261 §20.22).
    pub fn max_forwards(&self) -> Result<Option<u8>, Malformed> {
        const WHAT: &str = "Max-Forwards";
        optional(self, &HeaderName::MaxForwards, |text| {
            let hops = saturating_u32(text, WHAT)?;
            u8::try_from(hops).map_err(|_| Malformed { what: WHAT })
        })
    }

    /// Expires in seconds, at most 2^32-1. A value that is no number is malformed.
    pub fn expires(&self) -> Result<Option<u32>, Malformed> {
        optional(self, &HeaderName::Expires, |text| {
            saturating_u32(text, "Expires")
        })
    }

    /// Min-Expires in seconds.
    pub fn min_expires(&self) -> Result<Option<u32>, Malformed> {
        optional(self, &HeaderName::MinExpires, |text| {
            saturating_u32(text, "Min-Expires")
        })
    }

    /// Event.
    pub fn event(&self) -> Result<Option<Event>, Malformed> {
        optional(self, &HeaderName::Event, Event::parse)
    }

    /// Subscription-State.
    pub fn subscription_state(&self) -> Result<Option<SubscriptionState>, Malformed> {
        optional(
            self,
            &HeaderName::SubscriptionState,
            SubscriptionState::parse,
        )
    }

    /// SIP-ETag (RFC 3903 §11.3.1).
    pub fn sip_etag(&self) -> Option<&str> {
        self.get(&HeaderName::SipETag)
    }

    /// SIP-If-Match (RFC 3903 §11.3.2).
    pub fn sip_if_match(&self) -> Option<&str> {
        self.get(&HeaderName::SipIfMatch)
    }

    /// Content-Type.
    pub fn content_type(&self) -> Result<Option<MediaType>, Malformed> {
        optional(self, &HeaderName::ContentType, MediaType::parse)
    }

    /// Whether Content-Type names one of these types; `None` if there is none.
    pub(crate) fn content_type_among(&self, essences: &[&str]) -> Result<Option<bool>, Malformed> {
        optional(self, &HeaderName::ContentType, |text| {
            MediaType::is_among(text, essences)
        })
    }

    /// Accept; `None` if there is no such field, which is not the same as an empty one (RFC 3261 §20.1).
    pub fn accept(&self) -> Result<Option<Vec<AcceptRange>>, Malformed> {
        if !self.contains(&HeaderName::Accept) {
            return Ok(None);
        }
        let ranges: Result<_, _> = self
            .list(&HeaderName::Accept)
            .map(AcceptRange::parse)
            .collect();
        ranges.map(Some)
    }

    /// Every Authorization, one a field.
    pub fn authorizations(&self) -> impl Iterator<Item = Result<Authorization, Malformed>> {
        self.all(&HeaderName::Authorization)
            .map(Authorization::parse)
    }

    /// Every Proxy-Authorization, one a field.
    pub fn proxy_authorizations(&self) -> impl Iterator<Item = Result<Authorization, Malformed>> {
        self.all(&HeaderName::ProxyAuthorization)
            .map(Authorization::parse)
    }

    /// Every WWW-Authenticate, one a field.
    pub fn challenges(&self) -> impl Iterator<Item = Result<Challenge, Malformed>> {
        self.all(&HeaderName::WwwAuthenticate).map(Challenge::parse)
    }

    /// Every Proxy-Authenticate, one a field.
    pub fn proxy_challenges(&self) -> impl Iterator<Item = Result<Challenge, Malformed>> {
        self.all(&HeaderName::ProxyAuthenticate)
            .map(Challenge::parse)
    }

    /// Retry-After.
    pub fn retry_after(&self) -> Result<Option<RetryAfter>, Malformed> {
        optional(self, &HeaderName::RetryAfter, RetryAfter::parse)
    }

    /// Date.
    pub fn date(&self) -> Result<Option<Date>, Malformed> {
        optional(self, &HeaderName::Date, Date::parse)
    }

    /// The addresses of Route, Record-Route, Path, Service-Route, P-Asserted-Identity … in order.
    pub fn addresses(&self, name: &HeaderName) -> Result<Vec<NameAddr>, Malformed> {
        let what = HeaderName::known(name.index());
        self.list(name)
            .map(|text| NameAddr::parse(text, what))
            .collect()
    }
}

impl Request {
    /// The tag of To: a request with one belongs to a dialog (RFC 3261 §12.2).
    pub fn to_tag(&self) -> Option<String> {
        self.headers.to_tag().map(str::to_owned)
    }

    /// The tag of From; none from elements of RFC 2543.
    pub fn from_tag(&self) -> Option<String> {
        self.headers.from_tag().map(str::to_owned)
    }
}

impl Response {
    /// The tag of To.
    pub fn to_tag(&self) -> Option<String> {
        self.headers.to_tag().map(str::to_owned)
    }
}
