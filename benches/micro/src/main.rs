//! One path many times, for an instrument that counts instructions (see `count`). What is counted happens in functions called
//! `counted`; what makes ready for it does not.

use std::hint::black_box;

use adsum_micro::text;
use adsum_micro::world::{self, Phone, World};
use bytes::Bytes;

/// Does one path as often as that.
type Run = fn(usize);

const PATHS: [(&str, Run); 11] = [
    ("parse-publish", parse_publish),
    ("parse-ok", parse_ok),
    ("print-publish", print_publish),
    ("pidf-read", pidf_read),
    ("pidf-normalise", pidf_normalise),
    ("publish", publish),
    ("subscribe", subscribe),
    ("notify-send", notify_send),
    ("notify-answer", notify_answer),
    ("retransmission", retransmission),
    ("challenge", challenge),
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let count = arguments
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1000);
    match PATHS.iter().find(|(n, _)| *n == name) {
        Some((_, run)) => run(count),
        None => PATHS.iter().for_each(|(name, _)| println!("{name}")),
    }
}

#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    work()
}

fn each<T, U>(count: usize, mut ready: impl FnMut() -> T, mut work: impl FnMut(T) -> U) {
    for _ in 0..count {
        let input = ready();
        counted(|| black_box(work(input)));
    }
}

fn parse_publish(count: usize) {
    let octets = text::publish();
    each(
        count,
        || Bytes::copy_from_slice(&octets),
        |octets| sip::parse(&octets).is_ok(),
    );
}

fn parse_ok(count: usize) {
    let octets = Bytes::from_static(text::OK.as_bytes());
    each(
        count,
        || Bytes::copy_from_slice(&octets),
        |octets| sip::parse(&octets).is_ok(),
    );
}

fn print_publish(count: usize) {
    let Ok(sip::Message::Request(request)) = sip::parse(&text::publish()) else {
        panic!("a request");
    };
    each(count, || (), |()| request.to_bytes());
}

fn pidf_read(count: usize) {
    let body = text::body(7);
    each(
        count,
        || (),
        |()| documents::pidf::read(body.as_bytes()).is_ok(),
    );
}

fn pidf_normalise(count: usize) {
    let body = text::body(7);
    let resource = presence::Resource::parse("sip-01234567").expect("a resource");
    let read = || documents::pidf::read(body.as_bytes()).expect("a document");
    each(count, read, |published| {
        documents::pidf::normalise(&published, &resource)
    });
}

/// Modifications, after a while in which tables have grown and timers begun to fire.
fn publish(count: usize) {
    let mut world = World::new();
    let mut ann = Phone::new(&mut world, "ann", 1);
    let first = ann.publish(1, None);
    world.datagram(&ann.flow, first);
    for number in 2..WARM + 2 {
        let next = ann.publish(number, Some(&world::tag(number - 1)));
        world.datagram(&ann.flow, next);
    }
    for number in WARM + 2..WARM + 2 + count {
        let next = ann.publish(number, Some(&world::tag(number - 1)));
        world.out.clear();
        counted(|| world.datagram(&ann.flow, next));
        assert!(world.out[0].octets.starts_with(b"SIP/2.0 200"));
    }
}

/// Ten milliseconds each: more than Timer J.
const WARM: usize = 3500;

fn subscribe(count: usize) {
    let mut world = World::new();
    let mut ann = Phone::new(&mut world, "ann", 1);
    let first = ann.publish(1, None);
    world.datagram(&ann.flow, first);
    let mut bob = Phone::new(&mut world, "bob", 2);
    for number in 1..=WARM + count {
        let next = bob.subscribe(number);
        world.out.clear();
        if number > WARM {
            counted(|| world.datagram(&bob.flow, next));
        } else {
            world.datagram(&bob.flow, next);
        }
        assert!(world.out[0].octets.starts_with(b"SIP/2.0 200"));
        let answer = world::ok(&world.out[1].octets);
        if number > WARM {
            counted(|| world.datagram(&bob.flow, answer));
        } else {
            world.datagram(&bob.flow, answer);
        }
    }
}

/// Twenty watchers are told; each round is twenty NOTIFYs.
fn notify(rounds: usize, send: bool, answer: bool) {
    let mut world = World::new();
    let mut ann = Phone::new(&mut world, "ann", 1);
    let first = ann.publish(1, None);
    world.datagram(&ann.flow, first);
    let mut phones = Vec::new();
    for number in 0..20_u8 {
        let mut phone = Phone::new(&mut world, &format!("bob{number}"), number + 2);
        let next = phone.subscribe(1);
        world.out.clear();
        world.datagram(&phone.flow, next);
        let octets = world::ok(&world.out[1].octets);
        world.datagram(&phone.flow, octets);
        phones.push(phone);
    }
    let mut number = 1;
    for round in 0..rounds + 10 {
        number += 1;
        let next = ann.publish(number, Some(&world::tag(number - 1)));
        world.datagram(&ann.flow, next);
        world.pass(2000);
        world.out.clear();
        if send && round >= 10 {
            counted(|| world.changed());
        } else {
            world.changed();
        }
        assert_eq!(world.out.len(), 20);
        let sent = std::mem::take(&mut world.out);
        for transmit in sent {
            let octets = world::ok(&transmit.octets);
            if answer && round >= 10 {
                counted(|| world.datagram(&transmit.to, octets));
            } else {
                world.datagram(&transmit.to, octets);
            }
        }
    }
}

fn notify_send(count: usize) {
    notify(count / 20, true, false);
}

fn notify_answer(count: usize) {
    notify(count / 20, false, true);
}

fn retransmission(count: usize) {
    let mut world = World::new();
    let mut ann = Phone::new(&mut world, "ann", 1);
    let first = ann.publish(1, None);
    world.datagram(&ann.flow, first.clone());
    for _ in 0..count {
        world.out.clear();
        let octets = Bytes::copy_from_slice(&first);
        world.now.at.0 -= 10;
        counted(|| world.datagram(&ann.flow, octets));
        assert_eq!(world.out.len(), 1);
    }
}

fn challenge(count: usize) {
    let mut world = World::new();
    let ann = Phone::new(&mut world, "ann", 1);
    let lines = text::publish_lines(None, None);
    for number in 1..=count {
        let octets = text::request("PUBLISH", number, &lines, &text::body(number));
        world.out.clear();
        counted(|| world.datagram(&ann.flow, octets));
        assert!(world.out[0].octets.starts_with(b"SIP/2.0 401"));
    }
}
