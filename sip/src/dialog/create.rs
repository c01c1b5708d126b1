//! How dialogs begin.

use super::{
    Dialog, DialogError,
    state::{RESERVED_AT_ONCE, Written},
};
use crate::{
    HeaderName, Headers, Request, Response, Uri,
    header::{Contacts, NameAddr},
    transaction::Flow,
};

impl Dialog {
    /// The dialog of a notifier, by a SUBSCRIBE that came (RFC 3261 §12.1.1). `local_tag` goes into To of
    /// the answer. The first block of numbers counts as reserved: the dialog is to be written before its
    /// first NOTIFY.
    ///
    /// # Errors
    /// 400 if it has not exactly one Contact with a SIP URI, or a field it needs cannot be read.
    pub fn from_subscribe(
        request: &Request,
        local_tag: &str,
        flow: &Flow,
    ) -> Result<Self, DialogError> {
        let headers = &request.headers;
        Ok(Self {
            call_id: call_id(headers)?,
            local_tag: local_tag.to_owned(),
            remote_tag: request.from_tag().unwrap_or_default(),
            local_uri: address(headers, &HeaderName::To)?,
            remote_uri: address(headers, &HeaderName::From)?,
            remote_target: target(headers)?,
            route_set: route_set(headers)?,
            local_cseq: 0,
            local_cseq_reserved: RESERVED_AT_ONCE,
            remote_cseq: Some(number(headers)?),
            flow: flow.clone(),
            secure: flow.is_secure() && request.uri.is_sips(),
            written: Written::default(),
        })
    }

    /// The dialog of a subscriber, by a NOTIFY that came for its SUBSCRIBE (RFC 6665 §4.4.1).
    ///
    /// # Errors
    /// 481 if the NOTIFY is not for that SUBSCRIBE, 400 if it cannot make a dialog.
    pub fn from_notify(
        subscribe: &Request,
        notify: &Request,
        flow: &Flow,
    ) -> Result<Self, DialogError> {
        const OTHER: DialogError = DialogError::new(481, "Subscription Does Not Exist");
        let (ours, headers) = (&subscribe.headers, &notify.headers);
        let local_tag = subscribe.from_tag().unwrap_or_default();
        if call_id(ours)? != call_id(headers)? || notify.to_tag().unwrap_or_default() != local_tag {
            return Err(OTHER);
        }
        let local_cseq = number(ours)?;
        Ok(Self {
            call_id: call_id(headers)?,
            local_tag,
            remote_tag: notify.from_tag().unwrap_or_default(),
            local_uri: address(headers, &HeaderName::To)?,
            remote_uri: address(headers, &HeaderName::From)?,
            remote_target: target(headers)?,
            route_set: route_set(headers)?,
            local_cseq,
            local_cseq_reserved: local_cseq.saturating_add(RESERVED_AT_ONCE),
            remote_cseq: Some(number(headers)?),
            flow: flow.clone(),
            secure: flow.is_secure() && subscribe.uri.is_sips(),
            written: Written::default(),
        })
    }

    /// The dialog of a subscriber, by the 2xx to its SUBSCRIBE (RFC 3261 §12.1.2); `flow` is the one it
    /// was sent over.
    ///
    /// # Errors
    /// If the response cannot make a dialog; the status is of no use, for responses get no answer.
    pub fn from_response(
        subscribe: &Request,
        response: &Response,
        flow: &Flow,
    ) -> Result<Self, DialogError> {
        let (ours, headers) = (&subscribe.headers, &response.headers);
        let local_cseq = number(ours)?;
        let mut route_set = route_set(headers)?;
        route_set.reverse();
        Ok(Self {
            call_id: call_id(ours)?,
            local_tag: subscribe.from_tag().unwrap_or_default(),
            remote_tag: response.to_tag().unwrap_or_default(),
            local_uri: address(ours, &HeaderName::From)?,
            remote_uri: address(ours, &HeaderName::To)?,
            remote_target: target(headers)?,
            route_set,
            local_cseq,
            local_cseq_reserved: local_cseq.saturating_add(RESERVED_AT_ONCE),
            remote_cseq: None,
            flow: flow.clone(),
            secure: flow.is_secure() && subscribe.uri.is_sips(),
            written: Written::default(),
        })
    }
}

fn call_id(headers: &Headers) -> Result<String, DialogError> {
    let id = headers.call_id();
    id.map(str::to_owned)
        .map_err(|_| DialogError::new(400, "Malformed Call-ID"))
}

fn number(headers: &Headers) -> Result<u32, DialogError> {
    let cseq = headers.cseq();
    cseq.map(|cseq| cseq.number)
        .map_err(|_| DialogError::new(400, "Malformed CSeq"))
}

/// From or To without its tag.
fn address(headers: &Headers, name: &HeaderName) -> Result<NameAddr, DialogError> {
    let (read, reason) = match name {
        HeaderName::From => (headers.from(), "Malformed From"),
        _ => (headers.to(), "Malformed To"),
    };
    let mut address = read.map_err(|_| DialogError::new(400, reason))?;
    address.params.remove("tag");
    Ok(address)
}

fn target(headers: &Headers) -> Result<Uri, DialogError> {
    match headers.contacts() {
        Ok(Contacts::Listed(contacts)) => match contacts.as_slice() {
            [contact] if contact.uri().is_sip() => Ok(contact.uri().clone()),
            [] => Err(DialogError::new(400, "Missing Contact")),
            [_] => Err(DialogError::new(400, "Contact is not a SIP URI")),
            _ => Err(DialogError::new(400, "More than one Contact")),
        },
        _ => Err(DialogError::new(400, "Malformed Contact")),
    }
}

fn route_set(headers: &Headers) -> Result<Vec<NameAddr>, DialogError> {
    let routes = headers.addresses(&HeaderName::RecordRoute);
    routes.map_err(|_| DialogError::new(400, "Malformed Record-Route"))
}
