//! SIP NOTIFY to many watchers of one publication.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

use super::publish::lines;
use crate::args::Target;
use crate::failure::Result;
use crate::pace::{Due, turns};
use crate::report::Report;
use crate::run::Run;
use crate::sip::{Heard, Line};
use crate::stamp::FROM_SIP;

/// What a group waits for.
#[derive(Default)]
struct Round {
    current: Cell<u64>,
    missing: Cell<usize>,
    whole: Notify,
}

/// Counts the first NOTIFY of each change.
async fn watch(run: Rc<Run>, mut line: Line, round: Rc<Round>) -> Result<()> {
    let mut last = 0;
    loop {
        let Heard::Notify {
            stamp: Some(since), ..
        } = line.listen().await?
        else {
            continue;
        };
        if since <= last {
            continue;
        }
        last = since;
        run.done(since);
        if since == round.current.get() {
            round.missing.set(round.missing.get().saturating_sub(1));
            if round.missing.get() == 0 {
                round.whole.notify_one();
            }
        }
    }
}

/// Publishes when all watchers have heard of the last change.
async fn closed(run: Rc<Run>, mut centre: Line, round: Rc<Round>, watchers: usize) -> Result<()> {
    while !run.is_stopped() {
        let now = run.now();
        round.current.set(now);
        round.missing.set(watchers);
        centre.publish(now, FROM_SIP).await?;
        round.whole.notified().await;
    }
    Ok(())
}

/// Publishes whenever it is due.
async fn open(run: Rc<Run>, mut centre: Line, mut due: Due) -> Result<()> {
    while let Some(since) = due.recv().await {
        if run.is_stopped() {
            break;
        }
        centre.publish(since, FROM_SIP).await?;
    }
    Ok(())
}

/// The scenario: each publisher changes its state when all its watchers have heard of the last change, or at a rate.
pub(crate) async fn scenario(
    name: &str,
    target: &Target,
    groups: usize,
    watchers: usize,
    rate: Option<f64>,
) -> Result<Report> {
    let run = Run::new();
    let people = groups * (watchers + 1);
    let mut all = lines(target, target.port, target.first, people, FROM_SIP)
        .await?
        .into_iter();
    let mut centres = Vec::new();
    while let Some(mut centre) = all.next() {
        centre.publish(0, FROM_SIP).await?;
        let round = Rc::new(Round::default());
        for mut watcher in all.by_ref().take(watchers) {
            watcher.subscribe(centre.user(), 1).await?;
            run.spawn(watch(Rc::clone(&run), watcher, Rc::clone(&round)));
        }
        centres.push((centre, round));
    }
    let mut due = rate.map(|rate| turns(&run, groups, rate).into_iter());
    for (centre, round) in centres {
        let shared = Rc::clone(&run);
        match due.as_mut().and_then(Iterator::next) {
            Some(due) => run.spawn(open(shared, centre, due)),
            None => run.spawn(closed(shared, centre, round, watchers)),
        };
    }
    let measured = run.measure(&target.pids(), target.seconds).await?;
    run.stop();
    let mut report = Report::new(name);
    report.count("groups", "phones that publish", groups as u64);
    report.count("watchers", "watchers of each", watchers as u64);
    report.measured("NOTIFY", &measured);
    Ok(report)
}
