//! XMPP client connections: one task each, which reads; writing is done by whoever has something to write.

mod act;
mod login;
mod route;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::{Ended, SessionId};
use presence::{Bare, Timestamp};
use xmpp::Now;
use xmpp::StreamCondition;
use xmpp::session::{Output, Secured, Session};
use xmpp::{Action, Reply};

use super::link::{Broken, Link};
use super::shared::Shared;
use super::turn::{turn, yielding_turn};
use crate::certificates::Listener;

pub(crate) use route::{Inbox, XmppRoute};

/// What is read in one piece.
const PIECE: usize = 16 * 1024;
/// How many pieces one connection may read before others have their turn.
const PIECES: usize = 4;

/// Something for a session from elsewhere than its peer.
pub(crate) enum Inbound {
    /// The answer to an action that blocks.
    Reply(Reply),
    /// The model ends the session.
    Ended(Ended),
}

struct Connection {
    shared: Arc<Shared>,
    link: Arc<Link>,
    inbox: Arc<Inbox>,
    session: Box<Session>,
    /// The account and session, once bound.
    bound: Option<(Bare, SessionId)>,
    /// A login has failed: what follows is not told before this.
    held: Option<Timestamp>,
    handshaking: bool,
    closing: bool,
}

/// Serves one accepted connection until it ends.
pub(crate) async fn serve(shared: Arc<Shared>, link: Arc<Link>, direct: bool) {
    shared
        .gauges
        .xmpp_connections
        .fetch_add(1, Ordering::Relaxed);
    let secured = if direct {
        handshake(&shared, &link).await
    } else {
        Some(None)
    };
    if let Some(secured) = secured {
        let session = Session::new(
            Arc::clone(&shared.xmpp),
            shared.now().at,
            secured,
            rand::random(),
        );
        let mut connection = Connection {
            inbox: Arc::new(Inbox::default()),
            session: Box::new(session),
            bound: None,
            held: None,
            handshaking: false,
            closing: false,
            shared: Arc::clone(&shared),
            link,
        };
        connection.run().await;
        connection.finish();
    }
    shared
        .gauges
        .xmpp_connections
        .fetch_sub(1, Ordering::Relaxed);
}

/// TLS from the first octet on (XEP-0368). `None` when it came to nothing in the time there is.
async fn handshake(shared: &Shared, link: &Link) -> Option<Option<Secured>> {
    link.start_tls(
        shared
            .certificates
            .current()
            .server_config(Listener::XmppDirect),
    )
    .ok()?;
    let deadline = shared.config.limits.unauthenticated_time;
    let shaken = async {
        loop {
            link.readable().await.ok()?;
            match link.read(&mut [0; 1]) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                    return secured(shared, link);
                }
                Ok(_) | Err(_) => return None,
            }
        }
    };
    tokio::select! {
        shaken = tokio::time::timeout(deadline, shaken) => shaken.ok().flatten().map(Some),
        () = shared.stopped() => None,
    }
}

/// What a finished handshake gives to channel binding.
fn secured(shared: &Shared, link: &Link) -> Option<Secured> {
    let done = link.handshaken()?;
    let certificates = shared.certificates.current();
    let server_end_point = certificates
        .end_point(done.server_name.as_deref())
        .map(<[u8]>::to_vec);
    Some(Secured {
        exporter: done.exporter,
        server_end_point,
        sni: done.server_name,
    })
}

impl Connection {
    async fn run(&mut self) {
        let stopping = self.shared.clone();
        let stop = stopping.stopped();
        let timer = tokio::time::sleep_until(self.due());
        tokio::pin!(stop, timer);
        let mut stopped = false;
        let link = Arc::clone(&self.link);
        loop {
            let blocked = link.is_blocked();
            let mut readable = false;
            tokio::select! {
                ready = link.readable(), if self.takes() => {
                    if ready.is_err() { return }
                    readable = true;
                }
                () = link.wake.notified() => {}
                ready = link.writable(), if blocked => {
                    if ready.is_err() { return }
                    link.flush();
                }
                () = &mut timer => {}
                () = &mut stop, if !stopped => {
                    stopped = true;
                    self.session.end(StreamCondition::SystemShutdown, None);
                }
            }
            yielding_turn(|| {
                self.look();
                if readable {
                    self.read();
                }
                self.time();
                self.drain();
            })
            .await;
            if self.over() {
                return;
            }
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
        !self.closing && self.held.is_none() && (self.handshaking || self.session.wants_bytes())
    }

    fn due(&self) -> tokio::time::Instant {
        let due = match (self.session.poll_timeout(), self.held) {
            (Some(a), Some(b)) => a.min(b),
            (Some(a), None) | (None, Some(a)) => a,
            (None, None) => Timestamp(u64::MAX),
        };
        self.shared.clock.instant(due)
    }

    /// Takes what has come from elsewhere.
    fn look(&mut self) {
        if self.link.broken() == Some(Broken::Slow) {
            self.closing = true;
        }
        while let Some(inbound) = self.inbox.take() {
            let now = self.now();
            match inbound {
                Inbound::Reply(reply) => self.session.handle_reply(now, reply),
                Inbound::Ended(why) => {
                    self.bound = None;
                    let (condition, text) = ending(why);
                    self.session.end(condition, Some(text));
                }
            }
        }
    }

    fn read(&mut self) {
        thread_local! {
            static BUFFER: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::new(vec![0; PIECE]);
        }
        for _ in 0..PIECES {
            let more = BUFFER.with_borrow_mut(|buffer| match self.link.read(buffer) {
                Ok(0) => {
                    self.session.handle_eof(self.now());
                    self.closing = true;
                    false
                }
                Ok(n) => {
                    self.session.handle_bytes(self.now(), &buffer[..n]);
                    n == buffer.len() || self.handshaking
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => true,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => false,
                Err(error) => {
                    tracing::debug!(peer = %self.link.peer(), %error, "the connection was lost");
                    self.session.handle_eof(self.now());
                    self.closing = true;
                    false
                }
            });
            self.handshaken();
            self.drain();
            if !more || !self.takes() {
                return;
            }
        }
    }

    fn handshaken(&mut self) {
        if !self.handshaking {
            return;
        }
        if let Some(secured) = secured(&self.shared, &self.link) {
            self.handshaking = false;
            self.session.handle_secured(self.now(), secured);
        }
    }

    fn time(&mut self) {
        let now = self.now();
        if self.held.is_some_and(|until| until <= now.at) {
            self.held = None;
        }
        if self.session.poll_timeout().is_some_and(|at| at <= now.at) {
            self.session.handle_timeout(now);
        }
    }

    /// Does what the session wants, as far as that goes at once.
    fn drain(&mut self) {
        while self.held.is_none() {
            let Some(output) = self.session.poll_output() else {
                return;
            };
            match output {
                Output::Send(octets) => self.link.append(|out| out.extend_from_slice(&octets)),
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
                Output::Close => self.closing = true,
            }
        }
    }

    fn over(&self) -> bool {
        self.closing && (!self.link.is_blocked() || self.link.broken().is_some())
    }

    /// Whatever the way it ended: what it began is settled and everybody who knew the session is told.
    fn finish(mut self) {
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
            if let Some((account, session)) = self.bound.take() {
                self.shared.model.disconnect(&account, session, None);
            }
        });
        self.link.finish();
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
        Ended::PasswordChanged => (StreamCondition::Reset, "the password was changed"),
    }
}
