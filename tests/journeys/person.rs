//! Cards and private storage: after the examples and the error cases of XEP-0054 and XEP-0049.

use ::xml::Element;

use super::{Chat, World};

const CARD: &str =
    "<vCard xmlns='vcard-temp'><FN>Ann Other</FN><TEL><WORK/><NUMBER>101</NUMBER></TEL></vCard>";
const NO_CARD: &str = "<vCard xmlns='vcard-temp'/>";
const BOB: Option<&str> = Some("bob@office.example");
const ANN: Option<&str> = Some("ann@office.example");

pub(super) fn inner(answer: &Element) -> String {
    assert_eq!(
        answer.attribute("type").as_deref(),
        Some("result"),
        "{answer:?}"
    );
    String::from_utf8(answer.inner().to_vec()).unwrap()
}

pub(super) fn error(answer: &Element) -> String {
    assert_eq!(
        answer.attribute("type").as_deref(),
        Some("error"),
        "{answer:?}"
    );
    let error = answer.child("error", "jabber:client").unwrap();
    error.children().next().unwrap().name().to_owned()
}

fn private(inner: &str) -> String {
    format!("<query xmlns='jabber:iq:private'>{inner}</query>")
}

#[test]
fn a_card_is_written_by_its_owner_and_read_by_all() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::connect(&world, "ann", "desk");
    let mut bob = Chat::connect(&world, "bob", "desk");
    assert_eq!(inner(&ann.ask(&mut world, "get", None, NO_CARD)), NO_CARD);
    assert_eq!(inner(&ann.ask(&mut world, "set", None, CARD)), "");
    assert_eq!(inner(&ann.ask(&mut world, "get", ANN, NO_CARD)), CARD);
    let answer = bob.ask(&mut world, "get", ANN, NO_CARD);
    assert_eq!(answer.attribute("from").as_deref(), ANN);
    assert_eq!(inner(&answer), CARD);
    // The whole card is replaced, and an empty one is none.
    let other = CARD.replace("<FN>Ann Other</FN>", "");
    ann.ask(&mut world, "set", ANN, &other);
    assert_eq!(inner(&bob.ask(&mut world, "get", ANN, NO_CARD)), other);
    ann.ask(&mut world, "set", None, NO_CARD);
    assert_eq!(
        error(&bob.ask(&mut world, "get", ANN, NO_CARD)),
        "item-not-found"
    );
}

#[test]
fn a_card_is_written_by_nobody_else() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::connect(&world, "ann", "desk");
    assert_eq!(error(&ann.ask(&mut world, "set", BOB, CARD)), "forbidden");
    let mut bob = Chat::connect(&world, "bob", "desk");
    assert_eq!(inner(&bob.ask(&mut world, "get", None, NO_CARD)), NO_CARD);
}

#[test]
fn nobody_learns_from_cards_who_exists() {
    let mut world = World::open(&["ann", "bob", "carol"]);
    let mut ann = Chat::connect(&world, "ann", "desk");
    let mut carol = Chat::connect(&world, "carol", "desk");
    carol.ask(&mut world, "set", None, CARD);
    let carol = bare_of("carol");
    world
        .model
        .disable(&carol, true, &model::commit::Reply::ignored());
    world.settle();
    let mut answers = ["bob", "carol", "nobody"].map(|name| {
        let to = format!("{name}@office.example");
        let answer = ann.ask(&mut world, "get", Some(&to), NO_CARD);
        String::from_utf8(answer.raw().to_vec())
            .unwrap()
            .replace(name, "x")
    });
    assert!(answers[0].contains("item-not-found"));
    answers.sort();
    assert_eq!(answers[0], answers[2]);
}

fn bare_of(name: &str) -> presence::Bare {
    super::world::bare(name)
}

#[test]
fn a_card_that_is_too_large_is_refused_and_changes_nothing() {
    let mut world = World::open(&["ann"]);
    let mut ann = Chat::connect(&world, "ann", "desk");
    ann.ask(&mut world, "set", None, CARD);
    let photo = "QQ==".repeat(50_000);
    let large =
        format!("<vCard xmlns='vcard-temp'><PHOTO><BINVAL>{photo}</BINVAL></PHOTO></vCard>");
    let answer = ann.ask(&mut world, "set", None, &large);
    assert_eq!(error(&answer), "resource-constraint");
    assert!(String::from_utf8_lossy(answer.raw()).contains("vcard_size"));
    assert_eq!(inner(&ann.ask(&mut world, "get", None, NO_CARD)), CARD);
}

#[test]
fn private_storage_keeps_what_it_is_given_by_name() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::connect(&world, "ann", "desk");
    let prefs = "<exodus xmlns='exodus:prefs'><defaultnick>Ann</defaultnick></exodus>";
    let rooms = "<storage xmlns='storage:bookmarks'><conference jid='r@x'/></storage>";
    let none = "<storage xmlns='storage:bookmarks'/>";
    let get = |ann: &mut Chat, world: &mut World, what: &str| {
        inner(&ann.ask(world, "get", None, &private(what)))
    };
    assert_eq!(get(&mut ann, &mut world, none), private(none));
    // Several at once.
    let both = private(&format!("{prefs}{rooms}"));
    assert_eq!(inner(&ann.ask(&mut world, "set", None, &both)), "");
    assert_eq!(get(&mut ann, &mut world, none), private(rooms));
    let other = "<exodus xmlns='exodus:prefs'/>";
    assert_eq!(get(&mut ann, &mut world, other), private(prefs));
    // The same name in another namespace is another thing.
    let elsewhere = "<storage xmlns='storage:rosternotes'/>";
    assert_eq!(get(&mut ann, &mut world, elsewhere), private(elsewhere));
    ann.ask(&mut world, "set", None, &private(none));
    assert_eq!(get(&mut ann, &mut world, none), private(none));
    assert_eq!(get(&mut ann, &mut world, other), private(prefs));
    let mut bob = Chat::connect(&world, "bob", "desk");
    assert_eq!(get(&mut bob, &mut world, other), private(other));
}

#[test]
fn private_storage_refuses_what_its_specification_names() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::connect(&world, "ann", "desk");
    let prefs = private("<exodus xmlns='exodus:prefs'><a/></exodus>");
    let cases = [
        ("set", BOB, prefs.clone(), "forbidden"),
        ("get", BOB, prefs, "forbidden"),
        ("set", None, private(""), "not-acceptable"),
        ("get", None, private(""), "bad-request"),
        (
            "get",
            None,
            private("<a xmlns='x'/><a xmlns='y'/>"),
            "bad-request",
        ),
        ("set", None, private("<a/>"), "not-acceptable"),
        (
            "set",
            None,
            private("<a xmlns='x'>1</a><a xmlns=''/>"),
            "not-acceptable",
        ),
        (
            "set",
            None,
            private("<a xmlns='jabber:client'/>"),
            "not-acceptable",
        ),
    ];
    for (kind, to, payload, condition) in cases {
        assert_eq!(
            error(&ann.ask(&mut world, kind, to, &payload)),
            condition,
            "{payload}"
        );
    }
    // Of what was refused nothing was kept.
    let none = private("<a xmlns='x'/>");
    assert_eq!(inner(&ann.ask(&mut world, "get", None, &none)), none);
}

#[test]
fn private_storage_is_bounded() {
    let mut world = World::open(&["ann"]);
    let mut ann = Chat::connect(&world, "ann", "desk");
    let kept = |n: usize, text: &str| private(&format!("<a xmlns='n:{n}'>{text}</a>"));
    for n in 0..100 {
        assert_eq!(inner(&ann.ask(&mut world, "set", None, &kept(n, "x"))), "");
    }
    let refused = ann.ask(&mut world, "set", None, &kept(100, "x"));
    assert_eq!(error(&refused), "resource-constraint");
    assert!(String::from_utf8_lossy(refused.raw()).contains("private_elements"));
    // What is there can be changed and taken away, but not grow without end.
    assert_eq!(inner(&ann.ask(&mut world, "set", None, &kept(0, "y"))), "");
    let long = "y".repeat(1 << 20);
    assert_eq!(
        error(&ann.ask(&mut world, "set", None, &kept(0, &long))),
        "resource-constraint"
    );
    assert_eq!(
        inner(&ann.ask(&mut world, "get", None, &kept(0, ""))),
        kept(0, "y")
    );
    ann.ask(&mut world, "set", None, &kept(0, "").replace("></a>", "/>"));
    assert_eq!(
        inner(&ann.ask(&mut world, "set", None, &kept(100, "x"))),
        ""
    );
}
