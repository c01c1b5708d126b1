//! Administration in the client (XEP-0133) over real sockets: the same as the command line does.

use ::xml::Element;

use crate::support::tls::Tls;
use crate::support::xmpp::{condition, text};
use crate::support::{Client, Server};

const COMMANDS: &str = "http://jabber.org/protocol/commands";
const DATA: &str = "jabber:x:data";

/// A server with an administrator.
fn server(extra: &str) -> (Server, Client) {
    let server = Server::with(extra, &["bob", "carol"]);
    let run = server.run_with_input(
        &[
            "user",
            "add",
            "ann@office.example",
            "--admin",
            "--password-stdin",
        ],
        &crate::support::server::password("ann"),
    );
    assert!(run.status.success());
    let ann = Client::online(&server, "ann", "desk");
    (server, ann)
}

fn begin(admin: &mut Client, command: &str) -> Element {
    let node = format!("http://jabber.org/protocol/admin#{command}");
    let payload = format!("<command xmlns='{COMMANDS}' node='{node}' action='execute'/>");
    admin.ask("set", "office.example", &payload)
}

/// Sends back the form of a command; what is answered.
fn fill(admin: &mut Client, command: &str, fields: &[(&str, &str)]) -> Element {
    let asked = begin(admin, command);
    let asked = asked.child("command", COMMANDS).unwrap();
    assert_eq!(asked.attribute("status").as_deref(), Some("executing"));
    let session = asked.attribute("sessionid").unwrap();
    let fields = fields
        .iter()
        .map(|(var, value)| format!("<field var='{var}'><value>{value}</value></field>"));
    let fields = fields.collect::<Vec<_>>().concat();
    let payload = format!(
        "<command xmlns='{COMMANDS}' node='http://jabber.org/protocol/admin#{command}' sessionid='{session}'>\
         <x xmlns='jabber:x:data' type='submit'>{fields}</x></command>"
    );
    admin.ask("set", "office.example", &payload)
}

/// It is done; the sentence of a note when it is not.
pub(super) fn done(answer: &Element) -> Result<(), String> {
    let command = answer.child("command", COMMANDS).unwrap();
    assert_eq!(command.attribute("status").as_deref(), Some("completed"));
    match command.child("note", COMMANDS) {
        None => Ok(()),
        Some(note) => {
            assert_eq!(note.attribute("type").as_deref(), Some("error"));
            Err(note.text().into_owned())
        }
    }
}

/// The values of the last field of a result.
fn values(answer: &Element) -> Vec<String> {
    let command = answer.child("command", COMMANDS).unwrap();
    let x = command.child("x", DATA).unwrap();
    let field = x.children().last().unwrap();
    let values = field.children().filter(|c| c.name() == "value");
    values.map(|v| v.text().into_owned()).collect()
}

#[test]
fn accounts_are_made_changed_closed_opened_and_deleted() {
    let (server, mut ann) = server("");
    let dave = "dave@office.example";
    let new = [
        ("accountjid", dave),
        ("password", "first & last"),
        ("password-verify", "first & last"),
        ("given_name", "Dave"),
        ("email", "dave@mail.example"),
    ]
    .map(|(var, value)| (var, value.replace('&', "&amp;")));
    let new: Vec<(&str, &str)> = new.iter().map(|(var, value)| (*var, &**value)).collect();
    done(&fill(&mut ann, "add-user", &new)).unwrap();
    let again = fill(&mut ann, "add-user", &new);
    assert_eq!(condition(&again).as_deref(), Some("conflict"));
    let card = ann.ask("get", dave, "<vCard xmlns='vcard-temp'/>");
    let card = String::from_utf8(card.inner().to_vec()).unwrap();
    assert!(
        card.contains("<GIVEN>Dave</GIVEN>") && card.contains("dave@mail.example"),
        "{card}"
    );

    let plain = |password: &str| {
        let mut client = Client::connect(&server);
        client.open();
        client.start_tls(&Tls::trusting(&server));
        client.plain("dave", password).is_ok()
    };
    assert!(plain("first & last"));
    let change = [("accountjid", dave), ("password", "second")];
    done(&fill(&mut ann, "change-user-password", &change)).unwrap();
    assert!(plain("second") && !plain("first & last"));

    // Several at once; with those that are not there nothing happens, and that is told.
    let mut bob = Client::online(&server, "bob", "desk");
    let two = [(
        "accountjids",
        "bob@office.example\ndave@office.example\nnobody@office.example",
    )];
    let said = done(&fill(&mut ann, "disable-user", &two)).unwrap_err();
    assert!(
        said.contains("nobody@office.example") && !said.contains("bob@office.example "),
        "{said}"
    );
    bob.ends_with("policy-violation");
    assert!(!plain("second"));
    done(&fill(&mut ann, "reenable-user", &[("accountjids", dave)])).unwrap();
    assert!(plain("second"));
    done(&fill(&mut ann, "delete-user", &[("accountjids", dave)])).unwrap();
    assert!(!plain("second"));
    let elsewhere = [("accountjids", "bob@elsewhere.example")];
    let said = done(&fill(&mut ann, "delete-user", &elsewhere)).unwrap_err();
    assert!(said.contains("elsewhere.example"), "{said}");
    let list = server.ok(&["user", "list"]);
    assert!(!list.contains("dave") && list.contains("bob"), "{list}");
    assert!(!server.log().contains("second"), "passwords are not logged");
}

#[test]
fn those_who_are_online_are_counted_listed_told_and_sent_away() {
    let (server, mut ann) = server("");
    let mut bob = Client::online(&server, "bob", "desk");
    let mut phone = Client::online(&server, "bob", "phone");
    let _connected_only = Client::login(&server, "carol", "desk");
    assert_eq!(values(&begin(&mut ann, "get-online-users-num")), ["2"]);
    let list = fill(&mut ann, "get-online-users-list", &[("max_items", "none")]);
    assert_eq!(values(&list), ["ann@office.example", "bob@office.example"]);
    let list = fill(&mut ann, "get-online-users-list", &[("max_items", "1")]);
    assert_eq!(values(&list), ["ann@office.example"]);
    done(&fill(
        &mut ann,
        "announce",
        &[("announcement", "Lift 2 &amp; 3 are closed")],
    ))
    .unwrap();
    for client in [&mut bob, &mut phone] {
        let told = client.expect("the announcement", |s| s.name() == "message");
        assert_eq!(text(&told, "body"), "Lift 2 & 3 are closed");
        assert_eq!(told.attribute("from").as_deref(), Some("office.example"));
    }
    let end = |ann: &mut Client, whom: &str| {
        done(&fill(ann, "end-user-session", &[("accountjids", whom)]))
    };
    end(&mut ann, "bob@office.example/phone").unwrap();
    phone.ends_with("policy-violation");
    bob.settle();
    end(&mut ann, "bob@office.example").unwrap();
    bob.ends_with("policy-violation");
    assert!(end(&mut ann, "bob@office.example").is_err());
    Client::online(&server, "bob", "desk");
}

#[test]
fn the_message_of_the_day_survives_a_restart_and_comes_once() {
    let (mut server, mut ann) = server("");
    let message = |s: &Element| s.name() == "message";
    assert!(done(&begin(&mut ann, "delete-motd")).is_err());
    done(&fill(&mut ann, "set-motd", &[("motd", "Soup")])).unwrap();
    assert_eq!(text(&ann.expect("it", message), "body"), "Soup");
    let mut bob = Client::online(&server, "bob", "desk");
    assert_eq!(text(&bob.expect("it", message), "body"), "Soup");
    done(&fill(&mut ann, "edit-motd", &[("motd", "Stew")])).unwrap();
    server.wait_for_status("it is written", |status| status["queues"]["write"] == 0);
    server.kill();
    server.launch();
    let mut ann = Client::online(&server, "ann", "desk");
    assert_eq!(values(&begin(&mut ann, "edit-motd")), ["Stew"]);
    ann.nothing("it again", message);
    let mut bob = Client::online(&server, "bob", "desk");
    bob.nothing("it again", message);
    let mut carol = Client::online(&server, "carol", "desk");
    assert_eq!(text(&carol.expect("it", message), "body"), "Stew");
    done(&begin(&mut ann, "delete-motd")).unwrap();
    server.kill();
    server.launch();
    server.add_users(&["dave"]);
    Client::online(&server, "dave", "desk").nothing("it", message);
}

#[test]
fn who_is_no_administrator_may_do_nothing() {
    let (server, _) = server("[limits]\ncommand_sessions = 1");
    let mut bob = Client::online(&server, "bob", "desk");
    for command in [
        "add-user",
        "announce",
        "get-online-users-num",
        "delete-motd",
    ] {
        let refused = begin(&mut bob, command);
        assert_eq!(
            condition(&refused).as_deref(),
            Some("forbidden"),
            "{command}"
        );
    }
    let mut ann = Client::login(&server, "ann", "other");
    begin(&mut ann, "announce");
    let refused = begin(&mut ann, "announce");
    assert_eq!(condition(&refused).as_deref(), Some("resource-constraint"));
    assert!(String::from_utf8_lossy(refused.raw()).contains("command_sessions"));
    ann.close();
}

#[test]
fn contacts_and_external_services_of_the_configuration_are_told() {
    let extra = "[xmpp.contact]\nadmin = [\"xmpp:ann@office.example\", \"mailto:it@office.example\"]\n\
                 [[external_services]]\ntype = \"turns\"\nhost = \"turn.office.example\"\nsecret = \"north\"\n\
                 [[external_services]]\ntype = \"stun\"\nhost = \"192.0.2.1\"\n";
    let server = Server::with(extra, &["bob"]);
    let mut bob = Client::login(&server, "bob", "desk");
    let raw = |answer: &Element| String::from_utf8(answer.raw().to_vec()).unwrap();
    let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    let told = raw(&bob.ask("get", "office.example", info));
    for part in [
        "admin-addresses",
        "xmpp:ann@office.example",
        "mailto:it@office.example",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert!(!told.contains("abuse-addresses"), "{told}");
    let told = raw(&bob.ask(
        "get",
        "office.example",
        "<services xmlns='urn:xmpp:extdisco:2'/>",
    ));
    for part in [
        "type='turns'",
        "port='5349'",
        "transport='tcp'",
        "password=",
        "type='stun'",
        "port='3478'",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert!(!told.contains("north"), "{told}");
    let wrong = extra
        .replace("xmpp:ann", "ann")
        .replace("\"turns\"", "\"relay\"");
    let mut other = Server::prepared("");
    other.reconfigure(&wrong);
    let run = other.run(&["check", "config"]);
    assert!(!run.status.success());
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(
        said.contains("URIs") && said.contains("external_services"),
        "{said}"
    );
}
