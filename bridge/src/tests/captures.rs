//! What phones in the field send: baresip 1.0, Linphone 5.1, libpurple 2.14, in their own spelling.

use std::time::Duration;

use sip::{HeaderName, Request, Response};

use super::world::parse;
use super::*;

const BARESIP: &str = "Max-Forwards: 70\r\nUser-Agent: baresip v1.0.0 (x86_64/linux)\r\n";

/// Without authentication, as `ann`, whose alias the phone may use.
fn world() -> World {
    World::with(|c| c.require_auth = false)
}

fn ask(world: &mut World, text: &str) -> Response {
    let flow = Phone::new("ann").flow;
    world.ask(&parse(text), &flow)
}

#[test]
fn baresip() {
    let mut world = world();
    let answer = ask(
        &mut world,
        &format!(
            "REGISTER sip:192.0.2.1:5070;transport=udp SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5071;branch=z9hG4bKc7b6;rport\r\n\
             Contact: <sip:ann-0x5579598f4d00@192.0.2.7:5071>;expires=600\r\nTo: <sip:ann@192.0.2.1:5070>\r\n\
             From: <sip:ann@192.0.2.1:5070>;tag=5031\r\nCall-ID: 900e\r\nCSeq: 51483 REGISTER\r\n{BARESIP}\
             Allow: INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,SUBSCRIBE,INFO,MESSAGE,REFER\r\nContent-Length: 0\r\n\r\n"
        ),
    );
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.headers.get(&HeaderName::Contact),
        Some("<sip:ann-0x5579598f4d00@192.0.2.7:5071>;expires=600")
    );
    let publish = |seq: u32, extra: &str, body: &str| {
        format!(
            "PUBLISH sip:ann@192.0.2.1:5070 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5071;branch=z9hG4bKp{seq};rport\r\n\
             To: <sip:ann@192.0.2.1:5070>\r\nFrom: <sip:ann@192.0.2.1:5070>;tag=80b6\r\nCall-ID: p{seq}\r\nCSeq: {seq} PUBLISH\r\n\
             {BARESIP}Content-Type: application/pidf+xml\r\nEvent: presence\r\n{extra}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let document = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\r\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"\r\n\
        \x20   xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\"\r\n    xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\"\r\n\
        \x20   entity=\"sip:ann@192.0.2.1:5070\">\r\n  <dm:person id=\"p4159\"><rpid:activities/></dm:person>\r\n  <tuple id=\"t4109\">\r\n\
        \x20   <status>\r\n      <basic>open</basic>\r\n    </status>\r\n    <contact>sip:ann@192.0.2.1:5070</contact>\r\n  </tuple>\r\n</presence>\r\n";
    let first = ask(&mut world, &publish(1, "Expires: 600\r\n", document));
    assert_eq!(
        (first.status, first.headers.expires().unwrap()),
        (200, Some(600))
    );
    // Newer ones refresh with a type and nothing of it.
    let tag = first.headers.sip_etag().unwrap();
    let refresh = ask(
        &mut world,
        &publish(2, &format!("Expires: 600\r\nSIP-If-Match: {tag}\r\n"), ""),
    );
    assert_eq!(refresh.status, 200);

    let subscribe = |seq: u32, uri: &str, to_tag: &str, expires: u32| {
        format!(
            "SUBSCRIBE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5071;branch=z9hG4bKs{seq};rport\r\n\
             Contact: <sip:ann-0x5579598f4d00@192.0.2.7:5071>\r\nTo: <sip:bob@192.0.2.1:5070>{to_tag}\r\n\
             From: <sip:ann@192.0.2.1:5070>;tag=fb6c\r\nCall-ID: dae3\r\nCSeq: {seq} SUBSCRIBE\r\n{BARESIP}\
             Event: presence\r\nExpires: {expires}\r\nSupported:\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let first = ask(
        &mut world,
        &subscribe(40305, "sip:bob@192.0.2.1:5070", "", 600),
    );
    assert_eq!(
        first.headers.get(&HeaderName::Contact),
        Some("<sip:192.0.2.1:5070>")
    );
    let notify = world.one();
    assert_eq!(
        notify.header(&HeaderName::From),
        first.headers.get(&HeaderName::To).unwrap()
    );
    assert!(
        notify
            .told()
            .1
            .contains("entity=\"sip:bob@192.0.2.1:5070\"")
    );
    world.reply(&notify, 200);
    let tag = format!(";tag={}", first.to_tag().unwrap());
    assert_eq!(
        ask(&mut world, &subscribe(40306, "sip:192.0.2.1:5070", &tag, 0)).status,
        200
    );
    assert_eq!(world.notified().0, "terminated;timeout");
}

#[test]
fn linphone() {
    let mut world = world();
    let instance = "+sip.instance=\"<urn:uuid:afe7e22c-9702-002f-b633-07ee59770b66>\"";
    let common = "Max-Forwards: 70\r\nSupported: replaces, outbound, gruu\r\nUser-Agent: Linphonec/5.1.65\r\n";
    let register = |seq: u32, expires: u32| {
        format!(
            "REGISTER sip:192.0.2.1:5085 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5072;branch=z9hG4bK.r{seq};rport\r\n\
             From: <sip:ann@192.0.2.1>;tag=i~PTw\r\nTo: sip:ann@192.0.2.1\r\nCSeq: {seq} REGISTER\r\nCall-ID: Hyr\r\n{common}\
             Accept: application/sdp\r\nAccept: text/plain\r\nContact: <sip:ann@192.0.2.7:5072;transport=udp>;{instance}\r\nExpires: {expires}\r\n\r\n"
        )
    };
    let answer = ask(&mut world, &register(20, 600));
    let contact = answer.headers.get(&HeaderName::Contact).unwrap();
    assert_eq!(
        contact,
        format!("<sip:ann@192.0.2.7:5072;transport=udp>;{instance};expires=600")
    );
    assert_eq!(
        answer
            .headers
            .get(&HeaderName::To)
            .map(|to| to.starts_with("sip:ann@192.0.2.1;tag=")),
        Some(true)
    );
    let first = ask(
        &mut world,
        &format!(
            "SUBSCRIBE sip:bob@192.0.2.1:5085 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5072;branch=z9hG4bK.4Nu;rport\r\n\
             From: <sip:ann@192.0.2.1>;tag=NlwZ\r\nTo: \"Bob\" <sip:bob@192.0.2.1>\r\nCSeq: 21 SUBSCRIBE\r\nCall-ID: DPi\r\n{common}\
             Event: presence\r\nExpires: 600\r\nContact: <sip:ann@192.0.2.7:5072;transport=udp>;{instance};expires=3600\r\n\r\n"
        ),
    );
    assert_eq!(first.status, 200);
    assert!((540..=600).contains(&first.headers.expires().unwrap().unwrap()));
    // It knows the port in the Request-URI, and calls its friend without it.
    assert_eq!(
        first.headers.get(&HeaderName::Contact),
        Some("<sip:192.0.2.1:5085>")
    );
    assert!(world.notified().1.contains("entity=\"sip:bob@192.0.2.1\""));
    let message = ask(
        &mut world,
        &format!(
            "MESSAGE sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5072;branch=z9hG4bK.oQr;rport\r\n\
             From: <sip:ann@192.0.2.1>;tag=dNm\r\nTo: sip:bob@192.0.2.1\r\nCSeq: 21 MESSAGE\r\nCall-ID: ice\r\n{common}\
             Date: Sat, 21 Nov 2026 06:04:29 GMT\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
        ),
    );
    assert_eq!(message.status, 200);
    assert_eq!(world.model.messages[0].bodies[0].text, "hello");
    let gone = ask(&mut world, &register(22, 0));
    assert_eq!(
        (gone.status, gone.headers.contains(&HeaderName::Contact)),
        (200, false)
    );
}

/// What libpurple computes: without `qop` (RFC 2069), but with an `nc` that means nothing.
fn purple(mut request: Request, challenge: &Response) -> Request {
    let challenge = challenge.headers.challenges().next().unwrap().unwrap();
    // A challenge without qop makes the session answer by RFC 2069.
    let nonce = challenge.get("nonce").unwrap();
    let plain = format!("Digest realm=\"office.example\", nonce=\"{nonce}\"");
    let plain = sip::header::Challenge::parse(&plain).unwrap();
    let mut session = sip::digest::DigestSession::new(&plain, "ann", "secret").unwrap();
    let value = session.authorize(&request.method, &request.uri, &[], "");
    request.headers.set(
        HeaderName::Authorization,
        format!("{value}, nc=\"00000001\""),
    );
    request
}

#[test]
fn libpurple() {
    let mut world = World::new();
    let flow = Phone::new("ann").flow;
    let text = "SUBSCRIBE sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5061;branch=z9hG4bKF874\r\n\
        From: <sip:ann@192.0.2.1>;tag=6275334369;epid=1234567890\r\nTo: <sip:bob@192.0.2.1>\r\nMax-Forwards: 10\r\nCSeq: 4 SUBSCRIBE\r\n\
        User-Agent: Purple/2.14.12\r\nCall-ID: 9EB4\r\nExpires: 1200\r\nAccept: application/pidf+xml, application/xpidf+xml\r\n\
        Event: presence\r\nContact: <sip:ann@192.0.2.2:5061;transport=udp>;methods=\"MESSAGE, SUBSCRIBE, NOTIFY\"\r\nContent-Length: 0\r\n\r\n";
    let request = parse(text);
    let id = world.give(&request, &flow);
    let (challenge, stateless) = world.answers.remove(&id).unwrap();
    // It answers with the branch of the first try: only because that is forgotten it is a new request.
    assert!(challenge.status == 401 && stateless);
    let mut request = purple(request, &challenge);
    request.headers.set(HeaderName::CSeq, "6 SUBSCRIBE");
    let answer = world.ask(&request, &flow);
    assert_eq!(answer.status, 200);
    let notify = world.one();
    assert_eq!(
        notify.header(&HeaderName::To),
        "<sip:ann@192.0.2.1>;epid=1234567890;tag=6275334369"
    );
    // Its answers echo the request.
    let mut echo = Response::for_request(&notify.request, 200);
    for field in &notify.request.headers {
        echo.headers.push(field.name.clone(), field.bytes().clone());
    }
    world.reply_with(&notify, echo);
    assert_eq!(world.bridge.subscription_count(), 1);
    world.pass(Duration::from_secs(5));
    world
        .model
        .present(&bob(), Some(presence::Show::Dnd), "busy");
    world.changed(&bob());
    assert!(world.notified().1.contains("<rpid:busy/>"));
    // Such a nonce is good for one request.
    let mut again = parse(&text.replace("F874", "F875").replace("9EB4", "9EB5"));
    again = purple(again, &challenge);
    assert_eq!(world.ask(&again, &flow).status, 401);
    // Where that is not wanted it is refused.
    let mut strict = World::with(|c| c.digest_legacy = false);
    let challenge = strict.ask(&parse(text), &flow);
    let request = purple(parse(text), &challenge);
    assert_eq!(strict.ask(&request, &flow).status, 401);
}

/// A phone that is refused its voice mail asks again a thousand times a second: it is not refused.
#[test]
fn baresip_asks_for_voice_mail() {
    let mut world = world();
    let answer = ask(
        &mut world,
        &format!(
            "SUBSCRIBE sip:ann@192.0.2.1:5070 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5071;branch=z9hG4bKdef5;rport\r\n\
             Contact: <sip:ann-0x560ded77cd00@192.0.2.7:5071>\r\nTo: <sip:ann@192.0.2.1:5070>\r\n\
             From: <sip:ann@192.0.2.1:5070>;tag=c276\r\nCall-ID: 3747\r\nCSeq: 39022 SUBSCRIBE\r\n{BARESIP}\
             Event: message-summary\r\nExpires: 600\r\nAccept: application/simple-message-summary\r\nContent-Length: 0\r\n\r\n"
        ),
    );
    assert_eq!(answer.status, 200);
    assert!(world.notified().1.starts_with("Messages-Waiting: no\r\n"));
}
