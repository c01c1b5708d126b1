//! What clients can: XEP-0115 and XEP-0390, as conversations with one session or with several that share what is known.

use services::caps::Interests;

use super::common::{Outcome, juliet, send};
use crate::action::Action;
use crate::client::Client;

/// The hash of [`MOOD`] by XEP-0115, and by XEP-0390.
const VER: &str = "LHPa/8sCwIDcAZdpK1MbkHeZxuI=";
const VER2: &str = "BIBM2oXOAt7WX+f0fEXQ1vKzqeVY7CkNMpU1AKW38FQ=";
const MOOD: &str = "<identity category='client' type='pc' name='x'/>\
    <feature var='http://jabber.org/protocol/disco#info'/><feature var='http://jabber.org/protocol/mood+notify'/>";

fn first(ver: &str) -> String {
    format!(
        "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:x' ver='{ver}'/></presence>"
    )
}

/// Two clients of one server.
fn two() -> (Client, Client) {
    let one = juliet();
    let service = std::sync::Arc::clone(&one.service);
    let address = presence::Address::parse("romeo@example.com/orchard").unwrap();
    (one, Client::new(address, None, service))
}

/// The question that an available presence led to: its id and node.
fn question(outcome: Outcome) -> (String, String) {
    assert!(
        matches!(outcome.actions.as_slice(), [Action::Available(_)]),
        "{outcome:?}"
    );
    let [iq] = outcome.replies.as_slice() else {
        panic!("{outcome:?}");
    };
    assert_eq!(iq.attr("type"), Some("get"));
    assert_eq!(iq.attr("from"), Some("example.com"));
    let query = iq
        .get_child("query", "http://jabber.org/protocol/disco#info")
        .unwrap();
    let node = query.attr("node").unwrap().to_owned();
    (iq.attr("id").unwrap().to_owned(), node)
}

fn answer(id: &str, content: &str) -> String {
    format!(
        "<iq type='result' id='{id}' to='example.com'><query xmlns='http://jabber.org/protocol/disco#info'>{content}</query></iq>"
    )
}

fn interests(outcome: &Outcome) -> Option<Interests> {
    assert!(outcome.replies.is_empty(), "{outcome:?}");
    outcome.actions.iter().find_map(|action| match action {
        Action::Interests(interests) => Some(interests.clone()),
        _ => None,
    })
}

fn moods() -> Interests {
    Interests::new(["http://jabber.org/protocol/mood"])
}

#[test]
fn an_unknown_hash_is_asked_for_once_and_known_to_all() {
    let (mut one, mut two) = two();
    let (id, node) = question(send(&mut one, &first(VER)));
    assert_eq!(node, format!("urn:x#{VER}"));
    // The same again asks nothing, answered or not.
    assert!(matches!(
        send(&mut one, &first(VER)).action(),
        Action::Available(_)
    ));
    let told = send(&mut one, &answer(&id, MOOD));
    assert_eq!(interests(&told), Some(moods()));
    assert_eq!(interests(&send(&mut one, &first(VER))), None);
    assert_eq!(interests(&send(&mut two, &first(VER))), Some(moods()));
    send(&mut one, &answer(&id, MOOD)).nothing();
}

#[test]
fn the_newer_specification_goes_first() {
    let (mut one, mut two) = two();
    let newer = format!(
        "<c xmlns='urn:xmpp:caps'><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>{VER2}</hash></c></presence>"
    );
    let both = first(VER).replace("</presence>", &newer);
    let (id, node) = question(send(&mut one, &both));
    assert_eq!(node, format!("urn:xmpp:caps#sha-256.{VER2}"));
    assert_eq!(
        interests(&send(&mut one, &answer(&id, MOOD))),
        Some(moods())
    );
    assert_eq!(interests(&send(&mut two, &both)), Some(moods()));
}

#[test]
fn a_wrong_hash_counts_for_nobody_else() {
    let (mut one, mut two) = two();
    let wrong = first("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let (id, _) = question(send(&mut one, &wrong));
    assert_eq!(
        interests(&send(&mut one, &answer(&id, MOOD))),
        Some(moods())
    );
    let (id, _) = question(send(&mut two, &wrong));
    assert!(one.service.capabilities.is_empty());
    // Nor does an answer that nobody asked for.
    send(&mut two, &answer("caps-7", MOOD)).nothing();
    let other = answer(&id, MOOD).replace("example.com", "juliet@example.com");
    send(&mut two, &other).nothing();
    assert!(one.service.capabilities.is_empty());
}

#[test]
fn what_cannot_be_checked_counts_for_the_client_alone() {
    for hash in ["", "hash='md5'"] {
        let (mut one, mut two) = two();
        let odd = first("1.0").replace("hash='sha-1'", hash);
        let (id, node) = question(send(&mut one, &odd));
        assert_eq!(node, "urn:x#1.0");
        assert_eq!(
            interests(&send(&mut one, &answer(&id, MOOD))),
            Some(moods())
        );
        question(send(&mut two, &odd));
    }
}

#[test]
fn who_does_not_answer_is_not_asked_again() {
    let (mut one, _) = two();
    let (id, _) = question(send(&mut one, &first(VER)));
    for _ in 0..3 {
        assert!(matches!(
            send(&mut one, &first(VER)).action(),
            Action::Available(_)
        ));
    }
    let error = format!(
        "<iq type='error' id='{id}' to='example.com'><error type='cancel'>\
         <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    );
    send(&mut one, &error).nothing();
    send(&mut one, &answer(&id, MOOD)).nothing();
    assert!(matches!(
        send(&mut one, &first(VER)).action(),
        Action::Available(_)
    ));
}

#[test]
fn who_changes_is_asked_anew() {
    let (mut one, _) = two();
    let (old, _) = question(send(&mut one, &first("old=")));
    let (new, _) = question(send(&mut one, &first(VER)));
    assert_ne!(old, new);
    send(&mut one, &answer(&old, "")).nothing();
    assert_eq!(
        interests(&send(&mut one, &answer(&new, MOOD))),
        Some(moods())
    );
    // What is sent to one contact alone says nothing to the server.
    let directed = first("other=").replace("<presence", "<presence to='romeo@example.com'");
    assert!(matches!(
        send(&mut one, &directed).action(),
        Action::Directed { .. }
    ));
}
