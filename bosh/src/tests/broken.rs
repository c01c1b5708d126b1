//! Broken connections (XEP-0124 §14.3, §17.3) and inactivity (§10).

use super::*;

#[test]
fn what_was_answered_is_answered_with_the_same_octets() {
    let mut talk = Talk::new("");
    let first = talk.ask(1, "", &message(1));
    talk.say(&message("a"));
    let again = talk.ask(1, "", &message(1));
    assert_eq!(talk.text(again), talk.text(first));
    assert_eq!(talk.text(first), holding(&message("a")));
    assert_eq!(talk.heard(), [message(1)], "once");
    // So is the first of all.
    let opening = talk.ask(0, "", "");
    assert_eq!(talk.text(opening), talk.text(0));
}

#[test]
fn what_is_held_moves_to_the_connection_that_asks_again() {
    let mut talk = Talk::new("");
    let first = talk.ask(1, "", &message(1));
    talk.seconds(50);
    let again = talk.ask(1, "", &message(1));
    assert_eq!(talk.text(first), AGAIN);
    talk.seconds(59);
    assert!(talk.waits(again), "its time begins anew");
    talk.say(&message("a"));
    assert_eq!(talk.text(again), holding(&message("a")));
    assert_eq!(talk.heard(), [message(1)]);
}

#[test]
fn what_is_not_kept_any_more_ends_the_session() {
    let mut talk = Talk::new("");
    for rid in 1..=9 {
        talk.seconds(3);
        talk.ask(rid, "", "");
    }
    // Eight are kept, and the ninth is held.
    let oldest = talk.ask(1, "", "");
    assert_eq!(talk.text(oldest), EMPTY);
    let gone = talk.ask(0, "", "");
    assert_eq!(talk.text(gone), ended("item-not-found"));
    assert_eq!(talk.heard(), ["lost: item-not-found"]);
}

#[test]
fn asking_the_same_again_and_again_breaks_the_rules() {
    let mut talk = Talk::new("");
    let mut last = talk.ask(1, "", &message(1));
    talk.say(&message("a"));
    for _ in 0..65 {
        assert_eq!(talk.text(last), holding(&message("a")));
        last = talk.ask(1, "", &message(1));
    }
    assert_eq!(talk.text(last), ended("policy-violation"));
    assert_eq!(talk.heard(), [message(1), "lost: policy-violation".into()]);
    // A new request in between, and it is not.
    let mut talk = Talk::new("");
    for rid in 1..9 {
        talk.seconds(3);
        let mut last = talk.ask(rid, "", &message(rid));
        for _ in 0..20 {
            assert!(talk.waits(last));
            last = talk.ask(rid, "", &message(rid));
        }
    }
    assert_eq!(talk.heard().len(), 8);
}

#[test]
fn a_request_whose_connection_is_lost_waits_for_its_repetition() {
    let mut talk = Talk::new("");
    let first = talk.ask(1, "", &message(1));
    talk.lose(first);
    assert!(!talk.session.has_room());
    talk.say(&message("a"));
    let again = talk.ask(1, "", &message(1));
    assert_eq!(talk.text(again), holding(&message("a")));
    assert!(talk.waits(first));
    assert_eq!(talk.heard(), [message(1)]);
}

#[test]
fn a_newer_request_is_not_kept_waiting_by_a_lost_one() {
    let mut talk = Talk::opened("ver='1.11' hold='2' wait='60'");
    let first = talk.ask(1, "", "");
    talk.lose(first);
    talk.seconds(3);
    let second = talk.ask(2, "", "");
    talk.say(&message("a"));
    assert_eq!(talk.text(second), holding(&message("a")));
    // The answer to the first stands as well, in case it comes again.
    let again = talk.ask(1, "", "");
    assert_eq!(talk.text(again), EMPTY);
}

#[test]
fn what_is_known_of_the_stream_is_told_to_a_client_that_is_there() {
    let mut talk = Talk::silent("ver='1.11' hold='1' wait='60'");
    talk.seconds(5);
    let first = talk.ask(1, "", "");
    talk.session.describe(&[("from", "office.example")]);
    talk.lose(first);
    talk.seconds(3);
    // The lost one has to make room.
    let second = talk.ask(2, "", "");
    talk.say(FEATURES);
    let told = talk.text(second);
    assert!(told.contains(" from='office.example'>") && told.contains(FEATURES));
    let again = talk.ask(1, "", "");
    assert_eq!(talk.text(again), EMPTY);
}

#[test]
fn a_client_that_asks_no_more_is_gone() {
    let mut talk = Talk::new("");
    let first = talk.ask(1, "", "");
    talk.seconds(60);
    assert_eq!(talk.text(first), EMPTY);
    talk.seconds(59);
    assert!(talk.heard().is_empty());
    talk.seconds(1);
    assert_eq!(talk.heard(), ["gone"]);
    let late = talk.ask(2, "", "");
    assert_eq!(talk.text(late), ended("item-not-found"));
    assert!(talk.heard().is_empty() && talk.undelivered().is_empty());
}

#[test]
fn a_client_whose_connections_are_lost_is_gone_after_the_same_time() {
    let mut talk = Talk::new("");
    let first = talk.ask(1, "", "");
    talk.seconds(10);
    talk.lose(first);
    talk.lose(first);
    talk.seconds(59);
    assert!(talk.heard().is_empty());
    talk.seconds(1);
    assert_eq!(talk.heard(), ["gone"]);
}

#[test]
fn a_repetition_is_a_sign_of_life() {
    let mut talk = Talk::new("");
    talk.ask(1, "", "");
    talk.say(&message("a"));
    for _ in 0..5 {
        talk.seconds(50);
        let again = talk.ask(1, "", "");
        assert_eq!(talk.text(again), holding(&message("a")));
    }
    talk.seconds(60);
    assert_eq!(talk.heard(), ["gone"]);
    assert_eq!(talk.undelivered(), [message("a")]);
}

#[test]
fn what_the_client_never_got_is_given_back() {
    let mut talk = Talk::new("");
    talk.ask(1, "", "");
    talk.say(&message("a"));
    assert!(!talk.session.is_delivered());
    talk.seconds(3);
    talk.ask(2, "", "");
    assert!(talk.session.is_delivered(), "it asks for more");
    talk.say(&message("b"));
    talk.say(&message("c"));
    assert!(!talk.session.is_delivered());
    let both = message("b").len() + message("c").len();
    assert_eq!(talk.session.undelivered_octets(), both);
    talk.seconds(60);
    assert_eq!(talk.heard(), ["gone"]);
    assert_eq!(talk.undelivered(), [message("b"), message("c")]);
    assert!(talk.undelivered().is_empty(), "once");
}

#[test]
fn a_page_that_is_loaded_again_may_ask_at_once() {
    let mut talk = Talk::new("");
    let first = talk.ask(1, "", "");
    talk.lose(first);
    let second = talk.ask(2, "", "");
    assert!(talk.waits(second));
    talk.say(&message("a"));
    assert_eq!(talk.text(second), holding(&message("a")));
}
