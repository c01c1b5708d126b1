//! Overactivity and polling sessions (XEP-0124 §11, §12).

use super::*;

#[test]
fn too_many_requests_under_way_break_the_rules() {
    let mut talk = Talk::new("");
    let first = talk.ask(1, "", "");
    // Behind a gap they cannot be answered.
    let third = talk.ask(3, "", &message(3));
    let second = talk.ask(2, "", &message(2));
    assert_eq!(talk.text(second), ended("policy-violation"));
    assert_eq!(talk.text(first), ended("other-request"));
    assert_eq!(talk.text(third), ended("other-request"));
    assert_eq!(talk.heard(), ["lost: policy-violation"]);
}

#[test]
fn asking_for_nothing_too_soon_breaks_the_rules() {
    let mut talk = Talk::new("");
    talk.ask(1, "", "");
    talk.pass(Duration::from_millis(1499));
    let second = talk.ask(2, "", "");
    assert_eq!(talk.text(second), ended("policy-violation"));
    let mut talk = Talk::new("");
    let first = talk.ask(1, "", "");
    talk.seconds(2);
    let second = talk.ask(2, "", "");
    assert_eq!(talk.text(first), EMPTY);
    assert!(talk.waits(second));
}

#[test]
fn what_has_something_to_say_may_come_at_any_time() {
    let mut talk = Talk::new("");
    for rid in 1..100 {
        let request = talk.ask(rid, "", &message(rid));
        assert!(talk.waits(request));
    }
    assert_eq!(talk.heard().len(), 99);
    // And who was answered may ask again at once.
    for rid in 100..200 {
        talk.say(&message(rid));
        let request = talk.ask(rid, "", "");
        assert!(talk.waits(request));
    }
    let pause = talk.ask(200, "pause='60'", "");
    assert_eq!(talk.text(pause), EMPTY);
    let end = talk.ask(201, "type='terminate'", "");
    assert!(talk.text(end).contains("type='terminate'"));
}

#[test]
fn a_restart_is_not_nothing() {
    let mut talk = Talk::new("");
    talk.ask(1, "", "");
    let restart = talk.ask(2, "xmlns:x='urn:xmpp:xbosh' x:restart='true'", "");
    assert!(talk.waits(restart));
    assert_eq!(talk.heard(), ["restart"]);
}

#[test]
fn who_polls_is_answered_at_once() {
    for asked in ["wait='0' hold='1'", "hold='0' wait='60'"] {
        let mut talk = Talk::opened(&format!("ver='1.11' {asked}"));
        assert!(talk.text(0).contains(" inactivity='64' polling='2'"));
        let first = talk.ask(1, "", &message(1));
        assert_eq!(talk.text(first), EMPTY, "{asked}");
        assert!(talk.session.has_room(), "it may be said later");
        talk.say(&message("a"));
        talk.say(&message("b"));
        talk.seconds(2);
        let second = talk.ask(2, "", "");
        assert_eq!(
            talk.text(second),
            holding(&format!("{}{}", message("a"), message("b")))
        );
        assert_eq!(talk.heard(), [message(1)]);
        talk.seconds(63);
        assert!(talk.heard().is_empty());
        talk.seconds(1);
        assert_eq!(talk.heard(), ["gone"]);
        assert_eq!(
            talk.undelivered(),
            [format!("{}{}", message("a"), message("b"))]
        );
    }
}

#[test]
fn polling_for_nothing_too_often_breaks_the_rules() {
    let polls = || Talk::opened("ver='1.11' hold='0'");
    let mut talk = polls();
    talk.ask(1, "", "");
    talk.pass(Duration::from_millis(1499));
    let second = talk.ask(2, "", "");
    assert_eq!(talk.text(second), ended("policy-violation"));
    // In time, after something was said, and after something was heard.
    let mut talk = polls();
    talk.ask(1, "", "");
    talk.seconds(2);
    let second = talk.ask(2, "", "");
    assert_eq!(talk.text(second), EMPTY);
    let third = talk.ask(3, "", &message(3));
    assert_eq!(talk.text(third), EMPTY);
    let fourth = talk.ask(4, "", "");
    assert_eq!(talk.text(fourth), EMPTY);
    talk.say(&message("a"));
    talk.seconds(2);
    let fifth = talk.ask(5, "", "");
    assert_eq!(talk.text(fifth), holding(&message("a")));
    let sixth = talk.ask(6, "", "");
    assert_eq!(talk.text(sixth), EMPTY);
    // Not even the same again.
    let again = talk.ask(6, "", "");
    assert_eq!(talk.text(again), EMPTY);
}

#[test]
fn a_server_can_make_every_client_poll() {
    let bounds = Bounds {
        requests: 1,
        ..Bounds::default()
    };
    let mut talk = Talk::within(&bounds, "ver='1.11' hold='1' wait='60'");
    talk.say(FEATURES);
    assert!(talk.text(0).contains(" requests='1' hold='0'"));
    let first = talk.ask(1, "", &message(1));
    assert_eq!(talk.text(first), EMPTY);
}

#[test]
fn not_too_much_waits_for_who_polls() {
    let mut talk = Talk::opened("ver='1.11' hold='0'");
    let long = message("x".repeat(16 * 1024));
    for _ in 0..4 {
        assert!(talk.session.has_room());
        talk.say(&long);
    }
    assert!(!talk.session.has_room());
}
