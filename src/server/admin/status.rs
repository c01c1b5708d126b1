//! `adsum user status`: a status that outlives the sessions.

use model::status::{MAX_TEXT, Status};
use presence::{Refusal, Show, Utc};
use serde_json::{Value, json};

use super::{Executor, StatusWish};

const SHOWS: [(&str, Show); 4] = [
    ("away", Show::Away),
    ("xa", Show::Xa),
    ("dnd", Show::Dnd),
    ("chat", Show::Chat),
];

impl Executor<'_> {
    pub(super) fn status_show(&self, jid: &str) -> Result<Value, String> {
        let account = self.account(jid)?;
        let status = self
            .model
            .status(&account)
            .map_err(|refusal| match refusal {
                Refusal::NotFound => format!(
                    "There is no account {account}; `adsum user list` shows those there are."
                ),
                other => format!("This was refused: {other}."),
            })?;
        Ok(status.map_or(Value::Null, |status| {
            let word = SHOWS.iter().find(|(_, show)| Some(*show) == status.show);
            json!({
                "show": word.map(|(word, _)| *word),
                "text": status.text,
                "until": status.until.map(Utc::to_rfc3339),
            })
        }))
    }

    pub(super) fn status_set(&self, jid: &str, wish: Option<StatusWish>) -> Result<Value, String> {
        let account = self.account(jid)?;
        let status = wish.map(|wish| self.read_status(wish)).transpose()?;
        self.wait(&account, |model, reply| {
            model.set_status(&account, status, reply);
        })
    }

    fn read_status(&self, wish: StatusWish) -> Result<Status, String> {
        let show = |word: String| {
            let known = SHOWS.iter().find(|(known, _)| *known == word);
            known.map(|(_, show)| *show).ok_or_else(|| {
                format!("{word} is no status; give away, xa, dnd, chat, or none for available.")
            })
        };
        let until = |text: String| {
            let at = Utc::from_rfc3339(&text).ok_or_else(|| {
                format!("{text} is not a time; write it as 2026-11-23T08:00:00Z.")
            })?;
            if at <= self.model.now().utc {
                return Err(format!("{text} is over; give a time that is to come."));
            }
            Ok(at)
        };
        let text = wish.text.filter(|text| !text.trim().is_empty());
        if text.as_ref().is_some_and(|text| text.len() > MAX_TEXT) {
            return Err(format!(
                "The text is too long; give at most {MAX_TEXT} bytes."
            ));
        }
        if text.iter().any(|text| text.chars().any(char::is_control)) {
            return Err("The text holds control characters; leave them out.".to_owned());
        }
        Ok(Status {
            show: wish.show.map(show).transpose()?,
            text,
            until: wish.until.map(until).transpose()?,
        })
    }
}
