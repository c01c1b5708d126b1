//! RFC 6121 §2.

use super::common::fresh;
use crate::action::Action;
use crate::print::Condition;

fn set(items: &str) -> super::common::Outcome {
    fresh(&format!(
        "<iq id='rs' type='set'><query xmlns='jabber:iq:roster'>{items}</query></iq>"
    ))
}

#[test]
fn a_roster_is_asked_for_with_and_without_version() {
    for (attribute, version) in [("", None), ("ver=''", Some("")), ("ver='12'", Some("12"))] {
        for to in ["", "to='juliet@example.com'"] {
            match fresh(&format!(
                "<iq id='g' type='get' {to}><query xmlns='jabber:iq:roster' {attribute}/></iq>"
            ))
            .action()
            {
                Action::RosterGet { iq, version: found } => {
                    assert_eq!(found.as_deref(), version);
                    assert_eq!((&*iq.id, iq.to.is_some()), ("g", !to.is_empty()));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    fresh("<iq id='g' type='get'><query xmlns='jabber:iq:roster'><item jid='a@example.com'/></query></iq>")
        .error(Condition::BadRequest, Some("g"), None);
}

#[test]
fn items_are_set_as_given() {
    match set("<item jid='Nurse@example.com' name='N &amp; M' subscription='both' ask='subscribe' approved='true'><group>Servants</group><group>servants</group></item>").action() {
        Action::RosterSet { contact, name, groups, .. } => {
            assert_eq!(contact.as_str(), "nurse@example.com");
            assert_eq!(name.as_deref(), Some("N & M"));
            assert_eq!(groups, ["Servants", "servants"]);
        }
        other => panic!("{other:?}"),
    }
    match set("<item jid='elsewhere.example' name=''/>").action() {
        Action::RosterSet {
            contact,
            name,
            groups,
            ..
        } => {
            assert_eq!(
                (contact.as_str(), name, groups.len()),
                ("elsewhere.example", None, 0)
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn items_are_removed() {
    match set("<item jid='nurse@example.com' subscription='remove'><group/></item>").action() {
        Action::RosterRemove { contact, iq } => {
            assert_eq!((contact.as_str(), &*iq.id), ("nurse@example.com", "rs"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn wrong_sets_are_refused() {
    let long = "x".repeat(1024);
    let many: Vec<_> = (0..101).map(|n| format!("<group>{n}</group>")).collect();
    let many = many.concat();
    for (items, condition) in [
        (String::new(), Condition::BadRequest),
        (
            "<item jid='a@example.com'/><item jid='b@example.com'/>".to_owned(),
            Condition::BadRequest,
        ),
        (
            "<thing jid='a@example.com'/>".to_owned(),
            Condition::BadRequest,
        ),
        ("<item name='a'/>".to_owned(), Condition::BadRequest),
        (
            "<item jid='a@example.com/home'/>".to_owned(),
            Condition::BadRequest,
        ),
        (
            "<item jid='@example.com'/>".to_owned(),
            Condition::JidMalformed,
        ),
        ("<item jid=''/>".to_owned(), Condition::JidMalformed),
        (
            "<item jid='a@example.com'><group>g</group><group>g</group></item>".to_owned(),
            Condition::BadRequest,
        ),
        (
            "<item jid='a@example.com'><group/></item>".to_owned(),
            Condition::NotAcceptable,
        ),
        (
            format!("<item jid='a@example.com' name='{long}'/>"),
            Condition::NotAcceptable,
        ),
        (
            format!("<item jid='a@example.com'><group>{long}</group></item>"),
            Condition::NotAcceptable,
        ),
        (
            format!("<item jid='a@example.com'>{many}</item>"),
            Condition::NotAcceptable,
        ),
        (
            "<item jid='juliet@example.com'/>".to_owned(),
            Condition::NotAllowed,
        ),
    ] {
        set(&items).error(condition, Some("rs"), None);
    }
    let fits = "x".repeat(1023);
    set(&format!(
        "<item jid='a@example.com' name='{fits}'><group>{fits}</group></item>"
    ))
    .action();
}

#[test]
fn rosters_of_others_are_forbidden() {
    for (kind, content) in [("get", ""), ("set", "<item jid='nurse@example.com'/>")] {
        fresh(&format!("<iq id='f' type='{kind}' to='romeo@example.com'><query xmlns='jabber:iq:roster'>{content}</query></iq>"))
            .error(Condition::Forbidden, Some("f"), Some("romeo@example.com"));
    }
    fresh("<iq id='f' type='get' to='example.com'><query xmlns='jabber:iq:roster'/></iq>").error(
        Condition::ServiceUnavailable,
        Some("f"),
        Some("example.com"),
    );
}
