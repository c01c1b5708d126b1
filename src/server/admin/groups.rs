//! `adsum group`: shared groups that are made by command.

use std::sync::{Arc, mpsc};

use model::Model;
use model::commit::Reply;
use presence::roster::MAX_NAME;
use presence::{Bare, Refusal};
use serde_json::{Value, json};

use super::Executor;
use crate::server::turn::turn;

/// Names every account.
const ALL: &str = "all";

impl Executor<'_> {
    pub(super) fn group_add(&self, name: &str, members: &[String]) -> Result<Value, String> {
        let name = group_name(name)?;
        let (members, everybody) = self.group_members(members)?;
        for member in &members {
            self.known(member)?;
        }
        self.group_done(name, |model, reply| {
            model.group_add(name, members, everybody, reply);
        })
    }

    pub(super) fn group_remove(&self, name: &str, members: &[String]) -> Result<Value, String> {
        let name = group_name(name)?;
        let (members, everybody) = self.group_members(members)?;
        self.group_done(name, |model, reply| {
            model.group_remove(name, members, everybody, reply);
        })
    }

    pub(super) fn group_list(&self) -> Value {
        let groups = self.model.groups().into_iter();
        let rows = groups.map(|group| {
            json!({
                "name": group.name,
                "all": group.everybody,
                "configured": group.configured,
                "members": group.members.iter().map(Bare::as_str).collect::<Vec<_>>(),
            })
        });
        Value::Array(rows.collect())
    }

    /// Accounts, or aliases of such; `all` among them is everybody.
    fn group_members(&self, members: &[String]) -> Result<(Vec<Bare>, bool), String> {
        let (all, named): (Vec<_>, Vec<_>) = members.iter().partition(|m| *m == ALL);
        let account = |m: &&String| match self.model.alias(m) {
            Some(account) => Ok(account),
            None => self.account(m),
        };
        let named: Result<Vec<Bare>, String> = named.iter().map(account).collect();
        Ok((named?, !all.is_empty()))
    }

    fn group_done(
        &self,
        name: &str,
        command: impl FnOnce(&Arc<Model>, &Reply<()>),
    ) -> Result<Value, String> {
        let (send, answer) = mpsc::channel();
        let reply = Reply::new(move |result| {
            let _ = send.send(result);
        });
        turn(|| command(self.model, &reply));
        drop(reply);
        match answer.recv().unwrap_or(Err(Refusal::Fault)) {
            Ok(()) => Ok(json!({ "group": name })),
            Err(Refusal::NotFound) => Err(self.group_missing(name)),
            Err(refusal) => Err(format!("This was refused: {refusal}.")),
        }
    }

    fn group_missing(&self, name: &str) -> String {
        let groups = self.model.groups();
        match groups.iter().find(|g| g.name == name) {
            Some(group) if group.configured => format!(
                "That stands in the configuration; change [[groups]] of \"{name}\" there and reload."
            ),
            Some(_) => format!(
                "Not all of them were put into \"{name}\" by name; `adsum group list` shows who is in it."
            ),
            None => {
                format!("There is no group \"{name}\"; `adsum group list` shows those there are.")
            }
        }
    }
}

/// What may stand in a roster as the name of a group.
fn group_name(name: &str) -> Result<&str, String> {
    let name = name.trim();
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(format!(
            "\"{}\" cannot be the name of a group; give 1 to {MAX_NAME} bytes of text.",
            name.escape_debug()
        ));
    }
    Ok(name)
}
