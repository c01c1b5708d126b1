//! A measured time: who counts, for how long, and what it cost.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::task::{JoinHandle, spawn_local};

use crate::failure::{Failure, Result};
use crate::procfs::{Cpu, Used};

/// Shared by the tasks of a scenario, all on one thread.
pub(crate) struct Run {
    clock: Instant,
    origin: u64,
    recording: Cell<bool>,
    stopped: Cell<bool>,
    done: Cell<u64>,
    latencies: RefCell<Vec<u32>>,
    trouble: RefCell<Option<String>>,
    started: RefCell<Option<Started>>,
}

struct Started {
    at: Instant,
    server: Cpu,
    client: Cpu,
}

/// What a measured time gave.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Its length.
    pub(crate) elapsed: Duration,
    /// Operations that ended within it.
    pub(crate) done: u64,
    /// CPU of the server, where its processes were named.
    pub(crate) server: Option<Used>,
    /// CPU of this program.
    pub(crate) client: Used,
    latencies: Vec<u32>,
}

impl Run {
    /// A run that counts nothing yet.
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            clock: Instant::now(),
            origin: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |time| time.as_nanos() as u64),
            recording: Cell::new(false),
            stopped: Cell::new(false),
            done: Cell::new(0),
            latencies: RefCell::new(Vec::with_capacity(1 << 20)),
            trouble: RefCell::new(None),
            started: RefCell::new(None),
        })
    }

    /// Nanoseconds, ever more: what stamps carry. They begin with the time of day at which the run was made, so that
    /// what an earlier run has left with a server is older.
    pub(crate) fn now(&self) -> u64 {
        self.origin + self.clock.elapsed().as_nanos() as u64
    }

    /// An operation whose duration does not matter has ended.
    pub(crate) fn count(&self) {
        if self.recording.get() {
            self.done.set(self.done.get() + 1);
        }
    }

    /// An operation that began at `since` has ended.
    pub(crate) fn done(&self, since: u64) {
        if self.recording.get() {
            self.done.set(self.done.get() + 1);
            let micros = self.now().saturating_sub(since) / 1000;
            self.latencies
                .borrow_mut()
                .push(u32::try_from(micros).unwrap_or(u32::MAX));
        }
    }

    /// Whether the tasks are to end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.get()
    }

    /// Tells the tasks to end.
    pub(crate) fn stop(&self) {
        self.stopped.set(true);
    }

    /// Starts a task; its failure fails the run.
    pub(crate) fn spawn(
        self: &Rc<Self>,
        task: impl Future<Output = Result<()>> + 'static,
    ) -> JoinHandle<()> {
        let run = Rc::clone(self);
        spawn_local(async move {
            if let Err(failure) = task.await
                && !run.is_stopped()
            {
                run.trouble
                    .borrow_mut()
                    .get_or_insert_with(|| failure.to_string());
            }
        })
    }

    /// The failure of a task, where one has failed.
    pub(crate) fn sound(&self) -> Result<()> {
        let trouble = self.trouble.borrow_mut().take();
        trouble.map_or(Ok(()), |text| Err(Failure::Peer(text)))
    }

    /// Begins to count.
    pub(crate) fn begin(&self, pids: &[u32]) -> Result<()> {
        self.done.set(0);
        self.latencies.borrow_mut().clear();
        *self.started.borrow_mut() = Some(Started {
            server: Cpu::look(pids)?,
            client: Cpu::look(&[std::process::id()])?,
            at: Instant::now(),
        });
        self.recording.set(true);
        Ok(())
    }

    /// Ends counting.
    pub(crate) fn end(&self, pids: &[u32]) -> Result<Measured> {
        self.recording.set(false);
        self.sound()?;
        let started = self.started.borrow_mut().take();
        let started = started.ok_or_else(|| Failure::Peer("nothing was begun".to_owned()))?;
        let elapsed = started.at.elapsed();
        let server = Cpu::look(pids)?.since(&started.server);
        let client = Cpu::look(&[std::process::id()])?.since(&started.client);
        if self.done.get() == 0 {
            let text = "not one operation ended in the measured time";
            return Err(Failure::Peer(text.to_owned()));
        }
        let mut latencies = self.latencies.borrow().clone();
        latencies.sort_unstable();
        Ok(Measured {
            elapsed,
            done: self.done.get(),
            server: (!pids.is_empty()).then_some(server),
            client,
            latencies,
        })
    }

    /// Counts for a while, after letting the load settle.
    pub(crate) async fn measure(&self, pids: &[u32], seconds: f64) -> Result<Measured> {
        tokio::time::sleep(Duration::from_secs_f64((seconds / 5.0).clamp(0.2, 2.0))).await;
        self.begin(pids)?;
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        self.end(pids)
    }
}

impl Measured {
    /// Operations a second.
    pub(crate) fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64()
    }

    /// Microseconds of CPU for each operation: the server's and ours.
    pub(crate) fn each(&self) -> (f64, f64) {
        let done = self.done.max(1) as f64;
        let server = self.server.map_or(0, |used| used.total) as f64;
        (
            server / 1000.0 / done,
            self.client.total as f64 / 1000.0 / done,
        )
    }

    /// Milliseconds within which this part (0 to 1) of the operations ended.
    pub(crate) fn percentile(&self, part: f64) -> f64 {
        let rank = (self.latencies.len() as f64 * part).ceil() as usize;
        let index = rank.clamp(1, self.latencies.len().max(1)) - 1;
        let micros = self.latencies.get(index).copied().unwrap_or(0);
        f64::from(micros) / 1000.0
    }
}

/// Does `count` things, at most `width` at a time, and gives their results in order.
pub(crate) async fn each<T, F>(
    count: usize,
    width: usize,
    make: impl Fn(usize) -> F + 'static,
) -> Result<Vec<T>>
where
    T: 'static,
    F: Future<Output = Result<T>> + 'static,
{
    let next = Rc::new(Cell::new(0));
    let make = Rc::new(make);
    let mut workers = Vec::new();
    for _ in 0..width.clamp(1, count.max(1)) {
        let (next, make) = (Rc::clone(&next), Rc::clone(&make));
        workers.push(spawn_local(async move {
            let mut mine = Vec::new();
            loop {
                let index = next.get();
                if index >= count {
                    return Ok(mine);
                }
                next.set(index + 1);
                match make(index).await {
                    Ok(made) => mine.push((index, made)),
                    Err(failure) => {
                        next.set(count);
                        return Err(failure);
                    }
                }
            }
        }));
    }
    let mut all = Vec::with_capacity(count);
    for worker in workers {
        let ended: Result<Vec<(usize, T)>> = worker
            .await
            .map_err(|error| Failure::Peer(error.to_string()))?;
        all.extend(ended?);
    }
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, made)| made).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let measured = Measured {
            elapsed: Duration::from_secs(2),
            done: 100,
            server: None,
            client: Used::default(),
            latencies: (1..=100).map(|n| n * 1000).collect(),
        };
        assert!((measured.percentile(0.5) - 50.0).abs() < 1e-9);
        assert!((measured.percentile(0.99) - 99.0).abs() < 1e-9);
        assert!((measured.percentile(1.0) - 100.0).abs() < 1e-9);
        assert!((measured.rate() - 50.0).abs() < 1e-9);
    }
}
