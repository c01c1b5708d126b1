//! A SIP request over UDP that comes again after it was answered: the server owes the same answer and no new work.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::publish::lines;
use crate::args::Target;
use crate::failure::Result;
use crate::report::Report;
use crate::run::Run;
use crate::stamp::FROM_SIP;

/// A server remembers a transaction for 32 s (RFC 3261 §17.2.2, timer J); a new one is begun well before.
const RENEWED: Duration = Duration::from_secs(8);

/// The scenario: each phone publishes, and sends that again whenever it has been answered.
pub(crate) async fn scenario(name: &str, target: &Target, phones: usize) -> Result<Report> {
    let run = Run::new();
    for mut line in lines(target, target.port, target.first, phones, FROM_SIP).await? {
        line.publish(0, FROM_SIP).await?;
        let shared = Rc::clone(&run);
        run.spawn(async move {
            let mut begun = Instant::now();
            while !shared.is_stopped() {
                if begun.elapsed() > RENEWED {
                    line.publish(shared.now(), FROM_SIP).await?;
                    begun = Instant::now();
                }
                let since = shared.now();
                line.repeat().await?;
                shared.done(since);
            }
            Ok(())
        });
    }
    let measured = run.measure(&target.pids(), target.seconds).await?;
    run.stop();
    let mut report = Report::new(name);
    report.count("phones", "phones", phones as u64);
    report.measured("retransmission", &measured);
    Ok(report)
}
