//! `adsum group`: shared groups, whether or not the server runs.

use serde_json::Value;

use super::user::wish;
use super::{Context, Done, GroupCommand, print};
use crate::server::admin::Wish;

pub(super) fn group(context: &Context, command: &GroupCommand) -> Done {
    match command {
        GroupCommand::Add { name, members } => {
            let (name, members) = (name.clone(), members.clone());
            let told = match &members[..] {
                [] => format!("The group {name} is there.\n"),
                some => format!("In the group {name} now: {}.\n", some.join(", ")),
            };
            wish(context, Wish::GroupAdd { name, members })?;
            print(&told)
        }
        GroupCommand::Remove { name, members } => {
            let (name, members) = (name.clone(), members.clone());
            let told = match &members[..] {
                [] => format!("The group {name} was removed.\n"),
                some => format!("Not in the group {name} any more: {}.\n", some.join(", ")),
            };
            wish(context, Wish::GroupRemove { name, members })?;
            print(&told)
        }
        GroupCommand::List { json } => {
            let groups = wish(context, Wish::GroupList)?;
            if *json {
                print(&format!("{groups:#}\n"))
            } else {
                print(&table(&groups))
            }
        }
    }
}

fn table(groups: &Value) -> String {
    let mut text = String::new();
    for group in groups.as_array().into_iter().flatten() {
        let flag = |name: &str| group.get(name).and_then(Value::as_bool) == Some(true);
        let name = group.get("name").and_then(Value::as_str).unwrap_or("-");
        let members = group.get("members").and_then(Value::as_array);
        let members: Vec<&str> = members
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let from = if flag("configured") {
            " (configuration)"
        } else {
            ""
        };
        let who = if flag("all") {
            format!("all {}", members.len())
        } else if members.is_empty() {
            "nobody".to_owned()
        } else {
            members.join(", ")
        };
        text.push_str(&format!("{name}{from}: {who}\n"));
    }
    if text.is_empty() {
        text.push_str(
            "There are no groups; make one with `adsum group add NAME user@domain ...`.\n",
        );
    }
    text
}
