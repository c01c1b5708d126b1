//! What administrators order in their clients (XEP-0133), done by the same functions as the wishes of the command line.

use presence::{Bare, Card, Facts, Refusal};
use xmpp::adhoc::{ADMIN, Order, Outcome};
use xmpp::form::{Field, FieldType, Form, Purpose};
use xmpp::person;

use super::{Executor, Wish, execute, office};

/// Does it and waits for the disk. Not for threads that serve connections: keys are derived here.
pub fn perform(executor: &Executor<'_>, asker: &Bare, order: Order) -> Outcome {
    match order {
        Order::AddUser {
            account,
            password,
            facts,
        } => add(executor, &account, password.reveal(), &facts),
        Order::ChangePassword { account, password } => one(
            executor,
            Wish::UserPassword {
                jid: account.to_string(),
                password: password.reveal().to_owned(),
            },
        ),
        Order::DeleteUsers(accounts) => each(executor, accounts, |jid| Wish::UserDelete { jid }),
        Order::DisableUsers { accounts, disabled } => each(executor, accounts, |jid| {
            Wish::UserDisable { jid, disabled }
        }),
        Order::EndSessions(sessions) => each(executor, sessions, |jid| Wish::EndSessions { jid }),
        Order::Announce(text) => one(executor, Wish::Announce { text }),
        Order::SetMotd(text) => motd(executor, Some(text), true),
        Order::EditMotd(text) => motd(executor, Some(text), false),
        Order::DeleteMotd => motd(executor, None, false),
        Order::Status(status) => office::status(executor, asker, status),
        Order::AddToGroup(group) => {
            let (name, members) = office::members(group);
            one(executor, Wish::GroupAdd { name, members })
        }
        Order::RemoveFromGroup(group) => {
            let (name, members) = office::members(group);
            one(executor, Wish::GroupRemove { name, members })
        }
        Order::ListGroups => told(office::groups(executor)),
        Order::OnlineCount => {
            let label = "Users who are online";
            let field = Field::new("onlineusersnum", FieldType::TextSingle, label);
            told(field.with(executor.model.online().len().to_string()))
        }
        Order::OnlineUsers(most) => {
            let online = executor.model.online().into_iter().take(most);
            let label = "Users who are online";
            told(Field {
                values: online.map(|account| account.to_string()).collect(),
                ..Field::new("onlineuserjids", FieldType::JidMulti, label)
            })
        }
    }
}

fn told(field: Field) -> Outcome {
    Outcome::Done {
        note: None,
        form: Some(Form {
            purpose: Purpose::Tell,
            kind: ADMIN,
            fields: vec![field],
            ..Form::default()
        }),
    }
}

pub(super) fn one(executor: &Executor<'_>, wish: Wish) -> Outcome {
    match execute(executor, wish) {
        super::Outcome::Done(_) => Outcome::DONE,
        super::Outcome::Failed(sentence) => Outcome::Failed(sentence),
    }
}

fn motd(executor: &Executor<'_>, text: Option<String>, anew: bool) -> Outcome {
    one(executor, Wish::Motd { text, anew })
}

/// Does it with each of them, also when it fails with some; tells with which.
fn each<T: ToString>(
    executor: &Executor<'_>,
    whom: Vec<T>,
    wish: impl Fn(String) -> Wish,
) -> Outcome {
    let failed =
        whom.into_iter()
            .filter_map(|whom| match execute(executor, wish(whom.to_string())) {
                super::Outcome::Done(_) => None,
                super::Outcome::Failed(sentence) => Some(sentence),
            });
    let failed: Vec<String> = failed.collect();
    if failed.is_empty() {
        Outcome::DONE
    } else {
        Outcome::Failed(failed.join(" "))
    }
}

fn add(executor: &Executor<'_>, account: &Bare, password: &str, facts: &Facts) -> Outcome {
    if let Ok(Some(_)) = executor.model.store().credentials(account) {
        return Outcome::Conflict(format!("There is an account {account} already."));
    }
    let wish = Wish::UserAdd {
        jid: account.to_string(),
        password: password.to_owned(),
        admin: false,
    };
    let added = one(executor, wish);
    if added == Outcome::DONE && *facts != Facts::default() {
        let card: Card = person::made(facts);
        let kept = executor.waited(|model, reply| model.set_vcard(account, Some(card), reply));
        if let Err(refusal @ (Refusal::Limit(_) | Refusal::Overloaded | Refusal::Fault)) = kept {
            let sentence = format!("{account} was added, but without its card: {refusal}.");
            return Outcome::Failed(sentence);
        }
    }
    added
}
