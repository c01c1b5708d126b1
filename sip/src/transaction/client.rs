//! Client transactions for requests other than INVITE (RFC 3261 §17.1.2).

use std::time::Duration;

use bytes::Bytes;

use super::{ClientId, Event, Failure, Flow, Layer, SentBy, places::Place};
use crate::{
    Header, HeaderName, Method, Request, Response, Timestamp,
    header::{MAGIC_COOKIE, via::Parts},
    syntax::{push_hex, push_number, split_space, trim},
};

/// A request that was sent, until its final response comes.
pub(super) struct Client {
    /// Second half of the branch; the first is the id.
    secret: u64,
    method: Method,
    sent_by: SentBy,
    to: Flow,
    octets: Bytes,
    /// Proceeding: a provisional response came.
    proceeding: bool,
    /// Timer E and its interval; none over a reliable transport.
    retransmit: Option<(Timestamp, Duration)>,
    /// Timer F.
    until: Timestamp,
}

impl Layer {
    /// Sends a request that is neither INVITE nor ACK. A Via is put on top; Max-Forwards and User-Agent
    /// are added if they are missing.
    ///
    /// What cannot be sent (an INVITE, or more than
    /// [`max_transactions`](super::Config::max_transactions)) fails at once with [`Failure::Transport`].
    pub fn request(&mut self, now: Timestamp, request: Request, to: Flow) -> ClientId {
        let id = self.clients.next_id();
        let refused = matches!(request.method, Method::Invite | Method::Ack)
            || self.clients.len() >= self.config.max_transactions;
        let secret = self.random.next();
        let sent_by = self.config.sent_by(&to);
        let method = request.method.clone();
        let octets = self
            .prepare(request, &to, &sent_by, (id, secret))
            .to_bytes();
        let until = now + self.config.lifetime();
        let retransmit = (!to.is_reliable()).then(|| (now + self.config.t1, self.config.t1));
        let client = Client {
            secret,
            method,
            sent_by,
            to: to.clone(),
            octets: octets.clone(),
            proceeding: false,
            retransmit,
            until,
        };
        let timer = client.timer();
        let id = self.clients.insert(client, Some(Place::of(&to)), timer);
        if refused {
            self.fail_client(ClientId(id), Failure::Transport);
        } else {
            self.transmit(to, octets);
        }
        ClientId(id)
    }

    fn prepare(
        &self,
        mut request: Request,
        to: &Flow,
        sent_by: &SentBy,
        branch: (u64, u64),
    ) -> Request {
        let headers = &mut request.headers;
        let via = via(to, sent_by, branch).into();
        headers.push_front_wire(Header::from_wire(HeaderName::Via, via));
        if !headers.contains(&HeaderName::MaxForwards) {
            headers.push(HeaderName::MaxForwards, "70");
        }
        if let Some(server) = &self.server
            && !headers.contains(&HeaderName::UserAgent)
        {
            headers.push(HeaderName::UserAgent, server.clone());
        }
        request
    }

    /// Takes a response; one that belongs to no transaction is dropped (RFC 3261 §17.1.3, §18.1.2,
    /// RFC 4320 §4.3).
    pub(super) fn handle_response(&mut self, response: Response) {
        if !response.has_single_via() {
            return;
        }
        let Some(via) = response.headers.top_via() else {
            return;
        };
        let Some(id) = self.find_client(&via, &response) else {
            return;
        };
        if response.is_provisional() {
            if let Some(client) = self.clients.get_mut(id) {
                client.proceeding = true;
            }
        } else {
            self.clients.remove(id);
        }
        let id = ClientId(id);
        self.events.push_back(Event::Response { id, response });
    }

    /// The transaction of a response: same branch, same method, and sent-by is ours.
    fn find_client(&self, via: &Parts<'_>, response: &Response) -> Option<u64> {
        let (id, secret) = read_branch(via.branch()?)?;
        let cseq = response.headers.get(&HeaderName::CSeq)?;
        let (_, method) = split_space(cseq)?;
        let client = self.clients.get(id)?;
        let sent_by = &client.sent_by;
        let port = sent_by
            .port
            .unwrap_or_else(|| client.to.transport.default_port());
        let ours = sent_by.host.is(via.host) && port == via.port_or_default();
        let same = client.secret == secret && client.method.as_str() == trim(method);
        (same && ours).then_some(id)
    }

    /// Timers E and F.
    pub(super) fn fire_client(&mut self, now: Timestamp, id: ClientId) {
        let (t2, mut resend) = (self.config.t2, None);
        let Some(client) = self.clients.get_mut(id.0) else {
            return;
        };
        if client.until <= now {
            return self.fail_client(id, Failure::Timeout);
        }
        if let Some((at, interval)) = &mut client.retransmit
            && *at <= now
        {
            let next = if client.proceeding {
                t2
            } else {
                (*interval * 2).min(t2)
            };
            (*at, *interval) = (now + next, next);
            resend = Some((client.to.clone(), client.octets.clone()));
        }
        let timer = client.timer();
        self.clients.set_timer(id.0, timer);
        if let Some((to, octets)) = resend {
            self.transmit(to, octets);
        }
    }

    /// Ends the transactions at a place.
    pub(super) fn fail_clients(&mut self, place: &Place) {
        for id in self.clients.at(place) {
            self.fail_client(ClientId(id), Failure::Transport);
        }
    }

    /// Ends a transaction; its user is told.
    fn fail_client(&mut self, id: ClientId, why: Failure) {
        if self.clients.remove(id.0).is_some() {
            self.events.push_back(Event::Failed { id, why });
        }
    }
}

impl Client {
    /// When the first of its timers fires.
    fn timer(&self) -> Timestamp {
        self.retransmit
            .map_or(self.until, |(at, _)| at.min(self.until))
    }
}

/// The Via of a request. The branch says which transaction it belongs to; the secret keeps others from guessing it.
fn via(to: &Flow, sent_by: &SentBy, (id, secret): (u64, u64)) -> Vec<u8> {
    let mut out = Vec::with_capacity(112);
    out.extend_from_slice(b"SIP/2.0/");
    out.extend_from_slice(to.transport.as_str().as_bytes());
    out.push(b' ');
    sent_by.host.push_to(&mut out);
    if let Some(port) = sent_by.port {
        out.push(b':');
        push_number(&mut out, port.into());
    }
    out.extend_from_slice(b";branch=");
    out.extend_from_slice(MAGIC_COOKIE.as_bytes());
    push_hex(&mut out, id);
    push_hex(&mut out, secret);
    out.extend_from_slice(b";rport");
    out
}

fn read_branch(text: &str) -> Option<(u64, u64)> {
    let digits = text.get(MAGIC_COOKIE.len()..)?;
    if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let (id, secret) = digits.split_at(16);
    let number = |digits| u64::from_str_radix(digits, 16).ok();
    Some((number(id)?, number(secret)?))
}
