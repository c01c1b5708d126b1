//! The requests of a phone: what it does for its owner.

use std::time::Duration;

use sip::dialog::Dialog;
use sip::{HeaderName, Method, Request, Response, Uri};

use super::{LIFETIME, Phone, PhoneError};

impl Phone {
    /// Makes the phone known at its account (RFC 3261 §10), or with a lifetime of 0 unknown again.
    ///
    /// # Errors
    /// If it is refused or not answered.
    pub async fn register(&mut self, lifetime: Duration) -> Result<Response, PhoneError> {
        let contact = format!("<{}>;expires={}", self.contact, lifetime.as_secs());
        let mut registrar = self.account.clone();
        if let Some(host) = self.account.host().cloned() {
            registrar = Uri::build(host).finish().unwrap_or(registrar);
        }
        let request = self
            .outside(Method::Register, registrar, &self.account.clone())
            .with(HeaderName::Contact, contact);
        self.send(request).await
    }

    /// Publishes a document, or takes the publication with that entity tag back (RFC 3903 §4). The entity tag of the answer is in
    /// its `SIP-ETag`.
    ///
    /// # Errors
    /// If it is refused or not answered.
    pub async fn publish(
        &mut self,
        document: Option<Vec<u8>>,
        replaces: Option<&str>,
    ) -> Result<Response, PhoneError> {
        let account = self.account.clone();
        let lifetime = document.as_ref().map_or(0, |_| LIFETIME.as_secs());
        let mut request = self
            .outside(Method::Publish, account.clone(), &account)
            .with(HeaderName::Event, "presence")
            .with(HeaderName::Expires, lifetime.to_string());
        if let Some(tag) = replaces {
            request = request.with(HeaderName::SipIfMatch, tag.to_owned());
        }
        if let Some(document) = document {
            request = request.with_body("application/pidf+xml", document);
        }
        self.send(request).await
    }

    /// Subscribes to somebody's presence (RFC 3856). What it is told comes as NOTIFY from [`Phone::next`].
    ///
    /// # Errors
    /// If it is refused or not answered.
    pub async fn subscribe(&mut self, whom: &Uri) -> Result<Dialog, PhoneError> {
        let contact = format!("<{}>", self.contact);
        let mut request = self
            .outside(Method::Subscribe, whom.clone(), whom)
            .with(HeaderName::Event, "presence")
            .with(HeaderName::Accept, "application/pidf+xml")
            .with(HeaderName::Contact, contact)
            .with(HeaderName::Expires, LIFETIME.as_secs().to_string());
        // A dialog has a Call-ID of its own.
        request
            .headers
            .set(HeaderName::CallId, self.layer.new_call_id(""));
        let answer = self.send(request.clone()).await?;
        let mut dialog = Dialog::from_response(&request, &answer, &self.flow)
            .map_err(|error| PhoneError::Unusable(error.reason))?;
        follow(&mut dialog, &answer);
        Ok(dialog)
    }

    /// Lets a subscription go on for that long from now, or end with 0 (RFC 6665 §4.1.2.2).
    ///
    /// # Errors
    /// If it is refused or not answered.
    pub async fn refresh(
        &mut self,
        dialog: &mut Dialog,
        lifetime: Duration,
    ) -> Result<Response, PhoneError> {
        let request = dialog
            .request(Method::Subscribe, &self.contact)
            .with(HeaderName::Event, "presence")
            .with(HeaderName::Accept, "application/pidf+xml")
            .with(HeaderName::Expires, lifetime.as_secs().to_string());
        let answer = self.send(request).await?;
        follow(dialog, &answer);
        Ok(answer)
    }

    /// Sends a text (RFC 3428).
    ///
    /// # Errors
    /// If it is refused or not answered.
    pub async fn write(&mut self, to: &Uri, text: &str) -> Result<Response, PhoneError> {
        let request = self
            .outside(Method::Message, to.clone(), to)
            .with_body("text/plain;charset=utf-8", text.to_owned());
        self.send(request).await
    }

    /// A request outside of dialogs, from this account.
    fn outside(&mut self, method: Method, uri: Uri, to: &Uri) -> Request {
        self.number += 1;
        let (call, tag) = &self.call;
        let number = format!("{} {method}", self.number);
        Request::new(method, uri)
            .with(HeaderName::From, format!("<{}>;tag={tag}", self.account))
            .with(HeaderName::To, format!("<{to}>"))
            .with(HeaderName::CallId, call.clone())
            .with(HeaderName::CSeq, number)
    }
}

/// Notes the number of the request that was answered: it is higher when the password was asked for in between.
fn follow(dialog: &mut Dialog, answer: &Response) {
    if let Ok(cseq) = answer.headers.cseq() {
        dialog.local_cseq = dialog.local_cseq.max(cseq.number);
    }
}
