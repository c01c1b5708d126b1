//! The short way of BOSH: plain requests `POST /http-bind` of HTTP/1.1 are read here, and answered by whoever has the answer.
//!
//! Nearly all that comes over HTTP is such requests, each of which is held for a while and answered because of what somebody else does. As
//! on a link over TCP, that somebody writes the answer to the socket: no task is woken, and a connection keeps no buffer while it waits
//! (decision 0013). Whatever else comes, also whatever of BOSH is not plain, is hyper's: it takes the connection over with all that was
//! read and not answered.
//!
//! | module | is |
//! |---|---|
//! | `head` | what a plain request is |
//! | `wire` | what the task of a connection and whoever has an answer share |
//! | `socket` | what the task reads and writes |
//! | `date` | the time of day |
//!
//! One request is answered at a time, in order, as hyper does: clients SHOULD NOT pipeline (XEP-0124 §12), and whoever does waits.

mod date;
mod head;
mod socket;
mod wire;

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context as Waking, Poll};
use std::time::Duration;

use ::bosh::{Body, Ticket};
use hyper::body::Bytes;
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

use super::body::BadBody;
use super::bosh::{self, Carried, Reply, Unreadable};
use super::context::Connected;
use super::dispatch::{self, Manner};
use super::host_meta;
use super::routes::{self, Route};

use head::{Head, Read};
use socket::Reader;
pub(super) use socket::Socket;
use wire::Found;
pub(super) use wire::Wire;

/// What is read ahead at most while a request waits for its answer.
const AHEAD: usize = 32 * 1024;

/// How long the rest of a request may take when the server stops.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why a connection is not served here any more.
pub(super) enum End {
    /// It is over.
    Over,
    /// Something else of HTTP/1 came.
    Http1 {
        /// The connection.
        socket: Socket,
        /// What was read of it and is not answered.
        read: Bytes,
    },
    /// It is HTTP/2.
    Http2 {
        /// The connection.
        socket: Socket,
        /// What was read of it.
        read: Bytes,
    },
}

/// Serves a connection as long as nothing else comes. `patience`: how long the first request may take.
pub(super) async fn serve(connected: &Connected, socket: Socket, patience: Duration) -> End {
    let Some(mut connection) = Connection::new(connected, socket, patience) else {
        return End::Over;
    };
    let mut stopped = pin!(connected.shared.stopped());
    let mut sleep = pin!(sleep_until(Instant::now() + patience));
    // Nothing else is kept by a connection that waits: what takes its time has a box of its own.
    loop {
        let event =
            poll_fn(|waking| connection.poll(waking, stopped.as_mut(), sleep.as_mut())).await;
        match event {
            Event::Asked(asked) => {
                if let Some((carried, body)) = connection.ask(*asked) {
                    Box::pin(carried.room()).await;
                    connection.hold(carried, *body);
                }
                // Whoever sends many at once that are answered at once does not keep the thread.
                coop::consume_budget().await;
            }
            Event::Left(left) => {
                if Box::pin(connection.write(left)).await.is_err() {
                    break;
                }
            }
            Event::Late => connection.refuse_late(),
            Event::Http1 => {
                return connection.hand_over(|socket, read| End::Http1 { socket, read });
            }
            Event::Http2 => {
                return connection.hand_over(|socket, read| End::Http2 { socket, read });
            }
            Event::Over => break,
        }
    }
    Box::pin(connection.close()).await;
    End::Over
}

struct Connection<'a> {
    connected: &'a Connected,
    route: &'static Route,
    wire: Arc<Wire>,
    socket: Reader,
    /// What was read and is no whole request yet.
    read: Vec<u8>,
    /// Since when content is awaited.
    begun: Option<Instant>,
    /// Where the request waits that was asked last. It does not keep a session that is over.
    held: Option<(Weak<Carried>, Ticket)>,
    /// How long the next request may take.
    patience: Duration,
    /// The client says nothing more; what it has said is answered.
    silent: bool,
    /// Since when the server stops: what was asked is answered, and nothing else.
    ends: Option<Instant>,
}

/// What has come.
enum Event {
    /// A request.
    Asked(Box<Asked>),
    /// An answer is to be written.
    Left(wire::Left),
    /// Something else.
    Http1,
    /// HTTP/2.
    Http2,
    /// The content of a request did not come in time.
    Late,
    /// The end.
    Over,
}

/// A request.
struct Asked {
    head: Head,
    body: Result<Body, Unreadable>,
}

impl<'a> Connection<'a> {
    fn new(connected: &'a Connected, socket: Socket, patience: Duration) -> Option<Self> {
        let (socket, direct) = socket.split();
        Some(Self {
            connected,
            route: routes::find(bosh::PATH, true)?,
            wire: Wire::new(direct),
            socket,
            read: Vec::new(),
            begun: None,
            held: None,
            patience,
            silent: false,
            ends: None,
        })
    }

    fn poll(
        &mut self,
        waking: &mut Waking<'_>,
        mut stopped: Pin<&mut (impl Future<Output = ()> + Send)>,
        sleep: Pin<&mut Sleep>,
    ) -> Poll<Event> {
        if self.ends.is_none() && stopped.as_mut().poll(waking).is_ready() {
            self.ends = Some(Instant::now());
        }
        let waits = loop {
            let eager = self.ends.is_some() || !self.read.is_empty();
            let waits = match self.wire.look(waking, eager) {
                Found::Left(left) => return Poll::Ready(Event::Left(left)),
                Found::Waiting => true,
                Found::Idle { closes: true } => return Poll::Ready(Event::Over),
                Found::Idle { closes: false } => false,
            };
            if !waits {
                self.held = None;
                if !self.read.is_empty()
                    && let Some(event) = self.next()
                {
                    return Poll::Ready(event);
                }
                // Of a request that has begun the rest may come.
                if self.silent || self.ends.is_some() && self.begun.is_none() {
                    return Poll::Ready(Event::Over);
                }
            } else if self.silent || self.read.len() >= AHEAD {
                break true;
            }
            match self.poll_read(waking, waits) {
                Poll::Ready(Some(event)) => return Poll::Ready(event),
                Poll::Ready(None) => {}
                Poll::Pending => break waits,
            }
        };
        self.poll_time(waking, sleep, waits)
    }

    /// Reads on. An event at once where a whole request comes in one piece.
    fn poll_read(&mut self, waking: &mut Waking<'_>, waits: bool) -> Poll<Option<Event>> {
        let (socket, read, begun) = (&mut self.socket, &mut self.read, &mut self.begun);
        let (connected, silent) = (self.connected, &mut self.silent);
        let come = socket.poll_read(waking, |octets| {
            if octets.is_empty() {
                // Who has asked ahead is answered; one that only waits has gone.
                *silent = waits && !read.is_empty();
                return (!*silent).then_some(Event::Over);
            }
            if waits || !read.is_empty() {
                read.extend_from_slice(octets);
                return None;
            }
            let (event, taken) = examine(connected, octets, begun);
            read.extend_from_slice(&octets[taken..]);
            event
        });
        come.map(|come| come.unwrap_or(Some(Event::Over)))
    }

    /// What stands in what was read before.
    fn next(&mut self) -> Option<Event> {
        let (event, taken) = examine(self.connected, &self.read, &mut self.begun);
        self.read.drain(..taken);
        if self.read.is_empty() || self.read.capacity() > AHEAD && taken > 0 {
            self.read.shrink_to_fit();
        }
        event
    }

    /// Looks at the time.
    fn poll_time(
        &mut self,
        waking: &mut Waking<'_>,
        mut sleep: Pin<&mut Sleep>,
        waits: bool,
    ) -> Poll<Event> {
        let limits = &self.connected.shared.config.limits;
        let late = self.begun.map(|begun| begun + limits.http_request_time);
        let late = match self.ends {
            Some(ends) => late.map(|late| late.min(ends + LAST_WORDS)),
            None => late,
        };
        if late.is_some_and(|late| late < sleep.deadline()) {
            sleep.as_mut().reset(late.unwrap_or_else(Instant::now));
        }
        while sleep.as_mut().poll(waking).is_ready() {
            let now = Instant::now();
            let due = match late {
                _ if waits => now + limits.http_idle_time,
                Some(late) => late,
                None => self.wire.last() + self.patience,
            };
            if due <= now {
                return Poll::Ready(late.map_or(Event::Over, |_| Event::Late));
            }
            sleep.as_mut().reset(due);
        }
        Poll::Pending
    }

    /// Hands a request to its session. Given back where that has no room for it yet.
    fn ask(&mut self, Asked { head, body }: Asked) -> Option<(Arc<Carried>, Box<Body>)> {
        self.patience = self.connected.shared.config.limits.http_idle_time;
        let (context, manner) = dispatch::known(self.connected, self.route, &head.request);
        self.wire.ask(manner, head.closes || self.ends.is_some());
        let elsewhere = || host_meta::bosh(&context, &head.request);
        let reply = || Reply::wire(Arc::clone(&self.wire));
        match bosh::ask(&context, elsewhere, body, reply) {
            bosh::Asked::Held(carried, ticket) => {
                self.held = Some((Arc::downgrade(&carried), ticket));
            }
            bosh::Asked::Refused(refusal) => self.wire.say(refusal.into(), None),
            bosh::Asked::Crowded(carried, body) => return Some((carried, body)),
        }
        None
    }

    /// There is room for a request.
    fn hold(&mut self, carried: Arc<Carried>, body: Body) {
        let ticket = carried.ask(body, Reply::wire(Arc::clone(&self.wire)));
        self.held = Some((Arc::downgrade(&carried), ticket));
    }

    /// Tells who sends a body too slowly.
    fn refuse_late(&mut self) {
        let most = bosh::most_octets(&self.connected.shared.config.limits);
        let manner = match head::read(&self.read, most) {
            Read::Ours(head) => dispatch::known(self.connected, self.route, &head.request).1,
            _ => Manner::default(),
        };
        self.wire.ask(manner, true);
        self.wire.say(BadBody::TooSlow.into(), None);
        self.read = Vec::new();
        self.begun = None;
    }

    /// Writes what whoever had the answer could not.
    async fn write(&mut self, mut left: wire::Left) -> io::Result<()> {
        if let Some(turn) = &left.turn {
            turn.come().await;
        }
        let patience = self.connected.shared.config.limits.http_idle_time;
        self.socket.write(&self.wire, &mut left, patience).await?;
        self.wire.seen();
        Ok(())
    }

    /// A request that waits has lost its connection.
    async fn close(&mut self) {
        if self.wire.give_up()
            && let Some((carried, ticket)) = self.held.take()
            && let Some(carried) = carried.upgrade()
        {
            carried.disconnect(ticket);
        }
        self.socket.finish(&self.wire).await;
    }

    fn hand_over(self, end: impl FnOnce(Socket, Bytes) -> End) -> End {
        match self.socket.join(self.wire.take()) {
            Some(socket) => end(socket, self.read.into()),
            None => End::Over,
        }
    }
}

/// Looks for a request at the beginning of what was read, and how much of that it takes. `begun`: since when its content is awaited.
fn examine(
    connected: &Connected,
    octets: &[u8],
    begun: &mut Option<Instant>,
) -> (Option<Event>, usize) {
    let shared = &connected.shared;
    let head = match head::read(octets, bosh::most_octets(&shared.config.limits)) {
        Read::Partial => return (None, 0),
        Read::Other => return (Some(Event::Http1), 0),
        Read::Http2 => return (Some(Event::Http2), 0),
        Read::Ours(head) => head,
    };
    let end = head.octets + head.length;
    let Some(content) = octets.get(head.octets..end) else {
        begun.get_or_insert_with(Instant::now);
        return (None, 0);
    };
    *begun = None;
    let body = bosh::read(shared, content);
    (Some(Event::Asked(Box::new(Asked { head, body }))), end)
}
