//! Blocking over the wire (XEP-0191), and reports (XEP-0377).

use ::xml::Element;

use crate::support::xmpp::{befriend, condition};
use crate::support::{Client, Server};

const BLOCKING: &str = "urn:xmpp:blocking";
const BOB: &str = "bob@office.example";

fn block(content: &str) -> String {
    format!("<block xmlns='{BLOCKING}'>{content}</block>")
}

fn is_done(answer: &Element) -> bool {
    answer.attribute("type").as_deref() == Some("result")
}

/// The addresses in the list, or in a push.
fn items(of: &Element, name: &str) -> Vec<String> {
    let list = of.child(name, BLOCKING).unwrap();
    let items = list.children();
    items
        .filter_map(|i| i.attribute("jid").map(std::borrow::Cow::into_owned))
        .collect()
}

fn list(client: &mut Client) -> Vec<String> {
    let answer = client.ask("get", "", &format!("<blocklist xmlns='{BLOCKING}'/>"));
    items(&answer, "blocklist")
}

fn push(client: &mut Client, name: &str) -> Vec<String> {
    let push = client.expect("a push", |s| s.child(name, BLOCKING).is_some());
    assert_eq!(push.attribute("type").as_deref(), Some("set"));
    items(&push, name)
}

#[test]
fn a_conversation_is_over_until_it_is_not() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut tablet = Client::online(&server, "ann", "tablet");
    let mut bob = Client::online(&server, "bob", "desk");
    befriend(&mut ann, &mut bob);
    assert!(list(&mut ann).is_empty() && list(&mut tablet).is_empty());
    let done = ann.ask("set", "", &block(&format!("<item jid='{BOB}'/>")));
    assert!(is_done(&done));
    assert_eq!(push(&mut tablet, "block"), [BOB]);
    bob.presence("ann@office.example/desk", "unavailable");
    bob.presence("ann@office.example/tablet", "unavailable");
    ann.presence("bob@office.example/desk", "unavailable");
    // What he sends.
    bob.send("<message to='ann@office.example' type='chat' id='m1'><body>why?</body></message>");
    let refused = bob.expect("an error", |s| s.name() == "message");
    assert_eq!(condition(&refused).as_deref(), Some("service-unavailable"));
    for to in ["ann@office.example/desk", "ann@office.example"] {
        let refused = bob.ask("get", to, "<query xmlns='jabber:iq:version'/>");
        assert_eq!(
            condition(&refused).as_deref(),
            Some("service-unavailable"),
            "{to}"
        );
    }
    let refused = bob.ask(
        "get",
        "ann@office.example",
        "<query xmlns='jabber:iq:last'/>",
    );
    assert_eq!(condition(&refused).as_deref(), Some("forbidden"));
    bob.send("<presence type='probe' to='ann@office.example'/>");
    bob.send("<presence to='ann@office.example/desk'/>");
    bob.send("<presence type='subscribe' to='ann@office.example'/>");
    bob.nothing("an answer to presence", |s| s.name() == "presence");
    ann.nothing("something of bob", |s| {
        let from = s.attribute("from").unwrap_or_default();
        from.starts_with(BOB) && s.attribute("type").as_deref() != Some("unavailable")
    });
    // What she sends.
    for stanza in [
        format!("<message to='{BOB}' id='m2'><body>x</body></message>"),
        format!("<presence to='{BOB}' id='m2'/>"),
        format!("<presence type='subscribe' to='{BOB}' id='m2'/>"),
        format!("<presence type='probe' to='{BOB}' id='m2'/>"),
        format!("<iq type='get' to='{BOB}/desk' id='m2'><query xmlns='jabber:iq:version'/></iq>"),
        format!("<iq type='get' to='{BOB}' id='m2'><query xmlns='jabber:iq:last'/></iq>"),
    ] {
        ann.send(&stanza);
        let refused = ann.expect("an error", |s| condition(s).is_some());
        assert_eq!(
            condition(&refused).as_deref(),
            Some("not-acceptable"),
            "{stanza}"
        );
        let error = refused.child("error", "jabber:client").unwrap();
        assert!(
            error.child("blocked", "urn:xmpp:blocking:errors").is_some(),
            "{stanza}"
        );
    }
    ann.send(&format!("<presence type='unavailable' to='{BOB}'/>"));
    let done = ann.ask(
        "set",
        "",
        &format!("<unblock xmlns='{BLOCKING}'><item jid='{BOB}'/></unblock>"),
    );
    assert!(is_done(&done), "{done:?}");
    assert_eq!(push(&mut tablet, "unblock"), [BOB]);
    bob.presence("ann@office.example/desk", "");
    bob.presence("ann@office.example/tablet", "");
    ann.presence("bob@office.example/desk", "");
    bob.send("<message to='ann@office.example' type='chat'><body>good</body></message>");
    ann.message("good");
}

#[test]
fn the_list_and_the_reports_survive_and_the_limit_holds() {
    let mut server = Server::with(
        "[limits]\nblocked_addresses = 3\nreports = 2",
        &["ann", "bob"],
    );
    let mut ann = Client::online(&server, "ann", "desk");
    let report = |reason: &str| {
        format!(
            "<item jid='{reason}.example'><report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:{reason}'>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='ann@office.example' id='17'/><text>so many of them</text></report></item>"
        )
    };
    let done = ann.ask(
        "set",
        "",
        &block(&(report("spam") + &report("abuse") + &report("spam"))),
    );
    assert!(is_done(&done), "{done:?}");
    let done = ann.ask("set", "", &block(&format!("<item jid='{BOB}'/>")));
    assert!(is_done(&done), "{done:?}");
    let refused = ann.ask("set", "", &block("<item jid='one.too.many.example'/>"));
    assert_eq!(condition(&refused).as_deref(), Some("resource-constraint"));
    let text = String::from_utf8(refused.raw().to_vec()).unwrap();
    assert!(text.contains("blocked_addresses"), "{text}");
    for (payload, wanted) in [
        (block(""), "bad-request"),
        (block("<item jid='@'/>"), "jid-malformed"),
        (
            format!("<unblock xmlns='{BLOCKING}'><other/></unblock>"),
            "bad-request",
        ),
    ] {
        let refused = ann.ask("set", "", &payload);
        assert_eq!(condition(&refused).as_deref(), Some(wanted), "{payload}");
    }
    server.kill();
    let reports = server.ok(&["user", "reports", "--json"]);
    server.launch();
    let mut ann = Client::online(&server, "ann", "desk");
    assert_eq!(list(&mut ann), ["abuse.example", BOB, "spam.example"]);
    assert_eq!(
        reports,
        server.ok(&["user", "reports", "--json"]),
        "with and without a server"
    );
    let reports: serde_json::Value = serde_json::from_str(&reports).unwrap();
    let rows = reports.as_array().unwrap();
    let reasons: Vec<_> = rows.iter().filter_map(|r| r["reason"].as_str()).collect();
    assert_eq!(reasons, ["abuse", "spam"], "the oldest is dropped");
    assert_eq!(rows[0]["by"], "ann@office.example");
    assert_eq!(rows[0]["about"], "abuse.example");
    assert_eq!(rows[0]["text"], "so many of them");
    assert_eq!(rows[0]["stanzas"][0]["id"], "17");
    let shown = server.ok(&["user", "reports"]);
    assert!(
        shown.contains("ann@office.example reports abuse.example: abuse, 1 message"),
        "{shown}"
    );
    server.ok(&["user", "delete", "ann@office.example"]);
    assert_eq!(server.ok(&["user", "reports"]), "Nothing was reported.\n");
}
