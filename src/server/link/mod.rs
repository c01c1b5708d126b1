//! One connection: its socket and TLS or what else carries it, and its queue of what is to be written.
//!
//! What is appended is an element as it stands in a stream; where elements are framed (WebSocket, BOSH) it gets its frame in the queue. The
//! queue is a leaf lock: whoever holds it takes no other but that of a carrier.

mod carrier;
mod framing;
mod managed;
mod messages;
mod read;
mod spare;
mod tls;
mod unheard;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use parking_lot::Mutex;
use rustls::ServerConnection;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use xmpp::management::{self, Sent};

pub(crate) use carrier::Carrier;
pub(crate) use managed::Kept;
pub(crate) use read::{Input, Source, read};

use super::turn;
use super::websocket::Status;
use framing::Framing;
use managed::Lost;
use unheard::{Unheard, missed};

/// Why a link takes nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The peer does not read as fast as it is written to (`[limits] out_queue`).
    Slow,
    /// The peer does not acknowledge what it gets (`[limits] resume_stanzas`, `resume_bytes`).
    Unacknowledged,
    /// The socket or TLS failed.
    Socket,
}

/// A connection, shared by the task that reads it and by everybody who writes to it. One whose stream can be resumed outlives its
/// socket and goes on with another.
pub(crate) struct Link {
    io: Mutex<Io>,
    closed: AtomicBool,
    /// Wakes the task that reads: the socket was full, the link broke, or an answer has come.
    pub(crate) wake: Notify,
}

/// Where what is written goes.
enum Sink {
    /// Nowhere: the connection is lost.
    Lost,
    Socket(OwnedWriteHalf),
    Carried(Arc<dyn Carrier>),
}

/// Where it is noted what was said.
enum Ledger<'a> {
    /// Every stanza, until the peer acknowledges it.
    Managed(&'a mut Sent<Kept>),
    /// Stanzas that somebody would miss, until the carrier has delivered them.
    Carried(&'a mut Option<Lost>),
}

struct Io {
    sink: Sink,
    framing: Framing,
    peer: SocketAddr,
    tls: Option<Box<ServerConnection>>,
    /// What is to be written, before encryption.
    plain: Vec<u8>,
    /// How much of it is written.
    written: usize,
    /// So much from its beginning does not count against the limit.
    granted: usize,
    marked: bool,
    blocked: bool,
    /// The WebSocket connection closes: no frame comes behind that (RFC 6455 §5.5.1).
    shut: bool,
    /// Why, where nothing else is said.
    status: Status,
    broken: Option<Broken>,
    limit: usize,
    /// What was sent on a managed stream and is not acknowledged (XEP-0198).
    managed: Option<Box<Sent<Kept>>>,
    /// What was said over a carrier, on a stream that is not managed, and is not known to have arrived.
    unheard: Option<Box<Unheard>>,
}

impl Link {
    /// A link over a connection, and the half of its socket that is read from. Behind more than `limit` octets nothing may wait to be
    /// written; 0 for no limit.
    pub(crate) fn new(
        socket: TcpStream,
        peer: SocketAddr,
        limit: usize,
    ) -> (Arc<Self>, OwnedReadHalf) {
        let _ = socket.set_nodelay(true);
        let (reader, socket) = socket.into_split();
        let link = Self::over(Sink::Socket(socket), Framing::Stream, None, peer, limit);
        (link, reader)
    }

    /// A link for framed elements over what carries them, and what is read from.
    pub(crate) fn carried(carrier: &Arc<dyn Carrier>, limit: usize) -> (Arc<Self>, Source) {
        let (peer, sink) = (carrier.peer(), Sink::Carried(Arc::clone(carrier)));
        let link = Self::over(sink, Framing::Elements, None, peer, limit);
        (link, Source::Carried(Arc::clone(carrier)))
    }

    fn over(
        sink: Sink,
        framing: Framing,
        tls: Option<Box<ServerConnection>>,
        peer: SocketAddr,
        limit: usize,
    ) -> Arc<Self> {
        let unheard = matches!(sink, Sink::Carried(_)).then(Box::default);
        Arc::new(Self {
            io: Mutex::new(Io {
                sink,
                framing,
                peer,
                tls,
                plain: Vec::new(),
                written: 0,
                granted: 0,
                marked: false,
                blocked: false,
                shut: false,
                status: Status::NORMAL,
                broken: None,
                limit,
                managed: None,
                unheard,
            }),
            closed: AtomicBool::new(false),
            wake: Notify::new(),
        })
    }

    /// The other end.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.io.lock().peer
    }

    /// Appends a stanza to the queue, or nothing. What comes after the end is dropped.
    pub(crate) fn append(self: &Arc<Self>, write: impl FnOnce(&mut Vec<u8>)) {
        self.append_kept(write, || None);
    }

    /// Appends a stanza, and what is to be known of it when the peer never acknowledges it. False when nothing becomes of it.
    pub(crate) fn append_kept(
        self: &Arc<Self>,
        write: impl FnOnce(&mut Vec<u8>),
        keep: impl FnOnce() -> Option<Kept>,
    ) -> bool {
        let closed = self.is_closed();
        if closed && !self.is_managed() {
            return false;
        }
        // What comes after the end on a managed stream is kept for others.
        self.add(!closed, write, |ledger, stanza| match ledger {
            _ if stanza.is_empty() => true,
            Ledger::Managed(sent) => sent.push(stanza, keep()).is_ok(),
            Ledger::Carried(entry) => {
                *entry = missed(stanza, keep);
                true
            }
        })
    }

    /// Appends to the queue, also after the end, what is no stanza, or comes before stanzas are counted: for the task that reads, which
    /// has the last word.
    pub(crate) fn append_last(self: &Arc<Self>, write: impl FnOnce(&mut Vec<u8>)) {
        self.add(true, write, |_, _| true);
    }

    /// Appends a stanza, also after the end: for the task that reads.
    pub(crate) fn append_own(self: &Arc<Self>, stanza: &[u8]) {
        self.add(
            true,
            |out| out.extend_from_slice(stanza),
            |ledger, stanza| match ledger {
                Ledger::Managed(sent) => sent.push(stanza, None).is_ok(),
                Ledger::Carried(_) => true,
            },
        );
    }

    fn is_managed(&self) -> bool {
        self.io.lock().managed.is_some()
    }

    /// Adds to what is to be written, where it `says` anything yet. `count` is asked on a managed stream, also while the connection is
    /// lost: false when the peer owes too many acknowledgements. Gives back false when nothing was added anywhere.
    fn add(
        self: &Arc<Self>,
        says: bool,
        write: impl FnOnce(&mut Vec<u8>),
        count: impl FnOnce(Ledger<'_>, &[u8]) -> bool,
    ) -> bool {
        let mut guard = self.io.lock();
        let io = &mut *guard;
        let lost = io.is_lost() || !says;
        if lost && io.managed.is_none() {
            return false;
        }
        if io.plain.capacity() == 0 {
            io.plain = spare::take();
        }
        // What is longer than the limit may wait alone: a reader who keeps up gets it.
        let mut begin = io.plain.len();
        let waiting = begin - io.written.max(io.granted);
        write(&mut io.plain);
        let (mut broken, mut entry) = (None, None);
        if let Some(sent) = &mut io.managed {
            // Kept without its frame: it may go on another kind of link the next time.
            if !count(Ledger::Managed(sent), &io.plain[begin..]) {
                broken = Some(Broken::Unacknowledged);
            } else if !lost && sent.ask() {
                io.framing.apply(&mut io.plain, begin);
                begin = io.plain.len();
                management::print::ask(&mut io.plain);
            }
        } else if io.unheard.is_some() {
            count(Ledger::Carried(&mut entry), &io.plain[begin..]);
        }
        if lost {
            io.plain.truncate(begin);
        } else {
            io.framing.apply(&mut io.plain, begin);
            if let (Some(unheard), Some(entry)) = (&mut io.unheard, entry) {
                unheard.push(io.plain.len(), entry);
            }
            if io.limit > 0 && waiting > io.limit {
                broken.get_or_insert(Broken::Slow);
            }
        }
        if broken.is_some() {
            if !lost {
                io.forget_queue();
                // What was written ends with a whole frame, unless some of it still waits.
                if !io.blocked {
                    io.shut(Some(Status::POLICY));
                }
            }
            io.broken = broken;
            drop(guard);
            self.wake.notify_one();
        } else if !lost && !io.marked && !io.blocked {
            io.marked = true;
            drop(guard);
            turn::mark(self);
        }
        true
    }

    /// Nothing may be appended any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// From now on nothing is appended but by [`Self::append_last`]. What is in the queue is still written.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Why the link broke, when it did.
    pub(crate) fn broken(&self) -> Option<Broken> {
        self.io.lock().broken
    }

    /// Writes what is in the queue as far as the socket takes it. True when nothing is left.
    pub(crate) fn flush(&self) -> bool {
        let mut io = self.io.lock();
        io.marked = false;
        match io.write_out() {
            Ok(()) => {
                io.blocked = false;
                true
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if !io.blocked {
                    io.blocked = true;
                    drop(io);
                    self.wake.notify_one();
                }
                false
            }
            Err(_) => {
                io.broken = Some(Broken::Socket);
                drop(io);
                self.wake.notify_one();
                true
            }
        }
    }

    /// The socket was full: the reading task waits until it takes more.
    pub(crate) fn is_blocked(&self) -> bool {
        let io = self.io.lock();
        io.blocked && io.broken.is_none()
    }

    /// Waits until something can be written, or, where nothing waits for that, until what was written has arrived.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        poll_fn(|context| {
            let io = self.io.lock();
            match &io.sink {
                Sink::Socket(socket) => socket.as_ref().poll_write_ready(context),
                Sink::Carried(carrier) if io.blocked => carrier.poll_write_ready(context),
                Sink::Carried(carrier) => carrier.poll_delivered(context),
                Sink::Lost => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            }
        })
        .await
    }

    /// What was written has arrived, as far as this way tells: on a socket that is not known.
    pub(crate) fn is_delivered(&self) -> bool {
        let io = self.io.lock();
        match (&io.sink, &io.unheard) {
            (Sink::Carried(carrier), Some(unheard)) => carrier.delivered() >= unheard.handed(),
            _ => true,
        }
    }

    /// It is known, and told when the link ends, what has not arrived.
    pub(crate) fn counts(&self) -> bool {
        let io = self.io.lock();
        io.managed.is_some() || io.unheard.is_some()
    }

    /// Something else than a socket carries it, and knows itself whether the peer is there.
    pub(crate) fn is_carried(&self) -> bool {
        matches!(self.io.lock().sink, Sink::Carried(_))
    }

    /// Takes in octets from the socket, as far as TLS has room: `octets` is moved on over what was taken. What they are decrypted to
    /// is appended to `plain`. True when the handshake was finished by them; then no more was taken, since what follows belongs to the
    /// time after.
    pub(crate) fn take_in(&self, octets: &mut &[u8], plain: &mut Vec<u8>) -> io::Result<bool> {
        let mut io = self.io.lock();
        if io.tls.is_none() {
            plain.extend_from_slice(octets);
            *octets = &[];
            return Ok(false);
        }
        io.take_in(octets, plain)
    }

    /// TLS is in place or begun.
    pub(crate) fn has_tls(&self) -> bool {
        self.io.lock().tls.is_some()
    }

    /// Begins TLS as the server. What was queued before is written in the clear first.
    pub(crate) fn start_tls(&self, config: Arc<rustls::ServerConfig>) -> io::Result<()> {
        let connection = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut io = self.io.lock();
        io.write_out()?;
        io.tls = Some(Box::new(connection));
        Ok(())
    }

    /// Ends the writing side: a WebSocket connection closes, TLS close_notify, then FIN.
    pub(crate) fn finish(&self) {
        let mut io = self.io.lock();
        io.shut(None);
        let _ = io.write_out();
        if let Some(tls) = &mut io.tls {
            tls.send_close_notify();
            let _ = io.write_out();
        }
        match &io.sink {
            Sink::Socket(socket) => {
                let _ = socket2::SockRef::from(socket.as_ref()).shutdown(std::net::Shutdown::Write);
            }
            Sink::Carried(carrier) => carrier.finish(),
            Sink::Lost => {}
        }
    }
}

impl Io {
    /// Nothing can be written: it waits for another connection, or for its end.
    fn is_lost(&self) -> bool {
        self.broken.is_some() || self.shut || matches!(self.sink, Sink::Lost)
    }

    /// Puts an element into the queue that is not counted.
    fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let begin = self.plain.len();
        write(&mut self.plain);
        self.framing.apply(&mut self.plain, begin);
    }

    fn forget_queue(&mut self) {
        self.plain = Vec::new();
        (self.written, self.granted) = (0, 0);
    }
}
