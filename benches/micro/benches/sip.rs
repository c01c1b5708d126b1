//! Reading and printing messages, and a round of the transaction layer.
#![expect(missing_docs, reason = "criterion makes functions without")]

use std::hint::black_box;
use std::net::SocketAddr;

use adsum_micro::text;
use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use sip::header::Transport;
use sip::transaction::{Config, Event, Flow, Layer};
use sip::{Message, Response, Timestamp};

fn messages(c: &mut Criterion) {
    let publish = text::publish();
    c.bench_function("sip: read PUBLISH", |b| {
        b.iter(|| sip::parse(&Bytes::copy_from_slice(&publish)).is_ok());
    });
    c.bench_function("sip: read 200 OK", |b| {
        b.iter(|| sip::parse(&Bytes::copy_from_slice(text::OK.as_bytes())).is_ok());
    });
    let Ok(Message::Request(request)) = sip::parse(&publish) else {
        panic!("a request");
    };
    c.bench_function("sip: print PUBLISH", |b| b.iter(|| request.to_bytes()));
}

/// A request comes, is answered, and its answer is sent again for a retransmission.
fn transaction(c: &mut Criterion) {
    let address = |last| SocketAddr::from(([192, 0, 2, last], 5060));
    let flow = Flow::new(Transport::Udp, address(250), address(1));
    let mut layer = Layer::new(Config::default(), [1; 32]);
    let (mut number, mut now) = (0, Timestamp(0));
    c.bench_function("sip: transaction and retransmission", |b| {
        b.iter_batched(
            || {
                number += 1;
                text::request("PUBLISH", number, &text::publish_lines(None, None), "")
            },
            |octets| {
                now.0 += 10;
                layer.handle_timeout(now);
                layer.handle_datagram(now, &flow, &octets);
                let Some(Event::Request { id, request, .. }) = layer.poll_event() else {
                    panic!("a new request");
                };
                layer.respond(now, id, Response::for_request(&request, 200));
                layer.handle_datagram(now, &flow, &octets);
                while let Some(transmit) = layer.poll_transmit() {
                    black_box(transmit);
                }
            },
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, messages, transaction);
criterion_main!(benches);
