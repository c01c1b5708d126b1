//! The SIP face: sockets around the transaction layer and the bridge.
//!
//! One lock holds both machines; whoever has input takes it, lets them work until nothing is left to do, and writes what comes out. The model never
//! takes that lock: its events and answers are left in an inbox that the next who works empties.

mod act;
mod hub;
mod resolve;
mod stream;
mod udp;

use std::sync::Arc;

pub(crate) use hub::Sip;
pub(crate) use stream::serve;
pub(crate) use udp::receive;

use super::shared::Shared;

/// Runs timers and whatever was left in the inbox.
pub(crate) async fn drive(shared: Arc<Shared>, sip: Arc<Sip>) {
    let stop = shared.sip_stopped();
    tokio::pin!(stop);
    loop {
        let due = sip.arm().map(|at| shared.clock.instant(at));
        tokio::select! {
            () = sip.woken() => {}
            () = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            } => {}
            () = &mut stop => return,
        }
        sip.work(|_| {});
    }
}
