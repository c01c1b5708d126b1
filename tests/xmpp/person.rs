//! Cards and private storage over real sockets.

use crate::support::xmpp::condition;
use crate::support::{Client, Server};

const CARD: &str = "<vCard xmlns='vcard-temp'><FN>Ann Other</FN></vCard>";
const KEPT: &str =
    "<query xmlns='jabber:iq:private'><a xmlns='my:prefs'><colour>blue</colour></a></query>";

fn inner(stanza: &xml::Element) -> String {
    String::from_utf8(stanza.inner().to_vec()).unwrap()
}

fn look(client: &mut Client) -> (String, String) {
    let card = client.ask("get", "ann@office.example", "<vCard xmlns='vcard-temp'/>");
    let kept = client.ask(
        "get",
        "",
        "<query xmlns='jabber:iq:private'><a xmlns='my:prefs'/></query>",
    );
    (inner(&card), inner(&kept))
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_and_goes_with_the_account() {
    let mut server = Server::start(&["ann", "bob"]);
    let mut ann = Client::login(&server, "ann", "desk");
    ann.ask("set", "", CARD);
    ann.ask("set", "", KEPT);
    server.kill();
    server.launch();
    let mut ann = Client::login(&server, "ann", "desk");
    assert_eq!(look(&mut ann), (CARD.to_owned(), KEPT.to_owned()));
    server.ok(&["user", "delete", "ann@office.example"]);
    server.add_users(&["ann"]);
    let mut ann = Client::login(&server, "ann", "desk");
    let (card, kept) = look(&mut ann);
    assert_eq!(card, "<vCard xmlns='vcard-temp'/>");
    assert!(!kept.contains("blue"), "{kept}");
}

#[test]
fn stanzas_behind_a_card_that_is_written_wait_for_it_and_limits_are_told_by_name() {
    let extra = "[limits]\nvcard_size = \"1KiB\"\nprivate_elements = 1\nprivate_bytes = \"1KiB\"";
    let server = Server::with(extra, &["ann"]);
    let mut ann = Client::login(&server, "ann", "desk");
    // Sent together: each sees what the one before did.
    ann.send(&format!(
        "<iq type='set' id='1'>{CARD}</iq><iq type='get' id='2'><vCard xmlns='vcard-temp'/></iq>\
         <iq type='set' id='3'><vCard xmlns='vcard-temp'/></iq><iq type='get' id='4'><vCard xmlns='vcard-temp'/></iq>"
    ));
    for (id, answer) in [
        ("1", ""),
        ("2", CARD),
        ("3", ""),
        ("4", "<vCard xmlns='vcard-temp'/>"),
    ] {
        let stanza = ann.next("an answer");
        assert_eq!(stanza.attribute("id").as_deref(), Some(id));
        assert_eq!(inner(&stanza), answer);
    }
    let long = "x".repeat(1024);
    for (payload, limit) in [
        (CARD.replace("Ann", &long), "vcard_size"),
        (KEPT.replace("blue", &long), "private_bytes"),
        (
            KEPT.replace("<a ", "<b xmlns='my:other'>1</b><a "),
            "private_elements",
        ),
    ] {
        let refused = ann.ask("set", "", &payload);
        assert_eq!(condition(&refused).as_deref(), Some("resource-constraint"));
        assert!(inner(&refused).contains(limit), "{refused:?}");
    }
    assert!(
        !look(&mut ann)
            .1
            .contains('x'.to_string().repeat(9).as_str())
    );
}

#[test]
fn the_directory_is_searched_beside_other_traffic() {
    let extra = "[limits]\nsearch_results = 2";
    let server = Server::with(extra, &["ann", "bob", "carol"]);
    let mut ann = Client::login(&server, "ann", "desk");
    ann.ask("set", "", CARD);
    let search = "<query xmlns='jabber:iq:search'><nick>o</nick></query>";
    // The stanza behind it is answered behind it.
    ann.send(&format!(
        "<iq type='set' id='1' to='office.example'>{search}</iq><iq type='get' id='2'><vCard xmlns='vcard-temp'/></iq>"
    ));
    let answer = ann.next("what was found");
    assert_eq!(answer.attribute("id").as_deref(), Some("1"));
    let found = inner(&answer);
    assert!(
        found.contains("bob@office.example") && found.contains("carol@office.example"),
        "{found}"
    );
    assert!(!found.contains("ann@office.example"), "{found}");
    assert_eq!(ann.next("the card").attribute("id").as_deref(), Some("2"));
    server.ok(&["user", "disable", "bob@office.example"]);
    let all = inner(&ann.ask("set", "office.example", &search.replace(">o<", "><")));
    assert!(
        !all.contains("bob@office.example") && all.matches("<item").count() == 2,
        "{all}"
    );
}

#[test]
fn pictures_from_before_they_were_written_down_are_found_at_the_start() {
    let mut server = Server::start(&["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let card = "<vCard xmlns='vcard-temp'><FN>Ann</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>YWJj</BINVAL></PHOTO></vCard>";
    let done = ann.ask("set", "", card);
    assert_eq!(done.attribute("type").as_deref(), Some("result"));
    ann.close();
    server.kill();
    // As an earlier schema had it.
    let database = rusqlite::Connection::open(server.data().join("adsum.db")).unwrap();
    database
        .execute_batch("DELETE FROM photos; DELETE FROM meta WHERE key = 'photos-known'")
        .unwrap();
    drop(database);
    server.launch();
    let mut ann = Client::login(&server, "ann", "desk");
    ann.send("<presence/>");
    let own = ann.jid.clone();
    let shown = ann.presence(&own, "");
    let update = shown.child("x", "vcard-temp:x:update").unwrap();
    let photo = update.child("photo", "vcard-temp:x:update").unwrap();
    assert_eq!(photo.text(), "a9993e364706816aba3e25717850c26c9cd0d89d");
}
