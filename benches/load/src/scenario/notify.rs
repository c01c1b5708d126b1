//! SIP NOTIFY to many watchers of one publication.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

use super::publish::lines;
use crate::args::Target;
use crate::failure::Result;
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
        if since == last || since != round.current.get() {
            continue;
        }
        last = since;
        run.done(since);
        round.missing.set(round.missing.get().saturating_sub(1));
        if round.missing.get() == 0 {
            round.whole.notify_one();
        }
    }
}

/// The scenario: each publisher changes its state when all its watchers have heard of the last change.
pub(crate) async fn scenario(target: &Target, groups: usize, watchers: usize) -> Result<Report> {
    let run = Run::new();
    let people = groups * (watchers + 1);
    let mut all = lines(target, target.port, target.first, people, FROM_SIP)
        .await?
        .into_iter();
    while let Some(mut centre) = all.next() {
        centre.publish(0, FROM_SIP).await?;
        let round = Rc::new(Round::default());
        for mut watcher in all.by_ref().take(watchers) {
            watcher.subscribe(centre.user(), 1).await?;
            run.spawn(watch(Rc::clone(&run), watcher, Rc::clone(&round)));
        }
        let shared = Rc::clone(&run);
        run.spawn(async move {
            while !shared.is_stopped() {
                let now = shared.now();
                round.current.set(now);
                round.missing.set(watchers);
                centre.publish(now, FROM_SIP).await?;
                round.whole.notified().await;
            }
            Ok(())
        });
    }
    let measured = run.measure(&target.pids(), target.seconds).await?;
    run.stop();
    let mut report = Report::new("notify");
    report.count("groups", "phones that publish", groups as u64);
    report.count("watchers", "watchers of each", watchers as u64);
    report.measured("NOTIFY", &measured);
    Ok(report)
}
