//! The load: one thread that reads and (closed loop) answers, and one that sends by the clock (open loop).

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::frame::{self, Head, Kind};

/// What one run delivered.
#[derive(Default)]
pub(crate) struct Seen {
    /// Copies of messages delivered.
    pub(crate) messages: u64,
    /// Copies of broadcasts delivered.
    pub(crate) copies: u64,
    /// Microseconds from sending to reading, of messages.
    pub(crate) message_latency: Vec<u32>,
    /// The same of copies of broadcasts.
    pub(crate) copy_latency: Vec<u32>,
}

/// One stream of frames sent by the clock.
#[derive(Clone, Copy)]
pub(crate) struct Stream {
    /// What is sent.
    pub(crate) kind: Kind,
    /// Frames per second.
    pub(crate) rate: f64,
}

/// Accounts of the scenarios: senders, receivers, members of the hot room and its sender.
pub(crate) const SENDERS: u32 = 200;
/// First member of the hot room.
pub(crate) const ROOM: u32 = 400;
/// Members of the hot room.
pub(crate) const ROOM_SIZE: u32 = 500;
/// Who sends to the hot room.
pub(crate) const SPEAKER: u32 = ROOM + ROOM_SIZE;
/// First idle account.
pub(crate) const IDLE: u32 = SPEAKER + 1;
/// Watchers of every other sender.
pub(crate) const FAN: u32 = 20;

/// Connections to one server.
pub(crate) struct Client {
    poll: Poll,
    streams: Arc<Vec<TcpStream>>,
    carries: Vec<Vec<u8>>,
    server: SocketAddr,
    epoch: Instant,
}

fn write(mut stream: &TcpStream, frame: &[u8]) -> io::Result<()> {
    let mut done = 0;
    while done < frame.len() {
        match stream.write(&frame[done..]) {
            Ok(count) => done += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn now(epoch: Instant) -> u64 {
    epoch.elapsed().as_nanos() as u64
}

/// The frame that `sender` sends in a scenario.
fn next(kind: Kind, sender: u32, epoch: Instant) -> [u8; frame::LEN] {
    let argument = if kind == Kind::Message {
        sender + SENDERS
    } else {
        0
    };
    frame::print(Head {
        kind,
        argument,
        sent: now(epoch),
        sender,
    })
}

impl Client {
    /// Logs all accounts of the scenarios in and sets up who watches whom.
    pub(crate) fn connect(port: u16) -> io::Result<Self> {
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        let mut client = Self {
            poll: Poll::new()?,
            streams: Arc::default(),
            carries: Vec::new(),
            server,
            epoch: Instant::now(),
        };
        client.add(IDLE)?;
        for sender in 0..SENDERS {
            client.watch(sender, SENDERS + sender * 7 % (SENDERS - FAN), FAN)?;
        }
        client.watch(SPEAKER, ROOM, ROOM_SIZE)?;
        Ok(client)
    }

    fn ask(mut stream: &std::net::TcpStream, head: Head) -> io::Result<()> {
        stream.write_all(&frame::print(head))?;
        stream.read_exact(&mut [0; frame::LEN])
    }

    /// Logs in so many more accounts.
    pub(crate) fn add(&mut self, count: u32) -> io::Result<()> {
        let mut streams = std::mem::take(&mut self.streams);
        let list = Arc::get_mut(&mut streams).ok_or(ErrorKind::ResourceBusy)?;
        for _ in 0..count {
            let account = list.len() as u32;
            let stream = std::net::TcpStream::connect(self.server)?;
            stream.set_nodelay(true)?;
            Self::ask(
                &stream,
                Head {
                    kind: Kind::Login,
                    argument: account,
                    sent: 0,
                    sender: account,
                },
            )?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            self.poll.registry().register(
                &mut stream,
                Token(account as usize),
                Interest::READABLE,
            )?;
            list.push(stream);
            self.carries.push(Vec::new());
        }
        self.streams = streams;
        Ok(())
    }

    fn watch(&mut self, sender: u32, first: u32, count: u32) -> io::Result<()> {
        let head = Head {
            kind: Kind::Watch,
            argument: first,
            sent: 0,
            sender: count,
        };
        let mut stream = &self.streams[sender as usize];
        write(stream, &frame::print(head))?;
        let mut answer = [0; frame::LEN];
        let mut done = 0;
        while done < answer.len() {
            match stream.read(&mut answer[done..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => done += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads until `until`; `each` is called with every frame.
    fn receive(
        &mut self,
        until: Instant,
        mut each: impl FnMut(Head, u64) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut input = vec![0; 65_536];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.poll.poll(&mut events, Some(left))?;
            for event in &events {
                let index = event.token().0;
                loop {
                    let count = match (&self.streams[index]).read(&mut input) {
                        Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                        Ok(count) => count,
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        Err(error) => return Err(error),
                    };
                    let at = now(self.epoch);
                    let mut result = Ok(());
                    frame::split(&mut self.carries[index], &input[..count], |frame| {
                        if let (Ok(()), Some(head)) = (&result, frame::parse(frame)) {
                            result = each(head, at);
                        }
                    });
                    result?;
                    if count < input.len() {
                        break;
                    }
                }
            }
        }
    }

    /// Two hundred senders, each of which sends again when all copies of its last frame have been read; counts what
    /// is delivered between `warm` and `warm + measured`, calling `mark` at both moments.
    pub(crate) fn closed(
        &mut self,
        kind: Kind,
        warm: Duration,
        measured: Duration,
        mut mark: impl FnMut(),
    ) -> io::Result<Seen> {
        let fan = if kind == Kind::Broadcast { FAN } else { 1 };
        let mut missing = vec![fan; SENDERS as usize];
        let (streams, epoch) = (Arc::clone(&self.streams), self.epoch);
        for sender in 0..SENDERS {
            write(&streams[sender as usize], &next(kind, sender, epoch))?;
        }
        let start = Instant::now() + warm;
        let mut seen = Seen::default();
        for (until, measuring, going) in [
            (start, false, true),
            (start + measured, true, true),
            (start + measured + Duration::from_millis(200), false, false),
        ] {
            self.receive(until, |head, _| {
                if measuring {
                    *(if kind == Kind::Message {
                        &mut seen.messages
                    } else {
                        &mut seen.copies
                    }) += 1;
                }
                let left = &mut missing[head.sender as usize];
                *left -= 1;
                if *left == 0 && going {
                    *left = fan;
                    write(
                        &streams[head.sender as usize],
                        &next(kind, head.sender, epoch),
                    )?;
                }
                Ok(())
            })?;
            if going {
                mark();
            }
        }
        Ok(seen)
    }

    /// Sends by the clock, whatever comes back; measured like `closed`. The hot room is a broadcast with one sender.
    pub(crate) fn open(
        &mut self,
        sent: &[(Stream, bool)],
        warm: Duration,
        measured: Duration,
        mut mark: impl FnMut(),
    ) -> io::Result<Seen> {
        let begin = Instant::now();
        let (start, end) = (begin + warm, begin + warm + measured);
        let (streams, epoch, sent) = (Arc::clone(&self.streams), self.epoch, sent.to_vec());
        let sender = thread::spawn(move || send_by_clock(&streams, epoch, &sent, begin, end));
        let mut seen = Seen::default();
        self.receive(start, |_, _| Ok(()))?;
        mark();
        self.receive(end, |head, at| {
            let took = (at.saturating_sub(head.sent) / 1_000) as u32;
            if head.kind == Kind::Message {
                seen.messages += 1;
                seen.message_latency.push(took);
            } else {
                seen.copies += 1;
                seen.copy_latency.push(took);
            }
            Ok(())
        })?;
        mark();
        sender.join().map_err(|_| ErrorKind::Other)??;
        self.receive(Instant::now() + Duration::from_millis(200), |_, _| Ok(()))?;
        Ok(seen)
    }
}

fn send_by_clock(
    streams: &[TcpStream],
    epoch: Instant,
    sent: &[(Stream, bool)],
    begin: Instant,
    end: Instant,
) -> io::Result<()> {
    let mut counts = vec![0_u64; sent.len()];
    loop {
        let mut due = end;
        for ((stream, hot), count) in sent.iter().zip(&mut counts) {
            let at = begin + Duration::from_secs_f64(*count as f64 / stream.rate);
            if at <= Instant::now() {
                // 77 and 200 have no common divisor: every sender has its turn, far from the one before.
                let sender = if *hot {
                    SPEAKER
                } else {
                    (*count * 77 % u64::from(SENDERS)) as u32
                };
                write(&streams[sender as usize], &next(stream.kind, sender, epoch))?;
                *count += 1;
                due = begin;
            } else {
                due = due.min(at);
            }
        }
        if Instant::now() >= end {
            return Ok(());
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}
