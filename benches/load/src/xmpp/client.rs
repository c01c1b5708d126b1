//! A bound session: what arrives is framed in place, what is sent goes out at once.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::frame;
use crate::failure::{Doing, Failure, Result};

/// A session, both directions.
pub(crate) struct Client {
    /// What the server sends.
    pub(crate) reader: Reader,
    /// What is sent to it.
    pub(crate) writer: Writer,
    /// The full address that the server bound.
    pub(crate) jid: String,
}

/// The incoming half.
pub(crate) struct Reader {
    half: OwnedReadHalf,
    buffer: Vec<u8>,
    head: usize,
    tail: usize,
}

/// The outgoing half.
pub(crate) struct Writer {
    half: OwnedWriteHalf,
}

impl Client {
    /// Takes a connected socket.
    pub(crate) fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true).doing("TCP_NODELAY")?;
        let (read, write) = stream.into_split();
        Ok(Self {
            reader: Reader {
                half: read,
                buffer: vec![0; 2048],
                head: 0,
                tail: 0,
            },
            writer: Writer { half: write },
            jid: String::new(),
        })
    }

    /// The next item that starts like this; others are passed over.
    pub(crate) async fn expect(&mut self, start: &str) -> Result<Vec<u8>> {
        self.reader.expect(start).await
    }

    /// Sends this.
    pub(crate) async fn send(&mut self, text: &str) -> Result<()> {
        self.writer.send(text.as_bytes()).await
    }
}

impl Reader {
    /// The next item of the stream, good until the next call.
    pub(crate) async fn next(&mut self) -> Result<&[u8]> {
        loop {
            while self.head < self.tail && self.buffer[self.head].is_ascii_whitespace() {
                self.head += 1;
            }
            if self.head < self.tail
                && let Some(length) = frame::length(&self.buffer[self.head..self.tail])
            {
                let from = self.head;
                self.head += length;
                return Ok(&self.buffer[from..from + length]);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<()> {
        if self.head > 0 {
            self.buffer.copy_within(self.head..self.tail, 0);
            self.tail -= self.head;
            self.head = 0;
        }
        if self.tail == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let read = self.half.read(&mut self.buffer[self.tail..]).await;
        let read = read.doing("reading from the server")?;
        if read == 0 {
            let text = "the server closed the connection";
            return Err(Failure::Peer(text.to_owned()));
        }
        self.tail += read;
        Ok(())
    }

    /// The next item that starts like this; others are passed over, errors of the stream excepted.
    pub(crate) async fn expect(&mut self, start: &str) -> Result<Vec<u8>> {
        loop {
            let item = self.next().await?;
            if item.starts_with(start.as_bytes()) {
                return Ok(item.to_vec());
            }
            if item.starts_with(b"<stream:error") || item.starts_with(b"<failure") {
                return Err(crate::failure::peer("the server refused", item));
            }
        }
    }

    /// Reads whatever comes until the connection ends.
    pub(crate) async fn drain(mut self) -> Result<()> {
        loop {
            self.next().await?;
        }
    }
}

impl Writer {
    /// Sends this.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.half
            .write_all(bytes)
            .await
            .doing("writing to the server")
    }
}
