//! SUBSCRIBE: how subscriptions begin, go on and end.

use std::time::Duration;

use presence::Refusal;
use sip::HeaderName;

use super::*;

#[test]
fn a_phone_sees_its_colleague_come_and_go() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    let answer = phone.subscribe(&mut world, "sip:bob@office.example", "Expires: 600\r\n");
    assert_eq!(answer.status, 200);
    let granted = answer.headers.expires().unwrap().unwrap();
    assert!((540..=600).contains(&granted));
    assert_eq!(
        answer.headers.get(&HeaderName::Contact),
        Some("<sip:office.example>")
    );
    let first = world.one();
    assert_eq!(first.header(&HeaderName::Event), "presence");
    assert_eq!(
        first.header(&HeaderName::ContentType),
        "application/pidf+xml"
    );
    assert_eq!(
        first.header(&HeaderName::CallId),
        answer.headers.call_id().unwrap()
    );
    assert_eq!(
        first.header(&HeaderName::From),
        answer.headers.get(&HeaderName::To).unwrap()
    );
    assert_eq!(
        first.header(&HeaderName::To),
        "<sip:ann@office.example>;tag=ann-tag"
    );
    assert_eq!(first.request.uri.as_str(), "sip:ann@10.0.0.1:5060");
    assert_eq!((first.cseq(), first.state().expires()), (1, Some(granted)));
    let (state, body) = first.told();
    assert_eq!(state, "active");
    assert!(
        body.contains("entity=\"sip:bob@office.example\"")
            && body.contains("<basic>closed</basic>"),
        "{body}"
    );
    world.reply(&first, 200);
    world.pass(Duration::from_secs(100));
    world.none();
    world
        .model
        .present(&bob(), Some(presence::Show::Away), "lunch");
    world.changed(&bob());
    let second = world.one();
    let (state, body) = second.told();
    assert_eq!((state.as_str(), second.cseq()), ("active", 2));
    assert_eq!(second.state().expires(), Some(granted - 100));
    assert!(
        body.contains("<rpid:away/>") && body.contains(">lunch<"),
        "{body}"
    );
    world.reply(&second, 200);
    world.pass(Duration::from_secs(2));
    world.model.absent(&bob());
    world.changed(&bob());
    assert!(world.notified().1.contains("<basic>closed</basic>"));
}

#[test]
fn a_refresh_is_told_the_same_again() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    let first = phone.subscribe(&mut world, "sip:bob@office.example", "");
    let before = world.notified();
    world.pass(Duration::from_secs(1000));
    let again = phone.again(&mut world, &first, "Expires: 600\r\n");
    assert_eq!(again.status, 200);
    assert_eq!(world.notified(), before);
    // It lives as long as the last refresh says, and a little longer.
    world.pass(Duration::from_secs(
        again.headers.expires().unwrap().unwrap().into(),
    ));
    world.none();
    assert_eq!(world.bridge.subscription_count(), 1);
    world.pass(Duration::from_secs(9));
    assert_eq!(world.notified().0, "terminated;timeout");
    assert_eq!(
        (world.bridge.subscription_count(), world.model.watches.len()),
        (0, 0)
    );
    assert!(world.bridge.subscriptions.is_clean());
    assert_eq!(
        phone.again(&mut world, &first, "Expires: 600\r\n").status,
        481
    );
}

#[test]
fn it_ends_when_the_phone_says_so() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    world.model.present(&bob(), None, "here");
    let first = phone.subscribe(&mut world, "sip:bob@office.example", "");
    world.notified();
    let end = phone.again(&mut world, &first, "Expires: 0\r\n");
    assert_eq!((end.status, end.headers.expires().unwrap()), (200, Some(0)));
    let (state, body) = world.notified();
    assert_eq!(state, "terminated;timeout");
    assert!(body.contains(">here<"));
    assert!(world.model.watches.is_empty() && world.bridge.subscriptions.is_clean());
    assert_eq!(world.bridge.poll_timeout(), None);
}

#[test]
fn a_fetch_looks_once() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    let answer = phone.subscribe(&mut world, "sip:bob@office.example", "Expires: 0\r\n");
    assert_eq!(
        (answer.status, answer.headers.expires().unwrap()),
        (200, Some(0))
    );
    let (state, body) = world.notified();
    assert_eq!(state, "terminated;timeout");
    assert!(body.contains("<basic>closed</basic>"));
    assert_eq!(world.bridge.subscription_count(), 0);
    // What may not be seen is not shown, and who is denied is told.
    world
        .model
        .decisions
        .insert((ann(), bob()), Decision::Pending);
    phone.subscribe(&mut world, "sip:bob@office.example", "Expires: 0\r\n");
    assert_eq!(
        world.notified(),
        ("terminated;timeout".to_owned(), String::new())
    );
    world.model.decisions.insert((ann(), bob()), Decision::Deny);
    assert_eq!(
        phone
            .subscribe(&mut world, "sip:bob@office.example", "Expires: 0\r\n")
            .status,
        403
    );
    world.none();
}

#[test]
fn pending_then_approved_then_withdrawn() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    world.model.present(&bob(), None, "here");
    world
        .model
        .decisions
        .insert((ann(), bob()), Decision::Pending);
    let first = phone.subscribe(&mut world, "sip:bob@office.example", "");
    assert_eq!(first.status, 200);
    assert_eq!(world.notified(), ("pending".to_owned(), String::new()));
    // Bob's changes are nothing that ann is told.
    world.pass(Duration::from_secs(5));
    world.model.present(&bob(), None, "there");
    world.changed(&bob());
    world.none();
    world
        .model
        .decisions
        .insert((ann(), bob()), Decision::Allow);
    world.changed(&bob());
    let (state, body) = world.notified();
    assert!(state == "active" && body.contains(">there<"));
    world.pass(Duration::from_secs(5));
    world
        .model
        .decisions
        .insert((ann(), bob()), Decision::Pending);
    world.changed(&bob());
    assert_eq!(
        world.notified(),
        ("terminated;rejected".to_owned(), String::new())
    );
    assert!(world.model.watches.is_empty() && world.bridge.subscriptions.is_clean());
    assert_eq!(phone.again(&mut world, &first, "").status, 481);
}

#[test]
fn denied_at_once_and_denied_later() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    world.model.decisions.insert((ann(), bob()), Decision::Deny);
    assert_eq!(
        phone
            .subscribe(&mut world, "sip:bob@office.example", "")
            .status,
        403
    );
    world.none();
    assert!(world.model.watches.is_empty() && world.bridge.subscriptions.is_clean());
    world
        .model
        .decisions
        .insert((ann(), bob()), Decision::Pending);
    phone.subscribe(&mut world, "sip:bob@office.example", "");
    world.notified();
    world.model.decisions.insert((ann(), bob()), Decision::Deny);
    world.changed(&bob());
    assert_eq!(world.notified().0, "terminated;rejected");
}

#[test]
fn a_phone_that_was_started_anew_replaces_its_subscription() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    for _ in 0..3 {
        phone.subscribe(&mut world, "sip:bob@office.example", "");
        world.notified();
    }
    assert_eq!(
        (world.bridge.subscription_count(), world.model.watches.len()),
        (1, 1)
    );
    // Another event id or another device is another subscription.
    let other = "Contact: <sip:ann@10.0.0.9>\r\nEvent: presence\r\n";
    phone.ask(&mut world, "SUBSCRIBE", "sip:bob@office.example", other, "");
    world.notified();
    let id = "Contact: <sip:ann@10.0.0.1:5060>\r\nEvent: presence;id=7;x=y\r\n";
    phone.ask(&mut world, "SUBSCRIBE", "sip:bob@office.example", id, "");
    let notify = world.one();
    assert_eq!(notify.header(&HeaderName::Event), "presence;id=7");
    assert_eq!(world.bridge.subscription_count(), 3);
}

#[test]
fn a_dialog_belongs_to_who_made_it() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    let first = phone.subscribe(&mut world, "sip:bob@office.example", "");
    world.notified();
    // Another event in the same dialog is no subscription of it; a number from before comes too late.
    let to = first.headers.get(&HeaderName::To).unwrap().to_owned();
    let call_id = first.headers.call_id().unwrap().to_owned();
    let lines = |event: &str| {
        format!(
            "Contact: <sip:ann@10.0.0.1>\r\nEvent: {event}\r\nCall-ID: {call_id}\r\nTo: {to}\r\n"
        )
    };
    let other = phone.raw(
        "SUBSCRIBE",
        "sip:office.example",
        &lines("presence;id=1"),
        "",
    );
    assert_eq!(phone.send(&mut world, other).status, 481);
    let mut late = phone.raw("SUBSCRIBE", "sip:office.example", &lines("presence"), "");
    late.headers.set(HeaderName::CSeq, "1 SUBSCRIBE");
    let answer = phone.send(&mut world, late);
    assert_eq!(
        (answer.status, answer.headers.get(&HeaderName::RetryAfter)),
        (500, Some("1"))
    );
    // Somebody else who knows the tags.
    let mut thief = Phone::new("bob");
    let mut stolen = thief.raw("SUBSCRIBE", "sip:office.example", &lines("presence"), "");
    stolen
        .headers
        .set(HeaderName::From, "<sip:bob@office.example>;tag=ann-tag");
    assert_eq!(thief.send(&mut world, stolen).status, 403);
    world.none();
}

#[test]
fn message_summary_is_empty_and_ones_own() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    let lines = "Contact: <sip:ann@10.0.0.1>\r\nEvent: message-summary\r\nAccept: application/simple-message-summary\r\n";
    let first = phone.ask(&mut world, "SUBSCRIBE", "sip:ann@office.example", lines, "");
    assert_eq!(first.status, 200);
    let notify = world.one();
    world.reply(&notify, 200);
    assert_eq!(
        notify.header(&HeaderName::ContentType),
        "application/simple-message-summary"
    );
    assert_eq!(
        notify.told(),
        (
            "active".to_owned(),
            "Messages-Waiting: no\r\nMessage-Account: sip:ann@office.example\r\n".to_owned()
        )
    );
    assert!(world.model.watches.is_empty());
    let extra = |world: &mut World, phone: &mut Phone, expires: &str| {
        let to = first.headers.get(&HeaderName::To).unwrap();
        let lines = format!(
            "Contact: <sip:ann@10.0.0.1>\r\nEvent: message-summary\r\nCall-ID: {}\r\nTo: {to}\r\nExpires: {expires}\r\n",
            first.headers.call_id().unwrap()
        );
        let request = phone.raw("SUBSCRIBE", "sip:office.example", &lines, "");
        phone.send(world, request)
    };
    assert_eq!(extra(&mut world, &mut phone, "600").status, 200);
    assert_eq!(world.notified().0, "active");
    assert_eq!(extra(&mut world, &mut phone, "0").status, 200);
    assert_eq!(world.notified().0, "terminated;timeout");
    assert_eq!(extra(&mut world, &mut phone, "600").status, 481);
    assert_eq!(
        phone
            .ask(&mut world, "SUBSCRIBE", "sip:bob@office.example", lines, "")
            .status,
        403
    );
    assert!(world.bridge.subscriptions.is_clean());
}

#[test]
fn names_that_watchers_use() {
    let mut world = World::new();
    world
        .model
        .aliases
        .insert("101@office.example".to_owned(), bob());
    world.model.present(&bob(), None, "here");
    let mut phone = Phone::new("ann");
    for (uri, entity, contact) in [
        (
            "sip:bob@192.0.2.200:5062",
            "sip:bob@192.0.2.200:5062",
            "<sip:192.0.2.200:5062>",
        ),
        (
            "sip:101@192.0.2.200;user=phone",
            "sip:101@192.0.2.200",
            "<sip:192.0.2.200>",
        ),
        (
            "sip:BOB@office.example",
            "sip:BOB@office.example",
            "<sip:office.example>",
        ),
    ] {
        let answer = phone.subscribe(&mut world, uri, "");
        assert_eq!(
            (answer.status, answer.headers.get(&HeaderName::Contact)),
            (200, Some(contact)),
            "{uri}"
        );
        let (_, body) = world.notified();
        assert!(
            body.contains(&format!("entity=\"{entity}\""))
                && body.contains(&format!(">{entity}</contact>")),
            "{body}"
        );
    }
    assert_eq!(
        phone
            .subscribe(&mut world, "sip:nobody@office.example", "")
            .status,
        404
    );
    world.model.refuse = Some(Refusal::Overloaded);
    let busy = phone.subscribe(&mut world, "sip:bob@office.example", "");
    assert_eq!(
        (busy.status, busy.headers.get(&HeaderName::RetryAfter)),
        (503, Some("10"))
    );
}
