//! Requests that cannot be read (XEP-0124 §17.1, §17.2).

use super::*;

impl Talk {
    /// Sends a request that cannot be read but for its id.
    fn garble(&mut self, rid: Option<u64>) -> u64 {
        self.sent += 1;
        let rid = rid.map(|rid| RID + rid);
        self.session.handle_unreadable(Ticket(self.sent), rid);
        self.drain();
        self.sent
    }
}

#[test]
fn a_bad_request_ends_the_session() {
    let mut talk = Talk::opened("ver='1.11' hold='2' wait='60'");
    let first = talk.ask(1, "", &message(1));
    let early = talk.ask(3, "", &message(3));
    let bad = talk.garble(Some(2));
    assert_eq!(talk.text(bad), ended("bad-request"));
    assert_eq!(talk.text(first), ended("other-request"));
    assert_eq!(talk.text(early), ended("other-request"));
    assert_eq!(talk.heard(), [message(1), "lost: bad-request".into()]);
    assert!(talk.session.is_over());
    let later = talk.garble(Some(3));
    assert_eq!(talk.text(later), ended("item-not-found"));
    // The last that may come, and one that is there already.
    for rid in [1, 3] {
        let mut talk = Talk::new("");
        let held = talk.ask(1, "", "");
        let bad = talk.garble(Some(rid));
        assert_eq!(talk.text(bad), ended("bad-request"));
        assert_eq!(talk.text(held), ended("other-request"));
        assert_eq!(talk.heard(), ["lost: bad-request"]);
    }
}

#[test]
fn who_does_not_know_the_ids_ends_nothing() {
    let mut talk = Talk::new("");
    let held = talk.ask(1, "", "");
    for rid in [None, Some(0), Some(4), Some(1_000_000)] {
        let bad = talk.garble(rid);
        assert_eq!(talk.text(bad), ended("bad-request"));
    }
    assert!(talk.waits(held) && talk.heard().is_empty());
    talk.say(&message("a"));
    assert_eq!(talk.text(held), holding(&message("a")));
}

#[test]
fn legacy_clients_are_told_with_a_status() {
    let mut talk = Talk::opened("hold='1' wait='60'");
    let bad = talk.garble(Some(1));
    assert_eq!(talk.answered(bad), (400, &*ended("bad-request")));
    assert!(talk.session.is_over());
}

#[test]
fn what_was_said_and_not_heard_is_given_back() {
    let mut talk = Talk::new("");
    talk.ask(1, "", "");
    talk.say(&message("a"));
    talk.garble(Some(2));
    assert_eq!(talk.undelivered(), [message("a")]);
}

#[test]
fn a_session_that_has_ended_is_not_ended_again() {
    let mut talk = Talk::new("");
    let end = talk.ask(1, "type='terminate'", "");
    let bad = talk.garble(Some(2));
    assert_eq!(talk.text(bad), ended("bad-request"));
    assert_eq!(talk.heard(), ["terminated"]);
    let again = talk.ask(1, "type='terminate'", "");
    assert_eq!(talk.text(again), talk.text(end));
    // Nor twice, where the stream has ended before.
    let mut talk = Talk::new("");
    talk.close(Some(Condition::SystemShutdown), "");
    let bad = talk.garble(Some(1));
    assert_eq!(talk.text(bad), ended("bad-request"));
    assert!(talk.session.is_over() && talk.heard().is_empty());
}
