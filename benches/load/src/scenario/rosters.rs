//! Rosters of several sizes: what logging in with them costs, and a change of presence of whose receivers few are online.
//!
//! For each size (nobody first) some people; all of them take their contacts from one pool of accounts, which follow theirs.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

use super::ties::{self, Known};
use super::{RESOURCE, WIDTH};
use crate::args::{Rosters, Target};
use crate::failure::{Failure, Result};
use crate::report::Report;
use crate::run::{Run, each};
use crate::stamp::{self, FROM_XMPP};
use crate::xmpp::{Client, Mechanism, login};

/// Who has how many contacts.
#[derive(Clone)]
struct Plan {
    first: usize,
    people: usize,
    sizes: Vec<usize>,
}

impl Plan {
    fn new(first: usize, people: usize, contacts: &[usize]) -> Self {
        let mut sizes = contacts.to_vec();
        sizes.push(0);
        sizes.sort_unstable();
        sizes.dedup();
        Self {
            first,
            people: people.max(1),
            sizes,
        }
    }

    fn largest(&self) -> usize {
        self.sizes.last().copied().unwrap_or(0)
    }

    /// The people with rosters of the size at this place.
    fn centres(&self, place: usize) -> std::ops::Range<usize> {
        let start = self.first + place * self.people;
        start..start + self.people
    }

    /// Where the pool of contacts begins.
    fn pool(&self) -> usize {
        self.first + self.sizes.len() * self.people
    }

    fn known(self) -> Known {
        Rc::new(move |index| {
            let pool = self.pool();
            if index < pool {
                let place = (index - self.first) / self.people;
                let size = self.sizes.get(place).copied().unwrap_or(0);
                return (pool..pool + size).collect();
            }
            let places = self.sizes.iter().enumerate();
            let having = places.filter(|(_, size)| index - pool < **size);
            having.flat_map(|(place, _)| self.centres(place)).collect()
        })
    }
}

/// Microseconds of the server for each login with its roster, by people who take turns with nobody.
async fn logins(
    target: &Target,
    plan: &Plan,
    place: usize,
    mechanism: Mechanism,
) -> Result<(f64, f64)> {
    let (run, site) = (Run::new(), target.site());
    let size = plan.sizes.get(place).copied().unwrap_or(0);
    for index in plan.centres(place) {
        let (shared, site) = (Rc::clone(&run), Rc::clone(&site));
        run.spawn(async move {
            while !shared.is_stopped() {
                let since = shared.now();
                let mut client = login(Rc::clone(&site), index, RESOURCE, mechanism).await?;
                let answer = ties::roster(&mut client).await?;
                shared.done(since);
                let found = memchr::memmem::find_iter(&answer, b"<item").count();
                if found < size {
                    let text = format!("a roster of {size} came with {found} contacts");
                    return Err(Failure::Peer(text));
                }
                client.close().await?;
            }
            Ok(())
        });
    }
    let measured = run.measure(&target.known_pids()?, target.seconds).await?;
    run.stop();
    Ok(measured.each())
}

/// Microseconds of the server for each change of presence that the contacts who are online have seen.
async fn changes(
    target: &Target,
    plan: &Plan,
    place: usize,
    online: usize,
    mechanism: Mechanism,
) -> Result<(f64, f64)> {
    let run = Run::new();
    let online = online.min(plan.sizes.get(place).copied().unwrap_or(0));
    let contacts = available(target, plan.pool(), online, mechanism).await?;
    let rounds: Rc<Vec<Notify>> = Rc::new((0..plan.people).map(|_| Notify::new()).collect());
    let seen: Rc<Vec<Cell<usize>>> = Rc::new((0..plan.people).map(|_| Cell::new(0)).collect());
    for contact in contacts {
        let (rounds, seen) = (Rc::clone(&rounds), Rc::clone(&seen));
        let (start, prefix) = (plan.centres(place).start, target.prefix.clone());
        run.spawn(contact.watch(move |item| {
            let stamped = stamp::find(item, FROM_XMPP).is_some();
            let from = ties::available(item, &prefix).filter(|_| stamped);
            let Some(at) = from.and_then(|from| from.checked_sub(start)) else {
                return;
            };
            if let (Some(seen), Some(round)) = (seen.get(at), rounds.get(at)) {
                seen.set(seen.get() + 1);
                if seen.get() == online {
                    seen.set(0);
                    round.notify_one();
                }
            }
        }));
    }
    let centres = available(target, plan.centres(place).start, plan.people, mechanism).await?;
    for (at, centre) in centres.into_iter().enumerate() {
        let (shared, rounds) = (Rc::clone(&run), Rc::clone(&rounds));
        let Client {
            reader, mut writer, ..
        } = centre;
        run.spawn(reader.drain());
        run.spawn(async move {
            while !shared.is_stopped() {
                let since = shared.now();
                let text = format!("<presence><status>{FROM_XMPP}{since}.</status></presence>");
                writer.send(text.as_bytes()).await?;
                if let Some(round) = rounds.get(at) {
                    round.notified().await;
                }
                shared.done(since);
            }
            Ok(())
        });
    }
    let measured = run.measure(&target.known_pids()?, target.seconds).await?;
    run.stop();
    Ok(measured.each())
}

/// Sessions with their rosters fetched and presence sent.
async fn available(
    target: &Target,
    first: usize,
    count: usize,
    mechanism: Mechanism,
) -> Result<Vec<Client>> {
    let site = target.site();
    each(count, WIDTH, move |index| {
        let site = Rc::clone(&site);
        async move {
            let mut client = login(site, first + index, RESOURCE, mechanism).await?;
            ties::roster(&mut client).await?;
            client.send("<presence/>").await?;
            Ok(client)
        }
    })
    .await
}

/// What a contact costs at the largest size, all counted, as a multiple of what it costs at the next: at most one where the
/// price is linear, whatever comes on top of it; towards two, for twice the size, where it is quadratic.
fn growth(sizes: &[usize], costs: &[f64]) -> Option<f64> {
    let each = |back: usize| -> Option<f64> {
        let place = sizes.len().checked_sub(back)?;
        Some(costs.get(place)? / *sizes.get(place).filter(|size| **size > 0)? as f64)
    };
    Some(each(1)? / each(2)?)
}

fn tell(report: &mut Report, key: &str, what: &str, sizes: &[usize], costs: &[(f64, f64)]) {
    for (size, (server, client)) in sizes.iter().zip(costs) {
        let name = format!("server CPU per {what}, {size} contacts");
        report.figure(&format!("{key}_{size}_us"), &name, "us", *server);
        let name = format!("this program's CPU, {size} contacts");
        report.figure(&format!("{key}_{size}_client_us"), &name, "us", *client);
    }
    let alone: Vec<f64> = costs.iter().map(|(server, _)| *server).collect();
    if let (Some(size), Some(most), Some(least)) = (sizes.last(), alone.last(), alone.first())
        && *size > 0
    {
        let each = (most - least) / *size as f64;
        report.figure(
            &format!("{key}_contact_us"),
            "of that for each contact",
            "us",
            each,
        );
    }
    if let Some(growth) = growth(sizes, &alone) {
        let name = format!("{what}: per contact, as a multiple");
        report.figure(&format!("{key}_growth"), &name, "", growth);
    }
}

/// The scenario.
pub(crate) async fn scenario(
    name: &str,
    target: &Target,
    rosters: Rosters,
    (contacts, people, online): (&[usize], usize, usize),
    mechanism: Mechanism,
) -> Result<Report> {
    let plan = Plan::new(target.first, people, contacts);
    if !rosters.prepared {
        let everybody = plan.first..plan.pool() + plan.largest();
        let known = plan.clone().known();
        let report = ties::make(name, target, vec![everybody], known, mechanism).await?;
        if rosters.prepare {
            return Ok(report);
        }
    }
    let (mut gets, mut broadcasts) = (Vec::new(), Vec::new());
    for place in 0..plan.sizes.len() {
        gets.push(logins(target, &plan, place, mechanism).await?);
    }
    // Nobody sees the changes of those without contacts: that would be counted by their sending alone.
    for place in 1..plan.sizes.len() {
        broadcasts.push(changes(target, &plan, place, online, mechanism).await?);
    }
    let mut report = Report::new(name);
    tell(&mut report, "get", "login with roster", &plan.sizes, &gets);
    let sizes = plan.sizes.get(1..).unwrap_or_default();
    tell(
        &mut report,
        "change",
        "change of presence",
        sizes,
        &broadcasts,
    );
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_know_each_other() {
        let plan = Plan::new(5, 2, &[1, 3]);
        assert_eq!((plan.pool(), plan.largest()), (11, 3));
        let known = plan.known();
        for index in 5..14 {
            for other in known(index) {
                assert!(known(other).contains(&index), "{index} {other}");
            }
        }
        assert!(known(5).is_empty());
        assert_eq!(known(9), [11, 12, 13]);
        assert_eq!(known(11), [7, 8, 9, 10]);
    }

    #[test]
    fn quadratic_growth_shows() {
        let sizes = [0, 100, 200];
        let linear = growth(&sizes, &[50.0, 60.0, 70.0]).expect("two sizes");
        assert!(linear < 1.0, "{linear}");
        let quadratic = growth(&sizes, &[0.0, 10.0, 40.0]).expect("two sizes");
        assert!((quadratic - 2.0).abs() < 1e-9);
        assert_eq!(growth(&sizes[..2], &[50.0, 60.0]), None);
    }
}
