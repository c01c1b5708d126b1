//! Paths through the layer and the bridge, with a model that answers at once.
#![expect(missing_docs, reason = "criterion makes functions without")]

use std::time::Duration;

use adsum_micro::text;
use adsum_micro::world::{self, Phone, World};
use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn begin() -> (World, Phone, Bytes) {
    let mut world = World::with_pace(Duration::ZERO);
    let mut ann = Phone::new(&mut world, "ann", 1);
    let first = ann.publish(1, None);
    world.datagram(&ann.flow, first.clone());
    (world, ann, first)
}

fn publish(c: &mut Criterion) {
    let (mut world, mut ann, _) = begin();
    let flow = ann.flow.clone();
    let mut number = 1;
    c.bench_function("bridge: PUBLISH that modifies", |b| {
        b.iter_batched(
            || {
                number += 1;
                ann.publish(number, Some(&world::tag(number - 1)))
            },
            |octets| {
                world.out.clear();
                world.datagram(&flow, octets);
            },
            BatchSize::PerIteration,
        );
    });
}

fn challenge(c: &mut Criterion) {
    let (mut world, ann, first) = begin();
    let lines = text::publish_lines(None, None);
    let mut number = 1;
    c.bench_function("bridge: 401", |b| {
        b.iter_batched(
            || {
                number += 1;
                text::request("PUBLISH", number, &lines, &text::body(number))
            },
            |octets| {
                world.out.clear();
                world.datagram(&ann.flow, octets);
            },
            BatchSize::SmallInput,
        );
    });
    let (mut world, ann, again) = (World::new(), ann, first);
    world.datagram(&ann.flow, again.clone());
    c.bench_function("bridge: retransmission", |b| {
        b.iter(|| {
            world.out.clear();
            world.now.at.0 -= 10;
            world.datagram(&ann.flow, Bytes::copy_from_slice(&again));
        });
    });
}

fn subscribe(c: &mut Criterion) {
    let (mut world, _, _) = begin();
    let mut bob = Phone::new(&mut world, "bob", 2);
    let flow = bob.flow.clone();
    let mut number = 0;
    c.bench_function("bridge: SUBSCRIBE with its NOTIFY, answered", |b| {
        b.iter_batched(
            || {
                number += 1;
                bob.subscribe(number)
            },
            |octets| {
                world.out.clear();
                world.datagram(&flow, octets);
                answer(&mut world, 1);
            },
            BatchSize::PerIteration,
        );
    });
}

/// Twenty watchers are told, and answer.
fn notify(c: &mut Criterion) {
    let (mut world, _, _) = begin();
    for number in 0..20_u8 {
        let mut phone = Phone::new(&mut world, &format!("bob{number}"), number + 2);
        let next = phone.subscribe(1);
        world.out.clear();
        world.datagram(&phone.flow, next);
        answer(&mut world, 1);
    }
    c.bench_function("bridge: NOTIFY to twenty, and their answers", |b| {
        b.iter(|| {
            world.out.clear();
            world.renewed();
            assert_eq!(world.out.len(), 20);
            answer(&mut world, 0);
        });
    });
}

/// The phones answer what was sent to them behind the first `skipped` messages.
fn answer(world: &mut World, skipped: usize) {
    for transmit in world.out.split_off(skipped) {
        let octets = world::ok(&transmit.octets);
        world.datagram(&transmit.to, octets);
    }
}

criterion_group!(benches, publish, challenge, subscribe, notify);
criterion_main!(benches);
