//! Changes of presence that go to many contacts.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

use super::{WIDTH, sessions};
use crate::args::Target;
use crate::failure::{Failure, Result};
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

/// Changes the centre's presence, waits until every contact has seen it, and again.
fn drive(run: &Rc<Run>, group: Group) {
    let round = Rc::new(Round::default());
    let contacts = group.contacts.len();
    for contact in group.contacts {
        let (shared, round) = (Rc::clone(run), Rc::clone(&round));
        run.spawn(async move {
            let Client {
                mut reader, writer, ..
            } = contact;
            let _writer = writer;
            loop {
                if let Some(since) = stamp::find(reader.next().await?, FROM_XMPP) {
                    shared.done(since);
                    round.missing.set(round.missing.get().saturating_sub(1));
                    if round.missing.get() == 0 {
                        round.whole.notify_one();
                    }
                }
            }
        });
    }
    let Client {
        reader, mut writer, ..
    } = group.centre;
    run.spawn(reader.drain());
    let shared = Rc::clone(run);
    run.spawn(async move {
        let mut away = false;
        while !shared.is_stopped() {
            away = !away;
            let show = if away { "away" } else { "dnd" };
            let now = shared.now();
            round.missing.set(contacts);
            let text = format!(
                "<presence><show>{show}</show><status>{FROM_XMPP}{now}.</status><priority>5</priority></presence>"
            );
            writer.send(text.as_bytes()).await?;
            round.whole.notified().await;
        }
        Ok(())
    });
}

/// The scenario.
pub(crate) async fn scenario(
    target: &Target,
    count: usize,
    contacts: usize,
    mechanism: Mechanism,
) -> Result<Report> {
    let run = Run::new();
    for group in groups(target, count, contacts, mechanism).await? {
        drive(&run, group);
    }
    let measured = run.measure(&target.pids(), target.seconds).await?;
    run.stop();
    let mut report = Report::new("presence");
    report.count("groups", "people who change presence", count as u64);
    report.count("contacts", "contacts of each", contacts as u64);
    report.measured("presence copy", &measured);
    Ok(report)
}
