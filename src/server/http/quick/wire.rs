//! What the task of a connection and whoever has an answer for it share.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use hyper::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderValue};
use parking_lot::Mutex;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::Instant;

use super::super::answer::Answer;
use super::super::bosh::Turn;
use super::super::dispatch::Manner;
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
    pub(super) fn ask(&self, manner: Manner, closes: bool) {
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
        let mut state = self.0.lock();
        let Some(manner) = state.manner.take() else {
            return;
        };
        let octets = print(answer, manner, state.closes);
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

/// An answer as it stands on the wire (RFC 9112 §4).
fn print(mut answer: Answer, manner: Manner, closes: bool) -> Vec<u8> {
    manner.apply(&mut answer);
    let length = answer.body().bytes().len();
    let headers = answer.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if closes {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let status = answer.status();
    let mut out = Vec::with_capacity(512 + length);
    for piece in [
        "HTTP/1.1 ",
        status.as_str(),
        " ",
        status.canonical_reason().unwrap_or(""),
        "\r\n",
    ] {
        out.extend_from_slice(piece.as_bytes());
    }
    for (name, value) in answer.headers() {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(DATE.as_str().as_bytes());
    out.extend_from_slice(b": ");
    date::write(&mut out);
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(answer.body().bytes());
    out
}
