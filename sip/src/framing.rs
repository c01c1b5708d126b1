//! Messages out of a byte stream: TCP and TLS (RFC 3261 §18.3, RFC 5626 §3.5.1).

use bytes::{Bytes, BytesMut};
use memchr::memchr;
use thiserror::Error;

use crate::{
    Fault, ParseError,
    message::{Limits, Message, Response, parse_with, read_length},
    syntax::trim_bytes,
};

/// What the stream had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A whole message, for [`parse`](crate::message::parse).
    Message(Bytes),
    /// Two line ends between messages: the peer wants one back (RFC 5626 §4.4.1).
    Ping,
}

/// The stream cannot be framed any more; after the answer the connection is to be closed.
#[derive(Debug, Clone, Error)]
#[error("{fault}")]
pub struct FrameError {
    /// What is wrong: no, more than one or a malformed Content-Length, or too large.
    pub fault: Fault,
    /// The head of the message, as far as it was read.
    pub head: Bytes,
}

impl FrameError {
    /// The answer to send before closing, if the head is that of a request.
    pub fn answer(&self) -> Option<Response> {
        let limits = Limits {
            message: usize::MAX,
            ..Limits::default()
        };
        let request = match parse_with(&self.head, &limits) {
            Ok(Message::Request(request)) => Some(Box::new(request)),
            Ok(Message::Response(_)) => None,
            Err(error) => error.request,
        };
        ParseError {
            fault: self.fault,
            request,
        }
        .answer()
    }
}

/// Cuts a byte stream into messages. Each octet is looked at once, however the stream is chunked.
#[derive(Debug)]
pub struct Framer {
    buffer: BytesMut,
    limits: Limits,
    /// Octets of `buffer` that are known not to end the head.
    scanned: usize,
    /// Length of the message that `buffer` begins with, once its head is read.
    wanted: Option<usize>,
    failed: bool,
}

impl Framer {
    /// An empty framer.
    pub fn new(limits: Limits) -> Self {
        Self {
            buffer: BytesMut::new(),
            limits,
            scanned: 0,
            wanted: None,
            failed: false,
        }
    }

    /// Takes what was read from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.failed {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Octets that wait for the rest of their message.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// The next frame; `None` until more is pushed. After an error there is nothing more.
    pub fn next_frame(&mut self) -> Option<Result<Frame, FrameError>> {
        if self.failed {
            return None;
        }
        if self.wanted.is_none() {
            if self.skip_line_ends() {
                return Some(Ok(Frame::Ping));
            }
            if self.buffer.is_empty() {
                // An idle connection keeps no buffer.
                self.buffer = BytesMut::new();
                return None;
            }
            match self.read_head() {
                Ok(None) => return None,
                Ok(Some(length)) => self.wanted = Some(length),
                Err(fault) => return Some(Err(self.fail(fault))),
            }
        }
        let length = self.wanted?;
        if self.buffer.len() < length {
            return None;
        }
        self.wanted = None;
        self.scanned = 0;
        Some(Ok(Frame::Message(self.buffer.split_to(length).freeze())))
    }

    fn fail(&mut self, fault: Fault) -> FrameError {
        self.failed = true;
        let head = std::mem::take(&mut self.buffer).freeze();
        FrameError { fault, head }
    }

    /// Drops line ends in front of a message; true if there were two: a ping. A single one at the end of
    /// what was read stays, as the second may be on its way.
    fn skip_line_ends(&mut self) -> bool {
        loop {
            match self.buffer.as_ref() {
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.advance(4);
                    return true;
                }
                [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] | [b'\r'] => return false,
                [b'\r', b'\n', ..] => self.advance(2),
                [b'\r' | b'\n', ..] => self.advance(1),
                _ => return false,
            }
        }
    }

    fn advance(&mut self, octets: usize) {
        let _ = self.buffer.split_to(octets.min(self.buffer.len()));
    }

    /// Length of head and body, once the head is whole.
    fn read_head(&mut self) -> Result<Option<usize>, Fault> {
        if matches!(self.buffer.first(), Some(b'\r')) {
            return Ok(None);
        }
        let Some(head) = self.head_end() else {
            return if self.buffer.len() > self.limits.message {
                Err(Fault::TooLarge)
            } else {
                Ok(None)
            };
        };
        let body = content_length(&self.buffer[..head])?;
        let length = head.saturating_add(body);
        if length > self.limits.message {
            return Err(Fault::TooLarge);
        }
        Ok(Some(length))
    }

    /// End of the empty line behind the head.
    fn head_end(&mut self) -> Option<usize> {
        while let Some(found) = memchr(b'\n', self.buffer.get(self.scanned..)?) {
            let after = self.scanned + found + 1;
            match self.buffer.get(after..)? {
                [b'\n', ..] => return Some(after + 1),
                [b'\r', b'\n', ..] => return Some(after + 2),
                [] | [b'\r'] => return None,
                _ => self.scanned = after,
            }
        }
        self.scanned = self.buffer.len();
        None
    }
}

/// The value of the one Content-Length in a head.
fn content_length(head: &[u8]) -> Result<usize, Fault> {
    const NAME: &str = "Content-Length";
    let mut found = None;
    let mut rest = head;
    while !rest.is_empty() {
        let (line, after) = folded_line(rest);
        rest = after;
        let Some(colon) = memchr(b':', line) else {
            continue;
        };
        let (name, value) = line.split_at(colon);
        let name = trim_bytes(name);
        if !name.eq_ignore_ascii_case(b"l") && !name.eq_ignore_ascii_case(NAME.as_bytes()) {
            continue;
        }
        if found.is_some() {
            return Err(Fault::Duplicate(NAME));
        }
        let value = trim_bytes(value.get(1..).unwrap_or(&[]));
        found = Some(read_length(value).ok_or(Fault::Header(NAME))?);
    }
    found.ok_or(Fault::Missing(NAME))
}

/// The first line with those that continue it, and what follows.
fn folded_line(head: &[u8]) -> (&[u8], &[u8]) {
    let mut end = 0;
    while let Some(found) = memchr(b'\n', head.get(end..).unwrap_or(&[])) {
        end += found + 1;
        if !matches!(head.get(end), Some(b' ' | b'\t')) {
            return head.split_at(end);
        }
    }
    (head, &[])
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const HEAD: &str = "OPTIONS sip:a.example SIP/2.0\r\nVia: SIP/2.0/TCP b.example;branch=z9hG4bK1\r\n\
        From: <sip:b@b.example>;tag=1\r\nTo: <sip:a.example>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n";

    fn framer(text: &str) -> Framer {
        let mut framer = Framer::new(Limits::default());
        framer.push(text.as_bytes());
        framer
    }

    fn answer(text: &str) -> String {
        let mut framer = framer(text);
        let error = framer.next_frame().unwrap().unwrap_err();
        framer.push(HEAD.as_bytes());
        assert!(
            framer.next_frame().is_none(),
            "nothing comes after an error"
        );
        let answer = error.answer().unwrap();
        format!("{} {}", answer.status, answer.reason_text())
    }

    #[test]
    fn messages_and_pings_come_in_order() {
        let first = format!("{HEAD}l : 2\r\n\r\nab");
        let second = format!("{HEAD}Content-Length:\r\n 0\r\n\r\n");
        let mut framer = framer(&format!("\r\n\r\n{first}\r\n{second}\r\n\r\n\r\n"));
        assert_eq!(framer.next_frame().unwrap().unwrap(), Frame::Ping);
        let message = Frame::Message(Bytes::from(first));
        assert_eq!(framer.next_frame().unwrap().unwrap(), message);
        let message = Frame::Message(Bytes::from(second));
        assert_eq!(framer.next_frame().unwrap().unwrap(), message);
        assert_eq!(framer.next_frame().unwrap().unwrap(), Frame::Ping);
        assert!(framer.next_frame().is_none());
        framer.push(b"\r\n");
        assert_eq!(framer.next_frame().unwrap().unwrap(), Frame::Ping);
        assert_eq!(framer.buffered(), 0);
    }

    #[test]
    fn what_cannot_be_framed_is_answered_and_ends() {
        assert_eq!(answer(&format!("{HEAD}\r\n")), "400 Missing Content-Length");
        assert_eq!(
            answer(&format!("{HEAD}Content-Length: -1\r\n\r\n")),
            "400 Malformed Content-Length"
        );
        assert_eq!(
            answer(&format!("{HEAD}Content-Length: 1\r\nl: 1\r\n\r\n")),
            "400 More than one Content-Length"
        );
        let huge = "9".repeat(40);
        assert_eq!(
            answer(&format!("{HEAD}Content-Length: {huge}\r\n\r\n")),
            "513 Message Too Large"
        );
    }

    #[test]
    fn a_head_without_end_is_cut_off() {
        let mut framer = framer(HEAD);
        framer.push("X: y\r\n".repeat(20_000).as_bytes());
        let error = framer.next_frame().unwrap().unwrap_err();
        assert_eq!(error.fault, Fault::TooLarge);
    }
}
