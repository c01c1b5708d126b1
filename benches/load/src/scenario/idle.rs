//! Memory of sessions that do nothing.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::sleep;

use super::{RESOURCE, WIDTH};
use crate::args::Target;
use crate::failure::Result;
use crate::procfs::resident;
use crate::report::Report;
use crate::run::{Run, each};
use crate::xmpp::{Mechanism, Site, login};

/// Time for the server to settle before its memory is looked at.
pub(crate) const SETTLE: Duration = Duration::from_secs(2);

/// Logs in `count` sessions from `first` on, which stay online.
pub(crate) async fn stay(
    run: &Rc<Run>,
    site: &Rc<Site>,
    first: usize,
    count: usize,
    mechanism: Mechanism,
) -> Result<()> {
    let (shared, site) = (Rc::clone(run), Rc::clone(site));
    each(count, WIDTH, move |index| {
        let (run, site) = (Rc::clone(&shared), Rc::clone(&site));
        async move {
            let mut client = login(site, first + index, RESOURCE, mechanism).await?;
            client.send("<presence/>").await?;
            run.spawn(client.watch(|_| ()));
            Ok(())
        }
    })
    .await
    .map(|_| ())
}

/// The scenario.
pub(crate) async fn scenario(
    name: &str,
    target: &Target,
    count: usize,
    before: usize,
    mechanism: Mechanism,
) -> Result<Report> {
    let pids = target.known_pids()?;
    let (run, site) = (Run::new(), target.site());
    let before = before.min(count / 2);
    stay(&run, &site, target.first, before, mechanism).await?;
    sleep(SETTLE).await;
    let small = resident(&pids)? as f64;
    let rest = count - before;
    stay(&run, &site, target.first + before, rest, mechanism).await?;
    sleep(SETTLE).await;
    let large = resident(&pids)? as f64;
    run.sound()?;
    let mut report = Report::new(name);
    report.count("sessions", "sessions", count as u64);
    report.memory("rss_before_kb", "memory with the first ones", small);
    report.memory("rss_after_kb", "memory with all", large);
    let each = (large - small) / rest.max(1) as f64;
    report.memory("session_kb", "memory per idle session", each);
    Ok(report)
}
