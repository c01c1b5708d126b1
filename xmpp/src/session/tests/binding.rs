//! Resource binding (RFC 6120 §7).

use super::*;
use presence::Refusal;

fn stanza_error(answer: &Element) -> (String, String) {
    assert_eq!(answer.name(), "iq");
    assert_eq!(answer.attribute("type").as_deref(), Some("error"));
    let error = child(answer, "error");
    let condition = error.children().next().unwrap();
    assert_eq!(condition.namespace(), "urn:ietf:params:xml:ns:xmpp-stanzas");
    (
        condition.name().to_owned(),
        error.attribute("type").unwrap().into_owned(),
    )
}

fn is(answer: &Element, condition: &str, kind: &str) {
    assert_eq!(
        stanza_error(answer),
        (condition.to_owned(), kind.to_owned())
    );
}

#[test]
fn a_name_of_the_servers_making() {
    let mut pair = Pair::direct().logged_in();
    let answer = pair.send(BIND_ANY).element();
    assert_eq!(answer.attribute("type").as_deref(), Some("result"));
    assert!(matches!(
        pair.actions.last(),
        Some(Action::Bind { account, resource: None, client: None }) if account.as_str() == "ann@office.example"
    ));
    assert_eq!(
        pair.session.address().unwrap().to_string(),
        "ann@office.example/made-here"
    );
}

#[test]
fn a_name_of_the_clients_making_comes_back_unchanged() {
    let mut pair = Pair::direct().logged_in();
    let answer = pair
        .send(&bind("Ann's &lt;Desk&gt; &amp; \u{e9}"))
        .element();
    let jid = child(&child(&answer, "bind"), "jid");
    assert_eq!(jid.text(), "ann@office.example/Ann's <Desk> & \u{e9}");
}

#[test]
fn names_that_cannot_be() {
    let long = "x".repeat(1024);
    let bad = [
        bind(""),
        bind(&long),
        bind("<x/>"),
        format!("<iq type='set' id='b1'><bind xmlns='{BIND}'><resource/></bind></iq>"),
        format!("<iq type='set' id='b1'><bind xmlns='{BIND}'><other/></bind></iq>"),
        format!("<iq type='set' id='b1'><bind xmlns='{BIND}'/><bind xmlns='{BIND}'/></iq>"),
        format!("<iq type='get' id='b1'><bind xmlns='{BIND}'/></iq>"),
        format!("<iq type='set'><bind xmlns='{BIND}'/></iq>"),
    ];
    for text in bad {
        let mut pair = Pair::direct().logged_in();
        is(&pair.send(&text).element(), "bad-request", "modify");
        // It may try again.
        assert_eq!(
            pair.send(&bind("desk"))
                .element()
                .attribute("type")
                .as_deref(),
            Some("result")
        );
    }
}

#[test]
fn refusals() {
    let cases = [
        (Refusal::Conflict, "conflict", "modify"),
        (Refusal::Limit("sessions"), "resource-constraint", "wait"),
        (Refusal::Overloaded, "resource-constraint", "wait"),
        (Refusal::NotAllowed, "not-allowed", "cancel"),
        (Refusal::Disabled, "not-allowed", "cancel"),
        (Refusal::NotFound, "not-allowed", "cancel"),
        (Refusal::Malformed, "bad-request", "modify"),
        (Refusal::Fault, "internal-server-error", "cancel"),
    ];
    for (refusal, condition, kind) in cases {
        let mut pair = Pair::direct().logged_in();
        pair.bindings.push(Err(refusal));
        is(&pair.send(&bind("desk")).element(), condition, kind);
        assert!(pair.session.address().is_none() && !pair.closed);
        pair.send(&bind("sofa")).element();
        assert!(pair.session.address().is_some());
    }
}

#[test]
fn five_retries() {
    let mut pair = Pair::direct().logged_in();
    for _ in 0..5 {
        is(&pair.send(&bind("")).element(), "bad-request", "modify");
    }
    assert_eq!(pair.send(&bind("")).error().0, "policy-violation");
}

#[test]
fn nothing_else_before_it() {
    for stanza in [
        "<message to='bob@office.example'/>",
        "<presence/>",
        "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>",
        "<iq type='result' id='r'/>",
    ] {
        let mut pair = Pair::direct().logged_in();
        assert_eq!(pair.send(stanza).error().0, "not-authorized", "{stanza}");
    }
}

#[test]
fn not_twice() {
    let mut pair = Pair::bound();
    let answer = pair.send(&bind("sofa")).element();
    assert_eq!(answer.attribute("type").as_deref(), Some("error"));
    assert_eq!(
        pair.session.address().unwrap().to_string(),
        "ann@office.example/desk"
    );
    assert!(pair.actions.is_empty());
}

#[test]
fn what_comes_behind_it_waits() {
    let mut pair = Pair::direct().logged_in();
    pair.answers = Answers::Never;
    pair.send(&format!("{}<presence/>", bind("desk")));
    assert!(pair.said().is_empty());
    assert_eq!(pair.actions.len(), 3);
    let bound = Reply::Bound(Ok(Resource::from_prepared("desk")));
    pair.session.handle_reply(pair.now, bound);
    pair.drain();
    assert_eq!(pair.element().name(), "iq");
    assert!(matches!(pair.actions.last(), Some(Action::Available(_))));
}

#[test]
fn the_session_of_old_is_a_matter_of_form() {
    let mut pair = Pair::bound();
    let session =
        "<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>";
    let answer = pair.send(session).element();
    assert_eq!(answer.attribute("type").as_deref(), Some("result"));
}
