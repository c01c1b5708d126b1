//! Figure 6 of RFC 3261, each state and timer.

use super::*;
use crate::transaction::{ClientId, Failure};

/// Timer E while Trying: doubled up to T2.
const TRYING: [u64; 10] = [
    500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500,
];

fn start(layer: &mut Layer, flow: &Flow) -> (ClientId, Bytes) {
    let id = layer.request(Timestamp(0), outgoing(Method::Notify), flow.clone());
    let transmit = layer.poll_transmit().unwrap();
    assert_eq!(transmit.to, *flow);
    assert_eq!(layer.poll_transmit(), None);
    (id, transmit.octets)
}

fn answer(octets: &Bytes, status: u16) -> Bytes {
    Response::for_request(&read_request(octets), status).to_bytes()
}

fn outcome(layer: &mut Layer) -> Option<Result<u16, Failure>> {
    layer.poll_event().map(|event| match event {
        Event::Response { response, .. } => Ok(response.status),
        Event::Failed { why, .. } => Err(why),
        other => panic!("{other:?}"),
    })
}

#[test]
fn requests_get_via_max_forwards_and_user_agent() {
    let mut layer = layer();
    let (_, octets) = start(&mut layer, &udp());
    let request = read_request(&octets);
    let via = request.headers.via().unwrap();
    assert!(
        via.to_string()
            .starts_with("SIP/2.0/UDP server.example:5060;branch=z9hG4bK")
    );
    assert_eq!(via.rport(), Some(None));
    assert_eq!(request.headers.max_forwards(), Ok(Some(70)));
    assert_eq!(request.headers.get(&HeaderName::UserAgent), Some("Test"));
    let (_, other) = start(&mut layer, &udp());
    assert_ne!(
        read_request(&other).headers.via().unwrap().branch(),
        via.branch()
    );
}

#[test]
fn without_answer_it_is_sent_again_until_timer_f() {
    let mut layer = layer();
    start(&mut layer, &udp());
    assert_eq!(run(&mut layer, 31_999), TRYING);
    assert_eq!(outcome(&mut layer), None);
    assert_eq!(run(&mut layer, 32_000), []);
    assert_eq!(outcome(&mut layer), Some(Err(Failure::Timeout)));
    assert_clean(&mut layer);
}

#[test]
fn once_proceeding_it_is_sent_again_every_t2() {
    let mut layer = layer();
    let (_, octets) = start(&mut layer, &udp());
    receive(&mut layer, 100, &udp(), &answer(&octets, 100));
    assert_eq!(outcome(&mut layer), Some(Ok(100)));
    assert_eq!(
        run(&mut layer, 40_000),
        [500, 4500, 8500, 12500, 16500, 20500, 24500, 28500]
    );
    assert_eq!(outcome(&mut layer), Some(Err(Failure::Timeout)));
    assert_clean(&mut layer);
}

#[test]
fn retransmissions_are_the_same_octets() {
    let mut layer = layer();
    let (_, octets) = start(&mut layer, &udp());
    layer.handle_timeout(Timestamp(500));
    assert_eq!(layer.poll_transmit().unwrap().octets, octets);
}

#[test]
fn a_late_driver_sends_once() {
    let mut layer = layer();
    start(&mut layer, &udp());
    layer.handle_timeout(Timestamp(9000));
    assert_eq!(sent(&mut layer).len(), 1);
    assert_eq!(layer.poll_timeout(), Some(Timestamp(10_000)));
}

#[test]
fn a_final_response_ends_it_and_what_comes_after_it_is_dropped() {
    for proceeding in [false, true] {
        let mut layer = layer();
        let (_, octets) = start(&mut layer, &udp());
        if proceeding {
            receive(&mut layer, 50, &udp(), &answer(&octets, 100));
            assert_eq!(outcome(&mut layer), Some(Ok(100)));
        }
        for status in [200, 200, 481, 100] {
            receive(&mut layer, 100, &udp(), &answer(&octets, status));
        }
        assert_eq!(outcome(&mut layer), Some(Ok(200)));
        assert_eq!(outcome(&mut layer), None);
        assert_eq!(layer.poll_timeout(), None);
        assert_clean(&mut layer);
        receive(&mut layer, 5200, &udp(), &answer(&octets, 200));
        assert_clean(&mut layer);
    }
}

#[test]
fn over_tcp_nothing_is_sent_again() {
    let mut layer = layer();
    start(&mut layer, &tcp());
    assert_eq!(layer.poll_timeout(), Some(Timestamp(32_000)));
    assert_eq!(run(&mut layer, 32_000), []);
    assert_eq!(outcome(&mut layer), Some(Err(Failure::Timeout)));
    assert_clean(&mut layer);
    let (_, octets) = start(&mut layer, &tcp());
    receive(&mut layer, 10, &tcp(), &answer(&octets, 202));
    assert_eq!(outcome(&mut layer), Some(Ok(202)));
    assert_clean(&mut layer);
}

#[test]
fn transport_errors_end_it_in_every_state() {
    for flow in [udp(), tcp()] {
        let mut layer = layer();
        let (_, first) = start(&mut layer, &flow);
        let (_, second) = start(&mut layer, &flow);
        start(&mut layer, &flow);
        receive(&mut layer, 1, &flow, &answer(&first, 200));
        receive(&mut layer, 1, &flow, &answer(&second, 100));
        assert_eq!(outcome(&mut layer), Some(Ok(200)));
        assert_eq!(outcome(&mut layer), Some(Ok(100)));
        layer.handle_send_error(Timestamp(2), &flow);
        assert_eq!(outcome(&mut layer), Some(Err(Failure::Transport)));
        assert_eq!(outcome(&mut layer), Some(Err(Failure::Transport)));
        assert_clean(&mut layer);
    }
}

#[test]
fn a_connection_that_was_opened_is_known() {
    let mut layer = layer();
    let target: Flow = "tcp:192.0.2.1:5060".parse().unwrap();
    start(&mut layer, &target);
    layer.handle_connected(&target, 9);
    layer.handle_send_error(Timestamp(1), &target);
    layer.handle_closed(Timestamp(1), 8);
    assert_eq!(layer.active(), 1);
    layer.handle_closed(Timestamp(1), 9);
    assert_eq!(outcome(&mut layer), Some(Err(Failure::Transport)));
    assert_clean(&mut layer);
}

#[test]
fn responses_of_others_are_dropped() {
    let mut layer = layer();
    let (_, octets) = start(&mut layer, &udp());
    let right = String::from_utf8(answer(&octets, 200).to_vec()).unwrap();
    let digit = right.find("z9hG4bK").unwrap() + 30;
    let mut other_branch = right.clone();
    let changed = if &right[digit..=digit] == "0" {
        "1"
    } else {
        "0"
    };
    other_branch.replace_range(digit..=digit, changed);
    for wrong in [
        other_branch,
        right.replace("z9hG4bK", "z9hG4bKx"),
        right.replace("1 NOTIFY", "1 PUBLISH"),
        right.replace("server.example:5060;", "server.example:5062;"),
        right.replace("server.example:5060;", "other.example:5060;"),
        right.replace(
            "From:",
            "Via: SIP/2.0/UDP other.example;branch=z9hG4bK2\r\nFrom:",
        ),
    ] {
        assert_ne!(wrong, right);
        receive(&mut layer, 1, &udp(), &Bytes::from(wrong));
        assert_eq!(outcome(&mut layer), None);
    }
    let same = right.replace("server.example:5060;", "SERVER.example;");
    receive(&mut layer, 1, &udp(), &Bytes::from(same));
    assert_eq!(outcome(&mut layer), Some(Ok(200)));
}

#[test]
fn what_cannot_be_sent_fails_at_once() {
    let mut layer = layer_with(Config {
        max_transactions: 1,
        ..Config::default()
    });
    let id = layer.request(Timestamp(0), outgoing(Method::Invite), udp());
    assert!(matches!(layer.poll_event(), Some(Event::Failed { id: failed, .. }) if failed == id));
    assert_clean(&mut layer);
    start(&mut layer, &udp());
    layer.request(Timestamp(0), outgoing(Method::Notify), udp());
    assert_eq!(outcome(&mut layer), Some(Err(Failure::Transport)));
    assert_eq!((layer.active(), layer.poll_transmit()), (1, None));
}
