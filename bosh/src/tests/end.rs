//! The end of a session (XEP-0124 §13, §17).

use super::*;

#[test]
fn the_client_ends_it_with_its_last_words() {
    let mut talk = Talk::opened("ver='1.11' hold='2' wait='60'");
    let first = talk.ask(1, "", &message(1));
    let second = talk.ask(2, "", &message(2));
    let end = talk.ask(3, "type='terminate'", &message(3));
    assert_eq!(
        talk.text(first),
        format!("<body xmlns='{NAMESPACE}' type='terminate'/>")
    );
    assert_eq!((talk.text(second), talk.text(end)), (EMPTY, EMPTY));
    assert_eq!(
        talk.heard(),
        [message(1), message(2), message(3), "terminated".into()]
    );
    // It can be asked for again for a moment, and nothing else can.
    let again = talk.ask(1, "", &message(1));
    assert_eq!(talk.text(again), talk.text(first));
    let more = talk.ask(4, "", &message(4));
    assert_eq!(talk.text(more), ended("item-not-found"));
    assert!(!talk.session.is_over() && talk.heard().is_empty());
    talk.seconds(10);
    assert!(talk.session.is_over());
}

#[test]
fn an_end_that_is_alone_is_told_itself() {
    let mut talk = Talk::opened("ver='1.11' hold='0'");
    talk.say(&message("a"));
    let end = talk.ask(1, "type='terminate'", "");
    assert_eq!(
        talk.text(end),
        format!(
            "<body xmlns='{NAMESPACE}' type='terminate'>{}</body>",
            message("a")
        )
    );
    assert_eq!(talk.heard(), ["terminated"]);
    assert!(talk.session.has_ended());
}

#[test]
fn an_end_waits_for_what_comes_before_it() {
    let mut talk = Talk::new("");
    let end = talk.ask(2, "type='terminate'", &message(2));
    assert!(talk.waits(end) && talk.heard().is_empty());
    let first = talk.ask(1, "", &message(1));
    assert_eq!(talk.heard(), [message(1), message(2), "terminated".into()]);
    assert!(talk.text(first).contains("type='terminate'"));
    assert_eq!(talk.text(end), EMPTY);
}

/// Over two connections the end may be there before a request that was sent before it: together they are one more than may be under way.
#[test]
fn an_end_may_overtake() {
    let mut talk = Talk::new("");
    let first = talk.ask(1, "", &message(1));
    let end = talk.ask(3, "type='terminate'", "");
    assert!(talk.waits(first) && talk.waits(end));
    let second = talk.ask(2, "", &message(2));
    assert_eq!(talk.heard(), [message(1), message(2), "terminated".into()]);
    assert!(talk.text(second).contains(" type='terminate'/>"));
    assert_eq!((talk.text(first), talk.text(end)), (EMPTY, EMPTY));
}

#[test]
fn the_stream_ends_with_its_last_words() {
    let mut talk = Talk::opened("ver='1.11' hold='2' wait='60'");
    let first = talk.ask(1, "", &message(1));
    let second = talk.ask(2, "", &message(2));
    let error = "<stream:error xmlns:stream='http://etherx.jabber.org/streams'/>";
    let words = format!("{}{error}", message("a"));
    talk.close(Some(Condition::RemoteStreamError), &words);
    assert_eq!(
        talk.text(first),
        format!(
            "<body xmlns='{NAMESPACE}' xmlns:stream='http://etherx.jabber.org/streams' type='terminate' \
             condition='remote-stream-error'>{words}</body>"
        )
    );
    assert_eq!(talk.text(second), ended("remote-stream-error"));
    talk.say(&message("b"));
    talk.close(None, "");
    assert!(talk.session.has_ended() && !talk.session.has_room());
    let again = talk.ask(1, "", &message(1));
    assert_eq!(talk.text(again), talk.text(first));
}

#[test]
fn a_client_that_is_away_when_the_stream_ends_hears_of_it_later() {
    let mut talk = Talk::new("");
    talk.close(Some(Condition::SystemShutdown), &message("a"));
    assert!(talk.session.has_ended() && !talk.session.is_over());
    talk.seconds(30);
    let next = talk.ask(1, "", &message(1));
    assert_eq!(
        talk.text(next),
        format!(
            "<body xmlns='{NAMESPACE}' type='terminate' condition='system-shutdown'>{}</body>",
            message("a")
        )
    );
    assert!(talk.heard().is_empty(), "nobody hears it any more");
    let mut talk = Talk::new("");
    talk.close(None, "");
    let next = talk.ask(1, "", "");
    assert_eq!(
        talk.text(next),
        format!("<body xmlns='{NAMESPACE}' type='terminate'/>")
    );
    // And if it never comes, that is the end too.
    let mut talk = Talk::new("");
    talk.close(None, &message("a"));
    talk.seconds(60);
    assert!(talk.session.is_over());
    assert_eq!(talk.undelivered(), [FEATURES.into(), message("a")]);
}

#[test]
fn legacy_clients_are_told_with_http_codes() {
    let legacy = || Talk::opened("hold='1' wait='60'");
    let mut talk = legacy();
    let beyond = talk.ask(9, "", "");
    assert_eq!(talk.answered(beyond), (404, &*ended("item-not-found")));
    let mut talk = legacy();
    talk.ask(1, "", "");
    let soon = talk.ask(2, "", "");
    assert_eq!(talk.answered(soon).0, 403);
    let mut talk = legacy();
    let held = talk.ask(1, "", "");
    talk.close(Some(Condition::SystemShutdown), "");
    assert_eq!(talk.answered(held), (200, &*ended("system-shutdown")));
}

#[test]
fn an_end_of_both_at_once_is_an_end() {
    let mut talk = Talk::new("");
    talk.close(Some(Condition::RemoteStreamError), "");
    let end = talk.ask(1, "type='terminate'", &message(1));
    assert!(talk.text(end).contains("type='terminate'"));
    assert!(talk.heard().is_empty());
}

#[test]
fn what_is_deferred_goes_with_what_comes_next() {
    let mut talk = Talk::new("");
    let held = talk.ask(1, "", "");
    talk.session.defer_output(message("a").as_bytes());
    talk.drain();
    assert!(talk.waits(held));
    talk.close(Some(Condition::SystemShutdown), "");
    let words = format!(" condition='system-shutdown'>{}</body>", message("a"));
    assert!(talk.text(held).ends_with(&words));
    talk.session.defer_output(b"<late/>");
    assert!(talk.session.is_over() || talk.session.has_ended());
}

#[test]
fn who_came_too_early_hears_of_the_end() {
    let mut talk = Talk::new("");
    let early = talk.ask(2, "", "");
    assert!(talk.waits(early));
    talk.close(Some(Condition::SystemShutdown), "");
    assert_eq!(talk.text(early), ended("system-shutdown"));
    let between = talk.ask(1, "", "");
    assert_eq!(talk.text(between), ended("system-shutdown"));
}
