//! Answers, and pieces of answers.

use std::any::Any;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

use super::connection::Activity;

/// What a handler gives back.
pub(crate) type Answer = Response<Content>;

/// The type of text for people.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

/// What is handed to the connection at a time. A peer who takes less than this in `[limits] http_idle_time` is too slow.
const PIECE: usize = 64 * 1024;

/// The body of an answer.
#[derive(Default)]
pub(crate) struct Content {
    bytes: Bytes,
    activity: Option<Arc<Activity>>,
    until_out: Option<Box<dyn Any + Send>>,
}

impl Content {
    /// All of it.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The same in other octets.
    pub(super) fn exchange(&mut self, bytes: Vec<u8>) {
        self.bytes = bytes.into();
    }

    /// Drops this when all of it is out, or will never be.
    pub(super) fn until_out(&mut self, guard: impl Any + Send) {
        self.until_out = Some(Box::new(guard));
    }

    /// Tells the connection of every piece that is taken.
    pub(super) fn watched(mut self, activity: Arc<Activity>) -> Self {
        self.activity = Some(activity);
        self
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Content {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(activity) = &self.activity {
            activity.seen();
        }
        if self.bytes.is_empty() {
            return Poll::Ready(None);
        }
        let most = self.bytes.len().min(PIECE);
        let piece = self.bytes.split_to(most);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}

/// An answer of a type, which caches may keep as they like.
pub(crate) fn typed(status: StatusCode, kind: &'static str, content: impl Into<Content>) -> Answer {
    let mut answer = Response::new(content.into());
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

/// A sentence for people, good for this once.
pub(crate) fn plain(status: StatusCode, text: impl Into<Content>) -> Answer {
    let mut answer = typed(status, TEXT, text);
    let once = HeaderValue::from_static("no-store");
    answer.headers_mut().insert(CACHE_CONTROL, once);
    answer
}

/// An answer without content.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Content::default());
    *answer.status_mut() = status;
    answer
}
