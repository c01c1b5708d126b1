//! Reading a link in its own task, through one buffer a thread.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::tcp::OwnedReadHalf;

use super::Carrier;
use crate::server::websocket;

/// What is read in one piece.
const PIECE: usize = 32 * 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; PIECE]);
}

/// Waits for octets and hands them to `take` at once, on the thread that read them; none at the end of the stream. No connection
/// keeps a buffer while it waits.
pub(crate) async fn read<T>(
    socket: &mut OwnedReadHalf,
    mut take: impl FnMut(&[u8]) -> T,
) -> io::Result<T> {
    poll_fn(|context| poll(socket, context, &mut take)).await
}

fn poll<T>(
    socket: &mut OwnedReadHalf,
    context: &mut Context<'_>,
    take: &mut impl FnMut(&[u8]) -> T,
) -> Poll<io::Result<T>> {
    BUFFER.with_borrow_mut(|buffer| {
        let mut buffer = ReadBuf::new(buffer);
        match Pin::new(socket).poll_read(context, &mut buffer) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(take(buffer.filled()))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    })
}

/// What a link is read from.
pub(crate) enum Source {
    /// A socket; with what reads WebSocket frames where that is what comes.
    Socket(OwnedReadHalf, Option<Box<websocket::Reader>>),
    /// Whole elements.
    Carried(Arc<dyn Carrier>),
}

/// What has come.
pub(crate) enum Input<'a> {
    /// Octets, and what reads frames out of them.
    Octets(&'a [u8], Option<&'a mut websocket::Reader>),
    /// An element.
    Element(Vec<u8>),
    /// Nothing more will come.
    End,
}

impl Source {
    /// Waits for what comes and hands it to `take` at once.
    pub(crate) fn read<'a, T: 'a>(
        &'a mut self,
        mut take: impl FnMut(Input<'_>) -> T + 'a,
    ) -> impl Future<Output = io::Result<T>> + 'a {
        poll_fn(move |context| match self {
            Self::Socket(socket, frames) => poll(socket, context, &mut |octets| {
                take(match octets {
                    [] => Input::End,
                    octets => Input::Octets(octets, frames.as_deref_mut()),
                })
            }),
            Self::Carried(carrier) => carrier
                .poll_element(context)
                .map(|element| Ok(take(element.map_or(Input::End, Input::Element)))),
        })
    }

    /// What reads WebSocket frames.
    pub(crate) fn frames(&mut self) -> Option<&mut websocket::Reader> {
        match self {
            Self::Socket(_, frames) => frames.as_deref_mut(),
            Self::Carried(_) => None,
        }
    }

    /// The socket, if there is one.
    pub(crate) fn socket(&mut self) -> Option<&mut OwnedReadHalf> {
        match self {
            Self::Socket(socket, _) => Some(socket),
            Self::Carried(_) => None,
        }
    }
}
