//! Messages between chat clients and phones (RFC 7572).

use ::sip::{HeaderName, Method};

use super::{BOB, child, from, stored};
use crate::sip::Phone;
use crate::support::{Client, Server};

#[test]
fn both_ways() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    for mut bob in [Phone::udp(&server, "bob"), Phone::tls(&server, "bob")] {
        assert_eq!(bob.register(600).status, 200);
        let request = bob
            .make("MESSAGE", "sip:ann@office.example")
            .with(HeaderName::Subject, "Lunch")
            .with(HeaderName::ContentLanguage, "de")
            .with_body("text/plain", "Kommst du? <&>");
        let call_id = request.headers.call_id().unwrap().to_owned();
        assert_eq!(bob.ask(request).status, 200);
        let got = ann.message("Kommst du? <&>");
        // Answers find their way to the phone by this address.
        let sender = from(&got);
        assert!(sender.starts_with("bob@office.example/sip-"), "{sender}");
        assert_eq!(child(&got, "subject"), "Lunch");
        assert_eq!(child(&got, "thread"), call_id);
        assert!(got.attribute("type").is_none_or(|kind| kind == "normal"));
        let lang = got.child("body", "jabber:client").unwrap().lang();
        assert_eq!(lang.as_deref(), Some("de"));
        for (to, text) in [(sender.as_str(), "yes"), (BOB, "at two & not later")] {
            let text_xml = text.replace('&', "&amp;");
            ann.send(&format!(
                "<message type='chat' to='{to}' xml:lang='en'><body>{text_xml}</body></message>"
            ));
            let got = bob.receive(text);
            let uri = got.headers.from().unwrap().uri;
            assert_eq!((uri.user(), uri.gr()), (Some("ann"), Some("desk")));
            assert_eq!(got.headers.get(&HeaderName::ContentLanguage), Some("en"));
        }
        // The phone answers to where it came from.
        let mut request = bob.make("MESSAGE", "sip:ann@office.example;gr=desk");
        request = request.with_body("text/plain", "fine");
        assert_eq!(bob.ask(request).status, 200);
        ann.message("fine");
        bob.register(0);
    }
}

#[test]
fn stored_and_delivered_at_the_next_login_or_registration() {
    let mut server = Server::start(&["ann", "bob"]);
    let mut bob = Phone::udp(&server, "bob");
    let answer = bob.message("ann", "when you are back");
    assert_eq!(answer.status, 202);
    // It survives whatever happens.
    server.kill();
    server.launch();
    let mut ann = Client::online(&server, "ann", "desk");
    let got = ann.message("when you are back");
    let delay = got.child("delay", "urn:xmpp:delay").expect("a delay");
    assert!(delay.attribute("stamp").is_some());
    ann.send(&format!(
        "<message type='chat' to='{BOB}'><body>for your phone</body></message>"
    ));
    stored(&mut ann);
    server.kill();
    server.launch();
    let mut bob = Phone::udp(&server, "bob");
    assert_eq!(bob.register(600).status, 200);
    let got = bob.receive("for your phone");
    assert!(got.headers.date().unwrap().is_some());
    let mut again = Phone::udp(&server, "bob");
    assert_eq!(again.register(600).status, 200);
    again.nothing("a message that was taken", |r| r.method == Method::Message);
}

#[test]
fn the_owner_sees_in_his_chat_client_what_his_phone_sends_and_gets() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut chat = Client::online(&server, "bob", "laptop");
    let enabled = chat.ask("set", "", "<enable xmlns='urn:xmpp:carbons:2'/>");
    assert_eq!(enabled.attribute("type").as_deref(), Some("result"));
    let mut phone = Phone::udp(&server, "bob");
    phone.register(600);
    assert_eq!(phone.message("ann", "sent by phone").status, 200);
    ann.message("sent by phone");
    let copy = chat.expect("a copy of what was sent", |s| {
        s.name() == "message" && String::from_utf8_lossy(s.raw()).contains("sent by phone")
    });
    assert!(from(&copy).starts_with(BOB), "{copy:?}");
    // And both get what is sent to him.
    ann.send(&format!(
        "<message type='chat' to='{BOB}'><body>to all of you</body></message>"
    ));
    chat.message("to all of you");
    phone.receive("to all of you");
}

#[test]
fn what_is_not_for_phones() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Phone::udp(&server, "bob");
    bob.register(600);
    ann.send(&format!(
        "<message to='{BOB}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>\
         <message to='{BOB}' type='groupchat'><body>room</body></message>\
         <message to='{BOB}' type='chat'><body>last</body></message>"
    ));
    bob.receive("last");
    bob.nothing("what is no text", |r| r.method == Method::Message);
    // Somebody who is not there.
    ann.send("<message to='nobody@office.example' type='chat' id='n'><body>x</body></message>");
    let error = ann.expect("an error", |s| s.attribute("id").as_deref() == Some("n"));
    assert_eq!(error.attribute("type").as_deref(), Some("error"));
}
