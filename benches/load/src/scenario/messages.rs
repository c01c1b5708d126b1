//! Messages from one user to another.

use std::fmt::Write as _;
use std::rc::Rc;

use super::sessions;
use crate::args::Target;
use crate::failure::Result;
use crate::pace;
use crate::report::Report;
use crate::run::Run;
use crate::stamp::{self, FROM_XMPP};
use crate::xmpp::{Client, Mechanism, Site, Writer};

/// Brings a message to about 250 bytes.
const FILLER: &str = "The quick brown fox jumps over the lazy dog while the band plays on and nobody \
                      in the room remembers how the song began.";

/// A sender and a recipient who is online.
pub(crate) struct Pair {
    sender: Client,
    recipient: Client,
}

/// Writes the message that is sent at this time.
fn write(out: &mut String, to: &str, now: u64) {
    out.clear();
    let _ = write!(
        out,
        "<message to='{to}' type='chat' id='{now:x}'><body>{FROM_XMPP}{now}. {FILLER}</body></message>"
    );
}

async fn send(writer: &mut Writer, to: &str, out: &mut String, now: u64) -> Result<()> {
    write(out, to, now);
    writer.send(out.as_bytes()).await
}

/// Logs in `count` pairs: even numbers send, odd ones receive.
pub(crate) async fn pairs(
    site: &Rc<Site>,
    first: usize,
    count: usize,
    mechanism: Mechanism,
) -> Result<Vec<Pair>> {
    let mut all = sessions(site, first, count * 2, mechanism, true)
        .await?
        .into_iter();
    let mut pairs = Vec::with_capacity(count);
    while let (Some(sender), Some(recipient)) = (all.next(), all.next()) {
        pairs.push(Pair { sender, recipient });
    }
    Ok(pairs)
}

/// Keeps `window` messages of each pair under way.
fn closed(run: &Rc<Run>, pair: Pair, window: usize) {
    let shared = Rc::clone(run);
    let Pair { sender, recipient } = pair;
    let (mut writer, to, mut reader) = (sender.writer, recipient.jid, recipient.reader);
    // What is sent by requests has answers.
    run.spawn(sender.reader.drain());
    run.spawn(async move {
        let _outgoing = recipient.writer;
        let mut out = String::with_capacity(512);
        for _ in 0..window {
            send(&mut writer, &to, &mut out, shared.now()).await?;
        }
        while !shared.is_stopped() {
            if let Some(since) = stamp::find(reader.next().await?, FROM_XMPP) {
                shared.done(since);
                send(&mut writer, &to, &mut out, shared.now()).await?;
            }
        }
        Ok(())
    });
}

/// Sends `rate` messages a second by the pairs together, whether or not they arrive.
pub(crate) fn open(run: &Rc<Run>, pairs: Vec<Pair>, rate: f64) {
    let turns = pace::turns(run, pairs.len(), rate);
    for (pair, mut due) in pairs.into_iter().zip(turns) {
        let Pair { sender, recipient } = pair;
        let to = recipient.jid.clone();
        let shared = Rc::clone(run);
        run.spawn(recipient.watch(move |item| {
            if let Some(since) = stamp::find(item, FROM_XMPP) {
                shared.done(since);
            }
        }));
        let (drained, mut writer) = (sender.reader, sender.writer);
        run.spawn(drained.drain());
        let shared = Rc::clone(run);
        run.spawn(async move {
            let mut out = String::with_capacity(512);
            while let Some(since) = due.recv().await {
                if shared.is_stopped() {
                    break;
                }
                send(&mut writer, &to, &mut out, since).await?;
            }
            Ok(())
        });
    }
}

/// The scenario.
pub(crate) async fn scenario(
    name: &str,
    target: &Target,
    senders: usize,
    window: usize,
    rate: Option<f64>,
    mechanism: Mechanism,
) -> Result<Report> {
    let run = Run::new();
    let pairs = pairs(&target.site(), target.first, senders, mechanism).await?;
    if let Some(rate) = rate {
        open(&run, pairs, rate);
    } else {
        for pair in pairs {
            closed(&run, pair, window.max(1));
        }
    }
    let measured = run.measure(&target.pids(), target.seconds).await?;
    run.stop();
    let mut report = Report::new(name);
    report.count("senders", "senders", senders as u64);
    report.measured("message", &measured);
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_of_the_usual_size() {
        let mut out = String::new();
        write(&mut out, "u1@localhost/load", 1_700_000_000_123_456_789);
        assert!((200..=300).contains(&out.len()), "{}", out.len());
        assert_eq!(
            stamp::find(out.as_bytes(), FROM_XMPP),
            Some(1_700_000_000_123_456_789)
        );
    }
}
