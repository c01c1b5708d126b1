//! Nodes of accounts as XEP-0060 has them: requests in the order of its chapters, with what is refused.

use super::eventing::{conditions, texts};
use super::{Chat, World};

pub(super) const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
pub(super) const OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
const INFO: &str = "http://jabber.org/protocol/disco#info";
const ITEMS: &str = "http://jabber.org/protocol/disco#items";
const ANN: Option<&str> = Some("ann@office.example");

pub(super) struct Office {
    pub(super) world: World,
    pub(super) ann: Chat,
    pub(super) bob: Chat,
    pub(super) eve: Chat,
}

/// Ann owns nodes, Bob sees her presence, Eve does not.
pub(super) fn office() -> Office {
    let mut world = World::open(&["ann", "bob", "eve"]);
    world.befriend("ann", "bob");
    Office {
        ann: Chat::online(&mut world, "ann", "desk"),
        bob: Chat::online(&mut world, "bob", "desk"),
        eve: Chat::online(&mut world, "eve", "desk"),
        world,
    }
}

impl Office {
    fn chat(&mut self, who: &str) -> (&mut Chat, &mut World) {
        let chat = match who {
            "ann" => &mut self.ann,
            "bob" => &mut self.bob,
            _ => &mut self.eve,
        };
        (chat, &mut self.world)
    }

    pub(super) fn ask(&mut self, who: &str, kind: &str, payload: &str) -> xml::Element {
        let (chat, world) = self.chat(who);
        chat.ask(world, kind, ANN, payload)
    }

    pub(super) fn get(&mut self, who: &str, content: &str) -> xml::Element {
        self.ask(
            who,
            "get",
            &format!("<pubsub xmlns='{PUBSUB}'>{content}</pubsub>"),
        )
    }

    pub(super) fn set(&mut self, who: &str, content: &str) -> xml::Element {
        self.ask(
            who,
            "set",
            &format!("<pubsub xmlns='{PUBSUB}'>{content}</pubsub>"),
        )
    }

    pub(super) fn owner(&mut self, who: &str, kind: &str, content: &str) -> xml::Element {
        self.ask(
            who,
            kind,
            &format!("<pubsub xmlns='{OWNER}'>{content}</pubsub>"),
        )
    }

    /// Makes a node with this configuration.
    pub(super) fn create(&mut self, node: &str, fields: &[(&str, &str)]) {
        let fields = form(fields);
        done(&self.set(
            "ann",
            &format!("<create node='{node}'/><configure>{fields}</configure>"),
        ));
    }

    pub(super) fn publish(&mut self, who: &str, node: &str, id: &str) -> xml::Element {
        let item = format!("<item id='{id}'><t xmlns='urn:t'>{id}</t></item>");
        self.set(who, &format!("<publish node='{node}'>{item}</publish>"))
    }

    pub(super) fn read(&mut self, who: &str, node: &str) -> xml::Element {
        self.get(who, &format!("<items node='{node}'/>"))
    }
}

pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let fields = fields
        .iter()
        .map(|(name, value)| format!("<field var='pubsub#{name}'><value>{value}</value></field>"));
    format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>\
         <value>{PUBSUB}#node_config</value></field>{}</x>",
        fields.collect::<String>()
    )
}

#[track_caller]
pub(super) fn done(answer: &xml::Element) {
    assert_eq!(
        answer.attribute("type").as_deref(),
        Some("result"),
        "{answer:?}"
    );
}

#[track_caller]
pub(super) fn refused(answer: &xml::Element, expected: &[&str]) {
    assert_eq!(conditions(answer), expected);
}

/// The values of an attribute of what stands in the only child of an answer's only child.
pub(super) fn listed(answer: &xml::Element, attribute: &str) -> Vec<String> {
    let first = answer
        .children()
        .next()
        .unwrap_or_else(|| panic!("{answer:?}"));
    let inner = match first.name() {
        "pubsub" => first.children().next().unwrap(),
        _ => first,
    };
    let values = inner
        .children()
        .filter_map(|c| Some(c.attribute(attribute)?.into_owned()));
    values.collect()
}

#[test]
fn discovery_shows_what_may_be_read() {
    let mut office = office();
    office.create("open", &[("access_model", "open"), ("title", "For all")]);
    office.create("shown", &[]);
    office.create("closed", &[("access_model", "whitelist")]);
    done(&office.publish("ann", "open", "one"));
    for (who, nodes) in [
        ("ann", &["closed", "open", "shown"][..]),
        ("bob", &["open", "shown"]),
        ("eve", &["open"]),
    ] {
        let found = office.ask(who, "get", &format!("<query xmlns='{ITEMS}'/>"));
        assert_eq!(listed(&found, "node"), nodes, "{who}");
    }
    let items = format!("<query xmlns='{ITEMS}' node='open'/>");
    assert_eq!(listed(&office.ask("eve", "get", &items), "name"), ["one"]);
    let account = format!("<query xmlns='{INFO}'/>");
    let info = office.ask("bob", "get", &account);
    assert_eq!(listed(&info, "type"), ["registered", "pep"]);
    refused(
        &office.ask("eve", "get", &account),
        &["cancel", "service-unavailable"],
    );
    let info = office.ask(
        "eve",
        "get",
        &format!("<query xmlns='{INFO}' node='open'/>"),
    );
    assert_eq!(listed(&info, "type"), ["leaf", "result"]);
    let hidden = format!("<query xmlns='{INFO}' node='closed'/>");
    refused(
        &office.ask("eve", "get", &hidden),
        &["cancel", "not-allowed", "closed-node"],
    );
    let missing = format!("<query xmlns='{INFO}' node='missing'/>");
    refused(
        &office.ask("ann", "get", &missing),
        &["cancel", "item-not-found"],
    );
}

#[test]
fn an_account_that_is_not_there_looks_like_one_without_nodes() {
    let mut office = office();
    let (pubsub, owner) = (
        |content: &str| format!("<pubsub xmlns='{PUBSUB}'>{content}</pubsub>"),
        |content: &str| format!("<pubsub xmlns='{OWNER}'>{content}</pubsub>"),
    );
    let requests = [
        ("get", format!("<query xmlns='{INFO}'/>")),
        ("get", format!("<query xmlns='{ITEMS}'/>")),
        ("get", format!("<query xmlns='{INFO}' node='n'/>")),
        ("get", pubsub("<items node='n'/>")),
        ("get", pubsub("<subscriptions/>")),
        ("get", pubsub("<affiliations/>")),
        (
            "set",
            pubsub("<publish node='n'><item><t xmlns='urn:t'/></item></publish>"),
        ),
        (
            "set",
            pubsub("<subscribe node='n' jid='eve@office.example'/>"),
        ),
        ("set", pubsub("<create node='n'/>")),
        ("set", owner("<delete node='n'/>")),
        ("get", owner("<default/>")),
    ];
    for (kind, payload) in requests {
        let there = office.ask("eve", kind, &payload);
        let (eve, world) = office.chat("eve");
        let missing = eve.ask(world, kind, Some("nobody@office.example"), &payload);
        let plain = |answer: xml::Element| format!("{answer:?}").replace("nobody@", "ann@");
        assert_eq!(plain(missing), plain(there), "{payload}");
    }
}

#[test]
fn access_models_and_their_errors() {
    let mut office = office();
    for model in ["open", "presence", "roster", "authorize", "whitelist"] {
        let groups = ("roster_groups_allowed", "Friends");
        office.create(model, &[("access_model", model), groups]);
        done(&office.publish("ann", model, "one"));
    }
    let presence = &["auth", "not-authorized", "presence-subscription-required"][..];
    let group = &["auth", "not-authorized", "not-in-roster-group"][..];
    let subscriber = &["auth", "not-authorized", "not-subscribed"][..];
    let closed = &["cancel", "not-allowed", "closed-node"][..];
    for (model, by_bob, by_eve) in [
        ("open", None, None),
        ("presence", None, Some(presence)),
        ("roster", Some(group), Some(group)),
        ("authorize", Some(subscriber), Some(subscriber)),
        ("whitelist", Some(closed), Some(closed)),
    ] {
        for (who, expected) in [("bob", by_bob), ("eve", by_eve)] {
            let read = office.read(who, model);
            match expected {
                None => assert_eq!(texts(&read), ["one"]),
                Some(expected) => refused(&read, expected),
            }
        }
        assert_eq!(texts(&office.read("ann", model)), ["one"]);
    }
    // A group of the owner's roster lets in.
    let put = "<query xmlns='jabber:iq:roster'><item jid='bob@office.example'><group>Friends</group></item></query>";
    let (ann, world) = office.chat("ann");
    ann.ask(world, "set", None, put);
    assert_eq!(texts(&office.read("bob", "roster")), ["one"]);
    let odd = format!(
        "<create node='odd'/><configure>{}</configure>",
        form(&[("access_model", "odd")])
    );
    refused(
        &office.set("ann", &odd),
        &["modify", "not-acceptable", "unsupported-access-model"],
    );
    refused(&office.read("ann", "odd"), &["cancel", "item-not-found"]);
}

#[test]
fn subscriptions() {
    let mut office = office();
    office.create("news", &[("access_model", "open")]);
    done(&office.publish("ann", "news", "old"));
    office.eve.read();
    let subscribe = "<subscribe node='news' jid='eve@office.example'/>";
    let made = office.set("eve", subscribe);
    let pubsub = made.child("pubsub", PUBSUB).unwrap();
    let subscription = pubsub.child("subscription", PUBSUB).unwrap();
    assert_eq!(
        subscription.attribute("subscription").as_deref(),
        Some("subscribed")
    );
    let what = |chat: &Chat| {
        chat.notified()
            .into_iter()
            .map(|(_, _, w)| w)
            .collect::<Vec<_>>()
    };
    assert_eq!(what(&office.eve), ["item old old late"]);
    done(&office.publish("ann", "news", "new"));
    assert_eq!(what(&office.eve), ["item new new"]);
    assert_eq!(what(&office.bob), [""; 0]);
    let mine = office.get("eve", "<subscriptions/>");
    assert_eq!(listed(&mine, "node"), ["news"]);
    // The same again is the same.
    done(&office.set("eve", subscribe));
    assert_eq!(what(&office.eve), [""; 0]);
    let other = "<subscribe node='news' jid='bob@office.example'/>";
    refused(
        &office.set("eve", other),
        &["modify", "bad-request", "invalid-jid"],
    );
    let missing = "<subscribe node='missing' jid='eve@office.example'/>";
    refused(&office.set("eve", missing), &["cancel", "item-not-found"]);
    let end = "<unsubscribe node='news' jid='eve@office.example'/>";
    let others = "<unsubscribe node='news' jid='bob@office.example'/>";
    refused(&office.set("eve", others), &["auth", "forbidden"]);
    done(&office.set("eve", end));
    refused(
        &office.set("eve", end),
        &["cancel", "unexpected-request", "not-subscribed"],
    );
    done(&office.publish("ann", "news", "newer"));
    assert_eq!(what(&office.eve), [""; 0]);
}

#[test]
fn affiliations() {
    let mut office = office();
    office.create("closed", &[("access_model", "whitelist")]);
    done(&office.publish("ann", "closed", "one"));
    let affiliate = |jid: &str, as_what: &str| {
        format!(
            "<affiliations node='closed'><affiliation jid='{jid}@office.example' affiliation='{as_what}'/></affiliations>"
        )
    };
    refused(
        &office.owner("eve", "set", &affiliate("eve", "publisher")),
        &["auth", "forbidden"],
    );
    refused(
        &office.owner("eve", "get", "<affiliations node='closed'/>"),
        &["auth", "forbidden"],
    );
    done(&office.owner("ann", "set", &affiliate("eve", "member")));
    assert_eq!(texts(&office.read("eve", "closed")), ["one"]);
    refused(
        &office.publish("eve", "closed", "two"),
        &["auth", "forbidden"],
    );
    done(&office.owner("ann", "set", &affiliate("eve", "publisher")));
    done(&office.publish("eve", "closed", "two"));
    let read = office.read("ann", "closed");
    assert!(
        format!("{read:?}").contains("publisher='eve@office.example'"),
        "{read:?}"
    );
    assert_eq!(
        listed(&office.get("eve", "<affiliations/>"), "affiliation"),
        ["publisher"]
    );
    let all = office.owner("ann", "get", "<affiliations node='closed'/>");
    assert_eq!(listed(&all, "affiliation"), ["owner", "publisher"]);
    done(&office.owner("ann", "set", &affiliate("eve", "outcast")));
    refused(&office.read("eve", "closed"), &["auth", "forbidden"]);
    // The account stays the owner, and the only one.
    for change in [
        affiliate("ann", "none"),
        affiliate("eve", "owner"),
        affiliate("eve", "king"),
    ] {
        refused(
            &office.owner("ann", "set", &change),
            &["modify", "not-acceptable"],
        );
    }
}

#[test]
fn publishing_and_its_errors() {
    let mut office = office();
    let made = office.set(
        "ann",
        "<publish node='n'><item><t xmlns='urn:t'>x</t></item></publish>",
    );
    let id = listed(&made, "id").remove(0);
    assert!(!id.is_empty(), "the server names an item that has no name");
    refused(&office.publish("eve", "n", "i"), &["auth", "forbidden"]);
    refused(
        &office.publish("eve", "missing", "i"),
        &["cancel", "item-not-found"],
    );
    for (content, error) in [
        (
            "<publish><item/></publish>",
            &["modify", "bad-request", "nodeid-required"][..],
        ),
        (
            "<publish node='n'/>",
            &["modify", "bad-request", "item-required"],
        ),
        (
            "<publish node='n'><item id='a'/></publish>",
            &["modify", "bad-request", "payload-required"],
        ),
        (
            "<publish node='n'><item><a xmlns='urn:a'/><b xmlns='urn:b'/></item></publish>",
            &["modify", "bad-request", "invalid-payload"],
        ),
    ] {
        refused(&office.set("ann", content), error);
    }
    let large = "x".repeat(200 * 1024);
    let large = format!("<publish node='n'><item><t xmlns='urn:t'>{large}</t></item></publish>");
    refused(
        &office.set("ann", &large),
        &["modify", "not-acceptable", "payload-too-big"],
    );
    assert_eq!(texts(&office.read("ann", "n")), ["x"]);
    // What is only a notice has no item.
    office.create("bell", &[("persist_items", "0"), ("deliver_payloads", "0")]);
    refused(
        &office.publish("ann", "bell", "i"),
        &["modify", "bad-request", "item-forbidden"],
    );
    done(&office.set("ann", "<publish node='bell'/>"));
    refused(
        &office.read("ann", "bell"),
        &["cancel", "feature-not-implemented", "unsupported"],
    );
}

#[test]
fn items_are_named_counted_and_taken_away() {
    let mut office = office();
    office.create("list", &[("max_items", "3")]);
    for id in ["a", "b", "c", "b", "d"] {
        done(&office.publish("ann", "list", id));
    }
    assert_eq!(texts(&office.read("bob", "list")), ["c", "b", "d"]);
    assert_eq!(
        texts(&office.get("bob", "<items node='list' max_items='2'/>")),
        ["b", "d"]
    );
    assert_eq!(
        texts(&office.get("bob", "<items node='list'><item id='c'/></items>")),
        ["c"]
    );
    let missing = "<items node='list'><item id='a'/></items>";
    assert_eq!(texts(&office.get("bob", missing)), [""; 0]);
    office.bob.wants(&mut office.world, &["list"]);
    office.bob.read();
    let retract = "<retract node='list' notify='1'><item id='b'/></retract>";
    refused(&office.set("bob", retract), &["auth", "forbidden"]);
    done(&office.set("ann", retract));
    assert_eq!(office.bob.notified()[0].2, "retract b ");
    refused(&office.set("ann", retract), &["cancel", "item-not-found"]);
    let nothing = "<retract node='list'/>";
    refused(
        &office.set("ann", nothing),
        &["modify", "bad-request", "item-required"],
    );
    // Fewer fit from now on.
    let fewer = format!(
        "<configure node='list'>{}</configure>",
        form(&[("max_items", "1")])
    );
    done(&office.owner("ann", "set", &fewer));
    assert_eq!(texts(&office.read("bob", "list")), ["d"]);
    done(&office.owner("ann", "set", "<purge node='list'/>"));
    assert_eq!(office.bob.notified()[0].2, "purge");
    assert_eq!(texts(&office.read("bob", "list")), [""; 0]);
    refused(
        &office.owner("bob", "set", "<delete node='list'/>"),
        &["auth", "forbidden"],
    );
    done(&office.owner("ann", "set", "<delete node='list'/>"));
    assert_eq!(office.bob.notified()[0].2, "delete");
    refused(&office.read("bob", "list"), &["cancel", "item-not-found"]);
    refused(
        &office.owner("ann", "set", "<delete node='list'/>"),
        &["cancel", "item-not-found"],
    );
}

#[test]
fn nodes_are_made_and_configured() {
    let mut office = office();
    office.create("n", &[("title", "One")]);
    refused(
        &office.set("ann", "<create node='n'/>"),
        &["cancel", "conflict"],
    );
    refused(
        &office.set("eve", "<create node='m'/>"),
        &["auth", "forbidden"],
    );
    let made = office.set("ann", "<create/><configure/>");
    let pubsub = made.child("pubsub", PUBSUB).unwrap();
    assert!(
        pubsub
            .child("create", PUBSUB)
            .unwrap()
            .attribute("node")
            .is_some()
    );
    let form_of = |answer: &xml::Element| format!("{answer:?}");
    let read = office.owner("ann", "get", "<configure node='n'/>");
    assert!(form_of(&read).contains("<value>One</value>"));
    assert!(form_of(&office.owner("ann", "get", "<default/>")).contains("pubsub#access_model"));
    refused(
        &office.owner("bob", "get", "<configure node='n'/>"),
        &["auth", "forbidden"],
    );
    refused(
        &office.owner("ann", "get", "<configure/>"),
        &["modify", "bad-request", "nodeid-required"],
    );
    refused(
        &office.owner("ann", "get", "<configure node='x'/>"),
        &["cancel", "item-not-found"],
    );
    office.bob.wants(&mut office.world, &["n"]);
    let change =
        |fields: &[(&str, &str)]| format!("<configure node='n'>{}</configure>", form(fields));
    done(&office.owner(
        "ann",
        "set",
        &change(&[("title", "Two"), ("notify_config", "1")]),
    ));
    assert_eq!(office.bob.notified()[0].1, "n");
    refused(
        &office.owner("ann", "set", &change(&[("max_items", "none")])),
        &["modify", "not-acceptable"],
    );
    let cancel = "<configure node='n'><x xmlns='jabber:x:data' type='cancel'/></configure>";
    done(&office.owner("ann", "set", cancel));
    let read = office.owner("ann", "get", "<configure node='n'/>");
    assert!(form_of(&read).contains("<value>Two</value>"));
}

#[test]
fn there_are_only_so_many() {
    let mut office = office();
    for n in 0..200 {
        done(&office.set("ann", &format!("<create node='n{n}'/>")));
    }
    let full = office.set("ann", "<create node='more'/>");
    refused(&full, &["wait", "policy-violation", "max-nodes-exceeded"]);
    assert!(format!("{full:?}").contains("pubsub_nodes"));
    let auto = office.publish("ann", "more", "i");
    refused(&auto, &["wait", "policy-violation", "max-nodes-exceeded"]);
    done(&office.owner("ann", "set", "<delete node='n7'/>"));
    done(&office.publish("ann", "more", "i"));
}
