//! Many mutual subscriptions, made through the protocol and cheaply: everybody asks everybody, then everybody grants, in
//! sessions that are neither available nor interested in rosters, so that no server has anything to push.

use std::cell::Cell;
use std::fmt::Write as _;
use std::ops::Range;
use std::rc::Rc;

use memchr::memmem;

use super::{RESOURCE, WIDTH};
use crate::args::Target;
use crate::failure::{Failure, Result};
use crate::procfs::Cpu;
use crate::report::Report;
use crate::run::{Run, each};
use crate::xmpp::{Client, Mechanism, Site, attribute, login};

/// Who is to know whom, by number: an account's contacts. It must be the same from both sides.
pub(crate) type Known = Rc<dyn Fn(usize) -> Vec<usize>>;
/// Rounds until everything must be there.
const ROUNDS: usize = 3;
/// Requests that may be under way at a time: servers limit what waits for their disks.
const PENDING: usize = 4000;
/// Sessions that make requests at a time: servers that put each on disk before the next gain by many.
const MAKERS: usize = 256;

/// Circles of `size` accounts, all of whom know each other; the last may be smaller.
pub(crate) fn circles(first: usize, count: usize, size: usize) -> Known {
    Rc::new(move |index| {
        let start = first + (index - first) / size * size;
        let members = start..(start + size).min(first + count);
        members.filter(|other| *other != index).collect()
    })
}

/// Asks for the roster: the contacts with subscriptions both ways.
pub(crate) async fn fetch(client: &mut Client, site: &Site) -> Result<Vec<usize>> {
    Ok(numbers(&roster(client).await?, &site.prefix))
}

/// Asks for the roster and gives the answer as it came.
pub(crate) async fn roster(client: &mut Client) -> Result<Vec<u8>> {
    let text = "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>";
    client.exchange(text, "roster").await
}

fn numbers(roster: &[u8], prefix: &str) -> Vec<usize> {
    let text = String::from_utf8_lossy(roster);
    let items = text.split("<item").skip(1);
    let both = items.filter_map(|item| {
        let tag = item.split('>').next()?;
        if attribute(tag, "subscription") != Some("both") {
            return None;
        }
        let name = attribute(tag, "jid")?.strip_prefix(prefix)?;
        name.split_once('@')?.0.parse().ok()
    });
    both.collect()
}

/// What is at work while ties are made.
struct Making {
    site: Rc<Site>,
    mechanism: Mechanism,
    known: Known,
    made: Cell<u64>,
}

impl Making {
    /// The contacts that an account still lacks.
    async fn missing(self: Rc<Self>, index: usize) -> Result<(usize, Vec<usize>)> {
        let mut client = login(Rc::clone(&self.site), index, RESOURCE, self.mechanism).await?;
        let mut has = fetch(&mut client, &self.site).await?;
        client.close().await?;
        has.sort_unstable();
        let mut lacks = (self.known)(index);
        lacks.retain(|other| has.binary_search(other).is_err());
        Ok((index, lacks))
    }

    /// Sends presence of a type to all whom an account lacks, some at a time.
    async fn tell(self: Rc<Self>, index: usize, lacks: &[usize], kind: &str) -> Result<()> {
        let mut client = login(Rc::clone(&self.site), index, RESOURCE, self.mechanism).await?;
        let domain = &self.site.domain;
        for (turn, some) in lacks.chunks(PENDING / MAKERS).enumerate() {
            let mut text = String::with_capacity(some.len() * 64);
            for other in some {
                let user = self.site.user(*other);
                let _ = write!(text, "<presence type='{kind}' to='{user}@{domain}'/>");
            }
            // Whatever is answered: what stands before it has been read.
            let id = format!("{kind}{turn}");
            let _ = write!(
                text,
                "<iq type='get' id='{id}' to='{domain}'><ping xmlns='urn:xmpp:ping'/></iq>"
            );
            client.exchange(&text, &id).await?;
        }
        client.close().await
    }

    /// One round over accounts who only know each other; whether nothing was missing.
    async fn round(self: &Rc<Self>, members: Range<usize>) -> Result<bool> {
        let (shared, start) = (Rc::clone(self), members.start);
        let ask = move |index| Rc::clone(&shared).missing(start + index);
        let mut lacking = each(members.len(), WIDTH, ask).await?;
        lacking.retain(|(_, lacks)| !lacks.is_empty());
        if lacking.is_empty() {
            return Ok(true);
        }
        let pairs: usize = lacking.iter().map(|(_, lacks)| lacks.len()).sum();
        self.made.set(self.made.get() + pairs as u64 / 2);
        let lacking = Rc::new(lacking);
        for kind in ["subscribe", "subscribed"] {
            let (shared, all) = (Rc::clone(self), Rc::clone(&lacking));
            each(lacking.len(), MAKERS, move |turn| {
                let (shared, all) = (Rc::clone(&shared), Rc::clone(&all));
                async move {
                    match all.get(turn) {
                        Some((index, lacks)) => shared.tell(*index, lacks, kind).await,
                        None => Ok(()),
                    }
                }
            })
            .await?;
        }
        Ok(false)
    }
}

/// Makes what is missing among each of these ranges of accounts, whose members know only each other, until all is there.
pub(crate) async fn make(
    name: &str,
    target: &Target,
    ranges: Vec<Range<usize>>,
    known: Known,
    mechanism: Mechanism,
) -> Result<Report> {
    let (run, pids) = (Run::new(), target.pids());
    let (before, begun) = (Cpu::look(&pids)?, run.now());
    let making = Rc::new(Making {
        site: target.site(),
        mechanism,
        known,
        made: Cell::new(0),
    });
    for members in ranges {
        let mut rounds = 0;
        while !making.round(members.clone()).await? {
            rounds += 1;
            if rounds > ROUNDS {
                let text = "subscriptions are still missing after several rounds";
                return Err(Failure::Peer(text.to_owned()));
            }
        }
    }
    let mut report = Report::new(name);
    report.count("pairs", "mutual subscriptions made", making.made.get());
    let seconds = (run.now() - begun) as f64 / 1e9;
    report.figure("seconds", "time, checking included", "s", seconds);
    if !pids.is_empty() {
        let cpu = Cpu::look(&pids)?.since(&before).total as f64 / 1e9;
        report.figure("cpu_s", "server CPU in all", "s", cpu);
    }
    Ok(report)
}

/// The number of the account that a presence comes from, where it says available.
pub(crate) fn available(item: &[u8], prefix: &str) -> Option<usize> {
    if !item.starts_with(b"<presence") {
        return None;
    }
    let end = memchr::memchr(b'>', item)?;
    let tag = item.get(..end)?;
    if memmem::find(tag, b" type=").is_some() {
        return None;
    }
    let from = memmem::find(tag, b" from=")? + 7;
    let digits = tag.get(from..)?.strip_prefix(prefix.as_bytes())?;
    let end = memchr::memchr(b'@', digits)?;
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_contacts_with_both_directions_count() {
        let roster = b"<iq><query><item jid=\"u7@d\" subscription=\"both\"/>\
            <item subscription='to' jid='u8@d'/><item subscription='both' jid='x9@d'/></query></iq>";
        assert_eq!(numbers(roster, "u"), [7]);
    }

    #[test]
    fn circles_hold_all_but_oneself() {
        let known = circles(10, 5, 3);
        assert_eq!(known(11), [10, 12]);
        assert_eq!(known(14), [13]);
    }

    #[test]
    fn presence_tells_who_is_there() {
        let there = b"<presence to='a@d/x' from='u12@d/load'><show>away</show></presence>";
        assert_eq!(available(there, "u"), Some(12));
        let gone = b"<presence from='u12@d/load' type='unavailable'/>";
        assert_eq!(available(gone, "u"), None);
        assert_eq!(available(b"<message from='u12@d/load'/>", "u"), None);
    }
}
