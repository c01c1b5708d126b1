//! Acknowledgements (XEP-0124 §9).

use super::*;

/// With acknowledgements, two requests held.
fn talk() -> Talk {
    Talk::opened("ver='1.11' hold='2' wait='60' ack='1'")
}

#[test]
fn the_highest_request_that_came_is_acknowledged() {
    let mut talk = talk();
    assert!(talk.text(0).contains(" ack='1000'"));
    let first = talk.ask(1, "", &message(1));
    let second = talk.ask(2, "ack='1000'", &message(2));
    talk.say(&message("a"));
    assert_eq!(
        talk.text(first),
        format!(
            "<body xmlns='{NAMESPACE}' ack='1002'>{}</body>",
            message("a")
        )
    );
    talk.say(&message("b"));
    assert_eq!(
        talk.text(second),
        holding(&message("b")),
        "it is the highest itself"
    );
    // Behind a gap nothing is.
    talk.seconds(5);
    let third = talk.ask(3, "", "");
    talk.ask(5, "", &message(5));
    talk.say(&message("c"));
    assert_eq!(talk.text(third), holding(&message("c")));
}

#[test]
fn what_is_to_come_again_is_told_what_has_come() {
    let again = |ack: u64| format!("<body xmlns='{NAMESPACE}' type='error' ack='{ack}'/>");
    let mut talk = talk();
    let first = talk.ask(1, "", &message(1));
    let early = talk.ask(3, "ack='1000'", &message(3));
    talk.seconds(59);
    let newer = talk.ask(1, "", &message(1));
    assert_eq!(talk.text(first), AGAIN, "it is the highest itself");
    talk.seconds(1);
    assert_eq!(talk.text(early), again(1001), "the second is missing");
    assert!(talk.waits(newer));
    let second = talk.ask(2, "ack='1000'", &message(2));
    let third = talk.ask(2, "ack='1000'", &message(2));
    assert_eq!(talk.text(second), again(1003));
    assert!(talk.waits(third));
}

#[test]
fn without_the_clients_word_nothing_is_acknowledged() {
    let mut talk = Talk::opened("ver='1.11' hold='2'");
    assert!(!talk.text(0).contains(" ack="));
    let first = talk.ask(1, "", &message(1));
    talk.ask(2, "ack='1'", &message(2));
    talk.say(&message("a"));
    assert_eq!(talk.text(first), holding(&message("a")));
}

#[test]
fn a_client_that_missed_an_answer_is_told_of_it_at_once() {
    let mut talk = talk();
    let first = talk.ask(1, "", &message(1));
    talk.say(&message("a"));
    talk.pass(Duration::from_millis(1500));
    let second = talk.ask(2, "ack='1000'", &message(2));
    assert_eq!(
        talk.text(second),
        format!("<body xmlns='{NAMESPACE}' report='1001' time='1500'/>")
    );
    let again = talk.ask(1, "", &message(1));
    assert_eq!(talk.text(again), talk.text(first));
    // Now it has all, and says so by saying nothing.
    let third = talk.ask(3, "", "");
    assert!(talk.waits(third));
}

#[test]
fn what_is_reported_is_told_to_a_client_that_is_there() {
    let mut talk = talk();
    let first = talk.ask(1, "", &message(1));
    talk.say(&message("a"));
    let lost = talk.ask(2, "ack='1000'", &message(2));
    talk.lose(lost);
    talk.pass(Duration::from_millis(1500));
    // The one before it is answered as well, for when it comes again: whoever goes on without has not got that.
    let third = talk.ask(3, "ack='1000'", &message(3));
    assert_eq!(
        talk.text(third),
        format!("<body xmlns='{NAMESPACE}' report='1001' time='1500'/>")
    );
    let again = talk.ask(2, "ack='1000'", &message(2));
    assert_eq!(
        talk.text(again),
        format!("<body xmlns='{NAMESPACE}' ack='1003'/>")
    );
    // An answer with a report that is lost itself: it is told again, in the same words and to the next request.
    let again = talk.ask(3, "ack='1000'", &message(3));
    assert_eq!(talk.text(again), talk.text(third));
    let fourth = talk.ask(4, "ack='1000'", &message(4));
    assert!(talk.text(fourth).contains(" report='1001'"));
    let again = talk.ask(1, "", &message(1));
    assert_eq!(talk.text(again), talk.text(first));
}

#[test]
fn what_has_arrived_since_is_not_reported() {
    let mut talk = talk();
    talk.ask(1, "", &message(1));
    talk.say(&message("a"));
    talk.pass(Duration::from_millis(1500));
    // It comes before the one that it follows, and its connection is lost.
    let early = talk.ask(3, "ack='1000'", &message(3));
    talk.lose(early);
    talk.say(&message("b"));
    let second = talk.ask(2, "", &message(2));
    assert_eq!(talk.text(second), holding(&message("b")));
    // There was nobody to tell.
    let fourth = talk.ask(4, "ack='1002'", &message(4));
    assert!(talk.waits(fourth));
}

#[test]
fn an_answer_that_may_be_on_its_way_is_not_reported() {
    let mut talk = talk();
    talk.ask(1, "", &message(1));
    talk.say(&message("a"));
    talk.pass(Duration::from_millis(900));
    let second = talk.ask(2, "ack='1000'", &message(2));
    assert!(talk.waits(second));
    // An acknowledgement of what was not said yet is one of all that was.
    let third = talk.ask(3, "ack='9999'", &message(3));
    assert!(talk.waits(third));
}

#[test]
fn what_is_not_acknowledged_is_kept() {
    let mut talk = talk();
    for rid in 1..30 {
        talk.ask(rid, "ack='1000'", &message(rid));
        talk.say(&message(format_args!("out-{rid}")));
    }
    let again = talk.ask(1, "ack='1000'", &message(1));
    assert!(talk.text(again).contains("id='out-1'"));
    assert_eq!(talk.undelivered().len(), 29);
}

#[test]
fn what_is_acknowledged_is_not_kept_for_long() {
    let mut talk = talk();
    for rid in 1..30 {
        talk.ask(rid, "", &message(rid));
        talk.say(&message(format_args!("out-{rid}")));
    }
    let again = talk.ask(21, "", &message(21));
    assert!(talk.text(again).contains("id='out-21'"));
    let again = talk.ask(20, "", &message(20));
    assert_eq!(talk.text(again), ended("item-not-found"));
    assert_eq!(talk.undelivered(), [message("out-29")]);
}

#[test]
fn an_answer_that_a_request_has_crossed_may_be_lost() {
    let mut talk = Talk::new("");
    let held = talk.ask(1, "", "");
    talk.say(&message("a"));
    assert_eq!(talk.text(held), holding(&message("a")));
    // It may have been on its way already.
    talk.ask(2, "", &message(1));
    assert!(!talk.session.is_delivered());
    talk.seconds(2);
    // This one asks for nothing but an answer.
    talk.ask(3, "", "");
    assert!(talk.session.is_delivered());
}
