//! XMPP and SIP clients that meet in one server.
#![expect(clippy::unwrap_used, reason = "tests")]

mod authorisation;
mod messages;
mod phone_to_xmpp;
mod real_clients;
mod restart;
mod status;
mod unclean;
mod xmpp_to_phone;

use xml::Element;

use crate::support::Client;

/// Address of [`crate::support`] accounts.
const ANN: &str = "ann@office.example";
const BOB: &str = "bob@office.example";

/// The two are in each other's rosters and see each other.
fn befriend(one: &mut Client, other: &mut Client) {
    grant(one, other);
    grant(other, one);
}

/// The first asks, the second lets him.
fn grant(asks: &mut Client, answers: &mut Client) {
    let (from, to) = (asks.bare().to_owned(), answers.bare().to_owned());
    asks.send(&format!("<presence type='subscribe' to='{to}'/>"));
    answers.presence(&from, "subscribe");
    answers.send(&format!("<presence type='subscribed' to='{from}'/>"));
    asks.presence(&to, "subscribed");
}

/// Ann's roster has bob and the other way round, though bob has nothing but a phone.
fn befriended(server: &crate::support::Server) {
    let mut ann = Client::online(server, "ann", "setup");
    let mut bob = Client::online(server, "bob", "setup");
    befriend(&mut ann, &mut bob);
    ann.close();
    bob.close();
}

/// Whether it is presence (`""`: available) of a phone of `account`.
fn is_phone(stanza: &Element, account: &str, kind: &str) -> bool {
    let from = stanza.attribute("from").unwrap_or_default();
    stanza.name() == "presence"
        && stanza.attribute("type").as_deref().unwrap_or_default() == kind
        && from.starts_with(&format!("{account}/sip-"))
}

/// Waits for presence of a phone of `account`; the resource.
#[track_caller]
fn phone_of(client: &mut Client, account: &str, kind: &str) -> Element {
    client.expect(&format!("presence {kind:?} of a phone of {account}"), |s| {
        is_phone(s, account, kind)
    })
}

/// Waits until what happened before is on the disk: what is stored is stored in order, and the answer to this is given after it.
fn stored(client: &mut Client) {
    let item = "<item jid='written@elsewhere.example'/>";
    client.ask(
        "set",
        "",
        &format!("<query xmlns='jabber:iq:roster'>{item}</query>"),
    );
}

/// Text of a child, `""` where there is none.
fn child(stanza: &Element, name: &str) -> String {
    crate::support::xmpp::text(stanza, name)
}

/// The sender.
fn from(stanza: &Element) -> String {
    stanza.attribute("from").unwrap().into_owned()
}
