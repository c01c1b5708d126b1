//! Times at which things are due, kept by a thread of their own: the timers of the async runtime count milliseconds, and
//! what is late must not delay what is due next.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::run::Run;

/// The times that are due for one of many who take turns, in nanoseconds of the run's clock. They come when they are due
/// and carry when that was, so that latency is counted from there however late the sending is.
pub(crate) type Due = UnboundedReceiver<u64>;

/// Gives out `rate` times a second among `count` in turn, until nobody listens.
pub(crate) fn turns(run: &Run, count: usize, rate: f64) -> Vec<Due> {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| unbounded_channel()).unzip();
    let (origin, since) = (Instant::now(), run.now());
    std::thread::spawn(move || keep(&senders, rate, origin, since));
    receivers
}

fn keep(senders: &[UnboundedSender<u64>], rate: f64, origin: Instant, since: u64) {
    for (turn, sender) in (1_u32..).zip(senders.iter().cycle()) {
        let after = Duration::from_secs_f64(f64::from(turn) / rate);
        std::thread::sleep((origin + after).saturating_duration_since(Instant::now()));
        if sender.send(since + after.as_nanos() as u64).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_come_in_order_and_on_time() {
        let run = Run::new();
        let begun = run.now();
        let mut all = turns(&run, 2, 1000.0);
        let mut last = begun;
        for turn in 0..6 {
            let due = all.get_mut(turn % 2).expect("two").recv().await;
            let due = due.expect("a time");
            assert!(due > last && due <= run.now(), "{last} {due}");
            last = due;
        }
        assert!(last - begun >= 6_000_000, "{begun} {last}");
    }
}
