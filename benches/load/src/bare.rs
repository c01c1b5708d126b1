//! A server that does nothing but take and give: what it costs is what the machine itself takes.

use std::io::{self, Write as _};
use std::net::Ipv4Addr;

use clap::ValueEnum;
use tokio::io::AsyncReadExt as _;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime::{Builder, Runtime};

use crate::failure::{Doing, Result};

/// How many get a copy of what one sends.
pub(crate) const COPIES: usize = 20;
/// Octets of what is sent over TCP, as of a short stanza.
pub(crate) const STANZA: usize = 150;
/// Octets of a datagram that asks, as of a PUBLISH.
pub(crate) const ASKED: usize = 500;
/// Octets of a datagram that answers.
pub(crate) const ANSWERED: usize = 350;
/// How many datagrams are taken in one turn, as by Adsum.
const BATCH: usize = 64;

/// What the server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// What comes on a connection goes back on it.
    Echo,
    /// What comes on a connection goes out on another.
    Relay,
    /// What comes on a connection goes out on twenty others.
    Fanout,
    /// A datagram is answered.
    Udp,
}

impl Kind {
    /// All of them, in the order in which they are measured.
    pub(crate) const ALL: [Self; 4] = [Self::Echo, Self::Relay, Self::Fanout, Self::Udp];

    /// What it is called in names of scenarios and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Relay => "relay",
            Self::Fanout => "fanout",
            Self::Udp => "udp",
        }
    }

    /// How many connections belong together, in the order in which they are made: the first one sends.
    pub(crate) fn group(self) -> usize {
        match self {
            Self::Echo | Self::Udp => 1,
            Self::Relay => 2,
            Self::Fanout => COPIES + 1,
        }
    }
}

/// Listens on a free port of loopback, prints it, and serves with so many threads until the standard input
/// ends.
pub(crate) fn serve(kind: Kind, threads: usize) -> Result<()> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads.max(1))
        .enable_all()
        .build()
        .doing("starting")?;
    begin(&runtime, kind).doing("listening on loopback")?;
    // Whoever started this lets go of the other end, or is gone.
    io::copy(&mut io::stdin().lock(), &mut io::sink()).doing("waiting for the end")?;
    runtime.shutdown_background();
    Ok(())
}

fn begin(runtime: &Runtime, kind: Kind) -> io::Result<()> {
    let loopback = (Ipv4Addr::LOCALHOST, 0);
    let port = if kind == Kind::Udp {
        let socket = runtime.block_on(UdpSocket::bind(loopback))?;
        let port = socket.local_addr()?.port();
        runtime.spawn(answer(socket));
        port
    } else {
        let listener = runtime.block_on(TcpListener::bind(loopback))?;
        let port = listener.local_addr()?.port();
        runtime.spawn(accept(listener, kind.group()));
        port
    };
    writeln!(io::stdout(), "{port}")
}

/// Takes connections; as soon as a group is whole it is served.
async fn accept(listener: TcpListener, group: usize) -> io::Result<()> {
    let mut waiting = Vec::with_capacity(group);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        waiting.push(stream.into_split());
        if waiting.len() == group {
            let (readers, writers) = waiting.drain(..).unzip();
            tokio::spawn(pass(readers, writers));
        }
    }
}

/// Passes what comes on the first connection of a group to its others, or back where it is alone. All connections end
/// where one does not take what is passed at once: nobody here sends more than the sockets hold.
async fn pass(mut readers: Vec<OwnedReadHalf>, writers: Vec<OwnedWriteHalf>) -> io::Result<()> {
    for writer in &writers {
        writer.writable().await?;
    }
    let to = match writers.as_slice() {
        [_, others @ ..] if !others.is_empty() => others,
        alone => alone,
    };
    let Some(reader) = readers.first_mut() else {
        return Ok(());
    };
    let mut buffer = [0; 2048];
    loop {
        let read = reader.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        for writer in to {
            if writer.try_write(&buffer[..read])? < read {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
    }
}

/// Answers datagrams.
async fn answer(socket: UdpSocket) -> io::Result<()> {
    let mut buffer = vec![0; 65_535];
    let reply = [b'a'; ANSWERED];
    socket.writable().await?;
    loop {
        socket.readable().await?;
        for _ in 0..BATCH {
            match socket.try_recv_from(&mut buffer) {
                // A full socket loses it, as a network does.
                Ok((_, remote)) => drop(socket.try_send_to(&reply, remote)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // An ICMP error about something sent before.
                Err(_) => {}
            }
        }
    }
}
