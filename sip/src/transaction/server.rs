//! Server transactions (RFC 3261 §17.2, RFC 4320, RFC 6026).

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;

use super::{
    Event, Flow, Layer, ServerId,
    key::{Key, ack_key, tag, write_key},
    layer::reply_flow,
    places::Place,
};
use crate::{
    HeaderName, Message, Method, Request, Response, Timestamp,
    header::{
        Transport,
        via::{self, Parts},
    },
    message::parse,
    routing,
};

/// How long a request may stay without any response before an INVITE is answered with 100.
const TRYING: Duration = Duration::from_millis(200);
/// How long the user has for an INVITE.
const INVITE_LIFETIME: Duration = Duration::from_secs(180);

/// A request that was received.
pub(super) struct Server {
    key: Box<[u8]>,
    /// The key of ACK where it differs from that of INVITE: from elements of RFC 2543.
    ack_key: Option<Box<[u8]>>,
    /// Where in `key` the method begins, if the branch is not unique.
    legacy: Option<usize>,
    merge: Option<u64>,
    /// Hash of the datagram that it began with.
    datagram: Option<u64>,
    is_invite: bool,
    pub(super) reply: Flow,
    /// Port for a new connection, if that of the request is closed.
    port: u16,
    /// What a retransmission of the request gets.
    last: Option<Bytes>,
    state: State,
}

/// The states of figures 7 and 8.
enum State {
    /// Trying and Proceeding.
    Pending(Box<Pending>),
    /// A final response was sent, none of 2xx to an INVITE. Timer J, or H.
    Completed {
        until: Timestamp,
        /// Timer G and its interval.
        retransmit: Option<(Timestamp, Duration)>,
    },
    /// Nothing is sent any more, retransmissions are absorbed: the ACK came (Confirmed, Timer I), or
    /// there was no answer in time.
    Quiet { until: Timestamp },
    /// A 2xx to an INVITE was sent. Timer L.
    Accepted { until: Timestamp },
}

/// What is kept of a request until it is answered.
struct Pending {
    /// What a 100 is made from.
    kept: Kept,
    /// When the 100 is due.
    trying_at: Option<Timestamp>,
    until: Timestamp,
    since: Timestamp,
}

/// What is kept of a request for a 100, which is seldom sent.
enum Kept {
    /// The datagram, and where it came from.
    Octets(Bytes, SocketAddr),
    /// The 100 itself: what a stream brought is read already.
    Trying(Response),
}

impl Kept {
    fn trying(&self) -> Option<Response> {
        match self {
            Self::Trying(response) => Some(response.clone()),
            Self::Octets(octets, source) => match parse(octets) {
                Ok(Message::Request(mut request)) => {
                    routing::stamp_received(&mut request, *source);
                    Some(Response::for_request(&request, 100))
                }
                _ => None,
            },
        }
    }
}

/// Whether a transaction cannot be told by its branch alone: one of RFC 2543.
pub(super) fn is_legacy(via: &Parts<'_>) -> bool {
    via.branch().and_then(via::unique).is_none()
}

impl Layer {
    /// Takes a request.
    pub(super) fn handle_request(&mut self, now: Timestamp, flow: &Flow, mut request: Request) {
        let Some(via) = request.headers.top_via() else {
            return;
        };
        let mut key = std::mem::take(&mut self.scratch);
        let method_at = write_key(&mut key, &request, &via, &request.method);
        let legacy = is_legacy(&via).then_some(method_at);
        let reply = reply_flow(flow, &via);
        match (self.find_server(&key), &request.method) {
            (Some(id), Method::Ack) => self.handle_ack(now, id),
            (Some(id), _) => self.repeat(id),
            (None, Method::Ack) => {}
            (None, _) => {
                routing::stamp_received(&mut request, flow.remote);
                self.begin(now, flow, request, reply, (&key, legacy));
            }
        }
        self.scratch = key;
    }

    /// The server transaction with a key.
    pub(super) fn find_server(&self, key: &[u8]) -> Option<ServerId> {
        let id = *self.keys.get(&self.seeded.hash(key))?;
        let server = self.servers.get(id.0)?;
        let same = *server.key == *key || server.ack_key.as_deref() == Some(key);
        same.then_some(id)
    }

    /// A retransmission gets what the last one got.
    pub(super) fn repeat(&mut self, id: ServerId) {
        if let Some(server) = self.servers.get_mut(id.0)
            && !matches!(server.state, State::Accepted { .. } | State::Quiet { .. })
            && let Some(octets) = server.last.clone()
        {
            let to = server.reply.clone();
            self.transmit(to, octets);
        }
    }

    /// A new request.
    fn begin(
        &mut self,
        now: Timestamp,
        flow: &Flow,
        request: Request,
        reply: (Flow, u16),
        key: Key<'_>,
    ) {
        if request.method == Method::Cancel {
            return self.handle_cancel(now, flow, &request, reply);
        }
        let merge = self.merge_hash(&request);
        if merge.is_some_and(|merge| self.merges.contains_key(&merge)) {
            let response = Response::for_request(&request, 482);
            self.respond_stateless(flow, &request, response);
            return;
        }
        let Some(id) = self.insert_server(now, flow.remote, &request, reply, key) else {
            let response = Response::for_request(&request, 503)
                .with(HeaderName::RetryAfter, self.config.retry_after.to_string());
            self.respond_stateless(flow, &request, response);
            return;
        };
        if let (Some(merge), Some(server)) = (merge, self.servers.get_mut(id.0)) {
            server.merge = Some(merge);
            self.merges.insert(merge, id);
        }
        let flow = flow.clone();
        self.events.push_back(Event::Request { id, request, flow });
    }

    /// From tag, Call-ID and CSeq of a request outside of dialogs (RFC 3261 §8.2.2.2).
    fn merge_hash(&self, request: &Request) -> Option<u64> {
        let headers = &request.headers;
        if tag(headers.get(&HeaderName::To)?).is_some() {
            return None;
        }
        let from_tag = tag(headers.get(&HeaderName::From)?).unwrap_or("");
        let cseq = headers.get(&HeaderName::CSeq)?;
        let number = cseq.bytes().take_while(u8::is_ascii_digit);
        let number = number.fold(0_u32, |n, digit| {
            n.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))
        });
        let call_id = headers.call_id().ok()?;
        Some(self.seeded.hash_parts(&[
            from_tag.as_bytes(),
            call_id.as_bytes(),
            request.method.as_str().as_bytes(),
            &number.to_ne_bytes(),
        ]))
    }

    /// Makes the transaction of a request; `None` if there are too many.
    pub(super) fn insert_server(
        &mut self,
        now: Timestamp,
        source: SocketAddr,
        request: &Request,
        (reply, port): (Flow, u16),
        (key, legacy): Key<'_>,
    ) -> Option<ServerId> {
        if self.servers.len() >= self.config.max_transactions {
            return None;
        }
        let is_invite = request.method == Method::Invite;
        let pending = self.pending(now, request, source);
        let hash = self.seeded.hash(key);
        let datagram = self.current.as_ref().map(|(hash, _)| *hash);
        let place = reply.connection.map(Place::Connection);
        let server = Server {
            key: key.into(),
            ack_key: None,
            legacy,
            merge: None,
            datagram,
            is_invite,
            reply,
            port,
            last: None,
            state: State::Pending(Box::new(pending)),
        };
        let timer = server.timer();
        let id = ServerId(self.servers.insert(server, place, timer));
        self.keys.insert(hash, id);
        if let Some(datagram) = datagram {
            self.datagrams.insert(datagram, id);
        }
        Some(id)
    }

    /// What is kept of a request: INVITE gets a 100 sooner and may wait longer.
    fn pending(&self, now: Timestamp, request: &Request, source: SocketAddr) -> Pending {
        let (trying_after, lifetime) = if request.method == Method::Invite {
            (TRYING, INVITE_LIFETIME)
        } else {
            (self.config.trying_delay(), self.config.lifetime())
        };
        Pending {
            kept: match &self.current {
                Some((_, octets)) => Kept::Octets(octets.clone(), source),
                None => Kept::Trying(Response::for_request(request, 100)),
            },
            trying_at: Some(now + trying_after),
            until: now + lifetime,
            since: now,
        }
    }

    /// The ACK of a final response that was no 2xx.
    fn handle_ack(&mut self, now: Timestamp, id: ServerId) {
        let until = now + self.config.t4;
        let Some(server) = self.servers.get_mut(id.0) else {
            return;
        };
        if !server.is_invite || !matches!(server.state, State::Completed { .. }) {
            return;
        }
        self.silence(id, until);
    }

    /// Sends nothing more; retransmissions, which come over UDP only, are absorbed for a while.
    fn silence(&mut self, id: ServerId, until: Timestamp) {
        let Some(server) = self.servers.get_mut(id.0) else {
            return;
        };
        if server.reply.is_reliable() {
            self.remove_server(id);
            return;
        }
        server.state = State::Quiet { until };
        server.last = None;
        self.servers.set_timer(id.0, until);
    }

    /// Answers an INVITE that its user has not answered.
    pub(super) fn end_invite(&mut self, now: Timestamp, id: ServerId, status: u16) {
        let tag = self.last_tag(id);
        let Some(server) = self.servers.get_mut(id.0) else {
            return;
        };
        if let (true, State::Pending(pending)) = (server.is_invite, &server.state) {
            let Some(trying) = pending.kept.trying() else {
                self.remove_server(id);
                return;
            };
            let mut response = trying.with_reason(crate::message::reason_phrase(status));
            response.status = status;
            response.headers.remove(&HeaderName::Timestamp);
            if let Some(tag) = tag {
                response = response.with_to_tag(&tag);
            }
            self.respond(now, id, response);
        }
    }

    /// The To tag of the last response of a transaction.
    pub(super) fn last_tag(&mut self, id: ServerId) -> Option<String> {
        let octets = self.servers.get_mut(id.0)?.last.as_ref()?;
        match parse(octets).ok()? {
            Message::Response(response) => response.to_tag(),
            Message::Request(_) => None,
        }
    }

    /// Sends a response. A tag in To and Server are added if they are missing.
    ///
    /// To a request other than INVITE: a provisional response is sent if it is a 100 and, over UDP, not too
    /// early; a 408 is not sent and ends the transaction, for the client has given up (RFC 4320 §4.1, §4.2).
    /// A second final response is dropped. 2xx to an INVITE are not retransmitted (RFC 6026 §7.1).
    pub fn respond(&mut self, now: Timestamp, id: ServerId, mut response: Response) {
        let Some(server) = self.servers.get_mut(id.0) else {
            return;
        };
        match &server.state {
            State::Pending(pending) if !server.is_invite => {
                let early =
                    !server.reply.is_reliable() && pending.trying_at.is_some_and(|due| now < due);
                match response.status {
                    100 if !early => {}
                    ..200 => return,
                    408 => {
                        let until = now + self.config.lifetime();
                        self.silence(id, until);
                        return;
                    }
                    _ => {}
                }
            }
            State::Pending(_) => {}
            State::Accepted { .. } if response.is_success() => {}
            _ => return,
        }
        self.complete(&mut response);
        let octets = response.to_bytes();
        let Some(server) = self.servers.get_mut(id.0) else {
            return;
        };
        let to = server.reply.clone();
        self.transmit(to, octets.clone());
        self.advance_server(now, id, &response, octets);
    }

    /// Moves a transaction on by the response that was sent.
    fn advance_server(&mut self, now: Timestamp, id: ServerId, sent: &Response, octets: Bytes) {
        let (t1, until) = (self.config.t1, now + self.config.lifetime());
        let Some(server) = self.servers.get_mut(id.0) else {
            return;
        };
        let reliable = server.reply.is_reliable();
        if let State::Pending(pending) = &mut server.state
            && sent.is_provisional()
        {
            pending.trying_at = None;
            server.last = Some(octets);
        } else if matches!(server.state, State::Accepted { .. }) {
            return;
        } else if server.is_invite && sent.is_success() {
            server.state = State::Accepted { until };
        } else if server.is_invite {
            let retransmit = (!reliable).then(|| (now + t1, t1));
            server.state = State::Completed { until, retransmit };
            server.last = Some(octets);
            if let (Some(at), Some(tag)) = (server.legacy, sent.to_tag()) {
                let key = ack_key(&server.key, at, &tag);
                let hash = self.seeded.hash(&key);
                server.ack_key = Some(key);
                self.keys.insert(hash, id);
            }
        } else if reliable {
            self.remove_server(id);
            return;
        } else {
            let retransmit = None;
            server.state = State::Completed { until, retransmit };
            server.last = Some(octets);
        }
        self.rewind(id);
    }

    /// Drops a transaction without an answer and without memory: a retransmission is a new request.
    pub fn forget(&mut self, id: ServerId) {
        self.remove_server(id);
    }

    pub(super) fn remove_server(&mut self, id: ServerId) {
        let Some(server) = self.servers.remove(id.0) else {
            return;
        };
        self.keys.remove(&self.seeded.hash(&server.key));
        if let Some(key) = &server.ack_key {
            self.keys.remove(&self.seeded.hash(key));
        }
        if let Some(datagram) = server.datagram {
            self.datagrams.remove(&datagram);
        }
        if let Some(merge) = server.merge {
            self.merges.remove(&merge);
        }
    }

    /// The connection of a request is closed: the response needs a new one, which a WebSocket client does
    /// not take (RFC 7118 §5.3).
    pub(super) fn detach_server(&mut self, id: ServerId) {
        let Some(server) = self.servers.get_mut(id.0) else {
            return;
        };
        if matches!(server.reply.transport, Transport::Ws | Transport::Wss) {
            self.remove_server(id);
            return;
        }
        server.reply.connection = None;
        server.reply.remote.set_port(server.port);
        self.servers.relocate(id.0, None);
    }

    /// Timers G, H, I, J, L and those of the 100.
    pub(super) fn fire_server(&mut self, now: Timestamp, id: ServerId) {
        let t2 = self.config.t2;
        let Some(server) = self.servers.get_mut(id.0) else {
            return;
        };
        match &mut server.state {
            State::Pending(pending) if pending.until <= now => {
                if server.is_invite {
                    self.end_invite(now, id, 408);
                } else {
                    let until = now + self.config.t4;
                    self.silence(id, until);
                }
                return;
            }
            State::Pending(pending) => {
                if let Some(mut trying) = pending.kept.trying() {
                    add_delay(&mut trying, now - pending.since);
                    self.respond(now, id, trying);
                } else {
                    pending.trying_at = None;
                    self.rewind(id);
                }
                return;
            }
            State::Completed { until, .. } | State::Quiet { until } | State::Accepted { until }
                if *until <= now =>
            {
                self.remove_server(id);
                return;
            }
            State::Completed {
                retransmit: Some((at, interval)),
                ..
            } if *at <= now => {
                let next = (*interval * 2).min(t2);
                (*at, *interval) = (now + next, next);
            }
            _ => {}
        }
        self.repeat(id);
        self.rewind(id);
    }

    /// Sets the timer of a transaction to what its state wants.
    fn rewind(&mut self, id: ServerId) {
        if let Some(server) = self.servers.get_mut(id.0) {
            let timer = server.timer();
            self.servers.set_timer(id.0, timer);
        }
    }
}

/// Notes in Timestamp how long the response took, in seconds (RFC 3261 §8.2.6.1).
fn add_delay(trying: &mut Response, delay: Duration) {
    if let Some(sent) = trying.headers.get(&HeaderName::Timestamp) {
        let sent = sent.split([' ', '\t']).next().unwrap_or(sent);
        let value = format!("{sent} {}.{:03}", delay.as_secs(), delay.subsec_millis());
        trying.headers.replace_first(&HeaderName::Timestamp, value);
    }
}

impl Server {
    /// When the first of its timers fires.
    fn timer(&self) -> Timestamp {
        match &self.state {
            State::Pending(pending) => pending
                .trying_at
                .map_or(pending.until, |at| at.min(pending.until)),
            State::Completed { until, retransmit } => {
                retransmit.map_or(*until, |(at, _)| at.min(*until))
            }
            State::Quiet { until } | State::Accepted { until } => *until,
        }
    }
}
