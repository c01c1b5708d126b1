//! The torture messages of RFC 4475 and RFC 5118, each handled as its RFC says.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use bytes::Bytes;
use sip::{
    HeaderName, Message, Method, Request, Response, Scheme,
    header::{Contacts, Transport},
    parse,
    screen::{Capabilities, can_forward, screen},
};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(name)
}

fn read(folder_name: &str, file: &str) -> Bytes {
    let data = std::fs::read(folder(folder_name).join(file)).unwrap();
    if folder_name == "rfc5118" {
        // That archive has line ends of Unix; on the wire they are CRLF.
        let text = String::from_utf8(data).unwrap();
        let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        return Bytes::from(text.replace(PRINTED_LENGTH, RIGHT_LENGTH));
    }
    Bytes::from(data)
}

/// RFC 5118 section 4.6 prints a length that is larger than its body in any way of counting.
const PRINTED_LENGTH: &str = "Content-Length: 268";
const RIGHT_LENGTH: &str = "Content-Length: 251";

fn request(file: &str) -> Request {
    request_in("rfc4475", file)
}

fn request_in(folder_name: &str, file: &str) -> Request {
    match parse(&read(folder_name, file)).unwrap() {
        Message::Request(request) => request,
        Message::Response(response) => panic!("{file}: a response {}", response.status),
    }
}

fn response(file: &str) -> Response {
    match parse(&read("rfc4475", file)).unwrap() {
        Message::Response(response) => response,
        Message::Request(request) => panic!("{file}: a request {}", request.method),
    }
}

const METHODS: &[Method] = &[
    Method::Invite,
    Method::Ack,
    Method::Bye,
    Method::Register,
    Method::Options,
    Method::Message,
];

/// What an element that knows calls, registration and messages makes of a datagram.
fn outcome(data: &Bytes) -> String {
    let capabilities = Capabilities {
        methods: METHODS,
        extensions: &[],
        content_types: &["application/sdp", "multipart/mixed", "text/plain"],
        encodings: &[],
    };
    match parse(data) {
        Ok(Message::Response(response)) if response.has_single_via() => "accept".to_owned(),
        Ok(Message::Response(_)) => "discard".to_owned(),
        Ok(Message::Request(request)) => match screen(&request, &capabilities) {
            Ok(()) => "accept".to_owned(),
            Err(refusal) => refusal.into_response(&request).status.to_string(),
        },
        Err(error) => match error.answer() {
            Some(answer) => format!("{} {}", answer.status, answer.reason_text()),
            None => "discard".to_owned(),
        },
    }
}

/// File and outcome. Where an RFC allows several, the text says why ours is one of them.
const RFC4475: &[(&str, &str)] = &[
    // 3.1.1: valid
    ("wsinv", "accept"),
    ("intmeth", "501"),
    ("esc01", "accept"),
    ("escnull", "accept"),
    ("esc02", "501"),
    ("lwsdisp", "accept"),
    ("longreq", "accept"),
    ("dblreq", "accept"),
    ("semiuri", "accept"),
    ("transports", "accept"),
    ("mpart01", "accept"),
    ("unreason", "accept"),
    ("noreason", "accept"),
    // 3.1.2: invalid
    ("badinv01", "400 Malformed Via"),
    ("clerr", "400 Body shorter than Content-Length"),
    ("ncl", "400 Malformed Content-Length"),
    ("scalar02", "400 Malformed CSeq"),
    ("scalarlg", "discard"),
    ("quotbal", "400 Malformed To"),
    ("ltgtruri", "400 Malformed Request-URI"),
    ("lwsruri", "400 Malformed start line"),
    ("lwsstart", "400 Malformed start line"),
    ("trws", "400 Malformed start line"),
    ("escruri", "400 Malformed Request-URI"),
    ("baddate", "accept"), // Date means nothing here; reading it fails
    ("regbadct", "400 Malformed Contact"),
    ("badaspec", "400 Malformed To"),
    ("baddn", "400 Malformed From"),
    ("badvers", "505 Version Not Supported"),
    ("mismatch01", "400 CSeq method differs from request method"),
    ("mismatch02", "501 Not Implemented"),
    ("bigcode", "discard"),
    // 3.2: transaction layer
    ("badbranch", "accept"), // falls back to the matching of RFC 2543
    // 3.3: application layer
    ("insuf", "400 Missing From"),
    ("unkscm", "416"),
    ("novelsc", "416"),
    ("unksm2", "400"),
    ("bext01", "420"),
    ("invut", "415"),
    ("regaut01", "accept"), // whether to ask for credentials is the registrar's business
    ("multi01", "400 More than one CSeq"),
    ("mcl01", "400 More than one Content-Length"),
    ("bcast", "discard"),
    ("zeromf", "accept"),
    ("cparam01", "accept"),
    ("cparam02", "accept"),
    ("regescrt", "accept"),
    ("sdp01", "accept"), // 406 is for who would answer with a body
    // 3.4: RFC 2543
    ("inv2543", "accept"),
    // In the archive, not in the text: no version in the request line.
    ("test", "discard"),
];

#[test]
fn rfc4475_messages_are_handled_as_it_says() {
    let files = std::fs::read_dir(folder("rfc4475")).unwrap();
    let dats = files.filter(|f| f.as_ref().unwrap().path().extension() == Some("dat".as_ref()));
    assert_eq!(dats.count(), RFC4475.len());
    for (name, expected) in RFC4475 {
        let data = read("rfc4475", &format!("{name}.dat"));
        assert_eq!(outcome(&data), *expected, "{name}");
    }
}

const RFC5118: &[(&str, &str)] = &[
    ("ipv6-good", "accept"),
    ("ipv6-bad", "400 Malformed Request-URI"),
    ("port-ambiguous", "accept"),
    ("port-unambiguous", "accept"),
    ("via-received-param-with-delim", "accept"),
    ("via-received-param-no-delim", "accept"),
    ("ipv6-in-sdp", "accept"),
    ("mult-ip-in-header", "accept"),
    ("mult-ip-in-sdp", "accept"),
    ("ipv4-mapped-ipv6", "accept"),
    ("ipv6-bug-abnf-3-colons", "accept"),
    ("ipv6-correct-abnf-2-colons", "accept"),
];

#[test]
fn rfc5118_messages_are_handled_as_it_says() {
    for (name, expected) in RFC5118 {
        assert_eq!(outcome(&read("rfc5118", name)), *expected, "{name}");
    }
    let mended = read("rfc5118", "ipv6-in-sdp");
    let text = std::str::from_utf8(&mended).unwrap();
    let printed = Bytes::from(text.replace(RIGHT_LENGTH, PRINTED_LENGTH));
    assert_eq!(outcome(&printed), "400 Body shorter than Content-Length");
}

#[test]
fn accepted_messages_print_to_what_reads_the_same() {
    let all = RFC4475
        .iter()
        .map(|(name, _)| read("rfc4475", &format!("{name}.dat")))
        .chain(RFC5118.iter().map(|(name, _)| read("rfc5118", name)));
    let mut accepted = 0;
    for data in all {
        let Ok(message) = parse(&data) else { continue };
        let printed = message.to_bytes();
        let again = parse(&printed).unwrap();
        assert_eq!(again.body(), message.body());
        assert_eq!(again.to_bytes(), printed);
        accepted += 1;
    }
    assert_eq!(accepted, 39);
}

#[test]
fn wsinv_is_read_in_full() {
    let message = request("wsinv.dat");
    let headers = &message.headers;
    assert_eq!(message.uri.param("unknownparam"), Some(""));
    assert_eq!(headers.to().unwrap().tag(), Some("1918181833n"));
    let from = headers.from().unwrap();
    assert_eq!(from.display_name.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!(from.tag(), Some("98asjd8"));
    assert_eq!(headers.max_forwards().unwrap(), Some(68));
    assert_eq!(headers.cseq().unwrap().number, 9);
    assert_eq!(headers.get(&HeaderName::Subject), Some(""));
    let vias: Vec<_> = headers.vias().map(Result::unwrap).collect();
    let branches: Vec<_> = vias.iter().map(|via| via.branch().unwrap()).collect();
    assert_eq!(
        branches,
        ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"],
        "{vias:?}"
    );
    assert_eq!(vias[1].transport, Transport::Tcp);
    let routes = headers.addresses(&HeaderName::Route).unwrap();
    assert_eq!(routes.len(), 1);
    assert!(routes[0].uri.is_lr());
    assert_eq!(routes[0].uri.param("unknownwith"), Some("value"));
    let odd = HeaderName::from_token("unknownheaderwithunusualvalue").unwrap();
    assert_eq!(headers.get(&odd), Some(";;,,;;,;"));
    let folded = HeaderName::from_token("NewFangledHeader").unwrap();
    assert_eq!(
        headers.get(&folded),
        Some("newfangled value continued newfangled value")
    );
    let contacts = headers.contacts().unwrap();
    assert_eq!(
        contacts.listed()[0].params().get("newparam"),
        Some("newvalue")
    );
    assert_eq!(contacts.listed()[0].params().get("secondparam"), Some(""));
    assert_eq!(contacts.listed()[0].q(), 330);
}

#[test]
fn intmeth_keeps_odd_characters() {
    let message = request("intmeth.dat");
    let name = "!interesting-Method0123456789_*+`.%indeed'~";
    assert_eq!(message.method, Method::Other(name.into()));
    assert_eq!(message.uri.host().unwrap().to_string(), "example.com");
    assert_eq!(
        message.uri.password(),
        Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")
    );
    let to = message.headers.to().unwrap();
    assert!(to.display_name.unwrap().contains('\0'));
}

#[test]
fn escapes_are_resolved_once_and_only_where_they_are() {
    let message = request("esc01.dat");
    assert_eq!(message.uri.user_decoded().unwrap(), "sips:user@example.com");
    let contacts = message.headers.contacts().unwrap();
    let uri = contacts.listed()[0].uri();
    assert_eq!(uri.param("n%61me"), Some("v%61lue%25%34%31"));

    let message = request("escnull.dat");
    let user = message
        .headers
        .to()
        .unwrap()
        .uri
        .user_bytes()
        .unwrap()
        .into_owned();
    assert_eq!(user, b"null-\0-null");
    let Contacts::Listed(contacts) = message.headers.contacts().unwrap() else {
        panic!("no contacts")
    };
    assert_eq!(contacts.len(), 2);
    assert!(!contacts[0].uri().equivalent(contacts[1].uri()));

    let message = request("esc02.dat");
    assert_eq!(message.method.as_str(), "RE%47IST%45R");
    let to = message.headers.to().unwrap();
    assert_eq!(to.display_name.as_deref(), Some("%Z%45"));
    assert_eq!(message.headers.contacts().unwrap().listed().len(), 2);

    let message = request("semiuri.dat");
    assert_eq!(
        message.uri.user_decoded().unwrap(),
        "user;par=u@example.net"
    );
}

#[test]
fn bodies_are_framed() {
    assert!(request("dblreq.dat").body.is_empty());
    let message = request("mpart01.dat");
    let length = message.headers.get(&HeaderName::ContentLength).unwrap();
    assert_eq!(message.body.len().to_string(), length);
    assert!(message.body.contains(&0));
    assert!(!request("inv2543.dat").body.is_empty());
}

#[test]
fn every_transport_is_a_value() {
    let message = request("transports.dat");
    let transports: Vec<_> = message
        .headers
        .vias()
        .map(|via| via.unwrap().transport.as_str().to_owned())
        .collect();
    assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
}

#[test]
fn parameters_of_contact_and_of_its_uri_are_told_apart() {
    let contact = |file: &str| request(file).headers.contacts().unwrap().listed()[0].clone();
    let header = contact("cparam01.dat");
    assert_eq!(header.params().get("unknownparam"), Some(""));
    assert_eq!(header.uri().param("unknownparam"), None);
    let uri = contact("cparam02.dat");
    assert_eq!(uri.uri().param("unknownparam"), Some(""));
    assert!(uri.params().is_empty());
    let route = contact("regescrt.dat");
    assert_eq!(route.uri().headers_str(), "Route=%3Csip:sip.example.com%3E");
}

#[test]
fn responses_keep_any_reason_phrase() {
    assert_eq!(
        response("unreason.dat").reason_text(),
        "= 2**3 * 5**2 но сто девяносто девять - простое"
    );
    assert_eq!(response("noreason.dat").reason_text(), "");
}

#[test]
fn details_of_the_rest() {
    assert!(!can_forward(&request("zeromf.dat")));
    assert!(request("baddate.dat").headers.date().is_err());
    assert_eq!(
        request("badbranch.dat")
            .headers
            .via()
            .unwrap()
            .unique_branch(),
        None
    );
    assert_eq!(request("inv2543.dat").headers.via().unwrap().branch(), None);
    assert_eq!(
        request("unksm2.dat").headers.to().unwrap().uri.scheme(),
        Scheme::Other
    );
    let auth = request("regaut01.dat");
    let auth = auth.headers.authorizations().next().unwrap().unwrap();
    assert!(!auth.is_digest());
}

#[test]
fn addresses_of_ipv6_are_read_in_every_place() {
    let received = |file| {
        let message = request_in("rfc5118", file);
        message
            .headers
            .via()
            .unwrap()
            .received()
            .unwrap()
            .to_string()
    };
    assert_eq!(received("via-received-param-with-delim"), "2001:db8::9:255");
    assert_eq!(received("via-received-param-no-delim"), "2001:db8::9:255");
    let port = |file| request_in("rfc5118", file).uri.port();
    assert_eq!(port("port-ambiguous"), None);
    assert_eq!(port("port-unambiguous"), Some(5070));
    let host = |file| request_in("rfc5118", file).uri.host().unwrap().clone();
    assert_eq!(
        host("ipv6-bug-abnf-3-colons"),
        host("ipv6-correct-abnf-2-colons")
    );
    let mapped = request_in("rfc5118", "ipv4-mapped-ipv6");
    let hosts: Vec<_> = mapped
        .headers
        .vias()
        .map(|via| via.unwrap().host.ip().unwrap().to_canonical().to_string())
        .collect();
    assert_eq!(hosts, ["192.0.2.10", "192.0.2.2"]);
}
