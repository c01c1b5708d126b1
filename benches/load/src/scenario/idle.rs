//! Memory of sessions that do nothing.

use std::time::Duration;

use tokio::time::sleep;

use super::sessions;
use crate::args::Target;
use crate::failure::{Failure, Result};
use crate::procfs::resident;
use crate::report::Report;
use crate::xmpp::Mechanism;

/// Time for the server to settle before its memory is looked at.
const SETTLE: Duration = Duration::from_secs(2);

/// The scenario.
pub(crate) async fn scenario(
    target: &Target,
    count: usize,
    before: usize,
    mechanism: Mechanism,
) -> Result<Report> {
    let pids = target.pids();
    if pids.is_empty() {
        return Err(Failure::Peer("idle needs --pid".to_owned()));
    }
    let site = target.site();
    let before = before.min(count / 2);
    let _first = sessions(&site, target.first, before, mechanism, true).await?;
    sleep(SETTLE).await;
    let small = resident(&pids)?;
    let rest = count - before;
    let _more = sessions(&site, target.first + before, rest, mechanism, true).await?;
    sleep(SETTLE).await;
    let large = resident(&pids)?;
    let mut report = Report::new("idle");
    report.count("sessions", "sessions", count as u64);
    report.figure(
        "rss_before_kb",
        "memory with the first ones",
        "KiB",
        small as f64,
    );
    report.figure("rss_after_kb", "memory with all", "KiB", large as f64);
    let each = (large as f64 - small as f64) / rest.max(1) as f64;
    report.figure("session_kb", "memory per idle session", "KiB", each);
    Ok(report)
}
