//! Which request belongs to which transaction (RFC 3261 §17.2.3), and merged ones (§8.2.2.2).

use super::*;

/// What becomes of the second request: a new one, absorbed, or answered with a status.
fn second(first: &Bytes, second: &Bytes) -> String {
    let mut layer = layer();
    let (id, request) = accept(&mut layer, 0, &udp(), first);
    layer.respond(Timestamp(0), id, Response::for_request(&request, 200));
    let answer = sent(&mut layer);
    receive(&mut layer, 1, &udp(), second);
    if layer.poll_event().is_some() {
        return "new".to_owned();
    }
    let got = sent(&mut layer);
    if got == answer {
        return "absorbed".to_owned();
    }
    read_response(&got[0].octets).status.to_string()
}

fn changed(octets: &Bytes, from: &str, to: &str) -> Bytes {
    let text = String::from_utf8(octets.to_vec()).unwrap();
    assert!(text.contains(from), "{from}");
    Bytes::from(text.replace(from, to))
}

#[test]
fn by_branch_sent_by_and_method() {
    let first = usual("SUBSCRIBE");
    assert_eq!(second(&first, &first), "absorbed");
    for (from, to, expected) in [
        ("192.0.2.1:5060", "192.0.2.1", "absorbed"),
        ("z9hG4bK-1", "Z9HG4BK-1", "absorbed"),
        ("Via", "v", "absorbed"),
        (
            "sip:ann@server.example SIP",
            "sip:x@server.example SIP",
            "absorbed",
        ),
        ("192.0.2.1:5060", "192.0.2.1:5062", "482"),
        ("192.0.2.1:5060", "peer.example", "482"),
        ("z9hG4bK-1", "z9hG4bK-2", "482"),
        ("z9hG4bK-1", "z9hG4bK", "482"),
        ("SUBSCRIBE", "NOTIFY", "new"),
    ] {
        assert_eq!(
            second(&first, &changed(&first, from, to)),
            expected,
            "{from} {to}"
        );
    }
}

#[test]
fn by_what_stays_the_same_where_the_branch_is_of_rfc_2543() {
    for branch in ["", ";branch=1", ";branch=z9hG4bK"] {
        let first = incoming("SUBSCRIBE", branch);
        assert_eq!(second(&first, &first), "absorbed");
        for (from, to, expected) in [
            ("Max-Forwards: 70", "Max-Forwards: 69", "absorbed"),
            (
                "sip:ann@server.example SIP",
                "sip:x@server.example SIP",
                "482",
            ),
            (";tag=b", ";tag=c", "new"),
            ("ann@server.example>", "ann@server.example>;tag=x", "new"),
            ("1@peer", "2@peer", "new"),
            ("CSeq: 1", "CSeq: 2", "new"),
            ("SUBSCRIBE", "NOTIFY", "new"),
            ("192.0.2.1:5060", "192.0.2.1:5062", "482"),
            ("192.0.2.1:5060", "192.0.2.1:5060;branch=3", "482"),
        ] {
            if branch.is_empty() || to != "192.0.2.1:5060;branch=3" {
                assert_eq!(
                    second(&first, &changed(&first, from, to)),
                    expected,
                    "{from} {to}"
                );
            }
        }
    }
}

#[test]
fn merged_requests_are_those_outside_of_dialogs_with_all_the_same() {
    let first = usual("MESSAGE");
    let other = changed(&first, "z9hG4bK-1", "z9hG4bK-2");
    assert_eq!(second(&first, &other), "482");
    for (from, to) in [
        (";tag=b", ";tag=c"),
        ("1@peer", "2@peer"),
        ("CSeq: 1", "CSeq: 2"),
        ("MESSAGE", "OPTIONS"),
        ("ann@server.example>", "ann@server.example>;tag=x"),
    ] {
        assert_eq!(second(&first, &changed(&other, from, to)), "new", "{from}");
    }
    let inside = changed(&first, "ann@server.example>", "ann@server.example>;tag=x");
    let other = changed(&inside, "z9hG4bK-1", "z9hG4bK-2");
    assert_eq!(
        second(&inside, &other),
        "new",
        "in a dialog nothing is merged"
    );
}

#[test]
fn a_merged_request_is_new_once_the_other_is_gone() {
    let mut layer = layer();
    let (id, _) = accept(&mut layer, 0, &udp(), &usual("MESSAGE"));
    layer.forget(id);
    accept(
        &mut layer,
        0,
        &udp(),
        &incoming("MESSAGE", ";branch=z9hG4bK-2"),
    );
}

#[test]
fn the_same_octets_are_absorbed_unread_and_others_are_read() {
    let first = usual("SUBSCRIBE");
    // Of the same transaction, but with a fault that its answer is to tell.
    let faulty = changed(&first, "Max-Forwards: 70", "Max-Forwards: 999");
    assert_eq!(second(&first, &faulty), "400");
    let mut layer = layer();
    let (id, _) = accept(&mut layer, 0, &udp(), &first);
    receive(&mut layer, 1, &udp(), &first);
    assert!(layer.poll_event().is_none() && sent(&mut layer).is_empty());
    layer.forget(id);
    let (id, request) = accept(&mut layer, 2, &udp(), &first);
    layer.respond_and_forget(id, Response::for_request(&request, 401));
    let stateful = sent(&mut layer);
    let (id, request) = accept(&mut layer, 3, &udp(), &first);
    layer.respond_stateless(&udp(), &request, Response::for_request(&request, 401));
    assert_eq!(sent(&mut layer), stateful);
    layer.forget(id);
    layer.respond_and_forget(id, Response::for_request(&request, 401));
    assert_clean(&mut layer);
}
