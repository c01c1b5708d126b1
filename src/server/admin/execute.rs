//! The wishes of the command line, done on the model.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;

use model::Model;
use model::commit::Reply;
use presence::{Bare, Refusal};
use serde_json::{Value, json};

use super::{Outcome, Wish};
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::secrets::{self, Vault};
use crate::server::turn::turn;

/// What is needed to do them. With a running server `status` says more.
pub struct Executor<'a> {
    /// The model over the open database.
    pub model: &'a Arc<Model>,
    /// The configuration.
    pub config: &'a Config,
    /// The data folder.
    pub folder: &'a DataFolder,
    /// Seals digest values.
    pub vault: &'a Vault,
    /// What a running server says of itself.
    pub status: Option<&'a dyn Fn() -> Value>,
    /// Forgets a remembered password.
    pub forget: Option<&'a dyn Fn(&Bare)>,
}

/// Does it and waits for the disk. Not for threads that serve connections: keys are derived here.
pub fn execute(executor: &Executor<'_>, wish: Wish) -> Outcome {
    match executor.run(wish) {
        Ok(value) => Outcome::Done(value),
        Err(sentence) => Outcome::Failed(sentence),
    }
}

impl Executor<'_> {
    fn run(&self, wish: Wish) -> Result<Value, String> {
        match wish {
            Wish::UserAdd {
                jid,
                password,
                admin,
            } => {
                let account = self.account(&jid)?;
                let secrets = self.secrets(&account, &password)?;
                self.wait(&account, |model, reply| {
                    model.add_account(&account, secrets, admin, reply);
                })
            }
            Wish::UserPassword { jid, password } => {
                let account = self.account(&jid)?;
                let secrets = self.secrets(&account, &password)?;
                self.wait(&account, |model, reply| {
                    model.set_secrets(&account, secrets, reply);
                })
            }
            Wish::UserDisable { jid, disabled } => {
                let account = self.account(&jid)?;
                self.wait(&account, |model, reply| {
                    model.disable(&account, disabled, reply);
                })
            }
            Wish::UserDelete { jid } => {
                let account = self.account(&jid)?;
                self.wait(&account, |model, reply| {
                    model.delete_account(&account, reply);
                })
            }
            Wish::AliasAdd { jid, address } => {
                let account = self.account(&jid)?;
                self.known(&account)?;
                let alias = Self::alias(&account, &address)?;
                self.wait(&account, |model, reply| {
                    model.add_alias(&alias, &account, reply);
                })
            }
            Wish::AliasRemove { jid, address } => {
                let account = self.account(&jid)?;
                let alias = Self::alias(&account, &address)?;
                self.wait(&account, |model, reply| {
                    model.remove_alias(&alias, &account, reply);
                })
            }
            Wish::Answer {
                jid,
                watcher,
                allow,
            } => {
                let account = self.account(&jid)?;
                let watcher = self.account(&watcher)?;
                self.wait(&account, |model, reply| {
                    model.answer(&account, &watcher, allow, reply);
                })
            }
            Wish::UserList => self.list(),
            Wish::Reports => self.reports(),
            Wish::StatusShow { jid } => self.status_show(&jid),
            Wish::StatusSet { jid, status } => self.status_set(&jid, status),
            Wish::EndSessions { jid } => self.end_sessions(&jid),
            Wish::Announce { text } => Ok(self.announce(&text)),
            Wish::Motd { text, anew } => self.motd(text.as_deref(), anew),
            Wish::GroupAdd { name, members } => self.group_add(&name, &members),
            Wish::GroupRemove { name, members } => self.group_remove(&name, &members),
            Wish::GroupList => Ok(self.group_list()),
            Wish::Status => Ok(self
                .status
                .map_or_else(|| json!({ "running": false }), |status| status())),
            Wish::Backup { file, with_secret } => self.backup(Path::new(&file), with_secret),
        }
    }

    fn forget(&self, account: &Bare) {
        if let Some(forget) = self.forget {
            forget(account);
        }
    }

    pub(super) fn account(&self, jid: &str) -> Result<Bare, String> {
        let account = Bare::parse(jid).map_err(|error| {
            format!(
                "{jid} is not an address ({error}); write it as user@{}.",
                self.config.domains[0].unicode
            )
        })?;
        if account.local().is_none() {
            return Err(format!("{jid} names no user; write it as user@{jid}."));
        }
        if !self.model.is_local(&account) {
            let domains: Vec<_> = self
                .config
                .domains
                .iter()
                .map(|d| d.unicode.as_str())
                .collect();
            return Err(format!(
                "{} is not served here; add it to `domains`, or use one of: {}.",
                account.domain(),
                domains.join(", ")
            ));
        }
        Ok(account)
    }

    pub(super) fn known(&self, account: &Bare) -> Result<(), String> {
        match self.model.store().credentials(account) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(format!(
                "There is no account {account}; `adsum user list` shows those there are."
            )),
            Err(error) => Err(error.to_string()),
        }
    }

    fn alias(account: &Bare, address: &str) -> Result<String, String> {
        super::super::aliases::normal(account.domain(), address)
            .ok_or_else(|| format!("{address} is no alias; give an extension, a tel: number, or an address user@domain."))
    }

    fn secrets(&self, account: &Bare, password: &str) -> Result<model::accounts::Secrets, String> {
        let aliases = self.model.aliases_of(account);
        secrets::derive(
            self.vault,
            account,
            &aliases,
            password,
            self.config.xmpp.scram_iterations,
        )
        .map_err(|error| format!("That password cannot be used ({error}); choose another one."))
    }

    pub(super) fn wait(
        &self,
        account: &Bare,
        command: impl FnOnce(&Arc<Model>, &Reply<()>),
    ) -> Result<Value, String> {
        let (send, answer) = mpsc::channel();
        let reply = Reply::new(move |result| {
            let _ = send.send(result);
        });
        turn(|| command(self.model, &reply));
        drop(reply);
        let done = answer.recv().unwrap_or(Err(Refusal::Fault));
        // The model tells of secrets that have ended; what phones log in with hangs on aliases, too.
        self.forget(account);
        match done {
            Ok(()) => Ok(json!({ "account": account.as_str() })),
            Err(Refusal::NotFound) => Err(format!(
                "There is no account {account}; `adsum user list` shows those there are."
            )),
            Err(Refusal::Conflict) => Err(format!(
                "{account} or that address is taken already; choose another one."
            )),
            Err(Refusal::Fault) => {
                Err("The database does not take changes; the log says why.".to_owned())
            }
            Err(refusal) => Err(format!("This was refused: {refusal}.")),
        }
    }

    fn list(&self) -> Result<Value, String> {
        let accounts = self
            .model
            .store()
            .accounts()
            .map_err(|error| error.to_string())?;
        let rows = accounts.into_iter().map(|a| {
            json!({
                "jid": a.account.as_str(),
                "admin": a.admin,
                "disabled": a.disabled,
                "created": a.created.to_rfc3339(),
                "last_seen": a.last_seen.map(presence::Utc::to_rfc3339),
                "aliases": self.model.aliases_of(&a.account),
            })
        });
        Ok(Value::Array(rows.collect()))
    }

    fn reports(&self) -> Result<Value, String> {
        let reports = self.model.store().reports();
        let rows = reports.map_err(|error| error.to_string())?.into_iter();
        let rows = rows.map(|r| {
            let stanzas = r.report.stanzas.iter();
            let stanzas: Vec<_> = stanzas.map(|s| json!({ "by": s.by, "id": s.id })).collect();
            json!({
                "at": r.report.at.to_rfc3339(),
                "by": r.by.as_str(),
                "about": r.report.about.to_string(),
                "reason": r.report.reason.as_str(),
                "text": r.report.text,
                "stanzas": stanzas,
            })
        });
        Ok(Value::Array(rows.collect()))
    }

    fn backup(&self, file: &Path, with_secret: bool) -> Result<Value, String> {
        super::super::backup::write(self.model.store(), self.folder, file, with_secret)?;
        Ok(json!({ "file": file.display().to_string() }))
    }
}
