//! Rosters and subscriptions over the wire (RFC 6121 §2, §3).

use ::xml::Element;

use crate::support::xmpp::{befriend, condition, is_presence};
use crate::support::{Client, Server};

const ROSTER: &str = "jabber:iq:roster";

fn set(item: &str) -> String {
    format!("<query xmlns='{ROSTER}'>{item}</query>")
}

fn is_push(stanza: &Element) -> bool {
    stanza.name() == "iq"
        && stanza.attribute("type").as_deref() == Some("set")
        && stanza.child("query", ROSTER).is_some()
}

fn push(client: &mut Client) -> Element {
    client.expect("a roster push", is_push)
}

/// Attribute of the one item of a push or roster.
fn item(stanza: &Element, name: &str) -> Option<String> {
    let query = stanza.child("query", ROSTER)?;
    let item = query.children().next()?;
    item.attribute(name).map(std::borrow::Cow::into_owned)
}

fn version(stanza: &Element) -> String {
    let query = stanza.child("query", ROSTER).unwrap();
    query.attribute("ver").unwrap().into_owned()
}

/// The subscription of one contact, as a fresh look shows it: `to ask`.
fn state(client: &mut Client, contact: &str) -> String {
    let roster = client.roster();
    let query = roster.child("query", ROSTER).unwrap();
    let found = query
        .children()
        .find(|item| item.attribute("jid").as_deref() == Some(contact));
    let Some(item) = found else {
        return "not there".to_owned();
    };
    let mut words = vec![item.attribute("subscription").unwrap().into_owned()];
    for flag in ["ask", "approved"] {
        words.extend(item.attribute(flag).map(|_| flag.to_owned()));
    }
    words.join(" ")
}

#[test]
fn only_interested_resources_are_pushed_to() {
    let server = Server::start(&["ann"]);
    let mut desk = Client::login(&server, "ann", "desk");
    let mut phone = Client::login(&server, "ann", "phone");
    let mut bored = Client::login(&server, "ann", "bored");
    desk.roster();
    phone.roster();
    let done = desk.ask("set", "", &set("<item jid='bob@office.example' name='Bob &amp; co'><group>Friends</group><group>Work</group></item>"));
    assert_eq!(done.attribute("type").as_deref(), Some("result"));
    for client in [&mut desk, &mut phone] {
        let push = push(client);
        assert_eq!(item(&push, "jid").as_deref(), Some("bob@office.example"));
        assert_eq!(item(&push, "name").as_deref(), Some("Bob & co"));
        assert_eq!(item(&push, "subscription").as_deref(), Some("none"));
        let groups = push
            .children()
            .next()
            .unwrap()
            .children()
            .next()
            .unwrap()
            .children()
            .count();
        assert_eq!(groups, 2);
    }
    bored.nothing("a push to who never asked for the roster", is_push);
    let done = phone.ask(
        "set",
        "",
        &set("<item jid='bob@office.example' subscription='remove'/>"),
    );
    assert_eq!(done.attribute("type").as_deref(), Some("result"));
    for client in [&mut desk, &mut phone] {
        assert_eq!(
            item(&push(client), "subscription").as_deref(),
            Some("remove")
        );
    }
    let missing = phone.ask(
        "set",
        "",
        &set("<item jid='bob@office.example' subscription='remove'/>"),
    );
    assert_eq!(condition(&missing).as_deref(), Some("item-not-found"));
    for wrong in [
        set(""),
        set("<item jid='bob@office.example'/><item jid='carol@office.example'/>"),
        set("<item name='nobody'/>"),
        set("<item jid='@'/>"),
    ] {
        let answer = phone.ask("set", "", &wrong);
        let condition = condition(&answer);
        assert!(
            matches!(condition.as_deref(), Some("bad-request" | "jid-malformed")),
            "{wrong}: {answer:?}"
        );
    }
    let other = phone.ask("get", "bob@office.example", &set(""));
    assert_eq!(
        other.attribute("type").as_deref(),
        Some("error"),
        "{other:?}"
    );
}

#[test]
fn versions_spare_what_is_known() {
    let server = Server::start(&["ann"]);
    let mut ann = Client::login(&server, "ann", "desk");
    let empty = ann.ask("get", "", &format!("<query xmlns='{ROSTER}' ver=''/>"));
    let first = version(&empty);
    ann.ask("set", "", &set("<item jid='bob@office.example'/>"));
    let second = version(&push(&mut ann));
    assert_ne!(first, second);
    let same = ann.ask(
        "get",
        "",
        &format!("<query xmlns='{ROSTER}' ver='{second}'/>"),
    );
    assert!(same.child("query", ROSTER).is_none(), "{same:?}");
    let whole = ann.ask(
        "get",
        "",
        &format!("<query xmlns='{ROSTER}' ver='{first}'/>"),
    );
    assert_eq!(item(&whole, "jid").as_deref(), Some("bob@office.example"));
    assert_eq!(version(&whole), second);
}

#[test]
fn a_subscription_each_way_and_its_end() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    ann.send("<presence type='subscribe' to='bob@office.example/desk' id='s1'><status>it is me</status></presence>");
    let asked = push(&mut ann);
    assert_eq!(item(&asked, "subscription").as_deref(), Some("none"));
    assert_eq!(item(&asked, "ask").as_deref(), Some("subscribe"));
    let request = bob.presence("ann@office.example", "subscribe");
    assert_eq!(
        request.attribute("to").as_deref(),
        Some("bob@office.example")
    );
    assert_eq!(crate::support::xmpp::text(&request, "status"), "it is me");
    assert_eq!(
        state(&mut bob, "ann@office.example"),
        "not there",
        "none + pending in"
    );
    bob.send("<presence type='subscribed' to='ann@office.example'/>");
    ann.presence("bob@office.example", "subscribed");
    assert_eq!(item(&push(&mut ann), "subscription").as_deref(), Some("to"));
    ann.presence("bob@office.example/desk", "");
    assert_eq!(state(&mut bob, "ann@office.example"), "from");
    bob.send("<presence type='subscribe' to='ann@office.example'/>");
    ann.presence("bob@office.example", "subscribe");
    ann.send("<presence type='subscribed' to='bob@office.example'/>");
    bob.presence("ann@office.example", "subscribed");
    bob.presence("ann@office.example/desk", "");
    assert_eq!(state(&mut ann, "bob@office.example"), "both");
    assert_eq!(state(&mut bob, "ann@office.example"), "both");

    ann.send("<presence type='unsubscribed' to='bob@office.example'/>");
    bob.presence("ann@office.example", "unsubscribed");
    bob.presence("ann@office.example/desk", "unavailable");
    assert_eq!(state(&mut bob, "ann@office.example"), "from");
    ann.send("<presence type='unsubscribe' to='bob@office.example'/>");
    bob.presence("ann@office.example", "unsubscribe");
    ann.presence("bob@office.example/desk", "unavailable");
    assert_eq!(state(&mut ann, "bob@office.example"), "none");
    assert_eq!(state(&mut bob, "ann@office.example"), "none");
}

#[test]
fn removing_a_contact_ends_both_subscriptions() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    befriend(&mut ann, &mut bob);
    ann.ask(
        "set",
        "",
        &set("<item jid='bob@office.example' subscription='remove'/>"),
    );
    bob.presence("ann@office.example", "unsubscribe");
    bob.presence("ann@office.example", "unsubscribed");
    bob.presence("ann@office.example/desk", "unavailable");
    ann.presence("bob@office.example/desk", "unavailable");
    assert_eq!(state(&mut bob, "ann@office.example"), "none");
    assert_eq!(state(&mut ann, "bob@office.example"), "not there");
}

#[test]
fn requests_come_again_at_each_login_until_they_are_answered() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    ann.send(
        "<presence type='subscribe' to='bob@office.example'><status>please</status></presence>",
    );
    push(&mut ann);
    for resource in ["one", "two"] {
        let mut bob = Client::online(&server, "bob", resource);
        let request = bob.presence("ann@office.example", "subscribe");
        assert_eq!(crate::support::xmpp::text(&request, "status"), "please");
        bob.close();
    }
    let mut bob = Client::online(&server, "bob", "desk");
    bob.presence("ann@office.example", "subscribe");
    bob.send("<presence type='unsubscribed' to='ann@office.example'/>");
    ann.presence("bob@office.example", "unsubscribed");
    assert_eq!(state(&mut ann, "bob@office.example"), "none");
    bob.close();
    let mut bob = Client::online(&server, "bob", "desk");
    bob.nothing("a request that was refused", |s| {
        is_presence(s, "ann@office.example", "subscribe")
    });
    ann.nothing("presence that was refused", |s| {
        is_presence(s, "bob@office.example/desk", "")
    });
}

#[test]
fn an_approval_before_the_request() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::authenticated(&server, "bob");
    bob.bind("desk");
    bob.roster();
    bob.available("");
    bob.send("<presence type='subscribed' to='ann@office.example'/>");
    let approved = push(&mut bob);
    assert_eq!(item(&approved, "approved").as_deref(), Some("true"));
    assert_eq!(state(&mut bob, "ann@office.example"), "none approved");
    let mut ann = Client::online(&server, "ann", "desk");
    ann.send("<presence type='subscribe' to='bob@office.example'/>");
    ann.presence("bob@office.example", "subscribed");
    ann.presence("bob@office.example/desk", "");
    bob.nothing("a request that was approved before", |s| {
        is_presence(s, "ann@office.example", "subscribe")
    });
    assert!(state(&mut bob, "ann@office.example").starts_with("from"));
}

#[test]
fn rosters_are_limited() {
    let server = Server::with("[limits]\nroster_items = 2", &["ann"]);
    let mut ann = Client::login(&server, "ann", "desk");
    for name in ["one", "two"] {
        let done = ann.ask(
            "set",
            "",
            &set(&format!("<item jid='{name}@office.example'/>")),
        );
        assert_eq!(done.attribute("type").as_deref(), Some("result"));
    }
    let full = ann.ask("set", "", &set("<item jid='three@office.example'/>"));
    let condition = condition(&full);
    assert!(
        matches!(
            condition.as_deref(),
            Some("resource-constraint" | "policy-violation" | "not-allowed")
        ),
        "{full:?}"
    );
}
