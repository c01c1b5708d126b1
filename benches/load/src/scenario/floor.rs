//! What the machine itself takes: the same exchanges with a server that does nothing, in a process of its own.

use std::cell::Cell;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::Notify;

use crate::bare::{ANSWERED, ASKED, COPIES, Kind, STANZA};
use crate::failure::{Doing, Failure, Result};
use crate::report::Report;
use crate::run::Run;

/// Connections of their own, or pairs of connections: as many as pairs of users in `messages`.
const PAIRS: usize = 200;
/// Senders with `COPIES` recipients each: as many as in `presence`.
const GROUPS: usize = 25;
/// Sockets that ask: as many as phones in `retransmit`.
const PHONES: usize = 50;

/// The bare server.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts this program once more, as that.
    fn start(kind: Kind, threads: usize) -> Result<Self> {
        let mut child = Command::new("/proc/self/exe")
            .args(["bare", kind.name(), &threads.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .doing("starting the bare server")?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            let read = BufReader::new(out).read_line(&mut line);
            read.doing("hearing from the bare server")?;
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server = Self { child, address };
        let port = line.trim().parse();
        let port = port.map_err(|_| Failure::Peer("the bare server does not listen".to_owned()))?;
        server.address.set_port(port);
        Ok(server)
    }

    /// Connects as often as this, one after the other: so the server takes them in this order too.
    async fn connect(&self, count: usize) -> Result<Vec<TcpStream>> {
        let mut all = Vec::with_capacity(count);
        for _ in 0..count {
            let stream = TcpStream::connect(self.address).await.doing("connecting")?;
            stream.set_nodelay(true).doing("TCP_NODELAY")?;
            all.push(stream);
        }
        Ok(all)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already: then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends, waits until it has come back, and again.
fn echo(run: &Rc<Run>, mut stream: TcpStream) {
    let shared = Rc::clone(run);
    run.spawn(async move {
        let mut text = [b'a'; STANZA];
        while !shared.is_stopped() {
            let since = shared.now();
            stream.write_all(&text).await.doing("sending")?;
            stream.read_exact(&mut text).await.doing("receiving")?;
            shared.done(since);
        }
        Ok(())
    });
}

/// Sends on one, waits until it has come on the other, and again.
fn relay(run: &Rc<Run>, mut from: TcpStream, mut to: TcpStream) {
    let shared = Rc::clone(run);
    run.spawn(async move {
        let mut text = [b'a'; STANZA];
        while !shared.is_stopped() {
            let since = shared.now();
            from.write_all(&text).await.doing("sending")?;
            to.read_exact(&mut text).await.doing("receiving")?;
            shared.done(since);
        }
        Ok(())
    });
}

/// What a group waits for.
#[derive(Default)]
struct Round {
    since: Cell<u64>,
    missing: Cell<usize>,
    whole: Notify,
}

/// Sends on one, waits until it has come on all others, and again.
fn fanout(run: &Rc<Run>, mut from: TcpStream, to: Vec<TcpStream>) {
    let round = Rc::new(Round::default());
    let copies = to.len();
    for mut stream in to {
        let (shared, round) = (Rc::clone(run), Rc::clone(&round));
        run.spawn(async move {
            let mut text = [0; STANZA];
            while !shared.is_stopped() {
                stream.read_exact(&mut text).await.doing("receiving")?;
                shared.done(round.since.get());
                round.missing.set(round.missing.get().saturating_sub(1));
                if round.missing.get() == 0 {
                    round.whole.notify_one();
                }
            }
            Ok(())
        });
    }
    let shared = Rc::clone(run);
    run.spawn(async move {
        while !shared.is_stopped() {
            round.missing.set(copies);
            round.since.set(shared.now());
            from.write_all(&[b'a'; STANZA]).await.doing("sending")?;
            round.whole.notified().await;
        }
        Ok(())
    });
}

/// Asks, waits for the answer, and again.
async fn ask(run: &Rc<Run>, address: SocketAddr) -> Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let socket = socket.doing("binding a UDP socket")?;
    socket.connect(address).await.doing("addressing")?;
    let shared = Rc::clone(run);
    run.spawn(async move {
        let mut answer = [0; 2 * ANSWERED];
        while !shared.is_stopped() {
            let since = shared.now();
            let sent = socket.send(&[b'a'; ASKED]).await;
            sent.doing("sending")?;
            let read = socket.recv(&mut answer).await.doing("receiving")?;
            if read != ANSWERED {
                let text = format!("a datagram of {read} octets came");
                return Err(Failure::Peer(text));
            }
            shared.done(since);
        }
        Ok(())
    });
    Ok(())
}

/// Begins to load the server; what one operation is, and how many take part.
async fn load(
    run: &Rc<Run>,
    server: &Server,
    kind: Kind,
) -> Result<(&'static str, &'static str, usize)> {
    match kind {
        Kind::Echo => {
            for stream in server.connect(PAIRS).await? {
                echo(run, stream);
            }
            Ok(("echo", "connections", PAIRS))
        }
        Kind::Relay => {
            let mut all = server.connect(2 * PAIRS).await?.into_iter();
            while let (Some(from), Some(to)) = (all.next(), all.next()) {
                relay(run, from, to);
            }
            Ok(("relayed stanza", "pairs of connections", PAIRS))
        }
        Kind::Fanout => {
            let mut all = server.connect(GROUPS * kind.group()).await?.into_iter();
            while let Some(from) = all.next() {
                fanout(run, from, all.by_ref().take(COPIES).collect());
            }
            Ok(("copy", "senders, each to 20", GROUPS))
        }
        Kind::Udp => {
            for _ in 0..PHONES {
                ask(run, server.address).await?;
            }
            Ok(("datagram answered", "sockets", PHONES))
        }
    }
}

/// The scenario, for one of the exchanges.
pub(crate) async fn scenario(
    name: &str,
    kind: Kind,
    seconds: f64,
    threads: usize,
) -> Result<Report> {
    let server = Server::start(kind, threads)?;
    let run = Run::new();
    let (operation, what, count) = load(&run, &server, kind).await?;
    let measured = run.measure(&[server.child.id()], seconds).await?;
    run.stop();
    let mut report = Report::new(name);
    report.count("loops", what, count as u64);
    report.count("threads", "threads of the bare server", threads as u64);
    report.measured(operation, &measured);
    Ok(report)
}
