//! Conversations after the examples and the error cases of XEP-0050, on simulated time.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use presence::{Address, Timestamp};
use xml::Element;

use super::*;
use crate::form::{Field, FieldType, Purpose};

fn first(_: &Known) -> Form {
    stage("service")
}

fn second(_: &Known) -> Form {
    stage("mode")
}

fn stage(var: &'static str) -> Form {
    Form {
        purpose: Purpose::Ask,
        kind: "config",
        fields: vec![Field::new(var, FieldType::TextSingle, "").required()],
        ..Form::default()
    }
}

fn order(given: &[Submitted]) -> Result<Order, &'static str> {
    let said: Vec<&str> = given
        .iter()
        .filter_map(|g| g.one("service").or(g.one("mode")))
        .collect();
    match &*said {
        [_, "broken"] => Err("There is no such mode."),
        said => Ok(Order::Announce(said.join(" "))),
    }
}

static CONFIG: &[Command] = &[
    Command {
        node: "config",
        name: "Configure",
        who: Who::Everybody,
        stages: &[first, second],
        order,
    },
    Command {
        node: "count",
        name: "Count",
        who: Who::Admins,
        stages: &[],
        order: |_| Ok(Order::OnlineCount),
    },
];

const LIMITS: Limits = Limits {
    each: 2,
    all: 3,
    lifetime: Duration::from_secs(60),
};

struct Desk {
    commands: Commands,
    now: Timestamp,
    known: Known,
}

impl Desk {
    fn new() -> Self {
        Self {
            commands: Commands::new(CONFIG, LIMITS, 0xabc),
            now: Timestamp(1000),
            known: Known::default(),
        }
    }

    /// What is answered, or what is ordered.
    fn ask(
        &mut self,
        who: &str,
        attributes: &str,
        filled: &[(&str, &str)],
    ) -> Result<Element, Box<Order>> {
        let fields = filled
            .iter()
            .map(|(var, value)| format!("<field var='{var}'><value>{value}</value></field>"));
        let fields = fields.collect::<Vec<_>>().concat();
        let form = if filled.is_empty() {
            String::new()
        } else {
            format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>")
        };
        let text = format!("<command xmlns='{COMMANDS}' {attributes}>{form}</command>");
        let element = parse(&text);
        let attribute = |name| element.attribute(name).map(std::borrow::Cow::into_owned);
        let request = Request {
            iq: IqContext {
                id: "1".into(),
                from: Address::parse(who).unwrap(),
                to: Some(Address::parse("example.org").unwrap()),
            },
            node: attribute("node").unwrap_or_else(|| "config".to_owned()),
            session: attribute("sessionid"),
            verb: Verb::parse(attribute("action").as_deref()),
            form: Submitted::find(&element.as_child()),
        };
        let mut out = Vec::new();
        let handled = self.commands.handle(self.now, request, &self.known);
        match answer(&mut out, handled) {
            Some((_, order)) => Err(Box::new(order)),
            None => Ok(parse(std::str::from_utf8(&out).unwrap())),
        }
    }

    /// Begins an execution; its name.
    fn begin(&mut self, who: &str) -> String {
        let answer = self.ask(who, "node='config'", &[]).unwrap();
        field(&answer, "sessionid")
    }
}

fn parse(text: &str) -> Element {
    Element::parse(text.as_bytes(), "jabber:client", xml::Limits::generous()).unwrap()
}

fn field(answer: &Element, name: &str) -> String {
    let command = answer.child("command", COMMANDS);
    let command = command.unwrap_or_else(|| panic!("{:?}", answer.raw()));
    command.attribute(name).unwrap_or_default().into_owned()
}

/// The actions that are offered, the usual one first.
fn actions(answer: &Element) -> Vec<String> {
    let command = answer.child("command", COMMANDS).unwrap();
    let actions = command.child("actions", COMMANDS).unwrap();
    let usual = actions.attribute("execute").unwrap().into_owned();
    let all = actions.children().map(|c| c.name().to_owned());
    std::iter::once(usual).chain(all).collect()
}

/// The field that is asked for.
fn asked(answer: &Element) -> String {
    let command = answer.child("command", COMMANDS).unwrap();
    let x = command.child("x", crate::form::DATA).unwrap();
    let last = x.children().last().unwrap();
    let value = last.child("value", crate::form::DATA);
    let value = value.map(|v| v.text().into_owned()).unwrap_or_default();
    format!("{}={value}", last.attribute("var").unwrap())
}

/// General and specific condition.
fn wrong(answer: Result<Element, Box<Order>>) -> (String, String) {
    let answer = answer.unwrap();
    let error = answer.child("error", "jabber:client").unwrap();
    let specific = error.children().find(|c| c.namespace() == COMMANDS);
    (
        error.children().next().unwrap().name().to_owned(),
        specific.map_or_else(String::new, |s| s.name().to_owned()),
    )
}

fn wrongs(general: &str, specific: &str) -> (String, String) {
    (general.to_owned(), specific.to_owned())
}

const ANN: &str = "ann@example.org/desk";

#[test]
fn stages_are_gone_through_back_and_to_the_end() {
    let mut desk = Desk::new();
    let answer = desk
        .ask(ANN, "node='config' action='execute'", &[])
        .unwrap();
    assert_eq!(field(&answer, "status"), "executing");
    assert_eq!(actions(&answer), ["next", "next"]);
    assert_eq!(asked(&answer), "service=");
    let id = field(&answer, "sessionid");
    let on = |verb: &str| format!("node='config' sessionid='{id}' action='{verb}'");
    let answer = desk.ask(ANN, &on("next"), &[("service", "httpd")]).unwrap();
    assert_eq!(actions(&answer), ["complete", "prev", "complete"]);
    assert_eq!(asked(&answer), "mode=");
    // Back, with what was filled in before; and on by the usual action.
    let answer = desk.ask(ANN, &on("prev"), &[]).unwrap();
    assert_eq!(asked(&answer), "service=httpd");
    let answer = desk
        .ask(ANN, &on("execute"), &[("service", "ftpd")])
        .unwrap();
    assert_eq!(asked(&answer), "mode=");
    let order = desk
        .ask(ANN, &on("complete"), &[("mode", "fast")])
        .unwrap_err();
    assert_eq!(*order, Order::Announce("ftpd fast".into()));
    // It has ended.
    let late = desk.ask(ANN, &on("complete"), &[("mode", "fast")]);
    assert_eq!(wrong(late), wrongs("not-allowed", "session-expired"));
}

#[test]
fn an_execution_is_cancelled() {
    let mut desk = Desk::new();
    let id = desk.begin(ANN);
    let cancel = format!("node='config' sessionid='{id}' action='cancel'");
    let answer = desk.ask(ANN, &cancel, &[]).unwrap();
    assert_eq!(field(&answer, "status"), "canceled");
    assert_eq!(
        wrong(desk.ask(ANN, &cancel, &[])),
        wrongs("not-allowed", "session-expired")
    );
}

#[test]
fn actions_that_do_not_fit_the_stage_are_bad_and_change_nothing() {
    let mut desk = Desk::new();
    let id = desk.begin(ANN);
    let on = |verb: &str| format!("node='config' sessionid='{id}' action='{verb}'");
    for verb in ["prev", "complete"] {
        let answer = desk.ask(ANN, &on(verb), &[("service", "x")]);
        assert_eq!(wrong(answer), wrongs("bad-request", "bad-action"), "{verb}");
    }
    assert_eq!(
        wrong(desk.ask(ANN, &on("explode"), &[])),
        wrongs("bad-request", "malformed-action")
    );
    desk.ask(ANN, &on("next"), &[("service", "x")]).unwrap();
    assert_eq!(
        wrong(desk.ask(ANN, &on("next"), &[("mode", "x")])),
        wrongs("bad-request", "bad-action")
    );
    // What cannot be begun with.
    for verb in ["next", "prev", "complete", "cancel"] {
        let answer = desk.ask(ANN, &format!("node='config' action='{verb}'"), &[]);
        assert_eq!(wrong(answer), wrongs("bad-request", "bad-action"), "{verb}");
    }
    let order = desk.ask(ANN, &on("execute"), &[("mode", "y")]).unwrap_err();
    assert_eq!(*order, Order::Announce("x y".into()));
}

#[test]
fn payloads_that_do_not_fit_are_bad_and_can_be_mended() {
    let mut desk = Desk::new();
    let id = desk.begin(ANN);
    let on = format!("node='config' sessionid='{id}'");
    let bad = wrongs("bad-request", "bad-payload");
    for filled in [
        vec![],
        vec![("other", "x")],
        vec![("service", " ")],
        vec![("FORM_TYPE", "other"), ("service", "x")],
    ] {
        assert_eq!(wrong(desk.ask(ANN, &on, &filled)), bad, "{filled:?}");
    }
    desk.ask(ANN, &on, &[("FORM_TYPE", "config"), ("service", "x")])
        .unwrap();
    assert_eq!(wrong(desk.ask(ANN, &on, &[("mode", "broken")])), bad);
    let order = desk.ask(ANN, &on, &[("mode", "y")]).unwrap_err();
    assert_eq!(*order, Order::Announce("x y".into()));
}

#[test]
fn names_of_executions_are_for_who_began_them() {
    let mut desk = Desk::new();
    let id = desk.begin(ANN);
    let bad = wrongs("bad-request", "bad-sessionid");
    for (who, session) in [
        ("eve@example.org/desk", id.as_str()),
        ("ann@example.org/phone", &id),
        (ANN, "0000000000000abc-99"),
        (ANN, "0000000000000abd-1"),
        (ANN, "nonsense"),
        (ANN, "-"),
    ] {
        let attributes = format!("node='config' sessionid='{session}' action='cancel'");
        assert_eq!(
            wrong(desk.ask(who, &attributes, &[])),
            bad,
            "{who} {session}"
        );
    }
    desk.known.admin = true;
    let other = format!("node='count' sessionid='{id}' action='cancel'");
    assert_eq!(wrong(desk.ask(ANN, &other, &[])), bad);
}

#[test]
fn a_form_that_nobody_sends_back_expires() {
    let mut desk = Desk::new();
    let id = desk.begin(ANN);
    let on = format!("node='config' sessionid='{id}'");
    desk.now = desk.now.plus(Duration::from_secs(59));
    // Every stage has its own time.
    desk.ask(ANN, &on, &[("service", "x")]).unwrap();
    desk.now = desk.now.plus(Duration::from_secs(59));
    desk.ask(ANN, &format!("{on} action='prev'"), &[]).unwrap();
    desk.now = desk.now.plus(Duration::from_secs(60));
    let late = desk.ask(ANN, &on, &[("service", "x")]);
    assert_eq!(wrong(late), wrongs("not-allowed", "session-expired"));
}

#[test]
fn executions_are_bounded_for_each_and_for_all() {
    let mut desk = Desk::new();
    let full = wrongs("resource-constraint", "");
    let id = desk.begin(ANN);
    desk.begin(ANN);
    assert_eq!(wrong(desk.ask(ANN, "node='config'", &[])), full);
    desk.begin("bob@example.org/desk");
    assert_eq!(
        wrong(desk.ask("eve@example.org/desk", "node='config'", &[])),
        full
    );
    let cancel = format!("node='config' sessionid='{id}' action='cancel'");
    desk.ask(ANN, &cancel, &[]).unwrap();
    desk.begin("eve@example.org/desk");
    // Those that have expired do not count.
    desk.now = desk.now.plus(Duration::from_secs(60));
    desk.begin(ANN);
    desk.begin(ANN);
}

#[test]
fn commands_are_for_those_who_may() {
    let mut desk = Desk::new();
    assert_eq!(
        wrong(desk.ask(ANN, "node='count'", &[])),
        wrongs("forbidden", "")
    );
    assert_eq!(
        wrong(desk.ask(ANN, "node='nothing'", &[])),
        wrongs("item-not-found", "")
    );
    let names =
        |desk: &Desk| -> Vec<&str> { desk.commands.list(&desk.known).map(|c| c.node).collect() };
    assert_eq!(names(&desk), ["config"]);
    desk.known.admin = true;
    assert_eq!(names(&desk), ["config", "count"]);
    assert_eq!(
        desk.ask(ANN, "node='count'", &[]),
        Err(Box::new(Order::OnlineCount))
    );
}

#[test]
fn ends_are_told() {
    let mut desk = Desk::new();
    desk.known.admin = true;
    let request = Request {
        iq: IqContext {
            id: "1".into(),
            from: Address::parse(ANN).unwrap(),
            to: None,
        },
        node: "count".into(),
        session: None,
        verb: Some(Verb::Execute),
        form: None,
    };
    let Handled::Run(execution, _) = desk.commands.handle(desk.now, request, &desk.known) else {
        panic!("an order");
    };
    let told = |outcome: &Outcome| {
        let mut out = Vec::new();
        finished(&mut out, &execution, outcome);
        parse(std::str::from_utf8(&out).unwrap())
    };
    let done = told(&Outcome::DONE);
    assert_eq!(field(&done, "status"), "completed");
    assert!(
        done.child("command", COMMANDS)
            .unwrap()
            .children()
            .next()
            .is_none()
    );
    let failed = told(&Outcome::Failed("No & no.".into()));
    assert_eq!(field(&failed, "status"), "completed");
    let note = failed
        .child("command", COMMANDS)
        .unwrap()
        .child("note", COMMANDS)
        .unwrap();
    assert_eq!(note.attribute("type").as_deref(), Some("error"));
    assert_eq!(note.text(), "No & no.");
    let conflict = told(&Outcome::Conflict("Taken.".into()));
    assert_eq!(wrong(Ok(conflict)), wrongs("conflict", ""));
}

/// A form of administrators as it is filled in.
fn filled(fields: &[(&str, &[&str])]) -> Submitted {
    let mut text = "<q><x xmlns='jabber:x:data' type='submit'>".to_owned();
    for (var, values) in fields {
        let values = values.iter().map(|v| format!("<value>{v}</value>"));
        let values = values.collect::<Vec<_>>().concat();
        text.push_str(&format!("<field var='{var}'>{values}</field>"));
    }
    text.push_str("</x></q>");
    Submitted::find(&parse(&text).as_child()).unwrap()
}

#[test]
fn what_administrators_fill_in_is_checked() {
    let order = |node: &str, fields: &[(&str, &[&str])]| {
        let command = TABLE.iter().find(|c| c.node.ends_with(&format!("#{node}")));
        (command.unwrap().order)(&[filled(fields)])
    };
    let bob = || Bare::from_prepared("bob@example.org");
    let jid = |jid: &'static str| ("accountjid", vec![jid]);
    let add = |address: &'static str, again: &'static str| {
        let (var, value) = jid(address);
        let fields: Vec<(&str, Vec<&str>)> = vec![
            (var, value),
            ("password", vec![" p "]),
            ("password-verify", vec![again]),
            ("surname", vec!["Builder"]),
        ];
        let fields: Vec<(&str, &[&str])> = fields.iter().map(|(v, x)| (*v, &**x)).collect();
        order("add-user", &fields)
    };
    let added = Order::AddUser {
        account: bob(),
        password: Password::new(" p "),
        facts: Facts {
            last: "Builder".into(),
            ..Facts::default()
        },
    };
    assert_eq!(add("bob@example.org", " p "), Ok(added.clone()));
    assert_eq!(add("bob@example.org", ""), Ok(added));
    assert!(add("bob@example.org", "q").is_err());
    for wrong in ["example.org", "bob@", "bob@example.org/desk"] {
        assert!(add(wrong, "").is_err(), "{wrong}");
    }
    let eve = Bare::from_prepared("eve@example.org");
    assert_eq!(
        order(
            "delete-user",
            &[("accountjids", &["bob@example.org\n", " eve@example.org"])]
        ),
        Ok(Order::DeleteUsers(vec![bob(), eve]))
    );
    assert!(
        order(
            "disable-user",
            &[("accountjids", &["bob@example.org", "x@"])]
        )
        .is_err()
    );
    assert_eq!(
        order("get-online-users-list", &[("max_items", &["25"])]),
        Ok(Order::OnlineUsers(25))
    );
    assert_eq!(
        order("get-online-users-list", &[]),
        Ok(Order::OnlineUsers(usize::MAX))
    );
    assert!(order("get-online-users-list", &[("max_items", &["many"])]).is_err());
    assert_eq!(
        order(
            "end-user-session",
            &[("accountjids", &["bob@example.org/desk"])]
        ),
        Ok(Order::EndSessions(vec![
            Address::parse("bob@example.org/desk").unwrap()
        ]))
    );
    assert_eq!(
        order("set-motd", &[("motd", &["Line 1", "Line 2"])]),
        Ok(Order::SetMotd("Line 1\nLine 2".into()))
    );
    assert!(order("announce", &[("announcement", &[" ", ""])]).is_err());
}

#[test]
fn the_message_of_the_day_stands_in_its_form() {
    let edit = TABLE
        .iter()
        .find(|c| c.node.ends_with("#edit-motd"))
        .unwrap();
    let known = Known {
        admin: true,
        motd: Some("one\ntwo".into()),
    };
    let form = edit.stages[0](&known);
    assert_eq!(form.fields[0].values, ["one", "two"]);
    assert!(
        edit.stages[0](&Known::default()).fields[0]
            .values
            .is_empty()
    );
}
