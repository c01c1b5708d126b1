//! `adsum user status`: a status that outlives the sessions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use presence::Utc;
use serde_json::Value;

use super::user::wish;
use super::{Context, Done, Failure, ShowWord, UserCommand, print};
use crate::config;
use crate::server::admin::{StatusWish, Wish};

pub(super) fn status(context: &Context, command: &UserCommand) -> Done {
    let UserCommand::Status {
        jid,
        text,
        show,
        until,
        for_,
        clear,
    } = command
    else {
        return Ok(());
    };
    let jid = jid.clone();
    if *clear {
        let told = format!("{jid} has no status of its own any more.\n");
        wish(context, Wish::StatusSet { jid, status: None })?;
        return print(&told);
    }
    let asks = text.is_none() && show.is_none() && until.is_none() && for_.is_none();
    if !asks {
        let status = StatusWish {
            show: word(show.unwrap_or(ShowWord::Away)).map(str::to_owned),
            text: text.clone(),
            until: match for_ {
                Some(duration) => Some(after(duration)?),
                None => until.clone(),
            },
        };
        let status = Some(status);
        let jid = jid.clone();
        wish(context, Wish::StatusSet { jid, status })?;
    }
    let status = wish(context, Wish::StatusShow { jid: jid.clone() })?;
    print(&shown(&jid, &status))
}

fn word(show: ShowWord) -> Option<&'static str> {
    match show {
        ShowWord::Available => None,
        ShowWord::Chat => Some("chat"),
        ShowWord::Away => Some("away"),
        ShowWord::Xa => Some("xa"),
        ShowWord::Dnd => Some("dnd"),
    }
}

/// The time that is so far from now.
fn after(text: &str) -> Result<String, Failure> {
    let wrong = || Failure::wrong(format!("{text} is no duration; write it as 30m, 8h or 3d."));
    let duration = config::duration(text)
        .filter(|d| !d.is_zero())
        .ok_or_else(wrong)?;
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let far = since.checked_add(duration).unwrap_or(Duration::MAX);
    let millis = i64::try_from(far.as_millis()).map_err(|_| wrong())?;
    Ok(Utc(millis).to_rfc3339())
}

fn shown(jid: &str, status: &Value) -> String {
    let field = |name: &str| status.get(name).and_then(Value::as_str);
    if status.is_null() {
        return format!("{jid} has no status of its own.\n");
    }
    let mut line = format!("{jid} is {}", field("show").unwrap_or("available"));
    if let Some(text) = field("text") {
        line.push_str(&format!(": {text}"));
    }
    match field("until") {
        Some(until) => line.push_str(&format!(" (until {until})\n")),
        None => line.push('\n'),
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn said_in_a_line() {
        let status = json!({ "show": "xa", "text": "On leave", "until": "2026-11-23T08:00:00Z" });
        assert_eq!(
            shown("a@b", &status),
            "a@b is xa: On leave (until 2026-11-23T08:00:00Z)\n"
        );
        assert_eq!(shown("a@b", &json!({ "show": null })), "a@b is available\n");
        assert_eq!(
            shown("a@b", &Value::Null),
            "a@b has no status of its own.\n"
        );
    }
}
