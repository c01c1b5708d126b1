//! `adsum user`: accounts, whether or not the server runs.

use std::io::{BufRead as _, Read as _};
use std::path::Path;

use serde_json::Value;

use super::{AliasCommand, Context, Done, Failure, UserCommand, print};
use crate::server::admin::{self, Outcome, Wish};
use crate::server::offline;

/// Passwords that are made: 80 bits in letters and digits that are not mistaken for each other.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789-";
const LENGTH: usize = 16;

pub(super) fn user(context: &Context, command: &UserCommand) -> Done {
    match command {
        UserCommand::Add {
            batch: Some(file), ..
        } => batch(context, file),
        UserCommand::Add {
            jid,
            password_stdin,
            admin,
            ..
        } => {
            let jid = jid.clone().unwrap_or_default();
            let (password, made) = password(*password_stdin)?;
            wish(
                context,
                Wish::UserAdd {
                    jid: jid.clone(),
                    password: password.clone(),
                    admin: *admin,
                },
            )?;
            print(&told(
                &format!("{jid} was added"),
                made.then_some(&*password),
            ))
        }
        UserCommand::Password {
            jid,
            password_stdin,
        } => {
            let (password, made) = password(*password_stdin)?;
            wish(
                context,
                Wish::UserPassword {
                    jid: jid.clone(),
                    password: password.clone(),
                },
            )?;
            print(&told(
                &format!("The password of {jid} was changed"),
                made.then_some(&*password),
            ))
        }
        UserCommand::List { json } => {
            let accounts = wish(context, Wish::UserList)?;
            if *json {
                print(&format!("{accounts:#}\n"))
            } else {
                print(&table(&accounts))
            }
        }
        status @ UserCommand::Status { .. } => super::status::status(context, status),
        UserCommand::Reports { json } => {
            let reports = wish(context, Wish::Reports)?;
            if *json {
                print(&format!("{reports:#}\n"))
            } else {
                print(&super::reports::table(&reports))
            }
        }
        UserCommand::Disable { jid } => {
            wish(
                context,
                Wish::UserDisable {
                    jid: jid.clone(),
                    disabled: true,
                },
            )?;
            print(&format!("{jid} is disabled; its sessions were ended.\n"))
        }
        UserCommand::Enable { jid } => {
            wish(
                context,
                Wish::UserDisable {
                    jid: jid.clone(),
                    disabled: false,
                },
            )?;
            print(&format!("{jid} may log in again.\n"))
        }
        UserCommand::Delete { jid } => {
            wish(context, Wish::UserDelete { jid: jid.clone() })?;
            print(&format!("{jid} was deleted with all its data.\n"))
        }
        UserCommand::Alias(AliasCommand::Add { jid, address }) => {
            wish(
                context,
                Wish::AliasAdd {
                    jid: jid.clone(),
                    address: address.clone(),
                },
            )?;
            print(&format!(
                "{address} leads to {jid}. A phone that logs in with this name needs `adsum user password {jid}` once more.\n"
            ))
        }
        UserCommand::Alias(AliasCommand::Remove { jid, address }) => {
            wish(
                context,
                Wish::AliasRemove {
                    jid: jid.clone(),
                    address: address.clone(),
                },
            )?;
            print(&format!("{address} no longer leads to {jid}.\n"))
        }
        UserCommand::Approve { jid, watcher } => {
            wish(
                context,
                Wish::Answer {
                    jid: jid.clone(),
                    watcher: watcher.clone(),
                    allow: true,
                },
            )?;
            print(&format!("{watcher} may see {jid}.\n"))
        }
        UserCommand::Deny { jid, watcher } => {
            wish(
                context,
                Wish::Answer {
                    jid: jid.clone(),
                    watcher: watcher.clone(),
                    allow: false,
                },
            )?;
            print(&format!("{watcher} may not see {jid}.\n"))
        }
    }
}

/// Has a wish done: by the running server, or on the data when none runs.
pub(super) fn wish(context: &Context, wish: Wish) -> Result<Value, Failure> {
    let mut values = wishes(context, vec![wish])?;
    Ok(values.pop().unwrap_or_default())
}

fn wishes(context: &Context, wishes: Vec<Wish>) -> Result<Vec<Value>, Failure> {
    let loaded = context.load()?;
    let folder = context.data_folder(&loaded)?;
    let mut values = Vec::new();
    if folder.in_use() {
        for wish in wishes {
            let outcome = admin::ask(&folder, &wish).unwrap_or_else(|| {
                Err("The server stopped while it was asked; try again.".to_owned())
            });
            values.push(settle(outcome.map_err(Failure::failed)?)?);
        }
        return Ok(values);
    }
    let config = loaded.config;
    let data = offline(&config, folder).map_err(|error| Failure::of(&error))?;
    let mut failure = None;
    for wish in wishes {
        match settle(admin::execute(&data.executor(&config), wish)) {
            Ok(value) => values.push(value),
            Err(failed) => {
                failure = Some(failed);
                break;
            }
        }
    }
    data.close();
    failure.map_or(Ok(values), Err)
}

fn settle(outcome: Outcome) -> Result<Value, Failure> {
    match outcome {
        Outcome::Done(value) => Ok(value),
        Outcome::Failed(sentence) => Err(Failure::failed(sentence)),
    }
}

fn batch(context: &Context, file: &Path) -> Done {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::wrong(format!("{} cannot be read ({error}).", file.display())))?;
    let mut wishes_of_file = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let Some((jid, password)) = line.split_once(' ').filter(|(_, p)| !p.is_empty()) else {
            return Err(Failure::wrong(format!(
                "{}:{}: write the address, one space and the password.",
                file.display(),
                index + 1
            )));
        };
        wishes_of_file.push(Wish::UserAdd {
            jid: jid.to_owned(),
            password: password.to_owned(),
            admin: false,
        });
    }
    let added = wishes(context, wishes_of_file)?;
    print(&format!("{} accounts were added.\n", added.len()))
}

/// The password, and whether it was made here.
fn password(from_input: bool) -> Result<(String, bool), Failure> {
    if from_input {
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .take(4096)
            .read_line(&mut line)
            .map_err(|error| {
                Failure::failed(format!("Standard input cannot be read ({error})."))
            })?;
        let given = line.trim_end_matches(['\r', '\n']).to_owned();
        if given.is_empty() {
            return Err(Failure::wrong(
                "Standard input has no password on its first line.",
            ));
        }
        return Ok((given, false));
    }
    let octets: [u8; LENGTH] = rand::random();
    let made = octets
        .iter()
        .map(|o| LETTERS[usize::from(o % 31)] as char)
        .collect();
    Ok((made, true))
}

fn told(what: &str, password: Option<&str>) -> String {
    match password {
        Some(password) => format!("{what}; the password is {password}\n"),
        None => format!("{what}.\n"),
    }
}

fn table(accounts: &Value) -> String {
    let mut text = String::new();
    for account in accounts.as_array().into_iter().flatten() {
        let field = |name: &str| {
            account
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or("-")
                .to_owned()
        };
        let flag = |name: &str| {
            account
                .get(name)
                .and_then(Value::as_bool)
                .unwrap_or_default()
        };
        let mut notes = Vec::new();
        if flag("admin") {
            notes.push("admin".to_owned());
        }
        if flag("disabled") {
            notes.push("disabled".to_owned());
        }
        let aliases = account
            .get("aliases")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        notes.extend(aliases.filter_map(Value::as_str).map(str::to_owned));
        text.push_str(&format!(
            "{:<40} last seen {:<24} {}\n",
            field("jid"),
            field("last_seen"),
            notes.join(", ")
        ));
    }
    if text.is_empty() {
        text.push_str("There are no accounts; add one with `adsum user add user@domain`.\n");
    }
    text
}
