//! XEP-0030 and XEP-0115.

use std::collections::BTreeSet;
use std::sync::Arc;

use services::pubsub::Request;

use super::common::{Outcome, fresh, juliet, send};
use crate::action::Action;
use crate::client::{CAPS_NODE, Client, EXTENSIONS, ExternalService, Service, SharedSecret};
use crate::discovery::What;
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
        assert_eq!(identity, ["account", "pubsub"]);
        assert!(found.iter().any(|f| f == INFO));
        for feature in ["auto-create", "filtered-notifications", "publish-options"] {
            let feature = format!("http://jabber.org/protocol/pubsub#{feature}");
            assert!(found.contains(&feature), "{feature}");
        }
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
    fresh(&format!(
        "<iq id='d' type='get' to='example.com'><query xmlns='{ITEMS}' node='x'/></iq>"
    ))
    .error(Condition::ItemNotFound, Some("d"), Some("example.com"));
    // A command may have this name.
    let info =
        format!("<iq id='d' type='get' to='example.com'><query xmlns='{INFO}' node='x'/></iq>");
    let Action::Discover(asked) = fresh(&info).action() else {
        panic!("a question");
    };
    assert_eq!(asked.what, What::Node("x".to_owned()));
}

#[test]
fn items_of_a_domain_are_asked_for() {
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

/// What somebody may know of an account and its nodes, the one with the storage knows.
#[test]
fn accounts_and_nodes_are_asked_for_outside() {
    for (to, owner) in [
        ("", "juliet@example.com"),
        ("to='romeo@example.com'", "romeo@example.com"),
    ] {
        for (ns, node) in [(INFO, Some("n")), (ITEMS, None), (ITEMS, Some("n"))] {
            let attribute = node.map_or_else(String::new, |n| format!(" node='{n}'"));
            let ask = format!("<iq id='d' type='get' {to}><query xmlns='{ns}'{attribute}/></iq>");
            let Action::Pubsub {
                owner: of, request, ..
            } = fresh(&ask).action()
            else {
                panic!("{ask}");
            };
            assert_eq!(of.as_str(), owner);
            let node = node.map(Arc::from);
            let expected = match ns {
                INFO => Request::Info { node },
                _ => Request::Discover { node },
            };
            assert_eq!(*request, expected);
        }
    }
    let ask = format!("<iq id='d' type='get' to='romeo@example.com'><query xmlns='{INFO}'/></iq>");
    assert!(matches!(fresh(&ask).action(), Action::Pubsub { .. }));
}

const EXTERNAL: &str = "urn:xmpp:extdisco:2";

/// A client of a service with contact addresses and a TURN server.
fn with_services() -> Client {
    let client = juliet();
    let plain = Service::clone(&client.service);
    let mut service = plain.with_contacts(vec![
        (
            "abuse-addresses",
            vec!["mailto:abuse@example.com".to_owned()],
        ),
        ("sales-addresses", vec![]),
    ]);
    let turn = ExternalService {
        kind: "turn",
        host: "relay.example.com".to_owned(),
        port: 3478,
        transport: "udp",
        secret: Some(SharedSecret {
            text: "north".to_owned(),
            lifetime: std::time::Duration::from_secs(3600),
        }),
    };
    let stun = ExternalService {
        kind: "stun",
        secret: None,
        ..turn.clone()
    };
    service.external = vec![stun, turn];
    Client::new(client.address().clone(), None, Arc::new(service))
}

fn asked(payload: &str) -> Outcome {
    let stanza = format!("<iq id='d' type='get' to='example.com'>{payload}</iq>");
    send(&mut with_services(), &stanza)
}

#[test]
fn those_who_run_the_service_are_told_and_hashed() {
    let query = format!("<query xmlns='{INFO}'/>");
    let reply = asked(&query).reply();
    let form = reply
        .get_child("query", INFO)
        .unwrap()
        .get_child("x", "jabber:x:data")
        .unwrap();
    assert_eq!(form.attr("type"), Some("result"));
    let fields: Vec<(&str, String)> = form
        .children()
        .map(|f| (f.attr("var").unwrap(), f.children().next().unwrap().text()))
        .collect();
    assert_eq!(
        fields,
        [
            (
                "FORM_TYPE",
                "http://jabber.org/network/serverinfo".to_owned()
            ),
            ("abuse-addresses", "mailto:abuse@example.com".to_owned()),
        ]
    );
    assert_ne!(with_services().service.caps(), juliet().service.caps());
    let without = fresh(&format!(
        "<iq id='d' type='get' to='example.com'>{query}</iq>"
    ));
    let without = without.reply();
    let query = without.get_child("query", INFO).unwrap();
    assert!(query.get_child("x", "jabber:x:data").is_none());
}

#[test]
fn external_services_are_told_with_credentials_that_end() {
    let all = asked(&format!("<services xmlns='{EXTERNAL}'/>")).reply();
    let all: Vec<_> = all
        .get_child("services", EXTERNAL)
        .unwrap()
        .children()
        .collect();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].attr("type"), Some("stun"));
    assert_eq!(
        (all[0].attr("username"), all[0].attr("restricted")),
        (None, None)
    );
    let turn = all[1];
    assert_eq!(turn.attr("host"), Some("relay.example.com"));
    assert_eq!(
        (turn.attr("port"), turn.attr("transport")),
        (Some("3478"), Some("udp"))
    );
    assert_eq!(turn.attr("username"), Some("1700003600:juliet@example.com"));
    assert_eq!(turn.attr("expires"), Some("2023-11-14T23:13:20Z"));
    assert!(turn.attr("password").is_some());
    let some = asked(&format!("<services xmlns='{EXTERNAL}' type='turn'/>")).reply();
    let some = some.get_child("services", EXTERNAL).unwrap();
    assert_eq!(some.attr("type"), Some("turn"));
    assert_eq!(some.children().count(), 1);
}

#[test]
fn credentials_for_one_service_are_asked_for_by_its_name() {
    let credentials = |service: &str| {
        asked(&format!(
            "<credentials xmlns='{EXTERNAL}'>{service}</credentials>"
        ))
    };
    let reply = credentials("<service type='turn' host='relay.example.com'/>").reply();
    let given = reply.get_child("credentials", EXTERNAL).unwrap();
    assert!(given.children().next().unwrap().attr("password").is_some());
    let from = Some("example.com");
    for unknown in [
        "<service type='turn' host='other.example.com'/>",
        "<service type='turn' host='relay.example.com' port='1'/>",
    ] {
        credentials(unknown).error(Condition::ItemNotFound, Some("d"), from);
    }
    for wrong in [
        "",
        "<service type='turn'/>",
        "<service host='relay.example.com'/>",
    ] {
        credentials(wrong).error(Condition::BadRequest, Some("d"), from);
    }
}
