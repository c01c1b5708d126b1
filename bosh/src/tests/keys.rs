//! Key sequences in a session (XEP-0124 §15).

use super::*;
use crate::keys::hashed;

/// A sequence, its first value to be shown last.
fn sequence(seed: &str) -> Vec<String> {
    let mut keys = vec![hashed(seed)];
    for at in 0..9 {
        keys.push(hashed(&keys[at]));
    }
    keys
}

fn protected(keys: &mut Vec<String>) -> Talk {
    Talk::new(&format!("newkey='{}'", keys.pop().unwrap()))
}

fn shown(key: &str) -> String {
    format!("key='{key}'")
}

#[test]
fn a_session_goes_on_from_key_to_key_and_sequence_to_sequence() {
    let mut keys = sequence("seed");
    let mut talk = protected(&mut keys);
    let mut rid = 0;
    while keys.len() > 1 {
        rid += 1;
        talk.ask(rid, &shown(&keys.pop().unwrap()), &message(rid));
    }
    let mut next = sequence("another");
    let switch = format!("{} newkey='{}'", shown(&keys[0]), next.pop().unwrap());
    talk.ask(rid + 1, &switch, &message(rid + 1));
    talk.ask(rid + 2, &shown(&next[8]), &message(rid + 2));
    assert_eq!(talk.heard().len(), 10);
    let wrong = talk.ask(rid + 3, &shown(&next[6]), &message("wrong"));
    assert_eq!(talk.text(wrong), ended("item-not-found"));
    assert_eq!(
        talk.heard(),
        ["lost: item-not-found"],
        "it was not looked at"
    );
}

#[test]
fn a_request_without_key_is_not_the_clients() {
    let mut talk = protected(&mut sequence("seed"));
    let held = talk.ask(1, "", &message(1));
    assert_eq!(talk.text(held), ended("item-not-found"));
    assert!(talk.session.is_over());
}

#[test]
fn keys_are_looked_at_in_the_order_of_the_requests() {
    let mut keys = sequence("seed");
    let mut talk = protected(&mut keys);
    talk.ask(2, &shown(&keys[7]), &message(2));
    talk.ask(1, &shown(&keys[8]), &message(1));
    assert_eq!(talk.heard(), [message(1), message(2)]);
}

#[test]
fn a_repetition_shows_the_same_key() {
    let mut keys = sequence("seed");
    let mut talk = protected(&mut keys);
    let first = talk.ask(1, &shown(&keys[8]), &message(1));
    let again = talk.ask(1, &shown(&keys[8]), &message(1));
    assert_eq!(talk.text(first), AGAIN);
    talk.say(&message("a"));
    let third = talk.ask(1, &shown(&keys[8]), &message(1));
    assert_eq!(talk.text(third), talk.text(again));
    // Who asks for an answer without it is somebody else, also while one is held.
    let stolen = talk.ask(1, "", "");
    assert_eq!(talk.text(stolen), ended("item-not-found"));
    let mut talk = protected(&mut sequence("seed"));
    let held = talk.ask(1, &shown(&keys[8]), &message(1));
    let stolen = talk.ask(1, &shown(&keys[7]), &message(1));
    assert_eq!(talk.text(stolen), ended("item-not-found"));
    assert_eq!(talk.text(held), ended("other-request"));
}
