//! Walks the table of answers with a real request each, and compares the page in docs.

use sip::{HeaderName, Request, Response};

use presence::Refusal;

use super::*;
use crate::answers::{ANSWERS, page};

const BOB: &str = "sip:bob@office.example";
const ANN: &str = "sip:ann@office.example";
const DOMAIN: &str = "sip:office.example";
const CONTACT: &str = "Contact: <sip:ann@10.0.0.1>\r\n";
const WATCH: &str = "Contact: <sip:ann@10.0.0.1>\r\nEvent: presence\r\n";
const EVENT: &str = "Event: presence\r\n";
const PIDF: &str = "Event: presence\r\nContent-Type: application/pidf+xml\r\n";
const TEXT: &str = "Content-Type: text/plain\r\n";
const IN_DIALOG: &str = "Call-ID: 1\r\nTo: <sip:bob@office.example>;tag=none\r\n";

pub(super) fn document(entity: &str) -> String {
    format!(
        "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"{entity}\"><tuple id=\"t1\"><status><basic>open</basic></status></tuple></presence>"
    )
}

/// What answers a request in the case of a row.
struct Case {
    world: World,
    phone: Phone,
}

impl Case {
    fn new() -> Self {
        Self {
            world: World::new(),
            phone: Phone::new("ann"),
        }
    }

    fn with(change: impl FnOnce(&mut crate::Config)) -> Self {
        Self {
            world: World::with(change),
            phone: Phone::new("ann"),
        }
    }

    fn refusing(refusal: Refusal) -> Self {
        let mut case = Self::new();
        case.world.model.refuse = Some(refusal);
        case
    }

    fn ask(&mut self, method: &str, uri: &str, extra: &str, body: &str) -> Response {
        self.phone.ask(&mut self.world, method, uri, extra, body)
    }

    fn raw(&mut self, method: &str, uri: &str, extra: &str) -> Response {
        let request = self.phone.raw(method, uri, extra, "");
        self.phone.send(&mut self.world, request)
    }

    /// As it is, without credentials.
    fn plain(&mut self, request: &Request) -> Response {
        let flow = self.phone.flow.clone();
        self.world.ask(request, &flow)
    }

    fn altered(
        &mut self,
        method: &str,
        uri: &str,
        extra: &str,
        name: HeaderName,
        value: &str,
    ) -> Response {
        let mut request = self.phone.request(method, uri, extra, "");
        request.headers.set(name, value.to_owned());
        self.phone.send(&mut self.world, request)
    }

    /// With credentials that were changed.
    fn credentials(&mut self, change: impl Fn(String) -> String) -> Response {
        let challenge = {
            let request = self.phone.request("REGISTER", DOMAIN, "", "");
            let mut request = request;
            request.headers.set(HeaderName::To, format!("<{ANN}>"));
            self.plain(&request)
        };
        let challenge = challenge.headers.challenges().next().unwrap().unwrap();
        let mut session = sip::digest::DigestSession::new(&challenge, "ann", "secret").unwrap();
        let mut request = self.phone.request("REGISTER", DOMAIN, "", "");
        request.headers.set(HeaderName::To, format!("<{ANN}>"));
        let value = session.authorize(&request.method, &request.uri, &[], "c");
        request
            .headers
            .set(HeaderName::Authorization, change(value));
        self.plain(&request)
    }

    fn register(&mut self, extra: &str) -> Response {
        let lines = format!("Call-ID: r\r\nTo: <{ANN}>\r\n{extra}");
        self.raw("REGISTER", DOMAIN, &lines)
    }

    fn again(&mut self, number: u32, who: &'static str) -> Response {
        let first = self.phone.subscribe(&mut self.world, BOB, "");
        let to = first.headers.get(&HeaderName::To).unwrap();
        let lines = format!(
            "{WATCH}Call-ID: {}\r\nTo: {to}\r\n",
            first.headers.call_id().unwrap()
        );
        let mut other = Phone::new(who);
        let mut request = other.raw("SUBSCRIBE", DOMAIN, &lines, "");
        request
            .headers
            .set(HeaderName::CSeq, format!("{number} SUBSCRIBE"));
        request.headers.set(
            HeaderName::From,
            format!("<sip:{who}@office.example>;tag=ann-tag"),
        );
        other.send(&mut self.world, request)
    }
}

fn answer(method: &str, condition: &str) -> Response {
    let mut case = Case::new();
    match (method, condition) {
        ("any", "more requests wait for the model than the limit") => {
            Case::with(|c| c.bounds.waiting = 0).ask("OPTIONS", DOMAIN, "", "")
        }
        ("CANCEL", _) => case.ask("CANCEL", DOMAIN, "", ""),
        ("NOTIFY", _) => case.ask(
            "NOTIFY",
            ANN,
            "Event: presence\r\nSubscription-State: active\r\nRequire: x\r\n",
            "",
        ),
        ("any", "unknown method") => case.ask("DANCE", DOMAIN, "", ""),
        ("any", "INVITE, BYE, INFO, UPDATE, REFER, PRACK") => {
            for method in ["BYE", "INFO", "UPDATE", "REFER", "PRACK"] {
                assert_eq!(case.ask(method, BOB, "", "").status, 405);
            }
            case.ask("INVITE", BOB, CONTACT, "")
        }
        ("any", "Request-URI is neither sip nor sips") => {
            case.ask("MESSAGE", "tel:+4930", TEXT, "x")
        }
        ("any", "an extension in Require is not known") => case.ask(
            "SUBSCRIBE",
            BOB,
            "Require: recipient-list-subscribe\r\n",
            "",
        ),
        ("any", "the body has an encoding") => case.ask(
            "MESSAGE",
            BOB,
            "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n",
            "x",
        ),
        ("any", "the body has a type that the method does not take") => {
            assert_eq!(
                case.ask(
                    "PUBLISH",
                    ANN,
                    "Event: presence\r\nContent-Type: text/plain\r\n",
                    "x"
                )
                .status,
                415
            );
            case.ask("MESSAGE", BOB, "Content-Type: message/cpim\r\n", "x")
        }
        ("any", "the body has no Content-Type") => case.ask("MESSAGE", BOB, "", "x"),
        ("any", "Request-URI is sips and the request did not come over TLS") => {
            case.ask("OPTIONS", "sips:office.example", "", "")
        }
        ("any", "the request is one of our own that was sent back") => {
            let tag = case.world.bridge.random.own_token();
            case.altered(
                "MESSAGE",
                BOB,
                TEXT,
                HeaderName::From,
                &format!("<{ANN}>;tag={tag}"),
            )
        }
        ("*", "no credentials for the domain of From") => {
            for method in ["PUBLISH", "SUBSCRIBE", "MESSAGE"] {
                let request = case.phone.request(method, BOB, "", "");
                assert_eq!(case.plain(&request).status, 401);
            }
            let request = case.phone.request("REGISTER", DOMAIN, "", "");
            case.plain(&request)
        }
        ("*", "the password is wrong, or there is no such user") => {
            let wrong = case.credentials(|c| c.replace("username=\"ann\"", "username=\"bob\""));
            let none = case.credentials(|c| c.replace("username=\"ann\"", "username=\"zoe\""));
            assert_eq!(
                (wrong.status, case.world.model.failures.len()),
                (none.status, 2)
            );
            none
        }
        ("*", "the nonce is too old or used up") => {
            let register = |case: &mut Case| {
                let lines = format!("Call-ID: r\r\nTo: <{ANN}>\r\n");
                case.phone.raw("REGISTER", DOMAIN, &lines, "")
            };
            let request = register(&mut case);
            assert_eq!(case.phone.send(&mut case.world, request).status, 200);
            case.world.pass(std::time::Duration::from_secs(301));
            let request = register(&mut case);
            let stale = case.phone.raw_with_session(request);
            let answer = case.plain(&stale);
            assert!(
                answer
                    .headers
                    .challenges()
                    .next()
                    .unwrap()
                    .unwrap()
                    .is_stale()
            );
            answer
        }
        ("*", "the credentials cannot be read") => {
            case.credentials(|c| c.replace("nonce=", "nonces="))
        }
        ("*", "too many failed attempts from there") => {
            case.world.model.too_many = true;
            case.register("")
        }
        ("*", "From names nobody") => case.altered(
            "PUBLISH",
            ANN,
            PIDF,
            HeaderName::From,
            "<sip:office.example>;tag=1",
        ),
        ("*", "From leads to another account than the credentials") => case.altered(
            "PUBLISH",
            BOB,
            PIDF,
            HeaderName::From,
            "<sip:bob@office.example>;tag=1",
        ),
        ("*", "the target's domain is not served here") => {
            case.ask("MESSAGE", "sip:eve@far.example", TEXT, "x")
        }
        ("*", "the target's domain is not served here and Max-Forwards is 0") => case.ask(
            "MESSAGE",
            "sip:eve@far.example",
            "Content-Type: text/plain\r\nMax-Forwards: 0\r\n",
            "x",
        ),
        ("*", "there is no such user") => {
            assert_eq!(
                case.ask("MESSAGE", "sip:zoe@office.example", TEXT, "x")
                    .status,
                404
            );
            case.phone
                .subscribe(&mut case.world, "sip:zoe@b.example", "")
        }
        ("*", "a limit of the account is reached") => {
            Case::refusing(Refusal::Limit("registrations_per_account")).register(CONTACT)
        }
        ("*", "the account is disabled") => Case::refusing(Refusal::Disabled).register(CONTACT),
        ("*", "the account has blocked the target") => {
            Case::refusing(Refusal::Blocked).register(CONTACT)
        }
        ("*", "the store is overloaded") => Case::refusing(Refusal::Overloaded).register(CONTACT),
        ("*", "the store failed") => Case::refusing(Refusal::Fault).register(CONTACT),
        ("REGISTER", "To is not a SIP URI") => {
            case.altered("REGISTER", DOMAIN, "", HeaderName::To, "<tel:+49>")
        }
        ("REGISTER", "To is somebody else") => case.altered(
            "REGISTER",
            DOMAIN,
            "",
            HeaderName::To,
            "<sip:bob@office.example>",
        ),
        ("REGISTER", "the domain of the Request-URI is not served here") => case.altered(
            "REGISTER",
            "sip:far.example",
            "",
            HeaderName::To,
            "<sip:ann@office.example>",
        ),
        ("REGISTER", "Contact cannot be read") => case.altered_register("*, <sip:a@b>"),
        ("REGISTER", "Contact is * and Expires is not 0") => {
            case.register("Contact: *\r\nExpires: 60\r\n")
        }
        ("REGISTER", "more contacts than 16") => {
            let many: Vec<String> = (0..17).map(|n| format!("<sip:ann@10.0.0.{n}>")).collect();
            let many = format!("Contact: {}\r\n", many.join(", "));
            case.register(&many)
        }
        ("REGISTER", "a lifetime is too short") => {
            case.register("Contact: <sip:ann@10.0.0.1>;expires=59\r\n")
        }
        ("REGISTER", "Path without Supported: path") => {
            case.register("Contact: <sip:ann@10.0.0.1>\r\nPath: <sip:p.example;lr>\r\n")
        }
        ("REGISTER", "CSeq is not above the last one of its Call-ID") => {
            assert_eq!(case.register(CONTACT).status, 200);
            let lines = format!("Call-ID: r\r\nTo: <{ANN}>\r\n{CONTACT}");
            let mut request = case.phone.raw("REGISTER", DOMAIN, &lines, "");
            request.headers.set(HeaderName::CSeq, "1 REGISTER");
            case.phone.send(&mut case.world, request)
        }
        ("REGISTER", _) => case.register(CONTACT),
        ("PUBLISH", "the Request-URI is somebody else") => {
            case.ask("PUBLISH", BOB, PIDF, &document(BOB))
        }
        ("PUBLISH", "Event is missing or another than presence") => {
            assert_eq!(
                case.ask("PUBLISH", ANN, "Event: dialog\r\n", "").status,
                489
            );
            case.ask("PUBLISH", ANN, "", "")
        }
        ("PUBLISH", "more than one SIP-If-Match") => {
            let mut request = case.phone.request("PUBLISH", ANN, EVENT, "");
            request.headers.push(HeaderName::SipIfMatch, "a");
            request.headers.push(HeaderName::SipIfMatch, "b");
            case.phone.send(&mut case.world, request)
        }
        ("PUBLISH", "SIP-If-Match is no token") => {
            case.altered("PUBLISH", ANN, EVENT, HeaderName::SipIfMatch, "a, b")
        }
        ("PUBLISH", "Expires cannot be read") => {
            case.altered("PUBLISH", ANN, EVENT, HeaderName::Expires, "soon")
        }
        ("PUBLISH", "the lifetime is too short") => {
            case.ask("PUBLISH", ANN, "Event: presence\r\nExpires: 59\r\n", "")
        }
        ("PUBLISH", "neither body nor SIP-If-Match") => case.ask("PUBLISH", ANN, PIDF, ""),
        ("PUBLISH", "the document is not well-formed, too large or not PIDF") => {
            assert_eq!(case.ask("PUBLISH", ANN, PIDF, "<presence>").status, 400);
            let mut large = case.phone.request("PUBLISH", ANN, PIDF, "x");
            large.body = vec![b' '; 300_000].into();
            assert_eq!(case.phone.send(&mut case.world, large).status, 400);
            case.ask("PUBLISH", ANN, PIDF, "<a/>")
        }
        ("PUBLISH", "the entity of the document cannot be read") => {
            case.ask("PUBLISH", ANN, PIDF, &document("ann"))
        }
        ("PUBLISH", "the entity of the document is somebody else") => {
            case.ask("PUBLISH", ANN, PIDF, &document("pres:bob@office.example"))
        }
        ("PUBLISH", "no publication has this entity tag") => {
            case.ask("PUBLISH", ANN, "Event: presence\r\nSIP-If-Match: x\r\n", "")
        }
        ("PUBLISH", _) => case.ask("PUBLISH", ANN, PIDF, &document(ANN)),
        ("SUBSCRIBE", "Event is missing or not known") => {
            assert_eq!(
                case.ask(
                    "SUBSCRIBE",
                    BOB,
                    "Contact: <sip:ann@10.0.0.1>\r\nEvent: dialog\r\n",
                    ""
                )
                .status,
                489
            );
            case.ask("SUBSCRIBE", BOB, CONTACT, "")
        }
        ("SUBSCRIBE", "Accept does not have the type of the package") => {
            case.phone
                .subscribe(&mut case.world, BOB, "Accept: application/xpidf+xml\r\n")
        }
        ("SUBSCRIBE", "Expires cannot be read") => {
            case.altered("SUBSCRIBE", BOB, WATCH, HeaderName::Expires, "soon")
        }
        ("SUBSCRIBE", "the lifetime is too short") => {
            case.phone
                .subscribe(&mut case.world, BOB, "Expires: 59\r\n")
        }
        ("SUBSCRIBE", "not exactly one Contact with a SIP URI") => {
            assert_eq!(case.ask("SUBSCRIBE", BOB, EVENT, "").status, 400);
            assert_eq!(
                case.ask(
                    "SUBSCRIBE",
                    BOB,
                    "Event: presence\r\nContact: <tel:+49>\r\n",
                    ""
                )
                .status,
                400
            );
            case.phone.subscribe(&mut case.world, BOB, CONTACT)
        }
        ("SUBSCRIBE", "message-summary of somebody else") => case.ask(
            "SUBSCRIBE",
            BOB,
            "Contact: <sip:ann@10.0.0.1>\r\nEvent: message-summary\r\n",
            "",
        ),
        ("SUBSCRIBE", "more subscriptions than the limit") => {
            let mut case = Case::with(|c| c.bounds.subscriptions = 0);
            case.phone.subscribe(&mut case.world, BOB, "")
        }
        ("SUBSCRIBE", "the presentity denies or blocks the watcher") => {
            case.world
                .model
                .decisions
                .insert((ann(), bob()), Decision::Deny);
            case.phone.subscribe(&mut case.world, BOB, "")
        }
        ("SUBSCRIBE", "in a dialog that does not exist, or of another event") => {
            case.raw("SUBSCRIBE", DOMAIN, &format!("{WATCH}{IN_DIALOG}"))
        }
        ("SUBSCRIBE", "in a dialog of somebody else") => case.again(99, "bob"),
        ("SUBSCRIBE", "in a dialog, with a CSeq below the last one") => {
            case.phone.subscribe(&mut case.world, ANN, "");
            case.again(1, "ann")
        }
        ("SUBSCRIBE", _) => case.phone.subscribe(&mut case.world, BOB, ""),
        ("MESSAGE" | "OPTIONS", "in a dialog") => case.raw(method, BOB, IN_DIALOG),
        ("MESSAGE", "no body") => case.ask("MESSAGE", BOB, TEXT, ""),
        ("MESSAGE", "the text is not in its character set") => {
            let mut request = case.phone.request("MESSAGE", BOB, TEXT, "x");
            request.body = vec![0xff].into();
            case.phone.send(&mut case.world, request)
        }
        ("MESSAGE", "a character set that is not known") => case.ask(
            "MESSAGE",
            BOB,
            "Content-Type: text/plain;charset=koi8-r\r\n",
            "x",
        ),
        ("MESSAGE", condition) => {
            let composing = condition.contains("typing");
            case.world.model.sent = match condition {
                "nobody takes it, and it cannot be stored; or the sender is blocked" => {
                    Some(Err(Refusal::Unavailable))
                }
                "stored" => Some(Ok(crate::Sent::Stored)),
                _ => None,
            };
            let kind = if composing {
                "application/im-iscomposing+xml"
            } else {
                "text/plain"
            };
            let answer = case.ask("MESSAGE", BOB, &format!("Content-Type: {kind}\r\n"), "x");
            assert_eq!(case.world.model.messages.is_empty(), composing);
            answer
        }
        ("OPTIONS", "the domain is not served here") => {
            case.ask("OPTIONS", "sip:far.example", "", "")
        }
        ("OPTIONS", "the domain is not served here and Max-Forwards is 0") => {
            case.ask("OPTIONS", "sip:far.example", "Max-Forwards: 0\r\n", "")
        }
        ("OPTIONS", _) => case.ask("OPTIONS", DOMAIN, "Max-Forwards: 0\r\n", ""),
        other => panic!("no request for {other:?}"),
    }
}

impl Case {
    fn altered_register(&mut self, contact: &str) -> Response {
        let mut request = self.phone.raw(
            "REGISTER",
            DOMAIN,
            &format!("Call-ID: r\r\nTo: <{ANN}>\r\n"),
            "",
        );
        request.headers.set(HeaderName::Contact, contact.to_owned());
        self.phone.send(&mut self.world, request)
    }
}

#[test]
fn every_row_is_true() {
    for row in ANSWERS {
        if row.status == 0 {
            let mut case = Case::new();
            let ack = case.phone.request("ACK", BOB, "", "");
            let flow = case.phone.flow.clone();
            let id = case.world.give(&ack, &flow);
            assert!(case.world.answer_to(id).is_none());
            continue;
        }
        let answer = answer(row.method, row.condition);
        assert_eq!(
            answer.status,
            row.status,
            "{} {}: {}",
            row.method,
            row.condition,
            answer.reason_text()
        );
        for field in row.fields {
            let name = HeaderName::from_token(field).unwrap();
            assert!(
                answer.headers.contains(&name),
                "{field}: {} {}",
                row.method,
                row.condition
            );
        }
        assert!(answer.to_tag().is_some());
    }
}

#[test]
fn the_page_is_printed_from_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sip-answers.md");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let page = page();
    if written != page {
        std::fs::write(path, &page).unwrap();
        panic!("docs/sip-answers.md was not what the table says; it is written anew, look at it");
    }
}
