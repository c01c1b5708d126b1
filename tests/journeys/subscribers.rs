//! Subscriptions to nodes: whom the owner admits, and how they are configured (XEP-0060 §6.3, §6.4, §8.6, §12.18).

use std::time::Duration;

use xml::Element;

use super::eventing::{conditions, texts};
use super::nodes::{OWNER, Office, PUBSUB, done, listed, office, refused};
use super::{Chat, World};

const FORMS: &str = "jabber:x:data";
const SUBSCRIBE: &str = "<subscribe node='asked' jid='eve@office.example'/>";

/// What notifications say, without who and where.
fn told(chat: &Chat) -> Vec<String> {
    chat.notified()
        .into_iter()
        .map(|(_, _, what)| what)
        .collect()
}

/// A node of Ann's of which she decides who reads it, and Eve has asked.
fn asked() -> Office {
    let mut office = office();
    office.create("asked", &[("access_model", "authorize")]);
    done(&office.publish("ann", "asked", "one"));
    office.ann.read();
    let answer = office.set("eve", SUBSCRIBE);
    assert!(format!("{answer:?}").contains("subscription='pending'"));
    office
}

/// The questions since the last reading.
fn questions(chat: &Chat) -> Vec<Element> {
    let messages = chat.read().into_iter().filter(|s| s.name() == "message");
    messages.filter(|s| s.child("x", FORMS).is_some()).collect()
}

fn field(form: &Element, name: &str) -> String {
    let x = form.child("x", FORMS).unwrap();
    let mut fields = x.children();
    let field = fields.find(|f| f.attribute("var").as_deref() == Some(name));
    let value = field.unwrap().child("value", FORMS).unwrap();
    value.text().into_owned()
}

/// The owner's answer to a question, from one of his clients.
fn answer(question: &Element, kind: &str, allow: &str) -> String {
    let fields = ["FORM_TYPE", "pubsub#node", "pubsub#subscriber_jid"].map(|name| {
        let value = field(question, name);
        format!("<field var='{name}'><value>{value}</value></field>")
    });
    format!(
        "<message to='{}' id='{}'><x xmlns='{FORMS}' type='{kind}'>{}\
         <field var='pubsub#allow'><value>{allow}</value></field></x></message>",
        question.attribute("from").unwrap(),
        question.attribute("id").unwrap(),
        fields.concat()
    )
}

#[test]
fn the_owner_is_asked_and_admits() {
    let mut office = asked();
    let [question] = questions(&office.ann).try_into().unwrap();
    assert_eq!(
        question.attribute("from").as_deref(),
        Some("ann@office.example")
    );
    assert_eq!(
        field(&question, "FORM_TYPE"),
        format!("{PUBSUB}#subscribe_authorization")
    );
    assert_eq!(field(&question, "pubsub#node"), "asked");
    assert_eq!(
        field(&question, "pubsub#subscriber_jid"),
        "eve@office.example"
    );
    assert_eq!(field(&question, "pubsub#allow"), "0");
    // Meanwhile he waits, and everybody can see that.
    let again = &["auth", "not-authorized", "pending-subscription"];
    refused(&office.set("eve", SUBSCRIBE), again);
    let unread = &["auth", "not-authorized", "not-subscribed"];
    refused(&office.read("eve", "asked"), unread);
    let mine = office.get("eve", "<subscriptions/>");
    assert_eq!(listed(&mine, "subscription"), ["pending"]);
    let all = office.owner("ann", "get", "<subscriptions node='asked'/>");
    assert_eq!(listed(&all, "subscription"), ["pending"]);
    done(&office.publish("ann", "asked", "two"));
    office.eve.read();
    // Cancelled is not answered.
    let cancelled = answer(&question, "cancel", "0");
    office.ann.send(&mut office.world, &cancelled);
    let all = office.owner("ann", "get", "<subscriptions node='asked'/>");
    assert_eq!(listed(&all, "subscription"), ["pending"]);
    let yes = answer(&question, "submit", "true");
    office.ann.send(&mut office.world, &yes);
    let heard = format!("{:?}", office.eve.read());
    assert!(heard.contains("subscription='subscribed'"), "{heard}");
    assert!(heard.contains("id='two'"), "the last item comes: {heard}");
    assert_eq!(texts(&office.read("eve", "asked")), ["two"]);
    done(&office.publish("ann", "asked", "three"));
    assert_eq!(told(&office.eve), ["item three three"]);
    // The answer of another device comes too late: yes changes nothing, no is refused.
    office.ann.read();
    office.ann.send(&mut office.world, &yes);
    assert!(office.ann.read().is_empty());
    let no = answer(&question, "submit", "0");
    office.ann.dare(&mut office.world, &no);
    let [late] = office.ann.read().try_into().unwrap();
    assert_eq!(late.attribute("id"), question.attribute("id"));
    assert_eq!(conditions(&late), ["cancel", "unexpected-request"]);
    assert_eq!(texts(&office.read("eve", "asked")), ["three"]);
}

#[test]
fn the_owner_denies() {
    let mut office = asked();
    let [question] = questions(&office.ann).try_into().unwrap();
    office.eve.read();
    let no = answer(&question, "submit", "false");
    office.ann.send(&mut office.world, &no);
    let heard = format!("{:?}", office.eve.read());
    assert!(heard.contains("subscription='none'"), "{heard}");
    assert_eq!(
        listed(&office.get("eve", "<subscriptions/>"), "node"),
        [""; 0]
    );
    // He may ask again, and is refused otherwise where he is put off by the list.
    assert!(format!("{:?}", office.set("eve", SUBSCRIBE)).contains("'pending'"));
    let no = "<subscriptions node='asked'><subscription jid='eve@office.example' subscription='none'/></subscriptions>";
    refused(&office.owner("eve", "set", no), &["auth", "forbidden"]);
    done(&office.owner("ann", "set", no));
    let yes = no.replace("'none'", "'subscribed'");
    office.eve.read();
    done(&office.owner("ann", "set", &yes));
    let heard = format!("{:?}", office.eve.read());
    assert!(heard.contains("subscription='subscribed'"), "{heard}");
    assert_eq!(texts(&office.read("eve", "asked")), ["one"]);
}

#[test]
fn an_owner_who_is_away_is_asked_at_every_login_until_he_answers() {
    let mut office = office();
    office.create("asked", &[("access_model", "authorize")]);
    office
        .ann
        .send(&mut office.world, "<presence type='unavailable'/>");
    office.set("eve", SUBSCRIBE);
    let full = "<subscribe node='asked' jid='bob@office.example/desk'/>";
    office.set("bob", full);
    assert!(questions(&office.ann).is_empty());
    let whom = |chat: &Chat| {
        let all = questions(chat);
        let whom = all.iter().map(|q| field(q, "pubsub#subscriber_jid"));
        whom.collect::<Vec<_>>()
    };
    let both = ["bob@office.example/desk", "eve@office.example"];
    office.ann.send(&mut office.world, "<presence/>");
    assert_eq!(whom(&office.ann), both);
    // Not with every presence, but on another device, and after a restart.
    office
        .ann
        .send(&mut office.world, "<presence><show>away</show></presence>");
    assert!(questions(&office.ann).is_empty());
    let phone = Chat::online(&mut office.world, "ann", "phone");
    assert_eq!(whom(&phone), both);
    office.world.restart(Duration::from_secs(3600));
    let mut ann = Chat::online(&mut office.world, "ann", "desk");
    let all = questions(&ann);
    assert_eq!(all.len(), 2);
    for question in &all {
        let yes = answer(question, "submit", "1");
        ann.send(&mut office.world, &yes);
    }
    let later = Chat::online(&mut office.world, "ann", "phone");
    assert!(questions(&later).is_empty());
    // Who takes his wish back, or is blocked, is not asked about.
    let mut eve = Chat::online(&mut office.world, "eve", "desk");
    let mut bob = Chat::online(&mut office.world, "bob", "desk");
    let ask = |who: &mut Chat, world: &mut World, what: &str| {
        let payload = format!("<pubsub xmlns='{PUBSUB}'>{what}</pubsub>");
        done(&who.ask(world, "set", Some("ann@office.example"), &payload));
    };
    let end = "<unsubscribe node='asked' jid='bob@office.example/desk'/>";
    ask(&mut bob, &mut office.world, end);
    ask(&mut bob, &mut office.world, full);
    ask(&mut bob, &mut office.world, end);
    let end = SUBSCRIBE.replace("<sub", "<unsub");
    ask(&mut eve, &mut office.world, &end);
    ask(&mut eve, &mut office.world, SUBSCRIBE);
    let block = "<block xmlns='urn:xmpp:blocking'><item jid='eve@office.example'/></block>";
    ann.ask(&mut office.world, "set", None, block);
    let later = Chat::online(&mut office.world, "ann", "tablet");
    assert!(questions(&later).is_empty());
}

#[test]
fn an_answer_that_says_too_little_is_refused_and_others_are_messages() {
    let mut office = asked();
    let [question] = questions(&office.ann).try_into().unwrap();
    for wrong in [
        answer(&question, "submit", "perhaps"),
        answer(&question, "submit", "1").replace("pubsub#node", "pubsub#odd"),
        answer(&question, "submit", "1").replace("eve@office.example", "@"),
    ] {
        office.ann.dare(&mut office.world, &wrong);
        let [error] = office.ann.read().try_into().unwrap();
        assert_eq!(conditions(&error), ["modify", "bad-request"], "{wrong}");
    }
    let nowhere = answer(&question, "submit", "1").replace(">asked<", ">missing<");
    office.ann.dare(&mut office.world, &nowhere);
    let [error] = office.ann.read().try_into().unwrap();
    assert_eq!(conditions(&error), ["cancel", "item-not-found"]);
    // Nobody else's answer counts: it is a message for her.
    let forged = answer(&question, "submit", "1");
    office.eve.send(&mut office.world, &forged);
    let [message] = office.ann.read().try_into().unwrap();
    assert_eq!(
        message.attribute("from").as_deref(),
        Some("eve@office.example/desk")
    );
    let all = office.owner("ann", "get", "<subscriptions node='asked'/>");
    assert_eq!(listed(&all, "subscription"), ["pending"]);
}

fn options(fields: &str) -> String {
    format!(
        "<x xmlns='{FORMS}' type='submit'><field var='FORM_TYPE' type='hidden'>\
         <value>{PUBSUB}#subscribe_options</value></field>{fields}</x>"
    )
}

fn set(fields: &str) -> String {
    let form = options(fields);
    format!("<options node='news' jid='eve@office.example'>{form}</options>")
}

/// Eve has subscribed to an open node.
fn news() -> Office {
    let mut office = office();
    office.create("news", &[("access_model", "open"), ("max_items", "9")]);
    done(&office.set("eve", "<subscribe node='news' jid='eve@office.example'/>"));
    office.eve.read();
    office
}

#[test]
fn a_subscriber_says_when_he_wants_to_be_told() {
    let mut office = news();
    let deliver = |value: &str| {
        set(&format!(
            "<field var='pubsub#deliver'><value>{value}</value></field>"
        ))
    };
    done(&office.set("eve", &deliver("0")));
    done(&office.publish("ann", "news", "a"));
    assert_eq!(told(&office.eve), [""; 0]);
    assert_eq!(texts(&office.read("eve", "news")), ["a"]);
    done(&office.set("eve", &deliver("true")));
    let shows = "<field var='pubsub#show-values'><value>online</value><value>chat</value></field>";
    done(&office.set("eve", &set(shows)));
    done(&office.publish("ann", "news", "b"));
    assert_eq!(told(&office.eve), ["item b b"]);
    office
        .eve
        .send(&mut office.world, "<presence><show>dnd</show></presence>");
    done(&office.publish("ann", "news", "c"));
    assert_eq!(told(&office.eve), [""; 0]);
    // On the device that suits.
    let phone = Chat::online(&mut office.world, "eve", "phone");
    done(&office.publish("ann", "news", "d"));
    assert_eq!(
        (told(&office.eve), told(&phone)),
        (vec![], vec!["item d d".to_owned()])
    );
    // What was configured is shown, also after a restart.
    office.world.restart(Duration::from_secs(60));
    office.eve = Chat::online(&mut office.world, "eve", "desk");
    let get = "<options node='news' jid='eve@office.example'/>";
    let form = format!("{:?}", office.get("eve", get));
    assert!(form.contains("type='form'"), "{form}");
    let chosen = "<value>chat</value><value>online</value></field>";
    assert!(form.contains(chosen), "{form}");
    // Cancelled: as before.
    let cancel = "<options node='news' jid='eve@office.example'><x xmlns='jabber:x:data' type='cancel'/></options>";
    done(&office.set("eve", cancel));
    assert_eq!(format!("{:?}", office.get("eve", get)), form);
}

#[test]
fn a_lease_ends_and_can_be_renewed() {
    let mut office = news();
    let until = |office: &Office, seconds: u64| {
        let until = office.world.now().utc.plus(Duration::from_secs(seconds));
        set(&format!(
            "<field var='pubsub#expire'><value>{}</value></field>",
            until.to_rfc3339()
        ))
    };
    let hour = until(&office, 3600);
    done(&office.set("eve", &hour));
    office.world.pass(Duration::from_secs(1800));
    let hour = until(&office, 3600);
    done(&office.set("eve", &hour));
    office.world.pass(Duration::from_secs(3599));
    done(&office.publish("ann", "news", "in time"));
    assert_eq!(told(&office.eve), ["item in time in time"]);
    office.world.pass(Duration::from_secs(1));
    let heard = format!("{:?}", office.eve.read());
    assert!(heard.contains("subscription='none'"), "{heard}");
    done(&office.publish("ann", "news", "late"));
    assert_eq!(told(&office.eve), [""; 0]);
    let all = office.owner("ann", "get", "<subscriptions node='news'/>");
    assert_eq!(listed(&all, "jid"), [""; 0]);
    // One that ends while the server is down, or goes on for ever.
    let hour = until(&office, 3600);
    let leased = |office: &mut Office, options: &str| {
        let form = options.replace(
            "<options node='news' jid='eve@office.example'>",
            "<options>",
        );
        let subscribe = format!("<subscribe node='news' jid='eve@office.example'/>{form}");
        let made = office.set("eve", &subscribe);
        assert!(format!("{made:?}").contains("pubsub#expire"), "{made:?}");
    };
    leased(&mut office, &hour);
    office.world.restart(Duration::from_secs(7200));
    office.world.pass(Duration::from_secs(1));
    office.ann = Chat::online(&mut office.world, "ann", "desk");
    office.eve = Chat::online(&mut office.world, "eve", "desk");
    let all = office.owner("ann", "get", "<subscriptions node='news'/>");
    assert_eq!(listed(&all, "jid"), [""; 0]);
    let hour = until(&office, 3600);
    leased(&mut office, &hour);
    let never = set("<field var='pubsub#expire'><value/></field>");
    done(&office.set("eve", &never));
    office.world.pass(Duration::from_secs(7200));
    let all = office.owner("ann", "get", "<subscriptions node='news'/>");
    assert_eq!(listed(&all, "jid"), ["eve@office.example"]);
}

#[test]
fn options_and_their_errors() {
    let mut office = news();
    office.create("closed", &[("access_model", "whitelist")]);
    let invalid = &["modify", "bad-request", "invalid-options"][..];
    let jid =
        |node: &str, jid: &str| format!("<options node='{node}' jid='{jid}@office.example'/>");
    for (content, error) in [
        (jid("news", "bob"), &["auth", "forbidden"][..]),
        (
            jid("news", "eve").replace("example'", "example/desk'"),
            &["modify", "unexpected-request", "not-subscribed"],
        ),
        (jid("missing", "eve"), &["cancel", "item-not-found"]),
        (
            "<options node='news'/>".to_owned(),
            &["modify", "bad-request", "jid-required"],
        ),
        (
            jid("news", "eve").replace("node='news'", ""),
            &["modify", "bad-request", "nodeid-required"],
        ),
        (
            jid("news", "eve").replace("/>", " subid='1'/>"),
            &["modify", "not-acceptable", "invalid-subid"],
        ),
    ] {
        refused(&office.get("eve", &content), error);
        refused(&office.set("eve", &content), error);
    }
    for wrong in [
        "<field var='pubsub#include_body'><value>1</value></field>",
        "<field var='pubsub#digest'><value>1</value></field>",
        "<field var='pubsub#expire'><value>2001-01-01T00:00:00Z</value></field>",
        "<field var='pubsub#deliver'><value>0</value></field><field var='pubsub#show-values'><value>odd</value></field>",
    ] {
        refused(&office.set("eve", &set(wrong)), invalid);
        let form = options(wrong);
        let subscribe = format!(
            "<subscribe node='news' jid='eve@office.example/desk'/><options>{form}</options>"
        );
        refused(&office.set("eve", &subscribe), invalid);
    }
    let mine = office.get("eve", "<subscriptions/>");
    assert_eq!(listed(&mine, "jid"), ["eve@office.example"]);
    done(&office.publish("ann", "news", "still"));
    assert_eq!(told(&office.eve), ["item still still"]);
    // Defaults, of a node and of all.
    for default in ["<default/>", "<default node='news'/>"] {
        let answer = format!("{:?}", office.get("eve", default));
        assert!(answer.contains("type='result'"), "{answer}");
        assert!(
            answer.contains("<field var='pubsub#deliver'><value>1</value>"),
            "{answer}"
        );
    }
    refused(
        &office.get("eve", "<default node='missing'/>"),
        &["cancel", "item-not-found"],
    );
    refused(
        &office.get("eve", "<default node='closed'/>"),
        &["cancel", "not-allowed", "closed-node"],
    );
}

#[test]
fn a_refused_change_of_several_says_what_they_are_still() {
    let mut office = news();
    let affiliations = |all: &[(&str, &str)]| {
        let all = all.iter().map(|(who, what)| {
            format!("<affiliation jid='{who}@office.example' affiliation='{what}'/>")
        });
        format!(
            "<affiliations node='news'>{}</affiliations>",
            all.collect::<String>()
        )
    };
    done(&office.owner("ann", "set", &affiliations(&[("bob", "publisher")])));
    let change = affiliations(&[("ann", "none"), ("bob", "none"), ("eve", "member")]);
    let answer = office.owner("ann", "set", &change);
    refused(&answer, &["modify", "not-acceptable"]);
    let still = answer.child("pubsub", OWNER).unwrap();
    let still = still.child("affiliations", OWNER).unwrap();
    let still = still
        .children()
        .map(|c| c.attribute("affiliation").unwrap().into_owned());
    assert_eq!(still.collect::<Vec<_>>(), ["owner", "publisher", "none"]);
    let all = office.owner("ann", "get", "<affiliations node='news'/>");
    assert_eq!(listed(&all, "affiliation"), ["owner", "publisher"]);
    let twice = affiliations(&[("eve", "member"), ("eve", "outcast")]);
    refused(
        &office.owner("ann", "set", &twice),
        &["modify", "bad-request"],
    );
    // What says nothing is not to be changed (§8.8.2.1).
    let nothing =
        "<subscriptions node='news'><subscription jid='eve@office.example'/></subscriptions>";
    done(&office.owner("ann", "set", nothing));
    let all = office.owner("ann", "get", "<subscriptions node='news'/>");
    assert_eq!(listed(&all, "subscription"), ["subscribed"]);
}

/// XEP-0248 is not done, is not said to be, and what it would be asked for is refused as that says.
#[test]
fn there_are_no_collections() {
    let mut office = office();
    let unsupported = &["cancel", "feature-not-implemented", "unsupported"];
    let collection = super::nodes::form(&[("node_type", "collection")]);
    let within = super::nodes::form(&[("collection", "all")]);
    for content in [
        format!("<create node='c'/><configure>{collection}</configure>"),
        format!("<create node='c'/><configure>{within}</configure>"),
    ] {
        let answer = office.set("ann", &content);
        refused(&answer, unsupported);
        assert!(format!("{answer:?}").contains("feature='collections'"));
    }
    for (kind, content) in [
        ("get", "<default type='collection'/>"),
        (
            "set",
            "<collection node='c'><associate node='n'/></collection>",
        ),
    ] {
        refused(&office.owner("ann", kind, content), unsupported);
    }
    refused(&office.read("ann", "c"), &["cancel", "item-not-found"]);
    let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    let features = format!("{:?}", office.ask("ann", "get", info));
    for (feature, there) in [
        ("collections", false),
        ("multi-collection", false),
        ("get-pending", false),
        ("subscription-options", true),
        ("leased-subscription", true),
        ("retrieve-default-sub", true),
        ("subscription-notifications", true),
    ] {
        let name = format!("pubsub#{feature}'");
        assert_eq!(features.contains(&name), there, "{feature}");
    }
}
