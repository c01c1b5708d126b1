//! Session creation (XEP-0124 §7, XEP-0206 §3, §4).

use super::*;

#[test]
fn the_first_answer_says_what_is_granted_and_what_the_stream_said() {
    let mut talk = Talk::silent(
        "ver='1.6' hold='1' wait='60' ack='1' content='text/html' route='xmpp:elsewhere:9' from='ann@office.example'",
    );
    assert!(talk.waits(0), "the stream has said nothing yet");
    talk.session.describe(&[
        ("from", "office.example"),
        ("xmpp:version", "1.0"),
        ("xmpp:restartlogic", "true"),
    ]);
    talk.say(FEATURES);
    assert_eq!(
        talk.text(0),
        format!(
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams' xmlns:xmpp='urn:xmpp:xbosh' \
             sid='SID' wait='60' requests='2' hold='1' inactivity='60' polling='2' maxpause='120' ver='1.6' accept='deflate,gzip' \
             charsets='UTF-8' ack='1000' from='office.example' xmpp:version='1.0' xmpp:restartlogic='true'>{FEATURES}</body>"
        )
    );
    assert_eq!(talk.session.terms().content(), "text/html");
    assert!(talk.heard().is_empty());
}

#[test]
fn no_answer_names_a_stream() {
    let mut talk = Talk::new("");
    // What would ask for another stream is a request like any other (§16.2).
    let request = talk.ask(1, "to='other.example' xml:lang='en' stream='x'", "");
    assert!(talk.waits(request) && talk.heard().is_empty());
    talk.say(&message(1));
    let said = talk.answers.values();
    assert!(said.into_iter().all(|(_, text)| !text.contains(" stream=")));
}

#[test]
fn what_is_not_allowed_is_not_announced() {
    let bounds = Bounds {
        polling: Duration::ZERO,
        pause: Duration::ZERO,
        ..Bounds::default()
    };
    let mut talk = Talk::within(&bounds, "");
    talk.say(FEATURES);
    for absent in [
        " polling=",
        " maxpause=",
        " ack=",
        " ver=",
        " stream=",
        " report=",
    ] {
        assert!(!talk.text(0).contains(absent), "{absent}");
    }
    // As often and as silent as it likes.
    for rid in 1..9 {
        let request = talk.ask(rid, "pause='1000'", "");
        assert!(talk.waits(request));
    }
}

#[test]
fn a_stream_that_says_nothing_does_not_keep_the_session_id_back_for_long() {
    let mut talk = Talk::silent("ver='1.6' hold='1' wait='60'");
    talk.seconds(4);
    assert!(talk.waits(0));
    talk.seconds(1);
    assert!(talk.text(0).contains(" sid='SID'") && talk.text(0).ends_with("/>"));
    // What it says later comes with a later answer, and what is known of it too.
    let request = talk.ask(1, "", "");
    talk.session.describe(&[("from", "office.example")]);
    talk.say(FEATURES);
    assert!(talk.text(request).contains(" from='office.example'>"));
    let mut polls = Talk::silent("ver='1.6' hold='0'");
    polls.seconds(1);
    assert!(polls.text(0).contains(" hold='0'"));
}

#[test]
fn the_first_answer_is_that_of_an_end_at_once() {
    let mut talk = Talk::silent("ver='1.6'");
    let error = "<stream:error xmlns:stream='http://etherx.jabber.org/streams'/>";
    talk.close(Some(Condition::RemoteStreamError), error);
    assert_eq!(
        talk.text(0),
        format!(
            "<body xmlns='{NAMESPACE}' xmlns:stream='http://etherx.jabber.org/streams' type='terminate' \
             condition='remote-stream-error'>{error}</body>"
        )
    );
}

#[test]
fn what_does_not_ask_for_a_session_begins_none() {
    let now = Time(0);
    let bounds = Bounds::default();
    let open = |body: &Body| Session::open(now, &bounds, "SID", Ticket(0), body).map(|_| ());
    let other = body(&format!("<body xmlns='{NAMESPACE}' rid='1' sid='x'/>"));
    assert_eq!(open(&other), Err(Condition::BadRequest));
    assert_eq!(open(&asked("newkey='short'")), Err(Condition::BadRequest));
}

#[test]
fn requests_are_held_until_there_is_something_to_say_or_their_time_is_up() {
    let mut talk = Talk::new("");
    let first = talk.ask(1, "", "");
    talk.seconds(59);
    assert!(talk.waits(first));
    talk.seconds(1);
    assert_eq!(talk.text(first), EMPTY);
    let second = talk.ask(2, "", &message(1));
    assert_eq!(talk.heard(), [message(1)]);
    assert!(talk.waits(second));
    talk.say(&message(2));
    assert_eq!(talk.text(second), holding(&message(2)));
    // Nothing is held: what comes now waits for the next request.
    assert!(!talk.session.has_room());
    talk.say(&message(3));
    talk.say(&message(4));
    let third = talk.ask(3, "", "");
    assert_eq!(
        talk.text(third),
        holding(&format!("{}{}", message(3), message(4)))
    );
}

#[test]
fn no_more_requests_are_held_than_agreed() {
    let mut talk = Talk::opened("ver='1.11' hold='5' wait='60'");
    assert!(talk.text(0).contains(" requests='3' hold='2'"));
    let requests: Vec<_> = (1..=4)
        .map(|rid| talk.ask(rid, "", &message(rid)))
        .collect();
    assert_eq!(
        (talk.text(requests[0]), talk.text(requests[1])),
        (EMPTY, EMPTY)
    );
    assert!(talk.waits(requests[2]) && talk.waits(requests[3]));
    talk.say(&message("a"));
    assert_eq!(talk.text(requests[2]), holding(&message("a")));
    assert!(talk.waits(requests[3]));
}

#[test]
fn a_session_that_nobody_knows_ends_at_once() {
    let mut talk = Talk::silent("ver='1.11' hold='1'");
    // Whoever has guessed it is not left waiting.
    let guess = talk.ask(2, "", "");
    talk.lose(0);
    assert!(talk.session.is_over());
    assert_eq!(talk.heard(), ["gone"]);
    assert_eq!(talk.text(guess), ended("other-request"));
}
