//! REGISTER.

use std::time::Duration;

use sip::{HeaderName, Response};

use super::*;

fn register(world: &mut World, phone: &mut Phone, extra: &str) -> Response {
    let lines = format!(
        "Call-ID: reg-{}\r\nTo: <sip:ann@office.example>\r\n{extra}",
        phone.name
    );
    let request = phone.raw("REGISTER", "sip:office.example", &lines, "");
    phone.send(world, request)
}

fn contacts(answer: &Response) -> Vec<String> {
    answer
        .headers
        .all(&HeaderName::Contact)
        .map(str::to_owned)
        .collect()
}

#[test]
fn bindings_come_go_and_are_listed() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    let answer = register(
        &mut world,
        &mut phone,
        "Contact: <sip:ann@10.0.0.1;x=y>;q=0.5;+sip.instance=\"<urn:uuid:1>\", <sip:ann@10.0.0.2>;expires=100\r\nExpires: 600\r\n",
    );
    assert_eq!(
        contacts(&answer),
        [
            "<sip:ann@10.0.0.1;x=y>;q=0.500;+sip.instance=\"<urn:uuid:1>\";expires=600",
            "<sip:ann@10.0.0.2>;expires=100",
        ]
    );
    assert!(answer.headers.date().unwrap().is_some());
    world.pass(Duration::from_secs(40));
    // A query lists what is left.
    let answer = register(&mut world, &mut phone, "");
    assert!(contacts(&answer)[1].ends_with("expires=60"));
    let answer = register(
        &mut world,
        &mut phone,
        "Contact: <sip:ann@10.0.0.2>\r\nExpires: 0\r\n",
    );
    assert_eq!(contacts(&answer).len(), 1);
    let answer = register(&mut world, &mut phone, "Contact: *\r\nExpires: 0\r\n");
    assert_eq!((answer.status, contacts(&answer).len()), (200, 0));
}

#[test]
fn lifetimes_and_defaults() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    let answer = register(&mut world, &mut phone, "Contact: <sip:ann@10.0.0.1>\r\n");
    assert!(contacts(&answer)[0].ends_with("expires=3600"));
    let answer = register(
        &mut world,
        &mut phone,
        "Contact: <sip:ann@10.0.0.1>;expires=9999999\r\n",
    );
    assert!(contacts(&answer)[0].ends_with("expires=86400"));
    let answer = register(
        &mut world,
        &mut phone,
        "Contact: <sip:ann@10.0.0.1>\r\nExpires: 5\r\n",
    );
    assert_eq!(
        (answer.status, answer.headers.min_expires().unwrap()),
        (423, Some(60))
    );
}

#[test]
fn what_is_kept_of_a_phone() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    let mut takes = |extra: &str| {
        let lines = format!(
            "Supported: path\r\nPath: <sip:p1.example;lr>, <sip:p2.example;lr>\r\nUser-Agent: Tester\r\n{extra}"
        );
        let answer = register(&mut world, &mut phone, &lines);
        assert_eq!(
            answer.headers.get(&HeaderName::Path),
            Some("<sip:p1.example;lr>, <sip:p2.example;lr>")
        );
        let binding = world.model.bindings[&ann()].last().unwrap().clone();
        assert_eq!(binding.path.len(), 2);
        assert_eq!(
            (binding.user_agent.as_deref(), &*binding.flow),
            (Some("Tester"), "udp:192.0.2.3:5060")
        );
        binding.takes_message
    };
    assert!(takes("Contact: <sip:ann@10.0.0.1>\r\n"));
    assert!(takes(
        "Contact: <sip:ann@10.0.0.1>\r\nAllow: INVITE,MESSAGE\r\n"
    ));
    assert!(!takes("Contact: <sip:ann@10.0.0.1>\r\nAllow: INVITE\r\n"));
    assert!(takes(
        "Contact: <sip:ann@10.0.0.1>;methods=\"MESSAGE, NOTIFY\"\r\nAllow: INVITE\r\n"
    ));
    assert!(!takes("Contact: <sip:ann@10.0.0.1>;methods=\"NOTIFY\"\r\n"));
    assert!(!takes("Contact: <tel:+49>\r\n"));
}

#[test]
fn an_extension_registers_for_its_account() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    world
        .model
        .aliases
        .insert("101@office.example".to_owned(), ann());
    let lines = "Call-ID: 1\r\nTo: <sip:101@192.0.2.1>\r\nContact: <sip:101@10.0.0.1>\r\n";
    let mut request = phone.raw("REGISTER", "sip:192.0.2.1", lines, "");
    request
        .headers
        .set(HeaderName::From, "<sip:101@192.0.2.1>;tag=1");
    assert_eq!(phone.send(&mut world, request).status, 200);
    assert_eq!(world.model.bindings[&ann()].len(), 1);
}
