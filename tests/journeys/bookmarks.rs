//! Bookmarks: one by one (XEP-0402), together in a node (XEP-0048, XEP-0411) and in private storage (XEP-0049). They are the same.

use super::person::{error, inner};
use super::{Chat, World};

const NODE: &str = "urn:xmpp:bookmarks:1";
const OLD: &str = "storage:bookmarks";
const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
const ANN: Option<&str> = Some("ann@office.example");

struct Office {
    world: World,
    ann: Chat,
    /// Another client of hers, that wants to be told of both.
    phone: Chat,
}

fn office() -> Office {
    let mut world = World::open(&["ann", "bob"]);
    world.befriend("ann", "bob");
    let ann = Chat::online(&mut world, "ann", "desk");
    let mut phone = Chat::online(&mut world, "ann", "phone");
    phone.wants(&mut world, &[NODE, OLD]);
    phone.read();
    Office { world, ann, phone }
}

fn storage(inner: &str) -> String {
    format!("<storage xmlns='{OLD}'>{inner}</storage>")
}

fn room(attributes: &str, inner: &str) -> String {
    format!("<conference xmlns='{NODE}'{attributes}>{inner}</conference>")
}

impl Office {
    fn private(&mut self, kind: &str, what: &str) -> xml::Element {
        let query = format!("<query xmlns='jabber:iq:private'>{what}</query>");
        self.ann.ask(&mut self.world, kind, None, &query)
    }

    fn keep(&mut self, rooms: &str) {
        inner(&self.private("set", &storage(rooms)));
    }

    /// What private storage has.
    fn kept(&mut self) -> String {
        let answer = inner(&self.private("get", &format!("<storage xmlns='{OLD}'/>")));
        let start = "<query xmlns='jabber:iq:private'>".len();
        answer[start..answer.len() - "</query>".len()].to_owned()
    }

    fn pubsub(&mut self, kind: &str, request: &str) -> xml::Element {
        let request = format!("<pubsub xmlns='{PUBSUB}'>{request}</pubsub>");
        self.ann.ask(&mut self.world, kind, None, &request)
    }

    fn publish(&mut self, node: &str, id: &str, payload: &str) {
        let item = format!("<item id='{id}'>{payload}</item>");
        let options = "<publish-options><x xmlns='jabber:x:data' type='submit'>\
                       <field var='pubsub#access_model'><value>whitelist</value></field>";
        let max = if node == NODE {
            "<field var='pubsub#max_items'><value>max</value></field>"
        } else {
            ""
        };
        let request =
            format!("<publish node='{node}'>{item}</publish>{options}{max}</x></publish-options>");
        inner(&self.pubsub("set", &request));
    }

    /// The items of a node: names and payloads.
    fn items(&mut self, node: &str) -> Vec<(String, String)> {
        let answer = self.pubsub("get", &format!("<items node='{node}'/>"));
        let pubsub = answer.children().next().unwrap();
        let items = pubsub.children().next().unwrap();
        let items = items.children().map(|item| {
            let id = item.attribute("id").unwrap().into_owned();
            (id, String::from_utf8(item.inner().to_vec()).unwrap())
        });
        items.collect()
    }

    /// What the phone was told: nodes, and items that are new or gone.
    fn told(&self) -> Vec<String> {
        let all = self.phone.notified().into_iter();
        all.map(|(_, node, what)| {
            let mut words = what.split(' ');
            let (kind, id) = (words.next().unwrap(), words.next().unwrap_or_default());
            let node = if node == NODE { "new" } else { "old" };
            format!("{node} {kind} {id}")
        })
        .collect()
    }
}

fn pair(id: &str, payload: &str) -> (String, String) {
    (id.to_owned(), payload.to_owned())
}

#[test]
fn what_an_old_client_keeps_a_new_one_finds() {
    let mut office = office();
    let tea = "<conference jid='tea@rooms.example' name='Tea' autojoin='true'><nick>Ann</nick><password>p&lt;</password></conference>";
    let url = "<url name='Page' url='http://x.example/'/>";
    office.keep(&format!("{tea}{url}"));
    assert_eq!(office.kept(), storage(&format!("{tea}{url}")));
    let new = room(
        " name='Tea' autojoin='true'",
        "<nick>Ann</nick><password>p&lt;</password>",
    );
    assert_eq!(office.items(NODE), [pair("tea@rooms.example", &new)]);
    assert_eq!(
        office.items(OLD),
        [pair("current", &storage(&format!("{tea}{url}")))]
    );
    assert_eq!(
        office.told(),
        ["old item current", "new item tea@rooms.example"]
    );
    // Only what changes is told.
    let hall = "<conference jid='hall@rooms.example'/>";
    office.keep(&format!("{tea}{url}{hall}"));
    assert_eq!(
        office.told(),
        ["old item current", "new item hall@rooms.example"]
    );
    office.keep(&format!("{tea}{url}{hall}"));
    assert_eq!(office.told(), Vec::<String>::new());
    office.keep(hall);
    assert_eq!(
        office.told(),
        ["old item current", "new retract tea@rooms.example"]
    );
    // Nothing is left: of nothing.
    inner(&office.private("set", &format!("<storage xmlns='{OLD}'/>")));
    assert_eq!(office.items(NODE), []);
}

#[test]
fn what_a_new_client_publishes_an_old_one_finds() {
    let mut office = office();
    office.keep("<url name='Page' url='http://x.example/'/>");
    office.told();
    let state = "<state xmlns='urn:state' minimized='true'/>";
    let tea = room(" name='Tea'", &format!("<extensions>{state}</extensions>"));
    office.publish(NODE, "tea@rooms.example", &tea);
    office.publish(NODE, "hall@rooms.example", &room(" autojoin='1'", ""));
    let kept = office.kept();
    assert!(
        kept.contains("jid='hall@rooms.example' autojoin='true'/>"),
        "{kept}"
    );
    assert!(kept.contains("http://x.example/"), "{kept}");
    assert_eq!(
        office.told(),
        [
            "new item tea@rooms.example",
            "old item current",
            "new item hall@rooms.example",
            "old item current"
        ]
    );
    // An old client that knows nothing of extensions renames a room.
    office.keep("<conference jid='tea@rooms.example' name='Coffee'/>");
    let coffee = room(
        " name='Coffee'",
        &format!("<extensions>{state}</extensions>"),
    );
    assert_eq!(office.items(NODE), [pair("tea@rooms.example", &coffee)]);
    office.told();
    let retract =
        format!("<retract node='{NODE}' notify='1'><item id='tea@rooms.example'/></retract>");
    inner(&office.pubsub("set", &retract));
    assert_eq!(office.kept(), format!("<storage xmlns='{OLD}'/>"));
    assert_eq!(
        office.told(),
        ["new retract tea@rooms.example", "old item current"]
    );
}

#[test]
fn what_is_published_together_is_there_one_by_one() {
    let mut office = office();
    let both = storage(
        "<conference jid='a@rooms.example'/><conference jid='b@rooms.example'/><conference jid='@'/>",
    );
    office.publish(OLD, "current", &both);
    let ids: Vec<_> = office.items(NODE).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["a@rooms.example", "b@rooms.example"]);
    assert_eq!(office.kept(), both);
    // What is no bookmark stays where it is and changes nothing elsewhere.
    office.publish(OLD, "current", "<junk xmlns='urn:junk'/>");
    assert_eq!(office.items(NODE).len(), 2);
    office.publish(NODE, "not a room@", &room("", ""));
    assert_eq!(office.items(NODE).len(), 3);
    let delete = format!("<pubsub xmlns='{PUBSUB}#owner'><delete node='{OLD}'/></pubsub>");
    inner(&office.ann.ask(&mut office.world, "set", None, &delete));
    let ids: Vec<_> = office.items(NODE).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["not a room@"]);
}

#[test]
fn nobody_else_sees_bookmarks_that_the_server_put_somewhere() {
    let mut office = office();
    let mut bob = Chat::online(&mut office.world, "bob", "desk");
    // A node that contacts could read.
    inner(&office.pubsub("set", &format!("<create node='{NODE}'/>")));
    office.keep("<conference jid='a@rooms.example'/><conference jid='b@rooms.example'/>");
    assert_eq!(office.items(NODE).len(), 2);
    for node in [NODE, OLD] {
        let items = format!("<pubsub xmlns='{PUBSUB}'><items node='{node}'/></pubsub>");
        let answer = bob.ask(&mut office.world, "get", ANN, &items);
        assert_eq!(error(&answer), "not-allowed", "{node}");
    }
}

#[test]
fn too_many_bookmarks_are_refused_or_stay_on_one_side() {
    let mut office = office();
    let long = "x".repeat(100 * 1024);
    for jid in ["a@rooms.example", "b@rooms.example"] {
        office.publish(NODE, jid, &room(&format!(" name='{long}'"), ""));
    }
    // Together they are too long for one item: it is as it was.
    assert_eq!(office.items(NODE).len(), 2);
    assert!(office.kept().contains("a@rooms.example"));
    assert!(!office.kept().contains("b@rooms.example"));
    let other = "<prefs xmlns='urn:prefs'><a/></prefs>";
    let large = storage(&format!(
        "<conference jid='c@rooms.example' name='{long}{long}'/>"
    ));
    let answer = office.private("set", &format!("{other}{large}"));
    assert_eq!(error(&answer), "resource-constraint");
    assert!(String::from_utf8_lossy(answer.raw()).contains("pubsub_item_size"));
    // Nothing of it was kept.
    let prefs = inner(&office.private("get", "<prefs xmlns='urn:prefs'/>"));
    assert!(!prefs.contains("<a/>"), "{prefs}");
    assert!(office.kept().contains("a@rooms.example"));
    let both = format!("{other}{}", storage("<conference jid='c@rooms.example'/>"));
    inner(&office.private("set", &both));
    assert!(inner(&office.private("get", "<prefs xmlns='urn:prefs'/>")).contains("<a/>"));
    assert_eq!(office.items(NODE).len(), 1);
}

#[test]
fn the_account_says_that_they_are_the_same() {
    let mut office = office();
    let query = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    let info = inner(&office.ann.ask(&mut office.world, "get", ANN, query));
    for feature in [
        "urn:xmpp:bookmarks:1#compat",
        "urn:xmpp:bookmarks:1#compat-pep",
        "urn:xmpp:bookmarks-conversion:0",
    ] {
        assert!(info.contains(&format!("'{feature}'")), "{info}");
    }
}

/// Private storage has bookmarks from before it was joined with the nodes.
fn kept_before() -> (Office, String) {
    let mut office = office();
    let old = storage("<conference jid='old@rooms.example' name='Old'/>");
    let kept = presence::Kept {
        label: presence::card::Label {
            namespace: OLD.to_owned(),
            name: "storage".to_owned(),
        },
        xml: old.clone().into_bytes().into(),
    };
    let put = store::Op::PrivatePut {
        account: super::bare("ann"),
        kept: vec![kept],
        most: store::Most {
            elements: 9,
            bytes: 9999,
        },
    };
    let done = Box::new(|stored: Result<(), _>| stored.unwrap());
    office.world.model.store().submit(vec![put], done).unwrap();
    office.world.settle();
    (office, old)
}

#[test]
fn what_private_storage_had_before_is_not_lost() {
    let (mut office, _) = kept_before();
    office.publish(NODE, "new@rooms.example", &room("", ""));
    let kept = office.kept();
    assert!(kept.contains("old@rooms.example") && kept.contains("new@rooms.example"));
    let ids: Vec<_> = office.items(NODE).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["old@rooms.example", "new@rooms.example"]);
    // Once, and not again when there are none any more.
    let delete = format!("<pubsub xmlns='{PUBSUB}#owner'><delete node='{OLD}'/></pubsub>");
    inner(&office.ann.ask(&mut office.world, "set", None, &delete));
    assert_eq!(office.kept(), format!("<storage xmlns='{OLD}'/>"));
}

#[test]
fn what_private_storage_had_before_is_in_the_nodes_when_it_is_read() {
    // Whatever is read first.
    for node in [NODE, OLD] {
        let (mut office, old) = kept_before();
        assert_eq!(office.items(node).len(), 1, "{node}");
        let ids: Vec<_> = office.items(NODE).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["old@rooms.example"]);
        assert_eq!(office.items(OLD), [pair("current", &old)]);
        assert_eq!(office.kept(), old);
    }
    let (mut office, old) = kept_before();
    assert_eq!(office.kept(), old);
    let ids: Vec<_> = office.items(NODE).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["old@rooms.example"]);
    // Others who look change nothing and see nothing.
    let (mut office, _) = kept_before();
    let mut bob = Chat::online(&mut office.world, "bob", "desk");
    let items = format!("<pubsub xmlns='{PUBSUB}'><items node='{NODE}'/></pubsub>");
    let refused = bob.ask(&mut office.world, "get", ANN, &items);
    assert!(error(&refused).contains("item-not-found"));
    let kept = office.world.model.store().private(
        &super::bare("ann"),
        &presence::card::Label {
            namespace: OLD.to_owned(),
            name: "storage".to_owned(),
        },
    );
    assert!(kept.unwrap().is_some());
}
