//! What the task of a connection reads and writes: a socket, or TLS on one.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use super::wire::{Left, Wire};

/// What is read in one piece.
const PIECE: usize = 16 * 1024;
/// How long TLS takes for its last words.
const LAST_WORDS: Duration = Duration::from_secs(1);

thread_local! {
    /// One a thread: no connection keeps a buffer while it waits.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; PIECE]);
}

/// An accepted connection.
pub(in super::super) enum Socket {
    /// Of `[http] listen`.
    Plain(TcpStream),
    /// Of `[http] listen_tls`.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    /// What is read, and what is written to by anybody.
    pub(super) fn split(self) -> (Reader, Option<OwnedWriteHalf>) {
        match self {
            Self::Plain(socket) => {
                let (reader, writer) = socket.into_split();
                (Reader::Plain(reader), Some(writer))
            }
            Self::Tls(stream) => (Reader::Tls(stream), None),
        }
    }
}

/// What the task of a connection has of it.
pub(super) enum Reader {
    Plain(OwnedReadHalf),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Reader {
    /// Reads and hands what was read to `take`: nothing at the end.
    pub(super) fn poll_read<T>(
        &mut self,
        context: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<T>> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(match self {
                Self::Plain(socket) => Pin::new(socket).poll_read(context, &mut buffer),
                Self::Tls(stream) => Pin::new(stream).poll_read(context, &mut buffer),
            })?;
            Poll::Ready(Ok(take(buffer.filled())))
        })
    }

    /// Writes what is left of an answer. A peer who takes nothing for so long as `patience` has lost it.
    pub(super) async fn write(
        &mut self,
        wire: &Wire,
        left: &mut Left,
        patience: Duration,
    ) -> io::Result<()> {
        while let Some(rest) = left.octets.get(left.written..).filter(|it| !it.is_empty()) {
            let written = poll_fn(|context| match self {
                Self::Plain(_) => wire.poll_write(context, rest),
                Self::Tls(stream) => Pin::new(stream).poll_write(context, rest),
            });
            let written = timeout(patience, written).await??;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            left.written += written;
        }
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => timeout(patience, stream.flush()).await?,
        }
    }

    /// Ends the side that is written.
    pub(super) async fn finish(&mut self, wire: &Wire) {
        // Dropped, the half that is written to is shut down.
        drop(wire.take());
        if let Self::Tls(stream) = self {
            let _ = timeout(LAST_WORDS, stream.shutdown()).await;
        }
    }

    /// The whole again.
    pub(super) fn join(self, writer: Option<OwnedWriteHalf>) -> Option<Socket> {
        match self {
            Self::Plain(reader) => reader.reunite(writer?).ok().map(Socket::Plain),
            Self::Tls(stream) => Some(Socket::Tls(stream)),
        }
    }
}
