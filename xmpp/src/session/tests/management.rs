//! Stream management and client state on a stream (XEP-0198, XEP-0352): what the session wants done. The counting is in
//! [`crate::management`].

use super::*;
use crate::management::Previous;

const ENABLE: &str = "<enable xmlns='urn:xmpp:sm:3' resume='true' max='90'/>";
const ASK: &str = "<iq type='get' id='i1' to='office.example'><ping xmlns='urn:xmpp:ping'/></iq>";

/// The names of the actions since the last look.
fn wanted(pair: &mut Pair) -> Vec<String> {
    let actions = std::mem::take(&mut pair.actions);
    actions
        .iter()
        .map(|a| {
            let text = format!("{a:?}");
            let end = text.find([' ', '(', '{']).unwrap_or(text.len());
            text[..end].to_owned()
        })
        .collect()
}

fn bound() -> Pair {
    let mut pair = Pair::bound();
    wanted(&mut pair);
    pair.said();
    pair
}

#[test]
fn it_is_offered_after_the_login() {
    let mut pair = Pair::direct();
    pair.send(OPEN).opening();
    pair.plain_login("pencil").element();
    let (_, features) = pair.send(OPEN).opening();
    assert!(child(&features, "sm").is("sm", "urn:xmpp:sm:3"));
    assert!(child(&features, "csi").is("csi", "urn:xmpp:csi:0"));
}

#[test]
fn what_comes_and_goes_is_counted_from_then_on() {
    let mut pair = bound();
    pair.send(ASK).send(ENABLE).send(ASK);
    assert_eq!(wanted(&mut pair), ["Enable", "Counted"]);
    assert_eq!(
        pair.stanzas,
        ["<iq type='result' id='i1' from='office.example' to='ann@office.example/desk'/>"]
    );
    pair.send(
        "<message to='bob@office.example'><body>x</body></message><r xmlns='urn:xmpp:sm:3'/>",
    );
    assert_eq!(wanted(&mut pair), ["Message", "Counted", "Ask"]);
    pair.send("<a xmlns='urn:xmpp:sm:3' h='1'/>");
    assert!(matches!(pair.actions.as_slice(), [Action::Acknowledged(1)]));
}

#[test]
fn all_in_one_piece_is_the_same() {
    let mut pair = bound();
    pair.send(&format!("{ASK}{ENABLE}{ASK}<presence/>{ASK}"));
    assert_eq!(
        wanted(&mut pair),
        ["Enable", "Counted", "Available", "Counted", "Counted"]
    );
    assert_eq!(pair.stanzas.len(), 2);
}

#[test]
fn before_a_resource_is_bound_it_fails_and_binding_goes_on() {
    let mut pair = Pair::direct().logged_in();
    for (early, condition) in [
        (ENABLE, "unexpected-request"),
        ("<r xmlns='urn:xmpp:sm:3'/>", "unexpected-request"),
        ("<resume xmlns='urn:xmpp:sm:3' h='0'/>", "bad-request"),
    ] {
        let failed = pair.send(early).element();
        assert!(failed.is("failed", "urn:xmpp:sm:3"), "{early}");
        assert_eq!(failed.children().next().unwrap().name(), condition);
    }
    pair.send(BIND_ANY);
    assert!(pair.session.address().is_some());
}

#[test]
fn where_no_stream_is_resumed_nobody_is_asked_for_one() {
    let never = Settings {
        resume_timeout: Duration::ZERO,
        ..settings()
    };
    let mut pair = Pair::new(never, Some(secured())).logged_in();
    wanted(&mut pair);
    let failed = pair
        .send("<resume xmlns='urn:xmpp:sm:3' previd='one' h='5'/>")
        .element();
    assert!(failed.is("failed", "urn:xmpp:sm:3"));
    let condition = failed.children().next().unwrap();
    assert_eq!(condition.name(), "feature-not-implemented");
    assert!(wanted(&mut pair).is_empty());
    pair.send(BIND_ANY);
    assert!(pair.session.address().is_some());
}

#[test]
fn an_earlier_stream_is_asked_for_and_when_there_is_none_a_new_one_is_bound() {
    let mut pair = Pair::direct().logged_in();
    wanted(&mut pair);
    pair.send("<resume xmlns='urn:xmpp:sm:3' previd='one' h='5'/>");
    let Some(Action::Resume { account, previous }) = pair.actions.pop() else {
        panic!(
            "an earlier stream should be asked for, not {:?}",
            pair.actions
        )
    };
    assert_eq!(account.as_str(), "ann@office.example");
    let one = Previous {
        id: "one".to_owned(),
        handled: 5,
    };
    assert_eq!(previous, one);
    assert!(!pair.session.wants_bytes());
    let none = Reply::NotResumed(Some(7));
    pair.session.handle_reply(pair.now, none);
    pair.drain();
    let failed = pair.element();
    assert_eq!(failed.attribute("h").as_deref(), Some("7"));
    assert!(failed.children().next().unwrap().name() == "item-not-found");
    pair.send(BIND_ANY);
    assert!(pair.session.address().is_some());
}

#[test]
fn the_stream_goes_on_over_another_connection() {
    let mut old = bound();
    old.send(ENABLE).send("<iq type='get' id='half'><ping ");
    wanted(&mut old);
    let mut new = Pair::direct().logged_in();
    wanted(&mut new);
    new.send(&format!(
        "<resume xmlns='urn:xmpp:sm:3' previd='one' h='0'/>{ASK}"
    ));
    old.now.at = new.now.at.plus(Duration::from_secs(3));
    old.session.resume(old.now, &mut new.session);
    old.drain();
    // What stood behind the question is read, what was half read before is not.
    assert_eq!(wanted(&mut old), ["Counted"]);
    assert_eq!(old.stanzas.len(), 1);
    assert_eq!(old.session.heard(), Some(old.now.at));
    old.send(ASK);
    assert_eq!(wanted(&mut old), ["Counted"]);
}

#[test]
fn a_second_begin_ends_the_stream_and_a_late_resumption_does_not() {
    let mut pair = bound();
    pair.send(ENABLE);
    wanted(&mut pair);
    pair.send("<resume xmlns='urn:xmpp:sm:3' previd='one' h='5'/>");
    assert_eq!(wanted(&mut pair), ["NotResumed"]);
    pair.send(ENABLE);
    assert_eq!(pair.error().0, "policy-violation");
}

#[test]
fn what_cannot_be_meant_ends_the_stream() {
    let mut pair = bound();
    pair.send(ENABLE)
        .send("<a xmlns='urn:xmpp:sm:3' h='many'/>");
    assert_eq!(pair.error().0, "invalid-xml");
}

#[test]
fn without_management_questions_and_answers_mean_nothing() {
    let mut pair = bound();
    pair.send("<r xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='3'/>");
    assert!(wanted(&mut pair).is_empty() && pair.said().is_empty());
    assert!(!pair.closed);
}

#[test]
fn silence_is_asked_about_with_management_and_is_not_the_end_of_what_can_be_resumed() {
    let mut pair = bound();
    pair.send(ENABLE);
    pair.session.allow_resumption();
    wanted(&mut pair);
    pair.wait(Duration::from_secs(60));
    assert_eq!(wanted(&mut pair), ["Ping"]);
    pair.send("<a xmlns='urn:xmpp:sm:3' h='0'/>");
    pair.wait(Duration::from_secs(59));
    assert_eq!(wanted(&mut pair), ["Acknowledged"]);
    pair.wait(Duration::from_secs(1));
    assert_eq!(wanted(&mut pair), ["Ping"]);
    assert!(!pair.lost);
    pair.wait(Duration::from_secs(30));
    assert!(pair.lost && !pair.closed);
    assert!(pair.session.address().is_some());
}

#[test]
fn whoever_cannot_resume_is_given_up() {
    let mut pair = bound();
    pair.send("<enable xmlns='urn:xmpp:sm:3'/>");
    pair.wait(Duration::from_secs(60));
    pair.wait(Duration::from_secs(30));
    assert_eq!(pair.error().0, "connection-timeout");
}

#[test]
fn clients_tell_whether_somebody_looks() {
    let mut pair = bound();
    pair.send("<inactive xmlns='urn:xmpp:csi:0'/><active xmlns='urn:xmpp:csi:0'/>");
    assert!(matches!(
        pair.actions.as_slice(),
        [Action::Attention(false), Action::Attention(true)]
    ));
    pair.send("<asleep xmlns='urn:xmpp:csi:0'/>");
    assert_eq!(pair.error().0, "unsupported-stanza-type");
}
