//! Figure 7 of RFC 3261 with RFC 6026, and CANCEL (RFC 3261 §9.2).

use super::*;

fn ack(branch: &str, to_tag: &str) -> Bytes {
    incoming_with("ACK", branch, "1", &format!(";tag={to_tag}"))
}

/// An INVITE that got `status`, and the tag of To.
fn refused(layer: &mut Layer, flow: &Flow, branch: &str, status: u16) -> String {
    let (id, request) = accept(layer, 0, flow, &incoming("INVITE", branch));
    layer.respond(Timestamp(0), id, Response::for_request(&request, status));
    let response = read_response(&layer.poll_transmit().unwrap().octets);
    assert_eq!(response.status, status);
    response.to_tag().unwrap()
}

const BRANCH: &str = ";branch=z9hG4bK-1";

#[test]
fn a_100_comes_after_200_milliseconds_and_a_408_in_the_end() {
    let mut layer = layer();
    accept(&mut layer, 0, &udp(), &usual("INVITE"));
    layer.handle_timeout(Timestamp(200));
    let trying = sent(&mut layer);
    assert_eq!(read_response(&trying[0].octets).status, 100);
    receive(&mut layer, 300, &udp(), &usual("INVITE"));
    assert_eq!(sent(&mut layer), trying);
    layer.handle_timeout(Timestamp(180_000));
    assert_eq!(statuses(&mut layer), [408]);
    run(&mut layer, 300_000);
    assert_clean(&mut layer);
}

#[test]
fn a_refusal_is_sent_again_until_ack_and_timer_i_absorbs_the_rest() {
    let mut layer = layer();
    let tag = refused(&mut layer, &udp(), BRANCH, 405);
    assert_eq!(run(&mut layer, 8000), [500, 1500, 3500, 7500]);
    receive(&mut layer, 8000, &udp(), &usual("INVITE"));
    assert_eq!(statuses(&mut layer), [405]);
    for _ in 0..2 {
        receive(&mut layer, 9000, &udp(), &ack(BRANCH, &tag));
        receive(&mut layer, 9001, &udp(), &usual("INVITE"));
    }
    assert!(layer.poll_event().is_none());
    assert_eq!(layer.poll_timeout(), Some(Timestamp(14_000)));
    assert_eq!(run(&mut layer, 14_000), []);
    assert_clean(&mut layer);
    receive(&mut layer, 14_001, &udp(), &ack(BRANCH, &tag));
    assert_clean(&mut layer);
}

#[test]
fn without_ack_timer_h_ends_it() {
    let mut layer = layer();
    refused(&mut layer, &udp(), BRANCH, 480);
    assert_eq!(
        run(&mut layer, 32_000),
        [
            500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500
        ]
    );
    assert_clean(&mut layer);
}

#[test]
fn over_tcp_a_refusal_is_sent_once_and_timer_i_is_zero() {
    let mut layer = layer();
    let tag = refused(&mut layer, &tcp(), BRANCH, 501);
    assert_eq!(layer.poll_timeout(), Some(Timestamp(32_000)));
    receive(&mut layer, 10, &tcp(), &ack(BRANCH, &tag));
    assert_clean(&mut layer);
}

#[test]
fn an_ack_of_rfc_2543_is_known_by_the_tag_of_the_response() {
    let mut layer = layer();
    let tag = refused(&mut layer, &udp(), ";branch=1", 405);
    receive(&mut layer, 10, &udp(), &ack(";branch=1", "other"));
    receive(&mut layer, 10, &udp(), &ack(";branch=2", &tag));
    assert_eq!(run(&mut layer, 500), [500]);
    receive(&mut layer, 600, &udp(), &incoming("INVITE", ";branch=1"));
    assert_eq!(statuses(&mut layer), [405]);
    receive(&mut layer, 700, &udp(), &ack(";branch=1", &tag));
    assert_eq!(run(&mut layer, 5700), []);
    assert_clean(&mut layer);
}

#[test]
fn a_2xx_is_not_sent_again_but_by_its_user() {
    let mut layer = layer();
    let (id, request) = accept(&mut layer, 0, &udp(), &usual("INVITE"));
    layer.respond(Timestamp(0), id, Response::for_request(&request, 180));
    receive(&mut layer, 1, &udp(), &usual("INVITE"));
    assert_eq!(statuses(&mut layer), [180, 180]);
    for status in [200, 200, 486] {
        layer.respond(Timestamp(0), id, Response::for_request(&request, status));
    }
    receive(&mut layer, 2, &udp(), &usual("INVITE"));
    assert_eq!(statuses(&mut layer), [200, 200]);
    assert_eq!(run(&mut layer, 32_000), []);
    assert_clean(&mut layer);
}

#[test]
fn cancel_ends_an_invite_that_is_not_answered() {
    let mut layer = layer();
    let (id, request) = accept(&mut layer, 0, &udp(), &usual("INVITE"));
    receive(&mut layer, 1, &udp(), &usual("CANCEL"));
    let transmits = sent(&mut layer);
    let both: Vec<Response> = transmits.iter().map(|t| read_response(&t.octets)).collect();
    assert_eq!((both[0].status, both[1].status), (487, 200));
    assert_eq!(both[0].to_tag(), both[1].to_tag());
    assert_eq!(both[0].reason_text(), "Request Terminated");
    receive(&mut layer, 2, &udp(), &usual("CANCEL"));
    assert_eq!(sent(&mut layer), transmits[1..]);
    layer.respond(Timestamp(3), id, Response::for_request(&request, 200));
    assert_eq!(statuses(&mut layer), []);
    assert!(layer.poll_event().is_none());
    run(&mut layer, 33_000);
    assert_clean(&mut layer);
}

#[test]
fn all_responses_have_the_same_tag() {
    for tag in [None, Some("mine")] {
        let mut layer = layer();
        let (id, request) = accept(&mut layer, 0, &udp(), &usual("INVITE"));
        let mut ringing = Response::for_request(&request, 180);
        if let Some(tag) = tag {
            ringing = ringing.with_to_tag(tag);
        }
        layer.respond(Timestamp(0), id, ringing);
        receive(&mut layer, 1, &udp(), &usual("CANCEL"));
        let transmits = sent(&mut layer);
        let tags: Vec<_> = transmits
            .iter()
            .map(|t| read_response(&t.octets).to_tag())
            .collect();
        assert_eq!(tags.len(), 3);
        assert!(
            tags.iter()
                .all(|found| found.is_some() && *found == tags[0]),
            "{tags:?}"
        );
    }
}

#[test]
fn cancel_does_nothing_to_other_requests() {
    for branch in [BRANCH, ";branch=1", ""] {
        let mut layer = layer();
        let cancel = incoming("CANCEL", branch);
        receive(&mut layer, 0, &udp(), &cancel);
        assert_eq!(statuses(&mut layer), [481]);
        assert_clean(&mut layer);
        let (id, request) = accept(&mut layer, 0, &udp(), &incoming("SUBSCRIBE", branch));
        receive(&mut layer, 1, &udp(), &cancel);
        assert_eq!(statuses(&mut layer), [200]);
        layer.respond(Timestamp(2), id, Response::for_request(&request, 202));
        assert_eq!(statuses(&mut layer), [202]);
        run(&mut layer, 40_000);
        let (id, request) = accept(&mut layer, 50_000, &udp(), &incoming("SUBSCRIBE", branch));
        layer.respond(Timestamp(50_000), id, Response::for_request(&request, 202));
        receive(&mut layer, 50_001, &udp(), &cancel);
        let both: Vec<Response> = sent(&mut layer)
            .iter()
            .map(|t| read_response(&t.octets))
            .collect();
        assert_eq!((both[0].status, both[1].status), (202, 200));
        assert_eq!(both[0].to_tag(), both[1].to_tag());
        run(&mut layer, 90_000);
        assert_clean(&mut layer);
    }
}
