//! Where responses go, what is malformed, and keep-alives (RFC 3261 §18, RFC 3581).

use super::*;

fn flow(text: &str) -> Flow {
    text.parse().unwrap()
}

#[test]
fn responses_go_back_where_requests_came_from() {
    for (via, source, reply) in [
        ("UDP 192.0.2.1", "udp:192.0.2.1:9000", "udp:192.0.2.1:5060"),
        (
            "UDP 10.0.0.1:5070",
            "udp:192.0.2.1:9000",
            "udp:192.0.2.1:5070",
        ),
        (
            "UDP 10.0.0.1:5070;rport",
            "udp:192.0.2.1:9000",
            "udp:192.0.2.1:9000",
        ),
        (
            "UDP 10.0.0.1;rport=1;received=203.0.113.1",
            "udp:192.0.2.1:9000",
            "udp:192.0.2.1:9000",
        ),
        (
            "UDP 192.0.2.1;maddr=203.0.113.1",
            "udp:192.0.2.1:9000",
            "udp:192.0.2.1:5060",
        ),
        (
            "UDP [2001:db8::1]:5070",
            "udp:[2001:db8::2]:9",
            "udp:[2001:db8::2]:5070",
        ),
        (
            "TCP 10.0.0.1:5070",
            "tcp:192.0.2.1:9000#3",
            "tcp:192.0.2.1:9000#3",
        ),
        (
            "WSS x.invalid;rport",
            "wss:192.0.2.1:9000#3",
            "wss:192.0.2.1:9000#3",
        ),
    ] {
        let mut layer = layer();
        let text = String::from_utf8(usual("OPTIONS").to_vec()).unwrap();
        let octets = Bytes::from(text.replace("UDP 192.0.2.1:5060", via));
        let (id, request) = accept(&mut layer, 0, &flow(source), &octets);
        layer.respond_stateless(
            &flow(source),
            &request,
            Response::for_request(&request, 200),
        );
        layer.respond(Timestamp(0), id, Response::for_request(&request, 200));
        for transmit in sent(&mut layer) {
            assert_eq!(transmit.to, flow(reply), "{via}");
        }
    }
}

#[test]
fn a_closed_connection_is_replaced_by_a_new_one() {
    for (via, expected) in [
        ("TCP 192.0.2.1:5070", "tcp:192.0.2.1:5070/192.0.2.9:5060"),
        ("TCP peer.example", "tcp:192.0.2.1:5060/192.0.2.9:5060"),
    ] {
        let mut layer = layer();
        let text = String::from_utf8(usual("OPTIONS").to_vec()).unwrap();
        let octets = Bytes::from(text.replace("UDP 192.0.2.1:5060", via));
        let (id, request) = accept(&mut layer, 0, &tcp(), &octets);
        layer.handle_closed(Timestamp(1), 7);
        layer.respond(Timestamp(1), id, Response::for_request(&request, 200));
        assert_eq!(layer.poll_transmit().unwrap().to, flow(expected));
        assert_clean(&mut layer);
    }
}

#[test]
fn nobody_connects_to_a_browser() {
    let mut layer = layer();
    let source = flow("ws:192.0.2.1:9000#3");
    let (id, request) = accept(&mut layer, 0, &source, &usual("OPTIONS"));
    layer.handle_closed(Timestamp(1), 3);
    layer.respond(Timestamp(1), id, Response::for_request(&request, 200));
    assert_clean(&mut layer);
}

#[test]
fn a_response_that_cannot_be_sent_ends_nothing() {
    let mut layer = layer();
    let octets = usual("OPTIONS");
    let (id, request) = accept(&mut layer, 0, &udp(), &octets);
    layer.respond(Timestamp(0), id, Response::for_request(&request, 200));
    let transmit = layer.poll_transmit().unwrap();
    layer.handle_send_error(Timestamp(0), &transmit.to);
    receive(&mut layer, 500, &udp(), &octets);
    assert_eq!(layer.poll_transmit(), Some(transmit));
    assert!(layer.poll_event().is_none());
}

#[test]
fn malformed_requests_are_answered_and_rubbish_is_dropped() {
    let good = String::from_utf8(usual("OPTIONS").to_vec()).unwrap();
    let source = flow("udp:192.0.2.1:9000");
    for (text, expected) in [
        (good.replace("Call-ID: 1@peer.example\r\n", ""), vec![400]),
        (good.replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia"), vec![505]),
        (good.replace("1 OPTIONS", "x OPTIONS"), vec![400]),
        (
            good.replace("OPTIONS", "ACK").replace("1 ACK", "x ACK"),
            vec![],
        ),
        (good.replace("Via", "X"), vec![]),
        ("\0\0\0\0".to_owned(), vec![]),
        ("hello".to_owned(), vec![]),
        ("SIP/2.0 200 OK\r\n\r\n".to_owned(), vec![]),
    ] {
        let mut layer = layer();
        receive(&mut layer, 0, &source, &Bytes::from(text.clone()));
        let transmits = sent(&mut layer);
        let found: Vec<u16> = transmits.iter().map(|t| read_status(&t.octets)).collect();
        assert_eq!(found, expected, "{text}");
        assert!(transmits.iter().all(|t| t.to == flow("udp:192.0.2.1:5060")));
        assert_clean(&mut layer);
    }
}

/// The answer to a malformed request may be malformed too.
fn read_status(octets: &Bytes) -> u16 {
    std::str::from_utf8(&octets[8..11])
        .unwrap()
        .parse()
        .unwrap()
}

#[test]
fn keep_alives_are_told_and_answered_over_streams() {
    let mut layer = layer();
    layer.handle_datagram(Timestamp(0), &udp(), b"\r\n\r\n");
    assert!(matches!(layer.poll_event(), Some(Event::Ping { flow }) if flow == udp()));
    layer.handle_datagram(Timestamp(0), &udp(), b"");
    assert_clean(&mut layer);
    layer.handle_ping(&tcp());
    let pong = layer.poll_transmit().unwrap();
    assert_eq!((pong.to, &pong.octets[..]), (tcp(), &b"\r\n"[..]));
    assert!(matches!(layer.poll_event(), Some(Event::Ping { .. })));
}

#[test]
fn names_are_tokens_and_never_the_same() {
    let mut layer = layer();
    let tags: std::collections::HashSet<String> = (0..100).map(|_| layer.new_tag()).collect();
    assert!(tags.len() == 100 && tags.iter().all(|tag| tag.len() == 20));
    assert!(
        layer
            .new_call_id("server.example")
            .ends_with("@server.example")
    );
    assert_eq!(layer.new_call_id("no host").len(), 32);
}
