//! Pauses (XEP-0124 §10).

use super::*;

#[test]
fn a_pause_answers_all_and_makes_the_client_live_longer() {
    let mut talk = Talk::opened("ver='1.11' hold='2' wait='60'");
    let first = talk.ask(1, "", &message(1));
    let second = talk.ask(2, "", &message(2));
    let pause = talk.ask(3, "pause='120'", "");
    assert_eq!(
        [first, second, pause].map(|request| talk.text(request)),
        [EMPTY; 3]
    );
    talk.say(&message("a"));
    talk.seconds(119);
    assert_eq!(talk.heard(), [message(1), message(2)]);
    // The pause itself can be asked for again, and still is one; it holds nothing.
    let again = talk.ask(3, "pause='120'", "");
    assert_eq!(talk.text(again), EMPTY);
    talk.seconds(119);
    assert!(talk.heard().is_empty());
    let next = talk.ask(4, "", "");
    assert_eq!(talk.text(next), holding(&message("a")));
    // From here on it is as before.
    talk.seconds(60);
    assert_eq!(talk.heard(), ["gone"]);
}

#[test]
fn a_pause_ends_in_a_session_that_is_gone() {
    let mut talk = Talk::new("");
    talk.ask(1, "pause='120'", "");
    talk.seconds(119);
    assert!(talk.heard().is_empty());
    talk.seconds(1);
    assert_eq!(talk.heard(), ["gone"]);
    // It may be shorter than usual, too.
    let mut talk = Talk::new("");
    talk.ask(1, "pause='5'", "");
    talk.seconds(5);
    assert_eq!(talk.heard(), ["gone"]);
}

#[test]
fn what_waits_goes_with_a_held_request_and_not_with_the_pause() {
    let mut talk = Talk::opened("ver='1.11' hold='0'");
    talk.say(&message("a"));
    let pause = talk.ask(1, "pause='30'", &message(1));
    assert_eq!(talk.text(pause), EMPTY);
    assert_eq!(talk.heard(), [message(1)], "it may say something itself");
    let next = talk.ask(2, "", "");
    assert_eq!(talk.text(next), holding(&message("a")));
}

#[test]
fn a_pause_longer_than_allowed_breaks_the_rules() {
    let mut talk = Talk::new("");
    let held = talk.ask(1, "", "");
    let pause = talk.ask(2, "pause='121'", "");
    assert_eq!(talk.text(pause), ended("policy-violation"));
    assert_eq!(talk.text(held), ended("other-request"));
    assert_eq!(talk.heard(), ["lost: policy-violation"]);
}

#[test]
fn the_end_of_the_stream_is_told_to_who_would_be_silent() {
    let mut talk = Talk::new("");
    talk.close(Some(Condition::SystemShutdown), "");
    let pause = talk.ask(1, "pause='120'", "");
    assert_eq!(talk.text(pause), ended("system-shutdown"));
}

#[test]
fn a_pause_of_nothing_gets_the_requests_back() {
    let mut talk = Talk::new("");
    let held = talk.ask(1, "", "");
    let pause = talk.ask(2, "pause='0'", "");
    assert_eq!([held, pause].map(|request| talk.text(request)), [EMPTY; 2]);
    talk.seconds(59);
    assert!(talk.heard().is_empty());
    talk.seconds(1);
    assert_eq!(talk.heard(), ["gone"]);
}
