//! Search of the office directory: after the examples and the error cases of XEP-0055.

use ::xml::Element;
use model::commit::Reply;

use super::person::{error, inner};
use super::world::DOMAIN;
use super::{Chat, World, bare};

const OFFICE: Option<&str> = Some(DOMAIN);

fn office() -> (World, Chat) {
    let mut world = World::open(&["ann", "bob", "carol", "dave"]);
    for (name, first, last) in [("bob", "Bob", "Björk"), ("carol", "Carol", "Björk")] {
        let mut chat = Chat::connect(&world, name, "desk");
        let card = format!(
            "<vCard xmlns='vcard-temp'><FN>{first} {last}</FN><N><FAMILY>{last}</FAMILY><GIVEN>{first}</GIVEN></N>\
             <EMAIL><USERID>{name}@mail.example</USERID></EMAIL></vCard>"
        );
        chat.ask(&mut world, "set", None, &card);
    }
    let ann = Chat::connect(&world, "ann", "desk");
    (world, ann)
}

fn query(inner: &str) -> String {
    format!("<query xmlns='jabber:iq:search'>{inner}</query>")
}

fn form(fields: &[(&str, &str)]) -> String {
    let fields = fields
        .iter()
        .map(|(var, value)| format!("<field var='{var}'><value>{value}</value></field>"));
    let fields = fields.collect::<Vec<_>>().concat();
    query(&format!(
        "<x xmlns='jabber:x:data' type='submit'>{fields}</x>"
    ))
}

/// Whom a plain search finds.
fn found(world: &mut World, ann: &mut Chat, inner: &str) -> Vec<String> {
    let answer = ann.ask(world, "set", OFFICE, &query(inner));
    let query = answer.child("query", "jabber:iq:search").unwrap();
    let jids = query
        .children()
        .map(|c| c.attribute("jid").unwrap().into_owned());
    jids.collect()
}

/// Whom a search by form finds.
fn found_by_form(answer: &Element) -> Vec<String> {
    let query = answer.child("query", "jabber:iq:search").unwrap();
    let x = query.child("x", "jabber:x:data").unwrap();
    assert_eq!(x.attribute("type").as_deref(), Some("result"));
    let items = x.children().filter(|c| c.name() == "item");
    let jids = items.map(|item| {
        let mut fields = item.children();
        let jid = fields.find(|f| f.attribute("var").as_deref() == Some("jid"));
        jid.unwrap()
            .child("value", "jabber:x:data")
            .unwrap()
            .text()
            .into_owned()
    });
    jids.collect()
}

#[test]
fn the_fields_are_told_plain_and_as_a_form() {
    let (mut world, mut ann) = office();
    let answer = ann.ask(&mut world, "get", OFFICE, &query(""));
    let told = answer.child("query", "jabber:iq:search").unwrap();
    for name in ["instructions", "first", "last", "nick", "email"] {
        assert!(told.child(name, "jabber:iq:search").is_some(), "{name}");
    }
    let form = told.child("x", "jabber:x:data").unwrap();
    let kind = form
        .children()
        .find(|f| f.attribute("var").as_deref() == Some("FORM_TYPE"));
    assert_eq!(
        kind.unwrap()
            .child("value", "jabber:x:data")
            .unwrap()
            .text(),
        "jabber:iq:search"
    );
}

#[test]
fn people_are_found_by_what_their_cards_say_and_by_their_addresses() {
    let (mut world, mut ann) = office();
    let answer = ann.ask(
        &mut world,
        "set",
        OFFICE,
        &query("<last>BJÖRK</last><first>bo</first>"),
    );
    assert_eq!(
        inner(&answer),
        query(
            "<item jid='bob@office.example'><first>Bob</first><last>Björk</last><nick>bob</nick>\
             <email>bob@mail.example</email></item>"
        )
    );
    let both = ["bob@office.example", "carol@office.example"];
    assert_eq!(found(&mut world, &mut ann, "<last>björk</last>"), both);
    // Who has no card has an address.
    assert_eq!(
        found(&mut world, &mut ann, "<nick>dav</nick>"),
        ["dave@office.example"]
    );
    let nobody = ann.ask(&mut world, "set", OFFICE, &query("<last>Smith</last>"));
    assert_eq!(inner(&nobody), "<query xmlns='jabber:iq:search'/>");
    for (fields, names) in [
        (
            vec![("FORM_TYPE", "jabber:iq:search"), ("search", "björk")],
            vec!["bob", "carol"],
        ),
        (vec![("search", "carol@"), ("email", "mail")], vec!["carol"]),
        (vec![("search", "*")], vec!["ann", "bob", "carol", "dave"]),
        (vec![("first", "x"), ("search", "björk")], vec![]),
    ] {
        let answer = ann.ask(&mut world, "set", OFFICE, &form(&fields));
        let addresses: Vec<String> = names.iter().map(|n| bare(n).to_string()).collect();
        assert_eq!(found_by_form(&answer), addresses, "{fields:?}");
    }
}

#[test]
fn a_search_is_only_for_open_accounts_of_the_domain_and_told_in_part() {
    let (mut world, mut ann) = office();
    world.model.disable(&bare("bob"), true, &Reply::ignored());
    world.settle();
    let last = "<last>björk</last>";
    assert_eq!(found(&mut world, &mut ann, last), ["carol@office.example"]);
    world.model.disable(&bare("bob"), false, &Reply::ignored());
    world.settle();
    assert_eq!(found(&mut world, &mut ann, last).len(), 2);
    for n in 0..120 {
        world.add(&format!("x{n}"));
    }
    assert_eq!(found(&mut world, &mut ann, "<nick>x</nick>").len(), 100);
}

#[test]
fn what_is_no_search_is_refused() {
    let (mut world, mut ann) = office();
    let form_of =
        |kind: &str, x: &str| query(&format!("<x xmlns='jabber:x:data' type='{kind}'>{x}</x>"));
    let other = "<field var='FORM_TYPE'><value>other</value></field>";
    for payload in [form_of("cancel", ""), form_of("submit", other)] {
        assert_eq!(
            error(&ann.ask(&mut world, "set", OFFICE, &payload)),
            "bad-request"
        );
    }
    let bob = Some("bob@office.example");
    let refused = ann.ask(&mut world, "set", bob, &query("<last>x</last>"));
    assert_eq!(error(&refused), "service-unavailable");
}
