//! In order (XEP-0124 §14.2).

use super::*;

#[test]
fn what_comes_out_of_order_is_put_in_order() {
    let mut talk = Talk::opened("ver='1.11' hold='2' wait='60'");
    let third = talk.ask(3, "", &message(3));
    let second = talk.ask(2, "", &message(2));
    assert!(talk.heard().is_empty());
    talk.say(&message("a"));
    assert!(
        talk.waits(second) && talk.waits(third),
        "the first is to be answered first"
    );
    let first = talk.ask(1, "", &message(1));
    assert_eq!(talk.heard(), [message(1), message(2), message(3)]);
    assert_eq!(talk.text(first), holding(&message("a")));
    assert!(talk.waits(second) && talk.waits(third));
    talk.say(&message("b"));
    assert_eq!(talk.text(second), holding(&message("b")));
}

#[test]
fn what_is_beyond_the_window_ends_the_session() {
    let mut talk = Talk::new("");
    let held = talk.ask(1, "", "");
    // The last was 1 and two may be under way: 3 is the last that can be.
    let early = talk.ask(3, "", &message(3));
    assert!(talk.waits(early));
    let beyond = talk.ask(4, "", &message(4));
    assert_eq!(talk.text(beyond), ended("item-not-found"));
    assert_eq!(talk.text(held), ended("other-request"));
    assert_eq!(talk.text(early), ended("other-request"));
    assert_eq!(talk.heard(), ["lost: item-not-found"]);
    assert!(talk.session.is_over());
    let later = talk.ask(2, "", "");
    assert_eq!(talk.text(later), ended("item-not-found"));
}

#[test]
fn a_last_word_may_be_one_more() {
    let mut talk = Talk::new("");
    talk.ask(1, "", "");
    talk.seconds(5);
    let early = talk.ask(3, "", "");
    let end = talk.ask(4, "type='terminate'", &message(4));
    assert!(talk.waits(end));
    assert!(talk.heard().is_empty());
    assert!(talk.waits(early));
    let mut talk = Talk::new("");
    let beyond = talk.ask(4, "type='terminate'", "");
    assert_eq!(talk.text(beyond), ended("item-not-found"));
}

#[test]
fn a_gap_that_stays_is_told_of_and_nothing_is_forgotten() {
    let mut talk = Talk::new("");
    let second = talk.ask(2, "", &message(2));
    talk.seconds(60);
    assert_eq!(talk.text(second), AGAIN, "both are to be sent again");
    assert!(talk.heard().is_empty());
    // A client that does so, and one that sends only what was lost.
    let first = talk.ask(1, "", &message(1));
    assert_eq!(talk.heard(), [message(1), message(2)]);
    assert_eq!(talk.text(first), EMPTY);
    let again = talk.ask(2, "", &message(2));
    assert!(talk.waits(again) && talk.heard().is_empty());
    talk.say(&message("a"));
    assert_eq!(talk.text(again), holding(&message("a")));
}

#[test]
fn a_repetition_of_what_came_too_early_takes_its_place() {
    let mut talk = Talk::new("");
    let second = talk.ask(2, "", &message(2));
    let again = talk.ask(2, "", &message(2));
    assert_eq!(talk.text(second), AGAIN);
    let first = talk.ask(1, "", &message(1));
    assert_eq!(talk.heard(), [message(1), message(2)]);
    assert_eq!(talk.text(first), EMPTY);
    assert!(talk.waits(again));
}

#[test]
fn who_is_gone_behind_a_gap_is_gone() {
    let mut talk = Talk::new("");
    talk.ask(2, "", &message(2));
    talk.seconds(60 + 59);
    assert!(talk.heard().is_empty());
    talk.seconds(1);
    assert_eq!(talk.heard(), ["gone"]);
    assert!(talk.session.is_over() && talk.session.poll_timeout().is_none());
}
