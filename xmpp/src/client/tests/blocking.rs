//! XEP-0191 and XEP-0377: what a client asks of its list.

use presence::{Address, ReportReason, StanzaId};

use super::common::{NOW, fresh};
use crate::action::{Action, BlockWish};
use crate::print::Condition;

fn ask(kind: &str, payload: &str) -> super::common::Outcome {
    fresh(&format!("<iq type='{kind}' id='b'>{payload}</iq>"))
}

fn wish(kind: &str, payload: &str) -> BlockWish {
    match ask(kind, payload).action() {
        Action::Blocking { iq, wish } => {
            assert_eq!((&*iq.id, iq.to), ("b", None));
            wish
        }
        other => panic!("{other:?}"),
    }
}

fn addresses(texts: &[&str]) -> Vec<Address> {
    texts.iter().map(|t| Address::parse(t).unwrap()).collect()
}

#[test]
fn the_list_is_read() {
    let got = wish("get", "<blocklist xmlns='urn:xmpp:blocking'/>");
    assert_eq!(got, BlockWish::List);
}

#[test]
fn each_kind_of_pattern_is_blocked_and_unblocked() {
    let items = "<item jid='Romeo@Example.NET'/><item jid='a@b/C'/><item jid='spam.example'/>\
                 <item jid='spam.example/bot'/><item jid='romeo@example.net'/>";
    let meant = addresses(&[
        "romeo@example.net",
        "a@b/C",
        "spam.example",
        "spam.example/bot",
    ]);
    let got = wish(
        "set",
        &format!("<block xmlns='urn:xmpp:blocking'>{items}</block>"),
    );
    assert_eq!(got, BlockWish::Block(meant.clone(), Vec::new()));
    let got = wish(
        "set",
        &format!("<unblock xmlns='urn:xmpp:blocking'>{items}</unblock>"),
    );
    assert_eq!(got, BlockWish::Unblock(meant));
    let got = wish("set", "<unblock xmlns='urn:xmpp:blocking'/>");
    assert_eq!(got, BlockWish::Unblock(Vec::new()));
}

#[test]
fn what_is_refused() {
    for (content, condition) in [
        ("", Condition::BadRequest),
        ("<item/>", Condition::BadRequest),
        ("<item xmlns='urn:other' jid='a@b'/>", Condition::BadRequest),
        ("<thing/>", Condition::BadRequest),
        ("<item jid='@'/>", Condition::JidMalformed),
        (
            "<item jid='a@b'/><item jid='a b@c'/>",
            Condition::JidMalformed,
        ),
        (
            "<item jid='a@b'><report xmlns='urn:xmpp:reporting:1'/></item>",
            Condition::BadRequest,
        ),
    ] {
        let block = format!("<block xmlns='urn:xmpp:blocking'>{content}</block>");
        ask("set", &block).error(condition, Some("b"), None);
        if !content.is_empty() {
            // Misread it would unblock everybody.
            let unblock = format!("<unblock xmlns='urn:xmpp:blocking'>{content}</unblock>");
            ask("set", &unblock).error(condition, Some("b"), None);
        }
    }
    for payload in [
        "<block xmlns='urn:xmpp:blocking'/>",
        "<unblock xmlns='urn:xmpp:blocking'/>",
    ] {
        ask("get", payload).error(Condition::ServiceUnavailable, Some("b"), None);
    }
}

#[test]
fn the_list_of_somebody_else_is_his() {
    for (kind, payload) in [
        ("get", "<blocklist xmlns='urn:xmpp:blocking'/>"),
        (
            "set",
            "<block xmlns='urn:xmpp:blocking'><item jid='a@b'/></block>",
        ),
        ("set", "<unblock xmlns='urn:xmpp:blocking'/>"),
    ] {
        let romeo = "romeo@example.com";
        let out = fresh(&format!(
            "<iq type='{kind}' id='b' to='{romeo}'>{payload}</iq>"
        ));
        out.error(Condition::Forbidden, Some("b"), Some(romeo));
    }
}

#[test]
fn reports_come_with_the_block() {
    let long = "\u{e4}".repeat(3000);
    let block = format!(
        "<block xmlns='urn:xmpp:blocking'>\
         <item jid='a@b'><report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='juliet@example.com' id='1'/><report-origin/>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='juliet@example.com' id='2'/>\
         <text xml:lang='en'> Never again. </text><text>not this one</text></report></item>\
         <item jid='c'/>\
         <item jid='d/e'><report xmlns='urn:xmpp:reporting:1' reason='urn:example:other'>\
         <text>{long}</text></report></item></block>"
    );
    let BlockWish::Block(who, reports) = wish("set", &block) else {
        panic!("a block");
    };
    assert_eq!(who, addresses(&["a@b", "c", "d/e"]));
    assert_eq!(reports.len(), 2);
    let [first, second] = &reports[..] else {
        panic!("two reports");
    };
    let stanza = |id: &str| StanzaId {
        by: "juliet@example.com".to_owned(),
        id: id.to_owned(),
    };
    assert_eq!(first.about, Address::parse("a@b").unwrap());
    assert_eq!(first.reason, ReportReason::Spam);
    assert_eq!(first.text.as_deref(), Some("Never again."));
    assert_eq!(first.stanzas, [stanza("1"), stanza("2")]);
    assert_eq!(first.at, NOW.utc);
    assert_eq!(
        second.reason,
        ReportReason::Other("urn:example:other".to_owned())
    );
    let kept = second.text.as_deref().unwrap();
    assert!(kept.len() == 4096 && long.starts_with(kept));
}
