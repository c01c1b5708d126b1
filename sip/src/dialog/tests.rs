//! Examples of dialogs.

#![expect(clippy::unwrap_used, reason = "tests")]

use bytes::Bytes;
use proptest::prelude::*;

use super::{Dialog, DialogBytesError, NextHop, RESERVED_AT_ONCE};
use crate::{
    HeaderName, Message, Method, Request, Response, Uri, message::parse, transaction::Flow,
};

fn flow() -> Flow {
    "udp:192.0.2.1:5060/192.0.2.9:5060".parse().unwrap()
}

/// A request of the peer with more fields.
fn request(method: &str, number: u32, tags: (&str, &str), fields: &str) -> Request {
    let (from, to) = tags;
    let text = format!(
        "{method} sip:ann@server.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
         From: \"Bob\" <sip:bob@peer.example>{from}\r\n\
         To: <sip:ann@server.example>{to}\r\n\
         Call-ID: 1@peer.example\r\nCSeq: {number} {method}\r\n{fields}\r\n"
    );
    match parse(&Bytes::from(text)).unwrap() {
        Message::Request(request) => request,
        Message::Response(response) => panic!("{response:?}"),
    }
}

const CONTACT: &str = "Contact: <sip:bob@10.0.0.1:5070>;expires=60\r\n";

fn subscribe(fields: &str) -> Request {
    request("SUBSCRIBE", 7, (";tag=b", ""), fields)
}

fn dialog(fields: &str) -> Dialog {
    Dialog::from_subscribe(&subscribe(&format!("{CONTACT}{fields}")), "a", &flow()).unwrap()
}

fn contact() -> Uri {
    Uri::parse("sip:server.example;transport=tcp").unwrap()
}

/// Request-URI and Route of the next request.
fn routed(dialog: &mut Dialog) -> (String, Option<String>) {
    let request = dialog.request(Method::Notify, &contact());
    let route = request.headers.get(&HeaderName::Route).map(str::to_owned);
    (request.uri.to_string(), route)
}

#[test]
fn a_subscribe_makes_the_dialog_of_a_notifier() {
    let mut dialog = dialog("");
    let notify = dialog.request(Method::Notify, &contact());
    let headers = &notify.headers;
    assert_eq!(notify.uri.as_str(), "sip:bob@10.0.0.1:5070");
    for (name, value) in [
        (HeaderName::From, "<sip:ann@server.example>;tag=a"),
        (HeaderName::To, "\"Bob\" <sip:bob@peer.example>;tag=b"),
        (HeaderName::CallId, "1@peer.example"),
        (HeaderName::CSeq, "1 NOTIFY"),
        (HeaderName::Contact, "<sip:server.example;transport=tcp>"),
    ] {
        assert_eq!(headers.get(&name), Some(value));
    }
    assert!(!headers.contains(&HeaderName::Route));
    assert_eq!(
        dialog
            .request(Method::Notify, &contact())
            .headers
            .cseq()
            .unwrap()
            .number,
        2
    );
}

#[test]
fn a_peer_of_rfc_2543_has_no_tag() {
    let request = request("SUBSCRIBE", 1, ("", ""), CONTACT);
    let mut dialog = Dialog::from_subscribe(&request, "a", &flow()).unwrap();
    let notify = dialog.request(Method::Notify, &contact());
    assert_eq!(
        notify.headers.get(&HeaderName::To),
        Some("\"Bob\" <sip:bob@peer.example>")
    );
}

#[test]
fn without_one_sip_contact_there_is_no_dialog() {
    for fields in [
        "",
        "Contact: *\r\n",
        "Contact: <tel:+1>\r\n",
        "Contact: <sip:a@b>, <sip:c@d>\r\n",
        "Contact: <sip:a@b>\r\nRecord-Route: <x\r\n",
    ] {
        let error = Dialog::from_subscribe(&subscribe(fields), "a", &flow()).unwrap_err();
        assert_eq!(error.status, 400, "{fields}");
    }
}

#[test]
fn sips_over_tls_is_secure() {
    let mut request = subscribe(CONTACT);
    request.uri = Uri::parse("sips:ann@server.example").unwrap();
    let tls: Flow = "tls:192.0.2.1:5061#1".parse().unwrap();
    assert!(Dialog::from_subscribe(&request, "a", &tls).unwrap().secure);
    assert!(
        !Dialog::from_subscribe(&request, "a", &flow())
            .unwrap()
            .secure
    );
}

#[test]
fn routes_are_loose_or_strict() {
    // RFC 3261 §12.2.1.1 and §16.12.1.
    let loose = "Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr>\r\n";
    assert_eq!(
        routed(&mut dialog(loose)),
        (
            "sip:bob@10.0.0.1:5070".to_owned(),
            Some("<sip:p2.example;lr>, <sip:p1.example;lr>".to_owned())
        )
    );
    let strict = "Record-Route: <sip:p2.example;method=X;a=b?h=v>\r\nRecord-Route: <sip:p1.example;lr>;x=y\r\n";
    assert_eq!(
        routed(&mut dialog(strict)),
        (
            "sip:p2.example;a=b".to_owned(),
            Some("<sip:p1.example;lr>;x=y, <sip:bob@10.0.0.1:5070>".to_owned())
        )
    );
}

#[test]
fn requests_go_back_the_way_the_peer_came() {
    let go = |route: &str, flow: &str| {
        let request = subscribe(&format!("{CONTACT}{route}"));
        let dialog = Dialog::from_subscribe(&request, "a", &flow.parse().unwrap()).unwrap();
        match dialog.next_hop() {
            NextHop::Flow(flow) => flow.to_string(),
            NextHop::Resolve(uri) => uri.to_string(),
        }
    };
    let route = |uri: &str| format!("Record-Route: <{uri};lr>\r\n");
    let udp = "udp:192.0.2.1:9000/192.0.2.9:5060";
    let tcp = "tcp:192.0.2.1:9000/192.0.2.9:5060#3";
    assert_eq!(go("", udp), udp);
    assert_eq!(go("", tcp), tcp);
    assert_eq!(
        go("", "tcp:192.0.2.1:9000"),
        "udp:10.0.0.1:5070",
        "what is left is the Contact"
    );
    assert_eq!(go(&route("sip:p.example"), udp), "sip:p.example;lr");
    assert_eq!(
        go(&route("sip:192.0.2.1"), udp),
        "udp:192.0.2.1:5060/192.0.2.9:5060"
    );
    assert_eq!(go(&route("sip:192.0.2.1;transport=tcp"), tcp), tcp);
    assert_eq!(
        go(&route("sip:192.0.2.2;transport=tcp"), tcp),
        "tcp:192.0.2.2:5060/192.0.2.9:5060"
    );
    assert_eq!(go(&route("sips:192.0.2.1"), udp), "tls:192.0.2.1:5061");
    assert_eq!(
        go(&route("sip:[2001:db8::1]"), udp),
        "udp:[2001:db8::1]:5060"
    );
}

#[test]
fn a_closed_connection_is_not_used() {
    let tcp: Flow = "tcp:192.0.2.1:9000#3".parse().unwrap();
    let fields = "Contact: <sip:bob@10.0.0.1;transport=tcp>\r\n";
    let mut dialog = Dialog::from_subscribe(&subscribe(fields), "a", &tcp).unwrap();
    dialog.handle_closed(4);
    assert_eq!(dialog.next_hop(), NextHop::Flow(tcp));
    dialog.handle_closed(3);
    let contact: Flow = "tcp:10.0.0.1:5060".parse().unwrap();
    assert_eq!(dialog.next_hop(), NextHop::Flow(contact));
}

#[test]
fn incoming_requests_are_of_the_dialog_and_in_order() {
    let mut dialog = dialog("");
    let tags = (";tag=b", ";tag=a");
    let other: Flow = "udp:192.0.2.1:6000".parse().unwrap();
    let mut check = |number, tags, expected: Result<(), u16>| {
        let request = request("SUBSCRIBE", number, tags, CONTACT);
        let found = dialog
            .check_incoming(&request, &other)
            .map_err(|e| e.status);
        assert_eq!(found, expected, "{number} {tags:?}");
    };
    check(6, tags, Err(500));
    check(8, (";tag=x", ";tag=a"), Err(481));
    check(8, (";tag=b", ";tag=x"), Err(481));
    check(8, (";tag=b", ""), Err(481));
    check(9, tags, Ok(()));
    check(8, tags, Err(500));
    check(9, tags, Ok(()));
    check(100, tags, Ok(()));
    assert_eq!((dialog.remote_cseq, &dialog.flow), (Some(100), &other));
}

#[test]
fn the_target_is_refreshed_by_a_contact() {
    let mut dialog = dialog("");
    for (fields, expected) in [
        ("Contact: <sip:new@10.0.0.2>\r\n", "sip:new@10.0.0.2"),
        ("", "sip:new@10.0.0.2"),
        ("Contact: *\r\n", "sip:new@10.0.0.2"),
        ("Contact: <tel:+1>\r\n", "sip:new@10.0.0.2"),
    ] {
        dialog.refresh_target(&subscribe(fields));
        assert_eq!(dialog.remote_target.as_str(), expected);
    }
}

#[test]
fn numbers_never_go_back() {
    let mut dialog = dialog("");
    let mut disk = dialog.to_bytes();
    let mut last = 0;
    for step in 0..5000 {
        if step % 700 == 699 {
            dialog = Dialog::from_bytes(&disk).unwrap();
        }
        if dialog.needs_reservation() {
            dialog.reserve();
            disk = dialog.to_bytes();
        }
        let number = dialog
            .request(Method::Notify, &contact())
            .headers
            .cseq()
            .unwrap()
            .number;
        assert!(number > last, "{number} after {last}");
        assert!(number <= Dialog::from_bytes(&disk).unwrap().local_cseq);
        last = number;
    }
}

#[test]
fn after_a_restart_numbers_are_to_be_reserved() {
    let fresh = dialog("");
    assert!(!fresh.needs_reservation());
    let mut dialog = Dialog::from_bytes(&fresh.to_bytes()).unwrap();
    assert_eq!(dialog.local_cseq, RESERVED_AT_ONCE);
    assert!(dialog.needs_reservation());
    dialog.reserve();
    assert!(!dialog.needs_reservation());
    assert_eq!(dialog.local_cseq_reserved, 2 * RESERVED_AT_ONCE);
}

#[test]
fn a_notify_makes_the_dialog_of_a_subscriber() {
    let sent = subscribe(CONTACT);
    let routes = "Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr>\r\n";
    let notify = request(
        "NOTIFY",
        50,
        (";tag=n", ";tag=b"),
        &format!("Contact: <sip:n@10.0.0.3>\r\n{routes}"),
    );
    let mut by_notify = Dialog::from_notify(&sent, &notify, &flow()).unwrap();
    assert_eq!((by_notify.local_cseq, by_notify.remote_cseq), (7, Some(50)));
    let first = "<sip:p2.example;lr>, <sip:p1.example;lr>".to_owned();
    assert_eq!(
        routed(&mut by_notify),
        ("sip:n@10.0.0.3".to_owned(), Some(first))
    );
    let other = request("NOTIFY", 50, (";tag=n", ";tag=x"), CONTACT);
    assert_eq!(
        Dialog::from_notify(&sent, &other, &flow())
            .unwrap_err()
            .status,
        481
    );
}

#[test]
fn a_2xx_makes_the_dialog_of_a_subscriber() {
    let sent = subscribe(CONTACT);
    let response = Response::for_request(&sent, 202)
        .with_to_tag("n")
        .with(HeaderName::Contact, "<sip:n@10.0.0.3>")
        .with(
            HeaderName::RecordRoute,
            "<sip:p1.example;lr>, <sip:p2.example;lr>",
        );
    let mut by_response = Dialog::from_response(&sent, &response, &flow()).unwrap();
    assert_eq!(
        (by_response.remote_tag.as_str(), by_response.remote_cseq),
        ("n", None)
    );
    let first = "<sip:p2.example;lr>, <sip:p1.example;lr>".to_owned();
    assert_eq!(
        routed(&mut by_response),
        ("sip:n@10.0.0.3".to_owned(), Some(first))
    );
    let refresh = by_response.request(Method::Subscribe, &contact());
    assert_eq!(refresh.headers.get(&HeaderName::CSeq), Some("9 SUBSCRIBE"));
}

#[test]
fn dialogs_are_written_small_and_read_back() {
    let mut dialog = dialog("Record-Route: <sip:192.0.2.1;lr>\r\n");
    dialog.flow = dialog.flow.with_connection(4);
    let bytes = dialog.to_bytes();
    assert!(bytes.len() < 250, "{}", bytes.len());
    let read = Dialog::from_bytes(&bytes).unwrap();
    dialog.flow.connection = None;
    dialog.local_cseq = dialog.local_cseq_reserved;
    assert_eq!(read, dialog);
}

#[test]
fn what_is_damaged_or_newer_is_refused() {
    let bytes = dialog("").to_bytes();
    for length in 0..bytes.len() {
        let cut = Dialog::from_bytes(&bytes[..length]);
        assert_eq!(cut.unwrap_err(), DialogBytesError::Damaged);
    }
    let mut newer = bytes;
    newer[0] = 2;
    assert_eq!(
        Dialog::from_bytes(&newer).unwrap_err(),
        DialogBytesError::Version(2)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_dialog_survives_the_disk(
        name in prop::option::of("\\PC{0,12}"),
        call_id in "[a-z0-9]{1,20}(@[a-z]{1,9})?",
        tags in ("[a-z0-9]{1,12}", "[a-z0-9]{0,12}"),
        numbers in (0_u32..0x7fff_ffff, prop::option::of(0_u32..0x7fff_ffff)),
        routes in prop::collection::vec("[a-z]{1,9}", 0..4),
        connection in prop::option::of(any::<u64>()),
        secure: bool,
    ) {
        let mut dialog = dialog("");
        dialog.remote_uri.display_name = name.filter(|name| !name.is_empty());
        dialog.call_id = call_id;
        (dialog.local_tag, dialog.remote_tag) = tags;
        (dialog.local_cseq_reserved, dialog.remote_cseq) = numbers;
        let routes: Vec<String> = routes.iter().map(|host| format!("<sip:{host};lr>")).collect();
        let mut headers = crate::Headers::new();
        headers.push(HeaderName::Route, routes.join(", "));
        dialog.route_set = headers.addresses(&HeaderName::Route).unwrap();
        dialog.secure = secure;
        dialog.flow.connection = connection;
        let read = Dialog::from_bytes(&dialog.to_bytes()).unwrap();
        dialog.flow.connection = None;
        dialog.local_cseq = dialog.local_cseq_reserved;
        prop_assert_eq!(read, dialog);
    }

    #[test]
    fn any_octets_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Dialog::from_bytes(&bytes);
    }
}
