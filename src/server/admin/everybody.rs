//! Wishes about those who are connected: announcements, the message of the day, the end of sessions.

use std::sync::Arc;
use std::sync::mpsc;

use model::Model;
use model::commit::Reply;
use presence::{Address, Refusal};
use serde_json::{Value, json};

use super::Executor;
use crate::server::turn::turn;

impl Executor<'_> {
    /// Does something on the model and waits for the answer.
    pub(super) fn waited<T: Send + 'static>(
        &self,
        command: impl FnOnce(&Arc<Model>, &Reply<T>),
    ) -> Result<T, Refusal> {
        let (send, answer) = mpsc::channel();
        let reply = Reply::new(move |result| {
            let _ = send.send(result);
        });
        turn(|| command(self.model, &reply));
        drop(reply);
        answer.recv().unwrap_or(Err(Refusal::Fault))
    }

    pub(super) fn end_sessions(&self, jid: &str) -> Result<Value, String> {
        let whose =
            Address::parse(jid).map_err(|error| format!("{jid} is not an address ({error})."))?;
        match turn(|| self.model.end_sessions_of(&whose)) {
            0 => Err(format!("{jid} is not connected.")),
            ended => Ok(json!({ "ended": ended })),
        }
    }

    pub(super) fn announce(&self, text: &str) -> Value {
        json!({ "accounts": turn(|| self.model.announce(text)) })
    }

    pub(super) fn motd(&self, text: Option<&str>, anew: bool) -> Result<Value, String> {
        match self.waited(|model, reply| model.set_motd(text, anew, reply)) {
            Ok(()) => Ok(Value::Null),
            Err(Refusal::NotFound) => Err("There is no message of the day.".to_owned()),
            Err(refusal) => Err(format!("This was refused: {refusal}.")),
        }
    }
}
