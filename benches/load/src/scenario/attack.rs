//! A good client's messages while others try wrong passwords.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep, sleep_until};

use super::messages;
use crate::args::Target;
use crate::failure::{Doing, Failure, Result};
use crate::report::Report;
use crate::run::Run;
use crate::xmpp::{Mechanism, try_password};

/// Addresses that the attempts come from: 127.0.1.1 and on.
const SOURCES: usize = 200;
/// Pairs of good clients.
const PAIRS: usize = 4;
/// Attempts that may wait for their answer; more are not begun.
const PENDING: usize = 2000;

/// What the attackers, on a thread of their own, share with us.
#[derive(Default)]
struct Attack {
    stop: AtomicBool,
    answered: AtomicU64,
    broken: AtomicU64,
    let_in: AtomicU64,
}

/// Tries wrong passwords until told to stop.
async fn attack(target: Target, attempts: f64, victims: usize, first: usize, shared: Arc<Attack>) {
    let site = target.site();
    let pending = Rc::new(Cell::new(0));
    let step = Duration::from_secs_f64(1.0 / attempts);
    let mut due = Instant::now();
    let mut turn = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        sleep_until(due).await;
        due += step;
        turn += 1;
        if pending.get() >= PENDING {
            continue;
        }
        pending.set(pending.get() + 1);
        let (site, pending, shared) = (Rc::clone(&site), Rc::clone(&pending), Arc::clone(&shared));
        let from = IpAddr::V4(Ipv4Addr::new(127, 0, 1, (turn % SOURCES) as u8 + 1));
        spawn_local(async move {
            let password = format!("wrong-{turn}");
            let index = first + turn % victims.max(1);
            let counter = match try_password(&site, index, &password, from).await {
                Ok(false) => &shared.answered,
                Ok(true) => &shared.let_in,
                Err(_) => &shared.broken,
            };
            counter.fetch_add(1, Ordering::Relaxed);
            pending.set(pending.get() - 1);
        });
    }
}

fn start(
    target: &Target,
    attempts: f64,
    victims: usize,
    shared: &Arc<Attack>,
) -> Result<std::thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .doing("starting a thread")?;
    let (target, shared) = (target.clone(), Arc::clone(shared));
    let first = target.first + PAIRS * 2;
    Ok(std::thread::spawn(move || {
        let work = attack(target, attempts, victims, first, shared);
        LocalSet::new().block_on(&runtime, work);
    }))
}

/// The scenario: the same load without and with the attempts.
pub(crate) async fn scenario(
    name: &str,
    target: &Target,
    attempts: f64,
    rate: f64,
    victims: usize,
) -> Result<Report> {
    let (run, pids) = (Run::new(), target.pids());
    let pairs = messages::pairs(&target.site(), target.first, PAIRS, Mechanism::ScramSha1).await?;
    messages::open(&run, pairs, rate);
    let quiet = run.measure(&pids, target.seconds).await?;
    let shared = Arc::new(Attack::default());
    let attackers = start(target, attempts, victims, &shared)?;
    sleep(Duration::from_secs(1)).await;
    let (begun, before) = (Instant::now(), shared.answered.load(Ordering::Relaxed));
    let attacked = run.measure(&pids, target.seconds).await?;
    let answered = shared.answered.load(Ordering::Relaxed) - before;
    let answered = answered as f64 / begun.elapsed().as_secs_f64();
    shared.stop.store(true, Ordering::Relaxed);
    run.stop();
    attackers
        .join()
        .map_err(|_| Failure::Peer("the attackers' thread broke".to_owned()))?;
    if shared.let_in.load(Ordering::Relaxed) > 0 {
        return Err(Failure::Peer("a wrong password was accepted".to_owned()));
    }
    let mut report = Report::new(name);
    report.figure(
        "wrong_rate",
        "wrong passwords answered a second",
        "",
        answered,
    );
    let broken = shared.broken.load(Ordering::Relaxed);
    report.count("wrong_broken", "attempts cut off", broken);
    report.latency("quiet_", "without the attack,", &quiet);
    report.latency("attacked_", "with the attack,", &attacked);
    let moved = attacked.percentile(0.99) - quiet.percentile(0.99);
    report.figure("moved_p99_ms", "p99 moved by", "ms", moved);
    if let Some(used) = attacked.server {
        let cores = used.total as f64 / attacked.elapsed.as_nanos() as f64;
        report.figure("server_cores", "server cores used under attack", "", cores);
    }
    Ok(report)
}
