//! Logins: connecting, authenticating, binding.

use std::cell::Cell;
use std::rc::Rc;

use super::{RESOURCE, WIDTH};
use crate::args::Target;
use crate::failure::Result;
use crate::report::Report;
use crate::run::{Run, each};
use crate::xmpp::{Mechanism, login};

/// The scenario. Each account logs in once before, unless `cold`: servers remember, and so do we.
pub(crate) async fn scenario(
    name: &str,
    target: &Target,
    users: usize,
    width: usize,
    cold: bool,
    mechanism: Mechanism,
) -> Result<Report> {
    let site = target.site();
    let first = target.first;
    if !cold {
        let site = Rc::clone(&site);
        each(users, WIDTH, move |index| {
            let site = Rc::clone(&site);
            async move {
                let mut client = login(site, first + index, RESOURCE, mechanism).await?;
                client.close().await
            }
        })
        .await?;
    }
    let run = Run::new();
    let next = Rc::new(Cell::new(0_usize));
    for _ in 0..width.max(1) {
        let (shared, site, next) = (Rc::clone(&run), Rc::clone(&site), Rc::clone(&next));
        run.spawn(async move {
            while !shared.is_stopped() {
                let turn = next.get();
                next.set(turn + 1);
                let since = shared.now();
                let index = first + turn % users;
                let mut client = login(Rc::clone(&site), index, RESOURCE, mechanism).await?;
                shared.done(since);
                client.close().await?;
            }
            Ok(())
        });
    }
    let measured = run.measure(&target.pids(), target.seconds).await?;
    run.stop();
    let mut report = Report::new(name);
    report.count("users", "accounts", users as u64);
    report.measured("login", &measured);
    Ok(report)
}
