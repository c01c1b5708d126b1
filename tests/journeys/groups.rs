//! Shared groups: who is in one is in the others' rosters without asking.

use std::time::Duration;

use model::commit::Reply;

use super::{Chat, Phone, World, address, bare};

fn add(world: &mut World, group: &str, who: &[&str]) {
    let who = who.iter().map(|name| bare(name)).collect();
    world.model.group_add(group, who, false, &Reply::ignored());
    world.settle();
}

fn remove(world: &mut World, group: &str, who: &[&str]) {
    let who = who.iter().map(|name| bare(name)).collect();
    world
        .model
        .group_remove(group, who, false, &Reply::ignored());
    world.settle();
}

/// The roster of a client that has just come, `name subscription groups` a contact.
fn roster(world: &mut World, chat: &mut Chat) -> Vec<String> {
    let query = "<query xmlns='jabber:iq:roster'/>";
    items(&chat.ask(world, "get", None, query))
}

fn items(stanza: &xml::Element) -> Vec<String> {
    let Some(query) = stanza.child("query", "jabber:iq:roster") else {
        return Vec::new();
    };
    let item = |item: xml::Child<'_>| {
        let groups: Vec<_> = item.children().map(|g| g.text().into_owned()).collect();
        let jid = item.attribute("jid").unwrap().into_owned();
        let name = jid.split('@').next().unwrap_or_default().to_owned();
        let subscription = item.attribute("subscription").unwrap().into_owned();
        format!("{name} {subscription} {}", groups.join(","))
            .trim_end()
            .to_owned()
    };
    query.children().map(item).collect()
}

/// What came since the last reading: pushes as in [`roster`], presence as `name resource state`.
fn news(chat: &Chat) -> Vec<String> {
    let mut news = Vec::new();
    for stanza in chat.read() {
        news.extend(items(&stanza));
        if stanza.name() == "presence" {
            let from = stanza.attribute("from").unwrap().into_owned();
            let (name, rest) = from.split_once('@').unwrap();
            let resource = rest.split_once('/').map_or("", |(_, r)| r);
            let kind = stanza.attribute("type").map(std::borrow::Cow::into_owned);
            let kind = kind.unwrap_or_else(|| "available".to_owned());
            news.push(format!("{name} {resource} {kind}"));
        }
    }
    news.sort();
    news
}

/// Ann, Bob and Eve must ask to see each other; Ann and Bob are in one group.
fn office() -> World {
    let mut world = World::asking(&["ann", "bob", "eve"]);
    add(&mut world, "Sales", &["ann", "bob"]);
    world
}

#[test]
fn members_see_each_other_from_the_login_on() {
    let mut world = office();
    let mut ann = Chat::connect(&world, "ann", "desk");
    assert_eq!(roster(&mut world, &mut ann), ["bob both Sales"]);
    ann.send(&mut world, "<presence/>");
    ann.read();
    let mut bob = Chat::online(&mut world, "bob", "desk");
    assert_eq!(
        ann.saw("bob"),
        [("desk".to_owned(), "available".to_owned())]
    );
    assert_eq!(
        bob.saw("ann"),
        [("desk".to_owned(), "available".to_owned())]
    );
    let eve = Chat::online(&mut world, "eve", "desk");
    assert!(ann.read().is_empty() && bob.read().is_empty());
    assert_eq!(eve.saw("ann"), []);
    // The phone of a member watches without asking, that of a stranger waits.
    let mut phone = Phone::new("bob", 2);
    phone.subscribe(&mut world, "ann");
    assert!(phone.sees(&mut world).is_open());
    let mut other = Phone::new("eve", 3);
    other.subscribe(&mut world, "ann");
    let told = other.told(&mut world);
    assert!(told.iter().all(|(state, _)| state == "pending"), "{told:?}");
    bob.send(&mut world, "<presence type='unavailable'/>");
    assert_eq!(
        ann.saw("bob"),
        [("desk".to_owned(), "unavailable".to_owned())]
    );
}

#[test]
fn who_comes_and_who_goes_while_all_are_there() {
    let mut world = office();
    let ann = Chat::online(&mut world, "ann", "desk");
    let bob = Chat::online(&mut world, "bob", "desk");
    let eve = Chat::online(&mut world, "eve", "desk");
    let mut phone = Phone::new("bob", 2);
    phone.subscribe(&mut world, "ann");
    assert!(phone.sees(&mut world).is_open());
    for chat in [&ann, &bob, &eve] {
        chat.read();
    }
    add(&mut world, "Sales", &["eve"]);
    assert_eq!(news(&ann), ["eve both Sales", "eve desk available"]);
    assert_eq!(news(&bob), ["eve both Sales", "eve desk available"]);
    assert_eq!(
        news(&eve),
        [
            "ann both Sales",
            "ann desk available",
            "bob both Sales",
            "bob desk available"
        ]
    );
    remove(&mut world, "Sales", &["bob"]);
    assert_eq!(news(&ann), ["bob desk unavailable", "bob remove"]);
    assert_eq!(news(&eve), ["bob desk unavailable", "bob remove"]);
    assert_eq!(
        news(&bob),
        [
            "ann desk unavailable",
            "ann remove",
            "eve desk unavailable",
            "eve remove"
        ]
    );
    // His phone is not told of her any more.
    let told = phone.told(&mut world);
    assert!(told.iter().all(|(state, _)| state != "active"), "{told:?}");
    let mut ann = ann;
    ann.send(&mut world, "<presence><status>later</status></presence>");
    world.pass(Duration::from_secs(5));
    assert!(news(&bob).is_empty());
    assert!(
        phone
            .told(&mut world)
            .iter()
            .all(|(_, pidf)| pidf.is_none())
    );
    // Two groups in common: leaving one changes the name alone.
    add(&mut world, "Board", &["ann", "eve"]);
    assert_eq!(
        news(&eve),
        ["ann both Board,Sales", "ann desk available"],
        "what she said"
    );
    remove(&mut world, "Sales", &["eve"]);
    assert_eq!(news(&eve), ["ann both Board"]);
    // A group that ends.
    ann.read();
    remove(&mut world, "Board", &[]);
    assert_eq!(news(&ann), ["eve desk unavailable", "eve remove"]);
    assert_eq!(news(&eve), ["ann desk unavailable", "ann remove"]);
}

#[test]
fn a_member_who_is_blocked_is_out_of_sight_and_stays_in_the_list() {
    let mut world = office();
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Chat::online(&mut world, "bob", "desk");
    ann.read();
    bob.read();
    let block = "<block xmlns='urn:xmpp:blocking'><item jid='bob@office.example'/></block>";
    ann.ask(&mut world, "set", None, block);
    assert_eq!(
        bob.saw("ann"),
        [("desk".to_owned(), "unavailable".to_owned())]
    );
    assert_eq!(
        ann.saw("bob"),
        [("desk".to_owned(), "unavailable".to_owned())]
    );
    assert_eq!(roster(&mut world, &mut bob), ["ann both Sales"]);
    bob.send(&mut world, "<presence><show>away</show></presence>");
    ann.send(&mut world, "<presence><show>dnd</show></presence>");
    assert_eq!((ann.saw("bob"), bob.saw("ann")), (vec![], vec![]));
    // Not by coming anew into a group either.
    add(&mut world, "Board", &["ann", "bob"]);
    assert_eq!((ann.saw("bob"), bob.saw("ann")), (vec![], vec![]));
    let unblock = "<unblock xmlns='urn:xmpp:blocking'/>";
    ann.ask(&mut world, "set", None, unblock);
    assert_eq!(bob.saw("ann"), [("desk".to_owned(), "dnd".to_owned())]);
    assert_eq!(ann.saw("bob"), [("desk".to_owned(), "away".to_owned())]);
}

#[test]
fn an_account_that_is_deleted_or_disabled_is_in_no_list() {
    let mut world = office();
    add(&mut world, "Sales", &["eve"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let _bob = Chat::online(&mut world, "bob", "desk");
    let _eve = Chat::online(&mut world, "eve", "desk");
    ann.read();
    world.model.delete_account(&bare("bob"), &Reply::ignored());
    world.settle();
    assert_eq!(news(&ann), ["bob desk unavailable", "bob remove"]);
    world.model.disable(&bare("eve"), true, &Reply::ignored());
    world.settle();
    assert_eq!(news(&ann), ["eve desk unavailable", "eve remove"]);
    assert_eq!(roster(&mut world, &mut ann), [""; 0]);
    world.model.disable(&bare("eve"), false, &Reply::ignored());
    world.settle();
    assert_eq!(news(&ann), ["eve both Sales"]);
    // Who comes by the same name is somebody else.
    world.add("bob");
    assert_eq!(news(&ann), [""; 0]);
    let bob = Chat::online(&mut world, "bob", "desk");
    assert_eq!(bob.saw("ann"), []);
}

#[test]
fn a_restart_changes_nothing() {
    let mut world = office();
    let _ann = Chat::online(&mut world, "ann", "desk");
    let mut phone = Phone::new("bob", 2);
    phone.subscribe(&mut world, "ann");
    assert!(phone.sees(&mut world).is_open());
    world.restart(Duration::from_secs(5));
    let mut bob = Chat::connect(&world, "bob", "desk");
    assert_eq!(roster(&mut world, &mut bob), ["ann both Sales"]);
    bob.send(&mut world, "<presence/>");
    // As last known, until she had time to come back.
    assert_eq!(
        bob.saw("ann"),
        [("desk".to_owned(), "available".to_owned())]
    );
    let mut ann = Chat::online(&mut world, "ann", "desk");
    assert_eq!(
        ann.saw("bob"),
        [("desk".to_owned(), "available".to_owned())]
    );
    bob.read();
    world.pass(Duration::from_secs(120));
    assert_eq!(bob.saw("ann"), [], "she is there");
    // The phone's dialog goes on.
    phone.told(&mut world);
    ann.send(&mut world, "<presence><status>again</status></presence>");
    world.pass(Duration::from_secs(5));
    assert!(
        phone.sees(&mut world).has_note("again"),
        "{}",
        address("ann")
    );
    remove(&mut world, "Sales", &["bob"]);
    assert_eq!(
        news(&bob),
        ["ann desk available", "ann desk unavailable", "ann remove"]
    );
}
