//! What people order for themselves in their clients, and what administrators order of groups.

use presence::Bare;
use xmpp::adhoc::{GroupOrder, Outcome, StatusOrder};
use xmpp::form::{Field, FieldType};

use super::orders::one;
use super::{Executor, StatusWish, Wish};
use crate::config;

/// The status of who asks. Its end may be written as how long it lasts.
pub(super) fn status(
    executor: &Executor<'_>,
    asker: &Bare,
    status: Option<StatusOrder>,
) -> Outcome {
    let now = executor.model.now().utc;
    let until = |text: String| match config::duration(&text) {
        Some(duration) => now.plus(duration).to_rfc3339(),
        None => text,
    };
    let status = status.map(|status| StatusWish {
        show: status.show,
        text: status.text,
        until: status.until.map(until),
    });
    let jid = asker.to_string();
    one(executor, Wish::StatusSet { jid, status })
}

/// A group and its members, as the command line names them.
pub(super) fn members(order: GroupOrder) -> (String, Vec<String>) {
    let all = order.everybody.then(|| "all".to_owned());
    let members = order.members.iter().map(Bare::to_string);
    (order.name, members.chain(all).collect())
}

/// A line for each group.
pub(super) fn groups(executor: &Executor<'_>) -> Field {
    let groups = executor.model.groups().into_iter();
    let line = |group: model::groups::GroupView| {
        let members: Vec<&str> = group.members.iter().map(Bare::as_str).collect();
        let who = if group.everybody {
            format!("all {}", members.len())
        } else {
            members.join(", ")
        };
        format!("{}: {who}", group.name)
    };
    Field {
        values: groups.map(line).collect(),
        ..Field::new("groups", FieldType::TextMulti, "Groups and their members")
    }
}
