//! People who know each other and log in all at once.

use std::time::Duration;

use super::crowd::Crowd;
use super::ties;
use crate::args::{Rosters, Target};
use crate::failure::Result;
use crate::procfs::{forget_peak, peak, resident};
use crate::report::Report;
use crate::run::Run;
use crate::xmpp::Mechanism;

/// The scenario.
pub(crate) async fn scenario(
    name: &str,
    target: &Target,
    rosters: Rosters,
    people: usize,
    known: usize,
    patience: f64,
    mechanism: Mechanism,
) -> Result<Report> {
    let known = known.clamp(2, people.max(2));
    let first = target.first;
    if !rosters.prepared {
        let ranges = (0..people.div_ceil(known))
            .map(|turn| first + turn * known..first + people.min((turn + 1) * known))
            .collect();
        let circles = ties::circles(first, people, known);
        let report = ties::make(name, target, ranges, circles, mechanism).await?;
        if rosters.prepare {
            return Ok(report);
        }
    }
    let (run, pids) = (Run::new(), target.known_pids()?);
    let crowd = Crowd::new(&run, target, people, known, mechanism);
    crowd.rehearse().await?;
    let small = resident(&pids)? as f64;
    forget_peak(&pids);
    run.begin(&pids)?;
    let begun = run.now();
    crowd.enter(0, people, people).await?;
    crowd
        .whole(people, Duration::from_secs_f64(patience))
        .await?;
    let ended = run.now();
    let measured = run.end(&pids)?;
    let mut entered = crowd.entered();
    entered.sort_unstable();
    let seconds = |at: u64| at.saturating_sub(begun) as f64 / 1e9;
    let middle = entered.get(entered.len() / 2).copied().unwrap_or(0);
    let last = entered.last().copied().unwrap_or(0);
    let mut report = Report::new(name);
    report.count("people", "people", people as u64);
    report.count("known", "of whom know each other", known as u64);
    report.figure(
        "half_online_s",
        "half are online after",
        "s",
        seconds(middle),
    );
    report.figure("all_online_s", "all are online after", "s", seconds(last));
    let name = "everybody has seen everybody after";
    report.figure("all_seen_s", name, "s", seconds(ended));
    report.count("copies", "presence delivered", measured.done);
    if let Some(used) = measured.server {
        let cpu = used.total as f64 / 1e9;
        report.figure("cpu_s", "server CPU in all", "s", cpu);
    }
    report.cpu("delivered presence", &measured);
    report.memory("rss_before_kb", "memory before", small);
    report.memory("peak_kb", "memory at its peak", peak(&pids)? as f64);
    Ok(report)
}
