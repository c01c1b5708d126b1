//! SUBSCRIBE and NOTIFY (RFC 6665, RFC 3856).

use ::sip::{HeaderName, Message, Method};

use super::Phone;
use super::pidf::simple;
use crate::support::{Server, wait_for};

const ANN: &str = "ann@office.example";
const ASK: &str = "[presence]\nsame_domain = \"ask\"";

#[test]
fn a_subscription_from_its_beginning_to_its_end() {
    let server = Server::start(&["ann", "bob"]);
    for mut bob in [
        Phone::udp(&server, "bob"),
        Phone::tcp(&server, "bob"),
        Phone::tls(&server, "bob"),
    ] {
        let mut watch = bob.subscribe("ann", 600);
        assert!((60..=600).contains(&watch.granted), "{}", watch.granted);
        let first = watch.told(&mut bob);
        assert_eq!(first.state, "active");
        assert!(first.expires.unwrap() <= 600);
        assert_eq!(first.pidf.unwrap().entity, "sip:ann@office.example");
        // Every refresh is told the state, even if nothing has changed.
        assert_eq!(watch.refresh(&mut bob, 300).status, 200);
        assert!(watch.told(&mut bob).expires.unwrap() <= 300);
        assert_eq!(watch.refresh(&mut bob, 0).status, 200);
        let last = watch.told(&mut bob);
        assert_eq!(
            (last.state.as_str(), last.reason.as_deref()),
            ("terminated", Some("timeout"))
        );
        // It is over for both.
        assert_eq!(watch.refresh(&mut bob, 600).status, 481);
    }
}

#[test]
fn a_look_is_one_notify() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Phone::udp(&server, "ann");
    ann.publish(None, Some(&simple(ANN, "desk", "open", "here")), 600);
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 0);
    assert_eq!(watch.granted, 0);
    let told = watch.told(&mut bob);
    assert_eq!(
        (told.state.as_str(), told.reason.as_deref()),
        ("terminated", Some("timeout"))
    );
    assert!(told.pidf.unwrap().has_note("here"));
    bob.nothing("a second NOTIFY", |r| r.method == Method::Notify);
}

#[test]
fn event_ids_keep_two_subscriptions_apart_and_accept_may_be_missing() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Phone::udp(&server, "bob");
    let mut request = bob.subscription("ann", 600);
    request.headers.set(HeaderName::Event, "presence;id=7a");
    request.headers.remove(&HeaderName::Accept);
    let mut watch = bob.watch(request);
    assert_eq!(watch.told(&mut bob).state, "active");
    let mut other = watch.request(600);
    other.headers.set(HeaderName::Event, "presence;id=8");
    assert_eq!(bob.ask(other).status, 481);
    // The compact name of Event.
    let mut request = bob.subscription("ann", 600);
    request.headers.remove(&HeaderName::Event);
    let request = bob.stamped(request);
    let text = String::from_utf8(request.to_bytes().to_vec()).unwrap();
    let text = text.replacen("\r\nExpires", "\r\no: presence\r\nExpires", 1);
    let Ok(Message::Request(mut request)) = ::sip::parse(&text.into()) else {
        panic!("a request");
    };
    bob.authorise(&mut request);
    assert_eq!(bob.exchange(&request).status, 200);
}

#[test]
fn what_is_refused() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Phone::udp(&server, "bob");
    let mut refused = |change: &dyn Fn(&mut ::sip::Request)| {
        let mut request = bob.subscription("ann", 600);
        change(&mut request);
        bob.ask(request)
    };
    for event in ["dialog", "presence.winfo"] {
        let answer = refused(&|r| r.headers.set(HeaderName::Event, event));
        assert_eq!(answer.status, 489);
        assert!(
            answer
                .headers
                .list_has(&HeaderName::AllowEvents, "presence")
        );
    }
    assert_eq!(
        refused(&|r| r.headers.remove(&HeaderName::Event)).status,
        489
    );
    let answer = refused(&|r| r.headers.set(HeaderName::Accept, "application/xpidf+xml"));
    assert_eq!(answer.status, 406);
    assert_eq!(
        answer.headers.get(&HeaderName::Accept),
        Some("application/pidf+xml")
    );
    let answer = refused(&|r| r.headers.set(HeaderName::Expires, "59"));
    assert_eq!(
        (answer.status, answer.headers.min_expires().unwrap()),
        (423, Some(60))
    );
    assert_eq!(
        refused(&|r| r.headers.set(HeaderName::Expires, "x")).status,
        400
    );
    assert_eq!(
        refused(&|r| r.headers.remove(&HeaderName::Contact)).status,
        400
    );
    for nobody in ["sip:nobody@office.example", "sip:ann@elsewhere.example"] {
        let uri = ::sip::Uri::parse(nobody).unwrap();
        assert_eq!(refused(&|r| r.uri = uri.clone()).status, 404, "{nobody}");
    }
    bob.nothing("a NOTIFY for what was refused", |r| {
        r.method == Method::Notify
    });
}

#[test]
fn the_mailbox_is_empty_and_his_own() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Phone::udp(&server, "bob");
    let mut request = bob.subscription("bob", 600);
    request.headers.set(HeaderName::Event, "message-summary");
    request
        .headers
        .set(HeaderName::Accept, "application/simple-message-summary");
    assert_eq!(bob.ask(request).status, 200);
    let notify = bob.request("a summary", |r| r.method == Method::Notify);
    assert!(
        notify.body.starts_with(b"Messages-Waiting: no"),
        "{notify:?}"
    );
    let mut request = bob.subscription("ann", 600);
    request.headers.set(HeaderName::Event, "message-summary");
    request.headers.remove(&HeaderName::Accept);
    assert_eq!(bob.ask(request).status, 403);
}

#[test]
fn pending_until_it_is_approved() {
    let server = Server::with(ASK, &["ann", "bob"]);
    let mut ann = Phone::udp(&server, "ann");
    ann.publish(None, Some(&simple(ANN, "desk", "open", "secret")), 600);
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    let told = watch.told(&mut bob);
    assert_eq!((told.state.as_str(), told.pidf), ("pending", None));
    server.ok(&["user", "approve", ANN, "bob@office.example"]);
    assert!(watch.active(&mut bob).has_note("secret"));
    // What was granted stays granted for the next subscription.
    watch.refresh(&mut bob, 0);
    watch.ends(&mut bob);
    let mut watch = bob.subscribe("ann", 600);
    assert!(watch.active(&mut bob).has_note("secret"));
}

#[test]
fn denied_while_pending_and_ever_after() {
    let server = Server::with(ASK, &["ann", "bob"]);
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    assert_eq!(watch.told(&mut bob).state, "pending");
    server.ok(&["user", "deny", ANN, "bob@office.example"]);
    let last = watch.ends(&mut bob);
    assert_eq!(
        (last.reason.as_deref(), last.pidf),
        (Some("rejected"), None)
    );
    assert_eq!(watch.refresh(&mut bob, 600).status, 481);
    let request = bob.subscription("ann", 600);
    assert_eq!(bob.ask(request).status, 403);
}

#[test]
fn a_watcher_that_does_not_know_its_subscription_is_not_told_again() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Phone::udp(&server, "ann");
    let mut bob = Phone::udp(&server, "bob");
    bob.answer = Some(481);
    let mut watch = bob.subscribe("ann", 600);
    watch.told(&mut bob);
    server.wait_for_status("no subscription is left", |s| s["subscriptions"] == 0);
    bob.answer = Some(200);
    ann.publish(None, Some(&simple(ANN, "desk", "open", "")), 600);
    bob.nothing("a NOTIFY after 481", |r| r.method == Method::Notify);
    assert_eq!(watch.refresh(&mut bob, 600).status, 481);
}

#[test]
fn one_notify_at_a_time_and_the_newest_state_next() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Phone::udp(&server, "ann");
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    watch.active(&mut bob);
    // He does not answer: the same request comes again and no other, whatever happens meanwhile.
    bob.answer = None;
    let mut tag = ann.publish(None, Some(&simple(ANN, "desk", "open", "change 0")), 600);
    let told = watch.told(&mut bob);
    assert!(told.pidf.unwrap().has_note("change 0"));
    for change in 1..=5 {
        let body = simple(ANN, "desk", "open", &format!("change {change}"));
        tag = ann.publish(Some(&tag), Some(&body), 600);
    }
    bob.nothing("a second NOTIFY before the first was answered", |r| {
        r.method == Method::Notify
    });
    let answer = ::sip::Response::for_request(&told.request, 200).to_bytes();
    bob.answer = Some(200);
    bob.send(&answer);
    let pidf = watch.active(&mut bob);
    assert!(pidf.has_note("change 5"), "{pidf:?}");
}

#[test]
fn a_subscription_that_is_not_refreshed_ends() {
    let server = Server::with(
        "[limits]\nsubscribe_expires = { min = \"1s\", default = \"1h\", max = \"2h\" }",
        &["ann", "bob"],
    );
    let mut bob = Phone::udp(&server, "bob");
    let mut watch = bob.subscribe("ann", 2);
    watch.active(&mut bob);
    // The last NOTIFY comes after a little patience with late refreshes.
    let told = wait_for("the end", || {
        let all = bob.settle();
        all.into_iter().find_map(|message| match message {
            Message::Request(r) if watch.is_mine(&r) => Some(r),
            _ => None,
        })
    });
    let state = told.headers.subscription_state().unwrap().unwrap();
    assert_eq!(
        (state.status.as_str(), state.reason()),
        ("terminated", Some("timeout"))
    );
}
