//! A phone with a registration, publications and subscriptions.

use std::net::SocketAddr;

use bytes::Bytes;
use sip::digest::{DigestSession, choose_challenge};
use sip::header::{Challenge, Transport};
use sip::transaction::Flow;
use sip::{HeaderName, Message, Method, Request, Response};

use super::world::{DOMAIN, PASSWORD, World};
use crate::sip::pidf::Pidf;

/// A device.
pub(super) struct Phone {
    name: &'static str,
    host: String,
    flow: Flow,
    session: Option<DigestSession>,
    count: u32,
    /// Of its publication.
    pub(super) etag: Option<String>,
}

impl Phone {
    /// A phone of a user; the number makes its address.
    pub(super) fn new(name: &'static str, number: u8) -> Self {
        let remote = SocketAddr::from(([192, 0, 2, number], 5060));
        Self {
            name,
            host: remote.to_string(),
            flow: Flow::to(Transport::Udp, remote),
            session: None,
            count: 0,
            etag: None,
        }
    }

    fn request(&mut self, method: &str, uri: &str, lines: &str, body: &str) -> Request {
        self.count += 1;
        let (name, host, count) = (self.name, &self.host, self.count);
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host};branch=z9hG4bK{name}{count}\r\n\
             From: <sip:{name}@{DOMAIN}>;tag={name}-tag\r\nCSeq: {count} {method}\r\n{lines}\r\n{body}"
        );
        match sip::parse(&Bytes::from(text)) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn sign(&mut self, request: &mut Request) {
        if let Some(session) = &mut self.session {
            let value = session.authorize(&request.method, &request.uri, &request.body, "c");
            request.headers.set(HeaderName::Authorization, value);
        }
    }

    /// Sends a request, with a password when it is asked for.
    fn ask(&mut self, world: &mut World, mut request: Request) -> Response {
        self.sign(&mut request);
        let response = world.ask(request.clone(), &self.flow);
        if response.status != 401 {
            return response;
        }
        let challenges: Vec<Challenge> =
            response.headers.challenges().map(Result::unwrap).collect();
        let challenge = choose_challenge(&challenges).unwrap();
        self.session = Some(DigestSession::new(challenge, self.name, PASSWORD).unwrap());
        self.sign(&mut request);
        world.ask(request, &self.flow)
    }

    /// REGISTER for so many seconds.
    pub(super) fn register(&mut self, world: &mut World, seconds: u32) {
        let (name, host) = (self.name, &self.host);
        let lines = format!(
            "Call-ID: reg-{host}\r\nTo: <sip:{name}@{DOMAIN}>\r\nExpires: {seconds}\r\n\
             Contact: <sip:{name}@{host}>;+sip.instance=\"<urn:uuid:{host}>\"\r\nAllow: MESSAGE\r\n"
        );
        let request = self.request("REGISTER", &format!("sip:{DOMAIN}"), &lines, "");
        assert_eq!(self.ask(world, request).status, 200);
    }

    /// PUBLISH with the last entity tag; the status. An empty document refreshes or removes.
    pub(super) fn publish(&mut self, world: &mut World, document: &str, seconds: u32) -> u16 {
        let uri = format!("sip:{}@{DOMAIN}", self.name);
        let tag = self.etag.take();
        let tag = tag.map_or_else(String::new, |tag| format!("SIP-If-Match: {tag}\r\n"));
        let kind = if document.is_empty() {
            ""
        } else {
            "Content-Type: application/pidf+xml\r\n"
        };
        let lines = format!(
            "Call-ID: pub-{}\r\nTo: <{uri}>\r\nEvent: presence\r\nExpires: {seconds}\r\n{kind}{tag}",
            self.host
        );
        let request = self.request("PUBLISH", &uri, &lines, document);
        let answer = self.ask(world, request);
        self.etag = answer.headers.sip_etag().map(str::to_owned);
        answer.status
    }

    /// SUBSCRIBE to a colleague's presence.
    pub(super) fn subscribe(&mut self, world: &mut World, whom: &str) {
        let status = self.try_subscribe(world, whom);
        assert!(matches!(status, 200 | 202), "{status}");
    }

    /// SUBSCRIBE to a colleague's presence; the status.
    pub(super) fn try_subscribe(&mut self, world: &mut World, whom: &str) -> u16 {
        let (name, host) = (self.name, &self.host);
        let uri = format!("sip:{whom}@{DOMAIN}");
        let lines = format!(
            "Call-ID: sub-{host}-{whom}-{}\r\nTo: <{uri}>\r\nEvent: presence\r\nExpires: 3600\r\n\
             Contact: <sip:{name}@{host}>\r\n",
            self.count
        );
        let request = self.request("SUBSCRIBE", &uri, &lines, "");
        self.ask(world, request).status
    }

    /// MESSAGE to a colleague; the status.
    pub(super) fn say(&mut self, world: &mut World, whom: &str, text: &str) -> u16 {
        let uri = format!("sip:{whom}@{DOMAIN}");
        let lines = format!(
            "Call-ID: say-{}-{}\r\nTo: <{uri}>\r\nContent-Type: text/plain\r\n",
            self.host, self.count
        );
        let request = self.request("MESSAGE", &uri, &lines, text);
        self.ask(world, request).status
    }

    /// What the user's phones were told in NOTIFY requests since the last reading: state with reason, and the document.
    pub(super) fn told(&self, world: &mut World) -> Vec<(String, Option<Pidf>)> {
        let sent = world.sent_to(self.name, &Method::Notify);
        let told = sent.into_iter().map(|notify| {
            let state = notify.headers.subscription_state().unwrap().unwrap();
            let reason = state.reason().map(|r| format!(";{r}")).unwrap_or_default();
            let body = (!notify.body.is_empty()).then(|| Pidf::read(&notify.body));
            (format!("{}{reason}", state.status.as_str()), body)
        });
        told.collect()
    }

    /// The document of the one NOTIFY since the last reading.
    pub(super) fn sees(&self, world: &mut World) -> Pidf {
        let mut told = self.told(world);
        assert_eq!(told.len(), 1, "{told:?}");
        let (state, pidf) = told.remove(0);
        assert_eq!(state, "active");
        pidf.expect("a document")
    }

    /// What the user's phones were sent by MESSAGE since the last reading.
    pub(super) fn messages(&self, world: &mut World) -> Vec<String> {
        let sent = world.sent_to(self.name, &Method::Message);
        let texts = sent.iter().map(|m| std::str::from_utf8(&m.body).unwrap());
        texts.map(str::to_owned).collect()
    }
}
