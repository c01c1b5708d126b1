//! Sessions online with rosters of contacts who are online too: memory, and the price of coming.

use std::time::Duration;

use tokio::time::sleep;

use super::crowd::Crowd;
use super::idle::SETTLE;
use super::{WIDTH, ties};
use crate::args::{Rosters, Target};
use crate::failure::{Failure, Result};
use crate::procfs::resident;
use crate::report::Report;
use crate::run::Run;
use crate::xmpp::Mechanism;

/// Time for the sessions of one step to see each other.
const PATIENCE: Duration = Duration::from_secs(300);

/// The scenario.
pub(crate) async fn scenario(
    name: &str,
    target: &Target,
    rosters: Rosters,
    sessions: usize,
    contacts: usize,
    mechanism: Mechanism,
) -> Result<Report> {
    let circle = contacts + 1;
    let count = sessions.div_ceil(circle).max(2) * circle;
    if !rosters.prepared {
        let first = target.first;
        let ranges = (0..count / circle)
            .map(|turn| first + turn * circle..first + (turn + 1) * circle)
            .collect();
        let known = ties::circles(first, count, circle);
        let report = ties::make(name, target, ranges, known, mechanism).await?;
        if rosters.prepare {
            return Ok(report);
        }
    }
    let (run, pids) = (Run::new(), target.known_pids()?);
    let crowd = Crowd::new(&run, target, count, circle, mechanism);
    crowd.enter(0, circle, WIDTH).await?;
    crowd.whole(circle, PATIENCE).await?;
    sleep(SETTLE).await;
    let small = resident(&pids)? as f64;
    run.begin(&pids)?;
    crowd.enter(circle, count, WIDTH).await?;
    crowd.whole(count, PATIENCE).await?;
    let measured = run.end(&pids)?;
    sleep(SETTLE).await;
    let large = resident(&pids)? as f64;
    run.sound()?;
    let came = (count - circle) as f64;
    let used = measured
        .server
        .ok_or_else(|| Failure::Peer("the server's CPU is not known".to_owned()))?;
    let mut report = Report::new(name);
    report.count("sessions", "sessions", count as u64);
    report.count("contacts", "contacts of each", contacts as u64);
    report.memory("rss_before_kb", "memory with the first circle", small);
    report.memory("rss_after_kb", "memory with all", large);
    let each = (large - small) / came;
    report.memory("session_kb", "memory per session online", each);
    let cpu = used.total as f64 / 1000.0;
    let name = "server CPU per session that comes online";
    report.figure("cpu_us", name, "us", cpu / came);
    let name = "server CPU per presence that it brings";
    report.figure("copy_us", name, "us", cpu / measured.done as f64);
    let ours = measured.client.total as f64 / 1000.0;
    report.figure(
        "client_us",
        "this program's CPU per session",
        "us",
        ours / came,
    );
    Ok(report)
}
