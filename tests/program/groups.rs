//! `adsum group` and `[[groups]]`: who is in a group is in the rosters of the others, at once, on both faces.

use ::xml::Element;
use serde_json::Value;

use crate::sip::Phone;
use crate::support::{Client, Server};

const ROSTER: &str = "jabber:iq:roster";
const ANN: &str = "ann@office.example";
const BOB: &str = "bob@office.example";
const EVE: &str = "eve@office.example";

/// The contacts, with subscription and groups.
fn listed(client: &mut Client) -> Vec<String> {
    let roster = client.roster();
    let query = roster.child("query", ROSTER).unwrap();
    query.children().map(|item| shown(&item)).collect()
}

fn shown(item: &::xml::Child<'_>) -> String {
    let word = |name| item.attribute(name).unwrap_or_default().into_owned();
    let groups: Vec<String> = item.children().map(|g| g.text().into_owned()).collect();
    format!(
        "{} {} {}",
        word("jid"),
        word("subscription"),
        groups.join("+")
    )
}

fn push(client: &mut Client) -> String {
    let is_push = |s: &Element| {
        s.attribute("type").as_deref() == Some("set") && s.child("query", ROSTER).is_some()
    };
    let push = client.expect("a roster push", is_push);
    let query = push.child("query", ROSTER).unwrap();
    shown(&query.children().next().unwrap())
}

fn groups(server: &Server) -> Value {
    serde_json::from_str(&server.ok(&["group", "list", "--json"])).unwrap()
}

#[test]
fn the_command_makes_changes_and_removes_groups_while_people_are_there() {
    let mut server = Server::with("[presence]\nsame_domain = \"ask\"", &["ann", "bob", "eve"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    let mut phone = Phone::udp(&server, "eve");
    let mut watch = phone.subscribe("ann", 600);
    assert_eq!(watch.told(&mut phone).state, "pending");
    server.ok(&["group", "add", "Sales", ANN, BOB]);
    assert_eq!(push(&mut ann), format!("{BOB} both Sales"));
    assert_eq!(push(&mut bob), format!("{ANN} both Sales"));
    ann.presence("bob@office.example/desk", "");
    bob.presence("ann@office.example/desk", "");
    server.ok(&["group", "add", "Sales", EVE]);
    assert!(
        watch.active(&mut phone).is_open(),
        "the phone of a new member sees"
    );
    assert_eq!(push(&mut ann), format!("{EVE} both Sales"));
    bob.send("<presence><show>dnd</show></presence>");
    ann.presence("bob@office.example/desk", "");
    // Refused, and nothing changed.
    let said = server.fails(&["group", "add", "Sales", "nobody@office.example"], 1);
    assert!(said.contains("nobody@office.example"), "{said}");
    let said = server.fails(&["group", "remove", "Support"], 1);
    assert!(said.contains("group list"), "{said}");
    server.fails(&["group", "add", " "], 1);
    // kill -9 keeps it.
    server.kill();
    let offline = groups(&server);
    server.launch();
    assert_eq!(offline, groups(&server));
    assert_eq!(offline[0]["members"], serde_json::json!([ANN, BOB, EVE]));
    let mut ann = Client::online(&server, "ann", "desk");
    assert_eq!(
        listed(&mut ann),
        [format!("{BOB} both Sales"), format!("{EVE} both Sales")]
    );
    let mut bob = Client::online(&server, "bob", "desk");
    ann.presence("bob@office.example/desk", "");
    bob.presence("ann@office.example/desk", "");
    let remove =
        format!("<query xmlns='{ROSTER}'><item jid='{BOB}' subscription='remove'/></query>");
    let refused = ann.ask("set", "", &remove);
    assert_eq!(
        crate::support::xmpp::condition(&refused).as_deref(),
        Some("not-allowed")
    );
    server.ok(&["group", "remove", "Sales", BOB]);
    assert_eq!(push(&mut ann), format!("{BOB} remove "));
    ann.presence("bob@office.example/desk", "unavailable");
    bob.presence("ann@office.example/desk", "unavailable");
    server.ok(&["group", "remove", "Sales"]);
    assert_eq!(push(&mut ann), format!("{EVE} remove "));
    assert_eq!(server.ok(&["group", "list"]).lines().count(), 1);
}

#[test]
fn the_configuration_is_read_again() {
    let group = |members: &str| format!("[[groups]]\nname = \"Office\"\nmembers = {members}\n");
    let mut server = Server::with(&group("\"all\""), &["ann", "bob", "eve"]);
    let mut ann = Client::online(&server, "ann", "desk");
    assert_eq!(
        listed(&mut ann),
        [format!("{BOB} both Office"), format!("{EVE} both Office")]
    );
    assert!(
        server
            .ok(&["group", "list"])
            .starts_with("Office (configuration): all 3")
    );
    let said = server.fails(&["group", "remove", "Office"], 1);
    assert!(said.contains("[[groups]]"), "{said}");
    server.ok(&["user", "disable", EVE]);
    assert_eq!(push(&mut ann), format!("{EVE} remove "));
    server.ok(&["user", "enable", EVE]);
    assert_eq!(push(&mut ann), format!("{EVE} both Office"));
    server.ok(&["user", "delete", EVE]);
    assert_eq!(push(&mut ann), format!("{EVE} remove "));
    server.add_users(&["carl"]);
    assert_eq!(push(&mut ann), "carl@office.example both Office");
    server.ok(&["user", "alias", "add", BOB, "robert@office.example"]);
    server.reconfigure(&group(
        "[\"ann@office.example\", \"robert@office.example\", \"x@office.example\"]",
    ));
    server.signal("HUP");
    assert_eq!(push(&mut ann), "carl@office.example remove ");
    assert_eq!(listed(&mut ann), [format!("{BOB} both Office")]);
}

/// The contacts with the names they are listed by, and the version of the list.
fn names(client: &mut Client) -> (Vec<String>, String) {
    let roster = client.ask("get", "", &format!("<query xmlns='{ROSTER}' ver=''/>"));
    let query = roster.child("query", ROSTER).unwrap();
    let version = query.attribute("ver").unwrap().into_owned();
    (query.children().map(|item| named(&item)).collect(), version)
}

fn named(item: &::xml::Child<'_>) -> String {
    let word = |name| item.attribute(name).unwrap_or_default().into_owned();
    format!("{}={}", word("jid"), word("name"))
}

fn renamed(client: &mut Client) -> (String, String) {
    let push = client.expect("a roster push", |s| {
        s.attribute("type").as_deref() == Some("set") && s.child("query", ROSTER).is_some()
    });
    let query = push.child("query", ROSTER).unwrap();
    let version = query.attribute("ver").unwrap().into_owned();
    (named(&query.children().next().unwrap()), version)
}

fn card(client: &mut Client, content: &str) {
    let card = format!("<vCard xmlns='vcard-temp'>{content}</vCard>");
    let done = client.ask("set", "", &card);
    assert_eq!(done.attribute("type").as_deref(), Some("result"));
}

#[test]
fn members_are_listed_by_the_names_in_their_cards() {
    let config = "[[groups]]\nname = \"Office\"\nmembers = \"all\"\n";
    let mut server = Server::with(config, &["ann", "bob", "eve"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    card(&mut bob, "<NICKNAME>Bobby</NICKNAME>");
    let (item, pushed) = renamed(&mut ann);
    assert_eq!(item, format!("{BOB}=Bobby"));
    let (list, version) = names(&mut ann);
    assert_eq!(list, [format!("{BOB}=Bobby"), format!("{EVE}=")]);
    assert_eq!(pushed, version);
    card(&mut bob, "<FN>Bob Miller</FN><NICKNAME>Bobby</NICKNAME>");
    let (item, pushed) = renamed(&mut ann);
    assert_eq!(item, format!("{BOB}=Bob Miller"));
    assert_ne!(pushed, version);
    // Something else in the card is nobody's business.
    card(&mut bob, "<FN>Bob Miller</FN><TITLE>x</TITLE>");
    ann.nothing("a push", |s| s.child("query", ROSTER).is_some());
    // What came from the group does not become the owner's own when the client moves the contact.
    let moved = format!(
        "<query xmlns='{ROSTER}'><item jid='{BOB}' name='Bob Miller'><group>Friends</group></item></query>"
    );
    ann.ask("set", "", &moved);
    assert_eq!(renamed(&mut ann).0, format!("{BOB}=Bob Miller"));
    // It is the same after a restart, and who has the list of this version is sent none.
    let version = names(&mut ann).1;
    server.kill();
    server.launch();
    let mut ann = Client::login(&server, "ann", "desk");
    let known = ann.ask(
        "get",
        "",
        &format!("<query xmlns='{ROSTER}' ver='{version}'/>"),
    );
    assert!(known.child("query", ROSTER).is_none(), "{known:?}");
    let mut bob = Client::online(&server, "bob", "desk");
    card(&mut bob, "<FN>Robert Miller</FN>");
    assert_eq!(renamed(&mut ann).0, format!("{BOB}=Robert Miller"));
    let known = ann.ask(
        "get",
        "",
        &format!("<query xmlns='{ROSTER}' ver='{version}'/>"),
    );
    assert!(known.child("query", ROSTER).is_some());
    // A name of her own wins.
    let own = format!("<query xmlns='{ROSTER}'><item jid='{BOB}' name='Chef'/></query>");
    ann.ask("set", "", &own);
    assert_eq!(renamed(&mut ann).0, format!("{BOB}=Chef"));
    card(&mut bob, "<FN>Nobody</FN>");
    let (list, _) = names(&mut ann);
    assert_eq!(list[0], format!("{BOB}=Chef"));
    // Without one of either there is none.
    let none = format!("<query xmlns='{ROSTER}'><item jid='{BOB}'/></query>");
    ann.ask("set", "", &none);
    bob.ask("set", "", "<vCard xmlns='vcard-temp'/>");
    let (list, _) = names(&mut ann);
    assert_eq!(list[0], format!("{BOB}="));
}
