//! The crossing: XMPP presence to SIP watchers, SIP publications to XMPP contacts.
//!
//! With n people, accounts 0 to n-1 are chat users, accounts n to 2n-1 have phones. Phone n+i watches chat user i and
//! publishes; chat user i has phone n+i in the roster.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::sleep;

use super::publish::lines;
use super::{WIDTH, sessions};
use crate::args::Target;
use crate::failure::{Failure, Result};
use crate::pace::{Due, turns};
use crate::report::Report;
use crate::run::{Run, each};
use crate::sip::{Heard, Line};
use crate::stamp::{self, FROM_SIP, FROM_XMPP};
use crate::xmpp::{Client, Mechanism, Reader, Site, Writer, login};

/// Makes chat user i see person n+i; the grant is given in a chat session of that person, which then ends.
async fn chats(
    site: &Rc<Site>,
    first: usize,
    people: usize,
    mechanism: Mechanism,
) -> Result<Vec<Client>> {
    let shared = Rc::clone(site);
    each(people, WIDTH, move |index| {
        let site = Rc::clone(&shared);
        async move {
            let number = first + index;
            let mut chat = login(Rc::clone(&site), number, super::RESOURCE, mechanism).await?;
            let mut other = login(site, number + people, super::RESOURCE, mechanism).await?;
            chat.send("<presence/>").await?;
            other.send("<presence/>").await?;
            super::roster::befriend(&mut chat, &mut other).await?;
            other.send("<presence type='unavailable'/>").await?;
            other.close().await?;
            Ok(chat)
        }
    })
    .await
}

/// Lets each watcher subscribe to its chat user.
async fn watchers(target: &Target, port: u16, people: usize) -> Result<Vec<Line>> {
    let mut all = lines(target, port, target.first + people, people, FROM_XMPP).await?;
    for (index, line) in all.iter_mut().enumerate() {
        let user = format!("{}{}", target.prefix, target.first + index);
        line.subscribe(&user, 1).await?;
    }
    Ok(all)
}

/// Counts NOTIFYs that carry a chat user's change.
async fn hear(run: Rc<Run>, mut line: Line) -> Result<()> {
    let mut last = 0;
    loop {
        if let Heard::Notify {
            stamp: Some(since), ..
        } = line.listen().await?
            && since > last
        {
            last = since;
            run.done(since);
        }
    }
}

/// Counts presence that carries a phone's change.
async fn see(run: Rc<Run>, mut reader: Reader) -> Result<()> {
    let mut last = 0;
    loop {
        if let Some(since) = stamp::find(reader.next().await?, FROM_SIP)
            && since > last
        {
            last = since;
            run.done(since);
        }
    }
}

async fn change_chat(run: Rc<Run>, mut writer: Writer, mut due: Due) -> Result<()> {
    let mut away = false;
    while let Some(since) = due.recv().await {
        if run.is_stopped() {
            break;
        }
        away = !away;
        let show = if away { "away" } else { "dnd" };
        let text =
            format!("<presence><show>{show}</show><status>{FROM_XMPP}{since}.</status></presence>");
        writer.send(text.as_bytes()).await?;
    }
    Ok(())
}

async fn change_phone(run: Rc<Run>, mut line: Line, mut due: Due) -> Result<()> {
    while let Some(since) = due.recv().await {
        if run.is_stopped() {
            break;
        }
        line.publish(since, FROM_SIP).await?;
    }
    Ok(())
}

/// The scenario.
pub(crate) async fn scenario(
    name: &str,
    target: &Target,
    sip_port: u16,
    people: usize,
    rate: f64,
    mechanism: Mechanism,
) -> Result<Report> {
    let (to_sip, to_xmpp) = (Run::new(), Run::new());
    let site = target.site();
    // The first login of an account may cost much; it is over before anything is set up.
    drop(sessions(&site, target.first, 1, mechanism, false).await?);
    let chats = chats(&site, target.first, people, mechanism).await?;
    let watchers = watchers(target, sip_port, people).await?;
    let mut phones = lines(target, sip_port, target.first + people, people, FROM_XMPP).await?;
    for phone in &mut phones {
        phone.publish(0, FROM_SIP).await?;
    }
    sleep(Duration::from_secs(1)).await;
    for watcher in watchers {
        to_sip.spawn(hear(Rc::clone(&to_sip), watcher));
    }
    let due = turns(&to_sip, people, rate);
    for (chat, due) in chats.into_iter().zip(due) {
        let Client { reader, writer, .. } = chat;
        to_xmpp.spawn(see(Rc::clone(&to_xmpp), reader));
        to_sip.spawn(change_chat(Rc::clone(&to_sip), writer, due));
    }
    let due = turns(&to_xmpp, people, rate);
    for (phone, due) in phones.into_iter().zip(due) {
        to_xmpp.spawn(change_phone(Rc::clone(&to_xmpp), phone, due));
    }
    sleep(Duration::from_secs(1)).await;
    let pids = target.pids();
    to_sip.begin(&pids)?;
    to_xmpp.begin(&pids)?;
    sleep(Duration::from_secs_f64(target.seconds)).await;
    let (sip, xmpp) = (to_sip.end(&pids)?, to_xmpp.end(&pids)?);
    to_sip.stop();
    to_xmpp.stop();
    let due = (rate * target.seconds * 0.9) as u64;
    if sip.done < due || xmpp.done < due {
        let text = format!(
            "of {due} changes due on each side, {} reached SIP and {} XMPP",
            sip.done, xmpp.done
        );
        return Err(Failure::Peer(text));
    }
    let mut report = Report::new(name);
    report.count("people", "people on each side", people as u64);
    report.figure("to_sip_rate", "presence to NOTIFY, rate", "/s", sip.rate());
    report.latency("to_sip_", "presence to NOTIFY,", &sip);
    report.figure(
        "to_xmpp_rate",
        "PUBLISH to presence, rate",
        "/s",
        xmpp.rate(),
    );
    report.latency("to_xmpp_", "PUBLISH to presence,", &xmpp);
    if let Some(used) = sip.server {
        let each = used.total as f64 / 1000.0 / (sip.done + xmpp.done).max(1) as f64;
        report.figure("cpu_us", "server CPU per change", "us", each);
    }
    Ok(report)
}
