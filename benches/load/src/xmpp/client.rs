//! A bound session: what arrives is framed in place, what is sent goes out at once.

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::client::TlsStream;

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

/// Buffers that have grown beyond this are given back once they are empty.
const LARGE: usize = 32 * 1024;

/// Where bytes come from.
enum Source {
    Plain(OwnedReadHalf),
    Tls(ReadHalf<TlsStream<TcpStream>>),
}

/// Where bytes go.
enum Sink {
    Plain(OwnedWriteHalf),
    Tls(WriteHalf<TlsStream<TcpStream>>),
}

/// The incoming half.
pub(crate) struct Reader {
    half: Source,
    buffer: Vec<u8>,
    head: usize,
    tail: usize,
}

/// The outgoing half.
pub(crate) struct Writer {
    half: Sink,
}

impl Client {
    /// Takes a connected socket.
    pub(crate) fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true).doing("TCP_NODELAY")?;
        let (read, write) = stream.into_split();
        Ok(Self::over(Source::Plain(read), Sink::Plain(write)))
    }

    /// Takes a connection whose handshake is done.
    pub(crate) fn secured(stream: TlsStream<TcpStream>) -> Self {
        let (read, write) = tokio::io::split(stream);
        Self::over(Source::Tls(read), Sink::Tls(write))
    }

    fn over(read: Source, write: Sink) -> Self {
        Self {
            reader: Reader {
                half: read,
                buffer: vec![0; 2048],
                head: 0,
                tail: 0,
            },
            writer: Writer { half: write },
            jid: String::new(),
        }
    }

    /// The socket back, for STARTTLS.
    pub(crate) fn into_socket(self) -> Result<TcpStream> {
        if let (Source::Plain(read), Sink::Plain(write)) = (self.reader.half, self.writer.half)
            && self.reader.head == self.reader.tail
            && let Ok(stream) = read.reunite(write)
        {
            return Ok(stream);
        }
        let text = "the server sent more than it may before TLS";
        Err(Failure::Peer(text.to_owned()))
    }

    /// The next item that starts like this; others are passed over.
    pub(crate) async fn expect(&mut self, start: &str) -> Result<Vec<u8>> {
        self.reader.expect(start).await
    }

    /// Sends this.
    pub(crate) async fn send(&mut self, text: &str) -> Result<()> {
        self.writer.send(text.as_bytes()).await
    }

    /// Sends this while what comes is read, until the answer to the IQ `id` has come; then answers the pings among it.
    pub(crate) async fn exchange(&mut self, text: &str, id: &str) -> Result<Vec<u8>> {
        let Self { reader, writer, .. } = self;
        let answer = async {
            let mut pongs = String::new();
            loop {
                let iq = reader.expect("<iq").await?;
                if answers(&iq, id) {
                    return Ok((iq, pongs));
                }
                pongs.extend(pong(&iq));
            }
        };
        let (sent, answer) = tokio::join!(writer.send(text.as_bytes()), answer);
        sent?;
        let (iq, pongs) = answer?;
        if !pongs.is_empty() {
            writer.send(pongs.as_bytes()).await?;
        }
        Ok(iq)
    }

    /// Shows whatever comes until the connection ends; answers pings (XEP-0199) as a good client does.
    pub(crate) async fn watch(mut self, mut see: impl FnMut(&[u8])) -> Result<()> {
        loop {
            let item = self.reader.next().await?;
            if item.starts_with(b"<iq")
                && let Some(pong) = pong(item)
            {
                self.writer.send(pong.as_bytes()).await?;
            } else {
                see(item);
            }
        }
    }
}

/// Whether an IQ has this id.
fn answers(iq: &[u8], id: &str) -> bool {
    let text = String::from_utf8_lossy(iq);
    let tag = text.split('>').next().unwrap_or_default();
    attribute(tag, "id") == Some(id)
}

/// The answer to a ping.
fn pong(iq: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(iq).ok()?;
    let tag = text.split('>').next()?;
    if !text.contains("urn:xmpp:ping") || attribute(tag, "type") != Some("get") {
        return None;
    }
    let id = attribute(tag, "id")?;
    let to = attribute(tag, "from").map_or_else(String::new, |from| format!(" to='{from}'"));
    Some(format!("<iq type='result' id='{id}'{to}/>"))
}

/// The value of an attribute in a start tag.
pub(crate) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = tag;
    loop {
        let (before, after) = rest.split_once('=')?;
        let quote = after.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (value, remains) = after.get(1..)?.split_once(quote)?;
        if before.trim_end().ends_with(name)
            && before
                .trim_end()
                .trim_end_matches(name)
                .ends_with(char::is_whitespace)
        {
            return Some(value);
        }
        rest = remains;
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
        if self.head == self.tail && self.buffer.len() > LARGE {
            self.buffer = vec![0; 2048];
            (self.head, self.tail) = (0, 0);
        }
        if self.head > 0 {
            self.buffer.copy_within(self.head..self.tail, 0);
            self.tail -= self.head;
            self.head = 0;
        }
        if self.tail == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let space = &mut self.buffer[self.tail..];
        let read = match &mut self.half {
            Source::Plain(half) => half.read(space).await,
            Source::Tls(half) => half.read(space).await,
        };
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
        let sent = match &mut self.half {
            Sink::Plain(half) => half.write_all(bytes).await,
            Sink::Tls(half) => match half.write_all(bytes).await {
                // What TLS has taken may still lie with it.
                Ok(()) => half.flush().await,
                Err(error) => Err(error),
            },
        };
        sent.doing("writing to the server")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_by_their_whole_name() {
        let tag = "<iq xml:id='no' to=\"a'b\" id='7'";
        assert_eq!(attribute(tag, "id"), Some("7"));
        assert_eq!(attribute(tag, "to"), Some("a'b"));
        assert_eq!(attribute(tag, "from"), None);
    }

    #[test]
    fn pings_are_answered_and_nothing_else() {
        let ping = b"<iq from='d' id='p1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>";
        let expected = "<iq type='result' id='p1' to='d'/>";
        assert_eq!(pong(ping).as_deref(), Some(expected));
        assert_eq!(pong(b"<iq id='p1' type='result'/>"), None);
        assert!(answers(ping, "p1") && !answers(ping, "p"));
    }
}
