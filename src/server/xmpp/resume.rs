//! Streams that outlive their connection (XEP-0198 §5): which there are, how they wait, and how another connection takes them over.
//!
//! A stream that waits stays with its task. Whoever wants to go on with it asks that task for the whole [`Connection`], by the inbox,
//! whether its own connection is known to be lost or not.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use model::sessions::Presented;
use parking_lot::Mutex;
use presence::{Bare, Timestamp};
use xmpp::StreamCondition;
use xmpp::action::Reply;
use xmpp::management::{self, Previous, Received, TooHigh};

use super::{Connection, Counted, Inbound, Inbox};
use crate::server::link::Link;
use crate::server::turn::{turn, yielding_turn};

/// Of so many ended streams it is remembered how many stanzas were handled.
const REMEMBERED: usize = 1000;

/// So long an answer waits for the disk.
const PATIENCE: Duration = Duration::from_secs(1);

/// So many streams of an account may wait: where more do, the one that has waited longest ends.
const WAITING: usize = 10;

/// What a managed stream has beside its queue of what was sent.
pub(super) struct Managed {
    /// How many of the client's stanzas are handled.
    pub(super) received: Arc<Mutex<Received>>,
    /// When the client is told what there is, though not all is handled that it asked about.
    pub(super) answer_by: Option<Timestamp>,
    /// Stored messages are written when so many stanzas are acknowledged.
    pub(super) written_at: Option<u32>,
    /// By what name it can be resumed.
    pub(super) id: Option<Arc<str>>,
    /// For how long.
    pub(super) most: Duration,
    /// Another connection wants to go on.
    pub(super) takeover: Option<Takeover>,
    /// The connection is lost.
    pub(super) lost: Option<Waiting>,
}

/// A stream without connection.
pub(super) struct Waiting {
    /// Until when it can be resumed.
    until: Timestamp,
    presence: Shown,
}

/// What contacts see of a stream without connection.
enum Shown {
    /// What they saw, until then.
    Until(Timestamp),
    /// Nothing; this is shown again when it is resumed.
    Withdrawn(Option<Presented>),
}

/// The streams that can be resumed, by their names.
#[derive(Default)]
pub(crate) struct Resumable(Mutex<Streams>);

#[derive(Default)]
struct Streams {
    open: HashMap<Arc<str>, Open>,
    ended: VecDeque<(Arc<str>, Bare, Arc<Mutex<Received>>)>,
}

struct Open {
    account: Bare,
    /// Since when it waits, if it does.
    waits: Option<Timestamp>,
    inbox: Arc<Inbox>,
    link: Arc<Link>,
}

/// The wish of a connection for the stream of another. It is answered in any case.
pub(crate) struct Takeover {
    by: Option<(Arc<Inbox>, Arc<Link>)>,
    handled: u32,
}

impl Takeover {
    /// Hands the stream over; back again when there is nobody any more who wants it.
    fn grant(mut self, connection: Box<Connection>) -> Option<Box<Connection>> {
        let Some((inbox, link)) = self.by.take() else {
            return Some(connection);
        };
        match inbox.try_leave(&link, Inbound::Resumed(connection, self.handled)) {
            Err(Inbound::Resumed(connection, _)) => Some(connection),
            _ => None,
        }
    }

    /// The client claims what cannot be.
    fn too_high(mut self, wrong: TooHigh) {
        if let Some((inbox, link)) = self.by.take() {
            inbox.leave(&link, Inbound::TooHigh(wrong));
        }
    }
}

impl Drop for Takeover {
    fn drop(&mut self) {
        if let Some((inbox, link)) = self.by.take() {
            inbox.leave(
                &link,
                Inbound::Reply(Box::new((Reply::NotResumed(None), None, None))),
            );
        }
    }
}

impl Resumable {
    fn add(&self, account: &Bare, id: &Arc<str>, inbox: &Arc<Inbox>, link: &Arc<Link>) {
        let open = Open {
            account: account.clone(),
            waits: None,
            inbox: Arc::clone(inbox),
            link: Arc::clone(link),
        };
        self.0.lock().open.insert(Arc::clone(id), open);
    }

    /// Asks the task that has the stream. How many stanzas were handled on it, when it has ended; nothing of others' streams.
    fn ask(&self, account: &Bare, id: &str, takeover: Takeover) -> Result<(), Option<u32>> {
        let mut takeover = takeover;
        let streams = self.0.lock();
        if let Some(open) = streams.open.get(id).filter(|o| o.account == *account) {
            open.inbox.leave(&open.link, Inbound::Takeover(takeover));
            return Ok(());
        }
        takeover.by = None;
        let ended = streams.ended.iter().rev();
        let mut ended = ended.filter(|(name, of, _)| **name == *id && of == account);
        Err(ended.next().map(|(.., received)| received.lock().handled()))
    }

    /// It waits from now on, or goes on.
    fn waits(&self, id: &str, since: Option<Timestamp>) {
        let mut streams = self.0.lock();
        let Some(open) = streams.open.get_mut(id) else {
            return;
        };
        open.waits = since;
        if since.is_none() {
            return;
        }
        let account = open.account.clone();
        let same = streams.open.values().filter(|o| o.account == account);
        let waiting = same.filter(|o| o.waits.is_some());
        if waiting.clone().count() > WAITING
            && let Some(longest) = waiting.min_by_key(|o| o.waits)
        {
            longest.inbox.leave(&longest.link, Inbound::GiveUp);
        }
    }

    /// Nobody can resume it any more.
    fn remove(&self, id: &str, received: Arc<Mutex<Received>>) {
        let mut streams = self.0.lock();
        if let Some((id, open)) = streams.open.remove_entry(id) {
            if streams.ended.len() == REMEMBERED {
                streams.ended.pop_front();
            }
            streams.ended.push_back((id, open.account, received));
        }
    }
}

impl Connection {
    /// Stanzas are counted from here on, which the client is told.
    pub(super) fn manage(&mut self, resume: bool, most: Option<Duration>) {
        let limit = self.shared.config.limits.resume_timeout;
        let longest = most.unwrap_or(Duration::MAX).min(limit);
        let most = Duration::from_secs(longest.as_secs());
        let id = (resume && !most.is_zero()).then(|| format!("{:032x}", rand::random::<u128>()));
        // What came before the client asked is not counted.
        self.open_route();
        self.count_stanzas(id, most, management::print::enabled);
    }

    /// Stanzas are counted from here on, behind what `say` writes; those too that wait until the client has been told its address. With an
    /// `id` the stream can be resumed, for so long.
    pub(super) fn count_stanzas(
        &mut self,
        id: Option<String>,
        most: Duration,
        say: impl FnOnce(&mut Vec<u8>, Option<(&str, Duration)>),
    ) {
        let Some((account, _)) = self.bound.clone() else {
            return;
        };
        let limits = &self.shared.config.limits;
        let id: Option<Arc<str>> = id.map(Into::into);
        let sent = management::Sent::new(limits.resume_stanzas, limits.resume_bytes);
        let told = id.as_deref().map(|id| (id, most));
        if !self.link.manage(sent, |out| say(out, told)) {
            // The connection is lost already: there is nothing to go on with.
            return;
        }
        if let Some(id) = &id {
            self.session.allow_resumption();
            self.shared
                .resumable
                .add(&account, id, &self.inbox, &self.link);
        }
        self.managed = Some(Box::new(Managed {
            received: Arc::default(),
            answer_by: None,
            written_at: None,
            id,
            most,
            takeover: None,
            lost: None,
        }));
    }

    /// Wants to go on with an earlier stream.
    pub(super) fn ask_to_resume(&mut self, account: &Bare, previous: &Previous) {
        let now = self.now();
        if self.is_outdated(account) {
            return self.end_outdated();
        }
        let takeover = Takeover {
            by: Some((Arc::clone(&self.inbox), Arc::clone(&self.link))),
            handled: previous.handled,
        };
        let asked = self.shared.resumable.ask(account, &previous.id, takeover);
        if let Err(handled) = asked {
            self.session.handle_reply(now, Reply::NotResumed(handled));
        }
    }

    /// The connection is lost. True when the stream waits for another, false when this is its end.
    pub(super) fn lose(&mut self) -> bool {
        if self.is_detached() {
            return true;
        }
        let resumable = self.managed.as_ref().is_some_and(|m| m.id.is_some());
        if !resumable || self.closing || self.bound.is_none() || self.session.is_over() {
            return false;
        }
        self.begin_waiting();
        true
    }

    /// The connection is given up, which its peer is told as far as it still listens. True when the stream waits for another.
    pub(super) fn part(&mut self) -> bool {
        let waits = self.lose();
        if waits {
            self.link.finish();
        }
        waits
    }

    fn begin_waiting(&mut self) {
        let now = self.now().at;
        let heard = self.session.heard().unwrap_or(now);
        let limit = self.shared.config.limits.resume_presence;
        if let Some(managed) = &mut self.managed {
            managed.lost = Some(Waiting {
                until: now.plus(managed.most),
                // Who has been silent for long is not there any more when that is found out.
                presence: Shown::Until(heard.plus(limit)),
            });
        }
    }

    /// Another connection wants the stream. It does not get what is over, and nobody who claims what cannot be ends the present one.
    pub(super) fn consider(&mut self, takeover: Takeover) {
        if self.ended || self.closing || self.session.is_over() {
            return;
        }
        match (self.link.check(takeover.handled), &mut self.managed) {
            (Ok(()), Some(managed)) => managed.takeover = Some(takeover),
            (Err(wrong), Some(_)) => takeover.too_high(wrong),
            (_, None) => {}
        }
    }

    /// All that the client said before is done or stands where it outlives the connection.
    fn is_settled(&self) -> bool {
        let managed = self.managed.as_ref();
        self.unanswered == 0 && managed.is_some_and(|m| m.received.lock().is_settled())
    }

    /// The connection is lost, or another wants the stream.
    pub(super) fn is_detached(&self) -> bool {
        let managed = self.managed.as_ref();
        managed.is_some_and(|m| m.lost.is_some() || m.takeover.is_some())
    }

    /// Goes on in the place of this connection's own session, which waits for it.
    pub(super) fn resume(&mut self, mut old: Box<Self>, handled: u32) {
        if self.closing || self.session.is_over() {
            return wait_again(old);
        }
        // It was looked at before, and the client has acknowledged nothing since.
        let _ = old.link.acknowledged(handled);
        std::mem::swap(self, &mut old);
        // From here on `old` is what this connection had before.
        self.count(None);
        std::mem::swap(&mut self.counted, &mut old.counted);
        (self.secrets, self.proven) = (old.secrets, old.proven);
        (self.peer_is_done, self.give_up) = (false, None);
        let lost = self.managed.as_mut().and_then(|m| m.lost.take());
        if let Some(managed) = &self.managed {
            let (id, handled) = (managed.id.as_deref(), managed.received.lock().handled());
            let Self {
                link,
                session: fresh,
                ..
            } = &mut *old;
            let address = self.session.address();
            self.link.adopt(link, |out| {
                if let Some(address) = address {
                    fresh.go_on(out, address, id.unwrap_or_default(), handled);
                }
            });
        }
        self.announce_waiting(false);
        // Somebody is there now (XEP-0352 §5.2), and gets what was held back.
        self.attend(true);
        let now = self.now();
        self.session.resume(now, &mut old.session);
        if let (
            Some((account, session)),
            Some(Waiting {
                presence: Shown::Withdrawn(Some(presented)),
                ..
            }),
        ) = (self.bound.clone(), lost)
        {
            let again = self.shared.model.available(&account, session, presented);
            if let Err(refusal) = again {
                tracing::debug!(%account, %refusal, "presence was not shown again");
            }
        }
    }

    /// Nobody looks at the client, or somebody does again.
    pub(super) fn attend(&self, seen: bool) {
        if let Some(route) = &self.route {
            route.attend(seen);
        }
    }

    /// Answers a client that wants to know how many stanzas are handled.
    pub(super) fn answer_ask(&mut self) {
        let now = self.now().at;
        let Some(managed) = &mut self.managed else {
            return;
        };
        let answer = managed.received.lock().ask();
        // The disk is awaited, but not for ever (XEP-0198 §4).
        managed.answer_by = answer.is_none().then(|| now.plus(PATIENCE));
        if let Some(handled) = answer {
            self.acknowledge(handled);
        }
    }

    pub(super) fn acknowledge(&self, handled: u32) {
        let print = |out: &mut Vec<u8>| management::print::acknowledge(out, handled);
        self.link.append_last(print);
    }

    /// A question that has waited for long enough is answered.
    pub(super) fn answer_in_time(&mut self, now: Timestamp) {
        let Some(managed) = &mut self.managed else {
            return;
        };
        if managed.answer_by.is_none_or(|by| now < by) {
            return;
        }
        managed.answer_by = None;
        let answer = managed.received.lock().answer_now();
        if let Some(handled) = answer {
            self.acknowledge(handled);
        }
    }

    /// Its end is the end of the stream: nobody can go on with it.
    pub(super) fn forget_stream(&mut self) {
        let Some(managed) = self.managed.take() else {
            return;
        };
        if let Some(id) = &managed.id {
            let received = Arc::clone(&managed.received);
            self.shared.resumable.remove(id, received);
        }
        drop(managed);
        self.give_back();
    }

    /// Nothing more is taken from elsewhere. Who has asked for this stream is told, and one that this connection took over waits again.
    pub(super) fn give_back(&self) {
        for inbound in self.inbox.close() {
            if let Inbound::Resumed(connection, _) = inbound {
                wait_again(connection);
            }
        }
    }

    fn announce_waiting(&self, waits: bool) {
        let id = self.managed.as_ref().and_then(|m| m.id.as_deref());
        if let Some(id) = id {
            let since = waits.then(|| self.shared.now().at);
            self.shared.resumable.waits(id, since);
        }
    }

    /// Lets the connection go.
    fn detach(&mut self) {
        if self.managed.as_ref().is_some_and(|m| m.lost.is_none()) {
            // Another connection takes the stream over while this one is open (XEP-0198 §5).
            let why = Some("The stream goes on on another connection");
            self.link.append_end(StreamCondition::Conflict, why);
            self.link.flush();
            self.link.finish();
        }
        self.link.detach();
        self.unwritten = Vec::new();
        self.attend(false);
        if self.managed.as_ref().is_some_and(|m| m.lost.is_none()) {
            self.begin_waiting();
        }
        self.count(Some(Counted::Waiting));
        self.announce_waiting(true);
    }

    /// When something is due while it waits.
    fn waits_until(&self) -> Timestamp {
        let managed = self.managed.as_ref();
        let Some(lost) = managed.and_then(|m| m.lost.as_ref()) else {
            return Timestamp(u64::MAX);
        };
        match lost.presence {
            Shown::Until(until) => until.min(lost.until),
            Shown::Withdrawn(_) => lost.until,
        }
    }

    /// Does what is due. False when it has waited for long enough.
    fn wait_on(&mut self) -> bool {
        let now = self.now().at;
        let Some(lost) = self.managed.as_mut().and_then(|m| m.lost.as_mut()) else {
            return true;
        };
        if lost.until <= now {
            return false;
        }
        if let (Shown::Until(until), Some((account, session))) = (&lost.presence, &self.bound)
            && *until <= now
        {
            let model = &self.shared.model;
            lost.presence = Shown::Withdrawn(model.hide(account, *session));
        }
        true
    }
}

fn wait_again(connection: Box<Connection>) {
    // Without a runtime the server has ended, and with the connection the stream does.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(wait(connection));
    }
}

/// A stream waits for another connection, or for its end.
pub(super) async fn wait(mut connection: Box<Connection>) {
    turn(|| connection.detach());
    let stopping = connection.shared.clone();
    let stop = stopping.stopped();
    tokio::pin!(stop);
    let mut goes_on = true;
    loop {
        if !goes_on || connection.closing || connection.managed.is_none() {
            return connection.finish();
        }
        // How many stanzas are handled is told when all are that came (XEP-0198 §5).
        if connection.is_settled()
            && let Some(takeover) = connection.managed.as_mut().and_then(|m| m.takeover.take())
        {
            match takeover.grant(connection) {
                Some(kept) => connection = kept,
                None => return,
            }
        }
        let due = connection.shared.clock.instant(connection.waits_until());
        let link = Arc::clone(&connection.link);
        tokio::select! {
            () = link.wake.notified() => {}
            () = tokio::time::sleep_until(due) => {}
            () = &mut stop => goes_on = false,
        }
        goes_on &= yielding_turn(|| {
            connection.look();
            // Nothing is on its way to anybody.
            connection.unwritten = Vec::new();
            connection.drain();
            connection.wait_on()
        })
        .await;
    }
}
