//! The two SIP machines under one lock, and what they need to work.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use bridge::{Answer, Bridge, Output, Token};
use bytes::Bytes;
use model::{Event as ModelEvent, Route};
use parking_lot::Mutex;
use presence::{Timestamp, Utc, WatchRecord};
use sip::dialog::NextHop;
use sip::header::Transport;
use sip::transaction::{ClientId, Event, Failure, Flow, Layer, ServerId, Transmit};
use tokio::net::UdpSocket;
use tokio::sync::{Notify, Semaphore};

use super::resolve::{self, Target};
use super::udp::Datagrams;
use crate::server::link::Link;
use crate::server::shared::{Gauges, Shared};
use crate::server::turn::{self, Leftover, turn};
use crate::wiring::sip::{Answers, Inbound};

/// The SIP face.
pub(crate) struct Sip {
    me: Weak<Self>,
    hub: Mutex<Hub>,
    inbox: Mutex<Vec<Inbound>>,
    wake: Notify,
    /// What the driver sleeps to.
    armed: AtomicU64,
    datagrams: Vec<Arc<Datagrams>>,
    shared: OnceLock<Arc<Shared>>,
    pub(super) keys: super::act::KeyCache,
    /// Names of phones that are looked up at once.
    names: Arc<Semaphore>,
}

struct Hub {
    layer: Layer,
    bridge: Bridge<ServerId>,
    /// What the bridge calls a request it sent.
    sent: HashMap<ClientId, u64>,
    links: HashMap<u64, Arc<Link>>,
    by_peer: HashMap<(Transport, SocketAddr), u64>,
    next_connection: u64,
    /// Datagrams to be sent at the end of a round, by socket.
    outgoing: Vec<Outgoing>,
    /// What waits until a connection is made.
    connecting: HashMap<(Transport, SocketAddr), Vec<Bytes>>,
}

/// What goes out by one UDP socket, and the flows it is for.
#[derive(Default)]
struct Outgoing {
    datagrams: Vec<(SocketAddr, Bytes)>,
    flows: Vec<Flow>,
}

/// What may be fed to the machines during a turn.
pub(crate) struct Input<'a> {
    hub: &'a mut Hub,
    now: bridge::Now,
}

impl Sip {
    /// A face over bound sockets.
    pub(crate) fn new(
        layer: Layer,
        bridge: Bridge<ServerId>,
        sockets: Vec<UdpSocket>,
        now: Utc,
    ) -> Arc<Self> {
        let first_connection = (now.0 / 1000) << 20;
        let datagrams = sockets.into_iter().filter_map(|socket| {
            let local = socket.local_addr().ok()?;
            Some(Arc::new(Datagrams {
                socket,
                local,
                dual: local.ip().is_unspecified(),
            }))
        });
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            hub: Mutex::new(Hub {
                layer,
                bridge,
                sent: HashMap::new(),
                links: HashMap::new(),
                by_peer: HashMap::new(),
                // Numbers stand in stored registrations: those of an earlier run must not name connections of this one.
                next_connection: u64::try_from(first_connection).unwrap_or(1),
                outgoing: Vec::new(),
                connecting: HashMap::new(),
            }),
            inbox: Mutex::default(),
            wake: Notify::new(),
            armed: AtomicU64::new(0),
            datagrams: datagrams.collect(),
            shared: OnceLock::new(),
            keys: super::act::KeyCache::default(),
            names: Arc::new(Semaphore::new(8)),
        })
    }

    /// Gives it the server it belongs to, and the watches that were there before the start.
    pub(crate) fn begin(self: &Arc<Self>, shared: &Arc<Shared>, watches: Vec<WatchRecord>) {
        let _ = self.shared.set(Arc::clone(shared));
        self.work(|input| input.hub.bridge.restore(input.now, watches));
    }

    pub(super) fn datagrams(&self, index: usize) -> Option<Arc<Datagrams>> {
        self.datagrams.get(index).cloned()
    }

    /// Can this address be reached from here?
    pub(super) fn reaches(&self, remote: SocketAddr) -> bool {
        self.datagrams.is_empty() || self.datagrams.iter().any(|d| d.reaches(remote))
    }

    /// The address of a UDP socket.
    pub(crate) fn address(&self, index: usize) -> Option<SocketAddr> {
        self.datagrams.get(index).map(|d| d.local)
    }

    /// Accounts, passwords or aliases have changed.
    pub(crate) fn keys_changed(&self) {
        self.keys.clear();
    }

    /// How many UDP sockets there are.
    pub(crate) fn sockets(&self) -> usize {
        self.datagrams.len()
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// When the timers want to be looked at. Whoever sets an earlier one from now on wakes the driver.
    pub(super) fn arm(&self) -> Option<Timestamp> {
        let hub = self.hub.lock();
        let due = hub.due();
        self.armed
            .store(due.map_or(u64::MAX, |at| at.0), Ordering::Release);
        due
    }

    /// Leaves something for the machines: they get it at the end of the turn that runs on this thread, or by the driver.
    fn leave(&self, inbound: Inbound) {
        self.inbox.lock().push(inbound);
        if !turn::leave(|| self.me.upgrade()) {
            self.wake.notify_one();
        }
    }

    /// Lets the machines work on what is fed and on whatever follows from it.
    pub(crate) fn work(self: &Arc<Self>, feed: impl FnOnce(&mut Input<'_>)) {
        let Some(shared) = self.shared.get() else {
            return;
        };
        turn(|| self.work_on(shared, &mut self.hub.lock(), feed));
    }

    fn work_on(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        hub: &mut Hub,
        feed: impl FnOnce(&mut Input<'_>),
    ) {
        let moment = shared.now();
        let now = bridge::Now {
            at: sip::Timestamp(moment.at.0),
            utc: moment.utc,
        };
        feed(&mut Input { hub, now });
        if hub.layer.poll_timeout().is_some_and(|at| at <= now.at) {
            hub.layer.handle_timeout(now.at);
        }
        if hub.bridge.poll_timeout().is_some_and(|at| at <= now.at) {
            hub.bridge.handle_timeout(now);
        }
        while self.step(hub, shared, now) {}
        if hub
            .due()
            .is_some_and(|at| at.0 < self.armed.load(Ordering::Acquire))
        {
            self.wake.notify_one();
        }
        turn::nothing_left();
    }

    /// One round of handing things on. False when nothing was left.
    fn step(self: &Arc<Self>, hub: &mut Hub, shared: &Arc<Shared>, now: bridge::Now) -> bool {
        let mut busy = false;
        while let Some(event) = hub.layer.poll_event() {
            busy = true;
            hub.take(shared, now, event);
        }
        let inbox = std::mem::take(&mut *self.inbox.lock());
        for inbound in inbox {
            busy = true;
            inbound.hand_to(&mut hub.bridge, now);
        }
        while let Some(output) = hub.bridge.poll_output() {
            busy = true;
            match output {
                Output::Respond(id, response) => hub.layer.respond(now.at, id, response),
                Output::RespondStateless(id, response) => {
                    hub.layer.respond_and_forget(id, response);
                }
                Output::Send { key, request, to } => {
                    if request.method == sip::Method::Notify {
                        Gauges::count(&shared.gauges.notifies);
                    }
                    self.request(hub, now, key, request, to);
                }
                Output::Act(token, action) => {
                    if let Some(answer) = self.act(shared, token, action) {
                        hub.bridge.handle_answer(now, token, answer);
                    }
                }
            }
        }
        while let Some(transmit) = hub.layer.poll_transmit() {
            busy = true;
            self.send(hub, shared, now, transmit);
        }
        self.send_datagrams(hub, now);
        busy
    }

    /// Sends a request of the bridge, after its target was looked up where that is needed.
    fn request(
        self: &Arc<Self>,
        hub: &mut Hub,
        now: bridge::Now,
        key: u64,
        request: sip::Request,
        to: NextHop,
    ) {
        let target = match to {
            NextHop::Flow(flow) => Some(Target::At(flow)),
            NextHop::Resolve(uri) => resolve::target(&uri),
        };
        match target {
            Some(Target::At(flow)) => {
                let id = hub.layer.request(now.at, request, flow);
                hub.sent.insert(id, key);
            }
            Some(Target::Named {
                name,
                port,
                transport,
            }) => {
                let sip = Arc::clone(self);
                let names = Arc::clone(&self.names);
                tokio::spawn(async move {
                    let flow = match names.acquire().await {
                        Ok(_permit) => resolve::look_up(&sip, name, port, transport).await,
                        Err(_) => None,
                    };
                    sip.work(|input| match flow {
                        Some(flow) => {
                            let id = input.hub.layer.request(input.now.at, request, flow);
                            input.hub.sent.insert(id, key);
                        }
                        None => input
                            .hub
                            .bridge
                            .handle_failure(input.now, key, Failure::Transport),
                    });
                });
            }
            None => hub.bridge.handle_failure(now, key, Failure::Transport),
        }
    }

    fn send(
        self: &Arc<Self>,
        hub: &mut Hub,
        shared: &Arc<Shared>,
        now: bridge::Now,
        transmit: Transmit,
    ) {
        let Transmit { to, octets } = transmit;
        if to.transport == Transport::Udp {
            match self.socket_for(&to) {
                Some(index) => {
                    if hub.outgoing.len() <= index {
                        hub.outgoing.resize_with(index + 1, Outgoing::default);
                    }
                    let outgoing = &mut hub.outgoing[index];
                    outgoing.datagrams.push((to.remote, octets));
                    outgoing.flows.push(to);
                }
                None => hub.layer.handle_send_error(now.at, &to),
            }
            return;
        }
        let peer = (to.transport.clone(), to.remote);
        let connection = to.connection.or_else(|| hub.by_peer.get(&peer).copied());
        if let Some(link) = connection.and_then(|c| hub.links.get(&c)) {
            link.append(|out| out.extend_from_slice(&octets));
        } else if to.connection.is_some() || to.transport != Transport::Tcp {
            // The connection is gone, and no TLS or WebSocket connection can be made to a client.
            hub.layer.handle_send_error(now.at, &to);
        } else if let Some(waiting) = hub.connecting.get_mut(&peer) {
            waiting.push(octets);
        } else if hub.links.len() + hub.connecting.len() >= shared.config.limits.sip_connections {
            hub.layer.handle_send_error(now.at, &to);
        } else {
            hub.connecting.insert(peer, vec![octets]);
            tokio::spawn(super::stream::connect(
                Arc::clone(shared),
                Arc::clone(self),
                to,
            ));
        }
    }

    /// The UDP socket to send by: the one of the flow, else one with its port, else any that reaches its peer.
    fn socket_for(&self, flow: &Flow) -> Option<usize> {
        let reaching = |fits: &dyn Fn(&Datagrams) -> bool| {
            let fits = |d: &Arc<Datagrams>| fits(d) && d.reaches(flow.remote);
            self.datagrams.iter().position(fits)
        };
        reaching(&|d| d.local == flow.local)
            .or_else(|| reaching(&|d| d.local.port() == flow.local.port()))
            .or_else(|| reaching(&|_| true))
    }

    /// Sends what the round has brought forth.
    fn send_datagrams(&self, hub: &mut Hub, now: bridge::Now) {
        for (socket, outgoing) in self.datagrams.iter().zip(&mut hub.outgoing) {
            for failed in socket.send(&outgoing.datagrams) {
                if let Some(flow) = outgoing.flows.get(failed) {
                    hub.layer.handle_send_error(now.at, flow);
                }
            }
            outgoing.datagrams.clear();
            outgoing.flows.clear();
        }
    }

    /// A connection is there; its number.
    pub(super) fn connected(&self, link: &Arc<Link>) -> u64 {
        let mut hub = self.hub.lock();
        let connection = hub.next_connection;
        hub.next_connection += 1;
        hub.links.insert(connection, Arc::clone(link));
        connection
    }

    /// A connection is gone.
    pub(super) fn closed(self: &Arc<Self>, connection: u64) {
        self.work(|input| {
            input.hub.links.remove(&connection);
            input.hub.by_peer.retain(|_, c| *c != connection);
            input.hub.layer.handle_closed(input.now.at, connection);
            input.hub.bridge.handle_closed(input.now, connection);
        });
    }

    /// SIP transactions alive.
    pub(crate) fn transactions(&self) -> usize {
        self.hub.lock().layer.active()
    }
}

impl Leftover for Sip {
    /// Whoever holds the machines now may have looked into the inbox for the last time: then the driver does it. Nobody waits for them.
    fn work_off(self: Arc<Self>) {
        let Some(shared) = self.shared.get() else {
            return;
        };
        turn(|| match self.hub.try_lock() {
            Some(mut hub) => self.work_on(shared, &mut hub, |_| {}),
            None => self.pass_on(),
        });
    }

    fn pass_on(&self) {
        self.wake.notify_one();
    }
}

impl Hub {
    fn due(&self) -> Option<Timestamp> {
        let layer = self.layer.poll_timeout().map(|at| Timestamp(at.0));
        let bridge = self.bridge.poll_timeout().map(|at| Timestamp(at.0));
        match (layer, bridge) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn take(&mut self, shared: &Shared, now: bridge::Now, event: Event) {
        match event {
            Event::Request { id, request, flow } => {
                Gauges::count(&shared.gauges.sip_requests);
                if let (true, Some(connection)) = (flow.is_reliable(), flow.connection) {
                    self.by_peer
                        .insert((flow.transport.clone(), flow.remote), connection);
                }
                self.bridge.handle_request(now, id, request, &flow);
            }
            Event::Response { id, response } => {
                let last = !response.is_provisional();
                let key = if last {
                    self.sent.remove(&id)
                } else {
                    self.sent.get(&id).copied()
                };
                if let Some(key) = key {
                    self.bridge.handle_response(now, key, &response);
                }
            }
            Event::Failed { id, why } => {
                if let Some(key) = self.sent.remove(&id) {
                    self.bridge.handle_failure(now, key, why);
                }
            }
            Event::Ping { .. } => {}
        }
    }
}

impl Input<'_> {
    pub(super) fn datagram(&mut self, flow: &Flow, octets: &[u8]) {
        self.hub.layer.handle_datagram(self.now.at, flow, octets);
    }

    pub(super) fn message(&mut self, flow: &Flow, octets: &Bytes) {
        self.hub
            .layer
            .handle_message(self.now.at, flow, sip::parse(octets));
    }

    pub(super) fn ping(&mut self, flow: &Flow) {
        self.hub.layer.handle_ping(flow);
    }

    pub(super) fn unreachable(&mut self, flow: &Flow) {
        self.hub
            .connecting
            .remove(&(flow.transport.clone(), flow.remote));
        self.hub.layer.handle_send_error(self.now.at, flow);
    }

    pub(super) fn connected(&mut self, flow: &Flow, connection: u64) {
        let peer = (flow.transport.clone(), flow.remote);
        self.hub.by_peer.insert(peer.clone(), connection);
        self.hub.layer.handle_connected(flow, connection);
        let waiting = self.hub.connecting.remove(&peer).unwrap_or_default();
        if let Some(link) = self.hub.links.get(&connection) {
            for octets in waiting {
                link.append(|out| out.extend_from_slice(&octets));
            }
        }
    }
}

impl Answers for Sip {
    fn answer(&self, token: Token, answer: Answer) {
        self.leave(Inbound::Answer(token, answer));
    }
}

impl Route for Sip {
    fn deliver(&self, event: &ModelEvent<'_>) {
        if let Some(inbound) = Inbound::of(event) {
            self.leave(inbound);
        }
    }

    fn closed(&self) -> bool {
        false
    }
}
