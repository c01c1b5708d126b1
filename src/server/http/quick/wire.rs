//! What the task of a connection and whoever has an answer for it share.

use std::io::{self, Write as _};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use hyper::body::Bytes;
use hyper::header::{CONNECTION, HeaderMap};
use parking_lot::Mutex;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::Instant;

use super::super::answer::{Answer, Content};
use super::super::bosh::{self, Turn};
use super::super::compress;
use super::super::dispatch::{self, finish};
use super::date;

/// A connection that is answered over by whoever has the answer.
pub(in super::super) struct Wire(Mutex<State>);

struct State {
    /// What is written to directly; `None` where TLS is between, which the task of the connection drives.
    direct: Option<OwnedWriteHalf>,
    /// How the request is answered that waits.
    manner: Option<Manner>,
    /// The client wants the connection closed behind that.
    closes: bool,
    /// What the task of the connection has to write.
    left: Option<Left>,
    /// The task wants to know when the answer is out.
    eager: bool,
    task: Option<Waker>,
    /// When something was asked or answered last.
    last: Instant,
}

/// How an answer is given, whatever it is.
struct Manner {
    takes_gzip: bool,
    /// Headers for the page of another server, as they stand on the wire.
    said: Box<[u8]>,
}

impl From<dispatch::Manner> for Manner {
    fn from(manner: dispatch::Manner) -> Self {
        let (takes_gzip, headers) = manner.into_parts();
        let mut said = Vec::new();
        print_fields(&mut said, &headers);
        Self {
            takes_gzip,
            said: said.into(),
        }
    }
}

/// What is left of an answer.
pub(super) struct Left {
    pub(super) octets: Vec<u8>,
    pub(super) written: usize,
    /// It must not be written before this has come, and the next ones not before it is out.
    pub(super) turn: Option<Turn>,
}

/// What the task of a connection finds.
pub(super) enum Found {
    /// The request waits for its answer.
    Waiting,
    /// It was answered; this is to be written.
    Left(Left),
    /// No request waits.
    Idle {
        /// The client wants the connection closed now.
        closes: bool,
    },
}

impl Wire {
    pub(super) fn new(direct: Option<OwnedWriteHalf>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            direct,
            manner: None,
            closes: false,
            left: None,
            eager: false,
            task: None,
            last: Instant::now(),
        })))
    }

    /// A request begins to wait.
    pub(super) fn ask(&self, manner: dispatch::Manner, closes: bool) {
        let manner = manner.into();
        let mut state = self.0.lock();
        state.manner = Some(manner);
        state.closes = closes;
        state.last = Instant::now();
    }

    /// How it stands; the task is woken when that changes. `eager`: also when all is written.
    pub(super) fn look(&self, context: &Context<'_>, eager: bool) -> Found {
        let mut state = self.0.lock();
        if let Some(left) = state.left.take() {
            return Found::Left(left);
        }
        match &mut state.task {
            Some(task) => task.clone_from(context.waker()),
            None => state.task = Some(context.waker().clone()),
        }
        state.eager = eager;
        match state.manner {
            Some(_) => Found::Waiting,
            None => Found::Idle {
                closes: state.closes,
            },
        }
    }

    /// When something was asked or answered last.
    pub(super) fn last(&self) -> Instant {
        self.0.lock().last
    }

    /// Something was written of what was left.
    pub(super) fn seen(&self) {
        self.0.lock().last = Instant::now();
    }

    /// Writes some of it to the socket; only where that is written to directly.
    pub(super) fn poll_write(
        &self,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let state = self.0.lock();
        let Some(socket) = &state.direct else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        loop {
            match socket.as_ref().poll_write_ready(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
            match socket.as_ref().try_write(octets) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    /// Takes the half that is written to: the connection goes on in other hands.
    pub(super) fn take(&self) -> Option<OwnedWriteHalf> {
        self.0.lock().direct.take()
    }

    /// Nothing more is answered. True when a request waited.
    pub(super) fn give_up(&self) -> bool {
        let mut state = self.0.lock();
        state.task = None;
        state.manner.take().is_some()
    }

    /// Answers the request that waits, by whoever calls if the socket takes it. `turn`: not before the answers that have their turns
    /// before.
    pub(in super::super) fn say(&self, answer: Answer, turn: Option<Turn>) {
        self.write(turn, |manner, closes| print(answer, &manner, closes));
    }

    /// Answers it with what a session says, of the usual type.
    pub(in super::super) fn say_body(&self, body: Bytes, turn: Turn) {
        self.write(Some(turn), |manner, closes| {
            if body.len() < compress::LEAST {
                print_usual(&body, &manner, closes)
            } else {
                print(
                    bosh::said(200, body, ::bosh::terms::CONTENT),
                    &manner,
                    closes,
                )
            }
        });
    }

    fn write(&self, turn: Option<Turn>, print: impl FnOnce(Manner, bool) -> Vec<u8>) {
        let mut state = self.0.lock();
        let Some(manner) = state.manner.take() else {
            return;
        };
        let octets = print(manner, state.closes);
        state.last = Instant::now();
        let mut written = 0;
        if turn.as_ref().is_none_or(Turn::has_come)
            && let Some(socket) = &state.direct
        {
            // Where it fails the task finds out, which reads it.
            written = socket.as_ref().try_write(&octets).unwrap_or(0);
        }
        let is_out = written == octets.len();
        if !is_out {
            state.left = Some(Left {
                octets,
                written,
                turn,
            });
        }
        if (!is_out || state.eager || state.closes)
            && let Some(task) = &state.task
        {
            task.wake_by_ref();
        }
    }
}

/// What every usual answer begins with.
static USUAL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut answer = bosh::said(200, Content::default(), ::bosh::terms::CONTENT);
    finish(false, &mut answer);
    let mut out = Vec::new();
    print_head(&mut out, &answer);
    out
});

/// The body of a session in a usual answer: one that is not worth to be compressed, and of the usual type.
fn print_usual(body: &[u8], manner: &Manner, closes: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(USUAL.len() + 256 + body.len());
    out.extend_from_slice(&USUAL);
    out.extend_from_slice(&manner.said);
    print_end(&mut out, body, closes);
    out
}

/// Any answer as it stands on the wire (RFC 9112 §4).
fn print(mut answer: Answer, manner: &Manner, closes: bool) -> Vec<u8> {
    finish(manner.takes_gzip, &mut answer);
    let mut out = Vec::with_capacity(512 + answer.body().bytes().len());
    print_head(&mut out, &answer);
    out.extend_from_slice(&manner.said);
    print_end(&mut out, answer.body().bytes(), closes);
    out
}

fn print_head(out: &mut Vec<u8>, answer: &Answer) {
    let status = answer.status();
    for piece in [
        "HTTP/1.1 ",
        status.as_str(),
        " ",
        status.canonical_reason().unwrap_or(""),
        "\r\n",
    ] {
        out.extend_from_slice(piece.as_bytes());
    }
    print_fields(out, answer.headers());
}

fn print_fields(out: &mut Vec<u8>, headers: &HeaderMap) {
    // How a connection goes on is said below.
    for (name, value) in headers.iter().filter(|(name, _)| *name != CONNECTION) {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

fn print_end(out: &mut Vec<u8>, body: &[u8], closes: bool) {
    // Writing to a vector does not fail.
    let _ = write!(out, "content-length: {}\r\ndate: ", body.len());
    date::write(out);
    let close: &[u8] = if closes {
        b"\r\nconnection: close"
    } else {
        b""
    };
    for piece in [close, b"\r\n\r\n", body] {
        out.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without the time of day.
    fn text(octets: &[u8]) -> String {
        let text = String::from_utf8_lossy(octets);
        let lines = text.split("\r\n");
        lines
            .filter(|line| !line.starts_with("date: "))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_usual_answer_is_as_any_other() {
        for (closes, body) in [(false, "<body/>"), (true, ""), (false, "\u{e9}")] {
            let manner = Manner::from(dispatch::Manner::default());
            let any = bosh::said(200, body, ::bosh::terms::CONTENT);
            let any = print(any, &manner, closes);
            let usual = print_usual(body.as_bytes(), &manner, closes);
            assert_eq!(text(&usual), text(&any));
            assert_eq!(text(&usual).contains("\nconnection: close\n"), closes);
            assert!(text(&usual).ends_with(&format!("\n\n{body}")));
        }
    }
}
