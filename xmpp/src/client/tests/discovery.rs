//! XEP-0030 and XEP-0115.

use crate::action::Action;
use crate::discovery::What;
use std::collections::BTreeSet;

use super::common::{fresh, juliet};
use crate::client::{CAPS_NODE, EXTENSIONS};
use crate::print::Condition;

const INFO: &str = "http://jabber.org/protocol/disco#info";
const ITEMS: &str = "http://jabber.org/protocol/disco#items";

fn features(to: &str) -> (Vec<String>, Vec<String>) {
    let reply = fresh(&format!(
        "<iq id='d' type='get' {to}><query xmlns='{INFO}'/></iq>"
    ))
    .reply();
    let query = reply.get_child("query", INFO).unwrap();
    let of = |name: &str, attribute: &str| {
        query
            .children()
            .filter(|c| c.name() == name)
            .map(|c| c.attr(attribute).unwrap().to_owned())
            .collect()
    };
    (of("identity", "category"), of("feature", "var"))
}

#[test]
fn the_server_and_the_account_tell_what_they_can() {
    let (identity, found) = features("to='example.com'");
    assert_eq!(identity, ["server"]);
    for feature in [
        INFO,
        ITEMS,
        "jabber:iq:version",
        "jabber:iq:last",
        "urn:xmpp:ping",
        "urn:xmpp:time",
        "msgoffline",
        "jabber:iq:roster",
        "http://jabber.org/protocol/caps",
    ] {
        assert!(found.iter().any(|f| f == feature), "{feature}");
    }
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
    for to in ["", "to='juliet@example.com'"] {
        let (identity, found) = features(to);
        assert_eq!(identity, ["account"]);
        assert!(found.iter().any(|f| f == INFO));
    }
}

#[test]
fn every_extension_is_listed_once() {
    let names: BTreeSet<_> = EXTENSIONS.iter().map(|e| e.name).collect();
    assert_eq!(names.len(), EXTENSIONS.len());
    assert!(
        EXTENSIONS
            .iter()
            .all(|e| e.specification.starts_with("RFC ")
                || (e.specification.starts_with("XEP-") && !e.version.is_empty()))
    );
}

#[test]
fn the_node_of_the_capabilities_is_known_and_no_other() {
    let client = juliet();
    let node = format!("{CAPS_NODE}#{}", client.service.caps());
    let reply = fresh(&format!(
        "<iq id='d' type='get' to='example.com'><query xmlns='{INFO}' node='{node}'/></iq>"
    ))
    .reply();
    let query = reply.get_child("query", INFO).unwrap();
    assert_eq!(query.attr("node"), Some(&*node));
    for (ns, to, from) in [
        (ITEMS, "to='example.com'", Some("example.com")),
        (ITEMS, "", None),
        (INFO, "", None),
    ] {
        fresh(&format!(
            "<iq id='d' type='get' {to}><query xmlns='{ns}' node='x'/></iq>"
        ))
        .error(Condition::ItemNotFound, Some("d"), from);
    }
    // A command may have this name.
    let info =
        format!("<iq id='d' type='get' to='example.com'><query xmlns='{INFO}' node='x'/></iq>");
    let Action::Discover(asked) = fresh(&info).action() else {
        panic!("a question");
    };
    assert_eq!(asked.what, What::Node("x".to_owned()));
}

#[test]
fn an_account_has_no_items_and_those_of_a_domain_are_asked_for() {
    let reply = fresh(&format!(
        "<iq id='d' type='get'><query xmlns='{ITEMS}'/></iq>"
    ))
    .reply();
    let query = reply.get_child("query", ITEMS).unwrap();
    assert_eq!(query.children().count(), 0);
    for (node, what) in [
        ("", What::Services),
        ("node='http://jabber.org/protocol/commands'", What::Commands),
    ] {
        let items =
            format!("<iq id='d' type='get' to='example.org'><query xmlns='{ITEMS}' {node}/></iq>");
        let Action::Discover(asked) = fresh(&items).action() else {
            panic!("a question");
        };
        assert_eq!((asked.what, &*asked.domain), (what, "example.org"));
    }
}

#[test]
fn other_accounts_tell_nothing() {
    let ask = |ns: &str| {
        fresh(&format!(
            "<iq id='d' type='get' to='romeo@example.com'><query xmlns='{ns}'/></iq>"
        ))
    };
    ask(INFO).error(
        Condition::ServiceUnavailable,
        Some("d"),
        Some("romeo@example.com"),
    );
    let items = ask(ITEMS).reply();
    let query = items.get_child("query", ITEMS).unwrap();
    assert_eq!(query.children().count(), 0);
}
