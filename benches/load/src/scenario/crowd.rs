//! Sessions that come online as clients do, roster first, and count whom of their circle they have seen.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::ties::{available, roster};
use super::{RESOURCE, WIDTH};
use crate::args::Target;
use crate::failure::{Failure, Result};
use crate::run::{Run, each};
use crate::xmpp::{Client, Mechanism, Site, login};

/// All who come, in circles of `size`.
pub(crate) struct Crowd {
    run: Rc<Run>,
    site: Rc<Site>,
    mechanism: Mechanism,
    first: usize,
    count: usize,
    size: usize,
    whole: Cell<usize>,
    changed: Notify,
    entered: RefCell<Vec<u64>>,
}

impl Crowd {
    /// Nobody yet.
    pub(crate) fn new(
        run: &Rc<Run>,
        target: &Target,
        count: usize,
        size: usize,
        mechanism: Mechanism,
    ) -> Rc<Self> {
        Rc::new(Self {
            run: Rc::clone(run),
            site: target.site(),
            mechanism,
            first: target.first,
            count,
            size,
            whole: Cell::new(0),
            changed: Notify::new(),
            entered: RefCell::default(),
        })
    }

    /// Logs each account in and out once: what a client derives from its password is known from then on.
    pub(crate) async fn rehearse(self: &Rc<Self>) -> Result<()> {
        let crowd = Rc::clone(self);
        let visit = move |index| {
            let crowd = Rc::clone(&crowd);
            async move { crowd.login(index).await?.close().await }
        };
        each(self.count, WIDTH, visit).await?;
        sleep(Duration::from_secs(1)).await;
        Ok(())
    }

    async fn login(&self, index: usize) -> Result<Client> {
        let site = Rc::clone(&self.site);
        login(site, self.first + index, RESOURCE, self.mechanism).await
    }

    /// Brings members `from` to `to` online, `width` at a time; they stay.
    pub(crate) async fn enter(self: &Rc<Self>, from: usize, to: usize, width: usize) -> Result<()> {
        let crowd = Rc::clone(self);
        let come = move |index| Rc::clone(&crowd).come(from + index);
        each(to - from, width, come).await.map(|_| ())
    }

    async fn come(self: Rc<Self>, index: usize) -> Result<()> {
        let mut client = self.login(index).await?;
        roster(&mut client).await?;
        client.send("<presence/>").await?;
        self.entered.borrow_mut().push(self.run.now());
        let circle = index / self.size * self.size;
        let mut missing = self.size.min(self.count - circle) - 1;
        let mut seen = vec![false; missing + 1];
        let (crowd, own) = (Rc::clone(&self), self.first + index);
        let start = self.first + circle;
        let watching = client.watch(move |item| {
            let Some(other) = available(item, &crowd.site.prefix).filter(|other| *other != own)
            else {
                return;
            };
            let place = other.checked_sub(start).and_then(|at| seen.get_mut(at));
            let Some(place) = place.filter(|place| !**place) else {
                return;
            };
            *place = true;
            missing -= 1;
            crowd.run.count();
            if missing == 0 {
                crowd.whole.set(crowd.whole.get() + 1);
                crowd.changed.notify_one();
            }
        });
        self.run.spawn(watching);
        Ok(())
    }

    /// Waits until `people` of the crowd have seen all of their circle.
    pub(crate) async fn whole(&self, people: usize, patience: Duration) -> Result<()> {
        let wait = async {
            while self.whole.get() < people {
                self.changed.notified().await;
            }
        };
        if timeout(patience, wait).await.is_ok() {
            return self.run.sound();
        }
        self.run.sound()?;
        let text = format!(
            "only {} of {people} have seen everybody whom they know after {patience:?}",
            self.whole.get()
        );
        Err(Failure::Peer(text))
    }

    /// Times at which sessions had become available, by the run's clock, in order.
    pub(crate) fn entered(&self) -> Vec<u64> {
        self.entered.borrow().clone()
    }
}
