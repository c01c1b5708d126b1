//! Locks called in line: accounts behind their own lock, connections with an out queue as leaf lock.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;

use crate::frame::{self, Kind};

/// Who writes a dirty queue to its socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flush {
    /// The sender's thread, at the end of the read that made it dirty.
    Inline,
    /// The sender's thread, after every connection that was ready has been read (pinned threads only).
    Turn,
    /// The recipient's own task, woken for it.
    Woken,
    /// The sender's task: at once when few queues are dirty, else after it has let the other ready tasks run, so that
    /// what they send to the same recipients goes out with the same write.
    Yield,
}

#[derive(Default)]
struct Out {
    bytes: Vec<u8>,
    spare: Vec<u8>,
    /// Somebody is writing, or waits for the socket; whoever that is looks again before stopping.
    busy: bool,
}

struct Connection {
    out: Mutex<Out>,
    socket: OwnedWriteHalf,
    wake: Notify,
}

impl Connection {
    /// Appends; true when the caller now owes a flush (nobody else does).
    fn append(&self, frame: &[u8]) -> bool {
        let mut out = self.out.lock();
        let owed = out.bytes.is_empty() && !out.busy;
        out.bytes.extend_from_slice(frame);
        owed
    }

    /// Writes what is queued. The lock is never held over the system call, so an append never waits for one.
    fn flush(self: &Arc<Self>) {
        let mut out = self.out.lock();
        if out.busy || out.bytes.is_empty() {
            return;
        }
        out.busy = true;
        loop {
            let spare = std::mem::take(&mut out.spare);
            let mut bytes = std::mem::replace(&mut out.bytes, spare);
            drop(out);
            let written = self.write(&bytes);
            out = self.out.lock();
            if written < bytes.len() {
                let newer = std::mem::take(&mut out.bytes);
                bytes.drain(..written);
                bytes.extend_from_slice(&newer);
                out.bytes = bytes;
                drop(out);
                let connection = Arc::clone(self);
                tokio::spawn(async move {
                    let ready = connection.socket.writable().await;
                    connection.out.lock().busy = false;
                    if ready.is_ok() {
                        connection.flush();
                    }
                });
                return;
            }
            bytes.clear();
            out.spare = bytes;
            if out.bytes.is_empty() {
                out.busy = false;
                return;
            }
        }
    }

    /// Bytes taken by the socket; an error takes all of them (the reader will see the end of the connection).
    fn write(&self, bytes: &[u8]) -> usize {
        let mut done = 0;
        while done < bytes.len() {
            match self.socket.try_write(&bytes[done..]) {
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return bytes.len(),
            }
        }
        done
    }
}

#[derive(Default)]
struct Account {
    routes: Vec<Arc<Connection>>,
    watchers: Vec<Arc<Connection>>,
}

type Entity = Arc<Mutex<Account>>;

/// All accounts, and how queues are flushed.
pub(crate) struct Hub {
    accounts: Vec<Mutex<HashMap<u32, Entity>>>,
    flush: Flush,
    /// Wait with `readable()` and read with `try_read`, which costs a second read that finds nothing.
    readable_first: bool,
}

/// So many dirty queues are flushed at once.
const FEW: usize = 4;

struct Turn {
    dirty: RefCell<Vec<Arc<Connection>>>,
    input: RefCell<Vec<u8>>,
    end: Arc<Notify>,
}

thread_local! {
    static TURN: Turn = Turn {
        dirty: RefCell::default(),
        input: RefCell::new(vec![0; 65_536]),
        end: Arc::new(Notify::new()),
    };
}

impl Hub {
    /// An empty hub.
    pub(crate) fn new(flush: Flush, readable_first: bool) -> Arc<Self> {
        Arc::new(Self {
            accounts: (0..64).map(|_| Mutex::default()).collect(),
            flush,
            readable_first,
        })
    }

    fn account(&self, id: u32) -> Entity {
        Arc::clone(
            self.accounts[id as usize % self.accounts.len()]
                .lock()
                .entry(id)
                .or_default(),
        )
    }

    fn deliver(&self, to: &Arc<Connection>, frame: &[u8]) {
        if !to.append(frame) {
            return;
        }
        if self.flush == Flush::Woken {
            to.wake.notify_one();
            return;
        }
        TURN.with(|turn| {
            let mut dirty = turn.dirty.borrow_mut();
            if self.flush == Flush::Turn && dirty.is_empty() {
                turn.end.notify_one();
            }
            dirty.push(Arc::clone(to));
        });
    }

    fn handle(&self, me: &Arc<Connection>, own: &mut Option<Entity>, frame: &[u8]) {
        let Some(head) = frame::parse(frame) else {
            return;
        };
        match head.kind {
            Kind::Login => {
                let account = self.account(head.argument);
                account.lock().routes.push(Arc::clone(me));
                *own = Some(account);
                self.deliver(me, frame);
            }
            Kind::Watch => {
                // One account lock at a time: the watchers are gathered before the own account is locked.
                let watchers = (head.argument..head.argument + head.sender)
                    .flat_map(|id| self.account(id).lock().routes.clone())
                    .collect();
                if let Some(own) = own {
                    own.lock().watchers = watchers;
                }
                self.deliver(me, frame);
            }
            Kind::Message => {
                let account = self.account(head.argument);
                for route in &account.lock().routes {
                    self.deliver(route, frame);
                }
            }
            Kind::Broadcast => {
                if let Some(own) = own {
                    for watcher in &own.lock().watchers {
                        self.deliver(watcher, frame);
                    }
                }
            }
        }
    }

    async fn end_of_read(&self) {
        match self.flush {
            Flush::Inline => flush_dirty(),
            Flush::Yield => {
                let owed = TURN.with(|turn| {
                    let mut dirty = turn.dirty.borrow_mut();
                    if dirty.len() > FEW {
                        std::mem::take(&mut *dirty)
                    } else {
                        Vec::new()
                    }
                });
                if owed.is_empty() {
                    flush_dirty();
                    return;
                }
                tokio::task::yield_now().await;
                for connection in owed {
                    connection.flush();
                }
            }
            Flush::Turn | Flush::Woken => {}
        }
    }

    /// Serves one connection until it ends.
    pub(crate) async fn serve(self: Arc<Self>, stream: TcpStream) {
        let (mut reader, socket) = stream.into_split();
        let me = Arc::new(Connection {
            out: Mutex::default(),
            socket,
            wake: Notify::new(),
        });
        if self.flush == Flush::Woken {
            let me = Arc::clone(&me);
            tokio::spawn(async move {
                loop {
                    me.wake.notified().await;
                    me.flush();
                }
            });
        }
        let (mut carry, mut own) = (Vec::new(), None);
        loop {
            let mut each = |input: &[u8]| {
                frame::split(&mut carry, input, |frame| self.handle(&me, &mut own, frame));
            };
            let more = if self.readable_first {
                read_when_readable(&reader, &mut each).await
            } else {
                read(&mut reader, &mut each).await
            };
            self.end_of_read().await;
            if !more {
                return;
            }
        }
    }
}

/// Writes everything this thread owes.
fn flush_dirty() {
    TURN.with(|turn| {
        let mut dirty = turn.dirty.take();
        for connection in dirty.drain(..) {
            connection.flush();
        }
        let mut place = turn.dirty.borrow_mut();
        if place.is_empty() {
            *place = dirty;
        }
    });
}

/// Flushes once per turn: it is woken by the first dirty queue and so runs after the connections that were ready.
pub(crate) async fn flush_each_turn() {
    let end = TURN.with(|turn| Arc::clone(&turn.end));
    loop {
        end.notified().await;
        flush_dirty();
    }
}

/// One read into the thread's buffer, false at the end. A short read tells tokio that nothing is left, which saves the
/// read that would say so.
pub(crate) async fn read(reader: &mut OwnedReadHalf, each: &mut impl FnMut(&[u8])) -> bool {
    poll_fn(|context| {
        TURN.with(|turn| {
            let mut place = turn.input.borrow_mut();
            let mut input = ReadBuf::new(&mut place);
            match Pin::new(&mut *reader).poll_read(context, &mut input) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Ok(())) if !input.filled().is_empty() => {
                    each(input.filled());
                    Poll::Ready(true)
                }
                Poll::Ready(_) => Poll::Ready(false),
            }
        })
    })
    .await
}

async fn read_when_readable(reader: &OwnedReadHalf, each: &mut impl FnMut(&[u8])) -> bool {
    loop {
        if reader.readable().await.is_err() {
            return false;
        }
        let result = TURN.with(|turn| {
            let mut input = turn.input.borrow_mut();
            let count = reader.try_read(&mut input)?;
            each(&input[..count]);
            Ok::<_, io::Error>(count)
        });
        match result {
            Ok(count) => return count > 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
    }
}
