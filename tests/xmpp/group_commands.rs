//! Shared groups by commands in the client: for administrators alone, and the same as `adsum group`.

use ::xml::Element;

use super::administration::done;
use crate::support::xmpp::condition;
use crate::support::{Client, Server};

const COMMANDS: &str = "http://jabber.org/protocol/commands";
const DATA: &str = "jabber:x:data";
const ROSTER: &str = "jabber:iq:roster";
const ADD: &str = "add-to-group";
const REMOVE: &str = "remove-from-group";
const BOB: &str = "bob@office.example";
const CAROL: &str = "carol@office.example";

/// A server with an administrator, ann.
fn server(extra: &str) -> (Server, Client) {
    let server = Server::with(extra, &["bob", "carol"]);
    let add = [
        "user",
        "add",
        "ann@office.example",
        "--admin",
        "--password-stdin",
    ];
    let run = server.run_with_input(&add, &crate::support::server::password("ann"));
    assert!(run.status.success());
    let ann = Client::online(&server, "ann", "desk");
    (server, ann)
}

fn execute(client: &mut Client, command: &str, more: &str, form: &str) -> Element {
    client.ask(
        "set",
        "office.example",
        &format!(
            "<command xmlns='{COMMANDS}' node='adsum:office#{command}' {more}>{form}</command>"
        ),
    )
}

/// Sends back the form of a command: the group, the accounts, and whether all are meant.
fn fill(admin: &mut Client, command: &str, group: &str, members: &[&str], all: &str) -> Element {
    let asked = execute(admin, command, "action='execute'", "");
    let asked = asked.child("command", COMMANDS).unwrap();
    assert_eq!(asked.attribute("status").as_deref(), Some("executing"));
    let form = asked.child("x", DATA).unwrap();
    let asks: Vec<_> = form.children().filter_map(|c| c.attribute("var")).collect();
    assert_eq!(asks, ["FORM_TYPE", "group", "accountjids", "all"]);
    let session = format!("sessionid='{}'", asked.attribute("sessionid").unwrap());
    let members = members.iter().map(|jid| format!("<value>{jid}</value>"));
    let form = format!(
        "<x xmlns='{DATA}' type='submit'><field var='group'><value>{group}</value></field>\
         <field var='accountjids'>{}</field><field var='all'><value>{all}</value></field></x>",
        members.collect::<String>()
    );
    execute(admin, command, &session, &form)
}

/// What the list of groups says.
fn listed(admin: &mut Client) -> Vec<String> {
    let answer = execute(admin, "list-groups", "action='execute'", "");
    let command = answer.child("command", COMMANDS).unwrap();
    assert_eq!(command.attribute("status").as_deref(), Some("completed"));
    let form = command.child("x", DATA).unwrap();
    let field = form.children().last().unwrap();
    let values = field.children().filter(|c| c.name() == "value");
    values.map(|v| v.text().into_owned()).collect()
}

/// The next roster push: whom, how far, in which groups.
fn push(client: &mut Client) -> String {
    let push = client.expect("a roster push", |s| {
        s.attribute("type").as_deref() == Some("set") && s.child("query", ROSTER).is_some()
    });
    let query = push.child("query", ROSTER).unwrap();
    let item = query.children().next().unwrap();
    let word = |name| item.attribute(name).unwrap_or_default().into_owned();
    let groups: Vec<_> = item.children().map(|g| g.text().into_owned()).collect();
    format!(
        "{} {} {}",
        word("jid"),
        word("subscription"),
        groups.join("+")
    )
}

#[test]
fn groups_are_made_grown_shrunk_and_removed() {
    let (mut server, mut ann) = server("");
    let mut bob = Client::online(&server, "bob", "desk");
    let mut carol = Client::online(&server, "carol", "desk");
    assert!(listed(&mut ann).is_empty());
    done(&fill(
        &mut ann,
        ADD,
        "Sales &amp; more",
        &[BOB, CAROL],
        "false",
    ))
    .unwrap();
    assert_eq!(push(&mut bob), format!("{CAROL} both Sales & more"));
    assert_eq!(push(&mut carol), format!("{BOB} both Sales & more"));
    bob.presence("carol@office.example/desk", "");
    let list = listed(&mut ann);
    assert_eq!(list.len(), 1, "{list:?}");
    assert!(
        list[0].contains("Sales & more") && list[0].contains(BOB),
        "{list:?}"
    );
    // The command line shows the same, and it is there after a crash.
    server.kill();
    server.launch();
    let shown = server.ok(&["group", "list"]);
    assert!(
        shown.contains("Sales & more") && shown.contains(CAROL),
        "{shown}"
    );
    let mut ann = Client::online(&server, "ann", "desk");
    let mut bob = Client::online(&server, "bob", "desk");
    bob.roster();
    done(&fill(&mut ann, REMOVE, "Sales &amp; more", &[CAROL], "0")).unwrap();
    assert_eq!(push(&mut bob), format!("{CAROL} remove "));
    // Everybody, and nobody of them any more.
    done(&fill(&mut ann, ADD, "Sales &amp; more", &[], "1")).unwrap();
    let mut pushes = [push(&mut bob), push(&mut bob)];
    pushes.sort();
    let both = |jid: &str| format!("{jid} both Sales & more");
    assert_eq!(pushes, [both("ann@office.example"), both(CAROL)]);
    done(&fill(&mut ann, REMOVE, "Sales &amp; more", &[], "true")).unwrap();
    let mut pushes = [push(&mut bob), push(&mut bob)];
    pushes.sort();
    assert_eq!(
        pushes,
        [
            "ann@office.example remove ".to_owned(),
            format!("{CAROL} remove ")
        ]
    );
    done(&fill(&mut ann, REMOVE, "Sales &amp; more", &[], "0")).unwrap();
    assert!(listed(&mut ann).is_empty());
}

#[test]
fn what_cannot_be_changes_nothing_and_is_told() {
    let config = "[[groups]]\nname = \"Fixed\"\nmembers = [\"bob@office.example\"]\n";
    let (_server, mut ann) = server(config);
    let before = listed(&mut ann);
    for (command, group, members, word) in [
        (
            ADD,
            "Sales",
            "nobody@office.example",
            "nobody@office.example",
        ),
        (ADD, "Sales", "eve@elsewhere.example", "elsewhere.example"),
        (REMOVE, "Sales", BOB, "no group"),
        (REMOVE, "Fixed", BOB, "configuration"),
    ] {
        let said = done(&fill(&mut ann, command, group, &[members], "0")).unwrap_err();
        assert!(said.contains(word), "{said}");
    }
    // Nor can forms that say nothing, or no address.
    for (group, member) in [("  ", BOB), ("Sales", "@@")] {
        let wrong = fill(&mut ann, ADD, group, &[member], "0");
        assert_eq!(condition(&wrong).as_deref(), Some("bad-request"));
    }
    assert_eq!(listed(&mut ann), before);
}

#[test]
fn they_are_for_administrators_alone() {
    let (server, mut ann) = server("");
    let mut bob = Client::online(&server, "bob", "desk");
    let items =
        format!("<query xmlns='http://jabber.org/protocol/disco#items' node='{COMMANDS}'/>");
    let offered = |client: &mut Client| {
        let answer = client.ask("get", "office.example", &items);
        String::from_utf8(answer.raw().to_vec()).unwrap()
    };
    let (for_ann, for_bob) = (offered(&mut ann), offered(&mut bob));
    for command in [ADD, REMOVE, "list-groups"] {
        let node = format!("adsum:office#{command}");
        assert!(
            for_ann.contains(&node) && !for_bob.contains(&node),
            "{for_bob}"
        );
        let refused = execute(&mut bob, command, "action='execute'", "");
        assert_eq!(
            condition(&refused).as_deref(),
            Some("forbidden"),
            "{command}"
        );
    }
}
