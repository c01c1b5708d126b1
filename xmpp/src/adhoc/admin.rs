//! Service administration (XEP-0133): the commands of administrators.

use presence::{Address, Bare, Facts};

use super::{Command, Known, Order, Who, office};
use crate::form::{Field, FieldType, Form, Purpose, Submitted};
use crate::sasl::Password;

/// The namespace of XEP-0133.
pub const ADMIN: &str = "http://jabber.org/protocol/admin";

macro_rules! node {
    ($name:literal) => {
        concat!("http://jabber.org/protocol/admin#", $name)
    };
}

const fn command(
    node: &'static str,
    name: &'static str,
    stages: &'static [super::Stage],
    order: fn(&[Submitted]) -> Result<Order, &'static str>,
) -> Command {
    Command {
        node,
        name,
        who: Who::Admins,
        stages,
        order,
    }
}

/// All commands there are.
pub static TABLE: &[Command] = &[
    command(node!("add-user"), "Add User", &[add_form], add),
    command(node!("delete-user"), "Delete User", &[delete_form], delete),
    command(
        node!("disable-user"),
        "Disable User",
        &[disable_form],
        disable,
    ),
    command(
        node!("reenable-user"),
        "Re-Enable User",
        &[enable_form],
        enable,
    ),
    command(
        node!("change-user-password"),
        "Change User Password",
        &[password_form],
        change_password,
    ),
    command(
        node!("get-online-users-num"),
        "Get Number of Online Users",
        &[],
        |_| Ok(Order::OnlineCount),
    ),
    command(
        node!("get-online-users-list"),
        "Get List of Online Users",
        &[online_form],
        online,
    ),
    command(
        node!("end-user-session"),
        "End User Session",
        &[end_form],
        end,
    ),
    command(
        node!("announce"),
        "Send Announcement to Online Users",
        &[announce_form],
        |given| text(given, "announcement").map(Order::Announce),
    ),
    command(
        node!("set-motd"),
        "Set Message of the Day",
        &[set_motd_form],
        |given| text(given, "motd").map(Order::SetMotd),
    ),
    command(
        node!("edit-motd"),
        "Edit Message of the Day",
        &[edit_motd_form],
        |given| text(given, "motd").map(Order::EditMotd),
    ),
    command(
        node!("delete-motd"),
        "Delete Message of the Day",
        &[],
        |_| Ok(Order::DeleteMotd),
    ),
    office::ADD_TO_GROUP,
    office::REMOVE_FROM_GROUP,
    office::LIST_GROUPS,
    office::SET_STATUS,
    office::CLEAR_STATUS,
];

fn form(title: &'static str, instructions: &'static str, fields: Vec<Field>) -> Form {
    Form {
        purpose: Purpose::Ask,
        kind: ADMIN,
        title,
        instructions,
        fields,
    }
}

fn jid() -> Field {
    Field::new(
        "accountjid",
        FieldType::JidSingle,
        "The address of the account",
    )
    .required()
}

fn jids() -> Field {
    Field::new(
        "accountjids",
        FieldType::JidMulti,
        "The addresses of the accounts",
    )
    .required()
}

fn password() -> [Field; 2] {
    let field = |var, label| Field::new(var, FieldType::TextPrivate, label).required();
    [
        field("password", "The password"),
        Field {
            required: false,
            ..field("password-verify", "The password once more")
        },
    ]
}

fn add_form(_: &Known) -> Form {
    let text = |var, label| Field::new(var, FieldType::TextSingle, label);
    let mut fields = vec![jid()];
    fields.extend(password());
    fields.extend([
        text("email", "Address for mail"),
        text("given_name", "Given name"),
        text("surname", "Family name"),
    ]);
    form("Adding a user", "Fill in whom to add.", fields)
}

fn delete_form(_: &Known) -> Form {
    let how = "The accounts go with all their data: contacts, messages, cards.";
    form("Deleting users", how, vec![jids()])
}

fn disable_form(_: &Known) -> Form {
    let how = "Their sessions end and they may not log in; nothing of their data is lost.";
    form("Disabling users", how, vec![jids()])
}

fn enable_form(_: &Known) -> Form {
    form("Re-enabling users", "They may log in again.", vec![jids()])
}

fn password_form(_: &Known) -> Form {
    let mut fields = vec![jid()];
    fields.extend(password());
    let how = "Sessions that logged in with the old password end.";
    form("Changing a user's password", how, fields)
}

fn online_form(_: &Known) -> Form {
    let options = ["25", "50", "100", "200"].map(|n| (n, n)).to_vec();
    let most = Field {
        options: [options, vec![("All", "none")]].concat(),
        ..Field::new("max_items", FieldType::ListSingle, "How many to show")
    };
    form("Users who are online", "", vec![most.with("100")])
}

fn end_form(_: &Known) -> Form {
    let how = "An address without a resource ends all sessions of the account. They may log in again at once.";
    form("Ending sessions", how, vec![jids()])
}

fn announce_form(_: &Known) -> Form {
    let field = Field::new("announcement", FieldType::TextMulti, "Announcement");
    let how = "Everybody who is online gets it at once.";
    form("Making an announcement", how, vec![field.required()])
}

fn motd_field() -> Field {
    Field::new("motd", FieldType::TextMulti, "Message of the day").required()
}

fn set_motd_form(_: &Known) -> Form {
    let how = "Everybody gets it once: now, or with their next login.";
    form("Setting the message of the day", how, vec![motd_field()])
}

fn edit_motd_form(known: &Known) -> Form {
    let mut field = motd_field();
    let lines = known.motd.iter().flat_map(|motd| motd.lines());
    field.values.extend(lines.map(str::to_owned));
    let how = "Who has seen it does not get it again.";
    form("Editing the message of the day", how, vec![field])
}

fn last(given: &[Submitted]) -> Result<&Submitted, &'static str> {
    given.last().ok_or("The form is not filled in.")
}

fn account(text: Option<&str>) -> Result<Bare, &'static str> {
    text.and_then(|text| Bare::parse(text).ok())
        .filter(|account| account.local().is_some())
        .ok_or("This is not the address of an account; write user@domain.")
}

fn accounts(given: &[Submitted]) -> Result<Vec<Bare>, &'static str> {
    addresses(given)?
        .into_iter()
        .map(|jid| account(Some(jid)))
        .collect()
}

fn addresses(given: &[Submitted]) -> Result<Vec<&str>, &'static str> {
    let all = last(given)?.all("accountjids").iter();
    // Some clients send one value with a line for each address.
    let lines = all.flat_map(|value| value.lines()).map(str::trim);
    Ok(lines.filter(|line| !line.is_empty()).collect())
}

fn new_password(given: &Submitted) -> Result<Password, &'static str> {
    let first = given.all("password").first().map_or("", |p| p);
    match given.all("password-verify").first() {
        Some(again) if !again.is_empty() && again != first => {
            Err("The two passwords are not the same.")
        }
        _ => Ok(Password::new(first)),
    }
}

fn text(given: &[Submitted], var: &str) -> Result<String, &'static str> {
    let text = last(given)?.lines(var).trim().to_owned();
    if text.is_empty() {
        return Err("There is no text.");
    }
    Ok(text)
}

fn add(given: &[Submitted]) -> Result<Order, &'static str> {
    let given = last(given)?;
    let fact = |var| given.one(var).unwrap_or_default().to_owned();
    Ok(Order::AddUser {
        account: account(given.one("accountjid"))?,
        password: new_password(given)?,
        facts: Facts {
            name: String::new(),
            first: fact("given_name"),
            last: fact("surname"),
            nick: String::new(),
            email: fact("email"),
        },
    })
}

fn delete(given: &[Submitted]) -> Result<Order, &'static str> {
    accounts(given).map(Order::DeleteUsers)
}

fn disable(given: &[Submitted]) -> Result<Order, &'static str> {
    Ok(Order::DisableUsers {
        accounts: accounts(given)?,
        disabled: true,
    })
}

fn enable(given: &[Submitted]) -> Result<Order, &'static str> {
    Ok(Order::DisableUsers {
        accounts: accounts(given)?,
        disabled: false,
    })
}

fn change_password(given: &[Submitted]) -> Result<Order, &'static str> {
    let given = last(given)?;
    Ok(Order::ChangePassword {
        account: account(given.one("accountjid"))?,
        password: new_password(given)?,
    })
}

fn online(given: &[Submitted]) -> Result<Order, &'static str> {
    match last(given)?.one("max_items") {
        None | Some("none") => Ok(Order::OnlineUsers(usize::MAX)),
        Some(number) => number
            .parse()
            .map(Order::OnlineUsers)
            .map_err(|_| "How many is a number."),
    }
}

fn end(given: &[Submitted]) -> Result<Order, &'static str> {
    let parsed = addresses(given)?.into_iter().map(Address::parse);
    let parsed: Result<Vec<Address>, _> = parsed.collect();
    parsed
        .ok()
        .filter(|all| all.iter().all(|a| a.bare.local().is_some()))
        .map(Order::EndSessions)
        .ok_or("This is not the address of an account or a session.")
}
