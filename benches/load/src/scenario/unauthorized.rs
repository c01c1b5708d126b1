//! SIP requests without credentials: a challenge each, and nothing may stay with the server.

use std::rc::Rc;

use super::publish::lines;
use crate::args::Target;
use crate::failure::Result;
use crate::procfs::resident;
use crate::report::Report;
use crate::run::Run;
use crate::stamp::FROM_SIP;

/// The scenario: each phone sends a new request, of a call of its own, whenever the last one was refused.
pub(crate) async fn scenario(name: &str, target: &Target, phones: usize) -> Result<Report> {
    let (run, pids) = (Run::new(), target.known_pids()?);
    for mut line in lines(target, target.port, target.first, phones, FROM_SIP).await? {
        let shared = Rc::clone(&run);
        run.spawn(async move {
            let mut call = 0;
            while !shared.is_stopped() {
                call += 1;
                let since = shared.now();
                line.refused(call).await?;
                shared.done(since);
            }
            Ok(())
        });
    }
    // What a server keeps for its work, not for the requests, has grown within the first second.
    run.measure(&pids, 1.0).await?;
    let small = resident(&pids)? as f64;
    let measured = run.measure(&pids, target.seconds).await?;
    let large = resident(&pids)? as f64;
    run.stop();
    let mut report = Report::new(name);
    report.count("phones", "phones", phones as u64);
    report.measured("request refused", &measured);
    report.memory("growth_kb", "memory grew by", large - small);
    let each = (large - small) / measured.done.max(1) as f64;
    report.figure("growth_bytes", "memory per request", "bytes", each);
    Ok(report)
}
