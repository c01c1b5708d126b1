//! The bridge, its model and its phones.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use presence::{Bare, Utc, WatchId};
use sip::dialog::NextHop;
use sip::digest::{DigestSession, choose_challenge};
use sip::header::{Challenge, SubscriptionState, Transport};
use sip::transaction::{Failure, Flow};
use sip::{HeaderName, Message, Request, Response, Timestamp};

use super::model::{Model, PASSWORD};
use crate::{Bridge, Config, Now, Output};

pub(super) fn ann() -> Bare {
    Bare::parse("ann@office.example").unwrap()
}

pub(super) fn bob() -> Bare {
    Bare::parse("bob@office.example").unwrap()
}

/// A request of ours that waits for its answer.
pub(super) struct Sent {
    pub(super) key: u64,
    pub(super) request: Request,
    pub(super) to: NextHop,
}

impl Sent {
    pub(super) fn header(&self, name: &HeaderName) -> String {
        self.request
            .headers
            .get(name)
            .unwrap_or_default()
            .to_owned()
    }

    pub(super) fn state(&self) -> SubscriptionState {
        self.request.headers.subscription_state().unwrap().unwrap()
    }

    /// State without the time left, and the body.
    pub(super) fn told(&self) -> (String, String) {
        let state = self.state();
        let reason = state.reason().map(|r| format!(";{r}")).unwrap_or_default();
        let body = String::from_utf8(self.request.body.to_vec()).unwrap();
        (format!("{}{reason}", state.status.as_str()), body)
    }

    pub(super) fn cseq(&self) -> u32 {
        self.request.headers.cseq().unwrap().number
    }
}

pub(super) struct World {
    pub(super) bridge: Bridge<u64>,
    pub(super) model: Model,
    pub(super) now: Now,
    pub(super) sent: VecDeque<Sent>,
    pub(super) answers: HashMap<u64, (Response, bool)>,
    /// The model says nothing for the time being.
    pub(super) silent: bool,
    held: Vec<(crate::Token, crate::Action)>,
    next: u64,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(vec!["office.example".to_owned(), "b.example".to_owned()]);
        change(&mut config);
        let model = Model {
            accounts: vec![ann(), bob()],
            ..Model::default()
        };
        Self {
            bridge: Bridge::new(config, [3; 32], [4; 32]),
            model,
            now: Now {
                at: Timestamp(1_000_000),
                utc: Utc(1_795_000_000_000),
            },
            sent: VecDeque::new(),
            answers: HashMap::new(),
            silent: false,
            held: Vec::new(),
            next: 0,
        }
    }

    /// The process ends and begins anew on the same model.
    pub(super) fn restart(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = Config::new(vec!["office.example".to_owned(), "b.example".to_owned()]);
        change(&mut config);
        self.bridge = Bridge::new(config, [5; 32], [6; 32]);
        self.sent.clear();
        self.held.clear();
        let mut watches: Vec<_> = self.model.watches.values().cloned().collect();
        watches.sort_by_key(|w| w.id);
        self.bridge.restore(self.now, watches);
        self.run();
    }

    pub(super) fn run(&mut self) {
        while let Some(output) = self.bridge.poll_output() {
            match output {
                Output::Respond(id, response) => self.answered(id, response, false),
                Output::RespondStateless(id, response) => self.answered(id, response, true),
                Output::Send { key, request, to } => {
                    // What cannot be read again is no request.
                    let octets = request
                        .clone()
                        .with(HeaderName::Via, "SIP/2.0/UDP x.example;branch=z9hG4bK1")
                        .to_bytes();
                    assert!(sip::parse(&octets).is_ok(), "{octets:?}");
                    self.sent.push_back(Sent { key, request, to });
                }
                Output::Act(token, action) if self.silent => self.held.push((token, action)),
                Output::Act(token, action) => {
                    if let Some(answer) = self.model.answer(self.now.utc, action) {
                        self.bridge.handle_answer(self.now, token, answer);
                    }
                }
            }
        }
    }

    /// The model says what it was asked while it was silent.
    pub(super) fn speak(&mut self) {
        self.silent = false;
        for (token, action) in std::mem::take(&mut self.held) {
            if let Some(answer) = self.model.answer(self.now.utc, action) {
                self.bridge.handle_answer(self.now, token, answer);
            }
            self.run();
        }
    }

    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    fn answered(&mut self, id: u64, response: Response, stateless: bool) {
        assert!(!response.is_provisional());
        let before = self.answers.insert(id, (response, stateless));
        assert!(before.is_none(), "a request has one answer");
    }

    /// Gives a request in; what answers it comes out of [`World::answer_to`].
    pub(super) fn give(&mut self, request: &Request, flow: &Flow) -> u64 {
        self.next += 1;
        self.bridge
            .handle_request(self.now, self.next, request.clone(), flow);
        self.run();
        self.next
    }

    pub(super) fn answer_to(&mut self, id: u64) -> Option<Response> {
        self.answers.remove(&id).map(|(response, _)| response)
    }

    /// A request and its answer.
    pub(super) fn ask(&mut self, request: &Request, flow: &Flow) -> Response {
        let id = self.give(request, flow);
        self.answer_to(id).expect("an answer")
    }

    /// Time passes, timers fire when they are due.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now.at + time;
        while let Some(at) = self.bridge.poll_timeout().filter(|at| *at <= end) {
            let step = at.since(self.now.at);
            self.advance(step);
            self.bridge.handle_timeout(self.now);
            let again = self.bridge.poll_timeout();
            assert!(
                again.is_none_or(|next| next > self.now.at),
                "a timer that fired is over"
            );
            self.run();
        }
        self.advance(end.since(self.now.at));
        self.bridge.handle_timeout(self.now);
        self.run();
    }

    fn advance(&mut self, millis: u64) {
        self.now.at.0 += millis;
        self.now.utc.0 += millis as i64;
    }

    /// Watches of a presentity are told of a change.
    pub(super) fn changed(&mut self, who: &Bare) {
        let mut watches: Vec<(WatchId, Bare)> = self
            .model
            .watches
            .values()
            .filter(|w| w.presentity == *who)
            .map(|w| (w.id, w.watcher.clone()))
            .collect();
        watches.sort();
        let view = self.model.view(who);
        for (id, watcher) in watches {
            let decision = self.model.decision(&watcher, who);
            self.bridge.handle_view(self.now, id, decision, &view);
        }
        self.run();
    }

    /// The one request that was sent.
    pub(super) fn one(&mut self) -> Sent {
        let one = self.sent.pop_front().expect("a request");
        assert!(self.sent.is_empty(), "one request only");
        one
    }

    pub(super) fn none(&self) {
        assert!(self.sent.is_empty(), "nothing was to be sent");
    }

    pub(super) fn reply(&mut self, to: &Sent, status: u16) {
        self.reply_with(to, Response::for_request(&to.request, status));
    }

    pub(super) fn reply_with(&mut self, to: &Sent, response: Response) {
        self.bridge.handle_response(self.now, to.key, &response);
        self.run();
    }

    pub(super) fn fail(&mut self, to: &Sent, why: Failure) {
        self.bridge.handle_failure(self.now, to.key, why);
        self.run();
    }

    /// The one NOTIFY that was sent is taken; what it told.
    pub(super) fn notified(&mut self) -> (String, String) {
        let one = self.one();
        self.reply(&one, 200);
        one.told()
    }
}

/// A phone, or something like it.
pub(super) struct Phone {
    pub(super) name: &'static str,
    pub(super) flow: Flow,
    session: Option<DigestSession>,
    count: u32,
}

impl Phone {
    pub(super) fn new(name: &'static str) -> Self {
        let remote = SocketAddr::from(([192, 0, 2, name.len() as u8], 5060));
        Self::over(name, Flow::to(Transport::Udp, remote))
    }

    pub(super) fn over(name: &'static str, flow: Flow) -> Self {
        Self {
            name,
            flow,
            session: None,
            count: 0,
        }
    }

    /// A request outside of a dialog, without credentials. `extra`: lines, each ended.
    pub(super) fn request(&mut self, method: &str, uri: &str, extra: &str, body: &str) -> Request {
        self.count += 1;
        let (name, count) = (self.name, self.count);
        let to = uri.split(';').next().unwrap();
        let call = format!("Call-ID: {name}-{count}\r\nTo: <{to}>\r\n");
        self.raw(method, uri, &format!("{call}{extra}"), body)
    }

    /// A request with Call-ID and To in `extra`.
    pub(super) fn raw(&mut self, method: &str, uri: &str, extra: &str, body: &str) -> Request {
        self.count += 1;
        let (name, count) = (self.name, self.count);
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK{name}{count}\r\n\
             From: <sip:{name}@office.example>;tag={name}-tag\r\nCSeq: {count} {method}\r\n{extra}\r\n{body}"
        );
        parse(&text)
    }

    /// Sends it, with credentials when they are asked for.
    pub(super) fn send(&mut self, world: &mut World, request: Request) -> Response {
        let mut request = request;
        if let Some(session) = &mut self.session {
            let value = session.authorize(&request.method, &request.uri, &[], "c");
            request.headers.set(HeaderName::Authorization, value);
        }
        let response = world.ask(&request, &self.flow);
        if response.status != 401 {
            return response;
        }
        let challenges: Vec<Challenge> =
            response.headers.challenges().map(Result::unwrap).collect();
        let challenge = choose_challenge(&challenges).unwrap();
        let mut session = DigestSession::new(challenge, self.name, PASSWORD).unwrap();
        let value = session.authorize(&request.method, &request.uri, &[], "c");
        self.session = Some(session);
        request.headers.set(HeaderName::Authorization, value);
        world.ask(&request, &self.flow)
    }

    /// With credentials by the last challenge.
    pub(super) fn raw_with_session(&mut self, mut request: Request) -> Request {
        let session = self.session.as_mut().unwrap();
        let value = session.authorize(&request.method, &request.uri, &[], "c");
        request.headers.set(HeaderName::Authorization, value);
        request
    }

    pub(super) fn ask(
        &mut self,
        world: &mut World,
        method: &str,
        uri: &str,
        extra: &str,
        body: &str,
    ) -> Response {
        let request = self.request(method, uri, extra, body);
        self.send(world, request)
    }

    /// SUBSCRIBE; the answer.
    pub(super) fn subscribe(&mut self, world: &mut World, uri: &str, extra: &str) -> Response {
        let contact = format!(
            "Contact: <sip:{}@10.0.0.1:5060>\r\nEvent: presence\r\n{extra}",
            self.name
        );
        self.ask(world, "SUBSCRIBE", uri, &contact, "")
    }

    /// SUBSCRIBE in the dialog that an answer made.
    pub(super) fn again(&mut self, world: &mut World, first: &Response, extra: &str) -> Response {
        let headers = &first.headers;
        let (call_id, to) = (
            headers.call_id().unwrap().to_owned(),
            headers.get(&HeaderName::To).unwrap().to_owned(),
        );
        let contact = format!(
            "Contact: <sip:{}@10.0.0.1:5060>\r\nEvent: presence\r\nCall-ID: {call_id}\r\nTo: {to}\r\n{extra}",
            self.name
        );
        let uri = headers.contacts().unwrap().listed()[0]
            .uri()
            .as_str()
            .to_owned();
        let request = self.raw("SUBSCRIBE", &uri, &contact, "");
        self.send(world, request)
    }
}

pub(super) fn parse(text: &str) -> Request {
    match sip::parse(&Bytes::from(text.to_owned())) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}\n{text}"),
    }
}
