//! The stream inside: logging in, its language, its errors, its management (XEP-0206, XEP-0198).

use super::tab::{BOSH, Tab, USUAL, chat, elements, ended, post};
use crate::support::server::password;
use crate::support::{Client, Server};
use crate::web::wire::Wire;

const STREAMS: &str = "http://etherx.jabber.org/streams";

#[test]
fn two_clients_talk() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Tab::online(&server, "ann", "tab");
    let mut bob = Tab::online(&server, "bob", "tab");
    for number in 0..20 {
        let text = format!("<![CDATA[<{number}>]]> &amp; &#252;ber");
        let (from, to) = if number % 2 == 0 {
            (&mut ann, &mut bob)
        } else {
            (&mut bob, &mut ann)
        };
        let message = chat(&to.jid, &text);
        from.say(&message);
        let got = to.message(&format!("<{number}> & über"));
        assert_eq!(got.attribute("from").as_deref(), Some(&*from.jid));
    }
}

#[test]
fn scram_works_as_well() {
    use xmpp::sasl::{ClientBinding, Hash, Nonce, ScramClient, decode_payload, encode_payload};
    let server = Server::start(&["ann"]);
    let mut tab = Tab::open(&server, USUAL);
    let nonce = Nonce::from_random(&rand::random());
    let binding = ClientBinding::Unsupported;
    let (first, client) = ScramClient::start(Hash::Sha256, "ann", None, binding, &nonce);
    let sasl = "urn:ietf:params:xml:ns:xmpp-sasl";
    let first = encode_payload(&first);
    tab.say(&format!(
        "<auth xmlns='{sasl}' mechanism='SCRAM-SHA-256'>{first}</auth>"
    ));
    let challenge = tab.expect("a challenge", |s| s.is("challenge", sasl));
    let challenge = decode_payload(&challenge.text()).unwrap();
    let (last, client) = client
        .handle_challenge(&challenge, &password("ann"))
        .unwrap();
    let last = encode_payload(&last);
    tab.say(&format!("<response xmlns='{sasl}'>{last}</response>"));
    let success = tab.expect("success", |s| s.is("success", sasl));
    client
        .handle_success(&decode_payload(&success.text()).unwrap())
        .unwrap();
    tab.restart("");
    tab.bind("tab");
    assert_eq!(tab.jid, "ann@office.example/tab");
}

#[test]
fn a_restart_brings_features_and_nothing_else() {
    let server = Server::start(&["ann"]);
    let mut tab = Tab::open(&server, USUAL);
    let initial =
        xmpp::sasl::encode_payload(&xmpp::sasl::plain_message(None, "ann", &password("ann")));
    tab.say(&format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{initial}</auth>"
    ));
    tab.expect("success", |s| s.name() == "success");
    // A stanza in it is not looked at.
    let stray =
        "<iq xmlns='jabber:client' type='get' id='stray'><query xmlns='jabber:iq:roster'/></iq>";
    let features = tab.restart(stray);
    assert!(features.is("features", STREAMS));
    assert!(
        features
            .child("bind", "urn:ietf:params:xml:ns:xmpp-bind")
            .is_some()
    );
    assert!(features.child("sm", "urn:xmpp:sm:3").is_some());
    tab.bind("tab");
    tab.say("<presence xmlns='jabber:client'/>");
    let next = tab.expect("anything", |_| true);
    assert_eq!(next.name(), "presence", "{next:?}");
}

#[test]
fn old_clients_leave_the_namespace_to_the_body() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut ann = Tab::online(&server, "ann", "tab");
    let to = bob.jid.clone();
    ann.say(&format!(
        "<message to='{to}' type='chat'><body>old</body></message>"
    ));
    bob.message("old");
    // And prefixes may be declared on it.
    let stanza =
        format!("<message xmlns='jabber:client' to='{to}'><body>new</body><p:x/></message>");
    let body = ann.body("xmlns:p='urn:p'", &stanza);
    let mut wire = Wire::plain(&server);
    wire.send(&post(&body));
    let got = bob.message("new");
    assert!(got.child("x", "urn:p").is_some(), "{got:?}");
}

#[test]
fn an_error_of_the_stream_is_told_inside() {
    let server = Server::start(&["ann"]);
    let mut tab = Tab::online(&server, "ann", "tab");
    let heard = tab.ask("", "<unknown xmlns='urn:unknown'/>");
    ended(&heard, "remote-stream-error");
    assert!(heard.text().contains(&format!("xmlns:stream='{STREAMS}'")));
    let error = elements(heard.text()).pop().unwrap();
    assert!(error.is("error", STREAMS));
    let condition = error.children().next().unwrap().name().to_owned();
    assert_eq!(condition, "unsupported-stanza-type");
    // A login that does not come in time, too.
    let server = Server::with("[limits]\nunauthenticated_time = \"1s\"", &[]);
    let mut tab = Tab::open(&server, USUAL);
    ended(&tab.ask("", ""), "remote-stream-error");
}

#[test]
fn a_login_that_fails_can_be_tried_again() {
    let server = Server::start(&["ann"]);
    let mut tab = Tab::open(&server, USUAL);
    let wrong = xmpp::sasl::encode_payload(&xmpp::sasl::plain_message(None, "ann", "wrong"));
    tab.say(&format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{wrong}</auth>"
    ));
    tab.expect("failure", |s| s.name() == "failure");
    tab.authenticate("ann");
    tab.bind("tab");
}

/// The id of a managed stream that was enabled.
fn manage(tab: &mut Tab) -> String {
    tab.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let enabled = tab.expect("enabled", |s| s.is("enabled", "urn:xmpp:sm:3"));
    enabled.attribute("id").unwrap().into_owned()
}

#[test]
fn a_stream_goes_on_over_another_kind_of_connection_and_back() {
    let server = Server::with("[limits]\nbosh_inactivity = \"1s\"", &["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut tab = Tab::online(&server, "ann", "tab");
    let jid = tab.jid.clone();
    let id = manage(&mut tab);
    bob.send(&chat(&jid, "one"));
    tab.message("one");
    // Its page is closed, and what comes then waits.
    drop(tab);
    bob.send(&chat(&jid, "two"));
    let mut desk = Client::authenticated(&server, "ann");
    desk.send(&format!(
        "<resume xmlns='urn:xmpp:sm:3' h='0' previd='{id}'/>"
    ));
    desk.expect("resumed", |s| s.is("resumed", "urn:xmpp:sm:3"));
    desk.message("one");
    desk.message("two");
    // And back, while the other connection is there.
    let mut tab = Tab::open(&server, USUAL);
    tab.authenticate("ann");
    tab.say(&format!(
        "<resume xmlns='urn:xmpp:sm:3' h='2' previd='{id}'/>"
    ));
    tab.expect("resumed", |s| s.is("resumed", "urn:xmpp:sm:3"));
    bob.send(&chat(&jid, "three"));
    tab.message("three");
    tab.say(&chat(&bob.jid, "back"));
    let got = bob.message("back");
    assert_eq!(got.attribute("from").as_deref(), Some(&*jid));
    // And on to a third, from a session of BOSH that lives.
    let mut other = Tab::open(&server, USUAL);
    other.authenticate("ann");
    other.say(&format!(
        "<resume xmlns='urn:xmpp:sm:3' h='3' previd='{id}'/>"
    ));
    other.expect("resumed", |s| s.is("resumed", "urn:xmpp:sm:3"));
    bob.send(&chat(&jid, "four"));
    other.message("four");
    let heard = tab.last();
    ended(&heard, "remote-stream-error");
    assert!(heard.text().contains("<conflict "));
}

#[test]
fn what_is_acknowledged_is_counted_over_bosh() {
    let server = Server::start(&["ann"]);
    let mut tab = Tab::login(&server, "ann", "tab");
    manage(&mut tab);
    tab.say("<presence xmlns='jabber:client'/><r xmlns='urn:xmpp:sm:3'/>");
    let answer = tab.expect("an acknowledgement", |s| s.is("a", "urn:xmpp:sm:3"));
    assert_eq!(answer.attribute("h").as_deref(), Some("1"));
}

#[test]
fn a_body_says_where_it_belongs() {
    let server = Server::start(&["ann"]);
    let mut tab = Tab::online(&server, "ann", "tab");
    tab.say("<iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    let roster = tab.expect("the roster", |s| s.attribute("id").as_deref() == Some("r"));
    assert!(roster.is("iq", "jabber:client"));
    let body = tab.ask("", "<presence xmlns='jabber:client'/>");
    assert!(
        body.text().starts_with(&format!("<body xmlns='{BOSH}'>")),
        "{}",
        body.text()
    );
}
