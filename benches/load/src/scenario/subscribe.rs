//! SIP SUBSCRIBE, each a new dialog, with its first NOTIFY.

use std::rc::Rc;

use super::publish::lines;
use crate::args::Target;
use crate::failure::Result;
use crate::report::Report;
use crate::run::Run;
use crate::stamp::FROM_SIP;

/// The scenario: each phone subscribes to its neighbour again and again, and each subscription stays.
pub(crate) async fn scenario(name: &str, target: &Target, phones: usize) -> Result<Report> {
    let run = Run::new();
    let all = lines(target, target.port, target.first, phones, FROM_SIP).await?;
    let users: Vec<String> = all.iter().map(|line| line.user().to_owned()).collect();
    for (index, mut line) in all.into_iter().enumerate() {
        let neighbour = users.get((index + 1) % phones).cloned().unwrap_or_default();
        let shared = Rc::clone(&run);
        run.spawn(async move {
            let mut call = 0;
            while !shared.is_stopped() {
                call += 1;
                let since = shared.now();
                line.subscribe(&neighbour, call).await?;
                shared.done(since);
            }
            Ok(())
        });
    }
    let measured = run.measure(&target.pids(), target.seconds).await?;
    run.stop();
    let mut report = Report::new(name);
    report.count("phones", "phones", phones as u64);
    report.measured("SUBSCRIBE with NOTIFY", &measured);
    Ok(report)
}
