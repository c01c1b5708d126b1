//! Commands of the office: a status that stays, for everybody; shared groups, for administrators.

use presence::Bare;

use super::{Command, GroupOrder, Known, Order, StatusOrder, Who};
use crate::form::{Field, FieldType, Form, Purpose, Submitted};

/// The `FORM_TYPE` of these forms, and the beginning of the nodes.
pub const OFFICE: &str = "adsum:office";

/// Sets a status that outlives the sessions.
pub(super) const SET_STATUS: Command = Command {
    node: "adsum:office#set-status",
    name: "Set a Status that Stays",
    who: Who::Everybody,
    stages: &[status_form],
    order: set_status,
};

/// Takes it back.
pub(super) const CLEAR_STATUS: Command = Command {
    node: "adsum:office#clear-status",
    name: "Clear the Status that Stays",
    who: Who::Everybody,
    stages: &[],
    order: |_| Ok(Order::Status(None)),
};

/// Makes a group or adds to it.
pub(super) const ADD_TO_GROUP: Command = Command {
    node: "adsum:office#add-to-group",
    name: "Add to a Shared Group",
    who: Who::Admins,
    stages: &[add_form],
    order: |given| group(given).map(Order::AddToGroup),
};

/// Takes out of a group, or removes it.
pub(super) const REMOVE_FROM_GROUP: Command = Command {
    node: "adsum:office#remove-from-group",
    name: "Remove from a Shared Group",
    who: Who::Admins,
    stages: &[remove_form],
    order: |given| group(given).map(Order::RemoveFromGroup),
};

/// Lists groups.
pub(super) const LIST_GROUPS: Command = Command {
    node: "adsum:office#list-groups",
    name: "List Shared Groups",
    who: Who::Admins,
    stages: &[],
    order: |_| Ok(Order::ListGroups),
};

fn form(title: &'static str, instructions: &'static str, fields: Vec<Field>) -> Form {
    Form {
        purpose: Purpose::Ask,
        kind: OFFICE,
        title,
        instructions,
        fields,
    }
}

fn status_form(_: &Known) -> Form {
    let show = Field {
        options: vec![
            ("Available", "available"),
            ("Free for a chat", "chat"),
            ("Away", "away"),
            ("Away for long", "xa"),
            ("Do not disturb", "dnd"),
        ],
        ..Field::new("show", FieldType::ListSingle, "How you are")
    };
    let text = Field::new("text", FieldType::TextSingle, "In words");
    let until = Field::new("until", FieldType::TextSingle, "Until, or for how long");
    let how = "It is shown also when you are not logged in. Write the end as 2026-11-23T08:00:00Z, or how long: 8h, 3d. Without it the \
               status stays until you clear it.";
    form(
        "A status that stays",
        how,
        vec![show.with("away"), text, until],
    )
}

fn set_status(given: &[Submitted]) -> Result<Order, &'static str> {
    let given = last(given)?;
    let show = match given.one("show").unwrap_or("away") {
        "available" => None,
        word @ ("chat" | "away" | "xa" | "dnd") => Some(word.to_owned()),
        _ => return Err("There is no such status."),
    };
    Ok(Order::Status(Some(StatusOrder {
        show,
        text: given.one("text").map(str::to_owned),
        until: given.one("until").map(str::to_owned),
    })))
}

fn name_field() -> Field {
    Field::new("group", FieldType::TextSingle, "The group").required()
}

fn members_field() -> Field {
    Field::new("accountjids", FieldType::JidMulti, "The accounts")
}

fn all_field() -> Field {
    Field::new("all", FieldType::Boolean, "Every account").with("false")
}

fn add_form(_: &Known) -> Form {
    let how = "They are in each other's contact lists at once. A group that is not there is made.";
    form(
        "Adding to a shared group",
        how,
        vec![name_field(), members_field(), all_field()],
    )
}

fn remove_form(_: &Known) -> Form {
    let how = "Without accounts the group is removed.";
    form(
        "Removing from a shared group",
        how,
        vec![name_field(), members_field(), all_field()],
    )
}

fn group(given: &[Submitted]) -> Result<GroupOrder, &'static str> {
    let given = last(given)?;
    let name = given.one("group").ok_or("The group has no name.")?;
    let members = given.all("accountjids").iter().map(|jid| jid.trim());
    let members = members.filter(|jid| !jid.is_empty()).map(Bare::parse);
    let members: Result<Vec<Bare>, _> = members.collect();
    Ok(GroupOrder {
        name: name.to_owned(),
        members: members.map_err(|_| "This is not the address of an account.")?,
        everybody: matches!(given.one("all"), Some("1" | "true")),
    })
}

fn last(given: &[Submitted]) -> Result<&Submitted, &'static str> {
    given.last().ok_or("The form is not filled in.")
}
