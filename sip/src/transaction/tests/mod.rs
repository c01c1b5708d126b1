//! Conversations on simulated time.

#![expect(clippy::unwrap_used, reason = "tests")]

mod client;
mod invite;
mod lossy;
mod matching;
mod net;
mod server;
mod transport;

use bytes::Bytes;

use super::{Config, Event, Flow, Layer, ServerId, Transmit};
use crate::{
    HeaderName, Message, Method, Request, Response, Timestamp, Uri, header::Transport,
    message::parse, uri::Host,
};

const MAGIC: &str = "z9hG4bK-1";

fn layer() -> Layer {
    layer_with(Config::default())
}

fn layer_with(config: Config) -> Layer {
    let host = Host::parse("server.example").unwrap();
    let mut config = config
        .with_sent_by(Transport::Udp, host.clone(), Some(5060))
        .with_sent_by(Transport::Tcp, host, None);
    config.server = Some("Test".to_owned());
    Layer::new(config, [7; 32])
}

fn udp() -> Flow {
    "udp:192.0.2.1:5060/192.0.2.9:5060".parse().unwrap()
}

fn tcp() -> Flow {
    "tcp:192.0.2.1:40000/192.0.2.9:5060#7".parse().unwrap()
}

/// A request of the server, without Via.
fn outgoing(method: Method) -> Request {
    let cseq = format!("1 {method}");
    Request::new(method, Uri::parse("sip:ann@192.0.2.1").unwrap())
        .with(HeaderName::From, "<sip:bob@server.example>;tag=b")
        .with(HeaderName::To, "<sip:ann@server.example>;tag=a")
        .with(HeaderName::CallId, "1@server.example")
        .with(HeaderName::CSeq, cseq)
}

/// A request of a peer as octets; `branch` is what stands behind sent-by.
fn incoming(method: &str, branch: &str) -> Bytes {
    incoming_with(method, branch, "1", "")
}

fn incoming_with(method: &str, branch: &str, number: &str, to_tag: &str) -> Bytes {
    Bytes::from(format!(
        "{method} sip:ann@server.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060{branch}\r\n\
         From: <sip:bob@peer.example>;tag=b\r\nTo: <sip:ann@server.example>{to_tag}\r\n\
         Call-ID: 1@peer.example\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\n\r\n"
    ))
}

/// The same with the usual branch.
fn usual(method: &str) -> Bytes {
    incoming(method, &format!(";branch={MAGIC}"))
}

fn receive(layer: &mut Layer, now: u64, flow: &Flow, octets: &Bytes) {
    if flow.is_reliable() {
        layer.handle_message(Timestamp(now), flow, parse(octets));
    } else {
        layer.handle_datagram(Timestamp(now), flow, octets);
    }
}

/// Receives what must be a new request.
fn accept(layer: &mut Layer, now: u64, flow: &Flow, octets: &Bytes) -> (ServerId, Request) {
    receive(layer, now, flow, octets);
    match layer.poll_event() {
        Some(Event::Request { id, request, .. }) => (id, request),
        other => panic!("no new request but {other:?}"),
    }
}

fn sent(layer: &mut Layer) -> Vec<Transmit> {
    std::iter::from_fn(|| layer.poll_transmit()).collect()
}

/// Statuses of the responses that are to be sent.
fn statuses(layer: &mut Layer) -> Vec<u16> {
    sent(layer)
        .iter()
        .map(|t| read_response(&t.octets).status)
        .collect()
}

fn read_response(octets: &Bytes) -> Response {
    match parse(octets).unwrap() {
        Message::Response(response) => response,
        Message::Request(request) => panic!("a request: {request:?}"),
    }
}

fn read_request(octets: &Bytes) -> Request {
    match parse(octets).unwrap() {
        Message::Request(request) => request,
        Message::Response(response) => panic!("a response: {response:?}"),
    }
}

/// Lets time pass until `end`; the times at which something was sent.
fn run(layer: &mut Layer, end: u64) -> Vec<u64> {
    let mut times = Vec::new();
    while let Some(time) = layer.poll_timeout().filter(|time| time.0 <= end) {
        layer.handle_timeout(time);
        times.extend(sent(layer).iter().map(|_| time.0));
    }
    times
}

/// Nothing is left, of no kind.
fn assert_clean(layer: &mut Layer) {
    assert_eq!(layer.active(), 0);
    assert_eq!(layer.poll_timeout(), None);
    assert!(layer.servers.is_clean() && layer.clients.is_clean());
    assert!(layer.keys.is_empty() && layer.merges.is_empty() && layer.datagrams.is_empty());
    assert!(layer.poll_event().is_none() && layer.poll_transmit().is_none());
}
