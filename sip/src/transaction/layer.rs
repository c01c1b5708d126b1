//! The layer: what comes in, what goes out.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;

use super::{
    ClientId, Config, Event, Flow, ServerId, Transmit,
    client::Client,
    key::tag,
    places::Place,
    random::{AsItIs, Random, Seeded},
    server::Server,
    table::Table,
};
use crate::{
    HeaderName, Message, ParseError, Request, Response, Timestamp, header::via::Parts,
    message::parse, routing, syntax::push_hex, uri::Host,
};

/// The transactions of a SIP element: a machine without socket and clock.
///
/// After every call that takes something in, [`poll_event`](Self::poll_event) and
/// [`poll_transmit`](Self::poll_transmit) are to be called until they have nothing, and
/// [`handle_timeout`](Self::handle_timeout) at [`poll_timeout`](Self::poll_timeout).
pub struct Layer {
    pub(super) config: Config,
    pub(super) random: Random,
    pub(super) seeded: Seeded,
    pub(super) servers: Table<Server>,
    /// Server transactions by what makes requests belong to them.
    pub(super) keys: HashMap<u64, ServerId, AsItIs>,
    /// Server transactions by the hash of the datagram they began with.
    pub(super) datagrams: HashMap<u64, ServerId, AsItIs>,
    /// The datagram that is looked at, and its hash.
    pub(super) current: Option<(u64, Bytes)>,
    /// Server transactions by a hash of From tag, Call-ID and CSeq (RFC 3261 §8.2.2.2).
    pub(super) merges: HashMap<u64, ServerId, AsItIs>,
    pub(super) clients: Table<Client>,
    pub(super) events: VecDeque<Event>,
    transmits: VecDeque<Transmit>,
    /// The product, for Server and User-Agent.
    pub(super) server: Option<Bytes>,
    pub(super) scratch: Vec<u8>,
}

impl Layer {
    /// A layer without transactions. Branches, tags and Call-IDs are made from `seed`, which must be
    /// random and never the same twice.
    pub fn new(mut config: Config, seed: [u8; 32]) -> Self {
        config.t1 = config.t1.max(Duration::from_millis(1));
        config.t2 = config.t2.max(config.t1);
        let mut random = Random::new(&seed);
        let seeded = Seeded::new(&mut random);
        let server = config.server.take().map(Bytes::from);
        // Once it is shared it is cloned without allocation.
        let server = server.inspect(|s| drop(s.clone()));
        Self {
            config,
            server,
            servers: Table::new(seeded.clone()),
            keys: HashMap::default(),
            datagrams: HashMap::default(),
            current: None,
            merges: HashMap::default(),
            clients: Table::new(seeded.clone()),
            events: VecDeque::new(),
            transmits: VecDeque::new(),
            scratch: Vec::new(),
            random,
            seeded,
        }
    }

    /// Takes a UDP datagram. A malformed request is answered if that is possible, other rubbish dropped;
    /// line ends alone are a keep-alive. What came before is not copied.
    pub fn handle_datagram(&mut self, now: Timestamp, flow: &Flow, octets: &[u8]) {
        let first = octets.iter().find(|o| !matches!(o, b'\r' | b'\n'));
        if first.is_none() {
            if !octets.is_empty() {
                self.events.push_back(Event::Ping { flow: flow.clone() });
            }
            return;
        }
        // No method begins like that but one that nobody has.
        if octets.starts_with(b"SIP/") {
            let octets = Bytes::copy_from_slice(octets);
            return self.handle_message(now, flow, parse(&octets));
        }
        // A client sends the very same octets again (RFC 3261 §17.1.1.2, §17.1.2.2): they need no reading.
        let hash = self.seeded.hash(octets);
        if let Some(id) = self.datagrams.get(&hash) {
            return self.repeat(*id);
        }
        let octets = Bytes::copy_from_slice(octets);
        let message = parse(&octets);
        self.current = Some((hash, octets));
        self.handle_message(now, flow, message);
        self.current = None;
    }

    /// Takes a message from a connection, as it was read, with what was wrong with it.
    pub fn handle_message(
        &mut self,
        now: Timestamp,
        flow: &Flow,
        message: Result<Message, ParseError>,
    ) {
        match message {
            Ok(Message::Request(request)) => self.handle_request(now, flow, request),
            Ok(Message::Response(response)) => self.handle_response(response),
            Err(error) => self.answer_malformed(flow, error),
        }
    }

    /// Takes a keep-alive from a connection ([`Frame::Ping`](crate::framing::Frame::Ping)) and answers
    /// it (RFC 5626 §4.4.1).
    pub fn handle_ping(&mut self, flow: &Flow) {
        self.transmit(flow.clone(), Bytes::from_static(b"\r\n"));
        self.events.push_back(Event::Ping { flow: flow.clone() });
    }

    /// Notes that the connection which was asked for by a [`Transmit`] to `flow` (without connection) is
    /// open: what waits for an answer from there ends when it is closed.
    pub fn handle_connected(&mut self, flow: &Flow, connection: u64) {
        for id in self.clients.at(&Place::of(flow)) {
            self.clients
                .relocate(id, Some(Place::Connection(connection)));
        }
    }

    /// Notes that a connection is closed. Requests that were sent over it fail; answers to requests that
    /// came over it go to the address in their Via (RFC 3261 §18.2.2).
    pub fn handle_closed(&mut self, _now: Timestamp, connection: u64) {
        let place = Place::Connection(connection);
        self.fail_clients(&place);
        for id in self.servers.at(&place) {
            self.detach_server(ServerId(id));
        }
    }

    /// Notes that sending over `flow` failed for good, not for a full buffer: an unreachable address, a
    /// refused connection. Requests to that peer fail (RFC 3261 §17.1.4); server transactions stay, so
    /// that retransmissions are still known (RFC 6026 §8.8).
    pub fn handle_send_error(&mut self, now: Timestamp, flow: &Flow) {
        match flow.connection {
            Some(connection) => self.handle_closed(now, connection),
            None => self.fail_clients(&Place::of(flow)),
        }
    }

    /// What the user of the layer is to know next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What is to be sent next.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// When [`Layer::handle_timeout`] is to be called at the latest.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        match (self.servers.timeout(), self.clients.timeout()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Fires every timer up to `now`.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        while let Some(id) = self.servers.due(now) {
            self.fire_server(now, ServerId(id));
        }
        while let Some(id) = self.clients.due(now) {
            self.fire_client(now, ClientId(id));
        }
    }

    /// Transactions in memory, of both kinds.
    pub fn active(&self) -> usize {
        self.servers.len() + self.clients.len()
    }

    /// A tag for From or To: 80 random bits (RFC 3261 §19.3 wants 32).
    pub fn new_tag(&mut self) -> String {
        let mut tag = self.random.token(2);
        tag.truncate(20);
        tag
    }

    /// A Call-ID of 128 random bits, with `@host` if `host` may stand there (RFC 3261 §8.1.1.4).
    pub fn new_call_id(&mut self, host: &str) -> String {
        let token = self.random.token(2);
        if Host::parse(host).is_ok() {
            format!("{token}@{host}")
        } else {
            token
        }
    }

    /// Sends a response without memory of it, the same for each retransmission of `request`, which is one
    /// that the layer gave out (RFC 3261 §8.2.7). With [`Layer::forget`] it answers strangers at no cost.
    pub fn respond_stateless(&mut self, flow: &Flow, request: &Request, mut response: Response) {
        self.complete(&mut response);
        let Some(reply) = request.headers.top_via().map(|v| reply_flow(flow, &v).0) else {
            return;
        };
        self.transmit(reply, response.to_bytes());
    }

    /// Answers a request and forgets it: what [`Layer::respond_stateless`] and [`Layer::forget`] do, without need of the request.
    pub fn respond_and_forget(&mut self, id: ServerId, mut response: Response) {
        let Some(reply) = self.servers.get(id.0).map(|server| server.reply.clone()) else {
            return;
        };
        self.complete(&mut response);
        self.transmit(reply, response.to_bytes());
        self.forget(id);
    }

    pub(super) fn transmit(&mut self, to: Flow, octets: Bytes) {
        self.transmits.push_back(Transmit { to, octets });
    }

    /// Adds what a response must have: a tag in To, unless it is a 100 (RFC 3261 §8.2.6.2), and Server.
    ///
    /// The tag follows from the request alone: every response to it has the same, and so has the one to its
    /// CANCEL.
    pub(super) fn complete(&mut self, response: &mut Response) {
        if response.status != 100
            && let Some(to) = response.headers.get(&HeaderName::To)
            && tag(to).is_none()
        {
            let tag = self.response_tag(response);
            let mut to = [to.as_bytes(), b";tag=0123456789abcdef"].concat();
            to.truncate(to.len() - 16);
            push_hex(&mut to, tag);
            response.headers.replace_first(&HeaderName::To, to);
        }
        if let Some(server) = &self.server
            && !response.headers.contains(&HeaderName::Server)
        {
            response.headers.push(HeaderName::Server, server.clone());
        }
    }

    fn response_tag(&self, response: &Response) -> u64 {
        let text = |name| response.headers.get(&name).unwrap_or("");
        let (number, _) = text(HeaderName::CSeq).split_once(' ').unwrap_or_default();
        self.seeded.hash_parts(&[
            text(HeaderName::Via).as_bytes(),
            text(HeaderName::CallId).as_bytes(),
            text(HeaderName::From).as_bytes(),
            number.as_bytes(),
        ])
    }

    fn answer_malformed(&mut self, flow: &Flow, mut error: ParseError) {
        if let Some(request) = error.request.as_deref_mut() {
            routing::stamp_received(request, flow.remote);
        }
        if let (Some(response), Some(request)) = (error.answer(), error.request.as_deref()) {
            self.respond_stateless(flow, request, response);
        }
    }
}

/// Where the response to a request that came over `flow` goes, and the port for a new connection if that
/// of a stream is closed (RFC 3261 §18.2.2, RFC 3581 §4).
pub(super) fn reply_flow(flow: &Flow, via: &Parts<'_>) -> (Flow, u16) {
    let mut reply = flow.clone();
    let port = via.port.unwrap_or_else(|| flow.transport.default_port());
    if !flow.is_reliable() && !via.has_rport() {
        reply.remote.set_port(port);
    }
    (reply, port)
}
