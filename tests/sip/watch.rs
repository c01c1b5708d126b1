//! A subscription as the watcher has it, and what its NOTIFY requests say.

use ::sip::header::SubscriptionStatus;
use ::sip::{HeaderName, Method, Request, Response, Uri};

use super::phone::Phone;
use super::pidf::Pidf;

/// One NOTIFY.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// `active`, `pending` or `terminated`.
    pub(crate) state: String,
    /// Why it is over.
    pub(crate) reason: Option<String>,
    /// Seconds left.
    pub(crate) expires: Option<u32>,
    /// The document, where there is one.
    pub(crate) pidf: Option<Pidf>,
    /// All of it.
    pub(crate) request: Request,
}

/// A subscription.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    call_id: String,
    from: String,
    to: String,
    contact: String,
    event: String,
    /// What requests in the dialog are sent to.
    pub(crate) remote: Uri,
    number: u32,
    /// CSeq of the last NOTIFY.
    pub(crate) last: u32,
    /// Seconds granted.
    pub(crate) granted: u32,
}

impl Watch {
    /// Of a SUBSCRIBE and its 200.
    pub(crate) fn new(request: &Request, response: &Response, number: u32) -> Self {
        let headers = &request.headers;
        let contacts = response.headers.contacts().unwrap();
        let text = |name| headers.get(&name).unwrap().to_owned();
        Self {
            call_id: text(HeaderName::CallId),
            from: text(HeaderName::From),
            to: response.headers.get(&HeaderName::To).unwrap().to_owned(),
            contact: text(HeaderName::Contact),
            event: text(HeaderName::Event),
            remote: contacts.listed()[0].uri().clone(),
            number,
            last: 0,
            granted: response.headers.expires().unwrap().unwrap(),
        }
    }

    /// A SUBSCRIBE in the dialog.
    pub(crate) fn request(&mut self, expires: u32) -> Request {
        self.number += 1;
        Request::new(Method::Subscribe, self.remote.clone())
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, self.from.clone())
            .with(HeaderName::To, self.to.clone())
            .with(HeaderName::CallId, self.call_id.clone())
            .with(HeaderName::CSeq, format!("{} SUBSCRIBE", self.number))
            .with(HeaderName::Contact, self.contact.clone())
            .with(HeaderName::Event, self.event.clone())
            .with(HeaderName::Accept, "application/pidf+xml")
            .with(HeaderName::Expires, expires.to_string())
    }

    /// Asks for more time, or with 0 for the end.
    #[track_caller]
    pub(crate) fn refresh(&mut self, phone: &mut Phone, expires: u32) -> Response {
        let request = self.request(expires);
        let (response, number) = phone.ask_numbered(request);
        self.number = number;
        response
    }

    /// Whether a request is a NOTIFY of this subscription.
    pub(crate) fn is_mine(&self, request: &Request) -> bool {
        request.method == Method::Notify && request.headers.call_id() == Ok(self.call_id.as_str())
    }

    /// The next NOTIFY. Its CSeq must be above that of the one before.
    #[track_caller]
    pub(crate) fn told(&mut self, phone: &mut Phone) -> Told {
        let mine = self.clone();
        let request = phone.request("a NOTIFY", |request| mine.is_mine(request));
        let headers = &request.headers;
        let number = headers.cseq().unwrap().number;
        assert!(number > self.last, "CSeq {number} after {}", self.last);
        self.last = number;
        assert_eq!(headers.get(&HeaderName::Event), Some(self.event.as_str()));
        let state = headers.subscription_state().unwrap().unwrap();
        let pidf = (!request.body.is_empty()).then(|| {
            assert!(
                headers
                    .content_type()
                    .unwrap()
                    .unwrap()
                    .is("application/pidf+xml")
            );
            Pidf::read(&request.body)
        });
        Told {
            state: state.status.as_str().to_owned(),
            reason: state.reason().map(str::to_owned),
            expires: state.expires(),
            pidf,
            request,
        }
    }

    /// The next NOTIFY, which must be active; its document.
    #[track_caller]
    pub(crate) fn active(&mut self, phone: &mut Phone) -> Pidf {
        let told = self.told(phone);
        assert_eq!(told.state, "active", "{told:?}");
        told.pidf.expect("a document")
    }

    /// Takes NOTIFY requests until the document fits.
    #[track_caller]
    pub(crate) fn sees(&mut self, phone: &mut Phone, fits: impl Fn(&Pidf) -> bool) -> Pidf {
        loop {
            let told = self.told(phone);
            assert_ne!(
                told.state,
                SubscriptionStatus::Terminated.as_str(),
                "{told:?}"
            );
            if let Some(pidf) = told.pidf.filter(|pidf| fits(pidf)) {
                return pidf;
            }
        }
    }

    /// Takes NOTIFY requests until one says that it is over.
    #[track_caller]
    pub(crate) fn ends(&mut self, phone: &mut Phone) -> Told {
        loop {
            let told = self.told(phone);
            if told.state == "terminated" {
                return told;
            }
        }
    }
}
