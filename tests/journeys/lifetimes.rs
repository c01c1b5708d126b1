//! Items that are kept for a while (`pubsub#item_expire`), on a clock and over restarts.

use std::time::Duration;

use super::eventing::texts;
use super::nodes::{Office, done, form, office, refused};
use super::{Chat, World};

const MINUTE: Duration = Duration::from_secs(60);

fn told(chat: &Chat) -> Vec<String> {
    let told = chat.notified().into_iter();
    told.map(|(_, _, what)| what.trim_end().to_owned())
        .collect()
}

fn configure(office: &mut Office, seconds: &str) -> xml::Element {
    let fields = form(&[("item_expire", seconds)]);
    office.owner(
        "ann",
        "set",
        &format!("<configure node='list'>{fields}</configure>"),
    )
}

/// Three items, a minute after each other, each kept for five; Bob wants to hear of them.
fn list() -> Office {
    let mut office = office();
    office.create("list", &[("max_items", "9"), ("item_expire", "300")]);
    office.bob.wants(&mut office.world, &["list"]);
    for id in ["a", "b", "c"] {
        done(&office.publish("ann", "list", id));
        office.world.pass(MINUTE);
    }
    office.bob.read();
    office
}

#[test]
fn items_end_when_their_time_is_over() {
    let mut office = list();
    office.world.pass(Duration::from_millis(119_999));
    assert_eq!(texts(&office.read("bob", "list")), ["a", "b", "c"]);
    assert_eq!(told(&office.bob), [""; 0]);
    office.world.pass(Duration::from_millis(1));
    assert_eq!(texts(&office.read("bob", "list")), ["b", "c"]);
    assert_eq!(told(&office.bob), ["retract a"]);
    // What is published again lives on.
    done(&office.publish("ann", "list", "b"));
    office.world.pass(MINUTE);
    assert_eq!(texts(&office.read("bob", "list")), ["c", "b"]);
    office.world.pass(MINUTE);
    assert_eq!(texts(&office.read("bob", "list")), ["b"]);
    office.world.pass(3 * MINUTE);
    assert_eq!(texts(&office.read("bob", "list")), [""; 0]);
    assert_eq!(told(&office.bob), ["item b b", "retract c", "retract b"]);
    // The node is still there, and goes on.
    done(&office.publish("ann", "list", "d"));
    assert_eq!(texts(&office.read("bob", "list")), ["d"]);
    office.world.pass(5 * MINUTE);
    assert_eq!(texts(&office.read("bob", "list")), [""; 0]);
}

#[test]
fn nobody_is_told_where_retractions_are_not() {
    let mut office = office();
    office.create("list", &[("item_expire", "300"), ("notify_retract", "0")]);
    office.bob.wants(&mut office.world, &["list"]);
    done(&office.publish("ann", "list", "a"));
    office.bob.read();
    office.world.pass(5 * MINUTE);
    assert_eq!(texts(&office.read("bob", "list")), [""; 0]);
    assert_eq!(told(&office.bob), [""; 0]);
    // Nobody who comes gets it either.
    let mut later = Chat::connect(&office.world, "bob", "phone");
    later.wants(&mut office.world, &["list"]);
    assert_eq!(told(&later), [""; 0]);
}

#[test]
fn another_lifetime_counts_for_what_is_there() {
    let mut office = list();
    done(&configure(&mut office, "600"));
    office.world.pass(4 * MINUTE);
    assert_eq!(texts(&office.read("bob", "list")), ["a", "b", "c"]);
    done(&configure(&mut office, "max"));
    office.world.pass(60 * MINUTE);
    assert_eq!(texts(&office.read("bob", "list")), ["a", "b", "c"]);
    done(&configure(&mut office, "300"));
    office.world.pass(Duration::from_millis(1));
    assert_eq!(texts(&office.read("bob", "list")), [""; 0]);
    for wrong in ["0", "-5", "soon", "5000000000"] {
        refused(
            &configure(&mut office, wrong),
            &["modify", "not-acceptable"],
        );
    }
    let read = office.owner("ann", "get", "<configure node='list'/>");
    assert!(
        format!("{read:?}").contains("<value>300</value>"),
        "{read:?}"
    );
}

fn after_restart(down: Duration, rest: &[&str]) -> World {
    let mut office = list();
    office.world.restart(down);
    office.world.pass(Duration::from_millis(1));
    office.bob = Chat::online(&mut office.world, "bob", "desk");
    assert_eq!(texts(&office.read("bob", "list")), rest, "{down:?}");
    office.world
}

#[test]
fn time_goes_on_while_the_server_is_down() {
    after_restart(MINUTE, &["a", "b", "c"]);
    after_restart(3 * MINUTE, &["c"]);
    after_restart(60 * MINUTE, &[]);
    let mut world = after_restart(MINUTE, &["a", "b", "c"]);
    world.pass(3 * MINUTE);
    let mut bob = Chat::online(&mut world, "bob", "phone");
    let items = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='list'/></pubsub>";
    let read = bob.ask(&mut world, "get", Some("ann@office.example"), items);
    assert_eq!(texts(&read), [""; 0]);
}

/// A picture that ends is taken out of the card as well (XEP-0398).
#[test]
fn what_follows_from_an_item_ends_with_it() {
    let mut office = office();
    let publish = |node: &str, id: &str, payload: &str| {
        format!("<publish node='urn:xmpp:avatar:{node}'><item id='{id}'>{payload}</item></publish>")
    };
    // SHA-1 of `abc`.
    let id = "a9993e364706816aba3e25717850c26c9cd0d89d";
    let data = "<data xmlns='urn:xmpp:avatar:data'>YWJj</data>";
    let info = format!(
        "<metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='3' id='{id}' type='image/png'/></metadata>"
    );
    done(&office.set("ann", &publish("data", id, data)));
    done(&office.set("ann", &publish("metadata", id, &info)));
    let card = "<vCard xmlns='vcard-temp'/>";
    let photo = |office: &mut Office| {
        let answer = office.ask("ann", "get", card);
        format!("{answer:?}").contains("PHOTO")
    };
    assert!(photo(&mut office));
    let fields = form(&[("item_expire", "60")]);
    let configure = format!("<configure node='urn:xmpp:avatar:metadata'>{fields}</configure>");
    done(&office.owner("ann", "set", &configure));
    office.world.pass(MINUTE);
    assert!(!photo(&mut office));
}
