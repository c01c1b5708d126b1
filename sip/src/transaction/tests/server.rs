//! Figure 8 of RFC 3261 and RFC 4320, each state and timer.

use super::*;

fn respond(layer: &mut Layer, now: u64, id: ServerId, request: &Request, status: u16) {
    layer.respond(Timestamp(now), id, Response::for_request(request, status));
}

#[test]
fn retransmissions_are_absorbed_and_get_the_same_octets() {
    let mut layer = layer();
    let octets = usual("SUBSCRIBE");
    let (id, request) = accept(&mut layer, 0, &udp(), &octets);
    receive(&mut layer, 500, &udp(), &octets);
    assert_eq!(statuses(&mut layer), []);
    respond(&mut layer, 1000, id, &request, 202);
    let first = layer.poll_transmit().unwrap();
    assert_eq!(first.to, udp());
    for now in [1500, 3500, 32_999] {
        receive(&mut layer, now, &udp(), &octets);
        assert_eq!(sent(&mut layer), std::slice::from_ref(&first));
    }
    assert!(layer.poll_event().is_none());
    assert_eq!(layer.poll_timeout(), Some(Timestamp(33_000)));
    assert_eq!(run(&mut layer, 33_000), []);
    assert_clean(&mut layer);
    accept(&mut layer, 33_001, &udp(), &octets);
}

#[test]
fn responses_get_a_tag_and_server() {
    let mut layer = layer();
    let (id, request) = accept(&mut layer, 0, &udp(), &usual("OPTIONS"));
    respond(&mut layer, 0, id, &request, 200);
    let response = read_response(&layer.poll_transmit().unwrap().octets);
    assert_eq!(response.to_tag().map(|tag| tag.len()), Some(16));
    assert_eq!(response.headers.get(&HeaderName::Server), Some("Test"));
    let other = incoming_with("OPTIONS", ";branch=z9hG4bK-2", "2", "");
    let (id, request) = accept(&mut layer, 0, &udp(), &other);
    let response = Response::for_request(&request, 200).with_to_tag("mine");
    layer.respond(Timestamp(0), id, response);
    let response = read_response(&layer.poll_transmit().unwrap().octets);
    assert_eq!(response.to_tag().as_deref(), Some("mine"));
}

#[test]
fn a_100_is_due_when_timer_e_would_be_t2_and_not_before() {
    for flow in [udp(), tcp()] {
        let mut layer = layer();
        let octets = usual("SUBSCRIBE");
        accept(&mut layer, 0, &flow, &octets);
        assert_eq!(run(&mut layer, 3499), []);
        layer.handle_timeout(Timestamp(3500));
        assert_eq!(statuses(&mut layer), [100]);
        receive(&mut layer, 3600, &flow, &octets);
        assert_eq!(statuses(&mut layer), [100], "Proceeding repeats it");
    }
}

#[test]
fn a_late_100_says_how_late() {
    let mut layer = layer();
    let text = String::from_utf8(usual("OPTIONS").to_vec()).unwrap();
    let octets = Bytes::from(text.replace("Max-F", "Timestamp: 54.1\r\nMax-F"));
    accept(&mut layer, 1000, &udp(), &octets);
    layer.handle_timeout(Timestamp(4510));
    let trying = read_response(&layer.poll_transmit().unwrap().octets);
    assert_eq!(
        trying.headers.get(&HeaderName::Timestamp),
        Some("54.1 3.510")
    );
}

#[test]
fn provisional_responses_are_sent_as_rfc_4320_allows() {
    for (flow, early) in [(udp(), vec![]), (tcp(), vec![100])] {
        let mut layer = layer();
        let (id, request) = accept(&mut layer, 0, &flow, &usual("SUBSCRIBE"));
        respond(&mut layer, 10, id, &request, 180);
        assert_eq!(statuses(&mut layer), []);
        respond(&mut layer, 10, id, &request, 100);
        assert_eq!(statuses(&mut layer), early);
        respond(&mut layer, 4000, id, &request, 100);
        assert_eq!(statuses(&mut layer), [100]);
        respond(&mut layer, 4000, id, &request, 200);
        assert_eq!(statuses(&mut layer), [200]);
    }
}

#[test]
fn a_408_is_not_sent_and_too_late_is_never() {
    let octets = usual("PUBLISH");
    for flow in [udp(), tcp()] {
        let mut layer = layer();
        let (id, request) = accept(&mut layer, 0, &flow, &octets);
        respond(&mut layer, 10, id, &request, 408);
        respond(&mut layer, 10, id, &request, 200);
        assert_eq!(statuses(&mut layer), []);
        run(&mut layer, 40_000);
        assert_clean(&mut layer);
        let (id, request) = accept(&mut layer, 50_000, &flow, &octets);
        assert_eq!(run(&mut layer, 82_000), [53_500]);
        respond(&mut layer, 82_000, id, &request, 200);
        assert_eq!(statuses(&mut layer), []);
        if flow == udp() {
            receive(&mut layer, 86_999, &flow, &octets);
        }
        assert_eq!(run(&mut layer, 87_000), []);
        assert_clean(&mut layer);
    }
}

#[test]
fn over_tcp_timer_j_is_zero() {
    let mut layer = layer();
    let octets = usual("PUBLISH");
    let (id, request) = accept(&mut layer, 0, &tcp(), &octets);
    respond(&mut layer, 1, id, &request, 200);
    assert_eq!(layer.poll_transmit().unwrap().to, tcp());
    assert_clean(&mut layer);
    respond(&mut layer, 1, id, &request, 200);
    assert_clean(&mut layer);
}

#[test]
fn a_second_final_response_is_dropped() {
    let mut layer = layer();
    let (id, request) = accept(&mut layer, 0, &udp(), &usual("PUBLISH"));
    for status in [412, 200, 100] {
        respond(&mut layer, 1, id, &request, status);
    }
    assert_eq!(statuses(&mut layer), [412]);
}

#[test]
fn strangers_cost_no_memory() {
    let mut layer = layer();
    let octets = usual("SUBSCRIBE");
    let mut answers = Vec::new();
    for now in 0..3 {
        let (id, request) = accept(&mut layer, now, &udp(), &octets);
        layer.respond_stateless(&udp(), &request, Response::for_request(&request, 401));
        layer.forget(id);
        answers.push(layer.poll_transmit().unwrap().octets);
        assert_clean(&mut layer);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert!(read_response(&answers[0]).to_tag().is_some());
}

#[test]
fn above_the_limit_there_is_503_without_memory() {
    let mut layer = layer_with(Config {
        max_transactions: 1,
        retry_after: 9,
        ..Config::default()
    });
    let (id, request) = accept(&mut layer, 0, &udp(), &usual("OPTIONS"));
    let other = incoming_with("OPTIONS", ";branch=z9hG4bK-2", "2", "");
    receive(&mut layer, 0, &udp(), &other);
    let response = read_response(&layer.poll_transmit().unwrap().octets);
    assert_eq!(response.status, 503);
    assert_eq!(response.headers.get(&HeaderName::RetryAfter), Some("9"));
    assert!(layer.poll_event().is_none());
    assert_eq!(layer.active(), 1);
    receive(&mut layer, 0, &udp(), &usual("OPTIONS"));
    respond(&mut layer, 0, id, &request, 200);
    assert_eq!(statuses(&mut layer), [200]);
}

#[test]
fn an_id_is_never_used_again() {
    let mut layer = layer();
    let (old, request) = accept(&mut layer, 0, &udp(), &usual("OPTIONS"));
    layer.forget(old);
    let (new, _) = accept(&mut layer, 0, &udp(), &usual("OPTIONS"));
    assert_ne!(old, new);
    layer.forget(old);
    respond(&mut layer, 0, old, &request, 200);
    assert_eq!((statuses(&mut layer), layer.active()), (vec![], 1));
}
