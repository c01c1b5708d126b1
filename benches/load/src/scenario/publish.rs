//! SIP PUBLISH that changes a publication.

use std::rc::Rc;

use crate::args::Target;
use crate::failure::Result;
use crate::report::Report;
use crate::run::{Run, each};
use crate::sip::Line;
use crate::stamp::FROM_SIP;

/// Opens lines for `count` accounts from `first` on.
pub(crate) async fn lines(
    target: &Target,
    port: u16,
    first: usize,
    count: usize,
    mark: &'static str,
) -> Result<Vec<Line>> {
    let site = target.sip_site(port);
    each(count, 1, move |index| {
        let site = Rc::clone(&site);
        async move { Line::open(&site, first + index, mark).await }
    })
    .await
}

/// The scenario.
pub(crate) async fn scenario(name: &str, target: &Target, phones: usize) -> Result<Report> {
    let run = Run::new();
    for mut line in lines(target, target.port, target.first, phones, FROM_SIP).await? {
        line.publish(0, FROM_SIP).await?;
        let shared = Rc::clone(&run);
        run.spawn(async move {
            while !shared.is_stopped() {
                let since = shared.now();
                line.publish(since, FROM_SIP).await?;
                shared.done(since);
            }
            Ok(())
        });
    }
    let measured = run.measure(&target.pids(), target.seconds).await?;
    run.stop();
    let mut report = Report::new(name);
    report.count("phones", "phones", phones as u64);
    report.measured("PUBLISH", &measured);
    Ok(report)
}
