//! Digest and who From may be.

use std::time::Duration;

use sip::HeaderName;
use sip::digest::Algorithm;

use super::*;

#[test]
fn a_challenge_is_answered_and_used_again() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    let request = phone.request(
        "MESSAGE",
        "sip:bob@office.example",
        "Content-Type: text/plain\r\n",
        "x",
    );
    let flow = phone.flow.clone();
    let id = world.give(&request, &flow);
    let (challenge, stateless) = world.answers.remove(&id).unwrap();
    assert!(challenge.status == 401 && stateless);
    assert!(
        challenge
            .headers
            .get(&HeaderName::WwwAuthenticate)
            .unwrap()
            .contains("realm=\"office.example\"")
    );
    for _ in 0..3 {
        let answer = phone.ask(
            &mut world,
            "MESSAGE",
            "sip:bob@office.example",
            "Content-Type: text/plain\r\n",
            "x",
        );
        assert_eq!(answer.status, 200);
    }
    // One challenge, three answers.
    assert!(world.model.failures.is_empty());
    world.pass(Duration::from_secs(400));
    assert_eq!(
        phone
            .ask(
                &mut world,
                "MESSAGE",
                "sip:bob@office.example",
                "Content-Type: text/plain\r\n",
                "x"
            )
            .status,
        200
    );
}

#[test]
fn several_algorithms_the_strongest_first() {
    let mut world = World::with(|c| c.digest = vec![Algorithm::Sha256, Algorithm::Md5]);
    let mut phone = Phone::new("ann");
    let request = phone.request("REGISTER", "sip:office.example", "", "");
    let flow = phone.flow.clone();
    let answer = world.ask(&request, &flow);
    let names: Vec<String> = answer
        .headers
        .challenges()
        .map(|c| c.unwrap().get("algorithm").unwrap().into_owned())
        .collect();
    assert_eq!(names, ["SHA-256", "MD5"]);
    assert_eq!(
        phone
            .ask(
                &mut world,
                "MESSAGE",
                "sip:bob@office.example",
                "Content-Type: text/plain\r\n",
                "x"
            )
            .status,
        200
    );
}

#[test]
fn each_domain_is_its_realm() {
    let mut world = World::new();
    let mut phone = Phone::new("ann");
    let mut request = phone.request("MESSAGE", "sip:bob@office.example", "", "");
    let flow = phone.flow.clone();
    for (from, realm) in [
        ("sip:x@b.example", "b.example"),
        ("sip:x@192.0.2.1", "office.example"),
        ("sip:x@far.example", "office.example"),
    ] {
        request
            .headers
            .set(HeaderName::From, format!("<{from}>;tag=1"));
        let answer = world.ask(&request, &flow);
        let challenge = answer.headers.challenges().next().unwrap().unwrap();
        assert_eq!(challenge.get("realm").as_deref(), Some(realm));
    }
}

#[test]
fn without_authentication_from_is_believed_if_it_is_somebody() {
    let mut world = World::with(|c| c.require_auth = false);
    let mut phone = Phone::new("ann");
    assert_eq!(
        phone
            .ask(
                &mut world,
                "MESSAGE",
                "sip:bob@office.example",
                "Content-Type: text/plain\r\n",
                "x"
            )
            .status,
        200
    );
    let mut request = phone.request(
        "MESSAGE",
        "sip:bob@office.example",
        "Content-Type: text/plain\r\n",
        "x",
    );
    request
        .headers
        .set(HeaderName::From, "<sip:zoe@office.example>;tag=1");
    assert_eq!(world.ask(&request, &phone.flow.clone()).status, 403);
    assert!(world.model.failures.is_empty());
}

#[test]
fn a_model_that_answers_amiss_is_a_fault_of_ours() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    phone.subscribe(&mut world, "sip:ann@office.example", "");
    world.notified();
    let request = phone.request(
        "MESSAGE",
        "sip:zoe@office.example",
        "Content-Type: text/plain\r\n",
        "x",
    );
    let request = phone.raw_with_session(request);
    let flow = phone.flow.clone();
    world.bridge.handle_request(world.now, 900, request, &flow);
    while let Some(output) = world.bridge.poll_output() {
        match output {
            crate::Output::Act(token, crate::Action::Credentials { .. }) => {
                world
                    .bridge
                    .handle_answer(world.now, token, crate::Answer::Kept(Ok(())));
            }
            crate::Output::Respond(id, response) => assert_eq!((id, response.status), (900, 500)),
            other => panic!("{other:?}"),
        }
    }
}
