//! One session of BOSH as the carrier of a stream.
//!
//! Requests come in by [`Carried::ask`], in whatever task they are read; the stream is served by a task of its own, which takes
//! elements out and puts them in. While its lock is held an answer is written, which locks its connection (`quick::wire`) and the turns of
//! answers ([`super::turns`]), in this order; neither of them locks anything behind itself.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use bosh::{Body, Event, Session, Ticket, Time};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::registry::Registry;
use super::reply::Reply;
use super::stream;
use super::turns::Turns;
use crate::server::accept::Counting;
use crate::server::http::Side;
use crate::server::link::Carrier;
use crate::server::shared::{Clock, Stage};

/// How many octets may wait for the stream to take them before requests have to wait.
const QUEUE: usize = 512 * 1024;

/// Where a session belongs.
pub(super) struct Whose {
    pub(super) registry: Weak<Registry>,
    pub(super) clock: Clock,
    pub(super) stop: watch::Receiver<Stage>,
    pub(super) side: Side,
    /// It was begun where nobody listens.
    pub(super) confidential: bool,
    pub(super) peer: SocketAddr,
    /// Counts the session while it lives.
    #[expect(dead_code, reason = "it counts by being there")]
    pub(super) counting: Counting,
}

/// A session.
pub(in super::super) struct Carried {
    whose: Whose,
    sid: Box<str>,
    content: Option<Box<str>>,
    legacy: bool,
    state: Mutex<State>,
}

struct State {
    session: Session,
    tickets: u64,
    /// Requests that wait for their answers.
    held: Vec<(Ticket, Reply)>,
    turns: Arc<Turns>,
    /// What the stream has not taken, and how much it is.
    incoming: VecDeque<Vec<u8>>,
    queued: usize,
    /// Nothing comes behind that.
    gone: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Requests that wait for the stream to take what came before.
    crowd: Vec<Waker>,
    /// Octets that were taken from the stream.
    taken: u64,
    /// What the stream said of itself was handed on.
    described: bool,
    /// For when the session is entered with the timers.
    entered: Time,
}

impl Carried {
    pub(super) fn new(whose: Whose, session: Session) -> Self {
        let terms = session.terms();
        Self {
            whose,
            sid: session.sid().into(),
            content: terms.content.clone(),
            legacy: terms.is_legacy(),
            state: Mutex::new(State {
                session,
                tickets: 0,
                held: Vec::new(),
                turns: Arc::default(),
                incoming: VecDeque::new(),
                queued: 0,
                gone: false,
                reader: None,
                writer: None,
                crowd: Vec::new(),
                taken: 0,
                described: false,
                entered: Time(u64::MAX),
            }),
        }
    }

    /// It may go on here: on the side that it was begun on, and not in the clear if that was not (XEP-0124 §18.1).
    pub(super) fn may_go_on(&self, side: Side, confidential: bool) -> bool {
        self.whose.side == side && (confidential || !self.whose.confidential)
    }

    /// The content type of its answers.
    pub(super) fn content(&self) -> &str {
        self.content.as_deref().unwrap_or(bosh::terms::CONTENT)
    }

    /// Its client wants HTTP codes.
    pub(super) fn is_legacy(&self) -> bool {
        self.legacy
    }

    /// The first request waits for its answer, and the stream is opened.
    pub(super) fn begin(self: &Arc<Self>, ticket: Ticket, body: &Body, reply: Reply) {
        self.with(|state, _| {
            state.held.push((ticket, reply));
            state.push(stream::open(body));
            if body.opening.as_ref().is_some_and(|o| o.secure) {
                state.session.describe(&[("secure", "true")]);
            }
        });
    }

    /// The stream has taken enough of what came before.
    pub(super) fn has_room(&self) -> bool {
        self.state.lock().has_room()
    }

    /// Waits until it has.
    pub(in super::super) async fn room(&self) {
        poll_fn(|context| {
            let mut state = self.state.lock();
            if state.has_room() {
                return Poll::Ready(());
            }
            state.crowd.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Takes a request.
    pub(in super::super) fn ask(self: &Arc<Self>, body: Body, reply: Reply) -> Ticket {
        self.hold(reply, |session, now, ticket| {
            session.handle_request(now, ticket, body);
        })
    }

    /// Takes a request that cannot be read, with the id that it seems to have.
    pub(super) fn ask_unreadable(self: &Arc<Self>, rid: Option<u64>, reply: Reply) -> Ticket {
        self.hold(reply, |session, _, ticket| {
            session.handle_unreadable(ticket, rid);
        })
    }

    fn hold(
        self: &Arc<Self>,
        reply: Reply,
        request: impl FnOnce(&mut Session, Time, Ticket),
    ) -> Ticket {
        self.with(|state, now| {
            state.tickets += 1;
            let ticket = Ticket(state.tickets);
            state.held.push((ticket, reply));
            request(&mut state.session, now, ticket);
            ticket
        })
    }

    /// The connection of a request was lost before the answer came.
    pub(in super::super) fn disconnect(self: &Arc<Self>, ticket: Ticket) {
        self.with(|state, now| {
            state.held.retain(|(other, _)| *other != ticket);
            state.session.handle_disconnect(now, ticket);
        });
    }

    /// The time has come for which it was entered.
    pub(super) fn time(self: &Arc<Self>, due: Time) {
        // An entry that an earlier one has replaced is over: entered again it would never end.
        if self.state.lock().entered != due {
            return;
        }
        self.with(|state, now| {
            state.entered = Time(u64::MAX);
            if state.session.poll_timeout().is_some_and(|due| due <= now) {
                state.session.handle_timeout(now);
            }
        });
    }

    /// The server ends, and its streams with it.
    fn stops(&self) -> bool {
        *self.whose.stop.borrow() >= Stage::Closing
    }

    /// The stream goes on without this session, or has ended without saying so.
    fn leave(self: &Arc<Self>) {
        self.with(|state, now| {
            state.gone = true;
            state
                .session
                .handle_terminate(now, Some(bosh::Condition::RemoteConnectionFailed), &[]);
        });
    }

    /// Does something and what follows from it: answers, elements, timers.
    fn with<T>(self: &Arc<Self>, work: impl FnOnce(&mut State, Time) -> T) -> T {
        let now = Time(self.whose.clock.now().at.0);
        let mut state = self.state.lock();
        let result = work(&mut state, now);
        let wakers = state.pump(self.content());
        let over = state.session.is_over();
        // Whoever waits for the answer of a session that is over is told so.
        let unanswered = over.then(|| std::mem::take(&mut state.held));
        let due = state.session.poll_timeout();
        let before = state.entered;
        let enter = due.filter(|due| *due < before);
        if let Some(due) = enter {
            state.entered = due;
        }
        drop(state);
        for (_, reply) in unanswered.into_iter().flatten() {
            reply.abandon(self.legacy);
        }
        wakers.into_iter().flatten().for_each(Waker::wake);
        if let (true, Some(registry)) = (over || enter.is_some(), self.whose.registry.upgrade()) {
            if over {
                registry.remove(&self.sid);
                registry.timers.forget(before, self);
            } else if let Some(due) = enter {
                registry.timers.enter(due, before, self);
            }
        }
        result
    }
}

impl State {
    fn push(&mut self, element: Vec<u8>) {
        self.queued += element.len();
        self.incoming.push_back(element);
    }

    /// Hands out what the session has; who is to be woken.
    fn pump(&mut self, content: &str) -> [Option<Waker>; 2] {
        let mut heard = false;
        while let Some(event) = self.session.poll_event() {
            heard = true;
            match event {
                Event::Element(octets) => self.push(octets.into()),
                Event::Restart { to, from, lang } => {
                    self.push(stream::reopen(to, from, lang));
                }
                Event::Terminated => self.push(stream::close()),
                Event::Lost(why) => {
                    tracing::debug!(?why, "a BOSH session was lost");
                    self.gone = true;
                }
            }
        }
        while let Some(answer) = self.session.poll_answer() {
            let at = self
                .held
                .iter()
                .position(|(ticket, _)| *ticket == answer.ticket);
            if let Some(at) = at {
                // One that has gone meanwhile asks again.
                let turn = self.turns.next();
                let (_, reply) = self.held.swap_remove(at);
                reply.give(answer, content, turn);
            }
        }
        if self.gone || !self.session.holds_request() {
            self.crowd.drain(..).for_each(Waker::wake);
        }
        let session = &self.session;
        let writes = || session.has_room() || session.has_ended() || session.is_delivered();
        let reads = heard || self.gone || !self.incoming.is_empty();
        [
            self.reader.take_if(|_| reads),
            self.writer.take_if(|_| writes()),
        ]
    }

    fn has_room(&self) -> bool {
        // Without a request to answer nothing can be written, and the stream may wait for that before it takes more.
        self.queued < QUEUE || self.gone || !self.session.holds_request()
    }

    /// What the stream takes next.
    fn take(&mut self) -> Option<Vec<u8>> {
        let element = self.incoming.pop_front()?;
        self.queued -= element.len();
        if self.incoming.is_empty() {
            // Nothing is kept for the next time: most sessions are idle.
            self.incoming = VecDeque::new();
        }
        if self.queued < QUEUE {
            self.crowd.drain(..).for_each(Waker::wake);
        }
        Some(element)
    }
}

fn wait<T>(place: &mut Option<Waker>, context: &Context<'_>) -> Poll<T> {
    match place {
        Some(waker) => waker.clone_from(context.waker()),
        None => *place = Some(context.waker().clone()),
    }
    Poll::Pending
}

/// The session in the hands of its stream.
pub(super) struct Handle(Arc<Carried>);

impl Handle {
    pub(super) fn new(carried: Arc<Carried>) -> Self {
        Self(carried)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Carrier for Handle {
    fn poll_element(&self, context: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        let mut state = self.0.state.lock();
        match state.take() {
            Some(element) => Poll::Ready(Some(element)),
            None if state.gone => Poll::Ready(None),
            None => wait(&mut state.reader, context),
        }
    }

    fn try_write(&self, elements: &mut Vec<u8>) -> io::Result<()> {
        let said = stream::Said::read(elements);
        self.0.with(|state, now| {
            if state.session.has_ended() {
                // Its client has ended it, or is gone: nobody gets this, and it is not counted as delivered.
                elements.clear();
                return Ok(());
            }
            let ends = said.as_ref().is_some_and(|said| said.end.is_some());
            let stops = self.0.stops();
            if !ends && !stops && !state.session.has_room() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            state.taken += elements.len() as u64;
            match said {
                // At the end of the server all goes with the last word: there may be no other request to tell it with.
                None if stops => state.session.defer_output(elements),
                None => state.session.handle_output(now, elements),
                Some(said) => said.hand_on(&mut state.session, now, &mut state.described),
            }
            elements.clear();
            Ok(())
        })
    }

    fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.state.lock();
        if state.session.has_ended() || state.session.has_room() || self.0.stops() {
            return Poll::Ready(Ok(()));
        }
        wait(&mut state.writer, context)
    }

    fn delivered(&self) -> u64 {
        let state = self.0.state.lock();
        let undelivered = state.session.undelivered_octets() as u64;
        state.taken.saturating_sub(undelivered)
    }

    fn poll_delivered(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.state.lock();
        if state.session.is_delivered() && !state.session.has_ended() {
            return Poll::Ready(Ok(()));
        }
        wait(&mut state.writer, context)
    }

    fn finish(&self) {
        self.0.leave();
    }

    fn peer(&self) -> SocketAddr {
        self.0.whose.peer
    }
}
