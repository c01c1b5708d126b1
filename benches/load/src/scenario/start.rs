//! Time from starting a server to listening and to its first answer, and its memory at rest.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::failure::{Doing, Failure, Result};
use crate::procfs::{resident, with_children};
use crate::report::Report;

/// A server that does not listen after this long is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// A server that does not end after this long is killed.
const GOODBYE: Duration = Duration::from_secs(10);

/// What one start took.
#[derive(Clone, Copy, Default)]
struct Start {
    /// Milliseconds until a connection was taken.
    listening: f64,
    /// Milliseconds until a client's stream header was answered.
    answering: f64,
    /// Bytes of memory after a rest.
    memory: u64,
}

fn once(port: u16, rest: Duration, command: &[String]) -> Result<Start> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| Failure::Peer("a command is needed".to_owned()))?;
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .doing(program)?;
    let found = listening(&mut child, address, begun).and_then(|(stream, time)| {
        answer(stream)?;
        let answering = begun.elapsed().as_secs_f64() * 1000.0;
        sleep(rest);
        Ok(Start {
            listening: time.as_secs_f64() * 1000.0,
            answering,
            memory: resident(&with_children(&[child.id()]))?,
        })
    });
    end(&mut child)?;
    found
}

/// Opens a stream and waits until the server says something: a socket that listens is not yet a server that works.
fn answer(mut stream: TcpStream) -> Result<()> {
    let limit = stream.set_read_timeout(Some(PATIENCE));
    limit.doing("setting a time limit")?;
    stream
        .write_all(
            b"<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' \
              xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
        )
        .doing("greeting the server")?;
    match stream.read(&mut [0; 512]).doing("waiting for an answer")? {
        0 => Err(Failure::Peer("the server hung up".to_owned())),
        _ => Ok(()),
    }
}

fn listening(
    child: &mut Child,
    address: SocketAddr,
    begun: Instant,
) -> Result<(TcpStream, Duration)> {
    loop {
        if let Ok(stream) = TcpStream::connect(address) {
            return Ok((stream, begun.elapsed()));
        }
        if let Some(status) = child.try_wait().doing("waiting for the server")? {
            return Err(Failure::Peer(format!("the server ended: {status}")));
        }
        if begun.elapsed() > PATIENCE {
            return Err(Failure::Peer("the server does not listen".to_owned()));
        }
        sleep(Duration::from_micros(500));
    }
}

/// Ends it as an init system does: a request, then force.
fn end(child: &mut Child) -> Result<()> {
    let asked = Command::new("kill").arg(child.id().to_string()).status();
    asked.doing("asking the server to end")?;
    let begun = Instant::now();
    while begun.elapsed() < GOODBYE {
        if child.try_wait().doing("waiting for the server")?.is_some() {
            return Ok(());
        }
        sleep(Duration::from_millis(5));
    }
    child.kill().doing("killing the server")?;
    child.wait().doing("waiting for the server")?;
    Ok(())
}

/// The scenario.
pub(crate) fn scenario(
    name: &str,
    port: u16,
    times: usize,
    rest: f64,
    command: &[String],
) -> Result<Report> {
    let mut found = Vec::new();
    for _ in 0..times.max(1) {
        found.push(once(port, Duration::from_secs_f64(rest), command)?);
    }
    found.sort_by(|a, b| a.answering.total_cmp(&b.answering));
    let median = found.get(found.len() / 2).copied().unwrap_or_default();
    let slowest = found.last().copied().unwrap_or_default();
    let memory = found.iter().map(|start| start.memory).max().unwrap_or(0);
    let mut report = Report::new(name);
    report.count("starts", "starts", found.len() as u64);
    report.figure(
        "listen_ms",
        "start to listening, median",
        "ms",
        median.listening,
    );
    report.figure(
        "answer_ms",
        "start to the first answer, median",
        "ms",
        median.answering,
    );
    report.figure(
        "answer_max_ms",
        "start to the first answer, slowest",
        "ms",
        slowest.answering,
    );
    report.figure("rss_mb", "memory at rest", "MB", memory as f64 / 1e6);
    Ok(report)
}
