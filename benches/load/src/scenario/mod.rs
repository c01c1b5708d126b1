//! What is measured.

pub(crate) mod accounts;
pub(crate) mod attack;
pub(crate) mod cross;
mod crowd;
pub(crate) mod floor;
pub(crate) mod idle;
pub(crate) mod login;
pub(crate) mod messages;
pub(crate) mod notify;
pub(crate) mod online;
pub(crate) mod presence;
pub(crate) mod publish;
pub(crate) mod retransmit;
pub(crate) mod roster;
pub(crate) mod rosters;
pub(crate) mod start;
pub(crate) mod storm;
pub(crate) mod subscribe;
mod ties;
pub(crate) mod unauthorized;

use std::rc::Rc;

use crate::failure::Result;
use crate::run::each;
use crate::xmpp::{Client, Mechanism, Site, login};

/// The resource that sessions bind.
const RESOURCE: &str = "load";
/// Logins at a time while a scenario is set up.
const WIDTH: usize = 32;

/// Logs in `count` accounts from `first` on and makes them available where `available`.
async fn sessions(
    site: &Rc<Site>,
    first: usize,
    count: usize,
    mechanism: Mechanism,
    available: bool,
) -> Result<Vec<Client>> {
    let site = Rc::clone(site);
    each(count, WIDTH, move |index| {
        let site = Rc::clone(&site);
        async move {
            let mut client = login(site, first + index, RESOURCE, mechanism).await?;
            if available {
                client.send("<presence/>").await?;
            }
            Ok(client)
        }
    })
    .await
}
