//! Commands of administrators: who sees and may do what (XEP-0050, XEP-0133), and what everybody is told.

use std::time::Duration;

use ::xml::Element;
use model::commit::Reply;

use super::person::{error, inner};
use super::world::DOMAIN;
use super::{Chat, Phone, World};

const OFFICE: Option<&str> = Some(DOMAIN);
const ITEMS: &str = "http://jabber.org/protocol/disco#items";
const INFO: &str = "http://jabber.org/protocol/disco#info";
const COMMANDS: &str = "http://jabber.org/protocol/commands";
const COUNT: &str = "http://jabber.org/protocol/admin#get-online-users-num";

fn execute(world: &mut World, chat: &mut Chat, node: &str, more: &str) -> Element {
    let command = format!("<command xmlns='{COMMANDS}' node='{node}' {more}/>");
    chat.ask(world, "set", OFFICE, &command)
}

fn query(namespace: &str, node: &str) -> String {
    format!("<query xmlns='{namespace}' node='{node}'/>")
}

/// What came as a message, and for whom.
fn told(chat: &Chat) -> Vec<String> {
    let messages = chat.read().into_iter().filter(|s| s.name() == "message");
    let told = messages.map(|s| {
        assert_eq!(s.attribute("from").as_deref(), OFFICE);
        assert_eq!(s.attribute("type").as_deref(), Some("headline"));
        s.child("body", "jabber:client")
            .unwrap()
            .text()
            .into_owned()
    });
    told.collect()
}

fn motd(world: &mut World, text: Option<&str>, anew: bool) {
    world.model.set_motd(text, anew, &Reply::ignored());
    world.settle();
}

#[test]
fn only_administrators_see_and_execute_commands() {
    let mut world = World::open(&["bob"]);
    world.add_admin("ann");
    let mut ann = Chat::connect(&world, "ann", "desk");
    let mut bob = Chat::connect(&world, "bob", "desk");
    let list = query(ITEMS, COMMANDS);
    let all = inner(&ann.ask(&mut world, "get", OFFICE, &list));
    assert_eq!(all.matches("<item ").count(), 17, "{all}");
    assert!(all.contains(COUNT), "{all}");
    let his = inner(&bob.ask(&mut world, "get", OFFICE, &list));
    assert_eq!(his.matches("<item ").count(), 2, "{his}");
    assert!(
        his.contains("#set-status") && his.contains("#clear-status"),
        "{his}"
    );
    let info = query(INFO, COUNT);
    let told = inner(&ann.ask(&mut world, "get", OFFICE, &info));
    assert!(told.contains("command-node"), "{told}");
    assert_eq!(
        error(&bob.ask(&mut world, "get", OFFICE, &info)),
        "forbidden"
    );
    let info = query(INFO, COMMANDS);
    let told = inner(&bob.ask(&mut world, "get", OFFICE, &info));
    assert!(told.contains("command-list"), "{told}");
    for namespace in [INFO, ITEMS] {
        let nothing = ann.ask(&mut world, "get", OFFICE, &query(namespace, "nothing"));
        assert_eq!(error(&nothing), "item-not-found");
    }
    assert_eq!(
        error(&execute(&mut world, &mut bob, COUNT, "")),
        "forbidden"
    );
    assert_eq!(
        error(&execute(&mut world, &mut bob, "nothing", "")),
        "item-not-found"
    );
    assert_eq!(error(&execute(&mut world, &mut bob, "", "")), "bad-request");
    // On an account there are none.
    let command = format!("<command xmlns='{COMMANDS}' node='{COUNT}'/>");
    let refused = ann.ask(&mut world, "set", Some("bob@office.example"), &command);
    assert_eq!(error(&refused), "service-unavailable");
}

#[test]
fn a_form_of_an_administrator_expires_and_rights_that_are_taken_are_gone_at_once() {
    let mut world = World::open(&[]);
    world.add_admin("ann");
    let mut ann = Chat::connect(&world, "ann", "desk");
    let add = "http://jabber.org/protocol/admin#add-user";
    let id = |answer: &Element| {
        let command = answer.child("command", COMMANDS).unwrap();
        format!("sessionid='{}'", command.attribute("sessionid").unwrap())
    };
    let first = id(&execute(&mut world, &mut ann, add, ""));
    world.pass(Duration::from_secs(600));
    let late = execute(&mut world, &mut ann, add, &first);
    assert_eq!(error(&late), "not-allowed");
    let second = id(&execute(&mut world, &mut ann, add, ""));
    world.set_admin("ann", false);
    assert_eq!(
        error(&execute(&mut world, &mut ann, add, &second)),
        "forbidden"
    );
}

#[test]
fn an_announcement_is_for_those_who_are_online() {
    let mut world = World::open(&["ann", "bob", "carol"]);
    let ann = [
        Chat::online(&mut world, "ann", "desk"),
        Chat::online(&mut world, "ann", "phone"),
    ];
    let bob = Chat::connect(&world, "bob", "desk");
    assert_eq!(world.model.announce("Fire & smoke"), 1);
    for ann in &ann {
        assert_eq!(told(ann), ["Fire & smoke"]);
    }
    assert!(told(&bob).is_empty());
    let mut carol = Chat::connect(&world, "carol", "desk");
    carol.send(&mut world, "<presence/>");
    assert!(told(&carol).is_empty());
}

#[test]
fn phones_hear_announcements_but_not_the_message_of_the_day() {
    let mut world = World::open(&["ann", "bob", "carol"]);
    let ann = Chat::online(&mut world, "ann", "desk");
    let mut phones = [Phone::new("ann", 1), Phone::new("bob", 2)];
    for phone in &mut phones {
        phone.register(&mut world, 3600);
    }
    // One account each, however many devices.
    assert_eq!(world.model.announce("Fire & smoke"), 2);
    world.settle();
    assert_eq!(told(&ann), ["Fire & smoke"]);
    for phone in &phones {
        assert_eq!(phone.messages(&mut world), ["Fire & smoke"]);
    }
    motd(&mut world, Some("Soup today"), true);
    phones[1].register(&mut world, 3600);
    world.settle();
    assert_eq!(told(&ann), ["Soup today"]);
    for phone in &phones {
        assert!(phone.messages(&mut world).is_empty());
    }
    phones[1].register(&mut world, 0);
    assert_eq!(world.model.announce("All clear"), 1);
}

#[test]
fn everybody_gets_the_message_of_the_day_once() {
    let mut world = World::open(&["ann", "bob", "carol"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    motd(&mut world, Some("Soup today"), true);
    assert_eq!(told(&ann), ["Soup today"]);
    let mut bob = Chat::connect(&world, "bob", "desk");
    assert!(told(&bob).is_empty());
    bob.send(&mut world, "<presence/>");
    assert_eq!(told(&bob), ["Soup today"]);
    // Neither with another presence, nor another session, nor a correction.
    bob.send(&mut world, "<presence type='unavailable'/>");
    bob.send(&mut world, "<presence/>");
    let other = Chat::online(&mut world, "bob", "phone");
    motd(&mut world, Some("Stew today"), false);
    for chat in [&ann, &bob, &other] {
        assert!(told(chat).is_empty());
    }
    assert_eq!(
        told(&Chat::online(&mut world, "carol", "desk")),
        ["Stew today"]
    );
    // A new one comes to all, and to both sessions; one that was taken back comes to nobody.
    ann.send(&mut world, "<presence type='unavailable'/>");
    motd(&mut world, Some("Fish today"), true);
    assert_eq!(
        (told(&bob), told(&other)),
        (vec!["Fish today".to_owned()], vec!["Fish today".to_owned()])
    );
    motd(&mut world, None, false);
    ann.send(&mut world, "<presence/>");
    assert!(told(&ann).is_empty());
}
