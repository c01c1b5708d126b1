//! PEP (XEP-0163): who is told what, and when.

use std::time::Duration;

use super::{Chat, World, address};

const MOOD: &str = "http://jabber.org/protocol/mood";
const TUNE: &str = "http://jabber.org/protocol/tune";
const PUBSUB: &str = "http://jabber.org/protocol/pubsub";

/// Publishes a text in a node, with these options.
fn publish(world: &mut World, chat: &mut Chat, node: &str, id: &str, text: &str, options: &str) {
    let answer = try_publish(world, chat, node, id, text, options);
    assert_eq!(
        answer.attribute("type").as_deref(),
        Some("result"),
        "{answer:?}"
    );
}

fn try_publish(
    world: &mut World,
    chat: &mut Chat,
    node: &str,
    id: &str,
    text: &str,
    options: &str,
) -> xml::Element {
    let options = if options.is_empty() {
        String::new()
    } else {
        format!(
            "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>\
             <value>{PUBSUB}#publish-options</value></field>{options}</x></publish-options>"
        )
    };
    let payload = format!(
        "<pubsub xmlns='{PUBSUB}'><publish node='{node}'><item id='{id}'><t xmlns='urn:t'>{text}</t></item>\
         </publish>{options}</pubsub>"
    );
    chat.ask(world, "set", None, &payload)
}

fn field(name: &str, value: &str) -> String {
    format!("<field var='pubsub#{name}'><value>{value}</value></field>")
}

fn told(who: &str, node: &str, what: &str) -> (String, String, String) {
    (address(who), node.to_owned(), what.to_owned())
}

fn office() -> World {
    let mut world = World::open(&["ann", "bob", "eve"]);
    world.befriend("ann", "bob");
    world
}

#[test]
fn who_wants_to_know_is_told_and_nobody_else() {
    let mut world = office();
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut phone = Chat::connect(&world, "ann", "phone");
    let mut bob = Chat::connect(&world, "bob", "desk");
    let mut eve = Chat::connect(&world, "eve", "desk");
    let other = Chat::online(&mut world, "bob", "other");
    phone.wants(&mut world, &[MOOD]);
    bob.wants(&mut world, &[MOOD, TUNE]);
    eve.wants(&mut world, &[MOOD]);
    publish(&mut world, &mut ann, MOOD, "1", "happy", "");
    let happy = told("ann", MOOD, "item 1 happy");
    assert_eq!(bob.notified(), std::slice::from_ref(&happy));
    assert_eq!(phone.notified(), [happy]);
    // She did not say that she wants them; a stranger may not see; and one of Bob's clients does not want them.
    assert_eq!(ann.notified(), []);
    assert_eq!(eve.notified(), []);
    assert_eq!(other.notified(), []);
    publish(&mut world, &mut ann, TUNE, "1", "song", "");
    assert_eq!(bob.notified(), [told("ann", TUNE, "item 1 song")]);
    assert_eq!(phone.notified(), []);
}

#[test]
fn a_notification_is_for_the_session_and_from_the_account() {
    let mut world = office();
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Chat::connect(&world, "bob", "desk");
    bob.wants(&mut world, &[MOOD]);
    bob.read();
    publish(&mut world, &mut ann, MOOD, "1", "happy", "");
    let [message] = bob.read().try_into().unwrap();
    assert_eq!(
        message.attribute("to").as_deref(),
        Some("bob@office.example/desk")
    );
    assert_eq!(
        message.attribute("from").as_deref(),
        Some("ann@office.example")
    );
    assert_eq!(message.attribute("type").as_deref(), Some("headline"));
}

#[test]
fn the_last_item_comes_with_the_first_presence() {
    let mut world = office();
    let mut ann = Chat::online(&mut world, "ann", "desk");
    publish(&mut world, &mut ann, MOOD, "1", "happy", "");
    publish(&mut world, &mut ann, MOOD, "2", "tired", "");
    publish(&mut world, &mut ann, TUNE, "1", "song", "");
    ann.send(&mut world, "<presence type='unavailable'/>");
    let mut bob = Chat::connect(&world, "bob", "desk");
    bob.wants(&mut world, &[MOOD]);
    let last = told("ann", MOOD, "item 2 tired late");
    assert_eq!(bob.notified(), std::slice::from_ref(&last));
    // Not with every presence: after he was away again, and for what is new to him.
    bob.send(&mut world, "<presence><show>away</show></presence>");
    assert_eq!(bob.notified(), []);
    bob.wants(&mut world, &[MOOD, TUNE]);
    assert_eq!(bob.notified(), [told("ann", TUNE, "item 1 song late")]);
    bob.send(&mut world, "<presence type='unavailable'/>");
    bob.send(&mut world, "<presence/>");
    assert_eq!(
        bob.notified(),
        [last, told("ann", TUNE, "item 1 song late")]
    );
    // One's own come too.
    let mut phone = Chat::connect(&world, "ann", "phone");
    phone.wants(&mut world, &[MOOD]);
    assert_eq!(phone.notified(), [told("ann", MOOD, "item 2 tired late")]);
    // Not to a stranger.
    let mut eve = Chat::connect(&world, "eve", "desk");
    eve.wants(&mut world, &[MOOD]);
    assert_eq!(eve.notified(), []);
}

#[test]
fn who_gets_to_see_somebody_gets_the_last_item() {
    let mut world = office();
    let mut ann = Chat::online(&mut world, "ann", "desk");
    publish(&mut world, &mut ann, MOOD, "1", "happy", "");
    let mut eve = Chat::connect(&world, "eve", "desk");
    eve.wants(&mut world, &[MOOD]);
    assert_eq!(eve.notified(), []);
    world.befriend("ann", "eve");
    assert_eq!(eve.notified(), [told("ann", MOOD, "item 1 happy late")]);
    // And who loses the right is told nothing more.
    ann.send(
        &mut world,
        "<presence type='unsubscribed' to='eve@office.example'/>",
    );
    publish(&mut world, &mut ann, MOOD, "2", "sad", "");
    assert_eq!(eve.notified(), []);
}

#[test]
fn options_make_the_node_and_are_held_against_it() {
    let mut world = office();
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut phone = Chat::connect(&world, "ann", "phone");
    let mut bob = Chat::connect(&world, "bob", "desk");
    let bookmarks = "urn:xmpp:bookmarks:1";
    phone.wants(&mut world, &[bookmarks]);
    bob.wants(&mut world, &[bookmarks]);
    // XEP-0223: private data.
    let private = [
        field("persist_items", "true"),
        field("max_items", "max"),
        field("send_last_published_item", "never"),
        field("access_model", "whitelist"),
    ]
    .concat();
    for (id, text) in [("room1", "one"), ("room2", "two"), ("room1", "again")] {
        publish(&mut world, &mut ann, bookmarks, id, text, &private);
    }
    let events: Vec<_> = phone
        .notified()
        .into_iter()
        .map(|(_, _, what)| what)
        .collect();
    assert_eq!(
        events,
        ["item room1 one", "item room2 two", "item room1 again"]
    );
    assert_eq!(bob.notified(), []);
    let items = format!("<pubsub xmlns='{PUBSUB}'><items node='{bookmarks}'/></pubsub>");
    let read = ann.ask(&mut world, "get", None, &items);
    assert_eq!(texts(&read), ["two", "again"]);
    let refused = bob.ask(&mut world, "get", Some("ann@office.example"), &items);
    assert_eq!(
        conditions(&refused),
        ["cancel", "not-allowed", "closed-node"]
    );
    // Another wish does not fit, and changes nothing (XEP-0060 §7.1.5).
    for options in [field("access_model", "open"), field("odd", "1")] {
        let refused = try_publish(&mut world, &mut ann, bookmarks, "room3", "three", &options);
        assert_eq!(
            conditions(&refused),
            ["cancel", "conflict", "precondition-not-met"]
        );
    }
    let read = ann.ask(&mut world, "get", None, &items);
    assert_eq!(texts(&read), ["two", "again"]);
    // Never means never.
    phone.send(&mut world, "<presence type='unavailable'/>");
    phone.send(&mut world, "<presence/>");
    assert_eq!(phone.notified(), []);
}

#[test]
fn public_data_is_for_everybody() {
    let mut world = office();
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut eve = Chat::online(&mut world, "eve", "desk");
    let node = "eu.siacs.conversations.axolotl.devicelist";
    // XEP-0222, and how OMEMO uses it: a list of devices for everybody.
    publish(
        &mut world,
        &mut ann,
        node,
        "current",
        "7",
        &field("access_model", "open"),
    );
    let items = format!("<pubsub xmlns='{PUBSUB}'><items node='{node}'/></pubsub>");
    let read = eve.ask(&mut world, "get", Some("ann@office.example"), &items);
    assert_eq!(texts(&read), ["7"]);
    publish(
        &mut world,
        &mut ann,
        node,
        "current",
        "7 8",
        &field("access_model", "open"),
    );
    let read = eve.ask(&mut world, "get", Some("ann@office.example"), &items);
    assert_eq!(texts(&read), ["7 8"]);
}

#[test]
fn the_blocked_hear_nothing() {
    let mut world = office();
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Chat::connect(&world, "bob", "desk");
    bob.wants(&mut world, &[MOOD]);
    publish(
        &mut world,
        &mut ann,
        MOOD,
        "1",
        "happy",
        &field("access_model", "open"),
    );
    assert_eq!(bob.notified().len(), 1);
    let block = "<block xmlns='urn:xmpp:blocking'><item jid='bob@office.example'/></block>";
    ann.ask(&mut world, "set", None, block);
    publish(&mut world, &mut ann, MOOD, "1", "secret", "");
    bob.send(&mut world, "<presence type='unavailable'/>");
    bob.send(&mut world, "<presence/>");
    assert_eq!(bob.notified(), []);
    let items = format!("<pubsub xmlns='{PUBSUB}'><items node='{MOOD}'/></pubsub>");
    let refused = bob.ask(&mut world, "get", Some("ann@office.example"), &items);
    assert_eq!(conditions(&refused), ["cancel", "service-unavailable"]);
}

#[test]
fn nodes_nobody_wants_rest_on_the_disk() {
    let mut world = office();
    let mut ann = Chat::online(&mut world, "ann", "desk");
    publish(&mut world, &mut ann, MOOD, "1", "happy", "");
    world.pass(Duration::from_secs(3600));
    let items = format!("<pubsub xmlns='{PUBSUB}'><items node='{MOOD}'/></pubsub>");
    assert_eq!(texts(&ann.ask(&mut world, "get", None, &items)), ["happy"]);
    publish(&mut world, &mut ann, MOOD, "2", "sad", "");
    assert_eq!(texts(&ann.ask(&mut world, "get", None, &items)), ["sad"]);
}

/// The texts of the payloads in an answer.
pub(super) fn texts(answer: &xml::Element) -> Vec<String> {
    let pubsub = answer
        .child("pubsub", PUBSUB)
        .unwrap_or_else(|| panic!("{answer:?}"));
    let items = pubsub.child("items", PUBSUB).unwrap();
    let payloads = items
        .children()
        .map(|i| i.children().next().unwrap().text().into_owned());
    payloads.collect()
}

/// The type of an error and its conditions.
pub(super) fn conditions(answer: &xml::Element) -> Vec<String> {
    let error = answer
        .child("error", "jabber:client")
        .unwrap_or_else(|| panic!("{answer:?}"));
    let mut all = vec![error.attribute("type").unwrap().into_owned()];
    let more = error.children().filter(|c| c.name() != "text");
    all.extend(more.map(|c| c.name().to_owned()));
    all
}

#[test]
fn fellows_of_a_shared_group_are_told() {
    let mut world = World::open(&["ann", "bob", "eve"]);
    let members = ["ann", "bob"].map(super::bare).into_iter().collect();
    let reply = model::commit::Reply::ignored();
    world.model.group_add("Sales", members, false, &reply);
    world.settle();
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Chat::connect(&world, "bob", "desk");
    let mut eve = Chat::connect(&world, "eve", "desk");
    bob.wants(&mut world, &[MOOD]);
    eve.wants(&mut world, &[MOOD]);
    publish(&mut world, &mut ann, MOOD, "1", "happy", "");
    assert_eq!(bob.notified(), [told("ann", MOOD, "item 1 happy")]);
    // For those of the group's name too, and for the last item.
    let sales = [
        field("access_model", "roster"),
        field("roster_groups_allowed", "Sales"),
    ]
    .concat();
    publish(&mut world, &mut ann, TUNE, "1", "song", &sales);
    bob.wants(&mut world, &[MOOD, TUNE]);
    assert_eq!(bob.notified(), [told("ann", TUNE, "item 1 song late")]);
    publish(&mut world, &mut ann, TUNE, "2", "hymn", "");
    assert_eq!(bob.notified(), [told("ann", TUNE, "item 2 hymn")]);
    assert_eq!(eve.notified(), []);
    // Who leaves the group is told no more.
    let members = [super::bare("bob")].into_iter().collect();
    world.model.group_remove("Sales", members, false, &reply);
    world.settle();
    publish(&mut world, &mut ann, MOOD, "2", "tired", "");
    assert_eq!(bob.notified(), []);
}

/// XEP-0292: a card of today is what everybody may read, and those who want to know are told that it is another.
#[test]
fn a_card_of_today_is_for_everybody() {
    let mut world = office();
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Chat::connect(&world, "bob", "desk");
    let mut eve = Chat::online(&mut world, "eve", "desk");
    let node = "urn:xmpp:vcard4";
    bob.wants(&mut world, &[node]);
    let open = field("access_model", "open");
    publish(&mut world, &mut ann, node, "current", "Ann Other", &open);
    assert_eq!(
        bob.notified(),
        [told("ann", node, "item current Ann Other")]
    );
    let items = format!("<pubsub xmlns='{PUBSUB}'><items node='{node}'/></pubsub>");
    let read = eve.ask(&mut world, "get", Some("ann@office.example"), &items);
    assert_eq!(texts(&read), ["Ann Other"]);
    let none = eve.ask(&mut world, "get", Some("bob@office.example"), &items);
    assert_eq!(conditions(&none), ["cancel", "item-not-found"]);
    // What there was before version 0.12 is nothing that anybody answers.
    let old = "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>";
    let refused = ann.ask(&mut world, "get", None, old);
    assert_eq!(conditions(&refused), ["cancel", "service-unavailable"]);
    let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    let features = format!("{:?}", ann.ask(&mut world, "get", None, info));
    assert!(
        features.contains("urn:ietf:params:xml:ns:vcard-4.0"),
        "{features}"
    );
}
