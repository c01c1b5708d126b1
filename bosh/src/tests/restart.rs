//! What XEP-0206 adds.

use super::*;

#[test]
fn a_restart_is_handed_on_and_nothing_with_it() {
    let mut talk = Talk::new("");
    let auth = talk.ask(1, "", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    talk.say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    assert!(talk.text(auth).contains("<success"));
    let restart = talk.ask(
        2,
        "to='office.example' from='ann@office.example' xml:lang='de' xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'",
        &message(2),
    );
    let auth = talk.session.poll_event().unwrap();
    assert!(described(&auth).starts_with("<auth"));
    assert_eq!(
        talk.session.poll_event(),
        Some(Event::Restart {
            to: Some("office.example".into()),
            from: Some("ann@office.example".into()),
            lang: Some("de".into()),
        })
    );
    assert!(talk.heard().is_empty());
    talk.say(FEATURES);
    assert_eq!(
        talk.text(restart),
        format!(
            "<body xmlns='{NAMESPACE}' xmlns:stream='http://etherx.jabber.org/streams'>{FEATURES}</body>"
        )
    );
}
