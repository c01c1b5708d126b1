//! Changes of presence that go to many contacts.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

use super::{WIDTH, sessions};
use crate::args::Target;
use crate::failure::{Failure, Result};
use crate::pace::{Due, turns};
use crate::report::Report;
use crate::run::{Run, each};
use crate::stamp::{self, FROM_XMPP};
use crate::xmpp::{Client, Mechanism};

/// One person and the contacts who see this person.
struct Group {
    centre: Client,
    contacts: Vec<Client>,
}

/// What a group waits for.
#[derive(Default)]
struct Round {
    missing: Cell<usize>,
    whole: Notify,
}

async fn groups(
    target: &Target,
    count: usize,
    contacts: usize,
    mechanism: Mechanism,
) -> Result<Vec<Group>> {
    let site = target.site();
    let people = count * (contacts + 1);
    let mut all = sessions(&site, target.first, people, mechanism, true)
        .await?
        .into_iter();
    let mut bare = Vec::new();
    for _ in 0..count {
        let centre = all.next();
        let centre = centre.ok_or_else(|| Failure::Peer("a session is missing".to_owned()))?;
        let contacts = all.by_ref().take(contacts).collect();
        bare.push(Cell::new(Some(Group { centre, contacts })));
    }
    let bare = Rc::new(bare);
    each(count, WIDTH, move |index| {
        let group = bare.get(index).and_then(Cell::take);
        async move {
            let mut group = group.ok_or_else(|| Failure::Peer("a group is missing".to_owned()))?;
            for contact in &mut group.contacts {
                super::roster::befriend(contact, &mut group.centre).await?;
            }
            Ok(group)
        }
    })
    .await
}

fn change(away: bool, since: u64) -> String {
    let show = if away { "away" } else { "dnd" };
    format!(
        "<presence><show>{show}</show><status>{FROM_XMPP}{since}.</status><priority>5</priority></presence>"
    )
}

/// Lets the contacts count what they see; the centre is left.
fn watch(run: &Rc<Run>, group: Group, round: &Rc<Round>) -> Client {
    for contact in group.contacts {
        let (shared, round) = (Rc::clone(run), Rc::clone(round));
        run.spawn(contact.watch(move |item| {
            if let Some(since) = stamp::find(item, FROM_XMPP) {
                shared.done(since);
                round.missing.set(round.missing.get().saturating_sub(1));
                if round.missing.get() == 0 {
                    round.whole.notify_one();
                }
            }
        }));
    }
    group.centre
}

/// Changes the centre's presence, waits until every contact has seen it, and again.
fn closed(run: &Rc<Run>, group: Group) {
    let round = Rc::new(Round::default());
    let contacts = group.contacts.len();
    let Client {
        reader, mut writer, ..
    } = watch(run, group, &round);
    run.spawn(reader.drain());
    let shared = Rc::clone(run);
    run.spawn(async move {
        let mut away = false;
        while !shared.is_stopped() {
            away = !away;
            round.missing.set(contacts);
            let text = change(away, shared.now());
            writer.send(text.as_bytes()).await?;
            round.whole.notified().await;
        }
        Ok(())
    });
}

/// Changes presence whenever it is due.
fn open(run: &Rc<Run>, group: Group, mut due: Due) {
    let Client {
        reader, mut writer, ..
    } = watch(run, group, &Rc::default());
    run.spawn(reader.drain());
    let shared = Rc::clone(run);
    run.spawn(async move {
        let mut away = false;
        while let Some(since) = due.recv().await {
            if shared.is_stopped() {
                break;
            }
            away = !away;
            writer.send(change(away, since).as_bytes()).await?;
        }
        Ok(())
    });
}

/// How many change their presence, for how many, among how many, how often.
pub(crate) struct Shape {
    /// People who change their presence.
    pub(crate) groups: usize,
    /// Contacts of each.
    pub(crate) contacts: usize,
    /// Sessions online in all, where more than those.
    pub(crate) sessions: Option<usize>,
    /// Changes a second in all; else as many as go.
    pub(crate) rate: Option<f64>,
}

/// The scenario.
pub(crate) async fn scenario(
    name: &str,
    target: &Target,
    shape: Shape,
    mechanism: Mechanism,
) -> Result<Report> {
    let run = Run::new();
    let people = shape.groups * (shape.contacts + 1);
    let sessions = shape.sessions.unwrap_or(0).max(people);
    // Those who see none of it come first.
    let (others, first) = (sessions - people, target.first + people);
    super::idle::stay(&run, &target.site(), first, others, mechanism).await?;
    let groups = groups(target, shape.groups, shape.contacts, mechanism).await?;
    if let Some(rate) = shape.rate {
        for (group, due) in groups.into_iter().zip(turns(&run, shape.groups, rate)) {
            open(&run, group, due);
        }
    } else {
        for group in groups {
            closed(&run, group);
        }
    }
    let measured = run.measure(&target.pids(), target.seconds).await?;
    run.stop();
    let mut report = Report::new(name);
    report.count("sessions", "sessions online", sessions as u64);
    report.count("groups", "people who change presence", shape.groups as u64);
    report.count("contacts", "contacts of each", shape.contacts as u64);
    report.measured("presence copy", &measured);
    Ok(report)
}
