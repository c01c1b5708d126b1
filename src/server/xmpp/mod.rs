//! XMPP client connections: one task each, which reads; writing is done by whoever has something to write.

mod act;
mod act_archive;
mod act_blocking;
mod act_command;
mod act_person;
mod act_token;
mod held;
mod login;
mod lost;
mod receive;
mod resume;
mod route;
pub(crate) mod serve;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use model::{Ended, SessionId};
use presence::{Bare, Timestamp};
use xmpp::Now;
use xmpp::StreamCondition;
use xmpp::management::{self, TooHigh};
use xmpp::sasl::Fingerprint;
use xmpp::session::{Output, Session};
use xmpp::{Action, Reply};

use super::link::{Broken, Link, Source};
use super::shared::Shared;
use super::turn::{begin, turn, yielding_turn};
use super::websocket::Status;
use crate::certificates::Listener;

use act::InOrder;
use login::Begun;
pub(crate) use resume::Resumable;
use resume::{Managed, Takeover};
pub(crate) use route::{Inbox, XmppRoute};
pub(crate) use serve::{serve, serve_carried};

/// Something for a session from elsewhere than its peer.
pub(crate) enum Inbound {
    /// The answer to an action that blocks.
    Reply(Box<(Reply, Option<Begun>, Option<Fingerprint>)>),
    /// An action whose answer later ones wait for is answered.
    Answered,
    /// The model wants to know when everything before is written.
    Mark,
    /// The model ends the session.
    Ended(Ended),
    /// So many stanzas of the client are handled, and it has asked.
    Handled(u32),
    /// This is over when what is on the link is on its way.
    WhenWritten(InOrder),
    /// The stream waits no longer for another connection.
    GiveUp,
    /// Another connection wants to go on with this stream.
    Takeover(Takeover),
    /// The client got more on the stream that it asked for than was sent there.
    TooHigh(TooHigh),
    /// The stream that this connection asked for, and how many stanzas the client got on it.
    Resumed(Box<Connection>, u32),
}

/// As what a connection is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Open,
    Waiting,
}

pub(crate) struct Connection {
    shared: Arc<Shared>,
    link: Arc<Link>,
    inbox: Arc<Inbox>,
    session: Box<Session>,
    /// The account and session, once bound.
    bound: Option<(Bare, SessionId)>,
    /// The login attempt under way.
    begun: Option<Begun>,
    /// The keys that it is checked against, or was.
    proven: Option<Fingerprint>,
    /// The route of the bound session: it is opened when the client has been told its address.
    route: Option<Arc<XmppRoute>>,
    /// What a managed stream has besides.
    managed: Option<Box<Managed>>,
    /// How often secrets had ended when the client began to prove who it is.
    secrets: u64,
    /// A login has failed: what follows is not told before this.
    held: Option<Timestamp>,
    /// Actions that later ones wait for.
    unanswered: usize,
    /// The model is told when nothing waits to be written.
    marked: bool,
    handshaking: bool,
    closing: bool,
    /// The peer has ended its side, or is gone.
    peer_is_done: bool,
    /// When a connection that is closing is given up, whatever still waits to be written.
    give_up: Option<Timestamp>,
    counted: Option<Counted>,
    /// The model has ended the session.
    ended: bool,
    /// Answers that are on the link and not on their way.
    unwritten: Vec<InOrder>,
}

/// How long a peer has to take what is written at the end.
const LAST_WORDS: Duration = Duration::from_secs(5);
impl Connection {
    async fn run(&mut self, source: &mut Source) {
        let stopping = self.shared.clone();
        let stop = stopping.stopped();
        let timer = tokio::time::sleep_until(self.due());
        tokio::pin!(stop, timer);
        let mut stopped = false;
        loop {
            if self.is_detached() || self.over() {
                return;
            }
            let link = Arc::clone(&self.link);
            let blocked = link.is_blocked() || (self.awaits_writing() && self.managed.is_none());
            let takes = self.takes();
            tokio::select! {
                taken = source.read(|input| begin(|| self.received(input))), if takes => {
                    if taken.is_err() && !self.lose() { return }
                }
                () = link.wake.notified() => {}
                ready = link.writable(), if blocked => {
                    if ready.is_err() && !self.lose() { return }
                    link.flush();
                }
                () = &mut timer => {}
                () = &mut stop, if !stopped => {
                    stopped = true;
                    self.link.closes_with(Status::GOING_AWAY);
                    self.session.end(StreamCondition::SystemShutdown, None);
                }
            }
            yielding_turn(|| {
                self.look();
                self.time();
                self.drain();
                self.tell_written();
            })
            .await;
            let due = self.due();
            if timer.deadline() > due || timer.is_elapsed() {
                timer.as_mut().reset(due);
            }
        }
    }

    fn now(&self) -> Now {
        let now = self.shared.now();
        Now {
            at: now.at,
            utc: now.utc,
        }
    }

    /// More may be read from the peer: not while an answer is awaited or a failure is held back.
    fn takes(&self) -> bool {
        !self.closing && !self.waits() && (self.handshaking || self.session.wants_bytes())
    }

    /// What comes next is held back.
    fn waits(&self) -> bool {
        self.held.is_some() || self.unanswered > 0
    }

    fn due(&self) -> tokio::time::Instant {
        let answer = self.managed.as_ref().and_then(|m| m.answer_by);
        let dues = [self.session.poll_timeout(), self.held, self.give_up, answer];
        let due = dues.into_iter().flatten().min();
        self.shared
            .clock
            .instant(due.unwrap_or(Timestamp(u64::MAX)))
    }

    /// Takes what has come from elsewhere.
    fn look(&mut self) {
        match self.link.broken() {
            Some(Broken::Unacknowledged) => self.closing = true,
            Some(Broken::Slow) if !self.part() => self.closing = true,
            Some(Broken::Socket) if !self.lose() => self.closing = true,
            _ => {}
        }
        while let Some(inbound) = self.inbox.take() {
            let now = self.now();
            match inbound {
                Inbound::Reply(found) => {
                    let (reply, begun, proven) = *found;
                    self.proven = proven.or(self.proven);
                    if begun.is_some() {
                        self.begun = begun;
                    }
                    self.session.handle_reply(now, reply);
                }
                Inbound::Mark => self.marked = true,
                Inbound::Answered => self.unanswered = self.unanswered.saturating_sub(1),
                Inbound::Ended(why) => {
                    self.ended = true;
                    let (condition, text) = ending(why);
                    self.session.end(condition, Some(text));
                }
                Inbound::Handled(handled) => self.acknowledge(handled),
                Inbound::GiveUp => self.closing |= self.is_detached(),
                Inbound::WhenWritten(turn) => self.unwritten.push(turn),
                Inbound::Takeover(takeover) => self.consider(takeover),
                Inbound::TooHigh(wrong) => self
                    .session
                    .end_with(|out| management::print::too_high(out, wrong)),
                Inbound::Resumed(connection, handled) => self.resume(connection, handled),
            }
        }
    }

    /// The model waits for what was delivered to be written. What came before the client knew its address is not on the link yet.
    fn awaits_writing(&self) -> bool {
        self.marked && self.route.as_ref().is_none_or(|r| r.is_open())
    }

    fn tell_written(&mut self) {
        if !self.link.is_blocked() {
            // What waited for them goes on with the next turn.
            self.unwritten = Vec::new();
        }
        if !self.awaits_writing() || !self.link.flush() || self.link.broken().is_some() {
            return;
        }
        // The client says itself what it has got.
        if let (Some(managed), Some((sent, acknowledged))) =
            (&mut self.managed, self.link.progress())
        {
            let at = *managed.written_at.get_or_insert(sent);
            if at.wrapping_sub(acknowledged).cast_signed() > 0 {
                return;
            }
            managed.written_at = None;
        } else if !self.link.is_delivered() {
            return;
        }
        self.marked = false;
        // What came after the end was dropped: it is given again when the session is withdrawn.
        if self.link.is_closed() {
            return;
        }
        if let Some((account, session)) = &self.bound {
            self.shared.model.written(account, *session);
        }
    }

    fn time(&mut self) {
        let now = self.now();
        if self.held.is_some_and(|until| until <= now.at) {
            self.held = None;
        }
        if self.session.poll_timeout().is_some_and(|at| at <= now.at) {
            if self.link.is_carried() {
                // Whoever asks for what comes is there; who does not is told of by the carrier.
                self.session.handle_life(now);
            }
            self.session.handle_timeout(now);
        }
        self.answer_in_time(now.at);
    }

    /// Does what the session wants, as far as that goes at once.
    fn drain(&mut self) {
        loop {
            // What was answered at once need not be waited for.
            if self.unanswered > 0 {
                self.look();
            }
            if self.waits() {
                return;
            }
            let Some(output) = self.session.poll_output() else {
                return self.open_route();
            };
            match output {
                Output::Send(octets) => self.link.append_last(|out| out.extend_from_slice(&octets)),
                Output::Stanza(octets) => self.link.append_own(&octets),
                Output::Lost => {
                    self.link
                        .append_end(StreamCondition::ConnectionTimeout, None);
                    self.link.flush();
                    self.closing |= !self.part();
                }
                Output::StartTls => {
                    let config = self
                        .shared
                        .certificates
                        .current()
                        .server_config(Listener::XmppStartTls);
                    self.handshaking = self.link.start_tls(config).is_ok();
                    self.closing |= !self.handshaking;
                }
                Output::Act(action) => self.act(action),
                Output::Close => {
                    if let Some(error) = self.session.error() {
                        self.link.closes_by(error);
                    }
                    self.closing = true;
                }
            }
        }
    }

    /// Nothing is left to be done. A session that is closing is withdrawn at once, however long its peer takes to hear of it.
    fn over(&mut self) -> bool {
        if !self.closing {
            return false;
        }
        let now = self.now().at;
        let give_up = *self.give_up.get_or_insert_with(|| now.plus(LAST_WORDS));
        turn(|| self.withdraw());
        !self.link.is_blocked() || self.link.broken().is_some() || give_up <= now
    }

    /// The client has been told its address.
    fn open_route(&mut self) {
        if let Some(route) = self.route.as_ref().filter(|r| !r.is_open()) {
            route.open();
        }
    }

    fn withdraw(&mut self) {
        let counts = self.link.counts();
        self.forget_stream();
        if let Some((account, session)) = self.bound.take() {
            if counts {
                lost::end(&self.shared.model, &account, &self.link);
            }
            self.link.close();
            self.shared.model.disconnect(&account, session, None);
        }
    }

    /// Counts it as something else, or not at all.
    fn count(&mut self, as_what: Option<Counted>) {
        let gauges = &self.shared.gauges;
        let of = |counted| match counted {
            Counted::Open => &gauges.xmpp_connections,
            Counted::Waiting => &gauges.xmpp_waiting,
        };
        if let Some(new) = as_what {
            of(new).fetch_add(1, Ordering::Relaxed);
        }
        if let Some(old) = std::mem::replace(&mut self.counted, as_what) {
            of(old).fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whatever the way it ended: what it began is settled and everybody who knew the session is told.
    fn finish(&mut self) {
        self.link.close();
        self.session.handle_eof(self.now());
        let mut rest = VecDeque::new();
        while let Some(output) = self.session.poll_output() {
            rest.push_back(output);
        }
        turn(|| {
            for output in rest {
                if let Output::Act(action @ (Action::Attempted { .. } | Action::Unavailable(_))) =
                    output
                {
                    self.act(action);
                }
            }
            self.withdraw();
        });
        self.give_back();
        self.link.finish();
    }
}

/// Also when its task is torn down in the middle, nobody is left behind as online.
impl Drop for Connection {
    fn drop(&mut self) {
        self.link.close();
        turn(|| self.withdraw());
        self.give_back();
        self.count(None);
    }
}

fn ending(why: Ended) -> (StreamCondition, &'static str) {
    match why {
        Ended::Replaced => (
            StreamCondition::Conflict,
            "another connection took this resource",
        ),
        Ended::Disabled => (StreamCondition::PolicyViolation, "the account was disabled"),
        Ended::Deleted => (StreamCondition::NotAuthorized, "the account was deleted"),
        Ended::ByAdmin => (
            StreamCondition::PolicyViolation,
            "an administrator ended this session",
        ),
        Ended::PasswordChanged => (StreamCondition::Reset, "the password was changed"),
    }
}
