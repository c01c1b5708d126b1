//! A thread per core: each owns its accounts and connections without locks; what another one must do goes over in one
//! batch per turn.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;

use crate::frame::{self, Head, Kind};
use crate::locks::read;

enum Item {
    /// A connection whose login has been read.
    Adopt(std::net::TcpStream, Vec<u8>),
    Message(u32, Bytes),
    /// These bytes to these routes.
    Broadcast(Arc<[u32]>, Bytes),
}

/// Where other threads leave work for a shard.
#[derive(Default)]
pub(crate) struct Mailbox {
    items: Mutex<Vec<Item>>,
    wake: Notify,
}

impl Mailbox {
    fn hand_over(&self, batch: &mut Vec<Item>) {
        let mut items = self.items.lock();
        let sleeping = items.is_empty();
        items.append(batch);
        drop(items);
        if sleeping {
            self.wake.notify_one();
        }
    }
}

struct Connection {
    socket: Arc<OwnedWriteHalf>,
    out: Vec<u8>,
    dirty: bool,
}

struct Shard {
    me: usize,
    mailboxes: Arc<[Mailbox]>,
    /// By account; the ids of the toy are dense.
    connections: HashMap<u32, Connection>,
    /// Watchers of an account, by shard.
    watchers: HashMap<u32, Vec<Arc<[u32]>>>,
    dirty: Vec<u32>,
    batches: Vec<Vec<Item>>,
    owes: bool,
    end: Arc<Notify>,
}

thread_local! {
    static SHARD: RefCell<Option<Shard>> = const { RefCell::new(None) };
}

fn with<R>(work: impl FnOnce(&mut Shard) -> R) -> Option<R> {
    SHARD.with_borrow_mut(|shard| shard.as_mut().map(work))
}

fn home(account: u32, shards: usize) -> usize {
    (account.wrapping_mul(0x9E37_79B1) >> 16) as usize % shards
}

impl Shard {
    fn owe(&mut self) {
        if !self.owes {
            self.owes = true;
            self.end.notify_one();
        }
    }

    fn append(&mut self, account: u32, frame: &[u8]) {
        let Some(connection) = self.connections.get_mut(&account) else {
            return;
        };
        connection.out.extend_from_slice(frame);
        if !connection.dirty {
            connection.dirty = true;
            self.dirty.push(account);
            self.owe();
        }
    }

    fn send(&mut self, shard: usize, item: Item) {
        self.batches[shard].push(item);
        self.owe();
    }

    fn handle(&mut self, own: u32, frame: &[u8]) {
        let Some(head) = frame::parse(frame) else {
            return;
        };
        match head.kind {
            Kind::Login => self.append(own, frame),
            Kind::Watch => {
                self.watch(own, head);
                self.append(own, frame);
            }
            Kind::Message => {
                let shard = home(head.argument, self.mailboxes.len());
                if shard == self.me {
                    self.append(head.argument, frame);
                } else {
                    self.send(
                        shard,
                        Item::Message(head.argument, Bytes::copy_from_slice(frame)),
                    );
                }
            }
            Kind::Broadcast => self.broadcast(own, frame),
        }
    }

    fn watch(&mut self, own: u32, head: Head) {
        let count = self.mailboxes.len();
        let lists = (0..count)
            .map(|shard| {
                (head.argument..head.argument + head.sender)
                    .filter(|&id| home(id, count) == shard)
                    .collect()
            })
            .collect();
        self.watchers.insert(own, lists);
    }

    fn broadcast(&mut self, own: u32, frame: &[u8]) {
        let Some(lists) = self.watchers.get(&own).cloned() else {
            return;
        };
        let bytes = Bytes::copy_from_slice(frame);
        for (shard, routes) in lists.into_iter().enumerate() {
            if shard != self.me {
                self.send(shard, Item::Broadcast(routes, bytes.clone()));
                continue;
            }
            for &route in &*routes {
                self.append(route, frame);
            }
        }
    }

    fn end_turn(&mut self) {
        self.owes = false;
        for (mailbox, batch) in self.mailboxes.iter().zip(&mut self.batches) {
            if !batch.is_empty() {
                mailbox.hand_over(batch);
            }
        }
        for account in std::mem::take(&mut self.dirty) {
            self.flush(account);
        }
    }

    fn flush(&mut self, account: u32) {
        let Some(connection) = self.connections.get_mut(&account) else {
            return;
        };
        let mut done = 0;
        while done < connection.out.len() {
            match connection.socket.try_write(&connection.out[done..]) {
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => done = connection.out.len(),
            }
        }
        connection.out.drain(..done);
        // A queue that waits for its socket stays marked, so that nobody tries in between.
        connection.dirty = !connection.out.is_empty();
        if connection.dirty {
            let socket = Arc::clone(&connection.socket);
            tokio::spawn(async move {
                if socket.writable().await.is_ok() {
                    with(|shard| shard.flush(account));
                }
            });
        }
    }
}

async fn serve(stream: std::net::TcpStream, login: Vec<u8>) {
    let (Ok(stream), Some(head)) = (TcpStream::from_std(stream), frame::parse(&login)) else {
        return;
    };
    let own = head.argument;
    let (mut reader, socket) = stream.into_split();
    with(|shard| {
        shard.connections.insert(
            own,
            Connection {
                socket: Arc::new(socket),
                out: Vec::new(),
                dirty: false,
            },
        );
        shard.handle(own, &login);
    });
    let mut carry = Vec::new();
    while read(&mut reader, &mut |input: &[u8]| {
        with(|shard| frame::split(&mut carry, input, |frame| shard.handle(own, frame)));
    })
    .await
    {}
    with(|shard| shard.connections.remove(&own));
}

async fn end_turns(end: Arc<Notify>) {
    loop {
        end.notified().await;
        with(Shard::end_turn);
    }
}

/// Runs one shard for ever.
pub(crate) async fn run(me: usize, mailboxes: Arc<[Mailbox]>) {
    let end = Arc::new(Notify::new());
    SHARD.set(Some(Shard {
        me,
        mailboxes: Arc::clone(&mailboxes),
        connections: HashMap::new(),
        watchers: HashMap::new(),
        dirty: Vec::new(),
        batches: mailboxes.iter().map(|_| Vec::new()).collect(),
        owes: false,
        end: Arc::clone(&end),
    }));
    tokio::spawn(end_turns(end));
    let mut batch = Vec::new();
    loop {
        mailboxes[me].wake.notified().await;
        std::mem::swap(&mut batch, &mut *mailboxes[me].items.lock());
        for item in batch.drain(..) {
            match item {
                Item::Adopt(stream, login) => drop(tokio::spawn(serve(stream, login))),
                Item::Message(to, bytes) => drop(with(|shard| shard.append(to, &bytes))),
                Item::Broadcast(routes, bytes) => {
                    with(|shard| routes.iter().for_each(|&route| shard.append(route, &bytes)));
                }
            }
        }
    }
}

/// Gives a connection to the shard of its account, once the login has been read.
pub(crate) fn adopt(mailboxes: &[Mailbox], stream: std::net::TcpStream) -> io::Result<()> {
    let mut login = vec![0; frame::LEN];
    io::Read::read_exact(&mut &stream, &mut login)?;
    stream.set_nonblocking(true)?;
    let account = frame::parse(&login).map_or(0, |head| head.argument);
    mailboxes[home(account, mailboxes.len())].hand_over(&mut vec![Item::Adopt(stream, login)]);
    Ok(())
}
